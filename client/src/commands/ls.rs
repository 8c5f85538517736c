//! `vroom ls`.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use vroom_protocol::mux::SessionEntry;

use super::{Failure, connect, is_terminal, plain, print};
use crate::cli::Ls;

/// Lists the terminals of a server.
pub(super) async fn run(ls: Ls) -> Result<(), Failure> {
    let (_, remote) = connect(&ls.host, &ls.connect).await?;
    let mut entries = remote.sessions().await?;
    remote.close("").await;
    entries.retain(is_terminal);
    entries.sort_by(|a, b| {
        a.created
            .cmp(&b.created)
            .then(a.session_id.cmp(&b.session_id))
    });
    let text = if ls.json {
        let list: Vec<Value> = entries.iter().map(as_json).collect();
        format!("{:#}\n", Value::Array(list))
    } else if entries.is_empty() {
        "There are no terminals. `vroom term` opens one.\n".to_owned()
    } else {
        table(&entries, now())
    };
    print(&text)
}

fn as_json(entry: &SessionEntry) -> Value {
    json!({
        "id": entry.session_id,
        "name": entry.name,
        "title": entry.title,
        "created": entry.created,
        "last_activity": entry.last_activity,
        "attached": entry.attached_clients,
        "rows": entry.rows,
        "cols": entry.cols,
        "role": entry.role,
        "pid": entry.pid,
        "exit": entry.exit,
    })
}

/// One line per terminal, under a line of titles.
fn table(entries: &[SessionEntry], now: u64) -> String {
    let head = ["ID", "NAME", "ATTACHED", "SIZE", "IDLE", "STATE", "TITLE"].map(str::to_owned);
    let mut lines = vec![head];
    for entry in entries {
        let size = match (entry.cols, entry.rows) {
            (Some(cols), Some(rows)) => format!("{cols}x{rows}"),
            _ => "-".to_owned(),
        };
        let state = match entry.exit {
            Some(exit) => format!("ended {exit}"),
            None => "runs".to_owned(),
        };
        lines.push([
            plain(&entry.session_id),
            or_dash(&entry.name),
            entry.attached_clients.to_string(),
            size,
            span(now.saturating_sub(entry.last_activity)),
            state,
            plain(entry.title.as_deref().unwrap_or_default()),
        ]);
    }
    let mut widths = [0; COLUMNS];
    for line in &lines {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = text.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for line in &lines {
        let mut row = String::new();
        for (width, text) in widths.iter().zip(line) {
            // Writing to a String cannot fail.
            let _ = write!(row, "{text:<width$}  ");
        }
        table.push_str(row.trim_end());
        table.push('\n');
    }
    table
}

fn or_dash(text: &str) -> String {
    match plain(text) {
        text if text.is_empty() => "-".to_owned(),
        text => text,
    }
}

/// A time in the largest unit that fits.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs()
}

const COLUMNS: usize = 7;
