//! Options that many commands share: where the secrets are, and which of them.

use std::collections::HashSet;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args};

use crate::failure::Failure;
use crate::output;
use crate::profile::{self, Profile};
use crate::service::Service;
use crate::text::printable;

/// Options of every command.
#[derive(Args, Default)]
#[command(next_help_heading = "Where the secrets are")]
pub(crate) struct Global {
    /// The environment; dev, stg and prod are short for development, staging and production [default: XTRA_ENV, then env in .xtrarc]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) env: Option<String>,
    /// The branch [default: XTRA_BRANCH, then branch in .xtrarc, then main]
    #[arg(short, long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) branch: Option<String>,
    /// The project's id [default: XTRA_PROJECT_ID, then .xtrarc, then the service account's]
    #[arg(short, long, global = true, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) project: Option<String>,
    /// The base URL, ending in /api [default: XTRA_API_URL, then .xtrarc, then that of the login, then the service's]
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) api_url: Option<String>,
    /// The stored token that `xtrasec login --profile NAME` named so, with its base URL [default: XTRA_PROFILE]
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
    /// Tell on standard error what happens: -v what is notable, -vv each request, -vvv all; RUST_LOG chooses more finely. Never a value
    #[arg(short, global = true, action = ArgAction::Count, help_heading = "Help and diagnosis")]
    pub(crate) verbosity: u8,
    #[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
    #[command(flatten)]
    pub(crate) service: crate::service::Options,
    #[arg(skip)]
    pub(crate) variables: Variables,
    #[arg(skip)]
    pub(crate) account: Option<Profile>,
}

/// What variables say where no option does.
#[derive(Default)]
pub(crate) struct Variables {
    pub(crate) environment: Option<String>,
    pub(crate) branch: Option<String>,
}

impl Variables {
    /// The variable of the environment.
    pub(crate) const ENVIRONMENT: &str = "XTRA_ENV";
    /// The variable of the branch.
    pub(crate) const BRANCH: &str = "XTRA_BRANCH";
    const PROFILE: &str = "XTRA_PROFILE";
}

impl Global {
    /// The service that the secrets are of, for the commands that read.
    pub(crate) fn service(&self) -> Service {
        #[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
        return self.service.service();
        #[cfg(not(any(feature = "infisical", feature = "secr", feature = "syvault")))]
        Service::default()
    }

    /// Reads the variables that stand for options.
    pub(crate) fn read_variables(&mut self) -> Result<(), Failure> {
        self.variables =
            Variables { environment: variable(Variables::ENVIRONMENT)?, branch: variable(Variables::BRANCH)? };
        if self.profile.is_none() {
            self.profile = variable(Variables::PROFILE)?;
        }
        Ok(())
    }

    /// Takes the token of the profile, if one was asked for.
    pub(crate) fn take_profile(&mut self) -> Result<(), Failure> {
        self.account = profile::chosen(self)?;
        Ok(())
    }

    /// Tells that --env was given to a command that does not heed it: somebody may count on it.
    pub(crate) fn note_unused_environment(&self, why: &str) {
        if self.env.is_some() {
            output::note(&format!("--env has no effect here: {why}"));
        }
    }
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) if value.starts_with(['"', '\'']) && value.ends_with(['"', '\'']) => {
            Err(Failure::usage(format!("{name} is in quotes, which are taken for a part of the name: take them away")))
        }
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure::usage(format!("{name} is not Unicode text"))),
    }
}

/// Which of the secrets.
#[derive(Args, Default)]
pub(crate) struct Choice {
    /// Take these secrets and no others; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub(crate) only: Vec<String>,
    /// Leave these secrets out; commas between names, or once for each
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub(crate) exclude: Vec<String>,
    /// Go on when there are no secrets
    #[arg(long)]
    pub(crate) allow_empty: bool,
    /// Take an answer that is held back otherwise: one that has lost what the saved copy holds (run --offline), or that looks
    /// like an error message in the place of secrets
    #[arg(long)]
    pub(crate) allow_any_answer: bool,
}

impl Choice {
    /// Which names are taken.
    pub(crate) fn rule(&self) -> impl Fn(&str) -> bool {
        let [only, exclude] =
            [&self.only, &self.exclude].map(|names| names.iter().map(String::as_str).collect::<HashSet<_>>());
        move |name| (only.is_empty() || only.contains(name)) && !exclude.contains(name)
    }
}

/// What becomes of values that refer to others.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Values {
    /// Follow references in values: put the secrets that they name, which this token must be able to read, in their place
    #[arg(long)]
    pub(crate) resolve: bool,
}

/// The short names of environments, as the vendor's command has them.
pub(crate) fn full_environment_name(name: &str) -> &str {
    match name {
        "dev" => "development",
        "stg" => "staging",
        "prod" => "production",
        other => other,
    }
}

/// ENVIRONMENT or ENVIRONMENT@BRANCH, as an argument: a branch if it is not the default one.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) environment: String,
    pub(crate) branch: Option<String>,
}

impl From<String> for Scope {
    /// Branches may have an `@` in their names, environments hardly do: the first one parts them.
    fn from(text: String) -> Self {
        let (environment, branch) = match text.split_once('@') {
            Some((environment, branch)) => (environment, Some(branch.to_owned())),
            None => (text.as_str(), None),
        };
        Self { environment: full_environment_name(environment).to_owned(), branch }
    }
}

impl Scope {
    pub(crate) fn shown(&self) -> String {
        match &self.branch {
            Some(branch) => printable(&format!("{}@{branch}", self.environment)),
            None => printable(&self.environment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_environment_names_are_spelled_out_and_others_left_alone() {
        let full: Vec<_> = ["dev", "stg", "prod", "qa", "Prod"].map(full_environment_name).into();
        assert_eq!(full, ["development", "staging", "production", "qa", "Prod"]);
    }

    #[test]
    fn a_name_left_out_is_not_taken_even_when_it_is_also_chosen() {
        let choice = Choice { only: vec!["A".into(), "B".into()], exclude: vec!["B".into()], ..Choice::default() };
        let takes = choice.rule();
        assert!(takes("A") && !takes("B") && !takes("C"));
        assert!(Choice::default().rule()("C"));
    }

    #[test]
    fn the_first_at_sign_parts_environment_and_branch() {
        let scope = Scope::from("prod@team@x/y".to_owned());
        assert_eq!((scope.environment.as_str(), scope.branch.as_deref()), ("production", Some("team@x/y")));
        assert_eq!(Scope::from("qa".to_owned()).branch, None);
    }
}
