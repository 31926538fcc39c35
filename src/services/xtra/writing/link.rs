//! A secret whose value is that of another one.

use super::rows::{First, Target};
use crate::core::{ErrorKind, XtraError};
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
    pub(crate) async fn link(
        &self,
        target: Target<'_>,
        source: Source<'_>,
        reads_back: bool,
    ) -> Result<String, XtraError> {
        let look = self.look(target.place).await?;
        if !target.exact {
            self.check_spelling(target.place, &look).await?;
        }
        // a link to nothing is not read
        let is_there = look.get(target.key).is_some()
            || match self.first_row(target).await? {
                First::Row(row) if row.branch.is_none() => true,
                // the row of another branch, or one that a narrowed read does not show
                First::Row(_) => !self.rows(target).await?.here.is_empty(),
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
        if reads_back {
            self.check_linked(target).await?;
        }
        Ok(answer.into_inner().id)
    }

    /// Somebody may have made a secret of that name in the same moment.
    async fn check_linked(&self, target: Target<'_>) -> Result<(), XtraError> {
        let look = self.look(target.place).await.map_err(|error| {
            let told = format!(". {} is linked; this was to read it back", target.shown());
            error.adding(&told).with_keys([target.key]).with_unknown_outcome()
        })?;
        let why = match look.get(target.key) {
            Some(seen) if seen.linked => return Ok(()),
            Some(_) => {
                "and a secret of its own hides the link: somebody has made one meanwhile. repair_secret(..).dry_run() shows the rows"
            }
            None => "and no read shows it: its source holds nothing, or this caller is shown other secrets only",
        };
        let message = format!("{} was linked, {why}", target.shown());
        Err(XtraError::new(ErrorKind::Conflict, message).with_keys([target.key]).with_unknown_outcome())
    }
}

fn exists(target: Target<'_>) -> XtraError {
    let message = format!(
        "nothing was linked: {} exists, and the service would keep it beside the link. Delete it first",
        target.shown()
    );
    XtraError::new(ErrorKind::Conflict, message).with_keys([target.key])
}
