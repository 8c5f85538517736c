//! A program that speaks Wayland by its own rules: requests at random, written by hand.
//!
//! It knows every interface from the descriptions that libraries are made of, so what it sends is
//! often right, sometimes nearly right, and now and then garbage.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{ErrorKind, IoSlice, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use wayland_client::Proxy as _;
use wayland_client::backend::protocol::{AllowNull, ArgumentType, Interface, MessageDesc};
use wayland_client::protocol::{
    wl_compositor, wl_data_device_manager, wl_display, wl_output, wl_registry, wl_seat, wl_shm,
    wl_subcompositor,
};
use wayland_protocols::ext::data_control::v1::client::ext_data_control_manager_v1;
use wayland_protocols::ext::foreign_toplevel_list::v1::client::ext_foreign_toplevel_list_v1;
use wayland_protocols::ext::idle_notify::v1::client::ext_idle_notifier_v1;
use wayland_protocols::ext::session_lock::v1::client::ext_session_lock_manager_v1;
use wayland_protocols::wp;
use wayland_protocols::xdg;
use wayland_protocols_misc::zwp_input_method_v2::client::zwp_input_method_manager_v2;
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::zwp_virtual_keyboard_manager_v1;
use wayland_protocols_wlr::data_control::v1::client::zwlr_data_control_manager_v1;
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1;
use wayland_protocols_wlr::output_management::v1::client::zwlr_output_manager_v1;
use wayland_protocols_wlr::screencopy::v1::client::zwlr_screencopy_manager_v1;

/// Numbers at random that are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number of 64 bits, as SplitMix64 makes them.
    pub(super) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(bound)).unwrap()
    }

    /// Whether this is the one time in so many.
    pub(super) fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let count = u32::try_from(from.len()).unwrap();
        (count > 0).then(|| from[self.below(count) as usize])
    }
}

/// One object that the program holds.
#[derive(Clone, Copy)]
struct Object {
    id: u32,
    interface: &'static Interface,
    version: u32,
}

/// The program.
pub(super) struct Wild {
    stream: UnixStream,
    /// Whether the compositor ended the connection, or it was left.
    gone: bool,
    /// Whether it never reads what it is told.
    deaf: bool,
    objects: Vec<Object>,
    /// Objects that were destroyed, which it goes on to use.
    destroyed: VecDeque<u32>,
    free: Vec<u32>,
    next_id: u32,
    /// Numbers it was told, among them all serials.
    told: VecDeque<u32>,
    /// The serial that each xdg_surface was last configured with.
    configured: HashMap<u32, u32>,
    unread: Vec<u8>,
    /// Interfaces of the registry that this program has no description of.
    pub(super) unknown: Vec<String>,
    /// Requests sent so far.
    pub(super) sent: u64,
}

/// One argument of a request that is sent on purpose.
enum Arg {
    Word(i32),
    Text(&'static str),
    Fd(OwnedFd),
}

impl Wild {
    /// A program that is going to bind the globals as it reads of them.
    pub(super) fn new(stream: UnixStream, deaf: bool) -> Self {
        stream.set_nonblocking(true).unwrap();
        let display = wl_display::WlDisplay::interface();
        let mut wild = Self {
            stream,
            gone: false,
            deaf,
            objects: vec![Object {
                id: 1,
                interface: display,
                version: 1,
            }],
            destroyed: VecDeque::new(),
            free: Vec::new(),
            next_id: 2,
            told: VecDeque::new(),
            configured: HashMap::new(),
            unread: Vec::new(),
            unknown: Vec::new(),
            sent: 0,
        };
        let registry = wild.add(wl_registry::WlRegistry::interface(), 1);
        wild.call(1, 1, vec![Arg::Word(registry.cast_signed())]);
        wild
    }

    pub(super) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Leaves without a word.
    pub(super) fn leave(&mut self) {
        // It may be gone already.
        drop(self.stream.shutdown(std::net::Shutdown::Both));
        self.gone = true;
    }

