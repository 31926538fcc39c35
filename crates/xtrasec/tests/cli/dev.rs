//! `dev`: a server that runs until it is interrupted.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::world::{World, run};

/// A server and what it says of itself, line by line.
fn start(world: &World, arguments: &[&str]) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

fn interrupt(mut child: Child, signal: Signal) -> (Option<i32>, String) {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let status = child.wait().unwrap().code();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (status, said)
}

fn line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_seed_says_how_it_is_used_and_ends_when_it_is_interrupted() {
    let world = World::new().await;
    let seed = r#"{"projects":[{"name":"web","secrets":[{"environment":"staging","name":"PORT","value":"5432"}]}]}"#;
    world.file("seed.json", seed);
    for signal in [Signal::INT, Signal::TERM] {
        let (child, mut output) = start(&world, &["dev", "seed.json"]);
        let lines = [line(&mut output), line(&mut output), line(&mut output)];
        let script = format!("{}exec \"$0\" get PORT -e stg --show", lines.concat());
        let mut shell = std::process::Command::new("sh");
        shell.env_clear().env("HOME", world.home.path()).args(["-c", &script, env!("CARGO_BIN_EXE_xtrasec")]);
        assert_eq!(run(&mut shell).success().trim_end(), "5432");
        let (status, said) = interrupt(child, signal);
        assert!(status == Some(0) && said.contains("until it is interrupted"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_is_kept_on_demand() {
    let world = World::new().await;
    let value = |set: Option<&str>| {
        let (child, mut output) = start(&world, &["dev", "--state", "state.json", "--json"]);
        let mut text = String::new();
        while !text.ends_with("}\n") {
            text.push_str(&line(&mut output));
        }
        let told: Value = serde_json::from_str(&text).unwrap();
        let variables = [("XTRA_API_URL", "apiUrl"), ("XTRA_PROJECT_ID", "project"), ("XTRA_TOKEN", "token")];
        let variables = variables.map(|(name, member)| (name, told[member].as_str().unwrap()));
        if let Some(pair) = set {
            let set = run(world.command(&["set", pair, "-e", "qa"]).envs(variables));
            assert!(set.status() == 0 && set.one_line().contains("held no secrets before"), "{}", set.stderr());
        }
        let got = run(world.command(&["get", "KEPT", "-e", "qa", "--show"]).envs(variables)).success().to_owned();
        assert_eq!(interrupt(child, Signal::TERM).0, Some(0));
        got.trim_end().to_owned()
    };
    assert_eq!(value(Some("KEPT=1")), "1");
    assert_eq!(value(None), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_is_none_is_named_and_not_quoted() {
    let world = World::new().await;
    world.file("bad.json", "{\n \"canary\"");
    let ran = world.run(&["dev", "bad.json"]);
    assert!(ran.failure(1).contains("bad.json") && !ran.stderr().contains("canary"), "{}", ran.stderr());
    assert!(world.run(&["dev", "none.json"]).failure(1).contains("none.json"));
}
