//! `set`: where values come from, and on what conditions they are written.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use xtrasecurity::dev_server::{Fault, route};

use crate::world::{NASTY, Ran, World, run};

/// Runs a command with this as its standard input.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // one that refuses before it reads closes the pipe
    let _ = pipe.write_all(input);
    drop(pipe);
    Ran { output: child.wait_with_output().unwrap() }
}

fn stored(world: &World, name: &str) -> Option<String> {
    world.server.secret("shop", "staging", "main", name)
}

fn version(world: &World, name: &str) -> Option<String> {
    world.server.secret_version("shop", "staging", "main", name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_comes_from_standard_input_without_the_line_break_at_its_end() {
    let world = World::new().await;
    let set = |input: &str| fed(&mut world.command(&["set", "NEW", "-e", "stg"]), input.as_bytes());
    assert_eq!(set("one\n").success(), "created NEW in staging (branch main)\n");
    assert_eq!(stored(&world, "NEW").unwrap(), "one");
    assert_eq!(set("two\n\n").success(), "updated NEW in staging (branch main)\n");
    assert_eq!(stored(&world, "NEW").unwrap(), "two\n");
    for (_, value) in NASTY.iter().filter(|(_, value)| !value.is_empty() && !value.ends_with('\n')) {
        set(value).success();
        assert_eq!(stored(&world, "NEW").unwrap(), *value);
    }
    for nothing in ["", "\n"] {
        assert!(set(nothing).failure(1).contains("NEW="));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_the_value_byte_for_byte() {
    let world = World::new().await;
    let key = world.file("key.pem", "-----BEGIN-----\nx\n-----END-----\n");
    world.run(&["set", "KEY", "--from-file", "key.pem", "-e", "stg"]).success();
    assert_eq!(stored(&world, "KEY").unwrap(), fs::read_to_string(key).unwrap());
    world.file("token", "t-1\n");
    let ran = world.run(&["set", "KEY", "--from-file", "token", "-e", "stg"]);
    assert!(ran.status() == 0 && ran.one_line().contains("ends with a line break"), "{}", ran.stderr());
    fs::write(world.path("binary"), b"canary\xff").unwrap();
    let ran = world.run(&["set", "KEY", "--from-file", "binary", "-e", "stg"]);
    assert!(ran.failure(1).contains("UTF-8") && !ran.stderr().contains("canary"));
    assert!(world.run(&["set", "KEY", "--from-file", "none", "-e", "stg"]).failure(1).contains("none"));
    assert!(world.run(&["set", "KEY", "--from-file", ".", "-e", "stg"]).failure(1).contains("directory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_secrets_are_set_at_once_on_the_branch_that_was_asked_for() {
    let world = World::new().await;
    let ran = world.run(&["set", "A=1", "B==x=y", "EMPTY=", "-e", "stg", "-b", "feature/new-ui"]);
    let place = "in staging (branch feature/new-ui)";
    assert_eq!(ran.success(), format!("created A {place}\ncreated B {place}\ncreated EMPTY {place}\n"));
    assert_eq!(world.server.secret("shop", "staging", "feature/new-ui", "B").unwrap(), "=x=y");
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_wrong_usage_and_no_value_is_quoted() {
    let world = World::new().await;
    world.file("f", "v");
    for arguments in [
        &["set"][..],
        &["set", "=canary"],
        &["set", "A", "B"],
        &["set", "A=canary", "--from-file", "f"],
        &["set", "A", "B", "--from-file", "f"],
        &["set", "A=canary", "B=canary", "--if-version", "1"],
        &["set", "A=canary", "B=canary", "--new"],
        &["set", "A=canary", "--new", "--if-version", "1"],
        &["set", "A=canary", "--if-version", "x"],
        &["set", "weird name=canary"],
        &["set", "branch=canary"],
        &["set", "A=canary", "--frobnicate"],
    ] {
        let ran = world.run(&[arguments, &["-e", "stg"]].concat());
        assert!(!ran.failure(2).contains("canary"), "{}", ran.stderr());
    }
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_held_to() {
    let world = World::new().await;
    let set = |options: &[&str]| world.run(&[&["set", "QUOTES=new", "-e", "stg"], options].concat());
    assert!(set(&["--new"]).failure(1).contains("QUOTES"));
    assert!(set(&["--if-version", "7"]).failure(1).contains("expected version 7, is version 1"));
    assert_eq!((stored(&world, "QUOTES").as_deref(), version(&world, "QUOTES").as_deref()), (Some("other"), Some("1")));
    set(&["--if-version", "1", "--verify"]).success();
    assert_eq!((stored(&world, "QUOTES").as_deref(), version(&world, "QUOTES").as_deref()), (Some("new"), Some("2")));
    world.run(&["set", "FRESH=1", "--new", "-e", "stg"]).success();
    assert_eq!(stored(&world, "FRESH").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_spellings_are_taken_when_that_is_said() {
    let world = World::new().await;
    let ran = world.run(&["set", "weird name=1", "-e", "stg"]);
    assert!(ran.failure(2).contains("--allow-any-name"), "{}", ran.stderr());
    world.run(&["set", "weird name=1", "-e", "stg", "--allow-any-name"]).success();
    assert_eq!(stored(&world, "weird name").as_deref(), Some("1"));
    let ran = world.run(&["set", "A=1", "-e", "Staging"]);
    assert!(ran.status() != 0 && ran.one_line().contains("--exact"), "{}", ran.stderr());
    world.run(&["set", "A=1", "-e", "Staging", "--exact"]).success();
    assert_eq!(world.server.secret("shop", "Staging", "main", "A").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_value_is_never_sent_in_plain_form_and_read_back() {
    let world = World::new().await;
    let set = ["set", "SEALED", "--seal", "-e", "stg"];
    let passphrase = ("XTRA_VAULT_PASSPHRASE", "correct horse");
    let ran = fed(&mut world.command(&set), b"canary");
    assert!(ran.failure(1).contains("XTRA_VAULT_PASSPHRASE"), "{}", ran.stderr());
    fed(world.command(&set).env(passphrase.0, passphrase.1), b"canary").success();
    assert!(!stored(&world, "SEALED").unwrap().contains("canary"));
    let mut get = world.command(&["get", "SEALED", "--show", "-e", "stg"]);
    assert_eq!(run(get.env(passphrase.0, passphrase.1)).success(), "canary");
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_changed_only_when_that_is_said() {
    let world = World::new().await;
    for name in ["prod", "production", "PRODUCTION"] {
        let ran = world.run(&["set", "A=1", "-e", name]);
        assert!(ran.failure(2).contains("--yes"), "{}", ran.stderr());
    }
    assert_eq!(world.server.total_requests(), 0);
    world.run(&["set", "A=1", "-e", "prod", "--yes"]).success();
    assert_eq!(world.server.secret("shop", "production", "main", "A").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_in_local_mode() {
    let world = World::new().await;
    world.file(".env.local", "A=1\n");
    for arguments in [
        &["set", "A=1", "-e", "stg"][..],
        &["import", ".env.local", "-e", "stg", "--yes"],
        &["delete", "A", "-e", "stg", "--yes"],
        &["history", "A", "-e", "stg"],
        &["rollback", "A", "1", "-e", "stg"],
        &["promote", "stg", "dev", "--yes"],
        &["repair", "A", "-e", "stg", "--yes"],
        &["branches"],
        &["login"],
    ] {
        let ran = run(world.command(arguments).env("XTRA_LOCAL_MODE", "true"));
        assert!(ran.failure(1).contains("XTRA_LOCAL_MODE"), "{arguments:?}: {}", ran.stderr());
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_stops_before_it_says_that_nothing_was_written() {
    let world = World::new().await;
    for arguments in [
        &["set", "A=1", "-e", "stg"][..],
        &["set", "A=1", "-e", "stg", "--verify"],
        &["set", "A=1", "-e", "stg", "--new"],
        &["rotate", "EMPTY", "-e", "stg"],
        &["rollback", "EMPTY", "1", "-e", "stg"],
        &["import", "new.env", "-e", "stg", "--yes"],
        &["promote", "stg", "dev", "--yes"],
    ] {
        world.file("new.env", "A=1\n");
        let ran = run(world.command(arguments).env("XTRA_TOKEN", "xs_wrong"));
        assert!(ran.failure(1).contains("Nothing was written"), "{arguments:?}: {}", ran.stderr());
    }
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_or_may_be_and_not_confirmed_is_status_3_in_every_way() {
    let world = World::new().await;
    let set = |options: &[&str]| world.run(&[&["set", "EMPTY=x", "-e", "stg"], options].concat());
    for options in [&[][..], &["--verify"]] {
        // the read after the write fails
        world.server.fault(Fault::headers([]).on(route::SECRETS_READ));
        world.server.fault(Fault::status(403).on(route::SECRETS_READ));
        assert_eq!(set(options).status(), 3, "{options:?}");
        world.server.clear_faults();
        // the answer to the write is none
        world.server.fault(Fault::status(500).on(route::SECRETS_UPSERT));
        let ran = set(options);
        assert!(!ran.failure(3).contains("Nothing was written"), "{}", ran.stderr());
        world.server.clear_faults();
        // the write is refused
        world.server.fault(Fault::status(403).on(route::SECRETS_UPSERT));
        assert!(set(options).failure(1).contains("Nothing was written"));
        world.server.clear_faults();
    }
}
