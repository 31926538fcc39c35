//! `get`, `list` and `completions`: what is written, and what only with `--show`.

use serde_json::{Value, json};

use crate::world::{NASTY, World, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_written_exactly_and_only_when_asked_for() {
    let world = World::new().await;
    for (name, value) in NASTY {
        assert_eq!(world.run(&["get", name, "--show", "-e", "prod"]).success(), *value);
    }
    // a script must not take what stands for a value for the value
    let ran = world.run(&["get", "QUOTES", "-e", "prod"]);
    assert_eq!(ran.stdout(), "");
    assert!(ran.failure(2).contains("--show"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_or_cannot_be_read_is_an_error_that_names_it() {
    let world = World::new().await;
    assert!(world.run(&["get", "QUOTE", "-e", "prod", "--show"]).failure(1).contains("\"QUOTE\""));
    assert!(world.run(&["get", "LOST", "-e", "broken", "--show"]).failure(1).contains("LOST"));
    assert_eq!(world.run(&["get", "GOOD", "-e", "broken", "--show"]).success(), "g");
    assert!(
        world.run(&["get", "QUOTES", "-e", "producton", "--show"]).failure(1).contains("producton holds no secrets")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_comes_from_the_option_then_from_the_file_and_is_never_guessed() {
    let world = World::new().await;
    assert!(world.run(&["list"]).failure(2).contains("--env"));
    assert_eq!(world.server.total_requests(), 0);
    world.file(".xtrarc", r#"{"env":"stg"}"#);
    assert_eq!(world.run(&["get", "QUOTES", "--show"]).success(), "other");
    assert_eq!(world.run(&["get", "BLANK", "--show", "--env", "prod"]).success(), "   ");
    world.file(".xtrarc", r#"{"env":"staging","branch":"feature/new-ui"}"#);
    assert_eq!(world.run(&["get", "QUOTES", "--show"]).success(), "branched");
    assert_eq!(world.run(&["get", "QUOTES", "--show", "-b", "main"]).success(), "other");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_are_understood_before_and_after_the_name_of_the_command() {
    let world = World::new().await;
    let (id, url) = (world.server.project_id().to_owned(), world.server.url());
    for arguments in [
        ["-e", "stg", "-p", &id, "--api-url", &url, "get", "QUOTES", "--show"],
        ["get", "--show", "QUOTES", "--api-url", &url, "--project", &id, "--env", "stg"],
    ] {
        let mut command = world.command(&arguments);
        let ran = run(command.env_remove("XTRA_PROJECT_ID").env("XTRA_API_URL", "http://127.0.0.1:1/api"));
        assert_eq!(ran.success(), "other");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_listed_in_order_one_a_line_and_unreadable_ones_are_marked() {
    let world = World::new().await;
    assert_eq!(world.run(&["list", "-e", "stg"]).success(), "EMPTY\nEQUALS\nQUOTES\nSTAGING_ONLY\n");
    assert_eq!(world.run(&["list", "-e", "broken"]).success(), "GOOD\nLOST  (the service cannot decrypt it)\n");
    let mut viewer = world.command(&["list", "-e", "stg"]);
    let ran = run(viewer.env("XTRA_TOKEN", world.server.token_for("vic").unwrap()));
    assert_eq!(ran.success().lines().filter(|line| line.contains("(masked")).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_in_a_list_have_nothing_that_a_terminal_acts_on() {
    let world = World::new().await;
    let ran = world.run(&["list", "-e", "prod", "--show"]);
    assert_eq!(ran.success().lines().count(), NASTY.len());
    assert!(!ran.success().contains(|character: char| character.is_control() && character != '\n'));
    let row = format!("{:<13}{}\n", "QUOTES", "a \"double\" and a 'single' one");
    assert!(ran.success().contains(&row), "{}", ran.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_as_json_is_an_array_of_objects() {
    let world = World::new().await;
    let list = |options: &[&str]| -> Value {
        serde_json::from_str(world.run(&[&["list", "--json", "-e"], options].concat()).success()).unwrap()
    };
    let expected = json!([
        { "name": "GOOD", "readable": true },
        { "name": "LOST", "readable": false, "reason": "the service cannot decrypt it" },
    ]);
    assert_eq!(list(&["broken"]), expected);
    let shown = list(&["prod", "--show"]);
    for (entry, (name, value)) in shown.as_array().unwrap().iter().zip(NASTY) {
        assert_eq!(*entry, json!({ "name": name, "readable": true, "value": value }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_without_secrets_is_remarked_because_a_mistyped_one_looks_the_same() {
    let world = World::new().await;
    let ran = world.run(&["list", "-e", "producton"]);
    assert_eq!((ran.status(), ran.stdout()), (0, ""));
    assert!(ran.one_line().contains("producton holds no secrets"));
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_every_command() {
    let world = World::new().await;
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = world.run(&["completions", shell]);
        for command in crate::leaks::COMMANDS {
            assert!(ran.success().contains(command), "{shell}: {command}");
        }
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_and_the_help_are_for_standard_output() {
    let world = World::new().await;
    let version = format!("xtrasec {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(world.run(&["--version"]).success(), version);
    assert!(world.run(&["--help"]).success().contains("Examples:"));
    for command in crate::leaks::COMMANDS {
        assert!(world.run(&[command, "--help"]).success().contains("Examples:"), "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_secret_is_its_bare_value_and_several_are_written_as_by_export() {
    let world = World::new().await;
    let get = |options: &[&str]| world.run(&[&["get", "-e", "stg"], options].concat());
    let export = |options: &[&str]| world.run(&[&["export", "-e", "stg", "--only", "QUOTES,EQUALS"], options].concat());
    assert_eq!(get(&["QUOTES", "EQUALS", "QUOTES", "--show"]).success(), export(&[]).success());
    for format in ["dotenv", "docker", "json", "yaml", "shell"] {
        let got = get(&["QUOTES", "EQUALS", "--show", "--format", format]);
        assert_eq!(got.success(), export(&["--format", format]).success(), "{format}");
    }
    assert_eq!(get(&["QUOTES", "QUOTES", "--show"]).success(), "other");
    assert_eq!(get(&["QUOTES", "--show", "--format", "dotenv"]).success(), "QUOTES=other\n");
    get(&["QUOTES", "--show", "--format", "github"]).failure(2);
    assert!(get(&["QUOTES", "--format", "json"]).failure(2).contains("--show"));
    assert!(get(&["QUOTES", "EQUALS"]).failure(2).contains("stdout is not a terminal: add --show"));
}

#[tokio::test(flavor = "multi_thread")]
async fn if_one_of_several_is_not_there_all_that_are_not_are_named_and_nothing_is_written() {
    let world = World::new().await;
    let names: Vec<String> = (0..20).map(|number| format!("NO_{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = world.run(&[&["get", "QUOTES"], &names[..], &["-e", "stg", "--show"]].concat());
    let line = ran.failure(1);
    assert!(names.iter().all(|name| line.contains(name)) && !line.contains("QUOTES"), "{line}");
    let ran = world.run(&["get", "GOOD", "LOST", "NONE", "-e", "broken", "--show"]);
    assert!(ran.failure(1).contains("LOST") && ran.stderr().contains("NONE"), "{}", ran.stderr());
    assert!(world.run(&["get", "NONE", "-e", "odd", "--show"]).failure(1).contains("2 secrets"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_the_same_document_and_has_nothing_that_a_terminal_acts_on() {
    let world = World::new().await;
    let value = "a\u{202e}b\u{61c}c\u{9b}31m\u{2066}d\u{85}e\u{7f}f\u{1b}g\u{feff}";
    let name = "N\u{202e}\u{9b}X";
    world.server.set_secret("shop", "bidi", "main", name, value).unwrap();
    for arguments in [
        &["list", "-e", "bidi", "--json", "--show"][..],
        &["export", "-e", "bidi", "--format", "json"],
        &["get", name, "-e", "bidi", "--show", "--format", "json"],
        &["diff", "bidi", "nowhere", "--json", "--show"],
        &["history", name, "-e", "bidi", "--json", "--show"],
        &["rotate", name, "-e", "bidi", "--json"],
    ] {
        let ran = world.run(arguments);
        assert_eq!(ran.status(), 0, "{arguments:?}: {}", ran.stderr());
        let text = ran.stdout();
        assert!(text.chars().all(|character| character == '\n' || (' '..='~').contains(&character)), "{text:?}");
        let document: Value = serde_json::from_str(text).unwrap();
        assert!(document.is_object() || document.is_array());
        if arguments[0] == "export" {
            assert_eq!(document, json!({ name: value }));
        }
    }
}
