//! Everything that is logged or panicked with while the tests run, of every crate and level.

use std::fmt::{Debug, Write as _};
use std::panic;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use log::{LevelFilter, Log, Metadata as LogMetadata, Record as LogRecord};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::planted::{BRANCH, ENVIRONMENT, KEY, PROJECT, hides};

static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn lock(list: &'static Mutex<Vec<String>>) -> MutexGuard<'static, Vec<String>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens from its making on; when it goes, what was heard until then must be clean.
#[must_use]
pub struct Watch(());

impl Watch {
    pub fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::subscriber::set_global_default(Listener).expect("no other subscriber");
            log::set_logger(&Listener).expect("no other logger");
            log::set_max_level(LevelFilter::Trace);
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                // a test that fails panics too, and that is its own affair
                if info.location().is_none_or(|place| !place.file().contains("tests")) {
                    lock(&PANICS).push(info.to_string());
                }
                usual(info);
            }));
        });
        Self(())
    }

    /// Whether something was heard from a target.
    pub fn has_heard_from(&self, target: &str) -> bool {
        lock(&EVENTS).iter().any(|event| event.starts_with(target))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            lock(&EVENTS).iter().for_each(|event| check(event));
            let panics = lock(&PANICS).clone();
            assert!(panics.is_empty(), "panics: {panics:?}");
        }
    }
}

fn check(event: &str) {
    hides("an event", event);
    for name in [KEY, BRANCH, ENVIRONMENT, PROJECT, "/api", "/projects", "?branch", "branch=", "://", "magpie%2F"] {
        assert!(!event.contains(name), "an event shows {name}: {event}");
    }
}

struct Listener;

/// The fields of an event, one after the other.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut next = Some(value);
        while let Some(error) = next {
            let _ = write!(self.0, " {}={error}/{error:?}", field.name());
            next = error.source();
        }
    }
}

fn record(metadata: &Metadata<'_>, fields: impl FnOnce(&mut Fields)) {
    // the name of an event is its place in the sources
    let name = if metadata.is_span() { metadata.name() } else { "" };
    let mut text = Fields(format!("{} {} {name}", metadata.target(), metadata.level()));
    fields(&mut text);
    lock(&EVENTS).push(text.0);
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        record(span.metadata(), |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields("a span".to_owned());
        values.record(&mut fields);
        lock(&EVENTS).push(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        record(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log for Listener {
    fn enabled(&self, _: &LogMetadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &LogRecord<'_>) {
        lock(&EVENTS).push(format!("{} {} {}", record.target(), record.level(), record.args()));
    }

    fn flush(&self) {}
}
