//! A server on a loopback port: it notes each request, and answers as a test says.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xtrasecurity::infisical::{InfisicalClient, InfisicalClientBuilder};

/// The project that the servers have.
pub const PROJECT: &str = "7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80";

/// A request as it came.
#[derive(Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

impl Seen {
    /// A parameter of the query; the empty text when it is not there.
    pub fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn token(&self) -> Option<&str> {
        self.headers.get("authorization").and_then(|value| value.strip_prefix("Bearer "))
    }

    pub fn is_login(&self) -> bool {
        self.path == "/api/v1/auth/universal-auth/login"
    }
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::new(200, body.to_string())
    }

    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A refusal in the server's form.
    pub fn refusal(status: u16, error: &str, message: impl Into<Value>) -> Self {
        let message: Value = message.into();
        Self::new(status, json!({ "statusCode": status, "message": message, "error": error }).to_string())
    }

    /// The refusal of a server that does not have the route.
    pub fn no_route(seen: &Seen) -> Self {
        Self::refusal(404, "Not Found", format!("Route {}:{} not found", seen.method, seen.path))
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With an entity tag made of the body, and without the body for who knows it. A server does that whatever the status is.
    fn tagged(self, seen: &Seen) -> Self {
        let mut hasher = DefaultHasher::new();
        self.body.hash(&mut hasher);
        let tag = format!("\"{:x}\"", hasher.finish());
        match seen.headers.get("if-none-match") == Some(&tag) {
            true => Self { status: 304, body: String::new(), ..self }.header("etag", tag),
            false => self.header("etag", tag),
        }
    }
}

type Answer = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct Shared {
    answer: Mutex<Answer>,
    seen: Mutex<Vec<Seen>>,
}

/// A server that runs until it is dropped.
pub struct Server {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers as this function does.
    pub async fn start(answer: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let shared = Arc::new(Shared { answer: Mutex::new(Box::new(answer)), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, shared, task }
    }

    /// Its base URL, without `/api`.
    pub fn url(&self) -> &str {
        &self.address
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn logins(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_login()).count()
    }

    /// How many requests went to paths that begin so.
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path.starts_with(path)).count()
    }

    pub fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }

    /// A client of it with a token.
    pub fn client(&self) -> InfisicalClient {
        self.builder().token("a-token").build().unwrap()
    }

    pub fn builder(&self) -> InfisicalClientBuilder {
        InfisicalClient::builder().base_url(self.url()).project_id(PROJECT).no_proxy()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let seen = Seen {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query,
        headers: headers.collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    shared.seen.lock().unwrap().push(seen.clone());
    let reply = (shared.answer.lock().unwrap())(&seen).tagged(&seen);
    let headers: Vec<_> =
        reply.headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.clone())).collect();
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    for (name, value) in headers {
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}

/// A row of a list.
pub fn row(name: &str, value: &str, folder: &str) -> Value {
    json!({
        "id": name, "workspace": PROJECT, "environment": "dev", "version": 1, "type": "shared",
        "secretKey": name, "secretValue": value, "secretComment": "", "secretPath": folder, "tags": [],
    })
}

/// An Infisical: machine identities with a client, tokens, and one folder of secrets in the environment `dev`.
#[derive(Clone)]
pub struct Model(Arc<Mutex<Inner>>);

pub struct Inner {
    /// Whether it has the newer interface.
    pub v4: bool,
    /// The client secret that is accepted.
    pub secret: String,
    pub expires_in: u64,
    pub tokens: BTreeSet<String>,
    pub granted: usize,
    /// The secrets of `/`.
    pub secrets: BTreeMap<String, String>,
    /// The next requests are answered with these.
    pub faults: Vec<Reply>,
}

impl Model {
    pub fn new(v4: bool) -> Self {
        let secrets = [("PORT", "8080"), ("HOST", "db.internal"), ("PASSWORD", "plum-4711")];
        Self(Arc::new(Mutex::new(Inner {
            v4,
            secret: "client-secret".to_owned(),
            expires_in: 7200,
            tokens: BTreeSet::from(["a-token".to_owned()]),
            granted: 0,
            secrets: secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            faults: Vec::new(),
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub async fn start(&self) -> Server {
        let model = self.clone();
        Server::start(move |seen| model.answer_now(seen)).await
    }

    pub fn answer_now(&self, seen: &Seen) -> Reply {
        self.lock().answer(seen)
    }
}

impl Inner {
    fn answer(&mut self, seen: &Seen) -> Reply {
        if !self.faults.is_empty() {
            return self.faults.remove(0);
        }
        if seen.is_login() {
            return self.log_in(seen);
        }
        let prefix = if seen.path.starts_with("/api/v4/") { "/api/v4/secrets" } else { "/api/v3/secrets/raw" };
        let Some(below) = seen.path.strip_prefix(prefix).filter(|_| self.v4 || prefix != "/api/v4/secrets") else {
            return Reply::no_route(seen);
        };
        if !seen.token().is_some_and(|token| self.tokens.contains(token)) {
            return Reply::refusal(401, "UnauthorizedError", "No identity access token found");
        }
        let rows = self.secrets.iter().filter(|_| seen.query("environment") == "dev");
        match below.strip_prefix('/') {
            None => Reply::json(
                &json!({ "secrets": rows.map(|(name, value)| row(name, value, "/")).collect::<Vec<_>>(), "imports": [] }),
            ),
            Some(name) => match rows.into_iter().find(|(known, _)| *known == name) {
                Some((name, value)) => Reply::json(&json!({ "secret": row(name, value, "/") })),
                None => Reply::refusal(404, "NotFound", format!("Secret with name '{name}' not found")),
            },
        }
    }

    fn log_in(&mut self, seen: &Seen) -> Reply {
        if seen.body["clientId"] != "client-id" || seen.body["clientSecret"] != self.secret.as_str() {
            return Reply::refusal(401, "UnauthorizedError", "Invalid credentials");
        }
        self.granted += 1;
        let token = format!("token-{}", self.granted);
        self.tokens.insert(token.clone());
        let (expires_in, longest) = (self.expires_in, self.expires_in * 10);
        Reply::json(
            &json!({ "accessToken": token, "expiresIn": expires_in, "accessTokenMaxTTL": longest, "tokenType": "Bearer" }),
        )
    }
}
