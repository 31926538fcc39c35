//! Error bodies, taken apart by their content: services send JSON as text/plain, plain text, HTML, or nothing.
//!
//! A body is read once, from the bytes as they came, in a pass that keeps no more than it must. What of it may be shown is
//! decided by [`RefusalForms`](super::RefusalForms) and by the request; the sentence itself is for
//! [`XtraError::server_message`](crate::XtraError::server_message) alone.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::json;
use super::json::{Name, Reader, Scalar, Text};
use super::protocol::{ConflictMembers, ErrorMembers, Protocol};
use super::refusal_forms::{filled, holes};
use super::sent_names::Sent;
use crate::core::{Conflict, ErrorKind, Reason};

/// The service's own words are cut to this many characters.
const LONGEST: usize = 200;

/// A version of more digits than this is none.
const LONGEST_VERSION: usize = 7;

/// So many names of members that say nothing here are kept.
const MOST_NAMES: usize = 16;

/// The longest wait that a body can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A refusal, judged by the protocol of the service.
#[derive(Default)]
pub(crate) struct Refusal {
    /// The sentence, cleaned, for who asks for it.
    pub(crate) message: Option<String>,
    /// The kind that the body tells, whatever the status is.
    pub(crate) kind: Option<ErrorKind>,
    /// The documented form of the sentence.
    pub(crate) form: Option<&'static str>,
    /// What of the sentence may be shown: its form, filled with what the request has.
    pub(crate) shown: Option<String>,
    /// The machine-readable code, when it is a documented one.
    pub(crate) code: Option<&'static str>,
    /// What the service asks to be done first, when that is documented.
    pub(crate) action: Option<&'static str>,
    /// Why it forbids, when that is documented.
    pub(crate) reason: Option<Reason>,
    /// The keys that a conditional write found changed, as far as the request named them.
    pub(crate) conflicts: Vec<Conflict>,
    /// How many conflicts are on keys that the request did not name.
    pub(crate) unasked: usize,
    /// The wait that the body asks for.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the body is an HTML page, and so came from no route of the API.
    pub(crate) html: bool,
    /// Whether somebody else than the service has given this answer.
    pub(crate) foreign: bool,
    /// Whether the service itself has given it.
    pub(crate) own: bool,
}

impl Refusal {
    /// `None` for an answer that refuses nothing: of a failing service, whose words may be about anything, only what the
    /// protocol takes for a refusal is one.
    pub(crate) fn of(
        operation: &str,
        status: u16,
        body: &[u8],
        protocol: &dyn Protocol,
        sent: Sent<'_>,
    ) -> Option<Self> {
        if !(400..600).contains(&status) {
            return None;
        }
        let keys = if status == 409 { sent.member_names() } else { HashSet::new() };
        let body = ErrorBody::parse(body, &protocol.error_members(), &keys);
        let kind = protocol.classify(operation, status, &body);
        (status < 500 || kind.is_some()).then(|| Self::new(operation, status, kind, body, protocol, sent))
    }

    fn new(
        operation: &str,
        status: u16,
        kind: Option<ErrorKind>,
        body: ErrorBody<'_>,
        protocol: &dyn Protocol,
        sent: Sent<'_>,
    ) -> Self {
        let own = protocol.is_own_refusal(operation, status, &body);
        let forms = protocol.refusals();
        let sentences = || [&body.message, &body.title].into_iter().flatten();
        let form = sentences().find_map(|text| forms.sentence(text));
        let code = body.code.as_deref().and_then(|code| forms.code(code));
        let action = body.action.as_deref().and_then(|action| forms.action(action));
        Self {
            message: sentences().find_map(|text| clean(text)),
            kind,
            form,
            shown: form.map(|form| with_what_was_sent(form, sent)),
            code,
            action,
            reason: [action, code, form].into_iter().flatten().find_map(|word| forms.reason(word)),
            conflicts: body.conflicts.named,
            unasked: body.conflicts.unasked,
            retry_after: body.retry_after,
            html: body.html,
            foreign: can_be_foreign(status) && !own,
            own,
        }
    }
}

/// The refusals that others give too: proxies, firewalls, whatever a bad deployment has left in the place of the service.
fn can_be_foreign(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 405 | 407 | 410 | 451)
}

fn with_what_was_sent(form: &str, sent: Sent<'_>) -> String {
    let wanted: Vec<&str> = holes(form).collect();
    let named = sent.named(&wanted);
    filled(form, |name| named.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()))
}

/// The parts of an error body, as they were sent: each may hold whatever the request carried. `Debug` prints none of them.
#[derive(Default)]
pub struct ErrorBody<'a> {
    bytes: &'a [u8],
    is_object: bool,
    message: Option<String>,
    title: Option<String>,
    code: Option<String>,
    action: Option<String>,
    others: Vec<String>,
    retry_after: Option<Duration>,
    conflicts: Conflicts,
    html: bool,
}

