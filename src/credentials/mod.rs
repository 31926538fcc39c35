//! Tokens and settings: where a client finds its token, its base URL and the defaults of its calls.
//!
//! The transport asks a [`CredentialProvider`] for the token at every attempt, so a token can change while a client lives. A
//! [`Chain`] looks for one: its steps are data, so that a service says in a few lines which variables and files it knows.
//! [`BaseUrls`] holds the rule that a token goes only to a base URL that its giver named.
//!
//! A client of this crate does all of this by itself. This module is for those who build one over a service of their own:
//!
//! ```
//! use xtrasecurity::XtraError;
//! use xtrasecurity::credentials::{BaseUrls, Chain, ChainPosition, ProcessEnv, Sourced, Step};
//!
//! /// The program's token, one variable, or a provider of the program's own.
//! const STEPS: &[Step] = &[Step::Explicit, Step::Variable("ACME_TOKEN"), Step::Custom(ChainPosition::Last)];
//!
//! fn main() -> Result<(), XtraError> {
//! #   let current = || ProcessEnv::of_variables([("ACME_TOKEN", "acme_0123"), ("ACME_URL", "https://own.example")]);
//! #   /*
//!     let env = ProcessEnv::current();
//! #   */
//! #   let env = current();
//!     let token = Chain::new(STEPS).resolve(&env)?;
//!     let url = BaseUrls::new("https://acme.example").named(env.setting("ACME_URL")?).choose(Some(&token))?;
//!     assert_eq!((token.origin(), url.value.as_str()), ("ACME_TOKEN", "https://own.example"));
//!     Ok(())
//! }
//! ```

mod base_url;
mod chain;
mod configuration;
mod exchanged_token;
mod expiry;
pub(crate) mod file;
mod process_env;
pub(crate) mod settings;
mod static_token;
mod token_file;
mod token_store;

#[cfg(test)]
use crate::http::jwt;
use crate::http::token;

pub use crate::http::{CredentialProvider, Token, TokenFuture};
pub use base_url::BaseUrls;
pub use chain::{Chain, ChainPosition, Lookup, Resolved, Step};
pub use configuration::{Configuration, Setting};
pub use exchanged_token::{Exchanged, ExchangedToken};
pub use process_env::ProcessEnv;
pub use settings::{FileSettings, SettingsFile, SettingsReader, Sourced};
pub use static_token::StaticToken;
pub use token_file::FileToken;
pub use token_store::{StoreContents, TokenStore};
