//! The service itself, in memory on a loopback port: jars on shelves, a quota in headers of its own, and faults to order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The key that the service takes.
pub const KEY: &str = "larder-key-1";

/// What the quota begins with.
pub const QUOTA: u64 = 1000;

/// A service that runs until it is dropped.
pub struct Larder {
    root: String,
    shelves: Arc<Mutex<Shelves>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shelves {
    jars: BTreeMap<String, BTreeMap<String, String>>,
    faults: VecDeque<(u16, Value)>,
    keys: Vec<String>,
    requests: Vec<String>,
}

impl Larder {
    /// One shelf, `winter`, with three jars.
    pub async fn start() -> Self {
        let jars = [("PORT", "8080"), ("HOST", "db.internal"), ("PASSWORD", "plum-4711")];
        let jars = jars.map(|(label, content)| (label.to_owned(), content.to_owned()));
        let shelves = Shelves {
            jars: BTreeMap::from([("winter".to_owned(), BTreeMap::from(jars))]),
            keys: vec![KEY.to_owned()],
            ..Shelves::default()
        };
        let shelves = Arc::new(Mutex::new(shelves));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}/pantry/v2", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&shelves));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { root, shelves, task }
    }

    pub fn root(&self) -> &str {
        &self.root
    }

    pub fn fill(&self, label: &str, content: &str) {
        self.lock().jars.entry("winter".to_owned()).or_default().insert(label.to_owned(), content.to_owned());
    }

    /// The next request is answered so.
    pub fn fault(&self, status: u16, body: Value) {
        self.lock().faults.push_back((status, body));
    }

    /// From now on these keys are taken, and no others.
    pub fn change_keys(&self, keys: &[&str]) {
        self.lock().keys = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// Method and path of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap()
    }
}

impl Drop for Larder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shelves): State<Arc<Mutex<Shelves>>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let key = head.headers.get("larder-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut shelves = shelves.lock().unwrap();
    shelves.requests.push(format!("{} {}", head.method, head.uri));
    let left = QUOTA - shelves.requests.len() as u64;
    let (status, body) = match shelves.faults.pop_front() {
        Some(fault) => fault,
        None if !shelves.keys.iter().any(|known| known == key) => {
            (401, json!({ "fault": "bad-key", "text": "This key opens nothing." }))
        }
        None => shelves.route(head.method.as_str(), head.uri.path(), &body),
    };
    let headers = [
        ("larder-calls-granted", QUOTA.to_string()),
        ("larder-calls-left", left.to_string()),
        ("larder-calls-renewed-in", "3600".to_owned()),
    ];
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
}

impl Shelves {
    fn route(&mut self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let parts: Vec<&str> = path.strip_prefix("/pantry/v2/").unwrap_or_default().split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["keyholder"]) => (200, json!({ "name": "cook" })),
            ("GET", ["shelves", shelf, "jars"]) => match self.jars.get(*shelf) {
                Some(jars) => {
                    let jars: Vec<Value> =
                        jars.iter().map(|(label, content)| json!({ "label": label, "content": content })).collect();
                    (200, json!({ "jars": jars }))
                }
                None => (404, json!({ "fault": "no-such-shelf", "text": format!("There is no shelf {shelf}.") })),
            },
            ("PUT", ["shelves", shelf, "jars", label]) => {
                let filling: Value = serde_json::from_slice(body).unwrap();
                let content = filling["content"].as_str().unwrap().to_owned();
                self.jars.entry((*shelf).to_owned()).or_default().insert((*label).to_owned(), content);
                (200, json!({ "batch": 7 }))
            }
            _ => (404, json!({ "fault": "no-such-route" })),
        }
    }
}
