//! What is said to the person, and what the person is asked.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::options::LogLevel;

/// Speaks to the person.
///
/// Clones speak to the same person.
#[derive(Clone, Debug)]
pub struct Ui {
    level: LogLevel,
    /// Whether nobody may be asked anything.
    batch: bool,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Set while a terminal session has the keyboard: it asks on its own.
    session: Option<mpsc::Sender<Question>>,
}

/// A question for whoever has the keyboard.
#[derive(Debug)]
pub struct Question {
    /// What to ask; answered by one key.
    pub text: String,
    /// Where the answer goes.
    pub answer: oneshot::Sender<bool>,
}

impl Ui {
    /// Speaks as much as told.
    #[must_use]
    pub fn new(level: LogLevel, batch: bool) -> Self {
        Self {
            level,
            batch,
            shared: Arc::default(),
        }
    }

    /// How much is said.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        self.level
    }

    /// Says something that the person should know.
    pub fn notice(&self, text: &str) {
        if self.level >= LogLevel::Info {
            self.say(text);
        }
    }

    /// Says what happens, to those who want to know.
    pub fn verbose(&self, text: &str) {
        if self.level >= LogLevel::Verbose {
            self.say(text);
        }
    }

    /// Says what went wrong.
    pub fn error(&self, text: impl fmt::Display) {
        self.say(&format!("vroom: {text}"));
    }

    fn say(&self, text: &str) {
        let raw = self.lock().session.is_some();
        let end = if raw { "\r\n" } else { "\n" };
        let text = in_words(text).replace('\n', end);
        // Standard error may be closed; there is nobody left to tell.
        drop(write!(io::stderr(), "{text}{end}"));
    }

    /// Lets a terminal session ask from now on, for as long as the receiver lives.
    pub fn take_over(&self) -> mpsc::Receiver<Question> {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        self.lock().session = Some(sender);
        receiver
    }

    /// The terminal session gave the keyboard back.
    pub fn give_back(&self) {
        self.lock().session = None;
    }

    /// Asks for a line on the terminal of the process.
    pub async fn ask(&self, prompt: &str) -> Result<String, Error> {
        self.line(prompt, true).await
    }

    /// Asks for a line that is not shown.
    pub async fn ask_secret(&self, prompt: &str) -> Result<String, Error> {
        self.line(prompt, false).await
    }

    /// Asks a question that is answered by yes or no; nobody to ask is no.
    pub async fn confirm(&self, text: &str) -> bool {
        let session = self.lock().session.clone();
        if let Some(session) = session {
            let (answer, answered) = oneshot::channel();
            let question = Question {
                text: text.to_owned(),
                answer,
            };
            return match session.send(question).await {
                Ok(()) => answered.await.unwrap_or(false),
                Err(_) => false,
            };
        }
        let answer = self.ask(&format!("{text} (yes/no) ")).await;
        answer.is_ok_and(|answer| matches!(answer.trim(), "y" | "yes"))
    }

    async fn line(&self, prompt: &str, echo: bool) -> Result<String, Error> {
        if self.batch {
            return Err(Error::Declined(format!(
                "nobody may be asked {prompt:?} in batch mode"
            )));
        }
        if self.lock().session.is_some() {
            return Err(Error::Declined(
                "the terminal is in use; nothing can be asked".to_owned(),
            ));
        }
        let prompt = prompt.to_owned();
        let read = tokio::task::spawn_blocking(move || read_line(&prompt, echo)).await;
        let line = read.map_err(|_| Error::Declined("nothing was answered".to_owned()))?;
        line.map_err(|source| Error::Io {
            what: "cannot ask on the terminal",
            source,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the numbers of the system's errors out of a text for people.
#[must_use]
pub fn in_words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OS_ERROR) {
        words.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    words.replace(LOOKUP, "")
}

/// Reads a line from the terminal of the process, whatever standard input is.
fn read_line(prompt: &str, echo: bool) -> io::Result<String> {
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let hidden = if echo { None } else { Some(Hidden::new(&tty)?) };
    tty.write_all(prompt.as_bytes())?;
    tty.flush()?;
    let mut line = String::new();
    let read = BufReader::new(&tty).read_line(&mut line)?;
    if hidden.is_some() {
        drop(hidden);
        (&tty).write_all(b"\n")?;
    }
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until dropped.
struct Hidden {
    tty: File,
    before: rustix::termios::Termios,
}

impl Hidden {
    fn new(tty: &File) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO;
        tcsetattr(tty, OptionalActions::Flush, &hidden)?;
        Ok(Self {
            tty: tty.try_clone()?,
            before,
        })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to give back.
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
    }
}

/// How many questions may wait; then those who ask wait, too.
const QUESTIONS: usize = 4;

/// What stands before the reason why a name has no address.
const LOOKUP: &str = "failed to lookup address information: ";

/// How the number of an error begins behind its words.
const OS_ERROR: &str = " (os error ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_words() {
        let error = io::Error::from_raw_os_error(2);
        let text = in_words(&format!("a: {error}; b: {error}!"));
        assert_eq!(
            text,
            "a: No such file or directory; b: No such file or directory!"
        );
        assert_eq!(in_words("nothing (of that)"), "nothing (of that)");
    }
}
