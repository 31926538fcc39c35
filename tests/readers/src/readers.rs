//! The programs and libraries that read a form, each by what it makes of a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::export::Exported;
use crate::service;

/// What a reader has found. A value that it does not have is one that it has not read.
pub type Found = BTreeMap<String, String>;

/// Whether a program can be started.
pub fn is_installed(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn strings(value: Value) -> Found {
    let Value::Object(map) = value else { return Found::new() };
    map.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}

/// A program that writes an object of JSON, with the file as its last argument.
pub fn json(program: &str, arguments: &[&str], file: &Path) -> Found {
    let output = Command::new(program).args(arguments).arg(file).output().expect("it is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    strings(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{program}: {error}: {told}")))
}

/// What a shell has after it has run `line` with the file as `$1`. It must not run anything else: no program can be found, and
/// a file that is made is seen.
pub fn shell(shell: &str, line: &str, exported: &Exported) -> Found {
    let directory = exported.file.with_extension(format!("{shell}.d"));
    fs::create_dir_all(&directory).expect("a directory");
    let is_variable = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let names: Vec<_> =
        exported.values.iter().map(|(name, _)| name.as_str()).filter(|name| is_variable(name)).collect();
    let print: String = names.iter().map(|name| format!("printf '%s\\0' \"${name}\"\n")).collect();
    let mut command = Command::new(format!("/bin/{shell}"));
    command.args(["-c", &format!("{line}\n{print}"), shell]).arg(&exported.file);
    command.env_clear().env("PATH", "/nowhere").env("HOME", "/home").current_dir(&directory).stdin(Stdio::null());
    let output = command.output().expect("it is installed");
    let made: Vec<_> =
        fs::read_dir(&directory).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert!(made.is_empty(), "{shell} has run a part of {}: {made:?}", exported.file.display());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    names.into_iter().map(str::to_owned).zip(printed.split_terminator('\0').map(str::to_owned)).collect()
}

/// `node --env-file`, by the environment of the process.
pub fn node_env_file(exported: &Exported) -> Found {
    let script = "console.log(JSON.stringify(process.env))";
    let option = format!("--env-file={}", exported.file.display());
    let mut command = Command::new("node");
    // a variable that is there already is not replaced
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).args([&option, "-e", script]);
    let output = command.output().expect("it is installed");
    strings(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// dotenvy, as its `dotenv()` goes through a file: up to the first line that it cannot read.
pub fn dotenvy(file: &Path) -> Found {
    dotenvy::from_path_iter(file).expect("a file").map_while(Result::ok).collect()
}

/// docker's client, by the environment that it sends to its daemon.
pub fn docker(file: &Path) -> Found {
    let (port, posted) = service::serve(r#"{"Id":"x","Warnings":[]}"#.to_owned());
    let mut command = Command::new("docker");
    command.env("DOCKER_HOST", format!("tcp://127.0.0.1:{port}")).args(["create", "--env-file"]).arg(file).arg("image");
    let output = command.output().expect("it is installed");
    assert!(output.status.success(), "docker: {}", String::from_utf8_lossy(&output.stderr));
    let body = posted.try_recv().expect("docker has sent a container");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    let lines = body["Env"].as_array().expect("an environment").iter().filter_map(Value::as_str);
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// kubectl, by the object that it would send.
pub fn kubectl(file: &Path) -> Found {
    let mut command = Command::new("kubectl");
    command.args(["create", "configmap", "x", "--dry-run=client", "-o", "json"]);
    let output = command.arg(format!("--from-env-file={}", file.display())).output().expect("it is installed");
    assert!(output.status.success(), "kubectl: {}", String::from_utf8_lossy(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    strings(object["data"].clone())
}

/// The rules of docker's documentation: lines, of which the part behind the first `=` is the value as it stands.
pub fn docker_rules(text: &str) -> Found {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The rules of GitHub's runner: a value is what stands between its two words, without the last line end.
pub fn github_rules(text: &str) -> Found {
    let mut found = Found::new();
    let mut rest = text;
    while let Some((head, below)) = rest.split_once('\n') {
        let (name, word) = head.split_once("<<").expect("NAME<<WORD");
        let body = format!("\n{below}");
        let (value, after) = body.split_once(&format!("\n{word}\n")).expect("the word again");
        found.insert(name.to_owned(), value.get(1..).unwrap_or_default().to_owned());
        rest = &below[below.len() - after.len()..];
    }
    found
}