    /// Does one thing at random.
    pub(super) fn act(&mut self, dice: &mut Dice) {
        match dice.below(40) {
            0 => self.open_window(dice),
            1..=5 => self.show(dice),
            6 => self.open_popup(dice),
            7 => self.subsurface(dice),
            8..=10 => self.by_name(dice, "wl_surface", "commit"),
            11 => self.by_name(dice, "wl_surface", "frame"),
            12 if dice.one_in(8) => self.huge_buffer(dice),
            13 if dice.one_in(8) => self.surplus_fds(dice),
            14 if dice.one_in(20) => self.garbage(dice),
            15 if dice.one_in(20) => self.leave(),
            16 if dice.one_in(6) => self.many_pools(dice),
            _ => self.request(dice),
        }
    }

    /// Reads what it is told, unless it is deaf; binds new globals but those in `without`.
    pub(super) fn listen(&mut self, without: &[&str]) {
        if self.gone || self.deaf && self.sent > 200 {
            return;
        }
        // What comes with file descriptors loses them: nobody takes them here.
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.gone = true,
                Ok(count) => {
                    self.unread.extend(&chunk[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.gone = true,
            }
            break;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        while let Some((id, opcode, body, behind)) = message(rest) {
            self.event(id, opcode, body, without);
            rest = behind;
        }
        self.unread = rest.to_vec();
    }

    fn event(&mut self, id: u32, opcode: u16, body: &[u8], without: &[&str]) {
        // Of those that claim the same number, the last one may be right.
        let mut objects = self.objects.iter().rev();
        let Some(object) = objects.find(|have| have.id == id).copied() else {
            return;
        };
        let Some(event) = object.interface.events.get(usize::from(opcode)) else {
            return;
        };
        let mut words = Words(body);
        let mut first = None;
        let mut text = String::new();
        for argument in event.signature {
            match argument {
                ArgumentType::Fd => {}
                ArgumentType::Str(_) | ArgumentType::Array => text = words.text(),
                ArgumentType::NewId => {
                    let new = words.next();
                    if let Some(interface) = event.child_interface {
                        self.objects.push(Object {
                            id: new,
                            interface,
                            version: object.version,
                        });
                    }
                }
                _ => first = first.or(Some(words.next())),
            }
        }
        let first = first.unwrap_or_default();
        match (object.interface.name, event.name) {
            ("wl_display", "delete_id") => {
                self.objects.retain(|have| have.id != first);
                self.free.push(first);
            }
            ("wl_registry", "global") => self.bind(id, first, &text, without),
            ("xdg_surface", "configure") => {
                self.configured.insert(id, first);
            }
            _ => {}
        }
        self.told.push_front(first);
        self.told.truncate(TOLD);
    }

    /// Binds a global.
    fn bind(&mut self, registry: u32, name: u32, interface: &str, without: &[&str]) {
        let Some(interface) = globals().into_iter().find(|have| have.name == interface) else {
            // What was read of something that is no registry at all has no name.
            if !interface.is_empty() {
                self.unknown.push(interface.to_owned());
            }
            return;
        };
        if without.contains(&interface.name) {
            return;
        }
        // All interfaces of the same kind know the older versions.
        let version = match interface.name {
            "wl_compositor" => 6,
            "wl_seat" | "xdg_wm_base" | "wl_output" => 4,
            "wl_data_device_manager" | "zwlr_screencopy_manager_v1" | "zwlr_output_manager_v1" => 3,
            "zwlr_data_control_manager_v1" => 2,
            _ => 1,
        };
        let id = self.add(interface, version);
        let arguments = vec![
            Arg::Word(name.cast_signed()),
            Arg::Text(interface.name),
            Arg::Word(version.cast_signed()),
            Arg::Word(id.cast_signed()),
        ];
        self.call(registry, 0, arguments);
    }

    fn add(&mut self, interface: &'static Interface, version: u32) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.next_id += 1;
            self.next_id - 1
        });
        self.objects.push(Object {
            id,
            interface,
            version,
        });
        id
    }

    fn any(&self, dice: &mut Dice, interface: &str) -> Option<Object> {
        let all: Vec<_> = self
            .objects
            .iter()
            .filter(|have| have.interface.name == interface)
            .copied()
            .collect();
        // Most of the time the newest, which was not done to death yet.
        match all.last() {
            Some(newest) if !dice.one_in(3) => Some(*newest),
            _ => dice.pick(&all),
        }
    }

