//! What differs when a person looks at the output.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::screen::Screen;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_typed_is_not_shown_and_can_be_corrected() {
    let world = World::new().await;
    let mut screen = Screen::start(&mut world.command(&["set", "TYPED", "-e", "stg"]));
    screen.wait_for("TYPED (not shown): ");
    assert!(!screen.echoes());
    screen.types("canary\u{15}canary-two\u{7f}\u{7f}\u{7f}ü\t3\r");
    let (status, seen) = screen.end();
    assert!(status == Some(0) && seen.contains("created TYPED in staging"), "{seen}");
    assert!(!seen.contains("canary"), "{seen}");
    assert_eq!(world.server.secret("shop", "staging", "main", "TYPED").as_deref(), Some("canary-ü\t3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_value_may_be_longer_than_a_line_of_the_terminal() {
    let world = World::new().await;
    let mut screen = Screen::start(&mut world.command(&["set", "LONG", "-e", "stg"]));
    screen.wait_for("(not shown): ");
    let value = "0123456789".repeat(1000);
    // a terminal takes so much at once, as it comes from a keyboard
    for part in value.as_bytes().chunks(1000) {
        screen.types(std::str::from_utf8(part).unwrap());
    }
    screen.types("\r");
    assert_eq!(screen.end().0, Some(0));
    assert_eq!(world.server.secret("shop", "staging", "main", "LONG"), Some(value));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_interrupts_or_pastes_several_lines_leaves_nothing_written_and_the_terminal_as_it_was() {
    let world = World::new().await;
    for keys in ["canary\u{3}", "canary\nsecond line\n", "\u{4}", "\u{1b}[Acanary\r"] {
        let mut screen = Screen::start(&mut world.command(&["set", "TYPED", "-e", "stg"]));
        screen.wait_for("(not shown): ");
        screen.types(keys);
        let (status, seen) = screen.end();
        assert!(status == Some(1) && !seen.contains("canary"), "{keys:?}: {seen}");
    }
    assert_eq!(world.server.secret("shop", "staging", "main", "TYPED"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_nothing_is_done_without_a_clear_answer() {
    let world = World::new().await;
    world.file("new.env", "NEW=canary\n");
    let ask = |arguments: &[&str], answer: &str| {
        let mut screen = Screen::start(&mut world.command(arguments));
        screen.wait_for(if arguments.contains(&"prod") { "to go on: " } else { "[y/N] " });
        screen.types(answer);
        let (status, seen) = screen.end();
        assert!(!seen.contains("canary"), "{seen}");
        status
    };
    let there = |environment, name| world.server.secret("shop", environment, "main", name).is_some();
    let (import, delete) = (["import", "new.env", "-e", "stg"], ["delete", "QUOTES", "-e", "prod"]);
    for no in ["\n", "n\n", "yep\n", "\u{4}"] {
        assert_eq!(ask(&import, no), Some(1), "{no:?}");
    }
    assert!(!there("staging", "NEW"));
    assert_eq!(ask(&import, "y\n"), Some(0));
    assert!(there("staging", "NEW"));
    for no in ["y\n", "yes\n", "staging\n"] {
        assert_eq!(ask(&delete, no), Some(1), "{no:?}");
    }
    assert!(there("production", "QUOTES"));
    assert_eq!(ask(&delete, "production\n"), Some(0));
    assert!(!there("production", "QUOTES"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_while_somebody_was_asked_is_not_overwritten() {
    let world = World::new().await;
    world.file("new.env", "NEW=mine\nQUOTES=mine\n");
    for (name, value) in [("QUOTES", "theirs"), ("NEW", "theirs")] {
        let mut screen = Screen::start(&mut world.command(&["import", "new.env", "-e", "stg"]));
        screen.wait_for("[y/N] ");
        world.server.set_secret("shop", "staging", "main", name, value).unwrap();
        screen.types("y\n");
        let (status, seen) = screen.end();
        assert!(status == Some(1) && seen.contains("Nothing was written"), "{seen}");
        assert_eq!(world.server.secret("shop", "staging", "main", name).as_deref(), Some("theirs"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_typed_and_not_shown() {
    let world = World::new().await;
    let mut command = world.command(&["login"]);
    let mut screen = Screen::start(command.env_remove("XTRA_TOKEN"));
    screen.wait_for("Token (not shown): ");
    screen.types(&format!("{}\r", world.server.token()));
    let (status, seen) = screen.end();
    assert!(status == Some(0) && seen.contains("logged in as") && !seen.contains(world.server.token()), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_waiting_before_a_question_that_cannot_be_seen() {
    let world = World::new().await;
    for arguments in [&["set", "NEW", "-e", "stg"][..], &["login"]] {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut command = world.command(arguments);
        let mut child = command.stdin(terminal).stderr(Stdio::piped()).spawn().unwrap();
        command.stdin(Stdio::null());
        let mut told = [0; 200];
        let count = child.stderr.take().unwrap().read(&mut told).unwrap();
        let told = String::from_utf8_lossy(&told[..count]);
        assert!(told.starts_with("xtrasec: the question cannot be seen"), "{told}");
        assert_eq!(child.wait().unwrap().code(), Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_the_value_is_asked_for_first_and_pasted_twice_it_is_never_shown() {
    let world = World::new().await;
    let stored = || world.server.secret("shop", "production", "main", "TYPED");
    let set = ["set", "-e", "production", "TYPED"];
    // by habit: what was pasted for the value is pasted again where y or N is wanted
    for again in ["canary-7d\r", "yes-canary-7d\r", "canary-7d\ncanary-7d\n", "\r", "y\u{3}"] {
        let mut screen = Screen::start(&mut world.command(&set));
        screen.wait_for("TYPED (not shown): ");
        assert!(!screen.echoes());
        screen.types("canary-7d\r");
        screen.wait_for("[y/N] ");
        assert!(!screen.echoes(), "the answer");
        screen.types(again);
        let (status, seen) = screen.end();
        assert!(status == Some(1) && !seen.contains("canary"), "{again:?}: {seen}");
    }
    assert_eq!(stored(), None);
    let mut screen = Screen::start(&mut world.command(&set));
    screen.wait_for("TYPED (not shown): ");
    screen.types("canary-7d\r");
    screen.wait_for("[y/N] ");
    screen.types("y\r");
    let (status, seen) = screen.end();
    assert!(status == Some(0) && seen.contains("[y/N] y") && !seen.contains("canary"), "{seen}");
    assert_eq!(stored().as_deref(), Some("canary-7d"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_question_of_any_command_shows_what_is_pasted_as_its_answer() {
    let world = World::new().await;
    world.server.add_secret("shop", xtrasecurity::dev_server::SecretSeed::new("staging", "QUOTES", "again")).unwrap();
    world.file("new.env", "NEW=1\n");
    for arguments in [
        &["import", "new.env", "-e", "stg"][..],
        &["import", "new.env", "-e", "prod"],
        &["promote", "stg", "qa"],
        &["promote", "stg", "prod"],
        &["clone", "stg", "qa"],
        &["delete", "EMPTY", "-e", "stg"],
        &["delete", "EMPTY", "-e", "prod"],
        &["repair", "QUOTES", "-e", "stg"],
        &["rotate", "EMPTY", "-e", "prod"],
        &["rollback", "EMPTY", "1", "-e", "prod"],
        &["link", "NEW", "stg", "EMPTY", "-e", "prod"],
        &["branches", "rename", "feature/new-ui", "other"],
        &["branches", "delete", "feature/new-ui"],
        &["setup"],
    ] {
        let mut command = world.command(arguments);
        command.env_remove("XTRA_PROJECT_ID");
        if arguments != ["setup"] {
            command.env("XTRA_PROJECT_ID", world.server.project_id());
        }
        let mut screen = Screen::start(&mut command);
        screen.wait_for_silence();
        screen.types("canary-7d\r");
        let (status, seen) = screen.end();
        assert!(status == Some(1) && !seen.contains("anary"), "{arguments:?}: {seen}");
    }
    assert!(!world.path(".xtrarc").exists());
    assert_eq!(world.server.request_count(xtrasecurity::dev_server::route::SECRETS_UPSERT), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_on_a_terminal_has_nothing_that_it_acts_on_and_a_pipe_gets_it_as_it_is() {
    let world = World::new().await;
    let value = "a\u{1b}]0;x\u{7}\u{202e}b\n\u{9b}31mc\td";
    world.server.set_secret("shop", "bidi", "main", "A", value).unwrap();
    world.server.set_secret("shop", "bidi", "main", "B", "1").unwrap();
    for arguments in [
        &["get", "A", "-e", "bidi", "--show"][..],
        &["get", "A", "B", "-e", "bidi", "--show"],
        &["export", "-e", "bidi", "--show"],
        &["export", "-e", "bidi", "--show", "--format", "shell"],
        &["list", "-e", "bidi", "--show"],
        &["diff", "bidi", "nowhere", "--show"],
        &["history", "A", "-e", "bidi", "--show"],
    ] {
        let (status, seen) = on_a_terminal(&world, arguments);
        let odd = |character: char| {
            character.is_control() && !matches!(character, '\r' | '\n' | '\t') || character == '\u{202e}'
        };
        assert!(status == Some(0) && !seen.contains(odd), "{arguments:?}: {seen:?}");
    }
    world.file("template", "{{ xtra:///bidi/A }}");
    let (status, seen) = on_a_terminal(&world, &["render", "template", "--show"]);
    assert!(status == Some(0) && !seen.contains('\u{1b}') && seen.contains("\\u{202e}"), "{seen:?}");
    assert_eq!(world.run(&["get", "A", "-e", "bidi", "--show"]).success(), value);
}
