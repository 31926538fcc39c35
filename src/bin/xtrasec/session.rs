//! The client that the options describe, and the one set of secrets that most commands are about.

use std::sync::Arc;

use xtrasecurity::{Secrets, SnapshotSource, UnreadableReason, XtraClient, XtraClientBuilder};

use crate::arguments::{Choice, Global, full_environment_name};
use crate::failure::Failure;
use crate::output;

/// A client and the environment that was asked for.
pub(crate) struct Session {
    pub(crate) client: XtraClient,
    environment: Option<String>,
}

/// The builder with what was given on the command line.
pub(crate) fn builder(global: &Global) -> XtraClientBuilder {
    let mut builder = XtraClient::builder();
    if let Some(name) = &global.env {
        builder = builder.environment(full_environment_name(name));
    }
    if let Some(name) = &global.branch {
        builder = builder.branch(name);
    }
    if let Some(id) = &global.project {
        builder = builder.project_id(id);
    }
    if let Some(url) = &global.api_url {
        builder = builder.api_url(url);
    }
    builder
}

impl Session {
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let client = builder(global).build()?;
        let environment = client.default_environment().map(str::to_owned);
        Ok(Self { client, environment })
    }

    /// The environment to read. Guessing one would be guessing which database a program connects to.
    pub(crate) fn environment(&self) -> Result<&str, Failure> {
        self.environment.as_deref().ok_or_else(|| {
            Failure::usage("no environment was given. Add --env NAME, or put \"env\" into .xtrarc in this directory")
        })
    }

    /// The secrets, all of which can be read.
    pub(crate) async fn secrets(&self) -> Result<Arc<Secrets>, Failure> {
        let secrets = self.client.get_secrets(self.environment()?).await?;
        tell_source(&secrets);
        Ok(secrets)
    }

    /// The secrets that can be read, and the names of those that cannot.
    pub(crate) async fn readable(&self) -> Result<Arc<Secrets>, Failure> {
        let secrets = self.client.get_secrets(self.environment()?).allow_unreadable().await?;
        tell_source(&secrets);
        Ok(secrets)
    }

    /// The secrets, of which all those chosen can be read.
    pub(crate) async fn chosen(&self, choice: &Choice) -> Result<Arc<Secrets>, Failure> {
        if choice.only.is_empty() && choice.except.is_empty() {
            return self.secrets().await;
        }
        let secrets = self.readable().await?;
        let hidden = secrets.unreadable().iter().find(|secret| choice.takes(&secret.name));
        for name in choice.only.iter().filter(|name| choice.takes(name)).chain(hidden.map(|secret| &secret.name)) {
            secrets.require(name)?;
        }
        Ok(secrets)
    }
}

/// Values that are not the service's should surprise nobody.
pub(crate) fn tell_source(secrets: &Secrets) {
    if secrets.source() == SnapshotSource::LocalFile {
        output::note("local mode: the secrets are those of .env.local");
    }
}

/// Why a value cannot be had, in a word or two.
pub(crate) fn why(reason: UnreadableReason) -> &'static str {
    match reason {
        UnreadableReason::Masked => "masked: names only for this token",
        UnreadableReason::ServerCiphertext => "the service cannot decrypt it",
        UnreadableReason::ClientEnvelope => "encrypted by a client",
        _ => "cannot be read",
    }
}

/// An environment without secrets looks like one that does not exist.
pub(crate) fn nothing_there(what: &str) -> String {
    format!("{what} holds no secrets; an environment or branch that does not exist looks the same. Check both names")
}
