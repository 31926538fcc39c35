//! Branches, by name.

use crate::core::XtraError;
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{Branch, BranchComparison};
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::{Xtra, XtraScope};

/// Lists branches; made by [`XtraClient::list_branches`](crate::XtraClient::list_branches).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListBranches;

/// Makes a branch; made by [`XtraClient::create_branch`](crate::XtraClient::create_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateBranch {
    name: String,
    description: Option<String>,
}

/// Renames a branch; made by [`XtraClient::rename_branch`](crate::XtraClient::rename_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct RenameBranch {
    name: String,
    new_name: String,
    description: Option<String>,
    options: WriteOptions,
}

/// Deletes a branch; made by [`XtraClient::delete_branch`](crate::XtraClient::delete_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteBranch {
    name: String,
    options: WriteOptions,
}

/// Compares branches; made by [`XtraClient::compare_branches`](crate::XtraClient::compare_branches).
#[derive(Debug)]
#[non_exhaustive]
pub struct CompareBranches {
    base: String,
    compare: String,
}

writes!(RenameBranch, DeleteBranch);

impl Operation for ListBranches {
    const NAME: &'static str = "list_branches";
    type Source = Xtra;
    type Output = Vec<Branch>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<Branch>, XtraError> {
        let project = call.project().await?;
        call.source().list_branches(&project).await
    }
}

impl Operation for CreateBranch {
    const NAME: &'static str = "create_branch";
    type Source = Xtra;
    type Output = Branch;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Branch, XtraError> {
        let project = call.project().await?;
        let _changing = call.changing(&project);
        call.source().create_branch(&project, self.name, self.description).await
    }
}

impl Operation for RenameBranch {
    const NAME: &'static str = "rename_branch";
    type Source = Xtra;
    type Output = Branch;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Branch, XtraError> {
        call.confirm_all(
            self.options,
            "would rename a branch, and take its secrets of production from who reads it by the old name",
        )?;
        let project = call.project().await?;
        let _changing = call.changing(&project);
        call.source().rename_branch(&project, &self.name, self.new_name, self.description).await
    }
}

impl Operation for DeleteBranch {
    const NAME: &'static str = "delete_branch";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        call.confirm_all(self.options, "would delete a branch with its secrets of production")?;
        let project = call.project().await?;
        let _changing = call.changing(&project);
        call.source().delete_branch(&project, &self.name).await
    }
}

impl Operation for CompareBranches {
    const NAME: &'static str = "compare_branches";
    type Source = Xtra;
    type Output = BranchComparison;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<BranchComparison, XtraError> {
        let project = call.project().await?;
        call.source().compare_branches(&project, &self.base, &self.compare).await
    }
}

impl<M> Client<Xtra, M> {
    /// Lists the branches of the project.
    ///
    /// The service sends every secret of every branch along, with its history. They are wiped as soon as the answer is read;
    /// [`Branch`] keeps their number. All the same, the answer is large for a large project, and is held to the client's
    /// [`max_response_bytes`](crate::XtraClientBuilder::max_response_bytes). The other methods that take a branch's name ask
    /// for this list too: the service itself goes by ids.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) also for a project that does not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let names: Vec<String> = client.list_branches().await?.into_iter().map(|branch| branch.name).collect();
    /// assert_eq!(names, ["main", "feature/new-ui"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_branches(&self) -> Request<'_, Xtra, ListBranches, M> {
        self.request(XtraScope::default(), ListBranches)
    }

    /// Makes a branch. It is empty: the service copies nothing into it.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a name that cannot be sent, or that the project has already;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for viewers, for a service account, and when the plan holds no more branches.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let branch = client.create_branch("release/2.0").description("the next release").await?;
    /// assert_eq!(branch.name, "release/2.0");
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_branch<'a>(&'a self, name: impl Into<String>) -> Request<'a, Xtra, CreateBranch, M> {
        self.request(XtraScope::default(), CreateBranch { name: name.into(), description: None })
    }

    /// Gives a branch another name. Whoever reads it by the old name finds nothing from then on.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for `main`; [`NotFound`](crate::ErrorKind::NotFound), with the names that there
    /// are; [`Conflict`](crate::ErrorKind::Conflict) when the new name is taken. These are found out before anything is
    /// changed. [`Unconfirmed`](crate::ErrorKind::Unconfirmed) from a client that protects production.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let branch = client.rename_branch("feature/new-ui", "feature/ui").await?;
    /// assert_eq!(branch.name, "feature/ui");
    /// # Ok(())
    /// # }
    /// ```
    pub fn rename_branch<'a>(
        &'a self,
        name: impl Into<String>,
        new_name: impl Into<String>,
    ) -> Request<'a, Xtra, RenameBranch, M> {
        let operation = RenameBranch {
            name: name.into(),
            new_name: new_name.into(),
            description: None,
            options: WriteOptions::default(),
        };
        self.request(XtraScope::default(), operation)
    }

    /// Deletes a branch with its secrets in all environments.
    ///
    /// The service has one way for the project's creator and the admins of its teams, which does both at once, and another for
    /// everybody who may write. The other one deletes the branch alone and lets its secrets come up on `main`, over what is
    /// there. Where only that way is open, as it is for a service account, this deletes the secrets first, looks whether they
    /// are gone, and deletes the branch when they are. Do not write to a branch while it is being deleted: between the look
    /// and the deletion nobody can keep others from it, and what they write there comes up on `main`.
    ///
    /// Two requests the first way, five the other, and six for a service account: the list, the refused deletion, for an
    /// account the list once more, the emptying, the look, the deletion. Each list carries the secrets of the project.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for `main`; [`NotFound`](crate::ErrorKind::NotFound), with the names that there
    /// are; [`Conflict`](crate::ErrorKind::Conflict) when somebody wrote to the branch meanwhile: it is still there;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) from a client that protects production, unless
    /// [`confirm_production`](Request::confirm_production) is called; [`Forbidden`](crate::ErrorKind::Forbidden) for viewers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// client.delete_branch("feature/new-ui").await?;
    /// assert_eq!(client.list_branches().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_branch<'a>(&'a self, name: impl Into<String>) -> Request<'a, Xtra, DeleteBranch, M> {
        self.request(XtraScope::default(), DeleteBranch { name: name.into(), options: WriteOptions::default() })
    }

    /// Tells what `compare` has more, less and otherwise than `base`, in all environments: names only.
    ///
    /// The service sends the values along; they are wiped as soon as the answer is read. Old secrets that hang on no branch are
    /// left out here, though reads find them on `main`. So are differences between environments of one branch.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when the project has no branch of the name, with those that it has.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let difference = client.compare_branches("main", "feature/new-ui").await?;
    /// for place in &difference.changed {
    ///     println!("{} of {} differs", place.key, place.environment);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn compare_branches<'a>(
        &'a self,
        base: impl Into<String>,
        compare: impl Into<String>,
    ) -> Request<'a, Xtra, CompareBranches, M> {
        self.request(XtraScope::default(), CompareBranches { base: base.into(), compare: compare.into() })
    }
}

impl<M> Request<'_, Xtra, CreateBranch, M> {
    /// What the branch is for. Default: empty.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }
}

impl<M> Request<'_, Xtra, RenameBranch, M> {
    /// A new description too. An empty one is ignored by the service.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }
}
