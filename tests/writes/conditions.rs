//! Writes on condition.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, route};

use crate::{arrived, client, server, stored, version};

const BRANCH: &str = "feature/new-ui";

#[tokio::test]
async fn an_expected_version_that_is_there_lets_the_write_through_and_another_does_not() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    client.set_secret("staging", "A", "2").expect_version(1).await.unwrap();
    let error = client.set_secret("staging", "A", "3").expect_version("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let [conflict] = error.conflicts() else { panic!("{error:?}") };
    assert_eq!(
        (conflict.key.as_str(), conflict.expected.as_deref(), conflict.actual.as_deref()),
        ("A", Some("1"), Some("2"))
    );
    assert_eq!(stored(&server, "A").as_deref(), Some("2"));
    let error = client.set_secret("staging", "NOPE", "3").expect_version(1).await.unwrap_err();
    assert_eq!(error.conflicts()[0].actual, None, "the service itself would create it");
    assert_eq!(stored(&server, "NOPE"), None);
}

#[tokio::test]
async fn one_conflict_of_many_keeps_everything_from_being_written() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("staging", (0..300).map(|n| (format!("K{n:03}"), "1"))).await.unwrap();
    client.set_secret("staging", "K299", "2").await.unwrap();
    let expected = (0..300).map(|n| (format!("K{n:03}"), 1));
    let request = client.set_secrets("staging", (0..300).map(|n| (format!("K{n:03}"), "3")));
    let error = request.expect_versions(expected).await.unwrap_err();
    assert_eq!(error.conflicts().len(), 1);
    assert_eq!(stored(&server, "K000").as_deref(), Some("1"));
}

#[tokio::test]
async fn a_snapshot_is_a_condition_for_the_secrets_that_are_written() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("staging", [("A", "1"), ("B", "1")]).await.unwrap();
    let seen = client.get_secrets("staging").await.unwrap();
    client.set_secret("staging", "B", "2").await.unwrap();
    client.set_secrets("staging", [("A", "2"), ("NEW", "1")]).if_unchanged(&seen).await.unwrap();
    let error =
        client.set_secrets("staging", [("A", "3"), ("B", "3"), ("NEW", "2")]).if_unchanged(&seen).await.unwrap_err();
    let keys: Vec<_> = error.conflicts().iter().map(|conflict| conflict.key.as_str()).collect();
    assert_eq!(keys, ["A", "B", "NEW"]);
    assert_eq!(stored(&server, "B").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_secret_of_the_same_name_on_another_branch_is_no_conflict() {
    let server = server().await;
    let client = client(&server);
    // main comes first, and is what the service compares with
    for value in ["1", "2", "3"] {
        client.set_secret("staging", "A", value).await.unwrap();
    }
    client.set_secret("staging", "A", "on the branch").branch(BRANCH).await.unwrap();
    client.set_secret("staging", "A", "again").branch(BRANCH).expect_version(1).await.unwrap();
    assert_eq!(server.secret("demo", "staging", BRANCH, "A").as_deref(), Some("again"));
    assert_eq!(version(&server, "A").as_deref(), Some("3"));
}

#[tokio::test]
async fn a_version_that_only_another_branch_has_is_a_conflict() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    for value in ["1", "2"] {
        client.set_secret("staging", "A", value).branch(BRANCH).await.unwrap();
    }
    // The service would let it through: it looks at main.
    let error = client.set_secret("staging", "A", "3").branch(BRANCH).expect_version(1).await.unwrap_err();
    assert_eq!(error.conflicts()[0].actual.as_deref(), Some("2"));
}

#[tokio::test]
async fn who_writes_between_the_look_and_the_write_is_noticed() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    let hold = server.hold(route::SECRETS_UPSERT);
    let seen = client.get_secrets("staging").await.unwrap();
    let writers = [true, false].map(|by_version| {
        let (client, seen) = (client.clone(), seen.clone());
        tokio::spawn(async move {
            let write = client.set_secret("staging", "A", "mine");
            if by_version { write.expect_version(1).await } else { write.if_unchanged(&seen).await }
        })
    });
    arrived(&hold, 2).await;
    server.set_secret("demo", "staging", "main", "A", "theirs").unwrap();
    hold.release();
    for writer in writers {
        let error = writer.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.conflicts()[0].actual.as_deref()), (ErrorKind::Conflict, Some("2")));
    }
    assert_eq!(stored(&server, "A").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_conflict_shows_no_ciphertext() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    let body = r#"{"error":"Conflict detected","conflicts":[{"key":"A","expected":"1","actual":"5","remoteValue":"{\"iv\":\"canary\"}"}]}"#;
    server.fault(Fault::body(409, "application/json", body).times(4).on(route::SECRETS_UPSERT));
    let outcome = client.set_secret("staging", "A", "2").expect_version(1).await;
    // The branch says 1, so the service is asked again; it stays at its conflict.
    let shown = format!("{outcome:?}");
    assert!(!shown.contains("canary"), "{shown}");
}
