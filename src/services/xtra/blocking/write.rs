//! Setting and comparing secrets: the async requests, driven on the caller's thread.

use std::borrow::Cow;

use crate::blocking::Client;
use crate::blocking::Request;
use crate::blocking::options;
use crate::core::{SecretValue, Secrets};
use crate::services::xtra::operations::write::{
    CreateSecret, Diff, GetSecret, ListKeys, Progress, Promote, Set, SetSecret, SetSecrets,
};
use crate::services::xtra::{Xtra, XtraScope};

impl Client<Xtra> {
    /// Sets a secret, whether it exists or not.
    ///
    /// # Errors
    ///
    /// Those of the async [`set_secret`](crate::XtraClient::set_secret); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    ///
    /// ```no_run
    /// use xtrasecurity::blocking::XtraClient;
    ///
    /// # fn main() -> Result<(), xtrasecurity::XtraError> {
    /// let client = XtraClient::from_env()?;
    /// client.set_secret("staging", "SIGNING_KEY", "s-2").verify().send()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Xtra, SetSecret<'a>> {
        Request(self.as_async().set_secret(environment, key, value))
    }

    /// Sets many secrets of an environment, given as a map or as pairs.
    ///
    /// # Errors
    ///
    /// Those of the async [`set_secrets`](crate::XtraClient::set_secrets); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    pub fn set_secrets<'a, N: Into<String>, V: Into<SecretValue>>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        secrets: impl IntoIterator<Item = (N, V)>,
    ) -> Request<'a, Xtra, SetSecrets<'a>> {
        Request(self.as_async().set_secrets(environment, secrets))
    }

    /// Creates a secret, and fails when it exists.
    ///
    /// # Errors
    ///
    /// Those of the async [`create_secret`](crate::XtraClient::create_secret); [`Config`](crate::ErrorKind::Config) inside an
    /// async runtime.
    pub fn create_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Request<'a, Xtra, CreateSecret> {
        Request(self.as_async().create_secret(environment, key, value))
    }

    /// Lists the secrets of an environment with their versions. No value is kept.
    ///
    /// # Errors
    ///
    /// Those of the async [`list_keys`](crate::XtraClient::list_keys); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    pub fn list_keys<'a>(&'a self, environment: impl Into<Cow<'a, str>>) -> Request<'a, Xtra, ListKeys> {
        Request(self.as_async().list_keys(environment))
    }

    /// Reads one secret.
    ///
    /// # Errors
    ///
    /// Those of the async [`get_secret`](crate::XtraClient::get_secret); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    pub fn get_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, GetSecret<'a>> {
        Request(self.as_async().get_secret(environment, key))
    }

    /// Copies the secrets of one environment into another.
    ///
    /// # Errors
    ///
    /// Those of the async [`promote`](crate::XtraClient::promote); [`Config`](crate::ErrorKind::Config) inside an async
    /// runtime.
    pub fn promote<'a>(
        &'a self,
        from: impl Into<Cow<'a, str>>,
        to: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, Promote<'a>> {
        Request(self.as_async().promote(from, to))
    }

    /// Compares the secrets of two environments, or of two branches or projects.
    ///
    /// # Errors
    ///
    /// Those of the async [`diff`](crate::XtraClient::diff); [`Config`](crate::ErrorKind::Config) inside an async runtime.
    pub fn diff<'a>(
        &'a self,
        one: impl Into<XtraScope<'a>>,
        other: impl Into<XtraScope<'a>>,
    ) -> Request<'a, Xtra, Diff<'a>> {
        Request(self.as_async().diff(one, other))
    }
}

impl<'a, R> Request<'a, Xtra, Set<'a, R>> {
    options! {
        /// Writes only if these secrets are still as the snapshot has them.
        if_unchanged(snapshot: &'a Secrets);
        /// Writes whatever characters the names have.
        allow_any_name();
        /// Leaves out the secrets that have the value already.
        skip_unchanged();
        /// Tells what would be done, but writes nothing.
        dry_run();
        /// Makes what is not confirmed an error.
        verify();
        /// Encrypts the values before they are sent.
        seal();
    }
}

impl<'a> Request<'a, Xtra, SetSecret<'a>> {
    options! {
        /// Writes only if the secret has this version.
        expect_version(version: impl ToString);
    }
}

impl<'a> Request<'a, Xtra, SetSecrets<'a>> {
    options! {
        /// Writes only if these secrets have these versions.
        expect_versions(versions: impl IntoIterator<Item = (impl Into<String>, impl ToString)>);
        /// Calls this when a request has been answered.
        on_progress(tell: impl FnMut(Progress) + Send + 'a);
    }
}

impl Request<'_, Xtra, CreateSecret> {
    options! {
        /// Creates it whatever characters the name has.
        allow_any_name();
        /// Encrypts the value before it is sent.
        seal();
    }
}

impl<'a> Request<'a, Xtra, Promote<'a>> {
    options! {
        /// Copies these secrets only.
        keys(keys: impl IntoIterator<Item = impl Into<String>>);
        /// Whether secrets that the target has with another value get that of the source.
        overwrite(overwrite: bool);
        /// Copies to another branch than the one that is read.
        to_branch(name: impl Into<Cow<'a, str>>);
        /// Tells what would be done, but writes nothing.
        dry_run();
    }
}

impl Request<'_, Xtra, Diff<'_>> {
    options! {
        /// Accepts that one of the two, or both, hold no secrets.
        allow_empty();
    }
}
