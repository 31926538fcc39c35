//! The options of the disk cache: the directory, the key, and how old and how large a copy may be.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::core::process::{NotUnicode, home_dir, var};
use crate::core::{ErrorKind, Hint, XtraError};

/// Copies of secrets on disk, encrypted, for the time when the service cannot be reached. Given to
/// [`EngineOptions::offline`](crate::EngineOptions::offline), or to a client's builder.
///
/// # What is saved
///
/// After each load from the service: one file for each scope, encrypted with AES-256-GCM under a new key and nonce each time.
/// The file is written when the secrets are others than those saved, or when the copy has used up a 24th of `max_age` (an
/// hour by default). An answer without any secret is never saved, nor is one that [is held back](crate::Client#what-is-held-back):
/// the first answer of a process is compared with the copy. What cannot be saved fails no read: it is counted
/// in [`Stats`](crate::Stats), and the first time in a row it is a warning.
///
/// The key is made from the token when that lasts: a [`StaticToken`](crate::credentials::StaticToken) or [`FileToken`](crate::credentials::FileToken)
/// without an end of its own, or what a [provider](crate::credentials::CredentialProvider::lasting_token) says. Another token opens
/// nothing that was saved under the old one. For tokens that end, give a [`key`](Self::key).
///
/// # What is served
///
/// A copy is used only when a read failed in a way that a retry may mend (the network, a timeout, 429, 502, 503, 504) and
/// memory holds no snapshot. A refusal that is [not the service's own](crate::XtraError::is_foreign_refusal) counts as such for
/// [`foreign_refusal_grace`](crate::CacheOptions::foreign_refusal_grace); when the first came is noted in the file, so that a
/// process that starts again does not begin anew. And where an answer is held back, the copy is served until it is as old as
/// [`max_stale`](crate::CacheOptions::max_stale). The snapshot's
/// [`source`](crate::Secrets::source) is [`Offline`](crate::snapshot::SnapshotSource::Offline), its [`age`](crate::Secrets::age) counts
/// from the load that it was saved by, and it [is stale](crate::Secrets::is_stale). A warning is logged. A read with `no_cache`,
/// a refresh and `with_secret` after a refusal ask for something newer than any copy, and are never answered with one. When no
/// copy can be used, the error of the read says why.
///
/// 401, 403 and 404 of the service itself, and an answer in which every value is masked, delete the file of the scope. When that
/// fails (a disk that is read-only, say), this client does not use the file any more, but another process may, within `max_age`:
/// watch `offline_failures` in [`Stats`](crate::Stats). [`clear_cache`](crate::Client::clear_cache) and
/// [`invalidate`](crate::Client::invalidate) leave files alone: they are about memory, and the next load writes the files anew.
///
/// # What is trusted
///
/// On Unix the directory must be a directory and not a link, belong to the user that the process runs as, and give nobody
/// else any right (it is made so, mode 0700); so must each file (0600). What is not so is not used. Source, base URL, account,
/// scope and time are authenticated with the secrets: a file that was changed, cut, renamed or taken from another account is
/// never used. Elsewhere the rights of the directory are what protects the files. Whoever has both a file and the token or key
/// can read it, and a copy may be an old one put back, within `max_age`. A file shows its time and size, the directory how many
/// scopes there are; nothing else is readable. A copy is as hard to open as its token or key is to guess.
///
/// Several processes may use one directory. A file is replaced in one step, so nobody reads half of one. On Unix writers take
/// turns, so that the copy that was asked for last stays (a writer that holds the directory for over 1 s is not waited for, and
/// some network file systems know no turns). A copy past its time is deleted when another one is written.
///
/// # Runtime
///
/// A client with these options needs tokio's time driver. Files are read and written on a thread of their own, four at once,
/// that has ended before the read is answered, unless the disk takes longer than 2 s or the read is dropped. A load waits for
/// that, a read from memory does not: some tens of microseconds where nothing has changed, and what the disk takes to write a
/// file through (milliseconds) where something has.
///
/// ```no_run
/// use std::time::Duration;
/// use xtrasecurity::{OfflineOptions, XtraClient};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let offline = OfflineOptions::new("/var/cache/shop/secrets").max_age(Duration::from_secs(8 * 3600));
/// let client = XtraClient::builder().offline(offline).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfflineOptions {
    /// The directory. It is made when something is saved; one that is there must be this user's alone. A relative path is looked
    /// up in the working directory of the moment, each time.
    pub directory: PathBuf,
    /// What the copies are encrypted with. Default `None`: the token, when it lasts. With a key, too, a copy is for one account:
    /// that is the [identity](crate::credentials::CredentialProvider::identity) of the credentials, which for a
    /// [`StaticToken`](crate::credentials::StaticToken) or [`FileToken`](crate::credentials::FileToken) is another one with every token.
    pub key: Option<OfflineKey>,
    /// How old a copy may be, by the system's clock. Default 24 h. It holds for copies already saved, too, and a copy is never
    /// used for longer than whoever saved it allowed.
    pub max_age: Duration,
    /// The largest file that is written or read, in bytes. Default 16 MiB.
    pub max_bytes: usize,
}

