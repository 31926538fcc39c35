//! Every recorded request asked again of a dev server in the recorded state: the same status, the same error words, the same body
//! but for ids, times and ciphertext.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use xtrasecurity::infisical::dev::{Generation, HalfExpansion, InfisicalDevServer, RateLimits, SecretSeed};

use crate::recorded::{Recording, Recordings, spelled_out};
use crate::state;
use crate::wire::{Answer, Call};

/// The recordings in the order of time, and in between (`!`, `!2024-10` for one server alone) what happened that is not kept.
const ORDER: &str = include_str!("order.txt");

/// The recordings that the dev server is not held to, each with the reason.
const NOT_HELD: &str = include_str!("not_held.tsv");

/// A claim of a signed token.
pub(crate) fn claim(token: &str, name: &str) -> Option<String> {
    let claims: Value = serde_json::from_slice(&decoded(token.split('.').nth(1)?)?).ok()?;
    claims[name].as_str().map(str::to_owned)
}

/// The bytes of base64 in either alphabet, with or without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    Some(bytes)
}

/// A dev server that is asked again, and what is known of its ids and tokens.
struct Replay {
    recordings: Recordings,
    server: InfisicalDevServer,
    /// Recorded ids and entity tags with those of this run.
    known: BTreeMap<String, String>,
    /// Recorded tokens, by their id, with those of this run.
    tokens: BTreeMap<String, String>,
    /// Tokens of identities that no recorded one stands for yet.
    fresh: BTreeMap<String, String>,
}

impl Replay {
    async fn of(server: &str, generation: Generation) -> Self {
        let recordings = Recordings::of(server);
        let server = state::start(&recordings, generation).await;
        let (known, tokens, fresh) = Default::default();
        Replay { recordings, server, known, tokens, fresh }
    }

    async fn login(&self, identity: &str) -> String {
        let body = serde_json::json!({
            "clientId": self.server.client_id(identity).unwrap(),
            "clientSecret": self.server.client_secret(identity).unwrap(),
        });
        let answer = Call::new("POST", "/api/v1/auth/universal-auth/login").json(&body).send(self.server.port()).await;
        assert_eq!(answer.status, 200, "the login of {identity}: {}", answer.body);
        answer.json()["accessToken"].as_str().unwrap().to_owned()
    }

    /// This run's token in the place of a recorded one; nothing for one that stays as it is.
    async fn token(&mut self, recorded: &str, recording: &str) -> Option<String> {
        if !recorded.starts_with("eyJ") || recording.ends_with("bad-signature") || recording.ends_with("alg-none") {
            return None;
        }
        let Some(id) = claim(recorded, "identityAccessTokenId") else {
            return self.server.token_for("test").map(str::to_owned);
        };
        if !self.tokens.contains_key(&id) {
            let identity = claim(recorded, "identityId")?;
            let name = state::NAMES.iter().find(|name| self.server.identity_id(name).as_ref() == Some(&identity))?;
            let token = match self.fresh.remove(*name) {
                Some(token) => token,
                None => self.login(name).await,
            };
            self.tokens.insert(id.clone(), token);
        }
        self.tokens.get(&id).cloned()
    }

