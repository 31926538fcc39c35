//! `repair_secret`, and what deletion says of rows that are left.

use xtrasecurity::ErrorKind;
use xtrasecurity::dev_server::{Fault, SecretSeed, route};
use xtrasecurity::xtra::write::Written;

use crate::rows::{BRANCH, World, builder, says};

/// `TWICE` in `staging` on a branch: `first` is what a write changes, `second` what is read.
async fn doubled(branch: &str) -> World {
    let world = World::new().await;
    for value in ["first", "second"] {
        world.add(SecretSeed::new("staging", "TWICE", value).on_branch(branch));
    }
    world
}

#[tokio::test]
async fn a_dry_run_shows_the_rows_by_id_without_values_and_changes_nothing() {
    let world = doubled("main").await;
    let plan = world.client.repair_secret("staging", "TWICE").dry_run().await.unwrap();
    let [first, second] = plan.rows.as_slice() else { panic!("{plan:?}") };
    assert_eq!((first.is_read, second.is_read, plan.kept.as_str()), (false, true, second.id.as_str()));
    assert!(plan.removed.is_empty() && first.id != second.id && first.has_branch && !first.is_link);
    assert_eq!((first.version.as_str(), first.updated_at.is_some()), ("1", true));
    assert!(!format!("{plan:?}").contains("first") && !format!("{plan:?}").contains("second"));
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
}

#[tokio::test]
async fn the_row_that_is_read_stays_and_writes_are_read_again() {
    for branch in ["main", BRANCH] {
        let world = doubled(branch).await;
        let set = |value: &str| world.client.set_secret("staging", "TWICE", value).branch(branch);
        assert_eq!(set("lost").await.unwrap(), Written::Unconfirmed, "{branch}");
        let done = world.client.repair_secret("staging", "TWICE").branch(branch).await.unwrap();
        assert_eq!((done.rows.len(), done.removed.len(), done.kept.as_str()), (2, 1, done.rows[1].id.as_str()));
        assert_eq!(world.read("staging", branch, "TWICE").await.as_deref(), Some("second"));
        assert_eq!(set("new").await.unwrap(), Written::Updated, "{branch}");
        assert_eq!(world.read("staging", branch, "TWICE").await.as_deref(), Some("new"));
        let done = world.client.repair_secret("staging", "TWICE").branch(branch).await.unwrap();
        assert_eq!((done.rows.len(), done.removed.len()), (1, 0), "nothing is left to repair");
    }
}

#[tokio::test]
async fn another_row_stays_when_that_is_said_and_a_row_that_is_not_there_is_refused() {
    let world = doubled("main").await;
    let plan = world.client.repair_secret("staging", "TWICE").dry_run().await.unwrap();
    let error = world.client.repair_secret("staging", "TWICE").keep("0123456789abcdef01234567").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Invalid, &["TWICE".to_owned()][..]));
    says(&error, &["0123456789abcdef01234567", &plan.rows[0].id, &plan.rows[1].id]);
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
    let done = world.client.repair_secret("staging", "TWICE").keep(plan.rows[0].id.as_str()).await.unwrap();
    assert_eq!((done.kept, done.removed), (plan.rows[0].id.clone(), vec![plan.rows[1].id.clone()]));
    assert_eq!(world.on_main("staging", "TWICE").await.as_deref(), Some("first"));
}

#[tokio::test]
async fn rows_without_a_branch_are_repaired_with_those_of_main() {
    for who in ["owner", "developer", "deploy"] {
        let world = World::new().await;
        world.add(SecretSeed::new("staging", "ORPHAN", "loose").without_branch());
        world.add(SecretSeed::new("staging", "ORPHAN", "shown"));
        let done = world.of(who).repair_secret("staging", "ORPHAN").await.unwrap();
        assert_eq!((done.rows.len(), done.removed.len()), (2, 1), "{who}");
        assert_eq!(world.on_main("staging", "ORPHAN").await.as_deref(), Some("shown"), "{who}");
        let written = world.client.set_secret("staging", "ORPHAN", "new").await.unwrap();
        assert_eq!(written, Written::Updated, "{who}");
    }
}

