//! The settings of a client: what variables and `.infisical.json` say about the project, the scope and the base URL.

use super::branch;
use crate::core::XtraError;
use crate::credentials::{BaseUrls, ProcessEnv, SettingsFile, SettingsReader, Sourced, StoreContents};
use crate::services::infisical::deprecated::used_variable;
use crate::services::infisical::protocol::ROOT_SUFFIX;
use crate::services::infisical::scope::ProjectName;

/// The base URL of Infisical's cloud in the United States, which a client uses when none is given.
pub const DEFAULT_BASE_URL: &str = "https://app.infisical.com/api";

/// Infisical's command has renamed the first to the second; the third is of another client.
const BASE_URL: &[&str] = &["INFISICAL_DOMAIN", "INFISICAL_API_URL", "INFISICAL_URL"];
const PROJECT_ID: &[&str] = &["INFISICAL_PROJECT_ID"];
const PROJECT_SLUG: &[&str] = &["INFISICAL_PROJECT_SLUG"];
const ENVIRONMENT: &[&str] = &["INFISICAL_ENVIRONMENT"];
const PATH: &[&str] = &["INFISICAL_SECRET_PATH"];

/// What `infisical init` writes, in the working directory or above it in its repository. It may also map branches of the
/// repository to environments: [`branch`] reads that.
const PROJECT_FILE: SettingsFile =
    SettingsFile::new(".infisical.json", &["workspaceId", "defaultEnvironment", "defaultSecretPath", "domain"]);

/// What calls use that do not say, as variables and files have it. Empty texts count as absent.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) project_id: Option<Sourced>,
    pub(crate) project_slug: Option<Sourced>,
    pub(crate) environment: Option<Sourced>,
    pub(crate) path: Option<Sourced>,
    /// The variable's.
    pub(crate) base_url: Option<Sourced>,
    /// The file's, which the base URL's rule decides about.
    pub(crate) base_url_in_file: Option<Sourced>,
}

impl Settings {
    /// The variables, then `.infisical.json`, whose map of branches comes before its default environment; of the base URL both.
    ///
    /// Fails when a variable is not Unicode, or the file is there and cannot be used.
    pub(crate) fn load(env: &ProcessEnv) -> Result<Self, XtraError> {
        let (settings, mut problems) = Self::load_lenient(env);
        if problems.is_empty() { Ok(settings) } else { Err(problems.swap_remove(0)) }
    }

    /// What can be used, and why the rest cannot.
    pub(crate) fn load_lenient(env: &ProcessEnv) -> (Self, Vec<XtraError>) {
        let mut reader = SettingsReader::new(env);
        let project_id = reader.first_variable(PROJECT_ID);
        let project_slug = reader.first_variable(PROJECT_SLUG);
        let environment = reader.first_variable(ENVIRONMENT);
        let path = reader.first_variable(PATH);
        let base_url = reader.first_variable(BASE_URL);
        base_url.iter().for_each(|found| used_variable(&found.origin));
        let mut file = reader.file(&PROJECT_FILE);
        // a project named by a variable is another one than the file's
        let in_file = file.take("workspaceId").filter(|_| project_slug.is_none());
        let of_branch = match environment {
            Some(_) => Ok(None),
            None => branch::environment(&file, env),
        };
        let (of_branch, problem) = match of_branch {
            Ok(found) => (found, None),
            Err(problem) => (None, Some(problem)),
        };
        let settings = Self {
            project_id: project_id.or(in_file),
            project_slug,
            environment: environment.or(of_branch).or(file.take("defaultEnvironment")),
            path: path.or(file.take("defaultSecretPath")),
            base_url: base_url.map(with_suffix),
            base_url_in_file: file.take("domain").map(with_suffix),
        };
        let mut problems = reader.into_problems();
        problems.extend(problem);
        (settings, problems)
    }

    /// The project: by its id, or else by its slug.
    pub(crate) fn project(&self) -> Option<ProjectName<'static>> {
        let id = self.project_id.as_ref().map(|id| ProjectName::Id(id.value.clone().into()));
        id.or_else(|| Some(ProjectName::Slug(self.project_slug.as_ref()?.value.clone().into())))
    }

    /// The base URLs to choose from, `option` first. `login` is what the user's login file names.
    pub(crate) fn base_urls(&self, option: Option<Sourced>, login: Option<Sourced>) -> BaseUrls {
        // a login is trusted, and its base URL is for its own token
        let user = StoreContents { base_url: login, has_token: true };
        BaseUrls::new(DEFAULT_BASE_URL)
            .named(option.map(with_suffix))
            .named(self.base_url.clone())
            .in_working_dir(self.base_url_in_file.clone())
            .user(user)
            .variable("INFISICAL_DOMAIN")
            .in_form(with_suffix)
    }
}

