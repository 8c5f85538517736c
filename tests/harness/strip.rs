//! The text in a terminal's output: what is left without escape sequences and controls.

/// Takes escape sequences out of output, however it is cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strip {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    Escape,
    /// After `ESC` and an intermediate.
    Designation,
    Csi,
    /// A string that ends with ST, or with BEL as well.
    String,
    StringEscape,
}

impl Strip {
    /// Appends the text in these bytes.
    pub fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        for byte in bytes {
            self.state = match (self.state, *byte) {
                (State::Text, ESC) | (State::Csi | State::Designation | State::Escape, ESC) => {
                    State::Escape
                }
                (State::Text, 0x20..=0x7e | 0x80..) => {
                    text.push(*byte);
                    State::Text
                }
                (State::Text, _) => State::Text,
                (State::Escape, b'[') => State::Csi,
                (State::Escape, b']' | b'P' | b'_' | b'^' | b'X' | b'k') => State::String,
                (State::Escape | State::Designation, 0x20..=0x2f) => State::Designation,
                (State::Escape | State::Designation, _) => State::Text,
                (State::Csi, 0x40..=0x7e) => State::Text,
                (State::Csi, _) => State::Csi,
                (State::String, 0x07) => State::Text,
                (State::String | State::StringEscape, ESC) => State::StringEscape,
                (State::String, _) => State::String,
                (State::StringEscape, b'\\') => State::Text,
                (State::StringEscape, _) => State::String,
            };
        }
    }
}

const ESC: u8 = 0x1b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_remains_however_it_is_cut() {
        let output =
            b"a\x1b[1;31mb\x1b]0;title\x07c\x1bP+q54\x1b\\d\x1b(Be\r\n\x1b_Gx;AA\x1b\\f\x1b=g";
        for cut in 0..output.len() {
            let (first, second) = output.split_at(cut);
            let mut strip = Strip::default();
            let mut text = Vec::new();
            strip.push(first, &mut text);
            strip.push(second, &mut text);
            assert_eq!(text, b"abcdefg", "cut at {cut}");
        }
    }
}
