//! Copying all secrets of an environment to another one of the same branch, by the service.

use super::look::Look;
use super::names::named;
use crate::core::{ErrorKind, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Place, Xtra, shown_name};

/// What is to be cloned.
pub(crate) struct Cloning<'a> {
    pub(crate) from: &'a Place,
    pub(crate) to: &'a Place,
    /// Secrets that exist get the new value.
    pub(crate) overwrite: bool,
    /// The environments are spelled as they are meant.
    pub(crate) exact: bool,
}

/// What came of it, in the service's figures.
pub(crate) struct Copies {
    pub(crate) copied: u64,
    pub(crate) updated: u64,
    pub(crate) skipped: u64,
    /// What the source has, and the target does not have after it.
    pub(crate) left_out: Vec<String>,
}

impl Xtra {
    pub(crate) async fn clone_environment(&self, cloning: Cloning<'_>) -> Result<Copies, XtraError> {
        let Cloning { from, to, overwrite, exact } = cloning;
        let before = self.look(from).await?;
        check_source(from, &before)?;
        let there = self.look(to).await?;
        check_target(to, &before, &there)?;
        if !exact {
            self.check_spelling(to, &there).await?;
        }
        let request = self.raw().environments_clone().project_id(&from.project).body_map(|body| {
            // the service spells both in lower case, so this is what it does anyway
            let body = body.from_env(from.environment.to_lowercase()).to_env(to.environment.to_lowercase());
            body.branch(from.branch.clone()).overwrite(overwrite)
        });
        let answer = request.send().await.map_err(|error| refused(from_raw(error), to))?;
        let summary = answer.into_inner().summary;
        let figure = |figure: Option<i64>| figure.and_then(|figure| u64::try_from(figure).ok()).unwrap_or_default();
        let after = self.look(to).await.map_err(|error| {
            error.adding(". The environment is cloned; this was to read what is there now").with_unknown_outcome()
        })?;
        Ok(Copies {
            copied: figure(summary.as_ref().and_then(|summary| summary.copied)),
            updated: figure(summary.as_ref().and_then(|summary| summary.updated)),
            skipped: figure(summary.as_ref().and_then(|summary| summary.skipped)),
            left_out: left_out(&before, &there, &after, overwrite),
        })
    }
}

fn check_source(from: &Place, look: &Look) -> Result<(), XtraError> {
    let name = shown_name(&from.environment);
    if look.is_empty() {
        let message = format!(
            "nothing was cloned: the environment {name} has no secrets on the branch {}. Check both names",
            shown_name(&from.branch)
        );
        return Err(XtraError::new(ErrorKind::EmptyScope, message));
    }
    let linked: Vec<_> = look.iter().filter(|(_, seen)| seen.linked).map(|(key, _)| key.to_owned()).collect();
    if linked.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing was cloned: the environment {name} has secrets that are links, which the service clones without their value: \
         {}. promote() copies values",
        named(&linked)
    );
    Err(XtraError::new(ErrorKind::Conflict, message).with_keys(linked))
}

/// The service does not see links in the target: it would make a secret beside each, which hides it.
fn check_target(to: &Place, before: &Look, there: &Look) -> Result<(), XtraError> {
    let hidden = there.iter().filter(|(key, seen)| seen.linked && before.get(key).is_some());
    let hidden: Vec<_> = hidden.map(|(key, _)| key.to_owned()).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing was cloned: the environment {} has links of the same names, which the clones would hide: {}. promote() keeps \
         them",
        shown_name(&to.environment),
        named(&hidden)
    );
    Err(XtraError::new(ErrorKind::Conflict, message).with_keys(hidden))
}

/// Only the project's creator may clone. To everybody else the service says that the project is not there, and for service
/// accounts it fails.
fn refused(error: XtraError, to: &Place) -> XtraError {
    match error.status() {
        Some(404) if error.server_message() == Some("Project not found") => XtraError::new(
            ErrorKind::Forbidden,
            "environments_clone: only the user who created the project may clone an environment (status 404). promote() \
             copies secrets for everybody who may write them",
        )
        .with_status(404)
        .with_attempts(error.attempts()),
        Some(500) => error.adding(
            ". The service fails so for service accounts, which may not clone: promote() copies secrets for everybody who may \
             write them",
        ),
        _ if error.may_have_been_applied() => error.adding(&format!(
            ". It was to copy secrets to the environment {}: compare it with its source",
            shown_name(&to.environment)
        )),
        _ => error,
    }
}

/// The service clones only what hangs on the branch itself, and of several rows the first, which is not what reads show.
fn left_out(before: &Look, there: &Look, after: &Look, overwrite: bool) -> Vec<String> {
    let is_there = |key: &str| {
        let Some(seen) = after.get(key) else { return false };
        // what cannot be read cannot be compared
        let meant = before.get(key).and_then(|meant| meant.value.as_ref().ok());
        let stays = !overwrite && there.get(key).is_some();
        stays || meant.is_none_or(|meant| seen.value.is_err() || seen.is(meant))
    };
    before.iter().map(|(key, _)| key).filter(|key| !is_there(key)).map(str::to_owned).collect()
}
