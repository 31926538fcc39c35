//! The refusals that XtraSecurity gives, as far as they are recorded or its handlers are known.
//!
//! Nothing else of a refusal is shown, and nothing else is taken for the service's own.

use crate::core::Reason;
use crate::http::{ErrorBody, RefusalForms};

/// What the transport is told of them.
pub(crate) const REFUSALS: RefusalForms = RefusalForms::new()
    .sentences(&[ERRORS, MESSAGES, REASONS])
    .codes(&[IP_NOT_ALLOWED, TWO_FACTOR_REQUIRED])
    .actions(&[REQUEST_JIT])
    .reasons(&[
        (REQUEST_JIT, Reason::ElevationNeeded(None)),
        (IP_NOT_ALLOWED, Reason::AddressNotAllowed),
        (TWO_FACTOR_REQUIRED, Reason::SecondFactorNeeded),
        // the one of these that has no code
        (BLOCKED, Reason::Blocked),
    ]);

/// Whether XtraSecurity itself has refused, rather than a proxy, a firewall or whatever else answers in its place: by what the
/// body holds, whatever it is said to be. It is a JSON object with a sentence or code of the service's, or the plain text of one
/// of the operations that refuse in text.
pub(super) fn is_own(operation: &str, status: u16, body: &ErrorBody<'_>) -> bool {
    is_own_object(status, body) || (IN_TEXT.contains(&operation) && TEXTS.contains(&body.bytes().trim_ascii()))
}

fn is_own_object(status: u16, body: &ErrorBody<'_>) -> bool {
    if !(400..500).contains(&status) {
        return false;
    }
    // a method that a route does not have is refused without a word
    if status == 405 && body.bytes().is_empty() {
        return true;
    }
    if !body.is_object() {
        return false;
    }
    let listed = |list: &[&str], word: Option<&str>| word.is_some_and(|word| list.contains(&word));
    let formed = |forms: &'static [&'static str], text: Option<&str>| {
        text.is_some_and(|text| RefusalForms::find(forms, text).is_some())
    };
    listed(REFUSALS.codes, body.code())
        || listed(REFUSALS.actions, body.action())
        || formed(ERRORS, body.title())
        || formed(MESSAGES, body.message())
        // a reason phrase is anybody's: it counts only in an object of the service's shape
        || (formed(REASONS, body.title()) && body.other_members().all(|name| MEMBERS.contains(&name)))
}

/// The operations that refuse in plain text.
const IN_TEXT: &[&str] = &["branches_delete", "branches_clear"];

const TEXTS: &[&[u8]] = &[b"Unauthorized", b"Project not found", b"Branch not found"];

const REQUEST_JIT: &str = "request_jit";
const IP_NOT_ALLOWED: &str = "IP_NOT_ALLOWED";
const TWO_FACTOR_REQUIRED: &str = "2FA_REQUIRED";
const BLOCKED: &str = "This project has been blocked by the owner and is currently inaccessible.";

/// What an object with an error has beside its sentences, code and action.
const MEMBERS: &[&str] = &[
    "details",
    "detail",
    "stack",
    "retryAfter",
    "requestId",
    "expired",
    "revoked",
    "exhausted",
    "ok",
    "valid",
    "success",
];

/// Sentences that are the names of statuses, as `error`.
const REASONS: &[&str] =
    &["Access denied", "Already Exists", "Forbidden", "Method not allowed", "Not Found", "Unauthorized"];

/// Sentences of the member `message`. `{}` and `{name}` are holes, see [`RefusalForms::sentences`].
const MESSAGES: &[&str] = &[
    "A valid Service Account token is required.",
    "Audit log chain is broken!",
    "IP address {} is not in the allowlist",
    "Missing required fields: key, value, or projectId",
    "Missing required fields: projectId or secrets array",
    "Secret ID is required",
    "Secret not found",
    "Service Account is not linked to a valid project.",
    "Service accounts are locked to a single project and cannot list or switch projects.",
    "The workspace owner's {} plan allows up to {} secrets per project. You are trying to add {} secrets, but only {} slots remain.",
    "This project requires Two-Factor Authentication. Please enable MFA in your account settings to access it.",
];

