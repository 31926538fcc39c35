//! The details of a secret beside its value: comment, tags, metadata and a reminder.

use std::fmt;

use serde::Serialize;

use crate::core::SecretValue;
use crate::engine::{Operation, Request};
use crate::http::runtime::wire::SecretInput;
use crate::services::infisical::source::Infisical;

/// An [`Operation`] that can change what is kept beside a secret.
pub trait HasDetails: Operation<Source = Infisical> {
    /// What it changes.
    fn details(&mut self) -> &mut SecretDetails;
}

/// What a write says of a secret beside its value. What is not said stays as it is. `Debug` prints none of it.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_comment: Option<SecretInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_metadata: Option<Vec<Metadata>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_multiline_encoding: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_reminder_repeat_days: Option<Option<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_reminder_note: Option<Option<String>>,
}

#[derive(Clone, Serialize)]
struct Metadata {
    key: String,
    value: SecretInput,
}

impl SecretDetails {
    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.secret_comment.is_none()
            && self.tag_ids.is_none()
            && self.secret_metadata.is_none()
            && self.skip_multiline_encoding.is_none()
            && self.secret_reminder_repeat_days.is_none()
            && self.secret_reminder_note.is_none()
    }

    pub(super) fn has_metadata(&self) -> bool {
        self.secret_metadata.is_some()
    }
}

impl fmt::Debug for SecretDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretDetails").finish_non_exhaustive()
    }
}

impl<Op: HasDetails, M> Request<'_, Infisical, Op, M> {
    /// Notes this beside the secret. The empty text takes a comment away.
    pub fn comment(mut self, comment: impl Into<SecretValue>) -> Self {
        self.operation.details().secret_comment = Some(comment.into().into());
        self
    }

    /// Gives the secret these tags and no others, by their ids.
    pub fn tag_ids(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.details().tag_ids = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Keeps these names and values beside the secret, and no others. Documented only: servers of 2024 have none, and the write is
    /// refused there before it is sent.
    pub fn secret_metadata<N: Into<String>, V: Into<SecretValue>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| Metadata { key: key.into(), value: value.into().into() });
        self.operation.details().secret_metadata = Some(pairs.collect());
        self
    }

    /// Sets the service's `skipMultilineEncoding`. It does the reverse of its name, as was recorded with servers of 2024: when it is
    /// on and the value holds a reference, reads give the value in quotes, with `\n` for line feeds.
    pub fn skip_multiline_encoding(mut self, on: bool) -> Self {
        self.operation.details().skip_multiline_encoding = Some(on);
        self
    }

    /// Reminds somebody every so many days to change the secret; `None` ends that.
    pub fn reminder_days(mut self, days: impl Into<Option<u32>>) -> Self {
        self.operation.details().secret_reminder_repeat_days = Some(days.into());
        self
    }

    /// What the reminder says; `None` takes it away.
    pub fn reminder_note(mut self, note: impl Into<Option<String>>) -> Self {
        self.operation.details().secret_reminder_note = Some(note.into());
        self
    }
}
