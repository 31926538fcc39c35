//! Sorted pairs of names and values: three blocks of memory for a whole snapshot.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::iter::{FusedIterator, Zip};
use std::slice::Iter;
#[cfg(feature = "http")]
use std::sync::Arc;

use super::value::SecretValue;
use super::wiped::WipedText;

/// Names and values in order of the names, each name once. When one came twice, the last value counts.
///
/// Names and values that came in one text stay in it. A name stands before its value there, always at the same distance, so that
/// its length is all that is kept of it: 17 bytes a pair in all. A name of 255 bytes or more has a text of its own.
#[derive(Default)]
pub(crate) struct SortedPairs {
    values: Vec<SecretValue>,
    /// The lengths of the names, in the order of the values, or [`ALL_BEFORE`].
    names: Vec<u8>,
    gap: Gap,
}

/// So many bytes lie between the end of a name and its value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Gap(u32);

/// In the place of a name's length: the name is all that stands before the value, in a text that is theirs alone.
const ALL_BEFORE: u8 = u8::MAX;

impl Gap {
    /// The name of a value.
    fn name(self, value: &SecretValue, len: u8) -> &str {
        if len == ALL_BEFORE { value.all_before() } else { value.before(self.0, u32::from(len)) }
    }
}

impl SortedPairs {
    /// Puts what has been pushed in order.
    fn sort(&mut self) {
        let (values, names, gap) = (&self.values, &self.names, self.gap);
        let name = |at: usize| pair(values, names, gap, at).map_or("", |(name, _)| name);
        if (1..values.len()).all(|at| name(at - 1) < name(at)) {
            return;
        }
        // more pairs than that take more memory than there is
        let mut order: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
        // by their places too, so that the last of a name stays the last
        order.sort_unstable_by(|one, other| name(*one as usize).cmp(name(*other as usize)).then(one.cmp(other)));
        self.rearrange(&mut order);
        let mut before = (1..self.len()).map(|at| self.name(at - 1) == self.name(at)).collect::<Vec<_>>().into_iter();
        self.retain(|_, _, _| !before.next().unwrap_or(false));
    }

    /// Moves to each place the pair that `order` tells, without other memory.
    fn rearrange(&mut self, order: &mut [u32]) {
        for start in 0..order.len() {
            let mut at = start;
            while let Some(from) = order.get_mut(at) {
                let from = std::mem::replace(from, at as u32) as usize;
                if from == start || from == at {
                    break;
                }
                self.values.swap(at, from);
                self.names.swap(at, from);
                at = from;
            }
        }
    }

    /// Keeps the pairs that `keep` accepts, in their order. It may change them.
    fn retain(&mut self, mut keep: impl FnMut(Gap, &mut SecretValue, &mut u8) -> bool) {
        let mut kept = 0;
        for at in 0..self.values.len() {
            let (Some(value), Some(name)) = (self.values.get_mut(at), self.names.get_mut(at)) else { break };
            if keep(self.gap, value, name) {
                if kept < at {
                    self.values.swap(kept, at);
                    self.names.swap(kept, at);
                }
                kept += 1;
            }
        }
        self.values.truncate(kept);
        self.names.truncate(kept);
    }

    /// Adds a pair in a text of its own, behind the others.
    fn push_own(&mut self, name: &str, value: &str) {
        // a name of 4 GiB is no name
        if let Some(value) = SecretValue::named(name, value) {
            self.values.push(value);
            self.names.push(ALL_BEFORE);
        }
    }

    /// The pairs, copied into one text of their size.
    pub(crate) fn packed<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> Self {
        let is_short = |name: &str| name.len() < usize::from(ALL_BEFORE);
        let (mut count, mut size) = (0, 0);
        for (name, value) in pairs.clone() {
            count += 1;
            size += if is_short(name) { name.len() + value.len() } else { 0 };
        }
        let fits = u32::try_from(size).is_ok_and(|size| size < u32::MAX);
        let mut text = String::with_capacity(if fits { size } else { 0 });
        if fits {
            pairs.clone().filter(|(name, _)| is_short(name)).for_each(|(name, value)| {
                text.push_str(name);
                text.push_str(value);
            });
        }
        let text = std::sync::Arc::new(WipedText::new(text));
        let mut packed =
            Self { values: Vec::with_capacity(count), names: Vec::with_capacity(count), gap: Gap::default() };
        let mut at = 0;
        for (name, value) in pairs {
            match u8::try_from(name.len()) {
                Ok(len) if fits && len < ALL_BEFORE => {
                    at += name.len();
                    packed.values.push(SecretValue::at(&text, at, value.len()));
                    packed.names.push(len);
                    at += value.len();
                }
                _ => packed.push_own(name, value),
            }
        }
        packed.sort();
        packed
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The name at a place; empty behind the last.
    fn name(&self, at: usize) -> &str {
        pair(&self.values, &self.names, self.gap, at).map_or("", |(name, _)| name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&SecretValue> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return self.values.get(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.iter().map(|(name, _)| name)
    }

    pub(crate) fn iter(&self) -> SecretsIter<'_> {
        SecretsIter { pairs: self.values.iter().zip(&self.names), gap: self.gap }
    }

    /// At most `limit` pairs behind the first `offset`.
    pub(super) fn range(&self, offset: usize, limit: usize) -> SecretsIter<'_> {
        let end = self.len().min(offset.saturating_add(limit));
        let values = self.values.get(offset..end).unwrap_or_default();
        let names = self.names.get(offset..end).unwrap_or_default();
        SecretsIter { pairs: values.iter().zip(names), gap: self.gap }
    }

    /// The pairs whose names `keep` accepts. They share the memory of these.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.values.iter().zip(&self.names).filter(|(value, len)| keep(self.gap.name(value, **len)));
        let (values, names) = kept.map(|(value, len)| (value.shared(), *len)).unzip();
        Self { values, names, gap: self.gap }
    }

