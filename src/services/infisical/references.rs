//! The references of this crate to secrets of Infisical: `infisical://PROJECT/ENVIRONMENT/KEY?path=FOLDER`.

use super::scope::{self, CheckedScope, InfisicalScope, ProjectName, folder, is_environment, is_project};
use super::source::Infisical;
use crate::references::{Refer, Reference};

/// References to secrets of Infisical: `infisical://PROJECT/ENVIRONMENT/KEY?path=FOLDER`.
///
/// - PROJECT is a project's id, or empty for the client's: `infisical:///dev/API_KEY`, and `infisical:///API_KEY` for the client's
///   default environment.
/// - FOLDER is the path of a folder, such as `/app`; without it, the client's default folder.
/// - All of it is case-sensitive.
///
/// They are this crate's, for texts and configurations. References of Infisical's own, `${dev.app.KEY}`, are in values and are
/// expanded by the server.
impl Refer for Infisical {
    const SCHEME: &'static str = "infisical://";
    const PARAMETER: &'static str = "path";

    fn scope(reference: &Reference) -> InfisicalScope<'_> {
        let scope = match reference.environment() {
            Some(slug) => InfisicalScope::new(slug),
            None => InfisicalScope::default(),
        };
        let scope = match reference.project() {
            Some(id) => scope.project_id(id),
            None => scope,
        };
        match reference.parameter() {
            Some(path) => scope.path(path),
            None => scope,
        }
    }

    fn is_project(id: &str) -> bool {
        is_project(id)
    }

    fn is_environment(slug: &str) -> bool {
        is_environment(slug)
    }

    fn is_parameter(path: &str) -> bool {
        folder(path).is_ok()
    }

    fn project_of(scope: &CheckedScope) -> Option<&str> {
        match &scope.project {
            Some(ProjectName::Id(id)) => Some(id),
            // a reference names ids alone
            Some(scope::ProjectName::Slug(_)) | None => None,
        }
    }

    fn environment_of(scope: &CheckedScope) -> Option<&str> {
        Some(&scope.environment)
    }

    fn parameter_of(scope: &CheckedScope) -> Option<&str> {
        Some(&scope.path)
    }
}
