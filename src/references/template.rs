//! A text taken apart: its references, and the plain text around them.

use std::marker::PhantomData;
use std::ops::Range;

use super::reference::{Flaw, Refer, Reference, begins_a_reference, shown};

/// More than anybody would read at once.
const MOST_MALFORMED: usize = 100;

/// A text taken apart. Ranges are of the text that was given.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Text(Range<usize>),
    Reference(Reference, Position),
}

/// The beginning of something: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Something that was meant as a reference.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) at: Position,
    /// The text of the flaw, which quotes nothing.
    text: String,
    /// The same for the caller's own texts.
    told: String,
    /// The text there, when that may be shown.
    shown: Option<String>,
}

impl Malformed {
    fn new<S: Refer>(flaw: Flaw, at: Position, written: &str) -> Self {
        let shown = shown::<S>(written);
        Self { at, text: flaw.text::<S>(), told: flaw.text_of::<S>(shown.as_deref()), shown }
    }

    /// For texts that the caller wrote, at a place that has this name.
    pub(crate) fn with_text(&self, place: &str) -> String {
        match &self.shown {
            Some(text) => format!("{text:?} ({place}): {}", self.told),
            None => format!("({place}): {}", self.told),
        }
    }

    /// For secrets' values, of which nothing may be shown.
    pub(crate) fn without_text(&self) -> String {
        self.text.clone()
    }
}

impl Template {
    /// A text of the caller's: one reference, or any text with references in it.
    pub(crate) fn of_text<S: Refer>(text: &str) -> Result<Self, Vec<Malformed>> {
        match whole::<S>(text) {
            Some(reference) => Self::of_whole::<S>(text, reference),
            None => scan::<S>(text),
        }
    }

    /// A value: one that mentions no reference means itself, whatever braces and backslashes are in it.
    pub(crate) fn of_value<S: Refer>(value: &str) -> Result<Self, Vec<Malformed>> {
        match whole::<S>(value) {
            Some(reference) => Self::of_whole::<S>(value, reference),
            None if mentions_reference::<S>(value) => scan::<S>(value),
            None => Ok(Self::verbatim(value)),
        }
    }

    pub(crate) fn verbatim(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(0..text.len())] }
    }

    fn of_whole<S: Refer>(text: &str, reference: &str) -> Result<Self, Vec<Malformed>> {
        let mut cursor = Cursor::new(text);
        let at = cursor.position(text.len() - text.trim_start().len());
        match Reference::parse::<S>(reference) {
            Ok(reference) => Ok(Self { pieces: vec![Piece::Reference(reference, at)] }),
            Err(flaw) => Err(vec![Malformed::new::<S>(flaw, at, reference)]),
        }
    }
}

/// The reference that a text is nothing but.
fn whole<S: Refer>(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let is_one = trimmed.starts_with(S::SCHEME)
        && !trimmed.contains(|letter: char| letter.is_whitespace() || "{}".contains(letter));
    is_one.then_some(trimmed)
}

/// Tells whether a value refers to another, well or badly. Most values have no scheme at all, which is told sooner.
pub(crate) fn refers<S: Refer>(value: &str) -> bool {
    memchr::memchr(b':', value.as_bytes()).is_some() && has_reference::<S>(value)
}

fn has_reference<S: Refer>(value: &str) -> bool {
    whole::<S>(value).is_some() || mentions_reference::<S>(value)
}

fn mentions_reference<S: Refer>(text: &str) -> bool {
    text.match_indices(S::SCHEME).any(|(at, _)| text.get(..at).is_some_and(|before| before.trim_end().ends_with("{{")))
}

fn scan<S: Refer>(text: &str) -> Result<Template, Vec<Malformed>> {
    let mut scanner = Scanner::<S> {
        text,
        cursor: Cursor::new(text),
        plain: 0,
        pieces: Vec::new(),
        malformed: Vec::new(),
        service: PhantomData,
    };
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find("{{")).map(|found| from + found) {
        match scanner.at(open) {
            Some(next) if scanner.malformed.len() < MOST_MALFORMED => from = next,
            _ => break,
        }
    }
    scanner.push_plain(text.len());
    if scanner.malformed.is_empty() { Ok(Template { pieces: scanner.pieces }) } else { Err(scanner.malformed) }
}

struct Scanner<'t, S> {
    text: &'t str,
    cursor: Cursor<'t>,
    /// The beginning of the plain text that is not in a piece yet.
    plain: usize,
    pieces: Vec<Piece>,
    malformed: Vec<Malformed>,
    service: PhantomData<fn() -> S>,
}

impl<S: Refer> Scanner<'_, S> {
    /// Looks at the `{{` at `open`. Gives where to look for the next, or `None` when there can be none.
    fn at(&mut self, open: usize) -> Option<usize> {
        match self.backslashes_before(open) {
            0 => {}
            1 => {
                // `\{{`: the backslash goes, the braces stay
                self.push_plain(open - 1);
                self.plain = open;
                return Some(open + 2);
            }
            _ => {
                // `\\{{`: one backslash stays, and the braces mean what they mean
                self.push_plain(open - 1);
                self.plain = open;
            }
        }
        let inner = self.text.get(open + 2..)?.trim_start();
        // in capitals it is a mistake, and not some other language's: to let it through would put it where a secret should be
        if !begins_a_reference::<S>(inner) {
            return Some(open + 1);
        }
        let at = self.cursor.position(open);
        let Some(length) = inner.find("}}") else {
            self.malformed.push(Malformed::new::<S>(Flaw::Unclosed, at, inner));
            return None;
        };
        let reference = inner.get(..length)?.trim_end();
        self.push_plain(open);
        match Reference::parse::<S>(reference) {
            Ok(reference) => self.pieces.push(Piece::Reference(reference, at)),
            Err(flaw) => self.malformed.push(Malformed::new::<S>(flaw, at, reference)),
        }
        self.plain = self.text.len() - inner.len() + length + 2;
        Some(self.plain)
    }

    /// 0, 1 or 2: more do not matter.
    fn backslashes_before(&self, open: usize) -> usize {
        let before = self.text.get(self.plain..open).unwrap_or_default();
        before.bytes().rev().take(2).take_while(|byte| *byte == b'\\').count()
    }

    fn push_plain(&mut self, end: usize) {
        if self.plain < end {
            self.pieces.push(Piece::Text(self.plain..end));
        }
    }
}

/// Counts lines and columns on the way through a text, so that all positions together take one pass.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    position: Position,
}

impl<'t> Cursor<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, position: Position { line: 1, column: 1 } }
    }

    /// The position of a byte that is not before the last one asked for.
    fn position(&mut self, byte: usize) -> Position {
        for letter in self.text.get(self.at..byte).unwrap_or_default().chars() {
            if letter == '\n' {
                self.position = Position { line: self.position.line + 1, column: 1 };
            } else {
                self.position.column += 1;
            }
        }
        self.at = byte;
        self.position
    }
}
