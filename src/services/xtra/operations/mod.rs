//! The operations of XtraSecurity besides reading: a file for each, or for each family, with what several share beside them.
//!
//! A file holds all of an operation: what it is made of, the method of the client that makes it, its options, what it does at
//! the service, and what it gives. Adding one is that file, and its line in `write` or `manage`.

// in the order in which the page of the client shows them
pub mod write;

pub mod manage;

use super::{Place, Xtra, names_production, write_project};
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use write::current_state::CurrentState;

/// An [`Operation`] that changes something at the service which may be production's.
pub trait Writes: Operation<Source = Xtra> {
    /// What the request was told of how to write.
    fn write_options(&mut self) -> &mut WriteOptions;
}

/// An operation that [`Writes`] secrets, and then reads back whether reads give what it has written.
pub trait ReadsBack: Writes {}

/// How a request writes, besides what it writes; set by the options of a request that [`Writes`].
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct WriteOptions {
    production: Production,
    spelling: Spelling,
    read_back: ReadBack,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Production {
    #[default]
    Protected,
    Confirmed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Spelling {
    #[default]
    Checked,
    Exact,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum ReadBack {
    #[default]
    Done,
    Skipped,
}

impl WriteOptions {
    /// Whether the environment is spelled as it is meant.
    pub(crate) fn is_exact(self) -> bool {
        self.spelling == Spelling::Exact
    }

    /// Whether what was written is read back.
    pub(crate) fn reads_back(self) -> bool {
        self.read_back == ReadBack::Done
    }
}

/// Says that operations write, and keep how in a field `options`.
macro_rules! writes {
    ($($operation:ty),+) => {
        $(impl $crate::services::xtra::operations::Writes for $operation {
            fn write_options(&mut self) -> &mut $crate::services::xtra::operations::WriteOptions {
                &mut self.options
            }
        })+
    };
}

pub(crate) use writes;

impl<Op: Writes, M> Request<'_, Xtra, Op, M> {
    /// Confirms that production is meant, for a client that
    /// [protects it](crate::XtraClientBuilder::protect_production). Without effect on others.
    pub fn confirm_production(mut self) -> Self {
        self.operation.write_options().production = Production::Confirmed;
        self
    }

    /// Takes the environment's name as it is spelled. Without this, a write is refused when the project has an environment
    /// whose name differs from it in case only: the service would keep two, and mix them in every read.
    pub fn exact(mut self) -> Self {
        self.operation.write_options().spelling = Spelling::Exact;
        self
    }
}

impl<Op: ReadsBack, M> Request<'_, Xtra, Op, M> {
    /// Does not read back what was written, which spares one request.
    ///
    /// The service may hold two rows of one name, of which a write changes the first and reads return the last. Without the
    /// read-back, a write that no read will ever give looks like any other.
    pub fn skip_read_back(mut self) -> Self {
        self.operation.write_options().read_back = ReadBack::Skipped;
        self
    }
}

impl Call<'_, Xtra> {
    /// The environment on a branch of a project that the request is about, checked. May ask the service for the project.
    pub(crate) async fn place(&self) -> Result<Place, XtraError> {
        self.source().place(self.scope()).await
    }

    /// The project that the request is about, checked. May ask the service for it.
    pub(crate) async fn project(&self) -> Result<String, XtraError> {
        self.source().project_of(self.scope()).await
    }

    /// What is there before a write, in an environment that is spelled as the project spells it, or as it is meant.
    pub(crate) async fn state_before(&self, place: &Place, options: WriteOptions) -> Result<CurrentState, XtraError> {
        let look = self.source().current_state(place).await?;
        if !options.is_exact() {
            self.source().check_spelling(place, &look).await?;
        }
        Ok(look)
    }

    /// Refuses to change `environment` when it is production, the client protects that, and the request has not confirmed it.
    pub(crate) fn confirm(&self, options: WriteOptions, environment: &str) -> Result<(), XtraError> {
        match names_production(environment) {
            true => self.confirm_all(options, "would change the environment production"),
            false => Ok(()),
        }
    }

    /// The same for what changes every environment.
    pub(crate) fn confirm_all(&self, options: WriteOptions, what: &str) -> Result<(), XtraError> {
        if !self.source().protects_production() || options.production == Production::Confirmed {
            return Ok(());
        }
        Err(XtraError::new(
            ErrorKind::Unconfirmed,
            format!("the call {what}, which this client protects, and nothing was sent"),
        )
        .with_hint(Hint::Confirm))
    }

    /// From now on, until what this returns is dropped, the client's snapshots of `project` may be out of date: they leave the
    /// cache then. It is a guard because a write that was given up half-way may have been carried out too.
    pub(crate) fn changing(&self, project: &str) -> Changing {
        Changing { client: self.client(), project: project.to_owned(), environment: None }
    }

    /// The same where only one environment loses or gets secrets. Of the others, values may follow it, but an answer to a read is
    /// still compared with what they held.
    pub(crate) fn changing_in(&self, place: &Place) -> Changing {
        let mut changing = self.changing(&place.project);
        changing.environment = Some(place.environment.clone());
        changing
    }
}

/// A project that is being changed.
#[must_use = "the cache is cleared when this is dropped"]
pub(crate) struct Changing {
    client: Client<Xtra>,
    project: String,
    /// All of them, where none is named.
    environment: Option<String>,
}

impl Drop for Changing {
    fn drop(&mut self) {
        // A service account's client names no project: the service knows it.
        for project in [self.project.as_str(), ""] {
            self.client.engine.invalidate_under(
                |key| write_project(project, key),
                |key| self.environment.iter().for_each(|name| key.field_any_case(name)),
            );
        }
    }
}
