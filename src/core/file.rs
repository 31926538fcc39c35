//! Bounded reading of files that may hold tokens or secrets: their bytes are wiped after use and never quoted.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use serde_json::error::Category;
use zeroize::Zeroizing;

use super::{XtraError, file_reason};

/// The largest file that is read. (Some command line tools keep a cache in the same file as their token.)
const LARGEST: u64 = 4 * 1024 * 1024;

/// The buffer of a file whose size is not known.
const SMALL: u64 = 16 * 1024;

/// Why a file gave nothing. The text tells where, and nothing of what is in the file.
#[derive(Debug)]
pub(crate) enum FileError {
    Missing,
    Unreadable(io::Error),
    NotAFile,
    TooLarge,
    NotUnicode,
    Json { line: usize, column: usize, category: Category },
}

impl FileError {
    /// `error`, with the operating system's error when that is what stood in the way.
    pub(crate) fn attached_to(&self, error: XtraError) -> XtraError {
        match self {
            Self::Unreadable(os_error) => error.with_os_error(os_error),
            _ => error,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Unreadable(error) => write!(f, "the file cannot be read ({})", file_reason(error.kind())),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge => write!(f, "the file is larger than {} MiB", LARGEST / 1024 / 1024),
            Self::NotUnicode => f.write_str("the file is not UTF-8 text"),
            Self::Json { line, column, category } => {
                let what = match category {
                    Category::Data => "a value of the wrong type",
                    Category::Eof => "an end of the file that comes too early",
                    Category::Syntax | Category::Io => "something that is not JSON",
                };
                write!(f, "the file has {what} at line {line}, column {column}")
            }
        }
    }
}

/// The whole of a regular file of ordinary size.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_up_to(path, LARGEST)
}

/// The whole of a regular file that is not larger than `most` bytes.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // looked at before it is opened: to open a pipe could wait for ever
    let about = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Missing,
        _ => FileError::Unreadable(error),
    })?;
    if !about.is_file() {
        return Err(FileError::NotAFile);
    }
    if about.len() > most {
        return Err(FileError::TooLarge);
    }
    let file = File::open(path).map_err(FileError::Unreadable)?;
    read_all(file, about.len(), most)
}

/// All of a file that was `told` to be so long. Some file systems tell no size.
fn read_all(file: impl Read, told: u64, most: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // one buffer that is large enough: growing would leave copies behind that are not wiped
    let room = told.max(SMALL.min(most)) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(room).map_err(|_| FileError::TooLarge)?));
    let mut bounded = file.take(room);
    bounded.read_to_end(&mut content).map_err(FileError::Unreadable)?;
    // it grew meanwhile: what was read may be half of it
    if bounded.limit() == 0 { Err(FileError::TooLarge) } else { Ok(content) }
}

/// Whether users other than the owner may read the file, as far as the platform tells.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| open_to_others(&about))
}

#[cfg(unix)]
fn open_to_others(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for content in [Vec::new(), vec![b'x'; 10], vec![b'y'; 100_000]] {
            fs::write(&path, &content).unwrap();
            assert_eq!(*read(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_not_taken_in_half() {
        let grown = vec![b'x'; 100_001];
        assert!(matches!(read_all(&grown[..], 100_000, LARGEST), Err(FileError::TooLarge)));
        let whole = read_all(&grown[..], 100_001, LARGEST).unwrap();
        assert_eq!((whole.len(), whole.capacity()), (100_001, 100_002), "the buffer has not grown");
    }

    #[test]
    fn what_is_not_a_readable_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert!(matches!(read(&path), Err(FileError::Missing)));
        assert!(matches!(read(dir.path()), Err(FileError::NotAFile)));
        fs::write(&path, "x").unwrap();
        assert!(matches!(read(&path.join("below")), Err(FileError::Missing)));
        fs::File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_tells_no_size_is_read_all_the_same() {
        assert!(!read(Path::new("/proc/self/status")).unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_open_to_others_unless_only_the_owner_has_rights() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "x").unwrap();
        for (mode, open) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o601, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&path), open, "{mode:o}");
        }
    }
}
