//! NAVIGATE: an address that is opened in the browser of the desktop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vroom_protocol::Connection;
use vroom_protocol::graphical::NotificationKind;

use super::Viewer;
use crate::floor::Denied;
use crate::process::is_installed;

impl Viewer {
    /// Opens an address, if this person drives and the settings let them.
    pub(super) fn navigate(
        &self,
        now: Instant,
        connection: &mut Connection,
        url: &str,
    ) -> Result<(), Denied> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        let refusal = match (self.daemon.settings.can_browse(), is_address(url)) {
            (false, _) => Some("there is no browser here that opens addresses".to_owned()),
            (true, false) => Some(
                "only addresses that begin with http:// or https:// and name a host are opened"
                    .to_owned(),
            ),
            (true, true) => None,
        };
        let mut command = self.daemon.settings.browser.clone().unwrap_or_default();
        let program = command.first().map_or("", String::as_str);
        let missing = || {
            (!is_installed(program))
                .then(|| format!("no browser can be started here: {program} is not installed"))
        };
        if let Some(text) = refusal.or_else(missing) {
            self.notify(now, connection, NotificationKind::Error, &text, None);
            return Ok(());
        }
        command.push(url.to_owned());
        let number = seat.browse(command)?;
        let hub = Arc::clone(&self.daemon.hub);
        tokio::spawn(async move {
            tokio::time::sleep(LOADING).await;
            hub.browsed(number);
        });
        Ok(())
    }
}

/// Whether this is the whole address of something on the web. Nothing else gets to a program, which
/// might take it for an option or for a file.
fn is_address(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    is_web
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && url.len() <= URL_BYTES
        && uri.host().is_some_and(|host| !host.is_empty())
}

/// The longest address; a longer one is refused.
const URL_BYTES: usize = 8 * 1024;

/// How long a page counts as loading at most, where nothing tells that it is there.
const LOADING: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_addresses_of_the_web_are_opened() {
        for good in [
            "https://example.org",
            "HTTP://example.org/a?b=c%20d#e",
            "http://[::1]:8080/",
            "https://xn--bcher-kva.example/",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("https://example.org/{}", "x".repeat(URL_BYTES));
        for bad in [
            "",
            "example.org",
            "/etc/passwd",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://example.org/",
            "http://",
            "https:///path",
            "-https://example.org",
            "--new-window https://example.org",
            "https://example.org/a b",
            "https://example.org/\u{e4}",
            "https://example.org/\n",
            "https://example.org/#\n--help",
            "https://example.org/#a b",
            "https://example.org/$(touch x)",
            long.as_str(),
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
