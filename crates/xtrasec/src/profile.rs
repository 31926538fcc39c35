//! Named profiles: tokens that are stored beside the default one, each with the service that it is for.

use xtrasecurity::SecretValue;

use crate::failure::Failure;
use crate::options::Global;
use crate::text::quoted;
use crate::token_store::{NAME, TokenStore};

/// A stored token and the base URL that it goes to.
pub(crate) struct Profile {
    pub(crate) token: SecretValue,
    pub(crate) api_url: String,
}

/// The profile that was asked for, if one was.
pub(crate) fn chosen(global: &Global) -> Result<Option<Profile>, Failure> {
    let Some(name) = &global.profile else { return Ok(None) };
    let store = TokenStore::open()?;
    match store.profile(name) {
        Some(profile) => Ok(Some(profile)),
        None => {
            let shown = quoted([name.as_str()]);
            let known = match store.profiles().collect::<Vec<_>>() {
                names if names.is_empty() => format!("{NAME} has none"),
                names => format!("{NAME} has {}", quoted(names)),
            };
            Err(Failure::usage(format!(
                "there is no profile {shown}: {known}. `xtrasec login --profile NAME` makes one"
            )))
        }
    }
}
