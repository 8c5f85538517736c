//! What other threads ask of the compositor.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use smithay::reexports::calloop::ping::Ping;
use vroom_desktop::{ClipboardData, InputEvent, KeyState, Selection, Size};

/// A bounded queue from any thread to the compositor's; posting never waits.
///
/// Of requests that replace each other only the latest is kept. Pointer motion that follows
/// motion becomes one event; a pen's does not, since lines are drawn with it.
#[derive(Debug)]
pub(crate) struct Inbox {
    commands: Mutex<VecDeque<Command>>,
    ping: Ping,
}

/// One request to the compositor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Apply an input event.
    Input(InputEvent),
    /// Somebody looks, or nobody does.
    Watched(bool),
    /// Take another size and scale.
    Resize {
        /// The size in pixels.
        size: Size,
        /// Pixels per logical unit.
        scale: f64,
    },
    /// Offer data in a selection.
    Selection {
        /// Which selection.
        selection: Selection,
        /// Its content, in one or more formats.
        formats: Vec<ClipboardData>,
    },
    /// Draw the pointer into the picture, or leave it to viewers.
    DrawCursor(bool),
    /// Do what a conformance suite needs.
    #[cfg(feature = "conformance")]
    Call(crate::conformance::Call),
    /// Start a program beside the session command.
    Launch {
        /// Names it in what is told about it.
        number: u64,
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// A program that was launched ended soon, and not well.
    LaunchFailed {
        /// The number that it was launched with.
        number: u64,
        /// What a person should read about it.
        reason: String,
    },
    /// The session command ended.
    SessionEnded,
    /// End.
    ShutDown,
}

impl Inbox {
    /// Makes an empty inbox that wakes the compositor through `ping`.
    pub(crate) const fn new(ping: Ping) -> Self {
        Self {
            commands: Mutex::new(VecDeque::new()),
            ping,
        }
    }

    /// Adds a command; drops it when the queue is full and it can be missed.
    pub(crate) fn post(&self, command: Command) {
        let mut commands = self.lock();
        if let Some(command) = merge(&mut commands, command)
            && has_room(&commands, &command)
        {
            commands.push_back(command);
        }
        drop(commands);
        self.ping.ping();
    }

    /// Wakes the compositor, so that it does what it put off until other things are over.
    pub(crate) fn ring(&self) {
        self.ping.ping();
    }

