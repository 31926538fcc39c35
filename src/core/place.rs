//! The place that a snapshot was read from, in words: for errors about what it does not hold.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::nearest::nearest;

/// A scope in words, for errors about what it does not hold; from [`SecretSource::describe`](crate::SecretSource::describe).
///
/// ```
/// use xtrasecurity::source::ScopeDescription;
///
/// let description = ScopeDescription::new("the team \"payments\"").named("payments").usual(&["payments", "search"]);
/// assert_eq!(description.text(), "the team \"payments\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDescription {
    text: String,
    name: String,
    usual: &'static [&'static str],
    short_for: Option<&'static str>,
    empty_means: &'static str,
}

impl ScopeDescription {
    /// The scope as the middle of a sentence has it: `the environment "production" on the branch "main"`. It is shown in errors:
    /// put no token in it, and no name that may be one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            name: String::new(),
            usual: &[],
            short_for: None,
            empty_means: "An unknown name looks the same",
        }
    }

    /// The name in it that is most easily mistyped: the environment's, say. Names that held secrets are remembered, and an error
    /// about one that holds none tells the nearest of them.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The names that such scopes have nearly everywhere.
    #[must_use]
    pub fn usual(mut self, names: &'static [&'static str]) -> Self {
        self.usual = names;
        self
    }

    /// The name that this one is known to be short for, where that is not spelled out.
    #[must_use]
    pub fn short_for(mut self, name: Option<&'static str>) -> Self {
        self.short_for = name;
        self
    }

    /// What it can mean that there are no secrets: a sentence without a full stop.
    #[must_use]
    pub fn empty_means(mut self, sentence: &'static str) -> Self {
        self.empty_means = sentence;
        self
    }

    /// The scope as the middle of a sentence has it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The place of a snapshot, with what its client knows beside it.
pub(crate) struct Place {
    description: ScopeDescription,
    known: Arc<KnownNames>,
    pub(crate) is_token: fn(&str) -> bool,
}

impl Place {
    pub(crate) fn new(description: ScopeDescription, known: Arc<KnownNames>, is_token: fn(&str) -> bool) -> Self {
        Self { description, known, is_token }
    }

    /// Remembers that there are secrets here.
    pub(crate) fn holds_secrets(&self) {
        if !self.description.name.is_empty() {
            self.known.learn(&self.description.name);
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.description.text
    }

    pub(crate) fn empty_means(&self) -> &'static str {
        self.description.empty_means
    }

    /// The name that may have been meant.
    pub(crate) fn nearest(&self) -> Option<String> {
        let ScopeDescription { name, usual, short_for, .. } = &self.description;
        if let Some(long) = short_for {
            return Some((*long).to_owned());
        }
        let known = self.known.names();
        let names = known.iter().map(String::as_str).chain(usual.iter().copied());
        nearest(name, names).map(str::to_owned)
    }
}

/// The names of scopes that held secrets, the latest first.
#[derive(Default)]
pub(crate) struct KnownNames(Mutex<VecDeque<String>>);

impl KnownNames {
    /// Memory for so many.
    const MOST: usize = 64;

    fn learn(&self, name: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.iter().any(|known| known == name) {
            names.truncate(Self::MOST - 1);
            names.push_front(name.to_owned());
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::shown::no_token;

    #[test]
    fn names_that_held_secrets_are_told_before_the_usual_ones_and_are_bounded() {
        let known = Arc::new(KnownNames::default());
        let place = |name: &str| {
            let description = ScopeDescription::new(name).named(name).usual(&["production"]);
            Place::new(description, Arc::clone(&known), no_token)
        };
        assert_eq!(place("prodution").nearest().as_deref(), Some("production"));
        assert_eq!(place("preveiw").nearest(), None);
        place("preview").holds_secrets();
        assert_eq!(place("preveiw").nearest().as_deref(), Some("preview"));
        (0..100).for_each(|number| place(&format!("other-{number}")).holds_secrets());
        assert_eq!(known.names().len(), KnownNames::MOST);
        assert_eq!(place("preveiw").nearest(), None, "what came first makes room");
    }
}
