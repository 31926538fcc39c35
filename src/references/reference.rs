//! One reference to a secret: its parts, its syntax, and what a service says of both.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::core::{ErrorKind, XtraError};
use crate::engine::SecretSource;

/// In bytes, as written. Names of any use are far shorter, and a reference may stand in a value that somebody else wrote.
pub(crate) const LONGEST: usize = 2048;

/// The characters that must be percent-encoded in a project, beside what must be so everywhere.
const NOT_IN_PROJECTS: [char; 2] = [':', '@'];

/// A source whose secrets can be referred to in texts and values.
///
/// With it, [`Client::resolve`](crate::Client::resolve), [`Client::render`](crate::Client::render) and the like work for every
/// client of the source.
pub trait Refer: SecretSource {
    /// The beginning of every reference, in lower case, with `://`.
    const SCHEME: &'static str;

    /// The name of the only parameter that a reference may have after `?`: it tells one set of secrets from another within an
    /// environment.
    const PARAMETER: &'static str;

    /// The scope that a reference leads to. A part that it leaves out is the client's default.
    fn scope(reference: &Reference) -> Self::Scope<'_>;

    /// Tells whether this can be a project. Not asked about an empty one, which means the client's.
    fn is_project(id: &str) -> bool;

    /// Tells whether this can be an environment.
    fn is_environment(name: &str) -> bool;

    /// Tells whether this can be a value of the parameter.
    fn is_parameter(value: &str) -> bool;

    /// The project in the form in which two that are the same are equal.
    fn normalized_project(id: String) -> String {
        id
    }

    /// The project of a scope, `None` for whatever project the caller's token belongs to. References without a project in the
    /// scope's values mean it.
    fn project_of(scope: &Self::Owned) -> Option<&str>;

    /// The environment of a scope.
    fn environment_of(scope: &Self::Owned) -> Option<&str>;

    /// The value that the parameter has in a scope.
    fn parameter_of(scope: &Self::Owned) -> Option<&str>;
}

/// The name of one secret, wherever it is: `SCHEME://PROJECT/ENVIRONMENT/KEY?PARAMETER=VALUE`. The service's [`Refer`] says
/// what the scheme and the parameter are.
///
/// - PROJECT is a project's id, or empty for the project of whoever resolves it.
/// - Where the project is empty, the environment may be left out with its slash, `SCHEME:///KEY`, for the environment that whoever
///   resolves it has by default; in a value, that is the environment of the secret that it stands in.
/// - `?PARAMETER=` may be left out; it is the only parameter there is.
/// - `%2F` and the like stand for the character meant, in every part. Written so must be: `/` in a project, an environment or
///   a name, `:` and `@` in a project, `?`, `#`, `%`, `{`, `}`, `&` in a parameter, and white space. A `+` is a plus.
/// - The scheme is in lower case. Two references are equal when they are written alike, ids of projects aside.
/// - At most 2,048 bytes as written.
///
/// A reference names a secret and holds none, so it may be printed; [`Client::resolve`](crate::Client::resolve) reads the
/// value. Parsing looks at nothing but the text: use it to check a configuration before it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    syntax: Syntax,
    project: Option<String>,
    environment: Option<String>,
    name: String,
    parameter: Option<String>,
}

/// The words of a service's references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Syntax {
    scheme: &'static str,
    parameter: &'static str,
}

/// The defaults of a reference that leaves its project out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    pub(crate) project: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) parameter: Option<String>,
}

impl Reference {
    /// Reads a reference of a service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with what is wrong.
    pub fn of<S: Refer>(text: &str) -> Result<Self, XtraError> {
        Self::parse::<S>(text).map_err(|flaw| {
            let (named, text) = (named::<S>(text), flaw.text_of::<S>(shown::<S>(text).as_deref()));
            XtraError::new(ErrorKind::Invalid, format!("{named} is not a reference: {text}"))
        })
    }

