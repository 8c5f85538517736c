//! Files that are dragged in from outside, and out of programs.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use smithay::backend::input::ButtonState;
use smithay::input::pointer::{ButtonEvent, GrabStartData, MotionEvent};
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode, PostAction, RegistrationToken};
use smithay::reexports::wayland_server::protocol::wl_data_device_manager::DndAction;
use smithay::reexports::wayland_server::protocol::wl_data_source::WlDataSource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, SERIAL_COUNTER};
use smithay::wayland::selection::data_device::{SourceMetadata, start_dnd, with_source_metadata};
use vroom_desktop::{ClipboardData, DesktopEvent, Drag, DragEvent, UriList};

use crate::input::BTN_LEFT;
use crate::selection::{Progress, TRANSFER_TIME, read_some, set_nonblocking};
use crate::state::State;

/// Drags that are under way.
#[derive(Default)]
pub(crate) struct Drags {
    /// Files from outside; kept after the drop, since programs fetch them later.
    outside: Option<Outside>,
    /// What a program drags, while that is files.
    source: Option<WlDataSource>,
    /// What a program drags is being read.
    taking: Option<Taking>,
}

/// Files from outside.
#[derive(Default)]
struct Outside {
    /// Whether they are still held over the desktop.
    held: bool,
    /// What they are held over.
    over: Option<WlSurface>,
    /// Whether the program there has chosen what it would do with them.
    chosen: bool,
    /// Until when a drop waits for that choice.
    drop_by: Option<Instant>,
    /// Which files; known once they are dropped.
    files: Option<UriList>,
    /// Programs that asked for them before that.
    waiting: Vec<OwnedFd>,
    /// Whether a program took what was dropped, as long as none says otherwise.
    taken: bool,
    /// Whether the end is still to be told.
    ended: bool,
}

struct Taking {
    token: RegistrationToken,
    deadline: Instant,
}

impl Drags {
    /// When something is to be done though no program did anything.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let drop_by = self.outside.as_ref().and_then(|outside| outside.drop_by);
        let taking = self.taking.as_ref().map(|taking| taking.deadline);
        drop_by.into_iter().chain(taking).min()
    }

    /// The drag from outside, while it is held over the desktop.
    fn held(&mut self) -> Option<&mut Outside> {
        self.outside.as_mut().filter(|outside| outside.held)
    }
}

impl State {
    /// Does what a person does with files.
    pub(crate) fn drag(&mut self, drag: &Drag) {
        match drag {
            Drag::Enter => self.enter_files(),
            Drag::Leave => self.leave_files(),
            Drag::Drop(files) => self.drop_files(files),
            Drag::Take => self.take_files(),
        }
    }

    fn enter_files(&mut self) {
        if self.pointer.is_grabbed() {
            tracing::debug!("files cannot be dragged in while something else holds the pointer");
            return self.tell_end(false);
        }
        self.drags.outside = Some(Outside {
            held: true,
            ..Outside::default()
        });
        let start = GrabStartData {
            focus: None,
            button: u32::from(BTN_LEFT.0),
            location: self.pointer.current_location(),
        };
        let metadata = SourceMetadata {
            mime_types: vec![URI_LIST.to_owned()],
            dnd_action: DndAction::Copy,
        };
        let (display, seat) = (self.display.clone(), self.seat.clone());
        let serial = SERIAL_COUNTER.next_serial();
        start_dnd(&display, &seat, self, serial, Some(start), None, metadata);
        self.point_at(self.surface_under(self.pointer.current_location()));
    }

    fn leave_files(&mut self) {
        if self.drags.held().is_some() {
            self.end_drag();
        }
    }

    fn drop_files(&mut self, files: &UriList) {
        let Some(outside) = self.drags.held() else {
            return self.tell_end(false);
        };
        outside.files = Some(Arc::clone(files));
        // A program that was only just entered has yet to say that it takes files.
        outside.drop_by = Some(Instant::now() + CHOICE_TIME);
        for fd in std::mem::take(&mut outside.waiting) {
            self.give_files(fd, files);
        }
    }

    /// Lets go of files once a program says that it takes them, and tells what has ended.
    pub(crate) fn follow_drags(&mut self, now: Instant) {
        let due = |outside: &mut Outside| {
            let by = outside.drop_by;
            by.is_some_and(|by| outside.chosen || by <= now)
        };
        if self.drags.held().is_some_and(due) {
            self.let_go();
        }
        let outside = self.drags.outside.as_mut();
        if let Some(ended) = outside.filter(|outside| outside.ended) {
            ended.ended = false;
            let taken = ended.taken;
            self.tell_end(taken);
        }
        if let Some(late) = self.drags.taking.take_if(|taking| taking.deadline <= now) {
            tracing::debug!("a program took too long over what it drags");
            self.handle.remove(late.token);
            self.files_read(&[]);
        }
    }

    fn let_go(&mut self) {
        if let Some(outside) = self.drags.held() {
            outside.drop_by = None;
            outside.taken = true;
        }
        let pointer = self.pointer.clone();
        for state in [ButtonState::Pressed, ButtonState::Released] {
            let event = ButtonEvent {
                serial: SERIAL_COUNTER.next_serial(),
                time: self.time_ms(),
                button: u32::from(BTN_LEFT.0),
                state,
            };
            pointer.button(self, &event);
        }
        pointer.frame(self);
        // Another button that is held keeps the drag.
        self.leave_files();
        self.point_at(self.surface_under(pointer.current_location()));
    }