/// A base URL with the end that each must have. Tools take it with and without.
pub(crate) fn with_suffix(found: Sourced) -> Sourced {
    found.map(|text| {
        let host = text.trim().trim_end_matches('/');
        let host = host.strip_suffix(ROOT_SUFFIX).unwrap_or(host).trim_end_matches('/');
        if host.is_empty() { String::new() } else { format!("{host}{ROOT_SUFFIX}") }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::core::ErrorKind;

    fn value(found: &Option<Sourced>) -> Option<(&str, &str)> {
        found.as_ref().map(|found| (found.value.as_str(), &*found.origin))
    }

    fn env(variables: &[(&str, &str)]) -> ProcessEnv {
        ProcessEnv::of(variables)
    }

    fn in_directory(file: &str) -> (tempfile::TempDir, ProcessEnv) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(".infisical.json"), file).unwrap();
        let env = env(&[]).with_working_dir(directory.path());
        (directory, env)
    }

    #[test]
    fn of_the_spellings_of_the_base_url_the_first_counts_and_each_may_end_in_api_or_not() {
        let all = [
            ("INFISICAL_DOMAIN", "https://one.example"),
            ("INFISICAL_API_URL", "https://two.example/api"),
            ("INFISICAL_URL", "https://three.example/"),
        ];
        let expected = ["https://one.example/api", "https://two.example/api", "https://three.example/api"];
        for (at, expected) in expected.into_iter().enumerate() {
            let settings = Settings::load(&env(&all[at..])).unwrap();
            assert_eq!(value(&settings.base_url), Some((expected, all[at].0)));
        }
    }

    #[test]
    fn one_api_and_the_slashes_at_the_end_of_a_base_url_do_not_matter() {
        for text in ["https://a.example", "https://a.example/", "https://a.example/api", " https://a.example//api// "] {
            assert_eq!(with_suffix(Sourced::new(text, "a test")).value, "https://a.example/api", "{text}");
        }
        assert_eq!(with_suffix(Sourced::new("", "a test")).value, "");
        let below = with_suffix(Sourced::new("https://a.example/infisical/api/api", "a test"));
        assert_eq!(below.value, "https://a.example/infisical/api/api");
    }

    #[test]
    fn empty_variables_are_absent_and_one_that_is_not_unicode_is_an_error() {
        let names =
            ["INFISICAL_PROJECT_ID", "INFISICAL_PROJECT_SLUG", "INFISICAL_ENVIRONMENT", "INFISICAL_SECRET_PATH"];
        let empty = names.map(|name| (name, ""));
        let settings = Settings::load(&env(&empty)).unwrap();
        assert!(settings.project_id.is_none() && settings.project_slug.is_none());
        assert!(settings.environment.is_none() && settings.path.is_none());
        for name in names {
            let error = Settings::load(&env(&[(name, ProcessEnv::NOT_UNICODE)])).unwrap_err();
            assert!(error.kind() == ErrorKind::Config && error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn the_file_of_the_project_gives_defaults_and_a_variable_comes_before_it() {
        let (_directory, file) = in_directory(
            r#"{"workspaceId": "7e2f", "defaultEnvironment": "dev", "defaultSecretPath": "/app",
                "domain": "https://own.example"}"#,
        );
        let settings = Settings::load(&file).unwrap();
        assert_eq!(value(&settings.project_id), Some(("7e2f", ".infisical.json (workspaceId)")));
        assert_eq!(value(&settings.environment), Some(("dev", ".infisical.json (defaultEnvironment)")));
        assert_eq!(value(&settings.path), Some(("/app", ".infisical.json (defaultSecretPath)")));
        assert_eq!(value(&settings.base_url_in_file), Some(("https://own.example/api", ".infisical.json (domain)")));
        let directory = file.working_dir().unwrap();
        let variables =
            env(&[("INFISICAL_ENVIRONMENT", "staging"), ("INFISICAL_PROJECT_SLUG", "web")]).with_working_dir(directory);
        let settings = Settings::load(&variables).unwrap();
        assert_eq!(value(&settings.environment), Some(("staging", "INFISICAL_ENVIRONMENT")));
        assert_eq!(value(&settings.project_slug), Some(("web", "INFISICAL_PROJECT_SLUG")));
        assert_eq!(value(&settings.project_id), None, "the slug names another project");
    }

    #[test]
    fn a_base_url_of_the_working_directory_alone_is_refused_and_one_of_the_users_login_is_followed() {
        let (_directory, env) = in_directory(r#"{"domain": "https://attacker.example"}"#);
        let settings = Settings::load(&env).unwrap();
        let error = settings.base_urls(None, None).choose(None).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(text.contains(".infisical.json") && text.contains("INFISICAL_DOMAIN"), "{text}");
        let login = Some(Sourced::new("https://attacker.example/api", "the login file"));
        assert_eq!(settings.base_urls(None, login).choose(None).unwrap().value, "https://attacker.example/api");
        let option = Sourced::option(Some("https://other.example"), "base_url");
        assert_eq!(settings.base_urls(option, None).choose(None).unwrap().value, "https://other.example/api");
    }

    #[test]
    fn without_any_the_base_url_is_infisicals_own_whatever_the_login_file_names() {
        let login = Some(Sourced::new("https://own.example/api", "the login file"));
        let urls = Settings::default().base_urls(None, login);
        assert_eq!(urls.choose(None).unwrap().value, DEFAULT_BASE_URL);
    }
}
