//! Links that let somebody ask for access.

use std::time::Duration;

use crate::core::{SecretValue, XtraError};
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{AccessRequest, JitLink, JitLinkInfo, JitWish};
use crate::services::xtra::{Xtra, XtraScope};

/// Makes a link; made by [`XtraClient::create_jit_link`](crate::XtraClient::create_jit_link).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateJitLink(JitWish);

/// Looks what a link leads to; made by [`XtraClient::get_jit_link`](crate::XtraClient::get_jit_link).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetJitLink {
    token: SecretValue,
}

/// Claims a link; made by [`XtraClient::claim_jit_link`](crate::XtraClient::claim_jit_link).
#[derive(Debug)]
#[non_exhaustive]
pub struct ClaimJitLink {
    token: SecretValue,
}

impl Operation for CreateJitLink {
    const NAME: &'static str = "create_jit_link";
    type Source = Xtra;
    type Output = JitLink;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<JitLink, XtraError> {
        let project = call.project().await?;
        call.source().create_jit_link(&project, call.scope(), self.0).await
    }
}

impl Operation for GetJitLink {
    const NAME: &'static str = "get_jit_link";
    type Source = Xtra;
    type Output = JitLinkInfo;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<JitLinkInfo, XtraError> {
        call.source().jit_link(&self.token).await
    }
}

impl Operation for ClaimJitLink {
    const NAME: &'static str = "claim_jit_link";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        call.source().claim_jit_link(&self.token).await
    }
}

impl<M> Client<Xtra, M> {
    /// Makes a link for somebody who is to ask for access to the project for a time: whole minutes, what is begun counts.
    /// Who claims it still needs somebody to [approve](Self::decide_access).
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
        self.request(XtraScope::default(), CreateJitLink(JitWish { duration, ..JitWish::default() }))
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
        self.operation.0.secrets = ids.into_iter().map(Into::into).collect();
        self
    }

    /// What the link is for. Default: nothing.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.operation.0.label = Some(label.into());
        self
    }

    /// How often the link can be claimed. Default: once.
    pub fn max_uses(mut self, count: u32) -> Self {
        self.operation.0.max_uses = Some(count);
        self
    }

    /// For how long the link itself is good. Default: 24 hours.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.operation.0.expires_in = Some(time);
        self
    }
}
