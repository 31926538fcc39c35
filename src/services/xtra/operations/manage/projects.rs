//! Projects.

use super::{checked_id, invalid, not_empty, timestamp};
use crate::core::{ErrorKind, Hint, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::raw::types;
use crate::services::xtra::{Xtra, XtraScope, is_same_project, shown_name};

/// # Projects
impl<M> Client<Xtra, M> {
    /// Lists the projects that the caller made, or is a member of by a team. The owner of a workspace is not shown the
    /// projects of others in it.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a service account, which has one project:
    /// [`get_project`](Self::get_project) tells it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// for project in client.list_projects().await? {
    ///     println!("{} {}", project.id, project.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_projects(&self) -> Request<'_, Xtra, ListProjects, M> {
        self.request(XtraScope::default(), ListProjects { workspace_id: None })
    }

    /// Looks at one project: the client's, or the one that [`project_id`](Request::project_id) names.
    ///
    /// A service account is told the id, the name and the workspace of its own project; the rest is `None`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) also for a project that the caller may not see;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when a service account asks for another than its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let project = client.get_project().await?;
    /// println!("{}: the caller is {:?}", project.name, project.role);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_project(&self) -> Request<'_, Xtra, GetProject, M> {
        self.request(XtraScope::default(), GetProject)
    }

    /// Makes a project with a branch `main`. The workspace's id is the `workspace_id` of another
    /// [`Project`] in it. Names of projects are not unique.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a service account, and for a workspace that the caller does not
    /// administer, that does not exist, or whose plan holds no more projects.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let workspace = client.get_project().await?.workspace_id.unwrap_or_default();
    /// let project = client.create_project("billing", workspace).description("invoices").await?;
    /// assert_eq!(project.name, "billing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_project<'a>(
        &'a self,
        name: impl Into<String>,
        workspace_id: impl Into<String>,
    ) -> Request<'a, Xtra, CreateProject, M> {
        let (name, workspace_id) = (name.into(), workspace_id.into());
        self.request(XtraScope::default(), CreateProject { name, workspace_id, description: String::new() })
    }

    /// Changes the project's [`name`](Request::name) or [`description`](Request::description), or both.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when neither is given, or an empty one: the service cannot clear them;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for who is neither owner nor admin;
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let project = client.update_project().name("payments").description("cards and invoices").await?;
    /// assert_eq!(project.name, "payments");
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_project(&self) -> Request<'_, Xtra, UpdateProject, M> {
        self.request(XtraScope::default(), UpdateProject { name: None, description: None })
    }

    /// Deletes a project with its branches and secrets. It is always named by its id, never the client's own by default.
    ///
    /// The service cannot delete a project that has service accounts or webhooks: it would delete the secrets, and then fail.
    /// So this looks for both first, and refuses. A webhook is shown to the project's creator only; when somebody else deletes
    /// the project, it is not seen.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) when the project has service accounts or webhooks, with nothing deleted;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) from a client that protects production, unless
    /// [`confirm_production`](Request::confirm_production) is called; [`Forbidden`](crate::ErrorKind::Forbidden),
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
    /// client.delete_project("665f1c2ab7c0de0012345678").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_project<'a>(&'a self, id: impl Into<String>) -> Request<'a, Xtra, DeleteProject, M> {
        self.request(XtraScope::default(), DeleteProject { id: id.into(), options: WriteOptions::default() })
    }
}

impl<M> Request<'_, Xtra, ListProjects, M> {
    /// Only those of this workspace, by its id.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.operation.workspace_id = Some(id.into());
        self
    }
}

impl<M> Request<'_, Xtra, CreateProject, M> {
    /// What the project is for. Default: empty.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = text.into();
        self
    }
}

impl<M> Request<'_, Xtra, UpdateProject, M> {
    /// The new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.name = Some(name.into());
        self
    }

    /// The new description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }
}

/// Lists projects; made by [`XtraClient::list_projects`](crate::XtraClient::list_projects).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListProjects {
    workspace_id: Option<String>,
}

impl Operation for ListProjects {
    const NAME: &'static str = "list_projects";
    type Source = Xtra;
    type Output = Vec<Project>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<Project>, XtraError> {
        let request = call.source().raw().projects_list();
        let request = match &self.workspace_id {
            Some(id) => request.workspace_id(checked_id("workspace", id)?),
            None => request,
        };
        let list = request.send().await.map_err(from_raw)?.into_inner();
        Ok(list.0.into_iter().map(Project::from).collect())
    }
}

/// Looks at a project; made by [`XtraClient::get_project`](crate::XtraClient::get_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetProject;

impl Operation for GetProject {
    const NAME: &'static str = "get_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        let (id, raw) = (call.project().await?, call.source().raw());
        let failed = match raw.projects_get().id(&id).send().await.map_err(from_raw) {
            Ok(project) => return Ok(project.into_inner().into()),
            // so it answers to service accounts, which have another way to ask
            Err(error) if error.status() == Some(500) => error,
            Err(error) => return Err(error),
        };
        match raw.service_accounts_resolve().send().await.map_err(from_raw) {
            Ok(account) => Project::of_account(account.into_inner(), &id).ok_or_else(|| not_its_project(&id)),
            Err(error) if error.kind() == ErrorKind::Unauthorized => Err(failed),
            Err(error) => Err(error),
        }
    }
}

