//! Which elements are here, and which encoder is used and why the others are not.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

use crate::codec::{self, Backend};
use crate::{EncoderChoice, Error, trial};

/// Which H264 encoders are known, which one is used, and why the others are not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncoderReport {
    entries: Vec<EncoderEntry>,
}

/// What was decided about one encoder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncoderEntry {
    /// The element's name, for example `x264enc`.
    pub name: &'static str,
    /// What was decided.
    pub verdict: Verdict,
}

/// Whether an encoder is used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is the one.
    Chosen,
    /// It would do if the chosen one fails.
    Reserve,
    /// It is not used, for this reason.
    NotUsed(String),
}

impl EncoderReport {
    /// The encoder that is used, if any works.
    pub fn chosen(&self) -> Option<&'static str> {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.verdict == Verdict::Chosen)
            .map(|entry| entry.name)
    }

    /// All known encoders, best first.
    pub fn entries(&self) -> &[EncoderEntry] {
        &self.entries
    }

    /// Why each encoder that would be better than the chosen one is not used, those with the same
    /// reason together.
    pub fn declined(&self) -> Vec<String> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for entry in &self.entries {
            let Verdict::NotUsed(reason) = &entry.verdict else {
                break;
            };
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) => names.push(entry.name),
                None => reasons.push((reason, vec![entry.name])),
            }
        }
        let line = |(reason, names): (&str, Vec<&str>)| format!("{}: {reason}", names.join(", "));
        reasons.into_iter().map(line).collect()
    }

    /// The encoders to try, in this order.
    pub(crate) fn usable(&self) -> Vec<&'static dyn Backend> {
        let usable = |entry: &&EncoderEntry| !matches!(entry.verdict, Verdict::NotUsed(_));
        let mut names: Vec<_> = self.entries.iter().filter(usable).collect();
        names.sort_by_key(|entry| entry.verdict != Verdict::Chosen);
        names
            .into_iter()
            .filter_map(|entry| codec::backend(entry.name))
            .collect()
    }
}

impl fmt::Display for EncoderReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match &entry.verdict {
                Verdict::Chosen => write!(f, "{}: used", entry.name)?,
                Verdict::Reserve => write!(f, "{}: in reserve", entry.name)?,
                Verdict::NotUsed(reason) => write!(f, "{}: not used: {reason}", entry.name)?,
            }
        }
        Ok(())
    }
}

/// Looks at what is installed and decides.
///
/// Hardware that is here is tried in another process, with the command `trial`.
pub(crate) fn probe(
    choice: &EncoderChoice,
    trial: Option<&[OsString]>,
) -> Result<EncoderReport, Error> {
    decide(choice, |known| {
        if find(known.element).is_none() {
            return Err(missing(known));
        }
        match (known.device, trial) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(UNTRIED.into()),
            (Some(_), Some(command)) => trial::run(command, known.element),
        }
    })
}

/// Decides, given what is here; `usable` says why an encoder cannot be used.
fn decide(
    choice: &EncoderChoice,
    usable: impl Fn(&Known) -> Result<(), String>,
) -> Result<EncoderReport, Error> {
    let wanted = match choice {
        EncoderChoice::Auto => None,
        EncoderChoice::Named(name) => {
            let known = KNOWN.iter().find(|known| known.element == name);
            Some(known.ok_or_else(|| Error::UnknownEncoder {
                name: name.clone(),
                known: names().join(", "),
            })?)
        }
    };
    let mut chosen = false;
    let mut entries = Vec::with_capacity(KNOWN.len());
    for known in &KNOWN {
        let verdict = match wanted {
            // What is not asked for is not tried either.
            Some(wanted) if wanted.element != known.element => {
                Verdict::NotUsed(format!("the configuration asks for {}", wanted.element))
            }
            _ => match usable(known) {
                Err(reason) if wanted.is_some() => {
                    return Err(Error::EncoderUnavailable {
                        name: known.element.into(),
                        reason,
                    });
                }
                Err(reason) => Verdict::NotUsed(reason),
                Ok(()) if chosen => Verdict::Reserve,
                Ok(()) => Verdict::Chosen,
            },
        };
        chosen |= verdict == Verdict::Chosen;
        entries.push(EncoderEntry {
            name: known.element,
            verdict,
        });
    }
    Ok(EncoderReport { entries })
}

/// The names of all encoders that we know, best first.
pub(crate) fn names() -> [&'static str; KNOWN.len()] {
    KNOWN.map(|known| known.element)
}

/// Finds an element by its name.
///
/// `gst-inspect-1.0 --exists` is no substitute: it also asks for the plugin's version, and libnice
/// counts its own.
pub(crate) fn find(element: &str) -> Option<gst::ElementFactory> {
    gst::ElementFactory::find(element)
}

/// Makes an element, or says which package is missing.
pub(crate) fn make(element: &'static str, package: &'static str) -> Result<gst::Element, Error> {
    let factory = find(element).ok_or(Error::Missing { element, package })?;
    factory.create().build().map_err(|error| Error::Failed {
        element,
        reason: error.to_string(),
    })
}

