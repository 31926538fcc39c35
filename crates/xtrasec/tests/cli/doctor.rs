//! `xtrasec doctor`: what was found, and what is wrong with it.

use serde_json::Value;
use xtrasecurity::dev_server::{Fault, route};

use crate::world::{NASTY, Ran, World, run};

/// The state and the detail of a check.
#[track_caller]
fn check<'r>(report: &'r Value, name: &str) -> (&'r str, &'r str) {
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}: {report}"));
    (check["state"].as_str().unwrap(), check["detail"].as_str().unwrap())
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(ran.stdout()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everything_works_each_part_is_told_with_its_origin_and_no_value() {
    let world = World::new().await;
    let ran = world.run(&["doctor", "-e", "prod", "--json"]);
    ran.success();
    let report = report(&ran);
    assert_eq!(report["ok"], true);
    assert_eq!(check(&report, "token"), ("ok", "[REDACTED] (XTRA_TOKEN)"));
    assert_eq!(check(&report, "environment"), ("ok", "production (--env)"));
    assert_eq!(check(&report, "branch"), ("ok", "main (default)"));
    assert_eq!(check(&report, "service").0, "ok");
    assert_eq!(check(&report, "secrets"), ("ok", format!("{} in production", NASTY.len()).as_str()));
    assert!(!ran.stdout().contains(world.server.token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_left_are_those_that_the_service_tells() {
    use xtrasecurity::dev_server::{DevServer, RateLimits};
    let mut world = World::new().await;
    world.server = DevServer::builder().rate_limits(RateLimits::default()).start().await.unwrap();
    let report = report(&world.run(&["doctor", "-e", "prod", "--json"]));
    let (state, detail) = check(&report, "quota");
    assert!(
        state == "ok" && detail.starts_with("99998 of 100000") && detail.contains("all again in 1440 min"),
        "{detail}"
    );
    // A service account knows its project by itself.
    let account = world.server.token_for("ci").unwrap();
    let ran = run(world.command(&["doctor", "-e", "prod"]).env_remove("XTRA_PROJECT_ID").env("XTRA_TOKEN", account));
    assert!(ran.success().contains("99996 of 100000"), "{}", ran.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_with_the_settings_is_told_at_once_and_nothing_is_sent() {
    let world = World::new().await;
    let mut command = world.command(&["doctor", "-p", "..", "-e", ".."]);
    let ran = run(command.env_remove("XTRA_TOKEN"));
    assert_eq!((ran.status(), ran.stderr()), (1, ""));
    let problems = ran.stdout().lines().filter(|line| line.starts_with("problem")).count();
    assert_eq!(problems, 3, "{}", ran.stdout());
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_a_problem() {
    let world = World::new().await;
    let refused = |command: &mut std::process::Command, name: &str| {
        let ran = run(command);
        assert_eq!((ran.status(), ran.stderr()), (1, ""), "{}", ran.stdout());
        let report = report(&ran);
        let (state, detail) = check(&report, name);
        assert_eq!(state, "problem", "{detail}");
        detail.to_owned()
    };
    let doctor = ["doctor", "-e", "stg", "--json"];
    refused(world.command(&doctor).env("XTRA_TOKEN", "xs_wrong"), "secrets");
    let viewer = world.server.token_for("vic").unwrap();
    let detail = refused(world.command(&doctor).env("XTRA_TOKEN", viewer), "secrets");
    assert!(detail.starts_with("4 of 4") && detail.contains("masked"), "{detail}");
    world.server.fault(Fault::status(500).on(route::HEALTH).forever());
    refused(&mut world.command(&doctor), "service");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_environment_the_rest_is_told() {
    let world = World::new().await;
    let ran = world.run(&["doctor"]);
    assert!(ran.success().contains("--env NAME"), "{}", ran.stdout());
    assert!(ran.stdout().lines().any(|line| line.starts_with("note     quota")), "{}", ran.stdout());
    assert_eq!(world.server.request_count(route::SECRETS_READ), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_is_told_with_the_place_where_it_was_found() {
    let world = World::new().await;
    let (id, url) = (world.server.project_id(), world.server.url());
    world.file(".xtrarc", &format!(r#"{{"project":"{id}","env":"stg","branch":"feature/new-ui","apiUrl":"{url}"}}"#));
    // which the file may name because the user does too
    std::fs::create_dir(world.path(".xtra")).unwrap();
    world.file(".xtra/config.json", &format!(r#"{{"apiUrl":"{url}"}}"#));
    let mut command = world.command(&["doctor", "--json"]);
    let ran = run(command.env_remove("XTRA_PROJECT_ID").env_remove("XTRA_API_URL"));
    ran.success();
    let report = report(&ran);
    for name in ["project", "environment", "branch", "api url"] {
        assert!(check(&report, name).1.contains(".xtrarc"), "{name}: {}", check(&report, name).1);
    }
    let given = ["doctor", "--json", "-e", "stg", "-b", "main", "-p", id, "--api-url", &url];
    let report: Value = serde_json::from_str(world.run(&given).success()).unwrap();
    for (name, option) in
        [("project", "--project"), ("environment", "--env"), ("branch", "--branch"), ("api url", "--api-url")]
    {
        let (state, detail) = check(&report, name);
        assert!(state == "ok" && detail.ends_with(&format!("({option})")), "{name}: {detail}");
    }
}
