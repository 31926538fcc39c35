//! Records: the encryption of a secret's title and fields, as the vendor documents it for its vault.
//!
//! A record has a key of its own, which is encrypted under its folder's; each of the two ciphertexts is AES-256-GCM, its nonce in
//! front and its tag behind, and is bound to the record by what is authenticated with it. A wrong key, another record's ciphertext or
//! a changed byte never opens.

use std::fmt;

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag};
use base64::Engine;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::folder::Folders;
use super::key::BASE64;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError, shown_name};

pub(super) type Cipher = Aes256Gcm;

const NONCE: usize = 12;
const TAG: usize = 16;

/// A secret as the service sends it. Which of the two forms it has, encrypted or plain, is not documented.
#[derive(Default)]
pub(super) struct Record {
    pub(super) uid: String,
    /// The id of the record, where that is another than the uid.
    pub(super) id: Option<String>,
    pub(super) folder_id: Option<String>,
    pub(super) title: Option<SecretValue>,
    /// A field without a value has `None`.
    pub(super) fields: Option<Vec<(String, Option<SecretValue>)>>,
    pub(super) encrypted_key: Option<String>,
    pub(super) encrypted_data: Option<String>,
}

/// What a record holds.
pub(super) struct Contents {
    pub(super) title: Option<SecretValue>,
    pub(super) fields: Vec<(String, Option<SecretValue>)>,
}

/// Why a record does not open. Whatever it is, nothing of the record is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sealed {
    /// It does not say which folder it is in.
    NoFolder,
    /// The key of its folder is not known.
    NoFolderKey(String),
    /// A ciphertext is no base64, or too short.
    Malformed(&'static str),
    /// Its key does not open with the folder's.
    Key,
    /// Its contents do not open with its key.
    Contents,
    /// What opened is not what is assumed.
    Shape,
    /// It has neither contents nor ciphertext.
    Nothing,
}

impl Record {
    /// What it holds.
    pub(super) fn open(self, folders: &Folders) -> Result<Contents, Sealed> {
        match (self.fields, &self.encrypted_data, &self.encrypted_key) {
            (Some(fields), None, None) => Ok(Contents { title: self.title, fields }),
            (None, Some(data), Some(key)) => {
                let folder = self.folder_id.as_deref().ok_or(Sealed::NoFolder)?;
                let cipher = folders.cipher(folder).ok_or_else(|| Sealed::NoFolderKey(folder.to_owned()))?;
                // which of the two is authenticated is not documented; the wrong one does not open
                let ids = [Some(self.uid.as_str()), self.id.as_deref()];
                let mut key = ids.into_iter().flatten().map(|id| (id, opened(&cipher, key, &authenticated(id, "dek"))));
                let (id, key) = key.find(|(_, opened)| !matches!(opened, Err(Failed::Refused))).ok_or(Sealed::Key)?;
                let key = key.map_err(|_| Sealed::Malformed("encrypted_key"))?;
                let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| Sealed::Key)?;
                let cipher = Cipher::new(Key::<Aes256Gcm>::from_slice(key));
                let payload = opened(&cipher, data, &authenticated(id, "payload")).map_err(|failed| match failed {
                    Failed::Malformed => Sealed::Malformed("encrypted_data"),
                    Failed::Refused => Sealed::Contents,
                })?;
                let payload: Payload = serde_json::from_slice(&payload).map_err(|_| Sealed::Shape)?;
                let fields = payload.fields.0.into_iter().map(|(name, value)| (name, Some(value))).collect();
                Ok(Contents { title: Some(payload.title), fields })
            }
            _ => Err(Sealed::Nothing),
        }
    }

    /// The title alone; of a record in plain form nothing else is needed for it.
    pub(super) fn title(self, folders: &Folders) -> Result<SecretValue, Sealed> {
        match (self.title, &self.encrypted_data) {
            (Some(title), None) => Ok(title),
            (title, _) => Self { title, ..self }.open(folders)?.title.ok_or(Sealed::Nothing),
        }
    }
}

impl Sealed {
    /// The error of a read of the secret with this uid.
    pub(super) fn error(&self, uid: &str) -> XtraError {
        let shown = shown_name(uid, |_| false);
        let kind = match self {
            Self::Shape | Self::Nothing => ErrorKind::Decode,
            _ => ErrorKind::Undecryptable,
        };
        let error =
            XtraError::new(kind, format!("the secret {shown} is not readable: {self}. Nothing of it is returned"));
        let error = error.with_names([uid]);
        match self {
            Self::NoFolderKey(_) => error
                .with_note("How the service hands folder keys to a client is not published, so this client does not unwrap them")
                .with_hint(Hint::advice("Give the client the key of the folder, if you have it")),
            Self::Shape | Self::Nothing => error.with_note(ASSUMED),
            _ => error,
        }
    }
}

