//! What changes the stored rows of secrets: deletion, history, rotation, links, clones. The async methods document them.

use std::borrow::Cow;

use crate::blocking::Client;
use crate::blocking::Request;
use crate::blocking::options;
use crate::core::SecretValue;
use crate::services::xtra::Xtra;
use crate::services::xtra::operations::write::{
    CloneEnvironment, DeleteSecret, LinkSecret, LinkSource, ReadHistory, RepairSecret, Rollback, RotateSecret,
};

impl Client<Xtra> {
    /// Deletes a secret of an environment on one branch; see the async [`delete_secret`](crate::XtraClient::delete_secret).
    pub fn delete_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, DeleteSecret> {
        Request(self.as_async().delete_secret(environment, key))
    }

    /// Leaves one row of a secret that has several; see the async [`repair_secret`](crate::XtraClient::repair_secret).
    pub fn repair_secret<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, RepairSecret> {
        Request(self.as_async().repair_secret(environment, key))
    }

    /// The versions of a secret on one branch; see the async [`history`](crate::XtraClient::history).
    pub fn history<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, ReadHistory> {
        Request(self.as_async().history(environment, key))
    }

    /// Gives a secret the value that it had at a version; see the async [`rollback`](crate::XtraClient::rollback).
    pub fn rollback<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        version: impl ToString,
    ) -> Request<'a, Xtra, Rollback> {
        Request(self.as_async().rollback(environment, key, version))
    }

    /// Gives a secret a new value; see the async [`rotate`](crate::XtraClient::rotate).
    pub fn rotate<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
    ) -> Request<'a, Xtra, RotateSecret> {
        Request(self.as_async().rotate(environment, key))
    }

    /// Makes a secret whose value is that of another one; see the async [`link`](crate::XtraClient::link).
    pub fn link<'a>(
        &'a self,
        environment: impl Into<Cow<'a, str>>,
        key: impl Into<String>,
        source: LinkSource,
    ) -> Request<'a, Xtra, LinkSecret> {
        Request(self.as_async().link(environment, key, source))
    }

    /// Copies the secrets of one environment to another; see the async [`clone_env`](crate::XtraClient::clone_env).
    pub fn clone_env<'a>(
        &'a self,
        from: impl Into<String>,
        to: impl Into<Cow<'a, str>>,
    ) -> Request<'a, Xtra, CloneEnvironment> {
        Request(self.as_async().clone_env(from, to))
    }
}

impl Request<'_, Xtra, DeleteSecret> {
    options! {
        /// Succeeds when there is no such secret.
        if_exists();
    }
}

impl Request<'_, Xtra, RepairSecret> {
    options! {
        /// The id of the row that stays, in place of the one that reads return.
        keep(row: impl Into<String>);
        /// Shows the rows, but deletes none.
        dry_run();
    }
}

impl Request<'_, Xtra, RotateSecret> {
    options! {
        /// The new value, in place of a random one.
        value(value: impl Into<SecretValue>);
    }
}

impl Request<'_, Xtra, CloneEnvironment> {
    options! {
        /// Whether secrets that the target has get the source's value.
        overwrite(overwrite: bool);
    }
}
