//! `login` and `logout`: a token that later commands find.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::set::fed;
use crate::world::{World, mode, run};

/// The command without a token in its environment.
fn without_token(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.env_remove("XTRA_TOKEN");
    command
}

fn stored(world: &World) -> Value {
    serde_json::from_slice(&fs::read(world.path(".xtra/config.json")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_checked_and_stored_and_later_commands_use_it_until_logout() {
    let world = World::new().await;
    let list = || run(&mut without_token(&world, &["list", "-e", "stg"]));
    list().failure(1);
    let token = format!("  {}\n", world.server.token());
    let ran = fed(&mut without_token(&world, &["login"]), token.as_bytes());
    assert!(ran.success().starts_with("logged in as ") && ran.stdout().contains("owner"), "{}", ran.stdout());
    assert!(ran.stdout().contains("~/.xtra/config.json") && !ran.stdout().contains(world.server.token()));
    assert_eq!(stored(&world), json!({ "token": world.server.token() }));
    assert_eq!((mode(&world.path(".xtra")), mode(&world.path(".xtra/config.json"))), (0o700, 0o600));
    list().success();
    let ran = run(&mut without_token(&world, &["logout"]));
    assert!(ran.success().contains("removed"));
    assert!(!world.path(".xtra/config.json").exists());
    list().failure(1);
    assert!(run(&mut without_token(&world, &["logout"])).success().contains("no token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_service_refuses_is_not_stored() {
    let world = World::new().await;
    fs::create_dir(world.path(".xtra")).unwrap();
    fs::write(world.path(".xtra/config.json"), r#"{"token":"xs_before","other":1}"#).unwrap();
    for token in ["xs_canary-1", "", " \n", "xs_canary 2", "canary-ü"] {
        let ran = fed(&mut without_token(&world, &["login"]), token.as_bytes());
        assert!(!ran.failure(1).contains("canary"), "{}", ran.stderr());
    }
    let away = ["login", "--api-url", "http://127.0.0.1:9/api"];
    fed(&mut without_token(&world, &away), world.server.token().as_bytes()).failure(1);
    assert_eq!(stored(&world), json!({ "token": "xs_before", "other": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_another_token_in_a_variable_is_told() {
    let world = World::new().await;
    let ran = fed(&mut world.command(&["login"]), world.server.token().as_bytes());
    assert!(ran.status() == 0 && ran.one_line().contains("XTRA_TOKEN is preferred"), "{}", ran.stderr());
    let ran = world.run(&["logout"]);
    assert!(ran.status() == 0 && ran.one_line().contains("XTRA_TOKEN still gives a token"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_file_of_the_users_own_is_left_alone() {
    let world = World::new().await;
    let login = || fed(&mut without_token(&world, &["login"]), world.server.token().as_bytes());
    let elsewhere = world.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.path(".xtra")).unwrap();
    assert!(login().failure(1).contains("link"));
    fs::remove_file(world.path(".xtra")).unwrap();
    fs::create_dir(world.path(".xtra")).unwrap();
    fs::write(world.path(".xtra/config.json"), "canary").unwrap();
    let ran = login();
    assert!(ran.failure(1).contains("no JSON object") && !ran.stderr().contains("canary"));
    assert_eq!((fs::read_dir(&elsewhere).unwrap().count(), world.server.total_requests()), (0, 0));
    let homeless = fed(without_token(&world, &["login"]).env("HOME", "/nonexistent"), world.server.token().as_bytes());
    homeless.failure(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_the_service_for_a_login_is_told_that_later_commands_do_not_know_it() {
    let world = World::new().await;
    let login = ["login", "--api-url", &world.server.url()];
    let mut command = without_token(&world, &login);
    let ran = fed(command.env_remove("XTRA_API_URL"), world.server.token().as_bytes());
    assert!(ran.status() == 0 && ran.one_line().contains("XTRA_API_URL"), "{}", ran.stderr());
    for known in [&login[..], &["login"]] {
        fed(&mut without_token(&world, known), world.server.token().as_bytes()).success();
    }
}
