//! Keys of service accounts.

use std::time::Duration;

use crate::core::XtraError;
use crate::engine::Client;
use crate::engine::Request;
use crate::engine::{Call, Operation};
use crate::services::xtra::admin::{AccountKey, KeyWish, NewKey};
use crate::services::xtra::{Xtra, XtraScope};

/// Lists keys; made by [`XtraClient::list_service_account_keys`](crate::XtraClient::list_service_account_keys).
#[derive(Debug)]
#[non_exhaustive]
pub struct ListServiceAccountKeys {
    account: String,
}

/// Makes a key; made by [`XtraClient::create_service_account_key`](crate::XtraClient::create_service_account_key).
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateServiceAccountKey {
    account: String,
    wish: KeyWish,
}

/// Deletes a key; made by [`XtraClient::delete_service_account_key`](crate::XtraClient::delete_service_account_key).
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteServiceAccountKey {
    account: String,
    key: String,
}

impl Operation for ListServiceAccountKeys {
    const NAME: &'static str = "list_service_account_keys";
    type Source = Xtra;
    type Output = Vec<AccountKey>;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<Vec<AccountKey>, XtraError> {
        let project = call.project().await?;
        call.source().list_service_account_keys(&project, &self.account).await
    }
}

impl Operation for CreateServiceAccountKey {
    const NAME: &'static str = "create_service_account_key";
    type Source = Xtra;
    type Output = NewKey;

    async fn perform(self, call: Call<'_, Xtra>) -> Result<NewKey, XtraError> {
        let project = call.project().await?;
        call.source().create_service_account_key(&project, &self.account, self.wish).await
    }
}

impl Operation for DeleteServiceAccountKey {
    const NAME: &'static str = "delete_service_account_key";
    type Source = Xtra;
    type Output = ();

    async fn perform(self, call: Call<'_, Xtra>) -> Result<(), XtraError> {
        let project = call.project().await?;
        call.source().delete_service_account_key(&project, &self.account, &self.key).await
    }
}

impl<M> Client<Xtra, M> {
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
        self.request(XtraScope::default(), ListServiceAccountKeys { account: account_id.into() })
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
        let operation = CreateServiceAccountKey { account: account_id.into(), wish: KeyWish::default() };
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
        let operation = DeleteServiceAccountKey { account: account_id.into(), key: key_id.into() };
        self.request(XtraScope::default(), operation)
    }
}

impl<M> Request<'_, Xtra, CreateServiceAccountKey, M> {
    /// What the key is for, as lists show it. Default: the service's `Generated Key`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.operation.wish.label = Some(label.into());
        self
    }

    /// For how long the key is good, at most a hundred years. Default: for ever.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.operation.wish.expires_in = Some(time);
        self
    }
}
