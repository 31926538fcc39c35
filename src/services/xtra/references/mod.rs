//! The references of XtraSecurity: `xtra://PROJECT/ENVIRONMENT/KEY?branch=BRANCH`.

#[cfg(test)]
mod tests;

use std::str::FromStr;

use super::scope::CheckedScope;
use super::{Xtra, XtraScope, check_branch, check_environment, compared_project, sendable_project};
use crate::core::XtraError;
use crate::references::{Refer, Reference, Resolve};

/// References to secrets of XtraSecurity: `xtra://PROJECT/ENVIRONMENT/KEY?branch=BRANCH`.
///
/// - PROJECT is a project's id, or empty for the client's: `xtra:///production/API_KEY`, and `xtra:///API_KEY` for the client's
///   [default environment](crate::XtraClient::default_environment). The vendor's own service has ids of 24
///   hexadecimal digits; that is checked by who resolves the reference, since other hosts have others.
/// - Keys and branches are case-sensitive, environments and ids of 24 hexadecimal digits are not.
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let client = XtraClient::in_memory([("USER", "app"), ("PASSWORD", "hunter2")])?;
/// let password = client.resolve("xtra:///production/PASSWORD").await?;
/// assert_eq!(password.expose(), "hunter2");
/// let text = client.render("user={{ xtra:///production/USER }} password={{xtra:///production/PASSWORD}}").await?;
/// assert_eq!(text.expose(), "user=app password=hunter2");
/// let resolved = client.resolve_pairs([("KEY", "xtra:///production/PASSWORD"), ("PORT", "8080")]).await?;
/// assert_eq!(resolved.require("PORT")?.expose(), "8080");
/// # Ok(())
/// # }
/// ```
///
/// A value that is composed of others:
///
/// ```
/// # use xtrasecurity::{XtraClient, XtraError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), XtraError> {
/// let url = "postgres://app:{{ xtra:///production/PASSWORD }}@db/app";
/// let client = XtraClient::in_memory([("DATABASE_URL", url), ("PASSWORD", "hunter2")])?;
/// let stored = client.get_secrets("production").await?;
/// let secrets = client.resolve_secrets(&stored).await?;
/// assert_eq!(secrets.require("DATABASE_URL")?.expose(), "postgres://app:hunter2@db/app");
/// # Ok(())
/// # }
/// ```
impl Refer for Xtra {
    const SCHEME: &'static str = "xtra://";
    const PARAMETER: &'static str = "branch";

    fn scope(reference: &Reference) -> XtraScope<'_> {
        let scope = match reference.environment() {
            Some(name) => XtraScope::new(name),
            None => XtraScope::default(),
        };
        let scope = match reference.project() {
            Some(id) => scope.project(id),
            None => scope,
        };
        match reference.branch() {
            Some(name) => scope.branch(name),
            None => scope,
        }
    }

    fn is_project(id: &str) -> bool {
        sendable_project(id).is_ok()
    }

    fn is_environment(name: &str) -> bool {
        check_environment(name).is_ok()
    }

    fn is_parameter(branch: &str) -> bool {
        check_branch(branch).is_ok()
    }

    fn normalized_project(id: String) -> String {
        compared_project(id)
    }

    fn project_of(scope: &CheckedScope) -> Option<&str> {
        scope.project.as_deref()
    }

    fn environment_of(scope: &CheckedScope) -> Option<&str> {
        Some(&scope.environment)
    }

    fn parameter_of(scope: &CheckedScope) -> Option<&str> {
        Some(&scope.branch)
    }
}

impl Reference {
    /// The branch, or `None` for the default branch of whoever resolves the reference.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.parameter()
    }
}

/// Reads a reference of XtraSecurity.
///
/// ```
/// use xtrasecurity::references::Reference;
///
/// # fn main() -> Result<(), xtrasecurity::XtraError> {
/// let reference: Reference = "xtra:///production/tls%2Fkey?branch=feature/new-ui".parse()?;
/// assert_eq!((reference.project(), reference.environment()), (None, Some("production")));
/// assert_eq!((reference.name(), reference.branch()), ("tls/key", Some("feature/new-ui")));
/// # Ok(())
/// # }
/// ```
impl FromStr for Reference {
    type Err = XtraError;

    /// # Errors
    ///
    /// As [`Reference::of`].
    fn from_str(text: &str) -> Result<Self, XtraError> {
        Self::of::<Xtra>(text)
    }
}

impl<Op, M> Resolve<'_, Xtra, Op, M> {
    /// The branch of references in what was given that name neither project nor branch, in place of the client's default.
    pub fn branch(self, name: impl Into<String>) -> Self {
        self.parameter(name)
    }
}
