//! The source of secrets: what a secrets manager does for the engine, and the keys that tell scopes apart.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "watch")]
use super::watch::{Listener, Listening};
use crate::core::layers::LayerMap;
use crate::core::{
    Identity, Quota, ScopeDescription, SecretValue, SnapshotSource, SortedPairs, Unreadable, XtraError, shown_name,
};

/// A place that secrets come from. [`Client`](crate::Client) adds the cache, single flight, injection and the rest.
///
/// Each service of this crate is one; a program can bring its own and read it with
/// [`Client::read`](crate::Client::read).
///
/// ```
/// use xtrasecurity::{Client, SecretSource, XtraError, source::{Identity, KeyWriter, Loaded}};
///
/// /// Secrets by team, from wherever this program keeps them.
/// struct Teams;
///
/// impl SecretSource for Teams {
///     type Scope<'a> = &'a str;
///
///     fn name(&self) -> &'static str {
///         "teams"
///     }
///
///     fn identity(&self) -> Identity {
///         Identity::of("this program")
///     }
///
///     fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) {
///         key.field(scope);
///     }
///
///     type Owned = String;
///
///     fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> {
///         Ok((*scope).to_owned())
///     }
///
///     async fn load(&self, team: &String) -> Result<Loaded, XtraError> {
///         Ok(Loaded::from_iter([("TEAM", team.as_str())]))
///     }
/// }
///
/// # fn main() -> Result<(), XtraError> {
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let client = Client::new_with_source(Teams);
/// let secrets = client.read("payments").await?;
/// assert_eq!(secrets.require("TEAM")?.expose(), "payments");
/// # Ok(())
/// # })
/// # }
/// ```
pub trait SecretSource: Send + Sync + 'static {
    /// What tells one set of secrets from another, borrowed from the caller: a cached read must not have to copy it.
    type Scope<'a>: Send + Sync + Unpin;

    /// The same, checked and owned, to fetch it with.
    type Owned: Send + Sync + 'static;

    /// The service's name, for errors and events.
    fn name(&self) -> &'static str;

    /// The base URL, when there can be more than one. Part of the cache key; never printed.
    fn base_url(&self) -> &str {
        ""
    }

    /// The scope's name as callers know it: errors name it, and [`Preloaded::get`](crate::request::Preloaded::get) finds it by
    /// that. Default: none, so that errors do not tell which scope it was.
    fn scope_name<'s>(&self, _scope: &'s Self::Scope<'_>) -> Cow<'s, str> {
        Cow::Borrowed("")
    }

    /// The scope as messages show it. What was passed by mistake may be a token or a value, so the default shows a
    /// [name](Self::scope_name) of up to 32 characters only, none that [looks like a token](Self::looks_like_a_token), and nothing
    /// without a name.
    fn show_scope(&self, scope: &Self::Scope<'_>) -> String {
        match self.scope_name(scope) {
            name if name.is_empty() => String::new(),
            name => shown_name(&name, Self::looks_like_a_token),
        }
    }

    /// The scope in words, for errors about secrets that it does not hold. Default: they say `this snapshot`.
    fn describe(&self, _scope: &Self::Owned) -> Option<ScopeDescription> {
        None
    }

    /// Whether a text begins as the service's tokens do. Such a text is no name, and no error shows it. Default: none does.
    fn looks_like_a_token(_text: &str) -> bool {
        false
    }

    /// Whether a value refers to another secret, by its look: whoever gets it as it is stored is warned. Default: none does.
    fn is_reference(&self, _value: &str) -> bool {
        false
    }

    /// The method that reads a scope, as the users of this source's client know it: errors of reads name it. Default: `read`.
    fn read_method(&self) -> &'static str {
        "read"
    }

    /// The environment variable that holds the passphrase which opens values that clients have sealed, for advice to whoever
    /// meets one that cannot be opened. Default: there is none.
    fn passphrase_variable(&self) -> Option<&'static str> {
        None
    }

    /// How long a load may take, for those who wait for several: [`Client::preload`](crate::Client::preload). Default 30 s.
    fn call_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// Who is asking. Snapshots of one identity are never served to another.
    fn identity(&self) -> Identity;

    /// Writes every part of `scope` that the answer depends on.
    fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter);

    /// Checks `scope` and makes it independent of the caller. Called before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) or [`ErrorKind::Config`](crate::ErrorKind::Config), naming the
    /// part that cannot be used.
    fn prepare(&self, scope: &Self::Scope<'_>) -> Result<Self::Owned, XtraError>;

    /// Fetches the secrets. Must not block the thread; may be dropped at any await. The client adds neither a deadline nor
    /// retries: a source brings its own. A panic in it is an error of
    /// kind [`Server`](crate::ErrorKind::Server) for every caller that waits, and the next read asks again.
    ///
    /// # Errors
    ///
    /// Any kind. 401, 403 and 404 (by [`XtraError::status`]) count as the service's own refusals and also drop what the cache
    /// and the disk hold for the scope, unless the error says [otherwise](XtraError::with_foreign_refusal). What a [retry](XtraError::is_retryable) may mend leaves it.
    fn load(&self, scope: &Self::Owned) -> impl Future<Output = Result<Loaded, XtraError>> + Send;

    /// Fetches the secrets, unless they are those that came with this [validator](Loaded::with_validator): then `None`, and the
    /// snapshot that is there counts as fetched anew. For services that can tell without sending the secrets again. Default:
    /// fetches.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load).
    fn revalidate(
        &self,
        scope: &Self::Owned,
        validator: &str,
    ) -> impl Future<Output = Result<Option<Loaded>, XtraError>> + Send {
        let _ = validator;
        async { self.load(scope).await.map(Some) }
    }

    /// Listens for changes of `scope`, for services that tell of them by themselves: the future runs beside the polls of a
    /// [watch](crate::Client::watch), as one for all watchers of the scope on a runtime, and is dropped with the last of them. What
    /// it hears it says to `listener`, which has the scope read. When it ends, or panics, the scope is polled as without it.
    /// Default: the service tells nothing.
    ///
    /// ```
    /// use xtrasecurity::source::{Identity, KeyWriter, Listener, Listening, Loaded};
    /// use xtrasecurity::{SecretSource, XtraError};
    ///
    /// struct Files {
    ///     changes: tokio::sync::watch::Receiver<()>,
    /// }
    ///
    /// impl SecretSource for Files {
    /// #   type Scope<'a> = &'a str;
    /// #   type Owned = String;
    /// #   fn name(&self) -> &'static str { "files" }
    /// #   fn identity(&self) -> Identity { Identity::of("this program") }
    /// #   fn write_key(&self, scope: &Self::Scope<'_>, key: &mut KeyWriter) { key.field(scope) }
    /// #   fn prepare(&self, scope: &Self::Scope<'_>) -> Result<String, XtraError> { Ok((*scope).to_owned()) }
    /// #   async fn load(&self, _: &String) -> Result<Loaded, XtraError> { Ok(Loaded::from_iter([("A", "1")])) }
    ///     fn listen(&self, _scope: &String, listener: Listener) -> Option<Listening> {
    ///         let mut changes = self.changes.clone();
    ///         Some(Box::pin(async move {
    ///             listener.connected();
    ///             while changes.changed().await.is_ok() {
    ///                 listener.changed();
    ///             }
    ///         }))
    ///     }
    /// }
    /// ```
    #[cfg(feature = "watch")]
    fn listen(&self, _scope: &Self::Owned, _listener: Listener) -> Option<Listening> {
        None
    }

    /// Whether every runtime that this source is used on has tokio's time driver. Then values leave memory by a task as soon as
    /// they may not be served any more; otherwise the next load takes them out. Default: `false`, because a task that waits
    /// panics on a runtime without.
    fn has_timers(&self) -> bool {
        false
    }

    /// What the service has said is left of the requests that may be sent for `scope`. The time to live of snapshots is
    /// stretched by it. Default: nothing is known.
    fn quota(&self, _scope: &Self::Owned) -> Option<Quota> {
        None
    }

    /// The credential, when it stays the same for long: what is saved for the time without the service (feature `offline`) is
    /// encrypted under a key made from it. Default: there is none.
    fn lasting_token(&self) -> Option<SecretValue> {
        None
    }

    /// The requests sent so far, for [`Client::stats`](crate::Client::stats).
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// How many requests a source has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Those among them that repeated a failed one.
    pub retries: u64,
    /// What is left of the quota; of the one with the least, when there are several.
    pub quota_left: Option<u64>,
    /// Calls that waited, so as not to be refused for coming too fast.
    pub delayed: u64,
    /// Calls that failed without being sent, because they would have been refused.
    pub withheld: u64,
    /// Retries that were not made, because too many calls of the process were failing.
    pub retries_withheld: u64,
}

