//! The folder that is shown, and paths that cannot lead out of it.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, CWD, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;
use vroom_protocol::files::FileCode;

use super::failure::Failure;

/// The folder that is shown.
///
/// The kernel resolves every path below it and refuses what would lead out of it, whatever
/// happens to the files meanwhile; links that stay inside are followed.
#[derive(Debug)]
pub(super) struct Root {
    folder: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens the folder.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = fs::openat(CWD, &path, flags, Mode::empty())?;
        Ok(Self { folder, path })
    }

    /// Opens what a path leads to.
    pub(super) fn open_at(
        &self,
        path: &str,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, Failure> {
        self.resolve(self.below(path)?, flags, mode)
    }

    /// Opens a directory to list it.
    pub(super) fn open_folder(&self, path: &str) -> Result<OwnedFd, Failure> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.open_at(path, flags, Mode::empty())
    }

    /// What a path leads to, or the link itself.
    pub(super) fn stat(&self, path: &str, follow: bool) -> Result<fs::Stat, Failure> {
        let mut flags = OFlags::PATH;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        Ok(fs::fstat(self.open_at(path, flags, Mode::empty())?)?)
    }

    /// Makes a directory, and with `parents` those above it.
    pub(super) fn make_folder(&self, path: &str, parents: bool, mode: Mode) -> Result<(), Failure> {
        let below = self.below(path)?;
        if !parents {
            let (folder, name) = self.place(below)?;
            return Ok(fs::mkdirat(folder, name, mode)?);
        }
        let mut reached = PathBuf::new();
        for part in below.components() {
            reached.push(part);
            let Component::Normal(_) = part else {
                continue;
            };
            let (folder, name) = self.place(&reached)?;
            match fs::mkdirat(folder, name, mode) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        // What was there before may be something else.
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        self.resolve(below, flags, Mode::empty()).map(drop)
    }

    /// The directory that holds a path, and its name there.
    pub(super) fn parent<'a>(&self, path: &'a str) -> Result<(OwnedFd, &'a OsStr), Failure> {
        self.place(self.below(path)?)
    }

    /// Gives a file another path.
    pub(super) fn rename(&self, from: &str, to: &str, overwrite: bool) -> Result<(), Failure> {
        let (from_folder, from_name) = self.parent(from)?;
        let (to_folder, to_name) = self.parent(to)?;
        let flags = if overwrite {
            RenameFlags::empty()
        } else {
            RenameFlags::NOREPLACE
        };
        let renamed = fs::renameat_with(&from_folder, from_name, &to_folder, to_name, flags);
        let renamed = match renamed {
            // A file system that cannot promise it in one step.
            Err(Errno::INVAL | Errno::NOSYS) if !overwrite => {
                match fs::statat(&to_folder, to_name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(Errno::EXIST),
                    Err(Errno::NOENT) => fs::renameat(&from_folder, from_name, &to_folder, to_name),
                    Err(errno) => Err(errno),
                }
            }
            renamed => renamed,
        };
        match renamed {
            Err(Errno::XDEV) => Err(Failure::new(
                FileCode::IO_ERROR,
                "that is another file system; copy it instead",
            )),
            renamed => Ok(renamed?),
        }
    }

    /// The path below the root; an absolute one has to begin with it.
    fn below<'a>(&self, path: &'a str) -> Result<&'a Path, Failure> {
        if path.len() > PATH_BYTES_MAX {
            return Err(Errno::NAMETOOLONG.into());
        }
        let path = Path::new(path);
        let below = if path.is_absolute() {
            path.strip_prefix(&self.path)
                .map_err(|_| Failure::outside())?
        } else {
            path
        };
        Ok(if below.as_os_str().is_empty() {
            Path::new(".")
        } else {
            below
        })
    }

    fn place<'a>(&self, below: &'a Path) -> Result<(OwnedFd, &'a OsStr), Failure> {
        let Some(Component::Normal(name)) = below.components().next_back() else {
            return Err(Failure::new(
                FileCode::PERMISSION_DENIED,
                "that is not the name of a file",
            ));
        };
        let folder = match below.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        Ok((self.resolve(folder, flags, Mode::empty())?, name))
    }

    fn resolve(&self, below: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Failure> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        // The kernel refuses flags and modes that mean nothing.
        let mut flags = flags | OFlags::CLOEXEC;
        if !flags.contains(OFlags::PATH) {
            flags |= OFlags::NOCTTY;
        }
        let mode = if flags.contains(OFlags::CREATE) {
            mode
        } else {
            Mode::empty()
        };
        for _ in 0..TRIES {
            match fs::openat2(&self.folder, below, flags, mode, resolve) {
                // Something was moved while `..` was looked at.
                Err(Errno::AGAIN | Errno::INTR) => {}
                opened => return Ok(opened?),
            }
        }
        Err(Errno::AGAIN.into())
    }
}

