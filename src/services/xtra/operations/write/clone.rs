//! Copying an environment, by the service.

use std::borrow::Cow;

use super::current_state::CurrentState;
use super::names::named;
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{WriteOptions, writes};
use crate::services::xtra::{Place, Xtra, XtraScope, shown_name};

/// The operation of a [`Request`] that clones an environment.
#[derive(Debug)]
pub struct CloneEnvironment {
    from: String,
    overwrite: bool,
    options: WriteOptions,
}

/// What became of the secrets of an environment that was cloned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cloned {
    /// How many the target did not have.
    pub copied: u64,
    /// How many it had, and has with the source's value now.
    pub updated: u64,
    /// How many it had, and keeps as they were.
    pub skipped: u64,
    /// The secrets of the source that the target has not got, or that were to be cloned and are read there with another value,
    /// in order. The service does not clone what hangs on no branch, and of several rows of a name it takes the first, where
    /// reads give the last ([`repair_secret`](crate::XtraClient::repair_secret) leaves one); somebody may also have written
    /// meanwhile. Whatever is here is not confirmed.
    pub left_out: Vec<String>,
}

/// # Copy an environment
impl<M> Client<Xtra, M> {
    /// Copies the secrets of the environment `from` to the environment `to` of the same branch. Secrets that `to` has stay
    /// as they are, unless [`overwrite(true)`](Request::overwrite) is said.
    ///
    /// This is the service's own operation, which only the user who created the project may use; `promote_secrets` does it for
    /// everybody who may write, across branches too, and copies links by their value. Four requests are sent, or five: both
    /// environments are looked at. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, when the two are the same, or a name has capitals, which the
    /// service turns into small letters (see [`exact`](Request::exact)); also when the target is spelled otherwise in the
    /// project; [`EmptyScope`](crate::ErrorKind::EmptyScope) when the source has no secrets;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it has links, which would lose their values, or the target has links of the
    /// same names, which would be hidden;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) when the token is not that of the project's creator;
    /// [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when the target is production and that is protected; and those of any
    /// call. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, compare the two environments.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// client.set_secrets("blue", [("HOST", "db"), ("PORT", "5432")]).await?;
    /// client.set_secret("green", "PORT", "5433").await?;
    /// let cloned = client.clone_environment("blue", "green").await?;
    /// assert_eq!((cloned.copied, cloned.skipped), (1, 1));
    /// assert_eq!(client.get_secrets("green").await?.require("PORT")?.expose(), "5433");
    /// # Ok(())
    /// # }
    /// ```
    pub fn clone_environment<'a>(
        &'a self,
        from: impl Into<String>,
        to: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, CloneEnvironment, M> {
        self.request(
            XtraScope::new(to),
            CloneEnvironment { from: from.into(), overwrite: false, options: WriteOptions::default() },
        )
    }
}

impl<M> Request<'_, Xtra, CloneEnvironment, M> {
    /// Whether secrets that the target has get the source's value. Default: they do not.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.operation.overwrite = overwrite;
        self
    }
}

impl Operation for CloneEnvironment {
    const NAME: &'static str = "clone_environment";
    type Source = Xtra;
    type Output = Cloned;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Cloned, XtraError> {
        let to = call.place().await?;
        let from = to.in_environment(&self.from)?;
        check(&from, &to, self.options.is_exact())?;
        call.confirm(self.options, &to.environment)?;
        let _changing = call.changing_in(&to);
        self.clone(call.source(), &from, &to).await
    }
}

writes!(CloneEnvironment);

fn check(from: &Place, to: &Place, exact: bool) -> Result<(), XtraError> {
    let lower = [from, to].map(|place| place.environment.to_lowercase());
    if lower[0] == lower[1] {
        let message = format!("nothing was cloned: {} is both the source and the target", shown_name(&to.environment));
        return Err(XtraError::new(ErrorKind::Invalid, message));
    }
    for (place, lower) in [from, to].into_iter().zip(lower) {
        if place.environment != lower && !exact {
            let message = format!(
                "nothing was cloned: the service would take {} for {}",
                shown_name(&place.environment),
                shown_name(&lower)
            );
            return Err(XtraError::new(ErrorKind::Invalid, message)
                .with_hint(Hint::advice("Spell it in small letters"))
                .with_hint(Hint::Exact));
        }
    }
    Ok(())
}

