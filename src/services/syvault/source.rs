//! SyVault as a source of secrets.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::credentials::SignedTokens;
use super::folder::Folders;
use super::protocol::SyVaultProtocol;
use super::raw;
use super::record::Record;
use super::scope::{Part, SyVaultScope, looks_like_a_token, shown};
use crate::core::{ErrorKind, Hint, Identity, ScopeDescription, SecretValue, Unreadable, UnreadableReason, XtraError};
use crate::engine::{KeyWriter, Loaded, SecretSource, Traffic};
use crate::http::Transport;
use crate::services::no_account::{NOWHERE, NoAccount};
use crate::services::placeholder;
use crate::services::traffic;

/// SyVault. [`SyVaultClient`](super::SyVaultClient) is the client over it.
pub struct SyVault {
    pub(super) raw: raw::Client,
    pub(super) folders: Folders,
    backing: Backing,
}

/// Where the secrets are.
enum Backing {
    /// At the service, which takes these tokens.
    Service(Arc<SignedTokens>),
    /// Every secret has these fields.
    Memory(Loaded),
}

impl SyVault {
    pub(super) fn new(transport: Transport, tokens: Arc<SignedTokens>, folders: Folders) -> Self {
        let root = transport.base_url().to_owned();
        let raw = raw::Client::new_with_client(&root, transport.http().clone(), transport);
        Self { raw, folders, backing: Backing::Service(tokens) }
    }

    /// A source that answers every read of a secret with `fields` and sends nothing.
    pub(super) fn in_memory(fields: Loaded) -> Result<Self, XtraError> {
        let transport = Transport::builder(SyVaultProtocol).credentials(Arc::new(NoAccount)).build(NOWHERE)?;
        let raw = raw::Client::new_with_client(NOWHERE, transport.http().clone(), transport);
        Ok(Self { raw, folders: Folders::default(), backing: Backing::Memory(fields) })
    }

    fn tokens(&self) -> Option<&SignedTokens> {
        match &self.backing {
            Backing::Service(tokens) => Some(tokens),
            Backing::Memory(_) => None,
        }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.raw.inner
    }

    /// What a raw call failed with.
    pub(super) fn failed(&self, error: raw::Failure, assumed: &'static str) -> XtraError {
        raw::failed(error, self.tokens().map_or_else(SystemTime::now, SignedTokens::now), assumed)
    }

    /// The fields of a secret.
    async fn fields(&self, uid: &str) -> Result<Loaded, XtraError> {
        let record = self.record(uid).await?;
        let contents = record.open(&self.folders).map_err(|why| why.error(uid))?;
        let (mut values, mut unreadable) = (Vec::new(), Vec::new());
        for (name, value) in contents.fields {
            let readable = value.ok_or(UnreadableReason::NoValue);
            let readable = readable.and_then(|value| placeholder::recognise(value.expose()).map_or(Ok(value), Err));
            match readable {
                Ok(value) => values.push((name, value)),
                Err(reason) => unreadable.push(Unreadable::new(name, reason)),
            }
        }
        Ok(Loaded::from_iter(values).with_unreadable(unreadable))
    }

    async fn record(&self, uid: &str) -> Result<Record, XtraError> {
        const ASSUMED: &str = "Assumed, and not documented: the answer is the secret, an object with a text as `uid`";
        let answer = self.raw.secrets_get().uid(uid).send().await;
        let record: Record = answer.map_err(|error| about(self.failed(error, ASSUMED), uid))?.into_inner().into();
        if record.uid != uid {
            let message = format!("the answer is another secret than {}", shown(uid));
            return Err(XtraError::new(ErrorKind::Decode, message).with_note(ASSUMED));
        }
        Ok(record)
    }

    /// Every secret that the client may read.
    pub(super) async fn records(&self) -> Result<Vec<Record>, XtraError> {
        const ASSUMED: &str = "Assumed, and not documented: the answer is an object with a list of secrets as `data`, each of which has a \
                               text as `uid`";
        let answer = self.raw.secrets_list().send().await.map_err(|error| self.failed(error, ASSUMED))?;
        let records: Vec<Record> = answer.into_inner().data.into_iter().map(Record::from).collect();
        let mut uids = std::collections::HashSet::new();
        if !records.iter().all(|record| !record.uid.is_empty() && uids.insert(record.uid.as_str())) {
            let message = "the list has a secret without a uid, or two of one uid";
            return Err(XtraError::new(ErrorKind::Decode, message).with_note(ASSUMED));
        }
        drop(uids);
        Ok(records)
    }

    /// The fields of the one secret of a folder that has a title.
    async fn titled(&self, folder: &str, title: &str) -> Result<Loaded, XtraError> {
        let (mut found, mut closed) = (Vec::new(), Vec::new());
        for record in self.records().await?.into_iter().filter(|record| record.folder_id.as_deref() == Some(folder)) {
            let uid = record.uid.clone();
            match record.title(&self.folders) {
                Ok(known) if known == *title => found.push(uid),
                Ok(_) => {}
                Err(_) => closed.push(uid),
            }
        }
        match found.as_slice() {
            [uid] => self.fields(uid).await,
            [] if closed.is_empty() => {
                let message = format!("the folder {} has no secret of the title {}", shown(folder), shown(title));
                Err(XtraError::new(ErrorKind::NotFound, message)
                    .with_hint(Hint::advice("Check both, which must match letter by letter")))
            }
            [] => {
                let message = "the folder has no secret of that title among those that can be read, and the titles of others cannot";
                Err(XtraError::new(ErrorKind::Undecryptable, message)
                    .with_names(closed)
                    .with_hint(Hint::Add { options: &["folder"] }))
            }
            several => {
                let message =
                    format!("{} secrets of the folder have that title: {}", several.len(), several.join(", "));
                Err(XtraError::new(ErrorKind::Conflict, message).with_names(found))
            }
        }
    }

