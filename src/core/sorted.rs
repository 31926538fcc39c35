//! Sorted pairs of names and values: three blocks of memory for a whole snapshot.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use super::value::SecretValue;
use super::wiped::WipedText;

/// Names and values in order of the names, each name once. When one came twice, the last value counts.
///
/// Names and values that came in one text stay in it, and an entry says where: there is no allocation for each.
#[derive(Default)]
pub(crate) struct SortedPairs {
    names: Names,
    entries: Vec<Entry>,
}

/// The memory that names are in: one text, or, for those that are not in it, a list.
#[derive(Default)]
struct Names {
    text: Option<Arc<WipedText>>,
    own: Vec<String>,
}

/// Where a name is: its start and length in the text, or its place in the list and [`OWN`].
#[derive(Clone, Copy)]
pub(crate) struct NameAt {
    start: u32,
    len: u32,
}

/// In the place of a length: the name is in the list. A part of a text is always shorter.
const OWN: u32 = u32::MAX;

struct Entry {
    name: NameAt,
    value: SecretValue,
}

impl Names {
    fn of(&self, at: NameAt) -> &str {
        match &self.text {
            Some(text) if at.len != OWN => text.part(at.start, at.len),
            _ => self.own.get(at.start as usize).map_or("", String::as_str),
        }
    }

    fn add(&mut self, name: String) -> NameAt {
        // four thousand million names take more memory than there is
        let start = u32::try_from(self.own.len()).unwrap_or(OWN);
        self.own.push(name);
        NameAt { start, len: OWN }
    }
}

impl SortedPairs {
    fn sorted(names: Names, mut entries: Vec<Entry>) -> Self {
        let name = |entry: &Entry| names.of(entry.name);
        if !entries.is_sorted_by(|one, other| name(one) < name(other)) {
            // stable, so that the last of a name stays the last
            entries.sort_by(|one, other| name(one).cmp(name(other)));
            entries.dedup_by(|later, earlier| {
                let is_repeated = name(later) == name(earlier);
                if is_repeated {
                    std::mem::swap(later, earlier);
                }
                is_repeated
            });
        }
        Self { names, entries }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&SecretValue> {
        let at = self.entries.binary_search_by(|entry| self.names.of(entry.name).cmp(name)).ok()?;
        self.entries.get(at).map(|entry| &entry.value)
    }

    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|entry| self.names.of(entry.name))
    }

    pub(crate) fn iter(&self) -> SecretsIter<'_> {
        SecretsIter { names: &self.names, entries: self.entries.iter() }
    }

    /// At most `limit` pairs behind the first `offset`.
    pub(super) fn range(&self, offset: usize, limit: usize) -> SecretsIter<'_> {
        let rest = self.entries.get(offset..).unwrap_or_default();
        SecretsIter { names: &self.names, entries: rest.get(..limit).unwrap_or(rest).iter() }
    }

    /// The pairs whose names `keep` accepts. They share the memory of their values with these.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut names = Names { text: self.names.text.clone(), own: Vec::new() };
        let mut entries = Vec::new();
        for entry in &self.entries {
            let name = self.names.of(entry.name);
            if keep(name) {
                let at = if entry.name.len == OWN { names.add(name.to_owned()) } else { entry.name };
                entries.push(Entry { name: at, value: entry.value.shared() });
            }
        }
        Self { names, entries }
    }

    /// Asks `read` what each value stands for: itself (`None`), another value, or, for a reason, no value. The names of the last
    /// are taken out and returned in order.
    #[cfg(feature = "http")]
    pub(crate) fn read_each<R>(
        &mut self,
        mut read: impl FnMut(&SecretValue) -> Result<Option<SecretValue>, R>,
    ) -> Vec<(String, R)> {
        let mut refused = Vec::new();
        self.entries.retain_mut(|entry| match read(&entry.value) {
            Ok(None) => true,
            Ok(Some(other)) => {
                entry.value = other;
                true
            }
            Err(reason) => {
                refused.push((self.names.of(entry.name).to_owned(), reason));
                false
            }
        });
        refused
    }

    /// Moves names and values to a text of their own when most of the one they are in is something else, so that a snapshot does
    /// not keep an answer that is much larger than what it says.
    #[cfg(feature = "http")]
    fn compact(&mut self) {
        let Some(text) = &self.names.text else { return };
        let is_name_there = |name: NameAt| name.len != OWN;
        let used: usize = self
            .entries
            .iter()
            .map(|entry| {
                let name = if is_name_there(entry.name) { entry.name.len as usize } else { 0 };
                let value = if entry.value.is_part_of(text) { entry.value.len() } else { 0 };
                name + value
            })
            .sum();
        if text.capacity() <= used + used / 2 + SMALL {
            return;
        }
        let mut packed = String::with_capacity(used);
        let mut add = |part: &str| {
            // no longer than the text before, whose positions have 32 bits
            let start = u32::try_from(packed.len()).unwrap_or(OWN);
            packed.push_str(part);
            start
        };
        let starts: Vec<(u32, u32)> = self
            .entries
            .iter()
            .map(|Entry { name, value }| {
                let name_start = if is_name_there(*name) { add(text.part(name.start, name.len)) } else { name.start };
                (name_start, if value.is_part_of(text) { add(value.expose()) } else { 0 })
            })
            .collect();
        let packed = Arc::new(WipedText::new(packed));
        for (entry, (name_start, value_start)) in self.entries.iter_mut().zip(starts) {
            entry.name.start = name_start;
            if entry.value.is_part_of(text) {
                entry.value.move_to(&packed, value_start);
            }
        }
        self.names.text = Some(packed);
    }
}