/// Sentences of the member `error`.
const ERRORS: &[&str] = &[
    BLOCKED,
    "API Key not found",
    "Access Denied",
    "Access Key has expired",
    "Access request not found",
    "Already on this version",
    "Assignment not found",
    "Authenticated user not found",
    "Base and Compare Branch IDs are required",
    "Branch '{branch}' not found",
    "Branch ID is required",
    "Branch limit reached. Your {} plan allows up to {} branches per project. Please upgrade for more.",
    "Branch not found",
    "Branch with this name already exists in the project",
    "Cannot clone to same environment",
    "Cannot delete main branch",
    "Cannot link to a secret that is already a reference",
    "Cannot remove the last admin from the team",
    "Channel not found",
    "Conflict detected",
    "Developers cannot create secrets in Production",
    "Forbidden: Developers cannot rollback production secrets",
    "Forbidden: Insufficient permissions to rotate secrets",
    "Forbidden: Insufficient privileges",
    "Forbidden: Missing read:secrets scope",
    "Forbidden: Missing write:secrets scope",
    "Forbidden: No access to project",
    "Forbidden: No access to this project",
    "Forbidden: Only admins can manage rules",
    "Forbidden: Only admins or owners can activate break glass.",
    "Forbidden: Only workspace admins can approve requests",
    "Forbidden: SA locked to project",
    "Forbidden: Service Account lacks write:secrets permission.",
    "Forbidden: Viewers cannot clear branches",
    "Forbidden: Viewers cannot create branches",
    "Forbidden: Viewers cannot delete branches",
    "Forbidden: Viewers cannot rollback secrets",
    "Forbidden: You cannot process requests for this project",
    "Forbidden: You do not have access to this project",
    "Forbidden: You do not have permission to export audit logs.",
    "Forbidden: Your role does not permit writing secrets to this project.",
    "Forbidden: Your role does not permit writing secrets.",
    "ID required",
    "IP address is required",
    "IP already in allowlist",
    "IP already in restrictions",
    "Invalid Access Key",
    "Invalid Access Key: Identity not found",
    "Invalid IP format",
    "Invalid IP restriction format",
    "Invalid access level",
    "Invalid callbackUrl. Must be localhost.",
    "Invalid credentials",
    "Invalid format. Expected 'logs' array.",
    "Invalid or expired link",
    "Invalid request",
    "Invalid request (missing workspaceId)",
    "Invalid security level",
    "Invalid security settings",
    "Invalid setting type",
    "Invalid status",
    "Invalid status value",
    "Invitation not found",
    "JIT Access Links are a Pro feature. Please upgrade your plan.",
    "JIT Elevation Required",
    "JIT link not found",
    "Key not found or unauthorized",
    "Member not found",
    "Missing callbackUrl",
    "Missing credentials",
    "Missing required fields: key, sourceProjectId, sourceEnv, sourceKey",
    "Missing required fields: projectId, reason",
    "Missing required fields: secretId and targetVersion",
    "Must specify secretId or projectId",
    "Must specify secretIds or projectId",
    "Name and projectId are required",
    "Name is required",
    "Name, triggers, and workspaceId are required",
    "Name, type and workspaceId are required",
    "New owner email not found",
    "No active Break Glass session found",
    "No active shadow value to promote",
    "No secrets found",
    "Notification id required",
    "Notification not found",
    "Only admins and developers can generate JIT links",
    "Only approved requests can be revoked",
    "Only project owners and admins can add teams",
    "Only project owners and admins can create Service Accounts",
    "Only project owners and admins can remove teams",
    "Only project owners and admins can view team assignments",
    "Only project owners or admins can rotate the master key",
    "Only the project owner can transfer or move the project",
    "Only the project owner or workspace admin can delete this project",
    "Only the workspace owner can delete the workspace",
    "Only workspace owners and admins can create projects.",
    "Only workspace owners and admins can create teams.",
    "Only workspace owners and admins can update settings",
    "Only workspace owners and admins can update teams.",
    "Password not set for this user",
    "Project ID is required",
    "Project limit reached",
    "Project name is required",
    "Project not found",
    "Project not found or access denied",
    "Project or owner not found",
    "Reason and duration are required",
    "Request ID is required",
    "Request is already approved",
    "Request not found",
    "Rotation schedule already exists for this secret",
    "Rule not found",
    "Schedule ID required",
    "Schedule not found",
    "Secret is already at the target version",
    "Secret limit reached",
    "Secret not found",
    "Secret not found or invalid",
    "Service Account not found",
    "Service accounts cannot manage other service accounts",
    "Service accounts cannot rotate master keys",
    "Share ID is required",
    "Share link not found",
    "Slack returned {}: {}",
    "Source and Target Branch IDs are required",
    "Source and destination environments required",
    "Source project not found",
    "Source secret '{sourceKey}' not found in project {sourceProjectId} ({sourceEnv})",
    "Target branch not found",
    "Target workspace not found",
    "Team ID is required",
    "Team is already assigned to this project",
    "Team limit reached",
    "Team member not found",
    "Team not found",
    "Team not linked to a workspace",
    "This JIT link has been revoked",
    "This JIT link has expired",
    "This JIT link has reached its usage limit",
    "This link has been revoked",
    "This link has expired",
    "This link has reached its view limit",
    "Token is required",
    "Too Many Requests",
    "Two-Factor Authentication Required",
    "URL and events are required",
    "URL is required",
    "Unauthorized — please log in",
    "Unsupported channel type",
    "User already invited to this team",
    "User not found",
    "Version not found in history",
    "Version required",
    "Version {targetVersion} not found in history",
    "Viewers and developers are not allowed to delete projects.",
    "Viewers do not have permission to create secrets",
    "Webhook id required",
    "Webhook not found",
    "Workspace ID is required",
    "Workspace ID or Project ID is required",
    "Workspace ID required",
    "Workspace limit reached",
    "Workspace not found",
    "Workspace not found or access denied",
    "You already have a pending access request for this project",
    "You cannot claim your own JIT link",
    "You do not have access to this workspace",
    "You do not have permission to update project settings",
    "duration must be at least 1 minute",
    "fetch failed",
    "projectId is required",
    "requestId and decision required",
    "secretId is required",
    "teamId required",
    "webhookUrl is required",
    "workspaceId is required",
];

#[cfg(test)]
mod tests;
