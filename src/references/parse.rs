//! The syntax of one reference.

use std::fmt;
use std::str::FromStr;

use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::{check_branch, check_environment, compared_project, looks_like_a_token, sendable_project};

/// How every reference begins. Lower case only, so that one look tells what is a reference.
pub(super) const SCHEME: &str = "xtra://";

/// In bytes, as written. Names of any use are far shorter, and a reference may stand in a value that somebody else wrote.
pub(super) const LONGEST: usize = 2048;

/// What must be percent-encoded in a project, beside what must be so everywhere.
const NOT_IN_PROJECTS: [char; 2] = [':', '@'];

/// The name of one secret, wherever it is: `xtra://PROJECT/ENVIRONMENT/KEY?branch=BRANCH`.
///
/// - PROJECT is a project's id, or empty for the project of whoever resolves it: `xtra:///production/API_KEY`. The vendor's
///   own service has ids of 24 hexadecimal digits; that is checked by who resolves the reference, since other hosts have
///   others.
/// - `?branch=` may be left out; it is the only parameter there is.
/// - `%2F` and the like stand for the character meant, in every part. Written so must be: `/` in a project, an environment or
///   a key, `:` and `@` in a project, `?`, `#`, `%`, `{`, `}`, `&` in a branch, and white space. A `+` is a plus.
/// - The scheme is in lower case. Keys and branches are case-sensitive, environments and ids of 24 hexadecimal digits are not. (Two references
///   are equal when they are written alike: `xtra:///Production/A` leads where `xtra:///production/A` does, and is not equal.)
/// - At most 2,048 bytes as written.
///
/// A reference names a secret and holds none, so it may be printed; [`XtraClient::resolve`](crate::XtraClient::resolve)
/// reads the value. Parsing looks at nothing but the text: use it to check a configuration before it is needed.
///
/// ```
/// use xtrasecurity::Reference;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let reference: Reference = "xtra:///production/tls%2Fkey?branch=feature/new-ui".parse()?;
/// assert_eq!((reference.project(), reference.environment()), (None, "production"));
/// assert_eq!((reference.key(), reference.branch()), ("tls/key", Some("feature/new-ui")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    project: Option<String>,
    environment: String,
    key: String,
    branch: Option<String>,
}

/// What a reference that leaves its project out is relative to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    pub(crate) project: Option<String>,
    pub(crate) branch: Option<String>,
}

impl Reference {
    /// The project's id, or `None` for the project of whoever resolves the reference.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// The name of the secret.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The branch, or `None` for the default branch of whoever resolves the reference.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// A reference that leaves its project out takes that of `base`, and its branch too unless it names one: a branch belongs
    /// to its project.
    pub(crate) fn within(mut self, base: &Base) -> Self {
        if self.project.is_none() {
            self.project.clone_from(&base.project);
            self.branch = self.branch.or_else(|| base.branch.clone());
        }
        self
    }

    /// What references in the value of this secret are relative to.
    pub(crate) fn as_base(&self) -> Base {
        Base { project: self.project.clone(), branch: self.branch.clone() }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Flaw> {
        let rest = text.strip_prefix(SCHEME).ok_or(Flaw::Scheme)?;
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
        let (Some(project), Some(environment), Some(key), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Flaw::Parts);
        };
        // A URL with a password in it has these here, and is not to become a name that is shown.
        if project.contains(NOT_IN_PROJECTS) {
            return Err(Flaw::Project);
        }
        let (project, environment, key) = (decode(project)?, decode(environment)?, decode(key)?);
        if !project.is_empty() && (sendable_project(&project).is_err() || looks_like_a_token(&project)) {
            return Err(Flaw::Project);
        }
        if check_environment(&environment).is_err() {
            return Err(Flaw::Environment);
        }
        if key.is_empty() {
            return Err(Flaw::Key);
        }
        let branch = query.map(branch_of).transpose()?;
        let project = Some(compared_project(project)).filter(|id| !id.is_empty());
        Ok(Self { project, environment, key, branch })
    }
}

/// The branch that the part after `?` names. A parameter that nobody reads would be a wish that is not met.
fn branch_of(query: &str) -> Result<String, Flaw> {
    let mut branch = None;
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').ok_or(Flaw::Parameter)?;
        if name != "branch" {
            return Err(Flaw::Parameter);
        }
        if branch.replace(decode(value)?).is_some() {
            return Err(Flaw::TwoBranches);
        }
    }
    let branch = branch.ok_or(Flaw::Parameter)?;
    if check_branch(&branch).is_err() {
        return Err(Flaw::Branch);
    }
    Ok(branch)
}

