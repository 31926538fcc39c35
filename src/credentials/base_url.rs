//! The base URL's rule: a token goes only to a base URL that its giver named.
//!
//! The working directory may be somebody else's (a cloned repository, an unpacked archive), so a file in it can choose among the
//! origins that are known otherwise, and cannot add one.

use url::Url;

use super::chain::Resolved;
use super::settings::Sourced;
use super::token_store::StoreContents;
use crate::core::{ErrorKind, Hint, XtraError};

/// The base URLs that a client could use, and the choice among them.
///
/// A program and its user name one as they like ([`named`](Self::named)); a file of the working directory
/// ([`in_working_dir`](Self::in_working_dir)) is followed only to an origin that is known otherwise.
///
/// ```
/// use xtrasecurity::credentials::{BaseUrls, Sourced};
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let file = Some(Sourced::new("https://attacker.example", ".acmerc (url)"));
/// let urls = BaseUrls::new("https://acme.example").variable("ACME_URL").in_working_dir(file);
/// let error = urls.clone().choose(None).unwrap_err();
/// assert!(error.to_string().contains(".acmerc") && error.to_string().contains("https://attacker.example"));
///
/// let named = urls.named(Some(Sourced::new("https://own.example", "ACME_URL")));
/// assert_eq!(named.choose(None)?.value, "https://own.example");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct BaseUrls {
    default: &'static str,
    named: Option<Sourced>,
    in_working_dir: Option<Sourced>,
    user: StoreContents,
    variable: Option<&'static str>,
    login: Option<&'static str>,
    form: fn(Sourced) -> Sourced,
}

impl BaseUrls {
    /// The service's own base URL, which is used when there is no other.
    pub const fn new(default: &'static str) -> Self {
        Self {
            default,
            named: None,
            in_working_dir: None,
            user: StoreContents { base_url: None, has_token: false },
            variable: None,
            login: None,
            form: std::convert::identity,
        }
    }

    /// One that the program or its user names, by an option or a variable: it is used as it is. The first one given counts.
    pub fn named(mut self, found: Option<Sourced>) -> Self {
        self.named = self.named.or(found);
        self
    }

    /// One that a file of the working directory names.
    pub fn in_working_dir(mut self, found: Option<Sourced>) -> Self {
        self.in_working_dir = found;
        self
    }

    /// What the user's own file says. Beside a token it is that token's base URL; without one it is that of tokens of variables
    /// and of the program.
    pub fn user(mut self, contents: StoreContents) -> Self {
        self.user = contents;
        self
    }

    /// The variable that names a base URL, for the advice of the error about a file.
    pub fn variable(mut self, name: &'static str) -> Self {
        self.variable = Some(name);
        self
    }

    /// The command that records a base URL beside its token, for the same advice.
    pub fn login(mut self, command: &'static str) -> Self {
        self.login = Some(command);
        self
    }

    /// The form that a base URL must have which a token's [provider](crate::credentials::CredentialProvider::base_url) names.
    pub fn in_form(mut self, form: fn(Sourced) -> Sourced) -> Self {
        self.form = form;
        self
    }

    /// The base URL to use: the one that the token's provider names, unless an option names one; else the named one, the working directory's if it is trusted, the one recorded beside `token`, the user's,
    /// the service's own. `token` is what was found, if any was.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when a file of the working directory names an origin (scheme, host and port) that is neither the
    /// service's own, nor the user's, nor recorded beside the token.
    pub fn choose(self, token: Option<&Resolved>) -> Result<Sourced, XtraError> {
        let by_option = self.named.as_ref().is_some_and(|named| named.option.is_some());
        if let Some(bound) = token.and_then(Resolved::bound).filter(|_| !by_option) {
            return Ok((self.form)(bound.clone()));
        }
        if let Some(named) = self.named {
            return Ok(named);
        }
        let store = token.and_then(Resolved::stored_with);
        let recorded = store.flatten();
        if let Some(found) = &self.in_working_dir {
            let others = [self.user.base_url.as_ref(), recorded];
            let trusted = others.into_iter().flatten().map(|found| found.value.as_str());
            self.ensure_trusted(found, trusted.chain([self.default]))?;
            return Ok(found.clone());
        }
        let named = match store {
            Some(_) => recorded.cloned(),
            // beside a token it is that token's
            None if self.user.has_token => None,
            None => self.user.base_url,
        };
        Ok(named.unwrap_or_else(|| Sourced::new(self.default, "default")))
    }

    /// Compares scheme, host and port. The path is the file's to choose: on the same origin it leads to the same service.
    fn ensure_trusted<'t>(&self, found: &Sourced, mut trusted: impl Iterator<Item = &'t str>) -> Result<(), XtraError> {
        let file = &found.origin;
        let (message, hint) = match origin(&found.value) {
            Some(origin) if trusted.any(|text| self::origin(text).as_ref() == Some(&origin)) => return Ok(()),
            Some(origin) => {
                let message = format!(
                    "{file} in the working directory names the base URL {}, which is neither the service's own nor one that \
                     you have named. A token is not sent there on the word of such a file, and nothing was sent",
                    shown(&origin)
                );
                let hint = match self.variable {
                    Some(variable) => Hint::GiveBaseUrl { variable, login: self.login },
                    None => Hint::advice("If it is right, name it in the program"),
                };
                (message, hint)
            }
            None => (
                format!("{file} in the working directory is no https URL"),
                Hint::advice(format!("Correct it, as in {}, or remove it", self.default)),
            ),
        };
        Err(XtraError::new(ErrorKind::Config, message).with_hint(hint))
    }
}

/// Scheme, host and port in their usual form; user info, path and query are not in it.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    Some(url.origin().ascii_serialization())
}

/// The origin, cut to a length that a log can take. It is ASCII.
fn shown(origin: &str) -> String {
    const LONGEST: usize = 300;
    match origin.get(..LONGEST) {
        Some(start) => format!("{start}…"),
        None => origin.to_owned(),
    }
}