/// So much of an answer is kept whatever it is.
#[cfg(feature = "http")]
const SMALL: usize = 1024;

/// The pairs of a text, as they are met in it.
#[cfg(feature = "http")]
pub(crate) struct PairsBuilder {
    text: Arc<WipedText>,
    names: Names,
    entries: Vec<Entry>,
    /// Names without a value, and how many pairs came before.
    absent: Vec<(NameAt, usize)>,
}

#[cfg(feature = "http")]
impl PairsBuilder {
    /// No pairs yet, with room for `expected`.
    pub(crate) fn new(text: &Arc<WipedText>, expected: usize) -> Self {
        Self {
            text: Arc::clone(text),
            names: Names { text: Some(Arc::clone(text)), own: Vec::new() },
            entries: Vec::with_capacity(expected),
            absent: Vec::new(),
        }
    }

    /// A name, which stays where it is when it is a part of the text, and is copied when not.
    pub(crate) fn name(&mut self, name: &str) -> NameAt {
        match self.text.position(name) {
            Some((start, len)) if len != OWN => NameAt { start, len },
            _ => self.names.add(name.to_owned()),
        }
    }

    /// A value, which stays where it is when it is a part of the text.
    pub(crate) fn value(&self, value: &str) -> SecretValue {
        SecretValue::part_of(&self.text, value)
    }

    /// Adds a name with its value, or one that has none.
    pub(crate) fn push(&mut self, name: NameAt, value: Option<SecretValue>) {
        match value {
            Some(value) => self.entries.push(Entry { name, value }),
            None => self.absent.push((name, self.entries.len())),
        }
    }

    /// The pairs in order, and the names without a value. Of a name that came twice the last counts.
    pub(crate) fn finish(self) -> (SortedPairs, Vec<String>) {
        let Self { names, mut entries, absent, .. } = self;
        let mut without_value = Vec::new();
        if !absent.is_empty() {
            let last: std::collections::HashMap<&str, usize> =
                absent.iter().map(|(name, before)| (names.of(*name), *before)).collect();
            let mut index = 0;
            entries.retain(|entry| {
                index += 1;
                last.get(names.of(entry.name)).is_none_or(|before| index > *before)
            });
            let valued: std::collections::HashSet<&str> = entries.iter().map(|entry| names.of(entry.name)).collect();
            without_value = last.into_keys().filter(|name| !valued.contains(name)).map(str::to_owned).collect();
        }
        entries.shrink_to_fit();
        let mut pairs = SortedPairs::sorted(names, entries);
        pairs.compact();
        (pairs, without_value)
    }
}

/// Shares the memory of the values.
impl Clone for SortedPairs {
    fn clone(&self) -> Self {
        self.only(|_| true)
    }
}

impl FromIterator<(String, SecretValue)> for SortedPairs {
    fn from_iter<I: IntoIterator<Item = (String, SecretValue)>>(pairs: I) -> Self {
        let mut names = Names::default();
        let entries = pairs.into_iter().map(|(name, value)| Entry { name: names.add(name), value }).collect();
        Self::sorted(names, entries)
    }
}

