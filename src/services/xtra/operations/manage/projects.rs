//! Projects.

use crate::core::XtraError;
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{NewProject, Project, ProjectChange};
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::{Xtra, XtraScope};

/// Lists projects; made by [`XtraClient::list_projects`](crate::XtraClient::list_projects).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListProjects {
    workspace: Option<String>,
}

/// Looks at one project; made by [`XtraClient::get_project`](crate::XtraClient::get_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct GetProject;

/// Makes a project; made by [`XtraClient::create_project`](crate::XtraClient::create_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateProject(NewProject);

/// Changes a project; made by [`XtraClient::update_project`](crate::XtraClient::update_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct UpdateProject(ProjectChange);

/// Deletes a project; made by [`XtraClient::delete_project`](crate::XtraClient::delete_project).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteProject {
    id: String,
    options: WriteOptions,
}

writes!(DeleteProject);

impl Operation for ListProjects {
    const NAME: &'static str = "list_projects";
    type Source = Xtra;
    type Output = Vec<Project>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<Project>, XtraError> {
        call.source().list_projects(self.workspace.as_deref()).await
    }
}

impl Operation for GetProject {
    const NAME: &'static str = "get_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        let project = call.project().await?;
        call.source().project_by_id(&project).await
    }
}

impl Operation for CreateProject {
    const NAME: &'static str = "create_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        call.source().create_project(self.0).await
    }
}

impl Operation for UpdateProject {
    const NAME: &'static str = "update_project";
    type Source = Xtra;
    type Output = Project;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Project, XtraError> {
        let project = call.project().await?;
        call.source().update_project(&project, self.0).await
    }
}

impl Operation for DeleteProject {
    const NAME: &'static str = "delete_project";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let project = call.source().checked_project(&self.id)?;
        call.confirm_all(self.options, "would delete a project with its secrets of production")?;
        let _changing = call.changing(project);
        call.source().delete_project(project).await
    }
}

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
        self.request(XtraScope::default(), ListProjects { workspace: None })
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

    /// Makes a project with a branch `main`. The workspace's id is the `workspace` of another
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
    /// let workspace = client.get_project().await?.workspace.unwrap_or_default();
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
        let (name, workspace) = (name.into(), workspace_id.into());
        self.request(XtraScope::default(), CreateProject(NewProject { name, workspace, description: String::new() }))
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
        self.request(XtraScope::default(), UpdateProject(ProjectChange::default()))
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
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.operation.workspace = Some(id.into());
        self
    }
}

impl<M> Request<'_, Xtra, CreateProject, M> {
    /// What the project is for. Default: empty.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.0.description = text.into();
        self
    }
}

impl<M> Request<'_, Xtra, UpdateProject, M> {
    /// The new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.0.name = Some(name.into());
        self
    }

    /// The new description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.0.description = Some(text.into());
        self
    }
}
