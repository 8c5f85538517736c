//! Firefox, on Wayland.

use super::*;

#[test]
fn firefox_takes_text_and_a_resize_and_closes() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let profile = dir.path().join("profile");
    std::fs::create_dir(&profile).unwrap();
    std::fs::write(profile.join("user.js"), SETTINGS).unwrap();
    let url = format!("file://{}", page.display());
    let command = [
        "env",
        "MOZ_ENABLE_WAYLAND=1",
        "firefox-esr",
        "--no-remote",
        "--profile",
        profile.to_str().unwrap(),
        &url,
    ];
    let mut session = Session::start(dir, "firefox-esr", "firefox-esr", &command);
    session.wait_for_title("ready");
    session.wait_for_picture();
    session.resize(Size::new(900, 700));
    session.wait_for_picture();
    let before = session.picture();
    session.inject(InputEvent::Text("Grüße → 漢字".into()));
    session.wait_for_title("[Grüße → 漢字]");
    session.wait_for_change(&before);
    session.screenshot("firefox");
    session.closes();
}

/// A profile that asks nothing, tells nobody anything and looks for nothing on the network.
const SETTINGS: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.shield.optoutstudies.enabled", false);
user_pref("app.update.auto", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.discovery.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.warnOnQuit", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("termsofuse.bypassNotification", true);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"#;
