//! What a holder is told when it starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::codec::{Decode, Encode};
use super::meta::Meta;
use crate::{Account, Command, Environment, PtySpec, SpawnConfig, StderrTo, TermKind};

/// What a holder is told when it starts.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// What runs on the terminal.
    pub(crate) config: SpawnConfig,
    pub(crate) meta: Meta,
    pub(crate) keep: Keep,
    /// The folder of its socket.
    pub(crate) dir: PathBuf,
    /// The holder's own file, to become its successor.
    pub(crate) executable: PathBuf,
}

/// How long a holder keeps what nobody asks for.
///
/// A terminal that persists and whose program runs is kept for as long as the system runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep {
    /// How long a terminal that does not persist may be without a daemon.
    pub unattended: Duration,
    /// How long the output and the exit status of a program are kept that ended.
    pub ended: Duration,
}

impl Default for Keep {
    /// Five minutes, and a day.
    fn default() -> Self {
        Self {
            unattended: Duration::from_secs(300),
            ended: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Start {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        encode_config(&self.config, out);
        self.meta.encode(out);
        self.keep.encode(out);
        out.put_os(&self.dir);
        out.put_os(&self.executable);
    }

    pub(crate) fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        Some(Self {
            config: decode_config(bytes)?,
            meta: Meta::decode(bytes)?,
            keep: Keep::decode(bytes)?,
            dir: bytes.path()?,
            executable: bytes.path()?,
        })
    }
}

impl Keep {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        for time in [self.unattended, self.ended] {
            out.put_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        Some(Self {
            unattended: Duration::from_millis(bytes.u64()?),
            ended: Duration::from_millis(bytes.u64()?),
        })
    }
}

fn encode_config(config: &SpawnConfig, out: &mut Vec<u8>) {
    match &config.command {
        Command::Shell { shell, login } => {
            out.put_u8(0);
            out.put_option(shell.as_ref(), |out, shell| out.put_os(shell));
            out.put_bool(*login);
        }
        Command::Line(line) => {
            out.put_u8(1);
            out.put_text(line);
        }
        Command::Program(argv) => {
            out.put_u8(2);
            out.put_u32(u32::try_from(argv.len()).unwrap_or(u32::MAX));
            argv.iter().for_each(|word| out.put_text(word));
        }
    }
    out.put_text(&config.account.name);
    out.put_os(&config.account.home);
    out.put_os(&config.account.shell);
    out.put_option(config.pty.as_ref(), |out, pty| {
        out.put_text(&pty.kind.term);
        out.put_bool(pty.kind.truecolor);
        out.put_size(pty.size);
        out.put_u32(u32::try_from(pty.modes.len()).unwrap_or(u32::MAX));
        for (opcode, value) in &pty.modes {
            out.put_u8(*opcode);
            out.put_u32(*value);
        }
    });
    out.put_bool(config.stderr == StderrTo::Own);
    let vars = &config.env.vars;
    out.put_u32(u32::try_from(vars.len()).unwrap_or(u32::MAX));
    for (name, value) in vars {
        out.put_os(name);
        out.put_os(value);
    }
    out.put_option(config.cwd.as_ref(), |out, cwd| out.put_os(cwd));
}

fn decode_config(bytes: &mut Decode<'_>) -> Option<SpawnConfig> {
    let command = match bytes.u8()? {
        0 => Command::Shell {
            shell: bytes.option(Decode::path)?,
            login: bytes.bool()?,
        },
        1 => Command::Line(bytes.string()?),
        2 => {
            let words = 0..bytes.u32()?;
            let words: Option<_> = words.map(|_| bytes.string()).collect();
            Command::Program(words?)
        }
        _ => return None,
    };
    let account = Account {
        name: bytes.string()?,
        home: bytes.path()?,
        shell: bytes.path()?,
    };
    let pty = bytes.option(|bytes| {
        Some(PtySpec {
            kind: TermKind {
                term: bytes.string()?,
                truecolor: bytes.bool()?,
            },
            size: bytes.size()?,
            modes: (0..bytes.u32()?)
                .map(|_| Some((bytes.u8()?, bytes.u32()?)))
                .collect::<Option<BTreeMap<u8, u32>>>()?,
        })
    })?;
    let stderr = if bytes.bool()? {
        StderrTo::Own
    } else {
        StderrTo::Output
    };
    let vars = (0..bytes.u32()?).map(|_| Some((bytes.os()?, bytes.os()?)));
    let env = Environment {
        vars: vars.collect::<Option<_>>()?,
        refused: Vec::new(),
    };
    Some(SpawnConfig {
        command,
        account,
        pty,
        stderr,
        env,
        cwd: bytes.option(Decode::path)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_arrives_as_it_was_sent() {
        let commands = [
            Command::Line("echo hello".into()),
            Command::Program(vec!["printf".into(), String::new(), "é".into()]),
            Command::Shell {
                shell: Some("/bin/sh".into()),
                login: true,
            },
        ];
        for command in commands {
            let mut meta = Meta::new("a-1");
            meta.name = Some("work".into());
            meta.extra.insert("key".into(), "value".into());
            let start = Start {
                config: SpawnConfig {
                    command,
                    account: Account {
                        name: "ada".into(),
                        home: "/home/ada".into(),
                        shell: "/bin/sh".into(),
                    },
                    pty: Some(PtySpec {
                        kind: TermKind {
                            term: "xterm".into(),
                            truecolor: true,
                        },
                        size: crate::PtySize::default(),
                        modes: BTreeMap::from([(1, 5), (53, 0)]),
                    }),
                    stderr: StderrTo::Output,
                    env: Environment {
                        vars: [("A".into(), "b".into())].into(),
                        refused: Vec::new(),
                    },
                    cwd: Some("/tmp".into()),
                },
                meta,
                keep: Keep::default(),
                dir: "/run/holds".into(),
                executable: "/usr/bin/vroom-hold".into(),
            };
            let mut bytes = Vec::new();
            start.encode(&mut bytes);
            let decoded = Start::decode(&mut Decode(&bytes)).unwrap();
            // The time is kept to the millisecond.
            assert_eq!(
                format!("{:?}", decoded.config),
                format!("{:?}", start.config)
            );
            assert_eq!(decoded.meta.extra, start.meta.extra);
            assert_eq!((decoded.dir, decoded.keep), (start.dir, start.keep));
            for length in 0..bytes.len() {
                assert!(Start::decode(&mut Decode(&bytes[..length])).is_none());
            }
        }
    }
}