impl OfflineOptions {
    /// Copies in this directory, and the defaults.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            key: None,
            max_age: Duration::from_secs(24 * 3600),
            max_bytes: 16 * 1024 * 1024,
        }
    }

    /// Copies below the user's directory for caches: `xtrasecurity` in `$XDG_CACHE_HOME` or `~/.cache`, in `~/Library/Caches`
    /// on macOS, in `%LOCALAPPDATA%` on Windows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when no such directory is known.
    pub fn in_user_cache() -> Result<Self, XtraError> {
        user_cache(var, home_dir()).map(|caches| Self::new(caches.join("xtrasecurity")))
    }

    /// These options with a key of your own.
    #[must_use]
    pub fn key(mut self, key: OfflineKey) -> Self {
        self.key = Some(key);
        self
    }

    /// These options with another age that a copy may have.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// These options with another size that a file may have.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Checks that something could be saved and used, as a client's builder does. `has_token` says whether the credentials have
    /// a token that lasts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there is no directory, no time, or neither a key nor such a token.
    pub fn check(&self, has_token: bool) -> Result<(), XtraError> {
        let (problem, hint) = if self.directory.as_os_str().is_empty() {
            ("name no directory", Hint::advice("Give the path of one"))
        } else if self.max_age.is_zero() {
            ("have a max_age of zero, so that none could be used", Hint::advice("Raise it"))
        } else if self.key.is_none() && !has_token {
            let problem =
                "have no key, and the token is not one that lasts: what is encrypted with it could not be opened later";
            (problem, Hint::UseLastingToken)
        } else {
            return Ok(());
        };
        Err(XtraError::new(ErrorKind::Config, format!("the options for copies on disk {problem}")).with_hint(hint))
    }
}

/// The key that saved copies are encrypted with, when that is not the token: 32 random bytes or more.
///
/// A password is no key, however long: it can be guessed by whoever has a copy, and only a key that is too short, or zeros, can be
/// told from a good one. The bytes are taken as they are, so a line break at the end of a file is a part of the key. `Debug` prints
/// `[REDACTED]`. Clones share one buffer, which is wiped when the last of them is dropped.
///
/// ```
/// use xtrasecurity::{ErrorKind, OfflineKey};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let key = OfflineKey::new([7; 32])?; // from a key store, a mounted file …
/// assert_eq!(format!("{key:?}"), "OfflineKey([REDACTED])");
/// assert_eq!(OfflineKey::new("hunter2").unwrap_err().kind(), ErrorKind::Config);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OfflineKey(Arc<Zeroizing<Vec<u8>>>);

impl OfflineKey {
    const SHORTEST: usize = 32;

    /// Takes a copy of these bytes. The caller is responsible for the original.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when there are fewer than 32 bytes, or all are zero.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, XtraError> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::SHORTEST || bytes.iter().all(|byte| *byte == 0) {
            let advice = "Give 32 random bytes or more, for instance from `openssl rand -base64 32`";
            return Err(XtraError::new(ErrorKind::Config, "the offline key is too short, or nothing but zeros")
                .with_hint(Hint::advice(advice)));
        }
        Ok(Self(Arc::new(Zeroizing::new(bytes.to_vec()))))
    }
}

impl OfflineKey {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for OfflineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfflineKey([REDACTED])")
    }
}

/// Two keys are equal when their bytes are; it takes the same time wherever they differ.
impl PartialEq for OfflineKey {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_slice(), other.0.as_slice()).into()
    }
}

impl Eq for OfflineKey {}

/// The directory that this platform keeps a user's caches in. A relative path in the variable counts as none.
fn user_cache(
    var: impl Fn(&str) -> Result<Option<String>, NotUnicode>,
    home: Option<PathBuf>,
) -> Result<PathBuf, XtraError> {
    let given = |name| var(name).ok().flatten().map(PathBuf::from).filter(|path| path.is_absolute());
    let in_home = |path: &str| home.as_ref().filter(|home| home.is_absolute()).map(|home| home.join(path));
    let found = if cfg!(windows) {
        given("LOCALAPPDATA").or_else(|| in_home("AppData/Local"))
    } else if cfg!(target_os = "macos") {
        in_home("Library/Caches")
    } else {
        given("XDG_CACHE_HOME").or_else(|| in_home(".cache"))
    };
    found.ok_or_else(|| {
        let message = "no directory for saved secrets is known: this user has no home";
        XtraError::new(ErrorKind::Config, message).with_hint(Hint::GiveCacheDirectory { variable: "XDG_CACHE_HOME" })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_could_never_serve_anything_are_refused_by_name() {
        let key = OfflineKey::new([1; 32]).unwrap();
        let good = OfflineOptions::new("/somewhere");
        assert!(good.check(true).is_ok());
        assert!(good.clone().key(key).check(false).is_ok());
        for (bad, has_token, word) in [
            (OfflineOptions::new(""), true, "directory"),
            (good.clone().max_age(Duration::ZERO), true, "max_age"),
            (good, false, "key"),
        ] {
            let error = bad.check(has_token).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_user_s_caches_are_where_the_variable_or_the_home_says() {
        let find = |variable: Option<&str>, home: Option<&str>| {
            user_cache(|_| Ok(variable.map(str::to_owned)), home.map(PathBuf::from)).ok()
        };
        assert_eq!(find(Some("/xdg"), Some("/home/u")), Some("/xdg".into()));
        assert_eq!(find(Some(""), Some("/home/u")), Some("/home/u/.cache".into()));
        assert_eq!(find(Some("relative"), Some("/home/u")), Some("/home/u/.cache".into()));
        assert_eq!(find(None, Some("/home/u")), Some("/home/u/.cache".into()));
        assert_eq!(find(None, None), None);
    }

    #[test]
    fn short_keys_and_zeros_are_refused_and_nothing_is_printed() {
        for bytes in [vec![], b"hunter2".to_vec(), vec![1; 31], vec![0; 64]] {
            assert_eq!(OfflineKey::new(bytes).unwrap_err().kind(), ErrorKind::Config);
        }
        let key = OfflineKey::new([104; 40]).unwrap();
        assert!(!format!("{key:?}").contains("104"));
        assert_eq!(key, key.clone());
        assert_ne!(key, OfflineKey::new([104; 41]).unwrap());
    }
}
