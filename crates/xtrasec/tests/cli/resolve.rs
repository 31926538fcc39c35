//! `--resolve`, and what is said of names that lead nowhere.

use xtrasecurity::dev_server::DevServer;

use crate::world::World;

fn set(server: &DevServer, environment: &str, key: &str, value: &str) {
    server.set_secret("shop", environment, "main", key, value).unwrap();
}

/// `staging` with a value that is put together of two others.
async fn world() -> World {
    let world = World::new().await;
    set(&world.server, "composed", "URL", "db://{{ xtra:///PASSWORD }}@{{ xtra:///staging/QUOTES }}");
    set(&world.server, "composed", "PASSWORD", "hunter2");
    world
}

const WHOLE: &str = "db://hunter2@other";

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_gives_values_follows_references_when_told_to() {
    let world = world().await;
    assert_eq!(world.run(&["get", "URL", "-e", "composed", "--show", "--resolve"]).success(), WHOLE);
    let exported = world.run(&["export", "-e", "composed", "--format", "json", "--resolve"]);
    assert!(exported.success().contains(WHOLE));
    let ran = world.run(&["run", "-e", "composed", "--resolve", "--", "sh", "-c", "printf %s \"$URL\""]);
    assert_eq!(ran.success(), WHOLE);
    world.file("schema.json", r#"{"type":"object","properties":{"URL":{"type":"string","maxLength":20}}}"#);
    let check = |options: &[&str]| {
        world.run(&[&["check", "--schema", "schema.json", "-e", "composed"], options].concat()).status()
    };
    assert_eq!((check(&["--resolve"]), check(&[])), (0, 1), "the value that is stored is longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_not_followed_is_remarked_with_the_option() {
    let world = world().await;
    for arguments in [
        &["get", "URL", "-e", "composed", "--show"][..],
        &["export", "-e", "composed", "--format", "json"],
        &["run", "-e", "composed", "--", "true"],
    ] {
        let ran = world.run(arguments);
        assert!(ran.status() == 0 && ran.one_line().contains("as they are: \"URL\". --resolve"), "{}", ran.stderr());
    }
    world.run(&["get", "PASSWORD", "-e", "composed", "--show"]).success();
    world.run(&["run", "-e", "composed", "--only", "PASSWORD", "--", "true"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn references_that_lead_nowhere_start_nothing() {
    let world = world().await;
    set(&world.server, "composed", "BAD", "xtra:///staging/QUOTE");
    let ran = world.run(&["run", "-e", "composed", "--resolve", "--", "echo", "started"]);
    let line = ran.failure(1);
    assert!(line.contains("in \"BAD\"") && line.contains("QUOTES") && line.contains("Nothing was run"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_need_not_name_the_environment() {
    let world = world().await;
    world.file("template", "p={{ xtra:///PASSWORD }}");
    assert_eq!(world.run(&["render", "template", "-e", "composed"]).success(), "p=hunter2");
    world.file("wrong", "p={{ xtra://composed/PASSWORD }}");
    let ran = world.run(&["render", "wrong"]);
    assert!(ran.stderr().contains("Write \"xtra:///composed/PASSWORD\""), "{}", ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_environment_is_told_with_the_one_that_may_be_meant() {
    let world = World::new().await;
    for arguments in [&["get", "QUOTES", "-e", "producton", "--show"][..], &["run", "-e", "producton", "--", "true"]] {
        let ran = world.run(arguments);
        assert!(ran.failure(1).contains("Perhaps \"production\" is meant"), "{}", ran.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_write_says_that_there_was_nothing() {
    let world = World::new().await;
    let set = |environment: &str, name: &str| world.run(&["set", &format!("{name}=1"), "-e", environment]);
    let first = set("stagign", "A");
    assert!(
        first.status() == 0
            && first.one_line() == "stagign (branch main) held no secrets before this; is the name right?"
    );
    assert_eq!(set("stagign", "B").stderr(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_that_are_compared_without_their_environment_are_told_how() {
    let world = World::new().await;
    let ran = world.run(&["diff", "main", "feature/new-ui", "-e", "stg"]);
    assert!(
        ran.status() == 0 && ran.stderr().contains("xtrasec diff staging@main staging@feature/new-ui"),
        "{}",
        ran.stderr()
    );
    assert!(
        world
            .run(&["diff", "main", "feature/new-ui"])
            .stderr()
            .contains("diff production@main production@feature/new-ui")
    );
    assert!(!world.run(&["diff", "nowhere", "nothing"]).stderr().contains('@'));
}