    fn here(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (recorded, own)| text.replace(recorded, own))
    }

    async fn ask(&mut self, recording: &Recording) -> Answer {
        let header = match recording.token() {
            Some(token) => self.token(&token, &recording.name).await,
            None => None,
        };
        let sent = recording.sent_json().and_then(|body| body["accessToken"].as_str()).map(str::to_owned);
        let own = match &sent {
            Some(token) => self.token(token, &recording.name).await,
            None => None,
        };
        let here = |text: &str| match (&sent, &own) {
            (Some(sent), Some(own)) => self.here(text).replace(sent.as_str(), own),
            _ => self.here(text),
        };
        recording.call(here, header).send(self.server.port()).await
    }

    /// Takes the ids, the tokens and the entity tag of an answer.
    fn learn(&mut self, recording: &Recording, answer: &Answer) {
        if let (Some(recorded), Some(own)) = (recording.header("etag"), answer.header("etag")) {
            self.known.insert(recorded, own.to_owned());
        }
        let Ok(recorded) = serde_json::from_str::<Value>(&recording.body()) else { return };
        let own = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
        if let (Some(recorded), Some(own)) = (recorded["accessToken"].as_str(), own["accessToken"].as_str())
            && let Some(id) = claim(recorded, "identityAccessTokenId")
        {
            self.tokens.entry(id).or_insert_with(|| own.to_owned());
        }
        if let (Some(recorded), Some(own)) = (recorded["ciphertext"].as_str(), own["ciphertext"].as_str()) {
            self.known.insert(recorded.to_owned(), own.to_owned());
        }
        for member in ["folder", "secretImport", "key"] {
            if let (Some(recorded), Some(own)) = (recorded[member]["id"].as_str(), own[member]["id"].as_str())
                && recorded != own
            {
                self.known.insert(recorded.to_owned(), own.to_owned());
            }
        }
    }

    /// Does what happened and is not kept.
    async fn happen(&mut self, step: &str) {
        let (what, rest) = step.split_once(' ').unwrap_or((step, ""));
        let words: Vec<&str> = rest.splitn(4, ' ').collect();
        match (what, &words[..]) {
            ("half", keys) => self.server.set_half_expansion(match keys {
                [""] => HalfExpansion::Never,
                keys => HalfExpansion::Of(keys.iter().map(|key| (*key).to_owned()).collect()),
            }),
            ("login", [identity]) => {
                let token = self.login(identity).await;
                self.fresh.insert((*identity).to_owned(), token);
            }
            ("advance", [millis]) => self.server.advance(Duration::from_millis(millis.parse().unwrap())),
            ("secret", [environment, path, name, value]) => {
                let seed = SecretSeed::new(environment, name, &spelled_out(value)).path(path);
                self.server.add_secret("rec-project", seed).unwrap();
            }
            ("trust", [identity, addresses @ ..]) => {
                self.server.set_trusted_addresses(identity, addresses.iter().copied()).unwrap();
            }
            ("revoke-secrets", [identity]) => self.server.revoke_client_secrets(identity).unwrap(),
            ("limits", [limits]) => self.server.set_rate_limits(match *limits {
                "on" => RateLimits::self_hosted(),
                _ => RateLimits::off(),
            }),
            ("policy", [environment, path]) => {
                self.server.add_approval_policy("rec-project", environment, path).unwrap();
            }
            ("again", [recording, times]) => {
                let recording = self.recordings.load(recording);
                for _ in 0..times.parse().unwrap() {
                    self.ask(&recording).await;
                }
            }
            ("send", [identity, method, target, body]) => {
                self.send(identity, method, target, body).await;
            }
            ("id", [recorded, method, target, body]) => {
                let answer = self.send("writer", method, target, body).await;
                let made = answer.as_object().unwrap().values().find_map(|made| made["id"].as_str()).unwrap();
                self.known.insert((*recorded).to_owned(), made.to_owned());
            }
            _ => panic!("nobody knows how to: {step}"),
        }
    }

    async fn send(&mut self, identity: &str, method: &str, target: &str, body: &str) -> Value {
        let project = self.server.project_id().to_owned();
        let body: Value = serde_json::from_str(&self.here(&body.replace("{P}", &project))).unwrap();
        let token = match self.server.token_for(identity) {
            Some(token) if identity == "test" => token.to_owned(),
            _ => self.login(identity).await,
        };
        let call = Call::new(method, target.replace("{P}", &project)).token(&token).json(&body);
        let answer = call.send(self.server.port()).await;
        assert_eq!(answer.status, 200, "{method} {target}: {}", answer.body);
        answer.json()
    }
}

/// The first difference between an answer and its recording.
fn difference(recording: &Recording, answer: &Answer) -> Option<String> {
    if answer.status != recording.status() {
        return Some(format!("status {} instead of {}: {}", answer.status, recording.status(), answer.body));
    }
    for name in HEADERS {
        let (own, recorded) = (answer.header(name), recording.header(name));
        let same =
            if COUNTED.contains(name) { own.is_some() == recorded.is_some() } else { own == recorded.as_deref() };
        if !same {
            return Some(format!("{name}: {own:?} instead of {recorded:?}"));
        }
    }
    let body = recording.body();
    let (own, recorded) = match serde_json::from_str::<Value>(&body) {
        Ok(recorded) => {
            let (own, recorded) = (settled(&recording.name, answer.json()), settled(&recording.name, recorded));
            (compared(&own).to_string(), compared(&recorded).to_string())
        }
        Err(_) if answer.body.is_empty() => return (!body.is_empty()).then(|| format!("no body instead of {body}")),
        Err(_) => (answer.body.clone(), body),
    };
    (own != recorded)
        .then(|| format!("\n  {}\ninstead of\n  {}", shortened(&own, &recorded), shortened(&recorded, &own)))
}

