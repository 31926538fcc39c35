//! Local mode: a file in the place of the service, for every command, and never in silence.

use std::process::Command;

use serde_json::Value;

use crate::world::{World, run};

fn local(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.env("XTRA_LOCAL_MODE", "true").env_remove("XTRA_TOKEN").env_remove("XTRA_PROJECT_ID");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_read_without_a_token_and_an_environment_and_the_person_is_told() {
    let world = World::new().await;
    world.file(".env.local", "# mine\nLOCAL='a b'\n");
    world.file("template", "l={{ xtra:///dev/LOCAL }}");
    world.file("schema.json", r#"{ "type": "object", "properties": { "LOCAL": { "type": "string" } } }"#);
    for (arguments, expected) in [
        (&["render", "template"][..], "l=a b"),
        (&["check", "--schema", "schema.json"], "the secrets fit the schema: 0 missing, 0 invalid, 0 unexpected\n"),
        (&["get", "LOCAL", "--show"], "a b"),
        (&["list"], "LOCAL\n"),
        (&["run", "--", "printenv", "LOCAL"], "a b\n"),
        (&["export"], "LOCAL='a b'\n"),
        (&["diff", "stg", "prod"], "staging -> production: 0 removed, 0 added, 0 changed, 1 the same\n"),
    ] {
        let ran = run(&mut local(&world, arguments));
        assert_eq!((ran.status(), ran.stdout()), (0, expected), "{}", ran.stderr());
        assert!(ran.one_line().contains(".env.local"), "{}", ran.stderr());
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_of_local_mode_and_what_is_wrong_with_the_file() {
    let world = World::new().await;
    let doctor = || run(&mut local(&world, &["doctor", "--json"]));
    let state = |ran: &crate::world::Ran, name: &str| {
        let report: Value = serde_json::from_str(ran.stdout()).unwrap();
        let checks = report["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == name).map(|check| check["state"].as_str().unwrap().to_owned())
    };
    let ran = doctor();
    assert_eq!((ran.status(), state(&ran, "secrets").as_deref()), (1, Some("problem")), "{}", ran.stdout());
    world.file(".env.local", "LOCAL=1\n");
    let ran = doctor();
    ran.success();
    assert_eq!(state(&ran, "local mode").as_deref(), Some("note"));
    assert_eq!((state(&ran, "secrets").as_deref(), state(&ran, "service")), (Some("ok"), None));
}
