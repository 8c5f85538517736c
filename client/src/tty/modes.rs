//! The modes of the person's terminal in the numbers of PTY_REQUEST.

use std::collections::BTreeMap;

use rustix::termios::{
    ControlModes, InputModes, LocalModes, OutputModes, SpecialCodeIndex, Termios,
};

/// The modes of a terminal by RFC 4254 opcode.
pub fn pty_modes(termios: &Termios) -> BTreeMap<u8, u32> {
    let codes = CODES
        .iter()
        .map(|(opcode, index)| (*opcode, u32::from(termios.special_codes[*index])));
    let input = INPUT
        .iter()
        .map(|(opcode, mode)| (*opcode, termios.input_modes.contains(*mode)));
    let local = LOCAL
        .iter()
        .map(|(opcode, mode)| (*opcode, termios.local_modes.contains(*mode)));
    let output = OUTPUT
        .iter()
        .map(|(opcode, mode)| (*opcode, termios.output_modes.contains(*mode)));
    let control = CONTROL
        .iter()
        .map(|(opcode, mode)| (*opcode, termios.control_modes.contains(*mode)));
    let bytes = [(
        CS8,
        termios.control_modes & ControlModes::CSIZE == ControlModes::CS8,
    )];
    let flags = input.chain(local).chain(output).chain(control).chain(bytes);
    codes
        .chain(flags.map(|(opcode, is_on)| (opcode, u32::from(is_on))))
        .collect()
}

const CODES: [(u8, SpecialCodeIndex); 13] = [
    (1, SpecialCodeIndex::VINTR),
    (2, SpecialCodeIndex::VQUIT),
    (3, SpecialCodeIndex::VERASE),
    (4, SpecialCodeIndex::VKILL),
    (5, SpecialCodeIndex::VEOF),
    (6, SpecialCodeIndex::VEOL),
    (7, SpecialCodeIndex::VEOL2),
    (8, SpecialCodeIndex::VSTART),
    (9, SpecialCodeIndex::VSTOP),
    (10, SpecialCodeIndex::VSUSP),
    (12, SpecialCodeIndex::VREPRINT),
    (13, SpecialCodeIndex::VWERASE),
    (14, SpecialCodeIndex::VLNEXT),
];

const INPUT: [(u8, InputModes); 13] = [
    (30, InputModes::IGNPAR),
    (31, InputModes::PARMRK),
    (32, InputModes::INPCK),
    (33, InputModes::ISTRIP),
    (34, InputModes::INLCR),
    (35, InputModes::IGNCR),
    (36, InputModes::ICRNL),
    (37, InputModes::IUCLC),
    (38, InputModes::IXON),
    (39, InputModes::IXANY),
    (40, InputModes::IXOFF),
    (41, InputModes::IMAXBEL),
    (42, InputModes::IUTF8),
];

const LOCAL: [(u8, LocalModes); 11] = [
    (50, LocalModes::ISIG),
    (51, LocalModes::ICANON),
    (53, LocalModes::ECHO),
    (54, LocalModes::ECHOE),
    (55, LocalModes::ECHOK),
    (56, LocalModes::ECHONL),
    (57, LocalModes::NOFLSH),
    (58, LocalModes::TOSTOP),
    (59, LocalModes::IEXTEN),
    (60, LocalModes::ECHOCTL),
    (61, LocalModes::ECHOKE),
];

const OUTPUT: [(u8, OutputModes); 6] = [
    (70, OutputModes::OPOST),
    (71, OutputModes::OLCUC),
    (72, OutputModes::ONLCR),
    (73, OutputModes::OCRNL),
    (74, OutputModes::ONOCR),
    (75, OutputModes::ONLRET),
];

const CONTROL: [(u8, ControlModes); 2] = [(92, ControlModes::PARENB), (93, ControlModes::PARODD)];

const CS8: u8 = 91;
