//! One field of a secret, by its notation.

use crate::core::{ErrorKind, Hint, SecretValue, Secrets, XtraError};
use crate::engine::{Call, Client, Operation, Reads, Request};
use crate::services::syvault::folder::Folders;
use crate::services::syvault::source::Entry;
use crate::services::syvault::{Notation, SyVault, SyVaultScope};

/// The operation of a [`Request`] that reads the field that a notation names.
#[derive(Debug)]
#[non_exhaustive]
pub struct ResolveNotation {
    notation: Result<Notation, XtraError>,
}

/// # SyVault: one field
impl<M> Client<SyVault, M> {
    /// Reads the field that a notation names, as `sy://Production/Database/field/password`; awaiting gives a [`SecretValue`]. The
    /// grammar is that of [`Notation`].
    ///
    /// A service that knows nothing of its contents cannot look a title up, so the client does (inferred): in the titles of all
    /// secrets, which it keeps for as long as snapshots, apart from the values. The names of folders are those that the client was
    /// [given](crate::syvault::SyVaultClientBuilder::folder): the service stores them encrypted, and how a client gets them is not
    /// documented.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for a text that is no notation; [`Config`](crate::ErrorKind::Config) for a folder that
    /// the client was not given; [`NotFound`](crate::ErrorKind::NotFound) when the folder has no secret of the title;
    /// [`Conflict`](crate::ErrorKind::Conflict) when it has two, whose uids are the error's [`names`](crate::XtraError::names);
    /// [`MissingSecret`](crate::ErrorKind::MissingSecret) when the secret has no such field;
    /// [`Undecryptable`](crate::ErrorKind::Undecryptable) when titles cannot be read among which it may be; and those of
    /// [`get`](Self::get).
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::syvault::SyVaultClient) -> Result<(), xtrasecurity::XtraError> {
    /// let password = client.notation("sy://Production/Database/field/password").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn notation(&self, notation: &str) -> Request<'_, SyVault, ResolveNotation, M> {
        self.request(SyVaultScope::titles(), ResolveNotation { notation: Notation::parse(notation) })
    }
}

impl Reads for ResolveNotation {}

impl Operation for ResolveNotation {
    const NAME: &'static str = "notation";
    type Source = SyVault;
    type Output = SecretValue;

    async fn perform(self, call: Call<'_, SyVault>) -> Result<SecretValue, XtraError> {
        let notation = self.notation?;
        if call.source().folders.at(notation.folder()).next().is_none() {
            let message =
                "the client was given no folder that the notation names, and the service tells no names of folders";
            return Err(XtraError::new(ErrorKind::Config, message).with_hint(Hint::Add { options: &["folder"] }));
        }
        let titles = call.read(SyVaultScope::titles()).allow_unreadable().await?;
        let uid = find(&titles, &call.source().folders, &notation)?;
        let secrets = call.read(SyVaultScope::secret(uid)).allow_unreadable().await?;
        Ok(secrets.require(notation.field())?.clone())
    }
}

/// The one secret that a notation names.
fn find(titles: &Secrets, folders: &Folders, notation: &Notation) -> Result<String, XtraError> {
    let here: Vec<&str> = folders.at(notation.folder()).collect();
    let is_meant = |text: &str| {
        Entry::read(text).is_some_and(|entry| entry.title == notation.title() && here.contains(&entry.folder))
    };
    let mut found: Vec<String> =
        titles.iter().filter(|(_, entry)| is_meant(entry.expose())).map(|(uid, _)| uid.to_owned()).collect();
    match (found.len(), titles.unreadable()) {
        (1, _) => Ok(found.swap_remove(0)),
        (0, []) => {
            let message = "there is no secret of the notation's title in its folder";
            Err(XtraError::new(ErrorKind::NotFound, message)
                .with_hint(Hint::advice("Names are compared letter by letter; list() tells the titles")))
        }
        (0, unreadable) => {
            let message = "there is no secret of the notation's title among those that can be read, and the titles of others cannot";
            let uids = unreadable.iter().map(|entry| entry.name.as_str());
            Err(XtraError::new(ErrorKind::Undecryptable, message)
                .with_names(uids)
                .with_hint(Hint::Add { options: &["folder"] }))
        }
        (count, _) => {
            let message = format!("{count} secrets have the notation's title in its folder: {}", found.join(", "));
            Err(XtraError::new(ErrorKind::Conflict, message)
                .with_hint(Hint::Use { call: "get", purpose: "read one of them by its uid" })
                .with_names(found))
        }
    }
}
