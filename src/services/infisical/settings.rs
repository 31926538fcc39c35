//! Infisical's variables: where its clients find their base URL and the defaults of their calls.

use crate::core::XtraError;
use crate::credentials::{BaseUrls, ProcessEnv, SettingsReader, Sourced};

/// The base URL of Infisical's cloud in the United States, which a client uses when none is given.
pub const DEFAULT_BASE_URL: &str = "https://app.infisical.com/api";

/// The base URL, in the order in which the vendor's command looks for it, and that of another SDK.
const BASE_URLS: &[&str] = &["INFISICAL_DOMAIN", "INFISICAL_API_URL", "INFISICAL_URL"];

/// The variable that advice names.
const BASE_URL: &str = "INFISICAL_API_URL";

/// What calls use that do not say, as variables have it. Empty texts count as absent.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) project: Option<Sourced>,
    pub(super) environment: Option<Sourced>,
    base_url: Option<Sourced>,
}

impl Settings {
    /// Fails when a variable is not Unicode.
    pub(super) fn load(env: &ProcessEnv) -> Result<Self, XtraError> {
        let mut reader = SettingsReader::new(env);
        let settings = Self {
            project: reader.first_variable(&["INFISICAL_PROJECT_ID"]),
            environment: reader.first_variable(&["INFISICAL_ENVIRONMENT"]),
            base_url: reader.first_variable(BASE_URLS),
        };
        let mut problems = reader.into_problems();
        if problems.is_empty() { Ok(settings) } else { Err(problems.swap_remove(0)) }
    }

    /// The base URLs to choose from, `option` first.
    pub(super) fn base_urls(&self, option: Option<Sourced>) -> BaseUrls {
        BaseUrls::new(DEFAULT_BASE_URL).named(option).named(self.base_url.clone()).variable(BASE_URL)
    }
}

/// A base URL with the end that each must have: it is given with and without.
pub(super) fn with_suffix(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    match url.ends_with(super::protocol::ROOT_SUFFIX) || url.is_empty() {
        true => url.to_owned(),
        false => format!("{url}{}", super::protocol::ROOT_SUFFIX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_with_and_without_its_end() {
        for (given, used) in [
            ("https://own.example", "https://own.example/api"),
            ("https://own.example/", "https://own.example/api"),
            ("https://own.example/api", "https://own.example/api"),
            (" https://own.example/api/\n", "https://own.example/api"),
            ("https://own.example/infisical", "https://own.example/infisical/api"),
            ("", ""),
        ] {
            assert_eq!(with_suffix(given), used);
        }
    }

    #[test]
    fn the_base_url_is_that_of_the_option_or_else_of_the_first_variable_or_else_the_cloud_s() {
        let chosen = |option: Option<&str>, variables: &[(&str, &str)]| {
            let settings = Settings::load(&ProcessEnv::of(variables)).unwrap();
            settings.base_urls(Sourced::option(option, "base_url")).choose(None).unwrap().value
        };
        let both = [("INFISICAL_DOMAIN", "https://a.example"), ("INFISICAL_API_URL", "https://b.example/api")];
        assert_eq!(chosen(Some("https://c.example"), &both), "https://c.example");
        assert_eq!(chosen(None, &both), "https://a.example");
        assert_eq!(chosen(None, &both[1..]), "https://b.example/api");
        assert_eq!(chosen(None, &[("INFISICAL_URL", "https://d.example")]), "https://d.example");
        assert_eq!(chosen(None, &[]), DEFAULT_BASE_URL);
    }
}
