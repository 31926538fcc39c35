//! The command, and what it has written of the values.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value};

use crate::service;
use crate::values::values;

/// The command with a service that holds the values.
pub struct Xtrasec {
    program: PathBuf,
    home: PathBuf,
    port: u16,
}

/// A file in one of the forms.
pub struct Exported {
    pub file: PathBuf,
    /// The values that are in it.
    pub values: Vec<(String, String)>,
    /// Those that the command has refused by name.
    pub refused: BTreeSet<String>,
    pub output: String,
    /// Standard error of the run that wrote the file.
    pub told: String,
}

impl Xtrasec {
    pub fn new(program: PathBuf, home: PathBuf) -> Self {
        let all: Map<String, Value> = values().into_iter().map(|(name, value)| (name, value.into())).collect();
        let (port, _) = service::serve(Value::from(all).to_string());
        Self { program, home, port }
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)], directory: &Path) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("HOME", &self.home).current_dir(directory);
        command.envs(variables.iter().copied()).output().expect("the command can be started")
    }

    /// All values that the form can hold. What it cannot hold is refused by name, with nothing written.
    pub fn export(&self, format: &str) -> Exported {
        let file = self.home.join(format!("exported.{format}"));
        let url = format!("http://127.0.0.1:{}/api", self.port);
        let variables =
            [("XTRA_TOKEN", "xs_readers"), ("XTRA_PROJECT_ID", "0123456789abcdef01234567"), ("XTRA_API_URL", &url)];
        let mut refused = BTreeSet::<String>::new();
        loop {
            let exclude = refused.iter().map(String::as_str).collect::<Vec<_>>().join(",");
            let path = file.to_str().expect("a path in UTF-8");
            let mut arguments = vec!["export", "-e", "production", "--format", format, "--output", path];
            if !exclude.is_empty() {
                arguments.extend(["--exclude", &exclude]);
            }
            let output = self.run(&arguments, &variables, &self.home);
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_tells_no_value(&told);
            let all = values().into_iter();
            if output.status.success() {
                let values = all.filter(|(name, _)| !refused.contains(name)).collect();
                let output = String::from_utf8(output.stdout).expect("text");
                return Exported { file, values, refused, output, told };
            }
            assert!(!file.exists() && output.stdout.is_empty(), "{format}: something was written in spite of: {told}");
            let more: Vec<_> = all.map(|(name, _)| name).filter(|name| names(&told, name)).collect();
            assert!(more.iter().any(|name| !refused.contains(name)), "{format}: {told}");
            refused.extend(more);
        }
    }

    /// What the command itself reads of a `.env` file.
    pub fn local(&self, file: &Path) -> Option<Value> {
        let directory = self.home.join("local");
        fs::create_dir_all(&directory).expect("a directory");
        fs::copy(file, directory.join(".env.local")).expect("a copy");
        let arguments = ["export", "-e", "production", "--format", "json"];
        let output = self.run(&arguments, &[("XTRA_LOCAL_MODE", "true")], &directory);
        assert!(output.status.success(), "local mode: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).ok()
    }
}

impl Exported {
    /// The names of which the command told that this reader misreads them.
    pub fn misread_by(&self, reader: &str) -> BTreeSet<&str> {
        let begins = format!("xtrasec: {reader} reads other values");
        let line = self.told.lines().find(|line| line.starts_with(&begins)).unwrap_or_default();
        let told: BTreeSet<&str> = line.split('"').skip(1).step_by(2).collect();
        self.values.iter().map(|(name, _)| name.as_str()).filter(|name| told.contains(name)).collect()
    }
}

fn names(text: &str, name: &str) -> bool {
    text.contains(&format!("\"{name}\""))
}

fn assert_tells_no_value(told: &str) {
    for (name, value) in values() {
        // short ones are in any text
        assert!(value.len() < 8 || !told.contains(&value), "the value of {name} is told: {told}");
    }
}
