//! The file that the library finds a token in, when no variable has one.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use xtrasecurity::SecretValue;
use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::profile::Profile;

/// How messages call it, and the library too.
pub(crate) const NAME: &str = "~/.xtra/config.json";
const DIRECTORY: &str = "~/.xtra";

/// As much as the library takes.
const MOST: usize = 4 << 20;

/// The members under which the library looks for a token.
const TOKEN: &str = "token";
const OLD_TOKEN: &str = "authToken";
/// The base URL that the token is for. Without it that is the service's own.
const API_URL: &str = "apiUrl";
/// The tokens of named profiles, each an object of a token and its base URL. The library does not read them.
const PROFILES: &str = "profiles";

/// The file, as it was when it was opened, with what was changed since.
pub(crate) struct TokenStore {
    directory: PathBuf,
    members: Map<String, Value>,
}

impl TokenStore {
    pub(crate) fn open() -> Result<Self, Failure> {
        let home = std::env::home_dir().filter(|home| home.is_absolute());
        let home = home.ok_or_else(|| {
            Failure::refused("no home directory is known, so there is no place for a token. Set HOME")
        })?;
        Self::open_in(&home)
    }

    fn open_in(home: &Path) -> Result<Self, Failure> {
        let directory = home.join(".xtra");
        check_directory(&directory)?;
        let path = directory.join("config.json");
        // A link may lead to where others read, or to a file that is not ours to replace.
        file::may_be_written(&path, Existing::Replace)?;
        let members = match path.exists() {
            true => members(&file::read(&path, MOST)?)?,
            false => Map::new(),
        };
        Ok(Self { directory, members })
    }

    /// The base URL that the file names.
    pub(crate) fn api_url(&self) -> Option<&str> {
        self.members.get(API_URL).and_then(Value::as_str).filter(|url| !url.is_empty())
    }

    /// Puts a token in, and the base URL that it is for; `None` is the service's own.
    pub(crate) fn set(&mut self, token: &SecretValue, api_url: Option<&str>) {
        self.put(TOKEN, Some(token));
        match api_url {
            Some(url) => drop(self.members.insert(API_URL.to_owned(), Value::from(url))),
            None => drop(self.members.remove(API_URL)),
        }
    }

    /// Takes the token out, and the base URL that it was for. Whether there was one.
    pub(crate) fn remove(&mut self) -> bool {
        let had = |members: &Map<String, Value>, name| {
            members.get(name).and_then(Value::as_str).is_some_and(|token| !token.is_empty())
        };
        let had = had(&self.members, TOKEN) || had(&self.members, OLD_TOKEN);
        self.put(TOKEN, None);
        self.put(OLD_TOKEN, None);
        if had {
            self.members.remove(API_URL);
        }
        had
    }

    /// The profile of that name. One without a token or a base URL is none.
    pub(crate) fn profile(&self, name: &str) -> Option<Profile> {
        let profile = self.members.get(PROFILES)?.get(name)?;
        let text = |member| profile.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some(Profile { token: text(TOKEN)?.into(), api_url: text(API_URL)?.to_owned() })
    }

    /// The names of the profiles.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.members.get(PROFILES).and_then(Value::as_object).into_iter().flat_map(|all| all.keys().map(String::as_str))
    }

    /// Puts a profile in, in place of one of the same name.
    pub(crate) fn set_profile(&mut self, name: &str, profile: &Profile) -> Result<(), Failure> {
        let all = self.members.entry(PROFILES).or_insert_with(|| Map::new().into());
        let Some(all) = all.as_object_mut() else {
            return Err(Failure::refused(format!(
                "\"{PROFILES}\" in {NAME} is no object, so it is left as it is. Correct it"
            )));
        };
        let new = serde_json::json!({ TOKEN: profile.token.expose(), API_URL: profile.api_url });
        all.insert(name.to_owned(), new).into_iter().for_each(wipe);
        Ok(())
    }

    /// Takes a profile out. Whether there was one.
    pub(crate) fn remove_profile(&mut self, name: &str) -> bool {
        let Some(all) = self.members.get_mut(PROFILES).and_then(Value::as_object_mut) else { return false };
        let removed = all.remove(name);
        if all.is_empty() {
            self.members.remove(PROFILES);
        }
        let had = removed.is_some();
        removed.into_iter().for_each(wipe);
        had
    }

    fn put(&mut self, name: &str, token: Option<&SecretValue>) {
        let before = match token {
            Some(token) => self.members.insert(name.to_owned(), Value::from(token.expose())),
            None => self.members.remove(name),
        };
        if let Some(Value::String(mut text)) = before {
            text.zeroize();
        }
    }

    /// Replaces the file, or removes it when nothing is left in it.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        make_private(&self.directory).map_err(|error| Failure::io(format!("{DIRECTORY} cannot be made"), &error))?;
        let path = self.directory.join("config.json");
        if self.members.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(Failure::io(format!("{NAME} cannot be removed"), &error))
                }
                _ => Ok(()),
            };
        }
        let text = serde_json::to_vec_pretty(&self.members).map(Zeroizing::new);
        let mut text = text.map_err(|_| Failure::refused(format!("{NAME} cannot be put together")))?;
        text.push(b'\n');
        file::write(&path, &text, Existing::Replace)
    }
}

impl Drop for TokenStore {
    fn drop(&mut self) {
        self.put(TOKEN, None);
        self.put(OLD_TOKEN, None);
        self.members.remove(PROFILES).into_iter().for_each(wipe);
    }
}