    /// Asks `read` what each value stands for: itself (`None`), another value, or, for a reason, no value. The names of the last
    /// are taken out and returned in order.
    #[cfg(feature = "http")]
    pub(crate) fn read_each<R>(
        &mut self,
        mut read: impl FnMut(&SecretValue) -> Result<Option<SecretValue>, R>,
    ) -> Vec<(String, R)> {
        let mut refused = Vec::new();
        self.retain(|gap, value, len| match read(value) {
            Ok(None) => true,
            Ok(Some(other)) => {
                let other = SecretValue::named(gap.name(value, *len), other.expose());
                other.is_some_and(|other| {
                    (*value, *len) = (other, ALL_BEFORE);
                    true
                })
            }
            Err(reason) => {
                refused.push((gap.name(value, *len).to_owned(), reason));
                false
            }
        });
        refused
    }
}

fn pair<'p>(values: &'p [SecretValue], names: &[u8], gap: Gap, at: usize) -> Option<(&'p str, &'p SecretValue)> {
    let value = values.get(at)?;
    Some((gap.name(value, *names.get(at)?), value))
}

/// The pairs of a text, as they are met in it.
#[cfg(feature = "http")]
pub(crate) struct PairsBuilder {
    text: Arc<WipedText>,
    pairs: SortedPairs,
    /// Names without a value, and how many pairs came before.
    absent: Vec<(String, usize)>,
}

/// A name that was met: a part of the text, or one that is not in it.
#[cfg(feature = "http")]
pub(crate) enum MetName {
    Part { start: u32, len: u8 },
    Own(String),
}

#[cfg(feature = "http")]
impl PairsBuilder {
    /// So much of a text is kept whatever it is.
    const SMALL: usize = 1024;

    /// No pairs yet, with room for `expected`.
    pub(crate) fn new(text: &Arc<WipedText>, expected: usize) -> Self {
        let (values, names) = (Vec::with_capacity(expected), Vec::with_capacity(expected));
        Self { text: Arc::clone(text), pairs: SortedPairs { values, names, gap: Gap::default() }, absent: Vec::new() }
    }

    /// A name, which stays where it is when it is a part of the text, and is copied when not.
    pub(crate) fn name(&self, name: &str) -> MetName {
        match (self.text.position(name), u8::try_from(name.len())) {
            (Some((start, _)), Ok(len)) if len != ALL_BEFORE => MetName::Part { start, len },
            _ => MetName::Own(name.to_owned()),
        }
    }

    /// A value, which stays where it is when it is a part of the text.
    pub(crate) fn value(&self, value: &str) -> SecretValue {
        SecretValue::part_of(&self.text, value)
    }

    /// Adds a name with its value, or one that has none.
    pub(crate) fn push(&mut self, name: MetName, value: Option<SecretValue>) {
        match (name, value) {
            (MetName::Part { start, len }, Some(value)) => {
                let gap = value.distance(&self.text, start.saturating_add(u32::from(len))).map(Gap);
                if self.pairs.is_empty() {
                    self.pairs.gap = gap.unwrap_or_default();
                }
                if gap == Some(self.pairs.gap) {
                    self.pairs.values.push(value);
                    self.pairs.names.push(len);
                } else {
                    self.pairs.push_own(self.text.part(start, u32::from(len)), value.expose());
                }
            }
            (MetName::Own(name), Some(value)) => self.pairs.push_own(&name, value.expose()),
            (MetName::Part { start, len }, None) => {
                self.absent.push((self.text.part(start, u32::from(len)).to_owned(), self.pairs.len()));
            }
            (MetName::Own(name), None) => self.absent.push((name, self.pairs.len())),
        }
    }