impl Traffic {
    /// These counts.
    #[must_use]
    pub fn new(requests: u64, retries: u64) -> Self {
        Self { requests, retries, ..Self::default() }
    }
}

/// What a source has fetched: the values that can be read, and the names of those that cannot.
#[derive(Clone)]
pub struct Loaded {
    pub(crate) values: SortedPairs,
    pub(crate) unreadable: Vec<Unreadable>,
    pub(crate) source: SnapshotSource,
    /// Why these may be no secrets at all.
    pub(crate) doubt: Option<XtraError>,
    /// What the service tells these by.
    pub(crate) validator: Option<Arc<str>>,
    /// How old the oldest of these was already when they were asked for.
    pub(crate) older: Duration,
    /// What these were put together of.
    pub(crate) layers: Option<Arc<LayerMap>>,
}

impl Loaded {
    /// What the service itself has answered.
    pub(crate) fn new(values: SortedPairs, unreadable: Vec<Unreadable>) -> Self {
        Self {
            values,
            unreadable,
            source: SnapshotSource::Service,
            doubt: None,
            validator: None,
            older: Duration::ZERO,
            layers: None,
        }
    }

    /// Says that these may be no secrets at all but, say, an error in their place: `error` tells why. They are not stored, and
    /// served only to a request that says [`allow_any_answer`](crate::Request::allow_any_answer); others fail with `error`.
    #[must_use]
    pub fn doubted(mut self, error: XtraError) -> Self {
        self.doubt = Some(error);
        self
    }