    /// The project's id, or `None` for the project of whoever resolves the reference.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// The environment, or `None` for the default one of whoever resolves the reference.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the parameter, or `None` for the default of whoever resolves the reference.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.parameter.as_deref()
    }

    /// A reference that leaves its project out takes that of `base`, and its parameter too unless it has one: that belongs to
    /// its project.
    pub(crate) fn within(mut self, base: &Base) -> Self {
        if self.project.is_none() {
            self.project.clone_from(&base.project);
            self.environment = self.environment.or_else(|| base.environment.clone());
            self.parameter = self.parameter.or_else(|| base.parameter.clone());
        }
        self
    }

    /// The defaults of references in the value of this secret.
    pub(crate) fn as_base(&self) -> Base {
        let Self { project, environment, parameter, .. } = self.clone();
        Base { project, environment, parameter }
    }

    pub(crate) fn parse<S: Refer>(text: &str) -> Result<Self, Flaw> {
        let rest = text.strip_prefix(S::SCHEME).ok_or(Flaw::Scheme)?;
        if text.len() > LONGEST {
            return Err(Flaw::Long);
        }
        if rest.contains(char::is_whitespace) {
            return Err(Flaw::WhiteSpace);
        }
        if rest.contains(['#', '{', '}']) || rest.contains(char::is_control) {
            return Err(Flaw::Character);
        }
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut parts = path.split('/');
        let (project, environment, name) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(project), Some(environment), Some(name), None) => (project, Some(environment), name),
            (Some(""), Some(name), None, None) => ("", None, name),
            (Some(first), Some(_), None, None) if may_be_an_environment::<S>(first) => return Err(Flaw::TwoSlashes),
            _ => return Err(Flaw::Parts),
        };
        // A URL with a password in it has these here, and is not to become a name that is shown.
        if project.contains(NOT_IN_PROJECTS) {
            return Err(Flaw::Project);
        }
        let (project, name) = (decode(project)?, decode(name)?);
        let environment = environment.map(decode).transpose()?;
        if !project.is_empty() && (!S::is_project(&project) || S::looks_like_a_token(&project)) {
            return Err(Flaw::Project);
        }
        if environment.as_deref().is_some_and(|name| !S::is_environment(name)) {
            return Err(Flaw::Environment);
        }
        if name.is_empty() {
            return Err(Flaw::Name);
        }
        let parameter = query.map(parameter_of::<S>).transpose()?;
        let project = Some(S::normalized_project(project)).filter(|id| !id.is_empty());
        let syntax = Syntax { scheme: S::SCHEME, parameter: S::PARAMETER };
        Ok(Self { syntax, project, environment, name, parameter })
    }
}

/// The value of the parameter. One that nobody reads would be a wish that is not met.
fn parameter_of<S: Refer>(query: &str) -> Result<String, Flaw> {
    let mut found = None;
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').ok_or(Flaw::UnknownParameter)?;
        if name != S::PARAMETER {
            return Err(Flaw::UnknownParameter);
        }
        if found.replace(decode(value)?).is_some() {
            return Err(Flaw::TwoParameters);
        }
    }
    found
        .ok_or(Flaw::UnknownParameter)
        .and_then(|value| if S::is_parameter(&value) { Ok(value) } else { Err(Flaw::Parameter) })
}

/// Strict, unlike the crate's decoding: a `%` that begins no escape is an error.
fn decode(part: &str) -> Result<String, Flaw> {
    let begins_with_digits = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !part.split('%').skip(1).all(begins_with_digits) {
        return Err(Flaw::Percent);
    }
    percent_decode_str(part).decode_utf8().map(Into::into).map_err(|_| Flaw::NotUnicode)
}

/// A part in the form that parses to itself, with what cannot be seen in a message spelled out.
fn encode(f: &mut fmt::Formatter<'_>, part: &str, plain: &[char], escaped: &[char]) -> fmt::Result {
    for letter in part.chars() {
        let is_plain = letter.is_alphanumeric() || "-._~:@!$'()*,;=+".contains(letter) || plain.contains(&letter);
        let mut buffer = [0; 4];
        let text = &*letter.encode_utf8(&mut buffer);
        if is_plain && !escaped.contains(&letter) {
            f.write_str(text)?;
        } else {
            write!(f, "{}", utf8_percent_encode(text, NON_ALPHANUMERIC))?;
        }
    }
    Ok(())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.syntax.scheme)?;
        encode(f, self.project.as_deref().unwrap_or_default(), &[], &NOT_IN_PROJECTS)?;
        f.write_str("/")?;
        if let Some(environment) = &self.environment {
            encode(f, environment, &[], &[])?;
            f.write_str("/")?;
        }
        encode(f, &self.name, &['&'], &[])?;
        if let Some(value) = &self.parameter {
            write!(f, "?{}=", self.syntax.parameter)?;
            encode(f, value, &['/'], &[])?;
        }
        Ok(())
    }
}

