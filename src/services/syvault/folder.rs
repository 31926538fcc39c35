//! Folders as the program knows them: their names and keys, which the service does not tell in a documented way.

use std::fmt;

use aes_gcm::{Key, KeyInit};
use base64::Engine;
use zeroize::Zeroizing;

use super::key::BASE64;
use super::record::Cipher;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, shown_name};

/// What a program knows of a folder.
///
/// Records are encrypted under the key of their folder, and the names of folders are encrypted too. **How a machine client gets
/// these keys is not published**: the answer to its registration has them wrapped in a form that no page describes. So this crate
/// does not unwrap them. A program that has a key by another way gives it here; without it, records of the folder are
/// [`Undecryptable`](ErrorKind::Undecryptable).
///
/// ```
/// use xtrasecurity::syvault::SyVaultFolder;
///
/// let folder = SyVaultFolder::new("0c0b7f3e-folder").path(["Production"]);
/// assert_eq!(format!("{folder:?}"), "SyVaultFolder { id: \"0c0b7f3e-folder\", has_key: false, .. }");
/// ```
#[derive(Clone)]
pub struct SyVaultFolder {
    id: String,
    path: Vec<String>,
    key: Option<SecretValue>,
}

impl SyVaultFolder {
    /// The folder of this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), path: Vec::new(), key: None }
    }

    /// The names that lead to it, the outermost first, as [notations](super::Notation) have them.
    #[must_use]
    pub fn path(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.path = names.into_iter().map(Into::into).collect();
        self
    }

    /// Its id, the names that lead to it, and its key.
    #[cfg(feature = "dev-server")]
    pub(super) fn into_parts(self) -> (String, Vec<String>, Option<SecretValue>) {
        (self.id, self.path, self.key)
    }

    /// Its key: 32 bytes in base64.
    #[must_use]
    pub fn key(mut self, key: impl Into<SecretValue>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl fmt::Debug for SyVaultFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_key = self.key.is_some();
        f.debug_struct("SyVaultFolder").field("id", &self.id).field("has_key", &has_key).finish_non_exhaustive()
    }
}

/// The variable with the keys of folders: this crate's own, because no page of the vendor has one.
pub(super) const KEYS: &str = "SY_FOLDER_KEYS";

/// These folders, and the keys of others in a text: `ID=KEY`, parted by commas. A key that the program gives counts more.
pub(super) fn with_keys(
    mut folders: Vec<SyVaultFolder>,
    text: Option<SecretValue>,
) -> Result<Vec<SyVaultFolder>, XtraError> {
    let Some(text) = text else { return Ok(folders) };
    for entry in text.expose().split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let given = entry.split_once('=').filter(|(id, key)| !id.is_empty() && decoded(&(*key).into()).is_some());
        let Some((id, key)) = given else {
            let message = format!("{KEYS} has an entry that is not the id of a folder, =, and 32 bytes in base64");
            return Err(XtraError::new(ErrorKind::Config, message));
        };
        match folders.iter_mut().find(|folder| folder.id == id) {
            Some(folder) => drop(folder.key.get_or_insert_with(|| key.into())),
            None => folders.push(SyVaultFolder::new(id).key(key)),
        }
    }
    Ok(folders)
}

/// The folders that a client knows.
#[derive(Default)]
pub(super) struct Folders(Vec<Folder>);

struct Folder {
    id: String,
    path: Vec<String>,
    /// Wiped when it is dropped.
    key: Option<Zeroizing<[u8; 32]>>,
}

impl Folders {
    /// The folders, checked.
    pub(super) fn of(given: Vec<SyVaultFolder>) -> Result<Self, XtraError> {
        let mut all: Vec<Folder> = Vec::new();
        for SyVaultFolder { id, path, key } in given {
            let refused = |what: &str| {
                let message = format!("the folder {} {what}", shown_name(&id, |_| false));
                Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::Correct { option: "folder" }))
            };
            if id.is_empty() || all.iter().any(|known| known.id == id) {
                return refused("has no id, or one that another has");
            }
            let key = match key {
                None => None,
                Some(text) => match decoded(&text) {
                    Some(key) => Some(key),
                    None => return refused("has a key that is not 32 bytes in base64"),
                },
            };
            all.push(Folder { id, path, key });
        }
        Ok(Self(all))
    }

    /// The cipher of the folder of this id, when its key is known.
    pub(super) fn cipher(&self, id: &str) -> Option<Cipher> {
        let folder = self.0.iter().find(|folder| folder.id == id)?;
        folder.key.as_ref().map(|key| Cipher::new(Key::<aes_gcm::Aes256Gcm>::from_slice(&**key)))
    }

    /// The ids of the folders that these names lead to.
    pub(super) fn at<'f>(&'f self, path: &'f [String]) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |folder| !path.is_empty() && folder.path == path).map(|folder| folder.id.as_str())
    }
}

fn decoded(text: &SecretValue) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(BASE64.decode(text.expose().trim()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_none_and_an_id_that_is_given_twice_are_refused_and_not_shown() {
        for key in ["", "hunter2", "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"] {
            let error = Folders::of(vec![SyVaultFolder::new("f").key(key)]).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(key.is_empty() || !error.to_string().contains(key), "{error}");
        }
        assert!(Folders::of(vec![SyVaultFolder::new("f"), SyVaultFolder::new("f")]).is_err());
        assert!(Folders::of(vec![SyVaultFolder::new("")]).is_err());
    }

    #[test]
    fn keys_of_folders_come_from_a_variable_too_and_those_of_the_program_count_more() {
        const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        const OTHER: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let given = vec![SyVaultFolder::new("a").key(OTHER), SyVaultFolder::new("b").path(["B"])];
        let text = format!("a={KEY}, b={KEY},,c={KEY}");
        let folders = with_keys(given, Some(text.into())).unwrap();
        let keys: Vec<_> =
            folders.iter().map(|one| (one.id.as_str(), one.key.as_ref().map(SecretValue::expose))).collect();
        assert_eq!(keys, [("a", Some(OTHER)), ("b", Some(KEY)), ("c", Some(KEY))]);
        assert_eq!(folders[1].path, ["B"]);
        for text in ["hunter2", "=AAEC", "a=hunter2", "a="] {
            let error = with_keys(Vec::new(), Some(text.into())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains("SY_FOLDER_KEYS") && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_folder_is_found_by_the_whole_of_its_path() {
        let folder = |id: &str, path: &[&str]| SyVaultFolder::new(id).path(path.iter().copied());
        let given = vec![
            folder("1", &["Production"]),
            folder("2", &["Production", "Web"]),
            folder("3", &[]),
            folder("4", &["Production"]),
        ];
        let folders = Folders::of(given).unwrap();
        let at = |path: &[&str]| -> Vec<String> {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            folders.at(&path).map(str::to_owned).collect()
        };
        assert_eq!(at(&["Production"]), ["1", "4"]);
        assert_eq!(at(&["Production", "Web"]), ["2"]);
        assert!(at(&[]).is_empty() && at(&["production"]).is_empty() && at(&["Web"]).is_empty());
    }
}
