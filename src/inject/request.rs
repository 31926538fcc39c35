//! Secrets into the environment of this process.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::{Injection, InjectionReport, Selection};
use crate::core::{Secrets, XtraError};
use crate::engine::Read;
use crate::engine::SecretSource;
use crate::engine::request::{Reads, Request};

/// The operation of a [`Request`] that sets secrets as variables of this process.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Inject {
    selection: Selection,
    override_existing: bool,
    allow_empty: bool,
    /// The method that was called for it, when that is not the source's for reads.
    method: Option<&'static str>,
}

impl Reads for Inject {}

impl<'a, S: SecretSource, M> Request<'a, S, Read, M> {
    /// Sets the secrets as variables of this process, instead of returning them. For the conditions, see
    /// [`XtraClient::inject_secrets`](crate::XtraClient::inject_secrets).
    pub fn inject(self) -> Request<'a, S, Inject, M> {
        self.with_operation(Inject::default())
    }
}

impl<S: SecretSource, M> Request<'_, S, Inject, M> {
    /// Replaces variables that exist already. Without this, they are kept and listed in the report.
    pub fn override_existing(mut self) -> Self {
        self.operation.override_existing = true;
        self
    }

    /// Sets these secrets only. One that is not there is an error.
    pub fn only<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.choose(|selection| selection.only(names))
    }

    /// Sets all secrets but these.
    pub fn exclude<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        self.choose(|selection| selection.exclude(names))
    }

    /// Puts `prefix` in front of every variable's name.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.choose(|selection| selection.prefix(prefix))
    }

    /// Sets the secret `secret` as the variable `variable`. The prefix is not put in front of it.
    pub fn rename(self, secret: impl Into<String>, variable: impl Into<String>) -> Self {
        self.choose(|selection| selection.rename(secret, variable))
    }

    /// Allows one guarded variable, such as `PATH`, which is refused otherwise;
    /// [`Selection::allow_name`](crate::inject::Selection::allow_name) lists all that are guarded.
    pub fn allow_name(self, variable: impl Into<String>) -> Self {
        self.choose(|selection| selection.allow_name(variable))
    }

    /// Accepts a scope without secrets. Without this it is an error, because a mistyped name looks the same.
    pub fn allow_empty(mut self) -> Self {
        self.operation.allow_empty = true;
        self
    }

    fn choose(mut self, change: impl FnOnce(Selection) -> Selection) -> Self {
        self.operation.selection = change(std::mem::take(&mut self.operation.selection));
        self
    }
}

impl<S: SecretSource> Request<'_, S, Inject> {
    /// Sends the request; the same as awaiting it.
    ///
    /// # Errors
    ///
    /// See [`XtraClient::inject_secrets`](crate::XtraClient::inject_secrets).
    pub async fn send(self) -> Result<InjectionReport, XtraError> {
        let Self { engine, scope, options, operation, .. } = self;
        let method = operation.method.unwrap_or(engine.source.read_method());
        let injected = async { operation.of(&*engine.snapshot(&scope, options).await?)?.inject() };
        injected.await.map_err(|error| engine.of_call(method, &scope, error))
    }

    /// Sets the variables without asking how many threads the process has.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but never [`UnsoundInjection`](crate::ErrorKind::UnsoundInjection).
    ///
    /// # Safety
    ///
    /// From this call until the future is done, no other thread of the process may read or write the environment, by
    /// whatever way: `std::env` outside Rust's own lock, or a C library's `getenv`, which name resolution, time zones and
    /// locales use. See [`std::env::set_var`].
    #[allow(unsafe_code)] // the caller's promise is passed on unchanged; the deed itself is in env.rs
    pub async unsafe fn send_unchecked(self) -> Result<InjectionReport, XtraError> {
        let Self { engine, scope, options, operation, .. } = self;
        let method = operation.method.unwrap_or(engine.source.read_method());
        let injected = async {
            let secrets = engine.snapshot(&scope, options).await?;
            let injection = operation.of(&secrets)?;
            // SAFETY: the caller promises what `inject_unchecked` asks for.
            unsafe { injection.inject_unchecked() }
        };
        injected.await.map_err(|error| engine.of_call(method, &scope, error))
    }
}

impl Inject {
    /// The same, which was asked for by another method than the source's for reads.
    #[allow(dead_code, reason = "a build without any service has no such method")]
    pub(crate) fn by(method: &'static str) -> Self {
        Self { method: Some(method), ..Self::default() }
    }

    /// What is to be set, once the secrets are here.
    fn of(self, secrets: &Secrets) -> Result<Injection<'_>, XtraError> {
        if secrets.is_empty() && !self.allow_empty {
            // There is something, but nothing that can be read: that is the better answer.
            secrets.all_readable()?;
            return Err(secrets.nothing_there("there is nothing to inject"));
        }
        let injection = secrets.injection().select(self.selection);
        Ok(if self.override_existing { injection.override_existing() } else { injection })
    }
}

impl<'a, S: SecretSource> IntoFuture for Request<'a, S, Inject> {
    type Output = Result<InjectionReport, XtraError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
