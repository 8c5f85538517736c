//! Terminals that stay: listed, joined, shared, renamed and ended.

use serde_json::Value;

use super::stage::Stage;

#[test]
fn a_named_terminal_stays_and_is_joined_again() {
    let stage = Stage::start();
    let host = stage.host();
    assert!(stage.prints(&["ls", &host]).contains("no terminals"));
    let mut person = stage.shell(&["--name", "work"]);
    person.types("echo still-$((6 * 7))\r");
    person.sees("still-42");
    let listed = stage.prints(&["ls", &host]);
    assert!(
        listed.contains("work") && listed.contains("80x24"),
        "{listed}"
    );
    let json: Value = serde_json::from_str(&stage.prints(&["ls", "--json", &host])).unwrap();
    assert_eq!(json[0]["name"], "work");
    assert_eq!(json[0]["attached"], 1);
    person.types("~.");
    assert_eq!(person.sees_the_end(), 255);
    // It runs on, and is there as it was left.
    let mut person = stage.person(&["attach", "-H", &host, "work"]);
    person.sees("still-42");
    // A second person sees what the first one does, and may only look.
    let mut other = stage.person(&["attach", "-r", "-H", &host, "work"]);
    other.sees("still-42");
    person.types("echo both\r");
    other.sees("both");
    other.types("echo not-me\r");
    person.types("echo only-me\r");
    person.sees("only-me");
    other.sees("only-me");
    assert!(!person.shows("not-me"), "{}", person.text());
    other.types("\r~.");
    other.sees_the_end();
    person.types("exit 9\r");
    assert_eq!(person.sees_the_end(), 9);
    assert!(stage.prints(&["ls", &host]).contains("no terminals"));
}

#[test]
fn terminals_are_renamed_and_ended() {
    let stage = Stage::start();
    let host = stage.host();
    let mut person = stage.shell(&["--name", "old"]);
    stage.prints(&["rename", "-H", &host, "old", "new"]);
    let (code, said) = stage.fails(&["kill", "-H", &host, "old"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no terminal old"), "{said}");
    stage.prints(&["kill", "-H", &host, "new"]);
    assert_eq!(person.sees_the_end(), 128 + 1, "{}", person.said());
    assert!(person.terminal_echoes());
    assert!(stage.prints(&["ls", &host]).contains("no terminals"));
}

#[test]
fn a_link_is_made_listed_and_withdrawn() {
    let stage = Stage::start();
    let host = stage.host();
    let mut person = stage.shell(&["--name", "shown"]);
    let url = stage.prints(&["share", "-H", &host, "--ttl", "2h", "--uses", "3", "shown"]);
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let listed = stage.prints(&["share", "-H", &host, "--list", "shown"]);
    let link = listed.lines().nth(1).unwrap();
    assert!(
        link.contains("viewer") && link.contains("3 left"),
        "{listed}"
    );
    assert!(link.contains("120 min") || link.contains("2 h"), "{listed}");
    let id = link.split_whitespace().next().unwrap();
    let said = stage.prints(&["share", "-H", &host, "--revoke", id, "shown"]);
    assert!(said.contains("withdrawn"), "{said}");
    let listed = stage.prints(&["share", "-H", &host, "--list", "shown"]);
    assert!(listed.contains("no links"), "{listed}");
    person.types("exit\r");
    assert_eq!(person.sees_the_end(), 0);
}

#[test]
fn what_is_not_there_is_said() {
    let stage = Stage::start();
    let host = stage.host();
    for line in [
        ["attach", "-H", &host, "nothing"],
        ["kill", "-H", &host, "nothing"],
        ["share", "-H", &host, "nothing"],
    ] {
        let (_, said) = stage.fails(&line);
        assert!(said.contains("terminal nothing"), "{said}");
        assert!(said.contains("vroom ls"), "{said}");
    }
}
