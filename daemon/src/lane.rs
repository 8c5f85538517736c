//! Which channels there are, and which half of a session each belongs to.

use vroom_protocol::forward::ConnectionName;
use vroom_protocol::graphical::{CLIPBOARD_CHANNEL, PATCHES_CHANNEL};
use vroom_protocol::terminal::{ChannelName, ChannelNameError};
use vroom_protocol::{ChannelSpec, Code, files, forward};

/// What a channel is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Lane {
    /// Moves and scrolling.
    Pointer,
    /// Keys, buttons and touch.
    Button,
    /// Pictures.
    Video,
    /// Exact pictures of what keeps still.
    Patches,
    /// Large clipboards.
    Clipboard,
    /// One of the channels of a terminal.
    Shell(ChannelName),
    /// Files.
    Files,
    /// What is forwarded.
    Forwards,
    /// One forwarded connection.
    Forwarded(ConnectionName),
}

impl Lane {
    /// What a channel of this name is for; fails with why there is none.
    pub(crate) fn of(spec: &ChannelSpec) -> Result<Self, (Code, &'static str)> {
        let lane = match spec.name.as_str() {
            // A client that knows no unreliable channels may have a reliable one.
            "pointer" => return Ok(Self::Pointer),
            "button" => Self::Button,
            "video" => Self::Video,
            PATCHES_CHANNEL => Self::Patches,
            CLIPBOARD_CHANNEL => Self::Clipboard,
            files::CHANNEL => Self::Files,
            forward::CHANNEL => Self::Forwards,
            name => match (ChannelName::parse(name), ConnectionName::parse(name)) {
                (Ok(name), _) => Self::Shell(name),
                (Err(_), Some(name)) => Self::Forwarded(name),
                (Err(error @ ChannelNameError::NotATerminal), None) => {
                    return Err((error.code(), "there is no such channel"));
                }
                (Err(error), None) => {
                    return Err((error.code(), "that is not the name of a terminal"));
                }
            },
        };
        if spec.reliable && spec.ordered {
            Ok(lane)
        } else {
            Err((
                Code::UNSUPPORTED,
                "that channel has to be reliable and ordered",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use vroom_protocol::terminal::Plane;

    use super::*;

    fn of(name: &str) -> Result<Lane, (Code, &'static str)> {
        Lane::of(&ChannelSpec::reliable(name))
    }

    #[test]
    fn terminals_are_told_apart_by_their_key() {
        let lane = |key: Option<&str>, plane| {
            Ok(Lane::Shell(ChannelName {
                plane,
                key: key.map(str::to_owned),
            }))
        };
        assert_eq!(of("vroom.terminal.control"), lane(None, Plane::Control));
        assert_eq!(of("vroom.terminal.pty#2"), lane(Some("2"), Plane::Pty));
        assert_eq!(
            of("vroom.terminal.stderr#x"),
            lane(Some("x"), Plane::Stderr)
        );
    }

    #[test]
    fn files_and_forwards_have_channels_of_their_own() {
        assert_eq!(of("file-transfer"), Ok(Lane::Files));
        assert_eq!(of("port-forward-ctl"), Ok(Lane::Forwards));
        let name = ConnectionName {
            forward: 1,
            connection: 2,
        };
        assert_eq!(of("fwd-1-conn-2"), Ok(Lane::Forwarded(name)));
        assert_eq!(of("fwd-1-conn-x").unwrap_err().0, Code::UNSUPPORTED);
    }

    #[test]
    fn other_names_and_wrong_promises_are_refused() {
        for name in ["", "data", "Pointer", "vroom.terminal", "control"] {
            assert_eq!(of(name).unwrap_err().0, Code::UNSUPPORTED);
        }
        assert_eq!(
            of("vroom.terminal.pty#").unwrap_err().0,
            Code::INVALID_MESSAGE
        );
        for name in [
            "button",
            "video",
            "patches",
            "clipboard",
            "vroom.terminal.pty",
        ] {
            assert_eq!(
                Lane::of(&ChannelSpec::lossy(name)).unwrap_err().0,
                Code::UNSUPPORTED
            );
        }
        assert_eq!(Lane::of(&ChannelSpec::lossy("pointer")), Ok(Lane::Pointer));
    }
}
