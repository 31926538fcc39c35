//! The patterns by what a look-up can tell of them, so that it compares a name with few.
//!
//! The compiler makes the index. It holds numbers and no pointers: nothing is left to do when a process starts, and a look-up
//! touches only the memory of its bucket.
#![allow(clippy::indexing_slicing, reason = "no other access to a place is const, and the compiler checks each")]

use super::{FAMILIES, Family};

/// Names without `*` by [`bucket`], and the others.
struct Index {
    /// The end of each bucket in `whole`, behind the end of the one before.
    ends: [u16; BUCKETS + 1],
    whole: [Entry; WHOLE],
    open: [Open; OPEN],
}

/// One pattern, by the place of its family and its own place in the names of that.
#[derive(Clone, Copy)]
struct Entry {
    list: u8,
    family: u8,
    start: u16,
    len: u8,
}

/// A pattern with a `*`.
#[derive(Clone, Copy)]
struct Open {
    entry: Entry,
    /// How many bytes are before the `*`.
    star: u8,
    /// What [`outer`] of a name must be where `mask` is set, which is not where the `*` is.
    outer: u16,
    mask: u16,
}

/// The bytes of a pattern among others.
#[derive(Clone, Copy)]
struct Word {
    list: usize,
    family: usize,
    start: usize,
    end: usize,
    star: Option<usize>,
}

const BUCKETS: usize = 512;
const WHOLE: usize = count(false);
const OPEN: usize = count(true);

static INDEX: Index = Index::new();

impl Index {
    const fn new() -> Self {
        let nothing = Entry { list: 0, family: 0, start: 0, len: 0 };
        let mut index = Self {
            ends: sizes(),
            whole: [nothing; WHOLE],
            open: [Open { entry: nothing, star: 0, outer: 0, mask: 0 }; OPEN],
        };
        let mut number = 0;
        while number < BUCKETS {
            index.ends[number + 1] += index.ends[number];
            number += 1;
        }
        // each bucket is filled from its start, which is the end of the one before
        let (mut filled, mut open, mut word) = (index.ends, 0, FIRST);
        while let Some(found) = next(word) {
            let names = FAMILIES[found.list][found.family].names.as_bytes();
            match found.star {
                Some(star) => {
                    let before = if star > found.start { 0xff00 } else { 0 };
                    let after = if star + 1 < found.end { 0x00ff } else { 0 };
                    let (star, mask) = ((star - found.start) as u8, before | after);
                    let outer = outer(names[found.start], names[found.end - 1]) & mask;
                    index.open[open] = Open { entry: found.entry(), star, outer, mask };
                    open += 1;
                }
                None => {
                    let place = &mut filled[bucket(names, found.start, found.end)];
                    index.whole[*place as usize] = found.entry();
                    *place += 1;
                }
            }
            word = found;
        }
        index
    }
}

/// Before the first pattern.
const FIRST: Word = Word { list: 0, family: 0, start: 0, end: 0, star: None };

impl Word {
    const fn entry(self) -> Entry {
        let Self { list, family, start, end, .. } = self;
        Entry { list: list as u8, family: family as u8, start: start as u16, len: (end - start) as u8 }
    }
}

/// The pattern behind one.
const fn next(Word { mut list, mut family, end, .. }: Word) -> Option<Word> {
    let mut start = end;
    while list < FAMILIES.len() {
        while family < FAMILIES[list].len() {
            let names = FAMILIES[list][family].names.as_bytes();
            while start < names.len() && names[start].is_ascii_whitespace() {
                start += 1;
            }
            let (mut end, mut star) = (start, None);
            while end < names.len() && !names[end].is_ascii_whitespace() {
                if names[end] == b'*' {
                    star = Some(end);
                }
                end += 1;
            }
            if start < end {
                return Some(Word { list, family, start, end, star });
            }
            (family, start) = (family + 1, 0);
        }
        (list, family) = (list + 1, 0);
    }
    None
}

const fn count(open: bool) -> usize {
    let (mut count, mut word) = (0, FIRST);
    while let Some(found) = next(word) {
        if found.star.is_some() == open {
            count += 1;
        }
        word = found;
    }
    count
}

/// The size of each bucket, one place behind its own.
const fn sizes() -> [u16; BUCKETS + 1] {
    let (mut sizes, mut word) = ([0; BUCKETS + 1], FIRST);
    while let Some(found) = next(word) {
        if found.star.is_none() {
            let names = FAMILIES[found.list][found.family].names.as_bytes();
            sizes[bucket(names, found.start, found.end) + 1] += 1;
        }
        word = found;
    }
    sizes
}

/// What tells a small letter from a capital one.
const CASE_BIT: u8 = 0x20;

/// The first byte of a name and its last one, in one case.
const fn outer(first: u8, last: u8) -> u16 {
    u16::from_be_bytes([first | CASE_BIT, last | CASE_BIT])
}

/// The bucket of the name that is there in a text, whatever its case.
const fn bucket(text: &[u8], start: usize, end: usize) -> usize {
    let len = end - start;
    if len == 0 {
        return 0;
    }
    let (middle, before_last) = (start + len / 2, if len < 3 { start } else { end - 3 });
    let mut sum = len * 31;
    sum += (text[start] | CASE_BIT) as usize * 7;
    sum += (text[middle] | CASE_BIT) as usize * 13;
    sum += (text[end - 1] | CASE_BIT) as usize * 57;
    sum += (text[before_last] | CASE_BIT) as usize * 5;
    sum % BUCKETS
}

impl Entry {
    fn family(self) -> Option<&'static Family> {
        FAMILIES.get(usize::from(self.list))?.get(usize::from(self.family))
    }

    fn pattern(self) -> Option<(&'static str, &'static Family)> {
        let (family, start) = (self.family()?, usize::from(self.start));
        Some((family.names.get(start..start + usize::from(self.len))?, family))
    }
}

/// The names without `*` that may be this one, in the order of the families.
pub(super) fn like(name: &str) -> impl Iterator<Item = (&'static str, &'static Family)> {
    let number = bucket(name.as_bytes(), 0, name.len());
    let end = |number: usize| INDEX.ends.get(number).map_or(0, |end| usize::from(*end));
    let entries = INDEX.whole.get(end(number)..end(number + 1)).unwrap_or_default();
    let len = name.len();
    entries.iter().filter(move |entry| usize::from(entry.len) == len).filter_map(|entry| entry.pattern())
}

/// The names with a `*` that may cover this one: what is before it, and what is behind it.
pub(super) fn around(name: &str) -> impl Iterator<Item = (&'static str, &'static str, &'static Family)> {
    let byte = |byte: Option<&u8>| byte.copied().unwrap_or_default();
    let ends = outer(byte(name.as_bytes().first()), byte(name.as_bytes().last()));
    INDEX.open.iter().filter(move |open| open.outer == ends & open.mask).filter_map(Open::parts)
}

impl Open {
    fn parts(&self) -> Option<(&'static str, &'static str, &'static Family)> {
        let (pattern, family) = self.entry.pattern()?;
        let (start, rest) = pattern.split_at_checked(usize::from(self.star))?;
        Some((start, rest.get(1..)?, family))
    }
}

/// Every name with a `*`.
#[cfg(test)]
pub(super) fn open() -> impl Iterator<Item = (&'static str, &'static str, &'static Family)> {
    INDEX.open.iter().filter_map(Open::parts)
}
