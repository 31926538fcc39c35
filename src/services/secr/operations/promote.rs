//! Copies of secrets from one environment to another.

use std::borrow::Cow;

use super::Changing;
use super::write::count;
use crate::core::{ErrorKind, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::secr::raw::{self, types};
use crate::services::secr::scope::sendable;
use crate::services::secr::{Secr, SecrScope};

/// The operation of a [`Request`] that copies secrets.
#[derive(Debug)]
#[non_exhaustive]
pub struct PromoteSecrets {
    from: String,
    to: String,
    keys: Option<Vec<String>>,
    overwrite: bool,
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PromoteResult {
    /// All that were copied.
    pub promoted: u64,
    /// Those that are new in the target.
    pub created: u64,
    /// Those that replaced one of the target.
    pub updated: u64,
    /// Those that the target had, and kept.
    pub skipped: u64,
}

/// # secr: promote secrets
impl<M> Client<Secr, M> {
    /// Copies secrets from one environment to another of the project; awaiting gives a [`PromoteResult`]. Without further options:
    /// all of them, and what the target has already is kept. The target's snapshot leaves the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when both environments are the same; [`Forbidden`](crate::ErrorKind::Forbidden) for a
    /// viewer; [`NotFound`](crate::ErrorKind::NotFound); and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::secr::SecrClient) -> Result<(), xtrasecurity::XtraError> {
    /// let copied = client.promote_secrets("org", "proj", "staging", "production").only(["DB_URL"]).overwrite().await?;
    /// println!("{} new, {} replaced, {} kept", copied.created, copied.updated, copied.skipped);
    /// # Ok(())
    /// # }
    /// ```
    pub fn promote_secrets<'a>(
        &'a self,
        org: impl Into<Cow<'a, str>>,
        project: impl Into<Cow<'a, str>>,
        from_environment: impl Into<String>,
        to_environment: impl Into<String>,
    ) -> Request<'a, Secr, PromoteSecrets, M> {
        let operation =
            PromoteSecrets { from: from_environment.into(), to: to_environment.into(), keys: None, overwrite: false };
        self.request(SecrScope::of_project(org.into(), project.into()), operation)
    }
}

impl<M> Request<'_, Secr, PromoteSecrets, M> {
    /// Copies these secrets only. May be called more than once. Without any name, nothing is to be copied, and the request is
    /// refused before it is sent.
    pub fn only(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.keys.get_or_insert_default().extend(keys.into_iter().map(Into::into));
        self
    }

    /// Replaces what the target has already.
    pub fn overwrite(mut self) -> Self {
        self.operation.overwrite = true;
        self
    }
}

impl Operation for PromoteSecrets {
    const NAME: &'static str = "promote_secrets";
    const NAMES_SCOPE: bool = true;
    type Source = Secr;
    type Output = PromoteResult;

    async fn perform(self, call: Call<'_, Secr>) -> Result<PromoteResult, XtraError> {
        const ASSUMED: &str =
            "Documented: the answer is an object with the numbers `promoted`, `created`, `updated` and `skipped`";
        let scope = call.scope().checked_project()?;
        let (from, to) = (sendable("environment", &self.from)?, sendable("environment", &self.to)?);
        if from == to {
            let message = "the environment to copy from is the one to copy to. Nothing was sent";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        if self.keys.as_ref().is_some_and(Vec::is_empty) {
            // an empty list may stand for all of them
            let message = "no secret was named to be copied. Nothing was sent";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        let body = types::Promotion {
            from_env: from.to_owned(),
            to_env: to.to_owned(),
            keys: self.keys,
            overwrite: Some(self.overwrite),
        };
        let target = SecrScope { environment: Cow::Owned(to.to_owned()), ..scope.clone() };
        let _changing = Changing { client: call.client(), scope: target };
        let request = call.source().raw.secrets_promote().org(scope.org).project(scope.project).body(body);
        let answer = request.send().await.map_err(|error| raw::failed(error, ASSUMED))?.into_inner();
        let [promoted, created, updated, skipped] =
            [answer.promoted, answer.created, answer.updated, answer.skipped].map(|number| count(number, ASSUMED));
        Ok(PromoteResult { promoted: promoted?, created: created?, updated: updated?, skipped: skipped? })
    }
}
