//! Secrets as the text of a `.env` file, read and written.
//!
//! The reading is that of node's `dotenv`, which such files are written for. It is code of our own because the readers at
//! hand expand `$NAME` inside values, which turns a password that holds a `$` into another one, and nobody is told. For the
//! same reason a line that readers understand in different ways is refused here: a wrong secret is worse than an error.

use std::collections::HashMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::core::{ErrorKind, SecretValue, Secrets, XtraError};

#[cfg(test)]
mod tests;

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

/// How a value must stand to be read back as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bare,
    Quoted(char),
}

/// The form in which this parser and node's `dotenv` read `value` back exactly, or `None`: neither knows a quote in quotes of
/// its own kind, and a backslash before the closing quote may hide it.
fn form(value: &str) -> Option<Form> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,=^-".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return Some(Form::Bare);
    }
    if value.ends_with('\\') {
        return stands_bare(value).then_some(Form::Bare);
    }
    // only double quotes can hold a carriage return, and they give `\n` and `\r` another meaning
    let fits = |quote: char| match quote {
        '"' => !value.contains("\\n") && !value.contains("\\r"),
        _ => !value.contains('\r'),
    };
    let quoted = QUOTES.into_iter().find(|quote| !value.contains(*quote) && fits(*quote)).map(Form::Quoted);
    // a value with quotes of every kind may still mean itself without any
    quoted.or_else(|| stands_bare(value).then_some(Form::Bare))
}

/// Whether a value keeps its meaning without quotes.
fn stands_bare(value: &str) -> bool {
    !value.starts_with(|first| QUOTES.contains(&first) || is_blank(first))
        && !value.ends_with(is_blank)
        // the last two end a line for some of what node's reader looks for
        && !value.contains(['#', '\n', '\r', '\u{2028}', '\u{2029}'])
}

/// The value as it stands behind the `=`, or `None` when no form gives it back.
#[cfg(any(test, feature = "typed"))]
pub(crate) fn quote(value: &str) -> Option<String> {
    let mut text = String::new();
    push(&mut text, value, form(value)?);
    Some(text)
}

fn push(text: &mut String, value: &str, form: Form) {
    match form {
        Form::Bare => text.push_str(value),
        Form::Quoted(quote) => {
            text.push(quote);
            for character in value.chars() {
                match character {
                    '\r' => text.push_str("\\r"),
                    _ => text.push(character),
                }
            }
            text.push(quote);
        }
    }
}

impl Secrets {
    /// The secrets in the text of a `.env` file, as node's `dotenv` reads it: `NAME=VALUE`, `export`, comments, quotes of three
    /// kinds, `\n` and `\r` in double quotes. Nothing is expanded: a `$` is a `$`.
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

    /// These secrets as the text of a `.env` file, a line for each in order of the names. [`from_dotenv`](Self::from_dotenv)
    /// and node's `dotenv` read it back exactly.
    ///
    /// Values that need no quotes stand without, the others in single quotes where they can. What other readers make of `$` in
    /// quotes, or of several lines, is their own affair. Secrets that [could not be read](Self::unreadable) are left out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with the names of the secrets that such a file cannot hold: names with characters other than
    /// `A-Z a-z 0-9 _ . -`, and values that no kind of quotes gives back.
    ///
    /// ```
    /// use xtrasecurity::Secrets;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = Secrets::from_iter([("PORT", "5432"), ("PASSWORD", "pa$$ word")]);
    /// assert_eq!(secrets.to_dotenv()?.expose(), "PASSWORD='pa$$ word'\nPORT=5432\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_dotenv(&self) -> Result<SecretValue, XtraError> {
        let fit = |name: &str, value: &SecretValue| is_name(name).then(|| form(value.expose())).flatten();
        let unfit: Vec<&str> =
            self.iter().filter(|(name, value)| fit(name, value).is_none()).map(|(name, _)| name).collect();
        if !unfit.is_empty() {
            let message = format!(
                "a .env file cannot hold these secrets: {}. Their names have other characters than letters, digits, `_`, \
                 `.` and `-`, or their values hold quotes of every kind, or a carriage return or a backslash where it would be \
                 changed",
                unfit.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
            );
            return Err(XtraError::new(ErrorKind::Invalid, message).with_keys(unfit));
        }
        // one buffer that is large enough, as above; a carriage return takes two places
        let room = self.iter().map(|(name, value)| name.len() + 2 * value.len() + 4).sum();
        let mut text = String::with_capacity(room);
        for (name, value) in self.iter() {
            if let Some(form) = fit(name, value) {
                text.push_str(name);
                text.push('=');
                push(&mut text, value.expose(), form);
                text.push('\n');
            }
        }
        Ok(SecretValue::new(text))
    }
}
