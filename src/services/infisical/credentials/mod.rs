//! Infisical's credentials and settings: variables, files, methods of authentication, and what each platform gives for them.

mod auth;
mod aws;
mod aws_profile;
mod branch;
mod chain;
mod gcp_key;
mod id_token;
mod jwe;
mod login_file;
mod metadata;
#[cfg(feature = "keyring")]
mod os_keyring;
mod settings;
#[cfg(test)]
mod tests;
mod workload;

pub use auth::Auth;
pub(super) use chain::{STEPS, base_url_of_login};
pub use id_token::IdToken;
pub use settings::DEFAULT_BASE_URL;
pub(super) use settings::Settings;
