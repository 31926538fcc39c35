//! The operations of Infisical: a file for each, with the method of the client that makes it.

pub mod kms;
pub mod leases;
mod read;
pub mod write;

pub use read::{GetSecret, ListSecrets, ListedSecret};

use super::scope::{CheckedScope, InfisicalScope, ProjectName};
use super::source::Infisical;
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client};

/// A project that is being changed: its snapshots leave the client's cache when this is dropped, because a write that was given up
/// half-way may have been carried out too.
#[must_use = "the cache is cleared when this is dropped"]
pub(super) struct Changing {
    client: Client<Infisical>,
    project: String,
}

impl Drop for Changing {
    fn drop(&mut self) {
        // A value may follow references into any folder and environment of the project. Which slug is its own is not known here,
        // and a service token's reads name no project.
        let starts = [("i", Some(self.project.as_str())), ("s", None), ("", None)];
        for (kind, project) in starts {
            self.client.engine.invalidate_under(
                |key| {
                    key.field(kind);
                    project.iter().for_each(|id| key.field(id));
                },
                |_| {},
            );
        }
    }
}

impl Call<'_, Infisical> {
    /// From now on, until what this returns is dropped, the client's snapshots of the project may be out of date.
    fn changing(&self, project: &str) -> Changing {
        Changing { client: self.client(), project: project.to_owned() }
    }

    /// The id of the project that the request is about. May ask the server for it.
    async fn project(&self) -> Result<String, XtraError> {
        self.source().id_of(self.source().project_of(self.scope())?).await
    }

    /// The folder that the request is about, of a project by its id. Options that only reads have are refused.
    async fn folder(&self) -> Result<(CheckedScope, String), XtraError> {
        self.source().project_of(self.scope())?;
        let scope = self.source().checked(self.scope())?;
        check_options(self.scope())?;
        let project = self.project().await?;
        let scope = CheckedScope { imports: false, expand: false, strict: false, ..scope };
        Ok((CheckedScope { project: Some(ProjectName::Id(project.clone().into())), ..scope }, project))
    }
}

/// Refuses the options of reads, which a write would pass over: a filter is not what is stored.
pub(super) fn check_options(scope: &InfisicalScope<'_>) -> Result<(), XtraError> {
    let option = match scope {
        _ if !scope.tags.is_empty() => "tag",
        _ if !scope.metadata.is_empty() => "metadata",
        _ if scope.recursive => "recursive",
        _ if scope.version.is_some() => "version",
        _ if scope.hidden => "view_secret_value",
        _ => return Ok(()),
    };
    Err(XtraError::new(
        ErrorKind::Invalid,
        format!("nothing was sent: `{option}` chooses what is read, and this writes"),
    )
    .with_hint(Hint::LeaveOut { option }))
}
