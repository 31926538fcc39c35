//! The service: its dev server with one project, and answers to order.

use std::pin::pin;

use serde_json::Value;
use xtrasecurity::EngineOptions;
use xtrasecurity::secr::dev::{CallerSeed, Fault, ProjectSeed, SecrDevServer, route};
use xtrasecurity::secr::{SecrClient, SecrClientBuilder};

/// The token that the service takes.
pub const TOKEN: &str = "secr_cli_canary_0123456789";

/// The project `web` of `acme`.
pub struct Secr(pub SecrDevServer);

impl Secr {
    /// Three secrets in `production`, and none in `staging`.
    pub async fn start() -> Self {
        let project = ProjectSeed::new("acme", "web")
            .secret("production", "DB_HOST", "db.internal")
            .secret("production", "DB_PASSWORD", "plum-4711")
            .secret("production", "PORT", "8080");
        let caller = CallerSeed::new("ann").token(TOKEN);
        Self(SecrDevServer::builder().project(project).caller(caller).start().await.unwrap())
    }

    pub fn url(&self) -> String {
        self.0.url()
    }

    pub fn builder(&self) -> SecrClientBuilder {
        SecrClient::builder().dev_server(&self.0).no_proxy()
    }

    pub fn client(&self) -> SecrClient {
        self.builder().build().unwrap()
    }

    pub fn client_with(&self, options: EngineOptions) -> SecrClient {
        self.builder().engine_options(options).build().unwrap()
    }

    /// The next request that no earlier order is for is answered so.
    pub fn answer(&self, status: u16, body: impl ToString) {
        self.0.fault(Fault::body(status, "application/json", body.to_string()));
    }

    /// Method, path and query of each request so far.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.0.all_requests().into_iter();
        requests.map(|seen| format!("{} {}", seen.route().split_once(' ').unwrap().0, seen.target())).collect()
    }

    /// The body of the last request that had one.
    pub fn body(&self) -> Value {
        let bodies = self.0.all_requests().into_iter().rev();
        let mut bodies = bodies.filter_map(|seen| serde_json::from_slice(seen.body()?).ok());
        bodies.next().unwrap()
    }

    pub fn set(&self, key: &str, value: &str) {
        self.0.set_secret("acme", "web", "production", key, value).unwrap();
    }

    /// Reads, and makes a change before each page that is given.
    pub async fn between<T>(&self, read: impl Future<Output = T>, mut change: impl FnMut(usize)) -> T {
        let mut read = pin!(read);
        let mut hold = self.0.hold(route::SECRETS_PULL);
        for page in 0.. {
            tokio::select! {
                read = &mut read => return read,
                () = hold.waiting_for(1) => {}
            }
            change(page);
            // held from now on is what comes after this one
            std::mem::replace(&mut hold, self.0.hold(route::SECRETS_PULL)).release();
        }
        unreachable!("a read ends")
    }
}
