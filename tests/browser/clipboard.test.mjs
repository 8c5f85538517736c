// The clipboard of the person and that of the desktop: what is copied in the browser is what Wayland programs paste, and
// the other way round, byte for byte, and nothing goes where it is not allowed to.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Daemon, browser, rssMib, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame } from './raw.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = [1, KIB, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1, 8 * MIB];
const LARGE_MS = 90_000;

/** Text of exactly so many bytes that begins with a mark, with characters of one to four bytes wherever it is cut. */
function text(bytes, mark = '') {
  const unit = 'aé漢😀 ';
  const [head, size] = [mark.slice(0, bytes), Buffer.byteLength(unit)];
  const rest = bytes - head.length;
  return head + unit.repeat(Math.floor(rest / size)) + '.'.repeat(rest % size);
}

/**
 * A desktop whose program writes every byte that it reads to a file, and a page that drives it. It reads fast: foot 1.13
 * puts keys between pieces of a paste that it has not written yet.
 */
class Scene {
  static async start(t, { config = '', query = '', program = 'foot sh -c "stty raw -echo; exec cat > read"', context = {} } = {}) {
    const scene = new Scene();
    scene.daemon = await Daemon.start(t, {
      args: ['--size', '1280x720'],
      config: `${config}\n[desktop]\nx11 = false\n`,
      command: ['sh', '-c', `cd; env > env; ${program}`],
    });
    scene.file = join(scene.daemon.dir, 'read');
    const env = join(scene.daemon.dir, 'env');
    await until('the environment of the session', () => existsSync(env) && readFileSync(env, 'utf8').endsWith('\n'));
    scene.env = Object.fromEntries(readFileSync(env, 'utf8').split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]).filter(([name]) => name !== ''));
    scene.viewer = await Viewer.open(t, await browser(t), scene.daemon, { query, context: { permissions: ['clipboard-read', 'clipboard-write'], ...context } });
    scene.page = scene.viewer.page;
    return scene;
  }

  async drive() {
    await this.viewer.setMode('interact');
    await until('the channel of the clipboard', async () => (await this.viewer.hook('channels')).includes('clipboard'));
  }

  /** Runs a program in the session; gives what it wrote, or null when it failed. */
  run(program, args, input = null) {
    return new Promise((done, failed) => {
      // wl-copy leaves a process behind that holds its output open.
      const child = spawn(program, args, { env: this.env, stdio: ['pipe', program === 'wl-copy' ? 'ignore' : 'pipe', 'ignore'] });
      const out = [];
      child.stdout?.on('data', (data) => out.push(data));
      child.on('error', failed);
      child.stdin.on('error', () => undefined);
      child.on(program === 'wl-copy' ? 'exit' : 'close', (code) => done(code === 0 ? Buffer.concat(out) : null));
      child.stdin.end(input ?? '');
    });
  }

  copyThere(content, { type = 'text/plain', primary = false } = {}) {
    return this.run('wl-copy', ['--type', type, ...(primary ? ['--primary'] : [])], content);
  }

  pastedThere({ type, primary = false } = {}) {
    return this.run('wl-paste', ['--no-newline', ...(type ? ['--type', type] : []), ...(primary ? ['--primary'] : [])]);
  }

  copyHere(content) {
    return this.page.evaluate((content) => navigator.clipboard.writeText(content), content);
  }

  copiedHere() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Waits until a program in the session pastes exactly this. */
  async holdsThere(what, wanted, options) {
    const bytes = Buffer.from(wanted);
    await until(what, async () => {
      const pasted = await this.pastedThere(options);
      if (pasted?.equals(bytes)) return true;
      throw new Error(`${pasted?.length} bytes of ${bytes.length}: ${pasted?.subarray(0, 40)}`);
    }, LARGE_MS);
  }

  async holdsHere(what, wanted) {
    await until(what, async () => {
      const copied = await this.copiedHere();
      if (copied === wanted) return true;
      throw new Error(`${copied.length} characters of ${wanted.length}: ${copied.slice(0, 40)}`);
    }, LARGE_MS);
  }

  async notices(words) {
    return until(`a notice: ${words}`, async () => {
      const text = await this.page.evaluate(() => document.querySelector('.notices').innerText);
      if (text.includes(words)) return true;
      throw new Error(text);
    });
  }

  read() {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
  }
}

