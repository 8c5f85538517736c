//! Clipboard and primary selection between programs and viewers.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, Mode, PostAction, RegistrationToken};
use smithay::wayland::selection::SelectionTarget;
use smithay::wayland::selection::data_device::{
    clear_data_device_selection, current_data_device_selection_userdata,
    request_data_device_client_selection, set_data_device_selection,
};
use smithay::wayland::selection::primary_selection::{
    clear_primary_selection, current_primary_selection_userdata, request_primary_client_selection,
    set_primary_selection,
};
use smithay::xwayland::X11Surface;
use smithay::xwayland::xwm::XwmId;
use vroom_desktop::{ClipboardData, DesktopEvent, Selection};

use crate::handlers::to_selection;
use crate::state::State;

/// Selections on their way from a program or to one.
#[derive(Default)]
pub(crate) struct Selections {
    /// What programs copied that is still to be read: the format, by selection.
    wanted: Vec<Wanted>,
    /// Further formats of the same, which are read one after the other once the first was.
    further: Vec<(Selection, String)>,
    /// What was read of them; it is told when there is no further one.
    read: Vec<(Selection, ClipboardData)>,
    transfers: Vec<Transfer>,
    ids: u64,
}

/// Where a selection comes from that no Wayland program offers.
#[derive(Clone, Debug)]
pub(crate) enum Offer {
    /// A viewer copied it.
    Outside(Arc<[ClipboardData]>),
    /// An X11 program did.
    X11(XwmId),
}

/// A format that is to be read.
struct Wanted {
    selection: Selection,
    mime_type: String,
}

/// A pipe that is being read or written.
struct Transfer {
    id: u64,
    /// The selection that is read; `None` when a program reads ours.
    reads: Option<Selection>,
    token: RegistrationToken,
    /// When it is given up unless something moves before.
    deadline: Instant,
    /// When it is given up in any case.
    end: Instant,
}

impl Selections {
    /// When the slowest program is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.transfers
            .iter()
            .map(|transfer| transfer.deadline)
            .min()
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// Something was read or written, so the program is given time for more.
    fn moved(&mut self, id: u64, now: Instant) {
        if let Some(transfer) = self.transfers.iter_mut().find(|each| each.id == id) {
            transfer.deadline = transfer.end.min(now + TRANSFER_TIME);
        }
    }

    fn finished(&mut self, id: u64) {
        self.transfers.retain(|transfer| transfer.id != id);
    }

    /// How many bytes of a selection were read so far.
    fn read_bytes(&self, selection: Selection) -> usize {
        let read = self.read.iter().filter(|(which, _)| *which == selection);
        read.map(|(_, data)| data.bytes.len()).sum()
    }
}

impl State {
    /// A program copied something in these formats, or cleared the selection.
    pub(crate) fn selection_changed(
        &mut self,
        selection: Selection,
        mime_types: Option<Vec<String>>,
    ) {
        self.forget_reads(selection);
        match mime_types {
            None => self.tell(DesktopEvent::Selection {
                selection,
                data: ClipboardData::text(""),
            }),
            Some(mime_types) => {
                // It is not in place before this call returns, so it is read later.
                if let Some(mime_type) = preferred(&mime_types) {
                    if selection == Selection::Clipboard {
                        let further = further(&mime_types, &mime_type);
                        let further = further.map(|mime_type| (selection, mime_type));
                        self.selections.further.extend(further);
                    }
                    self.selections.wanted.push(Wanted {
                        selection,
                        mime_type,
                    });
                }
            }
        }
    }

    /// Starts to read what was copied and gives up on programs that take too long.
    pub(crate) fn read_selections(&mut self, now: Instant) {
        let (late, rest) = std::mem::take(&mut self.selections.transfers)
            .into_iter()
            .partition(|transfer| transfer.deadline <= now);
        self.selections.transfers = rest;
        for transfer in late {
            tracing::debug!("a program took too long over a selection");
            self.handle.remove(transfer.token);
            if let Some(selection) = transfer.reads {
                self.read_further(selection);
            }
        }
        // A format that cannot be asked for leads to the next one.
        while let Some(wanted) = self.selections.wanted.pop() {
            let selection = wanted.selection;
            if let Err(error) = self.read_selection(wanted, now) {
                tracing::debug!(%error, "a selection could not be read");
                self.read_further(selection);
            }
        }
    }

