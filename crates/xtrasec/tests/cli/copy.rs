//! `xtrasec copy`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xtrasecurity::dev_server::{Fault, route};

use crate::world::{Ran, World, nasty};

fn copy(world: &World, from: &str, to: &str, options: &[&str]) -> Ran {
    world.run(&[&["copy", "--from", from, "--to", to], options].concat())
}

fn value(world: &World, environment: &str, branch: &str, name: &str) -> Option<String> {
    world.server.secret(world.server.project_id(), environment, branch, name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_and_carried_out_only_when_that_is_meant() {
    let world = World::new().await;
    let line = copy(&world, "xtra:stg", "xtra:qa", &[]).failure(2).to_owned();
    assert!(line.contains("--yes") && line.contains("--dry-run"), "{line}");
    let plan = "+ EMPTY\n+ EQUALS\n+ QUOTES\n+ STAGING_ONLY\n\
        4 to create, 0 to update, 0 unchanged, 0 in the way in xtra:qa, which holds no secrets yet\n";
    assert_eq!(copy(&world, "xtra:stg", "xtra:qa", &["--dry-run"]).success(), plan);
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
    let ran = copy(&world, "xtra:stg", "xtra:qa", &["--yes"]);
    let done = ran.success().strip_prefix(plan).unwrap();
    assert!(done.starts_with("written 4 in ") && done.ends_with(" s: 4 created, 0 updated\n"), "{done}");
    assert_eq!(value(&world, "qa", "main", "QUOTES").as_deref(), Some("other"));
    let again = "0 to create, 0 to update, 4 unchanged, 0 in the way in xtra:qa\n";
    assert_eq!(copy(&world, "xtra:staging", "xtra:qa", &["--yes"]).success(), again);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_arrives_as_it_is() {
    let world = World::new().await;
    copy(&world, "xtra:prod", "xtra:mirror", &["--yes"]).success();
    let json = world.run(&["export", "-e", "mirror", "--format", "json"]);
    assert_eq!(serde_json::from_str::<BTreeMap<String, String>>(json.success()).unwrap(), nasty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let ran = copy(&world, "xtra:stg", "xtra:prod", &["--yes"]);
    assert_eq!(ran.status(), 1);
    assert_eq!(
        ran.stdout(),
        "+ STAGING_ONLY\n! QUOTES is in the target with another value\n\
         1 to create, 0 to update, 2 unchanged, 1 in the way in xtra:production\n"
    );
    assert!(ran.one_line().contains("nothing was written") && ran.one_line().contains("--exclude"), "{}", ran.stderr());
    assert_eq!(copy(&world, "xtra:stg", "xtra:prod", &["--dry-run"]).status(), 1);
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);

    for without in ["--exclude", "--except"] {
        copy(&world, "xtra:stg", "xtra:prod", &["--yes", without, "QUOTES"]).success();
    }
    assert_eq!(value(&world, "production", "main", "STAGING_ONLY").as_deref(), Some("s"));
    let text = copy(&world, "xtra:stg", "xtra:prod", &["--yes", "--overwrite"]);
    assert!(text.success().starts_with("~ QUOTES\n"), "{}", text.stdout());
    assert_eq!(value(&world, "production", "main", "QUOTES").as_deref(), Some("other"));
    assert!(value(&world, "production", "main", "LINES").is_some(), "what only the target has stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_kept_is_in_the_way() {
    let world = World::new().await;
    let lost = copy(&world, "xtra:broken", "xtra:qa", &["--dry-run"]);
    assert_eq!(lost.status(), 1);
    assert!(lost.stdout().contains("! LOST cannot be decrypted"), "{}", lost.stdout());
    let odd = copy(&world, "xtra:odd", "xtra:qa", &["--dry-run"]);
    assert!(odd.status() == 1 && odd.stdout().contains("! weird/key name has other characters"), "{}", odd.stdout());
    copy(&world, "xtra:odd", "xtra:qa", &["--yes", "--allow-any-name"]).success();
    assert_eq!(value(&world, "qa", "main", "weird/key name").as_deref(), Some("w"));
    assert!(copy(&world, "xtra:nowhere", "xtra:qa", &["--dry-run"]).failure(1).contains("nowhere"));
    assert!(copy(&world, "xtra:stg", "xtra:qa", &["--dry-run", "--only", "NONE"]).failure(1).contains("NONE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_name_project_environment_and_branch_and_names_are_changed_on_the_way() {
    let world = World::new().await;
    let project = world.server.project_id();
    let from = format!("xtra:{project}/staging@feature/new-ui");
    copy(&world, &from, &format!("xtra:{project}/qa@main"), &["--yes", "--prefix", "UI_"]).success();
    assert_eq!(value(&world, "qa", "main", "UI_QUOTES").as_deref(), Some("branched"));
    assert_eq!(value(&world, "qa", "main", "QUOTES"), None);
    let options = ["--yes", "--only", "EQUALS,STAGING_ONLY", "--prefix", "X_", "--rename", "EQUALS=SIGNS"];
    copy(&world, "xtra:stg", "xtra:qa@feature/new-ui", &options).success();
    assert_eq!(value(&world, "qa", "feature/new-ui", "SIGNS").as_deref(), Some("=a=b==c="));
    assert_eq!(value(&world, "qa", "feature/new-ui", "X_STAGING_ONLY").as_deref(), Some("s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_wrong_usage_and_asks_no_service() {
    let world = World::new().await;
    for (from, to, word) in [
        ("staging", "xtra:qa", "--from does not begin with a service"),
        ("xtra:stg", "vault:qa", "--to names no service"),
        ("xtra:stg@", "xtra:qa", "--from has an empty part"),
        ("xtra:%zz", "xtra:qa", "%25"),
    ] {
        assert!(copy(&world, from, to, &["--yes"]).failure(2).contains(word), "{from} {to}");
    }
    assert!(copy(&world, "xtra:stg", "xtra:qa", &["--json"]).failure(2).contains("--json needs"));
    #[cfg(not(feature = "secr"))]
    assert!(copy(&world, "secr:a/b/c", "xtra:qa", &["--yes"]).failure(2).contains("--features secr"));
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_plan_and_what_became_of_it() {
    let world = World::new().await;
    let parsed = |ran: &Ran| serde_json::from_str::<Value>(ran.stdout()).unwrap();
    let ran = copy(&world, "xtra:stg", "xtra:prod", &["--dry-run", "--json"]);
    assert_eq!(ran.status(), 1);
    let reason = "is in the target with another value";
    let expected = json!({
        "plan": {
            "create": ["STAGING_ONLY"], "update": [], "unchanged": ["EMPTY", "EQUALS"],
            "obstacles": [{ "name": "QUOTES", "source": "QUOTES", "reason": reason }],
        },
        "result": null,
    });
    assert_eq!(parsed(&ran), expected);
    let ran = copy(&world, "xtra:stg", "xtra:prod", &["--yes", "--json", "--overwrite"]);
    ran.success();
    let expected = json!({
        "created": ["STAGING_ONLY"], "updated": ["QUOTES"], "unchanged": ["EMPTY", "EQUALS"], "not_written": [], "in_doubt": [],
    });
    assert_eq!(parsed(&ran)["result"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_stops_tells_how_far_it_came_and_goes_on() {
    let world = World::new().await;
    world.server.fault(Fault::status(403).on(route::SECRETS_UPSERT));
    let ran = copy(&world, "xtra:prod", "xtra:qa", &["--yes"]);
    assert_eq!(ran.status(), 1);
    assert!(ran.one_line().contains("0 of 17 secrets were copied"), "{}", ran.stderr());
    world.server.fault(Fault::status(500).on(route::SECRETS_UPSERT));
    let ran = copy(&world, "xtra:prod", "xtra:qa", &["--yes", "--json"]);
    assert_eq!(ran.status(), 3, "{}", ran.stderr());
    let document: Value = serde_json::from_str(ran.stdout()).unwrap();
    assert_eq!(document["result"]["in_doubt"].as_array().unwrap().len(), nasty().len());
    assert!(ran.one_line().contains("Start the same copy again"), "{}", ran.stderr());
    // the answer is lost, and a read shows that all was written
    world.server.fault(Fault::cut_body().on(route::SECRETS_UPSERT));
    copy(&world, "xtra:prod", "xtra:qa", &["--yes"]).success();
    assert!(copy(&world, "xtra:prod", "xtra:qa", &["--yes"]).success().starts_with("0 to create, 0 to update, 17"));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn production_is_typed_out() {
    use crate::screen::Screen;

    let world = World::new().await;
    let mut command = world.command(&["copy", "--from", "xtra:stg", "--to", "xtra:prod", "--except", "QUOTES"]);
    let mut screen = Screen::start(&mut command);
    screen.wait_for("Write this secret to xtra:production? Type production to go on:");
    screen.types("yes\r");
    let (status, seen) = screen.end();
    assert_ne!(status, Some(0), "{seen}");
    assert_eq!(value(&world, "production", "main", "STAGING_ONLY"), None);
}

/// Between two services.
#[cfg(feature = "infisical")]
mod infisical {
    use std::process::Command;

    use xtrasecurity::infisical::dev::{IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};

    use super::{World, value};
    use crate::world::run;

    async fn start() -> InfisicalDevServer {
        let project = ProjectSeed::new("shop").member("ci", Role::Admin).folder("dev", "/empty");
        let project = project.secret(SecretSeed::new("dev", "HOST", "db.internal"));
        let project = project.secret(SecretSeed::new("dev", "URL", "https://${HOST}/").path("/app"));
        let project = project.secret(SecretSeed::new("dev", "HOST", "app").path("/app"));
        InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project).start().await.unwrap()
    }

    fn command(world: &World, infisical: &InfisicalDevServer, words: &[&str]) -> Command {
        let mut command = world.command(&[&["copy"], words].concat());
        command.env("INFISICAL_DOMAIN", infisical.url()).env("INFISICAL_PROJECT_ID", infisical.project_id());
        command.env("INFISICAL_CLIENT_ID", infisical.client_id("ci").unwrap());
        command.env("INFISICAL_CLIENT_SECRET", infisical.client_secret("ci").unwrap());
        command
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn secrets_go_from_one_service_to_the_other_and_back_with_the_credentials_of_each() {
        let (world, infisical) = (World::new().await, start().await);
        let there = ["--from", "infisical:dev:/app", "--to", "xtra:qa", "--prefix", "APP_", "--yes"];
        run(&mut command(&world, &infisical, &there)).success();
        assert_eq!(value(&world, "qa", "main", "APP_HOST").as_deref(), Some("app"));
        assert_eq!(value(&world, "qa", "main", "APP_URL").as_deref(), Some("https://app/"));
        let stored = ["--from", "infisical:dev:/app", "--to", "xtra:raw", "--keep-references", "--yes"];
        run(&mut command(&world, &infisical, &stored)).success();
        assert_eq!(value(&world, "raw", "main", "URL").as_deref(), Some("https://${HOST}/"));

        let address = format!("infisical:{}/dev:/empty", infisical.project_id());
        let back = ["--from", "xtra:qa", "--to", address.as_str(), "--yes"];
        run(&mut command(&world, &infisical, &back)).success();
        assert_eq!(infisical.value("shop", "dev", "/empty", "APP_URL").as_deref(), Some("https://app/"));
        let again = run(&mut command(&world, &infisical, &back));
        assert_eq!(again.success(), "0 to create, 0 to update, 2 unchanged, 0 in the way in infisical:dev:/empty\n");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_the_other_service_would_change_is_in_the_way() {
        let (world, infisical) = (World::new().await, start().await);
        let ran =
            run(&mut command(&world, &infisical, &["--from", "xtra:prod", "--to", "infisical:dev:/empty", "--yes"]));
        assert_eq!(ran.status(), 1);
        for line in [
            "! BLANK has a value with white space around it",
            "! SURROUNDED has a value with white space around it",
            "! BACKTICKS has a value with ${, which",
        ] {
            assert!(ran.stdout().contains(line), "{line}: {}", ran.stdout());
        }
        assert_eq!(infisical.value("shop", "dev", "/empty", "UNICODE"), None);
        let words = ["--from", "xtra:qa", "--to", "infisical:dev:/nowhere", "--yes"];
        world.server.set_secret("shop", "qa", "main", "A", "1").unwrap();
        let ran = run(&mut command(&world, &infisical, &words));
        assert!(ran.failure(1).contains("Nothing was written"), "{}", ran.stderr());
    }
}
