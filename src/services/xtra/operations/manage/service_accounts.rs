//! Service accounts and their keys.

use std::time::Duration;

use super::{checked_id, count, invalid, lacks, not_empty, timestamp};
use crate::core::{Hint, SecretValue, Timestamp, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::xtra::convert::from_raw;
use crate::services::xtra::raw::types;
use crate::services::xtra::{Xtra, XtraScope};

const DAY: f64 = 86_400.0;

/// The longest that a key may last; the service cannot count much further.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// # Service accounts and their keys
impl<M> Client<Xtra, M> {
    /// Lists the service accounts of the project, the newest first.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a service account's own token, as for all of these methods;
    /// [`NotFound`](crate::ErrorKind::NotFound) for a project that does not exist, or of which the caller is no member.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// for account in client.list_service_accounts().await? {
    ///     println!("{}: {:?}, {:?} keys", account.name, account.permissions, account.key_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_service_accounts(&self) -> Request<'_, Xtra, ListServiceAccounts, M> {
        self.request(XtraScope::default(), ListServiceAccounts)
    }

    /// Makes a service account. It has no key yet: [`create_service_account_key`](Self::create_service_account_key) makes one.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for who is neither owner nor admin of the project;
    /// [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").permissions(["read:secrets"]).await?;
    /// assert_eq!(account.permissions, ["read:secrets"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_service_account<'a>(&'a self, name: impl Into<String>) -> Request<'a, Xtra, CreateServiceAccount, M> {
        let operation = CreateServiceAccount { name: name.into(), description: None, permissions: Vec::new() };
        self.request(XtraScope::default(), operation)
    }

    /// Changes a service account's [`name`](Request::name) or [`permissions`](Request::permissions), or both. Its description
    /// cannot be changed. The service may take up to five minutes to hold it to new permissions.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when there is nothing to change; [`Server`](crate::ErrorKind::Server), status
    /// 500, also for an account that does not exist; [`NotFound`](crate::ErrorKind::NotFound) for the project.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").await?;
    /// let account = client.update_service_account(account.id).permissions(["read:secrets", "write:secrets"]).await?;
    /// assert_eq!(account.permissions.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_service_account<'a>(&'a self, id: impl Into<String>) -> Request<'a, Xtra, UpdateServiceAccount, M> {
        let operation = UpdateServiceAccount { id: id.into(), name: None, permissions: None };
        self.request(XtraScope::default(), operation)
    }

    /// Deletes a service account with its keys. The service may take up to five minutes to refuse them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for an account, or a project, that does not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").await?;
    /// client.delete_service_account(account.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_service_account<'a>(&'a self, id: impl Into<String>) -> Request<'a, Xtra, DeleteServiceAccount, M> {
        self.request(XtraScope::default(), DeleteServiceAccount { id: id.into() })
    }

    /// Lists the keys of a service account, the newest first. The keys themselves are told once only, when they are made.
    ///
    /// An account that does not exist has no keys: the service does not tell the two apart.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) when the id is none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").await?;
    /// assert!(client.list_service_account_keys(account.id).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_service_account_keys<'a>(
        &'a self,
        account_id: impl Into<String>,
    ) -> Request<'a, Xtra, ListServiceAccountKeys, M> {
        self.request(XtraScope::default(), ListServiceAccountKeys { account_id: account_id.into() })
    }

    /// Makes a key for a service account: the token of a client of its own. [`NewKey::key`] is the only time that it is told.
    ///
    /// It is never sent twice. When the answer is lost, there may be a key that nobody knows: the error says so.
    ///
    /// # Errors
    ///
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a service account's own token;
    /// [`NotFound`](crate::ErrorKind::NotFound) for the project; [`Server`](crate::ErrorKind::Server), status 500, for an
    /// account that does not exist; [`Invalid`](crate::ErrorKind::Invalid) for a time that is no time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").permissions(["read:secrets"]).await?;
    /// let month = Duration::from_secs(30 * 86_400);
    /// let new = client.create_service_account_key(account.id).label("nightly build").expires_in(month).await?;
    /// println!("made {:?}, which ends {:?}", new.mask, new.expires_at); // and keep new.key.expose()
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_service_account_key<'a>(
        &'a self,
        account_id: impl Into<String>,
    ) -> Request<'a, Xtra, CreateServiceAccountKey, M> {
        let operation = CreateServiceAccountKey { account_id: account_id.into(), label: None, expires_in: None };
        self.request(XtraScope::default(), operation)
    }

    /// Deletes a key of a service account. The service may take up to five minutes to refuse it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) for a key, or a project, that does not exist.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = xtrasecurity::dev_server::DevServer::start().await?;
    /// # let client = xtrasecurity::XtraClient::builder().dev_server(&server).build()?;
    /// let account = client.create_service_account("nightly").await?;
    /// let key = client.create_service_account_key(account.id.as_str()).await?;
    /// client.delete_service_account_key(account.id, key.id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_service_account_key<'a>(
        &'a self,
        account_id: impl Into<String>,
        key_id: impl Into<String>,
    ) -> Request<'a, Xtra, DeleteServiceAccountKey, M> {
        let operation = DeleteServiceAccountKey { account_id: account_id.into(), key_id: key_id.into() };
        self.request(XtraScope::default(), operation)
    }
}

