//! A network interface whose packets a program reads and writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use nix::libc;

/// A TUN interface.
#[derive(Debug)]
pub struct Tun {
    file: File,
}

impl Tun {
    /// Makes the interface in the network namespace of the calling thread.
    pub fn create(name: &str) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open("/dev/net/tun")?;
        let request = Request::new(name)?;
        // SAFETY: the kernel reads `request`, which is laid out as its `struct ifreq` and lives as
        // long as the call.
        unsafe { set_interface(file.as_raw_fd(), &raw const request) }?;
        Ok(Self { file })
    }

    /// The next packet, or nothing when none waits.
    pub fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut packet = vec![0; PACKET_MAX];
        match (&self.file).read(&mut packet) {
            Ok(length) => {
                packet.truncate(length);
                Ok(Some(packet))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hands a packet to the kernel; false when it takes none now.
    pub fn send(&self, packet: &[u8]) -> io::Result<bool> {
        match (&self.file).write(packet) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The largest packet of an interface; those of ours are 1,500 bytes.
const PACKET_MAX: usize = 65_536;

/// The kernel's `struct ifreq` as TUNSETIFF reads it.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    flags: u16,
    rest: [u8; 22],
}

impl Request {
    fn new(name: &str) -> io::Result<Self> {
        let mut request = Self {
            name: [0; libc::IFNAMSIZ],
            flags: FLAGS,
            rest: [0; 22],
        };
        // The last byte stays 0 and ends the name.
        let room = &mut request.name[..libc::IFNAMSIZ - 1];
        let room = room
            .get_mut(..name.len())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "name too long"))?;
        room.copy_from_slice(name.as_bytes());
        Ok(request)
    }
}

/// IFF_TUN and IFF_NO_PI: packets of IP without a header in front.
const FLAGS: u16 = 0x1001;

nix::ioctl_write_ptr_bad!(set_interface, TUNSETIFF, Request);

/// `_IOW('T', 202, int)`.
const TUNSETIFF: u64 = 0x4004_54ca;
