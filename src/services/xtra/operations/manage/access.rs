//! Access for a time: requests for it, and decisions on them.

use std::time::{Duration, SystemTime};

use super::{checked_id, checked_ids, invalid, lacks, minutes, not_empty, of_minutes, timestamp};
use crate::core::{ErrorKind, Hint, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::types;
use crate::services::xtra::{Xtra, XtraScope};

/// # Access requests
impl<M> Client<Xtra, M> {
    /// Asks for access to the project for a time: whole minutes, what is begun counts. Somebody has to
    /// [decide](Self::decide_access_request); [`wait_for_access`](Self::wait_for_access) waits for that.
    ///
    /// This is what to do about [`ElevationNeeded`](crate::error::Reason::ElevationNeeded):
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
        let operation = RequestAccess { reason: reason.into(), duration, secrets: Vec::new(), workspace_id: None };
        self.request(XtraScope::default(), operation)
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
    /// [`workspace_id`](Request::workspace_id); [`Forbidden`](crate::ErrorKind::Forbidden) for what only admins of the workspace are
    /// shown.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// use xtrasecurity::xtra::manage::AccessMode;
    ///
    /// let open = client.list_access_requests().mode(AccessMode::Pending).workspace_id("665f1c2ab7c0de0012345678").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_access_requests(&self) -> Request<'_, Xtra, ListAccessRequests, M> {
        self.request(XtraScope::default(), ListAccessRequests { mode: AccessMode::default(), workspace_id: None })
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
    /// use xtrasecurity::xtra::manage::{AccessStatus, Decision};
    ///
    /// let request = client.request_access("the nightly import failed", Duration::from_secs(30 * 60)).await?;
    /// let request = client.decide_access_request(request.id, Decision::Reject).await?;
    /// assert_eq!(request.status, AccessStatus::Rejected);
    /// # Ok(())
    /// # }
    /// ```
    pub fn decide_access_request<'a>(
        &'a self,
        id: impl Into<String>,
        decision: Decision,
    ) -> Request<'a, Xtra, DecideAccessRequest, M> {
        self.request(XtraScope::default(), DecideAccessRequest { id: id.into(), decision })
    }
}

impl<M> Request<'_, Xtra, RequestAccess, M> {
    /// Only to these secrets, by their ids. Default: to the whole project.
    pub fn secrets<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.operation.secrets = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The project's workspace, by its id, so that the admins of the workspace are shown the request and can decide. Without
    /// it only admins of the project can.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.operation.workspace_id = Some(id.into());
        self
    }
}

impl<M> Request<'_, Xtra, ListAccessRequests, M> {
    /// Which requests. Default: the caller's own.
    pub fn mode(mut self, mode: AccessMode) -> Self {
        self.operation.mode = mode;
        self
    }

    /// Those of this workspace, by its id. All modes but the default one need it.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.operation.workspace_id = Some(id.into());
        self
    }
}

/// Asks for access; made by [`XtraClient::request_access`](crate::XtraClient::request_access).
#[derive(Debug)]
#[non_exhaustive]
pub struct RequestAccess {
    reason: String,
    duration: Duration,
    secrets: Vec<String>,
    workspace_id: Option<String>,
}

