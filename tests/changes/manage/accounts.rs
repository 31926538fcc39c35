use std::time::Duration;

use xtrasecurity::dev_server::{Fault, route};
use xtrasecurity::xtra::manage::{AccessStatus, Decision};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::manage::{NOBODY, builder, client, client_of, refused, service};

#[tokio::test]
async fn a_service_account_is_made_listed_changed_and_deleted() {
    let server = service().await;
    let client = client(&server);
    let made = client
        .create_service_account("nightly")
        .description("the nightly build")
        .permissions(["read:secrets"])
        .await
        .unwrap();
    assert_eq!((made.name.as_str(), made.description.as_deref()), ("nightly", Some("the nightly build")));
    assert_eq!(made.permissions, ["read:secrets"]);

    let both = ["read:secrets", "write:secrets"];
    let changed = client.update_service_account(made.id.as_str()).name("weekly").permissions(both).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.permissions.as_slice()), ("weekly", both.map(str::to_owned).as_slice()));

    client.create_service_account_key(made.id.as_str()).await.unwrap();
    let listed = client.list_service_accounts().await.unwrap();
    let found = listed.iter().find(|account| account.id == made.id).unwrap();
    assert_eq!((found.name.as_str(), found.key_count), ("weekly", Some(1)));
    assert_eq!(listed.len(), 3);

    client.delete_service_account(made.id.as_str()).await.unwrap();
    refused(client.delete_service_account(made.id).await, ErrorKind::NotFound, &["Service Account not found"]);
}

#[tokio::test]
async fn a_key_that_was_made_authenticates_until_it_is_deleted() {
    let server = service().await;
    let owner = client(&server);
    let account = owner.create_service_account("nightly").permissions(["read:secrets"]).await.unwrap();
    let new = owner.create_service_account_key(account.id.as_str()).label("build").await.unwrap();
    assert_eq!((new.label.as_deref(), new.expires_at), (Some("build"), None));

    // The key knows its project.
    let nightly = XtraClient::builder().token(new.key.clone()).api_url(server.url()).cache(false).build().unwrap();
    assert_eq!(nightly.get_secrets("staging").await.unwrap().len(), 2);
    assert_eq!(nightly.whoami().await.unwrap().id(), account.id);

    owner.delete_service_account_key(account.id.as_str(), new.id.as_str()).await.unwrap();
    refused(nightly.get_secrets("staging").await, ErrorKind::Unauthorized, &[]);
    let again = owner.delete_service_account_key(account.id.as_str(), new.id).await;
    refused(again, ErrorKind::NotFound, &["API Key not found"]);
}

#[tokio::test]
async fn a_key_is_shown_once_and_never_printed() {
    let server = service().await;
    let client = client(&server);
    let account = client.create_service_account("nightly").await.unwrap();
    let new = client.create_service_account_key(account.id.as_str()).await.unwrap();
    let key = new.key.expose();
    assert!(key.starts_with("xtra_") && !format!("{new:?}").contains(key), "{new:?}");
    let listed = client.list_service_account_keys(account.id).await.unwrap();
    assert_eq!((listed[0].id.as_str(), listed[0].mask.as_deref()), (new.id.as_str(), new.mask.as_deref()));
    assert!(!format!("{listed:?}").contains(key));
}

#[tokio::test]
async fn a_key_ends_when_it_was_told_to_to_the_minute() {
    let server = service().await;
    let client = client(&server);
    let account = client.create_service_account("nightly").await.unwrap();
    let hour = Duration::from_secs(3_600);
    let new = client.create_service_account_key(account.id.as_str()).expires_in(hour).await.unwrap();
    assert!(new.expires_at.is_some());
    let nightly = XtraClient::builder().token(new.key).api_url(server.url()).cache(false).build().unwrap();
    server.advance(Duration::from_secs(3_500));
    nightly.whoami().await.unwrap();
    server.advance(Duration::from_secs(200));
    refused(nightly.whoami().await, ErrorKind::Unauthorized, &[]);

    let asked = client.create_service_account_key(account.id.as_str());
    refused(asked.expires_in(Duration::ZERO).await, ErrorKind::Invalid, &["expire at once"]);
    let asked = client.create_service_account_key(account.id.as_str());
    refused(asked.expires_in(Duration::MAX).await, ErrorKind::Invalid, &["hundred years"]);
    assert_eq!(server.request_count(route::SERVICE_ACCOUNT_KEYS_CREATE), 1);
}