/// Tells whether this is one of two parts, where it stands in the place of the project and cannot be meant as one.
fn may_be_an_environment<S: Refer>(first: &str) -> bool {
    // what is as long as an id is meant as one
    let is_plain = (1..20).contains(&first.len())
        && first.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
    is_plain && S::is_environment(first) && !S::looks_like_a_token(first)
}

/// Tells whether the text begins as a reference does, the case of the scheme aside: it was meant as one.
pub(super) fn begins_a_reference<S: Refer>(text: &str) -> bool {
    text.get(..S::SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(S::SCHEME))
}

/// A text that was to be a reference, for a message.
fn named<S: Refer>(text: &str) -> String {
    shown::<S>(text).map_or_else(|| "the text".to_owned(), |text| format!("{text:?}"))
}

/// A malformed reference for a message: its beginning, unless it looks as if a token or a password were in it.
///
/// It ends with the first letter that is more likely to end a reference than to be in one. What follows an unclosed
/// reference is some other setting of the text, and may be a secret.
pub(super) fn shown<S: Refer>(text: &str) -> Option<String> {
    const MOST_LETTERS: usize = 120;
    let end = text.find(|letter: char| letter.is_whitespace() || "{}\"'`,;<>()[]|\\".contains(letter));
    let head = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let holds_a_token = || head.split(['/', '?', '=', '&']).any(S::looks_like_a_token);
    if !begins_a_reference::<S>(head) || head.contains('@') || holds_a_token() {
        return None;
    }
    let mut shown: String = head.chars().take(MOST_LETTERS).collect();
    if shown.len() < head.len() {
        shown.push('…');
    }
    Some(shown)
}

/// The flaw of a text that is no reference. The texts quote nothing: it may stand in a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Scheme,
    Long,
    Unclosed,
    WhiteSpace,
    Character,
    Parts,
    TwoSlashes,
    Percent,
    NotUnicode,
    Project,
    Environment,
    Name,
    UnknownParameter,
    TwoParameters,
    Parameter,
}

impl Flaw {
    /// The text about what a person wrote, which may be shown.
    pub(super) fn text_of<S: Refer>(self, shown: Option<&str>) -> String {
        let rest = shown.filter(|shown| !shown.ends_with('…')).and_then(|shown| shown.strip_prefix(S::SCHEME));
        match (self, rest) {
            (Self::TwoSlashes, Some(rest)) => {
                format!("{}. Write {:?}", self.text::<S>(), format!("{}/{rest}", S::SCHEME))
            }
            _ => self.text::<S>(),
        }
    }

    pub(super) fn text<S: Refer>(self) -> String {
        let (scheme, parameter) = (S::SCHEME, S::PARAMETER);
        let text = match self {
            Self::Scheme => return format!("it does not begin with {scheme} (in lower case)"),
            Self::Long => return format!("it is longer than {LONGEST} bytes"),
            Self::Unclosed => "its end, }}, is missing",
            Self::WhiteSpace => "there is white space in it. Write %20 for a space, and close every reference with }}",
            Self::Character => "there is a character in it that must be percent-encoded (# as %23, { as %7B, } as %7D)",
            Self::Parts => {
                return format!(
                    "it has not the three parts {scheme}PROJECT/ENVIRONMENT/KEY. Leave the project empty for the client's \
                     own ({scheme}/ENVIRONMENT/KEY), the environment too for the default one ({scheme}/KEY), and write %2F for \
                     a slash in a name"
                );
            }
            Self::TwoSlashes => {
                return format!(
                    "after two slashes comes the project, and here there is a secret's name behind it. A third slash leaves the \
                     project out: {scheme}/ENVIRONMENT/KEY"
                );
            }
            Self::Percent => "a % is not followed by two hexadecimal digits. Write %25 for a percent sign",
            Self::NotUnicode => "what is percent-encoded in it is not UTF-8",
            Self::Project => {
                return format!(
                    "its project is no id that can be sent. Leave it empty for the client's own ({scheme}/ENVIRONMENT/KEY)"
                );
            }
            Self::Environment => "its environment is not a name that can be read",
            Self::Name => "the name of the secret is empty",
            Self::UnknownParameter => {
                return format!("it has a parameter that there is not. The only one is ?{parameter}=");
            }
            Self::TwoParameters => return format!("it names the {parameter} twice"),
            Self::Parameter => return format!("its {parameter} is not a name that can be read"),
        };
        text.to_owned()
    }
}
