//! Every form of `xtrasec export`, read by the programs that it is for: a value is read as it is, or its name stood on standard
//! error for that reader. `tests/readers/run` builds the command and fetches the readers.

mod export;
mod readers;
mod service;
mod values;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use export::{Exported, Xtrasec};
use readers::{Found, is_installed};

const SOURCE: &str = ". \"$1\"";
const EVAL: &str = "eval \"$(/bin/cat \"$1\")\"";

/// What was found so far.
#[derive(Default)]
struct Report {
    failures: Vec<String>,
}

impl Report {
    /// Holds what a reader has found against the values of the file. `told_as` is the reader's name on standard error.
    fn reader(&mut self, form: &str, reader: &str, told_as: Option<&str>, exported: &Exported, found: &Found) {
        let told = told_as.map(|name| exported.misread_by(name)).unwrap_or_default();
        let (mut equal, mut in_vain) = (0, Vec::new());
        for (name, value) in &exported.values {
            let is_equal = found.get(name) == Some(value);
            equal += usize::from(is_equal);
            match (is_equal, told.contains(name.as_str())) {
                (false, false) => self
                    .failures
                    .push(format!("{form}, {reader}: {name} is another value, and was not named: {value:.60?}")),
                (true, true) => in_vain.push(name.as_str()),
                _ => {}
            }
        }
        let refused = exported.refused.len();
        println!("{form:<7} {reader:<22} {equal:>4} equal, {:>4} named, {refused:>4} refused", told.len());
        if !in_vain.is_empty() {
            let table: Vec<_> = in_vain.iter().copied().filter(|name| values::is_in_table(name)).collect();
            println!("        named and equal all the same: {}, of the table {table:?}", in_vain.len());
        }
    }

    fn skipped(&self, form: &str, reader: &str) {
        println!("SKIPPED {form}: {reader} is not installed");
    }
}

