//! A secret whose value is that of another one.

use std::collections::BTreeSet;

use super::rows::{First, Target};
use crate::error::{ErrorKind, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::{Place, Xtra};

/// The secret that a link shows.
pub(crate) struct Source<'a> {
    pub(crate) project: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) key: &'a str,
}

impl Xtra {
    /// Makes a link, where there is nothing yet. Gives the id of its row.
    pub(crate) async fn link(&self, target: Target<'_>, source: Source<'_>) -> Result<String, XtraError> {
        let look = self.look(target.place).await?;
        if !target.exact {
            self.check_spelling(target.place, &look).await?;
        }
        // a link to nothing is not read
        let is_there = look.get(target.key).is_some()
            || match self.first_row(target).await? {
                First::Row(row) if row.branch.is_none() => true,
                // the row of another branch, or one that a narrowed read does not show
                First::Row(_) => !self.versions(target.place, &BTreeSet::from([target.key])).await?.is_empty(),
                First::Nothing | First::Unknown => false,
            };
        if is_there {
            return Err(exists(target));
        }
        let Place { project, environment, .. } = target.place;
        let request = self.raw().secrets_link().project_id(project).env(environment).body_map(|body| {
            body.key(target.key).source_project_id(source.project).source_env(source.environment).source_key(source.key)
        });
        let answer = request.send().await.map_err(|error| {
            let error = from_raw(error).with_keys([target.key]);
            match error.may_have_been_applied() {
                true => error.adding(&format!(
                    ". It was to make {}: read the environment and look for it, for a second call may make a second one",
                    target.shown()
                )),
                false => error,
            }
        })?;
        Ok(answer.into_inner().id)
    }
}

fn exists(target: Target<'_>) -> XtraError {
    let message = format!(
        "nothing was linked: {} exists, and the service would keep it beside the link. Delete it first",
        target.shown()
    );
    XtraError::new(ErrorKind::Conflict, message).with_keys([target.key])
}
