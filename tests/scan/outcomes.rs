//! The outcome of a read and of a write by an answer of any status.

use xtrasecurity::xtra::raw::types;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::answers::Answer;
use crate::look::{ENVIRONMENT, PROJECT};
use crate::peer::Peer;

/// The statuses that say that nothing was done.
const DEFINITE: &[u16] = &[
    301, 307, 308, 400, 401, 402, 403, 404, 405, 407, 409, 410, 411, 412, 413, 414, 415, 417, 421, 422, 423, 424, 425,
    426, 428, 429, 431, 451, 501,
];

fn client(peer: &Peer) -> XtraClient {
    let builder = XtraClient::builder().token("xs_token").project_id(PROJECT).api_url(peer.root());
    builder.max_retries(0).requests_per_minute(0).cache(false).build().unwrap()
}

/// Those that HTTP has room for. Of those below 200, the others announce an answer that never comes.
fn statuses() -> impl Iterator<Item = u16> {
    [101].into_iter().chain(200..=999)
}

fn body() -> types::SecretsUpsert {
    serde_json::from_value(serde_json::json!({ "secrets": { "KEY": "value" } })).unwrap()
}

#[tokio::test]
async fn a_write_may_have_been_applied_unless_the_status_says_that_it_was_not() {
    let peer = Peer::start().await;
    for status in statuses() {
        // one after a limit would wait
        let client = client(&peer);
        for text in ["", "<html>", r#"{"error":"Access Denied"}"#, r#"{"success":true,"count":1}"#] {
            if matches!(status, 200 | 201) && text.starts_with('{') {
                continue;
            }
            peer.answer_writes(Answer::new(status, "Any", &[], text.as_bytes()));
            let raw = client.raw().secrets_upsert().project_id(PROJECT).env(ENVIRONMENT).body(body()).send().await;
            let error = raw.expect_err("no success");
            if status > 200 {
                assert_eq!(error.status(), Some(status), "{error:?}");
            }
            let error = error.into_error();
            assert_eq!(error.may_have_been_applied(), !DEFINITE.contains(&status), "{status} {text}: {error}");
            assert!(!error.may_have_been_applied() || !error.is_retryable(), "{status} {text}: {error}");
            if status != 429 {
                let error = client.set_secret(ENVIRONMENT, "KEY", "value").await.expect_err("no success");
                assert_eq!(error.may_have_been_applied(), !DEFINITE.contains(&status), "{status} {text}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_read_takes_200_alone_for_a_success() {
    let peer = Peer::start().await;
    let client = client(&peer);
    for status in statuses().filter(|status| *status != 429) {
        peer.answer(Answer::new(status, "Any", &[], br#"{"KEY":"a part of"}"#));
        let read = client.get_secrets(ENVIRONMENT).await;
        let raw = client.raw().secrets_read().project_id(PROJECT).env(ENVIRONMENT).send().await;
        if status == 200 {
            assert_eq!((read.unwrap().len(), raw.unwrap().0.len()), (1, 1));
            continue;
        }
        let error = read.expect_err("no success");
        assert!(raw.is_err() && !error.may_have_been_applied(), "{error:?}");
        if status > 200 {
            assert_eq!(error.status(), Some(status), "{error:?}");
            assert!(error.to_string().contains(&format!("(status {status}")), "{error}");
        }
        if status < 300 {
            assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
        }
    }
}
