//! Links that let somebody ask for access.

use std::time::Duration;

use super::access::AccessRequest;
use super::{checked_ids, count, invalid, lacks, minutes, of_minutes, timestamp};
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::{Error, WireSecret, types};
use crate::services::xtra::scope::{exact_environment, is_id};
use crate::services::xtra::{Xtra, XtraScope};

const HOUR: f64 = 3_600.0;

/// # Just-in-time links
impl<M> Client<Xtra, M> {
    /// Makes a link for somebody who is to ask for access to the project for a time: whole minutes, what is begun counts.
    /// Who claims it still needs somebody to [approve](Self::decide_access_request).
    ///
    /// [`environment`](Request::environment) and [`branch`](Request::branch) may say what is meant. It is shown to who claims
    /// the link; the access itself is to the whole project, or to the [`secrets`](Request::secrets) named.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for viewers, for service accounts, and on the free plan; [`Invalid`](crate::ErrorKind::Invalid) for
    /// less than a minute; [`NotFound`](crate::ErrorKind::NotFound) for a branch that does not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let link = client.create_jit_link(Duration::from_secs(3600)).environment("staging").label("contractor").await?;
    /// println!("{link:?}"); // the link itself prints as [REDACTED]: send link.url to who needs it
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_jit_link(&self, duration: Duration) -> Request<'_, Xtra, CreateJitLink, M> {
        self.request(XtraScope::default(), CreateJitLink { duration, ..CreateJitLink::default() })
    }

    /// Looks what a link leads to, without using it up. The token is what stands after `/jit/` in the link.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for one that there is not, or that has ended, was revoked or is used up; the
    /// [status](crate::XtraError::status) of the last three is 410.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient, token: String) -> Result<(), xtrasecurity::XtraError> {
    /// let link = client.get_jit_link(token).await?;
    /// println!("{:?} for {:?}", link.project_name, link.duration);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_jit_link<'a>(&'a self, token: impl Into<SecretValue>) -> Request<'a, Xtra, GetJitLink, M> {
        self.request(XtraScope::default(), GetJitLink { token: token.into() })
    }

    /// Claims a link, and gives the request for access that comes of it: [wait](Self::wait_for_access) until it is approved.
    ///
    /// # Errors
    ///
    /// As [`get_jit_link`](Self::get_jit_link); [`Conflict`](crate::ErrorKind::Conflict) when the caller is already waiting for access
    /// to the project, with the id of that request in the message; [`Invalid`](crate::ErrorKind::Invalid) for who made the
    /// link.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient, token: String) -> Result<(), xtrasecurity::XtraError> {
    /// let request = client.claim_jit_link(token).await?;
    /// client.wait_for_access(request.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn claim_jit_link<'a>(&'a self, token: impl Into<SecretValue>) -> Request<'a, Xtra, ClaimJitLink, M> {
        self.request(XtraScope::default(), ClaimJitLink { token: token.into() })
    }
}

impl<M> Request<'_, Xtra, CreateJitLink, M> {
    /// Only to these secrets, by their ids. Default: to the whole project.
    pub fn secrets<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.operation.secrets = ids.into_iter().map(Into::into).collect();
        self
    }

    /// What the link is for. Default: nothing.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.operation.label = Some(label.into());
        self
    }

    /// How often the link can be claimed. Default: once.
    pub fn max_uses(mut self, count: u32) -> Self {
        self.operation.max_uses = Some(count);
        self
    }

    /// For how long the link itself is good. Default: 24 hours.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.operation.expires_in = Some(time);
        self
    }
}

/// Makes a link for access; made by [`XtraClient::create_jit_link`](crate::XtraClient::create_jit_link).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CreateJitLink {
    duration: Duration,
    secrets: Vec<String>,
    label: Option<String>,
    max_uses: Option<u32>,
    expires_in: Option<Duration>,
}

impl Operation for CreateJitLink {
    const NAME: &'static str = "create_jit_link";
    type Source = Xtra;
    type Output = JitLink;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<JitLink, XtraError> {
        let Self { duration, secrets, label, max_uses, expires_in } = self;
        let (project, source, scope) = (call.project().await?, call.source(), call.scope());
        let minutes = minutes("time for which the link gives access", duration)?;
        checked_ids("secret", &secrets)?;
        if max_uses == Some(0) || expires_in.is_some_and(|time| time.is_zero()) {
            return Err(invalid(
                "a link that cannot be used, or ends at once, is of no use. Give max_uses or expires_in above 0",
            ));
        }
        let environment = scope.environment.as_deref().map(exact_environment).transpose()?.map(str::to_owned);
        let branch = match &scope.branch {
            Some(name) => Some(source.branch_id(&project, name).await?),
            None => None,
        };
        let request = source.raw().jit_generate().body_map(|body| {
            let body = body.project_id(&project).duration(minutes).branch_id(branch).environment(environment);
            let body = body.secret_ids((!secrets.is_empty()).then_some(secrets)).label(label);
            body.max_uses(max_uses.map(i64::from)).expires_in_hours(expires_in.map(|time| time.as_secs_f64() / HOUR))
        });
        let made =
            request.send().await.map_err(|error| source.or_for_users(from_raw(error), "make a link for access"))?;
        made.into_inner().try_into()
    }
}

