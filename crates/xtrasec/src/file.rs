//! Files and standard input that hold secrets: wiped after reading, written for their owner alone and never in part.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use xtrasecurity::dotenv::EncryptedBy;
use xtrasecurity::{Schema, SecretValue};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::text::printable;

/// What stands for standard input in the place of a path.
const STANDARD_INPUT: &str = "-";

/// As much as the library takes of a schema.
const LARGEST_SCHEMA: usize = 1 << 20;

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

/// Whether standard input is somebody who types.
pub(crate) fn is_typed() -> bool {
    io::stdin().is_terminal()
}

/// The whole of standard input.
pub(crate) fn standard_input(most: usize) -> Result<SecretValue, Failure> {
    all(io::stdin().lock(), "standard input", most)
}

/// Whether it is no regular file: standard input, which is called -, a pipe (`<(…)` in a shell) or a device.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT || path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// The path as messages call it.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT { "standard input".to_owned() } else { shown(path) }
}

/// The whole of a file or a pipe; - is standard input.
pub(crate) fn read(path: &Path, most: usize) -> Result<SecretValue, Failure> {
    if path.as_os_str() == STANDARD_INPUT {
        return standard_input(most);
    }
    let name = name(path);
    let cannot = |error: &io::Error| Failure::io(format!("{name} cannot be read"), error);
    let file = File::open(path).map_err(|error| cannot(&error))?;
    if file.metadata().map_err(|error| cannot(&error))?.is_dir() {
        return Err(Failure::refused(format!("{name} is a directory")));
    }
    all(file, &name, most)
}

fn all(from: impl Read, name: &str, most: usize) -> Result<SecretValue, Failure> {
    let bytes = bytes(from, most).map_err(|error| Failure::io(format!("{name} cannot be read"), &error))?;
    let Some(bytes) = bytes else {
        return Err(Failure::refused(format!("{name} is larger than {} MiB", most >> 20)));
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => {
            if let Some(tool) = EncryptedBy::of_file(&bytes) {
                return Err(encrypted(name, tool));
            }
            Err(Failure::refused(format!("{name} is not UTF-8 text. Encode other data first, with base64 for one")))
        }
    }
}

/// Why a file that a tool has encrypted is not used.
pub(crate) fn encrypted(name: &str, tool: EncryptedBy) -> Failure {
    let command = tool.decrypting_command();
    Failure::refused(format!(
        "{name} is encrypted by {tool}, and its ciphertext is no value. Decrypt it first ({command}), and give what comes of it \
         by a pipe. Nothing was written"
    ))
}

/// All of it, or nothing when there is more than `most`. No buffer is left behind that is not wiped.
fn bytes(mut from: impl Read, most: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(1 << 16));
    loop {
        let room = buffer.capacity() - buffer.len();
        let before = buffer.len();
        from.by_ref().take(room as u64).read_to_end(&mut buffer)?;
        if buffer.len() > most {
            return Ok(None);
        }
        if buffer.len() - before < room {
            return Ok(Some(buffer));
        }
        let mut larger = Zeroizing::new(Vec::with_capacity(buffer.capacity() * 2));
        larger.extend_from_slice(&buffer);
        buffer = larger;
    }
}

/// The schema in a file or a pipe; the file is named when it cannot be used.
pub(crate) fn schema(path: &Path) -> Result<Schema, Failure> {
    let text = read(path, LARGEST_SCHEMA)?;
    Schema::from_json(text.expose())
        .map_err(|error| Failure::refused(format!("{}: {}", name(path), Failure::from(error).line)))
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

    #[test]
    fn everything_is_read_up_to_the_bound_and_nothing_beyond_it() {
        for length in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let data = vec![b'x'; length];
            assert!(bytes(&data[..], 300_000).unwrap().is_some_and(|read| *read == data), "{length}");
        }
        assert!(bytes(&[b'x'; 300_001][..], 300_000).unwrap().is_none());
        assert!(bytes(io::repeat(b'x'), 1 << 20).unwrap().is_none());
    }

    #[test]
    fn what_is_no_text_is_refused_and_not_quoted() {
        let refusal = all(&b"canary\xff"[..], "it", 100).err().unwrap();
        assert!(refusal.line.contains("UTF-8") && !refusal.line.contains("canary"), "{}", refusal.line);
    }
}
