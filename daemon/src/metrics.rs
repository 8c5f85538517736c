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
    let (totals, shown, live) = output.totals();
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
    let help = "How long all pictures take in the stages of the server";
    page.head(STAGES, "histogram", help);
    for (stage, histogram) in [
        ("capture", &totals.stages.capture),
        ("convert", &totals.stages.convert),
        ("encode", &totals.stages.encode),
        ("age", &totals.stages.age),
    ] {
        page.histogram(STAGES, stage, histogram);
    }
    let help = "How long pictures that viewers saw took in each stage; all add up to the total";
    page.head(SHOWN, "histogram", help);
    for (stage, histogram) in shown.stages() {
        page.histogram(SHOWN, stage, histogram);
    }
    page.0
}

/// The histograms of what leaves the encoder.
const STAGES: &str = "vroom_stage_seconds";

/// The histograms of what viewers saw.
const SHOWN: &str = "vroom_shown_seconds";

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

    fn histogram(&mut self, name: &str, stage: &str, histogram: &StageHistogram) {
        for (bound, count) in histogram.cumulative() {
            let bound = bound.as_secs_f64();
            self.line(&format!(
                "{name}_bucket{{stage=\"{stage}\",le=\"{bound}\"}} {count}"
            ));
        }
        let (count, sum) = (histogram.count(), histogram.sum().as_secs_f64());
        self.line(&format!(
            "{name}_bucket{{stage=\"{stage}\",le=\"+Inf\"}} {count}"
        ));
        self.line(&format!("{name}_sum{{stage=\"{stage}\"}} {sum}"));
        self.line(&format!("{name}_count{{stage=\"{stage}\"}} {count}"));
    }

    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        writeln!(self.0, "{line}").ok();
    }
}
