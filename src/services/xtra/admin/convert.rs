//! Generated types in, types of ours out.

use std::time::{Duration, SystemTime};

use super::access::{AccessRequest, AccessStatus};
use super::accounts::{AccountKey, NewKey, ServiceAccount};
use super::branches::{Branch, BranchComparison, SecretPlace};
use super::caller::Caller;
use super::jit::{JitLink, JitLinkInfo};
use super::projects::Project;
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::is_same_project;
use crate::services::xtra::raw::{Error, types};

/// A success that lacks what it is for.
fn lacks(what: &str) -> XtraError {
    XtraError::new(
        ErrorKind::Decode,
        format!(
            "the answer lacks {what}. It was carried out all the same: look at what there is before it is done again"
        ),
    )
}

fn minutes(count: Option<i64>) -> Option<Duration> {
    let minutes = u64::try_from(count?).ok()?;
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

fn count(number: Option<i64>) -> Option<u64> {
    u64::try_from(number?).ok()
}

pub(super) fn user(user: types::User) -> Caller {
    Caller::User { id: user.id, name: user.name, email: user.email, role: user.role, tier: user.tier }
}

pub(super) fn service_account_caller(answer: types::ServiceAccountIdentity) -> Result<Caller, XtraError> {
    let project = answer.project.and_then(|project| project.id);
    let account = answer.service_account.and_then(|account| Some((account.id?, account.name, account.permissions)));
    let Some((id, name, permissions)) = account else {
        return Err(XtraError::new(ErrorKind::Decode, "the answer does not say whose token it is. Check the API root"));
    };
    Ok(Caller::ServiceAccount { id, name, permissions: permissions.unwrap_or_default(), project })
}

pub(super) fn project(project: types::ProjectDetails) -> Project {
    Project {
        id: project.id,
        name: project.name,
        description: project.description,
        status: project.status,
        owner: project.user_id,
        workspace: project.workspace_id,
        role: project.current_user_role,
        is_blocked: project.is_blocked,
        two_factor_required: project.two_factor_required,
        created_at: project.created_at,
        updated_at: project.updated_at,
    }
}

/// What a service account is told of its project; `None` when that is not the one asked for.
pub(super) fn project_of_account(answer: types::ServiceAccountIdentity, asked: &str) -> Option<Project> {
    let project = answer.project?;
    let id = project.id.filter(|id| is_same_project(id, asked))?;
    Some(Project {
        id,
        name: project.name.unwrap_or_default(),
        description: None,
        status: None,
        owner: None,
        workspace: project.workspace_id,
        role: None,
        is_blocked: None,
        two_factor_required: None,
        created_at: None,
        updated_at: None,
    })
}

/// The branches alone: the secrets that came along are counted, and wiped when the answer is dropped here.
pub(super) fn branches(list: types::BranchList) -> Vec<Branch> {
    list.0
        .into_iter()
        .map(|details| {
            let count = details.secrets.as_ref().map(Vec::len);
            Branch { secret_count: count, ..branch(details) }
        })
        .collect()
}

pub(super) fn branch(branch: types::BranchDetails) -> Branch {
    let (creator_name, creator_email) = branch.user.map(|user| (user.name, user.email)).unwrap_or_default();
    Branch {
        id: branch.id,
        name: branch.name,
        description: branch.description,
        version: branch.version_no,
        project: branch.project_id,
        created_by: branch.created_by,
        creator_name,
        creator_email,
        created_at: branch.created_at,
        secret_count: None,
    }
}

pub(super) fn comparison(answer: types::BranchComparison) -> BranchComparison {
    let of_records = |records: Option<Vec<types::ComparedSecret>>| {
        sorted(records.into_iter().flatten().map(|record| (record.environment_type, Some(record.key))))
    };
    let changed = answer.modified.into_iter().flatten().map(|pair| (pair.environment_type, pair.key));
    BranchComparison { changed: sorted(changed), added: of_records(answer.added), removed: of_records(answer.removed) }
}

fn sorted(places: impl Iterator<Item = (Option<String>, Option<String>)>) -> Vec<SecretPlace> {
    let named = places
        .filter_map(|(environment, key)| Some(SecretPlace { environment: environment.unwrap_or_default(), key: key? }));
    let mut places: Vec<SecretPlace> = named.collect();
    places.sort();
    places
}

pub(super) fn service_account(account: types::ServiceAccount) -> ServiceAccount {
    ServiceAccount {
        id: account.id,
        name: account.name,
        description: account.description,
        permissions: account.permissions.unwrap_or_default(),
        project: account.project_id,
        created_by: account.created_by,
        created_at: account.created_at,
        updated_at: account.updated_at,
        key_count: account.count.and_then(|counts| count(counts.api_keys)),
    }
}

pub(super) fn account_key(key: types::ServiceAccountKey) -> AccountKey {
    AccountKey {
        id: key.id,
        label: key.label,
        mask: key.key_mask,
        last_used: key.last_used,
        expires_at: key.expires_at,
        created_at: key.created_at,
    }
}

pub(super) fn new_key(answer: types::ServiceAccountKeyCreated) -> Result<NewKey, XtraError> {
    let key = answer.key.and_then(|key| key.into_value()).filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| lacks("the key").with_unknown_outcome())?;
    Ok(NewKey { id: answer.id, key, mask: answer.mask, label: answer.label, expires_at: answer.expires_at })
}

