//! What differs when a person looks at the output.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::world::World;

/// Runs the command with its standard output on a terminal: the status, and what the person sees.
fn on_a_terminal(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    show(&mut world.command(arguments))
}

fn show(command: &mut Command) -> (Option<i32>, String) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut child = command.stdout(terminal).stderr(Stdio::null()).spawn().unwrap();
    // It holds the terminal open.
    command.stdout(Stdio::null());
    let mut seen = Vec::new();
    // The end of a terminal is an error.
    let _ = File::from(screen).read_to_end(&mut seen);
    (child.wait().unwrap().code(), String::from_utf8(seen).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_exported_to_a_terminal_only_when_asked_for() {
    let world = World::new().await;
    for format in ["dotenv", "json", "yaml", "shell"] {
        let export = ["export", "-e", "stg", "--format", format];
        assert_eq!(on_a_terminal(&world, &export), (Some(1), String::new()));
        let (status, seen) = on_a_terminal(&world, &[&export[..], &["--show"]].concat());
        assert!(status == Some(0) && seen.contains("other"), "{seen}");
    }
    let github = ["export", "-e", "stg", "--format", "github", "--output", "env"];
    assert_eq!(on_a_terminal(&world, &github), (Some(1), String::new()));
    assert!(!world.path("env").exists());
    assert_eq!(on_a_terminal(&world, &["export", "-e", "stg", "--output", "out"]), (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_show_a_terminal_is_told_that_the_secret_is_there() {
    let world = World::new().await;
    let (status, text) = on_a_terminal(&world, &["get", "QUOTES", "-e", "prod"]);
    assert_eq!((status, text.trim_end()), (Some(0), "QUOTES [REDACTED]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_on_a_terminal_ends_with_a_line_break() {
    let world = World::new().await;
    assert_eq!(on_a_terminal(&world, &["get", "QUOTES", "-e", "stg", "--show"]), (Some(0), "other\r\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_colours_unless_it_or_its_owner_wants_none() {
    let world = World::new().await;
    let coloured = |variables: &[(&str, &str)]| {
        let (status, seen) = show(world.command(&["--help"]).envs(variables.iter().copied()));
        assert_eq!(status, Some(0));
        seen.contains('\u{1b}')
    };
    assert!(coloured(&[("TERM", "xterm-256color")]));
    assert!(!coloured(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]));
    assert!(!coloured(&[("TERM", "dumb")]));
}
