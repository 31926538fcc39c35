//! The credential chain: the steps that a token is looked for in, as data, and the first that has one.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::StaticToken;
use super::file::FileError;
use super::process_env::ProcessEnv;
use super::settings::Sourced;
use super::token::{Flaw, Token};
use super::token_file::Miss;
use super::token_store::TokenStore;
use crate::core::process::NotUnicode;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};
use crate::http::CredentialProvider;

/// Where a [`CredentialProvider`] of the program's own stands in the credential chain.
///
/// The first step that has a token is used, and a provider always counts as having one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainPosition {
    /// Before the environment: only a token given in the program is preferred to it.
    First,
    /// After the variables, before the files.
    AfterEnvironment,
    /// When nothing else has a token.
    Last,
}

/// One step of a [`Chain`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Step {
    /// The token that the program gives.
    Explicit,
    /// The first provider of the program's own that was given this position.
    Custom(ChainPosition),
    /// The variable of this name.
    Variable(&'static str),
    /// A file that a login wrote.
    Store(TokenStore),
    /// What a service has beside these, such as a token that is exchanged for what two variables hold.
    Lookup(Lookup),
}

/// A step of a service's own: the function that looks.
///
/// It gives a provider with the place where it was found, or what it saw in its place, by names alone. An error ends the search:
/// going on could act as somebody else.
///
/// ```
/// use std::sync::Arc;
/// use xtrasecurity::XtraError;
/// use xtrasecurity::credentials::{FileToken, Lookup, ProcessEnv, Resolved, Step};
///
/// fn mounted(env: &ProcessEnv) -> Result<Result<Resolved, String>, XtraError> {
///     match env.setting("ACME_TOKEN_FILE")? {
///         Some(path) => Ok(Ok(Resolved::new(Arc::new(FileToken::new(path.value)?), "ACME_TOKEN_FILE"))),
///         None => Ok(Err("ACME_TOKEN_FILE: not set".to_owned())),
///     }
/// }
///
/// const STEPS: &[Step] = &[Step::Lookup(Lookup::new(mounted))];
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Lookup {
    find: fn(&ProcessEnv) -> Result<Found, XtraError>,
}

impl Lookup {
    /// A step that looks by this function.
    #[must_use]
    pub const fn new(find: fn(&ProcessEnv) -> Result<Result<Resolved, String>, XtraError>) -> Self {
        Self { find }
    }
}

/// The steps that a token is looked for in, and what the program gives to some of them.
///
/// ```
/// use xtrasecurity::credentials::{Chain, ChainPosition, ProcessEnv, Step};
///
/// const STEPS: &[Step] = &[Step::Explicit, Step::Variable("ACME_TOKEN"), Step::Custom(ChainPosition::Last)];
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let env = ProcessEnv::of_variables([("ACME_TOKEN", "acme_0123456789")]);
/// let found = Chain::new(STEPS).resolve(&env)?;
/// assert_eq!(found.origin(), "ACME_TOKEN");
///
/// let nothing = ProcessEnv::of_variables([("ACME_TOKEN", "")]);
/// let error = Chain::new(STEPS).resolve(&nothing).unwrap_err();
/// assert!(error.to_string().contains("the program: gives none; ACME_TOKEN: empty"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Chain {
    steps: &'static [Step],
    explicit: Option<SecretValue>,
    custom: Vec<(ChainPosition, Arc<dyn CredentialProvider>)>,
}

/// A provider, and where the [`Chain`] has found it.
#[derive(Clone)]
pub struct Resolved {
    provider: Arc<dyn CredentialProvider>,
    origin: Cow<'static, str>,
    store: Option<Option<Sourced>>,
    bound: Option<Sourced>,
}

impl Resolved {
    /// A provider that was found in `origin`, as messages name it.
    pub fn new(provider: Arc<dyn CredentialProvider>, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { provider, origin: origin.into(), store: None, bound: None }
    }

    /// A token that belongs to the base URL recorded beside it, or to the service's own where none is.
    #[must_use]
    pub fn belonging_to(mut self, base_url: Option<Sourced>) -> Self {
        self.store = Some(base_url);
        self
    }

    /// A token that goes to this base URL, which its [provider](CredentialProvider::base_url) names.
    #[must_use]
    pub fn bound_to(mut self, base_url: Option<Sourced>) -> Self {
        self.bound = base_url;
        self
    }

