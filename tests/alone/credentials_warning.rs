//! What is logged about a token's file.

use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use tracing::field::Field;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use xtrasecurity::credentials::{CredentialProvider, FileToken, Token};

use crate::Check;

pub(crate) const CHECKS: &[Check] = &[(
    "a_file_that_others_can_read_is_used_with_a_warning_that_names_it_and_not_the_token",
    a_file_that_others_can_read_is_used_with_a_warning_that_names_it_and_not_the_token,
)];

/// Keeps the text of every event.
#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Arc<Mutex<Vec<String>>>);

impl Subscriber for Events {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = event.metadata().level().to_string();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| text += &format!(" {field}={value:?}"));
        self.0.lock().map(|mut texts| texts.push(text)).unwrap_or_default();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn a_file_that_others_can_read_is_used_with_a_warning_that_names_it_and_not_the_token() {
    let events = Events::default();
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, "hunter2").unwrap();
    let texts_at = |mode| {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let provider = FileToken::new(&path).unwrap();
        assert!(!provider.invalidate(&Token::new("hunter2").unwrap()));
        std::mem::take(&mut *events.0.lock().unwrap())
    };
    assert_eq!(texts_at(0o600), [""; 0]);
    let texts = texts_at(0o644);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with("WARN") && texts[0].contains(&path.display().to_string()), "{texts:?}");
    assert!(!texts[0].contains("hunter2"), "{texts:?}");
}
