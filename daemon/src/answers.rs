//! What terminals say by themselves: answers to the questions of a program, and where the focus is.

/// Whether bytes are nothing but what a terminal says by itself, as far as that can be told from keys.
///
/// Every terminal that shows a program answers it. Only one may: that of whoever drives.
pub(crate) fn are_only(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(sequence) = rest.strip_prefix(b"\x1b") {
        let length = match sequence.first() {
            Some(b'[') => control(sequence.get(1..).unwrap_or_default()),
            // Status strings, colours and clipboards, images.
            Some(b'P' | b']' | b'_') => string(sequence.get(1..).unwrap_or_default()),
            _ => None,
        };
        let Some(length) = length else {
            return false;
        };
        rest = sequence.get(1 + length..).unwrap_or_default();
    }
    rest.is_empty() && !bytes.is_empty()
}

/// The length of a control sequence that no key sends.
fn control(bytes: &[u8]) -> Option<usize> {
    let at = bytes.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    let (parameters, last) = (bytes.get(..at)?, *bytes.get(at)?);
    let private = matches!(parameters.first(), Some(b'?' | b'>' | b'='));
    let is_answer = match last {
        // What it is, whether a mode is set, which keyboard flags are.
        b'c' => private,
        b'y' => parameters.last() == Some(&b'$'),
        b'u' => parameters.first() == Some(&b'?'),
        // That all is well, where the cursor is (F3 begins with 1), how large it is.
        b'n' => true,
        b'R' => !parameters.starts_with(b"1;"),
        b't' => true,
        // Whether it has the focus.
        b'I' | b'O' => parameters.is_empty(),
        _ => false,
    };
    is_answer.then_some(at + 1)
}

/// The length of a string up to its end.
fn string(bytes: &[u8]) -> Option<usize> {
    let bell = bytes.iter().position(|byte| *byte == 0x07).map(|at| at + 1);
    let end = bytes.windows(2).position(|pair| pair == b"\x1b\\");
    let end = end.map(|at| at + 2);
    bell.into_iter().chain(end).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_from_keys() {
        for answer in [
            &b"\x1b[?62;22;52c"[..],
            b"\x1b[>0;276;0c",
            b"\x1b[?2026;2$y\x1b[?1u\x1b[?62c",
            b"\x1b[24;80R",
            b"\x1b[0n",
            b"\x1b[8;24;80t",
            b"\x1b]11;rgb:0000/0000/0000\x1b\\",
            b"\x1b]10;rgb:ffff/ffff/ffff\x07",
            b"\x1bP>|VROOM(1)\x1b\\",
            b"\x1b_Gi=31;OK\x1b\\",
            b"\x1b[I",
            b"\x1b[O",
        ] {
            assert!(are_only(answer), "{answer:?}");
        }
        for typed in [
            &b""[..],
            b"c",
            b"\x1b",
            b"\x1bc",
            b"\x1b[A",
            b"\x1bOA",
            b"\x1b[1;2R",
            b"\x1b[97;5u",
            b"\x1b[<0;1;1M",
            b"\x1b[200~text\x1b[201~",
            b"\x1b[?62c and more",
            b"\x1b[?62c\r",
            b"\x1b]11;never ended",
        ] {
            assert!(!are_only(typed), "{typed:?}");
        }
    }
}