fn decode(part: &str) -> Result<String, Flaw> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or(Flaw::Percent);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).map_err(|_| Flaw::Percent)?);
    }
    String::from_utf8(bytes).map_err(|_| Flaw::NotUnicode)
}

/// A part in the form that parses to itself, with what cannot be seen in a message spelled out.
fn encode(f: &mut fmt::Formatter<'_>, part: &str, plain: &[char]) -> fmt::Result {
    for letter in part.chars() {
        if letter.is_alphanumeric() || "-._~:@!$'()*,;=+".contains(letter) || plain.contains(&letter) {
            write!(f, "{letter}")?;
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        for part in self.project.as_deref().unwrap_or_default().split_inclusive(NOT_IN_PROJECTS) {
            let plain = part.trim_end_matches(NOT_IN_PROJECTS);
            encode(f, plain, &[])?;
            for letter in part.chars().skip(plain.chars().count()) {
                write!(f, "%{:02X}", u32::from(letter))?;
            }
        }
        f.write_str("/")?;
        encode(f, &self.environment, &[])?;
        f.write_str("/")?;
        encode(f, &self.key, &['&'])?;
        if let Some(branch) = &self.branch {
            f.write_str("?branch=")?;
            encode(f, branch, &['/'])?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = XtraError;

    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with what is wrong.
    fn from_str(text: &str) -> Result<Self, XtraError> {
        Self::parse(text).map_err(|flaw| {
            let what = shown(text).map_or_else(|| "the text".to_owned(), |text| format!("{text:?}"));
            XtraError::new(ErrorKind::Invalid, format!("{what} is not a reference: {flaw}"))
        })
    }
}

/// Whether the text begins as a reference does, the case of the scheme aside: it was meant as one.
pub(super) fn begins_a_reference(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// A malformed reference for a message: its beginning, unless it looks as if a token or a password were in it.
///
/// It ends with the first letter that is more likely to end a reference than to be in one. What follows an unclosed
/// reference is some other setting of the text, and may be a secret.
pub(super) fn shown(text: &str) -> Option<String> {
    const MOST_LETTERS: usize = 120;
    let end = text.find(|letter: char| letter.is_whitespace() || "{}\"'`,;<>()[]|\\".contains(letter));
    let head = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let is_token = |part: &str| ["xs_", "xtra_", "eyJ"].iter().any(|start| part.starts_with(start));
    if !begins_a_reference(head) || head.contains('@') || head.split(['/', '?', '=', '&']).any(is_token) {
        return None;
    }
    let mut shown: String = head.chars().take(MOST_LETTERS).collect();
    if shown.len() < head.len() {
        shown.push('…');
    }
    Some(shown)
}

/// What is wrong with a reference. The texts quote nothing: it may stand in a secret's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Scheme,
    Long,
    Unclosed,
    WhiteSpace,
    Character,
    Parts,
    Percent,
    NotUnicode,
    Project,
    Environment,
    Key,
    Parameter,
    TwoBranches,
    Branch,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "it does not begin with xtra:// (in lower case)",
            Self::Long => return write!(f, "it is longer than {LONGEST} bytes"),
            Self::Unclosed => "its end, }}, is missing",
            Self::WhiteSpace => "there is white space in it. Write %20 for a space, and close every reference with }}",
            Self::Character => "there is a character in it that must be percent-encoded (# as %23, { as %7B, } as %7D)",
            Self::Parts => {
                "it has not the three parts xtra://PROJECT/ENVIRONMENT/KEY. Leave the project empty for the client's own \
                 (xtra:///ENVIRONMENT/KEY), and write %2F for a slash in a name"
            }
            Self::Percent => "a % is not followed by two hexadecimal digits. Write %25 for a percent sign",
            Self::NotUnicode => "what is percent-encoded in it is not UTF-8",
            Self::Project => {
                "its project is no id that can be sent. Leave it empty for the client's own (xtra:///ENVIRONMENT/KEY)"
            }
            Self::Environment => "its environment is not a name that can be read",
            Self::Key => "the name of the secret is empty",
            Self::Parameter => "it has a parameter that there is not. The only one is ?branch=",
            Self::TwoBranches => "it names two branches",
            Self::Branch => "its branch is not a name that can be read",
        })
    }
}
