//! The escape character: what is typed for us and not for the program.

/// Tells what is typed for us from what is typed for the program.
#[derive(Clone, Debug)]
pub(super) struct Escapes {
    char: Option<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// At the beginning of a line, where alone the character counts.
    LineStart,
    Elsewhere,
    /// After the character.
    Escaped,
}

/// What was typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    /// Bytes for the program.
    Bytes(Vec<u8>),
    /// Leave.
    Leave,
    /// Stop for a while.
    Suspend,
    /// List what is forwarded.
    Forwards,
    /// Say what can be typed here.
    Help,
    /// Go on over a new transport.
    Redial,
    /// Say how the connection does.
    Status,
}

impl Escapes {
    /// Looks for this character, or for none.
    #[must_use]
    pub(super) fn new(char: Option<u8>) -> Self {
        Self {
            char,
            state: State::LineStart,
        }
    }

    /// Takes what was read, and says what it means, in order.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let Some(char) = self.char else {
            return vec![Typed::Bytes(bytes.to_vec())];
        };
        let mut typed = Vec::new();
        let mut plain = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match self.state {
                State::LineStart if byte == char => {
                    self.state = State::Escaped;
                    continue;
                }
                State::Escaped => {
                    let ours = match byte {
                        b'.' => Some(Typed::Leave),
                        0x1A => Some(Typed::Suspend),
                        b'#' => Some(Typed::Forwards),
                        b'?' => Some(Typed::Help),
                        b'R' => Some(Typed::Redial),
                        b's' => Some(Typed::Status),
                        _ => None,
                    };
                    if let Some(ours) = ours {
                        if !plain.is_empty() {
                            typed.push(Typed::Bytes(std::mem::take(&mut plain)));
                        }
                        typed.push(ours);
                        self.state = State::LineStart;
                        continue;
                    }
                    if byte != char {
                        plain.push(char);
                    }
                }
                State::LineStart | State::Elsewhere => {}
            }
            plain.push(byte);
            self.state = match byte {
                b'\r' | b'\n' => State::LineStart,
                _ => State::Elsewhere,
            };
        }
        if !plain.is_empty() {
            typed.push(Typed::Bytes(plain));
        }
        typed
    }

    /// What can be typed, for the person.
    #[must_use]
    pub(super) fn help(&self) -> String {
        let char = match self.char {
            Some(char @ 0x01..=0x1A) => format!("^{}", char::from(char + 0x40)),
            Some(char) => char::from(char).to_string(),
            None => return String::new(),
        };
        format!(
            "Supported escape sequences:\r\n \
             {char}.   - leave\r\n \
             {char}^Z  - suspend vroom\r\n \
             {char}#   - list forwarded connections\r\n \
             {char}s   - say how the connection does\r\n \
             {char}R   - go on over a new transport\r\n \
             {char}?   - this message\r\n \
             {char}{char}   - send the escape character by typing it twice\r\n\
             (Note that escapes are only recognized immediately after newline.)\r\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &[u8]) -> Vec<Typed> {
        let mut escapes = Escapes::new(Some(b'~'));
        let whole = escapes.push(input);
        // Typed one by one it means the same.
        let mut escapes = Escapes::new(Some(b'~'));
        let mut single: Vec<Typed> = Vec::new();
        for byte in input {
            for typed in escapes.push(&[*byte]) {
                match (single.last_mut(), typed) {
                    (Some(Typed::Bytes(before)), Typed::Bytes(bytes)) => before.extend(bytes),
                    (_, typed) => single.push(typed),
                }
            }
        }
        assert_eq!(single, whole);
        whole
    }

    fn bytes(text: &str) -> Typed {
        Typed::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn the_character_counts_at_the_beginning_of_a_line() {
        assert_eq!(typed(b"~."), [Typed::Leave]);
        assert_eq!(typed(b"ls\r~."), [bytes("ls\r"), Typed::Leave]);
        assert_eq!(typed(b"ls ~."), [bytes("ls ~.")]);
        assert_eq!(typed(b"~?~."), [Typed::Help, Typed::Leave]);
        assert_eq!(typed(b"~\x1a"), [Typed::Suspend]);
    }

    #[test]
    fn twice_is_once_for_the_program() {
        assert_eq!(typed(b"~~"), [bytes("~")]);
        assert_eq!(typed(b"~~."), [bytes("~.")]);
    }

    #[test]
    fn what_means_nothing_goes_through_whole() {
        assert_eq!(typed(b"~/bin\r"), [bytes("~/bin\r")]);
        assert_eq!(typed(b"~\r~."), [bytes("~\r"), Typed::Leave]);
    }

    #[test]
    fn without_a_character_nothing_is_ours() {
        let mut escapes = Escapes::new(None);
        assert_eq!(escapes.push(b"~."), [bytes("~.")]);
    }
}
