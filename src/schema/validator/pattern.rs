//! Patterns: regular expressions as JavaScript writes them, with an end to the time that they may take.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use fancy_regex::{Error, Regex, RegexBuilder, RuntimeError};

/// So often a pattern that looks around or refers back may go back, whatever the value. Each time may read all that is left of
/// the value.
const FEW: usize = 256;

/// How patient a search can be. A million times is what pattern engines allow by themselves.
pub(in crate::schema) const MOST_PATIENT: usize = 12;

/// So often a pattern may go back: a few times, or once, twice, four times … as often again.
pub(in crate::schema) fn limit(patience: usize) -> usize {
    FEW << patience
}

/// A pattern that needs no going back is searched for in one pass, and never gives up.
#[derive(Debug)]
pub(in crate::schema) struct Pattern {
    source: String,
    /// By how patient they are.
    engines: [OnceLock<Option<Regex>>; MOST_PATIENT + 1],
}

/// What a search tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// It went back as often as it may.
    Undecided,
    /// The engine failed.
    Failed,
}

impl Pattern {
    /// `None` when the text is no pattern.
    pub(super) fn of(source: &str) -> Option<Self> {
        let (first, pattern) = (engine(source, 0)?, Self { source: source.to_owned(), engines: Default::default() });
        if let Some(slot) = pattern.engines.first() {
            let _ = slot.set(Some(first));
        }
        Some(pattern)
    }

    pub(in crate::schema) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern is found anywhere in the text.
    pub(super) fn find(&self, text: &str, patience: usize) -> Match {
        let slot = self.engines.get(patience.min(MOST_PATIENT));
        let Some(engine) = slot.and_then(|slot| slot.get_or_init(|| engine(&self.source, patience)).as_ref()) else {
            return Match::Failed;
        };
        // the engine underneath is known to panic on few patterns, where it could report
        match catch_unwind(AssertUnwindSafe(|| engine.is_match(text))) {
            Ok(Ok(true)) => Match::Yes,
            Ok(Ok(false)) => Match::No,
            Ok(Err(Error::RuntimeError(RuntimeError::BacktrackLimitExceeded))) => Match::Undecided,
            Ok(Err(_)) | Err(_) => Match::Failed,
        }
    }
}

/// Whether the text is a pattern.
pub(super) fn is_pattern(source: &str) -> bool {
    engine(source, 0).is_some()
}

fn engine(source: &str, patience: usize) -> Option<Regex> {
    let translated = jsonschema_regex::to_rust_regex(source).ok()?;
    RegexBuilder::new(&translated).backtrack_limit(limit(patience)).build().ok()
}
