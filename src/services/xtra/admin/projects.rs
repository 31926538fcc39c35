//! Projects.

use super::{convert, ids, not_empty};
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::scope;
use crate::services::xtra::source::Xtra;

/// A project. What its secrets are called is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Project {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// The name; not unique.
    pub name: String,
    /// What the project is for.
    pub description: Option<String>,
    /// `active` or `blocked`.
    pub status: Option<String>,
    /// The id of the user who owns it.
    pub owner: Option<String>,
    /// The id of the workspace that it is in.
    pub workspace: Option<String>,
    /// The caller's role in it: `owner`, `admin`, `developer` or `viewer`. Only told of one project.
    pub role: Option<String>,
    /// Whether the owner has blocked it.
    pub is_blocked: Option<bool>,
    /// Whether users must have a second factor.
    pub two_factor_required: Option<bool>,
    /// When it was made, ISO-8601.
    pub created_at: Option<String>,
    /// When it was last changed, ISO-8601.
    pub updated_at: Option<String>,
}

/// A project to be made.
#[derive(Debug)]
pub(crate) struct NewProject {
    pub(crate) name: String,
    pub(crate) workspace: String,
    pub(crate) description: String,
}

/// What is to change of a project.
#[derive(Debug, Default)]
pub(crate) struct ProjectChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
}

impl Xtra {
    pub(crate) async fn list_projects(&self, workspace: Option<&str>) -> Result<Vec<Project>, XtraError> {
        let call = self.raw().projects_list();
        let call = match workspace {
            Some(id) => call.workspace_id(ids::checked("workspace", id)?),
            None => call,
        };
        let list = call.send().await.map_err(from_raw)?.into_inner();
        Ok(list.0.into_iter().map(convert::project).collect())
    }

    pub(crate) async fn project_by_id(&self, id: &str) -> Result<Project, XtraError> {
        let failed = match self.raw().projects_get().id(id).send().await.map_err(from_raw) {
            Ok(project) => return Ok(convert::project(project.into_inner())),
            // so it answers to service accounts, which have another way to ask
            Err(error) if error.status() == Some(500) => error,
            Err(error) => return Err(error),
        };
        match self.raw().service_accounts_resolve().send().await.map_err(from_raw) {
            Ok(account) => convert::project_of_account(account.into_inner(), id).ok_or_else(|| not_its_project(id)),
            Err(error) if error.kind() == ErrorKind::Unauthorized => Err(failed),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn create_project(&self, new: NewProject) -> Result<Project, XtraError> {
        let NewProject { name, workspace, description } = new;
        not_empty("name of the project", &name)?;
        ids::checked("workspace", &workspace)?;
        let call = self.raw().projects_create();
        let call = call.body_map(|body| body.name(name).workspace_id(workspace).description(description));
        let project = call.send().await.map_err(|error| self.or_for_users(from_raw(error), "create a project"));
        project.map(|project| convert::project(project.into_inner())).map_err(|error| {
            if !error.may_have_been_applied() {
                return error;
            }
            error.adding(". Names of projects are not unique: look at list_projects() before you create it again")
        })
    }

    pub(crate) async fn update_project(&self, id: &str, change: ProjectChange) -> Result<Project, XtraError> {
        let ProjectChange { name, description } = change;
        if name.is_none() && description.is_none() {
            return Err(super::invalid("nothing of the project was to change. Add name(..) or description(..)"));
        }
        name.as_deref().map(|name| not_empty("name of the project", name)).transpose()?;
        description.as_deref().map(|text| not_empty("description of the project", text)).transpose()?;
        let call = self.raw().projects_update().id(id);
        let call = call.body_map(|body| body.name(name).description(description));
        Ok(convert::project(call.send().await.map_err(from_raw)?.into_inner()))
    }

    /// Deletes a project, when nothing hangs on it that would stop the service half-way.
    pub(crate) async fn delete_project(&self, id: &str) -> Result<(), XtraError> {
        let seen = self.what_hangs_on(id).await.map_err(|error| {
            error.adding(". So nothing was deleted: whether the project has service accounts or webhooks is not known")
        })?;
        if let Some(what) = seen {
            return Err(XtraError::new(
                ErrorKind::Conflict,
                format!(
                    "the project still has {what}, and nothing was deleted: the service would delete all secrets, and then \
                     fail to delete the project. Delete these first"
                ),
            ));
        }
        self.raw().projects_delete().id(id).send().await.map(drop).map_err(from_raw).map_err(|error| {
            if !error.may_have_been_applied() {
                return error;
            }
            error.adding(
                ". Its secrets and branches may be gone though the project is still there: look at list_projects(), and \
                 whether it has webhooks that only its creator sees",
            )
        })
    }

    async fn what_hangs_on(&self, project: &str) -> Result<Option<String>, XtraError> {
        let accounts = self.raw().service_accounts_list().project_id(project).send().await.map_err(from_raw)?;
        let webhooks = self.raw().webhooks_list().project_id(project).send().await.map_err(from_raw)?;
        let counted = [(accounts.0.len(), "service account"), (webhooks.0.len(), "webhook")];
        let named: Vec<String> = counted
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
            .collect();
        Ok((!named.is_empty()).then(|| named.join(" and ")))
    }
}

fn not_its_project(id: &str) -> XtraError {
    XtraError::new(
        ErrorKind::Forbidden,
        format!(
            "the token is a service account's, which belongs to another project than {}. Leave project_id(..) out, or use a \
             token that may see it",
            scope::quoted(id)
        ),
    )
}
