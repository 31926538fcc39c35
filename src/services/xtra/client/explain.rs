//! The explanation of a builder: the settings that a client would have, and where each was found.

use crate::core::{SecretValue, XtraError};
use crate::credentials::{Configuration, ProcessEnv, Setting, Sourced};
use crate::services::client_builder::ClientBuilder;
use crate::services::xtra::credentials::Defaults;
use crate::services::xtra::{ProjectIds, Xtra, check_branch, check_environment, shown};

/// Why neither a token nor a base URL is needed.
const LOCAL: &str = "local mode is on: a file is read instead of the service";

/// A setting that is a name or an id. What was given in its place by mistake may be a token.
fn named(setting: &'static str, found: Sourced, check: impl FnOnce(&str) -> Result<(), XtraError>) -> Setting {
    let problem = check(&found.value).err();
    Setting::new(setting, found.map(|name| shown(&name).into_owned())).with_problem(problem)
}

impl<M> ClientBuilder<Xtra, M> {
    /// What [`build`](Self::build) would make a client of, and where each part was found. It never fails, and sends nothing.
    ///
    /// The settings are `token`, `project`, `environment`, `branch`, `api_url`, in this order; then `vault_passphrase`, when
    /// there is one or it is needed; then `offline`, when the builder was given that option.
    ///
    /// ```
    /// use xtrasecurity::XtraClient;
    ///
    /// let configuration = XtraClient::builder().token("xs_example").explain();
    /// let token = configuration.get("token").unwrap();
    /// assert_eq!((token.shown(), token.origin()), (Some("[REDACTED]"), "the token option"));
    /// ```
    #[must_use]
    pub fn explain(&self) -> Configuration {
        self.explain_in(&ProcessEnv::current())
    }

    pub(super) fn explain_in(&self, env: &ProcessEnv) -> Configuration {
        let (defaults, problems) = Defaults::load_lenient(env);
        let is_local = matches!(self.local_file_in(env), Ok(Some(_)));
        // in local mode no base URL is asked, so none is wrong
        let base_url = match is_local {
            true => Setting::absent("api_url", LOCAL),
            false => self.base_url_setting(&defaults, env),
        };
        let ids = base_url.shown().map_or_else(|| self.local_ids(&defaults), ProjectIds::of);
        let option = |value: &Option<String>, name| Sourced::option(value.as_deref(), name);
        let project = match option(&self.own.project_id, "project_id").or(defaults.project.clone()) {
            Some(found) => named("project", found, |id| ids.checked(id).map(drop)),
            None => Setting::absent("project", "a service account's token knows its project"),
        };
        let environment = match option(&self.own.environment, "environment").or(defaults.environment.clone()) {
            Some(found) => named("environment", found, check_environment),
            None => Setting::absent("environment", "each call names its own"),
        };
        let branch = option(&self.own.branch, "branch")
            .or(defaults.branch.clone())
            .unwrap_or_else(|| Sourced::new("main", "default"));
        let branch = named("branch", branch, |name| check_branch(name).map(drop));
        let mut settings = vec![self.token_setting(env), project, environment, branch, base_url];
        settings.extend(self.passphrase_setting(is_local, defaults.passphrase.as_ref()));
        #[cfg(feature = "offline")]
        settings.extend(self.offline_setting(env));
        // Which settings these would have given cannot be told; the texts name the variable or the file.
        let unread = |problem| Setting::absent("surroundings", "variables and .xtrarc").with_problem(Some(problem));
        settings.extend(problems.into_iter().map(unread));
        settings.into_iter().collect()
    }

    fn token_setting(&self, env: &ProcessEnv) -> Setting {
        match self.local_file_in(env) {
            Ok(None) => match self.chain.resolve(env) {
                Ok(resolved) => Setting::redacted("token", resolved.origin().to_owned()),
                Err(problem) => Setting::absent("token", "the usual places were looked at").with_problem(Some(problem)),
            },
            Ok(Some(_)) => Setting::absent("token", LOCAL),
            Err(problem) => Setting::absent("token", "local mode").with_problem(Some(problem)),
        }
    }

    /// The base URL in its checked form: as it was given it could hold credentials.
    fn base_url_setting(&self, defaults: &Defaults, env: &ProcessEnv) -> Setting {
        // where the token was found matters only when nobody has named a base URL
        let is_named = self.base_url.is_some() || defaults.api_url.is_some();
        let token = if is_named { None } else { self.chain.resolve(env).ok() };
        let found = match self.base_url(defaults, token.as_ref(), env) {
            Ok(found) => found,
            Err(problem) => {
                let file = defaults.api_url_in_file.as_ref().map(|file| file.origin.clone());
                return Setting::absent("api_url", file.unwrap_or_default()).with_problem(Some(problem));
            }
        };
        match self.root(&found) {
            Ok(base) => Setting::new("api_url", found.map(|_| base.as_str().to_owned())),
            Err(problem) => Setting::absent("api_url", found.origin).with_problem(Some(problem)),
        }
    }

    /// Where the passphrase comes from, when there is one or it is needed.
    fn passphrase_setting(&self, is_local: bool, found: Option<&Sourced<SecretValue>>) -> Option<Setting> {
        const NAME: &str = "vault_passphrase";
        let given = self.own.vault_passphrase.clone().map(|given| Sourced::new(given, "the vault_passphrase option"));
        let passphrase = given.or(found.cloned());
        if passphrase.is_none() && !self.own.rules.seal_writes {
            return None;
        }
        if is_local {
            return Some(Setting::absent(NAME, LOCAL));
        }
        let setting = match passphrase.filter(|found| !found.value.is_empty()) {
            Some(found) => Setting::redacted(NAME, found.origin),
            None => Setting::absent(NAME, "the option and the variables were looked at"),
        };
        Some(setting.with_problem(self.vault(found).err()))
    }