impl<M> Request<'_, Xtra, CreateServiceAccount, M> {
    /// What the account is for. Default: none. It cannot be changed later.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }

    /// What the account may do: `read:secrets`, `write:secrets`, `rotate:secrets`, `admin`. Default: nothing; the
    /// service lets it read its project all the same.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.operation.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }
}

impl<M> Request<'_, Xtra, UpdateServiceAccount, M> {
    /// The new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.name = Some(name.into());
        self
    }

    /// All that the account may do from now on: what is not here is taken away.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.operation.permissions = Some(permissions.into_iter().map(Into::into).collect());
        self
    }
}

impl<M> Request<'_, Xtra, CreateServiceAccountKey, M> {
    /// What the key is for, as lists show it. Default: the service's `Generated Key`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.operation.label = Some(label.into());
        self
    }

    /// For how long the key is good, at most a hundred years. Default: for ever.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.operation.expires_in = Some(time);
        self
    }
}

/// Lists service accounts; made by [`XtraClient::list_service_accounts`](crate::XtraClient::list_service_accounts).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListServiceAccounts;

impl Operation for ListServiceAccounts {
    const NAME: &'static str = "list_service_accounts";
    type Source = Xtra;
    type Output = Vec<ServiceAccount>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<ServiceAccount>, XtraError> {
        let project = call.project().await?;
        let list = call.source().raw().service_accounts_list().project_id(&project).send().await.map_err(from_raw)?;
        Ok(list.into_inner().0.into_iter().map(ServiceAccount::from).collect())
    }
}

/// Makes a service account; made by [`XtraClient::create_service_account`](crate::XtraClient::create_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateServiceAccount {
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
}

impl Operation for CreateServiceAccount {
    const NAME: &'static str = "create_service_account";
    type Source = Xtra;
    type Output = ServiceAccount;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<ServiceAccount, XtraError> {
        let Self { name, description, permissions } = self;
        let project = call.project().await?;
        not_empty("name of the service account", &name)?;
        let permissions = (!permissions.is_empty()).then_some(permissions);
        let request = call.source().raw().service_accounts_create().project_id(&project);
        let request = request.body_map(|body| body.name(name).description(description).permissions(permissions));
        let account = request.send().await.map_err(from_raw).map_err(|error| {
            look(error.if_in_doubt(|error| error.with_note("Names are not unique")), "list_service_accounts")
        })?;
        Ok(account.into_inner().into())
    }
}

/// Changes a service account; made by [`XtraClient::update_service_account`](crate::XtraClient::update_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct UpdateServiceAccount {
    id: String,
    name: Option<String>,
    permissions: Option<Vec<String>>,
}

impl Operation for UpdateServiceAccount {
    const NAME: &'static str = "update_service_account";
    type Source = Xtra;
    type Output = ServiceAccount;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<ServiceAccount, XtraError> {
        let Self { id, name, permissions } = self;
        let project = call.project().await?;
        checked_id("service account", &id)?;
        if name.is_none() && permissions.is_none() {
            let error = invalid("nothing of the service account was to change");
            return Err(error.with_hint(Hint::Add { options: &["name", "permissions"] }));
        }
        name.as_deref().map(|name| not_empty("name of the service account", name)).transpose()?;
        let request = call.source().raw().service_accounts_update().project_id(&project).sa_id(&id);
        let request = request.body_map(|body| body.name(name).permissions(permissions));
        let account = request.send().await.map_err(from_raw).map_err(|error| {
            let note = "The service answers the same when there is no such account";
            look(error.if_in_doubt(|error| error.with_note(note)), "list_service_accounts")
        })?;
        Ok(account.into_inner().into())
    }
}

/// Deletes a service account; made by [`XtraClient::delete_service_account`](crate::XtraClient::delete_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteServiceAccount {
    id: String,
}

impl Operation for DeleteServiceAccount {
    const NAME: &'static str = "delete_service_account";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let project = call.project().await?;
        let request = call.source().raw().service_accounts_delete().project_id(&project);
        let gone = request.sa_id(checked_id("service account", &self.id)?).send().await.map(drop).map_err(from_raw);
        gone.map_err(|error| {
            look(error.if_in_doubt(|error| error.with_note("Its keys may be gone")), "list_service_accounts")
        })
    }
}

/// Lists the keys of a service account; made by [`XtraClient::list_service_account_keys`](crate::XtraClient::list_service_account_keys).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListServiceAccountKeys {
    account_id: String,
}

