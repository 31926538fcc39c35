//! The building of a client: its options, completed by variables and files, and checked.

use std::path::PathBuf;
use std::time::Duration;

use crate::core::{ErrorKind, Hint, SecretValue, XtraError, events};
use crate::credentials::{ProcessEnv, Resolved, Sourced};
use crate::engine::Client;
use crate::http::BaseUrl;
use crate::services::client_builder::ClientBuilder;
use crate::services::xtra::credentials::{DEFAULT_API_URL, Defaults, local_file};
use crate::services::xtra::{
    LocalFile, ProjectIds, ROOT_SUFFIX, Scopes, Vault, Xtra, XtraProtocol, check_branch, check_environment,
    no_passphrase,
};

impl<M> ClientBuilder<Xtra, M> {
    /// The client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`] when no usable token is found, with what each place held; [`ErrorKind::Config`] or
    /// [`ErrorKind::Invalid`] when an option cannot be used, by name.
    pub fn build(self) -> Result<Client<Xtra, M>, XtraError> {
        self.build_in(&ProcessEnv::current())
    }

    pub(super) fn build_in(self, env: &ProcessEnv) -> Result<Client<Xtra, M>, XtraError> {
        let local_file = self.local_file_in(env)?;
        let defaults = Defaults::load(env)?;
        // where nothing can be written, nothing need be sealed
        let vault = if local_file.is_some() { Vault::default() } else { self.vault(defaults.passphrase.as_ref())? };
        let scopes = self.scopes(&defaults)?;
        self.transport.check()?;
        match local_file {
            Some(path) => self.over_file(path, scopes, &defaults),
            None => self.over_service(vault, scopes, &defaults, env),
        }
    }

    fn over_service(
        self,
        vault: Vault,
        scopes: Scopes,
        defaults: &Defaults,
        env: &ProcessEnv,
    ) -> Result<Client<Xtra, M>, XtraError> {
        let resolved = self.chain.resolve(env);
        let found = self.base_url(defaults, resolved.as_ref().ok(), env)?;
        let base = self.root(&found)?;
        check_project(&scopes, ProjectIds::of(&found.value))?;
        let resolve_references = self.own.resolve_references;
        let client = self.client_at(&base, XtraProtocol, resolved?.provider(), |transport, own| {
            let mut source = Xtra::new(transport, scopes).with_vault(vault);
            source.rules = own.rules;
            Ok(source)
        })?;
        Ok(client.resolve_references(resolve_references))
    }

    fn over_file(mut self, path: PathBuf, scopes: Scopes, defaults: &Defaults) -> Result<Client<Xtra, M>, XtraError> {
        let ids = self.local_ids(defaults);
        check_project(&scopes, ids)?;
        if self.own.local_file.is_none() {
            // secrets that come from another place than the program's code tells should surprise nobody
            let unused = match self.chain.has_token() || self.base_url.is_some() {
                true => "; the token and base URL that the program gives are not used",
                false => "",
            };
            tracing::warn!(
            target: events::SERVICE,
                           ?path,
                           "local mode is on (XTRA_LOCAL_MODE=true): secrets come from this file, not from the service{unused}"
                       );
        }
        // A file is read in no time: whoever has edited it need not be served what it held before.
        self.engine.cache.stale_while_revalidate = Duration::ZERO;
        #[cfg(feature = "offline")]
        self.engine.offline.take();
        let source = Xtra::in_file(LocalFile::new(path), scopes)?.with_ids(ids);
        let resolve_references = self.own.resolve_references;
        Ok(self.client_of(source)?.resolve_references(resolve_references))
    }

    /// The file to read, when local mode is on: by an option, or by whoever started the program.
    pub(super) fn local_file_in(&self, env: &ProcessEnv) -> Result<Option<PathBuf>, XtraError> {
        self.own.local_file.clone().map_or_else(|| local_file(env), |path| Ok(Some(path)))
    }

    fn scopes(&self, defaults: &Defaults) -> Result<Scopes, XtraError> {
        let chosen = |option: &Option<String>, found: &Option<Sourced>| {
            option.clone().or_else(|| found.as_ref().map(|found| found.value.clone()))
        };
        let scopes = Scopes {
            project: chosen(&self.own.project_id, &defaults.project),
            branch: chosen(&self.own.branch, &defaults.branch),
            environment: chosen(&self.own.environment, &defaults.environment),
        };
        scopes.branch.as_deref().map(check_branch).transpose()?;
        scopes.environment.as_deref().map(check_environment).transpose()?;
        Ok(scopes)
    }

    /// The base URL to use. `token` is what was found, if any was.
    pub(super) fn base_url(
        &self,
        defaults: &Defaults,
        token: Option<&Resolved>,
        env: &ProcessEnv,
    ) -> Result<Sourced, XtraError> {
        defaults.base_urls(Sourced::option(self.base_url.as_deref(), "api_url"), env).choose(token)
    }

    /// A base URL in its checked form.
    pub(super) fn root(&self, found: &Sourced) -> Result<BaseUrl, XtraError> {
        self.checked_base_url(&found.value, ROOT_SUFFIX).map_err(|error| found.explained(error))
    }

    /// The form of the project ids in local mode: that of the service whose place the file takes.
    pub(super) fn local_ids(&self, defaults: &Defaults) -> ProjectIds {
        let found = defaults.api_url.as_ref().or(defaults.api_url_in_file.as_ref());
        let named = self.base_url.as_deref().or(found.map(|found| found.value.as_str()));
        ProjectIds::of(named.unwrap_or(DEFAULT_API_URL))
    }

    /// What the client opens and seals with, by what was given and found.
    pub(super) fn vault(&self, found: Option<&Sourced<SecretValue>>) -> Result<Vault, XtraError> {
        let passphrase = match &self.own.vault_passphrase {
            Some(given) if given.is_empty() => {
                // going on to the environment would use a passphrase that the program did not mean
                return Err(XtraError::new(ErrorKind::Config, "the vault_passphrase option is empty")
                    .with_hint(Hint::LeaveOut { option: "vault_passphrase" }));
            }
            Some(given) => Some(given),
            None => found.map(|found| &found.value),
        };
        if passphrase.is_none() && self.own.rules.seal_writes {
            return Err(no_passphrase());
        }
        Ok(Vault::new(passphrase.cloned()))
    }
}

fn check_project(scopes: &Scopes, ids: ProjectIds) -> Result<(), XtraError> {
    scopes.project.as_deref().map_or(Ok(()), |id| ids.checked(id).map(drop))
}

#[cfg(test)]
mod base_url_tests;
#[cfg(test)]
mod vault_tests;
