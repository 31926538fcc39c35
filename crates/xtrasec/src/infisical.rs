//! Secrets of Infisical, for the commands that read: which options say where they are.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use xtrasecurity::OfflineOptions;
use xtrasecurity::error::Hint;
use xtrasecurity::infisical::{Infisical, InfisicalClient};

use crate::failure::Failure;
use crate::options::Global;
use crate::session::{Session, not_read};

/// Options that say that the secrets are Infisical's, and in which folder.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// The service that holds the secrets, for run, get, list and export. Of infisical, credentials and defaults come from
    /// INFISICAL_* and .infisical.json, and environments are given by their slugs
    #[arg(long, global = true, value_name = "NAME", value_enum)]
    service: Option<Service>,
    /// The folder, of infisical [default: INFISICAL_SECRET_PATH, then .infisical.json, then /]
    #[arg(long, global = true, value_name = "PATH", value_parser = NonEmptyStringValueParser::new())]
    path: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Service {
    Xtrasecurity,
    Infisical,
}

impl Options {
    /// Whether anything here is for Infisical; `check` refuses a folder without the service.
    pub(crate) fn is_asked(&self) -> bool {
        self.service == Some(Service::Infisical) || self.path.is_some()
    }
}

/// Refuses what Infisical does not have, or this command not of it.
pub(crate) fn check(global: &Global, reads: bool) -> Result<(), Failure> {
    let refusal = match global {
        Global { infisical: Options { service: Some(Service::Xtrasecurity), .. }, .. } => {
            "--path is for --service infisical"
        }
        _ if !reads => "--service infisical is for run, get, list and export",
        Global { infisical: Options { service: None, .. }, .. } => "--path needs --service infisical",
        Global { branch: Some(_), .. } => "infisical has no branches: leave --branch out",
        Global { profile: Some(_), .. } => "profiles hold tokens of xtrasecurity: leave --profile out",
        _ => return Ok(()),
    };
    Err(Failure::usage(refusal))
}

/// A session with Infisical; `offline` with copies on disk for the time when it cannot be reached.
pub(crate) fn open(global: &Global, offline: bool) -> Result<Session<Infisical>, Failure> {
    let mut builder = InfisicalClient::builder();
    if let Some(slug) = &global.env {
        builder = builder.environment(slug);
    }
    if let Some(path) = &global.infisical.path {
        builder = builder.path(path);
    }
    if let Some(id) = &global.project {
        builder = builder.project_id(id);
    }
    if let Some(url) = &global.api_url {
        builder = builder.base_url(url);
    }
    if offline {
        builder = builder.offline(OfflineOptions::in_user_cache()?);
    }
    builder.build().map(Session::of_infisical).map_err(|error| {
        let is_given = error.hints().contains(&Hint::Correct { option: "base_url" });
        let failure = not_read(error);
        if is_given { failure.into_usage() } else { failure }
    })
}
