//! CURSOR, server to client.

use bytes::Bytes;

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value};

/// What the cursor looks like and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor {
    /// A CSS cursor name.
    pub kind: String,
    /// Viewport pixels.
    pub x: i32,
    /// Viewport pixels.
    pub y: i32,
    /// Absent means true.
    pub visible: bool,
    /// The picture; only to clients that list `cursor-image`.
    pub image: Option<CursorImage>,
    /// A program holds the pointer in place: whoever drives sends distances. Absent means false.
    // Not in the public text: see docs/protocol.md.
    pub locked: bool,
}

impl Cursor {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: members.required("type")?,
            x: members.required("x")?,
            y: members.required("y")?,
            visible: members.optional("visible")?.unwrap_or(true),
            image: members.optional("image")?,
            locked: members.optional("locked")?.unwrap_or(false),
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("type", &self.kind)
            .with("x", self.x)
            .with("y", self.y)
            .with("visible", self.visible)
            .maybe("image", self.image.as_ref())
            .maybe("locked", self.locked.then_some(true))
    }
}

/// A cursor picture, or the mention of one that was sent before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CursorImage {
    /// A picture that is sent for the first time.
    New {
        /// What later messages call it.
        id: u32,
        /// The picture.
        png: Bytes,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Pixels from the left of the picture.
        hotspot_x: u32,
        /// Pixels from the top of the picture.
        hotspot_y: u32,
    },
    /// A picture that was sent before.
    Known {
        /// Its name.
        id: u32,
    },
}

impl FromValue for CursorImage {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        let id = members.required("id").ok()?;
        let Some(png) = members.optional("png").ok()? else {
            return Some(Self::Known { id });
        };
        Some(Self::New {
            id,
            png,
            width: members.required("width").ok()?,
            height: members.required("height").ok()?,
            hotspot_x: members.required("hotspotX").ok()?,
            hotspot_y: members.required("hotspotY").ok()?,
        })
    }
}

impl From<&CursorImage> for Value {
    fn from(image: &CursorImage) -> Self {
        match image {
            CursorImage::Known { id } => Fields::new().with("id", *id),
            CursorImage::New {
                id,
                png,
                width,
                height,
                hotspot_x,
                hotspot_y,
            } => Fields::new()
                .with("id", *id)
                .with("png", png)
                .with("width", *width)
                .with("height", *height)
                .with("hotspotX", *hotspot_x)
                .with("hotspotY", *hotspot_y),
        }
        .into()
    }
}
