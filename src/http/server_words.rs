//! Error bodies, taken apart by their content: services send JSON as text/plain, plain text, HTML, or nothing.
//!
//! All of it is read from the bytes as they came, in one pass that keeps no more than it must. What may be shown is decided by
//! [`RefusalForms`] and by the request; the sentence itself is for [`XtraError::server_message`](crate::XtraError::server_message)
//! alone.

use std::collections::HashSet;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::asked::Asked;
use super::forms::{RefusalForms, filled, holes};
use super::json;
use super::json::{Name, Reader, Scalar, Text};
use crate::core::{Conflict, Reason};

/// The service's own words are cut to this many characters.
const LONGEST: usize = 200;

/// A version of more digits than this is none.
const LONGEST_VERSION: usize = 7;

/// So many names of members that say nothing here are kept.
const MOST_NAMES: usize = 16;

/// A refusal, taken apart.
#[derive(Default)]
pub(crate) struct ServerWords {
    /// The sentence, cleaned, for who asks for it.
    pub(crate) said: Option<String>,
    /// What of the sentence may be shown: its documented form.
    pub(crate) form: Option<String>,
    /// The machine-readable code, when it is a documented one.
    pub(crate) code: Option<&'static str>,
    /// What the service asks to be done first, when that is documented.
    pub(crate) action: Option<&'static str>,
    /// Why the service forbids, when it tells.
    pub(crate) reason: Option<Reason>,
    /// The keys that a conditional write found changed, as far as the request named them.
    pub(crate) conflicts: Vec<Conflict>,
    /// How many conflicts are on keys that the request did not name.
    pub(crate) unasked: usize,
    /// Whether the body is an HTML page, and so came from no route of the API.
    pub(crate) html: bool,
    /// Whether somebody else than the service has given this answer.
    pub(crate) foreign: bool,
    /// Whether the service itself has given it.
    pub(crate) own: bool,
}

impl ServerWords {
    pub(crate) fn of(operation: &str, status: u16, body: &[u8], forms: &RefusalForms, asked: Asked<'_>) -> Self {
        let keys = || if status == 409 { asked.member_names() } else { HashSet::new() };
        let parts = Parts::within(body, keys).unwrap_or_else(|| Parts::of_text(body));
        // where both are sent, `error` is the title and `message` the explanation
        let sentences = [&parts.message, &parts.error];
        let own = (forms.is_own)(operation, status, body);
        let form = sentences.iter().copied().flatten().find_map(|text| forms.sentence(text));
        let code = parts.code.as_deref().and_then(|code| forms.code(code));
        let action = parts.action.as_deref().and_then(|action| forms.action(action));
        Self {
            said: sentences.iter().copied().flatten().find_map(|text| clean(text)),
            form: form.map(|form| with_what_was_asked(form, asked)),
            code,
            action,
            reason: [action, code, form].into_iter().flatten().find_map(|word| forms.reason(word)),
            conflicts: parts.conflicts.named,
            unasked: parts.conflicts.unasked,
            html: parts.html,
            foreign: can_be_foreign(status) && !own,
            own,
        }
    }
}

/// The refusals that others give too: proxies, firewalls, whatever a bad deployment has left in the place of the service.
fn can_be_foreign(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 405 | 407 | 410 | 451)
}

fn with_what_was_asked(form: &str, asked: Asked<'_>) -> String {
    let wanted: Vec<&str> = holes(form).collect();
    let named = asked.named(&wanted);
    filled(form, |name| named.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()))
}

/// The members of a refusal that say something, as they were sent.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) error: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) action: Option<String>,
    /// The names of its other members; of very many, the first few.
    pub(crate) others: Vec<String>,
    conflicts: Conflicts,
    html: bool,
}

impl Parts {
    /// Those of a JSON object. `None` when the body is anything else.
    pub(crate) fn of(body: &[u8]) -> Option<Self> {
        Self::within(body, HashSet::new)
    }

    /// The same with the conflicts on these keys.
    fn within(body: &[u8], keys: impl FnOnce() -> HashSet<String>) -> Option<Self> {
        if body.trim_ascii_start().first() != Some(&b'{') {
            return None;
        }
        json::whole(body, Members(&keys()))
    }

