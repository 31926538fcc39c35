//! `xtrasec diff`: names, counts, and values on demand.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn names_are_told_apart_and_counted() {
    let world = World::new().await;
    let text = world.run(&["diff", "stg", "staging@feature/new-ui"]);
    assert_eq!(
        text.success(),
        "- EMPTY\n- EQUALS\n~ QUOTES\n- STAGING_ONLY\n\
         staging -> staging@feature/new-ui: 3 removed, 0 added, 1 changed, 0 the same\n"
    );
    let text = world.run(&["diff", "stg", "prod"]);
    assert!(text.success().contains("~ QUOTES\n") && text.success().contains("+ YAML\n"));
    assert!(text.success().ends_with("staging -> production: 1 removed, 14 added, 1 changed, 2 the same\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_has_the_names_and_the_values_only_when_asked_for() {
    let world = World::new().await;
    let diff = |options: &[&str]| -> Value {
        let arguments = [&["diff", "stg", "stg@feature/new-ui", "--json"], options].concat();
        serde_json::from_str(world.run(&arguments).success()).unwrap()
    };
    let names = json!([{ "name": "EMPTY" }, { "name": "EQUALS" }, { "name": "STAGING_ONLY" }]);
    assert_eq!(diff(&[])["removed"], names);
    assert_eq!(diff(&[])["changed"], json!([{ "name": "QUOTES" }]));
    assert_eq!(diff(&["--show"])["changed"], json!([{ "name": "QUOTES", "first": "other", "second": "branched" }]));
    assert_eq!(diff(&["--show"])["removed"][0], json!({ "name": "EMPTY", "first": "", "second": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_a_status_only_when_asked_for() {
    let world = World::new().await;
    world.run(&["diff", "stg", "prod"]).success();
    assert_eq!(world.run(&["diff", "stg", "prod", "--exit-code"]).status(), 1);
    assert_eq!(world.run(&["diff", "stg", "stg@main", "--exit-code"]).status(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_is_not_heeded_is_remarked() {
    let world = World::new().await;
    let ran = world.run(&["diff", "stg", "stg", "-e", "prod"]);
    assert!(ran.status() == 0 && ran.one_line().starts_with("--env has no effect"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_without_secrets_is_remarked_and_one_that_cannot_be_read_is_an_error() {
    let world = World::new().await;
    let ran = world.run(&["diff", "stg", "nowhere"]);
    assert!(ran.status() == 0 && ran.one_line().contains("nowhere holds no secrets"));
    assert!(world.run(&["diff", "stg", "broken"]).failure(1).contains("LOST"));
}
