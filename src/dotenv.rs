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

#[cfg(test)]
mod tests;
mod write;

#[cfg(feature = "typed")]
pub(crate) use write::Assignment;
pub use write::{Misread, Reader};

/// Why a text is no `.env` file, and where. It quotes nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flaw {
    line: usize,
    what: What,
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
        write!(f, "line {}: ", self.line)?;
        match self.what {
            What::NoAssignment => f.write_str(
                "it is no comment and no NAME=VALUE; names are made of letters (A to Z, a to z), digits, `_`, `.` and `-`, and a \
                 value of several lines must be in quotes",
            ),
            What::Unclosed => f.write_str("the quote that opens here is not closed"),
            What::AfterQuote => f.write_str(
                "there is text after the closing quote. A value that holds quotes must be in quotes of another kind",
            ),
            What::EscapedQuote => f.write_str(
                "there is a backslash before a quote, which readers understand in different ways. Put the value into quotes \
                 of another kind, or into none",
            ),
            What::HashInValue => f.write_str(
                "there is a `#` in a value without quotes, which some readers take for a comment. Put the value into single \
                 quotes, or a space before the comment",
            ),
            What::Repeated { first } => write!(f, "it gives a name that line {first} gives already. Remove one of them"),
        }
    }
}

/// The names and values of a `.env` text, in its order.
///
/// `NAME=VALUE` with or without `export`, comments, quotes of three kinds, values of several lines in quotes, `\n` and `\r`
/// in double quotes. Nothing is expanded.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, SecretValue)>, Flaw> {
    let text = with_plain_line_ends(text.strip_prefix('\u{feff}').unwrap_or(text));
    let (mut rest, mut number) = (text.as_str(), 1);
    let mut pairs = Vec::new();
    let mut seen = HashMap::new();
    while !rest.is_empty() {
        let flaw = |what| Flaw { line: number, what };
        let (line, below) = split_line(rest);
        let line = line.trim_matches(is_blank);
        if line.is_empty() || line.starts_with('#') {
            (rest, number) = (below, number + 1);
            continue;
        }
        let name = line.split_once('=').and_then(|(left, _)| name_of(left)).ok_or(flaw(What::NoAssignment))?;
        if let Some(first) = seen.insert(name.to_owned(), number) {
            return Err(flaw(What::Repeated { first }));
        }
        let Found { value, lines, below } = value_of(rest).map_err(flaw)?;
        pairs.push((name.to_owned(), value));
        (rest, number) = (below, number + lines);
    }
    Ok(pairs)
}

/// A value, the lines that it took, and the text below them.
struct Found<'t> {
    value: SecretValue,
    lines: usize,
    below: &'t str,
}

/// The value of the assignment that `text` begins with.
fn value_of(text: &str) -> Result<Found<'_>, What> {
    let (_, text) = text.split_once('=').ok_or(What::NoAssignment)?;
    let start = text.trim_start_matches(|character| character != '\n' && is_blank(character));
    for quote in QUOTES {
        if let Some(inside) = start.strip_prefix(quote) {
            return quoted(inside, quote);
        }
    }
    let (line, below) = split_line(text);
    let value = match line.split_once('#') {
        Some((value, _)) if value.ends_with(is_blank) => value,
        Some(_) => return Err(What::HashInValue),
        None => line,
    };
    Ok(Found { value: value.trim_matches(is_blank).into(), lines: 1, below })
}

/// A value in quotes. `text` begins behind the quote that opens.
fn quoted(text: &str, quote: char) -> Result<Found<'_>, What> {
    if let Some(found) = escaped(text).filter(|_| quote == '"') {
        return Ok(found);
    }
    let (inside, after) = text.split_once(quote).ok_or(What::Unclosed)?;
    if inside.ends_with('\\') {
        return Err(What::EscapedQuote);
    }
    let (tail, below) = split_line(after);
    let tail = tail.trim_matches(is_blank);
    if !tail.is_empty() && !tail.starts_with('#') {
        return Err(What::AfterQuote);
    }
    let value = if quote == '"' { unescaped(inside) } else { inside.into() };
    Ok(Found { value, lines: 1 + inside.matches('\n').count(), below })
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
    Some(Found { value: SecretValue::new(std::mem::take(&mut *plain)), lines: 1, below })
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
    /// [`ErrorKind::Invalid`] with the line's number for a line that is no assignment, a quote that is not closed, a name that
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
        match parse(text) {
            Ok(pairs) => Ok(Self::from_iter(pairs)),
            Err(flaw) => Err(XtraError::new(ErrorKind::Invalid, format!("the text is no .env file: {flaw}"))),
        }
    }
}
