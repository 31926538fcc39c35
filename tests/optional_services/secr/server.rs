//! The service itself, in memory on a loopback port: secrets of one project by environment, pages, templates, and answers to order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xtrasecurity::EngineOptions;
use xtrasecurity::secr::{SecrClient, SecrClientBuilder};

/// The token that the service takes.
pub const TOKEN: &str = "secr_cli_canary_0123456789";

/// A service that runs until it is dropped.
pub struct Secr {
    url: String,
    state: Arc<Mutex<Project>>,
    task: JoinHandle<()>,
}

/// A secret: its value, and how often it was written.
type Stored = (String, u64);

/// What is done when a page is asked for, before it is answered.
type Between = Box<dyn FnMut(usize, &mut BTreeMap<String, Stored>) + Send>;

/// The project `web` of `acme`.
#[derive(Default)]
pub struct Project {
    pub environments: BTreeMap<String, BTreeMap<String, Stored>>,
    pub templates: BTreeMap<String, Value>,
    /// Templates come as an object with a list, and not as the list.
    pub wraps_templates: bool,
    /// Pages come unasked, of this size at most.
    pub page: Option<usize>,
    pub between: Option<Between>,
    /// Every request is answered with this status, unless it is 0.
    pub fails_with: u16,
    answers: VecDeque<Ordered>,
    requests: Vec<String>,
    bodies: Vec<Value>,
    pulls: usize,
}

