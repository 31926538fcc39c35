//! Everything that a program and its log get to see of a call, held against the secrets.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xtrasecurity::xtra::raw::{self, types};
use xtrasecurity::{SecretValue, XtraClient, XtraError};

use crate::canaries::Canaries;
use crate::peer::Peer;

pub const PROJECT: &str = "665f1c2ab7c0de0087654321";
pub const ENVIRONMENT: &str = "magpie-environment";

/// A client that was given the secrets, and what it has been seen to show.
pub struct Scan<'a> {
    client: XtraClient,
    canaries: &'a Canaries,
    pub errors: usize,
    pub said: usize,
}

impl<'a> Scan<'a> {
    pub fn of(peer: &Peer, canaries: &'a Canaries) -> Self {
        listen();
        Self { client: client(peer, canaries), canaries, errors: 0, said: 0 }
    }

    /// Goes on with another client.
    pub fn renew(&mut self, peer: &Peer) {
        self.client = client(peer, self.canaries);
    }

    /// One call, of the kind that this number chooses.
    pub async fn call(&mut self, kind: usize) {
        let raw = self.client.raw();
        match kind % 8 {
            0 => match self.client.get_secrets(ENVIRONMENT).no_cache().await {
                Ok(secrets) => self.debugged("secrets", &*secrets),
                Err(error) => self.error(&error),
            },
            1 => match raw.secrets_read().project_id(PROJECT).env(ENVIRONMENT).send().await {
                Ok(secrets) => self.debugged("a raw read", &secrets),
                Err(error) => self.raw_error(error),
            },
            2 => {
                let sent = raw.secrets_upsert().project_id(PROJECT).env(ENVIRONMENT).body(self.body()).send().await;
                sent.err().into_iter().for_each(|error| self.raw_error(error));
            }
            3 => {
                let value = SecretValue::from(self.canaries.values[0].as_str());
                let sent = self.client.set_secret(ENVIRONMENT, "API_KEY", value).await;
                sent.err().into_iter().for_each(|error| self.error(&error));
            }
            4 => {
                let sent = raw.projects_get().id(PROJECT).send().await;
                sent.err().into_iter().for_each(|error| self.raw_error(error));
            }
            5 => {
                let pairs = self.canaries.values.iter().zip(["A", "B", "API_KEY"]);
                let pairs = pairs.map(|(value, name)| (name, value.as_str()));
                let sent = self.client.set_secrets(ENVIRONMENT, pairs).await;
                sent.err().into_iter().for_each(|error| self.error(&error));
            }
            6 => {
                let sent = self.client.claim_jit_link(self.canaries.values[0].as_str()).await;
                sent.err().into_iter().for_each(|error| self.error(&error));
            }
            _ => {
                let found = self.client.secret_history(ENVIRONMENT, "API_KEY").await;
                found.err().into_iter().for_each(|error| self.error(&error));
            }
        }
    }

    fn body(&self) -> types::SecretsUpsert {
        let [one, two, three] = &self.canaries.values;
        let body = serde_json::json!({ "secrets": { "A": one, "B": two, "API_KEY": three }, "branch": "main" });
        serde_json::from_value(body).expect("a body")
    }

    fn raw_error(&mut self, error: raw::Error<types::ApiError>) {
        self.debugged("a raw error", &error);
        self.hides("a raw error", &error.to_string());
        match &error {
            raw::Error::ErrorResponse(answer) => {
                self.debugged("an answer", answer);
                self.debugged("a refusal", &**answer);
                self.debugged("conflicts", &answer.conflicts);
            }
            raw::Error::InvalidResponsePayload(payload) => {
                self.debugged("a payload", payload);
                self.hides("a problem", &payload.problem().to_string());
            }
            _ => {}
        }
        self.debugged("an answer", &error.answer());
        self.error(&error.into_error());
    }

    fn error(&mut self, error: &XtraError) {
        self.errors += 1;
        self.said += usize::from(error.server_message().is_some_and(|said| self.canaries.are_in(said)));
        self.debugged("an error", error);
        let mut text = format!("{error} {} {:?} {:?}", error.message(), error.code(), error.names());
        for conflict in error.conflicts() {
            let _ = write!(text, " {conflict:?} {} {:?} {:?}", conflict.name, conflict.expected, conflict.actual);
        }
        let _ = write!(text, " {:?} {:?} {:?}", error.retry_after(), error.elevation(), error.kind());
        let mut next = error.source();
        while let Some(cause) = next {
            let _ = write!(text, " {cause} {cause:?}");
            next = cause.source();
        }
        self.hides("an error", &text);
    }

    fn debugged(&self, what: &str, value: &dyn Debug) {
        self.hides(what, &format!("{value:?}"));
        self.hides(what, &format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" "));
    }

    fn hides(&self, what: &str, text: &str) {
        assert!(!self.canaries.are_in(text), "{what} shows a secret: {text}");
    }

    /// Holds what was logged since the last time against the secrets, and gives how much that was.
    pub fn hides_events(&self) -> usize {
        let heard = std::mem::take(&mut *EVENTS.lock().unwrap_or_else(PoisonError::into_inner));
        let events = heard.lines().filter(|line| self.canaries.are_in(line)).collect::<Vec<_>>();
        assert!(events.is_empty(), "events show secrets: {events:?}");
        heard.lines().count()
    }
}

fn client(peer: &Peer, canaries: &Canaries) -> XtraClient {
    XtraClient::builder()
        .token(canaries.token.as_str())
        .vault_passphrase(canaries.passphrase.as_str())
        .project_id(PROJECT)
        .api_url(peer.root())
        .max_retries(0)
        .requests_per_minute(0)
        .cache(false)
        .build()
        .expect("good options")
}

static EVENTS: Mutex<String> = Mutex::new(String::new());

/// Listens to every event and span of the process, of every crate and level, from the first call on.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Listener).expect("no other subscriber");
        log::set_logger(&Listener).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

struct Listener;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

fn hear(record: impl FnOnce(&mut Fields)) {
    let mut fields = Fields(String::new());
    record(&mut fields);
    let mut events = EVENTS.lock().unwrap_or_else(PoisonError::into_inner);
    events.push_str(&fields.0.replace('\n', " "));
    events.push('\n');
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        hear(|fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        hear(|fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        hear(|fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        hear(|fields| fields.0 = record.args().to_string());
    }

    fn flush(&self) {}
}