const ASSUMED: &str = "Assumed, and not documented: a secret has either `fields` in plain form, or `encrypted_key` and `encrypted_data`, \
                       whose plaintext is an object with a text as `title` and texts as `fields`";

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFolder => f.write_str("it is encrypted, and does not say in which folder it is"),
            Self::NoFolderKey(folder) => {
                let shown = shown_name(folder, |_| false);
                write!(f, "it is encrypted under the key of the folder {shown}, which this client does not have")
            }
            Self::Malformed(what) => write!(f, "its {what} is no ciphertext"),
            Self::Key => f.write_str("its key does not open with the key of its folder"),
            Self::Contents => f.write_str("its contents do not open with its key"),
            Self::Shape => f.write_str("what it holds has another shape than is assumed"),
            Self::Nothing => f.write_str("it has neither fields nor ciphertext in the form that is assumed"),
        }
    }
}

/// What is authenticated with a ciphertext of a record.
fn authenticated(record: &str, part: &str) -> String {
    format!("syvault.record.{record}.{part}.v1")
}

enum Failed {
    Malformed,
    Refused,
}

/// The plaintext of a ciphertext in base64.
fn opened(cipher: &Cipher, text: &str, authenticated: &str) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let mut bytes = Zeroizing::new(BASE64.decode(text).map_err(|_| Failed::Malformed)?);
    let length = bytes.len().checked_sub(NONCE + TAG).ok_or(Failed::Malformed)?;
    let (nonce, rest) = bytes.split_at_mut(NONCE);
    let (contents, tag) = rest.split_at_mut(length);
    let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
    let outcome = cipher.decrypt_in_place_detached(nonce, authenticated.as_bytes(), contents, tag);
    outcome.map_err(|_| Failed::Refused)?;
    Ok(Zeroizing::new(contents.to_vec()))
}

/// A secret that is encrypted for the service.
pub(super) struct Encrypted {
    pub(super) uid: String,
    pub(super) encrypted_key: String,
    pub(super) encrypted_data: String,
}

/// Encrypts a new secret for a folder, under a uid and a key that are made here.
pub(super) fn seal(
    folder: &Cipher,
    title: &SecretValue,
    fields: &[(String, SecretValue)],
) -> Result<Encrypted, XtraError> {
    seal_as(new_uid()?, folder, title, fields)
}

/// Encrypts a secret under this uid.
pub(super) fn seal_as(
    uid: String,
    folder: &Cipher,
    title: &SecretValue,
    fields: &[(String, SecretValue)],
) -> Result<Encrypted, XtraError> {
    let mut key = Zeroizing::new([0; 32]);
    random(&mut *key)?;
    let payload = PayloadRef { title: title.expose(), fields };
    let payload = crate::http::runtime::to_wiped_json(&payload)?;
    let cipher = Cipher::new(Key::<Aes256Gcm>::from_slice(&*key));
    let encrypted_data = sealed(&cipher, &payload, &authenticated(&uid, "payload"))?;
    let encrypted_key = sealed(folder, &*key, &authenticated(&uid, "dek"))?;
    Ok(Encrypted { uid, encrypted_key, encrypted_data })
}

fn sealed(cipher: &Cipher, plaintext: &[u8], authenticated: &str) -> Result<String, XtraError> {
    let mut bytes = vec![0; NONCE];
    random(&mut bytes)?;
    let nonce = *Nonce::from_slice(&bytes);
    let mut contents = Zeroizing::new(plaintext.to_vec());
    let tag = cipher
        .encrypt_in_place_detached(&nonce, authenticated.as_bytes(), &mut contents)
        .map_err(|_| XtraError::new(ErrorKind::Invalid, "the secret is too long to be encrypted"))?;
    bytes.extend_from_slice(&contents);
    bytes.extend_from_slice(&tag);
    Ok(BASE64.encode(bytes))
}

/// 12 letters and digits, as the uids of the vendor's pages have.
pub(super) fn new_uid() -> Result<String, XtraError> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut uid = String::new();
    while uid.len() < 12 {
        let mut bytes = [0; 16];
        random(&mut bytes)?;
        // each letter is as likely as the others
        let letters =
            bytes.into_iter().filter(|byte| *byte < 248).filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        uid.extend(letters.map(|letter| char::from(*letter)).take(12 - uid.len()));
    }
    Ok(uid)
}

pub(super) fn random(bytes: &mut [u8]) -> Result<(), XtraError> {
    getrandom::fill(bytes).map_err(|_| {
        XtraError::new(
            ErrorKind::Config,
            "nothing was encrypted: the system gives no random numbers. Repair that first",
        )
    })
}

/// What the contents of a record are as JSON.
#[derive(serde::Deserialize)]
struct Payload {
    title: SecretValue,
    fields: Fields,
}

