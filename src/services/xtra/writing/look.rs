//! What is there before a write, and after it: every secret of one place with its version.

use std::collections::BTreeMap;

use crate::core::{SecretValue, UnreadableReason, XtraError};
use crate::services::xtra::{Place, Xtra, convert, envelope};

/// The secrets of one place.
pub(crate) struct Look {
    entries: BTreeMap<String, Seen>,
}

/// One secret.
pub(crate) struct Seen {
    /// What a read gives, or why it gives nothing.
    pub(crate) value: Result<SecretValue, UnreadableReason>,
    /// A decimal number, as the service sends it.
    pub(crate) version: String,
    /// Its value is that of another secret.
    pub(crate) linked: bool,
    /// It was encrypted before it was sent to the service.
    pub(crate) sealed: bool,
}

impl Seen {
    /// Whether a read gives this value.
    pub(crate) fn is(&self, value: &SecretValue) -> bool {
        self.value.as_ref().is_ok_and(|seen| seen == value)
    }
}

#[cfg(test)]
impl Look {
    /// Names, what a read gives of them, and versions.
    pub(super) fn of<const N: usize>(seen: [(&str, Result<&str, UnreadableReason>, &str); N]) -> Self {
        let entry = |(key, value, version): (&str, Result<&str, UnreadableReason>, &str)| {
            let value = value.map(SecretValue::from);
            (key.to_owned(), Seen { value, version: version.to_owned(), linked: false, sealed: false })
        };
        Self { entries: seen.into_iter().map(entry).collect() }
    }
}

impl Look {
    pub(crate) fn get(&self, key: &str) -> Option<&Seen> {
        self.entries.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Seen)> {
        self.entries.iter().map(|(key, seen)| (key.as_str(), seen))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Xtra {
    /// Reads one place as it is now, past the cache. The service leaves no trace of it in its audit log.
    pub(crate) async fn look(&self, place: &Place) -> Result<Look, XtraError> {
        let request = self.raw().secrets_read().project_id(&place.project).env(place.environment.to_lowercase());
        let request = request.branch(&place.branch).include_versions(true);
        let answer = request.send().await.map_err(convert::from_raw)?;
        let mut entries = BTreeMap::new();
        for (key, entry) in answer.into_inner().0 {
            let (version, linked) = (entry.version.clone().unwrap_or_default(), entry.is_reference == Some(true));
            let text = entry.into_value();
            let sealed = text.as_ref().is_some_and(envelope::is_sealed);
            // the service leaves a secret that resolves to nothing out, so one without a value is none of those
            let value = text.ok_or(UnreadableReason::NoValue).and_then(|text| self.read_text(&place.project, text));
            entries.insert(key, Seen { value, version, linked, sealed });
        }
        Ok(Look { entries })
    }
}