    /// The error of a secret that cannot be encrypted for a folder.
    pub(super) fn no_folder_key(&self, folder: &str) -> XtraError {
        let message = format!(
            "a secret cannot be encrypted for the folder {}, whose key this client does not have. Nothing was sent",
            shown(folder)
        );
        XtraError::new(ErrorKind::Undecryptable, message).with_hint(Hint::Add { options: &["folder"] })
    }

    /// Folder and title of every secret, by uid.
    async fn titles(&self) -> Result<Loaded, XtraError> {
        let (mut titles, mut unreadable) = (Vec::new(), Vec::new());
        for record in self.records().await? {
            let (uid, folder) = (record.uid.clone(), record.folder_id.clone().unwrap_or_default());
            match record.title(&self.folders) {
                Ok(title) => titles.push((uid, Entry { folder: &folder, title: title.expose() }.write())),
                Err(_) => unreadable.push(Unreadable::new(uid, UnreadableReason::ClientEnvelope)),
            }
        }
        Ok(Loaded::from_iter(titles).with_unreadable(unreadable))
    }
}

/// Where a secret is: an entry of the snapshot of titles.
pub(super) struct Entry<'a> {
    pub(super) folder: &'a str,
    pub(super) title: &'a str,
}

impl<'a> Entry<'a> {
    /// The length of the folder's id comes first, so that any text may be in either.
    fn write(&self) -> SecretValue {
        SecretValue::new(format!("{}:{}{}", self.folder.len(), self.folder, self.title))
    }

    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (length, rest) = text.split_once(':')?;
        let (folder, title) = rest.split_at_checked(length.parse().ok()?)?;
        Some(Self { folder, title })
    }
}

/// An error about one secret: that it is not there is told with its uid.
pub(super) fn about(error: XtraError, uid: &str) -> XtraError {
    if error.kind() != ErrorKind::NotFound || error.is_foreign_refusal() {
        return error;
    }
    let status = error.status().unwrap_or(404);
    error
        .within(format!("the secret {} does not exist, or the client may not know of it (status {status})", shown(uid)))
        .with_names([uid])
        .with_hint(Hint::advice(
            "Check the uid, which must match letter by letter, and the client's access to its folder",
        ))
}

impl fmt::Debug for SyVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyVault").finish_non_exhaustive()
    }
}

impl SecretSource for SyVault {
    type Scope<'a> = SyVaultScope<'a>;
    type Owned = SyVaultScope<'static>;

    fn name(&self) -> &'static str {
        "syvault"
    }

    fn base_url(&self) -> &str {
        self.transport().base_url()
    }

    fn identity(&self) -> Identity {
        self.transport().identity()
    }

    fn write_key(&self, scope: &SyVaultScope<'_>, key: &mut KeyWriter) {
        scope.write_key(key);
    }

    fn scope_name<'s>(&self, scope: &'s SyVaultScope<'_>) -> Cow<'s, str> {
        match &scope.0 {
            Part::Titled { folder, title } => Cow::Owned(format!("{folder}/{title}")),
            _ => Cow::Borrowed(scope.uid()),
        }
    }

    fn show_scope(&self, scope: &SyVaultScope<'_>) -> String {
        scope.shown()
    }

    fn describe(&self, scope: &SyVaultScope<'static>) -> Option<ScopeDescription> {
        Some(scope.describe())
    }

    fn looks_like_a_token(text: &str) -> bool {
        looks_like_a_token(text)
    }

    fn read_method(&self) -> &'static str {
        "get"
    }

    fn call_timeout(&self) -> Duration {
        self.transport().call_timeout()
    }

    fn prepare(&self, scope: &SyVaultScope<'_>) -> Result<SyVaultScope<'static>, XtraError> {
        scope.checked()
    }

    async fn load(&self, scope: &SyVaultScope<'static>) -> Result<Loaded, XtraError> {
        match (&scope.0, &self.backing) {
            (Part::Secret(_) | Part::Titled { .. }, Backing::Memory(fields)) => Ok(fields.clone()),
            (Part::Secret(uid), Backing::Service(_)) => self.fields(uid).await,
            (Part::Titled { folder, title }, Backing::Service(_)) => self.titled(folder, title).await,
            (Part::Titles, _) => self.titles().await,
        }
    }

    fn has_timers(&self) -> bool {
        self.tokens().is_some()
    }

    /// The private key: the tokens are signed with it, and do not last.
    fn lasting_token(&self) -> Option<SecretValue> {
        self.tokens().map(SignedTokens::lasting)
    }

    fn traffic(&self) -> Traffic {
        traffic::of(self.transport())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_whatever_is_in_it() {
        for (folder, title) in [("f-1", "Database"), ("", "T"), ("a:b", "1:2"), ("größe", ""), ("", "")] {
            let text = Entry { folder, title }.write();
            let entry = Entry::read(text.expose()).unwrap();
            assert_eq!((entry.folder, entry.title), (folder, title));
        }
        for text in ["", ":", "x:y", "5:abc", "1:ö"] {
            assert!(Entry::read(text).is_none(), "{text}");
        }
    }
}
