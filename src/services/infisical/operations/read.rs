//! The operations that read: one secret by its name, and the rows of a folder.

use std::fmt;

use crate::core::{SecretValue, Timestamp, XtraError};
use crate::engine::{Call, Operation, Reads, SecretSource};
use crate::services::infisical::merge;
use crate::services::infisical::scope::quoted;
use crate::services::infisical::source::Infisical;
use crate::services::infisical::wire::Details;

/// The operation of a [`Request`](crate::Request) that reads one secret by its name.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct GetSecret;

impl Reads for GetSecret {}

impl Operation for GetSecret {
    const NAME: &'static str = "get_secret";
    type Source = Infisical;
    type Output = SecretValue;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<SecretValue, XtraError> {
        let name = call.scope().secret.as_deref().unwrap_or_default().to_owned();
        let read = async {
            let secrets = call.read(call.scope().clone()).allow_unreadable().await?;
            // in memory there are others too
            Ok(secrets.require(&name)?.clone())
        };
        read.await.map_err(|error: XtraError| {
            let environment = call.source().show_scope(call.scope());
            error.in_call(format!("{}({environment}, {})", Self::NAME, quoted(&name)))
        })
    }
}

/// The operation of a [`Request`](crate::Request) that lists the secrets of a folder row by row.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ListSecrets;

/// A secret as a list of its folder has it. `Debug` prints neither value nor comment.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSecret {
    /// Its name. Another row may have the same: in another folder, a personal one, or by a fault of the store.
    pub name: String,
    /// Its value; `None` when it is hidden from the caller.
    pub value: Option<SecretValue>,
    /// The path of its folder.
    pub folder: String,
    /// The number of its version, from 1.
    pub version: Option<u64>,
    /// Whether it is a user's own value.
    pub is_personal: bool,
    /// What is noted beside it, which may be as secret as the value.
    pub comment: Option<SecretValue>,
    /// The slugs of its tags.
    pub tags: Vec<String>,
    /// The names and values that are kept beside it. Servers of 2024 have none.
    pub metadata: Vec<(String, SecretValue)>,
    /// Its id.
    pub id: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

impl fmt::Debug for ListedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListedSecret")
            .field("name", &self.name)
            .field("value", &self.value)
            .field("folder", &self.folder)
            .field("version", &self.version)
            .field("is_personal", &self.is_personal)
            .field("comment", &self.comment)
            .field("tags", &self.tags)
            .field("metadata", &self.metadata)
            .field("id", &self.id)
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .finish()
    }
}

impl Operation for ListSecrets {
    const NAME: &'static str = "list_secrets";
    type Source = Infisical;
    type Output = Vec<ListedSecret>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Vec<ListedSecret>, XtraError> {
        let source = call.source();
        let asked = crate::services::infisical::scope::CheckedScope { imports: false, ..source.checked(call.scope())? };
        let rows = source.rows(&asked).await?;
        let listed = merge::own_rows(rows, &asked)?.into_iter().filter(|row| asked.personal || !row.is_personal());
        let listed = listed.map(|row| {
            let (name, version, is_personal) = (row.name.clone(), row.version, row.is_personal());
            let folder = row.secret_path.clone().unwrap_or_else(|| asked.path.clone());
            let Details { id, value, comment, tags, metadata, created_at, updated_at } = row.into_details();
            let value = value.filter(|_| !asked.hidden);
            ListedSecret {
                name,
                value,
                folder,
                version,
                is_personal,
                comment,
                tags,
                metadata,
                id,
                created_at,
                updated_at,
            }
        });
        Ok(listed.collect())
    }
}
