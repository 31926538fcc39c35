//! Ten thousand secrets: with somebody who watches, and with an end in the middle.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{DevServer, Fault, ProjectSeed, RateLimits, UserSeed, route};

use crate::screen::Screen;
use crate::world::{World, run};

const COUNT: usize = 10_000;
/// Of these, so many are there before with other values, and then so many with the same ones.
const OTHER: usize = 1_000;
const SAME: usize = 500;

fn name(number: usize) -> String {
    format!("KEY_{number:05}")
}

fn value(number: usize) -> String {
    format!("value {number}\n{}", "x".repeat(number % 100))
}

/// What is in an environment: versions and values by name.
type Contents = BTreeMap<String, (String, String)>;

async fn contents(world: &World, environment: &str) -> Contents {
    let client = XtraClient::builder().dev_server(&world.server).build().unwrap();
    let secrets = client.get_secrets(environment).await.unwrap();
    let keys = client.list_secret_names(environment).await.unwrap().into_iter();
    keys.map(|key| (key.name.clone(), (key.version, secrets.require(&key.name).unwrap().expose().to_owned()))).collect()
}

/// What the service has, once two looks at it agree: what was sent last may be carried out while it is looked at.
async fn settled(world: &World, environment: &str) -> Contents {
    let mut seen = contents(world, environment).await;
    loop {
        let again = contents(world, environment).await;
        if again == seen {
            return again;
        }
        seen = again;
    }
}

/// A service with a part of the secrets in each environment, and a file with all.
async fn world(environments: &[&str]) -> World {
    let project = ProjectSeed::new("shop").secret(environments[0], "ELSEWHERE", "stays");
    let builder = DevServer::builder().user(UserSeed::new("owner")).project(project).rate_limits(RateLimits::off());
    let world = World { server: builder.start().await.unwrap(), home: tempfile::tempdir().unwrap() };
    let client = XtraClient::builder().dev_server(&world.server).build().unwrap();
    for environment in environments {
        let old = (0..OTHER).map(|number| (name(number), format!("old {number}")));
        let same = (OTHER..OTHER + SAME).map(|number| (name(number), value(number)));
        client.set_secrets(*environment, old.chain(same)).await.unwrap();
    }
    let all = (0..COUNT).map(|number| (name(number), serde_json::Value::from(value(number))));
    world.file("all.json", &serde_json::Value::Object(all.collect()).to_string());
    world.server.reset_counts();
    world
}

/// Waits until the service has had so many writes.
async fn writes(world: &World, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while world.server.request_count(route::SECRETS_UPSERT) < count {
        assert!(Instant::now() < deadline, "the command does not write");
        tokio::task::yield_now().await;
    }
}

fn import(world: &World, environment: &str) -> Command {
    world.command(&["import", "all.json", "-e", environment, "--yes"])
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_secrets_are_imported_with_a_bar_and_a_summary() {
    let world = world(&["one"]).await;
    let (status, seen) = tokio::task::block_in_place(|| Screen::start(&mut import(&world, "one")).end());
    assert_eq!(status, Some(0), "{seen}");
    assert!(seen.contains("8500 to create, 1000 to update, 500 unchanged in one (branch main)"), "{seen}");
    let bars: Vec<_> = seen.split('\r').filter(|part| part.contains("of 9500 written")).collect();
    assert!(bars.len() >= 3 && bars.iter().any(|bar| bar.contains("9500 of 9500 written")), "{bars:?}");
    let summary = seen.lines().last().unwrap();
    assert!(
        summary.starts_with("written 9500 of 9500 in ") && summary.ends_with("8500 created, 1000 updated"),
        "{summary}"
    );
    assert!(!seen.contains("value 1"));
    let contents = contents(&world, "one").await;
    assert_eq!(contents.len(), COUNT + 1);
    assert!((0..COUNT).all(|number| contents[&name(number)].1 == value(number)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_and_ends_as_an_uninterrupted_one_does() {
    let world = world(&["whole", "killed"]).await;
    run(&mut import(&world, "whole")).success();
    let expected = contents(&world, "whole").await;

    // Each time it is killed later, in a request that is carried out and whose answer never comes.
    for finished in [0, 3, 20] {
        world.server.reset_counts();
        if finished > 0 {
            world.server.fault(Fault::headers([("x-fine", "1")]).on(route::SECRETS_UPSERT).times(finished));
        }
        let hold = Fault::delay(Duration::from_secs(3600)).on(route::SECRETS_UPSERT);
        world.server.fault(hold);
        let mut child = import(&world, "killed").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        writes(&world, u64::from(finished) + 1).await;
        child.kill().unwrap();
        child.wait().unwrap();
        world.server.clear_faults();
        let now = settled(&world, "killed").await;
        for (name, found) in &now {
            let first = format!("old {}", name.trim_start_matches("KEY_").trim_start_matches('0'));
            let is_old = found.0 == "1" && (found.1 == first || name == "KEY_00000");
            assert!(*found == expected[name] || is_old, "{name} is neither as it was nor as it will be: {found:?}");
        }
    }
    world.server.reset_counts();
    let ran = run(&mut import(&world, "killed"));
    assert!(ran.success().contains("written "), "{}", ran.stdout());
    let mut got = contents(&world, "killed").await;
    got.insert("ELSEWHERE".to_owned(), expected["ELSEWHERE"].clone());
    assert!(got == expected, "values or versions differ");
    // 25 requests or so were done before
    assert!(world.server.request_count(route::SECRETS_UPSERT) < 30);
}
