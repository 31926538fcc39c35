//! The contract against an XtraSecurity that runs elsewhere, and the proof that this works.

use std::process::Output;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{DevServer, RateLimits};

use super::{API_URL, CONTRACT, PROJECT_ID, TOKEN, XtraService};
use crate::contract::{self, holds_live};

#[tokio::test]
async fn a_live_service_holds_the_contract_where_one_is_named() {
    holds_live(CONTRACT).await;
}

async fn live_run(variables: Vec<(&'static str, String)>) -> (Output, String) {
    contract::live_run::<XtraService>(module_path!(), variables).await
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
    // a live service is not broken on purpose
    let held = CONTRACT.len() - 3;
    assert!(said.contains(&format!("live: {held} held, 0 skipped, 3 left out, 0 failed")), "{said}");
    assert!(!said.contains("left behind") && !said.contains(server.token()), "{said}");
    // of a day's thousand on the free plan
    println!("{} requests", server.total_requests());
    assert!((100..400).contains(&server.total_requests()), "{}", server.total_requests());
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
    assert!(said.contains(&format!("live: 3 held, {} skipped, 0 left out, 0 failed", CONTRACT.len() - 3)), "{said}");
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
