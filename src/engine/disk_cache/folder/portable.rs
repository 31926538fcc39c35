//! The directory and its files where there are no Unix rights: the rights of the directory given are what protects them.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DiskError, Step, What};

/// A directory.
pub(in crate::engine::disk_cache) struct Folder(PathBuf);

impl Folder {
    /// The directory at `path`. [`DiskError::Absent`] when there is none.
    pub(in crate::engine::disk_cache) fn open_at(path: &Path) -> Result<Self, DiskError> {
        match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => Ok(Self(path.to_owned())),
            Ok(_) => Err(DiskError::WrongKind(What::Directory)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(DiskError::Absent),
            Err(error) => Err(DiskError::system(Step::OpenDirectory, error)),
        }
    }

    /// The same, for deleting only.
    pub(in crate::engine::disk_cache) fn open_own_at(path: &Path) -> Result<Self, DiskError> {
        Self::open_at(path)
    }

    /// There are no turns: of two processes that write at the same time, the one that ends last wins.
    pub(in crate::engine::disk_cache) fn wait_for_turn(&self) {}

    /// The same, made when there is none.
    pub(in crate::engine::disk_cache) fn create_at(path: &Path) -> Result<Self, DiskError> {
        match Self::open_at(path) {
            Err(DiskError::Absent) => {}
            found => return found,
        }
        fs::create_dir_all(path).map_err(|error| DiskError::system(Step::CreateDirectory, error))?;
        Self::open_at(path)
    }

    /// A regular file.
    pub(super) fn open(&self, name: &str) -> Result<File, DiskError> {
        let path = self.0.join(name);
        // looked at before it is opened: to open something else could wait for ever
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_file() => File::open(path).map_err(|error| DiskError::system(Step::Open, error)),
            Ok(_) => Err(DiskError::WrongKind(What::File)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(DiskError::Absent),
            Err(error) => Err(DiskError::system(Step::Open, error)),
        }
    }

    /// A new file.
    pub(super) fn create(&self, name: &str) -> Result<File, DiskError> {
        let created = OpenOptions::new().write(true).create_new(true).open(self.0.join(name));
        created.map_err(|error| DiskError::system(Step::Write, error))
    }

    /// Renames, over what has the name already.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        fs::rename(self.0.join(from), self.0.join(to)).map_err(|error| DiskError::system(Step::Replace, error))
    }

    /// Removes a file. `Ok` when there is none.
    pub(super) fn remove(&self, name: &str) -> Result<(), DiskError> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(DiskError::system(Step::Delete, error)),
            _ => Ok(()),
        }
    }

    /// The names in the directory; as many as can be read.
    pub(super) fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}
