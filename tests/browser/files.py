"""A GTK 4 window that files are dropped on and dragged out of; each thing that happens is a line of JSON.

    files.py LOG [FILE...]     drags these files
"""
import json
import sys

import gi
gi.require_version('Gdk', '4.0')
gi.require_version('Gtk', '4.0')
from gi.repository import Gdk, GLib, Gtk

log = open(sys.argv[1], 'w', buffering=1)
dragged = sys.argv[2:]


def tell(event, **more):
    log.write(json.dumps({'event': event, **more}) + '\n')


def drop(_target, value, x, y):
    files = []
    for file in value.get_files():
        with open(file.get_path(), 'rb') as content:
            files.append({'path': file.get_path(), 'hex': content.read().hex()})
    tell('drop', x=x, y=y, files=files)
    return True


def held(name):
    def enter(_target, x, y):
        tell(name, x=x, y=y)
        return Gdk.DragAction.COPY
    return enter


def prepare(_source, _x, _y):
    addresses = ''.join(GLib.filename_to_uri(path, None) + '\r\n' for path in dragged)
    return Gdk.ContentProvider.new_for_bytes('text/uri-list', GLib.Bytes.new(addresses.encode()))


def ended(_source, _drag, reason):
    tell('cancelled', reason=reason.value_nick)
    return False


def show(app):
    window = Gtk.ApplicationWindow(application=app, title='files')
    area = Gtk.DrawingArea()
    target = Gtk.DropTarget.new(Gdk.FileList, Gdk.DragAction.COPY)
    target.connect('enter', held('enter'))
    target.connect('motion', held('motion'))
    target.connect('leave', lambda _target: tell('leave'))
    target.connect('drop', drop)
    area.add_controller(target)
    if dragged:
        source = Gtk.DragSource()
        source.connect('prepare', prepare)
        source.connect('drag-begin', lambda _source, _drag: tell('begin'))
        source.connect('drag-cancel', ended)
        source.connect('drag-end', lambda _source, _drag, _moved: tell('end'))
        area.add_controller(source)
    window.set_child(area)
    window.set_decorated(False)
    window.connect('notify::is-active', lambda *_: window.is_active() and tell('focus'))
    window.present()


app = Gtk.Application()
app.connect('activate', show)
app.run([])