/// Wipes every text of a value.
fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(all) => all.into_iter().for_each(wipe),
        Value::Object(all) => all.into_iter().for_each(|(_, value)| wipe(value)),
        _ => {}
    }
}

fn members(text: &SecretValue) -> Result<Map<String, Value>, Failure> {
    let json = text.expose().strip_prefix('\u{feff}').unwrap_or(text.expose());
    // The error would quote what is there.
    serde_json::from_str(json).map_err(|_| {
        Failure::refused(format!(
            "{NAME} is there and is no JSON object, so it is left as it is. Correct it, or move it away"
        ))
    })
}

/// Refuses a place that is not the user's own directory.
fn check_directory(path: &Path) -> Result<(), Failure> {
    let about = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::io(format!("{DIRECTORY} cannot be used"), &error)),
        Ok(about) => about,
    };
    if !about.is_dir() {
        return Err(Failure::refused(format!(
            "{DIRECTORY} is a link or a file. A token is stored in a directory only: make it one"
        )));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(Failure::refused(format!("{DIRECTORY} belongs to another user, who could read the token")));
        }
    }
    Ok(())
}

/// Makes the directory, or takes the rights of others away.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        other => return other,
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::symlink_metadata(path)?.permissions().mode() & 0o777 != 0o700 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn store(home: &Path, token: &str) -> Result<(), String> {
        let stored = TokenStore::open_in(home).and_then(|mut store| {
            store.set(&token.into(), None);
            store.save()
        });
        stored.map_err(|failure| failure.line)
    }

    fn json(home: &Path) -> Value {
        serde_json::from_slice(&fs::read(home.join(".xtra/config.json")).unwrap()).unwrap()
    }

    #[test]
    fn the_file_and_its_directory_are_for_their_owner_alone_also_when_they_were_not() {
        let home = tempfile::tempdir().unwrap();
        let (directory, path) = (home.path().join(".xtra"), home.path().join(".xtra/config.json"));
        store(home.path(), "one").unwrap();
        assert_eq!((mode(&directory), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        store(home.path(), "two").unwrap();
        assert_eq!((mode(&directory), mode(&path)), (0o700, 0o600));
        assert_eq!(json(home.path()), serde_json::json!({ "token": "two" }));
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn other_members_stay_and_a_file_without_any_goes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".xtra/config.json");
        fs::create_dir(home.path().join(".xtra")).unwrap();
        fs::write(&path, "\u{feff}{\"other\":\"https://x/api\",\"cache\":{\"a\":[1,2.5]},\"authToken\":\"old\"}")
            .unwrap();
        store(home.path(), "new").unwrap();
        let cache = serde_json::json!({ "a": [1, 2.5] });
        assert_eq!(
            json(home.path()),
            serde_json::json!({ "other": "https://x/api", "cache": cache, "authToken": "old", "token": "new" })
        );
        let remove = || {
            let mut store = TokenStore::open_in(home.path()).ok().unwrap();
            let had = store.remove();
            assert!(store.save().is_ok());
            had
        };
        assert!(remove());
        assert_eq!(json(home.path()), serde_json::json!({ "other": "https://x/api", "cache": cache }));
        assert!(!remove());
        fs::write(&path, "{\"token\":\"t\"}").unwrap();
        assert!(remove() && !path.exists());
    }

    #[test]
    fn the_base_url_comes_and_goes_with_the_token_that_it_is_for() {
        let home = tempfile::tempdir().unwrap();
        let open = || TokenStore::open_in(home.path()).ok().unwrap();
        let set = |url: Option<&str>| {
            let mut store = open();
            store.set(&"t".into(), url);
            assert!(store.save().is_ok());
        };
        set(Some("https://a.example/api"));
        assert_eq!(json(home.path()), serde_json::json!({ "token": "t", "apiUrl": "https://a.example/api" }));
        assert_eq!(open().api_url(), Some("https://a.example/api"));
        set(None);
        assert_eq!(json(home.path()), serde_json::json!({ "token": "t" }));
        set(Some("https://a.example/api"));
        let mut store = open();
        assert!(store.remove() && store.save().is_ok());
        assert!(!home.path().join(".xtra/config.json").exists());
        // without a token it is a setting of the user's
        fs::write(home.path().join(".xtra/config.json"), r#"{"apiUrl":"https://a.example/api"}"#).unwrap();
        let mut store = open();
        assert!(!store.remove() && store.api_url().is_some());
    }

    #[test]
    fn a_link_is_neither_followed_nor_replaced() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), home.path().join(".xtra")).unwrap();
        assert!(store(home.path(), "t").unwrap_err().contains("link"));
        fs::remove_file(home.path().join(".xtra")).unwrap();
        fs::create_dir(home.path().join(".xtra")).unwrap();
        symlink(elsewhere.path().join("file"), home.path().join(".xtra/config.json")).unwrap();
        assert!(store(home.path(), "t").unwrap_err().contains("no regular file"));
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_left_as_it_is_and_not_quoted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".xtra/config.json");
        fs::create_dir(home.path().join(".xtra")).unwrap();
        for content in ["canary", "[\"canary\"]", "{\"token\": \"canary", ""] {
            fs::write(&path, content).unwrap();
            let line = store(home.path(), "t").unwrap_err();
            assert!(line.contains(NAME) && !line.contains("canary"), "{line}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }
}
