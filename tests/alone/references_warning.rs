//! What is logged about values that look like references and are given as they are.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::Field;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use xtrasecurity::XtraClient;

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[(
    "a_value_that_looks_like_a_reference_and_is_not_followed_is_warned_of_once_by_name_and_option",
    a_value_that_looks_like_a_reference_and_is_not_followed_is_warned_of_once_by_name_and_option,
)];

/// Keeps the text of every warning.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| text += &format!(" {field}={value:?}"));
        self.0.lock().map(|mut texts| texts.push(text)).unwrap_or_default();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn a_value_that_looks_like_a_reference_and_is_not_followed_is_warned_of_once_by_name_and_option() {
    let warnings = Warnings::default();
    tracing::subscriber::set_global_default(warnings.clone()).unwrap();
    let told = || std::mem::take(&mut *warnings.0.lock().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pairs = [("URL", "hunter2 {{ xtra:///PASSWORD }}"), ("PASSWORD", "hunter3"), ("BRACES", "{{ name }}")];
        let client = XtraClient::in_memory(pairs).unwrap();
        client.get_secrets("production").resolve_references(true).await.unwrap();
        client.render("{{ xtra:///production/URL }}").await.unwrap();
        assert_eq!(told(), [""; 0], "whoever follows them need not be warned");
        for _ in 0..3 {
            client.get_secrets("production").no_cache().await.unwrap();
        }
        let texts = told();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(texts[0].contains("\\\"URL\\\"") || texts[0].contains("\"URL\""), "{texts:?}");
        assert!(texts[0].contains("resolve_references(true)") && !texts[0].contains("hunter"), "{texts:?}");
        client.get_secrets("staging").await.unwrap();
        assert_eq!(told().len(), 1, "another environment is another place");
    });
}
