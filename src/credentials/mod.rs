//! Where the token comes from, and the defaults that stand beside it.
//!
//! The transport asks a [`CredentialProvider`] for the token at every attempt, so a token can change while a client lives.
//! Without one of the program's own, [`resolve`] looks through the usual places and takes the first that has a token.

mod chain;
mod defaults;
mod expiry;
pub(crate) mod file;
mod static_token;
mod surroundings;
mod token_file;

#[cfg(test)]
use crate::http::jwt;
use crate::http::{CredentialProvider, TokenFuture, token};

pub use chain::Place;
pub use static_token::StaticToken;
pub use token_file::FileToken;

pub(crate) use chain::{CustomProvider, Resolved, UserSettings, resolve};
pub(crate) use defaults::{Defaults, Located, Passphrase};
pub(crate) use surroundings::Surroundings;