    /// Sends a request at random to an object at random.
    fn request(&mut self, dice: &mut Dice) {
        let newest = self.objects.len().saturating_sub(NEWEST);
        let among = if dice.one_in(3) {
            &self.objects[..]
        } else {
            &self.objects[newest..]
        };
        let Some(object) = dice.pick(among) else {
            return;
        };
        self.request_to(dice, object);
    }

    fn request_to(&mut self, dice: &mut Dice, object: Object) {
        let crowded = self.objects.len() > OBJECTS;
        let possible: Vec<_> = object
            .interface
            .requests
            .iter()
            .enumerate()
            .filter(|(_, request)| {
                let rare = request.is_destructor && !crowded;
                request.since <= object.version
                    && !(crowded && request.child_interface.is_some())
                    && (!rare || dice.one_in(5))
            })
            .collect();
        if let Some((opcode, request)) = dice.pick(&possible) {
            self.send_random(dice, object, opcode, request);
        }
    }

    /// Sends a request by its name, with arguments at random.
    fn by_name(&mut self, dice: &mut Dice, interface: &str, name: &str) {
        let Some(object) = self.any(dice, interface) else {
            return;
        };
        let found = object.interface.requests.iter().enumerate();
        let found = found.filter(|(_, request)| request.name == name);
        let found: Vec<_> = found.collect();
        if let Some((opcode, request)) = dice.pick(&found) {
            self.send_random(dice, object, opcode, request);
        }
    }

    fn send_random(
        &mut self,
        dice: &mut Dice,
        object: Object,
        opcode: usize,
        request: &'static MessageDesc,
    ) {
        if (object.interface.name, request.name) == ("wl_registry", "bind") {
            // The globals are bound already; a wrong bind ends the connection at once.
            if !dice.one_in(50) {
                return;
            }
        }
        let mut body = Vec::new();
        let mut fds = Vec::new();
        let mut new = None;
        let mut interfaces = request.arg_interfaces.iter();
        for argument in request.signature {
            match argument {
                ArgumentType::Int => word(&mut body, integer(dice).cast_unsigned()),
                ArgumentType::Fixed => {
                    word(&mut body, integer(dice).wrapping_mul(256).cast_unsigned());
                }
                ArgumentType::Uint => {
                    let number = self.number(dice);
                    word(&mut body, number);
                }
                ArgumentType::Str(null) => {
                    if *null == AllowNull::Yes && dice.one_in(4) {
                        word(&mut body, 0);
                    } else {
                        text(&mut body, dice);
                    }
                }
                ArgumentType::Object(null) => {
                    let interface = interfaces.next();
                    let Some(id) = self.object_for(dice, interface, *null) else {
                        // Numbers have no gaps, so the next object gets this one.
                        self.objects.retain(|have| Some(have.id) != new);
                        return self.free.extend(new);
                    };
                    word(&mut body, id);
                }
                ArgumentType::NewId => {
                    let Some(interface) = request.child_interface else {
                        word(&mut body, self.next_id);
                        continue;
                    };
                    let taken = dice.one_in(400);
                    let id = if taken {
                        dice.below(self.next_id + 3)
                    } else {
                        let id = self.add(interface, object.version);
                        new = Some(id);
                        id
                    };
                    word(&mut body, id);
                }
                ArgumentType::Array => {
                    let length = dice.below(64);
                    word(&mut body, length);
                    body.extend((0..length).map(|at| (at * 37).to_le_bytes()[0]));
                    pad(&mut body);
                }
                ArgumentType::Fd => fds.push(some_fd(dice)),
            }
        }
        self.send(object.id, opcode, &body, &fds);
        if request.is_destructor {
            self.objects.retain(|have| have.id != object.id);
            self.destroyed.push_front(object.id);
            self.destroyed.truncate(TOLD);
        }
    }

