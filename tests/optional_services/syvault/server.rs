//! The service itself, in memory on a loopback port: secrets of folders, encrypted or plain, leases, and answers to order. What is
//! encrypted and signed is so by another implementation than the client's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xtrasecurity::EngineOptions;
use xtrasecurity::syvault::{SyVaultClient, SyVaultClientBuilder, SyVaultFolder};

pub const CLIENT: &str = "c9a1b2d3-4e5f-6789-abcd-ef0123456789";
/// The private key of RFC 7515, appendix A.3, and its public point.
pub const SECRET: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const POINT: &str = "BH/Nzidw9sRdQYPL7m/bS3tYBzM1e+nvE7rPbjx70VRFx/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0=";

pub const FOLDER: &str = "folder-production";
pub const FOLDER_KEY: [u8; 32] = [7; 32];
pub const UID: &str = "7Kj9mNpQ2xRs";

/// A service that runs until it is dropped.
pub struct SyVault {
    url: String,
    state: Arc<Mutex<Vault>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
pub struct Vault {
    /// What the service takes for its own address.
    audience: String,
    pub records: BTreeMap<String, Value>,
    pub leases: BTreeMap<String, String>,
    /// Every request is answered with this status, unless it is 0.
    pub fails_with: u16,
    answers: VecDeque<Ordered>,
    requests: Vec<String>,
    tokens: Vec<String>,
    bodies: Vec<Value>,
}

impl SyVault {
    /// One folder with the secret Database, which is encrypted.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Vault { audience: url.clone(), ..Vault::default() }));
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let server = Self { url, state, task };
        server.put(UID, "Database", &[("host", "db.example.com"), ("password", "s3cret!")]);
        server
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client without any folder.
    pub fn bare(&self) -> SyVaultClientBuilder {
        SyVaultClient::builder().server(&self.url).client_id(CLIENT).client_secret(SECRET).no_proxy()
    }

    /// A client that knows the folder.
    pub fn builder(&self) -> SyVaultClientBuilder {
        self.bare().folder(SyVaultFolder::new(FOLDER).path(["Production"]).key(BASE64_STANDARD.encode(FOLDER_KEY)))
    }

    pub fn client(&self) -> SyVaultClient {
        self.builder().build().unwrap()
    }

    pub fn client_with(&self, options: EngineOptions) -> SyVaultClient {
        self.builder().engine_options(options).build().unwrap()
    }

    pub fn state(&self) -> MutexGuard<'_, Vault> {
        self.state.lock().unwrap()
    }

    /// Stores a secret in the folder, encrypted.
    pub fn put(&self, uid: &str, title: &str, fields: &[(&str, &str)]) {
        let fields: BTreeMap<_, _> = fields.iter().copied().collect();
        self.put_record(uid, encrypted(uid, &json!({ "title": title, "fields": fields }).to_string()));
    }

    pub fn put_record(&self, uid: &str, record: Value) {
        self.state().records.insert(uid.to_owned(), record);
    }

    /// The next request is answered so.
    pub fn answer(&self, status: u16, body: impl ToString) {
        self.answer_with(status, body, Vec::new());
    }

    pub fn answer_with(&self, status: u16, body: impl ToString, headers: Vec<(&'static str, String)>) {
        self.state().answers.push_back((status, body.to_string(), headers));
    }

    /// Method and path of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// The token of each request so far.
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.clone()
    }

    /// The body of the last request that had one.
    pub fn body(&self) -> Value {
        self.state().bodies.last().cloned().unwrap()
    }
}

/// An answer to order: its status, body and headers.
type Ordered = (u16, String, Vec<(&'static str, String)>);

impl Drop for SyVault {
    fn drop(&mut self) {
        self.task.abort();
    }
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

fn is_accepted(token: &str, audience: &str) -> bool {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    claims(token).is_some_and(|claims| {
        let (issued, end) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        claims["sub"] == CLIENT && claims["aud"] == audience && issued <= now && end - issued <= 3600
    })
}

async fn answer(State(state): State<Arc<Mutex<Vault>>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.requests.push(format!("{} {}", head.method, head.uri));
    state.tokens.push(token.to_owned());
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !sent.is_null() {
        state.bodies.push(sent.clone());
    }
    let (status, body, headers) = match state.answers.pop_front() {
        Some(answer) => answer,
        None if state.fails_with != 0 => (state.fails_with, json!({ "error": "forbidden" }).to_string(), vec![]),
        None if !is_accepted(token, &state.audience) => (401, json!({ "error": "invalid token" }).to_string(), vec![]),
        None => {
            let (status, body) = state.route(head.method.as_str(), head.uri.path(), &sent);
            (status, body.to_string(), vec![])
        }
    };
    let body = if status == 204 { String::new() } else { body };
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

impl Vault {
    fn route(&mut self, method: &str, path: &str, sent: &Value) -> (u16, Value) {
        let parts: Vec<&str> = path.strip_prefix("/api/sm/v1/").unwrap_or_default().split('/').collect();
        let not_found = (404, json!({ "error": "no such thing" }));
        match (method, parts.as_slice()) {
            ("GET", ["secrets"]) => (200, json!({ "data": self.records.values().collect::<Vec<_>>() })),
            ("POST", ["secrets"]) => {
                let uid = sent["uid"].as_str().unwrap().to_owned();
                self.records.insert(uid.clone(), sent.clone());
                (201, json!({ "uid": uid }))
            }
            ("GET", ["secrets", uid]) => self.records.get(*uid).map_or(not_found, |record| (200, record.clone())),
            ("POST", ["secrets", uid, "rotate"]) => match self.records.get_mut(*uid) {
                Some(record) => {
                    let mut plain = decrypted(record);
                    plain["fields"]["password"] = json!("n3w!");
                    *record = encrypted(uid, &plain.to_string());
                    (200, json!({ "status": "completed", "new_fields": { "password": "n3w!" } }))
                }
                None => not_found,
            },
            ("POST", ["dynamic", "lease"]) => {
                let id = format!("lease-{}", self.leases.len() + 1);
                self.leases.insert(id.clone(), sent["record_uid"].as_str().unwrap().to_owned());
                let lease = json!({
                    "lease_id": id, "username": "v-app-1", "password": "p%1", "expires_at": "2026-01-02T03:04:05Z",
                    "connection_string": "postgres://v-app-1:p%251@db/app",
                });
                (201, lease)
            }
            ("GET", ["dynamic", "leases"]) => {
                let leases: Vec<_> =
                    self.leases.iter().map(|(id, uid)| json!({ "lease_id": id, "record_uid": uid })).collect();
                (200, json!({ "data": leases }))
            }
            ("DELETE", ["dynamic", "leases", id]) => match self.leases.remove(*id) {
                Some(_) => (204, Value::Null),
                None => not_found,
            },
            _ => not_found,
        }
    }
}
