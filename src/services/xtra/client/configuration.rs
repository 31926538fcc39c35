//! What a client would be made of, and where each part was found. For diagnosis: nothing is sent, and no token is shown.

use std::borrow::Cow;
use std::fmt;

use super::builder::local_ids;
use super::{XtraClientBuilder, base_url, local};
use crate::core::{SecretValue, XtraError};
use crate::credentials;
use crate::credentials::{Defaults, Located, Passphrase, Surroundings};
use crate::services::xtra::{ProjectIds, check_branch, check_environment};

/// What stands for a token or a passphrase.
const REDACTED: &str = "[REDACTED]";

/// Why neither a token nor a root is needed.
const LOCAL: &str = "local mode is on: a file is read instead of the service";

/// What a client would be made of: each setting, where it was found, and what is wrong with it.
///
/// Made by [`XtraClientBuilder::explain`]. `Display` writes a line for each setting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Configuration {
    settings: Vec<Setting>,
}

impl Configuration {
    /// The settings: `token`, `project`, `environment`, `branch`, `api_url`, in this order; then `vault_passphrase`, when there
    /// is one or it is needed; then `offline`, when the builder was given that option.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The setting of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// Whether no setting has a problem, so that a client can be built.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.settings.iter().all(|setting| setting.problem.is_none())
    }
}

/// One setting of a [`Configuration`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setting {
    name: &'static str,
    shown: Option<String>,
    origin: Cow<'static, str>,
    problem: Option<String>,
}

impl Setting {
    /// The setting's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is set to, `None` when it is not set. A token or a passphrase is shown as `[REDACTED]`.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// Where it was found: a variable, a file, an option of the builder, or `default`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Why it cannot be used.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    fn new(name: &'static str, found: Located) -> Self {
        Self { name, shown: Some(found.text), origin: found.origin, problem: None }
    }

    fn absent(name: &'static str, why: &'static str) -> Self {
        Self { name, shown: None, origin: why.into(), problem: None }
    }

    fn checked(mut self, check: impl FnOnce(&str) -> Result<(), XtraError>) -> Self {
        if let Some(Err(error)) = self.shown.as_deref().map(check) {
            self.problem = Some(error.to_string());
        }
        self
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown().unwrap_or("not set");
        write!(f, "{}: {shown} ({})", self.name, self.origin)?;
        match &self.problem {
            Some(problem) => write!(f, ": {problem}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.iter().try_for_each(|setting| writeln!(f, "{setting}"))
    }
}

impl<M> XtraClientBuilder<M> {
    /// What [`build`](Self::build) would make a client of, and where each part was found. It never fails, and sends nothing.
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
        self.explain_in(&Surroundings::process())
    }

    pub(super) fn explain_in(&self, surroundings: &Surroundings) -> Configuration {
        let (defaults, problems) = Defaults::survey(surroundings);
        let mut settings = vec![self.token_setting(surroundings)];
        let project = given(&self.project_id, "project_id").or(defaults.project.clone());
        // in local mode no root is asked, so none is wrong
        let root = match local::file(self.local_file.as_deref(), surroundings) {
            Ok(Some(_)) => Setting::absent("api_url", LOCAL),
            _ => self.root_setting(&defaults, surroundings),
        };
        let ids = match &root.shown {
            Some(root) => ProjectIds::of(root),
            None => local_ids(self.api_url.as_deref(), &defaults),
        };
        settings.push(match project {
            Some(found) => Setting::new("project", found).checked(|id| ids.checked(id).map(drop)),
            None => Setting::absent("project", "a service account's token knows its project"),
        });
        settings.push(match given(&self.environment, "environment").or(defaults.environment.clone()) {
            Some(found) => Setting::new("environment", found).checked(check_environment),
            None => Setting::absent("environment", "each call names its own"),
        });
        let branch = given(&self.branch, "branch")
            .or(defaults.branch.clone())
            .unwrap_or_else(|| Located::new("main", "default"));
        settings.push(Setting::new("branch", branch).checked(|name| check_branch(name).map(drop)));
        settings.push(root);
        settings.extend(self.passphrase_setting(surroundings, defaults.passphrase.as_ref()));
        #[cfg(feature = "offline")]
        settings.extend(self.offline_setting(surroundings));
        // Which settings these would have given cannot be told; the texts name the variable or the file.
        settings.extend(problems.into_iter().map(|problem| Setting {
            name: "surroundings",
            shown: None,
            origin: "variables and .xtrarc".into(),
            problem: Some(problem.to_string()),
        }));
        Configuration { settings }
    }

    fn token_setting(&self, surroundings: &Surroundings) -> Setting {
        match local::file(self.local_file.as_deref(), surroundings) {
            Ok(None) => {}
            Ok(Some(_)) => return Setting::absent("token", LOCAL),
            Err(error) => {
                return Setting { problem: Some(error.to_string()), ..Setting::absent("token", "local mode") };
            }
        }
        let explicit = self.token.as_ref().map(SecretValue::expose);
        if explicit == Some("") {
            let problem = Some("it is empty. Give a token, or leave it out".to_owned());
            return Setting { problem, ..Setting::absent("token", "the token option") };
        }
        match credentials::resolve(explicit, &self.providers, surroundings) {
            Ok(resolved) => Setting::new("token", Located::new(REDACTED, resolved.origin)),
            Err(error) => Setting {
                problem: Some(error.to_string()),
                ..Setting::absent("token", "the usual places were looked at")
            },
        }
    }

    /// Where the passphrase comes from, when there is one or it is needed.
    fn passphrase_setting(&self, surroundings: &Surroundings, found: Option<&Passphrase>) -> Option<Setting> {
        const NAME: &str = "vault_passphrase";
        let given = self.vault_passphrase.as_ref().map(|given| (given, Cow::from("the vault_passphrase option")));
        let passphrase = given.or(found.map(|found| (&found.value, found.origin.clone())));
        if passphrase.is_none() && !self.rules.seal_writes {
            return None;
        }
        if matches!(local::file(self.local_file.as_deref(), surroundings), Ok(Some(_))) {
            return Some(Setting::absent(NAME, LOCAL));
        }
        let setting = match passphrase.filter(|(text, _)| !text.is_empty()) {
            Some((_, origin)) => Setting::new(NAME, Located::new(REDACTED, origin)),
            None => Setting::absent(NAME, "the option and the variables were looked at"),
        };
        Some(Setting { problem: self.vault(found).err().map(|error| error.to_string()), ..setting })
    }

    /// Where copies are kept, when that was asked for.
    #[cfg(feature = "offline")]
    fn offline_setting(&self, surroundings: &Surroundings) -> Option<Setting> {
        let options = self.engine.offline.as_ref()?;
        if !matches!(local::file(self.local_file.as_deref(), surroundings), Ok(None)) {
            return Some(Setting::absent("offline", LOCAL));
        }
        let token = self.token.as_ref().map(SecretValue::expose);
        // that there is no token is told already
        let lasts = credentials::resolve(token, &self.providers, surroundings)
            .map_or(true, |resolved| resolved.provider.lasting_token().is_some());
        let directory = Located::new(options.directory.display().to_string(), "the offline option");
        Some(Setting::new("offline", directory).checked(|_| options.check(lasts)))
    }

    /// The root in its checked form: as it was given it could hold credentials.
    fn root_setting(&self, defaults: &Defaults, surroundings: &Surroundings) -> Setting {
        let option = given(&self.api_url, "api_url");
        let token = self.token.as_ref().map(SecretValue::expose);
        // where the token was found matters only when nobody has named a base URL
        let is_named = option.is_some() || defaults.api_url.is_some();
        let token = (!is_named).then(|| credentials::resolve(token, &self.providers, surroundings).ok()).flatten();
        let problem = |origin: Cow<'static, str>, error: XtraError| Setting {
            name: "api_url",
            shown: None,
            origin,
            problem: Some(error.to_string()),
        };
        match base_url::choose(option, defaults, token.as_ref(), surroundings) {
            Ok(found) => match base_url::parse(&found, self.danger_allow_http) {
                Ok(base) => Setting::new("api_url", Located::new(base.as_str(), found.origin)),
                Err(error) => problem(found.origin, error),
            },
            Err(error) => {
                problem(defaults.api_url_in_file.as_ref().map(|file| file.origin.clone()).unwrap_or_default(), error)
            }
        }
    }
}