for (const query of ['', 'transport=websocket']) {
  const over = query === '' ? 'WebRTC' : 'WebSocket';

  test(`text of every size is pasted on the desktop, byte for byte, over ${over}`, async (t) => {
    const scene = await Scene.start(t, { query });
    await scene.drive();
    for (const size of SIZES) {
      const content = text(size, `${over}${size}`.slice(0, size));
      assert.equal(Buffer.byteLength(content), size);
      await scene.copyHere(content);
      await scene.page.keyboard.press('Control+V');
      await scene.holdsThere(`${size} bytes on the desktop`, content);
    }
  });

  test(`text of every size that the desktop copies is here, byte for byte, over ${over}`, async (t) => {
    const scene = await Scene.start(t, { query });
    await scene.drive();
    for (const size of SIZES) {
      const content = text(size, `${over}${size}`.slice(0, size));
      await scene.copyThere(content);
      await scene.holdsHere(`${size} bytes here`, content);
    }
  });
}

test('one byte more than the most is refused in words, both ways, and changes nothing', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await scene.copyThere('of the desktop');
  await scene.holdsHere('what the desktop copied', 'of the desktop');

  await scene.copyHere(text(8 * MIB + 1));
  await scene.page.keyboard.press('Control+V');
  await scene.notices('what you copied is larger than 8 MiB');
  assert.equal((await scene.pastedThere()).toString(), 'of the desktop');
  await scene.page.keyboard.type('x');
  await until('the next key', () => scene.read().includes('x'));
  assert.equal(scene.read(), 'x', 'the key that pastes was not struck');

  await scene.copyHere('of the person');
  await scene.copyThere(text(8 * MIB + 1));
  await scene.notices('larger than 8 MiB, so it stays there');
  assert.equal(await scene.copiedHere(), 'of the person');
});

test('what is typed after a paste comes behind it', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await until('the program', () => existsSync(scene.file));
  const content = 'né漢😀 '.repeat(60_000);
  await scene.copyHere(content);
  await scene.page.keyboard.type('before ');
  await scene.page.keyboard.press('Control+Shift+V');
  await scene.page.keyboard.type('behind');
  const wanted = `before ${content}behind`;
  await until('all of it', () => Buffer.byteLength(scene.read()) >= Buffer.byteLength(wanted), LARGE_MS);
  const got = scene.read();
  const at = wanted.split('').findIndex((unit, index) => unit !== got[index]);
  assert.ok(got === wanted, `${got.length} characters instead of ${wanted.length}, and others from ${at} on`);
});

test('HTML and text of one content stay together', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await scene.page.evaluate(async () => {
    const item = { 'text/plain': new Blob(['bold é'], { type: 'text/plain' }), 'text/html': new Blob(['<b>bold é</b>'], { type: 'text/html' }) };
    await navigator.clipboard.write([new ClipboardItem(item)]);
  });
  await scene.page.keyboard.press('Control+V');
  await scene.holdsThere('the text', 'bold é', { type: 'text/plain' });
  const html = (await scene.pastedThere({ type: 'text/html' })).toString();
  assert.match(html, /<b[^>]*>bold é<\/b>/);

  await scene.copyThere('<i>slanted ü</i>', { type: 'text/html' });
  await until('the HTML here', async () => {
    const html = await scene.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      return item.types.includes('text/html') ? (await item.getType('text/html')).text() : '';
    });
    return /<i[^>]*>slanted ü<\/i>/.test(html);
  });
});

/** Makes a picture in the page: its PNG file, and the colours of its pixels. */
async function picture(page, side) {
  return page.evaluate(async (side) => {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d');
    const pixels = context.createImageData(side, side);
    let state = 1;
    pixels.data.forEach((_, place) => {
      state = (state * 48271) % 2147483647;
      pixels.data[place] = place % 4 === 3 ? 255 : state & 255;
    });
    context.putImageData(pixels, 0, 0);
    const png = await canvas.convertToBlob({ type: 'image/png' });
    window.testPicture = png;
    return [...new Uint8Array(await png.arrayBuffer())];
  }, side);
}

