//! Services other than XtraSecurity: the option that names one, and sessions with it.

use clap::Args;
use xtrasecurity::request::Read;
use xtrasecurity::{OfflineOptions, Request, Secrets};

use super::Service;
use crate::failure::Failure;
use crate::options::Global;
use crate::session::{Session, Words, not_read};

/// The option that says whose the secrets are, and those that only one service has.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// The service that holds the secrets, for run, get, list and export. Credentials and defaults come from its own variables and
    /// files. infisical: environments are given by their slugs; secr: --project is ORG/PROJECT; syvault: --env is the uid of a
    /// secret, or FOLDER_ID/TITLE, and its fields are the secrets
    #[arg(long, global = true, value_name = "NAME", value_enum)]
    service: Option<Service>,
    /// The folder, of infisical [default: INFISICAL_SECRET_PATH, then .infisical.json, then /]
    #[cfg(feature = "infisical")]
    #[arg(long, global = true, value_name = "PATH", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    path: Option<String>,
}

impl Options {
    pub(crate) fn service(&self) -> Service {
        self.service.unwrap_or_default()
    }

    fn has_path(&self) -> bool {
        #[cfg(feature = "infisical")]
        return self.path.is_some();
        #[cfg(not(feature = "infisical"))]
        false
    }

    /// Whether another service is asked for, or an option of one; `check` refuses such an option without its service.
    pub(crate) fn is_asked(&self) -> bool {
        self.service() != Service::Xtrasecurity || self.has_path()
    }
}

/// Refuses what a service does not have, or this command not of it.
pub(crate) fn check(global: &Global, reads: bool) -> Result<(), Failure> {
    let options = &global.service;
    let (name, has_folders) = match options.service() {
        Service::Xtrasecurity => ("xtrasecurity", false),
        #[cfg(feature = "infisical")]
        Service::Infisical => ("infisical", true),
        #[cfg(feature = "secr")]
        Service::Secr => ("secr", false),
        #[cfg(feature = "syvault")]
        Service::Syvault => ("syvault", false),
    };
    let refusal = match global {
        _ if options.service.is_none() => "--path needs --service infisical".to_owned(),
        _ if options.has_path() && !has_folders => "--path is for --service infisical".to_owned(),
        _ if !reads => format!("--service {name} is for run, get, list and export"),
        Global { branch: Some(_), .. } => format!("{name} has no branches: leave --branch out"),
        Global { profile: Some(_), .. } => "profiles hold tokens of xtrasecurity: leave --profile out".to_owned(),
        _ => return Ok(()),
    };
    Err(Failure::usage(refusal))
}

/// Copies on disk, when they are wanted.
fn copies(offline: bool) -> Result<Option<OfflineOptions>, Failure> {
    Ok(if offline { Some(OfflineOptions::in_user_cache()?) } else { None })
}

#[cfg(feature = "infisical")]
mod infisical {
    use xtrasecurity::error::Hint;
    use xtrasecurity::infisical::{Infisical, InfisicalClient, InfisicalScope};

    use super::{Failure, Global, Read, Request, Secrets, Session, Words, copies, not_read};

    const WORDS: Words = Words {
        ways_to_name_one: "Add --env NAME, or set INFISICAL_ENVIRONMENT",
        nothing: "what is in another folder is read with --path",
        look_at: "the environment and the folder (--path)",
        masked: "hidden: this identity may not read values; give its role the permission",
    };

    impl Session<Infisical> {
        pub(crate) fn infisical(global: &Global, offline: bool) -> Result<Self, Failure> {
            let mut builder = InfisicalClient::builder();
            if let Some(slug) = &global.env {
                builder = builder.environment(slug);
            }
            if let Some(path) = &global.service.path {
                builder = builder.path(path);
            }
            if let Some(id) = &global.project {
                builder = builder.project_id(id);
            }
            if let Some(url) = &global.api_url {
                builder = builder.base_url(url);
            }
            if let Some(options) = copies(offline)? {
                builder = builder.offline(options);
            }
            let client = builder.build().map_err(|error| {
                let is_given = error.hints().contains(&Hint::Correct { option: "base_url" });
                let failure = not_read(error);
                if is_given { failure.into_usage() } else { failure }
            })?;
            let environment = client.default_environment().map(str::to_owned);
            Ok(Self::of(client, environment, &WORDS))
        }
    }

