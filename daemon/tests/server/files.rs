//! Files over the real server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;
use vroom_protocol::files::{
    CHANNEL, Entry, EntryKind, FileCode, Open, Permissions, READ_BYTES_MAX, Request, Response,
};
use vroom_protocol::{ChannelId, Code};

use crate::client::{WebClient, tcp, token};
use crate::daemon::Daemon;

/// A server that shows a folder, and a client with its files.
struct Files {
    daemon: Daemon,
    shown: PathBuf,
    client: WebClient,
    channel: ChannelId,
}

impl Files {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shown = folder.path().join("shown");
        fs::create_dir(&shown).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        let daemon = daemon(folder, &shown);
        let mut client = WebClient::login(&daemon).await;
        let channel = client.open(CHANNEL).await.unwrap();
        Self {
            daemon,
            shown,
            client,
            channel,
        }
    }

    /// Asks and waits for the answer.
    async fn ask(&mut self, request: Request) -> Response {
        self.send(&request).await;
        self.answer().await
    }

    async fn send(&mut self, request: &Request) {
        self.client.send(self.channel, request.encode()).await;
    }

    async fn answer(&mut self) -> Response {
        let (kind, payload) = self.client.message(self.channel).await;
        Response::decode(kind, &payload).unwrap()
    }

    /// Asks for what is not done, and says why.
    async fn refused(&mut self, request: Request) -> FileCode {
        let op = request.kind();
        match self.ask(request).await {
            Response::Error(error) => {
                assert_eq!(error.op, Some(op));
                assert!(!error.reason.is_empty());
                error.code
            }
            other => panic!("{other:?}"),
        }
    }

    /// Writes a file in one burst.
    async fn write(&mut self, path: &str, content: &[u8]) {
        let open = Open {
            handle: Some(7),
            ..Open::write_anew(path)
        };
        self.send(&Request::Open(open)).await;
        for (at, data) in content.chunks(READ_BYTES_MAX).enumerate() {
            let write = Request::Write {
                handle: 7,
                offset: (at * READ_BYTES_MAX) as u64,
                data: Bytes::copy_from_slice(data),
            };
            self.send(&write).await;
        }
        self.send(&close(7)).await;
        assert!(matches!(
            self.answer().await,
            Response::Opened { handle: 7, .. }
        ));
        for data in content.chunks(READ_BYTES_MAX) {
            let written = Response::Written {
                handle: 7,
                bytes_written: u32::try_from(data.len()).unwrap(),
            };
            assert_eq!(self.answer().await, written);
        }
        assert_eq!(self.answer().await, Response::Closed { handle: 7 });
    }

    /// Reads a whole file, with requests sent ahead.
    async fn read(&mut self, path: &str) -> Vec<u8> {
        let opened = self.ask(Request::Open(Open::read_only(path))).await;
        let Response::Opened {
            handle,
            size: Some(size),
        } = opened
        else {
            panic!("{opened:?}");
        };
        let step = READ_BYTES_MAX as u64;
        let offsets: Vec<u64> = (0..)
            .map(|at| at * step)
            .take_while(|at| *at <= size)
            .collect();
        for offset in &offsets {
            let length = u32::try_from(READ_BYTES_MAX).unwrap();
            self.send(&Request::Read {
                handle,
                offset: *offset,
                length,
            })
            .await;
        }
        let mut content = Vec::new();
        for offset in offsets {
            assert_eq!(content.len() as u64, offset.min(size));
            match self.answer().await {
                Response::Data { handle: told, data } if told == handle => {
                    content.extend_from_slice(&data);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.ask(close(handle)).await, Response::Closed { handle });
        content
    }
}

fn daemon(folder: TempDir, shown: &Path) -> Daemon {
    let root = shown.to_str().unwrap().to_owned();
    Daemon::start_in(
        folder,
        "",
        &["--desktop", "none", "--files-root", &root],
        &[],
    )
}

fn close(handle: u32) -> Request {
    Request::Close {
        handle,
        modified: None,
    }
}

fn stat(path: &str) -> Request {
    Request::Stat {
        path: path.to_owned(),
        follow: true,
    }
}

fn list(path: &str) -> Request {
    Request::List {
        path: path.to_owned(),
    }
}

fn mkdir(path: &str, parents: bool) -> Request {
    Request::Mkdir {
        path: path.to_owned(),
        parents,
        permissions: None,
    }
}

fn remove(path: &str, recursive: bool) -> Request {
    Request::Remove {
        path: path.to_owned(),
        recursive,
    }
}

fn rename(from: &str, to: &str, overwrite: bool) -> Request {
    Request::Rename {
        from: from.to_owned(),
        to: to.to_owned(),
        overwrite,
    }
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let mut files = Files::start().await;
    let content: Vec<u8> = (0..3_000_017_u32)
        .map(|at| (at.wrapping_mul(at) / 7).to_le_bytes()[0])
        .collect();
    files.write("big", &content).await;
    assert!(fs::read(files.shown.join("big")).unwrap() == content);
    assert!(files.read("big").await == content);
    files.write("big", b"").await;
    assert_eq!(files.read("big").await, b"");
    let open = Open {
        permissions: Some(Permissions::from_mode(0o640)),
        ..Open::write_anew("dated")
    };
    let Response::Opened { handle, .. } = files.ask(Request::Open(open)).await else {
        panic!("it is open");
    };
    let closed = files
        .ask(Request::Close {
            handle,
            modified: Some(1_000_000_000),
        })
        .await;
    assert_eq!(closed, Response::Closed { handle });
    let Response::Stat { entry, path } = files.ask(stat("dated")).await else {
        panic!("it is there");
    };
    assert_eq!(path, "dated");
    assert_eq!((entry.modified, entry.size), (1_000_000_000, 0));
    assert_eq!(entry.permissions.mode(), 0o640);
}

#[tokio::test]
async fn many_small_files_go_in_one_burst() {
    let mut files = Files::start().await;
    let count = 300_u32;
    for at in 0..count {
        let open = Open {
            handle: Some(at),
            ..Open::write_anew(format!("f{at}"))
        };
        files.send(&Request::Open(open)).await;
        let write = Request::Write {
            handle: at,
            offset: 0,
            data: at.to_string().into(),
        };
        files.send(&write).await;
        files.send(&close(at)).await;
    }
    for at in 0..count {
        assert!(matches!(files.answer().await, Response::Opened { handle, .. } if handle == at));
        assert!(matches!(files.answer().await, Response::Written { handle, .. } if handle == at));
        assert_eq!(files.answer().await, Response::Closed { handle: at });
    }
    assert_eq!(fs::read(files.shown.join("f299")).unwrap(), b"299");
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let mut files = Files::start().await;
    symlink("../secret", files.shown.join("out")).unwrap();
    symlink("/", files.shown.join("top")).unwrap();
    fs::write(files.shown.join("in"), "in").unwrap();
    symlink("in", files.shown.join("link")).unwrap();
    for path in [
        "../secret",
        "..",
        "./../secret",
        "out",
        "top/etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
    ] {
        let denied = FileCode::PERMISSION_DENIED;
        assert_eq!(files.refused(stat(path)).await, denied, "{path}");
        assert_eq!(files.refused(list(path)).await, denied, "{path}");
        let read = Request::Open(Open::read_only(path));
        assert_eq!(files.refused(read).await, denied, "{path}");
        let write = Request::Open(Open::write_anew(path));
        assert_eq!(files.refused(write).await, denied, "{path}");
    }
    for path in ["../new", "top/tmp/new", "/tmp/new"] {
        let denied = FileCode::PERMISSION_DENIED;
        assert_eq!(files.refused(mkdir(path, false)).await, denied, "{path}");
        assert_eq!(files.refused(mkdir(path, true)).await, denied, "{path}");
        assert_eq!(files.refused(rename("in", path, true)).await, denied);
        assert_eq!(files.refused(remove(path, true)).await, denied, "{path}");
    }
    // Links that stay inside are followed, and so are absolute paths.
    assert_eq!(files.read("link").await, b"in");
    let absolute = files.shown.join("in").to_str().unwrap().to_owned();
    assert_eq!(files.read(&absolute).await, b"in");
    // What is asked about a link itself says nothing of what it leads to.
    let request = Request::Stat {
        path: "out".to_owned(),
        follow: false,
    };
    assert!(
        matches!(files.ask(request).await, Response::Stat { entry, .. } if entry.kind == EntryKind::Symlink)
    );
    assert_eq!(
        files.ask(remove("out", false)).await,
        Response::Done {
            op: 0x0E,
            path: "out".to_owned()
        }
    );
    let secret = files.daemon.folder().join("secret");
    assert_eq!(fs::read(secret).unwrap(), b"secret");
}

#[tokio::test]
async fn directories_are_listed_made_renamed_and_removed() {
    let mut files = Files::start().await;
    let done = |op, path: &str| Response::Done {
        op,
        path: path.to_owned(),
    };
    assert_eq!(files.ask(mkdir("a/b/c", true)).await, done(0x0D, "a/b/c"));
    files.write("a/file", b"12345").await;
    symlink("file", files.shown.join("a/link")).unwrap();
    fs::set_permissions(
        files.shown.join("a/file"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let Response::Listed {
        entries,
        more: false,
    } = files.ask(list("a")).await
    else {
        panic!("a list");
    };
    let entries: BTreeMap<String, Entry> = entries
        .into_iter()
        .map(|entry| (entry.name.clone(), entry))
        .collect();
    assert_eq!(
        entries.keys().collect::<Vec<_>>(),
        ["b", "file", "link"],
        "all and no more"
    );
    assert_eq!(entries["b"].kind, EntryKind::Directory);
    assert_eq!(entries["link"].kind, EntryKind::Symlink);
    let file = &entries["file"];
    assert_eq!((file.kind, file.size), (EntryKind::File, 5));
    assert_eq!(file.permissions, Permissions::from_mode(0o600));
    assert_eq!(
        files.refused(rename("a/file", "a/b", false)).await,
        FileCode::FILE_EXISTS
    );
    assert_eq!(
        files.ask(rename("a/file", "a/b/moved", false)).await,
        done(0x0F, "a/b/moved")
    );
    assert_eq!(files.read("a/b/moved").await, b"12345");
    assert_eq!(
        files.refused(remove("a", false)).await,
        FileCode::FILE_EXISTS
    );
    assert_eq!(files.ask(remove("a", true)).await, done(0x0E, "a"));
    assert!(!files.shown.join("a").exists());
}

#[tokio::test]
async fn what_cannot_be_done_has_its_code() {
    let mut files = Files::start().await;
    fs::write(files.shown.join("file"), "f").unwrap();
    fs::create_dir(files.shown.join("folder")).unwrap();
    nix::unistd::mkfifo(&files.shown.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let open = |path: &str| Request::Open(Open::read_only(path));
    let write = |path: &str| Request::Open(Open::write_anew(path));
    let mut anew = Open::write_anew("file");
    anew.flags.exclusive = true;
    for (request, code) in [
        (open("none"), FileCode::FILE_NOT_FOUND),
        (stat("none"), FileCode::FILE_NOT_FOUND),
        (remove("none", true), FileCode::FILE_NOT_FOUND),
        (open("pipe"), FileCode::PERMISSION_DENIED),
        (write("pipe"), FileCode::PERMISSION_DENIED),
        (Request::Open(anew), FileCode::FILE_EXISTS),
        (mkdir("folder", false), FileCode::FILE_EXISTS),
        (list("file"), FileCode::NOT_A_DIRECTORY),
        (open("file/below"), FileCode::NOT_A_DIRECTORY),
        (open("folder"), FileCode::IS_A_DIRECTORY),
        (write("folder"), FileCode::IS_A_DIRECTORY),
        (close(99), FileCode::INVALID_HANDLE),
        (
            Request::Read {
                handle: 99,
                offset: 0,
                length: 1,
            },
            FileCode::INVALID_HANDLE,
        ),
        (stat(&"x".repeat(5000)), FileCode::IO_ERROR),
        (stat("nul\0byte"), FileCode::IO_ERROR),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(files.refused(request).await, code, "{shown}");
    }
    let Response::Opened { handle, .. } = files.ask(open("file")).await else {
        panic!("it is open");
    };
    // A handle is for what it was opened for, and for one file.
    let into = Request::Write {
        handle,
        offset: 0,
        data: "x".into(),
    };
    assert_eq!(files.refused(into).await, FileCode::PERMISSION_DENIED);
    let again = Request::Open(Open {
        handle: Some(handle),
        ..Open::read_only("file")
    });
    assert_eq!(files.refused(again).await, FileCode::INVALID_HANDLE);
    // Far behind the end there is nothing.
    let read = Request::Read {
        handle,
        offset: u64::MAX,
        length: 10,
    };
    let data = Bytes::new();
    assert_eq!(files.ask(read).await, Response::Data { handle, data });
    // Of a file that is written beyond what can be, the server says so and lives.
    let Response::Opened { handle, .. } = files.ask(write("long")).await else {
        panic!("it is open");
    };
    let beyond = Request::Write {
        handle,
        offset: i64::MAX as u64,
        data: "x".into(),
    };
    assert_eq!(files.refused(beyond).await, FileCode::IO_ERROR);
}

#[tokio::test]
async fn who_asks_too_much_ahead_loses_the_channel() {
    let mut files = Files::start().await;
    // Answers that nobody reads hold up the thread, so that requests pile up.
    fs::write(files.shown.join("file"), vec![1; READ_BYTES_MAX]).unwrap();
    let Response::Opened { handle, .. } = files.ask(Request::Open(Open::read_only("file"))).await
    else {
        panic!("it is open");
    };
    let read = Request::Read {
        handle,
        offset: 0,
        length: u32::try_from(READ_BYTES_MAX).unwrap(),
    };
    let (kind, payload) = read.encode();
    for _ in 0..10 {
        for _ in 0..1000 {
            let now = std::time::Instant::now();
            let connection = &mut files.client.connection;
            connection
                .send(now, files.channel, kind, payload.clone())
                .unwrap();
        }
        files.client.flush().await;
    }
    let reason = files.client.channel_closed(files.channel).await;
    assert_eq!(reason, "too many requests wait for their answers");
    // The connection lives, and so do its files.
    let again = files.client.open(CHANNEL).await.unwrap();
    files.channel = again;
    assert!(matches!(
        files.ask(stat("file")).await,
        Response::Stat { .. }
    ));
}

#[tokio::test]
async fn strangers_have_no_files_and_some_servers_neither() {
    let daemon = Daemon::start(&["--desktop", "none", "--no-files"]);
    let mut client = WebClient::login(&daemon).await;
    assert_eq!(client.open(CHANNEL).await, Err(Code::NOT_ALLOWED));
    let mut stranger = tcp(&daemon, None).await;
    stranger.welcome().await;
    assert_eq!(stranger.open(CHANNEL).await, Err(Code::AUTH_FAILED));
    let files = Files::start().await;
    let mut known = tcp(&files.daemon, Some(token(&files.daemon))).await;
    known.welcome().await;
    known.open(CHANNEL).await.unwrap();
}
