//! What keys send: the flags of the kitty keyboard protocol.

use std::collections::VecDeque;

/// The flags in force on one screen, and those that were put by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Keyboard {
    pub(super) flags: u8,
    /// What is in force again after as many pops, the oldest first.
    pub(super) stack: VecDeque<u8>,
}

/// How deep the stack is; the oldest flags go when there are more, as in xterm.js.
const STACK_MAX: usize = 16;
/// The flags that the protocol knows.
const KNOWN: u16 = 0x1f;

impl Keyboard {
    /// `CSI > flags u`.
    pub(super) fn push(&mut self, flags: u16) {
        if self.stack.len() == STACK_MAX {
            self.stack.pop_front();
        }
        self.stack.push_back(self.flags);
        self.flags = known(flags);
    }

    /// `CSI < count u`.
    pub(super) fn pop(&mut self, count: usize) {
        for _ in 0..count.min(STACK_MAX) {
            match self.stack.pop_back() {
                Some(flags) => self.flags = flags,
                None => break,
            }
        }
        if self.stack.is_empty() {
            self.flags = 0;
        }
    }

    /// `CSI = flags ; how u`.
    pub(super) fn set(&mut self, flags: u16, how: u16) {
        let flags = known(flags);
        match how {
            1 => self.flags = flags,
            2 => self.flags |= flags,
            3 => self.flags &= !flags,
            _ => {}
        }
    }
}

fn known(flags: u16) -> u8 {
    u8::try_from(flags & KNOWN).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_over_comes_back() {
        let mut keyboard = Keyboard::default();
        keyboard.set(1, 1);
        keyboard.push(5);
        keyboard.set(2, 2);
        assert_eq!(keyboard.flags, 7);
        keyboard.push(0xff);
        assert_eq!(keyboard.flags, 0x1f);
        keyboard.pop(1);
        assert_eq!(keyboard.flags, 7);
    }

    #[test]
    fn an_empty_stack_means_no_flags() {
        let mut keyboard = Keyboard::default();
        keyboard.set(3, 1);
        keyboard.push(1);
        keyboard.pop(9);
        assert_eq!(keyboard, Keyboard::default());
    }

    #[test]
    fn the_stack_is_bounded() {
        let mut keyboard = Keyboard::default();
        for flags in 0..100 {
            keyboard.push(flags);
        }
        assert_eq!(keyboard.stack.len(), STACK_MAX);
    }
}