    /// Adds the names whose values did not come through.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: impl IntoIterator<Item = Unreadable>) -> Self {
        self.unreadable.extend(unreadable);
        self
    }

    /// Says what the service tells these secrets by, such as an entity tag: a load while they are kept is a
    /// [`revalidate`](SecretSource::revalidate). It is not printed.
    #[must_use]
    pub fn with_validator(mut self, validator: impl Into<Arc<str>>) -> Self {
        self.validator = Some(validator.into());
        self
    }

    /// Says where the values came from, when that is not the service itself.
    #[must_use]
    pub fn from_source(mut self, source: SnapshotSource) -> Self {
        self.source = source;
        self
    }
}

impl<N: Into<String>, V: Into<SecretValue>> FromIterator<(N, V)> for Loaded {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self::new(values, Vec::new())
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("values", &self.values).field("unreadable", &self.unreadable).finish()
    }
}

/// Bytes that a key holds before it moves to the heap: enough for a project id, an environment and a branch of some length.
const INLINE: usize = 160;

/// Collects the parts that tell one scope from another, without allocating for keys of ordinary length.
///
/// A [`SecretSource`](crate::SecretSource) writes each part of its scope as one [`field`](Self::field). Fields are prefixed
/// with their length, so `("a", "bc")` and `("ab", "c")` are different keys.
pub struct KeyWriter {
    inline: [u8; INLINE],
    used: usize,
    spilled: Vec<u8>,
    /// A weak hash of the short fields, made of the words that are copied: to read the key again right after writing it, a
    /// processor must wait for the writes.
    hash: u64,
}

