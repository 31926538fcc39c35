//! Deletion, history, rollback, rotation, links and clones, against the service in memory: the right row of the right branch,
//! and no other, whatever else the service keeps under the same name.

mod blocking;
mod clone;
mod delete;
mod history;
mod link;
mod repair;
mod rollback;
mod rotate;

use xtrasecurity::dev_server::{DevServer, Fault, LinkSeed, RateLimits, SecretSeed, Seed, ServiceAccountSeed};
use xtrasecurity::{XtraClient, XtraClientBuilder, XtraError};

const BRANCH: &str = "feature/new-ui";

/// The demo project, with a service account `writer` that may write, and not read by key.
struct World {
    server: DevServer,
    client: XtraClient,
}

impl World {
    async fn new() -> Self {
        let mut seed = Seed::demo();
        let account = ServiceAccountSeed::new("writer", ["write:secrets"]);
        seed.projects[0] = seed.projects[0].clone().service_account(account);
        let server = DevServer::builder().seed(seed).rate_limits(RateLimits::off()).start().await.unwrap();
        let client = builder(&server).build().unwrap();
        Self { server, client }
    }

    /// A client with the token of a user or service account.
    fn of(&self, name: &str) -> XtraClient {
        builder(&self.server).token(self.server.token_for(name).unwrap()).build().unwrap()
    }

    fn add(&self, secret: SecretSeed) {
        self.server.add_secret("demo", secret).unwrap();
    }

    /// A link in `staging` to the `API_KEY` of production.
    fn add_link(&self, key: &str) {
        self.add(SecretSeed::link("staging", key, LinkSeed::new("demo", "production", "API_KEY")));
    }

    /// What a read of a branch shows.
    async fn read(&self, environment: &str, branch: &str, key: &str) -> Option<String> {
        let secrets = self.client.get_secrets(environment).branch(branch).no_cache().await.unwrap();
        secrets.get(key).map(|value| value.expose().to_owned())
    }

    async fn on_main(&self, environment: &str, key: &str) -> Option<String> {
        self.read(environment, "main", key).await
    }

    /// The next request to this route is carried out, and the one after it is hit.
    fn fault_second(&self, route: &str, fault: Fault) {
        self.server.fault(Fault::headers([]).on(route));
        self.server.fault(fault.on(route));
    }
}

fn builder(server: &DevServer) -> XtraClientBuilder {
    XtraClient::builder().dev_server(server).max_retries(0)
}

#[track_caller]
fn says(error: &XtraError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}
