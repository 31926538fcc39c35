//! Requests that are sent by a call: the async ones, driven on the caller's thread.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::delegate::options;
use super::runtime;
use crate::core::{Secrets, XtraError};
use crate::engine::{self, Operation, Read, Reads, Refresh, SecretSource};
use crate::inject::{Inject, InjectionReport};
use crate::services::xtra::{ReadsBack, Writes, Xtra};

/// A request that is being put together. It is sent by its `send()`, which waits for the answer.
///
/// It has the options of the [async request](crate::Request), under the same names.
#[must_use = "a request does nothing until send()"]
pub struct Request<'a, S: SecretSource, Op>(pub(crate) engine::Request<'a, S, Op>);

impl<S: SecretSource, Op: Reads> Request<'_, S, Op> {
    options! {
        /// Fetches, whatever the cache holds.
        no_cache();
        /// Accepts a snapshot in which some values did not come through.
        allow_unreadable();
        /// Accepts a first answer that looks like an error in the place of secrets.
        allow_any_answer();
    }
}

impl<'a, Op> Request<'a, Xtra, Op> {
    options! {
        /// Another project than the client's.
        project_id(id: impl Into<Cow<'a, str>>);
        /// Another environment than the one named so far, or the one of a call that names none.
        environment(name: impl Into<Cow<'a, str>>);
        /// Another branch than the client's default.
        branch(name: impl Into<Cow<'a, str>>);
    }
}

impl<Op: Operation> Request<'_, Op::Source, Op> {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// Those of the method of the client that made the request; [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn send(self) -> Result<Op::Output, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl<Op: Writes> Request<'_, Xtra, Op> {
    options! {
        /// Confirms that production is meant, for a client that protects it.
        confirm_production();
        /// Takes the environment's name as it is spelled.
        exact();
    }
}

impl<Op: ReadsBack> Request<'_, Xtra, Op> {
    options! {
        /// Does not read back what was written.
        unconfirmed();
    }
}

impl<'a, S: SecretSource> Request<'a, S, Read> {
    /// Sends the request, unless the cache has a fresh snapshot, and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`get_secrets`](super::XtraClient::get_secrets).
    pub fn send(self) -> Result<Arc<Secrets>, XtraError> {
        runtime::refuse_inside_async()?;
        match self.0.at_once() {
            Some(answer) => answer,
            None => runtime::block_on(self.0.send())?,
        }
    }

    /// Fetches a newer snapshot now and puts it into the cache, instead of reading from it.
    pub fn refresh(self) -> Request<'a, S, Refresh> {
        Request(self.0.refresh())
    }

    /// Sets the secrets as variables of this process, instead of returning them. For the conditions, see
    /// [`inject_secrets`](super::XtraClient::inject_secrets).
    pub fn inject(self) -> Request<'a, S, Inject> {
        Request(self.0.inject())
    }
}

impl<S: SecretSource> Request<'_, S, Refresh> {
    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`refresh`](super::Client::refresh).
    pub fn send(self) -> Result<Arc<Secrets>, XtraError> {
        runtime::block_on(self.0.send())?
    }
}

impl<S: SecretSource> Request<'_, S, Inject> {
    options! {
        /// Replaces variables that exist already.
        override_existing();
        /// Sets these secrets only.
        only(names: impl IntoIterator<Item = impl Into<String>>);
        /// Sets all secrets but these.
        except(names: impl IntoIterator<Item = impl Into<String>>);
        /// Puts `prefix` in front of every variable's name.
        prefix(prefix: impl Into<String>);
        /// Sets the secret `secret` as the variable `variable`.
        rename(secret: impl Into<String>, variable: impl Into<String>);
        /// Allows one guarded variable, such as `PATH`.
        allow_name(variable: impl Into<String>);
        /// Accepts a scope without secrets.
        allow_empty();
    }

    /// Reads the secrets and sets them. Nothing is set unless all of them can be.
    ///
    /// # Errors
    ///
    /// As [`inject_secrets`](super::XtraClient::inject_secrets).
    pub fn send(self) -> Result<InjectionReport, XtraError> {
        runtime::block_on(self.0.send())?
    }

    /// Sets the variables without asking how many threads the process has.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but never [`UnsoundInjection`](crate::ErrorKind::UnsoundInjection).
    ///
    /// # Safety
    ///
    /// Until this returns, no other thread of the process may read or write the environment, by whatever way; see
    /// [`Request::send_unchecked`](crate::Request::send_unchecked) of the async request.
    #[allow(unsafe_code)] // the caller's promise is passed on unchanged; the deed itself is in env.rs
    pub unsafe fn send_unchecked(self) -> Result<InjectionReport, XtraError> {
        // SAFETY: the caller promises what the async request asks for.
        runtime::block_on(unsafe { self.0.send_unchecked() })?
    }
}

impl<S: SecretSource, Op> fmt::Debug for Request<'_, S, Op> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
