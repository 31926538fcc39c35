//! The types of management. Names, labels and reasons are shown; values, keys and links are not.

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::xtra::manage::{AccessMode, Decision};

use super::Table;
use crate::planted::{BRANCH, ENVIRONMENT, PROJECT, VALUE, hides_error};
use crate::world::client;

const ID: &str = "665f1c2ab7c0de0012345679";
const HOUR: Duration = Duration::from_secs(3_600);

pub async fn all(table: &mut Table, server: &DevServer) {
    requests(table, server);
    surroundings(table, server).await;
    accounts(table, server).await;
    access(table, server).await;
    refusals(table, server).await;
}

fn requests(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.debug("xtra::manage::WhoAmI", &client.whoami());
    table.debug("xtra::manage::ListProjects", &client.list_projects().workspace_id(ID));
    table.debug("xtra::manage::GetProject", &client.get_project());
    table.debug("xtra::manage::CreateProject", &client.create_project("p", ID).description("d"));
    table.debug("xtra::manage::UpdateProject", &client.update_project().name("n").description("d"));
    table.debug("xtra::manage::DeleteProject", &client.delete_project(ID));
    table.debug("xtra::manage::ListEnvironments", &client.list_environments());
    table.debug("xtra::manage::ListBranches", &client.list_branches());
    table.debug("xtra::manage::CreateBranch", &client.create_branch("b").description("d"));
    table.debug("xtra::manage::RenameBranch", &client.rename_branch("b", "c").description("d"));
    table.debug("xtra::manage::DeleteBranch", &client.delete_branch("b"));
    table.debug("xtra::manage::CompareBranches", &client.compare_branches("b", "c"));
    table.debug("xtra::manage::ListServiceAccounts", &client.list_service_accounts());
    table.debug("xtra::manage::CreateServiceAccount", &client.create_service_account("a").permissions(["admin"]));
    table.debug("xtra::manage::UpdateServiceAccount", &client.update_service_account(ID).name("a"));
    table.debug("xtra::manage::DeleteServiceAccount", &client.delete_service_account(ID));
    table.debug("xtra::manage::ListServiceAccountKeys", &client.list_service_account_keys(ID));
    table.debug(
        "xtra::manage::CreateServiceAccountKey",
        &client.create_service_account_key(ID).label("l").expires_in(HOUR),
    );
    table.debug("xtra::manage::DeleteServiceAccountKey", &client.delete_service_account_key(ID, ID));
    table.debug("xtra::manage::RequestAccess", &client.request_access("r", HOUR).secrets([ID]).workspace_id(ID));
    table.debug("xtra::manage::GetAccessRequest", &client.get_access_request(ID));
    table.debug("xtra::manage::ListAccessRequests", &client.list_access_requests().mode(AccessMode::Pending));
    table.debug("xtra::manage::DecideAccessRequest", &client.decide_access_request(ID, Decision::Revoke));
    table.debug("xtra::manage::WaitForAccess", &client.wait_for_access(ID).every(HOUR).deadline(HOUR));
    table.debug("xtra::manage::CreateJitLink", &client.create_jit_link(HOUR).label("l").max_uses(2).expires_in(HOUR));
    table.debug("xtra::manage::GetJitLink", &client.get_jit_link(VALUE));
    table.debug("xtra::manage::ClaimJitLink", &client.claim_jit_link(VALUE));
    table.debug("xtra::manage::AccessMode", &AccessMode::Mine);
    table.debug("xtra::manage::Decision", &Decision::Approve);
}

async fn surroundings(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.debug("xtra::manage::Caller", &client.whoami().await.unwrap());
    table.debug("xtra::manage::Environment", &client.list_environments().await.unwrap());
    table.debug("xtra::manage::Project", &client.list_projects().await.unwrap());
    let branches = client.list_branches().await.unwrap();
    assert!(branches.iter().all(|branch| branch.secret_count.is_some_and(|count| count > 0)), "secrets came along");
    table.debug("xtra::manage::Branch", &branches);
    let record =
        format!(r#"[{{"id":"{ID}","key":"K","decryptedValue":"{VALUE}","environmentType":"e","value":["{VALUE}"]}}]"#);
    let pair = format!(r#"[{{"key":"K","environmentType":"e","baseValue":"{VALUE}","compareValue":"{VALUE}"}}]"#);
    let answer = format!(r#"{{"added":{record},"removed":{record},"modified":{pair}}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::BRANCHES_COMPARE));
    let compared = client.compare_branches("main", BRANCH).await.unwrap();
    assert_eq!((compared.added.len(), compared.removed.len(), compared.changed.len()), (1, 1, 1));
    table.debug("xtra::manage::BranchComparison", &compared);
    table.debug("xtra::manage::SecretPlace", &compared.changed);
}

async fn accounts(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.debug("xtra::manage::ServiceAccount", &client.list_service_accounts().await.unwrap());
    let answer = format!(r#"{{"id":"{ID}","key":"{VALUE}","mask":"xtra_...f035","label":"l","expiresAt":null}}"#);
    server.fault(Fault::body(201, "application/json", answer).on(route::SERVICE_ACCOUNT_KEYS_CREATE));
    let new = client.create_service_account_key(ID).await.unwrap();
    assert_eq!(new.key.expose(), VALUE);
    table.debug("xtra::manage::NewKey", &new);
    let answer = format!(r#"[{{"id":"{ID}","label":"l","keyMask":"xtra_...f035","key":"{VALUE}"}}]"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::SERVICE_ACCOUNT_KEYS_LIST));
    table.debug("xtra::manage::ServiceAccountKey", &client.list_service_account_keys(ID).await.unwrap());
}

async fn access(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let asked = client.request_access("because", HOUR).await.unwrap();
    table.debug("xtra::manage::AccessRequest", &asked);
    table.debug("xtra::manage::AccessStatus", &asked.status);
    let answer =
        format!(r#"{{"token":"{VALUE}","url":"https://h/jit/{VALUE}","cliCommand":"c {VALUE}","duration":60}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::JIT_GENERATE));
    let link = client.create_jit_link(HOUR).environment(ENVIRONMENT).await.unwrap();
    assert_eq!(link.token.expose(), VALUE);
    table.debug("xtra::manage::JitLink", &link);
    let answer = format!(r#"{{"token":"{VALUE}","projectId":"{PROJECT}","duration":60}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::JIT_GET));
    table.debug("xtra::manage::JitLinkInfo", &client.get_jit_link(VALUE).await.unwrap());
}

/// Errors of calls that hold a secret, or whose answers do.
async fn refusals(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.error("XtraError", &client.get_jit_link(VALUE).await.unwrap_err());
    table.error("XtraError", &client.claim_jit_link(VALUE).await.unwrap_err());
    for token in [VALUE, "xs_canary"] {
        // passed by mistake
        hides_error("an id", &client.get_access_request(token).await.unwrap_err());
        hides_error("a branch", &client.delete_branch(token).await.unwrap_err());
    }
    let waiting = format!(r#"{{"error":"waiting","requestId":"{VALUE}"}}"#);
    server.fault(Fault::body(409, "application/json", waiting).on(route::JIT_CLAIM));
    table.error("XtraError", &client.claim_jit_link("t").await.unwrap_err());
    for routed in [route::BRANCHES_LIST, route::BRANCHES_COMPARE] {
        server.fault(Fault::body(200, "application/json", format!(r#"[{{"secrets":"{VALUE}"}}]"#)).on(routed));
        table.error("XtraError", &client.compare_branches("main", BRANCH).await.unwrap_err());
    }
}
