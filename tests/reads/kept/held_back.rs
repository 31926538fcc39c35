//! Answers that are not stored: the snapshot from before stays, and does not get younger.

use std::time::Duration;

use xtrasecurity::{
    CacheOptions, ErrorKind, OfflineOptions,
    clock::ManualClock,
    snapshot::{SnapshotSource, UnreadableReason},
};

use crate::kept::server::{Says as ServerSays, Server, own};
use crate::kept::source::{Says, Scripted};

const MINUTE: Duration = Duration::from_secs(60);

fn bad() -> Vec<(Says, ErrorKind)> {
    vec![
        (Says::names(&[], ""), ErrorKind::EmptyScope),
        (Says::names(&["error"], "Service Unavailable"), ErrorKind::MissingSecret),
        (Says::names(&["OTHER", "PROJECT"], "2"), ErrorKind::MissingSecret),
        (Says::names(&["A"], "2"), ErrorKind::MissingSecret),
        (Says::unreadable(&["A", "R"], UnreadableReason::ServerCiphertext), ErrorKind::Undecryptable),
        (Says::unreadable(&["R", "NEW"], UnreadableReason::ClientEnvelope), ErrorKind::Undecryptable),
    ]
}

fn good() -> Says {
    Says::names(&["A", "R"], "1")
}

#[tokio::test]
async fn what_is_held_back_is_never_stored_and_past_max_stale_reads_fail_with_the_objection_until_it_is_accepted() {
    for (says, kind) in bad() {
        let (clock, source) = (ManualClock::new(), Scripted::new(good()));
        let client = source.client(&clock, |options| options.required(["R"]));
        let before = client.read("team").await.unwrap();
        source.says(says.clone());
        for minute in 1..60 {
            clock.advance(MINUTE);
            let secrets = client.read("team").await.unwrap();
            assert_eq!(secrets.iter().collect::<Vec<_>>(), before.iter().collect::<Vec<_>>(), "{says:?}");
            assert_eq!(secrets.age(), minute * MINUTE, "{says:?}");
        }
        for hour in 0..3 {
            clock.advance(MINUTE * 60);
            let error = client.read("team").await.unwrap_err();
            assert_eq!(error.kind(), kind, "{says:?} {hour}");
            assert!(error.to_string().contains("invalidate()"), "{error}");
        }
        assert!(client.stats().shrinks_refused > 3);
        client.invalidate("team");
        let accepted = client.read("team").allow_unreadable().await;
        assert!(accepted.is_ok_and(|secrets| secrets.age().is_zero()), "{says:?}");
    }
}

