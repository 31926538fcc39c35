//! What keeps a write from doing harm: production, spelling.

use xtrasecurity::dev_server::route;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::{builder, client, server};

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
    assert_eq!(client.promote("staging", "production").await.unwrap_err().kind(), ErrorKind::Unconfirmed);
    assert_eq!(server.total_requests(), 0, "nothing was even looked at");
    client.set_secret("staging", "A", "1").await.unwrap();
    client.set_secrets("production", [("A", "1")]).dry_run().await.unwrap();
    client.set_secret("production", "A", "1").confirm_production().await.unwrap();
    client.promote("production", "staging").await.unwrap();
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
    assert_eq!((lookups, server.request_count(route::SECRETS_READ)), (1, 3));
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
