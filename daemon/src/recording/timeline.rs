//! Who was here, who had the floor, and what the files of a recording are: one line of JSON for each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use vroom_protocol::graphical::{Mode, Role};

use super::writer::Job;
use crate::floor::ParticipantId;

/// Where the lines go; cloning it gives another way there.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    began: Instant,
    jobs: mpsc::Sender<Job>,
}

impl Timeline {
    /// Begins the file; its lines count from then.
    pub(super) fn begin(began: Instant, jobs: mpsc::Sender<Job>) -> Self {
        let timeline = Self { began, jobs };
        timeline.send(Job::Open {
            file: FILE,
            name: NAME.to_owned(),
        });
        timeline
    }

    /// When the recording began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Writes a line about now; never waits.
    pub(super) fn say(&self, line: Value) {
        self.say_at(self.began.elapsed(), line);
    }

    /// Writes a line about another moment.
    pub(super) fn say_at(&self, at: Duration, line: Value) {
        let text = text(at, line);
        self.send(Job::Write { file: FILE, text });
    }

    /// Writes the last line.
    pub(super) fn end(&self, reason: &str) {
        let line = json!({"event": "end", "reason": reason});
        let text = text(self.began.elapsed(), line);
        self.send(Job::Last { file: FILE, text });
    }

    fn send(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            tracing::warn!("a line about who had the floor is not recorded: the disk is too slow");
        }
    }
}

fn text(at: Duration, mut line: Value) -> String {
    // Milliseconds are enough for people, and short.
    line["t"] = json!((at.as_secs_f64() * 1000.0).round() / 1000.0);
    format!("{line}\n")
}

/// Somebody at the desktop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Person {
    /// By what name people know them.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// What they do.
    pub(crate) mode: Mode,
}

/// Writes down how those at the desktop change; whoever changes them tells it everything.
#[derive(Debug)]
pub(crate) struct Journal {
    timeline: Timeline,
    people: BTreeMap<ParticipantId, Person>,
    driver: Option<ParticipantId>,
}

impl Journal {
    /// Begins with nobody.
    pub(super) fn new(timeline: Timeline) -> Self {
        Self {
            timeline,
            people: BTreeMap::new(),
            driver: None,
        }
    }

    /// Writes down what differs from the last time.
    pub(crate) fn follow(
        &mut self,
        people: BTreeMap<ParticipantId, Person>,
        driver: Option<ParticipantId>,
    ) {
        for (key, person) in &people {
            let id = key.to_string();
            let Person { name, role, mode } = person;
            let (role, mode) = (role.name(), mode.name());
            match self.people.get(key) {
                None => self.timeline.say(
                    json!({"event": "join", "id": id, "name": name, "role": role, "mode": mode}),
                ),
                Some(before) => {
                    if before.role != person.role {
                        self.timeline
                            .say(json!({"event": "role", "id": id, "role": role}));
                    }
                    if before.mode != person.mode {
                        self.timeline
                            .say(json!({"event": "mode", "id": id, "mode": mode}));
                    }
                }
            }
        }
        for id in self.people.keys().filter(|id| !people.contains_key(id)) {
            self.timeline
                .say(json!({"event": "leave", "id": id.to_string()}));
        }
        if self.driver != driver {
            let name = driver.and_then(|id| people.get(&id)).map(|it| &it.name);
            let id = driver.map(|id| id.to_string());
            self.timeline
                .say(json!({"event": "floor", "id": id, "name": name}));
        }
        self.people = people;
        self.driver = driver;
    }
}

/// The number of the file.
const FILE: u32 = 0;

/// The name of the file.
pub(super) const NAME: &str = "timeline.jsonl";
