//! Names of which the service has two rows: what the commands that write say of them, and `repair`.

use xtrasecurity::dev_server::{Fault, SecretSeed, route};

use crate::world::World;

/// `QUOTES` in staging has two rows: writes change the first, and reads return the second.
async fn doubled() -> World {
    let world = World::new().await;
    world.server.add_secret("shop", SecretSeed::new("staging", "QUOTES", "canary-read")).unwrap();
    world
}

fn read(world: &World) -> String {
    world.run(&["get", "QUOTES", "-e", "stg", "--show"]).success().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_and_not_read_ends_with_status_3_and_a_line_that_names_it() {
    let world = doubled().await;
    world.file("both.env", "QUOTES=canary-file\nNEW_ONE=1\n");
    for (arguments, told) in [
        (&["set", "QUOTES=canary-set", "-e", "stg"][..], ""),
        (&["set", "QUOTES=canary-set", "-e", "stg", "--if-version", "1"], ""),
        (&["import", "both.env", "-e", "stg", "--yes"], "1 created, 0 updated"),
        (&["promote", "prod", "stg", "--only", "QUOTES", "--overwrite", "--yes"], "0 created, 0 updated"),
    ] {
        // so that the rows have the same version, and no condition tells
        world.server.remove_secret("shop", "staging", "main", "QUOTES").unwrap();
        for value in ["first", "canary-read"] {
            world.server.add_secret("shop", SecretSeed::new("staging", "QUOTES", value)).unwrap();
        }
        let ran = world.run(arguments);
        assert_eq!(ran.status(), 3, "{arguments:?}: {}", ran.stderr());
        let line = ran.one_line();
        assert!(line.contains("not confirmed") && line.contains("QUOTES") && line.contains("xtrasec repair"), "{line}");
        assert!(!line.contains("canary") && ran.stdout().contains(told), "{}", ran.stdout());
        assert_eq!(read(&world), "canary-read");
    }
    // the condition holds by what is read, and not by the row that would be written
    world.server.set_secret("shop", "staging", "main", "EQUALS", "canary-2").unwrap();
    world.server.add_secret("shop", SecretSeed::new("staging", "EQUALS", "canary-read")).unwrap();
    let refused = world.run(&["set", "EQUALS=canary-set", "-e", "stg", "--if-version", "1"]);
    assert!(refused.failure(1).contains("`xtrasec repair --dry-run` shows the rows"), "{}", refused.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_after_a_write_can_be_an_error_or_left_out() {
    let world = doubled().await;
    let set = |option: &str| world.run(&["set", "QUOTES=canary-set", "-e", "stg", option]);
    let line = set("--verify").failure(3).to_owned();
    assert!(
        line.contains("QUOTES")
            && line.contains("`xtrasec repair --dry-run` shows the rows")
            && !line.contains("canary")
    );
    world.server.reset_counts();
    assert_eq!(set("--unconfirmed").success(), "updated QUOTES in staging (branch main)\n");
    assert_eq!(world.server.request_count(route::SECRETS_READ), 1);
    assert!(world.run(&["set", "A=1", "-e", "stg", "--verify", "--unconfirmed"]).failure(2).contains("--unconfirmed"));
    // a read that fails confirms nothing
    world.server.fault(Fault::headers([]).on(route::SECRETS_READ));
    world.server.fault(Fault::status(403).on(route::SECRETS_READ));
    assert!(world.run(&["set", "EMPTY=x", "-e", "stg"]).failure(3).contains("EMPTY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_shows_the_rows_and_deletes_with_yes_only() {
    let world = doubled().await;
    let repair = |options: &[&str]| world.run(&[&["repair", "QUOTES", "-e", "stg"], options].concat());
    assert!(repair(&[]).failure(2).contains("--yes"));
    let shown = repair(&["--dry-run"]);
    assert!(shown.success().contains("QUOTES in staging (branch main) has 2 rows"), "{}", shown.stdout());
    let rows: Vec<_> = shown.stdout().lines().take(2).collect();
    assert!(rows[0].contains("version 1") && rows[0].ends_with("to be deleted"), "{rows:?}");
    assert!(rows[1].contains("is read") && rows[1].ends_with("stays"), "{rows:?}");
    assert!(!shown.stdout().contains("canary") && !shown.stdout().contains("other"), "{}", shown.stdout());
    assert_eq!(world.server.request_count(route::SECRETS_BY_ID_DELETE), 0);

    let first = rows[0].split_whitespace().next().unwrap();
    assert!(repair(&["--keep", "0123456789abcdef01234567", "--dry-run"]).failure(1).contains(first));
    assert!(
        repair(&["--keep", first, "--yes"]).success().ends_with(&format!("what is read now is {first}, version 1\n"))
    );
    assert_eq!(read(&world), "other");
    assert!(repair(&["--yes"]).success().contains("nothing to repair"));
    world.run(&["set", "QUOTES=new", "-e", "stg"]).success();
    assert_eq!(read(&world), "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_to_name_the_one_that_is_read_stays_and_production_needs_yes_like_others() {
    let world = doubled().await;
    assert!(world.run(&["repair", "QUOTES", "-e", "stg", "--yes"]).success().contains("deleted 1 row;"));
    assert_eq!(read(&world), "canary-read");
    world.server.add_secret("shop", SecretSeed::new("production", "QUOTES", "again")).unwrap();
    assert_eq!(world.run(&["repair", "QUOTES", "-e", "prod"]).status(), 2);
    assert_eq!(world.server.secret_rows("shop", "production", "main", "QUOTES"), 2);
    world.run(&["repair", "QUOTES", "-e", "prod", "--yes"]).success();
    assert_eq!(world.server.secret_rows("shop", "production", "main", "QUOTES"), 1);
    assert!(world.run(&["repair", "NONE", "-e", "stg", "--yes"]).failure(1).contains("NONE"));
}
