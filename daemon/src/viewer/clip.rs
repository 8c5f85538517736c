//! The channel `clipboard`: large contents in pieces, both ways.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use vroom_desktop::{ClipboardData, Selection};
use vroom_protocol::graphical::{
    self, CLIP_BYTES_MAX, CLIP_PATHS, CLIP_PIECE_BYTES, ClipFormat, ClipNews, ClipRequest, Paths,
};
use vroom_protocol::{ChannelId, Code, Connection};

use super::Viewer;
use super::answers::{explain, report};
use super::clipboard::{FORMATS, FORMATS_ONLY, TEXT, URI_LIST, to_desktop};
use super::drag::{addresses, below, uri_list};
use crate::floor::Denied;
use crate::hub::{Offered, Seat};

/// The channel `clipboard` of one client.
///
/// One content comes in at a time, and of what goes out a few pieces wait in the mux, so a client
/// costs little more than what it sets. What it gets is read from the hub piece by piece.
#[derive(Debug)]
pub(super) struct Clip {
    channel: ChannelId,
    /// The folder whose files may be named by their paths, where there is one.
    root: Option<PathBuf>,
    incoming: Option<Incoming>,
    /// Answers that wait; they overtake contents.
    answers: VecDeque<ClipNews>,
    /// Selections that have to be offered.
    offers: Vec<Selection>,
    /// Formats that were asked for; the first one is on its way.
    wanted: VecDeque<Wanted>,
}

/// A content that a client sets.
#[derive(Debug)]
struct Incoming {
    id: u32,
    selection: Selection,
    formats: Vec<ClipFormat>,
    bytes: Vec<u8>,
    /// What `bytes` will hold.
    length: usize,
}

/// A format on its way to a client.
#[derive(Debug)]
struct Wanted {
    id: u32,
    serial: u32,
    mime_type: String,
    sent: usize,
}

/// Why a request is not carried out.
type Refused = (Code, &'static str);

impl Clip {
    fn new(channel: ChannelId, rules: ClipNews, root: Option<PathBuf>) -> Self {
        Self {
            channel,
            root,
            incoming: None,
            answers: VecDeque::from([rules]),
            offers: Vec::new(),
            wanted: VecDeque::new(),
        }
    }

    /// These selections have new content.
    pub(super) fn offer(&mut self, selections: &[Selection]) {
        for selection in selections {
            if !self.offers.contains(selection) {
                self.offers.push(*selection);
            }
        }
    }

    fn answer(&mut self, id: u32, result: Result<(), Refused>) {
        let refused = result.err().map(|(code, reason)| (code, reason.to_owned()));
        self.answers.push_back(ClipNews::Answer { id, refused });
    }

    /// Begins to take a content; an older one that is not complete is given up.
    fn set(&mut self, seat: &Seat, incoming: Incoming) {
        if let Some(old) = self.incoming.take() {
            self.answer(old.id, Err((Code::GOING_AWAY, "something newer is copied")));
        }
        if let Err(refused) = check(seat, &incoming) {
            return self.answer(incoming.id, Err(refused));
        }
        self.take(seat, incoming);
    }

    /// Takes the next bytes; those of a content that was refused are dropped.
    fn data(&mut self, seat: &Seat, id: u32, bytes: &[u8]) {
        let Some(mut incoming) = self.incoming.take_if(|incoming| incoming.id == id) else {
            return;
        };
        if incoming.bytes.len() + bytes.len() > incoming.length {
            let refused = (Code::INVALID_MESSAGE, "more came than was announced");
            return self.answer(id, Err(refused));
        }
        incoming.bytes.extend_from_slice(bytes);
        self.take(seat, incoming);
    }

    /// Puts a content in its place once it is complete.
    fn take(&mut self, seat: &Seat, incoming: Incoming) {
        if incoming.bytes.len() < incoming.length {
            self.incoming = Some(incoming);
            return;
        }
        let root = self.root.as_deref();
        let result = incoming.formats(root).and_then(|(selection, formats)| {
            let set = seat.set_formats(selection, formats);
            set.map_err(refusal)
        });
        self.answer(incoming.id, result);
    }

    fn get(&mut self, wanted: Wanted) {
        if self.wanted.len() >= WANTED_MAX {
            let refused = (Code::RATE_LIMITED, "too much is asked for at once");
            return self.answer(wanted.id, Err(refused));
        }
        self.wanted.push_back(wanted);
    }

    /// The next message, if there is one.
    fn next(&mut self, seat: &Seat) -> Option<ClipNews> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        while !self.offers.is_empty() {
            let selection = self.offers.remove(0);
            if let Ok(offered) = seat.offered(selection) {
                return Some(offer(selection, &offered, self.root.as_deref()));
            }
        }
        let wanted = self.wanted.front_mut()?;
        let id = wanted.id;
        match piece(seat, wanted, self.root.as_deref()) {
            Ok(Some(bytes)) => return Some(ClipNews::Data { id, bytes }),
            Ok(None) => self.answer(id, Ok(())),
            Err(refused) => self.answer(id, Err(refused)),
        }
        self.wanted.pop_front();
        self.answers.pop_front()
    }
}