impl Operation for RequestAccess {
    const NAME: &'static str = "request_access";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        let Self { reason, duration, secrets, workspace_id } = self;
        let (project, source) = (call.project().await?, call.source());
        not_empty("reason for the access", &reason)?;
        let minutes = minutes("time for which access is asked", duration)?;
        checked_ids("secret", &secrets)?;
        workspace_id.as_deref().map(|id| checked_id("workspace", id)).transpose()?;
        let ids = (!secrets.is_empty()).then(|| secrets.clone());
        let request = source.raw().access_submit().body_map(|body| {
            let body = body.reason(reason.clone()).duration(minutes).project_id(Some(project.clone()));
            body.secret_ids(ids).workspace_id(workspace_id.clone())
        });
        let answer = request.send().await.map_err(|error| {
            let error = or_unauthorized(source.or_for_users(from_raw(error), "ask for access"));
            match error.status() {
                // what it means is told already
                Some(500) => error,
                _ => error.if_in_doubt(|error| error.with_hint(Hint::LookAt { call: "list_access_requests" })),
            }
        })?;
        let made = AccessRequest::try_from(answer.into_inner())?;
        Ok(AccessRequest {
            project_id: Some(project),
            secrets,
            reason: Some(reason),
            duration: made.duration.or(Some(Duration::from_secs(60 * minutes.unsigned_abs()))),
            workspace_id,
            ..made
        })
    }
}

/// Looks at a request for access; made by [`XtraClient::get_access_request`](crate::XtraClient::get_access_request).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetAccessRequest {
    id: String,
}

impl Operation for GetAccessRequest {
    const NAME: &'static str = "get_access_request";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        call.source().access_request(&self.id).await
    }
}

/// Lists requests for access; made by [`XtraClient::list_access_requests`](crate::XtraClient::list_access_requests).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListAccessRequests {
    mode: AccessMode,
    workspace_id: Option<String>,
}

impl Operation for ListAccessRequests {
    const NAME: &'static str = "list_access_requests";
    type Source = Xtra;
    type Output = Vec<AccessRequest>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<AccessRequest>, XtraError> {
        let (Self { mode, workspace_id }, source) = (self, call.source());
        if mode != AccessMode::Mine && workspace_id.is_none() {
            let error = invalid("this list is one of a workspace, and none was named, so nothing was sent");
            return Err(error
                .with_hint(Hint::Add { options: &["workspace_id"] })
                .with_hint(Hint::LookAt { call: "get_project" }));
        }
        let request = source.raw().access_list().mode(mode.word());
        let request = match &workspace_id {
            Some(id) => request.workspace_id(checked_id("workspace", id)?),
            None => request,
        };
        let refused = |error| or_unauthorized(source.or_for_users(from_raw(error), "list requests for access"));
        let list = request.send().await.map_err(refused)?.into_inner();
        Ok(list.0.into_iter().map(AccessRequest::from).collect())
    }
}

/// Decides on a request for access; made by [`XtraClient::decide_access_request`](crate::XtraClient::decide_access_request).
#[derive(Debug)]
#[non_exhaustive]
pub struct DecideAccessRequest {
    id: String,
    decision: Decision,
}

impl Operation for DecideAccessRequest {
    const NAME: &'static str = "decide_access_request";
    type Source = Xtra;
    type Output = AccessRequest;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<AccessRequest, XtraError> {
        let (source, decision) = (call.source(), self.decision);
        let id = checked_id("access request", &self.id)?;
        let request = source.raw().access_decide();
        let request = request.body_map(|body| body.request_id(id).decision(decision.word()));
        match request.send().await.map_err(from_raw) {
            Ok(decided) => {
                let decided = AccessRequest::decided(decided.into_inner(), id, decision);
                return Ok(source.with_what_it_is_for(decided).await);
            }
            // no admin of the workspace, or a request that names none
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Invalid) => {}
            Err(error) => return Err(or_unauthorized(source.or_for_users(error, "decide on a request for access"))),
        }
        // The other way carries out anything: a request that was rejected would be approved without an end.
        let status = source.access_request(id).await?.status;
        if !decision.fits(status) {
            return Err(XtraError::new(
                ErrorKind::Conflict,
                format!(
                    "the request for access is {}, and so cannot be {}. Nothing was changed",
                    status.word(),
                    decision.word()
                ),
            ));
        }
        let request = source.raw().access_requests_update().id(id).body_map(|body| body.status(decision.word()));
        Ok(request.send().await.map_err(from_raw)?.into_inner().into())
    }
}

