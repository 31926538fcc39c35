//! A watch whose client asks on behalf of another account from some time on.

use std::sync::mpsc;
use std::thread;

use tokio::runtime::Builder;

use crate::watch::script::{Script, seconds, settle};

#[test]
fn a_token_that_changes_and_changes_back_is_followed_and_does_not_stop_the_runtime() {
    let (tell, told) = mpsc::channel();
    // Not on this thread, which waits for a runtime that may stand still.
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(there_and_back());
        tell.send(()).unwrap();
    });
    told.recv_timeout(seconds(30)).expect("it comes to its end");
}

async fn there_and_back() {
    let script = Script::new([("A", "of one")]);
    let (client, clock) = script.client();
    client.read("team").await.unwrap();
    clock.advance(seconds(5));
    script.is_asked_by("another");
    script.holds([("A", "of another")]);
    let mut watch = client.watch("team");
    let mut value = async || watch.next().await.unwrap().unwrap().snapshot.require("A").unwrap().expose().to_owned();
    assert_eq!(value().await, "of another");
    // The snapshot of the first asker is older, and still fresh.
    clock.advance(seconds(1));
    client.refresh("team").await.unwrap();
    script.is_asked_by("one");
    settle().await;
    assert_eq!(value().await, "of one");
    assert_eq!(script.loads(), 3, "nothing was asked for again");
    script.holds([("A", "of one, newer")]);
    clock.advance(seconds(24));
    assert_eq!(value().await, "of one, newer");
}
