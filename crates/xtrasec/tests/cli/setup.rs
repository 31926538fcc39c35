//! `setup`: the file `.xtrarc`, and where it is found.

use std::fs;

use serde_json::{Value, json};

use crate::world::{World, mode, run};

fn written(world: &World) -> Value {
    serde_json::from_slice(&fs::read(world.path(".xtrarc")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_written_with_what_was_given_and_later_commands_use_it() {
    let world = World::new().await;
    let ran = world.run(&["setup", "--env", "stg"]);
    let id = world.server.project_id();
    assert_eq!(ran.success(), format!("wrote .xtrarc: shop ({id}), staging\n"));
    assert_eq!(written(&world), json!({ "project": id, "env": "staging" }));
    assert_eq!(mode(&world.path(".xtrarc")), 0o644);
    let get = run(world.command(&["get", "QUOTES", "--show"]).env_remove("XTRA_PROJECT_ID"));
    assert_eq!(get.success().trim_end(), "other");
    assert!(
        !world.server.token().is_empty()
            && !fs::read_to_string(world.path(".xtrarc")).unwrap().contains(world.server.token())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_changed_when_that_is_meant_and_keeps_what_is_not_ours() {
    let world = World::new().await;
    world.file(".xtrarc", r#"{"env":"odd","branch":"b","createdAt":"now"}"#);
    assert!(world.run(&["setup", "--env", "stg"]).failure(2).contains("--yes"));
    assert_eq!(written(&world)["env"], "odd");
    world.run(&["setup", "--env", "stg", "--yes", "--json"]).success();
    let id = world.server.project_id();
    assert_eq!(written(&world), json!({ "project": id, "env": "staging", "createdAt": "now" }));
    world.file(".xtrarc", "canary");
    let ran = world.run(&["setup", "--env", "stg", "--yes"]);
    assert!(ran.failure(1).contains("no JSON") && !ran.stderr().contains("canary"));
    assert_eq!(fs::read_to_string(world.path(".xtrarc")).unwrap(), "canary");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_not_there_is_not_written_and_a_new_environment_is_remarked() {
    let world = World::new().await;
    world.run(&["setup", "--project", "665f1c2ab7c0de0012345678", "--env", "stg"]).failure(1);
    assert!(!world.path(".xtrarc").exists());
    let ran = world.run(&["setup", "--env", "brand-new"]);
    assert!(ran.status() == 0 && ran.one_line().contains("no secrets in brand-new"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_found_from_below_in_its_repository_and_not_beyond() {
    let world = World::new().await;
    fs::create_dir_all(world.path("repository/.git")).unwrap();
    fs::create_dir_all(world.path("repository/a/b")).unwrap();
    fs::create_dir_all(world.path("loose")).unwrap();
    world.file(".xtrarc", r#"{"env":"odd"}"#);
    let list = |directory: &str| run(world.command(&["list"]).current_dir(world.path(directory)));
    assert_eq!(list("").success(), "GOOD\nweird/key name\n");
    // outside of a repository nothing above counts, and of a repository nothing above its root
    list("loose").failure(2);
    list("repository/a/b").failure(2);
    world.file("repository/.xtrarc", r#"{"env":"stg"}"#);
    assert!(list("repository/a/b").success().contains("STAGING_ONLY"));
    let doctor = run(world.command(&["doctor"]).current_dir(world.path("repository/a/b")));
    assert!(doctor.stdout().contains("../../.xtrarc (env)"), "{}", doctor.stdout());
    world.file("repository/a/.xtrarc", r#"{"branch":"feature/new-ui"}"#);
    list("repository/a/b").failure(2);
}
