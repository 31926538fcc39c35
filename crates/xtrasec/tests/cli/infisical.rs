//! `xtrasec --service infisical`: the commands that read, with secrets of Infisical.

use std::process::{Command, Stdio};

use tempfile::TempDir;
use xtrasecurity::infisical::dev::{IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};

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