    /// The number of an object for an argument: of the right kind, most of the time.
    fn object_for(
        &self,
        dice: &mut Dice,
        interface: Option<&&'static Interface>,
        null: AllowNull,
    ) -> Option<u32> {
        if null == AllowNull::Yes && dice.one_in(4) {
            return Some(0);
        }
        if dice.one_in(120) {
            let wild = [0, 0xdead_beef, self.next_id + 5, 0xff00_0000];
            let destroyed = self.destroyed.iter().copied();
            let all = self.objects.iter().map(|have| have.id);
            let all: Vec<_> = wild.into_iter().chain(destroyed).chain(all).collect();
            return dice.pick(&all);
        }
        let found = self.any(dice, interface?.name).map(|object| object.id);
        found.or((null == AllowNull::Yes).then_some(0))
    }

    fn number(&self, dice: &mut Dice) -> u32 {
        match dice.below(20) {
            0..=7 => {
                let told: Vec<_> = self.told.iter().copied().collect();
                dice.pick(&told).unwrap_or_default()
            }
            8..=16 => dice.below(10),
            17..=18 => dice.below(4000),
            _ => dice
                .pick(&[u32::MAX, 1 << 31, 1 << 16, 0x7fff_ffff])
                .unwrap_or_default(),
        }
    }

    /// Opens a window as programs do, up to where it waits for its size.
    fn open_window(&mut self, dice: &mut Dice) {
        let (Some(compositor), Some(base)) = (
            self.any(dice, "wl_compositor"),
            self.any(dice, "xdg_wm_base"),
        ) else {
            return;
        };
        let surface = self.create(compositor, 0);
        let xdg_surface = self.create_for(base, 2, surface);
        let is_it = |have: &&Object| have.id == xdg_surface && have.interface.name == "xdg_surface";
        let object = self.objects.iter().find(is_it);
        let Some(object) = object.copied() else {
            return;
        };
        self.create(object, 1);
        self.call(surface, 6, vec![]);
    }

    /// Opens a popup of a window.
    fn open_popup(&mut self, dice: &mut Dice) {
        let (Some(compositor), Some(base), Some(parent)) = (
            self.any(dice, "wl_compositor"),
            self.any(dice, "xdg_wm_base"),
            self.any(dice, "xdg_surface"),
        ) else {
            return;
        };
        let positioner = self.create(base, 1);
        let (w, h) = (1 + integer(dice).unsigned_abs() % 400, 1 + dice.below(200));
        let size = vec![Arg::Word(w.cast_signed()), Arg::Word(h.cast_signed())];
        self.call(positioner, 1, size);
        let anchor = [integer(dice), integer(dice), 10, 10].map(Arg::Word);
        self.call(positioner, 2, anchor.into());
        let surface = self.create(compositor, 0);
        let xdg_surface = self.create_for(base, 2, surface);
        let popup = self.add_child("xdg_surface", 2, parent.version);
        let arguments = [popup, parent.id, positioner].map(|id| Arg::Word(id.cast_signed()));
        self.call(xdg_surface, 2, arguments.into());
        self.call(surface, 6, vec![]);
    }

    /// Puts a new surface into one that is there.
    fn subsurface(&mut self, dice: &mut Dice) {
        let (Some(compositor), Some(sub), Some(parent)) = (
            self.any(dice, "wl_compositor"),
            self.any(dice, "wl_subcompositor"),
            self.any(dice, "wl_surface"),
        ) else {
            return;
        };
        let surface = self.create(compositor, 0);
        let id = self.add_child("wl_subcompositor", 1, 1);
        let arguments = [id, surface, parent.id].map(|id| Arg::Word(id.cast_signed()));
        self.call(sub.id, 1, arguments.into());
    }

    /// Acknowledges a size and draws.
    fn show(&mut self, dice: &mut Dice) {
        let Some(surface) = self.any(dice, "wl_surface") else {
            return;
        };
        let Some(shm) = self.any(dice, "wl_shm") else {
            return;
        };
        for (xdg_surface, serial) in std::mem::take(&mut self.configured) {
            if self.objects.iter().any(|have| have.id == xdg_surface) {
                self.call(xdg_surface, 4, vec![Arg::Word(serial.cast_signed())]);
            }
        }
        let (width, height) = (1 + dice.below(300), 1 + dice.below(300));
        let bytes = width * height * 4;
        let buffer = self.buffer(shm, (width, height), bytes);
        self.attach(surface.id, buffer);
        if dice.one_in(4) {
            // The memory goes away under the compositor's hands.
            self.by_name(dice, "wl_buffer", "destroy");
        }
        self.call(surface.id, 6, vec![]);
    }

