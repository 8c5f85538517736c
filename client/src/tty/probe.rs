//! What the person's terminal can do: it is asked, and has a moment to answer.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};
use vroom_protocol::terminal::{Capabilities, Extensions, Keyboard, Kitty, TerminalInfo};

use super::{Input, Output};

/// What the terminal answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Probed {
    /// It knows the kitty keyboard protocol.
    pub kitty_keyboard: bool,
    /// It shows pictures of the kitty protocol.
    pub kitty_graphics: bool,
    /// It shows sixel pictures.
    pub sixel: bool,
    /// It can show frames whole.
    pub synchronized: bool,
    /// Its name and version.
    pub name: Option<String>,
    /// Whether it answered at all.
    pub answered: bool,
}

/// Asks the terminal, which has to be in raw mode; what was typed meanwhile is put back.
pub async fn probe(input: &mut Input, output: &mut Output) -> io::Result<Probed> {
    output.push(Bytes::from_static(QUESTIONS));
    output.flush().await?;
    let deadline = Instant::now() + WAIT;
    let mut answers = Answers::default();
    while !answers.probed.answered {
        match timeout_at(deadline, input.read()).await {
            Ok(bytes) => {
                let bytes = bytes?;
                if bytes.is_empty() {
                    break;
                }
                answers.push(&bytes);
            }
            Err(_) => break,
        }
    }
    let (probed, typed) = answers.finish();
    input.put_back(typed);
    Ok(probed)
}

impl Probed {
    /// What is offered to the server: what the terminal answered, and what all of them can do.
    #[must_use]
    pub fn capabilities(&self, extensions: Extensions) -> Capabilities {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let color = std::env::var("COLORTERM").unwrap_or_default();
        Capabilities {
            protocol_version: Some(vroom_protocol::terminal::VERSION),
            terminal: Some(TerminalInfo {
                name: self.name.clone(),
                unicode_version: None,
                truecolor: Some(matches!(color.as_str(), "truecolor" | "24bit")),
            }),
            kitty: Some(Kitty {
                keyboard: Some(Keyboard {
                    supported_levels: Some(if self.kitty_keyboard {
                        Capabilities::LEVELS.to_vec()
                    } else {
                        Vec::new()
                    }),
                    preferred_level: None,
                }),
                graphics: Some(self.kitty_graphics),
                sixel: Some(self.sixel),
                synchronized_output: Some(self.synchronized),
            }),
            mouse: Some(owned(&["sgr", "xterm"])),
            features: Some(owned(&Capabilities::FEATURES)),
            extensions: Some(extensions),
        }
    }
}

/// Tells answers from what a person types.
#[derive(Debug, Default)]
struct Answers {
    probed: Probed,
    pending: BytesMut,
    typed: BytesMut,
}

impl Answers {
    fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            match answer_len(&self.pending) {
                Some(0) => {
                    let byte = self.pending.split_to(1);
                    self.typed.extend_from_slice(&byte);
                }
                Some(len) => {
                    let answer = self.pending.split_to(len);
                    if !self.take(&answer) {
                        self.typed.extend_from_slice(&answer);
                    }
                }
                None => return,
            }
        }
    }

    /// Takes an answer; says whether it is one of ours.
    fn take(&mut self, answer: &[u8]) -> bool {
        let probed = &mut self.probed;
        match answer {
            [b'\x1b', b'[', b'?', flags @ .., b'u'] if is_digits(flags) => {
                probed.kitty_keyboard = true;
            }
            [
                b'\x1b',
                b'[',
                b'?',
                b'2',
                b'0',
                b'2',
                b'6',
                b';',
                state,
                b'$',
                b'y',
            ] => {
                probed.synchronized = matches!(state, b'1' | b'2');
            }
            [b'\x1b', b'[', b'?', attributes @ .., b'c'] => {
                probed.answered = true;
                probed.sixel = attributes
                    .split(|byte| *byte == b';')
                    .any(|item| item == b"4");
            }
            [b'\x1b', b'P', b'>', b'|', name @ .., b'\x1b', b'\\'] => {
                let name = String::from_utf8_lossy(name);
                let name: String = name.chars().filter(|c| !c.is_control()).collect();
                probed.name = Some(name.chars().take(NAME_CHARS_MAX).collect());
            }
            [b'\x1b', b'_', b'G', rest @ .., b'\x1b', b'\\'] => {
                probed.kitty_graphics = rest.ends_with(b";OK");
            }
            _ => return false,
        }
        true
    }

    fn finish(mut self) -> (Probed, Bytes) {
        self.typed.extend_from_slice(&self.pending);
        (self.probed, self.typed.freeze())
    }
}

/// The length of what looks like an answer at the start; 0 for what does not, `None` for too little
/// to tell.
fn answer_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\x1b'] => None,
        [b'\x1b', b'['] => None,
        [b'\x1b', b'[', b'?', rest @ ..] => {
            let end = rest
                .iter()
                .position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b'$'))?;
            Some(end + 4)
        }
        [b'\x1b', b'P' | b'_', rest @ ..] => {
            let end = rest.windows(2).position(|pair| pair == b"\x1b\\");
            match end {
                Some(end) => Some(end + 4),
                None if rest.len() > STRING_BYTES_MAX => Some(0),
                None => None,
            }
        }
        _ => Some(0),
    }
}

fn is_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// Kitty keyboard, synchronized output, version, kitty pictures, and last what all terminals answer.
const QUESTIONS: &[u8] =
    b"\x1b[?u\x1b[?2026$p\x1b[>0q\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c";

/// How long the terminal may take; then it can do nothing special.
const WAIT: Duration = Duration::from_millis(250);

/// The longest string that is waited for as an answer; a longer one was typed.
const STRING_BYTES_MAX: usize = 1024;

/// The longest name that is passed on.
const NAME_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const KITTY: &[u8] =
        b"\x1b[?0u\x1b[?2026;2$y\x1bP>|kitty(0.35.2)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c";

    #[test]
    fn answers_are_understood_at_any_cut() {
        for cut in 0..KITTY.len() {
            let mut answers = Answers::default();
            answers.push(&KITTY[..cut]);
            answers.push(&KITTY[cut..]);
            let (probed, typed) = answers.finish();
            assert!(probed.answered && probed.kitty_keyboard && probed.kitty_graphics);
            assert!(probed.sixel && probed.synchronized);
            assert_eq!(probed.name.as_deref(), Some("kitty(0.35.2)"));
            assert_eq!(typed, Bytes::new());
        }
    }

    #[test]
    fn what_is_typed_between_the_answers_is_kept() {
        let mut answers = Answers::default();
        answers.push(b"ls\r\x1b[A\x1b[?1;2cx");
        let (probed, typed) = answers.finish();
        assert!(probed.answered && !probed.sixel && !probed.kitty_keyboard);
        assert_eq!(&typed[..], b"ls\r\x1b[Ax");
    }

    #[test]
    fn a_terminal_that_knows_little_is_offered_little() {
        let mut answers = Answers::default();
        answers.push(b"\x1b[?2026;0$y\x1b_Gi=31;ENOTSUP\x1b\\\x1b[?1c");
        let (probed, _) = answers.finish();
        assert_eq!(
            probed,
            Probed {
                answered: true,
                ..Probed::default()
            }
        );
        let offer = probed.capabilities(Extensions::default());
        let kitty = offer.kitty.unwrap();
        assert_eq!(kitty.graphics, Some(false));
        assert_eq!(kitty.keyboard.unwrap().supported_levels, Some(vec![]));
    }
}