impl Xtra {
    pub(super) async fn access_request(&self, id: &str) -> Result<AccessRequest, XtraError> {
        let id = checked_id("access request", id)?;
        let answer = self.raw().access_status().id(id).send().await.map_err(from_raw)?;
        Ok(AccessRequest::status(answer.into_inner(), id))
    }

    /// A decision, whose answer tells no more than where the request stands, with what it is for and who asked. The decision
    /// is made whatever becomes of this: what cannot be read stays unknown.
    async fn with_what_it_is_for(&self, decided: AccessRequest) -> AccessRequest {
        let Ok(AccessRequest { project_id, secrets, .. }) = self.access_request(&decided.id).await else {
            return decided;
        };
        let decided = AccessRequest { project_id, secrets, ..decided };
        // all but the project and the secrets is in lists alone
        let Some(project) = &decided.project_id else {
            return decided;
        };
        let list = self.raw().access_requests_list().project_id(project.as_str()).send().await;
        let found = list.ok().and_then(|list| list.into_inner().0.into_iter().find(|known| known.id == decided.id));
        match found.map(AccessRequest::from) {
            // where it stands is what the decision says: somebody else may have decided since
            Some(details) => AccessRequest { status: decided.status, expires_at: decided.expires_at, ..details },
            None => decided,
        }
    }
}

/// These routes do not look at the token first, and fail when it is none.
fn or_unauthorized(error: XtraError) -> XtraError {
    match error.status() {
        Some(500) if error.kind() == ErrorKind::Server => {
            let error = error.with_note("This operation also fails like this when the token is not valid");
            error.with_hint(Hint::LookAt { call: "whoami" })
        }
        _ => error,
    }
}

/// A request for access to a project, or to some secrets of it, for a time.
///
/// What an answer does not tell is `None`: only lists and decisions tell who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessRequest {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// Where it stands. Access that has run out is [`Expired`](AccessStatus::Expired), though the service may not have noted
    /// that yet.
    pub status: AccessStatus,
    /// The id of the project.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The ids of the secrets, when it is about some only.
    pub secrets: Vec<String>,
    /// Why access is wanted.
    pub reason: Option<String>,
    /// For how long, from when it is approved.
    pub duration: Option<Duration>,
    /// The id of the user who asked.
    pub requested_by: Option<String>,
    /// That user's address.
    pub requester_email: Option<String>,
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
    /// The id of the user who decided.
    pub decided_by: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When the access ends; known once it is approved.
    pub expires_at: Option<Timestamp>,
    /// The id of the workspace whose admins decide.
    pub workspace_id: Option<String>,
}

impl AccessRequest {
    /// A request of which only this is known.
    pub(super) fn bare(id: String, status: Option<&str>, expires_at: Option<Timestamp>) -> Self {
        Self {
            id,
            status: AccessStatus::read(status, expires_at, SystemTime::now().into()),
            project_id: None,
            project_name: None,
            secrets: Vec::new(),
            reason: None,
            duration: None,
            requested_by: None,
            requester_email: None,
            requested_at: None,
            decided_by: None,
            decided_at: None,
            expires_at,
            workspace_id: None,
        }
    }

    fn status(answer: types::AccessRequestStatus, asked: &str) -> Self {
        let id = answer.id.unwrap_or_else(|| asked.to_owned());
        Self {
            project_id: answer.project_id,
            secrets: answer.secret_ids.unwrap_or_default(),
            ..Self::bare(id, answer.status.as_deref(), timestamp(answer.expires_at))
        }
    }

    fn decided(answer: types::AccessDecided, id: &str, decision: Decision) -> Self {
        let status = answer.status.as_deref().unwrap_or(decision.word());
        Self::bare(id.to_owned(), Some(status), timestamp(answer.expires_at))
    }
}

impl TryFrom<types::AccessRequestSubmitted> for AccessRequest {
    type Error = XtraError;

