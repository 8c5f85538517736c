//! `vroomd doctor`: what this machine has for a desktop, what is used, and why not more.

use vroom_compositor::Host;
use vroom_media::{Media, Verdict};

use crate::bus;
use crate::config::DesktopKind;
use crate::daemon::media_config;
use crate::process::is_installed;
use crate::settings::Settings;
use crate::sound;

/// The report, one line for each thing looked at.
///
/// # Errors
///
/// When the configured encoder cannot be used, or `GStreamer` does not start.
pub fn report(settings: &Settings) -> anyhow::Result<String> {
    let media = Media::probe(&media_config(settings))?;
    let mut lines = vec![desktop(settings.desktop)];
    match media.chosen() {
        Some(encoder) => lines.push(format!("picture: {encoder} encodes")),
        None => lines.push(
            "picture: nothing encodes H264, so pictures go as JPEG; \
             install gstreamer1.0-plugins-ugly for x264enc"
                .to_owned(),
        ),
    }
    for entry in media.entries() {
        match &entry.verdict {
            Verdict::NotUsed(reason) => lines.push(format!("  {}: {reason}", entry.name)),
            Verdict::Reserve => lines.push(format!("  {}: in reserve", entry.name)),
            _ => lines.push(format!("  {}: used", entry.name)),
        }
    }
    lines.push(match (settings.sound, sound::missing()) {
        (false, _) => "sound: switched off in the configuration".to_owned(),
        (true, None) => "sound: PipeWire, started with each desktop".to_owned(),
        (true, Some(missing)) => format!("sound: none; {missing}"),
    });
    lines.push(match bus::missing() {
        None => "notifications: by a D-Bus that is started with each desktop".to_owned(),
        Some(missing) => format!("notifications: none; {missing}"),
    });
    let browser = settings
        .browser
        .as_ref()
        .and_then(|command| command.first());
    lines.push(match browser {
        None => "addresses: switched off in the configuration".to_owned(),
        Some(program) if is_installed(program) => format!("addresses: opened with {program}"),
        Some(program) => format!("addresses: not opened; {program} is not installed"),
    });
    Ok(lines.join("\n"))
}

/// Which desktop there is, and whether there can be its window.
fn desktop(kind: DesktopKind) -> String {
    let name = kind.name();
    if kind != DesktopKind::Nested {
        return format!("desktop: {name}");
    }
    match Host::from_env() {
        Ok(host) => format!("desktop: {name}, a window in {}", host.name()),
        Err(error) => format!("desktop: {name}, but {error}"),
    }
}
