//! Pipes in the place of files: `<(…)` of a shell, named pipes, `/dev/stdin` and `-`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::set::fed;
use crate::world::{Ran, World, run};

/// Runs a line of bash, in which `xtrasec` is the command.
fn bash(world: &World, line: &str) -> Ran {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("xtrasec() {{ {} \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_xtrasec"))]);
    shell.env_clear().envs(world.variables()).env("XTRA_TOKEN", world.server.token()).current_dir(world.home.path());
    run(shell.stdin(Stdio::null()))
}

const SCHEMA: &str = r#"{ "type": "object", "properties": { "QUOTES": { "type": "string" } } }"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_is_read_may_be_a_pipe() {
    let world = World::new().await;
    world.file("schema.json", SCHEMA);
    world.file("template", "q={{ xtra:///staging/QUOTES }}");
    world.file("plain", "NEW=1\n");
    world.file("new.json", r#"{"NEW":"1"}"#);
    for (line, expected) in [
        ("xtrasec check -e stg --schema <(cat schema.json)", "the secrets fit the schema"),
        ("xtrasec example --schema <(cat schema.json)", "QUOTES="),
        ("xtrasec render <(cat template)", "q=other"),
        ("xtrasec import <(cat plain) -e stg --dry-run", "+ NEW"),
        ("xtrasec import <(cat new.json) --format json -e stg --dry-run", "+ NEW"),
        ("xtrasec set FROM_PIPE --from-file <(printf 'a\\n') -e stg", "created FROM_PIPE"),
        ("mkfifo fifo; cat template > fifo & xtrasec render fifo", "q=other"),
        ("mkfifo fifo2; cat schema.json > fifo2 & xtrasec check -e stg --schema fifo2", "the secrets fit the schema"),
    ] {
        let ran = bash(&world, line);
        assert!(ran.success().contains(expected), "{line}: {}", ran.stdout());
    }
    assert_eq!(world.server.secret("shop", "staging", "main", "FROM_PIPE").as_deref(), Some("a\n"), "byte for byte");
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_a_file_too_by_either_name() {
    let world = World::new().await;
    for name in ["-", "/dev/stdin"] {
        let with = |arguments: &[&str], input: &str| {
            let arguments: Vec<&str> = arguments.iter().map(|word| if *word == "@" { name } else { word }).collect();
            fed(&mut world.command(&arguments), input.as_bytes())
        };
        assert!(with(&["check", "-e", "stg", "--schema", "@"], SCHEMA).success().contains("fit the schema"));
        assert!(with(&["example", "--schema", "@"], SCHEMA).success().contains("QUOTES="));
        assert_eq!(with(&["render", "@"], "{{ xtra:///staging/QUOTES }}").success(), "other");
        assert!(with(&["import", "@", "-e", "stg", "--dry-run"], "NEW=1\n").success().contains("+ NEW"));
        with(&["set", "IN", "--from-file", "@", "-e", "stg"], "x\n").success();
        assert_eq!(world.server.secret("shop", "staging", "main", "IN").as_deref(), Some("x\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dev_server_takes_its_seed_from_a_pipe() {
    let world = World::new().await;
    world.file(
        "seed.json",
        r#"{"projects":[{"name":"web","secrets":[{"environment":"staging","name":"A","value":"v"}]}]}"#,
    );
    for arguments in [["dev", "-", "--json"], ["dev", "/dev/stdin", "--json"]] {
        let seed = std::fs::File::open(world.path("seed.json")).unwrap();
        let mut cat = Command::new("cat").stdin(seed).stdout(Stdio::piped()).spawn().unwrap();
        let mut command = world.command(&arguments);
        command.stdin(cat.stdout.take().unwrap()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let mut object = String::new();
        while !object.contains("\n}") {
            assert_ne!(output.read_line(&mut object).unwrap(), 0, "{object}");
        }
        let object: serde_json::Value = serde_json::from_str(&object).unwrap();
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        let mut get = world.command(&["get", "A", "-e", "stg", "--show"]);
        get.env("XTRA_API_URL", text("apiUrl"))
            .env("XTRA_PROJECT_ID", text("project"))
            .env("XTRA_TOKEN", text("token"));
        assert_eq!(run(&mut get).success(), "v");
        server.kill().unwrap();
        server.wait().unwrap();
        cat.wait().unwrap();
    }
    assert!(fed(&mut world.command(&["dev", "-"]), b"canary").failure(1).contains("not started"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_pipe_is_told_with_its_name_and_not_quoted() {
    let world = World::new().await;
    let ran = bash(&world, "xtrasec check -e stg --schema <(echo canary)");
    assert!(ran.failure(1).contains("/dev/fd/") && !ran.stderr().contains("canary"), "{}", ran.stderr());
    let ran = fed(&mut world.command(&["check", "-e", "stg", "--schema", "-"]), b"canary");
    assert!(ran.failure(1).contains("standard input") && !ran.stderr().contains("canary"), "{}", ran.stderr());
    let ran = bash(&world, "xtrasec import <(echo canary) -e stg --yes");
    assert!(ran.failure(1).contains("Add --format") && !ran.stderr().contains("canary"), "{}", ran.stderr());
    assert_eq!(world.server.total_requests(), 0);
}
