//! Access for a time.

use std::time::Duration;

use crate::core::{ErrorKind, XtraError};
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{AccessChoice, AccessMode, AccessRequest, Asked, Decision};
use crate::services::xtra::{Xtra, XtraScope};

/// Asks for access; made by [`XtraClient::request_access`](crate::XtraClient::request_access).
#[derive(Debug)]
#[non_exhaustive]
pub struct RequestAccess(Asked);

/// Looks at a request for access; made by [`XtraClient::get_access_request`](crate::XtraClient::get_access_request).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetAccessRequest {
    id: String,
}

/// Lists requests for access; made by [`XtraClient::list_access_requests`](crate::XtraClient::list_access_requests).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListAccessRequests(AccessChoice);

/// Decides on a request for access; made by [`XtraClient::decide_access`](crate::XtraClient::decide_access).
#[derive(Debug)]
#[non_exhaustive]
pub struct DecideAccess {
    id: String,
    decision: Decision,
}

impl Operation for RequestAccess {
    const NAME: &'static str = "request_access";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        let project = call.project().await?;
        call.source().request_access(&project, self.0).await.map_err(|error| match error.status() {
            // what it means is told already
            Some(500) => error,
            _ if error.may_have_been_applied() => error.adding(". list_access_requests() tells"),
            _ => error,
        })
    }
}

impl Operation for GetAccessRequest {
    const NAME: &'static str = "get_access_request";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        call.source().access_request(&self.id).await
    }
}

impl Operation for ListAccessRequests {
    const NAME: &'static str = "list_access_requests";
    type Source = Xtra;
    type Output = Vec<AccessRequest>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<AccessRequest>, XtraError> {
        let AccessChoice { mode, workspace } = &self.0;
        if *mode != AccessMode::Mine && workspace.is_none() {
            let message = "this list is one of a workspace, and none was named, so nothing was sent. Add workspace(..); \
                           get_project() tells the id";
            return Err(XtraError::new(ErrorKind::Invalid, message));
        }
        call.source().list_access_requests(&self.0).await
    }
}

impl Operation for DecideAccess {
    const NAME: &'static str = "decide_access";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        call.source().decide_access(&self.id, self.decision).await
    }
}

impl<M> Client<Xtra, M> {
    /// Asks for access to the project for a time: whole minutes, what is begun counts. Somebody has to
    /// [decide](Self::decide_access); [`wait_for_access`](Self::wait_for_access) waits for that.
    ///
    /// This is what to do about [`ElevationNeeded`](crate::Reason::ElevationNeeded):
    /// [`XtraError::elevation`](crate::XtraError::elevation) tells the project.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) without a reason, for less than a minute, and for ids that are none;
    /// [`Server`](crate::ErrorKind::Server), status 500, also for a token that is not valid;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a service account, as for the lists and the decisions.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let request = client.request_access("the nightly import failed", Duration::from_secs(30 * 60)).await?;
    /// println!("{} is {:?}", request.id, request.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn request_access<'a>(
        &'a self,
        reason: impl Into<String>,
        duration: Duration,
    ) -> Request<'a, Xtra, RequestAccess, M> {
        let asked = Asked { reason: reason.into(), duration, secrets: Vec::new(), workspace: None };
        self.request(XtraScope::default(), RequestAccess(asked))
    }

    /// Looks where a request for access stands.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// let request = client.get_access_request("665f1c2ab7c0de0012345678").await?;
    /// println!("{:?}", request.status);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_access_request<'a>(&'a self, id: impl Into<String>) -> Request<'a, Xtra, GetAccessRequest, M> {
        self.request(XtraScope::default(), GetAccessRequest { id: id.into() })
    }

    /// Lists requests for access: the caller's own, unless [`mode`](Request::mode) says otherwise.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for another mode than the default one without a
    /// [`workspace`](Request::workspace); [`Forbidden`](crate::ErrorKind::Forbidden) for what only admins of the workspace are
    /// shown.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// use xtrasecurity::manage::AccessMode;
    ///
    /// let open = client.list_access_requests().mode(AccessMode::Pending).workspace("665f1c2ab7c0de0012345678").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_access_requests(&self) -> Request<'_, Xtra, ListAccessRequests, M> {
        self.request(XtraScope::default(), ListAccessRequests(AccessChoice::default()))
    }

    /// Decides on a request for access, as an admin of its workspace, or else as an admin of its project.
    ///
    /// To an admin of the workspace the service tells no more than where the request stands and when the access ends; what
    /// it is for and who asked is read back. If that cannot be read, the decision is made all the same, and what is not known
    /// is `None`. This takes three requests; for an admin of the project too, of which the first is refused.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the request is not one to decide on like this: only a pending one can be
    /// approved or rejected, only an approved one revoked; [`Forbidden`](crate::ErrorKind::Forbidden) for who is no admin;
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// use xtrasecurity::manage::{AccessStatus, Decision};
    ///
    /// let request = client.request_access("the nightly import failed", Duration::from_secs(30 * 60)).await?;
    /// let request = client.decide_access(request.id, Decision::Reject).await?;
    /// assert_eq!(request.status, AccessStatus::Rejected);
    /// # Ok(())
    /// # }
    /// ```
    pub fn decide_access<'a>(
        &'a self,
        id: impl Into<String>,
        decision: Decision,
    ) -> Request<'a, Xtra, DecideAccess, M> {
        self.request(XtraScope::default(), DecideAccess { id: id.into(), decision })
    }
}

impl<M> Request<'_, Xtra, RequestAccess, M> {
    /// Only to these secrets, by their ids. Default: to the whole project.
    pub fn secrets<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.operation.0.secrets = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The project's workspace, by its id, so that the admins of the workspace are shown the request and can decide. Without
    /// it only admins of the project can.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.operation.0.workspace = Some(id.into());
        self
    }
}

impl<M> Request<'_, Xtra, ListAccessRequests, M> {
    /// Which requests. Default: the caller's own.
    pub fn mode(mut self, mode: AccessMode) -> Self {
        self.operation.0.mode = mode;
        self
    }

    /// Those of this workspace, by its id. All modes but the default one need it.
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.operation.0.workspace = Some(id.into());
        self
    }
}
