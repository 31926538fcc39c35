//! XtraSecurity as the target of a copy.

use std::borrow::Cow;

use super::operations::write::names::{Naming, problems};
use super::{Xtra, XtraScope};
use crate::copy::{Acceptance, ApplyCopy, SecretTarget, Stored, Write};
use crate::core::{SecretValue, XtraError};
use crate::engine::{Client, Request};

impl SecretTarget for Xtra {
    fn owned_scope<'s>(scope: &XtraScope<'_>) -> XtraScope<'s> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
        XtraScope {
            project: owned(&scope.project),
            environment: owned(&scope.environment),
            branch: owned(&scope.branch),
        }
    }

    fn refusal(
        &self,
        _: &XtraScope<'_>,
        name: &str,
        value: &SecretValue,
        accepts: Acceptance,
    ) -> Option<Cow<'static, str>> {
        let naming = if accepts.any_name { Naming::Any } else { Naming::Portable };
        let problem = problems(&[(name.to_owned(), value.clone())], naming, self.seals_writes()).pop()?;
        Some(problem.problem.into())
    }

    async fn stored<'a>(client: &'a Client<Self>, scope: XtraScope<'a>) -> Result<Stored, XtraError> {
        Stored::read(client, scope).await
    }

    async fn write<'a>(client: &'a Client<Self>, scope: XtraScope<'a>, write: Write<'a>) -> Result<(), XtraError> {
        let request = client.set_secrets("", write.pairs()).map_scope(|_| scope);
        let request = request.if_unchanged(write.seen).skip_read_back();
        let request = if write.accepts.any_name { request.allow_any_name() } else { request };
        let request = if write.is_confirmed { request.confirm_production() } else { request };
        request.await.map(drop)
    }
}

impl<'p, M> Request<'p, Xtra, ApplyCopy<'p, Xtra>, M> {
    /// Confirms that production is meant, for a client that
    /// [protects it](crate::XtraClientBuilder::protect_production). Without effect on others.
    pub fn confirm_production(mut self) -> Self {
        self.operation.confirm();
        self
    }
}