    /// Where copies are kept, when that was asked for.
    #[cfg(feature = "offline")]
    fn offline_setting(&self, env: &ProcessEnv) -> Option<Setting> {
        let options = self.engine.offline.as_ref()?;
        if !matches!(self.local_file_in(env), Ok(None)) {
            return Some(Setting::absent("offline", LOCAL));
        }
        // that there is no token is told already
        let lasts = self.chain.resolve(env).map_or(true, |found| found.provider().lasting_token().is_some());
        let directory = Sourced::new(options.directory.display().to_string(), "the offline option");
        Some(Setting::new("offline", directory).checked(|_| options.check(lasts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::xtra::credentials::DEFAULT_API_URL;
    use crate::{XtraClient, XtraClientBuilder};

    const PROJECT: &str = "665f1c2ab7c0de0012345678";

    fn find(builder: &XtraClientBuilder, variables: &[(&str, &str)]) -> Configuration {
        builder.explain_in(&ProcessEnv::of(variables))
    }

    #[test]
    fn each_setting_tells_where_it_was_found_and_the_token_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".xtrarc"), r#"{"env":"stg","branch":"b1"}"#).unwrap();
        let variables = [("XTRA_TOKEN", "canary-token"), ("XTRA_PROJECT_ID", PROJECT)];
        let configuration = XtraClient::builder().explain_in(&ProcessEnv::of(&variables).with_working_dir(dir.path()));
        let shown: Vec<_> = configuration.settings().iter().map(|s| (s.name(), s.shown(), s.origin())).collect();
        let expected = [
            ("token", Some("[REDACTED]"), "XTRA_TOKEN"),
            ("project", Some(PROJECT), "XTRA_PROJECT_ID"),
            ("environment", Some("staging"), ".xtrarc (env)"),
            ("branch", Some("b1"), ".xtrarc (branch)"),
            ("api_url", Some(DEFAULT_API_URL), "default"),
        ];
        assert_eq!(shown, expected);
        assert!(configuration.is_usable());
        assert!(!format!("{configuration} {configuration:?}").contains("canary"));
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let builder = XtraClient::builder().api_url("https://canary:canary@host/api").project_id("..");
        let configuration = find(&builder, &[]);
        let wrong: Vec<_> =
            configuration.settings().iter().filter(|s| s.problem().is_some()).map(Setting::name).collect();
        assert_eq!(wrong, ["token", "project", "api_url"]);
        assert!(!configuration.is_usable());
        assert!(!format!("{configuration} {configuration:?}").contains("canary"));
    }

    #[test]
    fn what_cannot_be_read_is_a_problem_and_the_rest_is_still_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".xtrarc"), "{").unwrap();
        let variables = [("XTRA_PROJECT_ID", ProcessEnv::NOT_UNICODE), ("XTRA_API_URL", "https://host/api")];
        let env = ProcessEnv::of(&variables).with_working_dir(dir.path());
        let configuration = XtraClient::builder().token("t").branch("b2").explain_in(&env);
        assert!(!configuration.is_usable());
        assert_eq!(configuration.get("branch").and_then(Setting::shown), Some("b2"));
        assert_eq!(configuration.get("api_url").and_then(Setting::shown), Some("https://host/api"));
        let problems: Vec<_> = configuration.settings().iter().filter_map(Setting::problem).collect();
        assert_eq!(problems.len(), 2);
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(problems[0].contains("XTRA_PROJECT_ID") && problems[1].contains(".xtrarc"), "{problems:?}");
    }

    #[test]
    fn a_passphrase_tells_where_it_was_found_and_is_not_shown() {
        let shown = |builder: &XtraClientBuilder, variables: &[(&str, &str)]| {
            let configuration = find(builder, variables);
            assert!(!format!("{configuration} {configuration:?} {builder:?}").contains("canary"));
            let setting = configuration.get("vault_passphrase")?;
            Some(format!("{} from {}", setting.shown().unwrap_or("none"), setting.origin()))
        };
        let variable = [("XTRA_MASTER_SECRET", "canary")];
        let given = XtraClient::builder().vault_passphrase("canary");
        assert_eq!(shown(&XtraClient::builder(), &[]), None);
        assert_eq!(shown(&XtraClient::builder(), &variable).as_deref(), Some("[REDACTED] from XTRA_MASTER_SECRET"));
        assert_eq!(shown(&given, &variable).as_deref(), Some("[REDACTED] from the vault_passphrase option"));
        let local = format!("none from {LOCAL}");
        assert_eq!(shown(&given.local_file("secrets.env"), &variable), Some(local));
    }

    #[test]
    fn it_is_usable_exactly_when_a_client_can_be_built() {
        let builders: [fn() -> XtraClientBuilder; 12] = [
            XtraClient::builder,
            || XtraClient::builder().token("t"),
            || XtraClient::builder().token("t").project_id("x"),
            || XtraClient::builder().token(""),
            || XtraClient::builder().token("t").api_url("http://example.com"),
            || XtraClient::builder().local_file("secrets.env").token("").api_url("http://example.com"),
            || XtraClient::builder().local_file("secrets.env").project_id("x"),
            || XtraClient::builder().token("t").vault_passphrase("p").seal_writes(),
            || XtraClient::builder().token("t").vault_passphrase(""),
            || XtraClient::builder().token("t").seal_writes(),
            || XtraClient::builder().local_file("secrets.env").seal_writes(),
            || XtraClient::builder().local_file("secrets.env").vault_passphrase(""),
        ];
        for make in builders {
            let usable = find(&make(), &[]).is_usable();
            assert_eq!(usable, make().build_in(&ProcessEnv::of(&[])).is_ok());
        }
    }
}