    /// A buffer as large as the numbers go, of memory that nobody has.
    fn huge_buffer(&mut self, dice: &mut Dice) {
        let (Some(surface), Some(shm)) = (self.any(dice, "wl_surface"), self.any(dice, "wl_shm"))
        else {
            return;
        };
        let buffer = self.buffer(shm, (16_000, 16_000), 16_000 * 16_000 * 4);
        self.attach(surface.id, buffer);
        self.call(surface.id, 6, vec![]);
    }

    fn buffer(&mut self, shm: Object, (width, height): (u32, u32), bytes: u32) -> u32 {
        let file = tempfile::tempfile().unwrap();
        file.set_len(u64::from(bytes)).unwrap();
        let pool = self.add_child("wl_shm", 0, shm.version);
        let arguments = vec![
            Arg::Word(pool.cast_signed()),
            Arg::Fd(file.into()),
            Arg::Word(bytes.cast_signed()),
        ];
        self.call(shm.id, 0, arguments);
        let buffer = self.add_child("wl_shm_pool", 0, 1);
        let words = [buffer, 0, width, height, width * 4, 0];
        let arguments = words.map(|word| Arg::Word(word.cast_signed()));
        self.call(pool, 0, arguments.into());
        buffer
    }

    fn attach(&mut self, surface: u32, buffer: u32) {
        let buffer = Arg::Word(buffer.cast_signed());
        self.call(surface, 1, vec![buffer, Arg::Word(0), Arg::Word(0)]);
        let damage = [0, 0, 1 << 20, 1 << 20].map(Arg::Word);
        self.call(surface, 2, damage.into());
    }

    /// Memory pools one after the other, each with a file that stays open on the other side.
    fn many_pools(&mut self, dice: &mut Dice) {
        let Some(shm) = self.any(dice, "wl_shm") else {
            return;
        };
        for _ in 0..dice.below(60) {
            let file = tempfile::tempfile().unwrap();
            file.set_len(4096).unwrap();
            let pool = self.add_child("wl_shm", 0, shm.version);
            let arguments = vec![
                Arg::Word(pool.cast_signed()),
                Arg::Fd(file.into()),
                Arg::Word(4096),
            ];
            self.call(shm.id, 0, arguments);
        }
    }

    /// File descriptors that no argument asks for.
    fn surplus_fds(&mut self, dice: &mut Dice) {
        let Some(surface) = self.any(dice, "wl_surface") else {
            return;
        };
        let fds: Vec<_> = (0..dice.below(20)).map(|_| some_fd(dice)).collect();
        self.send(surface.id, 6, &[], &fds);
    }

    /// Bytes that are no message, or one with a wrong length.
    fn garbage(&mut self, dice: &mut Dice) {
        let length = dice.pick(&[0, 4, 7, 12, 4096, 0xfffc]).unwrap_or_default();
        let mut bytes = Vec::new();
        word(&mut bytes, dice.below(self.next_id + 4));
        word(&mut bytes, (length << 16) | dice.below(20));
        bytes.extend((0..dice.below(400)).map(|at| (at * 91).to_le_bytes()[0]));
        self.write(&bytes, &[]);
    }

    /// Sends a request that makes one object and has no other argument.
    fn create(&mut self, of: Object, opcode: usize) -> u32 {
        let id = self.add_child(of.interface.name, opcode, of.version);
        self.call(of.id, opcode, vec![Arg::Word(id.cast_signed())]);
        id
    }

    /// Sends a request that makes one object for another.
    fn create_for(&mut self, of: Object, opcode: usize, other: u32) -> u32 {
        let id = self.add_child(of.interface.name, opcode, of.version);
        let arguments = [id, other].map(|id| Arg::Word(id.cast_signed()));
        self.call(of.id, opcode, arguments.into());
        id
    }

    /// Adds the object that a request of an interface makes.
    fn add_child(&mut self, parent: &str, opcode: usize, version: u32) -> u32 {
        let parent = self
            .objects
            .iter()
            .find(|have| have.interface.name == parent);
        let child = parent.and_then(|parent| {
            let request = parent.interface.requests.get(opcode)?;
            request.child_interface
        });
        self.add(child.expect("these requests make objects"), version)
    }