    crate::service::readable_with_references!(Infisical, InfisicalScope);
}

#[cfg(feature = "secr")]
mod secr {
    use xtrasecurity::secr::{Secr, SecrClient, SecrScope};

    use super::{Failure, Global, Read, Request, Secrets, Session, Words, copies, not_read};

    const WORDS: Words = Words {
        ways_to_name_one: "Add --env NAME",
        nothing: "check the organisation, the project and the environment",
        look_at: "the organisation, the project and the environment",
        masked: "masked: this token may see names only",
    };

    impl Session<Secr> {
        /// Its environments are named with the organisation and the project.
        pub(crate) fn secr(global: &Global, offline: bool) -> Result<Self, Failure> {
            let place = global.project.as_deref().filter(|text| text.split('/').count() == 2);
            let place = place.ok_or_else(|| Failure::usage("secr needs --project ORG/PROJECT, which are two slugs"))?;
            let environment = global.env.as_ref().map(|slug| format!("{place}/{slug}"));
            let mut builder = SecrClient::builder();
            if let Some(url) = &global.api_url {
                builder = builder.api_url(url);
            }
            if let Some(options) = copies(offline)? {
                builder = builder.offline(options);
            }
            Ok(Self::of(builder.build().map_err(not_read)?, environment, &WORDS))
        }
    }

    impl crate::service::Readable for Secr {
        fn scope(named: &str) -> SecrScope<'_> {
            let mut parts = named.splitn(3, '/');
            let mut next = || parts.next().unwrap_or_default();
            SecrScope::new(next(), next(), next())
        }

        fn resolved(_: Request<'_, Self, Read>) -> Result<Request<'_, Self, Read>, Failure> {
            Err(Failure::usage("secr has no references: leave --resolve out"))
        }

        fn references(_: &Secrets) -> Vec<&str> {
            Vec::new()
        }
    }
}

#[cfg(feature = "syvault")]
mod syvault {
    use xtrasecurity::syvault::{SyVault, SyVaultClient, SyVaultScope};

    use super::{Failure, Global, Read, Request, Secrets, Session, Words, copies, not_read};

    const WORDS: Words = Words {
        ways_to_name_one: "Name a secret: --env UID, or --env FOLDER_ID/TITLE",
        nothing: "the secret is there and has no fields",
        look_at: "the secret that --env names",
        masked: "masked: this client may see names only",
    };

    impl Session<SyVault> {
        /// In the place of an environment there is a secret.
        pub(crate) fn syvault(global: &Global, offline: bool) -> Result<Self, Failure> {
            if global.project.is_some() {
                return Err(Failure::usage("syvault has no projects: leave --project out"));
            }
            let mut builder = SyVaultClient::builder();
            if let Some(url) = &global.api_url {
                builder = builder.server(url);
            }
            if let Some(options) = copies(offline)? {
                builder = builder.offline(options);
            }
            Ok(Self::of(builder.build().map_err(not_read)?, global.env.clone(), &WORDS))
        }
    }

    impl crate::service::Readable for SyVault {
        fn scope(named: &str) -> SyVaultScope<'_> {
            match named.split_once('/') {
                Some((folder, title)) => SyVaultScope::titled(folder, title),
                None => SyVaultScope::secret(named),
            }
        }

        fn resolved(_: Request<'_, Self, Read>) -> Result<Request<'_, Self, Read>, Failure> {
            Err(Failure::usage("syvault has no references: leave --resolve out"))
        }

        fn references(_: &Secrets) -> Vec<&str> {
            Vec::new()
        }
    }
}
