//! Why a program could not be started, on its way from the holder to the daemon.

use std::io;

use super::codec::{Decode, Encode};
use crate::Error;

/// Writes down why a program could not be started.
pub(crate) fn encode(error: &Error, out: &mut Vec<u8>) {
    match error {
        Error::NotFound { program } => {
            out.put_u8(1);
            out.put_text(cut(program));
        }
        Error::NotExecutable { program, source } => {
            out.put_u8(2);
            out.put_text(cut(program));
            out.put_option(source.as_ref(), put_io);
        }
        Error::NoDirectory { path } => {
            out.put_u8(3);
            out.put_text(cut(&path.to_string_lossy()));
        }
        Error::ShellRefused { shell } => {
            out.put_u8(4);
            out.put_text(cut(&shell.to_string_lossy()));
        }
        Error::BadCommand => out.put_u8(5),
        Error::Start { program, source } => {
            out.put_u8(6);
            out.put_text(cut(program));
            put_io(out, source);
        }
        Error::BadSize => out.put_u8(7),
        Error::Pty(source) => {
            out.put_u8(8);
            put_io(out, source);
        }
        Error::BadId { id } => {
            out.put_u8(9);
            out.put_text(cut(id));
        }
        Error::Io(source) => {
            out.put_u8(10);
            put_io(out, source);
        }
        // The others do not happen at a start.
        other => {
            out.put_u8(10);
            put_io(out, &io::Error::other(other.to_string()));
        }
    }
}

/// Reads it again; `None` for what is none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Error> {
    let mut bytes = Decode(bytes);
    Some(match bytes.u8()? {
        1 => Error::NotFound {
            program: bytes.string()?,
        },
        2 => Error::NotExecutable {
            program: bytes.string()?,
            source: bytes.option(take_io)?,
        },
        3 => Error::NoDirectory {
            path: bytes.string()?.into(),
        },
        4 => Error::ShellRefused {
            shell: bytes.string()?.into(),
        },
        5 => Error::BadCommand,
        6 => Error::Start {
            program: bytes.string()?,
            source: take_io(&mut bytes)?,
        },
        7 => Error::BadSize,
        8 => Error::Pty(take_io(&mut bytes)?),
        9 => Error::BadId {
            id: bytes.string()?,
        },
        10 => Error::Io(take_io(&mut bytes)?),
        _ => return None,
    })
}

fn put_io(out: &mut Vec<u8>, error: &io::Error) {
    out.put_option(error.raw_os_error(), |out, number| {
        out.put_raw(&number.to_le_bytes());
    });
    out.put_text(cut(&error.to_string()));
}

fn take_io(bytes: &mut Decode<'_>) -> Option<io::Error> {
    let number = bytes.option(|bytes| Some(i32::from_le_bytes(bytes.raw(4)?.try_into().ok()?)))?;
    let text = bytes.string()?;
    Some(number.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error))
}

/// A text that fits a frame.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The longest text in a report of failure; what is longer is cut.
const TEXT_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_kind_and_their_words() {
        let program = || "vim".to_owned();
        let errors = [
            Error::NotFound { program: program() },
            Error::NotExecutable {
                program: program(),
                source: Some(io::Error::from_raw_os_error(13)),
            },
            Error::NoDirectory {
                path: "/none".into(),
            },
            Error::ShellRefused {
                shell: "/bin/cat".into(),
            },
            Error::BadCommand,
            Error::Start {
                program: program(),
                source: io::Error::other("broken"),
            },
            Error::BadSize,
            Error::Pty(io::Error::from_raw_os_error(28)),
            Error::BadId { id: "a/b".into() },
            Error::Io(io::Error::from_raw_os_error(24)),
        ];
        for error in errors {
            let mut bytes = Vec::new();
            encode(&error, &mut bytes);
            let decoded = decode(&bytes).unwrap();
            assert_eq!(format!("{decoded:?}"), format!("{error:?}"));
            assert_eq!(decoded.exit_code(), error.exit_code());
            for length in 0..bytes.len() {
                assert!(decode(&bytes[..length]).is_none());
            }
        }
    }
}
