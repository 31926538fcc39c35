//! Service accounts.

use crate::core::XtraError;
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{AccountChange, NewAccount, ServiceAccount};
use crate::services::xtra::{Xtra, XtraScope};

/// Lists service accounts; made by [`XtraClient::list_service_accounts`](crate::XtraClient::list_service_accounts).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListServiceAccounts;

/// Makes a service account; made by [`XtraClient::create_service_account`](crate::XtraClient::create_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateServiceAccount(NewAccount);

/// Changes a service account; made by [`XtraClient::update_service_account`](crate::XtraClient::update_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct UpdateServiceAccount {
    id: String,
    change: AccountChange,
}

/// Deletes a service account; made by [`XtraClient::delete_service_account`](crate::XtraClient::delete_service_account).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteServiceAccount {
    id: String,
}

impl Operation for ListServiceAccounts {
    const NAME: &'static str = "list_service_accounts";
    type Source = Xtra;
    type Output = Vec<ServiceAccount>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<ServiceAccount>, XtraError> {
        let project = call.project().await?;
        call.source().list_service_accounts(&project).await
    }
}

impl Operation for CreateServiceAccount {
    const NAME: &'static str = "create_service_account";
    type Source = Xtra;
    type Output = ServiceAccount;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<ServiceAccount, XtraError> {
        let project = call.project().await?;
        call.source().create_service_account(&project, self.0).await
    }
}

impl Operation for UpdateServiceAccount {
    const NAME: &'static str = "update_service_account";
    type Source = Xtra;
    type Output = ServiceAccount;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<ServiceAccount, XtraError> {
        let project = call.project().await?;
        call.source().update_service_account(&project, &self.id, self.change).await
    }
}

impl Operation for DeleteServiceAccount {
    const NAME: &'static str = "delete_service_account";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let project = call.project().await?;
        call.source().delete_service_account(&project, &self.id).await
    }
}

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
        let new = NewAccount { name: name.into(), description: None, permissions: Vec::new() };
        self.request(XtraScope::default(), CreateServiceAccount(new))
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
        let operation = UpdateServiceAccount { id: id.into(), change: AccountChange::default() };
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
}

impl<M> Request<'_, Xtra, CreateServiceAccount, M> {
    /// What the account is for. Default: none. It cannot be changed later.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.0.description = Some(text.into());
        self
    }

    /// What the account may do: `read:secrets`, `write:secrets`, `rotate:secrets`, `admin`. Default: nothing; the
    /// service lets it read its project all the same.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.operation.0.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }
}

impl<M> Request<'_, Xtra, UpdateServiceAccount, M> {
    /// The new name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.change.name = Some(name.into());
        self
    }

    /// All that the account may do from now on: what is not here is taken away.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.operation.change.permissions = Some(permissions.into_iter().map(Into::into).collect());
        self
    }
}
