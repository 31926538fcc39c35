//! The guards of a project before a handler: blocked, address, second factor, budget.

use hyper::http::{StatusCode, header};

use super::auth::{Session, session};
use super::database::Database;
use super::replies::with_budget;
use super::rows::Project;
use super::seed::Tier;
use crate::dev::javascript::{Json, object};
use crate::dev::{Budget, Call, Reply, Spent};

/// The guards of a request, in the order of the service; the budget that its reply tells of.
pub(super) fn enter(database: &mut Database, call: &Call) -> Result<Option<Budget>, Reply> {
    let body = call.json();
    let project = project_id(call, body.as_ref()).and_then(|id| database.project(id));
    let caller = session(database, call);
    if let Some(refusal) = project.and_then(|project| refusal(database, project, caller.as_ref(), call)) {
        return Err(refusal);
    }
    let (whose, tier) = payer(database, project, caller.as_ref(), call, body.as_ref());
    let now = database.now();
    database.limiter.spend(&whose, tier, now).map_err(|spent| too_many(&spent))
}

/// The project that a request is about, by the first of the places where the service looks.
fn project_id<'a>(call: &'a Call, body: Option<&'a Json>) -> Option<&'a str> {
    let of_path = |name| Some(call.param(name)).filter(|id| !id.is_empty());
    let of_request = call.query("projectId").or_else(|| call.query("id"));
    let found = of_request.or_else(|| of_path("projectId")).or_else(|| of_path("id"));
    let of_body = |name| body.and_then(|body| body.text_of(name));
    found.or_else(|| of_body("projectId")).or_else(|| of_body("id"))
}

fn refusal(database: &Database, project: &Project, caller: Option<&Session>, call: &Call) -> Option<Reply> {
    if project.blocked {
        let message = "This project has been blocked by the owner and is currently inaccessible.";
        return Some(Reply::error(StatusCode::FORBIDDEN, message));
    }
    let allowed = &project.allowed_ips;
    if !allowed.is_empty() && !allowed.iter().any(|allowed| matches_address(&allowed.ip, &call.address)) {
        let message = format!("IP address {} is not in the allowlist", call.address);
        let body = [("error", "Access denied".into()), ("message", message.into()), ("code", "IP_NOT_ALLOWED".into())];
        return Some(Reply::json(StatusCode::FORBIDDEN, &object(body)));
    }
    let Some(Session::User { id, .. }) = caller else {
        return None;
    };
    let has_mfa = database.user(id).is_some_and(|user| user.mfa);
    (project.two_factor && !has_mfa).then(second_factor)
}

fn second_factor() -> Reply {
    let message =
        "This project requires Two-Factor Authentication. Please enable MFA in your account settings to access it.";
    let body = object([
        ("error", "Two-Factor Authentication Required".into()),
        ("message", message.into()),
        ("code", "2FA_REQUIRED".into()),
    ]);
    Reply::json(StatusCode::FORBIDDEN, &body)
}

/// Whose budget a request spends: that of the project's owner, else the workspace's, else the caller's.
fn payer(
    database: &Database,
    project: Option<&Project>,
    caller: Option<&Session>,
    call: &Call,
    body: Option<&Json>,
) -> (String, Tier) {
    let workspace = call.query("workspaceId").or_else(|| body.and_then(|body| body.text_of("workspaceId")));
    let of_workspace = || workspace.and_then(|id| database.workspace(id)).map(|workspace| &workspace.owner);
    let owner = project.map(|project| &project.owner).or_else(of_workspace).and_then(|id| database.user(id));
    match (owner, caller) {
        (Some(owner), _) => (owner.id.clone(), owner.tier),
        (None, Some(caller)) => (caller.user_id(), caller.tier()),
        (None, None) => (format!("ip_{}", call.address), Tier::Free),
    }
}

fn too_many(spent: &Spent) -> Reply {
    let retry_after = i64::try_from(spent.retry_after).unwrap_or(i64::MAX);
    let body = object([("error", "Too Many Requests".into()), ("retryAfter", retry_after.into())]);
    let reply = Reply::text(StatusCode::TOO_MANY_REQUESTS, body.to_text())
        .with(header::RETRY_AFTER, &spent.retry_after.to_string());
    with_budget(reply, spent.budget)
}

/// Matches an address with the same text, an IPv4 network, or a pattern with `*` for octets.
fn matches_address(pattern: &str, address: &str) -> bool {
    if pattern == address {
        return true;
    }
    if let Some((network, bits)) = pattern.split_once('/') {
        let (Some(network), Some(address)) = (ipv4(network), ipv4(address)) else {
            return false;
        };
        let Some(bits) = bits.parse::<u32>().ok().filter(|bits| *bits <= 32) else {
            return false;
        };
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        return network & mask == address & mask;
    }
    let (pattern, address): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), address.split('.').collect());
    pattern.len() == 4
        && address.len() == 4
        && pattern.iter().zip(&address).all(|(wanted, octet)| *wanted == "*" || wanted == octet)
}

fn ipv4(text: &str) -> Option<u32> {
    text.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_match_by_text_network_and_octets() {
        for (pattern, address) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("10.20.0.0/16", "10.20.30.5"),
            ("10.*.*.5", "10.1.2.5"),
            ("0.0.0.0/0", "9.9.9.9"),
        ] {
            assert!(matches_address(pattern, address), "{pattern} {address}");
        }
        for (pattern, address) in
            [("10.0.0.1", "10.0.0.2"), ("10.20.0.0/16", "10.21.0.1"), ("10.*.*.5", "10.1.2.6"), ("::/0", "::1")]
        {
            assert!(!matches_address(pattern, address), "{pattern} {address}");
        }
    }
}