    /// Ends a drag without a drop.
    fn end_drag(&mut self) {
        self.point_at(None);
        let (serial, time) = (SERIAL_COUNTER.next_serial(), self.time_ms());
        let pointer = self.pointer.clone();
        pointer.unset_grab(self, serial, time);
        self.point_at(self.surface_under(pointer.current_location()));
    }

    /// Puts the pointer on another surface without moving it.
    fn point_at(&mut self, under: Option<(WlSurface, Point<f64, Logical>)>) {
        self.drag_over(under.as_ref().map(|(surface, _)| surface));
        let pointer = self.pointer.clone();
        let event = MotionEvent {
            location: pointer.current_location(),
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        pointer.motion(self, under, &event);
        pointer.frame(self);
    }

    /// The pointer is over another surface, or over none.
    pub(crate) fn drag_over(&mut self, surface: Option<&WlSurface>) {
        if let Some(outside) = self.drags.held()
            && outside.over.as_ref() != surface
        {
            outside.over = surface.cloned();
            outside.chosen = false;
        }
    }

    /// The program under the files has chosen what it would do with them.
    pub(crate) fn drag_chosen(&mut self, action: DndAction) {
        if let Some(outside) = self.drags.held() {
            outside.chosen = !action.is_empty();
        }
    }

    /// The files from outside are held no more.
    pub(crate) fn drag_dropped(&mut self) {
        if let Some(outside) = self.drags.held() {
            outside.held = false;
            outside.ended = true;
        }
    }

    /// No program took the files.
    pub(crate) fn drag_refused(&mut self) {
        if let Some(outside) = &mut self.drags.outside {
            outside.taken = false;
            outside.waiting.clear();
        }
    }

    /// A program asks which files they are; before the drop it waits for the answer.
    pub(crate) fn files_wanted(&mut self, mime_type: &str, fd: OwnedFd) {
        let wanted = self.drags.outside.as_mut();
        let Some(outside) = wanted.filter(|_| mime_type == URI_LIST) else {
            return;
        };
        match outside.files.clone() {
            Some(files) => self.give_files(fd, &files),
            None if outside.waiting.len() < WAITING => outside.waiting.push(fd),
            None => tracing::debug!("too many programs ask for the files of a drag"),
        }
    }

    fn give_files(&mut self, fd: OwnedFd, files: &UriList) {
        let data = ClipboardData {
            mime_type: URI_LIST.to_owned(),
            bytes: Arc::clone(files),
        };
        self.send_to(fd, URI_LIST, &[data]);
    }

    /// A program drags something.
    pub(crate) fn program_drags(&mut self, source: Option<WlDataSource>) {
        let is_files = |source: &WlDataSource| {
            with_source_metadata(source, |data| {
                data.mime_types.iter().any(|name| name == URI_LIST)
            })
            .unwrap_or(false)
        };
        self.drags.source = source.filter(is_files);
        if self.drags.source.is_some() {
            self.tell(DesktopEvent::Drag(DragEvent::Begun));
        }
    }

    /// A program drags no more.
    pub(crate) fn program_dropped(&mut self, taken: bool) {
        if let Some(taking) = self.drags.taking.take() {
            self.handle.remove(taking.token);
        }
        if self.drags.source.take().is_some() {
            self.tell_end(taken);
        }
    }

    fn take_files(&mut self) {
        let Some(source) = self.drags.source.clone() else {
            return self.tell_end(false);
        };
        if self.drags.taking.is_some() {
            return;
        }
        if let Err(error) = self.read_source(&source) {
            tracing::debug!(%error, "what a program drags could not be read");
            self.files_read(&[]);
        }
    }

    fn read_source(&mut self, source: &WlDataSource) -> std::io::Result<()> {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        set_nonblocking(&ours)?;
        source.send(URI_LIST.to_owned(), theirs.as_fd());
        let mut bytes = Vec::new();
        let pipe = Generic::new(File::from(ours), Interest::READ, Mode::Level);
        let token = self
            .handle
            .insert_source(pipe, move |_, pipe, state| {
                // SAFETY: the file is read from and neither replaced nor closed.
                let pipe = unsafe { pipe.get_mut() };
                match read_some(pipe, &mut bytes) {
                    Progress::More => return Ok(PostAction::Continue),
                    Progress::Done => {}
                    Progress::TooLarge | Progress::Failed => bytes.clear(),
                }
                state.drags.taking = None;
                state.files_read(&bytes);
                Ok(PostAction::Remove)
            })
            .map_err(|error| std::io::Error::from(error.error))?;
        self.drags.taking = Some(Taking {
            token,
            deadline: Instant::now() + TRANSFER_TIME,
        });
        Ok(())
    }

    /// The files that a program drags are known; for the program the drag is over.
    fn files_read(&mut self, files: &[u8]) {
        self.tell(DesktopEvent::Drag(DragEvent::Files(files.into())));
        self.end_drag();
    }

    fn tell_end(&self, taken: bool) {
        self.tell(DesktopEvent::Drag(DragEvent::Ended { taken }));
    }
}

/// The format of lists of files.
const URI_LIST: &str = "text/uri-list";

/// How long dropped files wait for the program below to say that it takes them.
const CHOICE_TIME: Duration = Duration::from_secs(1);

/// The most programs that wait for the files of a drag; further ones get none.
const WAITING: usize = 8;
