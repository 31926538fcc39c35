//! A planted value and a planted token are nowhere that nobody asked for them.

use xtrasecurity::dev_server::{DevServer, Fault, ProjectSeed, RateLimits, UserSeed, route};

use crate::world::{World, run};

/// All commands.
pub(crate) const COMMANDS: &[&str] = &[
    "run",
    "get",
    "list",
    "export",
    "check",
    "example",
    "render",
    "diff",
    "set",
    "import",
    "delete",
    "history",
    "rollback",
    "rotate",
    "link",
    "promote",
    "copy",
    "clone",
    "branches",
    "environments",
    "projects",
    "setup",
    "login",
    "logout",
    "whoami",
    "doctor",
    "dev",
    "completions",
];

const CANARY: &str = "canary-4f1c";
const TOKEN: &str = "xs_canary-4f1c";

async fn world() -> World {
    let owner = UserSeed::new("owner").token(TOKEN);
    let project = ProjectSeed::new("shop")
        .secret("one", "A", format!("{CANARY}\nline"))
        .secret("one", "B", CANARY)
        .secret("two", "A", format!("{CANARY}!"))
        .secret("two", "LD_PRELOAD", CANARY)
        .secret("two", "no name", CANARY);
    let limits = RateLimits::off();
    let server = DevServer::builder().user(owner).project(project).rate_limits(limits).start().await.unwrap();
    let world = World { server, home: tempfile::tempdir().unwrap() };
    let schema = r#"{ "type": "object", "properties": { "A": { "type": "integer" }, "B": { "enum": ["x"] } } }"#;
    world.file("schema.json", schema);
    world.file("secrets.json", r#"{"A":"canary-4f1c","C":"canary-4f1c 2"}"#);
    world.file("good", "a={{ xtra:///one/A }}");
    world.file("bad", "a={{ xtra:///one/A }} c={{ xtra:///one/C }}");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_and_no_token_is_written_unless_values_are_asked_for() {
    let world = world().await;
    let calls: &[&[&str]] = &[
        &["run", "-e", "one", "--", "true"],
        &["run", "-e", "two", "--", "true"],
        &["run", "-e", "two", "--only", "C", "--", "true"],
        &["run", "-e", "one", "--", "no-such-program"],
        &["get", "A", "-e", "one"],
        &["get", "C", "-e", "one", "--show"],
        &["list", "-e", "one"],
        &["list", "-e", "one", "--json"],
        &["export", "-e", "one", "--output", "out"],
        &["export", "-e", "one", "--output", "out"],
        &["export", "-e", "two", "--format", "dotenv", "--output", "new"],
        &["export", "-e", "two", "--format", "shell", "--output", "new"],
        &["export", "-e", "two", "--format", "github", "--output", "new"],
        &["check", "-e", "one", "--schema", "schema.json"],
        &["check", "-e", "one", "--schema", "schema.json", "--json"],
        &["example", "--schema", "schema.json"],
        &["render", "good", "--output", "rendered"],
        &["render", "bad"],
        &["diff", "one", "two"],
        &["diff", "one", "two", "--json"],
        &["doctor", "-e", "one"],
        &["doctor", "-e", "one", "--json"],
        &["completions", "bash"],
        &["set", "C=canary-4f1c", "-e", "one"],
        &["set", "C=canary-4f1c", "-e", "one", "--if-version", "99"],
        &["set", "no name=canary-4f1c", "-e", "one"],
        &["set", "=canary-4f1c", "-e", "one"],
        &["set", "C", "--from-file", "secrets.json", "-e", "one"],
        &["import", "secrets.json", "-e", "one"],
        &["import", "secrets.json", "-e", "one", "--yes", "--verbose"],
        &["import", "secrets.json", "--format", "dotenv", "-e", "one", "--yes"],
        &["import", "secrets.json", "--format", "yaml", "-e", "three", "--yes", "--verify"],
        &["history", "A", "-e", "one"],
        &["history", "A", "-e", "one", "--json"],
        &["rollback", "A", "1", "-e", "one"],
        &["promote", "one", "four", "--yes"],
        &["promote", "two", "four", "--overwrite", "--yes"],
        &["copy", "--from", "xtra:one", "--to", "xtra:seven", "--dry-run", "--verbose"],
        &["copy", "--from", "xtra:one", "--to", "xtra:seven", "--yes", "-vvv"],
        &["copy", "--from", "xtra:one", "--to", "xtra:two", "--yes"],
        &["copy", "--from", "xtra:one", "--to", "xtra:two", "--overwrite", "--yes", "--json"],
        &["copy", "--from", "xs_canary-4f1c", "--to", "canary-4f1c:one", "--yes"],
        &["rotate", "B", "-e", "one"],
        &["rotate", "B", "-e", "one", "--json"],
        &["link", "L", "one", "A", "-e", "five"],
        &["clone", "one", "six", "--yes"],
        &["environments"],
        &["projects", "--json"],
        &["whoami", "-vvv"],
        &["setup", "--env", "one", "-vvv"],
        &["setup", "--yes", "--json"],
        &["dev", "secrets.json"],
        &["completions", "bash", "--dynamic"],
        &["branches"],
        &["branches", "compare", "main", "main"],
        &["delete", "C", "-e", "three", "--yes"],
        &["login"],
        &["logout"],
    ];
    for command in COMMANDS {
        assert!(calls.iter().any(|call| call[0] == *command), "{command} is not called");
    }
    for call in calls {
        silent(&world, call);
        // Values in a shape that nobody expects.
        world.server.fault(
            Fault::body(200, "application/json", format!(r#"{{"A":{{"value":["{CANARY}"]}}}}"#))
                .on(route::SECRETS_READ),
        );
        silent(&world, call);
        world.server.clear_faults();
    }
}

#[track_caller]
fn silent(world: &World, call: &[&str]) {
    let mut command = world.command(call);
    let ran = run(command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"));
    let said = format!("{}{}", ran.stdout(), ran.stderr());
    assert!(!said.contains("canary"), "{call:?} leaks: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_asked_for_are_on_standard_output_only() {
    let world = world().await;
    for call in [
        &["get", "A", "-e", "one", "--show"][..],
        &["list", "-e", "one", "--show"],
        &["export", "-e", "one"],
        &["export", "-e", "one", "--format", "github", "--output", "new"],
        &["render", "good"],
        &["diff", "one", "two", "--show"],
        &["history", "A", "-e", "one", "--show"],
    ] {
        let ran = world.run(call);
        assert!(ran.stdout().contains(CANARY) && !ran.stderr().contains("canary"), "{call:?}");
    }
}
