//! The service: its dev server with one folder, and answers to order. What tests encrypt, open and verify they do so by another
//! implementation than the client's and the server's.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use xtrasecurity::EngineOptions;
use xtrasecurity::syvault::dev::{ClientSeed, Fault, SecretSeed, SeenRequest, SyVaultDevServer};
use xtrasecurity::syvault::{SyVaultClient, SyVaultClientBuilder, SyVaultFolder};

pub const CLIENT: &str = "c9a1b2d3-4e5f-6789-abcd-ef0123456789";
/// The private key of RFC 7515, appendix A.3, and its public point.
pub const SECRET: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const POINT: &str = "BH/Nzidw9sRdQYPL7m/bS3tYBzM1e+nvE7rPbjx70VRFx/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0=";

pub const FOLDER: &str = "folder-production";
pub const FOLDER_KEY: [u8; 32] = [7; 32];
pub const UID: &str = "7Kj9mNpQ2xRs";

/// The service with one folder.
pub struct SyVault(pub SyVaultDevServer);

impl SyVault {
    /// One secret, Database, whose password can be rotated.
    pub async fn start() -> Self {
        let database = SecretSeed::new(FOLDER, "Database").uid(UID).rotates("password");
        let database = database.field("host", "db.example.com").field("password", "s3cret!");
        let server = SyVaultDevServer::builder()
            .folder(folder())
            .client(ClientSeed::new("ci").id(CLIENT).secret(SECRET))
            .secret(database);
        Self(server.start().await.unwrap())
    }

    pub fn url(&self) -> String {
        self.0.url()
    }

    /// A client without any folder.
    pub fn bare(&self) -> SyVaultClientBuilder {
        SyVaultClient::builder().server(self.url()).client_id(CLIENT).client_secret(SECRET).no_proxy()
    }

    /// A client that knows the folder.
    pub fn builder(&self) -> SyVaultClientBuilder {
        SyVaultClient::builder().dev_server(&self.0).no_proxy()
    }

    pub fn client(&self) -> SyVaultClient {
        self.builder().build().unwrap()
    }

    pub fn client_with(&self, options: EngineOptions) -> SyVaultClient {
        self.builder().engine_options(options).build().unwrap()
    }

    /// Stores a secret in the folder, encrypted.
    pub fn put(&self, uid: &str, title: &str, fields: &[(&str, &str)]) {
        let fields: BTreeMap<_, _> = fields.iter().copied().collect();
        self.put_record(uid, encrypted(uid, &json!({ "title": title, "fields": fields }).to_string()));
    }

    pub fn put_record(&self, uid: &str, record: Value) {
        assert_eq!(record["uid"], uid);
        self.0.put_record(&record.to_string()).unwrap();
    }

    /// The next request that no earlier order is for is answered so.
    pub fn answer(&self, status: u16, body: impl ToString) {
        self.answer_with(status, body, "x-nothing", "");
    }

    pub fn answer_with(&self, status: u16, body: impl ToString, header: &str, value: &str) {
        self.0.fault(Fault::body(status, "application/json", body.to_string()).header(header, value));
    }

    /// Method and path of each request so far.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.0.all_requests().into_iter();
        requests.map(|seen| format!("{} {}", seen.route().split_once(' ').unwrap().0, seen.target())).collect()
    }

    /// The token of each request so far.
    pub fn tokens(&self) -> Vec<String> {
        let token = |seen: &SeenRequest| Some(seen.header("authorization")?.strip_prefix("Bearer ")?.to_owned());
        self.0.all_requests().iter().filter_map(token).collect()
    }

    /// The body of the last request that had one.
    pub fn body(&self) -> Value {
        let bodies = self.0.all_requests().into_iter().rev();
        let mut bodies = bodies.filter_map(|seen| serde_json::from_slice(seen.body()?).ok());
        bodies.next().unwrap()
    }
}

fn folder() -> SyVaultFolder {
    SyVaultFolder::new(FOLDER).path(["Production"]).key(BASE64_STANDARD.encode(FOLDER_KEY))
}

/// A record of the folder with this plaintext.
pub fn encrypted(uid: &str, payload: &str) -> Value {
    let key = [42; 32];
    let data = seal(&key, &format!("syvault.record.{uid}.payload.v1"), payload.as_bytes());
    let key = seal(&FOLDER_KEY, &format!("syvault.record.{uid}.dek.v1"), &key);
    json!({ "uid": uid, "folder_id": FOLDER, "encrypted_key": key, "encrypted_data": data, "created_at": "2026-01-02T03:04:05Z" })
}

fn seal(key: &[u8], authenticated: &str, plaintext: &[u8]) -> String {
    let nonce = [9; 12];
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let mut bytes = plaintext.to_vec();
    let nonce_of = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce_of, Aad::from(authenticated), &mut bytes).unwrap();
    BASE64_STANDARD.encode([&nonce[..], &bytes].concat())
}

/// The plaintext of a record as the service stores it.
pub fn decrypted(record: &Value) -> Value {
    let open = |key: &[u8], member: &str, part: &str| {
        let mut bytes = BASE64_STANDARD.decode(record[member].as_str().unwrap()).unwrap();
        let nonce = Nonce::try_assume_unique_for_key(&bytes[..12]).unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let authenticated = format!("syvault.record.{}.{part}.v1", record["uid"].as_str().unwrap());
        key.open_in_place(nonce, Aad::from(authenticated), &mut bytes[12..]).unwrap().to_vec()
    };
    let key = open(&FOLDER_KEY, "encrypted_key", "dek");
    serde_json::from_slice(&open(&key, "encrypted_data", "payload")).unwrap()
}

/// The claims of a token, when it is signed by the client's key.
pub fn claims(token: &str) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return None };
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64_STANDARD.decode(POINT).unwrap());
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    key.verify(format!("{header}.{claims}").as_bytes(), &signature).ok()?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}
