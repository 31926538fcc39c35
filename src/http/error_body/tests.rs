//! Tests of error bodies: hostile, cut, of other types, and what is shown of them.

use super::*;
use crate::http::protocol::Plain;
use crate::http::{Protocol, RefusalForms};

const MEMBERS: ErrorMembers = ErrorMembers::new().action("action").conflicts("conflicts", "key", "expected", "actual");

struct Strict;

impl Protocol for Strict {
    fn error_members(&self) -> ErrorMembers {
        MEMBERS
    }

    fn refusals(&self) -> RefusalForms {
        RefusalForms::new()
            .sentences(&[&["Access Denied", "Branch '{branch}' not found", "Conflict detected"], &["Too low a role"]])
            .codes(&["2FA_REQUIRED"])
            .actions(&["ask_first"])
            .reasons(&[("2FA_REQUIRED", Reason::SecondFactorNeeded), ("ask_first", Reason::ElevationNeeded(None))])
    }

    fn is_own_refusal(&self, _: &str, _: u16, body: &ErrorBody<'_>) -> bool {
        body.bytes().starts_with(b"{")
    }
}

fn words(status: u16, body: &str) -> Refusal {
    sent(status, body, "")
}

fn sent(status: u16, body: &str, request: &str) -> Refusal {
    let sent = Sent { url: None, body: request.as_bytes() };
    Refusal::of("things_do", status, body.as_bytes(), &Strict, sent).expect("a refusal")
}

fn parsed(body: &[u8]) -> ErrorBody<'_> {
    ErrorBody::parse(body, &MEMBERS, &HashSet::new())
}

#[test]
fn a_sentence_passes_as_it_is_and_on_one_line() {
    for text in ["Access Denied", "Unauthorized — please log in", "IP address 203.0.113.9 is not in the allowlist"] {
        assert_eq!(clean(text).as_deref(), Some(text));
    }
    assert_eq!(clean("a\u{1b}[31mb\u{202e}c\td\n  e\u{2028}f").as_deref(), Some("a [31mb c d   e f"));
    for nothing in ["", "   ", "\u{200b}\u{7}\n"] {
        assert_eq!(clean(nothing), None, "{nothing:?}");
    }
}

#[test]
fn a_long_sentence_is_cut() {
    let cut = clean(&"word ".repeat(100)).expect("a sentence");
    assert_eq!(cut.chars().count(), LONGEST);
    assert!(cut.ends_with('…'));
    assert_eq!(clean(&"é".repeat(LONGEST)).as_deref(), Some("é".repeat(LONGEST).as_str()));
}

