//! Branches. The service knows them by id, people by name.

use super::{convert, invalid};
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::scope;
use crate::services::xtra::scope::{MAIN, quoted};
use crate::services::xtra::source::Xtra;

/// How many names a message lists.
const NAMES_SHOWN: usize = 5;

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
    pub project: Option<String>,
    /// The id of the user who made it.
    pub created_by: Option<String>,
    /// That user's name, where the service tells it.
    pub creator_name: Option<String>,
    /// That user's address, where the service tells it.
    pub creator_email: Option<String>,
    /// When it was made, ISO-8601.
    pub created_at: Option<String>,
    /// How many secrets it holds in all environments together. Only a list tells it. Old secrets that hang on no branch, and
    /// which reads find on `main`, are not counted.
    pub secret_count: Option<usize>,
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

/// A secret by its name, in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SecretPlace {
    /// The environment, as it is stored.
    pub environment: String,
    /// The secret's name.
    pub key: String,
}

impl Xtra {
    pub(crate) async fn list_branches(&self, project: &str) -> Result<Vec<Branch>, XtraError> {
        let list = self.raw().branches_list().project_id(project).send().await.map_err(from_raw)?;
        Ok(convert::branches(list.into_inner()))
    }

    pub(crate) async fn create_branch(
        &self,
        project: &str,
        name: String,
        description: Option<String>,
    ) -> Result<Branch, XtraError> {
        scope::branch(&name)?;
        let call = self.raw().branches_create();
        let call = call.body_map(|body| body.name(name).project_id(project).description(description));
        let made = call.send().await.map_err(|error| self.or_for_users(from_raw(error), "create a branch"));
        Ok(convert::branch(made.map_err(look_at_the_list)?.into_inner()))
    }

    pub(crate) async fn rename_branch(
        &self,
        project: &str,
        name: &str,
        new_name: String,
        description: Option<String>,
    ) -> Result<Branch, XtraError> {
        if is_main(name) {
            return Err(invalid("the branch main cannot be renamed: reads that name no branch go to it"));
        }
        scope::branch(&new_name)?;
        let branches = self.list_branches(project).await?;
        let id = named(&branches, name)?.id.clone();
        if branches.iter().any(|branch| branch.name == new_name) {
            return Err(XtraError::new(
                ErrorKind::Conflict,
                format!("the project has a branch {} already. Choose another name", quoted(&new_name)),
            ));
        }
        let call = self.raw().branches_update();
        let call = call.body_map(|body| body.id(id).name(new_name).description(description));
        Ok(convert::branch(call.send().await.map_err(from_raw).map_err(look_at_the_list)?.into_inner()))
    }

    /// Deletes a branch with its secrets, by the way that the service allows the caller.
    pub(crate) async fn delete_branch(&self, project: &str, name: &str) -> Result<(), XtraError> {
        if is_main(name) {
            return Err(invalid("the branch main cannot be deleted: reads that name no branch go to it"));
        }
        let branches = self.list_branches(project).await?;
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
        match self.list_branches(project).await {
            Ok(branches) if branches.iter().all(|branch| branch.id != id) => Ok(()),
            Ok(_) => self.empty_and_detach(project, id).await,
            Err(_) => Err(look_at_the_list(error)),
        }
    }

    /// The other way. Detaching leaves the secrets of a branch behind, on `main` and over what is there, so it must be empty.
    async fn empty_and_detach(&self, project: &str, id: &str) -> Result<(), XtraError> {
        let clear = self.raw().branches_clear_by_query().operation("clear").branch_id(id).send().await;
        clear.map_err(from_raw).map_err(|error| {
            if error.may_have_been_applied() {
                return error.adding(". The branch is still there; its secrets may be deleted");
            }
            error
        })?;
        let left = |error: XtraError| {
            error.adding(". The branch's secrets are deleted; the branch may still be there").with_unknown_outcome()
        };
        let branches = self.list_branches(project).await.map_err(left)?;
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

    pub(crate) async fn compare_branches(
        &self,
        project: &str,
        base: &str,
        compare: &str,
    ) -> Result<BranchComparison, XtraError> {
        let branches = self.list_branches(project).await?;
        let (base, compare) = (named(&branches, base)?, named(&branches, compare)?);
        let call = self.raw().branches_compare().base(base.id.as_str()).compare(compare.id.as_str());
        Ok(convert::comparison(call.send().await.map_err(from_raw)?.into_inner()))
    }

    /// The id of a branch.
    pub(super) async fn branch_id(&self, project: &str, name: &str) -> Result<String, XtraError> {
        let branches = self.list_branches(project).await?;
        named(&branches, name).map(|branch| branch.id.clone())
    }
}

/// The service compares so when it protects the branch.
fn is_main(name: &str) -> bool {
    name.eq_ignore_ascii_case(MAIN)
}

fn named<'b>(branches: &'b [Branch], name: &str) -> Result<&'b Branch, XtraError> {
    scope::branch(name)?;
    branches.iter().find(|branch| branch.name == name).ok_or_else(|| no_branch(branches, name))
}

/// There is no such branch. Those that differ in case only are named first: it is the usual mistake.
fn no_branch(branches: &[Branch], name: &str) -> XtraError {
    let mut names: Vec<&str> = branches.iter().map(|branch| branch.name.as_str()).collect();
    names.sort_by_key(|known| (!known.eq_ignore_ascii_case(name), *known != MAIN));
    let mut shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| quoted(name)).collect();
    if names.len() > shown.len() {
        shown.push(format!("{} more", names.len() - shown.len()));
    }
    let known = match shown.is_empty() {
        true => "none at all".to_owned(),
        false => shown.join(", "),
    };
    XtraError::new(
        ErrorKind::NotFound,
        format!("the project has no branch {}; it has {known}. Names are case-sensitive", quoted(name)),
    )
}

/// Says what to look at when it is not known whether a write was carried out.
fn look_at_the_list(error: XtraError) -> XtraError {
    match error.may_have_been_applied() {
        true => error.adding(". list_branches() tells"),
        false => error,
    }
}
