//! Files that are dragged into the desktop and out of it.

use std::sync::Arc;

/// Files by their addresses, in the format `text/uri-list`.
pub type UriList = Arc<[u8]>;

/// What a person does with files that are dragged; the pointer says where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Drag {
    /// Files from outside are held over the desktop, where the pointer is.
    Enter,
    /// They are held there no more.
    Leave,
    /// They are dropped where the pointer is.
    Drop(UriList),
    /// What a program drags was let go outside: it is told as [`DragEvent::Files`].
    Take,
}

/// How a drag goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DragEvent {
    /// A program drags files.
    Begun,
    /// The files that were taken; none when the program did not say which.
    Files(UriList),
    /// The drag is over, whoever began it.
    Ended {
        /// Whether a program took what was dropped.
        taken: bool,
    },
}
