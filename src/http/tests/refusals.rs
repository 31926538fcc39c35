//! Properties of refusals: nothing of them is shown, their structured fields stay, and they are read in linear time.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::properties::cases;
use crate::core::{Reason, XtraError};
use crate::http::fuzzing::received;
use crate::http::server_error::from_response;
use crate::http::{ErrorBody, ErrorMembers, Protocol, RefusalForms, Response};

struct Strict;

impl Protocol for Strict {
    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().action("action").conflicts("conflicts", "key", "expected", "actual")
    }

    fn refusals(&self) -> RefusalForms {
        RefusalForms::new()
            .sentences(&[&["Access Denied", "Branch '{branch}' not found", "From {} to {} in {branch}"]])
            .codes(&["2FA_REQUIRED"])
            .actions(&["ask_first"])
            .reasons(&[("2FA_REQUIRED", Reason::SecondFactorNeeded)])
    }

    fn is_own_refusal(&self, _: &str, status: u16, body: &ErrorBody<'_>) -> bool {
        status != 404 && body.bytes().first() == Some(&b'{')
    }
}

fn refusal(status: u16, body: &[u8], sent: &str) -> XtraError {
    let response = Response::new(status, HeaderMap::new(), Zeroizing::new(body.to_vec()));
    let protocol: Arc<dyn Protocol> = Arc::new(Strict);
    from_response(&received(response, "things_do", &protocol, sent.as_bytes()), "things_do")
}

/// Texts of letters that this crate's own texts do not have, so that one of them is a byte of the answer.
fn foreign_text() -> impl Strategy<Value = String> {
    "[Ѐ-ӿ0-9{}'\"\\\\ ]{0,24}"
}

/// A text in or around a documented sentence.
fn sentence() -> impl Strategy<Value = String> {
    prop_oneof![
        foreign_text(),
        foreign_text().prop_map(|name| format!("Branch '{name}' not found")),
        (foreign_text(), foreign_text(), foreign_text()).prop_map(|(a, b, c)| format!("From {a} to {b} in {c}")),
        foreign_text().prop_map(|text| format!("Access Denied{text}")),
        Just("Access Denied".to_owned()),
    ]
}

fn json_of_texts() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![sentence().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((member(), inner), 0..4).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    });
    prop::collection::vec((member(), tree), 0..6).prop_map(|all| Value::Object(all.into_iter().collect()))
}

fn member() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "error",
        "message",
        "code",
        "action",
        "conflicts",
        "key",
        "expected",
        "actual",
        "detail",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => foreign_text()]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => json_of_texts().prop_map(|json| json.to_string().into_bytes()),
        1 => sentence().prop_map(String::into_bytes),
        1 => sentence().prop_map(|text| format!("<p>{text}").into_bytes()),
        1 => (json_of_texts(), 0..200_usize).prop_map(|(json, at)| {
            let bytes = json.to_string().into_bytes();
            bytes.get(..at).map_or(bytes.clone(), <[u8]>::to_vec)
        }),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn no_letter_of_an_answer_is_in_an_error_but_in_what_is_documented_and_what_was_asked(
        status in 400..500_u16,
        body in bodies(),
        branch in "[a-z/-]{1,12}",
    ) {
        let sent = json!({ "secrets": { "KEY": "value" }, "branch": branch }).to_string();
        let error = refusal(status, &body, &sent);
        let shown = format!("{error} {error:?} {error:#?} {:?}", error.conflicts());
        prop_assert!(!shown.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c)), "{}", shown);
        prop_assert!(error.code().is_none_or(|code| code == "2FA_REQUIRED"));
        if let Some((_, told)) = shown.split_once("the service says \"") {
            let told = told.split_once('"').map_or(told, |(told, _)| told);
            let known = ["Access Denied".to_owned(), format!("Branch '{branch}' not found"), format!("From … to … in {branch}")];
            prop_assert!(known.iter().any(|form| told == form), "{}", told);
        }
    }

    #[test]
    fn the_keys_of_a_conflict_are_those_that_were_sent_letter_by_letter(
        secrets in prop::collection::btree_map("\\PC{1,12}", "\\PC{0,12}", 1..8),
        strange in prop::collection::btree_set("\\PC{1,12}", 0..3),
        branch in "\\PC{1,6}",
        versions in prop::collection::vec((0..9_999_999_u32, 0..9_999_999_u32), 8),
    ) {
        let keys: Vec<&String> = secrets.keys().collect();
        let known: BTreeSet<&str> = secrets.keys().map(String::as_str).chain(["secrets", "branch"]).collect();
        // values that are parts of keys, and a branch that is one
        let values: Map<String, Value> =
            secrets.iter().map(|(key, value)| (key.clone(), json!([key.as_str(), value.as_str()][value.len() % 2]))).collect();
        let branch = if branch.len() % 2 == 0 { &branch } else { keys[0] };
        let sent = json!({ "secrets": values, "branch": branch }).to_string();
        let mut conflicts: Vec<Value> = keys
            .iter()
            .zip(&versions)
            .map(|(key, (expected, actual))| {
                json!({ "key": key, "expected": expected.to_string(), "actual": actual, "remoteValue": key })
            })
            .collect();
        conflicts.extend(strange.iter().map(|key| json!({ "key": key, "expected": "1", "actual": "2" })));
        let error = refusal(409, json!({ "error": "x", "conflicts": conflicts }).to_string().as_bytes(), &sent);
        let found: Vec<_> = error.conflicts().iter().filter(|conflict| secrets.contains_key(&conflict.name)).collect();
        prop_assert_eq!(found.len(), keys.len());
        for ((conflict, key), (expected, actual)) in found.iter().zip(&keys).zip(&versions) {
            prop_assert_eq!(&conflict.name, *key);
            prop_assert_eq!(conflict.expected.clone(), Some(expected.to_string()));
            prop_assert_eq!(conflict.actual.clone(), Some(actual.to_string()));
        }
        prop_assert!(error.conflicts().iter().all(|conflict| known.contains(conflict.name.as_str())));
    }
}

