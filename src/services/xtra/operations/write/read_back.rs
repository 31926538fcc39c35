//! The read after a write: whether it gives what was written.

use super::current_state::{CurrentState, Existing};
use super::names::{named, repair_first};
use super::stored_rows::{Row, Target};
use crate::core::{ErrorKind, SecretValue, UnreadableReason, XtraError, events};
use crate::services::xtra::{Place, Xtra};

/// The keys that a read does not give as they were meant.
pub(crate) fn differing(meant: &[(String, SecretValue)], look: &CurrentState) -> Vec<String> {
    let differs = |(key, value): &&(String, SecretValue)| !look.get(key).is_some_and(|seen| seen.is(value));
    meant.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}

/// The names of what was written and is not what a read gives now. Of a value that the service masks for this caller, the
/// version tells: it must be another one than before.
pub(crate) fn unconfirmed(
    written: &[(String, SecretValue)],
    before: &CurrentState,
    after: &CurrentState,
) -> Vec<String> {
    let is_confirmed = |key: &str, value: &SecretValue| match after.get(key) {
        None => false,
        Some(Existing { value: Err(UnreadableReason::Masked), version, .. }) => {
            before.get(key).is_none_or(|seen| seen.version != *version)
        }
        Some(seen) => seen.is(value),
    };
    let left = written.iter().filter(|(key, value)| !is_confirmed(key, value));
    left.map(|(key, _)| key.clone()).collect()
}

/// The error of names that a read does not give as they were written, if there are any.
pub(crate) fn refuse_unconfirmed(names: Vec<String>, total: usize) -> Result<(), XtraError> {
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} of {total} secrets were written, and are not what is read now: {}. Somebody has written meanwhile, or the service \
         has a second row of that name in this place, which hides the one that was written",
        names.len(),
        named(&names)
    );
    Err(XtraError::new(ErrorKind::Conflict, message)
        .with_hints(repair_first(&names))
        .with_names(names)
        .with_unknown_outcome())
}

impl Xtra {
    /// Whether what a read leaves out is there as it was written: an access that was granted for some secrets hides all others
    /// from whoever asked, and the rows show them.
    pub(crate) async fn is_there_unread(
        &self,
        target: Target<'_>,
        version: &str,
        value: Option<&SecretValue>,
    ) -> Result<bool, XtraError> {
        let rows = self.stored_rows(target).await?;
        let is_value = |row: &Row| {
            let text = row.value.clone().map(|text| self.read_text(&target.place.project, text));
            value.is_none_or(|value| text.is_none_or(|stored| stored.is_ok_and(|stored| stored == *value)))
        };
        Ok(rows.here.iter().any(|row| row.version == version && is_value(row)))
    }

    /// Reads back what a write has left, for the names in [`unconfirmed`]. Never fails: where nothing can be read, nothing is
    /// confirmed.
    pub(crate) async fn read_back(
        &self,
        place: &Place,
        written: &[(String, SecretValue)],
        before: &CurrentState,
    ) -> Vec<String> {
        match self.current_state(place).await {
            Ok(after) => unconfirmed(written, before, &after),
            Err(error) => {
                tracing::warn!(target: events::SERVICE, kind = error.kind().as_str(), "what was written could not be read back");
                written.iter().map(|(key, _)| key.clone()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UnreadableReason::{ClientEnvelope, Masked, ServerCiphertext};

    fn left(before: CurrentState, after: CurrentState) -> bool {
        !unconfirmed(&[("A".to_owned(), "new".into())], &before, &after).is_empty()
    }

    #[test]
    fn what_is_read_as_it_was_written_is_confirmed_and_nothing_else_is() {
        let before = || CurrentState::of([("A", Ok("old"), "1")]);
        assert!(!left(before(), CurrentState::of([("A", Ok("new"), "2")])));
        assert!(left(before(), CurrentState::of([("A", Ok("old"), "1")])));
        assert!(left(before(), CurrentState::of([("A", Ok("old"), "2")])));
        assert!(left(before(), CurrentState::of([("B", Ok("new"), "2")])));
        for reason in [ClientEnvelope, ServerCiphertext] {
            assert!(left(before(), CurrentState::of([("A", Err(reason), "2")])), "{reason:?}");
        }
    }

    #[test]
    fn of_a_value_that_is_masked_the_version_tells() {
        let masked = |version| CurrentState::of([("A", Err(Masked), version)]);
        assert!(!left(masked("1"), masked("2")));
        assert!(left(masked("1"), masked("1")), "another row than the one that is read was written");
        assert!(!left(CurrentState::of([]), masked("1")), "it was not there before");
    }
}
