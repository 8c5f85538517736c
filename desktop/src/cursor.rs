//! The pointer's picture, which travels beside the frames and not in them.

use std::sync::Arc;

/// What the pointer looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// Its shape.
    pub shape: CursorShape,
}

impl Default for Cursor {
    fn default() -> Self {
        Self {
            shape: CursorShape::Named("default".into()),
        }
    }
}

/// The shape of a pointer.
#[derive(Clone, Debug, PartialEq)]
pub enum CursorShape {
    /// No pointer is shown.
    Hidden,
    /// A CSS cursor name, for example `text`.
    Named(String),
    /// A picture that a program drew.
    Image(Arc<CursorImage>),
}

/// A pointer picture with its hot spot.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorImage {
    /// Pixels across, 1..=256.
    pub width: u32,
    /// Pixels down, 1..=256.
    pub height: u32,
    /// The column that points.
    pub hotspot_x: u32,
    /// The row that points.
    pub hotspot_y: u32,
    /// Rows from the top without gaps; each pixel B, G, R, A with premultiplied alpha.
    pub bgra: Vec<u8>,
}