#[derive(Serialize)]
struct PayloadRef<'a> {
    title: &'a str,
    #[serde(serialize_with = "as_object")]
    fields: &'a [(String, SecretValue)],
}

fn as_object<S: Serializer>(fields: &[(String, SecretValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value.expose())))
}

/// Texts by name. A name that is there twice could be read as either.
struct Fields(Vec<(String, SecretValue)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields, A::Error> {
                let mut names = std::collections::HashSet::new();
                let mut fields = Vec::new();
                while let Some((name, value)) = members.next_entry::<String, SecretValue>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom("a name twice"));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce as RingNonce, UnboundKey};

    use super::super::folder::SyVaultFolder;
    use super::*;

    const UID: &str = "7Kj9mNpQ2xRs";
    const FOLDER: &str = "f-1";
    /// Bytes 0 to 31.
    const FOLDER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    /// A record of the title Database, with host and password, encrypted by OpenSSL.
    const ENCRYPTED_KEY: &str = "yv66vvrO263eyviI7sbGQcITJXAqZjOyC2z7THlVtianYBAPMqJ6Dj4I53wBKVW97ZEUtzaNF4a/w/zT";
    const ENCRYPTED_DATA: &str = "AAECAwQFBgcICQoL5IlMJckhpMunMdqp4vvq05pyH7wPZblAq3aaKWmXY4jfRbj2FwhmqKy0mIx7nyot+iOw3EDPS3L1zXHZrRt40uUgyOwK/wkz6cT80srEX8/8zb8iTaa5QevoC80=";

    fn folders() -> Folders {
        let other = SyVaultFolder::new("f-2").key("AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        Folders::of(vec![SyVaultFolder::new(FOLDER).key(FOLDER_KEY), other, SyVaultFolder::new("f-3")]).unwrap()
    }

    fn record() -> Record {
        Record {
            uid: UID.to_owned(),
            folder_id: Some(FOLDER.to_owned()),
            encrypted_key: Some(ENCRYPTED_KEY.to_owned()),
            encrypted_data: Some(ENCRYPTED_DATA.to_owned()),
            ..Record::default()
        }
    }

    fn field<'c>(contents: &'c Contents, name: &str) -> &'c str {
        let found = contents.fields.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_ref()).map(SecretValue::expose).unwrap()
    }

    #[test]
    fn a_record_of_another_implementation_opens() {
        let contents = record().open(&folders()).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(contents.title.as_ref().unwrap().expose(), "Database");
        assert_eq!((field(&contents, "host"), field(&contents, "password")), ("db.example.com", "s3cret!"));
        assert_eq!(record().title(&folders()).unwrap().expose(), "Database");
        // the id of the record may be what is authenticated, rather than the uid
        let by_id = Record { uid: "other".to_owned(), id: Some(UID.to_owned()), ..record() };
        assert!(by_id.open(&folders()).is_ok());
    }

    #[test]
    fn a_wrong_key_another_record_or_a_changed_byte_never_gives_plaintext() {
        let edit = |change: fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            record.open(&folders()).err()
        };
        assert_eq!(edit(|record| record.folder_id = Some("f-2".to_owned())), Some(Sealed::Key));
        assert_eq!(
            edit(|record| record.folder_id = Some("f-3".to_owned())),
            Some(Sealed::NoFolderKey("f-3".to_owned()))
        );
        assert_eq!(edit(|record| record.folder_id = None), Some(Sealed::NoFolder));
        assert_eq!(edit(|record| record.uid = "7Kj9mNpQ2xRt".to_owned()), Some(Sealed::Key));
        assert_eq!(edit(|record| record.encrypted_key = Some(ENCRYPTED_DATA.to_owned())), Some(Sealed::Key));
        assert_eq!(edit(|record| record.encrypted_data = Some(ENCRYPTED_KEY.to_owned())), Some(Sealed::Contents));
        assert_eq!(edit(|record| record.encrypted_data = None), Some(Sealed::Nothing));
        assert_eq!(edit(|record| record.encrypted_key = None), Some(Sealed::Nothing));
        assert_eq!(
            edit(|record| record.encrypted_key = Some("AAAA".to_owned())),
            Some(Sealed::Malformed("encrypted_key"))
        );
        assert_eq!(
            edit(|record| record.encrypted_data = Some("s3cret!".to_owned())),
            Some(Sealed::Malformed("encrypted_data"))
        );
        for (text, of_key) in [(ENCRYPTED_KEY, true), (ENCRYPTED_DATA, false)] {
            let bytes = BASE64.decode(text).unwrap();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                let mut record = record();
                let (slot, why) = match of_key {
                    true => (&mut record.encrypted_key, Sealed::Key),
                    false => (&mut record.encrypted_data, Sealed::Contents),
                };
                *slot = Some(BASE64.encode(changed));
                assert_eq!(record.open(&folders()).err(), Some(why), "byte {at}");
            }
        }
    }

    /// Test case 16 of the specification of GCM, in the layout of a record.
    #[test]
    fn the_vector_of_the_specification_opens() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let blob = hex(
            "cafebabefacedbaddecaf888522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
        );
        let plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        let cipher = Cipher::new(Key::<Aes256Gcm>::from_slice(&key));
        // what is authenticated is no text there
        let (nonce, rest) = blob.split_at(NONCE);
        let (contents, tag) = rest.split_at(rest.len() - TAG);
        let mut contents = contents.to_vec();
        let additional = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
        cipher.decrypt_in_place_detached(nonce, &additional, &mut contents, tag).unwrap();
        assert_eq!(contents, hex(plaintext));
        assert!(opened(&cipher, &BASE64.encode(&blob), "").is_err());
    }

    #[test]
    fn what_is_sealed_here_opens_with_another_implementation_and_has_a_uid_of_its_own() {
        let fields = [("key".to_owned(), SecretValue::from("sk_live_abc123"))];
        let folders = folders();
        let cipher = folders.cipher(FOLDER).unwrap();
        let one = seal(&cipher, &"Stripe API Key".into(), &fields).unwrap();
        let two = seal(&cipher, &"Stripe API Key".into(), &fields).unwrap();
        assert!(one.uid.len() == 12 && one.uid.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(
            one.uid != two.uid && one.encrypted_key != two.encrypted_key && one.encrypted_data != two.encrypted_data
        );

        let unsealed = |key: &[u8], text: &str, authenticated: String| {
            let mut bytes = BASE64.decode(text).unwrap();
            let nonce = RingNonce::try_assume_unique_for_key(&bytes[..NONCE]).unwrap();
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
            key.open_in_place(nonce, Aad::from(authenticated), &mut bytes[NONCE..]).unwrap().to_vec()
        };
        let folder_key: Vec<u8> = (0..32).collect();
        let key = unsealed(&folder_key, &one.encrypted_key, format!("syvault.record.{}.dek.v1", one.uid));
        let payload = unsealed(&key, &one.encrypted_data, format!("syvault.record.{}.payload.v1", one.uid));
        assert_eq!(payload, br#"{"title":"Stripe API Key","fields":{"key":"sk_live_abc123"}}"#);
    }

    fn with_payload(payload: &str) -> Result<Contents, Sealed> {
        let key = Key::<Aes256Gcm>::from([7; 32]);
        let cipher = Cipher::new(&key);
        let encrypted_data = sealed(&cipher, payload.as_bytes(), &authenticated(UID, "payload")).unwrap();
        let encrypted_key = sealed(&folders().cipher(FOLDER).unwrap(), &key, &authenticated(UID, "dek")).unwrap();
        Record { encrypted_key: Some(encrypted_key), encrypted_data: Some(encrypted_data), ..record() }.open(&folders())
    }

    #[test]
    fn contents_of_another_shape_are_refused_as_a_whole() {
        assert!(with_payload(r#"{"title":"T","fields":{},"notes":"n"}"#).is_ok());
        for payload in [
            "",
            "s3cret!",
            "[]",
            r#"{"title":"T"}"#,
            r#"{"fields":{"a":"b"}}"#,
            r#"{"title":1,"fields":{}}"#,
            r#"{"title":"T","fields":["s3cret!"]}"#,
            r#"{"title":"T","fields":{"a":"b","c":5}}"#,
            r#"{"title":"T","fields":{"a":"b","c":null}}"#,
            r#"{"title":"T","fields":{"a":"b","a":"c"}}"#,
        ] {
            assert_eq!(with_payload(payload).err(), Some(Sealed::Shape), "{payload}");
        }
        let error = Sealed::Shape.error(UID);
        assert_eq!((error.kind(), error.names()), (ErrorKind::Decode, &[UID.to_owned()][..]));
        assert!(error.to_string().contains("Assumed, and not documented: "), "{error}");
    }

    #[test]
    fn an_error_names_the_record_and_says_why() {
        let error = Sealed::NoFolderKey("f-3".to_owned()).error(UID);
        assert_eq!((error.kind(), error.names()), (ErrorKind::Undecryptable, &[UID.to_owned()][..]));
        for word in [UID, "f-3", "not published"] {
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn a_record_with_both_forms_is_taken_for_neither() {
        let both = Record { fields: Some(vec![("a".to_owned(), Some("b".into()))]), ..record() };
        assert_eq!(both.open(&folders()).err(), Some(Sealed::Nothing));
        let plain = Record { fields: Some(vec![("a".to_owned(), None)]), title: Some("T".into()), ..Record::default() };
        assert_eq!(plain.open(&folders()).unwrap().fields, [("a".to_owned(), None)]);
    }
}
