//! `delete`, `history`, `rollback` and `promote`.

use serde_json::{Value, json};
use xtrasecurity::dev_server::{Fault, route};

use crate::world::{World, run};

fn stored(world: &World, environment: &str, name: &str) -> Option<String> {
    world.server.secret("shop", environment, "main", name)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_was_asked_about_is_not_deleted() {
    let world = World::new().await;
    for environment in ["stg", "prod"] {
        assert!(world.run(&["delete", "QUOTES", "-e", environment]).failure(2).contains("--yes"));
    }
    assert_eq!(world.server.total_requests(), 0);
    let ran = world.run(&["delete", "QUOTES", "EQUALS", "-e", "stg", "--yes"]);
    assert_eq!(ran.success(), "deleted QUOTES from staging (branch main)\ndeleted EQUALS from staging (branch main)\n");
    assert_eq!((stored(&world, "staging", "QUOTES"), stored(&world, "staging", "EQUALS")), (None, None));
    let branched = world.server.secret("shop", "staging", "feature/new-ui", "QUOTES");
    assert_eq!(branched.as_deref(), Some("branched"));
    world.run(&["delete", "QUOTES", "-e", "prod", "--yes"]).success();
    assert_eq!(stored(&world, "production", "QUOTES"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_all_of_them_are_there_nothing_is_deleted_and_all_that_are_absent_are_named() {
    let world = World::new().await;
    let ran = world.run(&["delete", "QUOTES", "NONE", "EQUALS", "quotes", "NONE", "-e", "stg", "--yes"]);
    let line = ran.failure(1);
    assert!(line.contains(r#""NONE", "quotes""#) && line.contains("Nothing was deleted"), "{line}");
    assert!(!line.contains("EQUALS"), "{line}");
    assert!(line.contains("--if-exists"), "{line}");
    assert!(["QUOTES", "EQUALS"].iter().all(|name| stored(&world, "staging", name).is_some()));
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);
    let names: Vec<String> = (0..30).map(|number| format!("NO_{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = world.run(&[&["delete"], &names[..], &["-e", "stg", "--yes"]].concat());
    assert!(names.iter().all(|name| ran.failure(1).contains(name)), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_before_a_failure_is_told() {
    let world = World::new().await;
    world.server.fault(Fault::headers([]).on(route::SECRETS_BY_ID_DELETE));
    world.server.fault(Fault::status(403).on(route::SECRETS_BY_ID_DELETE));
    let ran = world.run(&["delete", "QUOTES", "EQUALS", "-e", "stg", "--yes"]);
    assert_eq!((ran.status(), ran.stdout()), (1, "deleted QUOTES from staging (branch main)\n"));
    assert!(ran.one_line().contains("EQUALS"), "{}", ran.stderr());
    assert!(stored(&world, "staging", "EQUALS").is_some());
    let ran = world.run(&["delete", "EMPTY", "EMPTY", "-e", "stg", "--yes"]);
    assert_eq!(ran.success(), "deleted EMPTY from staging (branch main)\n", "a name given twice is one secret");
    let ran = world.run(&["delete", "NONE", "EQUALS", "-e", "stg", "--yes", "--if-exists"]);
    assert_eq!(ran.success(), "NONE was not in staging (branch main)\ndeleted EQUALS from staging (branch main)\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_without_values_unless_these_are_asked_for_and_one_is_gone_back_to() {
    let world = World::new().await;
    for value in ["canary-2", "canary-3"] {
        world.run(&["set", &format!("QUOTES={value}"), "-e", "stg"]).success();
    }
    let history = |options: &[&str]| world.run(&[&["history", "QUOTES", "-e", "stg"], options].concat());
    let ran = history(&[]);
    assert!(ran.success().starts_with("3 (current)  ") && !ran.stdout().contains("canary"), "{}", ran.stdout());
    assert!(history(&["--show"]).success().contains("canary-2"));
    let versions = |ran: &crate::world::Ran| -> Vec<Value> {
        let object: Value = serde_json::from_str(ran.success()).unwrap();
        assert_eq!(object["current"], "3");
        object["entries"].as_array().unwrap().clone()
    };
    let entries = versions(&history(&["--json"]));
    assert!(entries.iter().all(|entry| entry.get("value").is_none()));
    let entries = versions(&history(&["--json", "--show"]));
    let second = entries.iter().find(|entry| entry["version"] == "2").unwrap();
    assert_eq!(second["value"], json!("canary-2"));

    let ran = world.run(&["rollback", "QUOTES", "2", "-e", "stg"]);
    assert_eq!(ran.success(), "QUOTES in staging (branch main) is as in version 2 again, which makes it version 4\n");
    assert_eq!(stored(&world, "staging", "QUOTES").as_deref(), Some("canary-2"));
    assert!(world.run(&["rollback", "QUOTES", "99", "-e", "stg"]).failure(1).contains("no version"));
    assert!(world.run(&["history", "NONE", "-e", "stg"]).failure(1).contains("NONE"));
    assert!(world.run(&["rollback", "QUOTES", "1", "-e", "prod"]).failure(2).contains("--yes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_shows_its_plan_and_writes_with_yes_what_it_has_shown() {
    let world = World::new().await;
    let promote = |options: &[&str]| world.run(&[&["promote", "stg", "prod"], options].concat());
    let plan = "+ STAGING_ONLY\n1 to create, 0 to update, 3 to keep in production (branch main)\n";
    let line = promote(&[]).failure(2).to_owned();
    assert!(line.contains("--yes") && line.contains("--dry-run"), "{line}");
    assert_eq!(world.server.total_requests(), 0);
    assert_eq!(promote(&["--dry-run"]).success(), plan);
    assert!(promote(&["--dry-run", "--overwrite"]).success().contains("~ QUOTES\n1 to create, 1 to update, 2 to keep"));
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
    let ran = promote(&["--yes"]);
    assert_eq!(ran.success(), format!("{plan}written 1 of 1: 1 created, 0 updated\n"));
    assert_eq!(stored(&world, "production", "STAGING_ONLY").as_deref(), Some("s"));
    assert_ne!(stored(&world, "production", "QUOTES").as_deref(), Some("other"));
    promote(&["--yes", "--overwrite", "--only", "QUOTES"]).success();
    assert_eq!(stored(&world, "production", "QUOTES").as_deref(), Some("other"));
    assert_eq!(promote(&["--yes"]).success(), "0 to create, 0 to update, 4 to keep in production (branch main)\n");
    assert!(promote(&["--only", "NONE", "--dry-run"]).failure(1).contains("NONE"));
    assert!(world.run(&["promote", "stg", "stg"]).status() != 0);
    assert!(world.run(&["promote", "nowhere", "stg", "--dry-run"]).failure(1).contains("nowhere"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_goes_from_branch_to_branch() {
    let world = World::new().await;
    world.run(&["promote", "staging@feature/new-ui", "qa@main", "--yes"]).success();
    assert_eq!(stored(&world, "qa", "QUOTES").as_deref(), Some("branched"));
    world.run(&["promote", "staging", "qa@feature/new-ui", "--yes"]).success();
    let there = world.server.secret("shop", "qa", "feature/new-ui", "STAGING_ONLY");
    assert_eq!(there.as_deref(), Some("s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_is_told_and_nothing_is_changed() {
    let world = World::new().await;
    for arguments in [
        &["set", "QUOTES=x", "-e", "stg"][..],
        &["delete", "QUOTES", "-e", "stg", "--yes"],
        &["rollback", "QUOTES", "1", "-e", "stg"],
        &["promote", "stg", "qa", "--yes"],
        &["branches", "delete", "feature/new-ui", "--yes"],
    ] {
        let mut command = world.command(arguments);
        let ran = run(command.env("XTRA_TOKEN", world.server.token_for("vic").unwrap()));
        assert_eq!(ran.status(), 1, "{arguments:?}: {}", ran.stdout());
        ran.one_line();
    }
    assert_eq!(stored(&world, "staging", "QUOTES").as_deref(), Some("other"));
}
