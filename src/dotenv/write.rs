//! The writing of `.env` files: for each value the form that most readers share.
//!
//! Four forms come into question: single quotes, double quotes, none, and double quotes with the escapes of a shell. The
//! reading of this crate must take a value back from its form, and a shell that sources the file must run nothing of it. For
//! the second reason there are no backticks, which only readers in JavaScript know. Among the forms that are left, the one
//! that the fewest readers misread is chosen; `tests/readers` holds the rules below against the readers themselves.

use std::fmt;

use super::{END_OF_ESCAPED, ESCAPED, QUOTES, is_blank, is_name};
use crate::core::{ErrorKind, SecretValue, Secrets, XtraError};

/// A reader of `.env` files that has rules of its own. This crate reads all back that it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reader {
    /// A POSIX shell that sources the file, by `.` or `source`.
    Shell,
    /// Node itself: `node --env-file` and `util.parseEnv`.
    Node,
    /// Node's package `dotenv`.
    NodeDotenv,
    /// The Python package `python-dotenv`, which replaces `${NAME}` in quotes of every kind.
    PythonDotenv,
    /// The Rust crate `dotenvy`, which stops at a line that it cannot read.
    Dotenvy,
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shell => "a shell",
            Self::Node => "node --env-file",
            Self::NodeDotenv => "node's package dotenv",
            Self::PythonDotenv => "python-dotenv",
            Self::Dotenvy => "dotenvy",
        })
    }
}

/// A secret of a `.env` file that some readers take for another value, or cannot read. It holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    name: String,
    readers: Vec<Reader>,
}

impl Misread {
    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The readers that misread it, at least one.
    #[must_use]
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }
}

/// One secret as it stands in a file.
pub(crate) struct Assignment<'s> {
    name: &'s str,
    value: &'s str,
    form: Form,
    readers: Vec<Reader>,
}

impl<'s> Assignment<'s> {
    /// `None` when no form gives the value back and is harmless, or when the name can stand in no file.
    pub(crate) fn of(name: &'s str, value: &'s str) -> Option<Self> {
        if !is_name(name) {
            return None;
        }
        let form = Form::of(value)?;
        let readers = Reader::ALL.into_iter().filter(|reader| reader.misreads(name, value, form)).collect();
        Some(Self { name, value, form, readers })
    }

    /// Adds `NAME=VALUE` and a line end.
    pub(crate) fn push_to(&self, text: &mut String) {
        text.extend([self.name, "="]);
        match self.form {
            Form::Bare { .. } => text.push_str(self.value),
            Form::Quoted(quote) => {
                text.push(quote);
                for character in self.value.chars() {
                    match character {
                        '\r' => text.push_str("\\r"),
                        _ => text.push(character),
                    }
                }
                text.push(quote);
            }
            Form::Escaped => {
                text.push('"');
                for character in self.value.chars() {
                    if ESCAPED.contains(&character) {
                        text.push('\\');
                    }
                    text.push(character);
                }
                text.push_str(END_OF_ESCAPED);
            }
        }
        text.push('\n');
        if let Form::Bare { guard } = self.form
            && !guard.is_empty()
        {
            text.extend([guard, "\n"]);
        }
    }

    pub(crate) fn misread(&self) -> Option<Misread> {
        (!self.readers.is_empty()).then(|| Misread { name: self.name.to_owned(), readers: self.readers.clone() })
    }

    /// Its turn in the file. A reader that gives up at a line has then lost nothing that it reads well.
    fn turn(&self) -> u8 {
        match self.readers.as_slice() {
            [] => 0,
            readers if !readers.contains(&Reader::Dotenvy) => 1,
            _ => 2,
        }
    }
}

/// How a value stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Without quotes. The guard is a comment below that closes the quotes which a value opens for shells, so that they take
    /// nothing of what follows for a part of it.
    Bare {
        guard: &'static str,
    },
    Quoted(char),
    /// In double quotes with a backslash before each of [`ESCAPED`], which node takes for a part of the value.
    Escaped,
}

/// The comments that can close what a bare value opens. The second ends a line that a backslash continues.
const GUARDS: [&str; 4] = ["", "#", "#'", "#\""];

impl Form {
    fn of(value: &str) -> Option<Self> {
        // no variable can hold it
        if value.contains('\0') {
            return None;
        }
        if is_plain(value) {
            return Some(Self::Bare { guard: "" });
        }
        let quoted = ['\'', '"'].into_iter().filter(|quote| stands_in(value, *quote)).map(Self::Quoted);
        // of several lines, node would take the later ones for assignments
        let escaped = (!value.contains(['\n', '\r'])).then_some(Self::Escaped);
        let bare = GUARDS.into_iter().filter(|_| stands_bare(value)).find(|guard| is_contained(value, guard));
        quoted
            .chain(bare.map(|guard| Self::Bare { guard }))
            .chain(escaped)
            .filter(|form| form.is_harmless(value))
            .min_by_key(|form| Reader::ALL.into_iter().filter(|reader| reader.misreads_value(value, *form)).count())
    }