#[tokio::test]
async fn a_key_whose_answer_is_lost_is_not_made_twice_and_the_error_says_where_it_is() {
    let server = service().await;
    let client = builder(&server).max_retries(3).build().unwrap();
    let account = client.create_service_account("nightly").await.unwrap();
    server.fault(Fault::cut_body().on(route::SERVICE_ACCOUNT_KEYS_CREATE));
    let error = client.create_service_account_key(account.id.as_str()).await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.is_retryable());
    assert!(error.to_string().contains("list_service_account_keys()"), "{error}");
    assert_eq!(server.request_count(route::SERVICE_ACCOUNT_KEYS_CREATE), 1);
    assert_eq!(client.list_service_account_keys(account.id.as_str()).await.unwrap().len(), 1);

    let answer = r#"{"id":"665f1c2ab7c0de0012345679","mask":"xtra_...9ce1"}"#;
    server.fault(Fault::body(201, "application/json", answer).on(route::SERVICE_ACCOUNT_KEYS_CREATE));
    let error = client.create_service_account_key(account.id).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Decode, true), "{error}");
}

#[tokio::test]
async fn a_service_account_manages_no_service_accounts() {
    let server = service().await;
    let account = client_of(&server, "deploy");
    let word = ["Service accounts cannot manage other service accounts"];
    refused(account.list_service_accounts().await, ErrorKind::Forbidden, &word);
    refused(account.create_service_account("x").await, ErrorKind::Forbidden, &word);
    refused(account.update_service_account(NOBODY).name("x").await, ErrorKind::Forbidden, &word);
    refused(account.delete_service_account(NOBODY).await, ErrorKind::Forbidden, &word);
    refused(account.create_service_account_key(NOBODY).await, ErrorKind::Forbidden, &word);
    refused(account.delete_service_account_key(NOBODY, NOBODY).await, ErrorKind::Forbidden, &word);
    // the service looks at neither here
    assert!(account.list_service_account_keys(NOBODY).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_it_is() {
    let server = service().await;
    let client = client(&server);
    let word = ["service account", "24 hexadecimal digits"];
    refused(client.update_service_account("ci").name("x").await, ErrorKind::Invalid, &word);
    refused(client.update_service_account(NOBODY).await, ErrorKind::Invalid, &["nothing"]);
    refused(client.update_service_account(NOBODY).name("").await, ErrorKind::Invalid, &["empty"]);
    refused(client.delete_service_account("ci").await, ErrorKind::Invalid, &word);
    refused(client.list_service_account_keys("ci").await, ErrorKind::Invalid, &word);
    refused(client.create_service_account_key("ci").await, ErrorKind::Invalid, &word);
    refused(client.delete_service_account_key(NOBODY, "k").await, ErrorKind::Invalid, &["the key", "24 hexadecimal"]);
    refused(client.create_service_account("").await, ErrorKind::Invalid, &["empty"]);
    assert_eq!(server.total_requests(), 0);
}

#[tokio::test]
async fn a_change_of_an_account_that_does_not_exist_says_that_it_may_not_exist() {
    let server = service().await;
    let error = client(&server).update_service_account(NOBODY).name("x").await;
    refused(error, ErrorKind::Server, &["no such account", "list_service_accounts()"]);
}

#[tokio::test]
async fn what_the_service_fails_on_for_every_account_is_refused_as_not_done_and_for_users() {
    let server = service().await;
    let asked = client_of(&server, "viewer").request_access("x", Duration::from_secs(600)).await.unwrap();
    let link = client(&server).create_jit_link(Duration::from_secs(600)).await.unwrap();
    let branches = client(&server).list_branches().await.unwrap().len();
    let account = client_of(&server, "deploy");
    let unnamed = XtraClient::builder()
        .token(server.token_for("deploy").unwrap())
        .api_url(server.url())
        .max_retries(0)
        .build()
        .unwrap();
    for account in [&account, &unnamed] {
        let outcomes = [
            account.create_branch("x").await.map(drop),
            account.create_project("x", NOBODY).await.map(drop),
            account.create_jit_link(Duration::from_secs(600)).await.map(drop),
            account.claim_jit_link(link.token.clone()).await.map(drop),
            account.request_access("x", Duration::from_secs(600)).await.map(drop),
            account.list_access_requests().await.map(drop),
            account.decide_access_request(asked.id.as_str(), Decision::Approve).await.map(drop),
        ];
        for outcome in outcomes {
            let words = ["a service account cannot", "changes nothing", "user's token"];
            let error = refused(outcome, ErrorKind::Forbidden, &words);
            assert!(!error.may_have_been_applied() && !error.is_retryable(), "{error}");
            assert_eq!(error.status(), Some(500));
        }
    }
    let owner = client(&server);
    assert_eq!(owner.list_branches().await.unwrap().len(), branches);
    assert_eq!(owner.get_access_request(asked.id).await.unwrap().status, AccessStatus::Pending);
}

#[tokio::test]
async fn a_failure_that_a_user_meets_leaves_open_whether_it_was_done() {
    let server = service().await;
    server.fault(Fault::status(500).on(route::BRANCHES_CREATE));
    let error = refused(client(&server).create_branch("x").await, ErrorKind::Server, &["list_branches()"]);
    assert!(error.may_have_been_applied());
}
