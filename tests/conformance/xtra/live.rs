//! The contract against a service that runs elsewhere, and the proof that this works.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::Arc;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{DevServer, RateLimits};

use crate::CONTRACT;
use crate::service::{Service, Skip};

const API_URL: &str = "XTRA_TEST_API_URL";
const TOKEN: &str = "XTRA_TEST_TOKEN";
const PROJECT_ID: &str = "XTRA_TEST_PROJECT_ID";

/// To where the harness does not keep it back: what was not tested is to be seen.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    stderr.write_all(format!("conformance: {text}\n").as_bytes()).unwrap();
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[tokio::test]
async fn a_live_service_holds_the_contract_where_one_is_named() {
    let (Some(api_url), Some(token)) = (variable(API_URL), variable(TOKEN)) else {
        say(&format!("the live part was NOT RUN: {API_URL} and {TOKEN} are not set"));
        return;
    };
    let service = Service::live(&api_url, &token, variable(PROJECT_ID)).await.unwrap_or_else(|error| panic!("{error}"));
    let service = Arc::new(service);
    let (mut held, mut skipped, mut failed) = (0, 0, Vec::new());
    // one after the other, for the sake of the service's limits
    for contract in CONTRACT {
        let name = contract.name;
        match contract.hold(&service).await {
            Ok(Ok(())) => {
                held += 1;
                say(&format!("held: {name}"));
            }
            Ok(Err(Skip(why))) => {
                skipped += 1;
                say(&format!("SKIPPED: {name}, for the token may not do it: {why}"));
            }
            Err(_) => {
                say(&format!("FAILED: {name}"));
                failed.push(name);
            }
        }
    }
    say(&format!("live: {held} held, {skipped} skipped, {} failed", failed.len()));
    assert_eq!(failed, [""; 0]);
}

/// This binary again, with nothing but the live part.
async fn live_run(variables: Vec<(&'static str, String)>) -> (Output, String) {
    let run = move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "live::a_live_service_holds_the_contract_where_one_is_named"]);
        for name in [API_URL, TOKEN, PROJECT_ID] {
            command.env_remove(name);
        }
        command.envs(variables).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

fn naming(server: &DevServer, token: &str) -> Vec<(&'static str, String)> {
    vec![(API_URL, server.url()), (TOKEN, token.to_owned())]
}

async fn elsewhere() -> DevServer {
    DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap()
}

#[tokio::test]
async fn a_live_run_holds_everything_and_leaves_nothing_behind() {
    let server = elsewhere().await;
    let client = XtraClient::builder().dev_server(&server).cache(false).build().unwrap();
    let environments = || async {
        let project = client.raw().projects_get().id(server.project_id()).send().await.unwrap();
        serde_json::to_string(project.as_ref()).unwrap()
    };
    let before = environments().await;
    let (output, said) = live_run(naming(&server, server.token())).await;
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("live: {} held, 0 skipped, 0 failed", CONTRACT.len())), "{said}");
    assert!(!said.contains("left behind") && !said.contains(server.token()), "{said}");
    // of a day's thousand on the free plan
    println!("{} requests", server.total_requests());
    assert!((100..500).contains(&server.total_requests()), "{}", server.total_requests());
    assert_eq!(environments().await, before);
    assert_eq!(client.list_service_accounts().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_live_run_says_what_the_token_may_not_do_and_holds_the_rest() {
    let server = elsewhere().await;
    // it names no project: the token knows it
    let (output, said) = live_run(naming(&server, server.token_for("deploy").unwrap())).await;
    assert!(output.status.success(), "{said}");
    assert!(said.contains("SKIPPED: a_service_account_has_a_key_that_works_until_it_is_deleted"), "{said}");
    assert!(said.contains("held: a_secret_is_created_and_then_updated"), "{said}");
    // a viewer may read only
    let mut viewer = naming(&server, server.token_for("viewer").unwrap());
    viewer.push((PROJECT_ID, server.project_id().to_owned()));
    let (output, said) = live_run(viewer).await;
    assert!(output.status.success(), "{said}");
    assert!(said.contains("live: 1 held, 17 skipped, 0 failed"), "{said}");
}

#[tokio::test]
async fn a_live_run_fails_with_a_token_that_nobody_knows_and_is_not_run_unasked() {
    let server = elsewhere().await;
    let (output, _) = live_run(naming(&server, "xs_nobody")).await;
    assert!(!output.status.success());
    let requests = server.total_requests();
    let (output, said) = live_run(Vec::new()).await;
    assert!(output.status.success() && said.contains("NOT RUN"), "{said}");
    assert_eq!(server.total_requests(), requests);
}
