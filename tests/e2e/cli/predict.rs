//! What is typed is never shown before the server says so where that is not wanted: no password, and
//! nothing on this machine.

use super::stage::Stage;

#[test]
fn a_password_is_never_shown() {
    let stage = Stage::start();
    let mut person = stage.shell(&["--predict", "always"]);
    person.types("stty -echo; printf 'Pass''word: '; read x; stty echo; echo of ${#x}\r");
    person.sees("Password:");
    stage.world.proxy.stall_down_after(0);
    person.types("hunter2");
    // Long after a key would have been shown.
    person.reads_for_a_moment();
    stage.world.proxy.open();
    stage.world.proxy.cut();
    person.types("\r");
    person.sees("of 7");
    assert!(!person.said().contains("hunter"), "{}", person.said());
    person.types("exit\r");
    assert_eq!(person.sees_the_end(), 0);
    assert!(!person.said().contains("hunter"), "{}", person.said());
}

#[test]
fn on_this_machine_nothing_is_predicted_by_itself() {
    let stage = Stage::start();
    let mut person = stage.shell(&[]);
    person.types("e");
    person.sees("$ e");
    stage.world.proxy.stall_down_after(0);
    person.types("cho");
    person.reads_for_a_moment();
    assert!(!person.shows("$ echo"), "{}", person.text());
    stage.world.proxy.open();
    stage.world.proxy.cut();
    person.sees("$ echo");
    person.types("\rexit\r");
    assert_eq!(person.sees_the_end(), 0);
}
