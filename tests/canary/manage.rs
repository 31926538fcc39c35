//! The types of management. Names, labels and reasons are shown; values, keys and links are not.

use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, route};
use xtrasecurity::manage::{AccessMode, Decision};

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
    table.debug("manage::WhoAmI", &client.whoami());
    table.debug("manage::ListProjects", &client.list_projects().workspace(ID));
    table.debug("manage::GetProject", &client.get_project());
    table.debug("manage::CreateProject", &client.create_project("p", ID).description("d"));
    table.debug("manage::UpdateProject", &client.update_project().name("n").description("d"));
    table.debug("manage::DeleteProject", &client.delete_project(ID));
    table.debug("manage::ListBranches", &client.list_branches());
    table.debug("manage::CreateBranch", &client.create_branch("b").description("d"));
    table.debug("manage::RenameBranch", &client.rename_branch("b", "c").description("d"));
    table.debug("manage::DeleteBranch", &client.delete_branch("b"));
    table.debug("manage::CompareBranches", &client.compare_branches("b", "c"));
    table.debug("manage::ListServiceAccounts", &client.list_service_accounts());
    table.debug("manage::CreateServiceAccount", &client.create_service_account("a").permissions(["admin"]));
    table.debug("manage::UpdateServiceAccount", &client.update_service_account(ID).name("a"));
    table.debug("manage::DeleteServiceAccount", &client.delete_service_account(ID));
    table.debug("manage::ListServiceAccountKeys", &client.list_service_account_keys(ID));
    table.debug("manage::CreateServiceAccountKey", &client.create_service_account_key(ID).label("l").expires_in(HOUR));
    table.debug("manage::DeleteServiceAccountKey", &client.delete_service_account_key(ID, ID));
    table.debug("manage::RequestAccess", &client.request_access("r", HOUR).secrets([ID]).workspace(ID));
    table.debug("manage::GetAccessRequest", &client.get_access_request(ID));
    table.debug("manage::ListAccessRequests", &client.list_access_requests().mode(AccessMode::Pending));
    table.debug("manage::DecideAccess", &client.decide_access(ID, Decision::Revoke));
    table.debug("manage::WaitForAccess", &client.wait_for_access(ID).every(HOUR).deadline(HOUR));
    table.debug("manage::CreateJitLink", &client.create_jit_link(HOUR).label("l").max_uses(2).expires_in(HOUR));
    table.debug("manage::GetJitLink", &client.get_jit_link(VALUE));
    table.debug("manage::ClaimJitLink", &client.claim_jit_link(VALUE));
    table.debug("manage::AccessMode", &AccessMode::Mine);
    table.debug("manage::Decision", &Decision::Approve);
}

async fn surroundings(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.debug("manage::Caller", &client.whoami().await.unwrap());
    table.debug("manage::Project", &client.list_projects().await.unwrap());
    let branches = client.list_branches().await.unwrap();
    assert!(branches.iter().all(|branch| branch.secret_count.is_some_and(|count| count > 0)), "secrets came along");
    table.debug("manage::Branch", &branches);
    let record =
        format!(r#"[{{"id":"{ID}","key":"K","decryptedValue":"{VALUE}","environmentType":"e","value":["{VALUE}"]}}]"#);
    let pair = format!(r#"[{{"key":"K","environmentType":"e","baseValue":"{VALUE}","compareValue":"{VALUE}"}}]"#);
    let answer = format!(r#"{{"added":{record},"removed":{record},"modified":{pair}}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::BRANCHES_COMPARE));
    let compared = client.compare_branches("main", BRANCH).await.unwrap();
    assert_eq!((compared.added.len(), compared.removed.len(), compared.changed.len()), (1, 1, 1));
    table.debug("manage::BranchComparison", &compared);
    table.debug("manage::SecretPlace", &compared.changed);
}

async fn accounts(table: &mut Table, server: &DevServer) {
    let client = client(server);
    table.debug("manage::ServiceAccount", &client.list_service_accounts().await.unwrap());
    let answer = format!(r#"{{"id":"{ID}","key":"{VALUE}","mask":"xtra_...f035","label":"l","expiresAt":null}}"#);
    server.fault(Fault::body(201, "application/json", answer).on(route::SERVICE_ACCOUNT_KEYS_CREATE));
    let new = client.create_service_account_key(ID).await.unwrap();
    assert_eq!(new.key.expose(), VALUE);
    table.debug("manage::NewKey", &new);
    let answer = format!(r#"[{{"id":"{ID}","label":"l","keyMask":"xtra_...f035","key":"{VALUE}"}}]"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::SERVICE_ACCOUNT_KEYS_LIST));
    table.debug("manage::AccountKey", &client.list_service_account_keys(ID).await.unwrap());
}

async fn access(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let asked = client.request_access("because", HOUR).await.unwrap();
    table.debug("manage::AccessRequest", &asked);
    table.debug("manage::AccessStatus", &asked.status);
    let answer =
        format!(r#"{{"token":"{VALUE}","url":"https://h/jit/{VALUE}","cliCommand":"c {VALUE}","duration":60}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::JIT_GENERATE));
    let link = client.create_jit_link(HOUR).environment(ENVIRONMENT).await.unwrap();
    assert_eq!(link.token.expose(), VALUE);
    table.debug("manage::JitLink", &link);
    let answer = format!(r#"{{"token":"{VALUE}","projectId":"{PROJECT}","duration":60}}"#);
    server.fault(Fault::body(200, "application/json", answer).on(route::JIT_GET));
    table.debug("manage::JitLinkInfo", &client.get_jit_link(VALUE).await.unwrap());
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
