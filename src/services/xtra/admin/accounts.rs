//! Service accounts and their keys.

use std::time::Duration;

use super::{convert, ids, invalid, not_empty};
use crate::core::{SecretValue, XtraError};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::source::Xtra;

const DAY: f64 = 86_400.0;

/// The longest that a key may last; the service cannot count much further.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A service account of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// The name; not unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may do: `read:secrets`, `write:secrets`, `rotate:secrets`, `admin`. The service does not check the words, and
    /// lets an account read all secrets of its project without any.
    pub permissions: Vec<String>,
    /// The id of the project that it belongs to.
    pub project: Option<String>,
    /// The id of the user who made it.
    pub created_by: Option<String>,
    /// When it was made, ISO-8601.
    pub created_at: Option<String>,
    /// When it was last changed, ISO-8601.
    pub updated_at: Option<String>,
    /// How many keys it has. Only a list tells it.
    pub key_count: Option<u64>,
}

/// A key of a service account, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountKey {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// What it is for.
    pub label: Option<String>,
    /// The end of the key: `xtra_...9ce1`.
    pub mask: Option<String>,
    /// When it was last used, ISO-8601; `None` for never.
    pub last_used: Option<String>,
    /// When it ends, ISO-8601; `None` for never.
    pub expires_at: Option<String>,
    /// When it was made, ISO-8601.
    pub created_at: Option<String>,
}

/// A key that was just made. Nobody can ask for it again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewKey {
    /// The id, to delete it by.
    pub id: String,
    /// The key: the token of a client. Prints as `[REDACTED]`.
    pub key: SecretValue,
    /// The end of the key, as lists show it: `xtra_...9ce1`.
    pub mask: Option<String>,
    /// What it is for.
    pub label: Option<String>,
    /// When it ends, ISO-8601; `None` for never.
    pub expires_at: Option<String>,
}

/// A service account to be made.
#[derive(Debug)]
pub(crate) struct NewAccount {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Vec<String>,
}

/// What is to change of a service account.
#[derive(Debug, Default)]
pub(crate) struct AccountChange {
    pub(crate) name: Option<String>,
    pub(crate) permissions: Option<Vec<String>>,
}

/// A key to be made.
#[derive(Debug, Default)]
pub(crate) struct KeyWish {
    pub(crate) label: Option<String>,
    pub(crate) expires_in: Option<Duration>,
}

impl Xtra {
    pub(crate) async fn list_service_accounts(&self, project: &str) -> Result<Vec<ServiceAccount>, XtraError> {
        let list = self.raw().service_accounts_list().project_id(project).send().await.map_err(from_raw)?;
        Ok(list.into_inner().0.into_iter().map(convert::service_account).collect())
    }

    pub(crate) async fn create_service_account(
        &self,
        project: &str,
        new: NewAccount,
    ) -> Result<ServiceAccount, XtraError> {
        let NewAccount { name, description, permissions } = new;
        not_empty("name of the service account", &name)?;
        let permissions = (!permissions.is_empty()).then_some(permissions);
        let call = self.raw().service_accounts_create().project_id(project);
        let call = call.body_map(|body| body.name(name).description(description).permissions(permissions));
        let account = call.send().await.map_err(from_raw).map_err(|error| {
            look(error, ". Names are not unique: look at list_service_accounts() before you create it again")
        })?;
        Ok(convert::service_account(account.into_inner()))
    }

    pub(crate) async fn update_service_account(
        &self,
        project: &str,
        id: &str,
        change: AccountChange,
    ) -> Result<ServiceAccount, XtraError> {
        let AccountChange { name, permissions } = change;
        ids::checked("service account", id)?;
        if name.is_none() && permissions.is_none() {
            return Err(invalid("nothing of the service account was to change. Add name(..) or permissions(..)"));
        }
        name.as_deref().map(|name| not_empty("name of the service account", name)).transpose()?;
        let call = self.raw().service_accounts_update().project_id(project).sa_id(id);
        let call = call.body_map(|body| body.name(name).permissions(permissions));
        let account = call.send().await.map_err(from_raw).map_err(|error| {
            look(error, ". It answers the same when there is no such account: list_service_accounts() tells")
        })?;
        Ok(convert::service_account(account.into_inner()))
    }

    pub(crate) async fn delete_service_account(&self, project: &str, id: &str) -> Result<(), XtraError> {
        let call = self.raw().service_accounts_delete().project_id(project).sa_id(ids::checked("service account", id)?);
        let gone = call.send().await.map(drop).map_err(from_raw);
        gone.map_err(|error| look(error, ". list_service_accounts() tells; its keys may be gone"))
    }

    pub(crate) async fn list_service_account_keys(
        &self,
        project: &str,
        account: &str,
    ) -> Result<Vec<AccountKey>, XtraError> {
        let call = self.raw().service_account_keys_list().project_id(project);
        let list = call.sa_id(ids::checked("service account", account)?).send().await.map_err(from_raw)?;
        Ok(list.into_inner().0.into_iter().map(convert::account_key).collect())
    }

    pub(crate) async fn create_service_account_key(
        &self,
        project: &str,
        account: &str,
        wish: KeyWish,
    ) -> Result<NewKey, XtraError> {
        ids::checked("service account", account)?;
        let days = wish.expires_in.map(days).transpose()?;
        let call = self.raw().service_account_keys_create().project_id(project).sa_id(account);
        let call = call.body_map(|body| body.label(wish.label).expires_in_days(days));
        let key = call.send().await.map_err(from_raw).and_then(|key| convert::new_key(key.into_inner()));
        key.map_err(|error| {
            look(
                error,
                ". A key that nobody has seen is then in list_service_account_keys(): delete it, and make another",
            )
        })
    }

    pub(crate) async fn delete_service_account_key(
        &self,
        project: &str,
        account: &str,
        key: &str,
    ) -> Result<(), XtraError> {
        let call = self.raw().service_account_keys_delete().project_id(project);
        let call = call.sa_id(ids::checked("service account", account)?).key_id(ids::checked("key", key)?);
        let gone = call.send().await.map(drop).map_err(from_raw);
        gone.map_err(|error| look(error, ". list_service_account_keys() tells"))
    }
}

/// The unit that the service counts in, with fractions. It takes nothing for "never".
fn days(time: Duration) -> Result<f64, XtraError> {
    if time.is_zero() {
        return Err(invalid("a key cannot expire at once. Leave expires_in(..) out for one that never does"));
    }
    if time > LONGEST {
        return Err(invalid(
            "a key cannot last longer than a hundred years. Leave expires_in(..) out for one that never expires",
        ));
    }
    Ok(time.as_secs_f64() / DAY)
}

/// Says what to look at when it is not known whether a write was carried out.
fn look(error: XtraError, at: &str) -> XtraError {
    match error.may_have_been_applied() {
        true => error.adding(at),
        false => error,
    }
}
