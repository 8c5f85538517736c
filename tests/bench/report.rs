//! The figures: as a table to read, and as JSON to compare.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// What was measured so far.
pub(crate) struct Report {
    rows: Vec<Value>,
    section: String,
}

/// A figure that has a bar to hold.
pub(crate) struct Bar {
    /// What is compared, in words.
    pub(crate) words: String,
    /// The figure over the bar; at most 1 holds it.
    pub(crate) ratio: f64,
}

impl Bar {
    /// The figure must be at most this.
    pub(crate) fn at_most(words: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self {
            words: words.into(),
            ratio: ratio(figure, limit),
        }
    }

    /// The figure must be at least this.
    pub(crate) fn at_least(words: impl Into<String>, figure: f64, limit: f64) -> Self {
        Self {
            words: words.into(),
            ratio: ratio(limit, figure),
        }
    }
}

fn ratio(figure: f64, limit: f64) -> f64 {
    if figure == 0.0 { 0.0 } else { figure / limit }
}

impl Report {
    /// An empty one; prints the machine.
    pub(crate) fn new() -> Self {
        println!("machine: {}", machine());
        println!(
            "what is compared was measured by turns in this run; read the ratios, not the times"
        );
        Self {
            rows: Vec::new(),
            section: String::new(),
        }
    }

    /// Begins the figures of a measurement.
    pub(crate) fn section(&mut self, name: &str) {
        println!("\n{name}");
        self.section = name.to_owned();
    }

    /// A figure for the table.
    pub(crate) fn row(&mut self, what: &str, value: impl Display, data: Value) {
        println!("  {what:<52} {value}");
        self.rows
            .push(json!({"section": self.section, "what": what, "value": data}));
    }

    /// A bar beside the figure above it.
    pub(crate) fn bar(&mut self, bar: &Bar) {
        let verdict = if bar.ratio <= 1.0 { "holds" } else { "MISSED" };
        println!(
            "    {verdict:<6} {:.2} of the bar: {}",
            bar.ratio, bar.words
        );
        self.rows.push(json!({
            "section": self.section,
            "bar": bar.words,
            "ratio": bar.ratio,
            "holds": bar.ratio <= 1.0,
        }));
    }

    /// Something could not be measured.
    pub(crate) fn failed(&mut self, what: &str, error: &anyhow::Error) {
        println!("  NOT MEASURED: {what}: {error:#}");
        self.rows.push(
            json!({"section": self.section, "not_measured": what, "reason": format!("{error:#}")}),
        );
    }

    /// Writes the JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let all = json!({"machine": machine(), "rows": self.rows});
        fs::write(path, format!("{all:#}\n"))
            .with_context(|| format!("writing {}", path.display()))?;
        println!("\nwritten to {}", path.display());
        Ok(())
    }
}

fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "))
        .unwrap_or("unknown CPU");
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{count} x {model}, Linux {}, load {load}", kernel.trim())
}

/// Times of one kind, in ms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// Adds one.
    pub(crate) fn push(&mut self, took: std::time::Duration) {
        self.0.push(took.as_secs_f64() * 1000.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that this part of all stays within; 0 without any.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a part of a count is no larger than the count"
    )]
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() as f64 * part) as usize;
        let place = place.min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(0.0)
    }

    /// All that a row says.
    pub(crate) fn summary(&self) -> (String, Value) {
        let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|part| self.quantile(part));
        (
            format!(
                "p50 {p50:8.2}  p90 {p90:8.2}  p99 {p99:8.2}  max {max:8.2} ms  (n {})",
                self.len()
            ),
            json!({"p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": max, "n": self.len()}),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let mut times = Times::default();
        for ms in (1..=100).rev() {
            times.push(Duration::from_millis(ms));
        }
        assert_eq!(
            [0.0, 0.5, 0.99, 1.0].map(|part| times.quantile(part)),
            [1.0, 51.0, 100.0, 100.0]
        );
        assert_eq!(Times::default().quantile(0.5), 0.0);
    }

    #[test]
    fn a_bar_is_held_up_to_one() {
        assert!(Bar::at_most("", 3.0, 3.0).ratio <= 1.0);
        assert!(Bar::at_most("", 3.1, 3.0).ratio > 1.0);
        assert!(Bar::at_least("", 2.9, 3.0).ratio > 1.0);
        assert!(Bar::at_least("", 3.0, 3.0).ratio <= 1.0);
    }
}
