//! `org.freedesktop.Notifications`: what programs notify the person of, passed on to the hub.
//!
//! It is served on the bus of the session alone. What a program sends is cut to what a person reads,
//! and markup is taken out of it: what it says is plain text from here on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use vroom_protocol::graphical::NoticeAction;
use zbus::Connection;
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::Value;

use crate::hub::{Hub, NoticeEnd, NoticeNews, Posted};

/// The service; it ends with this value.
#[derive(Debug)]
pub(crate) struct NoticeService {
    connection: Connection,
    /// What tells programs of their notices.
    follower: AbortHandle,
}

impl NoticeService {
    /// Offers the service on the bus at this address.
    ///
    /// # Errors
    ///
    /// When the bus cannot be reached, or somebody else offers it there already.
    pub(crate) async fn start(address: &str, hub: &Arc<Hub>) -> zbus::Result<Self> {
        let server = Server {
            hub: Arc::clone(hub),
        };
        let connection = Builder::address(address)?
            .serve_at(PATH, server)?
            .name(NAME)?
            .build()
            .await?;
        let (sender, news) = mpsc::channel(NEWS);
        hub.set_notice_news(sender);
        let emitter = SignalEmitter::new(&connection, PATH)?.into_owned();
        let follower = tokio::spawn(follow(Arc::clone(hub), emitter, news)).abort_handle();
        Ok(Self {
            connection,
            follower,
        })
    }

    /// Says what programs that the bus starts find in their environment.
    ///
    /// # Errors
    ///
    /// When the bus does not answer.
    pub(crate) async fn set_environment(
        &self,
        variables: &HashMap<&'static str, String>,
    ) -> zbus::Result<()> {
        let bus = DBusProxy::new(&self.connection).await?;
        let variables = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        Ok(bus
            .update_activation_environment(variables.collect())
            .await?)
    }
}

