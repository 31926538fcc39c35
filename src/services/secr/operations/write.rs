//! Writes: one secret, several, and the deletion of one.

use std::borrow::Cow;
use std::fmt;

use super::Changing;
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::secr::raw::{self, types};
use crate::services::secr::scope::sendable;
use crate::services::secr::{Secr, SecrScope};

/// The operation of a [`Request`] that writes one secret.
#[non_exhaustive]
pub struct SetSecret {
    key: String,
    value: SecretValue,
}

/// A secret that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetResult {
    /// The secret's name.
    pub key: String,
    /// The version that it has now: 1 when it is new, unless it was deleted before.
    pub version: u64,
}

/// The operation of a [`Request`] that writes several secrets.
#[non_exhaustive]
pub struct BulkSetSecrets {
    secrets: Vec<(String, SecretValue)>,
}

/// How many secrets were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkSetResult {
    /// New secrets.
    pub created: u64,
    /// Secrets that were there and have a new value.
    pub updated: u64,
    /// All of them.
    pub total: u64,
}

/// The operation of a [`Request`] that deletes a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteSecret {
    key: String,
}

/// A secret that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteResult {
    /// Whether the service says that it is deleted.
    pub deleted: bool,
    /// The secret's name.
    pub key: String,
}

/// # secr: write secrets
impl<M> Client<Secr, M> {
    /// Creates a secret or gives it a new value; awaiting gives a [`SetResult`]. The environment's snapshot leaves the cache,
    /// whatever becomes of the write.
    ///
    /// It is sent again only when it cannot have arrived: each write counts a version. The body (`key` and `value`) is inferred: the
    /// name is not in the path.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a viewer; [`Decode`](crate::ErrorKind::Decode) when the answer has another
    /// shape than is assumed, in which case the write [may have been applied](crate::XtraError::may_have_been_applied); and those of
    /// any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::secr::SecrClient) -> Result<(), xtrasecurity::XtraError> {
    /// let written = client.set_secret("org", "proj", "development", "DB_URL", "postgres://…").await?;
    /// println!("{} is in version {}", written.key, written.version);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secret<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Secr, SetSecret, M> {
        let operation = SetSecret { key: key.into(), value: value.into() };
        self.request(SecrScope::new(org, project, environment), operation)
    }

    /// Creates or changes several secrets at once; awaiting gives a [`BulkSetResult`]. Whether the service carries it out as a
    /// whole is not documented. The name of the list in the body, `secrets`, is inferred.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name that is there twice, with nothing sent; and those of
    /// [`set_secret`](Self::set_secret).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::secr::SecrClient) -> Result<(), xtrasecurity::XtraError> {
    /// let written = client.bulk_set_secrets("org", "proj", "development", [("A", "1"), ("B", "2")]).await?;
    /// assert_eq!(written.total, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bulk_set_secrets<'a, N: Into<String>, V: Into<SecretValue>>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
        secrets: impl IntoIterator<Item = (N, V)>,
    ) -> Request<'a, Secr, BulkSetSecrets, M> {
        let secrets = secrets.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        self.request(SecrScope::new(org, project, environment), BulkSetSecrets { secrets })
    }

    /// Deletes a secret; awaiting gives a [`DeleteResult`]. The service keeps it, marked as deleted: a later write may go on with
    /// its versions.
    ///
    /// The route, with the name in the path, is inferred. If the service has another, this fails with
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Errors
    ///
    /// Those of [`set_secret`](Self::set_secret).
    pub fn delete_secret<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Secr, DeleteSecret, M> {
        self.request(SecrScope::new(org, project, environment), DeleteSecret { key: key.into() })
    }
}

impl Operation for SetSecret {
    const NAME: &'static str = "set_secret";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = SetResult;

    async fn perform(self, call: Call<'_, Secr>) -> Result<SetResult, XtraError> {
        const ASSUMED: &str =
            "Assumed, and not documented: the answer is an object with a text as `key` and a number as `version`";
        let scope = call.scope().checked()?;
        let key = sendable("secret", &self.key)?;
        let body = types::SecretSet { key: key.to_owned(), value: self.value.into() };
        let _changing = Changing { client: call.client(), scope: scope.clone() };
        let request = call.source().raw.secrets_set().org(scope.org).project(scope.project).env(scope.environment);
        let sent = request.body(body).send().await;
        let answer = sent.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        if answer.key != self.key {
            return Err(other_key(ASSUMED));
        }
        Ok(SetResult { key: answer.key, version: count(answer.version, ASSUMED)? })
    }
}

impl Operation for BulkSetSecrets {
    const NAME: &'static str = "bulk_set_secrets";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = BulkSetResult;

    async fn perform(self, call: Call<'_, Secr>) -> Result<BulkSetResult, XtraError> {
        const ASSUMED: &str = "Documented: the answer is an object with the numbers `created`, `updated` and `total`";
        let scope = call.scope().checked()?;
        let mut names = std::collections::HashSet::new();
        for (key, _) in &self.secrets {
            if !names.insert(sendable("secret", key)?) {
                let message = "a name is among the secrets twice. Nothing was sent";
                return Err(XtraError::new(ErrorKind::Invalid, message).with_names([key]));
            }
        }
        drop(names);
        let secrets = self.secrets.into_iter().map(|(key, value)| types::SecretSet { key, value: value.into() });
        let body = types::BulkSet { secrets: secrets.collect() };
        let _changing = Changing { client: call.client(), scope: scope.clone() };
        let request = call.source().raw.secrets_set_bulk().org(scope.org).project(scope.project).env(scope.environment);
        let sent = request.body(body).send().await;
        let answer = sent.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let [created, updated, total] =
            [answer.created, answer.updated, answer.total].map(|number| count(number, ASSUMED));
        Ok(BulkSetResult { created: created?, updated: updated?, total: total? })
    }
}

impl Operation for DeleteSecret {
    const NAME: &'static str = "delete_secret";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = DeleteResult;

    async fn perform(self, call: Call<'_, Secr>) -> Result<DeleteResult, XtraError> {
        const ASSUMED: &str =
            "Assumed, and not documented: the answer is an object with `deleted`, which is true or false";
        let scope = call.scope().checked()?;
        let key = sendable("secret", &self.key)?;
        let _changing = Changing { client: call.client(), scope: scope.clone() };
        let request = call.source().raw.secrets_delete().org(scope.org).project(scope.project).env(scope.environment);
        let answer = request.key(key).send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        Ok(DeleteResult { deleted: answer.deleted, key: self.key })
    }
}

/// A number of an answer, which is none below zero.
pub(super) fn count(number: i64, assumed: &'static str) -> Result<u64, XtraError> {
    u64::try_from(number).map_err(|_| {
        XtraError::new(ErrorKind::Decode, "the answer to the write has a negative number")
            .with_note(assumed)
            .with_unknown_outcome()
    })
}

fn other_key(assumed: &'static str) -> XtraError {
    XtraError::new(ErrorKind::Decode, "the answer to the write is about another secret")
        .with_note(assumed)
        .with_unknown_outcome()
}

impl fmt::Debug for SetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetSecret").field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for BulkSetSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.secrets.iter().map(|(key, _)| key).collect();
        f.debug_struct("BulkSetSecrets").field("keys", &keys).finish_non_exhaustive()
    }
}
