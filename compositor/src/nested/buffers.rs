//! The memory that the host shows the picture from.

use std::ffi::c_void;
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd as _};
use std::ptr::NonNull;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MemFdCreateFlag, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use vroom_desktop::{BYTES_PER_PIXEL, CursorImage, Damage, Frame, Rect, Size};
use wayland_client::QueueHandle;
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_shm::{Format, WlShm};

use super::window::View;

/// The buffers that pictures are shown in, used again when the host lets go of them.
#[derive(Default)]
pub(super) struct Pool {
    canvases: Vec<Canvas>,
    size: Size,
}

/// One buffer.
struct Canvas {
    buffer: WlBuffer,
    memory: Memory,
    size: Size,
    /// What has changed since this buffer was written.
    stale: Damage,
    /// Whether the host may read it.
    busy: bool,
}

impl Pool {
    /// Whether a picture can be painted now; where not, the host lets go of a buffer first.
    pub(super) fn has_room(&self) -> bool {
        self.canvases.len() < CANVASES || self.canvases.iter().any(|canvas| !canvas.busy)
    }

    /// Paints what changed into a buffer that the host does not read; `None` without room.
    pub(super) fn paint(
        &mut self,
        frame: &Frame,
        shm: &WlShm,
        handle: &QueueHandle<View>,
    ) -> io::Result<Option<&WlBuffer>> {
        let size = frame.size();
        if self.size != size {
            self.size = size;
            self.shrink();
        }
        for canvas in &mut self.canvases {
            canvas.stale.merge(&frame.damage);
        }
        let mut free = self
            .canvases
            .iter()
            .position(|canvas| !canvas.busy && canvas.size == size);
        if free.is_none() && self.canvases.len() < CANVASES {
            self.canvases.push(Canvas::new(size, shm, handle)?);
            free = Some(self.canvases.len() - 1);
        }
        let Some(canvas) = free.and_then(|index| self.canvases.get_mut(index)) else {
            return Ok(None);
        };
        for rect in canvas.stale.clipped(size).rects() {
            copy(frame, &mut canvas.memory, *rect);
        }
        canvas.stale.clear();
        canvas.busy = true;
        Ok(Some(&canvas.buffer))
    }

    /// The host lets go of a buffer.
    pub(super) fn released(&mut self, buffer: &WlBuffer) {
        for canvas in &mut self.canvases {
            canvas.busy &= canvas.buffer != *buffer;
        }
        let size = self.size;
        self.canvases
            .retain(|canvas| canvas.busy || canvas.size == size);
    }

    /// Gives back the memory that the host does not read.
    pub(super) fn shrink(&mut self) {
        self.canvases.retain(|canvas| canvas.busy);
    }
}

impl Canvas {
    fn new(size: Size, shm: &WlShm, handle: &QueueHandle<View>) -> io::Result<Self> {
        let (stride, height) = (size.width as usize * BYTES_PER_PIXEL, size.height as usize);
        let memory = Memory::new(stride.saturating_mul(height))?;
        let buffer = share(&memory.file, size, Format::Xrgb8888, shm, handle)?;
        Ok(Self {
            buffer,
            memory,
            size,
            stale: Damage::full(size),
            busy: false,
        })
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        self.buffer.destroy();
    }
}

/// A buffer with the picture of a pointer, which does not change.
pub(super) fn still(
    image: &CursorImage,
    shm: &WlShm,
    handle: &QueueHandle<View>,
) -> io::Result<WlBuffer> {
    let size = Size::new(image.width, image.height);
    let mut file = File::from(memfd_create(c"pointer", MemFdCreateFlag::MFD_CLOEXEC)?);
    file.write_all(&image.bgra)?;
    share(&file, size, Format::Argb8888, shm, handle)
}

/// One black pixel.
pub(super) fn black(shm: &WlShm, handle: &QueueHandle<View>) -> io::Result<WlBuffer> {
    let mut file = File::from(memfd_create(c"black", MemFdCreateFlag::MFD_CLOEXEC)?);
    file.write_all(&[0; BYTES_PER_PIXEL])?;
    share(&file, Size::new(1, 1), Format::Xrgb8888, shm, handle)
}

/// Lets the host have a file of pixels as a buffer.
fn share(
    file: &File,
    size: Size,
    format: Format,
    shm: &WlShm,
    handle: &QueueHandle<View>,
) -> io::Result<WlBuffer> {
    let side = |side: u32| i32::try_from(side).map_err(io::Error::other);
    let (width, height) = (side(size.width)?, side(size.height)?);
    let too_large = || io::Error::other("the picture is too large");
    let stride = width.checked_mul(4).ok_or_else(too_large)?;
    let length = stride.checked_mul(height).ok_or_else(too_large)?;
    let pool = shm.create_pool(file.as_fd(), length, handle, ());
    let buffer = pool.create_buffer(0, width, height, stride, format, handle, ());
    pool.destroy();
    Ok(buffer)
}

/// Copies a rectangle of a frame to its place in memory of the same size.
fn copy(frame: &Frame, memory: &mut Memory, rect: Rect) {
    let (bytes, stride) = (frame.pixels.bytes(), frame.pixels.stride());
    let left = rect.x as usize * BYTES_PER_PIXEL;
    let row = rect.width as usize * BYTES_PER_PIXEL;
    let rows = rect.y as usize..rect.bottom() as usize;
    if row == stride {
        let (start, end) = (rows.start * stride, rows.end * stride);
        memory.write(start, bytes.get(start..end).unwrap_or_default());
        return;
    }
    for y in rows {
        let start = y * stride + left;
        memory.write(start, bytes.get(start..start + row).unwrap_or_default());
    }
}

/// Memory that is shared with the host, and mapped here.
struct Memory {
    file: File,
    start: NonNull<c_void>,
    length: NonZeroUsize,
}

// SAFETY: the mapping belongs to this value alone and is not bound to a thread.
unsafe impl Send for Memory {}

impl Memory {
    fn new(length: usize) -> io::Result<Self> {
        let length = NonZeroUsize::new(length).ok_or(io::ErrorKind::InvalidInput)?;
        let flags = MemFdCreateFlag::MFD_CLOEXEC | MemFdCreateFlag::MFD_ALLOW_SEALING;
        let file = File::from(memfd_create(c"picture", flags)?);
        file.set_len(length.get() as u64)?;
        // The host has the same file: were it to make it shorter, writing would end us.
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(file.as_raw_fd(), FcntlArg::F_ADD_SEALS(seals))?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at a place that the kernel chooses overlaps nothing of ours.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &file, 0) }?;
        Ok(Self {
            file,
            start,
            length,
        })
    }

    /// Copies bytes to a place; what does not fit is left out.
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let Some(room) = self.length.get().checked_sub(at) else {
            return;
        };
        let length = bytes.len().min(room);
        // SAFETY: `at` lies within the mapping.
        let to = unsafe { self.start.cast::<u8>().add(at) };
        // SAFETY: `length` bytes can be read at `bytes` and written at `to`, which is memory that
        // no reference of ours points to.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr(), length) };
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nobody has a pointer into it.
        let unmapped = unsafe { munmap(self.start, self.length.get()) };
        if let Err(error) = unmapped {
            tracing::error!(%error, "memory of a picture stays mapped");
        }
    }
}

/// The most buffers: the host holds up to two, one is painted, one more waits after a resize.
const CANVASES: usize = 4;
