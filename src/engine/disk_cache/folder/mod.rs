//! The directory that copies are kept in, and the files in it. Everything here blocks.
//!
//! On Unix a file is judged by the descriptor that it is read from, so that what was looked at is what is read.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::error::{DiskError, Step, What};
use super::seal;

#[cfg(not(unix))]
pub(super) use portable::Folder;
#[cfg(unix)]
pub(super) use unix::Folder;

/// What the names of copies end in.
const COPY: &str = ".copy";
/// What the names of files end in that are still being written.
const UNFINISHED: &str = ".part";

/// How long a file may take to be written. Older unfinished ones were left behind.
const WRITING: Duration = Duration::from_secs(600);

impl Folder {
    /// All of a copy, when nobody else can have read or written it.
    pub(super) fn read(&self, name: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let file = self.open(&file_name(name))?;
        let size = file.metadata().map_err(|error| DiskError::system(Step::Read, error))?.len();
        let room = usize::try_from(size).ok().filter(|size| *size <= limit).ok_or(DiskError::TooLarge)?;
        // one buffer that is large enough: the contents are decrypted in it, and growing would leave a copy behind
        let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
        file.take(size + 1).read_to_end(&mut bytes).map_err(|error| DiskError::system(Step::Read, error))?;
        if bytes.len() > limit { Err(DiskError::TooLarge) } else { Ok(bytes) }
    }

    /// Puts a whole new copy in the place of the old one. Whoever reads meanwhile gets the one or the other.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let unfinished = format!("{name}.{}{UNFINISHED}", seal::random_name()?);
        let written = self
            .create(&unfinished)
            .and_then(|file| write_through(file, bytes))
            .and_then(|()| self.rename(&unfinished, &file_name(name)));
        if written.is_err() {
            // an unfinished file has no use; if this fails as well, a later sweep takes it
            let _ = self.remove(&unfinished);
        }
        written
    }

    /// Deletes a copy. `Ok` when there is none.
    pub(super) fn delete(&self, name: &str) -> Result<(), DiskError> {
        self.remove(&file_name(name))
    }

    /// Deletes what has no use any more: copies past their time, and files whose writer has died. What cannot be deleted or
    /// is none of ours stays.
    pub(super) fn sweep(&self, now: SystemTime) {
        for name in self.names() {
            let is_useless = match name.as_str() {
                name if name.ends_with(UNFINISHED) => self.open(name).is_ok_and(|file| was_left_behind(&file)),
                name if name.ends_with(COPY) => self.open(name).is_ok_and(|file| is_over(file, now)),
                _ => false,
            };
            if is_useless {
                let _ = self.remove(&name);
            }
        }
    }
}

fn file_name(name: &str) -> String {
    format!("{name}{COPY}")
}

/// Writes to the disk itself, not only to the system's memory.
fn write_through(mut file: File, bytes: &[u8]) -> Result<(), DiskError> {
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| DiskError::system(Step::Write, error))
}

/// A file that was changed last neither just now nor just ahead of now, by the clock that files have.
fn was_left_behind(file: &File) -> bool {
    let now = SystemTime::now();
    let changed = file.metadata().and_then(|about| about.modified());
    changed.is_ok_and(|changed| {
        let apart = now.duration_since(changed).unwrap_or_else(|ahead| ahead.duration());
        apart > WRITING
    })
}

/// Whether a copy, by its own words, is past its time or from the future. Only its owner can have written them.
fn is_over(file: File, now: SystemTime) -> bool {
    let mut start = Vec::with_capacity(seal::HEADER);
    let read = file.take(seal::HEADER as u64).read_to_end(&mut start);
    read.is_ok()
        && seal::claimed_life(&start)
            .is_ok_and(|life| matches!(life.age(now, Duration::MAX), Err(DiskError::TooOld(_))))
}

/// The first thing that is wrong with a file or directory.
#[cfg(unix)]
fn judged(is_right_kind: bool, is_own: bool, is_private: bool, what: What) -> Result<(), DiskError> {
    match (is_right_kind, is_own, is_private) {
        (false, ..) => Err(DiskError::WrongKind(what)),
        (_, false, _) => Err(DiskError::OtherOwner(what)),
        (.., false) => Err(DiskError::OpenToOthers(what)),
        (true, true, true) => Ok(()),
    }
}