impl<'a> ErrorBody<'a> {
    /// Reads a body, and of its conflicts those on these keys.
    pub(crate) fn parse(bytes: &'a [u8], names: &ErrorMembers, keys: &HashSet<String>) -> Self {
        let start = bytes.trim_ascii_start();
        let parts = match start.first() {
            Some(b'{') => json::whole(bytes, Members { names, keys }).unwrap_or_default(),
            Some(b'<') => ErrorBody { html: true, ..ErrorBody::default() },
            // a list is no sentence
            None | Some(b'[') => ErrorBody::default(),
            Some(b'"') => ErrorBody { title: json::whole(start, Text).flatten(), ..ErrorBody::default() },
            Some(_) => {
                let text = String::from_utf8_lossy(start.get(..4 * LONGEST).unwrap_or(start));
                let title = Some(text.into_owned()).filter(|text| text != "null");
                ErrorBody { title, ..ErrorBody::default() }
            }
        };
        ErrorBody { bytes, ..parts }
    }

    /// The whole body.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether it is a JSON object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.is_object
    }

    /// Its sentence, cut to 1 KiB.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Its shorter sentence. Of a body that is plain text, that text.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Its machine-readable code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What it asks to be done first.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// The wait that it asks for, of at most a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The names of its other members; of very many, the first few.
    pub fn other_members(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(String::as_str)
    }
}

impl fmt::Debug for ErrorBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorBody").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Reads a JSON object, and of its conflicts those on these keys.
struct Members<'a> {
    names: &'a ErrorMembers,
    keys: &'a HashSet<String>,
}

impl<'de> Reader<'de> for Members<'_> {
    type Value = ErrorBody<'static>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut body = ErrorBody { is_object: true, ..ErrorBody::default() };
        let ErrorMembers { message, title, code, action, retry_after, conflicts } = *self.names;
        while let Some(Name(name)) = members.next_key()? {
            let name = name.as_ref();
            // a name of "" is how a protocol says that there is no such member
            let is = |known: &str| !known.is_empty() && name == known;
            if is(title) {
                body.title = json::next(&mut members, Text)?;
            } else if is(message) {
                body.message = json::next(&mut members, Text)?;
            } else if is(code) {
                body.code = json::next(&mut members, Text)?;
            } else if is(action) {
                body.action = json::next(&mut members, Text)?;
            } else if is(conflicts.list) {
                body.conflicts = json::next(&mut members, OnKeys { names: &conflicts, keys: self.keys })?;
            } else {
                if body.others.len() <= MOST_NAMES {
                    body.others.push(json::cut(name).to_owned());
                }
                if is(retry_after) {
                    body.retry_after = json::next(&mut members, Seconds)?;
                } else {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(body)
    }
}

/// Reads a number of seconds, of at most a day.
struct Seconds;

impl Reader<'_> for Seconds {
    type Value = Option<Duration>;

    fn number(self, number: fmt::Arguments<'_>) -> Option<Duration> {
        let seconds: f64 = number.to_string().parse().ok()?;
        Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64())).ok()
    }
}

/// The keys that a write found changed.
#[derive(Default)]
struct Conflicts {
    named: Vec<Conflict>,
    unasked: usize,
}

struct OnKeys<'a> {
    names: &'a ConflictMembers,
    keys: &'a HashSet<String>,
}

impl<'de> Reader<'de> for OnKeys<'_> {
    type Value = Conflicts;

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Conflicts, A::Error> {
        let (mut conflicts, mut seen) = (Conflicts::default(), HashSet::new());
        while let Some(found) = json::next_item(&mut items, OnKey { names: self.names, keys: self.keys })? {
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

/// One conflict: its key and versions, and nothing else that may stand beside them.
#[derive(Default)]
enum Found<'a> {
    Asked(&'a str, [Option<String>; 2]),
    Unasked,
    #[default]
    Nothing,
}

struct OnKey<'a> {
    names: &'a ConflictMembers,
    keys: &'a HashSet<String>,
}

impl<'de, 'a> Reader<'de> for OnKey<'a> {
    type Value = Found<'a>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Found<'a>, A::Error> {
        let (mut found, mut versions) = (Found::Nothing, [None, None]);
        while let Some(Name(name)) = members.next_key()? {
            let name = name.as_ref();
            if name == self.names.key {
                found = json::next(&mut members, Key(self.keys))?;
            } else if name == self.names.expected {
                versions[0] = json::next(&mut members, Scalar)?.filter(is_version);
            } else if name == self.names.actual {
                versions[1] = json::next(&mut members, Scalar)?.filter(is_version);
            } else {
                members.next_value::<IgnoredAny>()?;
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
