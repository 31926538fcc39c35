//! Secrets as the text of a `.env` file, read and written.
//!
//! [`Secrets::from_dotenv`] reads as node's `dotenv` does. It is code of this crate because the readers at hand expand `$NAME`
//! inside values, which turns a password that holds a `$` into another one, and nobody is told. For the same reason a line
//! that readers understand in different ways is refused: a wrong secret is worse than an error.
//!
//! [`Secrets::to_dotenv`] writes each value in the form that most readers share, and [`Secrets::dotenv_misreads`] tells which
//! secrets some [`Reader`] takes for others even so.

use std::collections::HashMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::core::{ErrorKind, SecretValue, Secrets, XtraError};

mod encrypted;
pub(crate) mod file;
#[cfg(test)]
mod tests;
mod write;

pub use encrypted::EncryptedBy;
#[cfg(feature = "typed")]
pub(crate) use write::Assignment;
pub use write::{Misread, Reader};

/// A `.env` text taken apart: its assignments, and everything that is wrong with it.
///
/// ```
/// use xtrasecurity::dotenv::Document;
///
/// let document = Document::parse("A=1\nexport B\nA='2'\n");
/// let lines: Vec<_> = document.flaws.iter().map(|flaw| flaw.line()).collect();
/// assert_eq!((document.entries[0].name.as_str(), lines), ("A", vec![2, 3]));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Document {
    /// The assignments that can be read, in order; of a name that comes twice, the first.
    pub entries: Vec<Entry>,
    /// What is wrong, in order, up to a hundred of it.
    pub flaws: Vec<Flaw>,
}

/// An assignment of a `.env` text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The value.
    pub value: SecretValue,
    /// The number of the line that it begins on; the first is 1.
    pub line: usize,
}

/// What is wrong with a line of a `.env` text. It quotes nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    line: usize,
    what: What,
}

impl Flaw {
    /// The number of the line; the first is 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// What is wrong there, without the number of the line.
    #[must_use]
    pub fn problem(&self) -> String {
        self.what.to_string()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    NoAssignment,
    Unclosed,
    AfterQuote,
    EscapedQuote,
    HashInValue,
    Repeated { first: usize },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAssignment => f.write_str(
                "it is no comment and no NAME=VALUE; names are made of letters (A to Z, a to z), digits, `_`, `.` and `-`, and a \
                 value of several lines must be in quotes",
            ),
            Self::Unclosed => f.write_str("the quote that opens here is not closed"),
            Self::AfterQuote => f.write_str(
                "there is text after the closing quote. A value that holds quotes must be in quotes of another kind",
            ),
            Self::EscapedQuote => f.write_str(
                "there is a backslash before a quote, which readers understand in different ways. Put the value into quotes \
                 of another kind, or into none",
            ),
            Self::HashInValue => f.write_str(
                "there is a `#` in a value without quotes, which some readers take for a comment. Put the value into single \
                 quotes, or a space before the comment",
            ),
            Self::Repeated { first } => write!(f, "it gives a name that line {first} gives already. Remove one of them"),
        }
    }
}

/// As many flaws as are looked for. Nobody reads more.
const MOST_FLAWS: usize = 100;

impl Document {
    /// Takes a text apart: `NAME=VALUE` with or without `export`, comments, quotes of three kinds, values of several lines in
    /// quotes, `\n` and `\r` in double quotes. Nothing is expanded.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = with_plain_line_ends(text.strip_prefix('\u{feff}').unwrap_or(text));
        let (mut rest, mut number) = (text.as_str(), 1);
        let mut document = Self::default();
        let mut seen = HashMap::new();
        while !rest.is_empty() && document.flaws.len() < MOST_FLAWS {
            let (first, below) = split_line(rest);
            let line = first.trim_matches(is_blank);
            if line.is_empty() || line.starts_with('#') {
                (rest, number) = (below, number + 1);
                continue;
            }
            let mut wrong = |what| document.flaws.push(Flaw { line: number, what });
            let Some(name) = assigned(line) else {
                wrong(What::NoAssignment);
                (rest, number) = (below, number + 1);
                continue;
            };
            let earlier = seen.get(name).copied();
            match earlier {
                Some(first) => wrong(What::Repeated { first }),
                None => drop(seen.insert(name.to_owned(), number)),
            }
            let found = value_of(rest);
            let next = (found.below, number + found.lines);
            match found.value {
                Ok(value) if earlier.is_none() => {
                    document.entries.push(Entry { name: name.to_owned(), value, line: number });
                }
                Ok(_) => {}
                Err(what) => wrong(what),
            }
            (rest, number) = next;
        }
        document
    }

    /// The names and values, when nothing is wrong; otherwise all that is, as one sentence after the other.
    pub(crate) fn into_pairs(self) -> Result<Vec<(String, SecretValue)>, String> {
        if self.flaws.is_empty() {
            return Ok(self.entries.into_iter().map(|entry| (entry.name, entry.value)).collect());
        }
        Err(self.flaws.iter().map(Flaw::to_string).collect::<Vec<_>>().join("; "))
    }
}

/// The name that a line gives a value to.
fn assigned(line: &str) -> Option<&str> {
    line.split_once('=').and_then(|(left, _)| name_of(left))
}

/// A value or what is wrong with it, the lines that it took, and the text below them.
struct Found<'t> {
    value: Result<SecretValue, What>,
    lines: usize,
    below: &'t str,
}

