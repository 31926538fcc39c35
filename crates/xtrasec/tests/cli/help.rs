//! Help, events, the sign of life, and completion.

use std::process::Command;

use xtrasecurity::dev_server::{Fault, route};

use crate::leaks::COMMANDS;
use crate::world::{World, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_bare_command_prints_its_help_on_standard_error_and_ends_with_2() {
    let world = World::new().await;
    let ran = world.run(&[]);
    assert_eq!((ran.status(), ran.stdout()), (2, ""));
    assert!(ran.stderr().starts_with("Secrets for programs") && ran.stderr().contains("Commands:"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn help_whose_reader_has_left_ends_quietly() {
    let world = World::new().await;
    for call in [["--help"].as_slice(), &["run", "--help"], &["--version"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = world.command(call).stdout(writer).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let ran = ran.wait_with_output().unwrap();
        assert_eq!((ran.status.code(), String::from_utf8(ran.stderr).unwrap().as_str()), (Some(0), ""), "{call:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_any_help_is_wider_than_the_terminal() {
    use crate::screen::Screen;

    let world = World::new().await;
    for columns in [40, 80] {
        let calls = COMMANDS.iter().map(|command| vec![*command, "--help"]).chain([vec!["--help"], vec!["-h"]]);
        for call in calls {
            let (status, seen) = Screen::start_wide(world.command(&call).env("NO_COLOR", "1"), columns).end();
            assert_eq!(status, Some(0));
            // a usage is one line to the parser's library, which a terminal wraps
            let longest = seen
                .lines()
                .filter(|line| !line.starts_with("Usage: "))
                .map(|line| line.trim_end().chars().count())
                .max()
                .unwrap();
            assert!(longest <= usize::from(columns), "{call:?} at {columns}: {longest}\n{seen}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_told_on_demand_on_standard_error_and_without_values() {
    let world = World::new().await;
    world.server.set_secret("shop", "one", "main", "A", "canary-4f1c").unwrap();
    let call = |options: &[&str], log: &str| {
        run(world.command(&[&["get", "A", "-e", "one", "--show"], options].concat()).env("RUST_LOG", log))
    };
    assert_eq!(call(&[], "").success(), "canary-4f1c");
    for (options, log) in [
        (&["-vv"][..], ""),
        (&["-vvv"], ""),
        (&[], "xtrasecurity=debug"),
        (&[], "debug"),
        (&[], "hyper=info,xtrasecurity::http=trace"),
    ] {
        let ran = call(options, log);
        assert_eq!((ran.status(), ran.stdout()), (0, "canary-4f1c"));
        assert!(
            ran.stderr().contains("xtrasecurity::") && !ran.stderr().contains("canary"),
            "{options:?} {log}: {}",
            ran.stderr()
        );
        assert!(!ran.stderr().contains(world.server.token()));
        assert!(ran.stderr().lines().all(|line| line.starts_with("xtrasec: ")), "{}", ran.stderr());
    }
    assert_eq!(call(&[], "hyper=trace").success(), "canary-4f1c");
    assert!(call(&[], "=!=").one_line().contains("RUST_LOG"));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_that_the_service_is_waited_for_and_is_clean_afterwards() {
    use std::time::Duration;

    use crate::screen::Screen;

    const SIGN: &str = "waiting for the service";
    let world = World::new().await;
    let slow = || world.server.fault(Fault::delay(Duration::from_millis(1_600)).on(route::SECRETS_READ));
    slow();
    let (status, seen) = Screen::start(&mut world.command(&["list", "-e", "odd"])).end();
    assert_eq!(status, Some(0));
    let (turning, rest) = seen.rsplit_once("\r\u{1b}[K").unwrap_or_else(|| panic!("no sign of life: {seen:?}"));
    assert!(turning.contains(SIGN) && !rest.contains(SIGN) && rest.starts_with("GOOD"), "{seen:?}");
    slow();
    assert_eq!(world.run(&["list", "-e", "odd"]).stderr(), "", "a pipe has no sign of life");
    slow();
    let mut dumb = world.command(&["list", "-e", "odd"]);
    assert!(!run(dumb.env("TERM", "dumb")).stderr().contains(SIGN));
}

/// What a shell is given for the last of these words.
fn completed(world: &World, words: &[&str]) -> Command {
    let mut command = world.command(&[&["--", "xtrasec"], words].concat());
    let last = words.len().to_string();
    command.env("XTRASEC_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", last).env("_CLAP_IFS", "\n");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_completes_environments_and_names_without_their_values() {
    let world = World::new().await;
    world.server.set_secret("shop", "staging", "main", "CANARY", "canary-4f1c").unwrap();
    let given = |words: &[&str]| {
        let ran = run(&mut completed(&world, words));
        assert_eq!((ran.status(), ran.stderr()), (0, ""), "{words:?}");
        assert!(!ran.stdout().contains("canary-4f1c"));
        ran.stdout().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(given(&["list", "-e", "sta"]), ["staging"]);
    assert_eq!(given(&["diff", "prod"]), ["production"]);
    assert_eq!(given(&["get", "-e", "stg", "CAN"]), ["CANARY"]);
    assert_eq!(given(&["rotate", "--env=stg", "STAGING"]), ["STAGING_ONLY"]);
    assert_eq!(given(&["who"]), ["whoami"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_is_silent_when_something_is_wrong() {
    let world = World::new().await;
    for (name, value) in
        [("XTRA_TOKEN", "xs_wrong"), ("XTRA_API_URL", "http://127.0.0.1:9/api"), ("XTRA_PROFILE", "none")]
    {
        let ran = run(completed(&world, &["get", "-e", "stg", "Q"]).env(name, value));
        assert_eq!((ran.status(), ran.stdout().trim(), ran.stderr()), (0, "", ""), "{name}");
    }
    world.server.fault(Fault::hang().on(route::SECRETS_READ).forever());
    let started = std::time::Instant::now();
    assert_eq!(run(&mut completed(&world, &["get", "-e", "stg", "Q"])).status(), 0);
    assert!(started.elapsed().as_secs() < 10, "a deadline ends it, not the call's");
}

#[tokio::test(flavor = "multi_thread")]
async fn shells_are_told_how_to_ask() {
    let world = World::new().await;
    for shell in ["bash", "zsh", "fish"] {
        let ran = world.run(&["completions", shell, "--dynamic"]);
        assert!(ran.success().contains("XTRASEC_COMPLETE"), "{shell}");
        assert!(!world.run(&["completions", shell]).success().contains("XTRASEC_COMPLETE"));
    }
}