impl KeyWriter {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { inline: [0; INLINE], used: 0, spilled: Vec::new(), hash: 0 }
    }

    /// Adds one part of the scope.
    #[inline]
    pub fn field(&mut self, text: &str) {
        match self.room_for_short_field(text.len()) {
            Some(room) => {
                let copied = copy_words(room, text.as_bytes(), |word| word);
                self.end_short_field(text.len(), copied);
            }
            None => self.long_field(text),
        }
    }

    /// Adds one part of the scope that the service compares without regard to case.
    #[inline]
    pub fn field_any_case(&mut self, text: &str) {
        if let Some(room) = self.room_for_short_field(text.len())
            && let copied = copy_words(room, text.as_bytes(), fold_ascii)
            && copied.bits & NOT_ASCII == 0
        {
            self.end_short_field(text.len(), copied);
        } else {
            self.long_field(&text.to_lowercase());
        }
    }

    /// Adds a part that was prepared.
    #[allow(dead_code, reason = "services call it, and there may be none")]
    #[inline]
    pub(crate) fn prepared(&mut self, field: &PreparedField) {
        match self.inline.get_mut(self.used..self.used + PREPARED) {
            Some(room) if field.used > 0 => {
                room.copy_from_slice(&field.bytes);
                self.used += field.used;
                self.hash = self.hash.rotate_left(23) ^ field.hash;
            }
            _ => self.field(&field.text),
        }
    }

    #[inline]
    fn end_short_field(&mut self, length: usize, copied: Copied) {
        self.used += 1 + length;
        self.hash = self.hash.rotate_left(23) ^ copied.sum;
    }

    /// A weak hash of the key: often another one for another key.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Where the bytes of a field go whose length is one byte, which is written; not counted as used yet.
    #[inline]
    fn room_for_short_field(&mut self, length: usize) -> Option<&mut [u8]> {
        let short = u8::try_from(length).ok().filter(|short| *short < u8::MAX)?;
        let (first, rest) = self.inline.get_mut(self.used..self.used + 1 + length)?.split_first_mut()?;
        *first = short;
        Some(rest)
    }

    /// A field of any length and at any place.
    #[cold]
    fn long_field(&mut self, text: &str) {
        self.start_field(text.len());
        self.push(text.as_bytes());
    }

    /// Ends the key in a way that no field does.
    pub(crate) fn mark(&mut self) {
        self.push(&[u8::MAX]);
    }

    /// Begins the key, with whose secrets they are and who asks.
    #[inline]
    pub(crate) fn start(&mut self, source: &Identity, caller: &Identity) {
        for (room, identity) in self.inline.as_chunks_mut().0.iter_mut().zip([source, caller]) {
            *room = *identity.as_bytes();
        }
        self.used = 2 * size_of::<Identity>();
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.spilled.is_empty() { self.inline.get(..self.used).unwrap_or_default() } else { &self.spilled }
    }

    /// One byte for a short field; a longer one is announced by a byte that no short one has.
    #[inline]
    fn start_field(&mut self, length: usize) {
        match u8::try_from(length) {
            Ok(short) if short < u8::MAX => self.push(&[short]),
            _ => {
                self.push(&[u8::MAX]);
                self.push(&(length as u64).to_le_bytes())
            }
        };
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let start = self.used;
        self.used += bytes.len();
        match self.inline.get_mut(start..self.used) {
            Some(room) => room.copy_from_slice(bytes),
            None => self.spill(start, bytes),
        }
    }

    #[cold]
    fn spill(&mut self, start: usize, bytes: &[u8]) {
        if self.spilled.is_empty() {
            self.spilled.extend_from_slice(self.inline.get(..start).unwrap_or_default());
        }
        self.spilled.extend_from_slice(bytes);
    }
}

/// One part of a scope that many keys have, such as a default: it is copied with no regard to its length.
#[allow(dead_code, reason = "services make it, and there may be none")]
pub(crate) struct PreparedField {
    text: String,
    bytes: [u8; PREPARED],
    /// How many of the bytes are the field's; none when they are too few for it.
    used: usize,
    hash: u64,
}

