//! What there is to watch over, in the text format of Prometheus.

use std::fmt::Write as _;

use vroom_media::StageHistogram;

use crate::daemon::Daemon;

/// Writes everything.
pub(crate) fn text(daemon: &Daemon) -> String {
    let mut page = Page::default();
    page.value(
        "vroom_participants",
        "gauge",
        "People at the desktop",
        daemon.hub.participants() as u64,
    );
    let Some(output) = &daemon.output else {
        return page.0;
    };
    let (totals, viewers, live) = output.totals();
    let encoder = live.as_ref().map_or("", |live| live.encoder);
    page.head("vroom_encoder_info", "gauge", "The encoder that runs");
    page.line(&format!("vroom_encoder_info{{encoder=\"{encoder}\"}} 1"));
    let listeners = live.as_ref().map_or(0, |live| live.listeners as u64);
    page.value(
        "vroom_viewers",
        "gauge",
        "Viewers that take pictures",
        listeners,
    );
    let encodings = live.as_ref().map_or(0, |live| live.encodings as u64);
    page.value(
        "vroom_encodings",
        "gauge",
        "Encodings of the picture; the second is for viewers on slow networks",
        encodings,
    );
    for (name, help, value) in [
        ("vroom_pictures_total", "Encoded pictures", totals.units),
        (
            "vroom_key_frames_total",
            "Key frames among them",
            totals.key_frames,
        ),
        (
            "vroom_refinements_total",
            "Repeated pictures among them",
            totals.refinements,
        ),
        (
            "vroom_picture_bytes_total",
            "Bytes of encoded pictures",
            totals.bytes,
        ),
        ("vroom_jpegs_total", "JPEG pictures", totals.jpegs),
        (
            "vroom_encoder_failures_total",
            "Encoders that failed",
            totals.failures,
        ),
    ] {
        page.value(name, "counter", help, value);
    }
    if let Some(sound) = &daemon.sound {
        let help = "Encoded packets of sound";
        page.value(
            "vroom_sound_packets_total",
            "counter",
            help,
            sound.played.packets(),
        );
    }
    page.head(STAGES, "histogram", "How long pictures take in each stage");
    for (stage, histogram) in [
        ("capture", &totals.stages.capture),
        ("convert", &totals.stages.convert),
        ("encode", &totals.stages.encode),
        ("age", &totals.stages.age),
        ("network", &viewers.network),
        ("jitter", &viewers.jitter),
        ("decode", &viewers.decode),
    ] {
        page.histogram(stage, histogram);
    }
    page.0
}

/// The name of the histograms.
const STAGES: &str = "vroom_stage_seconds";

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(&format!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn value(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(&format!("{name} {value}"));
    }

    fn histogram(&mut self, stage: &str, histogram: &StageHistogram) {
        for (bound, count) in histogram.cumulative() {
            let bound = bound.as_secs_f64();
            self.line(&format!(
                "{STAGES}_bucket{{stage=\"{stage}\",le=\"{bound}\"}} {count}"
            ));
        }
        let (count, sum) = (histogram.count(), histogram.sum().as_secs_f64());
        self.line(&format!(
            "{STAGES}_bucket{{stage=\"{stage}\",le=\"+Inf\"}} {count}"
        ));
        self.line(&format!("{STAGES}_sum{{stage=\"{stage}\"}} {sum}"));
        self.line(&format!("{STAGES}_count{{stage=\"{stage}\"}} {count}"));
    }

    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{line}").ok();
    }
}
