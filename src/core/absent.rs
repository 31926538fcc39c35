//! Errors about what a snapshot does not hold: where it was looked for, what an empty answer can mean, and the nearest name.

use std::collections::BTreeSet;

use super::nearest::nearest;
use super::shown::{no_token, shown_name};
use super::snapshot::Secrets;
use super::{ErrorKind, Hint, Place, XtraError};

/// How many names of one kind an error tells.
const SHOWN: usize = 10;

impl Secrets {
    /// The error of a secret that is not there.
    #[cold]
    pub(crate) fn missing(&self, name: &str) -> XtraError {
        let shown = self.shown(name);
        if self.is_bare() {
            let message = format!("there is no secret {shown} in {}, which holds none at all", self.place_text());
            return self.may_be_mistyped(XtraError::new(ErrorKind::MissingSecret, message).with_names([name]));
        }
        let all = self.len() + self.unreadable().len();
        let message =
            format!("there is no secret {shown} among the {all} of {}. Names are case-sensitive", self.place_text());
        XtraError::new(ErrorKind::MissingSecret, message).with_names([name]).with_hint(match self.nearest_to(name) {
            Some(nearest) => perhaps(&self.shown(nearest)),
            None => Hint::advice("Check the name, and that this is the place that was meant"),
        })
    }

    /// These secrets, when there are any, be it names without values.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyScope`] with where they were read from, what it can mean that there are none, and the nearest name of an
    /// environment that is known without asking.
    ///
    /// ```
    /// use xtrasecurity::{ErrorKind, Secrets};
    ///
    /// let none = Secrets::from_iter([("", ""); 0]);
    /// assert_eq!(none.require_any().unwrap_err().kind(), ErrorKind::EmptyScope);
    /// ```
    pub fn require_any(&self) -> Result<&Self, XtraError> {
        if !self.is_bare() {
            return Ok(self);
        }
        let message = format!("{} holds no secrets", self.place_text());
        Err(self.may_be_mistyped(XtraError::new(ErrorKind::EmptyScope, message)))
    }

    /// The error of a call that wants secrets where there are none; `what` begins its message.
    #[cold]
    pub(crate) fn nothing_there(&self, what: &str) -> XtraError {
        let message = format!("{what}: {} holds no secrets", self.place_text());
        self.may_be_mistyped(XtraError::new(ErrorKind::EmptyScope, message)).with_hint(Hint::AllowEmpty)
    }