    /// Whether a shell runs nothing of the value.
    fn is_harmless(self, value: &str) -> bool {
        let quote = match self {
            Self::Bare { .. } => None,
            Self::Quoted(quote) => Some(quote),
            Self::Escaped => return true,
        };
        let mut lexer = Lexer::of_shells();
        let mut characters = quote.into_iter().chain(value.chars()).chain(quote).peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek();
            let expands = character == '`' || character == '$' && matches!(next, Some('(' | '{' | '['));
            let acts = match lexer.take(character) {
                Context::Open => {
                    expands
                        || character.is_whitespace()
                        || character.is_control()
                        || ";&|<>()".contains(character)
                        || character == '$' && matches!(next, Some('\'' | '"'))
                }
                Context::Double => expands,
                Context::Single | Context::Escaped => false,
            };
            if acts {
                return false;
            }
        }
        true
    }
}

/// Whether a value means itself to every reader, without quotes.
fn is_plain(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,=^-".contains(&byte);
    !value.is_empty() && value.bytes().all(plain)
}

/// Whether this crate and node read a value back from these quotes: neither knows a quote in quotes of its own
/// kind, and a backslash before the closing quote may hide it.
fn stands_in(value: &str, quote: char) -> bool {
    // only double quotes can hold a carriage return, and they give `\n` and `\r` another meaning
    let fits = match quote {
        '"' => !value.contains("\\n") && !value.contains("\\r"),
        _ => !value.contains('\r'),
    };
    fits && !value.contains(quote) && !value.ends_with('\\')
}

/// Whether they read it back without quotes.
fn stands_bare(value: &str) -> bool {
    // python-dotenv takes these controls for blanks
    let is_blank = |character: char| is_blank(character) || matches!(character, '\u{1c}'..='\u{1f}' | '\u{85}');
    !value.starts_with(|first| QUOTES.contains(&first) || is_blank(first))
        && !value.ends_with(is_blank)
        // the last two end a line for some of what node's reader looks for
        && !value.contains(['#', '\n', '\r', '\u{2028}', '\u{2029}'])
}

/// Whether a bare value with this comment below ends there for shells and for dotenvy, whatever they make of it.
fn is_contained(value: &str, guard: &str) -> bool {
    let end = if guard.is_empty() { "" } else { "\n" };
    [Lexer::of_shells(), Lexer::of_dotenvy()].into_iter().all(|mut lexer| {
        let mut characters = [value, "\n", guard, end].into_iter().flat_map(str::chars);
        characters.any(|character| lexer.take(character) == Context::Open && character == '\n')
    })
}

/// The quotes of a line as shells see them, or dotenvy, which takes a backslash in single quotes for an escape when it looks
/// for the end.
struct Lexer {
    open: Context,
    escaped: bool,
    escapes_in_single: bool,
}

/// Where a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Open,
    Single,
    Double,
    Escaped,
}

impl Lexer {
    const fn of_shells() -> Self {
        Self { open: Context::Open, escaped: false, escapes_in_single: false }
    }

    const fn of_dotenvy() -> Self {
        Self { escapes_in_single: true, ..Self::of_shells() }
    }

    /// Where this character stands, which is behind the one before.
    fn take(&mut self, character: char) -> Context {
        if std::mem::take(&mut self.escaped) {
            return Context::Escaped;
        }
        let context = self.open;
        match (context, character) {
            (Context::Single, '\\') => self.escaped = self.escapes_in_single,
            (_, '\\') => self.escaped = true,
            (Context::Open, '\'') => self.open = Context::Single,
            (Context::Open, '"') => self.open = Context::Double,
            (Context::Single, '\'') | (Context::Double, '"') => self.open = Context::Open,
            _ => {}
        }
        context
    }
}

impl Reader {
    const ALL: [Self; 5] = [Self::Shell, Self::Node, Self::NodeDotenv, Self::PythonDotenv, Self::Dotenvy];

    fn misreads(self, name: &str, value: &str, form: Form) -> bool {
        self.misreads_name(name) || self.misreads_value(value, form)
    }

    fn misreads_name(self, name: &str) -> bool {
        let begins_as_no_variable = name.starts_with(|first: char| !first.is_ascii_alphabetic() && first != '_');
        match self {
            Self::Shell => begins_as_no_variable || name.contains(['.', '-']),
            Self::Dotenvy => begins_as_no_variable || name.contains('-'),
            Self::Node | Self::NodeDotenv | Self::PythonDotenv => false,
        }
    }

