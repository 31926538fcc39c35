//! Infisical's credentials and settings: variables, files, methods of authentication, and what each platform gives for them.

mod auth;
mod aws;
mod chain;
mod gcp_key;
mod id_token;
mod jwe;
mod login;
mod login_file;
mod metadata;
mod settings;
mod workload;