/// Bytes of a prepared field: enough for a project id.
#[allow(dead_code, reason = "services use it, and there may be none")]
const PREPARED: usize = 32;

impl PreparedField {
    #[allow(dead_code, reason = "services call it, and there may be none")]
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut writer = KeyWriter::new();
        writer.field(&text);
        let mut bytes = [0; PREPARED];
        let written = bytes.get_mut(..writer.used).map(|room| room.copy_from_slice(writer.as_slice()));
        Self { used: written.map_or(0, |()| writer.used), text, bytes, hash: writer.hash }
    }
}

/// The bits that no ASCII byte has.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

/// Eight bytes with their ASCII capitals made small, all at once. Only for bytes that are ASCII.
#[inline]
fn fold_ascii(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & !NOT_ASCII;
    let from_a = low + EACH * (0x80 - b'A' as u64);
    let after_z = low + EACH * (0x80 - b'Z' as u64 - 1);
    word | ((from_a & !after_z & NOT_ASCII) >> 2)
}

/// The words that were copied, put together.
#[derive(Clone, Copy, Default)]
struct Copied {
    /// The bits that any of them has, before they were changed.
    bits: u64,
    /// A sum of them as they were written.
    sum: u64,
}

impl Copied {
    #[inline]
    fn and(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, sum: self.sum.rotate_left(9).wrapping_add(other.sum) }
    }
}

/// Copies `bytes` into `room`, which is as long, through `map`. Names are short, so that a loop or a call of the C library's copy
/// would take longer than a few words, of which the last overlaps the one before.
#[inline]
fn copy_words(room: &mut [u8], bytes: &[u8], map: impl Fn(u64) -> u64) -> Copied {
    match bytes.len() {
        0..4 => room.iter_mut().zip(bytes).fold(Copied::default(), |copied, (to, from)| {
            let mapped = map(u64::from(*from));
            [*to, ..] = mapped.to_le_bytes();
            copied.and(Copied { bits: u64::from(*from), sum: mapped })
        }),
        4..8 => copy_halves(room, bytes, map),
        8..=16 => copy_ends(room, bytes, map),
        length => {
            // the first sixteen, those after them, and the last sixteen
            let mut copied = Copied::default();
            for start in (0..length - 16).step_by(16) {
                if let (Some(to), Some(from)) = (room.get_mut(start..start + 16), bytes.get(start..start + 16)) {
                    copied = copied.and(copy_ends(to, from, &map));
                }
            }
            if let (Some(to), Some(from)) = (room.last_chunk_mut::<16>(), bytes.last_chunk::<16>()) {
                copied = copied.and(copy_ends(to, from, map));
            }
            copied
        }
    }
}

/// Eight to sixteen bytes.
#[inline]
fn copy_ends(room: &mut [u8], bytes: &[u8], map: impl Fn(u64) -> u64) -> Copied {
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else { return Copied::default() };
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    let (new_first, new_last) = (map(first), map(last));
    if let Some(to) = room.first_chunk_mut() {
        *to = new_first.to_le_bytes();
    }
    if let Some(to) = room.last_chunk_mut() {
        *to = new_last.to_le_bytes();
    }
    Copied { bits: first, sum: new_first }.and(Copied { bits: last, sum: new_last })
}

/// Four to eight bytes, in one word.
#[inline]
fn copy_halves(room: &mut [u8], bytes: &[u8], map: impl Fn(u64) -> u64) -> Copied {
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else { return Copied::default() };
    let word = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    let mapped = map(word);
    if let Some(to) = room.first_chunk_mut() {
        *to = (mapped as u32).to_le_bytes();
    }
    if let Some(to) = room.last_chunk_mut() {
        *to = ((mapped >> 32) as u32).to_le_bytes();
    }
    Copied { bits: word, sum: mapped }
}