    fn read_selection(&mut self, wanted: Wanted, now: Instant) -> std::io::Result<()> {
        let Wanted {
            selection,
            mime_type,
        } = wanted;
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        set_nonblocking(&ours)?;
        if matches!(self.offer(selection), Some(Offer::X11(_))) {
            self.ask_x11(to_target(selection), mime_type.clone(), theirs);
        } else {
            self.ask_program(selection, mime_type.clone(), theirs)?;
        }
        let id = self.selections.next_id();
        let mut bytes = Vec::new();
        let source = Generic::new(File::from(ours), Interest::READ, Mode::Level);
        let token = self
            .handle
            .insert_source(source, move |_, pipe, state| {
                // SAFETY: the file is read from and neither replaced nor closed.
                let pipe = unsafe { pipe.get_mut() };
                match read_some(pipe, &mut bytes) {
                    Progress::More => {
                        state.selections.moved(id, Instant::now());
                        return Ok(PostAction::Continue);
                    }
                    Progress::Done => state.selection_read(selection, &mime_type, &bytes),
                    Progress::TooLarge => state.selection_too_large(selection),
                    Progress::Failed => {}
                }
                state.read_further(selection);
                state.selections.finished(id);
                Ok(PostAction::Remove)
            })
            .map_err(|error| std::io::Error::from(error.error))?;
        self.selections.transfers.push(Transfer {
            id,
            reads: Some(selection),
            token,
            deadline: now + TRANSFER_TIME,
            end: now + TRANSFER_TIME_MAX,
        });
        Ok(())
    }

    /// Goes on with the next format of what was copied; once all are read they are told together.
    fn read_further(&mut self, selection: Selection) {
        let further = &mut self.selections.further;
        if let Some(at) = further.iter().position(|(which, _)| *which == selection) {
            let (selection, mime_type) = further.remove(at);
            self.selections.wanted.push(Wanted {
                selection,
                mime_type,
            });
            return;
        }
        let (read, others) = std::mem::take(&mut self.selections.read)
            .into_iter()
            .partition(|(which, _)| *which == selection);
        self.selections.read = others;
        let read: Vec<_> = read;
        for (at, (selection, data)) in read.into_iter().enumerate() {
            self.tell(if at == 0 {
                DesktopEvent::Selection { selection, data }
            } else {
                DesktopEvent::SelectionFormat { selection, data }
            });
        }
    }

    /// Keeps what was read, if it makes sense and all formats together are not too large.
    fn selection_read(&mut self, selection: Selection, mime_type: &str, bytes: &[u8]) {
        let is_text = TEXT_TYPES.contains(&mime_type);
        let data = ClipboardData {
            mime_type: if is_text { TEXT_TYPES[0] } else { mime_type }.to_owned(),
            bytes: Arc::from(bytes),
        };
        let fits = self.selections.read_bytes(selection) + bytes.len() <= SELECTION_BYTES;
        if fits && (!is_text || data.as_text().is_some()) {
            self.selections.read.push((selection, data));
        }
    }

    /// A format that comes behind others is left out; a content without its best one is not told.
    fn selection_too_large(&mut self, selection: Selection) {
        if self.selections.read_bytes(selection) > 0 {
            return;
        }
        let further = &mut self.selections.further;
        further.retain(|(which, _)| *which != selection);
        self.tell(DesktopEvent::SelectionTooLarge { selection });
    }