#[test]
fn words_are_found_whatever_the_shape() {
    let message = |body: &str| words(400, body).message;
    assert_eq!(message(r#"{"error":"Access Denied"}"#).as_deref(), Some("Access Denied"));
    assert_eq!(message(r#"{"message":"Secret not found"}"#).as_deref(), Some("Secret not found"));
    assert_eq!(message(r#"{"error":"Forbidden","message":"Too low a role"}"#).as_deref(), Some("Too low a role"));
    assert_eq!(message("Branch not found").as_deref(), Some("Branch not found"));
    assert_eq!(message(r#""just text""#).as_deref(), Some("just text"));
    for nothing in ["", "null", "[]", "{}", r#"{"error":{"a":1}}"#, r#"{"error":null}"#, r#"{"error":"broken"#, "<p>no"]
    {
        assert_eq!(message(nothing), None, "{nothing}");
    }
    assert!(words(404, " <!DOCTYPE html>").html);
    assert!(!words(404, r#"{"error":"<p>"}"#).html);
}

#[test]
fn only_documented_forms_codes_and_actions_may_be_shown() {
    let known = words(403, r#"{"error":"Access Denied","code":"2FA_REQUIRED","action":"ask_first"}"#);
    assert_eq!(known.shown.as_deref(), Some("Access Denied"));
    assert_eq!(
        (known.code, known.action, known.reason),
        (Some("2FA_REQUIRED"), Some("ask_first"), Some(Reason::ElevationNeeded(None)))
    );
    let unknown = words(403, r#"{"error":"Access Denied to hunter2","code":"HUNTER2","action":"hunter2"}"#);
    assert_eq!((unknown.form, unknown.code, unknown.action, unknown.reason), (None, None, None, None));
    assert_eq!(unknown.message.as_deref(), Some("Access Denied to hunter2"));
    let body = br#"{"error":"Access Denied","code":"2FA_REQUIRED"}"#;
    let none = Refusal::of("x", 403, body, &Plain, Sent::default()).expect("a refusal");
    assert_eq!((none.form, none.code, none.foreign), (None, None, false));
}

#[test]
fn the_explanation_is_shown_before_the_title_and_the_title_where_the_explanation_is_not_documented() {
    assert_eq!(
        words(403, r#"{"error":"Access Denied","message":"Too low a role"}"#).shown.as_deref(),
        Some("Too low a role")
    );
    assert_eq!(words(403, r#"{"error":"Access Denied","message":"hunter2"}"#).shown.as_deref(), Some("Access Denied"));
}

#[test]
fn what_a_sentence_is_about_comes_from_the_request() {
    let body = r#"{"error":"Branch 'hunter2' not found"}"#;
    assert_eq!(sent(404, body, r#"{"branch":"dev"}"#).shown.as_deref(), Some("Branch 'dev' not found"));
    assert_eq!(sent(404, body, r#"{"branch":["dev"]}"#).shown.as_deref(), Some("Branch '…' not found"));
    assert_eq!(words(404, body).shown.as_deref(), Some("Branch '…' not found"));
}

#[test]
fn conflicts_are_those_on_keys_of_the_request_and_exact_whatever_else_it_holds() {
    let request = r#"{"secrets":{"domain":"STRIPE","STRIPE_PUBLIC":"domain","caf\u00e9":"x"},"branch":"main"}"#;
    let body = r#"{"error":"Conflict detected","conflicts":[
        {"key":"domain","expected":4,"actual":"5","remoteValue":"canary"},{"key":"STRIPE_PUBLIC","expected":"1","actual":"canary"},
        {"key":"café"},{"key":"domain"},{"key":"canary"},{"key":1},7,null,[{}]]}"#;
    let found = sent(409, body, request);
    assert_eq!(
        found.conflicts,
        [
            Conflict::new("domain", Some("4".into()), Some("5".into())),
            Conflict::new("STRIPE_PUBLIC", Some("1".into()), None),
            Conflict::new("café", None, None),
        ]
    );
    assert_eq!(found.unasked, 1);
    assert_eq!(sent(409, r#"{"conflicts":{"key":"domain"}}"#, request).conflicts, []);
}

#[test]
fn versions_are_short_numbers_only() {
    for version in ["0", "7", "1234567"] {
        assert!(is_version(&version.to_owned()), "{version}");
    }
    for other in ["", "-1", "1.5", "v2", "12345678", "１", "NaN"] {
        assert!(!is_version(&other.to_owned()), "{other}");
    }
}

#[test]
fn a_refusal_is_the_service_s_own_by_its_content_where_others_give_such_refusals_too() {
    assert!(words(404, "<html>").foreign && words(401, "").foreign && words(403, "no").foreign);
    assert!(!words(404, "{}").foreign);
    for status in [400, 408, 409, 413, 422, 429] {
        assert!(!words(status, "<html>").foreign, "{status}");
    }
}

#[test]
fn hostile_answers_are_read_in_bounded_room() {
    let many = format!(r#"{{"conflicts":[{}{{}}]}}"#, r#"{"key":"A"},"#.repeat(100_000));
    let found = sent(409, &many, r#"{"secrets":{"A":"x"}}"#);
    assert_eq!((found.conflicts.len(), found.unasked), (1, 0));
    let names: String = (0..100_000).map(|number| format!(r#""n{number}":1,"#)).collect();
    let many = format!(r#"{{{names}"error":"x"}}"#);
    let parts = parsed(many.as_bytes());
    assert_eq!((parts.others.len(), parts.title()), (MOST_NAMES + 1, Some("x")));
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(1 << 20));
    assert!(parsed(long.as_bytes()).title().is_some_and(|title| title.len() <= 1024));
    assert!(!parsed("{\"a\":".repeat(100_000).as_bytes()).is_object());
}

#[test]
fn a_body_prints_nothing_of_itself() {
    let body = br#"{"error":"canary","canary":1,"code":"canary"}"#;
    assert_eq!(format!("{:?}", parsed(body)), "ErrorBody { bytes: 45, .. }");
}
