//! `vroom generate`: man pages and completions from the definition of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::Failure;
use crate::cli::{Cli, Generate, Generated};

/// Writes files into a folder.
pub(super) fn run(generate: &Generate) -> Result<(), Failure> {
    let write = || {
        fs::create_dir_all(&generate.dir)?;
        match generate.what {
            Generated::Man => man_pages(&generate.dir),
            Generated::Completions => completions(&generate.dir),
        }
    };
    write().map_err(|error: io::Error| {
        Failure::new(format!("cannot write to {}: {error}", generate.dir.display()))
    })
}

/// One page per command.
fn man_pages(dir: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    page(&command, "vroom", dir)?;
    for sub in command.get_subcommands() {
        if sub.get_name() != "help" {
            page(sub, &format!("vroom-{}", sub.get_name()), dir)?;
        }
    }
    Ok(())
}

fn page(command: &Command, name: &str, dir: &Path) -> io::Result<()> {
    // Help of help says nothing, and the pages of commands have their own names.
    let man = clap_mangen::Man::new(command.clone().disable_help_subcommand(true))
        .title(name.to_uppercase())
        .date(DATE)
        .source(concat!("vroom ", env!("CARGO_PKG_VERSION")))
        .manual("VROOM");
    let mut text = Vec::new();
    man.render(&mut text)?;
    fs::write(dir.join(format!("{name}.1")), tidy(&text))
}

/// Takes out what mandoc warns about: blanks at ends of lines and empty lines.
fn tidy(page: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(page);
    let mut tidy = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_end();
        if !line.is_empty() {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy.into_bytes()
}

fn completions(dir: &Path) -> io::Result<()> {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "vroom", dir)?;
    }
    Ok(())
}

/// The date on the pages: that of the version, so that the same sources give the same pages.
const DATE: &str = "2026-11-20";