#[tokio::test]
async fn an_acceptable_answer_ends_it_even_when_what_was_there_has_left_memory() {
    for (says, kind) in bad() {
        let (clock, source) = (ManualClock::new(), Scripted::new(good()));
        let client = source.client(&clock, |options| options.required(["R"]));
        client.read("team").await.unwrap();
        source.says(says);
        clock.advance(3 * 60 * MINUTE);
        assert_eq!(client.read("team").await.unwrap_err().kind(), kind);
        source.says(Says::names(&["R", "B"], "3"));
        assert_eq!(client.read("team").await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_process_that_has_just_started_compares_its_first_answer_with_the_copy_and_serves_that() {
    for (says, kind) in bad() {
        let (clock, source, dir) = (ManualClock::new(), Scripted::new(good()), tempfile::tempdir().unwrap());
        let folder = dir.path().join("copies");
        let offline = || OfflineOptions::new(&folder);
        let start = || source.client(&clock, |options| options.required(["R"]).offline(offline()));
        start().read("team").await.unwrap();
        source.says(says.clone());
        clock.advance(30 * MINUTE);
        let client = start();
        for _ in 0..3 {
            let secrets = client.read("team").await.unwrap();
            assert_eq!(secrets.require("A").unwrap().expose(), "1", "{says:?}");
            assert_eq!((secrets.source(), secrets.is_stale()), (SnapshotSource::Offline, true));
            assert_eq!(secrets.age().as_secs() / 60, 30);
        }
        assert_eq!(client.refresh("team").await.unwrap_err().kind(), kind, "{says:?}");
        clock.advance(30 * MINUTE);
        assert_eq!(client.read("team").await.unwrap_err().kind(), kind, "{says:?}");
        assert_eq!(start().read("team").await.unwrap_err().kind(), kind, "the copy is as old for every process");
        source.says(good());
        start().read("team").await.unwrap();
        source.says(says);
        let client = start();
        client.invalidate("team");
        let accepted = client.read("team").allow_unreadable().await.unwrap();
        assert_eq!(accepted.source(), SnapshotSource::Service);
    }
}

#[tokio::test]
async fn who_asks_for_the_answer_itself_is_told_the_truth_and_stores_nothing() {
    for (says, _) in bad() {
        let (clock, source) = (ManualClock::new(), Scripted::new(good()));
        let client = source.client(&clock, |options| options.required(["R"]));
        client.read("team").await.unwrap();
        source.says(says);
        assert!(!client.read("team").no_cache().allow_unreadable().await.unwrap().contains("R"));
        assert!(client.read("team").await.unwrap().contains("R"));
    }
}

#[tokio::test]
async fn without_a_cache_the_copy_on_disk_is_compared_with_and_a_refresh_tells_the_objection() {
    for (says, kind) in bad() {
        let (clock, source, dir) = (ManualClock::new(), Scripted::new(good()), tempfile::tempdir().unwrap());
        let offline = OfflineOptions::new(dir.path().join("copies"));
        let client = source.client(&clock, |options| {
            options.required(["R"]).cache(CacheOptions::default().ttl(Duration::ZERO)).offline(offline)
        });
        client.read("team").await.unwrap();
        source.says(says.clone());
        clock.advance(MINUTE);
        assert_eq!(client.refresh("team").await.unwrap_err().kind(), kind, "{says:?}");
        let kept = client.read("team").await.unwrap();
        assert_eq!((kept.len(), kept.source()), (2, SnapshotSource::Offline), "{says:?}");
    }
}

/// What the service answers to a write, after a look at what is there.
fn writes() -> ServerSays {
    let written = r#"{"success":true,"count":1,"data":[{"key":"API_KEY","status":"updated","version":"2"}]}"#;
    ServerSays::Forms(own(written), own(r#"{"API_KEY":{"value":"first","version":"1"}}"#))
}

#[tokio::test]
async fn a_write_lets_its_own_environment_change_and_holds_others_to_what_they_held() {
    let server = Server::start(ServerSays::Bytes(own(r#"{"API_KEY":"first","OTHER":"x"}"#)));
    let client = server.builder().build().unwrap();
    client.get_secrets("production").await.unwrap();
    client.get_secrets("staging").await.unwrap();
    server.says(writes());
    client.set_secret("Staging", "API_KEY", "second").skip_read_back().exact().await.unwrap();
    for body in ["{}", r#"{"status":"ok"}"#] {
        server.says(ServerSays::Bytes(own(body)));
        let error = client.get_secrets("production").await.unwrap_err();
        assert!(error.to_string().contains("invalidate()"), "{error}");
        client.get_secrets("staging").no_cache().await.unwrap();
    }
    assert_eq!(client.get_secrets("staging").await.unwrap().names().collect::<Vec<_>>(), ["status"]);
    server.says(ServerSays::Bytes(own(r#"{"API_KEY":"third"}"#)));
    assert_eq!(client.get_secrets("production").await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_value_that_cannot_be_read_does_not_hold_back_those_that_were_rotated() {
    let names: Vec<&'static str> = (0..50).map(|number| &*Box::leak(format!("K{number}").into_boxed_str())).collect();
    let (clock, source) = (ManualClock::new(), Scripted::new(Says::names(&names, "old")));
    let client = source.client(&clock, |options| options);
    client.read("team").await.unwrap();
    let mixed = names.iter().enumerate().map(|(at, name)| {
        (*name, if at == 7 { Err(UnreadableReason::ServerCiphertext) } else { Ok("rotated".to_owned()) })
    });
    source.says(Says::Secrets(mixed.collect()));
    clock.advance(2 * MINUTE);
    let error = client.read("team").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &["K7".to_owned()][..]));
    let secrets = client.read("team").allow_unreadable().await.unwrap();
    assert_eq!((secrets.len(), secrets.require("K8").unwrap().expose()), (49, "rotated"));
    assert_eq!(source.loads(), 2, "it is stored");
}

#[tokio::test]
async fn a_masked_answer_is_a_refusal_and_drops_memory_and_disk() {
    let (clock, source, dir) = (ManualClock::new(), Scripted::new(good()), tempfile::tempdir().unwrap());
    let folder = dir.path().join("copies");
    let start = || source.client(&clock, |options| options.offline(OfflineOptions::new(&folder)));
    let client = start();
    client.read("team").await.unwrap();
    source.says(Says::unreadable(&["A", "R"], UnreadableReason::Masked));
    clock.advance(2 * MINUTE);
    assert_eq!(client.read("team").await.unwrap_err().kind(), ErrorKind::Masked);
    assert_eq!((client.stats().cached, client.stats().shrinks_refused), (0, 0));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    let loads = source.loads();
    let names = client.read("team").allow_unreadable().await.unwrap();
    assert_eq!((names.len(), names.unreadable().len()), (0, 2));
    client.read("team").allow_unreadable().await.unwrap();
    assert_eq!(source.loads(), loads + 1, "who accepts names alone does not ask for them each time");
    source.says(Says::Fails(xtrasecurity::XtraError::new(ErrorKind::Network, "away")));
    clock.advance(60 * MINUTE);
    assert_eq!(start().read("team").await.unwrap_err().kind(), ErrorKind::Network);
}

#[tokio::test]
async fn a_scope_that_was_empty_or_all_ciphertext_before_takes_any_answer() {
    for first in [Says::names(&[], ""), Says::unreadable(&["A"], UnreadableReason::ServerCiphertext)] {
        let (clock, source) = (ManualClock::new(), Scripted::new(first));
        let client = source.client(&clock, |options| options);
        client.read("team").allow_unreadable().await.unwrap();
        source.says(Says::unreadable(&["A", "B"], UnreadableReason::ServerCiphertext));
        client.refresh("team").await.unwrap_err();
        source.says(good());
        clock.advance(2 * MINUTE);
        assert_eq!(client.read("team").await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_watch_is_told_of_what_is_held_back_and_keeps_what_it_has() {
    let (clock, source) = (ManualClock::new(), Scripted::new(good()));
    let client = source.client(&clock, |options| options);
    let mut watch = client.watch("team");
    assert_eq!(watch.next().await.unwrap().unwrap().added, ["A", "R"]);
    source.says(Says::names(&["error"], "Service Unavailable"));
    clock.advance(Duration::from_secs(30));
    assert_eq!(watch.next().await.unwrap().unwrap_err().kind(), ErrorKind::MissingSecret);
    source.says(Says::names(&["A", "R", "B"], "1"));
    clock.advance(Duration::from_secs(40));
    assert_eq!(watch.next().await.unwrap().unwrap().added, ["B"]);
}