    /// Offers data from outside to the programs; empty data clears the selection.
    pub(crate) fn offer_selection(&mut self, selection: Selection, formats: Vec<ClipboardData>) {
        self.forget_reads(selection);
        let (display, seat) = (&self.display, &self.seat);
        if formats.iter().all(|data| data.bytes.is_empty()) {
            match selection {
                Selection::Clipboard => clear_data_device_selection(display, seat),
                Selection::Primary => clear_primary_selection(display, seat),
            }
            return self.tell_x11(to_target(selection), None);
        }
        let mime_types = mime_types(&formats);
        self.set_offer(
            selection,
            mime_types.clone(),
            Offer::Outside(formats.into()),
        );
        self.tell_x11(to_target(selection), Some(mime_types));
    }

    fn set_offer(&self, selection: Selection, mime_types: Vec<String>, offer: Offer) {
        let (display, seat) = (&self.display, &self.seat);
        match selection {
            Selection::Clipboard => set_data_device_selection(display, seat, mime_types, offer),
            Selection::Primary => set_primary_selection(display, seat, mime_types, offer),
        }
    }

    /// Where a selection comes from, if not from a Wayland program.
    fn offer(&self, selection: Selection) -> Option<Offer> {
        let seat = &self.seat;
        match selection {
            Selection::Clipboard => {
                current_data_device_selection_userdata(seat).map(|offer| offer.clone())
            }
            Selection::Primary => {
                current_primary_selection_userdata(seat).map(|offer| offer.clone())
            }
        }
    }

    /// Asks the Wayland program that offers a selection to write it.
    fn ask_program(
        &self,
        selection: Selection,
        mime_type: String,
        fd: OwnedFd,
    ) -> std::io::Result<()> {
        let seat = &self.seat;
        match selection {
            Selection::Clipboard => request_data_device_client_selection(seat, mime_type, fd)
                .map_err(std::io::Error::other),
            Selection::Primary => {
                request_primary_client_selection(seat, mime_type, fd).map_err(std::io::Error::other)
            }
        }
    }

    /// Asks the X11 program that offers a selection to write it.
    pub(crate) fn ask_x11(&mut self, target: SelectionTarget, mime_type: String, fd: OwnedFd) {
        let events = self.handle.clone();
        if let Some(manager) = self.x11.managers.last_mut()
            && let Err(error) = manager.send_selection(target, mime_type, fd, events)
        {
            tracing::debug!(%error, "an X11 program could not be asked for a selection");
        }
    }

    /// Writes a selection for an X11 program that pastes it.
    pub(crate) fn give_selection(
        &mut self,
        target: SelectionTarget,
        mime_type: String,
        fd: OwnedFd,
    ) {
        let selection = to_selection(target);
        match self.offer(selection) {
            Some(Offer::Outside(formats)) => self.send_to(fd, &mime_type, &formats),
            Some(Offer::X11(_)) => {}
            None => {
                if let Err(error) = self.ask_program(selection, mime_type, fd) {
                    tracing::debug!(%error, "an X11 program cannot paste");
                }
            }
        }
    }

    /// An X11 program copied something.
    pub(crate) fn x11_copied(
        &mut self,
        manager: XwmId,
        target: SelectionTarget,
        mime_types: Vec<String>,
    ) {
        let selection = to_selection(target);
        self.x11.offers.retain(|(other, _)| *other != target);
        self.set_offer(selection, mime_types.clone(), Offer::X11(manager));
        self.selection_changed(selection, Some(mime_types));
    }

    /// What an X11 program copied is gone with it.
    pub(crate) fn x11_cleared(&mut self, manager: XwmId, target: SelectionTarget) {
        let selection = to_selection(target);
        if matches!(self.offer(selection), Some(Offer::X11(owner)) if owner == manager) {
            let (display, seat) = (&self.display, &self.seat);
            match selection {
                Selection::Clipboard => clear_data_device_selection(display, seat),
                Selection::Primary => clear_primary_selection(display, seat),
            }
            self.selection_changed(selection, None);
        }
    }

