use std::time::Duration;

use tokio::runtime::Builder;
use xtrasecurity::blocking::XtraClient;
use xtrasecurity::xtra::manage::{AccessMode, AccessStatus, Decision};

use crate::manage::{NOBODY, service};

/// Each blocking method once, with its options. What the calls do is the async client's to promise.
#[test]
fn the_blocking_client_manages_as_the_async_one_does() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(service());
    let client = XtraClient::builder().dev_server(&server).max_retries(0).build().unwrap();
    assert!(!client.whoami().send().unwrap().is_service_account());

    let workspace = client.get_project().send().unwrap().workspace_id.unwrap();
    let project = client.create_project("billing", workspace.as_str()).description("invoices").send().unwrap();
    client.update_project().project_id(project.id.as_str()).name("bills").description("all").send().unwrap();
    assert_eq!(client.list_projects().workspace_id(workspace.as_str()).send().unwrap().len(), 2);
    assert!(client.delete_project("no id").confirm_production().send().is_err());

    client.create_branch("release").description("the next").send().unwrap();
    client.rename_branch("release", "released").description("done").send().unwrap();
    assert!(client.compare_branches("main", "released").send().unwrap().added.is_empty());
    client.delete_branch("released").send().unwrap();
    assert_eq!(client.list_branches().send().unwrap().len(), 2);

    let account =
        client.create_service_account("nightly").description("d").permissions(["read:secrets"]).send().unwrap();
    let id = account.id.as_str();
    client.update_service_account(id).name("weekly").permissions(["admin"]).send().unwrap();
    let day = Duration::from_secs(86_400);
    let key = client.create_service_account_key(id).label("build").expires_in(day).send().unwrap();
    assert_eq!(client.list_service_account_keys(id).send().unwrap().len(), 1);
    client.delete_service_account_key(id, key.id).send().unwrap();
    client.delete_service_account(id).send().unwrap();
    assert_eq!(client.list_service_accounts().send().unwrap().len(), 2);

    let hour = Duration::from_secs(3_600);
    let asked = client.request_access("x", hour).workspace_id(workspace).secrets([NOBODY]).send().unwrap();
    client.decide_access_request(asked.id.as_str(), Decision::Approve).send().unwrap();
    assert_eq!(client.get_access_request(asked.id.as_str()).send().unwrap().status, AccessStatus::Approved);
    client.wait_for_access(asked.id).every(hour).deadline(hour).send().unwrap();
    assert_eq!(client.list_access_requests().mode(AccessMode::Mine).send().unwrap().len(), 1);

    let link = client.create_jit_link(hour).label("l").max_uses(1).expires_in(day).secrets([NOBODY]).send().unwrap();
    client.get_jit_link(link.token.clone()).send().unwrap();
    assert!(client.claim_jit_link(link.token).send().is_err());
}
