//! Programs on pipes.

mod support;

use support::{Driver, all_bytes, line, on_pipes, program, read_all};
use vroom_terminal::{Error, Piped, StderrTo};

#[tokio::test]
async fn bytes_pass_through_and_the_end_of_input_is_told() {
    let mut driver = Driver::spawn(on_pipes(program(&["cat"])));
    driver.write(all_bytes());
    driver.until_bytes(all_bytes().len()).await;
    assert_eq!(driver.program.exit_status(), None);
    driver.write("last");
    driver.program.close_input();
    assert_eq!(driver.finish().await.code, Some(0));
    assert_eq!(driver.seen, [&all_bytes()[..], b"last"].concat());
    assert!(matches!(
        driver.program.write("more".into()),
        Err(Error::Ended)
    ));
}

#[tokio::test]
async fn all_that_was_typed_comes_before_the_end_of_input() {
    let mut driver = Driver::spawn(on_pipes(program(&["wc", "-c"])));
    driver.write(vec![0; 3_000_000]);
    driver.program.close_input();
    driver.finish().await;
    assert_eq!(driver.text().trim(), "3000000");
}

#[tokio::test]
async fn standard_error_is_apart_when_it_should_be() {
    let command = || line("echo one; echo two >&2; echo three");
    let mut config = on_pipes(command());
    config.stderr = StderrTo::Own;
    let mut driver = Driver::spawn(config);
    let exit = driver.finish().await;
    assert_eq!(driver.text(), "one\nthree\n");
    assert_eq!(exit.output_bytes, 10);
    let errors = read_all(driver.program.stderr().unwrap()).await;
    assert_eq!(errors, b"two\n");
    let mut driver = Driver::spawn(on_pipes(command()));
    driver.finish().await;
    assert_eq!(driver.text(), "one\ntwo\nthree\n");
    assert!(driver.program.stderr().is_none());
}

#[tokio::test]
async fn a_signal_reaches_the_whole_group() {
    let mut driver = Driver::spawn(on_pipes(line("echo ready; sleep 1000 | cat; echo after")));
    driver.until("ready").await;
    driver.program.signal(15).unwrap();
    assert_eq!(driver.finish().await.signal, Some(15));
    assert!(matches!(driver.program.signal(15), Err(Error::Ended)));
}

#[tokio::test]
async fn a_program_that_does_not_read_its_input_ends_all_the_same() {
    let mut driver = Driver::spawn(on_pipes(line("exit 5")));
    // It may be gone already; neither is an error of ours.
    let written = driver.program.write(vec![0; 1_000_000].into());
    assert!(matches!(written, Ok(()) | Err(Error::Ended)));
    assert_eq!(driver.finish().await.code, Some(5));
}

#[tokio::test]
async fn an_exit_does_not_wait_for_a_child_that_stays() {
    let mut driver = Driver::spawn(on_pipes(line("(sleep 1000; echo late) & echo early")));
    assert_eq!(driver.exit().await.code, Some(0));
    driver.until("early").await;
    assert!(!driver.program.history().is_ended());
    support::end(&driver.program).await;
    assert!(driver.program.history().is_ended());
}

#[tokio::test]
async fn a_missing_program_is_named() {
    for missing in [
        "no-such-program",
        "/no/such/program",
        "./no-such-program",
        "",
    ] {
        let error = Piped::spawn(on_pipes(program(&[missing]))).unwrap_err();
        assert!(matches!(&error, Error::NotFound { program } if program == missing));
        assert_eq!((error.code().0, error.exit_code()), (4201, 127));
    }
    let error = Piped::spawn(on_pipes(program(&["/etc/passwd"]))).unwrap_err();
    assert!(matches!(error, Error::NotExecutable { .. }));
    assert_eq!((error.code().0, error.exit_code()), (4201, 126));
    for command in [&[][..], &["echo", "a\0b"]] {
        let error = Piped::spawn(on_pipes(program(command))).unwrap_err();
        assert!(matches!(error, Error::BadCommand));
    }
}

#[tokio::test]
async fn programs_start_where_they_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let mut config = on_pipes(program(&["pwd"]));
    config.cwd = Some(path.clone());
    let mut driver = Driver::spawn(config.clone());
    driver.finish().await;
    assert_eq!(driver.text().trim_end(), path.to_str().unwrap());
    config.cwd = Some(path.join("none"));
    let error = Piped::spawn(config).unwrap_err();
    assert!(matches!(error, Error::NoDirectory { .. }));
}
