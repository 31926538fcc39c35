//! Encryption and decryption with a key: bytes, in base64 on the way.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::check;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::engine::{Call, Client, Operation, Request};
use crate::services::infisical::raw::types;
use crate::services::infisical::{Infisical, InfisicalScope};

/// As many bytes as servers of 2024 take, whether plaintext or ciphertext.
const LONGEST_OF_2024: usize = 4_096;

/// As many bytes as servers of today take.
const LONGEST: usize = 1_048_576;

/// The operation of a [`Request`] that encrypts.
pub struct EncryptWithKmsKey {
    id: String,
    plaintext: Zeroizing<Vec<u8>>,
}

/// The operation of a [`Request`] that decrypts.
pub struct DecryptWithKmsKey {
    id: String,
    ciphertext: Vec<u8>,
}

/// What was decrypted. `Debug` prints nothing of it, and it is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct KmsPlaintext(Zeroizing<Vec<u8>>);

impl KmsPlaintext {
    /// The bytes. Whatever copies them is responsible for the copy.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KmsPlaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl fmt::Debug for EncryptWithKmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptWithKmsKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptWithKmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptWithKmsKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// # Infisical: encrypt and decrypt with keys
impl<M> Client<Infisical, M> {
    /// Encrypts bytes with a key, by its id; awaiting gives the ciphertext as bytes. The server does it; the key stays there.
    ///
    /// A server takes 1 to 1,048,576 bytes (1 MiB), one of 2024 up to 4,096; both limits hold for the ciphertext as well, which is
    /// 31 bytes longer than the plaintext there. So servers of 2024 encrypt 4,066 to 4,096 bytes and do not decrypt them again.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) for no bytes and for too many, and for a key that is disabled;
    /// [`NotFound`](crate::ErrorKind::NotFound) for one that is not there; and those of any call.
    ///
    /// ```no_run
    /// # async fn example(client: &xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
    /// let key = client.get_kms_key_by_name("backups").await?;
    /// let ciphertext = client.kms_encrypt(&key.id, b"a data key").await?;
    /// assert_eq!(client.kms_decrypt(&key.id, &ciphertext).await?.expose(), b"a data key");
    /// # Ok(())
    /// # }
    /// ```
    pub fn kms_encrypt(
        &self,
        id: impl Into<String>,
        plaintext: impl AsRef<[u8]>,
    ) -> Request<'_, Infisical, EncryptWithKmsKey, M> {
        let plaintext = Zeroizing::new(plaintext.as_ref().to_vec());
        self.request(InfisicalScope::default(), EncryptWithKmsKey { id: id.into(), plaintext })
    }

    /// Decrypts what a key has encrypted; awaiting gives a [`KmsPlaintext`].
    ///
    /// # Errors
    ///
    /// Those of [`kms_encrypt`](Self::kms_encrypt); [`Server`](crate::ErrorKind::Server) from servers of 2024 for what this key has
    /// not encrypted.
    pub fn kms_decrypt(
        &self,
        id: impl Into<String>,
        ciphertext: impl AsRef<[u8]>,
    ) -> Request<'_, Infisical, DecryptWithKmsKey, M> {
        let ciphertext = ciphertext.as_ref().to_vec();
        self.request(InfisicalScope::default(), DecryptWithKmsKey { id: id.into(), ciphertext })
    }
}

fn check_size(what: &str, bytes: usize) -> Result<(), XtraError> {
    match bytes {
        0 => Err(XtraError::new(
            ErrorKind::Invalid,
            format!("nothing was sent: the {what} is empty, which servers refuse"),
        )),
        1..=LONGEST => Ok(()),
        _ => Err(limits(XtraError::new(ErrorKind::Invalid, format!("nothing was sent: the {what} has {bytes} bytes")))),
    }
}

/// Says both limits of a size.
fn limits(error: XtraError) -> XtraError {
    error
        .with_note(
            "Servers of 2024 take 4,096 bytes at most, of the ciphertext too, which is 31 bytes longer than the plaintext; newer \
             ones take 1,048,576 (1 MiB)",
        )
        .with_hint(Hint::advice("Encrypt a data key with it, and the data with that"))
}

/// Says both limits where a server has refused so many bytes.
fn explain(error: XtraError, bytes: usize) -> XtraError {
    let is_size = error.kind() == ErrorKind::Invalid && bytes > LONGEST_OF_2024;
    if is_size { limits(error) } else { error }
}

fn unreadable() -> XtraError {
    XtraError::new(ErrorKind::Decode, "the server's answer is not in base64")
}

impl Operation for EncryptWithKmsKey {
    const NAME: &'static str = "kms_encrypt";
    type Source = Infisical;
    type Output = Vec<u8>;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<Vec<u8>, XtraError> {
        check("id of the key", &self.id)?;
        check_size("plaintext", self.plaintext.len())?;
        let plaintext = SecretValue::new(STANDARD.encode(&*self.plaintext)).into();
        let body = types::KmsPlaintext { plaintext };
        let answer = call.source().raw().kms_keys_encrypt().key_id(&self.id).body(body).send().await;
        let answer = answer.map_err(|error| explain(error.into_error(), self.plaintext.len()))?.into_inner();
        let text = answer.ciphertext.expose().filter(|text| !text.is_empty()).ok_or_else(unreadable)?;
        STANDARD.decode(text).map_err(|_| unreadable())
    }
}

impl Operation for DecryptWithKmsKey {
    const NAME: &'static str = "kms_decrypt";
    type Source = Infisical;
    type Output = KmsPlaintext;

    async fn perform(self, call: Call<'_, Infisical>) -> Result<KmsPlaintext, XtraError> {
        check("id of the key", &self.id)?;
        check_size("ciphertext", self.ciphertext.len())?;
        let body = types::KmsCiphertext { ciphertext: STANDARD.encode(&self.ciphertext).into() };
        let answer = call.source().raw().kms_keys_decrypt().key_id(&self.id).body(body).send().await;
        let answer = answer.map_err(|error| explain(error.into_error(), self.ciphertext.len()))?.into_inner();
        let text = answer.plaintext.expose().ok_or_else(unreadable)?;
        STANDARD.decode(text).map(|bytes| KmsPlaintext(Zeroizing::new(bytes))).map_err(|_| unreadable())
    }
}
