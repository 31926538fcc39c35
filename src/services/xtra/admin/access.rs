//! Access for a time: asked for, decided on, waited for.

use std::time::{Duration, SystemTime};

use super::{convert, ids, minutes, not_empty};
use crate::core::{ErrorKind, Timestamp, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::source::Xtra;

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
    pub project: Option<String>,
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
    /// When it was asked for, ISO-8601.
    pub requested_at: Option<String>,
    /// The id of the user who decided.
    pub decided_by: Option<String>,
    /// When it was decided, ISO-8601.
    pub decided_at: Option<String>,
    /// When the access ends, ISO-8601; known once it is approved.
    pub expires_at: Option<String>,
    /// The id of the workspace whose admins decide.
    pub workspace: Option<String>,
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
    pub(super) fn read(word: Option<&str>, expires_at: Option<&str>, now: SystemTime) -> Self {
        match word {
            Some("pending") => Self::Pending,
            Some("approved") => match expires_at.and_then(Timestamp::parse).map(|end| end <= Timestamp::from(now)) {
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

/// What [`decide_access`](crate::XtraClient::decide_access) does with a request.
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

/// Which requests, and of what workspace.
#[derive(Debug, Default)]
pub(crate) struct AccessChoice {
    pub(crate) mode: AccessMode,
    pub(crate) workspace: Option<String>,
}

impl AccessChoice {
    fn mode(&self) -> &'static str {
        match self.mode {
            AccessMode::Mine => "my",
            AccessMode::Pending => "pending",
            AccessMode::History => "history",
            AccessMode::Approved => "approved",
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) reason: String,
    pub(crate) duration: Duration,
    pub(crate) secrets: Vec<String>,
    pub(crate) workspace: Option<String>,
}

impl Xtra {
    pub(crate) async fn request_access(&self, project: &str, asked: Asked) -> Result<AccessRequest, XtraError> {
        let Asked { reason, duration, secrets, workspace } = asked;
        not_empty("reason for the access", &reason)?;
        let minutes = minutes("time for which access is asked", duration)?;
        ids::all_checked("secret", &secrets)?;
        workspace.as_deref().map(|id| ids::checked("workspace", id)).transpose()?;
        let ids = (!secrets.is_empty()).then(|| secrets.clone());
        let call = self.raw().access_submit();
        let call = call.body_map(|body| {
            let body = body.reason(reason.clone()).duration(minutes).project_id(Some(project.to_owned()));
            body.secret_ids(ids).workspace_id(workspace.clone())
        });
        let refused = |error| or_unauthorized(self.or_for_users(from_raw(error), "ask for access"));
        let answer = call.send().await.map_err(refused)?;
        let made = convert::access_submitted(answer.into_inner())?;
        Ok(AccessRequest {
            project: Some(project.to_owned()),
            secrets,
            reason: Some(reason),
            duration: made.duration.or(Some(Duration::from_secs(60 * minutes.unsigned_abs()))),
            workspace,
            ..made
        })
    }

    pub(crate) async fn access_request(&self, id: &str) -> Result<AccessRequest, XtraError> {
        let id = ids::checked("access request", id)?;
        let answer = self.raw().access_status().id(id).send().await.map_err(from_raw)?;
        Ok(convert::access_status(answer.into_inner(), id))
    }

    pub(crate) async fn list_access_requests(&self, choice: &AccessChoice) -> Result<Vec<AccessRequest>, XtraError> {
        let call = self.raw().access_list().mode(choice.mode());
        let call = match &choice.workspace {
            Some(id) => call.workspace_id(ids::checked("workspace", id)?),
            None => call,
        };
        let refused = |error| or_unauthorized(self.or_for_users(from_raw(error), "list requests for access"));
        let list = call.send().await.map_err(refused)?.into_inner();
        Ok(list.0.into_iter().map(convert::access_details).collect())
    }

    /// Decides as an admin of the workspace, or else as one of the project.
    pub(crate) async fn decide_access(&self, id: &str, decision: Decision) -> Result<AccessRequest, XtraError> {
        let id = ids::checked("access request", id)?;
        let call = self.raw().access_decide();
        let call = call.body_map(|body| body.request_id(id).decision(decision.word()));
        match call.send().await.map_err(from_raw) {
            Ok(decided) => {
                let decided = convert::access_decided(decided.into_inner(), id, decision.word());
                return Ok(self.with_what_it_is_for(decided).await);
            }
            // no admin of the workspace, or a request that names none
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Invalid) => {}
            Err(error) => return Err(or_unauthorized(self.or_for_users(error, "decide on a request for access"))),
        }
        // The other way carries out anything: a request that was rejected would be approved without an end.
        let status = self.access_request(id).await?.status;
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
        let call = self.raw().access_requests_update().id(id).body_map(|body| body.status(decision.word()));
        Ok(convert::access_request(call.send().await.map_err(from_raw)?.into_inner()))
    }

    /// A decision, whose answer tells no more than where the request stands, with what it is for and who asked. The decision
    /// is made whatever becomes of this: what cannot be read stays unknown.
    async fn with_what_it_is_for(&self, decided: AccessRequest) -> AccessRequest {
        let Ok(AccessRequest { project, secrets, .. }) = self.access_request(&decided.id).await else {
            return decided;
        };
        let decided = AccessRequest { project, secrets, ..decided };
        // all but the project and the secrets is in lists alone
        let Some(project) = &decided.project else {
            return decided;
        };
        let list = self.raw().access_requests_list().project_id(project.as_str()).send().await;
        let found = list.ok().and_then(|list| list.into_inner().0.into_iter().find(|known| known.id == decided.id));
        match found.map(convert::access_details) {
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
            error.adding(". This operation also fails like this when the token is not valid: whoami() tells")
        }
        _ => error,
    }
}
