//! `history`.

use xtrasecurity::dev_server::{Form, SecretSeed, route};
use xtrasecurity::xtra::write::{History, NoValue};
use xtrasecurity::{ErrorKind, snapshot::UnreadableReason};

use crate::rows::{BRANCH, World, builder, says};

/// Versions and values, as told.
fn told(history: &History) -> Vec<(&str, Option<&str>)> {
    let entries = history.entries.iter();
    entries.map(|entry| (entry.version.as_str(), entry.value.as_ref().map(|value| value.expose()))).collect()
}

#[tokio::test]
async fn versions_are_told_once_and_newest_first_in_whatever_order_the_service_has_them() {
    let world = World::new().await;
    for value in ["2", "3"] {
        world.client.set_secret("staging", "API_KEY", value).await.unwrap();
    }
    // goes to the head of the service's list, and the rotation to its end
    world.client.rollback_secret("staging", "API_KEY", 1).await.unwrap();
    world.client.rotate_secret("staging", "API_KEY").await.unwrap();
    let history = world.client.secret_history("staging", "API_KEY").await.unwrap();
    let first = Some("demo-staging-key");
    assert_eq!(told(&history), [("4", first), ("3", Some("3")), ("2", Some("2")), ("1", first)]);
    // the value of a rotation is recorded by the next write only
    assert_eq!(history.current_version, "5");
    let entry = &history.entries[2];
    assert_eq!((entry.updated_by.as_deref(), entry.no_value), (Some("owner@example.test"), None));
    assert_eq!(entry.description.as_deref(), Some("Updated via CLI"));
    assert!(entry.updated_at.is_some());
}

#[tokio::test]
async fn the_history_is_that_of_the_branch_and_not_of_the_one_that_comes_first() {
    let world = World::new().await;
    world.client.set_secret("production", "FEATURE_NEW_UI", "main 2").await.unwrap();
    for (branch, values) in
        [(BRANCH, vec![("1", Some("on"))]), ("main", vec![("2", Some("main 2")), ("1", Some("off"))])]
    {
        let history = world.client.secret_history("production", "FEATURE_NEW_UI").branch(branch).await.unwrap();
        assert_eq!(told(&history), values, "{branch}");
        assert_eq!(history.current_version, values[0].0, "{branch}");
    }
    assert_eq!(world.server.request_count(route::SECRET_HISTORY), 1);
}

#[tokio::test]
async fn a_row_without_a_branch_that_is_read_has_its_own_history() {
    for first_is_other in [false, true] {
        let world = World::new().await;
        let key = if first_is_other { "FEATURE_NEW_UI" } else { "ORPHAN" };
        world.add(SecretSeed::new("staging", key, "hidden").version(1));
        world.add(SecretSeed::new("staging", key, "read").without_branch());
        let history = world.client.secret_history("staging", key).await.unwrap();
        assert_eq!(told(&history), [("1", Some("read"))], "{key}");
    }
    // and one that is not read does not come into it
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "ORPHAN", "hidden").without_branch());
    world.add(SecretSeed::new("staging", "ORPHAN", "read"));
    let history = world.client.secret_history("staging", "ORPHAN").await.unwrap();
    assert_eq!(told(&history), [("1", Some("read"))]);
}

#[tokio::test]
async fn a_service_account_reads_it_with_or_without_the_permission_to_read_by_key() {
    let world = World::new().await;
    world.client.set_secret("staging", "API_KEY", "2").await.unwrap();
    for who in ["deploy", "writer"] {
        let history = world.of(who).secret_history("staging", "API_KEY").await.unwrap();
        assert_eq!(told(&history), [("2", Some("2")), ("1", Some("demo-staging-key"))], "{who}");
    }
}

