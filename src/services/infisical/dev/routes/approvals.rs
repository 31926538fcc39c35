//! Requests for approvals: the changes that wait for one.

use crate::dev::Reply;
use crate::dev::javascript::{Json, Members, object};
use crate::services::infisical::dev::asked::{Answer, Asked, endpoints};
use crate::services::infisical::dev::database::Database;
use crate::services::infisical::dev::rows::Approval;
use crate::services::infisical::dev::writes::approval_record;

endpoints! {
    /// The changes that wait for an approval.
    GET "/v1/secret-approval-requests" as APPROVALS_LIST since August2024, Read Token => list;
}

fn list(database: &mut Database, asked: &Asked) -> Answer {
    let mut query = asked.query();
    let project = query.word("workspaceId");
    query.done(asked.generation)?;
    database.check_member(asked.actor()?, &project)?;
    let waiting = database.approvals.iter().filter(|approval| approval.project == project);
    let listed: Vec<Members> = waiting.map(|approval| record(database, approval)).collect();
    Ok(Reply::ok(&object([("approvals", listed.into())])))
}

fn record(database: &Database, approval: &Approval) -> Members {
    let approvers = || {
        let ids = database.users.iter().map(|user| object([("userId", (&user.id).into())]));
        ids.collect::<Vec<Json>>()
    };
    let mut record = approval_record(approval);
    record.set(
        "policy",
        object([
            ("id", (&approval.policy.id).into()),
            ("name", "pol".into()),
            ("approvals", 1.into()),
            ("approvers", approvers().into()),
            ("secretPath", (&approval.policy.path).into()),
            ("enforcementLevel", "hard".into()),
        ]),
    );
    if let Some(user) = database.user(&approval.committer) {
        let email = format!("{}@localhost.local", user.name);
        record.set(
            "committerUser",
            object([
                ("userId", (&user.id).into()),
                ("email", (&email).into()),
                ("firstName", (&user.name).into()),
                ("lastName", "".into()),
                ("username", email.into()),
            ]),
        );
    }
    let commit = object([("op", (&approval.operation).into()), ("secretId", Json::Null)]);
    record.set("commits", vec![commit]);
    record.set("environment", &approval.policy.environment);
    record.set("reviewers", Vec::<Json>::new());
    record.set("approvers", approvers());
    record
}