    /// Sends a request on purpose.
    fn call(&mut self, object: u32, opcode: usize, arguments: Vec<Arg>) {
        let mut body = Vec::new();
        let mut fds = Vec::new();
        for argument in arguments {
            match argument {
                Arg::Word(value) => word(&mut body, value.cast_unsigned()),
                Arg::Text(value) => string(&mut body, value.as_bytes()),
                Arg::Fd(fd) => fds.push(fd),
            }
        }
        self.send(object, opcode, &body, &fds);
    }

    fn send(&mut self, object: u32, opcode: usize, body: &[u8], fds: &[OwnedFd]) {
        let length = u32::try_from(8 + body.len()).unwrap();
        let mut bytes = Vec::new();
        word(&mut bytes, object);
        word(&mut bytes, (length << 16) | u32::try_from(opcode).unwrap());
        bytes.extend(body);
        self.write(&bytes, fds);
        self.sent += 1;
    }

    /// Writes a message whole; one that finds no room is the end, as the rest would be garbage.
    fn write(&mut self, bytes: &[u8], fds: &[OwnedFd]) {
        if self.gone {
            return;
        }
        let fds: Vec<_> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
        let rights = [ControlMessage::ScmRights(&fds)];
        let control = if fds.is_empty() {
            &rights[..0]
        } else {
            &rights
        };
        let flags = MsgFlags::MSG_NOSIGNAL;
        let parts = [IoSlice::new(bytes)];
        let written = sendmsg::<()>(self.stream.as_raw_fd(), &parts, control, flags, None);
        if written != Ok(bytes.len()) {
            self.leave();
        }
    }
}

/// The first message of some bytes: its object, its opcode, its body and what follows.
fn message(bytes: &[u8]) -> Option<(u32, u16, &[u8], &[u8])> {
    let number = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (id, head) = (number(0)?, number(4)?);
    let length = (head >> 16) as usize;
    let (whole, behind) = bytes.split_at_checked(length.max(8))?;
    let opcode = u16::try_from(head & 0xffff).ok()?;
    Some((id, opcode, &whole[8..], behind))
}

/// The arguments of an event, one after the other.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> u32 {
        let Some((word, rest)) = self.0.split_at_checked(4) else {
            return 0;
        };
        self.0 = rest;
        u32::from_ne_bytes(word.try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = self.next() as usize;
        let padded = length.next_multiple_of(4);
        let Some((text, rest)) = self.0.split_at_checked(padded) else {
            return String::new();
        };
        self.0 = rest;
        let text = &text[..length.saturating_sub(1)];
        String::from_utf8_lossy(text).into_owned()
    }
}

fn word(body: &mut Vec<u8>, value: u32) {
    body.extend(value.to_ne_bytes());
}