/// The least time of this thread that a call took.
#[cfg(target_os = "linux")]
fn cost(mut call: impl FnMut()) -> u128 {
    use rustix::time::{ClockId, clock_gettime};
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        u128::from(time.tv_sec.unsigned_abs()) * 1_000_000_000 + u128::from(time.tv_nsec.unsigned_abs())
    };
    (0..5)
        .map(|_| {
            let before = now();
            call();
            now() - before
        })
        .min()
        .unwrap_or_default()
}

/// Requests and answers of about so many bytes that are made to cost more than that.
#[cfg(target_os = "linux")]
fn hostile(bytes: usize) -> Vec<(&'static str, String, String)> {
    let values: Map<String, Value> =
        (0..200).map(|number| (format!("K{number}"), json!(format!("postgres://user:pw{number}@")))).collect();
    let alike = json!({ "secrets": { "K": "a".repeat(bytes / 8) } }).to_string();
    let keys: Map<String, Value> = (0..bytes / 20).map(|number| (format!("K{number}"), json!("x"))).collect();
    let conflicts: Vec<Value> = keys.keys().map(|key| json!({ "key": key })).collect();
    let objects = format!(r#"{{"conflicts":[{}{{}}]}}"#, "{},".repeat(bytes / 3));
    let names: String = (0..bytes / 12).map(|number| format!(r#""n{number}":0,"#)).collect();
    vec![
        ("values that begin alike", json!({ "secrets": values }).to_string(), "postgres://user:".repeat(bytes / 16)),
        ("one letter", alike.clone(), "a".repeat(bytes)),
        ("one letter in JSON", alike.clone(), json!({ "error": "a".repeat(bytes) }).to_string()),
        ("escapes", alike.clone(), format!(r#"{{"error":"{}"}}"#, "\\u0061".repeat(bytes / 6))),
        ("quotes and spaces", alike.clone(), format!("{{{}", "\"a\" ".repeat(bytes / 4))),
        ("a form again and again", alike.clone(), json!({ "error": "From ' to ' in ".repeat(bytes / 15) }).to_string()),
        (
            "conflicts on all keys",
            json!({ "secrets": keys }).to_string(),
            json!({ "conflicts": conflicts }).to_string(),
        ),
        ("empty conflicts", alike.clone(), objects),
        ("names", alike.clone(), format!(r#"{{{names}"error":"x"}}"#)),
        ("white space", alike, " ".repeat(bytes)),
    ]
}

#[cfg(target_os = "linux")]
#[test]
fn a_refusal_is_read_in_time_linear_in_its_size_and_the_request_s() {
    const BYTES: usize = 128 * 1024;
    let [small, medium, large] = [BYTES, 2 * BYTES, 4 * BYTES].map(hostile);
    for ((small, medium), large) in small.iter().zip(&medium).zip(&large) {
        let took = [small, medium, large].map(|(_, sent, body)| cost(|| drop(refusal(409, body.as_bytes(), sent))));
        // 16 times for a quadratic way; what is too quick to be measured is quick enough
        let is_linear = took[2] < took[0] * 9 || took[2] < 2_000_000;
        assert!(is_linear, "{}: {took:?} ns", small.0);
    }
}