    /// The pairs in order, and the names without a value. Of a name that came twice the last counts.
    pub(crate) fn finish(self) -> (SortedPairs, Vec<String>) {
        let Self { text, mut pairs, absent } = self;
        let mut without_value = Vec::new();
        if !absent.is_empty() {
            let last: HashMap<&str, usize> = absent.iter().map(|(name, before)| (name.as_str(), *before)).collect();
            let mut place = 0;
            pairs.retain(|gap, value, len| {
                place += 1;
                last.get(gap.name(value, *len)).is_none_or(|before| place > *before)
            });
            let valued: HashSet<&str> = pairs.names().collect();
            without_value = last.into_keys().filter(|name| !valued.contains(name)).map(str::to_owned).collect();
        }
        pairs.values.shrink_to_fit();
        pairs.names.shrink_to_fit();
        pairs.sort();
        // a snapshot does not keep an answer that is much larger than what it says
        let in_text = pairs.iter().filter(|(_, value)| value.distance(&text, 0).is_some());
        let used: usize = in_text.map(|(name, value)| name.len() + value.len()).sum();
        if text.capacity() > used + used / 2 + Self::SMALL {
            pairs = SortedPairs::packed(pairs.iter().map(|(name, value)| (name, value.expose())));
        }
        (pairs, without_value)
    }
}

/// Shares the memory of names and values.
impl Clone for SortedPairs {
    fn clone(&self) -> Self {
        self.only(|_| true)
    }
}

impl FromIterator<(String, SecretValue)> for SortedPairs {
    fn from_iter<I: IntoIterator<Item = (String, SecretValue)>>(from: I) -> Self {
        let pairs: Vec<_> = from.into_iter().collect();
        Self::packed(pairs.iter().map(|(name, value)| (name.as_str(), value.expose())))
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
    pairs: Zip<Iter<'s, SecretValue>, Iter<'s, u8>>,
    gap: Gap,
}

impl<'s> Iterator for SecretsIter<'s> {
    type Item = (&'s str, &'s SecretValue);

    fn next(&mut self) -> Option<Self::Item> {
        self.pairs.next().map(|(value, len)| (self.gap.name(value, *len), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.pairs.size_hint()
    }
}

impl DoubleEndedIterator for SecretsIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.pairs.next_back().map(|(value, len)| (self.gap.name(value, *len), value))
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
    fn a_pair_takes_17_bytes_beside_its_text() {
        assert_eq!(size_of::<SecretValue>() + size_of::<u8>(), 17);
    }

    #[test]
    fn pairs_in_any_order_are_put_in_order_and_the_last_of_a_name_counts() {
        for step in [1, 7, 61, 99] {
            let name = |number: usize| format!("NAME_{:03}", number * step % 100 % 70);
            let pairs: SortedPairs = (0..100).map(|number| (name(number), number.to_string().into())).collect();
            let expected: std::collections::BTreeMap<_, _> =
                (0..100).map(|number| (name(number), number.to_string())).collect();
            let expected: Vec<_> = expected.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(shown(&pairs), expected);
            assert_eq!(shown(&SortedPairs::packed(shown(&pairs).into_iter().rev())), expected);
            assert!(expected.iter().all(|(name, value)| pairs.get(name).is_some_and(|found| found == value)));
        }
    }

    #[test]
    fn a_name_of_any_length_is_a_name() {
        for length in [0, 1, 254, 255, 256, 65_535, 65_536, 70_000] {
            let name = "N".repeat(length);
            let packed = SortedPairs::packed([("A", "one"), (&name, "two"), ("Z", "three")].into_iter());
            assert_eq!(packed.get(&name).map(SecretValue::expose), Some("two"), "{length}");
            assert_eq!((packed.len(), shown(&packed.only(|known| known == name))), (3, vec![(name.as_str(), "two")]));
            let text = format!("{name}={name}");
            let builder = built(&text, |text| vec![(&text[..length], Some(&text[length + 1..]))]);
            assert_eq!(shown(&builder.finish().0), [(name.as_str(), name.as_str())], "{length}");
        }
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
    fn pairs_stay_in_the_text_when_their_names_stand_as_far_before_them_as_the_first_and_others_are_copied() {
        let builder = built("A=one B=two C==six", |text| {
            vec![
                (&text[6..7], Some(&text[8..11])),
                (&text[..1], Some(&text[2..5])),
                (&text[12..13], Some(&text[15..])),
                ("D", Some("three")),
                (&text[..1], Some(&text[8..8])),
                ("E", Some(&text[8..11])),
            ]
        });
        let text = Arc::clone(&builder.text);
        let (pairs, without_value) = builder.finish();
        assert_eq!(shown(&pairs), [("A", ""), ("B", "two"), ("C", "six"), ("D", "three"), ("E", "two")]);
        assert!(without_value.is_empty());
        let in_text = |name| pairs.get(name).is_some_and(|value| value.distance(&text, 0).is_some());
        assert_eq!(["A", "B", "C", "D", "E"].map(in_text), [false, true, false, false, false]);
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
        assert_eq!(Arc::strong_count(&text), 1, "nothing is in it any more");
    }
}