fn string(body: &mut Vec<u8>, value: &[u8]) {
    word(body, u32::try_from(value.len() + 1).unwrap());
    body.extend(value);
    body.push(0);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn text(body: &mut Vec<u8>, dice: &mut Dice) {
    let long = [b'x'; 3000];
    match dice.below(40) {
        0 => string(body, b"\xff\xfe\xfd"),
        1 => string(body, &long),
        2 => string(body, b"in\0side"),
        at => {
            let texts: [&[u8]; 5] = [
                b"",
                b"text/plain;charset=utf-8",
                b"text/html",
                "\u{1f600} \u{202e}".as_bytes(),
                b"foot",
            ];
            string(body, texts[at as usize % texts.len()]);
        }
    }
}

fn integer(dice: &mut Dice) -> i32 {
    let small = |dice: &mut Dice, bound| dice.below(bound).cast_signed();
    match dice.below(20) {
        0..=8 => small(dice, 9),
        9..=14 => small(dice, 700),
        15..=17 => -small(dice, 700),
        _ => dice
            .pick(&[i32::MIN, i32::MAX, -1, 1 << 28, 1 << 16])
            .unwrap_or_default(),
    }
}

/// Something open: memory, a device, an end of a pipe, a socket.
fn some_fd(dice: &mut Dice) -> OwnedFd {
    let memory = |length| {
        let file = tempfile::tempfile().unwrap();
        file.set_len(length).unwrap();
        OwnedFd::from(file)
    };
    match dice.below(8) {
        0..=2 => memory(4096),
        3 => memory(0),
        4 => File::open("/dev/null").unwrap().into(),
        5 => nix::unistd::pipe().unwrap().0,
        6 => nix::unistd::pipe().unwrap().1,
        _ => UnixStream::pair().unwrap().0.into(),
    }
}

/// Everything that the registry offers.
fn globals() -> [&'static Interface; 39] {
    [
        wl_compositor::WlCompositor::interface(),
        wl_subcompositor::WlSubcompositor::interface(),
        wl_shm::WlShm::interface(),
        wl_seat::WlSeat::interface(),
        wl_output::WlOutput::interface(),
        wl_data_device_manager::WlDataDeviceManager::interface(),
        xdg::xdg_output::zv1::client::zxdg_output_manager_v1::ZxdgOutputManagerV1::interface(),
        wp::primary_selection::zv1::client::zwp_primary_selection_device_manager_v1::ZwpPrimarySelectionDeviceManagerV1::interface(),
        xdg::shell::client::xdg_wm_base::XdgWmBase::interface(),
        xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1::interface(),
        xdg::dialog::v1::client::xdg_wm_dialog_v1::XdgWmDialogV1::interface(),
        xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1::interface(),
        xdg::foreign::zv2::client::zxdg_exporter_v2::ZxdgExporterV2::interface(),
        xdg::foreign::zv2::client::zxdg_importer_v2::ZxdgImporterV2::interface(),
        wp::viewporter::client::wp_viewporter::WpViewporter::interface(),
        wp::fractional_scale::v1::client::wp_fractional_scale_manager_v1::WpFractionalScaleManagerV1::interface(),
        wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1::interface(),
        wp::presentation_time::client::wp_presentation::WpPresentation::interface(),
        wp::content_type::v1::client::wp_content_type_manager_v1::WpContentTypeManagerV1::interface(),
        wp::alpha_modifier::v1::client::wp_alpha_modifier_v1::WpAlphaModifierV1::interface(),
        wp::cursor_shape::v1::client::wp_cursor_shape_manager_v1::WpCursorShapeManagerV1::interface(),
        wp::relative_pointer::zv1::client::zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1::interface(),
        wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::ZwpPointerConstraintsV1::interface(),
        wp::pointer_gestures::zv1::client::zwp_pointer_gestures_v1::ZwpPointerGesturesV1::interface(),
        wp::tablet::zv2::client::zwp_tablet_manager_v2::ZwpTabletManagerV2::interface(),
        wp::text_input::zv3::client::zwp_text_input_manager_v3::ZwpTextInputManagerV3::interface(),
        wp::keyboard_shortcuts_inhibit::zv1::client::zwp_keyboard_shortcuts_inhibit_manager_v1::ZwpKeyboardShortcutsInhibitManagerV1::interface(),
        wp::idle_inhibit::zv1::client::zwp_idle_inhibit_manager_v1::ZwpIdleInhibitManagerV1::interface(),
        wp::security_context::v1::client::wp_security_context_manager_v1::WpSecurityContextManagerV1::interface(),
        ext_idle_notifier_v1::ExtIdleNotifierV1::interface(),
        ext_session_lock_manager_v1::ExtSessionLockManagerV1::interface(),
        ext_foreign_toplevel_list_v1::ExtForeignToplevelListV1::interface(),
        ext_data_control_manager_v1::ExtDataControlManagerV1::interface(),
        zwlr_data_control_manager_v1::ZwlrDataControlManagerV1::interface(),
        zwlr_layer_shell_v1::ZwlrLayerShellV1::interface(),
        zwlr_output_manager_v1::ZwlrOutputManagerV1::interface(),
        zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1::interface(),
        zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1::interface(),
        zwp_input_method_manager_v2::ZwpInputMethodManagerV2::interface(),
    ]
}

/// How many objects it holds before it only destroys some.
const OBJECTS: usize = 600;

/// The objects that it prefers, since those before were used already.
const NEWEST: usize = 30;

/// How many numbers and destroyed objects it remembers.
const TOLD: usize = 24;
