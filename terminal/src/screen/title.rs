//! The title of the window.

use std::collections::VecDeque;

/// The title, and those that were put by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Titles {
    pub(super) title: String,
    /// What comes back with as many pops, the oldest first.
    pub(super) stack: VecDeque<String>,
}

/// Characters of a title; the rest is cut off.
const TITLE_CHARS: usize = 256;
/// How deep the stack is; the oldest title goes when there are more, as in xterm.js.
const STACK_MAX: usize = 10;

impl Titles {
    pub(super) fn set(&mut self, title: &str) {
        self.title = plain(title, TITLE_CHARS);
    }

    pub(super) fn push(&mut self) {
        if self.stack.len() == STACK_MAX {
            self.stack.pop_front();
        }
        self.stack.push_back(self.title.clone());
    }

    pub(super) fn pop(&mut self) {
        if let Some(title) = self.stack.pop_back() {
            self.title = title;
        }
    }
}

/// Text without controls, cut off after so many characters.
pub(super) fn plain(text: &str, chars: usize) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(chars)
        .collect()
}