    /// Tells X11 programs what others copied.
    pub(crate) fn tell_x11(&mut self, target: SelectionTarget, mime_types: Option<Vec<String>>) {
        self.x11.offers.retain(|(other, _)| *other != target);
        let offer = mime_types.clone().map(|mime_types| (target, mime_types));
        self.x11.offers.extend(offer);
        if self.x11.client().is_none() {
            return;
        }
        let Some(manager) = self.x11.managers.last_mut() else {
            return;
        };
        let told = manager.new_selection(target, mime_types).and_then(|()| {
            // smithay leaves it in its buffer; to order no windows at all sends it.
            let nothing = std::iter::empty::<&X11Surface>();
            Ok(manager.update_stacking_order_upwards(nothing)?)
        });
        if let Err(error) = told {
            tracing::debug!(%error, "X11 programs could not be told of a selection");
        }
    }

    /// Tells X11 programs, the first of which just came, what was copied before.
    pub(crate) fn offer_to_x11(&mut self) {
        for (target, mime_types) in std::mem::take(&mut self.x11.offers) {
            self.tell_x11(target, Some(mime_types));
        }
    }

    /// Writes our selection to a program that pastes it, in the format that it asks for.
    pub(crate) fn send_to(&mut self, fd: OwnedFd, mime_type: &str, formats: &[ClipboardData]) {
        let is_text = TEXT_TYPES.contains(&mime_type);
        let fits = |data: &&ClipboardData| {
            data.mime_type == mime_type || (is_text && data.as_text().is_some())
        };
        let Some(data) = formats.iter().find(fits) else {
            return;
        };
        let writes = self.selections.transfers.iter();
        if writes.filter(|transfer| transfer.reads.is_none()).count() >= WRITES {
            tracing::debug!("too many programs paste at once");
            return;
        }
        if let Err(error) = self.start_write(fd, Arc::clone(&data.bytes)) {
            tracing::debug!(%error, "a program could not be given the selection");
        }
    }

    fn start_write(&mut self, fd: OwnedFd, bytes: Arc<[u8]>) -> std::io::Result<()> {
        set_nonblocking(&fd)?;
        let mut pipe = File::from(fd);
        let mut written = 0;
        match write_some(&mut pipe, &bytes, &mut written) {
            Progress::More => {}
            Progress::Done | Progress::TooLarge | Progress::Failed => return Ok(()),
        }
        let id = self.selections.next_id();
        let source = Generic::new(pipe, Interest::WRITE, Mode::Level);
        let token = self
            .handle
            .insert_source(source, move |_, pipe, state| {
                // SAFETY: the file is written to and neither replaced nor closed.
                let pipe = unsafe { pipe.get_mut() };
                if matches!(write_some(pipe, &bytes, &mut written), Progress::More) {
                    state.selections.moved(id, Instant::now());
                    return Ok(PostAction::Continue);
                }
                state.selections.finished(id);
                Ok(PostAction::Remove)
            })
            .map_err(|error| std::io::Error::from(error.error))?;
        let now = Instant::now();
        self.selections.transfers.push(Transfer {
            id,
            reads: None,
            token,
            deadline: now + TRANSFER_TIME,
            end: now + TRANSFER_TIME_MAX,
        });
        Ok(())
    }

    fn forget_reads(&mut self, selection: Selection) {
        let selections = &mut self.selections;
        selections
            .wanted
            .retain(|wanted| wanted.selection != selection);
        selections
            .further
            .retain(|(further, _)| *further != selection);
        selections.read.retain(|(read, _)| *read != selection);
        let (old, rest) = std::mem::take(&mut self.selections.transfers)
            .into_iter()
            .partition(|transfer: &Transfer| transfer.reads == Some(selection));
        self.selections.transfers = rest;
        for transfer in old {
            self.handle.remove(transfer.token);
        }
    }
}

const fn to_target(selection: Selection) -> SelectionTarget {
    match selection {
        Selection::Clipboard => SelectionTarget::Clipboard,
        Selection::Primary => SelectionTarget::Primary,
    }
}

/// The names of the formats, where text has several.
fn mime_types(formats: &[ClipboardData]) -> Vec<String> {
    let mut mime_types = Vec::new();
    for data in formats {
        if data.as_text().is_some() {
            mime_types.extend(TEXT_TYPES.map(str::to_owned));
        } else {
            mime_types.push(data.mime_type.clone());
        }
    }
    mime_types
}

