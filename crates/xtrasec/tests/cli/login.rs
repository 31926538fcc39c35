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
    assert_eq!(stored(&world), json!({ "token": world.server.token(), "apiUrl": world.server.url() }));
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

/// Neither a token nor a base URL in variables.
fn bare(world: &World, arguments: &[&str]) -> Command {
    let mut command = without_token(world, arguments);
    command.env_remove("XTRA_API_URL");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_of_a_login_is_stored_with_the_token_and_later_commands_ask_it() {
    let world = World::new().await;
    let login = ["login", "--api-url", &world.server.url()];
    let ran = fed(&mut bare(&world, &login), world.server.token().as_bytes());
    assert!(ran.success().contains(&world.server.url().replace("/api", "\n")), "{}", ran.stdout());
    run(&mut bare(&world, &["list", "-e", "stg"])).success();
    let doctor = run(&mut bare(&world, &["doctor"]));
    assert!(doctor.success().contains("(~/.xtra/config.json (apiUrl))"), "{}", doctor.stdout());
    // the next login is at the same service, also while a variable has a token
    fed(&mut bare(&world, &["login"]), world.server.token().as_bytes()).success();
    let ran = fed(bare(&world, &["login"]).env("XTRA_TOKEN", "xs_other"), world.server.token().as_bytes());
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    assert_eq!(stored(&world), json!({ "token": world.server.token(), "apiUrl": world.server.url() }));
    // and a file of the working directory may name it then
    world.file(".xtrarc", &json!({ "apiUrl": world.server.url() }).to_string());
    run(&mut bare(&world, &["list", "-e", "stg"])).success();
    run(&mut bare(&world, &["logout"])).success();
    assert!(!world.path(".xtra/config.json").exists());
    assert!(run(&mut bare(&world, &["list", "-e", "stg"])).failure(1).contains("xtrasec login --api-url"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_sends_a_token_where_only_a_file_of_the_working_directory_says() {
    let world = World::new().await;
    fs::create_dir(world.path(".xtra")).unwrap();
    let stored = world.path(".xtra/config.json");
    let host = world.server.url().replace("/api", "");
    let hidden = host.replace("http://", "http://user:canary@");
    for token in [r#"{"token":"xs_canary"}"#, r#"{"token":"xs_canary","apiUrl":"https://own.example/api"}"#] {
        fs::write(&stored, token).unwrap();
        for url in [format!("{host}/api"), format!("{hidden}/canary/api?canary=canary#canary")] {
            world.file(".xtrarc", &json!({ "env": "staging", "apiUrl": url }).to_string());
            for arguments in [
                &["run", "--", "touch", "ran"][..],
                &["list"],
                &["get", "QUOTES", "--show"],
                &["export"],
                &["diff", "stg", "prod"],
                &["set", "A=1"],
                &["branches"],
                &["history", "QUOTES"],
                &["login"],
            ] {
                for variable in [None, Some("XTRA_TOKEN"), Some("XTRA_MACHINE_TOKEN")] {
                    let mut command = bare(&world, arguments);
                    command.envs(variable.map(|name| (name, "xs_canary")));
                    let ran = fed(&mut command, b"xs_canary");
                    let line = ran.failure(1);
                    for part in [".xtrarc", &host, "export XTRA_API_URL=…", "xtrasec login --api-url …"] {
                        assert!(line.contains(part), "{arguments:?}: {part}: {line}");
                    }
                    assert!(!line.contains("canary") && !line.contains(&format!("{host}/")), "{line}");
                }
            }
            let doctor = run(&mut bare(&world, &["doctor"]));
            assert!(doctor.status() == 1 && doctor.stdout().contains(&host), "{}", doctor.stdout());
            assert!(!doctor.stdout().contains("canary"), "{}", doctor.stdout());
        }
    }
    assert_eq!(world.server.total_requests(), 0);
    assert!(!world.path("ran").exists());
    // either way out is one
    let url = world.server.url();
    let token = world.server.token();
    let named = run(bare(&world, &["list"]).env("XTRA_API_URL", &url).env("XTRA_TOKEN", token));
    named.success();
    run(bare(&world, &["list", "--api-url", &url]).env("XTRA_TOKEN", token)).success();
    fed(&mut bare(&world, &["login", "--api-url", &url]), token.as_bytes()).success();
    world.file(".xtrarc", &json!({ "env": "staging", "apiUrl": url }).to_string());
    run(&mut bare(&world, &["list"])).success();
}
