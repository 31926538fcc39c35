//! A scan of what is shown of a service's answers, whatever they are, and of what they say of the outcome of a call.
//!
//! Whatever the service answers, no eight bytes in a row of a value, the token or the passphrase are in an error, an
//! event or a `Debug`, in any form. `XtraError::server_message()` alone gives the service's text to who asks for it.

mod answers;
mod canaries;
mod look;
mod outcomes;
mod peer;

use std::path::Path;

use answers::Answer;
use canaries::{Canaries, Chance};
use look::Scan;
use peer::Peer;

/// The calls that each answer meets in turn.
const KINDS: usize = 8;

#[tokio::test]
async fn nothing_of_a_secret_is_shown_by_ten_thousand_random_answers() {
    let (canaries, peer, mut chance) = (Canaries::new(1), Peer::start().await, Chance::new(2));
    let mut scan = Scan::of(&peer, &canaries);
    // in all: the tests that run beside this one take some of the events
    let mut heard = 0;
    for number in 0..10_000 {
        let answer = answers::random(&mut chance, &canaries);
        let is_limit = answer.bytes.starts_with(b"HTTP/1.1 429");
        peer.answer(answer);
        scan.call(number % KINDS).await;
        // a client waits after it, and another does not know
        if is_limit {
            scan.renew(&peer);
        }
        if number % 100 == 99 {
            heard += scan.hides_events();
        }
    }
    assert!(heard > 0, "nothing is heard");
    assert!(scan.errors > 8_000, "{} errors", scan.errors);
    assert!(scan.said > 1_000, "{} errors have a text with a secret for who asks", scan.said);
}

#[tokio::test]
async fn nothing_of_a_secret_is_shown_by_a_recorded_answer_that_holds_it_everywhere() {
    let (canaries, peer, mut chance) = (Canaries::new(3), Peer::start().await, Chance::new(4));
    let mut scan = Scan::of(&peer, &canaries);
    let mut played = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let recording = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for kind in 0..KINDS {
            let Some(answer) = answers::replanted(&recording, &mut chance, &canaries) else { continue };
            peer.answer(answer);
            scan.call(kind).await;
            played += 1;
        }
        scan.hides_events();
    }
    assert!(played > 300 * KINDS && scan.errors > played / 2, "{played} answers, {} errors", scan.errors);
}

#[tokio::test]
async fn nothing_of_a_secret_is_shown_by_an_answer_that_is_broken_or_no_http() {
    let (canaries, peer, mut chance) = (Canaries::new(5), Peer::start().await, Chance::new(6));
    let mut scan = Scan::of(&peer, &canaries);
    for answer in answers::broken(&mut chance, &canaries) {
        let bytes = answer.bytes;
        for kind in 0..KINDS {
            peer.answer(Answer::raw(bytes.clone()));
            scan.call(kind).await;
        }
        scan.hides_events();
    }
    assert!(scan.errors > 1_000, "{} errors", scan.errors);
}