/** Whether a PNG file shows the picture that was made, pixel by pixel. */
async function isPicture(page, png) {
  return page.evaluate(async (bytes) => {
    const read = async (blob) => {
      const bitmap = await createImageBitmap(blob);
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    };
    const blob = bytes ? new Blob([new Uint8Array(bytes)], { type: 'image/png' }) : await (await navigator.clipboard.read())[0].getType('image/png');
    const [seen, wanted] = [await read(blob), await read(window.testPicture)];
    return seen.length === wanted.length && seen.every((value, place) => value === wanted[place]);
  }, png);
}

test('pictures go both ways', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  // Noise, so that the file is larger than what channel 0 takes.
  const png = await picture(scene.page, 700);
  assert.ok(png.length > MIB, `${png.length} bytes`);
  await scene.page.evaluate(() => navigator.clipboard.write([new ClipboardItem({ 'image/png': window.testPicture })]));
  await scene.page.keyboard.press('Control+V');
  const pasted = await until('the picture on the desktop', () => scene.pastedThere({ type: 'image/png' }), LARGE_MS);
  assert.ok(await isPicture(scene.page, [...pasted]), 'the same pixels');

  await scene.copyHere('something else');
  await scene.copyThere(Buffer.from(png), { type: 'image/png' });
  await until('the picture here', () => isPicture(scene.page, null), LARGE_MS);
});

test('a click brings here what was copied while the page was not looked at', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await scene.copyHere('of the person');
  await scene.page.evaluate(() => (document.hasFocus = () => false));
  const content = text(2 * MIB);
  await scene.copyThere(content);
  await scene.notices('The desktop copied something of 2.0 MiB.');
  assert.equal(await scene.copiedHere(), 'of the person');
  await scene.page.getByRole('button', { name: 'Copy it here too' }).click();
  await scene.holdsHere('the content', content);
});

test('the primary selection: the middle button pastes it, and clients set it', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await until('the program', () => existsSync(scene.file));
  await scene.copyThere('selected é', { primary: true });
  await scene.holdsThere('the selection', 'selected é', { primary: true });
  await scene.viewer.moveTo(300, 300);
  await scene.page.mouse.click(...Object.values(await scene.viewer.at(300, 300)), { button: 'middle' });
  await until('the pasted selection', () => scene.read() === 'selected é');
  await scene.viewer.setMode('view');

  const raw = await Raw.join(t, scene.daemon, { capabilities: ['pointer', 'keyboard', 'clipboard', 'sharing'] });
  raw.send(frame(0, 0x81, { mode: 'interact', take: true }));
  raw.send(frame(0, 0x83, { direction: 'set', text: 'set from outside', selection: 'primary' }));
  await scene.holdsThere('what a client set', 'set from outside', { primary: true });
});

test('where the server lets nothing in, the person is told, and the desktop pastes its own', async (t) => {
  const scene = await Scene.start(t, { config: '[clipboard]\nto_desktop = false' });
  await scene.drive();
  await scene.notices('takes nothing that you copied into the desktop');
  await scene.copyThere('of the desktop');
  await scene.holdsHere('what the desktop copied', 'of the desktop');
  await scene.copyHere('of the person');
  await scene.page.keyboard.press('Control+Shift+V');
  await until('the key', () => scene.read().includes('desktop'));
  assert.equal(scene.read(), 'of the desktop');
});

test('where the server lets nothing out, the person is told, and nothing comes', async (t) => {
  const scene = await Scene.start(t, { config: '[clipboard]\nfrom_desktop = false' });
  await scene.drive();
  await scene.notices('keeps on the desktop what is copied there');
  await scene.copyHere('of the person');
  await scene.copyThere('secret of the desktop');
  await scene.page.keyboard.press('Control+V');
  await scene.holdsThere('what the person pasted', 'of the person');
  assert.equal(await scene.copiedHere(), 'of the person');
});

test('who looks on neither sets nor gets', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  await scene.viewer.setMode('view');
  await scene.copyHere('of the person');
  await scene.copyThere('of the desktop');
  await scene.page.keyboard.press('Control+V');
  await scene.viewer.setMode('interact');
  await scene.copyThere('copied later');
  await scene.holdsHere('what was copied while driving', 'copied later');
  assert.equal((await scene.pastedThere()).toString(), 'copied later');
});

