//! A file with references in it, read whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::graph::MOST_BYTES;
use crate::core::{ErrorKind, SecretValue, XtraError};

/// The text of a regular file. It may hold secrets beside its references, so that it is wiped after use.
///
/// Blocks the thread, on purpose: to hand the work over to another thread would leave that one behind for a while, and then
/// the environment of the process could not be set.
pub(crate) fn read(path: &Path) -> Result<SecretValue, XtraError> {
    // looked at before it is opened: to open a pipe could wait for ever
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.is_file() {
        return Err(problem(path, "is not a regular file"));
    }
    let too_large = || problem(path, &format!("is larger than {} MiB", MOST_BYTES / 1024 / 1024));
    let told = usize::try_from(about.len()).ok().filter(|told| *told <= MOST_BYTES).ok_or_else(too_large)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    whole(path, file, told)
}

/// All of the file, which was `told` bytes long a moment ago.
fn whole(path: &Path, file: File, told: usize) -> Result<SecretValue, XtraError> {
    // one buffer that is large enough: growing would leave copies behind that are not wiped
    let room = told.max(16 * 1024) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    let mut bounded = file.take(room as u64);
    bounded.read_to_end(&mut content).map_err(|error| unreadable(path, &error))?;
    if bounded.limit() == 0 {
        return Err(problem(path, "grew while it was read"));
    }
    match std::str::from_utf8(&content) {
        Ok(text) => Ok(SecretValue::from(text)),
        Err(_) => Err(problem(path, "is not UTF-8 text")),
    }
}

fn problem(path: &Path, what: &str) -> XtraError {
    XtraError::new(ErrorKind::Invalid, format!("the file {} {what}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> XtraError {
    problem(path, &format!("cannot be read ({})", error.kind())).with_os_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_while_it_is_read_is_not_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x".repeat(20_000)).unwrap();
        let read = |told| whole(file.path(), File::open(file.path()).unwrap(), told);
        assert!(read(10).unwrap_err().to_string().contains("grew while it was read"));
        assert!(read(19_999).unwrap_err().to_string().contains("grew while it was read"));
        assert_eq!(read(20_000).unwrap().len(), 20_000);
        assert_eq!(read(30_000).unwrap().len(), 20_000, "one that shrank is what it is");
    }
}
