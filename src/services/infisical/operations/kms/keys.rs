//! The keys themselves: looked up, made, changed and deleted.

use super::check;
use super::pages::first_of;
use crate::core::{ErrorKind, Hint, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::scope::quoted;
use crate::services::infisical::{Infisical, InfisicalScope, refusals};

/// A key of a project. Its material stays at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KmsKey {
    /// Its id.
    pub id: String,
    /// Its name, which the server has in lower case.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is turned off: it encrypts and decrypts nothing then.
    pub is_disabled: bool,
    /// The algorithm, `aes-256-gcm` or `aes-128-gcm`. Servers of 2024 tell it in lists alone.
    pub algorithm: Option<String>,
    /// The number of its version. Servers of 2024 tell it in lists alone.
    pub version: Option<u64>,
}

impl From<types::KmsKey> for KmsKey {
    fn from(key: types::KmsKey) -> Self {
        Self {
            id: key.id,
            name: key.name.unwrap_or_default(),
            description: key.description.filter(|text| !text.is_empty()),
            is_disabled: key.is_disabled.unwrap_or_default(),
            algorithm: key.encryption_algorithm,
            version: key.version.and_then(|version| u64::try_from(version).ok()),
        }
    }
}

/// Which key is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Id(String),
    Name(String),
}

/// The operation of a [`Request`] that looks a key up.
#[derive(Debug)]
#[non_exhaustive]
pub struct GetKmsKey {
    wanted: Wanted,
}

/// The operation of a [`Request`] that creates a key.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateKmsKey {
    name: String,
    description: Option<String>,
    algorithm: Option<String>,
}

/// The operation of a [`Request`] that changes a key.
#[derive(Debug)]
#[non_exhaustive]
pub struct UpdateKmsKey {
    id: String,
    name: Option<String>,
    description: Option<String>,
    is_disabled: Option<bool>,
}

/// The operation of a [`Request`] that deletes a key.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeleteKmsKey {
    id: String,
}

/// # Infisical: keys
impl<M> Client<Infisical, M> {
    /// Looks a key of the project up by its id; awaiting gives a [`KmsKey`].
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; and those of any call.
    pub fn get_kms_key(&self, id: impl Into<String>) -> Request<'_, Infisical, GetKmsKey, M> {
        self.request(InfisicalScope::default(), GetKmsKey { wanted: Wanted::Id(id.into()) })
    }

    /// Looks a key of the project up by its name, whatever its case; awaiting gives a [`KmsKey`].
    ///
    /// # Errors
    ///
    /// Those of [`get_kms_key`](Self::get_kms_key).
    pub fn get_kms_key_by_name(&self, name: impl Into<String>) -> Request<'_, Infisical, GetKmsKey, M> {
        self.request(InfisicalScope::default(), GetKmsKey { wanted: Wanted::Name(name.into()) })
    }

    /// Creates a key in the project, for `aes-256-gcm` unless [`algorithm`](Request::algorithm) says otherwise; awaiting gives a
    /// [`KmsKey`]. A name has 1 to 32 letters, digits and hyphens, and is stored in lower case.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), with nothing sent, for another name; [`Server`](crate::ErrorKind::Server) from servers
    /// of 2024 when there is a key of that name; and those of any call.
    pub fn create_kms_key(&self, name: impl Into<String>) -> Request<'_, Infisical, CreateKmsKey, M> {
        let operation = CreateKmsKey { name: name.into(), description: None, algorithm: None };
        self.request(InfisicalScope::default(), operation)
    }

    /// Changes a key: its [`name`](Request::name), its [`description`](Request::description), and whether it is
    /// [`disabled`](Request::disabled). What is not said stays as it is. Awaiting gives a [`KmsKey`].
    ///
    /// # Errors
    ///
    /// Those of [`create_kms_key`](Self::create_kms_key); [`NotFound`](crate::ErrorKind::NotFound).
    pub fn update_kms_key(&self, id: impl Into<String>) -> Request<'_, Infisical, UpdateKmsKey, M> {
        let operation = UpdateKmsKey { id: id.into(), name: None, description: None, is_disabled: None };
        self.request(InfisicalScope::default(), operation)
    }

    /// Deletes a key; awaiting gives the [`KmsKey`] that was there. **What it has encrypted cannot be decrypted any more.**
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is none; and those of any call.
    pub fn delete_kms_key(&self, id: impl Into<String>) -> Request<'_, Infisical, DeleteKmsKey, M> {
        self.request(InfisicalScope::default(), DeleteKmsKey { id: id.into() })
    }
}

impl<M> Request<'_, Infisical, CreateKmsKey, M> {
    /// What the key is for, in up to 500 characters.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }

    /// The algorithm, `aes-256-gcm` or `aes-128-gcm`.
    pub fn algorithm(mut self, name: impl Into<String>) -> Self {
        self.operation.algorithm = Some(name.into());
        self
    }
}

