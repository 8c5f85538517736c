//! The terminal modes of a PTY_REQUEST.

use std::collections::BTreeMap;

use rustix::termios::{
    ControlModes, InputModes, LocalModes, OutputModes, SpecialCodeIndex as Index, Termios,
};

/// Applies modes to a terminal's attributes; unknown ones are ignored.
///
/// The keys are the opcodes of RFC 4254 §8 and RFC 8160. Input is UTF-8 unless the modes say otherwise.
pub(crate) fn apply(modes: &BTreeMap<u8, u32>, termios: &mut Termios) {
    termios.input_modes.insert(InputModes::IUTF8);
    for (opcode, value) in modes {
        let on = *value != 0;
        if let Some(index) = special_character(*opcode) {
            // 255 disables the character; others do not fit a byte and mean nothing.
            if let Ok(char) = u8::try_from(*value) {
                termios.special_codes[index] = if char == 255 { DISABLED } else { char };
            }
        } else if let Some(flag) = input_flag(*opcode) {
            termios.input_modes.set(flag, on);
        } else if let Some(flag) = local_flag(*opcode) {
            termios.local_modes.set(flag, on);
        } else if let Some(flag) = output_flag(*opcode) {
            termios.output_modes.set(flag, on);
        } else {
            apply_line(*opcode, *value, termios);
        }
    }
}

fn special_character(opcode: u8) -> Option<Index> {
    Some(match opcode {
        1 => Index::VINTR,
        2 => Index::VQUIT,
        3 => Index::VERASE,
        4 => Index::VKILL,
        5 => Index::VEOF,
        6 => Index::VEOL,
        7 => Index::VEOL2,
        8 => Index::VSTART,
        9 => Index::VSTOP,
        10 => Index::VSUSP,
        12 => Index::VREPRINT,
        13 => Index::VWERASE,
        14 => Index::VLNEXT,
        18 => Index::VDISCARD,
        _ => return None,
    })
}

fn input_flag(opcode: u8) -> Option<InputModes> {
    Some(match opcode {
        30 => InputModes::IGNPAR,
        31 => InputModes::PARMRK,
        32 => InputModes::INPCK,
        33 => InputModes::ISTRIP,
        34 => InputModes::INLCR,
        35 => InputModes::IGNCR,
        36 => InputModes::ICRNL,
        37 => InputModes::IUCLC,
        38 => InputModes::IXON,
        39 => InputModes::IXANY,
        40 => InputModes::IXOFF,
        41 => InputModes::IMAXBEL,
        42 => InputModes::IUTF8,
        _ => return None,
    })
}

fn local_flag(opcode: u8) -> Option<LocalModes> {
    Some(match opcode {
        50 => LocalModes::ISIG,
        51 => LocalModes::ICANON,
        53 => LocalModes::ECHO,
        54 => LocalModes::ECHOE,
        55 => LocalModes::ECHOK,
        56 => LocalModes::ECHONL,
        57 => LocalModes::NOFLSH,
        58 => LocalModes::TOSTOP,
        59 => LocalModes::IEXTEN,
        60 => LocalModes::ECHOCTL,
        61 => LocalModes::ECHOKE,
        62 => LocalModes::PENDIN,
        _ => return None,
    })
}

fn output_flag(opcode: u8) -> Option<OutputModes> {
    Some(match opcode {
        70 => OutputModes::OPOST,
        71 => OutputModes::OLCUC,
        72 => OutputModes::ONLCR,
        73 => OutputModes::OCRNL,
        74 => OutputModes::ONOCR,
        75 => OutputModes::ONLRET,
        _ => return None,
    })
}

/// Applies what describes a serial line.
fn apply_line(opcode: u8, value: u32, termios: &mut Termios) {
    let on = value != 0;
    let flags = &mut termios.control_modes;
    match opcode {
        90 | 91 if on => {
            flags.remove(ControlModes::CSIZE);
            flags.insert(if opcode == 90 {
                ControlModes::CS7
            } else {
                ControlModes::CS8
            });
        }
        92 => flags.set(ControlModes::PARENB, on),
        93 => flags.set(ControlModes::PARODD, on),
        // A PTY has no speed of its own, but programs pad by it; one that cannot be set does not matter.
        128 => termios.set_input_speed(value).unwrap_or_default(),
        129 => termios.set_output_speed(value).unwrap_or_default(),
        _ => {}
    }
}

/// What Linux takes for no character at all.
const DISABLED: u8 = 0;