test('files that are pasted lie on the desktop, and programs there can paste them', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  const contents = { 'a file é.bin': text(300_000, 'first'), 'second.txt': 'second' };
  await scene.page.evaluate((contents) => {
    const clipboardData = new DataTransfer();
    for (const [name, content] of Object.entries(contents)) clipboardData.items.add(new File([content], name));
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, contents);
  const list = await until('a list of files', async () => (await scene.pastedThere({ type: 'text/uri-list' }))?.toString());
  const files = list.split('\r\n').filter((line) => line !== '').map((address) => fileURLToPath(address));
  assert.deepEqual(files.map((file) => basename(file)), Object.keys(contents));
  for (const file of files) {
    assert.ok(file.startsWith(scene.daemon.dir), file);
    assert.equal(readFileSync(file, 'utf8'), contents[basename(file)]);
  }
  const copied = (await scene.pastedThere({ type: 'x-special/gnome-copied-files' })).toString();
  assert.equal(copied, `copy\n${list.trim().split('\r\n').join('\n')}`);
});

test('files that the desktop copies can be downloaded, and no others', async (t) => {
  const scene = await Scene.start(t);
  await scene.drive();
  const file = join(scene.daemon.dir, 'a file é.txt');
  writeFileSync(file, text(300_000, 'copied'));
  await scene.copyThere(`${pathToFileURL('/etc/hostname')}\r\n${pathToFileURL(file)}\r\n`, { type: 'text/uri-list' });
  await scene.notices('The desktop copied a file é.txt.');
  const [download] = await Promise.all([scene.page.waitForEvent('download'), scene.page.getByRole('button', { name: 'Download', exact: true }).first().click()]);
  assert.equal(download.suggestedFilename(), 'a file é.txt');
  assert.equal(readFileSync(await download.path(), 'utf8'), text(300_000, 'copied'));
});

/** A program of GTK that copies one content in three formats as soon as it has a window. */
const COPIES = `import gi
gi.require_version('Gtk', '4.0')
from gi.repository import Gdk, GLib, Gtk
FORMATS = {'text/plain;charset=utf-8': 'three é'.encode(), 'text/html': '<u>three é</u>'.encode(), 'image/png': open('picture.png', 'rb').read()}
def activate(app):
    window = Gtk.ApplicationWindow(application=app)
    def active(*_):
        if window.is_active():
            parts = [Gdk.ContentProvider.new_for_bytes(name, GLib.Bytes.new(content)) for name, content in FORMATS.items()]
            window.get_display().get_clipboard().set_content(Gdk.ContentProvider.new_union(parts))
    window.connect('notify::is-active', active)
    window.present()
app = Gtk.Application()
app.connect('activate', activate)
app.run([])
`;

test('text, HTML and a picture that a program copies come together', async (t) => {
  const script = join(scratch(t), 'copies.py');
  writeFileSync(script, COPIES);
  const scene = await Scene.start(t, { program: `while [ ! -e go ]; do sleep 0.1; done; GDK_BACKEND=wayland GSETTINGS_BACKEND=memory exec /usr/bin/python3 ${script}` });
  await scene.drive();
  writeFileSync(join(scene.daemon.dir, 'picture.png'), Buffer.from(await picture(scene.page, 64)));
  writeFileSync(join(scene.daemon.dir, 'go'), '');
  const copied = await until('all three', async () => {
    const copied = await scene.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      return Object.fromEntries(await Promise.all(item.types.map(async (type) => [type, type.startsWith('text/') ? await (await item.getType(type)).text() : 'bytes'])));
    });
    if (Object.keys(copied).length === 3) return copied;
    throw new Error(JSON.stringify(copied));
  });
  assert.equal(copied['text/plain'], 'three é');
  assert.match(copied['text/html'], /<u[^>]*>three é<\/u>/);
  assert.ok(await isPicture(scene.page, null), 'the same pixels');
});

