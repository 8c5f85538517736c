//! Who waits for whom, and what is kept.

mod support;

use bytes::Bytes;
use support::{DEADLINE, Driver, line, on_pipes, on_pty, program};
use tokio::time::timeout;
use vroom_terminal::{DRIVER_AHEAD_BYTES, Error, HISTORY_BYTES, INPUT_BYTES, Read, Terminal};

#[tokio::test]
async fn a_program_waits_for_a_driver_that_does_not_read() {
    for config in [on_pty(program(&["yes"])), on_pipes(program(&["yes"]))] {
        let on_pty = config.pty.is_some();
        let driver = Driver::spawn(config);
        let history = driver.terminal.history();
        timeout(DEADLINE, history.changed(DRIVER_AHEAD_BYTES - 1))
            .await
            .unwrap();
        support::until_stuck(driver.terminal.pid()).await;
        assert_eq!(history.end(), DRIVER_AHEAD_BYTES);
        assert_eq!(history.first(), 0);
        // What is typed gets through all the same.
        if on_pty {
            driver.write([3]);
        } else {
            driver.terminal.signal(2).unwrap();
        }
        assert_eq!(driver.exit().await.signal, Some(2));
        assert_eq!(history.first(), 0, "the driver has lost nothing");
    }
}

#[tokio::test]
async fn a_driver_who_reads_on_gets_everything_in_order() {
    let mut driver = Driver::spawn(on_pty(program(&["yes"])));
    driver.until_bytes(3 * HISTORY_BYTES / 2).await;
    let expected = b"y\r\n".iter().cycle();
    assert!(
        driver
            .seen
            .iter()
            .zip(expected)
            .all(|(seen, meant)| seen == meant)
    );
    support::end(&driver.terminal).await;
}

#[tokio::test]
async fn without_a_driver_nothing_waits() {
    let terminal = Terminal::spawn(on_pty(program(&["yes"]))).unwrap();
    let history = terminal.history();
    timeout(DEADLINE, history.changed(4 * HISTORY_BYTES as u64))
        .await
        .unwrap();
    assert!(history.end() - history.first() <= HISTORY_BYTES as u64);
    let first = history.first();
    assert!(matches!(history.read_from(0, 1), Read::Behind { first: now } if now >= first));
    support::end(&terminal).await;
}

#[tokio::test]
async fn a_program_runs_on_when_its_driver_goes() {
    let driver = Driver::spawn(on_pty(line("head -c 1000000 /dev/zero; echo done")));
    let history = driver.terminal.history();
    timeout(DEADLINE, history.changed(DRIVER_AHEAD_BYTES - 1))
        .await
        .unwrap();
    driver.terminal.set_reader_offset(None);
    assert_eq!(driver.exit().await.output_bytes, 1_000_006);
}

#[tokio::test]
async fn what_nobody_reads_is_refused_in_the_end() {
    let config = on_pty(line("stty raw -echo; printf ready; exec sleep 1000"));
    let mut driver = Driver::spawn(config);
    driver.until("ready").await;
    let piece = Bytes::from(vec![b'x'; 256 * 1024]);
    let mut taken = 0;
    let refused = loop {
        match driver.terminal.write(piece.clone()) {
            Ok(()) => taken += piece.len(),
            Err(error) => break error,
        }
        assert!(taken < 2 * INPUT_BYTES, "the queue has no end");
    };
    assert!(matches!(refused, Error::InputFull));
    assert!(taken >= INPUT_BYTES);
    // A writer that is stuck does not keep the terminal from ending.
    support::end(&driver.terminal).await;
    assert!(matches!(driver.terminal.write(piece), Err(Error::Ended)));
}