/// How far a transfer got.
pub(crate) enum Progress {
    More,
    Done,
    /// There is more than [`SELECTION_BYTES`].
    TooLarge,
    Failed,
}

/// Reads what is there, up to the end or to [`SELECTION_BYTES`].
pub(crate) fn read_some(pipe: &mut File, bytes: &mut Vec<u8>) -> Progress {
    let mut chunk = [0; CHUNK_BYTES];
    match pipe.read(&mut chunk) {
        Ok(0) => Progress::Done,
        Ok(count) => {
            bytes.extend(chunk.iter().take(count));
            if bytes.len() > SELECTION_BYTES {
                Progress::TooLarge
            } else {
                Progress::More
            }
        }
        Err(error) => retry(&error),
    }
}

/// Writes as much as the pipe takes.
fn write_some(pipe: &mut File, bytes: &[u8], written: &mut usize) -> Progress {
    while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
        match pipe.write(rest) {
            Ok(0) => return Progress::Failed,
            Ok(count) => *written += count,
            Err(error) => return retry(&error),
        }
    }
    Progress::Done
}

fn retry(error: &std::io::Error) -> Progress {
    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
        Progress::More
    } else {
        Progress::Failed
    }
}

pub(crate) fn set_nonblocking(fd: &impl AsFd) -> std::io::Result<()> {
    let fd = std::os::fd::AsRawFd::as_raw_fd(&fd.as_fd());
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// The format to read first: text before pictures, and what else is read at all.
fn preferred(mime_types: &[String]) -> Option<String> {
    TEXT_TYPES
        .into_iter()
        .chain(PICTURE_TYPES)
        .chain(FURTHER_TYPES)
        .find(|wanted| mime_types.iter().any(|have| have == wanted))
        .map(str::to_owned)
}

/// The other formats that are read besides the first.
fn further(mime_types: &[String], first: &str) -> impl Iterator<Item = String> {
    let others = FURTHER_TYPES.into_iter().filter(|other| *other != first);
    let there = others.filter(|other| mime_types.iter().any(|have| have == other));
    there.map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// The formats that are read besides text.
const FURTHER_TYPES: [&str; 3] = ["text/html", "image/png", "text/uri-list"];

/// The names that programs know text in UTF-8 by, the best one first.
const TEXT_TYPES: [&str; 5] = [
    "text/plain;charset=utf-8",
    "UTF8_STRING",
    "text/plain",
    "TEXT",
    "STRING",
];

/// The pictures that are read when there is no text.
const PICTURE_TYPES: [&str; 1] = ["image/png"];

/// The largest selection read from a program, all formats together; of a larger one only that is told.
const SELECTION_BYTES: usize = vroom_desktop::SELECTION_BYTES_MAX;

/// Bytes read from a pipe at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// How long a program that hands over or fetches a selection may do nothing; then the pipe is closed.
pub(crate) const TRANSFER_TIME: Duration = Duration::from_secs(3);

/// How long it may take for all of it, however busy; then the pipe is closed.
const TRANSFER_TIME_MAX: Duration = Duration::from_secs(60);

/// The most programs that fetch our selection at a time; further ones get an empty one.
const WRITES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_that_is_too_large_is_refused_and_not_kept() {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(3 * SELECTION_BYTES as u64).unwrap();
        let mut bytes = Vec::new();
        let outcome = loop {
            match read_some(&mut file, &mut bytes) {
                Progress::More => {}
                outcome => break outcome,
            }
        };
        assert!(matches!(outcome, Progress::TooLarge));
        assert!(bytes.len() <= SELECTION_BYTES + CHUNK_BYTES);
    }

    #[test]
    fn text_is_preferred_to_pictures() {
        let types = |types: &[&str]| {
            types
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            preferred(&types(&["image/png", "text/plain", "UTF8_STRING"])).as_deref(),
            Some("UTF8_STRING")
        );
        assert_eq!(
            preferred(&types(&["image/png"])).as_deref(),
            Some("image/png")
        );
        assert_eq!(preferred(&types(&["application/x-color"])), None);
    }
}
