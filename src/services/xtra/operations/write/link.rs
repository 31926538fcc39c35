//! A secret whose value is that of another one.

use std::borrow::Cow;

use super::names::{Naming, check_name, repair};
use super::stored_rows::{FirstRow, Target};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::operations::{ReadsBack, WriteOptions, writes};
use crate::services::xtra::{Place, Xtra, XtraScope, check_environment, is_same_project, shown_name};

/// The secret that a link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkSource {
    /// The id of its project: 24 hexadecimal digits, unless the service is a server of somebody's own.
    pub project_id: String,
    /// Its environment, spelled as it is stored.
    pub environment: String,
    /// Its name.
    pub name: String,
}

impl LinkSource {
    /// The secret `name` of an environment of a project, which may be another one than that of the link. When several branches
    /// have it, the service takes the one that it finds first.
    pub fn new(project_id: impl Into<String>, environment: impl Into<String>, name: impl Into<String>) -> Self {
        Self { project_id: project_id.into(), environment: environment.into(), name: name.into() }
    }
}

/// The operation of a [`Request`] that makes a link.
#[derive(Debug)]
pub struct LinkSecret {
    key: String,
    source: LinkSource,
    options: WriteOptions,
}

/// A link that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linked {
    /// The service's id of the link, for the [raw client](crate::XtraClient::raw).
    pub id: String,
}

/// # Link secrets
impl<M> Client<Xtra, M> {
    /// Makes a secret on `main` whose value is always that of another one, in this project or another. Links are read like any
    /// secret; [`delete_secret`](Self::delete_secret) takes them away.
    ///
    /// Links hang on no branch, so they are seen on `main` only. Four or five requests are sent: what is there is looked at
    /// first, because the service would keep a second secret of the same name, and the link is read back, unless
    /// [`skip_read_back`](Request::skip_read_back) is said. The client's snapshots of the project leave the cache.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for another branch than `main`, a name or id that cannot be,
    /// or a link to itself; also when the source is a link;
    /// [`Conflict`](crate::ErrorKind::Conflict) when the secret exists already, or no read gives the link afterwards; [`NotFound`](crate::ErrorKind::NotFound) when
    /// the source does not exist; [`Unconfirmed`](crate::ErrorKind::Unconfirmed) when production is protected; and those of
    /// any call. When [`may_have_been_applied`](XtraError::may_have_been_applied) is true, read the environment before
    /// another try.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use xtrasecurity::{XtraClient, dev_server::DevServer};
    /// use xtrasecurity::xtra::write::LinkSource;
    ///
    /// # let server = DevServer::start().await?;
    /// # let client = XtraClient::builder().dev_server(&server).build()?;
    /// # let project = server.project_id();
    /// client.set_secret("staging", "SHARED_TOKEN", "t-1").await?;
    /// client.link_secret("development", "TOKEN", LinkSource::new(project, "staging", "SHARED_TOKEN")).await?;
    /// client.set_secret("staging", "SHARED_TOKEN", "t-2").await?;
    /// assert_eq!(client.get_secrets("development").await?.require("TOKEN")?.expose(), "t-2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn link_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        name: impl Into<String>,
        source: LinkSource,
    ) -> Request<'a, Xtra, LinkSecret, M> {
        self.request(
            XtraScope::new(environment),
            LinkSecret { key: name.into(), source, options: WriteOptions::default() },
        )
    }
}

impl Operation for LinkSecret {
    const NAME: &'static str = "link_secret";
    type Source = Xtra;
    type Output = Linked;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Linked, XtraError> {
        let Self { key, source, .. } = &self;
        call.source().checked_project(&source.project_id)?;
        check_environment(&source.environment)?;
        check_name(&source.name, Naming::Any)?;
        check_name(key, Naming::Any)?;
        let branch = call.source().branch_of(call.scope())?;
        if branch != "main" {
            return Err(invalid(format!(
                "nothing was linked: links are seen on the branch main only, and this is {}",
                shown_name(branch)
            )));
        }
        let place = call.place().await?;
        if is_itself(&place, key, source) {
            return Err(invalid(format!("nothing was linked: the link {} would be its own source", shown_name(key))));
        }
        call.confirm(self.options, &place.environment)?;
        let _changing = call.changing_in(&place);
        let target = Target { place: &place, key, exact: self.options.is_exact() };
        Ok(Linked { id: call.source().link(target, source, self.options.reads_back()).await? })
    }
}

writes!(LinkSecret);

impl ReadsBack for LinkSecret {}

fn is_itself(place: &Place, key: &str, source: &LinkSource) -> bool {
    is_same_project(&source.project_id, &place.project) && source.environment == place.environment && source.name == key
}

fn invalid(message: String) -> XtraError {
    XtraError::new(ErrorKind::Invalid, message)
}

impl Xtra {
    /// Makes a link, where there is nothing yet. Gives the id of its row.
    async fn link(&self, target: Target<'_>, source: &LinkSource, reads_back: bool) -> Result<String, XtraError> {
        let look = self.current_state(target.place).await?;
        if !target.exact {
            self.check_spelling(target.place, &look).await?;
        }
        // a link to nothing is not read
        let is_there = look.get(target.key).is_some()
            || match self.first_row(target).await? {
                FirstRow::Row(row) if row.branch.is_none() => true,
                // the row of another branch, or one that a narrowed read does not show
                FirstRow::Row(_) => !self.stored_rows(target).await?.here.is_empty(),
                FirstRow::Nothing | FirstRow::Unknown => false,
            };
        if is_there {
            return Err(exists(target));
        }
        let Place { project, environment, .. } = target.place;
        let request = self.raw().secrets_link().project_id(project).env(environment).body_map(|body| {
            let body = body.key(target.key).source_project_id(&source.project_id);
            body.source_env(&source.environment).source_key(&source.name)
        });
        let answer = request.send().await.map_err(|error| {
            from_raw(error).with_names([target.key]).if_in_doubt(|error| {
                error
                    .with_note(format!("It was to make {}, and a second call may make a second one", target.shown()))
                    .with_hint(Hint::advice("Read the environment and look for it"))
            })
        })?;
        if reads_back {
            self.check_linked(target).await?;
        }
        Ok(answer.into_inner().id)
    }

    /// Somebody may have made a secret of that name in the same moment.
    async fn check_linked(&self, target: Target<'_>) -> Result<(), XtraError> {
        let look = self.current_state(target.place).await.map_err(|error| {
            let told = format!("{} is linked; only the check afterwards failed", target.shown());
            error.with_note(told).with_names([target.key]).with_unknown_outcome()
        })?;
        let why = match look.get(target.key) {
            Some(seen) if seen.linked => return Ok(()),
            Some(_) => "and a secret of its own hides the link: somebody has made one meanwhile",
            None => "and no read shows it: its source holds nothing, or this caller is shown other secrets only",
        };
        let message = format!("{} was linked, {why}", target.shown());
        let error = XtraError::new(ErrorKind::Conflict, message).with_names([target.key]).with_unknown_outcome();
        Err(if look.get(target.key).is_some() { error.with_hint(repair(target.key)) } else { error })
    }
}

fn exists(target: Target<'_>) -> XtraError {
    let message = format!(
        "nothing was linked: {} exists, and the service would keep it beside the link. Delete it first",
        target.shown()
    );
    XtraError::new(ErrorKind::Conflict, message).with_names([target.key])
}
