//! What keeps a write from doing harm: production, spelling.

use std::future::IntoFuture;

use xtrasecurity::dev_server::{DevServer, route};
use xtrasecurity::xtra::write::LinkSource;
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

use crate::writes::{builder, client, server};

#[tokio::test]
async fn production_is_changed_by_confirmed_calls_only_when_it_is_protected() {
    let server = server().await;
    let client = builder(&server).protect_production().build().unwrap();
    for environment in ["production", "Production", "PROD"] {
        let error = client.set_secret(environment, "A", "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unconfirmed, "{environment}");
        assert!(error.to_string().contains("confirm_production()"), "{error}");
    }
    assert_eq!(client.create_secret("production", "A", "1").await.unwrap_err().kind(), ErrorKind::Unconfirmed);
    assert_eq!(client.promote_secrets("staging", "production").await.unwrap_err().kind(), ErrorKind::Unconfirmed);
    assert_eq!(server.total_requests(), 0, "nothing was even looked at");
    client.set_secret("staging", "A", "1").await.unwrap();
    client.set_secrets("production", [("A", "1")]).dry_run().await.unwrap();
    client.set_secret("production", "A", "1").confirm_production().await.unwrap();
    client.promote_secrets("production", "staging").await.unwrap();
}

#[tokio::test]
async fn an_environment_that_differs_in_case_only_is_refused_unless_it_is_meant() {
    let server = server().await;
    let client = client(&server);
    for (environment, other) in [("staging", "Staging"), ("Preview", "preview")] {
        client.set_secret(environment, "A", "1").await.unwrap();
        let error = client.set_secret(other, "A", "2").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("exact()"), "{error}");
        let error = client.set_secret(other, "B", "2").branch("feature/new-ui").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "on a branch that has no such environment yet");
    }
    client.set_secret("Staging", "A", "2").exact().await.unwrap();
    assert_eq!(server.secret("demo", "Staging", "main", "A").as_deref(), Some("2"));
    assert_eq!(server.secret("demo", "staging", "main", "A").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_spelling_is_looked_up_once() {
    let server = server().await;
    let client = client(&server);
    for value in ["1", "2", "3"] {
        client.set_secret("staging", "A", value).await.unwrap();
    }
    let lookups = server.request_count("GET /projects/{projectId}/envs/{env}/secrets/{key}");
    assert_eq!((lookups, server.request_count(route::SECRETS_READ)), (1, 6), "each write reads before and after");
}

#[tokio::test]
async fn a_token_that_may_not_write_is_told_so() {
    let server = server().await;
    for name in ["viewer", "auditor", "vic"] {
        let Some(token) = server.token_for(name) else { continue };
        let client = XtraClient::builder().dev_server(&server).token(token).build().unwrap();
        let error = client.set_secret("staging", "A", "1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{name}");
    }
}

/// How many requests a call sends.
async fn sent<T>(server: &DevServer, call: impl IntoFuture<Output = Result<T, XtraError>>) -> u64 {
    server.reset_counts();
    call.await.unwrap();
    server.total_requests()
}

#[tokio::test]
async fn calls_send_as_many_requests_as_their_documentation_says() {
    let server = server().await;
    let first = client(&server);
    assert_eq!(sent(&server, first.set_secret("staging", "A", "1").branch("feature/new-ui")).await, 4);
    assert_eq!(sent(&server, first.set_secret("staging", "A", "2").branch("feature/new-ui")).await, 3);
    let unconfirmed = first.set_secret("staging", "A", "3").branch("feature/new-ui").skip_read_back();
    assert_eq!(sent(&server, unconfirmed).await, 2);
    server.add_branch("demo", "empty").unwrap();
    let spelling_unknown = client(&server);
    assert_eq!(sent(&server, spelling_unknown.set_secret("staging", "A", "1").branch("empty")).await, 5);
    assert_eq!(sent(&server, first.create_secret("staging", "NEW", "1")).await, 3);
    // in staging, another branch has one of them
    assert_eq!(sent(&server, first.promote_secrets("production", "staging")).await, 7);
    assert_eq!(sent(&server, first.promote_secrets("production", "staging").overwrite(true)).await, 4);
    first.set_secret("bulk", "KEY_000", "v").await.unwrap();
    first.set_secret("bulk", "KEY_000", "v").await.unwrap();
    for (secrets, requests) in [(1, 3), (200, 3), (500, 5)] {
        let secrets = (0..secrets).map(|n| (format!("KEY_{n:03}"), "v"));
        assert_eq!(sent(&server, first.set_secrets("bulk", secrets)).await, requests);
    }
    assert_eq!(sent(&server, first.list_secret_names("staging")).await, 1);
    for (branch, key, history, change) in [("main", "ON_MAIN", 4, 5), ("feature/new-ui", "ON_BRANCH", 3, 4)] {
        for value in ["1", "2"] {
            first.set_secret("staging", key, value).branch(branch).await.unwrap();
        }
        assert_eq!(sent(&server, first.secret_history("staging", key).branch(branch)).await, history, "{branch}");
        assert_eq!(sent(&server, first.rollback_secret("staging", key, 1).branch(branch)).await, change, "{branch}");
        assert_eq!(sent(&server, first.rotate_secret("staging", key).branch(branch)).await, change, "{branch}");
    }
    assert_eq!(sent(&server, first.delete_secret("staging", "ON_BRANCH").branch("feature/new-ui")).await, 3);
    assert!(sent(&server, first.delete_secret("staging", "ON_MAIN")).await <= 4);
    let source = LinkSource::new(server.project_id(), "staging", "NEW");
    assert!((4..=5).contains(&sent(&server, first.link_secret("development", "LINKED", source)).await));
    first.set_secret("development", "LINKED", "own").await.unwrap();
    assert_eq!(first.get_secret("staging", "NEW").await.unwrap().expose(), "1", "to set a link sets not its source");
    assert_eq!(first.delete_secret("development", "LINKED").await.unwrap().rows, 2, "it hid the link");
    let source = LinkSource::new(server.project_id(), "staging", "NEW");
    first.link_secret("development", "LINKED", source).await.unwrap();
    assert!(sent(&server, first.delete_secret("development", "LINKED")).await <= 6);
}
