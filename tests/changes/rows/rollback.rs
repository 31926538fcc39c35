//! `rollback`.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, SecretSeed, route};

use crate::rows::{BRANCH, World, builder, says};

/// Two versions of `FEATURE_NEW_UI` in production on both branches; main's come first.
async fn world() -> World {
    let world = World::new().await;
    for branch in ["main", BRANCH] {
        world.server.set_secret("demo", "production", branch, "FEATURE_NEW_UI", "changed").unwrap();
    }
    world
}

#[tokio::test]
async fn a_secret_gets_its_old_value_as_a_new_version_on_its_branch_and_no_other() {
    for (branch, old, other) in [("main", "off", BRANCH), (BRANCH, "on", "main")] {
        let world = world().await;
        let client = world.client.get_secrets("production").branch(branch).await.unwrap();
        assert_eq!(client.require("FEATURE_NEW_UI").unwrap().expose(), "changed");
        let rolled = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).branch(branch).await.unwrap();
        assert_eq!(rolled.version, "3");
        assert_eq!(world.read("production", other, "FEATURE_NEW_UI").await.as_deref(), Some("changed"));
        // from the cache, if the snapshot from before were still in it
        let after = world.client.get_secrets("production").branch(branch).await.unwrap();
        assert_eq!(after.require("FEATURE_NEW_UI").unwrap().expose(), old, "{branch}");
    }
}

#[tokio::test]
async fn the_row_that_is_read_is_rolled_back_even_when_it_hangs_on_no_branch() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "ORPHAN", "1").without_branch());
    world.server.set_secret("demo", "staging", "main", "ORPHAN", "2").unwrap();
    for who in ["owner", "deploy"] {
        let version = world.of(who).secret_history("staging", "ORPHAN").await.unwrap().entries[1].version.clone();
        let before = world.on_main("staging", "ORPHAN").await;
        world.of(who).rollback_secret("staging", "ORPHAN", version).await.unwrap();
        assert_ne!(world.on_main("staging", "ORPHAN").await, before, "{who}");
    }
}

#[tokio::test]
async fn a_version_that_is_there_already_or_not_at_all_is_told_before_anything_is_sent() {
    let world = world().await;
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", "2").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["FEATURE_NEW_UI".to_owned()][..]));
    says(&error, &["on version 2 already"]);
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", 42).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["no version \"42\"", "\"1\", \"2\""]);
    let error = world.client.rollback_secret("staging", "FEATURE_NEW_UI", 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    says(&error, &["does not exist", BRANCH]);
    world.add_link("LINK");
    let error = world.client.rollback_secret("staging", "LINK", 2).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["link", "source"]);
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_ROLLBACK), 0);
    assert_eq!(world.server.request_count(route::SECRET_ROLLBACK), 0);
}

#[tokio::test]
async fn who_may_not_is_refused_and_who_may_is_not() {
    let world = world().await;
    world.server.set_secret("demo", "staging", "main", "API_KEY", "2").unwrap();
    for (who, environment, key) in [
        ("viewer", "staging", "API_KEY"),
        ("developer", "production", "FEATURE_NEW_UI"),
        ("deploy", "production", "FEATURE_NEW_UI"),
    ] {
        let error = world.of(who).rollback_secret(environment, key, 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{who}");
        assert_eq!(world.server.request_count(route::SECRET_ROLLBACK), 0, "{who}");
    }
    assert_eq!(world.of("developer").rollback_secret("staging", "API_KEY", 1).await.unwrap().version, "3");
    assert_eq!(world.of("deploy").rollback_secret("staging", "API_KEY", 2).await.unwrap().version, "4");
}

#[tokio::test]
async fn where_the_exact_route_fails_the_one_by_key_is_used_if_it_goes_to_the_same_row() {
    let world = world().await;
    let failing = || Fault::status(500).on(route::SECRETS_BY_ID_ROLLBACK);
    world.server.fault(failing());
    assert_eq!(world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).await.unwrap().version, "3");
    assert_eq!(world.on_main("production", "FEATURE_NEW_UI").await.as_deref(), Some("off"));

    world.server.fault(failing());
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).branch(BRANCH).await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["was on version 2", "history"]);
    assert_eq!(world.read("production", BRANCH, "FEATURE_NEW_UI").await.as_deref(), Some("changed"));
    assert_eq!(world.server.request_count(route::SECRET_ROLLBACK), 1);
}

#[tokio::test]
async fn a_lost_answer_is_told_with_what_to_look_at() {
    let world = world().await;
    world.server.fault(Fault::cut_body().on(route::SECRETS_BY_ID_ROLLBACK));
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).await.unwrap_err();
    assert!(error.may_have_been_applied());
    says(&error, &["FEATURE_NEW_UI", "was on version 2", "secret_history() tells"]);
    assert_eq!(world.on_main("production", "FEATURE_NEW_UI").await.as_deref(), Some("off"));
}

#[tokio::test]
async fn a_rollback_that_no_read_shows_is_an_error() {
    let world = World::new().await;
    world.server.set_secret("demo", "staging", "main", "API_KEY", "2").unwrap();
    // it looks like the row of the branch, and hides it
    world.add(SecretSeed::new("staging", "API_KEY", "2").version(2).without_branch());
    let error = world.client.rollback_secret("staging", "API_KEY", 1).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["API_KEY".to_owned()][..]));
    says(&error, &["was rolled back", "second row"]);

    let world = self::world().await;
    world.fault_second(route::SECRETS_READ, Fault::status(503));
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).await.unwrap_err();
    assert!(error.may_have_been_applied() && !error.is_retryable());
    says(&error, &["succeeded (version 3)", "only the check"]);
}

#[tokio::test]
async fn two_spellings_of_an_environment_are_not_mixed_up() {
    let world = world().await;
    world.add(SecretSeed::new("Production", "FEATURE_NEW_UI", "capital"));
    let error = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["\"Production\"", "exact()"]);
    let rolled = world.client.rollback_secret("production", "FEATURE_NEW_UI", 1).exact().await.unwrap();
    assert_eq!(rolled.version, "3");
}

#[tokio::test]
async fn protected_production_is_not_touched_without_a_word() {
    let world = world().await;
    let client = builder(&world.server).protect_production().build().unwrap();
    let error = client.rollback_secret("production", "FEATURE_NEW_UI", 1).await.unwrap_err();
    assert_eq!((error.kind(), world.server.total_requests()), (ErrorKind::Unconfirmed, 0));
    client.rollback_secret("production", "FEATURE_NEW_UI", 1).confirm_production().await.unwrap();
}
