//! The answers of a hostile or broken service: secrets in many places and forms, chosen by chance that can be repeated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::canaries::{Canaries, Chance, hex, percent};

/// Bytes to send, and whether the connection stays open after them.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub stays: bool,
}

impl Answer {
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), stays: false }
    }

    pub fn new(status: u16, reason: &str, headers: &[(String, String)], body: &[u8]) -> Self {
        let body: &[u8] = if status < 200 || matches!(status, 204 | 304) { b"" } else { body };
        let mut bytes = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        Self { bytes, stays: status >= 200 }
    }
}

const STATUSES: &[u16] = &[
    101, 200, 201, 202, 203, 204, 205, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406,
    407, 408, 409, 410, 412, 413, 418, 422, 425, 429, 431, 451, 499, 500, 501, 502, 503, 504, 520, 599, 600, 799, 999,
];

/// The documented sentences that name things, which a service can fill with anything.
const FORMS: &[&str] = &[
    "Branch '@' not found",
    "Version @ not found in history",
    "Source secret '@' not found in project @ (@)",
    "IP address @ is not in the allowlist",
    "Slack returned 404: @",
    "Branch limit reached. Your @ plan allows up to @ branches per project. Please upgrade for more.",
    "Access Denied",
    "@ has been blocked by the owner",
    "Conflict detected",
];

const WORDS: &[&str] = &[
    "the",
    "value",
    "is",
    "not",
    "accepted",
    "for",
    "key",
    "API_KEY",
    "too",
    "weak",
    "token",
    "refused",
    "Bearer",
    "invalid",
    "postgres://user:",
    "@host/db",
    "Error:",
    "at",
    "line",
    "\n",
    "{",
    "}",
    "\"",
    "<b>",
    "\u{202e}",
    "\u{1b}[31m",
    "—",
];

/// A sentence of the service's, or of somebody's in its place, with secrets in it.
pub fn sentence(chance: &mut Chance, canaries: &Canaries) -> String {
    if chance.below(4) == 0 {
        let mut text = (*chance.of(FORMS)).to_owned();
        while text.contains('@') {
            text = text.replacen('@', &planted(chance, canaries), 1);
        }
        return text;
    }
    let mut words: Vec<String> = (0..chance.below(12)).map(|_| (*chance.of(WORDS)).to_owned()).collect();
    for _ in 0..=chance.below(3) {
        let at = chance.below(words.len() + 1);
        words.insert(at, planted(chance, canaries));
    }
    words.join(*chance.of::<&str>(&[" ", "", ": ", "-"]))
}

/// A secret or a part of it, in some form.
fn planted(chance: &mut Chance, canaries: &Canaries) -> String {
    let secret = (*chance.of(&canaries.all())).to_owned();
    let text = match chance.below(4) {
        0 => {
            let characters: Vec<char> = secret.chars().collect();
            let half = characters.len().div_ceil(2);
            characters[chance.below(characters.len() - half + 1)..].iter().take(half + 2).collect()
        }
        1 => secret.repeat(2),
        _ => secret,
    };
    match chance.below(10) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => hex(text.as_bytes()),
        3 => hex(text.as_bytes()).to_uppercase(),
        4 => percent(text.as_bytes(), |byte| byte.is_ascii_alphanumeric()),
        5 => percent(text.as_bytes(), |byte| byte.is_ascii_alphanumeric() || byte == b' ').replace(' ', "+"),
        6 => json!(text).to_string(),
        7 => STANDARD.encode(format!("{}{text}", &"xy"[..chance.below(3)])),
        _ => text,
    }
}

/// An answer with secrets wherever there is room for them.
pub fn random(chance: &mut Chance, canaries: &Canaries) -> Answer {
    let status = *chance.of(STATUSES);
    let body = match (status, chance.below(10)) {
        (_, 0) => sentence(chance, canaries),
        (_, 1) => format!("<!doctype html><title>{}</title>", sentence(chance, canaries)),
        (_, 2) => json!(sentence(chance, canaries)).to_string(),
        (_, 3) => json!([sentence(chance, canaries), { "error": sentence(chance, canaries) }]).to_string(),
        (_, 4) => {
            let whole = refusal(chance, canaries).to_string();
            String::from_utf8_lossy(&whole.as_bytes()[..chance.below(whole.len())]).into_owned()
        }
        (200..=299, 5..) => json!({ "API_KEY": sentence(chance, canaries), "OTHER": { "value": sentence(chance, canaries), "version": sentence(chance, canaries) } }).to_string(),
        _ => refusal(chance, canaries).to_string(),
    };
    let names = [
        "content-type",
        "x-mask-reason",
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-reset",
        "location",
        "set-cookie",
        "server",
        "x-values-masked",
        "www-authenticate",
    ];
    let mut headers = Vec::new();
    for name in names {
        if chance.below(3) == 0 {
            headers.push((name.to_owned(), in_a_header(&sentence(chance, canaries))));
        }
    }
    let reason = in_a_header(&sentence(chance, canaries));
    Answer::new(status, &reason, &headers, body.as_bytes())
}

