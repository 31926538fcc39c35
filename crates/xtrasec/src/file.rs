//! Files that hold secrets: for their owner alone, and never half written.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::printable;

/// What to do with a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Replace,
}

/// Refuses a place where something is that must not be replaced.
pub(crate) fn may_be_written(path: &Path, existing: Existing) -> Result<(), Failure> {
    match path.symlink_metadata() {
        // A device or a link in a system directory must not become a file.
        Ok(there) if !there.is_file() => Err(not_a_file(path)),
        Ok(_) if existing == Existing::Refuse => Err(taken(path)),
        _ => Ok(()),
    }
}

/// Makes the file (mode 0600) with this content, all of it or nothing.
pub(crate) fn write(path: &Path, content: &[u8], existing: Existing) -> Result<(), Failure> {
    may_be_written(path, existing)?;
    let draft = Draft::create(path, content).map_err(|error| cannot_write(path, &error))?;
    if existing == Existing::Refuse {
        // Claims the name: should somebody else have made the file by now, it is theirs.
        match private().create_new(true).open(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(path)),
            Err(error) => return Err(cannot_write(path, &error)),
        }
    }
    draft.become_file(path).map_err(|error| cannot_write(path, &error))
}

/// Adds lines to a file; makes it (mode 0600) if it is not there.
pub(crate) fn append(path: &Path, lines: &[u8]) -> Result<(), Failure> {
    // Asked before it is opened, because opening a pipe waits.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(not_a_file(path));
    }
    add(path, lines).map_err(|error| cannot_write(path, &error))
}

fn add(path: &Path, lines: &[u8]) -> io::Result<()> {
    let mut file = private().read(true).append(true).create(true).open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != *b"\n" {
        // Otherwise the first line would become a part of what somebody left without an end.
        file.write_all(b"\n")?;
    }
    file.write_all(lines)
}

/// A word that nobody can guess.
pub(crate) fn random_word() -> String {
    // Every state has random keys of the system's.
    format!("{:016x}{:016x}", RandomState::new().hash_one(1_u8), RandomState::new().hash_one(2_u8))
}

fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

fn taken(path: &Path) -> Failure {
    Failure::refused(format!("{} exists already. Replace it with --force", shown(path)))
}

fn not_a_file(path: &Path) -> Failure {
    Failure::refused(format!("{} is there and is no regular file. It is left alone", shown(path)))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("{} cannot be written", shown(path)), error)
}

/// The content beside the place it is for. It is removed unless it gets there.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn create(target: &Path, content: &[u8]) -> io::Result<Self> {
        let Some(name) = target.file_name() else {
            return Err(io::Error::from(ErrorKind::IsADirectory));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}", random_word()));
        let path = target.with_file_name(hidden);
        let mut file = private().create_new(true).open(&path)?;
        let draft = Self { path };
        file.write_all(content)?;
        file.sync_all()?;
        Ok(draft)
    }

    fn become_file(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it has become the file.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_is_there_is_left_alone_unless_it_may_be_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        assert!(write(&path, b"one", Existing::Refuse).is_ok());
        let refusal = write(&path, b"two", Existing::Refuse).err().unwrap();
        assert!(refusal.line.contains("--force"), "{}", refusal.line);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(write(&path, b"two", Existing::Replace).is_ok());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(directory.path()), ["out"]);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_owner_alone_also_when_they_replace_an_open_one() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (new, open, added) = ["new", "open", "added"].map(|name| directory.path().join(name)).into();
        fs::write(&open, b"").unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(write(&new, b"x", Existing::Refuse).is_ok());
        assert!(write(&open, b"x", Existing::Replace).is_ok());
        assert!(append(&added, b"x").is_ok());
        assert_eq!((mode(&new), mode(&open), mode(&added)), (0o600, 0o600, 0o600));
    }

    #[test]
    fn lines_are_added_below_one_without_an_end_and_only_to_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("env");
        for (before, after) in [("", "B\n"), ("A\n", "A\nB\n"), ("A", "A\nB\n")] {
            fs::write(&path, before).unwrap();
            assert!(append(&path, b"B\n").is_ok());
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        assert!(append(directory.path(), b"B\n").err().unwrap().line.contains("no regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_neither_followed_nor_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
        for existing in [Existing::Refuse, Existing::Replace] {
            assert!(write(&path, b"x", existing).is_err());
        }
        assert!(path.is_symlink());
        assert_eq!(names(directory.path()), ["out"]);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write(&path, b"x", Existing::Replace).is_err());
        assert!(write(&directory.path().join("no/such"), b"x", Existing::Refuse).is_err());
        assert_eq!(names(directory.path()), ["taken"]);
    }
}
