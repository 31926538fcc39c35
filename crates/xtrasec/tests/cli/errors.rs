//! How the command fails: a status for scripts and one line for people.

use std::io::pipe;
use std::process::Command;

use xtrasecurity::dev_server::{Fault, route};

use crate::world::{World, run};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_status_one_and_one_line() {
    let world = World::new().await;
    for arguments in [
        &["run", "-e", "stg", "--", "touch", "ran"][..],
        &["get", "QUOTES", "--show", "-e", "stg"],
        &["list", "-e", "stg"],
        &["export", "-e", "stg"],
        &["diff", "stg", "prod"],
    ] {
        let ran = run(world.command(arguments).env("XTRA_TOKEN", "xs_wrong"));
        assert!(ran.failure(1).contains("401"), "{}", ran.stderr());
    }
    assert!(!world.path("ran").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_or_answers_nonsense_is_one_line() {
    let world = World::new().await;
    let list = ["list", "-e", "stg"];
    run(world.command(&list).env("XTRA_API_URL", "http://127.0.0.1:1/api")).failure(1);
    for fault in [Fault::body(500, "text/html", "<html>\n<b>no</b>\n"), Fault::body(200, "text/plain", "nonsense\n\n{")]
    {
        world.server.fault(fault.on(route::SECRETS_READ));
        world.run(&list).failure(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_status_two_and_one_line_and_nothing_is_sent() {
    let world = World::new().await;
    for arguments in [
        &["frobnicate"][..],
        &["--frobnicate"],
        &["run"],
        &["run", "-e", "stg", "--"],
        &["run", "-e", "stg", "--override", "--keep", "--", "true"],
        &["run", "-e", "stg", "--preserve-env=", "--", "true"],
        &["run", "-e", "stg", "--preserve-env=QUOTES"],
        &["run", "-e", "stg", "--rename", "A", "--", "true"],
        &["run", "--frobnicate", "--", "true"],
        &["get"],
        &["list", "--token", "xs_secret"],
        &["export", "-e", "stg", "--format", "toml"],
        &["export", "-e", "stg", "--force"],
        &["diff", "stg"],
        &["completions", "tcsh"],
        &["run", "--", "true"],
        &["get", "A"],
        &["list"],
        &["export"],
        &["check"],
        &["example"],
        &["render"],
        &["run", "-e", "stg", "--", ""],
        &["run", "-e", "stg", "--only", "", "--", "true"],
        &["list", "-e", ""],
        &["list", "-e", ".."],
        &["list", "-e", " prod"],
        &["list", "-e", "stg", "-b", ""],
        &["list", "-e", "stg", "-b", ".."],
        &["list", "-e", "stg", "-p", ".."],
        &["list", "-e", "stg", "--api-url", "shop"],
        &["list", "-e", "stg", "--api-url", "http://example.com/api"],
        &["get", "", "-e", "stg"],
        &["diff", "", "stg"],
        &["diff", "stg", "stg@"],
    ] {
        let ran = world.run(arguments);
        let line = ran.failure(2);
        assert!(!line.contains("xs_secret"), "{line}");
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_points_to_the_help_of_its_command() {
    let world = World::new().await;
    assert!(world.run(&["list", "extra"]).failure(2).ends_with("see xtrasec list --help"));
    assert!(world.run(&["frobnicate"]).failure(2).ends_with("see xtrasec --help"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_that_fits_nowhere_is_not_repeated_as_it_may_be_secret() {
    let world = World::new().await;
    let key = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n";
    for arguments in [
        &["set", "TLS_KEY", key, "-e", "stg"][..],
        &["set", "TLS_KEY", "--canary5", "-e", "stg"],
        &["login", "xs_canary"],
        &["logout", "xs_canary"],
    ] {
        let ran = world.run(arguments);
        let line = ran.failure(2);
        assert!(!line.contains("canary") && line.contains("standard input"), "{line}");
        assert!(line.starts_with("unexpected extra argument (hidden: it may be a secret)"), "{line}");
        assert!(line.ends_with(&format!("see xtrasec {} --help", arguments[0])), "{line}");
    }
    assert!(world.run(&["set", "--frobnicate", "A"]).failure(2).contains("--frobnicate"));
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_and_cannot_be_told_is_not_taken_for_undone() {
    let world = World::new().await;
    for arguments in [
        &["set", "QUOTES=second", "-e", "stg"][..],
        &["rollback", "QUOTES", "1", "-e", "stg"],
        &["delete", "QUOTES", "-e", "stg", "--yes"],
        &["branches", "create", "b"],
        &["branches", "rename", "b", "c", "--yes"],
        &["branches", "delete", "c", "--yes"],
    ] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let ran = run(world.command(arguments).stdout(writer).stderr(std::process::Stdio::piped()));
        assert!(ran.status() == 1 && ran.one_line().contains("has been done"), "{arguments:?}: {}", ran.stderr());
    }
    assert_eq!(world.server.secret("shop", "staging", "main", "QUOTES"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_is_what_can_be_typed_and_not_what_can_be_programmed() {
    let world = World::new().await;
    let limited = |wait: &str| Fault::status(429).header("Retry-After", wait).on(route::SECRETS_READ);
    let mut lines = Vec::new();
    let mut note = |ran: &crate::world::Ran| lines.push(ran.failure(ran.status()).to_owned());
    note(&world.run(&["run", "-e", "hostile", "--", "true"]));
    note(&world.run(&["run", "-e", "broken", "--", "true"]));
    note(&world.run(&["diff", "stg", "broken"]));
    note(&world.run(&["get", "LOST", "-e", "broken", "--show"]));
    note(&world.run(&["list", "-e", "stg", "--api-url", "http://example.com/api"]));
    note(&world.run(&["list", "-e", "stg", "--api-url", "http://user:password@127.0.0.1/api"]));
    note(&run(world.command(&["list", "-e", "stg"]).env_remove("XTRA_TOKEN")));
    note(&run(world.command(&["list", "-e", "stg"]).env_remove("XTRA_PROJECT_ID")));
    note(&run(world.command(&["list"]).env("XTRA_LOCAL_MODE", "true")));
    note(&run(world.command(&["list", "-e", "stg"]).env("XTRA_API_URL", "http://127.0.0.1:1/api")));
    note(&world.run(&["render", "no-such-file"]));
    world.file("odd.json", r#"{"odd name":"1"}"#);
    world.file("same.env", "EMPTY=\nQUOTES=x\n");
    note(&world.run(&["import", "odd.json", "-e", "stg", "--yes"]));
    note(&world.run(&["set", "A=1", "-e", "Staging"]));
    note(&world.run(&["set", "A=1", "--seal", "-e", "stg"]));
    note(&world.run(&["set", "A=1", "-e", "stg", "-b", "none"]));
    note(&world.run(&["set", "QUOTES=1", "--new", "-e", "stg"]));
    note(&world.run(&["set", "QUOTES=1", "--if-version", "9", "-e", "stg"]));
    note(&world.run(&["set", "A=1", "-e", "prod"]));
    note(&world.run(&["delete", "NONE", "-e", "stg", "--yes"]));
    note(&world.run(&["delete", "QUOTES", "-e", "Staging", "--yes"]));
    note(&world.run(&["rollback", "QUOTES", "9", "-e", "stg"]));
    note(&world.run(&["promote", "nowhere", "stg", "--dry-run"]));
    note(&world.run(&["promote", "broken", "stg", "--dry-run"]));
    note(&world.run(&["branches", "delete", "none", "--yes"]));
    note(&world.run(&["branches", "rename", "main", "other", "--yes"]));
    for _ in 0..2 {
        world.server.fault(Fault::status(500).on(route::SECRETS_UPSERT));
    }
    note(&world.run(&["set", "A=1", "-e", "stg"]));
    note(&run(world.command(&["promote", "stg", "qa", "--yes"]).stdout(std::process::Stdio::null())));
    note(&run(world.command(&["login"]).env_remove("HOME").env("HOME", "/dev/null")));
    world.server.fault(limited("3600").forever());
    let limit = world.run(&["list", "-e", "stg"]);
    assert!(limit.failure(1).contains("Try again in 3600 s"), "{}", limit.stderr());
    note(&limit);
    for line in &lines {
        for word in [
            "allow_",
            "danger_",
            "(..)",
            "()",
            "retry_after",
            "cache_ttl",
            "local_file",
            "the call",
            " option",
            "snapshot",
        ] {
            assert!(!line.contains(word), "{word}: {line}");
        }
        assert!(!line.contains("(No such file") && !line.contains("(Connection refused"), "said twice: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_home_or_a_directory_is_served() {
    let world = World::new().await;
    let list = ["list", "-e", "stg"];
    run(world.command(&list).env_remove("HOME")).success();
    run(world.command(&list).env("HOME", "/nonexistent")).success();
    let script = r#"mkdir gone; cd gone; rmdir ../gone; exec "$0" list -e stg"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_xtrasec")]).current_dir(world.home.path());
    run(shell.env_clear().envs(world.variables()).env("XTRA_TOKEN", world.server.token())).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_is_one_line_and_no_panic() {
    let world = World::new().await;
    world.file("template", "{{ xtra:///staging/QUOTES }}");
    world.file("schema.json", r#"{ "type": "object", "properties": { "QUOTES": { "type": "string" } } }"#);
    let commands: &[&[&str]] = &[
        &["list", "-e", "prod"],
        &["list", "-e", "prod", "--json", "--show"],
        &["get", "QUOTES", "-e", "prod", "--show"],
        &["export", "-e", "dev", "--format", "json"],
        &["diff", "stg", "prod"],
        &["doctor", "-e", "prod"],
        &["render", "template"],
        &["check", "-e", "prod", "--schema", "schema.json"],
        &["example", "--schema", "schema.json", "--format", "json-schema"],
        &["completions", "bash"],
        &["set", "A=1", "-e", "stg"],
        &["import", "new.env", "-e", "stg", "--yes"],
        &["delete", "A", "-e", "stg", "--yes"],
        &["history", "QUOTES", "-e", "stg"],
        &["rollback", "QUOTES", "1", "-e", "stg"],
        &["promote", "stg", "qa", "--yes"],
        &["copy", "--from", "xtra:stg", "--to", "xtra:qa", "--yes"],
        &["branches"],
        &["logout"],
    ];
    world.file("new.env", "NEW=1\n");
    world.server.set_secret("shop", "staging", "main", "QUOTES", "second").unwrap();
    for arguments in commands.iter().copied() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let ran = run(world.command(arguments).stdout(writer).stderr(std::process::Stdio::piped()));
        assert_eq!(ran.status(), 1, "{arguments:?}");
        assert!(ran.one_line().contains("standard output"), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_read_the_errors_is_no_panic_either() {
    let world = World::new().await;
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ran = run(world.command(&["list"]).stderr(writer));
    assert_eq!(ran.status(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_the_service_cannot_write_to_the_terminal() {
    let world = World::new().await;
    let name = "RED\u{1b}[31m\nxtrasec: fine";
    world.server.set_secret("shop", "bad", "main", name, "v").unwrap();
    for arguments in [
        &["list", "-e", "bad"][..],
        &["run", "-e", "bad", "--only", "OTHER", "--", "true"],
        &["export", "-e", "bad", "--format", "shell"],
        &["export", "-e", "bad"],
        &["diff", "bad", "stg"],
        &["get", name, "-e", "bad", "--show"],
    ] {
        let ran = world.run(arguments);
        let said = format!("{}{}", ran.stdout(), ran.stderr());
        assert!(!said.contains('\u{1b}') && !said.contains("\nxtrasec: fine"), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_terminal_gets_no_colours() {
    let world = World::new().await;
    for arguments in [&["--help"][..], &["run", "--help"], &["--frobnicate"], &["list", "-e", "stg"], &["doctor"]] {
        for variables in [&[][..], &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]] {
            let ran = run(world.command(arguments).envs(variables.iter().copied()));
            assert!(!ran.stdout().contains('\u{1b}') && !ran.stderr().contains('\u{1b}'), "{arguments:?}");
        }
    }
}