test('fifty who ask for one content of 8 MiB and read nothing cost no fifty copies', async (t) => {
  const scene = await Scene.start(t);
  const capabilities = ['pointer', 'keyboard', 'clipboard', 'clipboard-channel', 'sharing'];
  const driver = await Raw.join(t, scene.daemon, { capabilities });
  driver.send(frame(0, 0x81, { mode: 'interact' }));
  const channel = await driver.channel('clipboard');
  await until('the rules', () => driver.received.some((each) => each.channel === channel && each.type === 0x10));
  await scene.copyThere(text(8 * MIB));
  const offer = await until('the offer', () => driver.received.find((each) => each.channel === channel && each.type === 0x11), LARGE_MS);
  const serial = offer.payload.subarray(0, 4);
  const get = Buffer.concat([Buffer.from([0, 0, 0, 1]), serial, Buffer.from([10]), Buffer.from('text/plain')]);
  const others = [];
  for (let count = 0; count < 50; count++) {
    const other = await Raw.join(t, scene.daemon, { capabilities });
    others.push([other, await other.channel('clipboard')]);
  }
  const before = rssMib(scene.daemon.pid);
  for (const [other, id] of others) {
    other.socket.pause();
    other.send(frame(id, 0x03, get));
  }
  // The driver reads, and gets all of it beside those who do not.
  driver.send(frame(channel, 0x03, get));
  const bytes = () => driver.received.filter((each) => each.channel === channel && each.type === 0x12).reduce((sum, each) => sum + each.payload.length, 0);
  await until('all of it', () => driver.received.some((each) => each.channel === channel && each.type === 0x13), LARGE_MS);
  assert.ok(bytes() >= 8 * MIB, `${bytes()} bytes`);
  const grown = rssMib(scene.daemon.pid) - before;
  t.diagnostic(`${grown.toFixed(1)} MiB more for fifty who read nothing`);
  assert.ok(grown < 64, `${grown} MiB`);
});

/** A text field of GTK that writes what stands in it to a file, once it is ready. */
const ENTRY = `import os, gi
gi.require_version('Gtk', '4.0')
from gi.repository import Gtk
def write(entry):
    with open('read.new', 'w', encoding='utf-8') as file:
        file.write(entry.get_text())
    os.replace('read.new', 'read')
def activate(app):
    window = Gtk.ApplicationWindow(application=app)
    entry = Gtk.Entry()
    entry.connect('changed', write)
    window.set_child(entry)
    def active(*_):
        if window.is_active():
            entry.grab_focus()
            write(entry)
    window.connect('notify::is-active', active)
    window.present()
app = Gtk.Application()
app.connect('activate', activate)
app.run([])
`;

test('on macOS Cmd+A, Cmd+C, Cmd+X and Cmd+V do in a program what they do at home', async (t) => {
  const script = join(scratch(t), 'entry.py');
  writeFileSync(script, ENTRY);
  const scene = await Scene.start(t, {
    program: `GDK_BACKEND=wayland GSETTINGS_BACKEND=memory exec /usr/bin/python3 ${script}`,
    context: { userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36' },
  });
  await scene.drive();
  await until('the text field', () => existsSync(scene.file));
  const cdp = await scene.viewer.context.newCDPSession(scene.page);
  const META = 4;
  const key = (type, key, code, modifiers, more = {}) => cdp.send('Input.dispatchKeyEvent', { type, key, code, modifiers, windowsVirtualKeyCode: key === 'Meta' ? 91 : key.toUpperCase().charCodeAt(0), ...more });
  // macOS tells of no key-up while Cmd is down, and its menu pastes.
  const command = async (letter) => {
    await key('rawKeyDown', 'Meta', 'MetaLeft', META);
    await key('rawKeyDown', letter, `Key${letter.toUpperCase()}`, META, letter === 'v' ? { commands: ['paste'] } : {});
    await key('keyUp', 'Meta', 'MetaLeft', 0);
  };
  await scene.page.keyboard.type('first words');
  await until('what was typed', () => scene.read() === 'first words');
  await command('a');
  await command('c');
  await scene.holdsHere('what Cmd+C copied', 'first words');
  await command('x');
  await until('the field is empty', () => scene.read() === '');
  await scene.copyHere('from the Mac é');
  await command('v');
  await until('what Cmd+V pasted', () => scene.read() === 'from the Mac é');
  await scene.page.keyboard.type('!');
  await until('a key without Cmd', () => scene.read() === 'from the Mac é!');
});