/// A request of which only this is known.
fn bare_request(id: String, status: Option<&str>, expires_at: Option<String>) -> AccessRequest {
    AccessRequest {
        id,
        status: AccessStatus::read(status, expires_at.as_deref(), SystemTime::now()),
        project: None,
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
        workspace: None,
    }
}

pub(super) fn access_submitted(answer: types::AccessRequestSubmitted) -> Result<AccessRequest, XtraError> {
    let id = answer.request_id.ok_or_else(|| lacks("the request's id").with_unknown_outcome())?;
    Ok(bare_request(id, answer.status.as_deref(), None))
}

pub(super) fn access_status(answer: types::AccessRequestStatus, asked: &str) -> AccessRequest {
    let id = answer.id.unwrap_or_else(|| asked.to_owned());
    AccessRequest {
        project: answer.project_id,
        secrets: answer.secret_ids.unwrap_or_default(),
        ..bare_request(id, answer.status.as_deref(), answer.expires_at)
    }
}

pub(super) fn access_decided(answer: types::AccessDecided, id: &str, decided: &str) -> AccessRequest {
    let status = answer.status.as_deref().unwrap_or(decided);
    bare_request(id.to_owned(), Some(status), answer.expires_at)
}

pub(super) fn access_request(request: types::AccessRequest) -> AccessRequest {
    AccessRequest {
        project: request.project_id,
        secrets: request.secret_ids.unwrap_or_default(),
        reason: request.reason,
        duration: minutes(request.duration),
        requested_by: request.user_id,
        requested_at: request.requested_at,
        decided_by: request.approved_by,
        decided_at: request.approved_at,
        workspace: request.workspace_id,
        ..bare_request(request.id, request.status.as_deref(), request.expires_at)
    }
}

pub(super) fn access_details(request: types::AccessRequestDetails) -> AccessRequest {
    AccessRequest {
        project: request.project_id,
        project_name: request.project.and_then(|project| project.name),
        secrets: request.secret_ids.unwrap_or_default(),
        reason: request.reason,
        duration: minutes(request.duration),
        requested_by: request.user_id,
        requester_email: request.user.and_then(|user| user.email),
        requested_at: request.requested_at,
        decided_by: request.approved_by,
        decided_at: request.approved_at,
        workspace: request.workspace_id,
        ..bare_request(request.id, request.status.as_deref(), request.expires_at)
    }
}

pub(super) fn jit_link(answer: types::JitLinkCreated) -> Result<JitLink, XtraError> {
    let secret = |text: Option<crate::services::xtra::wire::WireSecret>| text.and_then(|text| text.into_value());
    Ok(JitLink {
        token: secret(answer.token).ok_or_else(|| lacks("the link's token").with_unknown_outcome())?,
        url: secret(answer.url),
        command: secret(answer.cli_command),
        expires_at: answer.expires_at,
        duration: minutes(answer.duration),
        access_level: answer.access_level,
    })
}

pub(super) fn jit_link_info(link: types::JitLink) -> JitLinkInfo {
    JitLinkInfo {
        project: link.project_id,
        project_name: link.project_name,
        branch: link.branch_name,
        environment: link.environment,
        keys: link.secret_keys.unwrap_or_default(),
        secrets: link.secret_ids.unwrap_or_default(),
        duration: minutes(link.duration),
        label: link.label,
        access_level: link.access_level,
        expires_at: link.expires_at,
        max_uses: count(link.max_uses),
        used: count(link.used_count),
        created_by: link.created_by,
        created_at: link.created_at,
    }
}

pub(super) fn jit_claimed(answer: types::JitClaimed) -> Result<AccessRequest, XtraError> {
    let id = answer.request_id.ok_or_else(|| lacks("the request's id").with_unknown_outcome())?;
    Ok(AccessRequest { duration: minutes(answer.duration), ..bare_request(id, answer.status.as_deref(), None) })
}

/// The request that a refusal says is waiting already.
pub(super) fn waiting_request(error: &Error<types::ApiError>) -> Option<String> {
    match error {
        Error::ErrorResponse(answer) => answer.as_ref().request_id.clone(),
        _ => None,
    }
}