/// Makes a project; made by [`XtraClient::create_project`](crate::XtraClient::create_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateProject {
    name: String,
    workspace_id: String,
    description: String,
}

impl Operation for CreateProject {
    const NAME: &'static str = "create_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        let Self { name, workspace_id, description } = self;
        let source = call.source();
        not_empty("name of the project", &name)?;
        checked_id("workspace", &workspace_id)?;
        let request = source.raw().projects_create();
        let request = request.body_map(|body| body.name(name).workspace_id(workspace_id).description(description));
        let project = request.send().await.map_err(|error| source.or_for_users(from_raw(error), "create a project"));
        project.map(|project| project.into_inner().into()).map_err(|error| {
            error.if_in_doubt(|error| {
                error
                    .with_note("Names of projects are not unique, and a second call may create a second one")
                    .with_hint(Hint::LookAt { call: "list_projects" })
            })
        })
    }
}

/// Changes a project; made by [`XtraClient::update_project`](crate::XtraClient::update_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct UpdateProject {
    name: Option<String>,
    description: Option<String>,
}

impl Operation for UpdateProject {
    const NAME: &'static str = "update_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        let Self { name, description } = self;
        let id = call.project().await?;
        if name.is_none() && description.is_none() {
            let error = invalid("nothing of the project was to change");
            return Err(error.with_hint(Hint::Add { options: &["name", "description"] }));
        }
        name.as_deref().map(|name| not_empty("name of the project", name)).transpose()?;
        description.as_deref().map(|text| not_empty("description of the project", text)).transpose()?;
        let request = call.source().raw().projects_update().id(&id);
        let request = request.body_map(|body| body.name(name).description(description));
        Ok(request.send().await.map_err(from_raw)?.into_inner().into())
    }
}

/// Deletes a project; made by [`XtraClient::delete_project`](crate::XtraClient::delete_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteProject {
    id: String,
    options: WriteOptions,
}

impl Operation for DeleteProject {
    const NAME: &'static str = "delete_project";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let source = call.source();
        let id = source.checked_project(&self.id)?;
        call.confirm_all(self.options, "would delete a project with its secrets of production")?;
        let _changing = call.changing(id);
        source.check_deletable(id).await?;
        source.raw().projects_delete().id(id).send().await.map(drop).map_err(from_raw).map_err(|error| {
            error.if_in_doubt(|error| {
                error
                    .with_note("Its secrets and branches may be gone though the project is still there")
                    .with_hint(Hint::LookAt { call: "list_projects" })
                    .with_hint(Hint::advice("Look too whether it has webhooks, which only its creator sees"))
            })
        })
    }
}

writes!(DeleteProject);

impl Xtra {
    /// Refuses to delete a project on which something hangs that would stop the service half-way.
    async fn check_deletable(&self, id: &str) -> Result<(), XtraError> {
        let seen = self.what_hangs_on(id).await.map_err(|error| {
            error.with_note("So nothing was deleted: whether the project has service accounts or webhooks is not known")
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
        Ok(())
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
        format!("the token is a service account's, which belongs to another project than {}", shown_name(id)),
    )
    .with_hint(Hint::LeaveOut { option: "project_id" })
    .with_hint(Hint::advice("Or use a token that may see it"))
}

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
    pub workspace_id: Option<String>,
    /// The caller's role in it: `owner`, `admin`, `developer` or `viewer`. Only told of one project.
    pub role: Option<String>,
    /// Whether the owner has blocked it.
    pub is_blocked: Option<bool>,
    /// Whether users must have a second factor.
    pub two_factor_required: Option<bool>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl From<types::ProjectDetails> for Project {
    fn from(project: types::ProjectDetails) -> Self {
        Self {
            id: project.id,
            name: project.name,
            description: project.description,
            status: project.status,
            owner: project.user_id,
            workspace_id: project.workspace_id,
            role: project.current_user_role,
            is_blocked: project.is_blocked,
            two_factor_required: project.two_factor_required,
            created_at: timestamp(project.created_at),
            updated_at: timestamp(project.updated_at),
        }
    }
}

impl Project {
    /// What a service account is told of its project; `None` when that is not the one asked for.
    fn of_account(answer: types::ServiceAccountIdentity, asked: &str) -> Option<Self> {
        let project = answer.project?;
        let id = project.id.filter(|id| is_same_project(id, asked))?;
        Some(Self {
            id,
            name: project.name.unwrap_or_default(),
            description: None,
            status: None,
            owner: None,
            workspace_id: project.workspace_id,
            role: None,
            is_blocked: None,
            two_factor_required: None,
            created_at: None,
            updated_at: None,
        })
    }
}
