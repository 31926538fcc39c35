//! `xtrasec run`: what the program gets, and what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::world::{Ran, World, nasty, recorded, run};

/// What `env -0` has written.
#[track_caller]
fn environment(ran: &Ran) -> BTreeMap<String, String> {
    let text = ran.success();
    let entries: Vec<_> = text.split_terminator('\0').map(|entry| entry.split_once('=').unwrap()).collect();
    let map: BTreeMap<String, String> =
        entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(map.len(), entries.len(), "a variable came twice");
    map
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_gets_every_secret_byte_for_byte_and_nothing_else_changes() {
    let world = World::new().await;
    for (name, values) in [("production", nasty()), ("development", recorded())] {
        let mut expected = world.variables();
        expected.extend(values);
        assert!(environment(&world.run(&["run", "-e", name, "--", "env", "-0"])) == expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credentials_of_the_command_do_not_reach_the_program() {
    let world = World::new().await;
    let mut command = world.command(&["run", "-e", "stg", "--", "env", "-0"]);
    for name in ["XTRA_MACHINE_TOKEN", "XTRA_VAULT_PASSPHRASE", "XTRA_MASTER_SECRET"] {
        command.env(name, "own");
    }
    let given = environment(&run(&mut command));
    let kept: Vec<_> = given.keys().filter(|name| name.starts_with("XTRA_")).collect();
    assert_eq!(kept, ["XTRA_API_URL", "XTRA_PROJECT_ID"]);
    assert!(!given.values().any(|value| value == "own" || value == world.server.token()));
}

/// What became of `QUOTES` and `EQUALS`, which are `mine` and empty outside, and what was said about it. `EMPTY` is there with
/// the secret's own value.
fn of_existing(world: &World, options: &[&str]) -> (String, String, String) {
    let script = r#"printf '%s\n' "$QUOTES" "$EQUALS""#;
    let arguments = [&["run", "-e", "staging"], options, &["--", "sh", "-c", script]].concat();
    let ran = run(world.command(&arguments).env("QUOTES", "mine").env("EQUALS", "").env("EMPTY", ""));
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    let mut lines = ran.stdout().lines().map(str::to_owned);
    let said = if ran.stderr().is_empty() { String::new() } else { ran.one_line().to_owned() };
    assert!(!said.contains("mine") && !said.contains("other") && !said.contains("=a=b"), "{said}");
    (lines.next().unwrap(), lines.next().unwrap(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_replaces_a_variable_that_exists_and_the_names_of_those_that_differed_are_told() {
    let world = World::new().await;
    for options in [&[][..], &["--override"], &["--preserve-env=NO_SUCH,STAGING_ONLY"], &["--keep=NO_SUCH"]] {
        let (quotes, equals, said) = of_existing(&world, options);
        assert_eq!((quotes.as_str(), equals.as_str()), ("other", "=a=b==c="), "{options:?}");
        assert!(said.ends_with(r#"replaced "EQUALS", "QUOTES""#) && !said.contains("EMPTY"), "{said}");
    }
    let ran = run(world.command(&["run", "-e", "staging", "--keep", "printenv", "QUOTES"]).env("QUOTES", "mine"));
    assert_eq!(ran.stdout(), "mine\n", "the name of the program is no name to keep");
    let unchanged = ["run", "-e", "staging", "--", "true"];
    run(world.command(&unchanged).env("QUOTES", "other").env("EMPTY", "")).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_exist_are_kept_when_that_is_asked_for_and_it_is_told_too() {
    let world = World::new().await;
    for options in [&["--preserve-env"][..], &["--keep"], &["--keep", "--preserve-env=QUOTES"]] {
        let (quotes, equals, said) = of_existing(&world, options);
        assert_eq!((quotes.as_str(), equals.as_str()), ("mine", ""), "{options:?}");
        assert!(said.ends_with(r#"kept "EQUALS", "QUOTES""#) && !said.contains("EMPTY"), "{said}");
    }
    for options in
        [&["--preserve-env=QUOTES"][..], &["--keep=NO_SUCH,QUOTES"], &["--keep=NO_SUCH", "--keep=QUOTES", "--override"]]
    {
        let (quotes, equals, said) = of_existing(&world, options);
        assert_eq!((quotes.as_str(), equals.as_str()), ("mine", "=a=b==c="), "{options:?}");
        assert!(said.ends_with(r#"replaced "EQUALS"; kept "QUOTES""#), "{said}");
    }
    for quiet in ["-q", "--quiet"] {
        for kept in ["--keep", "--override"] {
            assert_eq!(of_existing(&world, &[quiet, kept]).2, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_a_run_gives_the_values_of_the_inner_environment() {
    let world = World::new().await;
    std::fs::create_dir(world.path(".xtra")).unwrap();
    let stored = serde_json::json!({ "token": world.server.token() }).to_string();
    world.file(".xtra/config.json", &stored);
    let command = env!("CARGO_BIN_EXE_xtrasec");
    let inner = [command, "run", "-e", "production", "--only", "QUOTES", "--", "printenv", "QUOTES"];
    let outer = [&["run", "-e", "staging", "--only", "QUOTES", "--"], &inner[..]].concat();
    let ran = run(world.command(&outer).env_remove("XTRA_TOKEN"));
    assert_eq!((ran.status(), ran.stdout()), (0, "a \"double\" and a 'single' one\n"), "{}", ran.stderr());
    assert!(ran.one_line().ends_with(r#"replaced "QUOTES""#), "{}", ran.stderr());
    // with the token in a variable, the inner run has one only when it is passed on
    std::fs::remove_file(world.path(".xtra/config.json")).unwrap();
    let ran = run(&mut world.command(&outer));
    assert!(ran.status() == 1 && ran.stderr().contains("no token"), "{}", ran.stderr());
    let outer = [&["run", "--with-credentials", "-e", "staging", "--only", "QUOTES", "--"], &inner[..]].concat();
    let ran = run(&mut world.command(&outer));
    assert_eq!((ran.status(), ran.stdout()), (0, "a \"double\" and a 'single' one\n"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_many_names_that_differ_a_few_are_told_and_the_rest_counted() {
    let world = World::new().await;
    let mut command = world.command(&["run", "-e", "many", "--", "true"]);
    for number in 10..100 {
        let name = format!("KEY_{number}");
        world.server.set_secret("shop", "many", "main", &name, "new").unwrap();
        command.env(name, "old");
    }
    let ran = run(&mut command);
    assert!(ran.status() == 0 && ran.one_line().ends_with("\"KEY_19\" and 80 more"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_steer_this_command_or_redirect_trust_are_refused_unless_allowed_by_one_paste() {
    let world = World::new().await;
    let names = ["HTTPS_PROXY", "MAKEFILES", "XTRA_API_URL", "XTRA_TOKEN", "no_proxy"];
    for name in names.iter().chain(&["RDS_PROXY", "SSL_CERT_PEM"]) {
        world.server.set_secret("shop", "steering", "main", name, "x").unwrap();
    }
    let touch = |options: &[&str]| world.run(&[&["run", "-e", "steering"], options, &["--", "touch", "ran"]].concat());
    let refused = touch(&[]);
    let line = refused.failure(1);
    let list = names.join(",");
    assert!(line.contains(&format!("--allow-name {list}")) && !line.contains("RDS_PROXY"), "{line}");
    assert!(!world.path("ran").exists());
    let allowed = touch(&["--quiet", "--allow-name", &list]);
    allowed.success();
    assert!(world.path("ran").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_chosen_renamed_and_prefixed() {
    let world = World::new().await;
    let given = |options: &[&str]| {
        let arguments = [&["run", "-e", "staging"], options, &["--", "env", "-0"]].concat();
        let inherited = world.variables();
        let names: Vec<String> = environment(&world.run(&arguments)).into_keys().collect();
        names.into_iter().filter(|name| !inherited.contains_key(name)).collect::<Vec<_>>()
    };
    assert_eq!(given(&["--only", "QUOTES,EMPTY"]), ["EMPTY", "QUOTES"]);
    assert_eq!(given(&["--exclude", "QUOTES", "--exclude", "EMPTY"]), ["EQUALS", "STAGING_ONLY"]);
    assert_eq!(given(&["--only", "EMPTY", "--prefix", "APP_"]), ["APP_EMPTY"]);
    assert_eq!(given(&["--only", "EMPTY,QUOTES", "--prefix", "A_", "--rename", "QUOTES=Q"]), ["A_EMPTY", "Q"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_stops_a_run_is_named_at_once() {
    let world = World::new().await;
    let touch = |options: &[&str]| world.run(&[&["run"], options, &["--", "touch", "ran"]].concat());
    let missing = touch(&["-e", "staging", "--only", "EMPTY,NO_1,NO_2"]);
    assert!(missing.failure(1).contains("\"NO_1\", \"NO_2\"") && missing.stderr().contains("staging"));
    let viewer = world.server.token_for("vic").unwrap();
    let mut command = world.command(&["run", "-e", "stg", "--exclude", "EMPTY", "--", "touch", "ran"]);
    let masked = run(command.env("XTRA_TOKEN", viewer));
    assert!(masked.failure(1).contains("\"EQUALS\", \"QUOTES\", \"STAGING_ONLY\""), "{}", masked.stderr());
    assert!(!masked.stderr().contains("EMPTY") && masked.stderr().contains("--exclude"));
    let both = touch(&["-e", "broken", "--only", "LOST,NO_1"]);
    assert!(both.failure(1).contains("\"LOST\"") && both.stderr().contains("\"NO_1\""), "{}", both.stderr());
    let nothing = touch(&["-e", "stg", "--only", "EMPTY", "--exclude", "EMPTY"]);
    assert!(nothing.failure(1).contains("--exclude") && !nothing.stderr().contains("holds no secrets"));
    for refused in [missing, masked, both, nothing] {
        assert!(refused.stderr().ends_with("Nothing was run\n"));
    }
    assert!(!world.path("ran").exists());
    touch(&["-e", "stg", "--only", "EMPTY", "--exclude", "EMPTY", "--allow-empty"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_branch_is_the_one_asked_for() {
    let world = World::new().await;
    let ran = world.run(&["run", "-e", "stg", "-b", "feature/new-ui", "--", "printenv", "QUOTES"]);
    assert_eq!(ran.success(), "branched\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_that_of_the_program_as_a_shell_tells_it() {
    let world = World::new().await;
    world.file("plain", "not a program");
    let cases: [(&[&str], i32); 8] = [
        (&["true"], 0),
        (&["sh", "-c", "exit 3"], 3),
        (&["sh", "-c", "exit 255"], 255),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "kill -TERM $$"], 143),
        (&["no-such-program"], 127),
        (&["./plain"], 126),
        (&["/"], 126),
    ];
    for (program, expected) in cases {
        let ran = world.run(&[&["run", "-e", "stg", "--"], program].concat());
        assert_eq!(ran.status(), expected, "{program:?}: {}", ran.stderr());
        match expected {
            126 | 127 => assert!(ran.one_line().contains(program[0]), "{}", ran.one_line()),
            _ => assert_eq!(ran.stderr(), ""),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_sees_the_signal_that_killed_the_program() {
    let world = World::new().await;
    let script = r#""$0" run -e stg -- sh -c 'kill -KILL $$'; echo $?"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_xtrasec")]).env_clear().envs(world.variables());
    let ran = run(shell.env("XTRA_TOKEN", world.server.token()).current_dir(world.home.path()));
    assert_eq!(ran.stdout(), "137\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_to_the_command_reaches_the_program_because_they_are_one_process() {
    let world = World::new().await;
    let script = r#"trap 'echo told; exit 7' TERM; echo $$; while :; do read -r line || exit 8; done"#;
    let mut command = world.command(&["run", "-e", "stg", "--", "sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), child.id().to_string(), "the program is another process");
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    // Ends the wait of a shell that tells its trap only after the line.
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("told\n", Some(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_run_unless_every_secret_can_be_given() {
    let world = World::new().await;
    let touch = |options: &[&str]| world.run(&[&["run"], options, &["--", "touch", "ran"]].concat());
    let refused = touch(&["-e", "hostile"]);
    assert!(refused.failure(1).contains("LD_PRELOAD") && refused.stderr().contains("PAGER"));
    assert!(touch(&["-e", "hostile", "--allow-name", "PAGER"]).failure(1).contains("LD_PRELOAD"));
    assert!(touch(&["-e", "broken"]).failure(1).contains("LOST"));
    assert!(touch(&["-e", "broken", "--only", "LOST"]).failure(1).contains("LOST"));
    assert!(touch(&["-e", "nowhere"]).failure(1).contains("--allow-empty"));
    assert!(!world.path("ran").exists());
    touch(&["-e", "hostile", "--exclude", "LD_PRELOAD", "--allow-name", "PAGER"]).success();
    for options in [["-e", "broken", "--only", "GOOD"], ["-e", "broken", "--exclude", "LOST"]] {
        fs::remove_file(world.path("ran")).unwrap();
        touch(&options).success();
        assert!(world.path("ran").exists());
    }
    touch(&["-e", "nowhere", "--allow-empty"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_all_that_a_run_needs() {
    let world = World::new().await;
    world.run(&["run", "-e", "stg", "--", "true"]).success();
    assert_eq!(world.server.total_requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_of_the_program_are_its_own() {
    let world = World::new().await;
    for dashes in [&["--"][..], &[]] {
        let program = ["printf", "%s|", "--help", "-e", "", "a b", "--", "--override"];
        let ran = world.run(&[&["run", "-e", "stg"], dashes, &program].concat());
        assert_eq!(ran.success(), "--help|-e||a b|--|--override|");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_are_no_text_reach_the_program_unchanged() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new().await;
    let mut command = world.command(&["run", "-e", "stg", "--", "printf", "%s"]);
    let ran = run(command.arg(std::ffi::OsStr::from_bytes(b"a\xff\xfeb")));
    assert_eq!((ran.status(), ran.output.stdout.as_slice()), (0, &b"a\xff\xfeb"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_are_no_text_are_inherited_unchanged_and_kept_as_others_are() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new().await;
    let odd = std::ffi::OsStr::from_bytes(b"a\xffb");
    let mut command = world.command(&["run", "-e", "stg", "--keep", "--", "printenv", "ODD", "QUOTES"]);
    let ran = run(command.env("ODD", odd).env("QUOTES", odd));
    assert_eq!((ran.status(), ran.output.stdout.as_slice()), (0, &b"a\xffb\na\xffb\n"[..]));
    assert!(ran.one_line().ends_with(r#"kept "QUOTES""#), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_wait_for_the_service_and_nothing_is_run() {
    let world = World::new().await;
    let hold = world.server.hold(xtrasecurity::dev_server::route::SECRETS_READ);
    let mut child = world.command(&["run", "-e", "stg", "--", "touch", "ran"]).spawn().unwrap();
    hold.waiting_for(1).await;
    // not an interrupt: what is started in the background of a script ignores those
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    assert!(!world.path("ran").exists());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_system_can_give_a_program_is_status_126() {
    let world = World::new().await;
    for name in ["LARGE_1", "LARGE_2", "LARGE_3"] {
        world.server.set_secret("shop", "large", "main", name, &"canary".repeat(10 * 1024)).unwrap();
    }
    world.server.set_secret("shop", "large", "main", "LARGE_4", &"canary".repeat(11 * 1024)).unwrap();
    // The room for arguments and variables is a quarter of the stack's.
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"ulimit -s 512; exec "$0" run -e large -- true"#, env!("CARGO_BIN_EXE_xtrasec")]);
    shell.env_clear().envs(world.variables()).env("XTRA_TOKEN", world.server.token());
    let ran = run(&mut shell);
    let line = ran.failure(126);
    assert!(line.contains("too long") && line.contains("--only") && !line.contains("canary"), "{line}");
    assert!(line.contains(r#""LARGE_4" (66 KiB), "LARGE_1" (60 KiB), "LARGE_2" (60 KiB)"#), "{line}");
    let many = "x".repeat(100_000);
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        r#"ulimit -s 512; x=$1; exec "$0" run -e stg -- true "$x" "$x""#,
        env!("CARGO_BIN_EXE_xtrasec"),
        &many,
    ]);
    shell.env_clear().envs(world.variables()).env("XTRA_TOKEN", world.server.token());
    let ran = run(&mut shell);
    assert!(ran.status() != 0, "{}", ran.stderr());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_program_inherits_no_file_of_the_command_and_no_ignored_signal() {
    let world = World::new().await;
    let script = "ls /proc/self/fd; grep -E 'Sig(Ign|Blk)' /proc/self/status";
    let through = world.run(&["run", "-e", "stg", "--", "sh", "-c", script]);
    let directly = run(Command::new("sh").args(["-c", script]).stdin(Stdio::null()));
    assert_eq!(through.success(), directly.success());
    let ignored = through.stdout().lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    const SIGPIPE: u32 = 13;
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() >> (SIGPIPE - 1) & 1, 0, "{ignored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_to_keep_after_a_blank_is_told_from_a_program() {
    let world = World::new().await;
    for option in ["--keep", "--preserve-env"] {
        let ran = world.run(&["run", "-e", "stg", option, "PORT", "--", "touch", "ran"]);
        assert!(ran.failure(2).contains("--keep=PORT") && ran.stderr().contains("Nothing was run"), "{}", ran.stderr());
        assert_eq!(world.server.total_requests(), 0);
        let ran = world.run(&["run", "-e", "stg", option, "PORT,LOG_LEVEL", "touch", "ran"]);
        assert!(ran.failure(127).contains("--keep=PORT"), "{}", ran.stderr());
        world.server.reset_counts();
    }
    assert!(!world.path("ran").exists());
    assert!(!world.run(&["run", "-e", "stg", "no-such-program"]).failure(127).contains("--keep"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_a_run_without_a_token_names_the_option_that_passes_it_on() {
    let world = World::new().await;
    let command = env!("CARGO_BIN_EXE_xtrasec");
    let inner = [command, "get", "QUOTES", "-e", "stg", "--show"];
    let ran = world.run(&[&["run", "-e", "prod", "--"], &inner[..]].concat());
    assert!(ran.failure(1).contains("--with-credentials"), "{}", ran.stderr());
    let ran = world.run(&[&["run", "--with-credentials", "-e", "prod", "--"], &inner[..]].concat());
    assert_eq!(ran.success(), "other");
}
