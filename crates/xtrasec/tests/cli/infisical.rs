//! `xtrasec --service infisical`: the commands that read, with secrets of Infisical.

use std::process::{Command, Stdio};

use tempfile::TempDir;
use xtrasecurity::infisical::dev::{Fault, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};

use crate::world::{NASTY, PATH, Ran, run};

struct World {
    server: InfisicalDevServer,
    home: TempDir,
}

impl World {
    async fn new() -> Self {
        let mut project = ProjectSeed::new("shop").member("ci", Role::Admin);
        for (name, value) in NASTY {
            project = project.secret(SecretSeed::new("dev", name, value));
        }
        project = project.secret(SecretSeed::new("dev", "PASSWORD", "in a folder").path("/app"));
        let server = InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project);
        Self { server: server.start().await.unwrap(), home: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtrasec"));
        command.args(["--service", "infisical"]).args(arguments).current_dir(self.home.path()).stdin(Stdio::null());
        command.env_clear().env("PATH", PATH).env("HOME", self.home.path());
        command.env("INFISICAL_DOMAIN", self.server.url()).env("INFISICAL_PROJECT_ID", self.server.project_id());
        command.env("INFISICAL_CLIENT_ID", self.server.client_id("ci").unwrap());
        command.env("INFISICAL_CLIENT_SECRET", self.server.client_secret("ci").unwrap());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_the_secrets_and_not_the_credentials() {
    let world = World::new().await;
    let ran = world.run(&["run", "-e", "dev", "--", "sh", "-c", "printf %s \"$LINES\"; env | grep ^INFISICAL_"]);
    assert_eq!(ran.stderr(), "");
    let lines = NASTY.iter().find(|(name, _)| *name == "LINES").unwrap().1;
    let rest = ran.stdout().strip_prefix(lines).unwrap();
    assert!(!rest.contains("CLIENT_SECRET") && !rest.contains("CLIENT_ID"), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_is_got_and_exported_as_it_is() {
    let world = World::new().await;
    for (name, value) in NASTY {
        assert_eq!(world.run(&["get", "--show", "-e", "dev", name]).success(), *value, "{name}");
    }
    let json = world.run(&["export", "-e", "dev", "--format", "json"]);
    let read: std::collections::BTreeMap<String, String> = serde_json::from_str(json.success()).unwrap();
    assert_eq!(read, crate::world::nasty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_are_those_of_the_environment_and_the_folder_that_were_named() {
    let world = World::new().await;
    let listed = world.run(&["list", "-e", "dev", "--path", "/app"]);
    assert_eq!(listed.success(), "PASSWORD\n");
    let got = run(world
        .command(&["get", "--show", "PASSWORD"])
        .envs([("INFISICAL_ENVIRONMENT", "dev"), ("INFISICAL_SECRET_PATH", "/app")]));
    assert_eq!(got.success(), "in a folder");
    let unnamed = world.run(&["list"]);
    assert!(unnamed.failure(2).contains("INFISICAL_ENVIRONMENT"), "{}", unnamed.stderr());
    // a variable of the other service names nothing here
    let other = run(world.command(&["list"]).env("XTRA_ENV", "dev"));
    assert!(other.failure(2).contains("no environment was given"));
    let missing = world.run(&["get", "--show", "-e", "dev", "NOT_THERE"]);
    assert!(missing.failure(1).contains("NOT_THERE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_infisical_does_not_have_is_wrong_usage_and_asks_no_service() {
    let world = World::new().await;
    let refused: [(&[&str], &str); 4] = [
        (&["list", "-e", "dev", "--branch", "main"], "branches"),
        (&["list", "-e", "dev", "--profile", "work"], "profiles"),
        (&["delete", "-e", "dev", "LINES"], "for run, get, list and export"),
        (&["diff", "dev", "prod"], "for run, get, list and export"),
    ];
    for (arguments, word) in refused {
        assert!(world.run(arguments).failure(2).contains(word), "{arguments:?}");
    }
    let mut folder = Command::new(env!("CARGO_BIN_EXE_xtrasec"));
    let folder = run(folder.args(["list", "-e", "dev", "--path", "/app"]).env_clear());
    assert!(folder.failure(2).contains("--service infisical"));
    assert_eq!(world.server.total_requests(), 0);
}

/// The command without credentials and with these variables.
fn bare(home: &TempDir, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtrasec"));
    command.args(["--service", "infisical"]).args(arguments).current_dir(home.path()).stdin(Stdio::null());
    run(command.env_clear().env("PATH", PATH).env("HOME", home.path()).envs(variables.iter().copied()))
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_names_the_variables_of_infisical_and_none_of_another_service() {
    const PROJECT: (&str, &str) = ("INFISICAL_PROJECT_ID", "7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80");
    const TOKEN: (&str, &str) = ("INFISICAL_TOKEN", "a-token");
    const ENDS: (&str, &str) = ("INFISICAL_TOKEN", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQ4MDAwMDAwMDB9.c2ln");
    const NOBODY: (&str, &str) = ("INFISICAL_DOMAIN", "http://127.0.0.1:9");
    let home = tempfile::tempdir().unwrap();
    let list: &[&str] = &["list", "-e", "dev"];
    type Variables<'v> = &'v [(&'v str, &'v str)];
    let cases: [(Variables<'_>, &[&str], i32, &str); 9] = [
        (&[PROJECT], list, 1, "Set INFISICAL_TOKEN, or better the id and the secret of a client"),
        (&[PROJECT, ("INFISICAL_CLIENT_ID", "x")], list, 1, "INFISICAL_CLIENT_SECRET is not"),
        (&[TOKEN], list, 1, "Set INFISICAL_PROJECT_ID, or add --project ID"),
        (&[TOKEN, PROJECT], &["list"], 2, "--env NAME, or set INFISICAL_ENVIRONMENT"),
        (&[TOKEN, PROJECT, ("INFISICAL_DOMAIN", "http://x.example")], list, 1, "It comes from INFISICAL_DOMAIN"),
        (&[TOKEN, PROJECT], &["list", "-e", "dev", "--api-url", "x.example"], 2, "It comes from --api-url"),
        (&[TOKEN, PROJECT], &["list", "-e", "dev", "--path", "//x"], 2, "Write it as /app/db"),
        (
            &[ENDS, PROJECT, NOBODY],
            &["run", "--offline", "-e", "dev", "--", "true"],
            1,
            "the id and the secret of a client",
        ),
        (&[PROJECT, ("INFISICAL_MACHINE_IDENTITY_ID", "x")], list, 1, "Set INFISICAL_AUTH_METHOD"),
    ];
    let assert_own = |text: &str| {
        assert!(!text.contains("XTRA_") && !text.contains("xtrasec login") && !text.contains("branch"), "{text}");
    };
    for (variables, arguments, status, words) in cases {
        let ran = bare(&home, variables, arguments);
        assert!(ran.failure(status).contains(words), "{arguments:?}: {}", ran.stderr());
        assert_own(ran.stderr());
    }
    let file = r#"{"workspaceId":"7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80","domain":"https://elsewhere.example"}"#;
    std::fs::write(home.path().join(".infisical.json"), file).unwrap();
    let ran = bare(&home, &[TOKEN], list);
    assert!(ran.failure(1).contains("export INFISICAL_DOMAIN=…, or add --api-url …"), "{}", ran.stderr());
    assert_own(ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_words_of_infisical() {
    let world = World::new().await;
    for (arguments, words) in [
        (&["get", "--show", "-e", "dev", "NOT_THERE"][..], "the environment and the folder (--path)"),
        (&["run", "-e", "staging", "--", "true"], "what is in another folder is read with --path"),
        (&["list", "-e", "nowhere"], "no such environment"),
        (&["list", "-e", "dev", "--path", "/nowhere"], "no such folder"),
        (&["list", "-e", "dev", "--project", "shop"], "INFISICAL_PROJECT_SLUG"),
    ] {
        let ran = world.run(arguments);
        assert!(ran.failure(1).contains(words), "{arguments:?}: {}", ran.stderr());
        assert!(!ran.stderr().contains("XTRA_") && !ran.stderr().contains("branch"), "{}", ran.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_starts_from_a_copy_when_infisical_is_away_and_a_refusal_ends_that() {
    let world = World::new().await;
    let offline = |path| {
        let mut command =
            world.command(&["run", "--offline", "-e", "dev", "--path", path, "--", "printenv", "PASSWORD"]);
        command.env("XDG_CACHE_HOME", world.home.path().join("cache"));
        command
    };
    let away = || run(offline("/app").env("INFISICAL_DOMAIN", "http://127.0.0.1:9"));
    let before = away();
    assert!(before.failure(1).contains("none was saved"), "{}", before.stderr());
    assert_eq!(run(&mut offline("/app")).success(), "in a folder\n");
    world.server.fault(Fault::status(503).forever());
    let ran = run(&mut offline("/app"));
    assert_eq!((ran.status(), ran.stdout()), (0, "in a folder\n"), "{}", ran.stderr());
    assert!(ran.one_line().contains("a copy that was saved"), "{}", ran.stderr());
    // a copy is of one server, one client and one folder
    assert!(away().failure(1).contains("none was saved"));
    run(&mut offline("/")).failure(1);
    world.server.clear_faults();
    world.server.revoke_client_secrets("ci").unwrap();
    let refused = run(&mut offline("/app"));
    assert!(refused.failure(1).contains("refuses the credentials"), "{}", refused.stderr());
    assert!(!refused.stderr().contains("XTRA_"), "{}", refused.stderr());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_keyring_is_looked_for_with_the_feature_alone() {
    let world = World::new().await;
    let directory = world.home.path().join(".infisical");
    std::fs::create_dir(&directory).unwrap();
    let login = r#"{"loggedInUserEmail": "dev@example.com", "vaultBackendType": "auto"}"#;
    std::fs::write(directory.join("infisical-config.json"), login).unwrap();
    let bus = format!("unix:path={}", world.home.path().join("nowhere").display());
    let mut command = world.command(&["list", "-e", "dev"]);
    command.env_remove("INFISICAL_CLIENT_ID").env_remove("INFISICAL_CLIENT_SECRET");
    let ran = run(command.env("DBUS_SESSION_BUS_ADDRESS", bus));
    let expected = if cfg!(feature = "keyring") { "it cannot be reached" } else { "the feature `keyring`" };
    let told = ran.stderr();
    assert!(told.contains("the keyring of the operating system") && told.contains(expected), "{told}");
}