impl CloneEnvironment {
    async fn clone(&self, source: &Xtra, from: &Place, to: &Place) -> Result<Cloned, XtraError> {
        let overwrite = self.overwrite;
        let before = source.current_state(from).await?;
        check_source(from, &before)?;
        let there = source.current_state(to).await?;
        check_target(to, &before, &there)?;
        if !self.options.is_exact() {
            source.check_spelling(to, &there).await?;
        }
        let request = source.raw().environments_clone().project_id(&from.project).body_map(|body| {
            // the service spells both in lower case, so this is what it does anyway
            let body = body.from_env(from.environment.to_lowercase()).to_env(to.environment.to_lowercase());
            body.branch(from.branch.clone()).overwrite(overwrite)
        });
        let answer = request.send().await.map_err(|error| refused(from_raw(error), to))?;
        let summary = answer.into_inner().summary;
        let figure = |figure: Option<i64>| figure.and_then(|figure| u64::try_from(figure).ok()).unwrap_or_default();
        let after = source.current_state(to).await.map_err(|error| {
            error.with_note("The environment is cloned; this was to read what is there now").with_unknown_outcome()
        })?;
        Ok(Cloned {
            copied: figure(summary.as_ref().and_then(|summary| summary.copied)),
            updated: figure(summary.as_ref().and_then(|summary| summary.updated)),
            skipped: figure(summary.as_ref().and_then(|summary| summary.skipped)),
            left_out: left_out(&before, &there, &after, overwrite),
        })
    }
}

/// What everybody may do who may write secrets, links or not.
const USE_PROMOTE: Hint = Hint::Use { call: "promote_secrets", purpose: "copy values" };

fn check_source(from: &Place, look: &CurrentState) -> Result<(), XtraError> {
    let name = shown_name(&from.environment);
    if look.is_empty() {
        let message = format!(
            "nothing was cloned: the environment {name} has no secrets on the branch {}",
            shown_name(&from.branch)
        );
        return Err(XtraError::new(ErrorKind::EmptyScope, message).with_hint(Hint::advice("Check both names")));
    }
    let linked: Vec<_> = look.iter().filter(|(_, seen)| seen.linked).map(|(key, _)| key.to_owned()).collect();
    if linked.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing was cloned: the environment {name} has secrets that are links, which the service clones without their value: {}",
        named(&linked)
    );
    Err(XtraError::new(ErrorKind::Conflict, message).with_names(linked).with_hint(USE_PROMOTE))
}

/// The service does not see links in the target: it would make a secret beside each, which hides it.
fn check_target(to: &Place, before: &CurrentState, there: &CurrentState) -> Result<(), XtraError> {
    let hidden = there.iter().filter(|(key, seen)| seen.linked && before.get(key).is_some());
    let hidden: Vec<_> = hidden.map(|(key, _)| key.to_owned()).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let message = format!(
        "nothing was cloned: the environment {} has links of the same names, which the clones would hide: {}",
        shown_name(&to.environment),
        named(&hidden)
    );
    Err(XtraError::new(ErrorKind::Conflict, message).with_names(hidden).with_hint(USE_PROMOTE))
}

/// Only the project's creator may clone. To everybody else the service says that the project is not there, and for service
/// accounts it fails.
fn refused(error: XtraError, to: &Place) -> XtraError {
    match error.status() {
        Some(404) if error.server_message() == Some("Project not found") => XtraError::new(
            ErrorKind::Forbidden,
            "only the user who created the project may clone an environment (status 404)",
        )
        .with_hint(USE_PROMOTE)
        .with_status(404)
        .with_attempts(error.attempts()),
        Some(500) => {
            error.with_note("The service fails so for service accounts, which may not clone").with_hint(USE_PROMOTE)
        }
        _ => error.if_in_doubt(|error| {
            error
                .with_note(format!("It was to copy secrets to the environment {}", shown_name(&to.environment)))
                .with_hint(Hint::advice("Compare it with its source"))
        }),
    }
}

/// The service clones only what hangs on the branch itself, and of several rows the first, which is not what reads show.
fn left_out(before: &CurrentState, there: &CurrentState, after: &CurrentState, overwrite: bool) -> Vec<String> {
    let is_there = |key: &str| {
        let Some(seen) = after.get(key) else { return false };
        // what cannot be read cannot be compared
        let meant = before.get(key).and_then(|meant| meant.value.as_ref().ok());
        let stays = !overwrite && there.get(key).is_some();
        stays || meant.is_none_or(|meant| seen.value.is_err() || seen.is(meant))
    };
    before.iter().map(|(key, _)| key).filter(|key| !is_there(key)).map(str::to_owned).collect()
}
