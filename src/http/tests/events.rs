//! The events of a call.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::process::{current_thread, in_child};
use super::server::{Act, Server, answer};
use super::{quick, send, transport_to};

/// Writes every field of every event down.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<String>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("xtrasecurity")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Fields<'a>(&'a mut String);
        impl Visit for Fields<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                let _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
        event.record(&mut Fields(&mut self.0.lock().expect("not poisoned")));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn each_attempt_is_one_event_that_holds_no_data() {
    // who listens to an event is remembered for the whole process, so other tests would disturb this one
    if in_child(module_path!(), "each_attempt_is_one_event_that_holds_no_data", &[]) {
        current_thread().block_on(three_attempts());
    }
}

async fn three_attempts() {
    let server =
        Server::start(vec![answer(503, "x-canary: canary\r\n", "canary"), Act::Hang, answer(200, "", "canary")]).await;
    let transport = transport_to(&server.root(), quick());
    let recorder = Recorder::default();
    let guard = tracing::subscriber::set_default(recorder.clone());
    send(&transport, Method::GET).await.expect("the third answers");
    drop(guard);
    let events = recorder.0.lock().expect("not poisoned").clone();
    for (attempt, outcome) in [(1, "status=503"), (2, "failure=\"network\""), (3, "status=200")] {
        assert!(
            events.contains(&format!("operation=\"things_do\" attempt={attempt} method=\"GET\" {outcome} elapsed_ms=")),
            "{events}"
        );
    }
    assert_eq!(events.matches("attempt=").count(), 3);
    for forbidden in ["canary", "token-0", "127.0.0.1"] {
        assert!(!events.contains(forbidden), "{forbidden} in: {events}");
    }
}