/// Sets a property from its text form; a version that lacks it, or the value, goes without.
pub(crate) fn set(element: &gst::Element, property: &str, value: &str) {
    let Some(spec) = element.find_property(property) else {
        tracing::debug!(element = %element.name(), property, "no such property");
        return;
    };
    match glib::Value::deserialize_with_pspec(value, &spec) {
        Ok(value) => element.set_property_from_value(property, &value),
        Err(error) => {
            tracing::debug!(element = %element.name(), property, value, %error, "no such value");
        }
    }
}

/// Why an element that is not registered is missing.
fn missing(known: &Known) -> String {
    let device_is_here = known.device.is_none_or(|(directory, prefix)| {
        let Ok(entries) = Path::new(directory).read_dir() else {
            return false;
        };
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
    });
    match known.device {
        Some((directory, prefix)) if !device_is_here => format!("no {directory}/{prefix}*"),
        Some(_) => format!(
            "its driver encodes no H264, or {} is missing",
            known.package
        ),
        None => format!("the package {} is missing", known.package),
    }
}

/// An encoder that we know by name.
#[derive(Debug)]
struct Known {
    element: &'static str,
    package: &'static str,
    /// The directory and the prefix of the device it needs.
    device: Option<(&'static str, &'static str)>,
}

const RENDER_NODE: Option<(&str, &str)> = Some(("/dev/dri", "renderD"));
const NVIDIA: Option<(&str, &str)> = Some(("/dev", "nvidia"));
const V4L2: Option<(&str, &str)> = Some(("/dev", "video"));

/// All encoders that we know, best first.
const KNOWN: [Known; 9] = [
    known("vah264lpenc", "gstreamer1.0-plugins-bad", RENDER_NODE),
    known("vah264enc", "gstreamer1.0-plugins-bad", RENDER_NODE),
    known("nvcudah264enc", "gstreamer1.0-plugins-bad", NVIDIA),
    known("nvautogpuh264enc", "gstreamer1.0-plugins-bad", NVIDIA),
    known("nvh264enc", "gstreamer1.0-plugins-bad", NVIDIA),
    known("v4l2h264enc", "gstreamer1.0-plugins-good", V4L2),
    known("vaapih264enc", "gstreamer1.0-vaapi", RENDER_NODE),
    known(codec::X264, "gstreamer1.0-plugins-ugly", None),
    known(codec::OPENH264, "gstreamer1.0-plugins-bad", None),
];

const fn known(
    element: &'static str,
    package: &'static str,
    device: Option<(&'static str, &'static str)>,
) -> Known {
    Known {
        element,
        package,
        device,
    }
}

/// Said of hardware that nobody may try.
const UNTRIED: &str = "it is not tried here, and untried hardware is not used";

#[cfg(test)]
mod tests {
    use super::*;

    fn here(names: &'static [&'static str]) -> impl Fn(&Known) -> Result<(), String> {
        move |known| {
            let is_here = names.contains(&known.element);
            is_here.then_some(()).ok_or_else(|| "absent".into())
        }
    }

    #[test]
    fn the_best_one_is_chosen_and_the_next_kept_in_reserve() {
        let report = decide(&EncoderChoice::Auto, here(&["x264enc", "openh264enc"])).unwrap();
        assert_eq!(report.chosen(), Some("x264enc"));
        let usable: Vec<_> = report.usable().iter().map(|it| it.element()).collect();
        assert_eq!(usable, ["x264enc", "openh264enc"]);
        assert!(report.to_string().contains("vah264enc: not used: absent"));
        let declined = report.declined();
        assert_eq!(declined.len(), 1, "one reason is told once");
        assert!(declined[0].starts_with("vah264lpenc, vah264enc, "));
        assert!(declined[0].ends_with("vaapih264enc: absent"));
    }

    #[test]
    fn every_encoder_that_is_known_can_be_driven() {
        for known in &KNOWN {
            let backend = codec::backend(known.element).unwrap();
            assert_eq!(backend.package(), known.package);
        }
    }

    #[test]
    fn without_x264_openh264_is_chosen() {
        let report = decide(&EncoderChoice::Auto, here(&["openh264enc"])).unwrap();
        assert_eq!(report.chosen(), Some("openh264enc"));
    }

    #[test]
    fn without_any_encoder_the_report_still_says_why() {
        let report = decide(&EncoderChoice::Auto, here(&[])).unwrap();
        assert_eq!(report.chosen(), None);
        assert!(report.usable().is_empty());
        assert_eq!(report.entries().len(), KNOWN.len());
    }

    #[test]
    fn a_named_encoder_is_the_only_one() {
        let choice = EncoderChoice::Named("openh264enc".into());
        let report = decide(&choice, here(&["x264enc", "openh264enc"])).unwrap();
        assert_eq!(report.chosen(), Some("openh264enc"));
        assert_eq!(report.usable().len(), 1);
        assert!(matches!(
            decide(&choice, here(&["x264enc"])),
            Err(Error::EncoderUnavailable { .. })
        ));
        let choice = EncoderChoice::Named("h265enc".into());
        assert!(matches!(
            decide(&choice, here(&[])),
            Err(Error::UnknownEncoder { .. })
        ));
    }
}