    /// Adds to an error about these missing names where they were looked for, and which of the names that nothing wants may be
    /// meant as one of them.
    #[cold]
    #[cfg(feature = "typed")]
    pub(crate) fn where_missing<'n>(
        &self,
        error: XtraError,
        names: impl IntoIterator<Item = &'n str>,
        is_left: impl Fn(&str) -> bool,
    ) -> XtraError {
        let mut names = names.into_iter().peekable();
        let error = match self.place() {
            Some(place) if names.peek().is_some() => {
                error.with_note(format!("They were looked for in {}", place.text()))
            }
            _ => error,
        };
        if self.is_bare() { self.may_be_mistyped(error) } else { self.perhaps_meant(error, names, is_left) }
    }

    /// Adds what may be meant by some of these missing names.
    pub(crate) fn perhaps_meant<'n>(
        &self,
        error: XtraError,
        names: impl IntoIterator<Item = &'n str>,
        is_left: impl Fn(&str) -> bool,
    ) -> XtraError {
        // each is a search of its own
        names.into_iter().take(3).fold(error, |error, name| match self.nearest_to(name).filter(|near| is_left(near)) {
            Some(near) => {
                error.with_hint(Hint::advice(format!("Perhaps {} is meant as {}", self.shown(near), self.shown(name))))
            }
            None => error,
        })
    }

    /// What is absent or unreadable of these names, in words: each kind by itself. Nothing when all can be read.
    #[cold]
    pub(crate) fn lacks<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
        let (mut absent, mut hidden) = (BTreeSet::new(), BTreeSet::new());
        for name in names.into_iter().filter(|name| !self.contains(name)) {
            if self.unreadable_of(name).is_some() {
                hidden.insert(name)
            } else {
                absent.insert(name)
            };
        }
        let mut parts = Vec::new();
        if !absent.is_empty() {
            parts.push(format!("missing: {}", self.listed(&absent, |name| self.nearest_to(name))));
        }
        if !hidden.is_empty() {
            parts.push(format!("there, but not readable: {}", self.listed(&hidden, |_| None)));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn listed<'s>(&self, names: &BTreeSet<&str>, nearest_to: impl Fn(&str) -> Option<&'s str>) -> String {
        let shown = names.iter().take(SHOWN).map(|name| match nearest_to(name) {
            Some(nearest) => format!("{} (perhaps {} is meant)", self.plain(name), self.plain(nearest)),
            None => self.plain(name),
        });
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if names.len() > SHOWN {
            text.push_str(&format!(" and {} more", names.len() - SHOWN));
        }
        text
    }

    /// Whether there is nothing at all, not even a name without a value.
    pub(crate) fn is_bare(&self) -> bool {
        self.is_empty() && self.unreadable().is_empty()
    }

    /// A secret's name for a message.
    pub(crate) fn shown(&self, name: &str) -> String {
        shown_name(name, self.place().map_or(no_token, |place| place.is_token))
    }

    /// The same without quotes where it reads as one word.
    fn plain(&self, name: &str) -> String {
        let shown = self.shown(name);
        let is_plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        match shown.strip_prefix('"').and_then(|shown| shown.strip_suffix('"')) {
            Some(bare) if is_plain => bare.to_owned(),
            _ => shown,
        }
    }

    /// The name that may have been meant by one that is not there.
    pub(crate) fn nearest_to(&self, name: &str) -> Option<&str> {
        let hidden = self.unreadable().iter().map(|entry| entry.name.as_str());
        nearest(name, self.names().chain(hidden))
    }

    /// Where the secrets are from, as the middle of a sentence has it.
    pub(crate) fn place_text(&self) -> &str {
        self.place().map_or("this snapshot", Place::text)
    }

    /// Adds what it can mean that there is nothing.
    pub(crate) fn may_be_mistyped(&self, error: XtraError) -> XtraError {
        let Some(place) = self.place() else { return error };
        let error = error.with_note(place.empty_means());
        match place.nearest() {
            Some(name) => error.with_hint(perhaps(&shown_name(&name, place.is_token))),
            None => error,
        }
    }
}

fn perhaps(shown: &str) -> Hint {
    Hint::advice(format!("Perhaps {shown} is meant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_told_with_the_nearest_one_and_a_pasted_value_is_not() {
        let secrets = Secrets::from_iter([("DATABASE_URL", "1"), ("PORT", "2")]);
        let error = secrets.require("DATABASE_UR").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no secret \"DATABASE_UR\" among the 2 of this snapshot. Names are case-sensitive. Perhaps \
             \"DATABASE_URL\" is meant"
        );
        let error = secrets.require("SMTP").unwrap_err().to_string();
        assert!(error.ends_with("Check the name, and that this is the place that was meant"), "{error}");
        let error = secrets.require("postgres://app:hunter2@db").unwrap_err();
        assert!(!error.to_string().contains("hunter2") && error.to_string().contains("25 characters"), "{error}");
    }

    #[test]
    fn a_name_of_the_service_that_may_be_a_value_is_not_told_either() {
        let secrets = Secrets::from_iter([("c2VjcmV0IHZhbHVlIG9mIHNvbWUgbGVuZ3Ro", "1")]);
        let error = secrets.require("c2VjcmV0IHZhbHVlIG9mIHNvbWUgbGVuZ3Rp").unwrap_err();
        assert!(!error.to_string().contains("c2Vj"), "{error}");
    }
}
