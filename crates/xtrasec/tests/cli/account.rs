//! `whoami`, `projects`, `environments`, and the profiles of `login`.

use std::fs;

use serde_json::{Value, json};
use xtrasecurity::dev_server::{DevServer, ProjectSeed, ServiceAccountSeed, UserSeed};

use crate::set::fed;
use crate::world::{World, mode, run};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_s_owner_and_projects_are_told() {
    let world = World::new().await;
    let ran = world.run(&["whoami"]);
    assert!(ran.success().contains("owner"), "{}", ran.stdout());
    let who = parsed(world.run(&["whoami", "--json"]).success());
    assert_eq!(who["kind"], "user");
    let id = world.server.project_id();
    assert_eq!(world.run(&["projects"]).success(), format!("{id}  shop\n"));
    let projects = parsed(world.run(&["projects", "--json"]).success());
    assert_eq!((&projects[0]["id"], &projects[0]["name"]), (&json!(id), &json!("shop")));
    assert!(run(world.command(&["whoami"]).env("XTRA_TOKEN", "xs_wrong")).failure(1).contains("token"));
    assert!(run(world.command(&["whoami"]).env("XTRA_LOCAL_MODE", "true")).failure(1).contains("XTRA_LOCAL_MODE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_is_told_its_own_project_and_its_environments() {
    let project = ProjectSeed::new("web")
        .secret("staging", "A", "1")
        .service_account(ServiceAccountSeed::new("ci", ["read:secrets"]));
    let server = DevServer::builder().user(UserSeed::new("owner")).project(project).start().await.unwrap();
    let token = server.token_for("ci").unwrap().to_owned();
    let world = World { server, home: tempfile::tempdir().unwrap() };
    let call = |arguments: &[&str]| {
        run(world.command(arguments).env("XTRA_TOKEN", &token).env_remove("XTRA_PROJECT_ID")).success().to_owned()
    };
    assert!(call(&["whoami"]).starts_with("the service account ci of the project "));
    assert_eq!(parsed(&call(&["whoami", "--json"]))["kind"], "service account");
    assert_eq!(call(&["projects"]), format!("{}  web\n", world.server.project_id()));
    assert_eq!(call(&["environments"]), "staging  1 secrets\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_listed_with_the_number_of_their_secrets() {
    let world = World::new().await;
    let ran = world.run(&["environments"]);
    let lines: Vec<_> = ran.success().lines().collect();
    assert!(lines.contains(&"broken       2 secrets") && lines.is_sorted(), "{lines:?}");
    let list = parsed(world.run(&["environments", "--json"]).success());
    assert!(list.as_array().unwrap().contains(&json!({ "name": "odd", "secrets": 2 })));
    assert!(world.run(&["environments", "-e", "stg"]).one_line().contains("--env has no effect"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_stored_beside_the_default_token_and_used_by_name() {
    let world = World::new().await;
    let bare = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env_remove("XTRA_TOKEN").env_remove("XTRA_API_URL");
        command
    };
    let (url, token) = (world.server.url(), world.server.token_for("vic").unwrap().to_owned());
    fs::create_dir(world.path(".xtra")).unwrap();
    world.file(".xtra/config.json", r#"{"token":"xs_default","apiUrl":"http://127.0.0.1:9/api","other":1}"#);
    let ran = fed(&mut bare(&["login", "--profile", "work", "--api-url", &url]), token.as_bytes());
    assert!(ran.success().contains("profile \"work\"") && !ran.stdout().contains(&token), "{}", ran.stdout());
    let stored = || parsed(&fs::read_to_string(world.path(".xtra/config.json")).unwrap());
    assert_eq!(stored()["profiles"], json!({ "work": { "token": token, "apiUrl": url } }));
    assert_eq!((&stored()["token"], &stored()["other"]), (&json!("xs_default"), &json!(1)));
    assert_eq!(mode(&world.path(".xtra/config.json")), 0o600);

    assert!(run(&mut bare(&["whoami", "--profile", "work"])).success().contains("vic"));
    assert!(run(bare(&["whoami"]).env("XTRA_PROFILE", "work")).success().contains("vic"));
    // the flag is preferred to the variable, and both to another token and to the service that a variable names
    let other = run(world.command(&["whoami", "--profile", "work"]).env("XTRA_API_URL", "http://127.0.0.1:9/api"));
    assert!(other.success().contains("vic"));
    let missing = run(bare(&["whoami", "--profile", "wrok"]).env("XTRA_PROFILE", "work"));
    assert!(missing.failure(2).contains("\"wrok\"") && missing.stderr().contains("\"work\""), "{}", missing.stderr());
    let report = run(bare(&["doctor", "--profile", "work"]).env("XTRA_ENV", "stg"));
    assert!(
        report.stdout().contains("(the profile)") && report.stdout().contains("staging (XTRA_ENV)"),
        "{}",
        report.stdout()
    );

    run(&mut bare(&["logout", "--profile", "work"])).success();
    assert_eq!(stored(), json!({ "token": "xs_default", "apiUrl": "http://127.0.0.1:9/api", "other": 1 }));
    assert!(run(&mut bare(&["logout", "--profile", "work"])).success().contains("no profile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_name_environment_and_branch_after_the_options_and_before_the_file() {
    let world = World::new().await;
    world.file(".xtrarc", r#"{"env":"odd","branch":"main"}"#);
    let get = |options: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["get", "QUOTES", "--show"], options].concat();
        run(world.command(&arguments).envs(variables.iter().copied()))
    };
    assert_eq!(get(&[], &[("XTRA_ENV", "stg"), ("XTRA_BRANCH", "")]).success().trim_end(), "other");
    let both = [("XTRA_ENV", "stg"), ("XTRA_BRANCH", "feature/new-ui")];
    assert_eq!(get(&[], &both).success().trim_end(), "branched");
    assert_eq!(get(&["-b", "main"], &both).success().trim_end(), "other");
    assert_eq!(get(&["-e", "odd"], &both).status(), 1);
    // a variable that is always there is no argument without effect
    assert_eq!(run(world.command(&["environments"]).env("XTRA_ENV", "stg")).stderr(), "");
}