/// The headers that are compared, and those of which only the presence is.
const HEADERS: &[&str] =
    &["content-type", "etag", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"];
const COUNTED: &[&str] = &["etag", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"];

/// A body without what chance decides: of two rows of one name, an import has the one with the lower id.
fn settled(name: &str, mut body: Value) -> Value {
    if name == "secrets-list-import-missing-source" {
        for block in body["imports"].as_array_mut().into_iter().flatten() {
            block["secrets"].as_array_mut().unwrap().retain(|row| row["secretKey"] != "B4");
        }
    }
    body
}

/// The part of a text from shortly before where it differs.
fn shortened(text: &str, other: &str) -> String {
    let same = text.chars().zip(other.chars()).take_while(|(one, two)| one == two).count();
    text.chars().skip(same.saturating_sub(150)).take(500).collect()
}

/// A value without ids, times, tokens and ciphertext, and with its lists in one order: those of rows are in the order of random ids.
fn compared(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let value = match (name.as_str(), value) {
                    ("ciphertext", Value::String(text)) => Value::from(decoded(text).unwrap_or_default().len()),
                    ("slug", Value::String(_)) if members.contains_key("policyId") => Value::from("<slug>"),
                    _ => compared(value),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(compared).collect();
            if items.iter().all(Value::is_object) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::String(text) => Value::String(masked(text)),
        other => other.clone(),
    }
}

/// A text with its ids, times and tokens replaced.
fn masked(text: &str) -> String {
    const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const TIME: &str = "dddd-dd-ddTdd:dd:dd.dddZ";
    if text.starts_with("eyJ") && text.split('.').count() == 3 {
        return "<token>".to_owned();
    }
    let fits = |rest: &str, form: &str| {
        rest.len() >= form.len()
            && rest.bytes().zip(form.bytes()).all(|(letter, wanted)| match wanted {
                b'x' => letter.is_ascii_hexdigit(),
                b'd' => letter.is_ascii_digit(),
                _ => letter == wanted,
            })
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (mark, length) = if letter.is_ascii_hexdigit() && fits(rest, UUID) {
            ("<id>", UUID.len())
        } else if letter.is_ascii_digit() && fits(rest, TIME) {
            ("<time>", TIME.len())
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        out += mark;
        rest = &rest[length..];
    }
    out
}

async fn replayed(server: &str, generation: Generation, wanted: usize) {
    let mut replay = Replay::of(server, generation).await;
    let kept: BTreeSet<String> = replay.recordings.names().into_iter().collect();
    let not_held: BTreeSet<String> = NOT_HELD
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|parts| parts[0] == "both" || parts[0] == server)
        .map(|parts| parts[1].to_owned())
        .collect();
    let (mut asked, mut failures, mut held) = (BTreeSet::new(), Vec::new(), 0);
    for line in ORDER.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(step) = line.strip_prefix('!') {
            let (only, step) = step.split_once(' ').unwrap();
            if only.is_empty() || only == server {
                replay.happen(step).await;
            }
            continue;
        }
        if !kept.contains(line) {
            continue;
        }
        assert!(asked.insert(line.to_owned()), "{line} is asked twice");
        let recording = replay.recordings.load(line);
        let answer = replay.ask(&recording).await;
        let difference = difference(&recording, &answer);
        replay.learn(&recording, &answer);
        match (difference, not_held.contains(line)) {
            (None, false) => held += 1,
            (None, true) => failures.push(format!("{line} is held after all")),
            (Some(_), true) => {}
            (Some(difference), false) => failures.push(format!("{line}: {difference}")),
        }
    }
    println!("{server}: {held} recordings held, {} not", not_held.intersection(&kept).count());
    let left: Vec<&String> = kept.difference(&asked).collect();
    assert!(failures.is_empty(), "{} recordings differ:\n{}", failures.len(), failures.join("\n"));
    assert!(left.is_empty(), "nobody asks {left:?}");
    assert_eq!(held, wanted, "recordings that are held");
    replay.server.stop().await;
}

#[tokio::test]
async fn every_recording_of_october_2024_is_held_or_is_known_not_to_be() {
    replayed("2024-10", Generation::October2024, 418).await;
}

#[tokio::test]
async fn every_recording_of_august_2024_is_held_or_is_known_not_to_be() {
    replayed("2024-08", Generation::August2024, 362).await;
}
