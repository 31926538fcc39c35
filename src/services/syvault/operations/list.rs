//! The list of secrets, with their titles.

use std::fmt;

use crate::core::XtraError;
use crate::engine::{Call, Client, Operation, Request};
use crate::services::syvault::{SyVault, SyVaultScope};

/// The operation of a [`Request`] that lists secrets.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListSecrets;

/// One secret of the list. `Debug` does not print the title, which the service stores encrypted.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSecret {
    /// Its uid.
    pub uid: String,
    /// The id of its folder.
    pub folder_id: Option<String>,
    /// Its title; `None` when it cannot be decrypted, and [`get`](Client::get) then tells why.
    pub title: Option<String>,
}

/// # SyVault: list secrets
impl<M> Client<SyVault, M> {
    /// Lists the secrets that the client may read; awaiting gives a `Vec<`[`ListedSecret`]`>`. The answer is not cached.
    ///
    /// A secret whose title cannot be decrypted is in the list without one. The route is documented; the form of the answer, a list
    /// as `data`, is inferred.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) when the answer has another shape than is assumed; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::syvault::SyVaultClient) -> Result<(), xtrasecurity::XtraError> {
    /// for secret in client.list().await? {
    ///     println!("{} {:?}", secret.uid, secret.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> Request<'_, SyVault, ListSecrets, M> {
        self.request(SyVaultScope::titles(), ListSecrets)
    }
}

impl Operation for ListSecrets {
    const NAME: &'static str = "list";
    type Source = SyVault;
    type Output = Vec<ListedSecret>;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<Vec<ListedSecret>, XtraError> {
        let records = call.source().records().await?.into_iter();
        let listed = records.map(|record| ListedSecret {
            uid: record.uid.clone(),
            folder_id: record.folder_id.clone(),
            title: record.title(&call.source().folders).ok().map(|title| title.expose().to_owned()),
        });
        Ok(listed.collect())
    }
}

impl fmt::Debug for ListedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListedSecret")
            .field("uid", &self.uid)
            .field("folder_id", &self.folder_id)
            .finish_non_exhaustive()
    }
}
