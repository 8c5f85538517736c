//! Programs as they behave on a terminal.

use vroom_predict::Mode;

/// A program: bytes typed go in, bytes for the terminal come out.
pub(crate) trait Program {
    /// What it shows before anything is typed.
    fn start(&mut self) -> Vec<u8>;
    fn input(&mut self, byte: u8) -> Vec<u8>;
    fn mode(&self) -> Mode;
    /// Whether it reads a secret now.
    fn is_secret(&self) -> bool {
        false
    }
}

const RAW: Mode = Mode {
    echo: false,
    canonical: false,
    alternate: false,
    mouse: false,
    keys_as_codes: false,
};
const COOKED: Mode = Mode {
    echo: true,
    canonical: true,
    ..RAW
};
const PASSWORD: Mode = Mode {
    echo: false,
    canonical: true,
    ..RAW
};

/// A shell that edits its line, completes with Tab, and has a command that asks for a password.
#[derive(Default)]
pub(crate) struct Shell {
    line: Vec<char>,
    /// Characters left of the cursor.
    place: usize,
    escape: Vec<u8>,
    partial: Vec<u8>,
    asks: bool,
    /// A faint rest of the line stands behind the cursor, and typing goes over it.
    suggests: bool,
}

const PROMPT: &str = "user@host:~$ ";

impl Shell {
    /// One that shows the end of the line in advance.
    pub(crate) fn suggesting() -> Self {
        Self {
            suggests: true,
            ..Self::default()
        }
    }

    fn redraw(&self, before: &[char]) -> Vec<u8> {
        // As readline does: plain text at the end, everything else from the cursor on.
        let mut out = String::new();
        if self.line.len() == before.len() + 1 && self.place == self.line.len() {
            out.push(self.line[self.place - 1]);
        } else {
            let width: usize = PROMPT.len()
                + self
                    .line
                    .iter()
                    .take(self.place)
                    .map(|char| width(*char))
                    .sum::<usize>();
            let text: String = self.line.iter().collect();
            out = format!("\r{PROMPT}{text}\x1b[K\r\x1b[{width}C");
        }
        if self.suggests && !self.line.is_empty() && self.place == self.line.len() {
            let ghost = &"echo the quick brown fox"
                .chars()
                .skip(self.line.len())
                .collect::<String>();
            out.push_str(&format!("\x1b[0;2m{ghost}\x1b[0m\x1b[K"));
            if !ghost.is_empty() {
                out.push_str(&format!("\x1b[{}D", ghost.len()));
            }
        }
        out.into_bytes()
    }

    fn run(&mut self) -> Vec<u8> {
        let line: String = self.line.drain(..).collect();
        self.place = 0;
        if line.starts_with("sudo") {
            self.asks = true;
            return b"\r\n[sudo] password: ".to_vec();
        }
        format!("\r\n\x1b[Kyou said: {line}\r\nmore output\r\n{PROMPT}").into_bytes()
    }

    fn key(&mut self, char: char) -> Vec<u8> {
        let before = self.line.clone();
        match char {
            '\r' => return self.run(),
            '\t' => {
                for char in "pleted".chars() {
                    self.line.insert(self.place, char);
                    self.place += 1;
                }
            }
            '\x01' => self.place = 0,
            '\x05' => self.place = self.line.len(),
            '\x7f' if self.place > 0 => {
                self.place -= 1;
                self.line.remove(self.place);
            }
            '\u{300}'.. => {
                self.line.insert(self.place, char);
                self.place += 1;
            }
            _ if char >= ' ' && char != '\x7f' => {
                self.line.insert(self.place, char);
                self.place += 1;
            }
            _ => return b"\x07".to_vec(),
        }
        self.redraw(&before)
    }
}

impl Program for Shell {
    fn start(&mut self) -> Vec<u8> {
        PROMPT.as_bytes().to_vec()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        if self.asks {
            self.asks = byte != b'\r';
            return if self.asks {
                Vec::new()
            } else {
                format!("\r\n{PROMPT}").into_bytes()
            };
        }
        if byte == 0x1b || !self.escape.is_empty() {
            self.escape.push(byte);
            let before = self.line.clone();
            match self.escape.as_slice() {
                b"\x1b[C" => self.place = (self.place + 1).min(self.line.len()),
                b"\x1b[D" => self.place = self.place.saturating_sub(1),
                b"\x1b" | b"\x1b[" => return Vec::new(),
                _ => {}
            }
            self.escape.clear();
            return self.redraw(&before);
        }
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let char = text.chars().next().unwrap();
                self.partial.clear();
                self.key(char)
            }
            Err(error) if error.error_len().is_none() => Vec::new(),
            Err(_) => {
                self.partial.clear();
                Vec::new()
            }
        }
    }

    fn mode(&self) -> Mode {
        if self.asks { PASSWORD } else { RAW }
    }

    fn is_secret(&self) -> bool {
        self.asks
    }
}

