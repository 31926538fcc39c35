//! The dev server against recordings of the real service: same status, same headers, same body.
//!
//! Bodies are compared as text, so with the order of their members, after what differs from run to run (times, new ids,
//! ciphertext) has been replaced by a mark.

use std::collections::BTreeSet;

use crate::support::known::Known;
use crate::support::recorded::{Recording, has_a_past, names, seed_before, seed_values};
use crate::support::{Answer, Call};
use serde_json::Value;
use tokio::net::TcpStream;
use xtrasecurity::dev_server::{DevServer, RateLimits};

/// The recordings that the dev server has no match for, one a line.
const UNMATCHED: &str = include_str!("support/unmatched.txt");

/// How many of them it has a match for.
const MATCHED: usize = 281;

/// What has to happen before a recording: other recordings, or a few writes.
fn before(name: &str) -> Vec<&'static str> {
    let created = ["upsert-create", "upsert-update", "upsert-update-same-value"];
    let written = ["upsert-bare-body", "upsert-branch-in-body", "upsert-branch-in-query"];
    match name {
        "branch-delete" => ["branch-update", "branch-update-viewer"].into(),
        "branch-update-viewer" => ["branch-update"].into(),
        "upsert-conflict" | "upsert-expected-ok" => created.into(),
        "upsert-conflict-nothing-written" => [&created[..], &written, &["upsert-conflict"]].concat(),
        "upsert-expected-number" => [&created[..], &["upsert-expected-ok"]].concat(),
        "upsert-env-new-get-lowercase" => ["upsert-env-new"].into(),
        "upsert-linked-after" => [
            &created[..],
            &written,
            &[
                "upsert-expected-ok",
                "upsert-bare-with-expected",
                "upsert-expected-for-missing-key",
                "upsert-sa-write",
                "upsert-value-partial",
                "{\"EMPTY_NEW\":\"\"}",
                "upsert-key-odd",
                "upsert-no-content-type",
                "upsert-array-body",
                "upsert-linked",
            ],
        ]
        .concat(),
        "secret-link-single-get" | "secret-link-to-reference" => ["secret-link-again"].into(),
        "secret-delete" => ["upsert-create"].into(),
        "secret-delete-again" => ["upsert-create", "secret-delete"].into(),
        "secret-delete-sa-write" => ["upsert-sa-write"].into(),
        "secret-rollback-current" | "secret-rollback-sa" => ["secret-rollback"].into(),
        "env-clone-branch" => [&written[..], &["{\"secrets\":{\"branch\":\"feature/new-ui\",\"K\":\"v\"}}"]].concat(),
        "env-clone-overwrite" | "env-clone-skip" => ["env-clone"].into(),
        "legacy-secret-rollback" => ["legacy-secret-create", "legacy-secret-update"].into(),
        "legacy-secret-delete-again" => ["legacy-secret-create", "legacy-secret-delete"].into(),
        "legacy-secret-update"
        | "legacy-secret-delete"
        | "legacy-secret-rollback-missing"
        | "legacy-secret-rollback-viewer"
        | "legacy-secret-rollback-unknown-version" => ["legacy-secret-create"].into(),
        "sa-update" | "sa-delete" | "sa-key-create" => ["sa-create"].into(),
        "sa-delete-again" => ["sa-create", "sa-delete"].into(),
        "sa-key-list" | "sa-key-list-outsider" => ["sa-create", "sa-key-create", "sa-key-create-no-expiry"].into(),
        "sa-key-delete" => ["sa-create", "sa-key-create"].into(),
        "sa-key-delete-again" => ["sa-create", "sa-key-create", "sa-key-delete"].into(),
        "redis-sa-key-delete" => ["redis-sa-key-create"].into(),
        "access-request-approve" | "access-request-approve-viewer" | "access-request-invalid-status" => {
            ["access-request-create-secret"].into()
        }
        "access-request-list" | "access-request-list-viewer" => {
            ["access-request-create", "access-request-create-secret"].into()
        }
        "secret-share-view" | "secret-share-revoke" => ["secret-share-create"].into(),
        "secret-share-view-revoked" => ["secret-share-create", "secret-share-revoke"].into(),
        "secret-share-view-limit" => ["secret-share-create", "secret-share-view", "secret-share-view"].into(),
        "webhook-list" | "webhook-toggle" | "webhook-delete-query" => ["webhook-create"].into(),
        "jit-claim" => ["jit-generate"].into(),
        "jit-claim-again" | "jit-info-exhausted" => ["jit-generate", "jit-claim"].into(),
        "branch-delete-with-secrets-main-after" => ["DELETE /api/branch?id=47343d75a02af2a984914875"].into(),
        _ => Vec::new(),
    }
}

/// How a body is compared.
enum Compare {
    Text,
    /// The types of the members.
    Types,
    /// The types of the values of a map, whatever its keys.
    TypesOfValues,
}