/// The longest path that is looked at, in bytes; a longer one is refused.
const PATH_BYTES_MAX: usize = 4095;

/// How often a path is looked at anew when files move under it; then the request fails.
const TRIES: usize = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> FileCode {
        result.unwrap_err().code
    }

    #[test]
    fn no_path_leads_out() {
        let outer = tempfile::tempdir().unwrap();
        let shown = outer.path().join("shown");
        std::fs::create_dir_all(shown.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::fs::write(shown.join("file"), "f").unwrap();
        symlink("../secret", shown.join("out")).unwrap();
        symlink("/etc", shown.join("etc")).unwrap();
        symlink("../file", shown.join("sub/in")).unwrap();
        let root = Root::open(&shown).unwrap();
        for path in [
            "..",
            "../secret",
            "sub/../../secret",
            "out",
            "etc",
            "etc/passwd",
            "/etc/passwd",
            "/",
        ] {
            assert_eq!(
                code(root.stat(path, true)),
                FileCode::PERMISSION_DENIED,
                "{path}"
            );
        }
        for path in ["file", "sub/../file", "sub/in", ".", "", "./sub"] {
            root.stat(path, true).unwrap();
        }
        root.stat(shown.join("file").to_str().unwrap(), true)
            .unwrap();
        // The links themselves are here.
        root.stat("out", false).unwrap();
        for path in ["../new", "etc/new", "/new", "sub/../../new"] {
            let mode = Mode::from_raw_mode(0o755);
            for parents in [false, true] {
                let made = root.make_folder(path, parents, mode);
                assert_eq!(code(made), FileCode::PERMISSION_DENIED, "{path}");
            }
            let renamed = root.rename("file", path, true);
            assert_eq!(code(renamed), FileCode::PERMISSION_DENIED, "{path}");
        }
        for path in [".", "..", "", "sub/.."] {
            assert_eq!(code(root.parent(path)), FileCode::PERMISSION_DENIED);
        }
        assert!(shown.join("file").exists());
    }

    #[test]
    fn folders_are_made_with_those_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let mode = Mode::from_raw_mode(0o755);
        let made = root.make_folder("a/b/c", false, mode);
        assert_eq!(code(made), FileCode::FILE_NOT_FOUND);
        root.make_folder("a/./b/c", true, mode).unwrap();
        root.make_folder("a/b/c", true, mode).unwrap();
        let made = root.make_folder("a/b", false, mode);
        assert_eq!(code(made), FileCode::FILE_EXISTS);
        std::fs::write(folder.path().join("file"), "").unwrap();
        for path in ["file", "file/sub"] {
            let made = root.make_folder(path, true, mode);
            assert_eq!(code(made), FileCode::NOT_A_DIRECTORY, "{path}");
        }
        assert!(folder.path().join("a/b/c").is_dir());
    }

    #[test]
    fn nothing_is_overwritten_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        for name in ["one", "two"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let renamed = root.rename("one", "two", false);
        assert_eq!(code(renamed), FileCode::FILE_EXISTS);
        root.rename("one", "two", true).unwrap();
        assert_eq!(std::fs::read(folder.path().join("two")).unwrap(), b"one");
        root.rename("two", "three", false).unwrap();
        assert_eq!(
            code(root.rename("two", "four", false)),
            FileCode::FILE_NOT_FOUND
        );
    }
}
