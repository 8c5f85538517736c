//! Real programs, cut off in every way: afterwards the screen is that of one who was never cut.

use vroom_tests::client::{Launch, Terminal};

use crate::world::{Cut, Seat, World, same_screen};

/// A program and what is done with it.
struct Program {
    /// Its Debian package.
    package: &'static str,
    /// What a file named `file` in its folder holds.
    file: String,
    /// How it is started.
    line: &'static str,
    /// What it shows when it is ready.
    ready: &'static str,
    /// Keys, and what is shown when they have worked: one step before each cut.
    steps: [(&'static [u8], &'static str); 3],
    /// Keys that end it.
    end: &'static [u8],
    /// How it ends then.
    status: u8,
}

/// When a program is cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    /// When it has shown all it has to.
    AtRest,
    /// While it does: after the first bytes of what keys made of it.
    Midway,
}

/// Runs a program through all cuts, at rest and midway.
async fn survives(program: Program) {
    for moment in [Moment::AtRest, Moment::Midway] {
        survives_at(&program, moment).await;
    }
}

/// The driver is cut off; a viewer beside it is not, except by the end of the daemon, after which
/// it goes on with the bytes that it lacks and never draws anew. So it shows what no cut touched.
async fn survives_at(program: &Program, moment: Moment) {
    let found = std::process::Command::new("which")
        .arg(program.package)
        .output();
    assert!(
        found.unwrap().status.success(),
        "{} is missing; make setup-test installs it",
        program.package
    );
    let world = World::start();
    std::fs::write(world.path("file"), &program.file).unwrap();
    let line = format!(
        "cd '{}' && {}",
        world.daemon.folder().display(),
        program.line
    );
    let mut driver = Seat::take(world.login().await, &Launch::line(line)).await;
    let id = driver.terminal.id().unwrap().to_owned();
    let watch = Launch {
        readonly: true,
        have: Some(0),
        ..Launch::attach(&id)
    };
    let mut steady = Seat::take(world.login_directly().await, &watch).await;
    assert!(!steady.terminal.skipped, "it sees all from the first byte");
    driver.shows(program.ready).await;
    let mut world = world;
    for (cut, (keys, shown)) in Cut::ALL.into_iter().zip(program.steps) {
        let what = format!("{} after {cut:?} {moment:?}", program.package);
        if moment == Moment::Midway && cut == Cut::Network {
            world.proxy.cut_after(FIRST_BYTES);
        }
        let before = driver.terminal.offset;
        driver.types(keys).await;
        match moment {
            Moment::AtRest => driver.shows(shown).await,
            Moment::Midway if keys.is_empty() => {}
            Moment::Midway if cut == Cut::Network => driver.loses_link().await,
            Moment::Midway => {
                let begun = |each: &Terminal| each.offset > before;
                let begins = driver.terminal.until(&mut driver.client, &what, begun);
                begins.await.unwrap();
            }
        }
        (world, driver, steady) = through(world, (cut, moment), driver, steady).await;
        driver.shows(shown).await;
        same_screen(&what, &mut driver, &mut steady).await;
        driver.shows(shown).await;
    }
    // One who knows nothing draws the same.
    driver = driver.comes_anew(&world).await;
    same_screen(program.package, &mut driver, &mut steady).await;
    assert!(driver.terminal.repaints > 0, "it was drawn anew");
    driver.types(program.end).await;
    for seat in [&mut driver, &mut steady] {
        let exit = seat.terminal.exited(&mut seat.client).await.unwrap();
        assert_eq!(exit.exit_code, Some(program.status), "{exit:?}");
    }
}

/// Cuts, and brings everybody back.
async fn through(
    mut world: World,
    (cut, moment): (Cut, Moment),
    driver: Seat,
    steady: Seat,
) -> (World, Seat, Seat) {
    match cut {
        Cut::Client => {
            let driver = driver.comes_back(&world, cut).await;
            (world, driver, steady)
        }
        Cut::Network => {
            world.proxy.cut();
            let driver = driver.comes_back(&world, cut).await;
            (world, driver, steady)
        }
        Cut::Daemon => {
            world.daemon.kill_and_restart().unwrap();
            let mut steady = steady;
            steady.client.lose_link();
            let mut client = world.login_directly().await;
            let terminal = Terminal::take_over(&mut client, "", steady.terminal)
                .await
                .unwrap();
            assert!(!terminal.skipped, "the bytes that it lacks are still there");
            // Keys may be on their way, which only one who goes on sends again.
            let driver = match moment {
                Moment::AtRest => driver.comes_anew(&world).await,
                Moment::Midway => driver.comes_back(&world, cut).await,
            };
            (world, driver, Seat { client, terminal })
        }
    }
}

/// What comes down to the driver before a planned cut: less than any step shows.
const FIRST_BYTES: u64 = 64;

fn lines(count: u32) -> String {
    (1..=count)
        .map(|number| format!("line {number}\n"))
        .collect()
}