impl Incoming {
    /// The formats, cut apart, as programs know them.
    fn formats(&self, root: Option<&Path>) -> Result<(Selection, Vec<ClipboardData>), Refused> {
        let mut rest = &self.bytes[..];
        let mut formats = Vec::new();
        for format in &self.formats {
            let (bytes, further) = rest
                .split_at_checked(length(format))
                .ok_or((Code::INVALID_MESSAGE, "less came than was announced"))?;
            rest = further;
            if format.mime_type == CLIP_PATHS {
                let root = root.ok_or((Code::UNSUPPORTED, "there are no files here"))?;
                let files = file_formats(root, bytes);
                formats.extend(files.ok_or((Code::NO_SUCH_TARGET, "there are no such files"))?);
                continue;
            }
            formats.push(if format.mime_type.starts_with(TEXT) {
                let text = std::str::from_utf8(bytes)
                    .map_err(|_| (Code::INVALID_MESSAGE, "text has to be UTF-8"))?;
                ClipboardData::text(text)
            } else {
                ClipboardData {
                    mime_type: format.mime_type.clone(),
                    bytes: bytes.into(),
                }
            });
        }
        Ok((self.selection, formats))
    }
}

impl Viewer {
    /// The channel `clipboard` is open; it counts once the handshake was exchanged.
    pub(crate) fn open_clip(&mut self, channel: ChannelId) {
        let Some(seat) = &self.seat else {
            return;
        };
        let rules = seat.clipboard_rules();
        let rules = ClipNews::Rules {
            to_desktop: rules.to_desktop,
            from_desktop: rules.from_desktop,
        };
        self.clip = Some(Clip::new(channel, rules, self.root()));
    }

    /// The channel `clipboard` is gone.
    pub(crate) fn close_clip(&mut self) {
        self.clip = None;
    }

    /// Takes a message of `clipboard`.
    pub(crate) fn on_clip(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        kind: u8,
        payload: Bytes,
    ) {
        let (Some(seat), Some(clip)) = (&self.seat, &mut self.clip) else {
            return;
        };
        match ClipRequest::decode(kind, payload) {
            Ok(ClipRequest::Set {
                id,
                selection,
                formats,
            }) => clip.set(
                seat,
                Incoming {
                    id,
                    selection: to_desktop(selection),
                    bytes: Vec::new(),
                    length: formats.iter().map(length).fold(0, usize::saturating_add),
                    formats,
                },
            ),
            Ok(ClipRequest::Data { id, bytes }) => clip.data(seat, id, &bytes),
            Ok(ClipRequest::Get {
                id,
                serial,
                mime_type,
            }) => clip.get(Wanted {
                id,
                serial,
                mime_type,
                sent: 0,
            }),
            Err(error) => report(now, connection, clip.channel, &error),
        }
        if clip.answers.len() > ANSWERS_MAX {
            let channel = clip.channel;
            connection.close_channel(now, channel, "too many answers wait");
        }
    }

    /// Sends what goes over `clipboard`, as far as the client takes it.
    pub(crate) fn pump_clip(&mut self, now: Instant, connection: &mut Connection) {
        let (Some(seat), Some(clip)) = (&self.seat, &mut self.clip) else {
            return;
        };
        while connection.queued_bytes(clip.channel) < QUEUE_BYTES {
            let Some(news) = clip.next(seat) else {
                return;
            };
            let (kind, payload) = news.encode();
            if let Err(error) = connection.send(now, clip.channel, kind, payload) {
                tracing::debug!(%error, "a message of the clipboard was not sent");
                return;
            }
        }
    }
}