/// The recorded team and workspace have names of their own, texts of the database are the service's own, and
/// parts of the last three came about by routes that the dev server does not have.
fn comparison(name: &str) -> Compare {
    match name {
        "project-get" | "project-get-developer" | "project-list" | "workspace-list" => Compare::Types,
        "env-clone-non-json" | "env-clone-sa" | "legacy-secret-create-no-env" | "sa-create-no-name" => Compare::Types,
        "secret-link-malformed-project" | "secret-rotate-shadow" => Compare::Types,
        // Rows that the seed does not tell as they were: how many steps a history has, how many secrets, accounts and keys.
        "secret-get" | "legacy-secret-list" | "sa-list-viewer" | "api-key-list" | "webhook-list" => Compare::Types,
        "ratelimit-tier-429-other-route-unlimited" => Compare::Types,
        "jit-outsider-secrets-after" | "branch-delete-with-secrets-main-after" | "secret-link-get-after" => {
            Compare::TypesOfValues
        }
        "secret-copy-result" => Compare::TypesOfValues,
        _ => Compare::Text,
    }
}

async fn start(name: &str) -> (DevServer, Known) {
    let mut known = Known::default();
    let limits =
        if name.starts_with("ratelimit-ip") { RateLimits::default() } else { RateLimits::default().without_per_ip() };
    let server = DevServer::builder().seed(seed_before(name)).rate_limits(limits).start().await.unwrap();
    let port = server.port();
    if has_a_past(name) {
        for value in ["postgres://dev:two@db/dev", "postgres://dev:three@db/dev?sslmode=require&x=1"] {
            server.set_secret("payments", "development", "main", "DATABASE_URL", value).unwrap();
        }
    }
    if name == "api-key-delete" {
        let create = Call::new("POST", "/api/auth/api-keys").token(server.token_for("viewer").unwrap()).json("{}");
        let created = create.send(port).await.unwrap().json();
        known.learn_id("6b0167431e831e24497cfa63", created["id"].as_str().unwrap());
    }
    for step in before(name) {
        let development = "/api/projects/9a46729e9f207d6627fad695/envs/development/secrets";
        let owner = server.token_for("owner").unwrap();
        if step.starts_with('{') {
            let call = Call::new("POST", development).token(owner).json(step);
            assert_eq!(call.send(port).await.unwrap().status, 200, "{step}");
        } else if let Some((method, target)) = step.split_once(' ') {
            assert_eq!(Call::new(method, target).token(owner).send(port).await.unwrap().status, 200, "{step}");
        } else {
            let recording = Recording::load(step);
            let answer = recording.call(&known).send(port).await.unwrap();
            assert_eq!(u64::from(answer.status), recording.status, "{step}");
            known.learn(&recording.body, &answer.body);
        }
    }
    if matches!(name, "secrets-get-jwt" | "secrets-get-jwt-sa") {
        let added = [("FEATURE_FLAG", "z"), ("NEW_UI_ONLY", "only on feature branch"), ("ON_BRANCH", "y"), ("K", "v")];
        for (key, value) in added {
            server.set_secret("payments", "staging", "main", key, value).unwrap();
        }
    }
    if name.contains("-429") {
        spend_the_minute(&server, name).await;
    }
    (server, known)
}

async fn spend_the_minute(server: &DevServer, name: &str) {
    let recording = Recording::load(name);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    for _ in 0..100 {
        assert_ne!(
            recording.call(&Known::default()).send_on(&mut stream).await.unwrap().status,
            429,
            "{name}: too early"
        );
    }
}

#[tokio::test]
async fn every_recording_is_matched_or_is_known_not_to_be() {
    let seeded = seed_values();
    let (mut unmatched, mut failures, mut matched) = (BTreeSet::new(), Vec::new(), 0);
    for name in names() {
        if name == "redis-sa-key-use-after-delete" {
            println!("no match: {name} (a cache that outlives the key)");
            unmatched.insert(name);
            continue;
        }
        let recording = Recording::load(&name);
        let (server, mut known) = start(&name).await;
        let answer = recording.call(&known).send(server.port()).await.unwrap();
        known.learn(&recording.body, &answer.body);
        server.stop().await;
        if answer.status == 501 {
            println!("no match: {name} (the dev server does not have the route)");
            unmatched.insert(name);
            continue;
        }
        match difference(&recording, &answer, &seeded, &known) {
            None => matched += 1,
            Some(difference) => failures.push(format!("{name}: {difference}")),
        }
    }
    println!("{matched} recordings matched, {} without a match", unmatched.len());
    assert!(failures.is_empty(), "{} recordings differ:\n{}", failures.len(), failures.join("\n"));
    let expected: BTreeSet<String> = UNMATCHED.lines().map(str::to_owned).collect();
    let (new, gone): (Vec<_>, Vec<_>) =
        (unmatched.difference(&expected).collect(), expected.difference(&unmatched).collect());
    assert!(new.is_empty() && gone.is_empty(), "newly without a match: {new:?}; has one now: {gone:?}");
    assert_eq!(matched, MATCHED, "recordings that are matched");
}