    fn misreads_value(self, value: &str, form: Form) -> bool {
        let escapes = |letters: &[u8]| {
            value.as_bytes().windows(2).any(|two| matches!(two, [b'\\', letter] if letters.contains(letter)))
        };
        match (self, form) {
            // it replaces them in quotes of every kind
            (Self::PythonDotenv, _) if value.split_once("${").is_some_and(|(_, rest)| rest.contains('}')) => true,
            (_, Form::Bare { .. }) if is_plain(value) => false,
            // they take quotes and backslashes out, without which the value would stand in quotes
            (Self::Shell | Self::Dotenvy, Form::Bare { .. }) => true,
            (Self::Node | Self::NodeDotenv | Self::PythonDotenv, Form::Bare { .. }) => false,
            (Self::PythonDotenv, Form::Quoted('\'')) => value.contains("\\\\"),
            (_, Form::Quoted('\'')) => false,
            (Self::Shell, Form::Quoted(_)) => value.contains(['$', '\r']) || escapes(b"\\\n"),
            (Self::Node, Form::Quoted(_)) => value.contains('\r'),
            (Self::NodeDotenv, Form::Quoted(_)) => false,
            (Self::PythonDotenv, Form::Quoted(_)) => escapes(b"\\'abfnrtv\r"),
            (Self::Dotenvy, Form::Quoted(_)) => value.contains(['$', '\\', '\r']),
            (Self::Shell, Form::Escaped) => false,
            (Self::Node | Self::NodeDotenv, Form::Escaped) => true,
            // its older versions take a backslash at the end for one that escapes the quote
            (Self::PythonDotenv, Form::Escaped) => value.contains(['$', '`']) || value.ends_with('\\'),
            (Self::Dotenvy, Form::Escaped) => value.contains('`'),
        }
    }
}

impl Secrets {
    /// These secrets as the text of a `.env` file. [`from_dotenv`](Self::from_dotenv) reads it back exactly, and a shell that
    /// sources it runs nothing of a value.
    ///
    /// Each value stands in the form that most readers share: without quotes when it means itself to all, else in single
    /// quotes, in double ones, without any and with a comment below that closes what it opens for a shell, or in double
    /// quotes with the escapes of a shell and a comment that says so. Which readers misread which secrets even then is told by
    /// [`dotenv_misreads`](Self::dotenv_misreads). The lines are in order of the names, except that those which some reader
    /// misreads come last: one that gives up has the others. Secrets that [could not be read](Self::unreadable) are left out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with the names of the secrets that such a file cannot hold: names with characters other than
    /// `A-Z a-z 0-9 _ . -`, values with a NUL character, and values of several lines that no form gives back, or only one that
    /// a shell would run.
    ///
    /// ```
    /// use xtrasecurity::Secrets;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let secrets = Secrets::from_iter([("PORT", "5432"), ("PASSWORD", "pa$$ word"), ("NOTE", "it's")]);
    /// assert_eq!(secrets.to_dotenv()?.expose(), "NOTE=\"it's\"\nPASSWORD='pa$$ word'\nPORT=5432\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_dotenv(&self) -> Result<SecretValue, XtraError> {
        let assignments: Vec<_> =
            self.iter().map(|(name, value)| (name, Assignment::of(name, value.expose()))).collect();
        let unfit = assignments.iter().filter(|(_, assignment)| assignment.is_none()).map(|(name, _)| *name);
        let unfit: Vec<&str> = unfit.collect();
        if !unfit.is_empty() {
            let message = format!(
                "a .env file cannot hold these secrets: {}. Their names have other characters than letters, digits, `_`, \
                 `.` and `-`, or their values hold a NUL character, or several lines with quotes or backslashes \
                 that no form gives back, or only one that a shell would run",
                unfit.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
            );
            return Err(XtraError::new(ErrorKind::Invalid, message).with_names(unfit));
        }
        let mut assignments: Vec<_> = assignments.into_iter().filter_map(|(_, assignment)| assignment).collect();
        assignments.sort_by_key(Assignment::turn);
        // one buffer that is large enough: growing would leave copies behind that are not wiped. A carriage return takes two
        // places, and a guard three
        let room = self.iter().map(|(name, value)| name.len() + 2 * value.len() + 7).sum();
        let mut text = String::with_capacity(room);
        for assignment in assignments {
            assignment.push_to(&mut text);
        }
        Ok(SecretValue::new(text))
    }

    /// The secrets of [`to_dotenv`](Self::to_dotenv) that some reader of `.env` files takes for other values, by name. It is
    /// empty for most: read in different ways are only values with an apostrophe beside quotes, backslashes or `$`, with two
    /// backslashes in a row or one at the end, with a carriage return or with `${…}`, and names that are no variables in a shell.
    ///
    /// ```
    /// use xtrasecurity::{Secrets, dotenv::Reader};
    ///
    /// let secrets = Secrets::from_iter([("DIR", "C:\\dir\\"), ("PORT", "5432")]);
    /// let misreads = secrets.dotenv_misreads();
    /// assert_eq!(misreads[0].name(), "DIR");
    /// assert_eq!(misreads[0].readers(), [Reader::Shell, Reader::Dotenvy]);
    /// assert_eq!(misreads.len(), 1);
    /// ```
    #[must_use]
    pub fn dotenv_misreads(&self) -> Vec<Misread> {
        self.iter().filter_map(|(name, value)| Assignment::of(name, value.expose())?.misread()).collect()
    }
}