#[tokio::test]
async fn bash() {
    survives(Program {
        package: "bash",
        file: String::new(),
        line: "PS1='$ ' exec bash --norc --noprofile -i",
        ready: "$",
        steps: [
            (b"echo one-$((1+1))\r", "one-2"),
            (
                b"printf '\\033[31mred\\033[1m-%s' bold; tput sc\r",
                "red-bold",
            ),
            (
                b"for i in 1 2 3; do echo row-$i; done\recho unfinished",
                "$ echo unfinished",
            ),
        ],
        end: b"\x15exit 7\r",
        status: 7,
    })
    .await;
}

#[tokio::test]
async fn vim() {
    survives(Program {
        package: "vim",
        file: lines(100),
        line: "exec vim -u NONE -N -n -i NONE file",
        ready: "line 1",
        steps: [
            (b"Gonew text at the end\x1b", "new text at the end"),
            (b":set number\r", "101 new text"),
            (b"gg:vsplit\r:echo 'tw'.'ice'\r", "twice"),
        ],
        end: b":cquit 3\r",
        status: 3,
    })
    .await;
}

#[tokio::test]
async fn htop() {
    survives(Program {
        package: "htop",
        file: String::new(),
        // It draws by itself every ten seconds only.
        line: "exec htop -d 100",
        ready: "F10",
        steps: [
            (b"\x1bOP", "Released under"),
            (b" ", "F10"),
            (b"/vroom", "Search"),
        ],
        end: b"\x1b\x1bq\x1b[21~",
        status: 0,
    })
    .await;
}

#[tokio::test]
async fn tmux() {
    survives(Program {
        package: "tmux",
        // Keys that come fast are keys and no paste. Its own command line loses keys that do.
        file: "set -g assume-paste-time 0\n\
               bind e split-window -h \"PS1='right ' exec sh\"\n\
               bind k kill-server\n"
            .to_owned(),
        line: "TMUX_TMPDIR=. exec tmux -f file new-session \"PS1='% ' exec sh\"",
        ready: "%",
        steps: [
            (b"echo in-$((5+5))\r", "in-10"),
            (b"\x02e", "right"),
            (b"echo beside-$((6+6))\r", "beside-12"),
        ],
        end: b"\x02k",
        status: 1,
    })
    .await;
}

#[tokio::test]
async fn less() {
    survives(Program {
        package: "less",
        file: lines(1000),
        line: "LESS= exec less file",
        ready: "line 1",
        steps: [
            (b" ", "line 40"),
            (b"G", "line 1000"),
            (b"?line 555\r", "line 560"),
        ],
        end: b"q",
        status: 0,
    })
    .await;
}

#[tokio::test]
async fn mc() {
    survives(Program {
        package: "mc",
        file: lines(3),
        line: "exec mc --nosubshell --skin=default . /",
        ready: "10Quit",
        steps: [
            (b"\t", "10Quit"),
            (b"\x1b[20~", "Left"),
            (b"\x1bOB", "Quick view"),
        ],
        end: b"\x1b\x1b\x1b[21~",
        status: 0,
    })
    .await;
}

#[tokio::test]
async fn a_kitty_image_and_its_keyboard() {
    // Ten by ten pixels of 24 bits, in two chunks, twice placed; keyboard flags on both screens.
    let writer = r#"
stty raw -echo
pixels=$(head -c 300 /dev/zero | tr '\0' 'A' | base64 -w 0)
half=$(printf %s "$pixels" | cut -c 1-200)
rest=$(printf %s "$pixels" | cut -c 201-)
printf '\033[>1u\033[>5u'
printf '\033_Ga=t,f=24,s=10,v=10,i=7,q=2,m=1;%s\033\\' "$half"
printf '\033_Gm=0;%s\033\\' "$rest"
printf '\033_Ga=p,i=7,p=1,q=2\033\\ first\r\n\n'
printf '\033_Ga=p,i=7,p=2,c=4,r=2,q=2\033\\ second\r\n\n'
printf 'image-%s' drawn
head -c 1 >/dev/null
printf '\033[?1049h\033[>3u\033[Hother-%s' screen
head -c 1 >/dev/null
printf '\033[?1049l back-%s' again
head -c 1 >/dev/null
exit 5
"#;
    survives(Program {
        package: "sh",
        file: writer.to_owned(),
        line: "exec sh file",
        ready: "image-drawn",
        steps: [
            (b"", "image-drawn"),
            (b"x", "other-screen"),
            (b"x", "back-again"),
        ],
        end: b"x",
        status: 5,
    })
    .await;
}

#[tokio::test]
async fn a_sixel_image() {
    let writer = r##"
stty raw -echo
printf 'above\r\n'
printf '\033P0;1;0q"1;1;24;12#1;2;100;0;0#1!24~-!24~\033\\'
printf '\r\nsixel-%s' drawn
head -c 1 >/dev/null
printf '\r\n\033[5;10r\033[5Hscrolling-%s' region
head -c 1 >/dev/null
printf '\033[r\033[20H\033]2;a title\033\\end-%s' there
head -c 1 >/dev/null
exit 6
"##;
    survives(Program {
        package: "sh",
        file: writer.to_owned(),
        line: "exec sh file",
        ready: "sixel-drawn",
        steps: [
            (b"", "sixel-drawn"),
            (b"x", "scrolling-region"),
            (b"x", "end-there"),
        ],
        end: b"x",
        status: 6,
    })
    .await;
}
