//! The terminal modes of a PTY_REQUEST.

use std::collections::BTreeMap;

use nix::libc;
use nix::sys::termios::{
    BaudRate, ControlFlags, InputFlags, LocalFlags, OutputFlags, SpecialCharacterIndices as Index,
    Termios, cfsetispeed, cfsetospeed,
};

/// Applies modes to a terminal's attributes; unknown ones are ignored.
///
/// The keys are the opcodes of RFC 4254 §8 and RFC 8160. Input is UTF-8 unless the modes say otherwise.
pub(crate) fn apply(modes: &BTreeMap<u8, u32>, termios: &mut Termios) {
    termios.input_flags.insert(InputFlags::IUTF8);
    for (opcode, value) in modes {
        let on = *value != 0;
        if let Some(index) = special_character(*opcode) {
            // 255 disables the character; others do not fit a byte and mean nothing.
            if let Ok(char) = u8::try_from(*value)
                && let Some(slot) = termios.control_chars.get_mut(index as usize)
            {
                *slot = if char == 255 { DISABLED } else { char };
            }
        } else if let Some(flag) = input_flag(*opcode) {
            termios.input_flags.set(flag, on);
        } else if let Some(flag) = local_flag(*opcode) {
            termios.local_flags.set(flag, on);
        } else if let Some(flag) = output_flag(*opcode) {
            termios.output_flags.set(flag, on);
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

fn input_flag(opcode: u8) -> Option<InputFlags> {
    Some(match opcode {
        30 => InputFlags::IGNPAR,
        31 => InputFlags::PARMRK,
        32 => InputFlags::INPCK,
        33 => InputFlags::ISTRIP,
        34 => InputFlags::INLCR,
        35 => InputFlags::IGNCR,
        36 => InputFlags::ICRNL,
        37 => InputFlags::from_bits_retain(libc::IUCLC),
        38 => InputFlags::IXON,
        39 => InputFlags::IXANY,
        40 => InputFlags::IXOFF,
        41 => InputFlags::IMAXBEL,
        42 => InputFlags::IUTF8,
        _ => return None,
    })
}

fn local_flag(opcode: u8) -> Option<LocalFlags> {
    Some(match opcode {
        50 => LocalFlags::ISIG,
        51 => LocalFlags::ICANON,
        53 => LocalFlags::ECHO,
        54 => LocalFlags::ECHOE,
        55 => LocalFlags::ECHOK,
        56 => LocalFlags::ECHONL,
        57 => LocalFlags::NOFLSH,
        58 => LocalFlags::TOSTOP,
        59 => LocalFlags::IEXTEN,
        60 => LocalFlags::ECHOCTL,
        61 => LocalFlags::ECHOKE,
        62 => LocalFlags::PENDIN,
        _ => return None,
    })
}

fn output_flag(opcode: u8) -> Option<OutputFlags> {
    Some(match opcode {
        70 => OutputFlags::OPOST,
        71 => OutputFlags::OLCUC,
        72 => OutputFlags::ONLCR,
        73 => OutputFlags::OCRNL,
        74 => OutputFlags::ONOCR,
        75 => OutputFlags::ONLRET,
        _ => return None,
    })
}

/// Applies what describes a serial line.
fn apply_line(opcode: u8, value: u32, termios: &mut Termios) {
    let on = value != 0;
    let flags = &mut termios.control_flags;
    match opcode {
        90 | 91 if on => {
            flags.remove(ControlFlags::CSIZE);
            flags.insert(if opcode == 90 {
                ControlFlags::CS7
            } else {
                ControlFlags::CS8
            });
        }
        92 => flags.set(ControlFlags::PARENB, on),
        93 => flags.set(ControlFlags::PARODD, on),
        128 | 129 => {
            if let Some(speed) = speed(value) {
                // Only an unknown speed fails, and these are known.
                let set = if opcode == 128 {
                    cfsetispeed(termios, speed)
                } else {
                    cfsetospeed(termios, speed)
                };
                debug_assert!(set.is_ok(), "the speed is one of the system's");
            }
        }
        _ => {}
    }
}

/// The speeds that have a name; a PTY has none of its own, but programs pad by it.
fn speed(bits_per_second: u32) -> Option<BaudRate> {
    Some(match bits_per_second {
        300 => BaudRate::B300,
        1200 => BaudRate::B1200,
        2400 => BaudRate::B2400,
        4800 => BaudRate::B4800,
        9600 => BaudRate::B9600,
        19_200 => BaudRate::B19200,
        38_400 => BaudRate::B38400,
        57_600 => BaudRate::B57600,
        115_200 => BaudRate::B115200,
        230_400 => BaudRate::B230400,
        _ => return None,
    })
}

/// What Linux takes for no character at all.
const DISABLED: u8 = 0;
