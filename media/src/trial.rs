//! A hardware encoder proves itself in another process before it is used in ours.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gstreamer as gst;
use vroom_desktop::{Damage, PixelBuffer, Size};

use crate::convert::PicturePool;
use crate::{Error, codec, elements};

/// Encodes three pictures with the encoder of this name.
///
/// A driver may crash, or never answer. Call it in a process of its own that
/// [`MediaConfig::trial`](crate::MediaConfig::trial) starts.
///
/// # Errors
///
/// Says what the encoder could not do.
pub fn try_encoder(name: &str) -> Result<(), Error> {
    gst::init().map_err(Error::Start)?;
    let backend = codec::backend(name).ok_or_else(|| Error::UnknownEncoder {
        name: name.into(),
        known: elements::names().join(", "),
    })?;
    let failed = |reason: &str| Error::Failed {
        element: backend.element(),
        reason: reason.into(),
    };
    let size = Size::new(1280, 720);
    let mut pool = PicturePool::new(size, backend.layout(), 60).ok_or(Error::NoEncoder)?;
    let mut encoder = codec::start(backend, pool.info(), 4000)?;
    for (index, seq) in (1..=PICTURES).enumerate() {
        let mut pixels = PixelBuffer::new(size);
        // Another picture each time, so that there is something to encode.
        for (at, byte) in (0_u32..).zip(pixels.bytes_mut()) {
            *byte = (at >> 8)
                .wrapping_mul(17)
                .wrapping_add(at * u32::from(seq))
                .to_be_bytes()[3];
        }
        pool.note(&Damage::full(size));
        pool.update(&pixels)
            .ok_or_else(|| failed("no picture could be made for it"))?;
        let pts = gst::ClockTime::from_mseconds(16 * u64::from(seq));
        let picture = pool
            .newest(pts)
            .ok_or_else(|| failed("no picture is free"))?;
        let unit = encoder.encode(picture, index == 0)?;
        let unit = unit.ok_or_else(|| failed("it skips pictures"))?;
        let is_key = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if unit.size() == 0 || (index == 0 && !is_key) {
            return Err(failed("it does not begin with a key frame"));
        }
    }
    Ok(())
}

/// Runs a trial; the error is a reason not to use the encoder.
pub(crate) fn run(command: &[OsString], encoder: &str) -> Result<(), String> {
    let (program, arguments) = command.split_first().ok_or("no program to try it with")?;
    let mut child = Command::new(program)
        .args(arguments)
        .arg(encoder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it could not be tried: {error}"))?;
    let said = child.stderr.take().map(last_line);
    let status = wait(&mut child).map_err(|error| format!("it could not be tried: {error}"))?;
    let said = said.and_then(|said| said.join().ok()).unwrap_or_default();
    match status {
        None => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
        Some(status) if status.success() => Ok(()),
        // Whatever a program says that crashes, it is not why.
        Some(status) if said.is_empty() || status.signal().is_some() => {
            Err(format!("trying it ended with {status}"))
        }
        Some(_) => Err(said),
    }
}

/// Waits for the end; one that takes too long is ended.
fn wait(child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The last line that was said, cut to what fits a log line.
fn last_line(stream: std::process::ChildStderr) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let last = lines.filter(|line| !line.trim().is_empty()).last();
        last.unwrap_or_default().chars().take(LINE_CHARS).collect()
    })
}

/// The pictures of a trial.
const PICTURES: u8 = 3;

/// How long a trial may take; a cold driver needs a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the end is looked for.
const POLL: Duration = Duration::from_millis(5);

/// What is kept of what an encoder said.
const LINE_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<(), String> {
        run(&["sh", "-c", script].map(OsString::from), "x264enc")
    }

    #[test]
    fn a_trial_tells_why_it_failed() {
        assert_eq!(shell("test \"$0\" = x264enc"), Ok(()));
        let said = shell("echo first >&2; echo no such device >&2; exit 1");
        assert_eq!(said, Err("no such device".into()));
        assert!(shell("kill -ABRT $$").unwrap_err().contains("signal"));
        let absent = run(&[OsString::from("/nonexistent")], "x264enc");
        assert!(absent.unwrap_err().contains("could not be tried"));
    }

    #[test]
    fn software_passes_its_trial_and_unknown_names_do_not() {
        try_encoder(codec::X264).unwrap();
        try_encoder(codec::OPENH264).unwrap();
        assert!(matches!(
            try_encoder("none"),
            Err(Error::UnknownEncoder { .. })
        ));
    }
}