/// Whether a content may be set; asked again when it is complete.
fn check(seat: &Seat, incoming: &Incoming) -> Result<(), Refused> {
    seat.may_set_selection().map_err(refusal)?;
    if incoming.length > CLIP_BYTES_MAX {
        let reason = "what is copied is larger than 8 MiB";
        return Err((Code::MESSAGE_TOO_LARGE, reason));
    }
    let known = |format: &ClipFormat| {
        let name = format.mime_type.as_str();
        name.starts_with(TEXT) || name == CLIP_PATHS || FORMATS.contains(&name)
    };
    if incoming.formats.iter().all(known) {
        Ok(())
    } else {
        Err((Code::UNSUPPORTED, FORMATS_ONLY))
    }
}

/// The next bytes of a format that was asked for; `None` at its end.
fn piece(seat: &Seat, wanted: &mut Wanted, root: Option<&Path>) -> Result<Option<Bytes>, Refused> {
    let stale = (
        Code::NO_SUCH_TARGET,
        "something else was copied on the desktop",
    );
    let selections = [Selection::Clipboard, Selection::Primary];
    for selection in selections {
        let offered = seat.offered(selection).map_err(refusal)?;
        if offered.serial != wanted.serial {
            continue;
        }
        let paths = paths(&offered, root);
        let mut formats = offered.formats.iter().chain(&paths);
        let data = formats.find(|data| wire_type(data) == wanted.mime_type);
        let rest = data.and_then(|data| data.bytes.get(wanted.sent..));
        let rest = rest.ok_or(stale)?;
        let bytes = rest.get(..CLIP_PIECE_BYTES).unwrap_or(rest);
        wanted.sent += bytes.len();
        return Ok((!bytes.is_empty()).then(|| Bytes::copy_from_slice(bytes)));
    }
    Err(stale)
}

fn offer(selection: Selection, offered: &Offered, root: Option<&Path>) -> ClipNews {
    let paths = paths(offered, root);
    let formats = offered.formats.iter().chain(&paths);
    let filled = formats.filter(|data| !data.bytes.is_empty());
    ClipNews::Offer {
        serial: offered.serial,
        selection: match selection {
            Selection::Clipboard => graphical::Selection::Clipboard,
            Selection::Primary => graphical::Selection::Primary,
        },
        formats: filled
            .map(|data| ClipFormat {
                mime_type: wire_type(data).to_owned(),
                length: u32::try_from(data.bytes.len()).unwrap_or(u32::MAX),
            })
            .collect(),
    }
}

/// The copied files that the client can read, by their paths.
fn paths(offered: &Offered, root: Option<&Path>) -> Option<ClipboardData> {
    let mut formats = offered.formats.iter();
    let list = formats.find(|data| data.mime_type == URI_LIST)?;
    let found = below(root?, &addresses(&list.bytes));
    Some(ClipboardData {
        mime_type: CLIP_PATHS.to_owned(),
        bytes: found.join("\n").into_bytes().into(),
    })
}

/// Files that a client names by their paths, as programs and file managers know them.
fn file_formats(root: &Path, paths: &[u8]) -> Option<[ClipboardData; 2]> {
    let paths = String::from_utf8_lossy(paths);
    let list = uri_list(root, &Paths::new(paths.lines().map(str::to_owned)));
    if list.is_empty() {
        return None;
    }
    let copied = format!("copy\n{}", list.lines().collect::<Vec<_>>().join("\n"));
    let formats = [(URI_LIST, list), ("x-special/gnome-copied-files", copied)];
    Some(formats.map(|(name, content)| ClipboardData {
        mime_type: name.to_owned(),
        bytes: content.into_bytes().into(),
    }))
}

/// What a format is called on the wire.
fn wire_type(data: &ClipboardData) -> &str {
    if data.mime_type.starts_with(TEXT) {
        TEXT
    } else {
        &data.mime_type
    }
}

fn length(format: &ClipFormat) -> usize {
    usize::try_from(format.length).unwrap_or(usize::MAX)
}

fn refusal(denied: Denied) -> Refused {
    let (code, _, reason) = explain(denied);
    (code, reason)
}

/// What waits in the mux for one client; then contents wait in the hub.
const QUEUE_BYTES: usize = 64 * 1024;

/// Formats that a client may ask for at a time; one more is refused with 4004.
const WANTED_MAX: usize = 8;

/// Answers that may wait for a client that reads nothing; one more closes the channel.
const ANSWERS_MAX: usize = 64;
