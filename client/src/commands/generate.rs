//! `vroom generate`: man pages and completions from the definition of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::Failure;
use crate::cli::{Cli, Generate, Generated, manual};

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
        Failure::new(format!(
            "cannot write to {}: {error}",
            generate.dir.display()
        ))
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
    let text = with_sections(&tidy(&text), manual::sections(name));
    fs::write(dir.join(format!("{name}.1")), text)
}

/// Puts further sections behind the options and before the version, which comes last.
fn with_sections(page: &str, sections: &str) -> String {
    match page.split_once(VERSION) {
        Some((before, after)) => format!("{before}{sections}{VERSION}{after}"),
        None => format!("{page}{sections}"),
    }
}

/// Takes out what mandoc warns about: blanks at ends of lines, empty lines, breaks after breaks and
/// long lines of text.
fn tidy(page: &[u8]) -> String {
    let text = String::from_utf8_lossy(page);
    let mut tidy = String::with_capacity(text.len());
    let mut before = "";
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() || (line == BREAK && before == BREAK) {
            continue;
        }
        let is_text = !line.starts_with(['.', '\'']) && !line.contains("\\f");
        if is_text {
            wrap(line, &mut tidy);
        } else {
            tidy.push_str(line);
        }
        tidy.push('\n');
        before = line;
    }
    tidy
}

/// Breaks a line of text at blanks; a word that would begin a request is not put first.
fn wrap(line: &str, out: &mut String) {
    let mut width = 0;
    for word in line.split(' ') {
        let is_request = word.starts_with(['.', '\'']);
        if width == 0 {
            width = word.len();
        } else if width + 1 + word.len() > LINE_BYTES && !is_request {
            out.push('\n');
            width = word.len();
        } else {
            out.push(' ');
            width += 1 + word.len();
        }
        out.push_str(word);
    }
}

fn completions(dir: &Path) -> io::Result<()> {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "vroom", dir)?;
    }
    Ok(())
}

/// The section that comes last.
const VERSION: &str = ".SH VERSION\n";

/// The request that begins a new line.
const BREAK: &str = ".br";

/// How long a line of text may be.
const LINE_BYTES: usize = 79;

/// The date on the pages: that of the version, so that the same sources give the same pages.
const DATE: &str = "2026-11-20";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_breaks_are_not_doubled() {
        let words = ["word"; 40].join(" ");
        let page = format!(".SH X\n{words}  \n\n.br\n\n.br\n\\fBlong {words}\\fR\n");
        let tidy = tidy(page.as_bytes());
        assert_eq!(tidy.matches(".br").count(), 1);
        let text: Vec<&str> = tidy
            .lines()
            .filter(|line| line.starts_with("word"))
            .collect();
        assert!(text.len() > 1 && text.iter().all(|line| line.len() < 80));
        assert_eq!(text.join(" "), words);
    }
}