#[tokio::test]
async fn a_secret_of_the_same_name_on_another_branch_is_not_touched() {
    let world = doubled("main").await;
    world.add(SecretSeed::new("staging", "TWICE", "theirs").on_branch(BRANCH));
    assert_eq!(world.client.repair_secret("staging", "TWICE").await.unwrap().rows.len(), 2);
    assert_eq!(world.read("staging", BRANCH, "TWICE").await.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn what_is_left_over_is_an_error_that_names_it() {
    let world = doubled("main").await;
    world.add(SecretSeed::new("staging", "TWICE", "third"));
    let ids: Vec<_> = world.client.repair_secret("staging", "TWICE").dry_run().await.unwrap().rows;
    world.fault_second(route::SECRETS_BY_ID_DELETE, Fault::status(403));
    let error = world.client.repair_secret("staging", "TWICE").await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    says(&error, &["1 of its rows are deleted", &ids[1].id]);
    assert!(!error.to_string().contains(&ids[0].id), "{error}");

    // the service says that it is gone, and it is not
    let gone = Fault::body(404, "application/json", r#"{"message":"Secret not found"}"#);
    world.server.fault(gone.on(route::SECRETS_BY_ID_DELETE));
    let error = world.client.repair_secret("staging", "TWICE").await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Incomplete, true));
    says(&error, &["others are left", &ids[1].id]);
    assert_eq!(world.on_main("staging", "TWICE").await.as_deref(), Some("third"));
}

#[tokio::test]
async fn what_is_not_there_is_not_repaired_and_two_spellings_are_not_mixed_up() {
    let world = doubled("main").await;
    let error = world.client.repair_secret("staging", "NOTHING").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    world.add(SecretSeed::new("Staging", "TWICE", "capital"));
    let error = world.client.repair_secret("staging", "TWICE").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    says(&error, &["\"Staging\"", "exact()"]);
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
    assert_eq!(world.client.repair_secret("staging", "TWICE").exact().await.unwrap().removed.len(), 1);
    assert_eq!(world.server.secret_rows("demo", "staging", "main", "TWICE"), 1);

    world.add(SecretSeed::new("staging", "BOTH", "small").on_branch(BRANCH));
    world.add(SecretSeed::new("Staging", "BOTH", "capital").on_branch(BRANCH));
    assert_eq!(world.client.delete_secret("staging", "BOTH").branch(BRANCH).exact().await.unwrap().rows, 1);
    assert_eq!(world.read("staging", BRANCH, "BOTH").await.as_deref(), Some("capital"));
}

#[tokio::test]
async fn protected_production_is_shown_and_not_repaired_without_a_word() {
    let world = World::new().await;
    world.add(SecretSeed::new("production", "API_KEY", "again"));
    let client = builder(&world.server).protect_production().build().unwrap();
    assert_eq!(client.repair_secret("production", "API_KEY").dry_run().await.unwrap().rows.len(), 2);
    assert_eq!(client.repair_secret("production", "API_KEY").await.unwrap_err().kind(), ErrorKind::Unconfirmed);
    client.repair_secret("production", "API_KEY").confirm_production().await.unwrap();
    assert_eq!(world.on_main("production", "API_KEY").await.as_deref(), Some("again"));
}

#[tokio::test]
async fn what_somebody_writes_while_a_secret_is_deleted_is_told_with_its_row() {
    let world = doubled(BRANCH).await;
    let hold = world.server.hold(route::SECRETS_READ);
    let deleting = tokio::spawn({
        let client = world.client.clone();
        async move { client.delete_secret("staging", "TWICE").branch(BRANCH).await }
    });
    hold.waiting_for(1).await;
    let id = "0123456789abcdef01234567";
    world.add(SecretSeed::new("staging", "TWICE", "new").on_branch(BRANCH).id(id));
    hold.release();
    let error = deleting.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Incomplete, true));
    says(&error, &["still read", "1 row", id]);
}

#[tokio::test]
async fn a_failing_list_of_rows_is_not_taken_for_one_that_is_not_for_this_caller() {
    let world = World::new().await;
    world.add(SecretSeed::new("staging", "FEATURE_NEW_UI", "orphan").without_branch());
    let page = |status| Fault::body(status, "text/html", "<html>no such page</html>");
    world.server.fault(page(403).on(route::SECRETS_BY_ID_LIST));
    let error = world.client.rotate_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Forbidden && !error.to_string().contains("user's token"), "{error}");
    world.server.fault(page(404).on(route::SECRETS_BY_ID_DELETE));
    let error = world.client.delete_secret("staging", "API_KEY").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)), "a proxy's page deletes nothing");
    assert!(world.on_main("staging", "API_KEY").await.is_some());
    for status in [500, 503] {
        world.server.fault(Fault::status(status).on(route::SECRETS_BY_ID_LIST));
        let error = world.client.rotate_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(status)));
        world.server.fault(Fault::status(status).on(route::SECRETS_BY_ID_LIST));
        let error = world.client.delete_secret("staging", "FEATURE_NEW_UI").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(status)));
    }
    assert_eq!(world.on_main("staging", "FEATURE_NEW_UI").await.as_deref(), Some("orphan"));
    assert_eq!(world.client.delete_secret("staging", "FEATURE_NEW_UI").await.unwrap().rows, 1);
}