pub(super) fn given(option: &Option<String>, name: &str) -> Option<Located> {
    option.as_ref().map(|text| Located::new(text.as_str(), format!("the {name} option")))
}

#[cfg(test)]
mod tests {
    use super::super::builder::DEFAULT_API_URL;
    use super::*;
    use crate::XtraClient;

    const PROJECT: &str = "665f1c2ab7c0de0012345678";

    fn find(builder: &XtraClientBuilder, variables: &[(&str, &str)]) -> Configuration {
        builder.explain_in(&Surroundings::of(variables))
    }

    #[test]
    fn each_setting_tells_where_it_was_found_and_the_token_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".xtrarc"), r#"{"env":"stg","branch":"b1"}"#).unwrap();
        let variables = [("XTRA_TOKEN", "canary-token"), ("XTRA_PROJECT_ID", PROJECT)];
        let configuration =
            XtraClient::builder().explain_in(&Surroundings::of(&variables).with_working_dir(dir.path()));
        let shown: Vec<_> = configuration.settings().iter().map(|s| (s.name(), s.shown(), s.origin())).collect();
        let expected = [
            ("token", Some(REDACTED), "XTRA_TOKEN"),
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
        let variables = [("XTRA_PROJECT_ID", Surroundings::NOT_UNICODE), ("XTRA_API_URL", "https://host/api")];
        let surroundings = Surroundings::of(&variables).with_working_dir(dir.path());
        let configuration = XtraClient::builder().token("t").branch("b2").explain_in(&surroundings);
        assert!(!configuration.is_usable());
        assert_eq!(configuration.get("branch").and_then(Setting::shown), Some("b2"));
        assert_eq!(configuration.get("api_url").and_then(Setting::shown), Some("https://host/api"));
        let problems: Vec<_> = configuration.settings().iter().filter_map(Setting::problem).collect();
        assert_eq!(problems.len(), 2);
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
            assert_eq!(usable, make().build_in(&Surroundings::of(&[])).is_ok());
        }
    }
}
