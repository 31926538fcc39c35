//! Branches. The service knows them by id, people by name.

use super::{invalid, timestamp};
use crate::core::{ErrorKind, Hint, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::raw::types;
use crate::services::xtra::scope::MAIN;
use crate::services::xtra::{Xtra, XtraScope, check_branch, shown_name};

/// How many names a message lists.
const NAMES_SHOWN: usize = 5;

/// # Branches
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
    ///     println!("{} of {} differs", place.name, place.environment);
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

/// Lists branches; made by [`XtraClient::list_branches`](crate::XtraClient::list_branches).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListBranches;

impl Operation for ListBranches {
    const NAME: &'static str = "list_branches";
    type Source = Xtra;
    type Output = Vec<Branch>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<Branch>, XtraError> {
        let project = call.project().await?;
        call.source().branches(&project).await
    }
}

/// Makes a branch; made by [`XtraClient::create_branch`](crate::XtraClient::create_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateBranch {
    name: String,
    description: Option<String>,
}

impl Operation for CreateBranch {
    const NAME: &'static str = "create_branch";
    type Source = Xtra;
    type Output = Branch;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Branch, XtraError> {
        let Self { name, description } = self;
        let (project, source) = (call.project().await?, call.source());
        let _changing = call.changing(&project);
        check_branch(&name)?;
        let request = source.raw().branches_create();
        let request = request.body_map(|body| body.name(name).project_id(&project).description(description));
        let made = request.send().await.map_err(|error| source.or_for_users(from_raw(error), "create a branch"));
        Ok(made.map_err(look_at_the_list)?.into_inner().into())
    }
}

/// Gives a branch another name; made by [`XtraClient::rename_branch`](crate::XtraClient::rename_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct RenameBranch {
    name: String,
    new_name: String,
    description: Option<String>,
    options: WriteOptions,
}

impl Operation for RenameBranch {
    const NAME: &'static str = "rename_branch";
    type Source = Xtra;
    type Output = Branch;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Branch, XtraError> {
        let Self { name, new_name, description, options } = self;
        let what = "would rename a branch, and take its secrets of production from who reads it by the old name";
        call.confirm_all(options, what)?;
        let project = call.project().await?;
        let _changing = call.changing(&project);
        if is_main(&name) {
            return Err(invalid("the branch main cannot be renamed: reads that name no branch go to it"));
        }
        check_branch(&new_name)?;
        let branches = call.source().branches(&project).await?;
        let id = named(&branches, &name)?.id.clone();
        if branches.iter().any(|branch| branch.name == new_name) {
            let message = format!("the project has a branch {} already. Choose another name", shown_name(&new_name));
            return Err(XtraError::new(ErrorKind::Conflict, message));
        }
        let request = call.source().raw().branches_update();
        let request = request.body_map(|body| body.id(id).name(new_name).description(description));
        Ok(request.send().await.map_err(from_raw).map_err(look_at_the_list)?.into_inner().into())
    }
}

/// Deletes a branch; made by [`XtraClient::delete_branch`](crate::XtraClient::delete_branch).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteBranch {
    name: String,
    options: WriteOptions,
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

writes!(RenameBranch, DeleteBranch);

/// Compares two branches; made by [`XtraClient::compare_branches`](crate::XtraClient::compare_branches).
#[derive(Debug)]
#[non_exhaustive]
pub struct CompareBranches {
    base: String,
    compare: String,
}

impl Operation for CompareBranches {
    const NAME: &'static str = "compare_branches";
    type Source = Xtra;
    type Output = BranchComparison;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<BranchComparison, XtraError> {
        let (project, source) = (call.project().await?, call.source());
        let branches = source.branches(&project).await?;
        let (base, compare) = (named(&branches, &self.base)?, named(&branches, &self.compare)?);
        let request = source.raw().branches_compare().base(base.id.as_str()).compare(compare.id.as_str());
        Ok(request.send().await.map_err(from_raw)?.into_inner().into())
    }
}

impl Xtra {
    async fn branches(&self, project: &str) -> Result<Vec<Branch>, XtraError> {
        let list = self.raw().branches_list().project_id(project).send().await.map_err(from_raw)?;
        Ok(list.into_inner().0.into_iter().map(Branch::with_count).collect())
    }

    /// The id of a branch.
    pub(super) async fn branch_id(&self, project: &str, name: &str) -> Result<String, XtraError> {
        let branches = self.branches(project).await?;
        named(&branches, name).map(|branch| branch.id.clone())
    }

    /// Deletes a branch with its secrets, by the way that the service allows the caller.
    async fn delete_branch(&self, project: &str, name: &str) -> Result<(), XtraError> {
        if is_main(name) {
            return Err(invalid("the branch main cannot be deleted: reads that name no branch go to it"));
        }
        let branches = self.branches(project).await?;
        let id = &named(&branches, name)?.id;
        match self.raw().branches_delete().branch_id(id.as_str()).send().await.map_err(from_raw) {
            Ok(_) => Ok(()),
            // that way is open to the project's creator and to admins of its teams; others may do it in two steps
            Err(error) if matches!(error.status(), Some(401 | 403)) && !error.is_foreign_refusal() => {
                self.empty_and_detach(project, id).await
            }
            // and the service fails on it for a service account
            Err(error) if error.status() == Some(500) => self.delete_after_failure(project, id, error).await,
            Err(error) => Err(look_at_the_list(error)),
        }
    }