/// The value of the assignment that `text` begins with.
fn value_of(text: &str) -> Found<'_> {
    let text = text.split_once('=').map_or("", |(_, text)| text);
    let start = text.trim_start_matches(|character| character != '\n' && is_blank(character));
    for quote in QUOTES {
        if let Some(inside) = start.strip_prefix(quote) {
            return quoted(inside, quote);
        }
    }
    let (line, below) = split_line(text);
    let value = match line.split_once('#') {
        Some((value, _)) if value.ends_with(is_blank) => Ok(value),
        Some(_) => Err(What::HashInValue),
        None => Ok(line),
    };
    Found { value: value.map(|value| value.trim_matches(is_blank).into()), lines: 1, below }
}

/// A value in quotes. `text` begins behind the quote that opens.
fn quoted(text: &str, quote: char) -> Found<'_> {
    if let Some(found) = escaped(text).filter(|_| quote == '"') {
        return found;
    }
    let unclosed = || Found { value: Err(What::Unclosed), lines: 1, below: split_line(text).1 };
    let Some((inside, after)) = text.split_once(quote) else { return unclosed() };
    let (tail, below) = split_line(after);
    let tail = tail.trim_matches(is_blank);
    let value = if inside.ends_with('\\') {
        Err(What::EscapedQuote)
    } else if !tail.is_empty() && !tail.starts_with('#') {
        // the quote that opens the value of a line below does not close this one
        if inside.rsplit_once('\n').is_some_and(|(_, last)| is_before_value(last)) {
            return unclosed();
        }
        Err(What::AfterQuote)
    } else {
        Ok(if quote == '"' { unescaped(inside) } else { inside.into() })
    };
    Found { value, lines: 1 + inside.matches('\n').count(), below }
}

/// Whether this is the part of an assignment that stands before its value.
fn is_before_value(text: &str) -> bool {
    text.trim_matches(is_blank).strip_suffix('=').is_some_and(|left| name_of(left).is_some())
}

/// The characters that have a backslash before them in double quotes for shells.
const ESCAPED: [char; 4] = ['"', '\\', '$', '`'];

/// The end of a value that is escaped as for a shell. Without the comment it would be ambiguous. The quotes in the comment keep
/// node's `dotenv` from looking for the end of the value in the lines below.
const END_OF_ESCAPED: &str = "\" # escaped \"as in a shell\"";

/// A value that is written so. `text` begins behind the quote that opens.
fn escaped(text: &str) -> Option<Found<'_>> {
    let (line, below) = split_line(text);
    let inside = line.trim_end_matches(is_blank).strip_suffix(END_OF_ESCAPED)?;
    let mut plain = Zeroizing::new(String::with_capacity(inside.len()));
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => plain.push(characters.next().filter(|next| ESCAPED.contains(next))?),
            _ => plain.push(character),
        }
    }
    Some(Found { value: Ok(SecretValue::new(std::mem::take(&mut *plain))), lines: 1, below })
}

/// `\n` and `\r` as what they stand for. Every other backslash is itself.
fn unescaped(inside: &str) -> SecretValue {
    // one buffer that is large enough: growing would leave copies behind that are not wiped
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = match (character, characters.peek()) {
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            _ => None,
        };
        if escaped.is_some() {
            characters.next();
        }
        plain.push(escaped.unwrap_or(character));
    }
    SecretValue::new(plain)
}

/// The first line without its end, and what is below it.
fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

const QUOTES: [char; 3] = ['\'', '`', '"'];

/// White space as the readers in JavaScript have it.
fn is_blank(character: char) -> bool {
    character == '\u{feff}' || character.is_whitespace() && character != '\u{85}'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Every kind of line end as `\n`, inside of values too. The copy holds secrets, so it is wiped.
fn with_plain_line_ends(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\r' {
            let _ = characters.next_if_eq(&'\n');
        }
        plain.push(if character == '\r' { '\n' } else { character });
    }
    plain
}

/// The name in what stands before the `=`.
fn name_of(left: &str) -> Option<&str> {
    let left = left.trim_end_matches(is_blank);
    let name = match left.strip_prefix("export") {
        Some(rest) if rest.starts_with(is_blank) => rest.trim_start_matches(is_blank),
        _ => left,
    };
    is_name(name).then_some(name)
}

impl Secrets {
    /// The secrets in the text of a `.env` file, as node's `dotenv` reads it: `NAME=VALUE`, `export`, comments, quotes of three
    /// kinds, `\n` and `\r` in double quotes, and the escapes of a shell where [`to_dotenv`](Self::to_dotenv) has said so in a
    /// comment. Nothing is expanded: a `$` is a `$`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with the number of each line that is no assignment, a quote that is not closed, a name that
    /// comes twice, and what readers understand in different ways: `#` inside a value without quotes, a backslash before
    /// the closing quote, text after it.
    ///
    /// ```
    /// use xtrasecurity::Secrets;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = Secrets::from_dotenv("# the database\nexport PASSWORD='pa$$word'\nPORT=5432\n")?;
    /// assert_eq!(secrets.require("PASSWORD")?.expose(), "pa$$word");
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_dotenv(text: &str) -> Result<Self, XtraError> {
        match Document::parse(text).into_pairs() {
            Ok(pairs) => Ok(Self::from_iter(pairs)),
            Err(flaws) => Err(XtraError::new(ErrorKind::Invalid, format!("the text is no .env file: {flaws}"))),
        }
    }
}