/// A refusal in JSON, of the service's shape or nearly so.
fn refusal(chance: &mut Chance, canaries: &Canaries) -> Value {
    let mut members = Map::new();
    for name in [
        "error",
        "message",
        "code",
        "action",
        "details",
        "detail",
        "stack",
        "requestId",
        "retryAfter",
        "path",
        "conflicts",
    ] {
        if chance.below(2) == 0 {
            let text = sentence(chance, canaries);
            let value = match (name, chance.below(4)) {
                ("conflicts", 0..3) => {
                    let version = sentence(chance, canaries);
                    json!([{ "key": "API_KEY", "expected": version, "actual": text, "remoteValue": text }, { "key": text, "actual": 3 }, text])
                }
                (_, 0) => json!({ text.clone(): [text] }),
                _ => json!(text),
            };
            members.insert(name.to_owned(), value);
        }
    }
    Value::Object(members)
}

fn in_a_header(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Answers that are no good HTTP, or stop half-way.
pub fn broken(chance: &mut Chance, canaries: &Canaries) -> Vec<Answer> {
    let mut all = Vec::new();
    let mut text = || sentence(chance, canaries);
    for _ in 0..20 {
        let (head, body) = (in_a_header(&text()), text());
        let length = body.len() + 10;
        for bytes in [
            body.clone(),
            format!("HTTP/1.1 {head}\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"),
            format!("HTTP/1.1 200 OK\r\ncontent-length: {head}\r\n\r\n{body}"),
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"),
            format!("HTTP/1.1 500 OK\r\ncontent-length: {length}\r\n\r\n{body}"),
            format!("HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\n{body}\r\n{body}\r\n0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n{body}"),
            format!("HTTP/1.1 404 No\r\nconnection: close\r\n\r\n{}{body}", "x".repeat(64 * 1024 - body.len() / 2)),
            format!(
                "HTTP/1.1 307 Go\r\nlocation: https://u:{}@host.example/{}?t={}\r\ncontent-length: 0\r\n\r\n",
                in_a_header(&body),
                in_a_header(&body),
                in_a_header(&body)
            ),
            format!("HTTP/1.1 400 No\r\nconnection: close\r\n\r\n{}{}", "[".repeat(1000), json!(body)),
        ] {
            all.push(Answer::raw(bytes));
        }
    }
    all
}

/// A recorded answer whose every text is a sentence with secrets in it.
pub fn replanted(recording: &Value, chance: &mut Chance, canaries: &Canaries) -> Option<Answer> {
    let response = recording.get("response")?;
    let status = u16::try_from(response["status"].as_u64()?).ok()?;
    let text = response["body_text"].as_str().unwrap_or_default();
    let body = match serde_json::from_str::<Value>(text) {
        Ok(mut json) => {
            replace(&mut json, chance, canaries);
            json.to_string()
        }
        Err(_) => format!("{text} {}", sentence(chance, canaries)),
    };
    let dropped = ["content-length", "transfer-encoding", "connection", "keep-alive"];
    let pairs = response["headers"].as_array()?;
    let pairs = pairs.iter().filter_map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned())));
    let headers: Vec<_> = pairs.filter(|(name, _)| !dropped.contains(&name.to_ascii_lowercase().as_str())).collect();
    Some(Answer::new(status, "Recorded", &headers, body.as_bytes()))
}

fn replace(json: &mut Value, chance: &mut Chance, canaries: &Canaries) {
    match json {
        Value::String(text) => *text = sentence(chance, canaries),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, chance, canaries)),
        // a name is no secret, whoever gave it: errors tell the names that there are
        Value::Object(members) => {
            let members = members.iter_mut().filter(|(name, _)| *name != "name");
            members.for_each(|(_, member)| replace(member, chance, canaries));
        }
        _ => {}
    }
}