    /// The other way, unless the branch is gone though the service failed.
    async fn delete_after_failure(&self, project: &str, id: &str, error: XtraError) -> Result<(), XtraError> {
        match self.branches(project).await {
            Ok(branches) if branches.iter().all(|branch| branch.id != id) => Ok(()),
            Ok(_) => self.empty_and_detach(project, id).await,
            Err(_) => Err(look_at_the_list(error)),
        }
    }

    /// The other way. Detaching leaves the secrets of a branch behind, on `main` and over what is there, so it must be empty.
    async fn empty_and_detach(&self, project: &str, id: &str) -> Result<(), XtraError> {
        let clear = self.raw().branches_clear_by_query().operation("clear").branch_id(id).send().await;
        clear.map_err(from_raw).map_err(|error| {
            error.if_in_doubt(|error| error.with_note("The branch is still there; its secrets may be deleted"))
        })?;
        let left = |error: XtraError| {
            error.with_note("The branch's secrets are deleted; the branch may still be there").with_unknown_outcome()
        };
        let branches = self.branches(project).await.map_err(left)?;
        let Some(branch) = branches.iter().find(|branch| branch.id == id) else {
            return Ok(());
        };
        if branch.secret_count != Some(0) {
            return Err(XtraError::new(
                ErrorKind::Conflict,
                "the branch was emptied, and has secrets again: somebody writes to it. It was not deleted, because its secrets \
                 would come up on the branch main. Stop what writes to it, then delete it again",
            )
            .with_unknown_outcome());
        }
        self.raw().branches_detach().id(id).send().await.map(drop).map_err(from_raw).map_err(left)
    }
}

/// The service compares so when it protects the branch.
fn is_main(name: &str) -> bool {
    name.eq_ignore_ascii_case(MAIN)
}

fn named<'b>(branches: &'b [Branch], name: &str) -> Result<&'b Branch, XtraError> {
    check_branch(name)?;
    branches.iter().find(|branch| branch.name == name).ok_or_else(|| no_branch(branches, name))
}

/// There is no such branch. Those that differ in case only are named first: it is the usual mistake.
fn no_branch(branches: &[Branch], name: &str) -> XtraError {
    let mut names: Vec<&str> = branches.iter().map(|branch| branch.name.as_str()).collect();
    names.sort_by_key(|known| (!known.eq_ignore_ascii_case(name), *known != MAIN));
    let mut shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| shown_name(name)).collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    let known = match shown.is_empty() {
        true => "none at all".to_owned(),
        false => shown.join(", "),
    };
    XtraError::new(
        ErrorKind::NotFound,
        format!("the project has no branch {}; it has {known}. Names are case-sensitive", shown_name(name)),
    )
}

/// Says what to look at when it is not known whether a write was carried out.
fn look_at_the_list(error: XtraError) -> XtraError {
    error.if_in_doubt(|error| error.with_hint(Hint::LookAt { call: "list_branches" }))
}

/// A branch of a project. The secrets on it are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Branch {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// The name, unique in its project. Case-sensitive.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The branch's own version, which the service does not count up by itself.
    pub version: Option<String>,
    /// The id of the project.
    pub project_id: Option<String>,
    /// The id of the user who made it.
    pub created_by: Option<String>,
    /// That user's name, where the service tells it.
    pub creator_name: Option<String>,
    /// That user's address, where the service tells it.
    pub creator_email: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// How many secrets it holds in all environments together. Only a list tells it. Old secrets that hang on no branch, and
    /// which reads find on `main`, are not counted.
    pub secret_count: Option<usize>,
}

impl From<types::BranchDetails> for Branch {
    fn from(branch: types::BranchDetails) -> Self {
        let (creator_name, creator_email) = branch.user.map(|user| (user.name, user.email)).unwrap_or_default();
        Self {
            id: branch.id,
            name: branch.name,
            description: branch.description,
            version: branch.version_no,
            project_id: branch.project_id,
            created_by: branch.created_by,
            creator_name,
            creator_email,
            created_at: timestamp(branch.created_at),
            secret_count: None,
        }
    }
}

impl Branch {
    /// A branch of the list. The secrets that came along are counted, and wiped when the answer is dropped here.
    fn with_count(branch: types::BranchDetails) -> Self {
        let secret_count = branch.secrets.as_ref().map(Vec::len);
        Self { secret_count, ..branch.into() }
    }
}

/// How two branches differ. Names only: no value is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BranchComparison {
    /// What the second branch has and the first has not.
    pub added: Vec<SecretPlace>,
    /// What the first branch has and the second has not.
    pub removed: Vec<SecretPlace>,
    /// What both have with different values.
    pub changed: Vec<SecretPlace>,
}

impl BranchComparison {
    /// Whether the two hold the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl From<types::BranchComparison> for BranchComparison {
    fn from(answer: types::BranchComparison) -> Self {
        let of_records = |records: Option<Vec<types::ComparedSecret>>| {
            sorted(records.into_iter().flatten().map(|record| (record.environment_type, Some(record.key))))
        };
        let changed = answer.modified.into_iter().flatten().map(|pair| (pair.environment_type, pair.key));
        Self { changed: sorted(changed), added: of_records(answer.added), removed: of_records(answer.removed) }
    }
}

/// A secret by its name, in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SecretPlace {
    /// The environment, as it is stored.
    pub environment: String,
    /// The secret's name.
    pub name: String,
}

fn sorted(places: impl Iterator<Item = (Option<String>, Option<String>)>) -> Vec<SecretPlace> {
    let named = places.filter_map(|(environment, key)| {
        Some(SecretPlace { environment: environment.unwrap_or_default(), name: key? })
    });
    let mut places: Vec<SecretPlace> = named.collect();
    places.sort();
    places
}
