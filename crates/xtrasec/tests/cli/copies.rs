//! `rotate`, `link`, `clone`: values that the service makes or copies.

use serde_json::{Value, json};

use crate::world::World;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_gets_a_new_value_which_is_shown_on_demand_only() {
    let world = World::new().await;
    let value = || world.server.secret("shop", "staging", "main", "QUOTES").unwrap();
    let ran = world.run(&["rotate", "QUOTES", "-e", "stg"]);
    assert_eq!(ran.success(), "QUOTES in staging (branch main) has a new value, which is version 2\n");
    let first = value();
    assert!(first != "other" && !ran.stdout().contains(&first));
    assert_eq!(world.run(&["rotate", "QUOTES", "-e", "stg", "--show"]).success(), format!("{}\n", value()));
    let told = parsed(world.run(&["rotate", "QUOTES", "-e", "stg", "--json"]).success());
    let place = json!({ "name": "QUOTES", "environment": "staging", "branch": "main", "version": "4" });
    assert_eq!(told, place);
    let told = parsed(world.run(&["rotate", "QUOTES", "-e", "stg", "--json", "--show"]).success());
    assert_eq!(told["value"], value());
    world.run(&["rotate", "NOPE", "-e", "stg"]).failure(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_not_changed_without_a_word_and_nothing_is_sent() {
    let world = World::new().await;
    for arguments in [
        &["rotate", "QUOTES", "-e", "prod"][..],
        &["link", "NEW", "stg", "QUOTES", "-e", "prod"],
        &["clone", "stg", "prod"],
        &["clone", "stg", "qa"],
    ] {
        assert!(world.run(arguments).failure(2).contains("--yes"), "{arguments:?}");
    }
    assert_eq!(world.server.total_requests(), 0);
    world.run(&["rotate", "QUOTES", "-e", "prod", "--yes"]).success();
    world.run(&["link", "NEW", "stg", "QUOTES", "-e", "prod", "--yes"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_the_value_of_the_other_secret() {
    let world = World::new().await;
    let ran = world.run(&["link", "TOKEN", "stg", "QUOTES", "-e", "qa"]);
    assert_eq!(ran.success(), "TOKEN in qa (branch main) is a link to QUOTES of staging\n");
    world.server.set_secret("shop", "staging", "main", "QUOTES", "changed").unwrap();
    assert_eq!(world.run(&["get", "TOKEN", "-e", "qa", "--show"]).success().trim_end(), "changed");
    let told = parsed(world.run(&["link", "QUOTES", "stg", "-e", "qa", "--json"]).success());
    assert_eq!(
        told["from"],
        json!({ "project": world.server.project_id(), "environment": "staging", "name": "QUOTES" })
    );
    assert_eq!(world.run(&["link", "QUOTES", "stg", "-e", "qa"]).status(), 1);
    assert!(world.run(&["link", "B", "stg@x", "-e", "qa"]).failure(2).contains("@BRANCH"));
    assert!(world.run(&["link", "QUOTES", "stg", "-e", "stg"]).status() != 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_copied_and_what_is_there_is_kept_unless_that_is_asked_for() {
    let world = World::new().await;
    world.server.set_secret("shop", "qa", "main", "QUOTES", "own").unwrap();
    let value = || world.server.secret("shop", "qa", "main", "QUOTES");
    let ran = world.run(&["clone", "stg", "qa", "--yes"]);
    assert_eq!(ran.success(), "3 copied, 0 updated, 1 kept in qa (branch main)\n");
    assert_eq!(value().as_deref(), Some("own"));
    let told = parsed(world.run(&["clone", "stg", "qa", "--yes", "--overwrite", "--json"]).success());
    assert_eq!((&told["copied"], &told["not_confirmed"]), (&json!(0), &json!([])));
    assert_eq!(value().as_deref(), Some("other"));
    assert!(world.run(&["clone", "stg@a", "qa@b", "--yes"]).failure(2).contains("promote"));
    world.run(&["clone", "nowhere", "qa", "--yes"]).failure(1);
}