/// Looks at a link for access; made by [`XtraClient::get_jit_link`](crate::XtraClient::get_jit_link).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetJitLink {
    token: SecretValue,
}

impl Operation for GetJitLink {
    const NAME: &'static str = "get_jit_link";
    type Source = Xtra;
    type Output = JitLinkInfo;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<JitLinkInfo, XtraError> {
        let request = call.source().raw().jit_get().token(checked(&self.token)?);
        Ok(request.send().await.map_err(from_raw)?.into_inner().into())
    }
}

/// Claims a link for access; made by [`XtraClient::claim_jit_link`](crate::XtraClient::claim_jit_link).
#[derive(Debug)]
#[non_exhaustive]
pub struct ClaimJitLink {
    token: SecretValue,
}

impl Operation for ClaimJitLink {
    const NAME: &'static str = "claim_jit_link";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        let (token, source) = (checked(&self.token)?, call.source());
        let request = source.raw().jit_claim().body_map(|body| body.token(token));
        let claimed = request.send().await.map_err(|error| {
            let waiting = waiting_request(&error);
            let error = source.or_for_users(from_raw(error), "claim a link for access");
            match waiting.filter(|id| is_id(id) && error.kind() == ErrorKind::Conflict) {
                Some(id) => error
                    .with_note(format!("The request {id} is still to be decided"))
                    .with_hint(Hint::Use { call: "wait_for_access", purpose: "wait until it is" }),
                None => error,
            }
        })?;
        claimed.into_inner().try_into()
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

/// The request that a refusal says is waiting already.
fn waiting_request(error: &Error<types::ApiError>) -> Option<String> {
    match error {
        Error::ErrorResponse(answer) => answer.as_ref().request_id.clone(),
        _ => None,
    }
}

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
    /// When the link ends.
    pub expires_at: Option<Timestamp>,
    /// For how long it gives access.
    pub duration: Option<Duration>,
    /// What access it gives: `read`.
    pub access_level: Option<String>,
}

impl TryFrom<types::JitLinkCreated> for JitLink {
    type Error = XtraError;

    fn try_from(answer: types::JitLinkCreated) -> Result<Self, XtraError> {
        let secret = |text: Option<WireSecret>| text.and_then(|text| text.into_value());
        Ok(Self {
            token: secret(answer.token).ok_or_else(|| lacks("the link's token").with_unknown_outcome())?,
            url: secret(answer.url),
            command: secret(answer.cli_command),
            expires_at: timestamp(answer.expires_at),
            duration: of_minutes(answer.duration),
            access_level: answer.access_level,
        })
    }
}

/// What a link leads to, without the link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JitLinkInfo {
    /// The id of the project.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The branch that was meant. The service does not hold the access to it.
    pub branch: Option<String>,
    /// The environment that was meant. The service does not hold the access to it.
    pub environment: Option<String>,
    /// The names of the secrets, when it is about some only.
    pub names: Vec<String>,
    /// Their ids.
    pub secrets: Vec<String>,
    /// For how long it gives access.
    pub duration: Option<Duration>,
    /// What it is for.
    pub label: Option<String>,
    /// What access it gives: `read`.
    pub access_level: Option<String>,
    /// When the link ends.
    pub expires_at: Option<Timestamp>,
    /// How often it can be claimed.
    pub max_uses: Option<u64>,
    /// How often it was claimed.
    pub used: Option<u64>,
    /// The id, or the name, of the user who made it.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

impl From<types::JitLink> for JitLinkInfo {
    fn from(link: types::JitLink) -> Self {
        Self {
            project_id: link.project_id,
            project_name: link.project_name,
            branch: link.branch_name,
            environment: link.environment,
            names: link.secret_keys.unwrap_or_default(),
            secrets: link.secret_ids.unwrap_or_default(),
            duration: of_minutes(link.duration),
            label: link.label,
            access_level: link.access_level,
            expires_at: timestamp(link.expires_at),
            max_uses: count(link.max_uses),
            used: count(link.used_count),
            created_by: link.created_by,
            created_at: timestamp(link.created_at),
        }
    }
}
