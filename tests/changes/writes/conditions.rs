//! Writes on condition.

use xtrasecurity::dev_server::{DevServer, Fault, GrantSeed, ProjectSeed, RateLimits, Role, UserSeed, route};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::writes::{arrived, client, server, stored, version};

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
        (conflict.name.as_str(), conflict.expected.as_deref(), conflict.actual.as_deref()),
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
    let keys: Vec<_> = error.conflicts().iter().map(|conflict| conflict.name.as_str()).collect();
    assert_eq!(keys, ["A", "B", "NEW"]);
    assert_eq!(stored(&server, "B").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_snapshot_of_another_place_is_hinted_at_and_a_secret_is_told_once_whatever_it_conflicts_with() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "1").await.unwrap();
    let elsewhere = client.get_secrets("production").await.unwrap();
    let hint = "The snapshot must be of this environment and branch";
    let error = client.set_secret("staging", "A", "2").if_unchanged(&elsewhere).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.to_string().contains(hint), "{error}");

    let error = client.set_secret("staging", "A", "2").expect_version(7).if_unchanged(&elsewhere).await.unwrap_err();
    let [conflict] = error.conflicts() else { panic!("{error:?}") };
    assert_eq!((conflict.expected.as_deref(), error.names()), (Some("7"), &["A".to_owned()][..]));
    assert!(!error.to_string().contains(hint), "the version alone tells: {error}");
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
async fn names_and_values_that_are_parts_of_each_other_are_told_apart() {
    let server = server().await;
    let client = client(&server);
    // the branch comes first, and is what the service compares with, and refuses by
    for value in ["1", "2"] {
        client.set_secrets("staging", [("domain", value), ("STRIPE_PUBLIC", value)]).branch(BRANCH).await.unwrap();
    }
    client.create_secret("staging", "domain", "main").await.unwrap();
    client.create_secret("staging", "STRIPE_PUBLIC", "STRIPE").await.unwrap();
    let pairs = [("domain", "STRIPE"), ("STRIPE_PUBLIC", "domain"), ("PROVIDER", "STRIPE")];
    let expected = [("domain".to_owned(), 1), ("STRIPE_PUBLIC".to_owned(), 1)];
    client.set_secrets("staging", pairs).expect_versions(expected).await.unwrap();
    assert_eq!(stored(&server, "domain").as_deref(), Some("STRIPE"));
    let error = client.create_secret("staging", "domain", "domain").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.names() == ["domain"], "{error:?}");
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

#[tokio::test]
async fn conditions_are_never_given_up_however_often_the_service_refuses() {
    let server = server().await;
    let client = client(&server);
    client.set_secrets("staging", [("A", "1"), ("B", "1")]).await.unwrap();
    let body =
        r#"{"error":"Conflict detected","conflicts":[{"key":"B","expected":"1","actual":"5","remoteValue":""}]}"#;
    server.fault(Fault::body(409, "application/json", body).times(3).on(route::SECRETS_UPSERT));
    let write = client.set_secrets("staging", [("A", "2"), ("B", "2")]).expect_versions([("A", 1), ("B", 1)]);
    let error = write.await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false));
    assert_eq!([stored(&server, "A"), stored(&server, "B")].map(Option::unwrap), ["1", "1"]);
}

#[tokio::test]
async fn what_somebody_creates_between_the_look_and_the_write_is_not_overwritten() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("qa", "NEW", "from qa").await.unwrap();
    client.set_secret("staging", "OTHER", "1").await.unwrap();
    let seen = client.get_secrets("staging").await.unwrap();
    let hold = server.hold(route::SECRETS_UPSERT);
    let writers = [0, 1, 2].map(|which| {
        let (client, seen) = (client.clone(), seen.clone());
        tokio::spawn(async move {
            match which {
                0 => client.create_secret("staging", "NEW", "mine").await,
                1 => client.set_secret("staging", "NEW", "mine").if_unchanged(&seen).await.map(drop),
                _ => client.promote_secrets("qa", "staging").await.map(drop),
            }
        })
    });
    arrived(&hold, 3).await;
    server.set_secret("demo", "staging", "main", "NEW", "theirs").unwrap();
    hold.release();
    for writer in writers {
        let error = writer.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false), "{error}");
    }
    assert_eq!((stored(&server, "NEW").as_deref(), version(&server, "NEW").as_deref()), (Some("theirs"), Some("1")));
}

#[tokio::test]
async fn what_only_another_branch_has_can_be_created_here() {
    let server = server().await;
    let client = client(&server);
    client.set_secret("staging", "A", "on main").await.unwrap();
    client.create_secret("staging", "A", "on the branch").branch(BRANCH).await.unwrap();
    client.set_secret("qa", "A", "from qa").await.unwrap();
    client.promote_secrets("qa", "live").to_branch(BRANCH).await.unwrap();
    assert_eq!(server.secret("demo", "staging", BRANCH, "A").as_deref(), Some("on the branch"));
    assert_eq!(server.secret("demo", "live", BRANCH, "A").as_deref(), Some("from qa"));
    assert_eq!(stored(&server, "A").as_deref(), Some("on main"));
}

/// A granted request for some secrets hides all others from whoever asked, even from the owner.
#[tokio::test]
async fn what_a_narrowed_read_does_not_show_is_not_overwritten() {
    let project = ProjectSeed::new("demo")
        .member("dev", Role::Developer)
        .secret("qa", "SHOWN", "s")
        .secret("qa", "HIDDEN", "from qa")
        .secret("staging", "HIDDEN", "kept")
        .grant(GrantSeed::approved("dev").names(["SHOWN"]));
    let server = DevServer::builder()
        .user(UserSeed::new("owner"))
        .user(UserSeed::new("dev"))
        .project(project)
        .rate_limits(RateLimits::off())
        .start()
        .await
        .unwrap();
    let dev = XtraClient::builder().dev_server(&server).token(server.token_for("dev").unwrap()).build().unwrap();
    assert!(dev.list_secret_names("staging").await.unwrap().is_empty(), "the secret is hidden");
    let error = dev.create_secret("staging", "HIDDEN", "mine").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Conflict, false));
    assert_eq!((error.conflicts()[0].name.as_str(), error.conflicts()[0].actual.as_deref()), ("HIDDEN", Some("1")));
    assert_eq!(
        (stored(&server, "HIDDEN").as_deref(), version(&server, "HIDDEN").as_deref()),
        (Some("kept"), Some("1"))
    );
}
