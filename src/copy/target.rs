//! The target of a copy: what a service does to be written to.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::core::{ErrorKind, SecretValue, Secrets, SnapshotSource, XtraError};
use crate::engine::read_options::References;
use crate::engine::{Client, SecretSource};

/// A source that secrets can be copied to.
///
/// A copy looks at what is [stored](Self::stored), asks for each secret whether the target can [keep](Self::refusal) it, and then
/// [writes](Self::write) some secrets at a time.
pub trait SecretTarget: SecretSource + Sized {
    /// Whether all secrets of a copy are written by one call, because a scope is made as a whole. Default: a call has up to 100
    /// secrets, or a sixteenth of them all, and 512 KiB.
    const AS_A_WHOLE: bool = false;

    /// The same scope, independent of who gave it.
    fn owned_scope<'s>(scope: &Self::Scope<'_>) -> Self::Scope<'s>;

    /// Why the scope cannot keep this secret exactly as it is, as a phrase that follows its name; `None` when it can. It is asked
    /// before anything is sent, and must not repeat the value.
    fn refusal(
        &self,
        scope: &Self::Scope<'_>,
        name: &str,
        value: &SecretValue,
        accepts: Acceptance,
    ) -> Option<Cow<'static, str>>;

    /// What the scope holds now: not from the cache, with values as they are stored, and without what it shows of other scopes.
    ///
    /// # Errors
    ///
    /// Those of a read. A scope that a write would make is no error, but empty.
    fn stored<'a>(
        client: &'a Client<Self>,
        scope: Self::Scope<'a>,
    ) -> impl Future<Output = Result<Stored, XtraError>> + Send;

    /// Writes these secrets, each once. Returns when the service says that it has stored all of them; the copy reads back by itself.
    ///
    /// # Errors
    ///
    /// Those of the write. [`XtraError::may_have_been_applied`] tells whether some of it may have been carried out.
    fn write<'a>(
        client: &'a Client<Self>,
        scope: Self::Scope<'a>,
        write: Write<'a>,
    ) -> impl Future<Output = Result<(), XtraError>> + Send;
}

/// What a target is to accept although it usually refuses it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acceptance {
    /// Names that not every tool can use.
    pub any_name: bool,
    /// Values that reads of the target replace by other secrets.
    pub references: bool,
}

/// Some secrets to be written at once.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Write<'a> {
    /// Their names and values.
    pub secrets: &'a [(String, SecretValue)],
    /// What the target held just before. For a service that can make a write conditional on it.
    pub seen: &'a Secrets,
    /// What was accepted of them.
    pub accepts: Acceptance,
    /// The caller has said that a change of a protected scope is meant.
    pub is_confirmed: bool,
}

impl<'a> Write<'a> {
    pub(super) fn new(secrets: &'a [(String, SecretValue)], seen: &'a Secrets) -> Self {
        Self { secrets, seen, accepts: Acceptance::default(), is_confirmed: false }
    }

    /// The secrets, to be given to a request.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, SecretValue)> {
        self.secrets.to_vec()
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.secrets.iter().map(|(name, _)| name).collect();
        f.debug_struct("Write").field("names", &names).finish_non_exhaustive()
    }
}

/// What a target holds.
#[derive(Debug, Clone)]
pub struct Stored {
    pub(super) secrets: Arc<Secrets>,
    pub(super) unchangeable: Option<&'static str>,
}

impl Stored {
    /// These secrets, to which others can be added.
    #[must_use]
    pub fn new(secrets: impl Into<Arc<Secrets>>) -> Self {
        Self { secrets: secrets.into(), unchangeable: None }
    }

    /// What a read of the scope gives now: past the cache, with values as they are stored, and those that cannot be read by their names.
    ///
    /// # Errors
    ///
    /// Those of the read. What was saved on disk is refused.
    pub async fn read<'a, S: SecretSource>(client: &'a Client<S>, scope: S::Scope<'a>) -> Result<Self, XtraError> {
        let mut request = client.read(scope).no_cache().allow_unreadable();
        request.options.references = References::Kept;
        let secrets = request.await?;
        refuse_saved(&secrets)?;
        Ok(Self::new(secrets))
    }

    /// Says that the service takes no change of them, and why: a phrase that follows the name of a secret that would be written.
    #[must_use]
    pub fn unchangeable(mut self, why: &'static str) -> Self {
        self.unchangeable = Some(why);
        self
    }
}

/// Refuses a snapshot that an earlier load has saved.
pub(super) fn refuse_saved(secrets: &Secrets) -> Result<(), XtraError> {
    match secrets.source() {
        SnapshotSource::Offline => Err(XtraError::new(
            ErrorKind::Network,
            "the service cannot be reached, and what was saved on disk may be out of date: it is not copied",
        )),
        _ => Ok(()),
    }
}
