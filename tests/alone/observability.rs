//! What is told to whoever listens to `tracing`: which operation, how it fared, and nothing that is secret.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};
use xtrasecurity::{CacheOptions, XtraClient, clock::ManualClock};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[(
    "a_read_tells_how_the_cache_fared_how_often_was_asked_and_what_came_of_it",
    a_read_tells_how_the_cache_fared_how_often_was_asked_and_what_came_of_it,
)];

/// The spans of this crate, each with its fields as they were when it closed, behind the spans around it.
#[derive(Clone, Default)]
struct Listener(Arc<State>);

#[derive(Default)]
struct State {
    next: AtomicU64,
    open: Mutex<HashMap<u64, String>>,
    entered: Mutex<Vec<u64>>,
    told: Mutex<Vec<String>>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Listener {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.told.lock().unwrap())
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("xtrasecurity") && !metadata.target().contains("dev_server")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let around = self.0.entered.lock().unwrap().last().copied();
        let around = around.and_then(|id| Some(self.0.open.lock().unwrap().get(&id)?.split(' ').next()?.to_owned()));
        let mut text = format!("{}{}", around.map(|name| name + ">").unwrap_or_default(), span.metadata().name());
        span.record(&mut Fields(&mut text));
        self.0.open.lock().unwrap().insert(id, text);
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        if let Some(text) = self.0.open.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(&mut Fields(text));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = format!("{}:", event.metadata().level());
        event.record(&mut Fields(&mut text));
        self.0.told.lock().unwrap().push(text);
    }

    fn enter(&self, id: &Id) {
        self.0.entered.lock().unwrap().push(id.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.0.entered.lock().unwrap().pop();
    }

    fn try_close(&self, id: Id) -> bool {
        if let Some(text) = self.0.open.lock().unwrap().remove(&id.into_u64()) {
            self.0.told.lock().unwrap().push(text);
        }
        true
    }
}

fn a_read_tells_how_the_cache_fared_how_often_was_asked_and_what_came_of_it() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(reads(&listener));
}

async fn reads(listener: &Listener) {
    let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
    let clock = ManualClock::new();
    let options = CacheOptions::default().jitter(0.0);
    let builder = XtraClient::builder().dev_server(&server).clock(clock.clock()).cache_options(options);
    let client = builder.max_retries(1).build().unwrap();
    let read = || async { client.get_secrets("production").await };
    listener.take();

    server.fault(Fault::status(503).on(route::SECRETS_READ));
    read().await.unwrap();
    let told = listener.take().join("\n");
    assert!(told.contains("read>load>call operation=\"secrets_read\" attempts=2 status=200"), "{told}");
    assert!(told.contains("read>load source=\"xtrasecurity\" cause=\"read\" secrets="), "{told}");
    assert!(told.contains("read source=\"xtrasecurity\" shared=true cache=\"miss\""), "{told}");
    assert!(told.contains("attempt=1 method=\"GET\" status=503"), "{told}");

    read().await.unwrap();
    assert_eq!(listener.take(), [""; 0], "a fresh snapshot is counted, not told");

    server.fault(Fault::status(503).on(route::SECRETS_READ).times(2));
    clock.advance(Duration::from_secs(60));
    read().await.unwrap();
    let told = listener.take().join("\n");
    assert!(told.contains("read>load>call operation=\"secrets_read\" attempts=2 status=503"), "{told}");
    assert!(told.contains("cause=\"read\" failure=\"server\""), "{told}");
    assert!(told.contains("shared=true cache=\"stale\""), "{told}");

    server.fault(Fault::status(403).on(route::SECRETS_READ));
    client.get_secrets("production").no_cache().await.unwrap_err();
    let told = listener.take().join("\n");
    assert!(told.contains("shared=false failure=\"forbidden\""), "{told}");

    client.raw().projects_list().send().await.unwrap();
    let told = listener.take().join("\n");
    assert!(told.contains("call operation=\"projects_list\" attempts=1 status=200"), "{told}");
    server.stop().await;
}