    /// Takes all commands in their order.
    pub(crate) fn take(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Command>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Merges a command into the queue where it can be; gives it back where it must be added.
fn merge(commands: &mut VecDeque<Command>, command: Command) -> Option<Command> {
    let Command::Input(event) = command else {
        commands.retain(|have| !is_replaced_by(have, &command));
        return Some(command);
    };
    let Some(Command::Input(last)) = commands.back_mut() else {
        return Some(Command::Input(event));
    };
    match (last, &event) {
        (last @ InputEvent::PointerMotion { .. }, InputEvent::PointerMotion { .. }) => {
            *last = event;
            None
        }
        (
            InputEvent::PointerMotionRelative { dx, dy },
            InputEvent::PointerMotionRelative { dx: by_x, dy: by_y },
        )
        | (InputEvent::Scroll { dx, dy }, InputEvent::Scroll { dx: by_x, dy: by_y }) => {
            *dx += by_x;
            *dy += by_y;
            None
        }
        (
            InputEvent::TouchMotion { id: last, x, y },
            InputEvent::TouchMotion {
                id,
                x: to_x,
                y: to_y,
            },
        ) if last == id => {
            *x = *to_x;
            *y = *to_y;
            None
        }
        (last @ InputEvent::Preedit { .. }, InputEvent::Preedit { .. }) => {
            *last = event;
            None
        }
        _ => Some(Command::Input(event)),
    }
}

fn is_replaced_by(have: &Command, new: &Command) -> bool {
    match (have, new) {
        (
            Command::Selection {
                selection: have, ..
            },
            Command::Selection { selection, .. },
        ) => have == selection,
        (Command::Input(_) | Command::Launch { .. } | Command::LaunchFailed { .. }, _) => false,
        #[cfg(feature = "conformance")]
        (Command::Call(_), _) => false,
        _ => std::mem::discriminant(have) == std::mem::discriminant(new),
    }
}

fn has_room(commands: &VecDeque<Command>, command: &Command) -> bool {
    if matches!(command, Command::Launch { .. }) {
        return commands.len() < INPUT_QUEUE;
    }
    let Command::Input(event) = command else {
        return true;
    };
    let releases = matches!(
        event,
        InputEvent::Key {
            state: KeyState::Released,
            ..
        } | InputEvent::PointerButton {
            state: KeyState::Released,
            ..
        } | InputEvent::TouchUp { .. }
            | InputEvent::PenButton {
                state: KeyState::Released,
                ..
            }
            | InputEvent::PenAway
    );
    let bound = if event.is_motion() || matches!(event, InputEvent::Scroll { .. }) {
        MOTION_QUEUE
    } else if releases {
        RELEASE_QUEUE
    } else {
        INPUT_QUEUE
    };
    commands.len() < bound
}

/// The queue of input; when it holds this many, motion and scrolling are dropped.
const MOTION_QUEUE: usize = 256;

/// When the queue holds this many, the compositor has been stuck for long: key presses, touches
/// and text are dropped, too.
const INPUT_QUEUE: usize = 2048;

/// Releases still fit above [`INPUT_QUEUE`], so that nothing stays held; each answers a press, so
/// this bound is only met by a caller that invents them.
const RELEASE_QUEUE: usize = 2 * INPUT_QUEUE;

#[cfg(test)]
mod tests {
    use smithay::reexports::calloop::ping::make_ping;
    use vroom_desktop::Evdev;

    use super::*;

    fn inbox() -> Inbox {
        Inbox::new(make_ping().unwrap().0)
    }

    fn key(state: KeyState) -> Command {
        Command::Input(InputEvent::Key {
            code: Evdev(30),
            state,
        })
    }

    #[test]
    fn motion_merges_only_with_its_neighbour() {
        let inbox = inbox();
        let motion = |x| Command::Input(InputEvent::PointerMotion { x, y: 0.0 });
        for command in [
            motion(1.0),
            motion(2.0),
            key(KeyState::Pressed),
            motion(3.0),
        ] {
            inbox.post(command);
        }
        let taken: Vec<_> = inbox.take().into();
        assert_eq!(taken, [motion(2.0), key(KeyState::Pressed), motion(3.0)]);
    }

    #[test]
    fn scrolling_adds_up() {
        let inbox = inbox();
        for dy in [120.0, -15.0] {
            inbox.post(Command::Input(InputEvent::Scroll { dx: 1.0, dy }));
        }
        let sum = Command::Input(InputEvent::Scroll { dx: 2.0, dy: 105.0 });
        assert_eq!(Vec::from(inbox.take()), [sum]);
    }

    #[test]
    fn the_latest_size_wins_and_a_full_queue_still_takes_releases() {
        let inbox = inbox();
        for side in [100, 200] {
            let size = Size::new(side, side);
            inbox.post(Command::Resize { size, scale: 1.0 });
        }
        for _ in 0..INPUT_QUEUE * 2 {
            inbox.post(key(KeyState::Pressed));
        }
        inbox.post(Command::Input(InputEvent::PointerMotion { x: 0.0, y: 0.0 }));
        inbox.post(key(KeyState::Released));
        let taken = inbox.take();
        assert_eq!(taken.len(), INPUT_QUEUE + 1);
        assert_eq!(taken.back(), Some(&key(KeyState::Released)));
        assert_eq!(
            taken.front(),
            Some(&Command::Resize {
                size: Size::new(200, 200),
                scale: 1.0
            })
        );
    }
}