    fn try_from(answer: types::AccessRequestSubmitted) -> Result<Self, XtraError> {
        let id = answer.request_id.ok_or_else(|| lacks("the request's id").with_unknown_outcome())?;
        Ok(Self::bare(id, answer.status.as_deref(), None))
    }
}

impl TryFrom<types::JitClaimed> for AccessRequest {
    type Error = XtraError;

    fn try_from(answer: types::JitClaimed) -> Result<Self, XtraError> {
        let id = answer.request_id.ok_or_else(|| lacks("the request's id").with_unknown_outcome())?;
        Ok(Self { duration: of_minutes(answer.duration), ..Self::bare(id, answer.status.as_deref(), None) })
    }
}

impl From<types::AccessRequest> for AccessRequest {
    fn from(request: types::AccessRequest) -> Self {
        Self {
            project_id: request.project_id,
            secrets: request.secret_ids.unwrap_or_default(),
            reason: request.reason,
            duration: of_minutes(request.duration),
            requested_by: request.user_id,
            requested_at: timestamp(request.requested_at),
            decided_by: request.approved_by,
            decided_at: timestamp(request.approved_at),
            workspace_id: request.workspace_id,
            ..Self::bare(request.id, request.status.as_deref(), timestamp(request.expires_at))
        }
    }
}

impl From<types::AccessRequestDetails> for AccessRequest {
    fn from(request: types::AccessRequestDetails) -> Self {
        Self {
            project_id: request.project_id,
            project_name: request.project.and_then(|project| project.name),
            secrets: request.secret_ids.unwrap_or_default(),
            reason: request.reason,
            duration: of_minutes(request.duration),
            requested_by: request.user_id,
            requester_email: request.user.and_then(|user| user.email),
            requested_at: timestamp(request.requested_at),
            decided_by: request.approved_by,
            decided_at: timestamp(request.approved_at),
            workspace_id: request.workspace_id,
            ..Self::bare(request.id, request.status.as_deref(), timestamp(request.expires_at))
        }
    }
}

/// Where a request for access stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessStatus {
    /// Nobody has decided.
    Pending,
    /// Granted, and it has not run out.
    Approved,
    /// Refused.
    Rejected,
    /// Granted once, and taken back.
    Revoked,
    /// It has run out.
    Expired,
    /// What this version does not know.
    Unknown,
}

impl AccessStatus {
    /// The service's word, taken with when the access ends.
    fn read(word: Option<&str>, expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        match word {
            Some("pending") => Self::Pending,
            Some("approved") => match expires_at.map(|end| end <= now) {
                Some(true) => Self::Expired,
                _ => Self::Approved,
            },
            Some("rejected") => Self::Rejected,
            Some("revoked") => Self::Revoked,
            Some("expired") => Self::Expired,
            _ => Self::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Unknown => "of an unknown status",
        }
    }
}

/// What [`decide_access_request`](crate::XtraClient::decide_access_request) does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// Grants a pending request.
    Approve,
    /// Refuses a pending request.
    Reject,
    /// Takes back what was granted.
    Revoke,
}

impl Decision {
    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
            Self::Revoke => "revoked",
        }
    }

    fn fits(self, status: AccessStatus) -> bool {
        match self {
            Self::Approve | Self::Reject => status == AccessStatus::Pending,
            Self::Revoke => status == AccessStatus::Approved,
        }
    }
}

/// Which requests [`list_access_requests`](crate::XtraClient::list_access_requests) lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AccessMode {
    /// The caller's own.
    #[default]
    Mine,
    /// Those of a workspace that nobody has decided on, for its admins.
    Pending,
    /// Those of a workspace that were decided, for its admins.
    History,
    /// Those of a workspace that are approved.
    Approved,
}

impl AccessMode {
    fn word(self) -> &'static str {
        match self {
            Self::Mine => "my",
            Self::Pending => "pending",
            Self::History => "history",
            Self::Approved => "approved",
        }
    }
}
