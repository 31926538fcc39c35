//! `xtrasec --service secr` and `--service syvault`, and copies to and from them.

use std::process::{Command, Stdio};

use tempfile::TempDir;
use xtrasecurity::secr::dev::{CallerSeed, ProjectSeed, SecrDevServer};
use xtrasecurity::syvault::SyVaultFolder;
use xtrasecurity::syvault::dev::{SecretSeed, SyVaultDevServer};

use crate::world::{NASTY, PATH, Ran, World, nasty, run};

/// The key of the folder `f-1`.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Services {
    secr: SecrDevServer,
    syvault: SyVaultDevServer,
    home: TempDir,
}

impl Services {
    async fn new() -> Self {
        let (mut project, mut nasty) = (ProjectSeed::new("acme", "web"), SecretSeed::new("f-1", "Nasty").uid("uid-1"));
        for (name, value) in NASTY {
            project = project.secret("production", name, *value);
            nasty = nasty.field(name, *value);
        }
        let secr = SecrDevServer::builder().project(project).caller(CallerSeed::new("ci")).start().await.unwrap();
        let folder = SyVaultFolder::new("f-1").key(KEY);
        let syvault = SyVaultDevServer::builder().folder(folder).secret(nasty).start().await.unwrap();
        Self { secr, syvault, home: tempfile::tempdir().unwrap() }
    }

    fn variables(&self, command: &mut Command) {
        command.env("SECR_API_URL", self.secr.url()).env("SECR_TOKEN", self.secr.token());
        command.env("SY_SERVER", self.syvault.url()).env("SY_CLIENT_ID", self.syvault.client_id("ci").unwrap());
        command.env("SY_CLIENT_SECRET", self.syvault.client_secret("ci").unwrap());
        command.env("SY_FOLDER_KEYS", format!("f-1={KEY}"));
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtrasec"));
        command.args(arguments).current_dir(self.home.path()).stdin(Stdio::null());
        command.env_clear().env("PATH", PATH).env("HOME", self.home.path());
        self.variables(&mut command);
        run(&mut command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_secr_and_syvault_are_got_listed_exported_and_given_to_programs_as_they_are() {
    let services = Services::new().await;
    let secr: &[&str] = &["--service", "secr", "--project", "acme/web", "-e", "production"];
    for place in [secr, &["--service", "syvault", "-e", "uid-1"], &["--service", "syvault", "-e", "f-1/Nasty"]] {
        for (name, value) in NASTY {
            assert_eq!(services.run(&[place, &["get", "--show", name]].concat()).success(), *value, "{name}");
        }
        let names: String = nasty().keys().map(|name| format!("{name}\n")).collect();
        assert_eq!(services.run(&[place, &["list"]].concat()).success(), names);
        let json = services.run(&[place, &["export", "--format", "json"]].concat());
        let read: std::collections::BTreeMap<String, String> = serde_json::from_str(json.success()).unwrap();
        assert_eq!(read, nasty());
        let ran = services.run(&[place, &["run", "--", "sh", "-c", "printf %s \"$UNICODE\"; env"]].concat());
        let unicode = &nasty()["UNICODE"];
        let environment = ran.success().strip_prefix(unicode.as_str()).unwrap();
        for variable in ["SECR_TOKEN", "SY_CLIENT_SECRET", "SY_FOLDER_KEYS"] {
            assert!(!environment.contains(variable), "{variable}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_secr_and_syvault_do_not_have_is_wrong_usage_and_asks_no_service() {
    let services = Services::new().await;
    let refused: [(&[&str], &str); 8] = [
        (&["--service", "secr", "list", "-e", "production"], "--project ORG/PROJECT"),
        (&["--service", "secr", "list", "-e", "production", "-p", "web"], "--project ORG/PROJECT"),
        (&["--service", "secr", "list", "-p", "acme/web"], "--env NAME"),
        (&["--service", "secr", "list", "-p", "acme/web", "-e", "x", "--branch", "main"], "branches"),
        (&["--service", "secr", "get", "A", "--show", "--resolve", "-p", "acme/web", "-e", "x"], "--resolve"),
        (&["--service", "syvault", "list", "-e", "uid-1", "-p", "web"], "--project"),
        (&["--service", "syvault", "list"], "--env UID"),
        (&["--service", "syvault", "delete", "A", "-e", "uid-1"], "for run, get, list and export"),
    ];
    for (arguments, word) in refused {
        assert!(services.run(arguments).failure(2).contains(word), "{arguments:?}");
    }
    assert_eq!((services.secr.total_requests(), services.syvault.total_requests()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_from_xtrasecurity_to_secr_to_syvault_and_back() {
    let (world, services) = (World::new().await, Services::new().await);
    let copy = |from: &str, to: &str| {
        let mut command = world.command(&["copy", "--from", from, "--to", to, "--yes"]);
        services.variables(&mut command);
        run(&mut command)
    };
    copy("xtra:prod", "secr:acme/web/staging").success();
    copy("secr:acme/web/staging", "syvault:f-1/Web%2FAPI").success();
    copy("syvault:f-1/Web%2FAPI", "xtra:back").success();
    let json = world.run(&["export", "-e", "back", "--format", "json"]);
    assert_eq!(serde_json::from_str::<std::collections::BTreeMap<_, _>>(json.success()).unwrap(), nasty());
    // a secret of SyVault is there once, and takes no change
    assert!(copy("xtra:back", "syvault:f-1/Web%2FAPI").success().starts_with("0 to create, 0 to update, 17 unchanged"));
    let ran = copy("xtra:stg", "syvault:f-1/Web%2FAPI");
    assert_eq!(ran.status(), 1);
    assert!(ran.stdout().contains("! STAGING_ONLY is not in the secret that is there"), "{}", ran.stdout());
}
