//! `xtrasec run --offline`: a copy for the time when the service cannot be reached.

use std::fs;
use std::process::Command;

use crate::world::{Ran, World, mode, run};

/// The command beside a home whose caches are its own.
fn offline(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(&["run", "-e", "staging", "--offline"]);
    command.args(arguments).args(["--", "printenv", "STAGING_ONLY"]).env("XDG_CACHE_HOME", world.path("cache"));
    command
}

/// The same while nobody answers.
fn away(world: &World) -> Ran {
    run(offline(world, &[]).env("XTRA_API_URL", "http://127.0.0.1:9/api"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_starts_during_an_outage_and_the_person_is_told() {
    let world = World::new().await;
    assert_eq!(run(&mut offline(&world, &[])).success(), "s\n");
    let folder = world.path("cache/xtrasecurity");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!((files.len(), mode(&folder), mode(&files[0])), (1, 0o700, 0o600));
    for status in [429, 503] {
        let fault = xtrasecurity::dev_server::Fault::status(status).forever();
        world.server.fault(fault);
        let ran = run(&mut offline(&world, &[]));
        assert_eq!((ran.status(), ran.stdout()), (0, "s\n"), "{}", ran.stderr());
        assert!(ran.one_line().contains("a copy that was saved"), "{}", ran.stderr());
        let without = world.run(&["run", "-e", "staging", "--", "printenv", "STAGING_ONLY"]);
        without.failure(1);
        world.server.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_copy_the_error_says_so_and_a_copy_of_another_root_is_none() {
    let world = World::new().await;
    assert!(away(&world).failure(1).contains("none was saved"));
    run(&mut offline(&world, &[])).success();
    assert!(away(&world).failure(1).contains("none was saved"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_the_use_of_the_copy() {
    let world = World::new().await;
    run(&mut offline(&world, &[])).success();
    world.server.fault(xtrasecurity::dev_server::Fault::status(403));
    run(&mut offline(&world, &[])).failure(1);
    assert_eq!(fs::read_dir(world.path("cache/xtrasecurity")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_stops_no_program() {
    let world = World::new().await;
    let inner = offline(&world, &[]);
    let mut command = Command::new("/bin/sh");
    // no file may grow: every write fails as on a full disk
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(inner.get_program())
        .args(inner.get_args());
    let variables = inner.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let ran = run(command.env_clear().current_dir(world.home.path()).envs(variables));
    assert_eq!((ran.status(), ran.stdout()), (0, "s\n"), "{}", ran.stderr());
    assert_eq!(fs::read_dir(world.path("cache/xtrasecurity")).unwrap().count(), 0, "nothing is left unfinished");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_counts_on_a_copy_is_told_when_it_could_not_be_saved_or_deleted() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let world = World::new().await;
    let folder = world.path("cache/xtrasecurity");
    assert_eq!(run(&mut offline(&world, &[])).stderr(), "");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = run(&mut offline(&world, &[]));
    assert_eq!((ran.status(), ran.stdout()), (0, "s\n"));
    assert!(ran.one_line().contains("could not be saved"), "{}", ran.stderr());
    assert!(ran.one_line().contains(&folder.display().to_string()), "{}", ran.stderr());
    let elsewhere = world.path("elsewhere");
    fs::rename(&folder, &elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    world.server.fault(xtrasecurity::dev_server::Fault::status(403));
    let ran = run(&mut offline(&world, &[]));
    assert!(ran.status() == 1 && ran.stderr().contains("could not be saved or deleted"), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    // { "alg": "none" }.{ "exp": 4102444800 }
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln";
    let ran = run(offline(&world, &[]).env("XTRA_TOKEN", jwt));
    assert!(ran.failure(1).contains("copies on disk have no key"), "{}", ran.stderr());
    assert!(ran.stderr().contains("service account's key"), "{}", ran.stderr());
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_held_back_is_taken_when_that_is_said_and_from_then_on() {
    let world = World::new().await;
    let printed = |options: &[&str]| {
        let ran = run(&mut offline(&world, options));
        (ran.status(), ran.stdout().to_owned(), ran.stderr().to_owned())
    };
    assert_eq!(printed(&[]), (0, "s\n".to_owned(), String::new()));
    for name in ["EMPTY", "EQUALS", "QUOTES", "STAGING_ONLY"] {
        world.server.remove_secret("shop", "staging", "main", name).unwrap();
    }
    world.server.set_secret("shop", "staging", "main", "OTHER", "new").unwrap();
    let (status, stdout, stderr) = printed(&[]);
    assert_eq!((status, stdout.as_str()), (0, "s\n"), "{stderr}");
    assert!(stderr.contains("--allow-any-answer"), "{stderr}");
    let taken = run(world
        .command(&["run", "-e", "staging", "--offline", "--allow-any-answer", "--", "printenv", "OTHER"])
        .env("XDG_CACHE_HOME", world.path("cache")));
    assert_eq!(taken.success(), "new\n");
    let next = run(world
        .command(&["run", "-e", "staging", "--offline", "--", "printenv", "OTHER"])
        .env("XDG_CACHE_HOME", world.path("cache")));
    assert_eq!(next.success(), "new\n");
    // it does not cost the copy while the service is away
    world.server.fault(xtrasecurity::dev_server::Fault::status(503).forever());
    let away = run(world
        .command(&["run", "-e", "staging", "--offline", "--allow-any-answer", "--", "printenv", "OTHER"])
        .env("XDG_CACHE_HOME", world.path("cache")));
    assert_eq!((away.status(), away.stdout()), (0, "new\n"), "{}", away.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_looks_like_an_error_is_taken_when_that_is_said() {
    let world = World::new().await;
    let export = |options: &[&str]| {
        for _ in 0..2 {
            let fault =
                xtrasecurity::dev_server::Fault::body(200, "application/json", r#"{"error":"e","message":"m"}"#);
            world.server.fault(fault.on(xtrasecurity::dev_server::route::SECRETS_READ));
        }
        let ran = world.run(&[&["export", "-e", "stg"], options].concat());
        world.server.clear_faults();
        ran
    };
    assert!(export(&[]).failure(1).contains("--allow-any-answer"));
    assert_eq!(export(&["--allow-any-answer"]).success(), "error=e\nmessage=m\n");
}
