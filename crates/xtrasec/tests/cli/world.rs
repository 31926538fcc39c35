//! A service, a home, and the command in a clean environment between them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use xtrasecurity::dev_server::{DevServer, Form, ProjectSeed, RateLimits, Role, SecretSeed, UserSeed};

/// What every process of the tests finds its programs by.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Values that something on the way could take for more than text.
pub(crate) const NASTY: &[(&str, &str)] = &[
    ("BACKSLASH", r"C:\new\table \\ \' end"),
    ("BACKTICKS", "`id` $(id) ${HOME} $HOME %PATH% !! ~"),
    ("BLANK", "   "),
    ("CONTROL", "bell\u{7} escape\u{1b}[31m tab\t vertical\u{b} unit\u{1f} del\u{7f} next\u{85}"),
    ("CRLF", "one\r\ntwo\rthree"),
    ("EMPTY", ""),
    ("EQUALS", "=a=b==c="),
    ("EVERY_QUOTE", "\"a\" 'b' `c`\n#d"),
    ("HASH", "# no comment # here"),
    ("HEREDOC", "EOF\nxtrasec_\nNAME<<EOF\n"),
    ("LINES", "\n\nline 1\nline 2\n\n"),
    ("PERCENT", "100%0A%25 %s %n"),
    ("QUOTES", "a \"double\" and a 'single' one"),
    ("SEPARATORS", "a\u{2028}b\u{2029}c\u{feff}d\u{202e}e"),
    ("SURROUNDED", " \t x \t "),
    ("UNICODE", "héllo 你好 🚀 مرحبا \u{e000} \u{10ffff}"),
    ("YAML", "yes: [no, {null: ~}] - *a &b !c | > 0o17 1e3"),
];

pub(crate) struct World {
    pub(crate) server: DevServer,
    pub(crate) home: TempDir,
}

/// What became of a process.
pub(crate) struct Ran {
    pub(crate) output: Output,
}

impl World {
    /// A service with the nasty values in `production`, the recorded ones in `development`, and a little in `staging`.
    pub(crate) async fn new() -> Self {
        let mut project = ProjectSeed::new("shop")
            .member("vic", Role::Viewer)
            .branch("feature/new-ui")
            .secret("staging", "EMPTY", "")
            .secret("staging", "EQUALS", "=a=b==c=")
            .secret("staging", "QUOTES", "other")
            .secret("staging", "STAGING_ONLY", "s")
            .secret("hostile", "LD_PRELOAD", "/tmp/evil.so")
            .secret("hostile", "PAGER", "evil")
            .secret("hostile", "HARMLESS", "h")
            .secret("odd", "weird/key name", "w")
            .secret("odd", "GOOD", "g")
            .secret("broken", "GOOD", "g")
            .with_secret(SecretSeed::new("broken", "LOST", "l").form(Form::Undecryptable))
            .with_secret(SecretSeed::new("staging", "QUOTES", "branched").on_branch("feature/new-ui"));
        for (name, value) in NASTY {
            project = project.secret("production", *name, *value);
        }
        for (name, value) in recorded() {
            project = project.secret("development", name, value);
        }
        let users = [UserSeed::new("owner"), UserSeed::new("vic")];
        let builder = DevServer::builder().project(project).rate_limits(RateLimits::off());
        let server = users.into_iter().fold(builder, |builder, user| builder.user(user)).start().await.unwrap();
        Self { server, home: tempfile::tempdir().unwrap() }
    }

    /// The command with these arguments: nothing is inherited, and the service is known by variables.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtrasec"));
        command.args(arguments).env_clear().current_dir(self.home.path()).stdin(Stdio::null());
        command.envs(self.variables()).env("XTRA_TOKEN", self.server.token());
        command
    }

    /// The variables that `command` sets and a child inherits.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let home = self.home.path().to_str().unwrap();
        [
            ("PATH", PATH),
            ("HOME", home),
            ("XTRA_PROJECT_ID", self.server.project_id()),
            ("XTRA_API_URL", &self.server.url()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file beside the command.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    Ran { output: command.output().unwrap() }
}

/// The values that the recordings of the service began with.
pub(crate) fn recorded() -> BTreeMap<String, String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings/seed-values.json");
    let seed: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let values = seed["values"]["payments"]["main:development"].as_object().unwrap();
    values.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

pub(crate) fn nasty() -> BTreeMap<String, String> {
    NASTY.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

impl Ran {
    /// The status as a shell tells it.
    pub(crate) fn status(&self) -> i32 {
        let status = self.output.status;
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    pub(crate) fn stdout(&self) -> &str {
        std::str::from_utf8(&self.output.stdout).unwrap()
    }

    pub(crate) fn stderr(&self) -> &str {
        std::str::from_utf8(&self.output.stderr).unwrap()
    }

    /// What was written, when nothing went wrong and nothing was remarked.
    #[track_caller]
    pub(crate) fn success(&self) -> &str {
        assert_eq!((self.status(), self.stderr()), (0, ""), "{}", self.stdout());
        self.stdout()
    }

    /// The one line of an error, when there is nothing else but this status.
    #[track_caller]
    pub(crate) fn failure(&self, status: i32) -> &str {
        assert_eq!((self.status(), self.stdout()), (status, ""), "{}", self.stderr());
        self.one_line()
    }

    /// Standard error, which is one line with the name of the command.
    #[track_caller]
    pub(crate) fn one_line(&self) -> &str {
        let line = self.stderr().strip_prefix("xtrasec: ").and_then(|rest| rest.strip_suffix('\n'));
        let line = line.unwrap_or_else(|| panic!("not a line of xtrasec: {:?}", self.stderr()));
        assert!(!line.contains(char::is_control), "{line:?}");
        line
    }
}