impl<M> Request<'_, Infisical, UpdateKmsKey, M> {
    /// Gives the key this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.operation.name = Some(name.into());
        self
    }

    /// Says what the key is for.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.operation.description = Some(text.into());
        self
    }

    /// Turns the key off, or on again.
    pub fn disabled(mut self, on: bool) -> Self {
        self.operation.is_disabled = Some(on);
        self
    }
}

/// A name that servers take for a key.
fn check_name(name: &str) -> Result<(), XtraError> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    if (1..=32).contains(&name.len()) && name.chars().all(is_letter) {
        return Ok(());
    }
    let message = format!(
        "nothing was sent: the name of a key is 1 to 32 letters, digits and hyphens, which {} is not",
        quoted(name)
    );
    Err(XtraError::new(ErrorKind::Invalid, message))
}

/// The key of an answer to a write, when it is the one that was written.
fn confirmed(key: types::KmsKey, id: Option<&str>, name: Option<&str>) -> Result<KmsKey, XtraError> {
    let key = KmsKey::from(key);
    let is_id = id.is_none_or(|id| key.id == id);
    let is_name = name.is_none_or(|name| key.name.eq_ignore_ascii_case(name));
    if is_id && is_name {
        return Ok(key);
    }
    Err(XtraError::new(ErrorKind::Decode, "the answer is about another key than the one that was sent")
        .with_note("The write may have been applied: look what is there before it is sent again")
        .with_unknown_outcome())
}

impl Operation for GetKmsKey {
    const NAME: &'static str = "get_kms_key";
    type Source = Infisical;
    type Output = KmsKey;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<KmsKey, XtraError> {
        let raw = call.source().raw();
        let answer = match &self.wanted {
            Wanted::Id(id) => {
                check("id of the key", id)?;
                raw.kms_keys_get().key_id(id).send().await.map(|answer| answer.into_inner().key)
            }
            Wanted::Name(name) => {
                check("name of the key", name)?;
                let request = raw.kms_keys_get_by_name().key_name(name).project_id(call.project().await?);
                request.send().await.map(|answer| answer.into_inner().key)
            }
        };
        let is_wanted = |key: &KmsKey| match &self.wanted {
            Wanted::Id(id) => key.id == *id,
            Wanted::Name(name) => key.name.eq_ignore_ascii_case(name),
        };
        let key = match answer.map_err(|error| error.into_error()) {
            Ok(key) => Some(KmsKey::from(key)),
            Err(error) if refusals::misses_route(&error) => {
                first_of(call.source(), call.project().await?, is_wanted).await?
            }
            Err(error) => return Err(error),
        };
        match key {
            Some(key) if is_wanted(&key) => Ok(key),
            Some(_) => {
                Err(XtraError::new(ErrorKind::Decode, "the server has answered with another key than was asked for"))
            }
            None => Err(XtraError::new(ErrorKind::NotFound, "there is no such key in the project")
                .with_hint(Hint::advice("Check its id or its name, and the project"))),
        }
    }
}

impl Operation for CreateKmsKey {
    const NAME: &'static str = "create_kms_key";
    type Source = Infisical;
    type Output = KmsKey;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<KmsKey, XtraError> {
        check_name(&self.name)?;
        let body = types::KmsKeyCreate {
            description: self.description,
            encryption_algorithm: self.algorithm,
            key_usage: None,
            name: self.name.clone(),
            project_id: call.project().await?,
        };
        let answer = call.source().raw().kms_keys_create().body(body).send().await;
        let key = answer.map_err(|error| error.into_error())?.into_inner().key;
        confirmed(key, None, Some(&self.name))
    }
}

impl Operation for UpdateKmsKey {
    const NAME: &'static str = "update_kms_key";
    type Source = Infisical;
    type Output = KmsKey;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<KmsKey, XtraError> {
        let Self { id, name, description, is_disabled } = self;
        check("id of the key", &id)?;
        name.iter().try_for_each(|name| check_name(name))?;
        if name.is_none() && description.is_none() && is_disabled.is_none() {
            return Err(XtraError::new(ErrorKind::Invalid, "nothing was sent: the call says nothing to change")
                .with_hint(Hint::Add { options: &["name", "description", "disabled"] }));
        }
        let body = types::KmsKeyUpdate { description, is_disabled, name: name.clone() };
        let answer = call.source().raw().kms_keys_update().key_id(&id).body(body).send().await;
        let key = answer.map_err(|error| error.into_error())?.into_inner().key;
        confirmed(key, Some(&id), name.as_deref())
    }
}

impl Operation for DeleteKmsKey {
    const NAME: &'static str = "delete_kms_key";
    type Source = Infisical;
    type Output = KmsKey;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<KmsKey, XtraError> {
        check("id of the key", &self.id)?;
        let answer = call.source().raw().kms_keys_delete().key_id(&self.id).send().await;
        let key = answer.map_err(|error| error.into_error())?.into_inner().key;
        confirmed(key, Some(&self.id), None)
    }
}
