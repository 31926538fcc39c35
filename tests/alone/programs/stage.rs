//! What the programs run against: a service of this process, and an environment that is known to the last variable.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::{Map, Value};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use xtrasecurity::dev_server::{DevServer, DevServerBuilder, ProjectSeed, RateLimits, Role, SecretSeed, UserSeed};

pub const PROJECT: &str = "665f1c2ab7c0de0012345678";
pub const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEA\r\n+/==\n-----END PRIVATE KEY-----\n";
pub const UNICODE: &str = "grüße 你好 🚀 مرحبا e\u{301} \u{2028}\u{a0}end";
pub const SHELL: &str = "a \"b\" 'c' `d` $HOME \\ # e=f\tg\n";

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

pub struct Stage {
    pub server: DevServer,
    home: TempDir,
    /// Its threads answer while this one waits for a program.
    _runtime: Runtime,
}

/// What became of a program.
pub struct Ended {
    pub succeeded: bool,
    /// What its environment held at the end beyond what it was started with, and what of that had changed.
    pub new: Variables,
    /// What it was started with and no longer had.
    pub gone: Vec<String>,
    pub said: String,
}

impl Stage {
    pub fn set() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(world().start()).unwrap();
        Self { server, home: TempDir::new().unwrap(), _runtime: runtime }
    }

    /// Runs a program to its end as the project's owner, with nothing else in its environment.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments)
    }

    /// The same with more variables, or with others.
    pub fn run_with(&self, more: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.arg(crate::programs::PROGRAM).args(arguments);
        self.end(program, more)
    }

    /// The same with few files that may be open at a time, which a shell sees to.
    pub fn run_with_few_files(&self, arguments: &[&str]) -> Ended {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "ulimit -n 64; unset PWD OLDPWD SHLVL; exec \"$0\" \"$@\""]);
        shell.arg(std::env::current_exe().unwrap()).arg(crate::programs::PROGRAM).args(arguments);
        self.end(shell, &[])
    }

    fn end(&self, mut program: Command, more: &[(&str, &str)]) -> Ended {
        let url = self.server.localhost_url();
        let home = self.home.path().to_str().unwrap();
        let credentials = [("XTRA_API_URL", &*url), ("XTRA_PROJECT_ID", PROJECT), ("XTRA_TOKEN", self.server.token())];
        let mut given = variables([("HOME", home)]);
        given.extend(variables(credentials));
        given.extend(variables(more.iter().copied()));
        program.env_clear().envs(&given).current_dir(self.home.path()).stdin(Stdio::null());
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code();
        assert!(code == Some(0) || code == Some(1), "{program:?} ended with {code:?}: {said}");
        let at_the_end = read(&output.stdout);
        let gone = given.keys().filter(|name| !at_the_end.contains_key(*name)).cloned().collect();
        let new = at_the_end.into_iter().filter(|(name, value)| given.get(name) != Some(value)).collect();
        Ended { succeeded: code == Some(0), new, gone, said }
    }
}

fn read(written: &[u8]) -> Variables {
    let text = std::str::from_utf8(written).unwrap();
    let variables = text.split_terminator('\0').map(|line| line.split_once('=').unwrap());
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub fn variables<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Variables {
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

pub fn many() -> Variables {
    variables((0..1_000).map(|number| (format!("KEY_{number:04}"), format!("value {number} \u{e9}"))))
}

pub fn texts() -> Variables {
    variables([
        ("PEM", PEM),
        ("UNICODE", UNICODE),
        ("SHELL_LIKE", SHELL),
        ("EMPTY", ""),
        ("SPACES", "  two  "),
        ("NAME_ÜÑÎ", "a name in Unicode"),
        ("with space/and.more", "a name that no shell takes"),
        ("LONG", &"0123456789abcdef".repeat(4096)),
    ])
}

fn world() -> DevServerBuilder {
    let mut project = ProjectSeed::new("programs")
        .id(PROJECT)
        .member("viewer", Role::Viewer)
        .branch("feature/new-ui")
        .secret("production", "API_KEY", "k-1")
        .secret("production", "DATABASE_URL", "postgres://db")
        .secret("production", "FEATURE", "off")
        .secret("huge", "HUGE", "x".repeat(200 * 1024))
        .secret("huge", "GOOD", "1");
    for (environment, name, value) in [
        ("equals", "A=B", "x"),
        ("nul-in-name", "A\0B", "x"),
        ("nul-in-value", "NUL", "a\0b"),
        ("loader", "LD_PRELOAD", "none.so"),
        ("both", "GOOD2", "x"),
    ] {
        project = project.secret(environment, name, value).secret(environment, "GOOD", "1");
    }
    for (environment, secrets) in [("many", many()), ("texts", texts())] {
        project = secrets.iter().fold(project, |project, (name, value)| project.secret(environment, name, value));
    }
    let mut world = DevServer::builder().rate_limits(RateLimits::off()).user(UserSeed::new("viewer")).project(project);
    for scope in recorded() {
        world = world.project(scope.seed());
    }
    world
}

/// One project of the recorded world, with its secrets by `branch:environment`.
pub struct Recorded {
    pub name: String,
    pub id: String,
    pub places: Vec<(String, String, Variables)>,
}

impl Recorded {
    fn seed(&self) -> ProjectSeed {
        let mut project = ProjectSeed::new(&self.name).id(&self.id);
        for (branch, environment, secrets) in &self.places {
            if branch != "main" {
                project = project.branch(branch);
            }
            for (name, value) in secrets {
                let secret = SecretSeed::new(environment, name, value);
                project = project.with_secret(if branch == "main" { secret } else { secret.on_branch(branch) });
            }
        }
        project
    }
}

/// The plaintexts of the recorded world.
pub fn recorded() -> Vec<Recorded> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/seed-values.json");
    let world: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let object = |value: &Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
    let place = |(place, secrets): (String, Value)| {
        let (branch, environment) = place.rsplit_once(':').unwrap();
        let texts = object(&secrets).into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
        (branch.to_owned(), environment.to_owned(), texts.collect())
    };
    let projects = object(&world["values"]).into_iter().map(|(name, places)| Recorded {
        id: world["projects"][&name].as_str().unwrap().to_owned(),
        places: object(&places).into_iter().map(place).collect(),
        name,
    });
    projects.collect()
}