    fn of_text(body: &[u8]) -> Self {
        let body = body.trim_ascii_start();
        let error = match body.first() {
            Some(b'<') => return Self { html: true, ..Self::default() },
            // a list, or an object that was cut
            Some(b'{' | b'[') => None,
            Some(b'"') => json::whole(body, Text).flatten(),
            _ => {
                let start = String::from_utf8_lossy(body.get(..4 * LONGEST).unwrap_or(body));
                Some(start.into_owned()).filter(|text| text != "null")
            }
        };
        Self { error, ..Self::default() }
    }
}

/// Reads a refusal, and of its conflicts those on these keys.
struct Members<'a>(&'a HashSet<String>);

impl<'de> Reader<'de> for Members<'_> {
    type Value = Parts;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Parts, A::Error> {
        let mut parts = Parts::default();
        while let Some(Name(name)) = members.next_key()? {
            match name.as_ref() {
                "error" => parts.error = json::next(&mut members, Text)?,
                "message" => parts.message = json::next(&mut members, Text)?,
                "code" => parts.code = json::next(&mut members, Text)?,
                "action" => parts.action = json::next(&mut members, Text)?,
                "conflicts" => parts.conflicts = json::next(&mut members, OnKeys(self.0))?,
                other => {
                    if parts.others.len() <= MOST_NAMES {
                        parts.others.push(json::cut(other).to_owned());
                    }
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(parts)
    }
}

/// The keys that a write found changed.
#[derive(Default)]
struct Conflicts {
    named: Vec<Conflict>,
    unasked: usize,
}

struct OnKeys<'a>(&'a HashSet<String>);

impl<'de> Reader<'de> for OnKeys<'_> {
    type Value = Conflicts;

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Conflicts, A::Error> {
        let (mut conflicts, mut seen) = (Conflicts::default(), HashSet::new());
        while let Some(found) = json::next_item(&mut items, OnKey(self.0))? {
            match found {
                // what is kept is bounded by the request, however often the answer names a key
                Found::Asked(key, [expected, actual]) if seen.insert(key) => {
                    conflicts.named.push(Conflict::new(key, expected, actual));
                }
                Found::Asked(..) | Found::Nothing => {}
                Found::Unasked => conflicts.unasked += 1,
            }
        }
        Ok(conflicts)
    }
}

/// One conflict, without its `remoteValue`, which is ciphertext.
#[derive(Default)]
enum Found<'a> {
    Asked(&'a str, [Option<String>; 2]),
    Unasked,
    #[default]
    Nothing,
}

struct OnKey<'a>(&'a HashSet<String>);

impl<'de, 'a> Reader<'de> for OnKey<'a> {
    type Value = Found<'a>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Found<'a>, A::Error> {
        let (mut found, mut versions) = (Found::Nothing, [None, None]);
        while let Some(Name(name)) = members.next_key()? {
            match name.as_ref() {
                "key" => found = json::next(&mut members, Key(self.0))?,
                "expected" => versions[0] = json::next(&mut members, Scalar)?.filter(is_version),
                "actual" => versions[1] = json::next(&mut members, Scalar)?.filter(is_version),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(match found {
            Found::Asked(key, _) => Found::Asked(key, versions),
            other => other,
        })
    }
}

struct Key<'a>(&'a HashSet<String>);

impl<'a> Reader<'_> for Key<'a> {
    type Value = Found<'a>;

    fn text(self, text: &str) -> Found<'a> {
        self.0.get(text).map_or(Found::Unasked, |key| Found::Asked(key, [None, None]))
    }
}

/// Versions are small numbers, which no value passes for.
#[allow(clippy::ptr_arg)]
fn is_version(text: &String) -> bool {
    (1..=LONGEST_VERSION).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text on one line of bounded length, without characters that change how a terminal shows the rest. `None` when nothing is
/// left.
pub(crate) fn clean(text: &str) -> Option<String> {
    // a space stands in for each, so that words do not run together
    let mut characters = text.trim().chars().map(|c| if is_invisible(c) { ' ' } else { c });
    let mut kept: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Control characters, the ends of lines, and what has no width or turns the direction of the rest.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