impl Drop for NoticeService {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// Tells programs what became of their notices.
async fn follow(
    hub: Arc<Hub>,
    emitter: SignalEmitter<'static>,
    mut news: mpsc::Receiver<NoticeNews>,
) {
    loop {
        let due = hub.notice_due();
        let expiry = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let told = tokio::select! {
            told = news.recv() => match told {
                Some(told) => told,
                None => return,
            },
            () = expiry => {
                hub.expire_notices(Instant::now());
                continue;
            }
        };
        let sent = match told {
            // The time of the next end may be another one now.
            NoticeNews::Changed => Ok(()),
            NoticeNews::Chosen { id, action } => {
                Server::action_invoked(&emitter, id, &action).await
            }
            NoticeNews::Over { id, why } => {
                Server::notification_closed(&emitter, id, reason(why)).await
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a program was not told of its notification");
        }
    }
}

/// The number that programs are told.
const fn reason(why: NoticeEnd) -> u32 {
    match why {
        NoticeEnd::Expired => 1,
        NoticeEnd::PutAway => 2,
        NoticeEnd::Withdrawn => 3,
    }
}

struct Server {
    hub: Arc<Hub>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    /// What can be shown: words, answers, and a list that stays.
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body", "persistence"]
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("VROOM", "VROOM", env!("CARGO_PKG_VERSION"), "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the standard has that many")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        _app_icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<&str>,
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> u32 {
        let hint = |name: &str| hints.get(name);
        let is = |name| matches!(hint(name), Some(Value::Bool(true)));
        let lifetime = match u64::try_from(expire_timeout) {
            Ok(0) => None,
            Ok(ms) => Some(Duration::from_millis(ms)),
            // It is up to us: what is only for the moment goes, everything else stays in the list.
            Err(_) => is("transient").then_some(TRANSIENT),
        };
        self.hub.post_notice(Posted {
            replaces: replaces_id,
            app: line(app_name, NAME_CHARS),
            title: line(summary, TITLE_CHARS),
            body: plain(body),
            actions: answers(&actions),
            urgent: matches!(hint("urgency"), Some(Value::U8(2))),
            stays: is("resident"),
            expires: lifetime.map(|lifetime| Instant::now() + lifetime),
        })
    }

    fn close_notification(&self, id: u32) -> zbus::fdo::Result<()> {
        if self.hub.close_notice(id, NoticeEnd::Withdrawn) {
            Ok(())
        } else {
            Err(zbus::fdo::Error::Failed(
                "there is none with that id".into(),
            ))
        }
    }

    #[zbus(signal)]
    async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action_key: &str,
    ) -> zbus::Result<()>;
}

/// The answers of a list in which names and words alternate.
fn answers(list: &[&str]) -> Vec<NoticeAction> {
    let pairs = list.chunks_exact(2).filter_map(|pair| match pair {
        // One that is too long to be sent back cannot be chosen.
        [key, label] if key.len() <= KEY_BYTES => Some(NoticeAction {
            key: (*key).to_owned(),
            label: line(label, LABEL_CHARS),
        }),
        _ => None,
    });
    pairs.take(ANSWERS).collect()
}

/// Words in one line.
fn line(text: &str, chars_max: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = spaced.take(chars_max).collect();
    cut.trim().to_owned()
}

/// Words in lines, without the markup that the standard allows and without control characters.
fn plain(body: &str) -> String {
    let mut out = String::new();
    let mut left = BODY_CHARS;
    // A tag is looked for from each `<`, so what lies far behind is not even looked at.
    let mut rest = body
        .get(..body.floor_char_boundary(BODY_BYTES))
        .unwrap_or(body);
    while let Some(first) = rest.chars().next()
        && left > 0
    {
        let (shown, length) = match first {
            '<' => tag(rest).unwrap_or((Some('<'), 1)),
            '&' => entity(rest).map_or((Some('&'), 1), |(shown, length)| (Some(shown), length)),
            '\n' => (Some('\n'), 1),
            other => ((!other.is_control()).then_some(other), other.len_utf8()),
        };
        out.extend(shown);
        left -= usize::from(shown.is_some());
        rest = rest.get(length..).unwrap_or_default();
    }
    out.trim().to_owned()
}

/// A tag of the standard at the beginning of a text: what is shown of it, and its length.
fn tag(text: &str) -> Option<(Option<char>, usize)> {
    let end = text.find('>')?;
    let inside = text.get(1..end)?.trim_matches('/');
    if !inside.starts_with(char::is_alphabetic) {
        return None;
    }
    let name = inside.split_whitespace().next()?.to_ascii_lowercase();
    match name.as_str() {
        "b" | "i" | "u" | "a" | "img" => Some((None, end + 1)),
        "br" => Some((Some('\n'), end + 1)),
        _ => None,
    }
}

/// A character that is written as an entity at the beginning of a text, and the length of that.
fn entity(text: &str) -> Option<(char, usize)> {
    let known = ENTITIES
        .iter()
        .find(|(written, _)| text.starts_with(written));
    known.map(|(written, meant)| (*meant, written.len()))
}

const ENTITIES: [(&str, char); 6] = [
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&apos;", '\''),
    ("&#39;", '\''),
];

/// Where the standard puts the service.
const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How long what is only for the moment is shown.
const TRANSIENT: Duration = Duration::from_secs(10);

/// What is shown of a program's name, of a title, of a body and of an answer; the rest is cut.
const NAME_CHARS: usize = 64;
const TITLE_CHARS: usize = 200;
const BODY_CHARS: usize = 2000;
const BODY_BYTES: usize = 32 * 1024;
const LABEL_CHARS: usize = 64;

/// The answers of one notice; more are left out, and so is one with a longer name.
const ANSWERS: usize = 8;
const KEY_BYTES: usize = vroom_protocol::graphical::NoticeAnswer::ACTION_BYTES_MAX;

/// What waits to be told to programs; more is not told.
const NEWS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_plain_text() {
        assert_eq!(
            plain("<b>Bold</b> &amp; <i>more</i><br/>1 &lt; 2 <a href=\"x\">link</a>\u{7}"),
            "Bold & more\n1 < 2 link"
        );
        assert_eq!(plain("a < b > c & d <script>"), "a < b > c & d <script>");
        assert_eq!(plain("<"), "<");
        let far = format!("{}far", "<b>".repeat(BODY_BYTES));
        assert!(
            !plain(&far).contains("far"),
            "what lies behind the bound is left out"
        );
        assert_eq!(plain(&"ä".repeat(3000)).chars().count(), BODY_CHARS);
    }

    #[test]
    fn answers_come_in_pairs_and_not_without_end() {
        let odd = answers(&["ok", "All\nright", "left over"]);
        assert_eq!(odd.len(), 1);
        assert_eq!(
            (odd[0].key.as_str(), odd[0].label.as_str()),
            ("ok", "All right")
        );
        assert_eq!(answers(&["k", "l"].repeat(100)).len(), ANSWERS);
        assert!(answers(&["k".repeat(KEY_BYTES + 1).as_str(), "l"]).is_empty());
    }
}