/// What a source writes here is its own affair, and the identity of the caller is in it.
impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyWriter(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &[&str]) -> Vec<u8> {
        let mut writer = KeyWriter::new();
        for field in fields {
            writer.field(field);
        }
        writer.as_slice().to_vec()
    }

    #[test]
    fn fields_cannot_run_into_each_other() {
        assert_ne!(key(&["a", "bc"]), key(&["ab", "c"]));
        assert_ne!(key(&["a", ""]), key(&["a"]));
    }

    #[test]
    fn fields_of_every_length_are_whole_and_folded_like_text() {
        let text = "Aa0-Zz9_[@{`PRODUCTION-environment.With/more~than\u{7f}a FEW bytes".repeat(5);
        for length in 0..=text.len() {
            let (mut plain, mut folded) = (KeyWriter::new(), KeyWriter::new());
            plain.field(&text[..length]);
            folded.field_any_case(&text[..length]);
            let start = if length < 255 { 1 } else { 9 };
            assert_eq!(plain.as_slice()[start..], text.as_bytes()[..length]);
            assert_eq!(folded.as_slice()[start..], text.to_ascii_lowercase().as_bytes()[..length]);
        }
        for byte in 0..128_u8 {
            assert_eq!(fold_ascii(u64::from(byte)), u64::from(byte.to_ascii_lowercase()));
        }
    }

    #[test]
    fn a_prepared_field_of_any_length_is_written_as_the_field_is() {
        let text = "665f1c2ab7c0de0012345678-and-more".repeat(10);
        for length in 0..=text.len() {
            let (mut written, mut copied) = (KeyWriter::new(), KeyWriter::new());
            for before in
                ["", "some", "of quite another length, so that the rest comes to the end of what a key holds inline"]
            {
                written.field(before);
                written.field(&text[..length]);
                copied.field(before);
                copied.prepared(&PreparedField::new(&text[..length]));
            }
            assert_eq!(copied.as_slice(), written.as_slice(), "{length}");
            assert_eq!(copied.hash(), written.hash(), "{length}");
        }
    }

    #[test]
    fn keys_that_differ_in_one_word_have_other_hashes() {
        let hash = |fields: &[&str]| {
            let mut writer = KeyWriter::new();
            fields.iter().for_each(|field| writer.field(field));
            writer.hash()
        };
        let names = ["main", "dev", "production", "staging", "abcdefgh", "ijklmnop", "665f1c2ab7c0de0012345678"];
        let pairs = names.iter().flat_map(|one| names.iter().map(move |other| [*one, *other]));
        let hashes: std::collections::HashSet<u64> = pairs.map(|pair| hash(&pair)).collect();
        assert_eq!(hashes.len(), names.len() * names.len());
    }

    #[test]
    fn long_fields_cannot_run_into_each_other_either() {
        for length in [254, 255, 256, 70_000] {
            let (long, longer) = ("x".repeat(length), "x".repeat(length + 1));
            assert_ne!(key(&[&long, "x"]), key(&[&longer, ""]), "{length}");
            assert_ne!(key(&[&long]), key(&[&longer]), "{length}");
        }
    }

    #[test]
    fn a_long_key_equals_the_same_key_written_in_other_steps() {
        let long = "x".repeat(150);
        let mut other = KeyWriter::new();
        other.field_any_case(&long.to_uppercase());
        other.field_any_case(&long);
        assert_eq!(key(&[&long, &long]), other.as_slice());
    }

    #[test]
    fn case_is_folded_only_where_asked() {
        let mut folded = KeyWriter::new();
        folded.field_any_case("PRODüction");
        assert_eq!(folded.as_slice(), key(&["prodüction"]));
        assert_ne!(key(&["Main"]), key(&["main"]));
        let mut folded = KeyWriter::new();
        folded.field_any_case("ABCDEFGH-IJKLMNOP_@[`{Z");
        assert_eq!(folded.as_slice(), key(&["abcdefgh-ijklmnop_@[`{z"]));
    }
}