/// The first difference between an answer and its recording.
fn difference(recording: &Recording, answer: &Answer, seeded: &str, known: &Known) -> Option<String> {
    if u64::from(answer.status) != recording.status {
        return Some(format!("status {} instead of {}", answer.status, recording.status));
    }
    let (got, wanted) = (headers(&answer.headers), headers(&recording.headers));
    if got != wanted {
        return Some(format!("headers {got:?} instead of {wanted:?}"));
    }
    if recording.is_head() || answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return None;
    }
    let read = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    let (got, wanted) = match comparison(&recording.name) {
        Compare::Text => (marked(&known.in_answer(&answer.body), seeded), marked(&recording.body, seeded)),
        Compare::Types => (types(&read(&answer.body)), types(&read(&recording.body))),
        Compare::TypesOfValues => (types_of_values(&read(&answer.body)), types_of_values(&read(&recording.body))),
    };
    (got != wanted).then(|| format!("body\n  {}\ninstead of\n  {}", shortened(&got, &wanted), shortened(&wanted, &got)))
}

/// The part of a text from shortly before where it differs.
fn shortened(text: &str, other: &str) -> String {
    let same = text.chars().zip(other.chars()).take_while(|(one, two)| one == two).count();
    text.chars().skip(same.saturating_sub(60)).take(300).collect()
}

/// The headers that matter; the numbers of budgets change from call to call, their presence does not.
fn headers(all: &[(String, String)]) -> BTreeSet<(String, String)> {
    let matters = |name: &str| !matches!(name, "date" | "etag" | "vary");
    let counts = |name: &str| matches!(name, "x-ratelimit-remaining" | "x-ratelimit-reset" | "content-length");
    all.iter()
        .filter(|(name, _)| matters(name))
        .map(|(name, value)| (name.clone(), if counts(name) { "<number>".to_owned() } else { value.clone() }))
        .collect()
}

/// Where the service and the dev server say that they are.
const HOSTS: [&str; 2] = ["//127.0.0.1:4311/", "//localhost/"];

/// A text with times, unknown ids and ciphertext replaced.
fn marked(text: &str, seeded: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let head = rest.get(..24).unwrap_or_default();
        if let Some(host) = HOSTS.iter().find(|host| rest.starts_with(**host)) {
            out += "<host>";
            rest = &rest[host.len()..];
        } else if rest.starts_with("_...") {
            // The end of a token.
            out += "_...<end>";
            rest = &rest["_...".len() + 4..];
        } else if let Some((length, mark)) = envelope(rest) {
            out += &mark;
            rest = &rest[length..];
        } else if is_time(head) {
            out += "<time>";
            rest = &rest[24..];
        } else if is_id(head, rest)
            && !out.ends_with(|letter: char| letter.is_ascii_hexdigit())
            && !seeded.contains(head)
        {
            out += "<id>";
            rest = &rest[24..];
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    out
}

fn is_time(head: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddZ";
    head.len() == form.len()
        && head.chars().zip(form.chars()).all(|(letter, wanted)| match wanted {
            'd' => letter.is_ascii_digit(),
            _ => letter == wanted,
        })
}

fn is_id(head: &str, rest: &str) -> bool {
    let ends = !rest[head.len()..].starts_with(|letter: char| letter.is_ascii_hexdigit());
    head.len() == 24 && ends && head.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An envelope inside a JSON string: its length, and a mark that keeps the length of what it holds.
fn envelope(rest: &str) -> Option<(usize, String)> {
    let body = rest.strip_prefix(r#"{\"iv\":\""#)?;
    let (iv, after) = body.split_once(r#"\",\"encryptedData\":\""#)?;
    let (data, after) = after.split_once(r#"\",\"authTag\":\""#)?;
    let (tag, after) = after.split_once(r#"\"}"#)?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (iv.len() == 24 && tag.len() == 32 && is_hex(iv) && is_hex(data) && is_hex(tag))
        .then(|| (rest.len() - after.len(), format!("<envelope of {}>", data.len() / 2)))
}

/// The types in a value; a list is the set of the types of its items.
fn types(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) if text == "***" => "mask".to_owned(),
        Value::String(text) if text.starts_with(r#"{"iv":""#) && text.contains("authTag") => "envelope".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(items) => format!("{:?}", items.iter().map(types).collect::<BTreeSet<_>>()),
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", types(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn types_of_values(map: &Value) -> String {
    let values = map.as_object().unwrap().values();
    let of_value = |value: &Value| types(value).replace("value: envelope", "value: string");
    format!("{:?}", values.map(of_value).collect::<BTreeSet<_>>())
}
