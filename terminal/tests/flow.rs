//! Who waits for whom, and what is kept, on pipes; `sessions.rs` has the same for terminals.

mod support;

use bytes::Bytes;
use support::{DEADLINE, Driver, line, on_pipes, program};
use tokio::time::timeout;
use vroom_terminal::{DRIVER_AHEAD_BYTES, Error, HISTORY_BYTES, INPUT_BYTES, Piped, Read};

#[tokio::test]
async fn a_program_waits_for_a_driver_that_does_not_read() {
    let driver = Driver::spawn(on_pipes(program(&["yes"])));
    let history = driver.program.history();
    timeout(DEADLINE, history.changed(DRIVER_AHEAD_BYTES - 1))
        .await
        .unwrap();
    support::until_stuck(driver.program.pid()).await;
    assert_eq!(history.end(), DRIVER_AHEAD_BYTES);
    assert_eq!(history.first(), 0);
    // A signal gets through all the same.
    driver.program.signal(2).unwrap();
    assert_eq!(driver.exit().await.signal, Some(2));
    assert_eq!(history.first(), 0, "the driver has lost nothing");
}

#[tokio::test]
async fn a_driver_who_reads_on_gets_everything_in_order() {
    let mut driver = Driver::spawn(on_pipes(program(&["yes"])));
    driver.until_bytes(3 * HISTORY_BYTES / 2).await;
    let expected = b"y\n".iter().cycle();
    assert!(
        driver
            .seen
            .iter()
            .zip(expected)
            .all(|(seen, meant)| seen == meant)
    );
    support::end(&driver.program).await;
}

#[tokio::test]
async fn without_a_driver_nothing_waits() {
    let piped = Piped::spawn(on_pipes(program(&["yes"]))).unwrap();
    let history = piped.history();
    timeout(DEADLINE, history.changed(4 * HISTORY_BYTES as u64))
        .await
        .unwrap();
    assert!(history.end() - history.first() <= HISTORY_BYTES as u64);
    let first = history.first();
    assert!(matches!(history.read_from(0, 1), Read::Behind { first: now } if now >= first));
    support::end(&piped).await;
}

#[tokio::test]
async fn a_program_runs_on_when_its_driver_goes() {
    let driver = Driver::spawn(on_pipes(line("head -c 1000000 /dev/zero; echo done")));
    let history = driver.program.history();
    timeout(DEADLINE, history.changed(DRIVER_AHEAD_BYTES - 1))
        .await
        .unwrap();
    driver.program.set_reader_offset(None);
    assert_eq!(driver.exit().await.output_bytes, 1_000_005);
}

#[tokio::test]
async fn what_nobody_reads_is_refused_in_the_end() {
    let mut driver = Driver::spawn(on_pipes(line("printf ready; exec sleep 1000")));
    driver.until("ready").await;
    let piece = Bytes::from(vec![b'x'; 256 * 1024]);
    let mut taken = 0;
    let refused = loop {
        match driver.program.write(piece.clone()) {
            Ok(()) => taken += piece.len(),
            Err(error) => break error,
        }
        assert!(taken < 2 * INPUT_BYTES, "the queue has no end");
    };
    assert!(matches!(refused, Error::InputFull));
    assert!(taken >= INPUT_BYTES);
    // A writer that is stuck does not keep the program from ending.
    support::end(&driver.program).await;
    assert!(matches!(driver.program.write(piece), Err(Error::Ended)));
}