#[tokio::test]
async fn a_viewer_reads_what_the_service_shows_and_is_told_what_it_does_not() {
    let world = World::new().await;
    let viewer = world.of("viewer");
    let history = viewer.secret_history("staging", "API_KEY").await.unwrap();
    assert_eq!(told(&history), [("1", Some("demo-staging-key"))]);
    let error = viewer.secret_history("production", "FEATURE_NEW_UI").branch(BRANCH).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Masked, &["FEATURE_NEW_UI".to_owned()][..]));
}

#[tokio::test]
async fn what_is_no_value_is_told_with_the_reason() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "LOST", "lost").form(Form::Undecryptable));
    let history = world.client.secret_history("staging", "LOST").await.unwrap();
    assert_eq!(told(&history), [("1", None)]);
    assert_eq!(history.entries[0].no_value, Some(NoValue::Unreadable(UnreadableReason::ServerCiphertext)));
    world.add(SecretSeed::new("staging", "LOST", "lost").form(Form::Undecryptable).on_branch(BRANCH));
    let history = world.client.secret_history("staging", "LOST").branch(BRANCH).await.unwrap();
    assert!(history.entries.iter().all(|entry| entry.value.is_none()));
}

#[tokio::test]
async fn sealed_values_are_opened_with_the_passphrase_only() {
    let world = World::new().await;
    let sealing = builder(&world.server).vault_passphrase("correct horse").seal_writes().build().unwrap();
    for branch in ["main", BRANCH] {
        sealing.set_secret("production", "FEATURE_NEW_UI", "sealed").branch(branch).await.unwrap();
        let history = sealing.secret_history("production", "FEATURE_NEW_UI").branch(branch).await.unwrap();
        assert_eq!(told(&history)[0], ("2", Some("sealed")), "{branch}");
        let history = world.client.secret_history("production", "FEATURE_NEW_UI").branch(branch).await.unwrap();
        let reason = Some(NoValue::Unreadable(UnreadableReason::ClientEnvelope));
        assert_eq!((told(&history)[0], history.entries[0].no_value), (("2", None), reason), "{branch}");
    }
}

#[tokio::test]
async fn a_name_with_a_percent_sign_is_read_by_a_route_that_does_not_decode_it_twice() {
    let world = World::new().await;
    for key in ["50%", "a%2Fb"] {
        world.add(SecretSeed::new("staging", key, "odd"));
        world.add(SecretSeed::new("staging", key, "orphan").without_branch().version(7));
        assert_eq!(told(&world.client.secret_history("staging", key).await.unwrap()), [("7", Some("orphan"))], "{key}");
        let error = world.of("deploy").secret_history("staging", key).await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Server, "{key}");
        world.client.delete_secret("staging", key).await.unwrap();
        world.add(SecretSeed::new("staging", key, "odd"));
        assert_eq!(
            told(&world.of("deploy").secret_history("staging", key).await.unwrap()),
            [("1", Some("odd"))],
            "{key}"
        );
    }
    world.add(SecretSeed::new("staging", "60%", "orphan").without_branch());
    let error = world.of("deploy").secret_history("staging", "60%").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(world.server.request_count(route::SECRET_HISTORY), 0);
}

#[tokio::test]
async fn the_environment_s_case_does_not_matter_as_in_reads() {
    let world = World::new().await;
    let history = world.client.secret_history("Staging", "API_KEY").await.unwrap();
    assert_eq!(told(&history), [("1", Some("demo-staging-key"))]);
}

#[tokio::test]
async fn a_link_has_no_history_and_what_is_not_there_is_not_found() {
    let world = World::new().await;
    world.add_link("LINK");
    let history = world.client.secret_history("staging", "LINK").await.unwrap();
    assert_eq!((history.current_version.as_str(), history.entries.len()), ("1", 0));
    let error = world.client.secret_history("staging", "FEATURE_NEW_UI").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["FEATURE_NEW_UI", BRANCH]);
    let error = world.of("outsider").secret_history("staging", "API_KEY").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_history_prints_no_value() {
    let world = World::new().await;
    let history = world.client.secret_history("staging", "API_KEY").await.unwrap();
    assert!(!format!("{history:?}").contains("demo-staging-key"));
}