impl Operation for ListServiceAccountKeys {
    const NAME: &'static str = "list_service_account_keys";
    type Source = Xtra;
    type Output = Vec<ServiceAccountKey>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<ServiceAccountKey>, XtraError> {
        let project = call.project().await?;
        let request = call.source().raw().service_account_keys_list().project_id(&project);
        let request = request.sa_id(checked_id("service account", &self.account_id)?);
        let list = request.send().await.map_err(from_raw)?;
        Ok(list.into_inner().0.into_iter().map(ServiceAccountKey::from).collect())
    }
}

/// Makes a key for a service account; made by [`XtraClient::create_service_account_key`](crate::XtraClient::create_service_account_key).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateServiceAccountKey {
    account_id: String,
    label: Option<String>,
    expires_in: Option<Duration>,
}

impl Operation for CreateServiceAccountKey {
    const NAME: &'static str = "create_service_account_key";
    type Source = Xtra;
    type Output = NewKey;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<NewKey, XtraError> {
        let Self { account_id, label, expires_in } = self;
        let project = call.project().await?;
        checked_id("service account", &account_id)?;
        let days = expires_in.map(days).transpose()?;
        let request = call.source().raw().service_account_keys_create().project_id(&project).sa_id(&account_id);
        let request = request.body_map(|body| body.label(label).expires_in_days(days));
        let key = request.send().await.map_err(from_raw).and_then(|key| key.into_inner().try_into());
        key.map_err(|error| {
            let told = |error: XtraError| {
                error.with_hint(Hint::advice("If there is a key that nobody has seen, delete it, and make another"))
            };
            look(error, "list_service_account_keys").if_in_doubt(told)
        })
    }
}

/// Deletes a key of a service account; made by [`XtraClient::delete_service_account_key`](crate::XtraClient::delete_service_account_key).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteServiceAccountKey {
    account_id: String,
    key_id: String,
}

impl Operation for DeleteServiceAccountKey {
    const NAME: &'static str = "delete_service_account_key";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let project = call.project().await?;
        let request = call.source().raw().service_account_keys_delete().project_id(&project);
        let request = request.sa_id(checked_id("service account", &self.account_id)?);
        let gone = request.key_id(checked_id("key", &self.key_id)?).send().await.map(drop).map_err(from_raw);
        gone.map_err(|error| look(error, "list_service_account_keys"))
    }
}

/// The unit that the service counts in, with fractions. It takes nothing for "never".
fn days(time: Duration) -> Result<f64, XtraError> {
    if time.is_zero() {
        return Err(invalid("a key cannot expire at once").with_hint(Hint::LeaveOut { option: "expires_in" }));
    }
    if time > LONGEST {
        let error = invalid("a key cannot last longer than a hundred years, unless it never expires");
        return Err(error.with_hint(Hint::LeaveOut { option: "expires_in" }));
    }
    Ok(time.as_secs_f64() / DAY)
}

/// Says what to look at when it is not known whether a write was carried out.
fn look(error: XtraError, call: &'static str) -> XtraError {
    error.if_in_doubt(|error| error.with_hint(Hint::LookAt { call }))
}

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
    pub project_id: Option<String>,
    /// The id of the user who made it.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// How many keys it has. Only a list tells it.
    pub key_count: Option<u64>,
}

impl From<types::ServiceAccount> for ServiceAccount {
    fn from(account: types::ServiceAccount) -> Self {
        Self {
            id: account.id,
            name: account.name,
            description: account.description,
            permissions: account.permissions.unwrap_or_default(),
            project_id: account.project_id,
            created_by: account.created_by,
            created_at: timestamp(account.created_at),
            updated_at: timestamp(account.updated_at),
            key_count: account.count.and_then(|counts| count(counts.api_keys)),
        }
    }
}

/// A key of a service account, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccountKey {
    /// The id: 24 hexadecimal digits.
    pub id: String,
    /// What it is for.
    pub label: Option<String>,
    /// The end of the key: `xtra_...9ce1`.
    pub mask: Option<String>,
    /// When it was last used; `None` for never.
    pub last_used_at: Option<Timestamp>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

impl From<types::ServiceAccountKey> for ServiceAccountKey {
    fn from(key: types::ServiceAccountKey) -> Self {
        Self {
            id: key.id,
            label: key.label,
            mask: key.key_mask,
            last_used_at: timestamp(key.last_used),
            expires_at: timestamp(key.expires_at),
            created_at: timestamp(key.created_at),
        }
    }
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
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl TryFrom<types::ServiceAccountKeyCreated> for NewKey {
    type Error = XtraError;

    fn try_from(answer: types::ServiceAccountKeyCreated) -> Result<Self, XtraError> {
        let key = answer.key.and_then(|key| key.into_value()).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| lacks("the key").with_unknown_outcome())?;
        let expires_at = timestamp(answer.expires_at);
        Ok(Self { id: answer.id, key, mask: answer.mask, label: answer.label, expires_at })
    }
}