/// A program that reads lines and repeats them; the kernel echoes.
#[derive(Default)]
pub(crate) struct Cat {
    line: Vec<u8>,
}

impl Program for Cat {
    fn start(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                [b"\r\n", line.as_slice(), b"\r\n"].concat()
            }
            0x7f => self
                .line
                .pop()
                .map_or_else(Vec::new, |_| b"\x08 \x08".to_vec()),
            0..=0x1f => vec![b'^', byte + 0x40],
            _ => {
                self.line.push(byte);
                vec![byte]
            }
        }
    }

    fn mode(&self) -> Mode {
        COOKED
    }
}

/// A line that scrolls sideways when it comes to the edge.
#[derive(Default)]
pub(crate) struct Scroller {
    text: Vec<u8>,
    first: usize,
}

impl Program for Scroller {
    fn start(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        self.text.push(byte);
        if self.text.len() - self.first < 80 {
            return vec![byte];
        }
        self.first = self.text.len() - 40;
        [b"\r", &self.text[self.first..], b"\x1b[K"].concat()
    }

    fn mode(&self) -> Mode {
        RAW
    }
}

/// An editor on the alternate screen: keys are commands until `i`, and text until Escape.
#[derive(Default)]
pub(crate) struct Editor {
    inserts: bool,
    escape: usize,
    at: (usize, usize),
}

impl Editor {
    fn place(&self) -> Vec<u8> {
        format!("\x1b[{};{}H", self.at.0 + 1, self.at.1 + 1).into_bytes()
    }
}

impl Program for Editor {
    fn start(&mut self) -> Vec<u8> {
        b"\x1b[?1049h\x1b[2J\x1b[24;1H-- NORMAL --\x1b[H".to_vec()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        if self.escape > 0 {
            self.escape -= 1;
            return Vec::new();
        }
        match byte {
            0x1b => {
                self.inserts = false;
                [b"\x1b[24;1H-- NORMAL --".to_vec(), self.place()].concat()
            }
            b'i' if !self.inserts => {
                self.inserts = true;
                [b"\x1b[24;1H-- INSERT --".to_vec(), self.place()].concat()
            }
            0x20..=0x7e if self.inserts => {
                self.at.1 = (self.at.1 + 1) % 60;
                [vec![byte], self.place()].concat()
            }
            b'\r' | b'j' => {
                self.at = (
                    (self.at.0 + 1) % 20,
                    if byte == b'j' { self.at.1 } else { 0 },
                );
                self.place()
            }
            b'k' => {
                self.at.0 = self.at.0.saturating_sub(1);
                self.place()
            }
            b'l' => {
                self.at.1 = (self.at.1 + 1) % 60;
                self.place()
            }
            _ => Vec::new(),
        }
    }

    fn mode(&self) -> Mode {
        Mode {
            alternate: true,
            ..RAW
        }
    }
}

/// A shell of sorts that swallows every third key.
#[derive(Default)]
pub(crate) struct Swallower {
    keys: u32,
}

impl Program for Swallower {
    fn start(&mut self) -> Vec<u8> {
        b"> ".to_vec()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        self.keys += 1;
        if self.keys.is_multiple_of(3) || !(0x20..0x7f).contains(&byte) {
            return Vec::new();
        }
        vec![byte]
    }

    fn mode(&self) -> Mode {
        RAW
    }
}

/// A password prompt that switches off the echo itself and shows stars or nothing, and says nothing of it.
pub(crate) struct SilentPrompt {
    pub(crate) stars: bool,
}

impl Program for SilentPrompt {
    fn start(&mut self) -> Vec<u8> {
        b"Passphrase: ".to_vec()
    }

    fn input(&mut self, byte: u8) -> Vec<u8> {
        match byte {
            b'\r' => b"\r\nPassphrase: ".to_vec(),
            0x7f if self.stars => b"\x08 \x08".to_vec(),
            0x20.. if self.stars => b"*".to_vec(),
            _ => Vec::new(),
        }
    }

    fn mode(&self) -> Mode {
        RAW
    }

    fn is_secret(&self) -> bool {
        true
    }
}

fn width(char: char) -> usize {
    usize::from(vroom_predict::Glyph::new(char).map_or(0, |glyph| glyph.width()))
}