fn main() -> ExitCode {
    let program = std::env::args_os().nth(1).expect("the path of xtrasec");
    let program = fs::canonicalize(program).expect("xtrasec");
    let home = std::env::temp_dir().join(format!("xtrasec-readers-{}", std::process::id()));
    fs::create_dir_all(&home).expect("a directory");
    let home = Directory(home);
    let xtrasec = Xtrasec::new(program, home.0.clone());

    println!("{} values in the table, {} with the generated ones", values::VALUES.len(), values::values().len());
    let mut report = Report::default();
    dotenv(&mut report, &xtrasec);
    shell(&mut report, &xtrasec);
    json(&mut report, &xtrasec);
    yaml(&mut report, &xtrasec);
    docker(&mut report, &xtrasec);
    github(&mut report, &xtrasec);
    for failure in &report.failures {
        println!("FAILED {failure}");
    }
    if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A directory that goes with the process.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn dotenv(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("dotenv");
    refused(report, "dotenv", &exported, &["NUL", "BOTH_QUOTES_AND_LINES", "EVERY_QUOTE_AND_LINES"]);
    let local = xtrasec.local(&exported.file).expect("JSON");
    let local = serde_json::from_value(local).expect("texts");
    report.reader("dotenv", "xtrasec, local mode", None, &exported, &local);
    shells(report, "dotenv", SOURCE, Some("a shell"), &exported);
    if is_installed("node", &["-e", "process.exit(require('util').parseEnv ? 0 : 1)"]) {
        let found = readers::node_env_file(&exported);
        report.reader("dotenv", "node --env-file", Some("node --env-file"), &exported, &found);
        let script = "console.log(JSON.stringify(require('util').parseEnv(require('fs').readFileSync(process.argv[1], 'utf8'))))";
        let found = readers::json("node", &["-e", script], &exported.file);
        report.reader("dotenv", "node's util.parseEnv", Some("node --env-file"), &exported, &found);
    } else {
        report.skipped("dotenv", "node with --env-file");
    }
    if let Ok(package) = std::env::var("READERS_NODE_DOTENV") {
        let script = format!(
            "console.log(JSON.stringify(require({package:?}).parse(require('fs').readFileSync(process.argv[1], 'utf8'))))"
        );
        let found = readers::json("node", &["-e", &script], &exported.file);
        report.reader("dotenv", "node's package dotenv", Some("node's package dotenv"), &exported, &found);
    } else {
        report.skipped("dotenv", "node's package dotenv");
    }
    if let Ok(python) = std::env::var("READERS_PYTHON") {
        let script =
            "import json, sys; from dotenv import dotenv_values; print(json.dumps(dotenv_values(sys.argv[1])))";
        let found = readers::json(&python, &["-c", script], &exported.file);
        report.reader("dotenv", "python-dotenv", Some("python-dotenv"), &exported, &found);
    } else {
        report.skipped("dotenv", "python-dotenv");
    }
    let found = readers::dotenvy(&exported.file);
    report.reader("dotenv", "dotenvy", Some("dotenvy"), &exported, &found);
}

/// Holds what is refused of the table: everything else has a form.
fn refused(report: &mut Report, form: &str, exported: &Exported, allowed: &[&str]) {
    let allowed: BTreeSet<_> = allowed.iter().copied().collect();
    let refused: BTreeSet<_> = exported.refused.iter().map(String::as_str).collect();
    let refused: BTreeSet<_> = refused.into_iter().filter(|name| values::is_in_table(name)).collect();
    if refused != allowed {
        report.failures.push(format!("{form}: of the table, {refused:?} are refused, not {allowed:?}"));
    }
}

fn shells(report: &mut Report, form: &str, line: &str, told_as: Option<&str>, exported: &Exported) {
    for shell in ["bash", "dash"] {
        if is_installed(&format!("/bin/{shell}"), &["-c", ":"]) {
            let found = readers::shell(shell, line, exported);
            let way = if line == EVAL { "eval" } else { "." };
            report.reader(form, &format!("{shell}, by {way}"), told_as, exported, &found);
        } else {
            report.skipped(form, shell);
        }
    }
}

fn shell(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("shell");
    refused(report, "shell", &exported, &["NUL", "dashed-name", "dotted.name"]);
    shells(report, "shell", SOURCE, None, &exported);
    shells(report, "shell", EVAL, None, &exported);
}

fn json(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("json");
    refused(report, "json", &exported, &[]);
    if is_installed("jq", &["--version"]) {
        report.reader("json", "jq", None, &exported, &readers::json("jq", &["-ac", "."], &exported.file));
    } else {
        report.skipped("json", "jq");
    }
    if is_installed("node", &["--version"]) {
        let script = "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8'))))";
        report.reader("json", "node", None, &exported, &readers::json("node", &["-e", script], &exported.file));
    } else {
        report.skipped("json", "node");
    }
}

fn yaml(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("yaml");
    refused(report, "yaml", &exported, &[]);
    let Ok(python) = std::env::var("READERS_PYTHON") else { return report.skipped("yaml", "PyYAML") };
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    report.reader("yaml", "PyYAML", None, &exported, &readers::json(&python, &["-c", script], &exported.file));
}

fn docker(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("docker");
    let is_refused = |value: &str| value.contains(['\n', '\0']) || value.ends_with('\r') || value.len() > 65_000;
    let expected: BTreeSet<_> =
        values::values().into_iter().filter(|(_, value)| is_refused(value)).map(|(name, _)| name).collect();
    if exported.refused != expected {
        report.failures.push("docker: other values are refused than those of several lines".to_owned());
    }
    let text = fs::read_to_string(&exported.file).expect("text");
    report.reader("docker", "docker's documentation", None, &exported, &readers::docker_rules(&text));
    if is_installed("docker", &["--version"]) {
        report.reader("docker", "docker --env-file", None, &exported, &readers::docker(&exported.file));
    } else {
        report.skipped("docker", "docker");
    }
    if is_installed("kubectl", &["version", "--client"]) {
        report.reader("docker", "kubectl --from-env-file", None, &exported, &readers::kubectl(&exported.file));
    } else {
        report.skipped("docker", "kubectl");
    }
}

fn github(report: &mut Report, xtrasec: &Xtrasec) {
    let exported = xtrasec.export("github");
    refused(report, "github", &exported, &["NUL", "dashed-name", "dotted.name"]);
    let text = fs::read_to_string(&exported.file).expect("text");
    report.reader("github", "the runner's rules", None, &exported, &readers::github_rules(&text));
    let lines = exported.output.lines().filter_map(|line| line.strip_prefix("::add-mask::"));
    let masks: BTreeSet<String> = lines.map(|line| line.replace("%25", "%")).collect();
    if masks.iter().any(|mask| mask.len() < 4) {
        report.failures.push("github: a line of less than four bytes is masked".to_owned());
    }
    for (name, value) in &exported.values {
        let mut lines = value.split(['\n', '\r']).filter(|line| line.len() >= 4 && !line.trim().is_empty());
        if !lines.all(|line| masks.contains(line)) {
            report.failures.push(format!("github: {name} is not masked"));
        }
    }
}