impl fmt::Debug for SortedPairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.iter(), f)
    }
}

/// Names and values of a snapshot, in order of the names; from `&secrets` in a `for` loop.
#[derive(Clone)]
#[must_use = "an iterator gives nothing before it is asked"]
pub struct SecretsIter<'s> {
    names: &'s Names,
    entries: std::slice::Iter<'s, Entry>,
}

impl<'s> SecretsIter<'s> {
    fn pair(names: &'s Names, entry: &'s Entry) -> (&'s str, &'s SecretValue) {
        (names.of(entry.name), &entry.value)
    }
}

impl<'s> Iterator for SecretsIter<'s> {
    type Item = (&'s str, &'s SecretValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|entry| Self::pair(self.names, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl DoubleEndedIterator for SecretsIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|entry| Self::pair(self.names, entry))
    }
}

impl ExactSizeIterator for SecretsIter<'_> {}

impl FusedIterator for SecretsIter<'_> {}

impl fmt::Debug for SecretsIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &SortedPairs) -> Vec<(&str, &str)> {
        pairs.iter().map(|(name, value)| (name, value.expose())).collect()
    }

    #[test]
    fn names_come_in_order_and_once_with_their_last_value() {
        let pairs = [("B", "1"), ("A", "2"), ("B", "3"), ("C", "4"), ("B", "5")];
        let sorted: SortedPairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        assert_eq!(shown(&sorted), [("A", "2"), ("B", "5"), ("C", "4")]);
        assert_eq!(sorted.get("B").map(SecretValue::expose), Some("5"));
        assert!(sorted.get("D").is_none());
        assert_eq!(shown(&sorted.only(|name| name != "B")), [("A", "2"), ("C", "4")]);
    }

    #[test]
    fn an_entry_is_as_small_as_two_positions_and_an_address() {
        assert_eq!(size_of::<Entry>(), 24);
    }

    #[cfg(feature = "http")]
    fn built(text: &str, pairs: impl Fn(&str) -> Vec<(&str, Option<&str>)>) -> PairsBuilder {
        let text = Arc::new(WipedText::new(text.to_owned()));
        let mut builder = PairsBuilder::new(&text, 0);
        for (name, value) in pairs(text.as_str()) {
            let (name, value) = (builder.name(name), value.map(|value| builder.value(value)));
            builder.push(name, value);
        }
        builder
    }

    #[cfg(feature = "http")]
    #[test]
    fn parts_of_the_text_stay_in_it_and_others_are_copied() {
        let builder = built("A=one B=two", |text| {
            vec![(&text[6..7], Some(&text[8..])), (&text[..1], Some(&text[2..5])), ("C", Some("three"))]
        });
        let text = Arc::clone(&builder.text);
        let (pairs, without_value) = builder.finish();
        assert_eq!(shown(&pairs), [("A", "one"), ("B", "two"), ("C", "three")]);
        assert!(without_value.is_empty());
        let at = |name| pairs.get(name).map(|value| value.is_part_of(&text));
        assert_eq!((at("A"), at("B"), at("C")), (Some(true), Some(true), Some(false)));
    }

    #[cfg(feature = "http")]
    #[test]
    fn of_a_name_with_and_without_a_value_the_last_counts() {
        let builder = built("", |_| {
            vec![
                ("A", Some("1")),
                ("B", None),
                ("A", None),
                ("B", Some("2")),
                ("C", None),
                ("C", None),
                ("D", Some("3")),
            ]
        });
        let (pairs, mut without_value) = builder.finish();
        without_value.sort();
        assert_eq!(shown(&pairs), [("B", "2"), ("D", "3")]);
        assert_eq!(without_value, ["A", "C"]);
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_text_that_is_mostly_something_else_is_not_kept() {
        let filler = format!("A=one B=two{}", " ".repeat(10_000));
        let builder = built(&filler, |text| {
            vec![(&text[6..7], Some(&text[8..11])), (&text[..1], Some(&text[2..5])), ("C", Some("three"))]
        });
        let text = Arc::clone(&builder.text);
        let (pairs, _) = builder.finish();
        assert_eq!(shown(&pairs), [("A", "one"), ("B", "two"), ("C", "three")]);
        assert!(pairs.iter().all(|(_, value)| !value.is_part_of(&text)));
        assert_eq!(pairs.names.text.as_ref().map(|text| text.capacity()), Some("AoneBtwo".len()));
    }
}
