//! A service with everything planted in it, and clients of it.

use std::time::Duration;

use xtrasecurity::dev_server::{
    DevServer, Form, ProjectSeed, RateLimits, Role, SecretSeed, ServiceAccountSeed, UserSeed,
};
use xtrasecurity::{XtraClient, XtraClientBuilder};

use crate::planted::{BRANCH, ENVIRONMENT, KEY, PROJECT, SHORT_TOKEN, TOKEN, VALUE};

/// An environment whose values cannot be read.
pub const BROKEN: &str = "magpie-broken";
pub const VIEWER_TOKEN: &str = "xs_canary_of_the_viewer_0123456789abcdef01234567";
pub const ACCOUNT_TOKEN: &str = "xs_canary_of_the_account_0123456789abcdef0123456";

pub async fn server() -> DevServer {
    let project = ProjectSeed::new("magpie")
        .id(PROJECT)
        .owner("owner")
        .branch(BRANCH)
        .member("viewer", Role::Viewer)
        .member("short", Role::Developer)
        .secret(ENVIRONMENT, KEY, VALUE)
        .with_secret(SecretSeed::new(ENVIRONMENT, KEY, VALUE).on_branch(BRANCH))
        .with_secret(SecretSeed::new(BROKEN, KEY, VALUE).form(Form::Undecryptable))
        .service_account(ServiceAccountSeed::new("account", ["read:secrets"]).token(ACCOUNT_TOKEN));
    DevServer::builder()
        .user(UserSeed::new("owner").token(TOKEN))
        .user(UserSeed::new("viewer").token(VIEWER_TOKEN))
        .user(UserSeed::new("short").token(SHORT_TOKEN))
        .project(project)
        .rate_limits(RateLimits::off())
        .start()
        .await
        .unwrap()
}

/// A client that does not repeat and does not wait for long.
pub fn impatient() -> XtraClientBuilder {
    XtraClient::builder()
        .token(TOKEN)
        .project_id(PROJECT)
        .max_retries(0)
        .call_timeout(Duration::from_secs(10))
        .cache(false)
}

pub fn client(server: &DevServer) -> XtraClient {
    impatient().api_url(server.url()).build().unwrap()
}
