//! ENVIRONMENT or ENVIRONMENT@BRANCH, as an argument.

use crate::arguments::full_environment_name;
use crate::output::printable;

/// An environment, and a branch if it is not the default one.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) environment: String,
    pub(crate) branch: Option<String>,
}

impl From<String> for Place {
    /// Branches may have an `@` in their names, environments hardly do: the first one parts them.
    fn from(text: String) -> Self {
        let (environment, branch) = match text.split_once('@') {
            Some((environment, branch)) => (environment, Some(branch.to_owned())),
            None => (text.as_str(), None),
        };
        Self { environment: full_environment_name(environment).to_owned(), branch }
    }
}

impl Place {
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
    fn the_first_at_sign_parts_environment_and_branch() {
        let place = Place::from("prod@team@x/y".to_owned());
        assert_eq!((place.environment.as_str(), place.branch.as_deref()), ("production", Some("team@x/y")));
        assert_eq!(Place::from("qa".to_owned()).branch, None);
    }
}