impl Secr {
    /// One environment, `production`, with three secrets.
    pub async fn start() -> Self {
        let secrets = [("DB_HOST", "db.internal"), ("DB_PASSWORD", "plum-4711"), ("PORT", "8080")];
        let secrets = secrets.map(|(key, value)| (key.to_owned(), (value.to_owned(), 1)));
        let environments = BTreeMap::from([
            ("production".to_owned(), BTreeMap::from(secrets)),
            ("staging".to_owned(), BTreeMap::new()),
        ]);
        let state = Arc::new(Mutex::new(Project { environments, ..Project::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, state, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn builder(&self) -> SecrClientBuilder {
        SecrClient::builder().token(TOKEN).api_url(&self.url).no_proxy()
    }

    pub fn client(&self) -> SecrClient {
        self.builder().build().unwrap()
    }

    pub fn client_with(&self, options: EngineOptions) -> SecrClient {
        self.builder().engine_options(options).build().unwrap()
    }

    pub fn state(&self) -> MutexGuard<'_, Project> {
        self.state.lock().unwrap()
    }

    /// The next request is answered so.
    pub fn answer(&self, status: u16, body: impl ToString) {
        self.state().answers.push_back((status, body.to_string(), Vec::new()));
    }

    pub fn answer_with(&self, status: u16, body: impl ToString, headers: Vec<(&'static str, String)>) {
        self.state().answers.push_back((status, body.to_string(), headers));
    }

    /// Method, path and query of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// The body of the last request that had one.
    pub fn body(&self) -> Value {
        self.state().bodies.last().cloned().unwrap()
    }

    pub fn set(&self, key: &str, value: &str) {
        let mut state = self.state();
        let stored = state.environments.get_mut("production").unwrap().entry(key.to_owned()).or_default();
        *stored = (value.to_owned(), stored.1 + 1);
    }
}

/// An answer to order: its status, body and headers.
type Ordered = (u16, String, Vec<(&'static str, String)>);

impl Drop for Secr {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(state): State<Arc<Mutex<Project>>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.requests.push(format!("{} {}", head.method, head.uri));
    if let Ok(body) = serde_json::from_slice(&body) {
        state.bodies.push(body);
    }
    let (status, body, headers) = match state.answers.pop_front() {
        Some(answer) => answer,
        None if state.fails_with != 0 => (state.fails_with, json!({ "error": "forbidden" }).to_string(), vec![]),
        None if authorization != format!("Bearer {TOKEN}") => {
            (401, json!({ "error": "unauthorized" }).to_string(), vec![])
        }
        None => {
            let query =
                url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
            let (status, body) = state.route(head.method.as_str(), head.uri.path(), &query, &body);
            (status, body.to_string(), vec![])
        }
    };
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

impl Project {
    fn route(&mut self, method: &str, path: &str, query: &BTreeMap<String, String>, body: &[u8]) -> (u16, Value) {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into())
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let not_found = (404, json!({ "error": "not_found" }));
        match (method, parts.as_slice()) {
            ("GET", ["v1", "auth", "me"]) => (200, json!({ "user": { "id": "u-1", "email": "ann@example.com" } })),
            ("POST", ["v1", "secrets", "acme", "web", "promote"]) => self.promote(&sent),
            ("GET", ["v1", "secrets", "acme", "web", environment]) => self.pull(environment, query, "secrets"),
            ("GET", ["v1", "secrets", "acme", "web", environment, "keys"]) => self.pull(environment, query, "keys"),
            ("PUT", ["v1", "secrets", "acme", "web", environment]) => match self.environments.get_mut(*environment) {
                Some(secrets) => {
                    let (key, value) = (sent["key"].as_str().unwrap(), sent["value"].as_str().unwrap());
                    let stored = secrets.entry(key.to_owned()).or_default();
                    *stored = (value.to_owned(), stored.1 + 1);
                    (200, json!({ "key": key, "version": stored.1 }))
                }
                None => not_found,
            },
            ("POST", ["v1", "secrets", "acme", "web", environment, "bulk"]) => {
                let secrets = self.environments.get_mut(*environment).unwrap();
                let (mut created, mut updated) = (0, 0);
                for item in sent["secrets"].as_array().unwrap() {
                    let stored = secrets.entry(item["key"].as_str().unwrap().to_owned()).or_default();
                    *if stored.1 == 0 { &mut created } else { &mut updated } += 1;
                    *stored = (item["value"].as_str().unwrap().to_owned(), stored.1 + 1);
                }
                (200, json!({ "created": created, "updated": updated, "total": created + updated }))
            }
            ("DELETE", ["v1", "secrets", "acme", "web", environment, key]) => {
                match self.environments.get_mut(*environment).and_then(|secrets| secrets.remove(*key)) {
                    Some(_) => (200, json!({ "deleted": true, "key": key })),
                    None => not_found,
                }
            }
            ("GET", ["v1", "templates", "acme", "web"]) => {
                let list: Value = self.templates.values().cloned().collect();
                (200, if self.wraps_templates { json!({ "templates": list }) } else { list })
            }
            ("POST", ["v1", "templates", "acme", "web"]) => {
                let key = sent["key"].as_str().unwrap();
                let template = json!({ "id": "t", "key": key, "description": sent.get("description"), "required": sent["required"], "createdAt": "2026-01-02T03:04:05Z" });
                self.templates.insert(key.to_owned(), template);
                (201, Value::Null)
            }
            ("DELETE", ["v1", "templates", "acme", "web", key]) => match self.templates.remove(*key) {
                Some(_) => (204, Value::Null),
                None => not_found,
            },
            ("GET", ["v1", "templates", "acme", "web", "validate", environment]) => {
                let there = &self.environments[*environment];
                let required = self.templates.values().filter(|template| template["required"] == true);
                let missing: Vec<_> = required
                    .map(|template| template["key"].clone())
                    .filter(|key| !there.contains_key(key.as_str().unwrap()))
                    .collect();
                let extra: Vec<_> = there.keys().filter(|key| !self.templates.contains_key(*key)).collect();
                (200, json!({ "valid": missing.is_empty(), "missing": missing, "extra": extra }))
            }
            _ => not_found,
        }
    }

    fn pull(&mut self, environment: &str, query: &BTreeMap<String, String>, what: &str) -> (u16, Value) {
        let Some(secrets) = self.environments.get_mut(environment) else {
            return (404, json!({ "error": "not_found", "message": "Environment not found" }));
        };
        if let Some(between) = &mut self.between {
            between(self.pulls, secrets);
        }
        self.pulls += 1;
        let number = |name: &str| query.get(name).map(|text| text.parse::<usize>().unwrap());
        let search = query.get("search").map(|text| text.to_lowercase()).unwrap_or_default();
        let found: Vec<_> = secrets.iter().filter(|(key, _)| key.to_lowercase().contains(&search)).collect();
        let limit = [number("limit"), self.page].into_iter().flatten().min();
        let offset = number("offset").unwrap_or_default();
        let page = found.iter().skip(offset).take(limit.unwrap_or(usize::MAX));
        let page: Vec<Value> = page
            .map(|(key, (value, version))| {
                let mut item =
                    json!({ "key": key, "version": version, "updatedAt": "2026-01-02T03:04:05Z", "description": null });
                if what == "secrets" {
                    item["value"] = json!(value);
                }
                item
            })
            .collect();
        let mut body = json!({ what: page });
        if limit.is_some() || query.contains_key("offset") {
            body["pagination"] = json!({ "limit": limit, "offset": offset, "total": found.len() });
            if limit.is_none() {
                body["pagination"]["limit"] = json!(50);
            }
        }
        (200, body)
    }

    fn promote(&mut self, sent: &Value) -> (u16, Value) {
        let (from, to) = (sent["fromEnv"].as_str().unwrap(), sent["toEnv"].as_str().unwrap());
        let Some(source) = self.environments.get(from).cloned() else { return (404, json!({ "error": "not_found" })) };
        let Some(target) = self.environments.get_mut(to) else { return (404, json!({ "error": "not_found" })) };
        let (mut created, mut updated, mut skipped) = (0, 0, 0);
        for (key, (value, _)) in source {
            if sent["keys"].as_array().is_some_and(|keys| !keys.iter().any(|named| *named == *key)) {
                continue;
            }
            let version = target.get(&key).map(|stored| stored.1);
            match version {
                Some(_) if sent["overwrite"] != true => skipped += 1,
                _ => {
                    *if version.is_some() { &mut updated } else { &mut created } += 1;
                    target.insert(key, (value, version.unwrap_or_default() + 1));
                }
            }
        }
        (200, json!({ "promoted": created + updated, "created": created, "updated": updated, "skipped": skipped }))
    }
}
