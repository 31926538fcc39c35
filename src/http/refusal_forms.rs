//! The documented forms of a service's refusals.
//!
//! A service may put anything into a refusal, what the request carried too. Only what is listed here is shown: a code by the
//! name in the list, a sentence by its form in the list, never by the bytes of the answer.

use std::fmt;

use crate::core::Reason;

/// The documented refusals of one service. Without any, nothing of an answer but its status is shown.
///
/// ```
/// use xtrasecurity::error::Reason;
/// use xtrasecurity::http::RefusalForms;
///
/// const REFUSALS: RefusalForms = RefusalForms::new()
///     .sentences(&[&["access denied", "no vault named {vault}", "quota of {} used up"]])
///     .codes(&["SEALED"])
///     .reasons(&[("SEALED", Reason::Blocked)]);
/// ```
#[derive(Clone, Copy)]
pub struct RefusalForms {
    pub(super) sentences: &'static [&'static [&'static str]],
    pub(crate) codes: &'static [&'static str],
    pub(crate) actions: &'static [&'static str],
    reasons: &'static [(&'static str, Reason)],
}

impl RefusalForms {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { sentences: &[], codes: &[], actions: &[], reasons: &[] }
    }

    /// The sentences, in lists. `{name}` stands for what the request has under that name in its query or body, `{}` for
    /// what only the service knows, which is not shown.
    #[must_use]
    pub const fn sentences(self, lists: &'static [&'static [&'static str]]) -> Self {
        Self { sentences: lists, ..self }
    }

    /// The machine-readable codes.
    #[must_use]
    pub const fn codes(self, codes: &'static [&'static str]) -> Self {
        Self { codes, ..self }
    }

    /// What the service may ask to be done first.
    #[must_use]
    pub const fn actions(self, actions: &'static [&'static str]) -> Self {
        Self { actions, ..self }
    }

    /// The codes, actions and sentences that tell why the service forbids (status 403).
    #[must_use]
    pub const fn reasons(self, reasons: &'static [(&'static str, Reason)]) -> Self {
        Self { reasons, ..self }
    }

    /// The first of some forms that a text has, as in [`sentences`](Self::sentences).
    #[must_use]
    pub fn find(forms: &'static [&'static str], text: &str) -> Option<&'static str> {
        forms.iter().copied().find(|form| has_form(text, form))
    }

    /// The form that a sentence has.
    pub(crate) fn sentence(&self, text: &str) -> Option<&'static str> {
        self.sentences.iter().find_map(|forms| Self::find(forms, text))
    }

    pub(super) fn code(&self, text: &str) -> Option<&'static str> {
        self.codes.iter().copied().find(|code| *code == text)
    }

    pub(super) fn action(&self, text: &str) -> Option<&'static str> {
        self.actions.iter().copied().find(|action| *action == text)
    }

    pub(super) fn reason(&self, told: &str) -> Option<Reason> {
        self.reasons.iter().find(|(word, _)| *word == told).map(|(_, reason)| reason.clone())
    }
}

impl Default for RefusalForms {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RefusalForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalForms")
            .field("codes", &self.codes)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// Whether a text is this form, with something in each of its holes. Takes time linear in the text.
fn has_form(text: &str, form: &str) -> bool {
    let (start, rest) = until_hole(form);
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut form = rest;
    while let Some((_, after)) = form {
        let (literal, next) = until_hole(after);
        // a hole holds one character at least
        let Some(from) = text.chars().next().map(char::len_utf8) else { return false };
        let Some(behind) = text.get(from..) else { return false };
        if next.is_none() {
            return behind.ends_with(literal);
        }
        let Some(at) = behind.find(literal) else { return false };
        let Some(left) = behind.get(at + literal.len()..) else { return false };
        (text, form) = (left, next);
    }
    text.is_empty()
}

/// The names of the holes.
pub(super) fn holes(form: &str) -> impl Iterator<Item = &str> {
    let mut rest = until_hole(form).1;
    std::iter::from_fn(move || {
        let (name, after) = rest?;
        rest = until_hole(after).1;
        Some(name)
    })
    .filter(|name| !name.is_empty())
}

/// The form with what the request has under the names of the holes, and three dots where it has nothing.
pub(super) fn filled<'a>(form: &str, asked: impl Fn(&str) -> Option<&'a str>) -> String {
    let (start, mut rest) = until_hole(form);
    let mut text = start.to_owned();
    while let Some((name, after)) = rest {
        text.push_str(asked(name).filter(|value| is_short(value)).unwrap_or("…"));
        let (literal, next) = until_hole(after);
        text.push_str(literal);
        rest = next;
    }
    text
}

fn is_short(value: &str) -> bool {
    const LONGEST: usize = 64;
    !value.is_empty() && value.chars().count() <= LONGEST && !value.chars().any(super::error_body::is_invisible)
}

/// What comes before the next hole; and the name of that hole with what comes after it.
fn until_hole(form: &str) -> (&str, Option<(&str, &str)>) {
    match form.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?))) {
        Some((before, hole)) => (before, Some(hole)),
        None => (form, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_without_holes_is_met_by_itself_alone() {
        assert!(has_form("Access Denied", "Access Denied"));
        for other in ["", "Access Denied.", "access denied", " Access Denied", "Access  Denied"] {
            assert!(!has_form(other, "Access Denied"), "{other}");
        }
    }

    #[test]
    fn every_hole_takes_something_and_the_rest_must_stand_as_it_is() {
        let form = "Branch '{branch}' not found";
        for text in ["Branch 'dev' not found", "Branch '' not found' not found", "Branch 'ü' not found"] {
            assert!(has_form(text, form), "{text}");
        }
        for text in
            ["Branch '' not found", "Branch 'dev' not found!", "branch 'dev' not found", "Branch 'dev", "Branch '"]
        {
            assert!(!has_form(text, form), "{text}");
        }
        assert!(has_form("Slack returned 404: no", "Slack returned {}: {}"));
        assert!(!has_form("Slack returned 404: ", "Slack returned {}: {}"));
        assert!(!has_form("Slack returned : no", "Slack returned {}: {}"));
    }

    #[test]
    fn holes_are_filled_from_what_was_asked_for_and_else_left_open() {
        let form = "Source '{key}' not in {project} ({env}), {} left";
        assert_eq!(holes(form).collect::<Vec<_>>(), ["key", "project", "env"]);
        let long = "x".repeat(65);
        let asked = |name: &str| match name {
            "key" => Some("URL"),
            "project" => Some(long.as_str()),
            "env" => Some("a\u{202e}b"),
            _ => None,
        };
        assert_eq!(filled(form, asked), "Source 'URL' not in … (…), … left");
        assert_eq!(filled("no holes", |_| None), "no holes");
    }
}
