//! What must not be seen, and where it could show: errors and events.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xtrasecurity::XtraError;

pub const ENVIRONMENT: &str = "production";
pub const KEY: &str = "API_KEY";
pub const PROJECT: &str = "665f1c2ab7c0de0012345678";
pub const TOKEN: &str = "xs_magpie_1f0c7a52d9e84b36";
/// The value before and after it is changed behind the client's back.
pub const OLD: &str = "magpie-old";
pub const NEW: &str = "magpie-new";
/// A web page, as logins and proxies send it.
pub const PAGE: &str = "<!doctype html><html><title>Sign in, magpie</title><p>magpie</html>";
/// A host that nobody has.
pub const ELSEWHERE: &str = "jackdaw.invalid";

/// In every token, value and body.
const PLANTED: &str = "magpie";
/// Parts of every URL. Some of the words are common, so they are looked for as they stand in URLs.
const OF_URLS: &[&str] = &["://", "jackdaw", "/projects", "/envs/", "branch=", PROJECT];

/// Whether this crate was heard at all.
static HEARD: AtomicBool = AtomicBool::new(false);
static EVENTS: Mutex<Vec<(bool, String)>> = Mutex::new(Vec::new());

fn events() -> MutexGuard<'static, Vec<(bool, String)>> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error and all that it is caused by, printed in every way.
pub fn leaks_of(error: &XtraError) -> Vec<String> {
    let mut text = format!("{error} {error:?} {error:#?} {}", error.message());
    let _ = write!(text, "{:?} {:?} {:?}", error.code(), error.names(), error.conflicts());
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, " {cause} {cause:?}");
        next = cause.source();
    }
    found_in(&text, true).map(|word| format!("the error shows {word:?}: {text}")).into_iter().collect()
}

/// What was traced since the last call. Events of other crates may name the host that they connect to, and no more.
pub fn leaks_of_events() -> Vec<String> {
    assert!(HEARD.load(Ordering::Relaxed), "nothing listens");
    let heard = std::mem::take(&mut *events());
    let leak =
        |(ours, text): (bool, String)| found_in(&text, ours).map(|word| format!("an event shows {word:?}: {text}"));
    heard.into_iter().filter_map(leak).collect()
}

fn found_in(text: &str, urls_too: bool) -> Option<&'static str> {
    let words = [PLANTED].into_iter().chain(OF_URLS.iter().copied().filter(|_| urls_too));
    words.into_iter().find(|word| text.contains(word))
}

/// Listens to every event and span of the process from the first call on.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).expect("no other subscriber"));
}

struct Listener;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

fn hear(metadata: Option<&Metadata<'_>>, record: impl FnOnce(&mut Fields)) {
    let target = metadata.map_or("", Metadata::target);
    let mut fields = Fields(target.to_owned());
    record(&mut fields);
    // later values of a span do not say whose it is
    let ours = metadata.is_none() || target.starts_with("xtrasecurity");
    HEARD.fetch_or(target.starts_with("xtrasecurity"), Ordering::Relaxed);
    events().push((ours, fields.0));
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        hear(Some(span.metadata()), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        hear(None, |fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        hear(Some(event.metadata()), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
