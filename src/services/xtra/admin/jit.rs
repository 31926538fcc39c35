//! Links that let somebody ask for access.

use std::time::Duration;

use super::access::AccessRequest;
use super::{convert, ids, invalid, minutes};
use crate::core::{ErrorKind, SecretValue, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::scope;
use crate::services::xtra::scope::{XtraScope, is_id};
use crate::services::xtra::source::Xtra;

const HOUR: f64 = 3_600.0;

/// A link that was just made. Whoever has it can ask for access, so its three forms print as `[REDACTED]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JitLink {
    /// The token in the link.
    pub token: SecretValue,
    /// The address of a page where a person claims it. The service builds it from the address that it was asked by.
    pub url: Option<SecretValue>,
    /// The vendor's command that claims it.
    pub command: Option<SecretValue>,
    /// When the link ends, ISO-8601.
    pub expires_at: Option<String>,
    /// For how long it gives access.
    pub duration: Option<Duration>,
    /// What access it gives: `read`.
    pub access_level: Option<String>,
}

/// What a link leads to, without the link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JitLinkInfo {
    /// The id of the project.
    pub project: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The branch that was meant. The service does not hold the access to it.
    pub branch: Option<String>,
    /// The environment that was meant. The service does not hold the access to it.
    pub environment: Option<String>,
    /// The names of the secrets, when it is about some only.
    pub keys: Vec<String>,
    /// Their ids.
    pub secrets: Vec<String>,
    /// For how long it gives access.
    pub duration: Option<Duration>,
    /// What it is for.
    pub label: Option<String>,
    /// What access it gives: `read`.
    pub access_level: Option<String>,
    /// When the link ends, ISO-8601.
    pub expires_at: Option<String>,
    /// How often it can be claimed.
    pub max_uses: Option<u64>,
    /// How often it was claimed.
    pub used: Option<u64>,
    /// The id, or the name, of the user who made it.
    pub created_by: Option<String>,
    /// When it was made, ISO-8601.
    pub created_at: Option<String>,
}

/// A link to be made.
#[derive(Debug, Default)]
pub(crate) struct JitWish {
    pub(crate) duration: Duration,
    pub(crate) secrets: Vec<String>,
    pub(crate) label: Option<String>,
    pub(crate) max_uses: Option<u32>,
    pub(crate) expires_in: Option<Duration>,
}

impl Xtra {
    pub(crate) async fn create_jit_link(
        &self,
        project: &str,
        scope: &XtraScope<'_>,
        wish: JitWish,
    ) -> Result<JitLink, XtraError> {
        let JitWish { duration, secrets, label, max_uses, expires_in } = wish;
        let minutes = minutes("time for which the link gives access", duration)?;
        ids::all_checked("secret", &secrets)?;
        if max_uses == Some(0) || expires_in.is_some_and(|time| time.is_zero()) {
            return Err(invalid(
                "a link that cannot be used, or ends at once, is of no use. Give max_uses or expires_in above 0",
            ));
        }
        let environment = scope.environment.as_deref().map(scope::exact_environment).transpose()?.map(str::to_owned);
        let branch = match &scope.branch {
            Some(name) => Some(self.branch_id(project, name).await?),
            None => None,
        };
        let call = self.raw().jit_generate().body_map(|body| {
            let body = body.project_id(project).duration(minutes).branch_id(branch).environment(environment);
            let body = body.secret_ids((!secrets.is_empty()).then_some(secrets)).label(label);
            body.max_uses(max_uses.map(i64::from)).expires_in_hours(expires_in.map(|time| time.as_secs_f64() / HOUR))
        });
        let made = call.send().await.map_err(|error| self.or_for_users(from_raw(error), "make a link for access"))?;
        convert::jit_link(made.into_inner())
    }

    pub(crate) async fn jit_link(&self, token: &SecretValue) -> Result<JitLinkInfo, XtraError> {
        let answer = self.raw().jit_get().token(checked(token)?).send().await.map_err(from_raw)?;
        Ok(convert::jit_link_info(answer.into_inner()))
    }

    pub(crate) async fn claim_jit_link(&self, token: &SecretValue) -> Result<AccessRequest, XtraError> {
        checked(token)?;
        let call = self.raw().jit_claim().body_map(|body| body.token(token));
        let claimed = call.send().await.map_err(|error| {
            let waiting = convert::waiting_request(&error);
            let error = self.or_for_users(from_raw(error), "claim a link for access");
            match waiting.filter(|id| is_id(id) && error.kind() == ErrorKind::Conflict) {
                Some(id) => error.adding(&format!(". Wait for the request {id}, which is still to be decided")),
                None => error,
            }
        })?;
        convert::jit_claimed(claimed.into_inner())
    }
}

/// The token, as far as it can be sent.
fn checked(token: &SecretValue) -> Result<&SecretValue, XtraError> {
    match token.expose() {
        "" | "." | ".." => {
            Err(invalid("the token of the link is empty or a mere dot. Give what stands after /jit/ in the link"))
        }
        _ => Ok(token),
    }
}
