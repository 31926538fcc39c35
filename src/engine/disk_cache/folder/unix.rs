//! The directory and its files on Unix: by descriptor, following no link, for their owner alone.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::fs::{AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, fchmod, flock, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::{DiskError, Step, What};

/// Rights that only the owner may have.
const OF_OTHERS: u32 = 0o077;

/// For how long the writers of other processes are waited for.
const LONGEST_TURN: Duration = Duration::from_secs(1);

/// A directory that is this user's alone.
pub(in crate::engine::disk_cache) struct Folder(File);

impl Folder {
    /// The directory at `path`. [`DiskError::Absent`] when there is none.
    pub(in crate::engine::disk_cache) fn open_at(path: &Path) -> Result<Self, DiskError> {
        let folder = Self::open_own_at(path)?;
        judge(&folder.0, What::Directory, Step::OpenDirectory)?;
        Ok(folder)
    }

    /// The same, for deleting only: other users may have rights to it. [`judge`] asks about those last.
    pub(in crate::engine::disk_cache) fn open_own_at(path: &Path) -> Result<Self, DiskError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // a slash at the end would have a link followed
        let path: PathBuf = path.components().collect();
        let opened = openat(CWD, &path, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => DiskError::Absent,
            Errno::NOTDIR | Errno::LOOP | Errno::MLINK => DiskError::WrongKind(What::Directory),
            error => DiskError::system(Step::OpenDirectory, error),
        })?;
        let directory = File::from(opened);
        match judge(&directory, What::Directory, Step::OpenDirectory) {
            Ok(()) | Err(DiskError::OpenToOthers(_)) => Ok(Self(directory)),
            Err(problem) => Err(problem),
        }
    }

    /// The same, made when there is none.
    pub(in crate::engine::disk_cache) fn create_at(path: &Path) -> Result<Self, DiskError> {
        match Self::open_at(path) {
            Err(DiskError::Absent) => {}
            found => return found,
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| DiskError::system(Step::CreateDirectory, error))?;
        Self::open_at(path)
    }

    /// Waits until no other writer is at work in this directory, in whatever process; until it is closed, no other one begins.
    ///
    /// Whoever holds the turn for long, a stopped process say, or a file system without locks, must not end the saving: then
    /// this goes on, and it is as if nobody took turns.
    pub(in crate::engine::disk_cache) fn wait_for_turn(&self) {
        let began = Instant::now();
        while let Err(Errno::WOULDBLOCK | Errno::INTR) = flock(&self.0, FlockOperation::NonBlockingLockExclusive)
            && began.elapsed() < LONGEST_TURN
        {
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A regular file of this user's alone.
    pub(super) fn open(&self, name: &str) -> Result<File, DiskError> {
        // without NONBLOCK, opening a pipe waits for its writer
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(&self.0, name, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => DiskError::Absent,
            Errno::LOOP | Errno::MLINK | Errno::NXIO => DiskError::WrongKind(What::File),
            error => DiskError::system(Step::Open, error),
        })?;
        let file = File::from(opened);
        judge(&file, What::File, Step::Open)?;
        Ok(file)
    }

    /// A new file for its owner alone.
    pub(super) fn create(&self, name: &str) -> Result<File, DiskError> {
        let failed = |error: Errno| DiskError::system(Step::Write, error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let created = openat(&self.0, name, flags, mode).map_err(failed)?;
        // the process's mask may have taken rights away from the owner too
        fchmod(&created, mode).map_err(failed)?;
        Ok(File::from(created))
    }

    /// Renames, and makes sure that the new name survives a loss of power.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        let failed = |error: io::Error| DiskError::system(Step::Replace, error);
        renameat(&self.0, from, &self.0, to).map_err(|error| failed(error.into()))?;
        self.0.sync_all().map_err(failed)
    }

    /// Removes a file, or the link of this name. `Ok` when there is none.
    pub(super) fn remove(&self, name: &str) -> Result<(), DiskError> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(DiskError::system(Step::Delete, error)),
        }
    }

    /// The names in the directory; as many as can be read.
    pub(super) fn names(&self) -> Vec<String> {
        let Ok(entries) = Dir::read_from(&self.0) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned)).collect()
    }
}

fn judge(file: &File, what: What, step: Step) -> Result<(), DiskError> {
    let about = file.metadata().map_err(|error| DiskError::system(step, error))?;
    let is_right_kind = match what {
        What::Directory => about.is_dir(),
        What::File => about.is_file(),
    };
    let is_own = about.uid() == rustix::process::geteuid().as_raw();
    super::judged(is_right_kind, is_own, about.mode() & OF_OTHERS == 0, what)
}