    /// The base URL that the provider names, if it does.
    pub(super) fn bound(&self) -> Option<&Sourced> {
        self.bound.as_ref()
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> Arc<dyn CredentialProvider> {
        Arc::clone(&self.provider)
    }

    /// The step that had it, as messages name it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// For a token of a [store](TokenStore): the base URL recorded beside it, `Some(None)` when none is. `None` for any other.
    #[must_use]
    pub fn stored_with(&self) -> Option<Option<&Sourced>> {
        self.store.as_ref().map(Option::as_ref)
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What messages call a provider that the program brings.
const CUSTOM: &str = "a provider of the program's own";

/// A provider, or what was seen in its place.
type Found = Result<Resolved, String>;

impl Chain {
    /// A chain of these steps.
    #[must_use]
    pub const fn new(steps: &'static [Step]) -> Self {
        Self { steps, explicit: None, custom: Vec::new() }
    }

    /// The token that the program gives, if it gives one. An empty one fails [`resolve`](Self::resolve).
    #[must_use]
    pub fn token(mut self, token: Option<SecretValue>) -> Self {
        self.explicit = token;
        self
    }

    /// A provider of the program's own. Of several at one position the first is used.
    #[must_use]
    pub fn provider(mut self, position: ChainPosition, provider: Arc<dyn CredentialProvider>) -> Self {
        self.custom.push((position, provider));
        self
    }

    /// A provider of the program's own that comes before all of these.
    #[allow(dead_code, reason = "for services with other credentials than a token")]
    pub(crate) fn first(mut self, provider: Arc<dyn CredentialProvider>) -> Self {
        self.custom.insert(0, (ChainPosition::First, provider));
        self
    }

    /// Whether the program gives a token.
    pub(crate) fn has_token(&self) -> bool {
        self.explicit.is_some()
    }

    /// The first token found.
    ///
    /// A step with nothing in it is passed over, and so is a file that cannot be used, with a warning. A text that is there and
    /// cannot be a token, or one that has expired, is an error at once: going on could act as somebody else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`], which says what each step had when none has a token.
    pub fn resolve(&self, env: &ProcessEnv) -> Result<Resolved, XtraError> {
        let mut seen = Vec::new();
        for step in self.steps {
            match self.look(step, env)? {
                Some(Ok(resolved)) => {
                    tracing::debug!(target: events::CREDENTIALS, place = resolved.origin(), "a token was found");
                    return Ok(resolved);
                }
                Some(Err(saw)) => seen.push(saw),
                None => {}
            }
        }
        let message = format!("no token was found. Looked at {}", seen.join("; "));
        Err(XtraError::new(ErrorKind::Credentials, message).with_hint(self.give_token()))
    }

    fn give_token(&self) -> Hint {
        let variable = self.steps.iter().find_map(|step| match step {
            Step::Variable(variable) => Some(Hint::GiveToken { variable }),
            _ => None,
        });
        variable.unwrap_or_else(|| Hint::advice("Give the program a token"))
    }

    /// `None` is a step that is not there.
    fn look(&self, step: &Step, env: &ProcessEnv) -> Result<Option<Found>, XtraError> {
        match step {
            Step::Explicit => self.explicit().map(Some),
            Step::Variable(name) => match env.var(name) {
                Ok(text) => from_text(text.map(SecretValue::new), name, "not set").map(Some),
                Err(NotUnicode) => Err(Flaw::NotAscii.error(name)),
            },
            Step::Store(store) => from_store(store, env).map(Some),
            Step::Lookup(Lookup { find }) => find(env).map(Some),
            Step::Custom(position) => {
                let custom = self.custom.iter().find(|(at, _)| at == position);
                Ok(custom.map(|(_, provider)| {
                    let base_url = provider.base_url().map(|url| Sourced::new(url, CUSTOM));
                    Ok(Resolved::new(Arc::clone(provider), CUSTOM).bound_to(base_url))
                }))
            }
        }
    }

    fn explicit(&self) -> Result<Found, XtraError> {
        let Some(secret) = self.explicit.clone() else {
            return Ok(Err("the program: gives none".to_owned()));
        };
        if secret.is_empty() {
            // going on to the environment would use an account that the program did not mean
            return Err(XtraError::new(ErrorKind::Credentials, "the given token is empty, and no other is looked for")
                .with_hint(Hint::LeaveOut { option: "token" }));
        }
        let token = Token::checked(secret).map_err(|flaw| flaw.error("the given token"))?;
        token.ensure_live(SystemTime::now(), "the program")?;
        Ok(Ok(Resolved::new(Arc::new(StaticToken::found(token, "the program")), "the token option")))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let custom: Vec<_> = self.custom.iter().map(|(position, _)| position).collect();
        f.debug_struct("Chain")
            .field("steps", &self.steps)
            .field("explicit", &self.explicit)
            .field("custom", &custom)
            .finish()
    }
}

fn from_text(text: Option<SecretValue>, place: &'static str, absent: &str) -> Result<Found, XtraError> {
    let Some(secret) = text else {
        return Ok(Err(format!("{place}: {absent}")));
    };
    if secret.is_empty() {
        return Ok(Err(format!("{place}: empty")));
    }
    let token = Token::checked(secret).map_err(|flaw| flaw.error(place))?;
    token.ensure_live(SystemTime::now(), place)?;
    Ok(Ok(Resolved::new(Arc::new(StaticToken::found(token, place)), place)))
}

fn from_store(store: &TokenStore, env: &ProcessEnv) -> Result<Found, XtraError> {
    let name = store.name(env);
    match store.open(env) {
        Some(Ok((provider, base_url))) => {
            provider.ensure_live()?;
            Ok(Ok(Resolved::new(Arc::new(provider), name).belonging_to(base_url)))
        }
        Some(Err(Miss::Flawed(flaw))) => Err(flaw.error(&format!("the token in {name}"))),
        Some(Err(miss)) => {
            if matches!(&miss, Miss::File(why) if !matches!(why, FileError::Missing)) {
                tracing::warn!(target: events::CREDENTIALS, "no token from {name}: {miss}");
            }
            Ok(Err(format!("{name}: {miss}")))
        }
        None => Ok(Err(format!("{name}: no home directory is known"))),
    }
}
