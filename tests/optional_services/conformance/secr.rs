//! secr under the contract. A scope is an environment.
//!
//! `SECR_TEST_TOKEN`, `SECR_TEST_ORG`, `SECR_TEST_PROJECT` and `SECR_TEST_ENVIRONMENT` name a live one, and an environment of it that
//! is emptied: the service has no documented way to make one. `SECR_TEST_API_URL` names another address than the usual one.

use std::sync::atomic::{AtomicBool, Ordering};

use xtrasecurity::secr::dev::{Fault, SecrDevServer};
use xtrasecurity::secr::{DEFAULT_API_URL, Secr, SecrClient, SecrClientBuilder, SecrScope};
use xtrasecurity::{EngineOptions, ErrorKind, XtraError};

use crate::contract::{Condition, Lack, Service, Skip, holds_live, live_run, say, unique, variable};

const API_URL: &str = "SECR_TEST_API_URL";
const TOKEN: &str = "SECR_TEST_TOKEN";
const ORG: &str = "SECR_TEST_ORG";
const PROJECT: &str = "SECR_TEST_PROJECT";
const ENVIRONMENT: &str = "SECR_TEST_ENVIRONMENT";

contract! { SecrService }

#[tokio::test]
async fn a_live_service_holds_the_contract_where_one_is_named() {
    holds_live(CONTRACT).await;
}

#[tokio::test]
async fn a_live_run_holds_what_one_environment_is_enough_for_and_leaves_it_empty() {
    let elsewhere = SecrDevServer::start().await.unwrap();
    let variables = vec![
        (API_URL, elsewhere.url()),
        (TOKEN, elsewhere.token().to_owned()),
        (ORG, "acme".to_owned()),
        (PROJECT, "web".to_owned()),
        (ENVIRONMENT, "staging".to_owned()),
    ];
    let (output, said) = live_run::<SecrService>(module_path!(), variables).await;
    assert!(output.status.success() && !said.contains("left behind"), "{said}");
    // three break the service, one needs a second environment, and one what it lacks
    let held = CONTRACT.len() - 5;
    assert!(said.contains(&format!("live: {held} held, 0 skipped, 5 left out, 0 failed")), "{said}");
    assert!(elsewhere.keys("acme", "web", "staging").is_empty());
}

struct SecrService {
    writer: SecrClient,
    url: String,
    token: String,
    org: String,
    project: String,
    /// Whether a part has the environment of the live service.
    is_taken: AtomicBool,
    /// None: it runs elsewhere.
    server: Option<SecrDevServer>,
}

impl Service for SecrService {
    type Source = Secr;

    const NAME: &'static str = "secr";
    const VARIABLES: &'static [&'static str] = &[TOKEN, ORG, PROJECT, ENVIRONMENT];
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[API_URL];
    const CREDENTIALS: &'static [&'static str] = &["SECR_TOKEN", "SECR_AGENT_TOKEN"];
    const LEFT_OUT: &'static [(&'static str, Lack)] = &[("what_exists_is_not_created_again", Lack::Creation)];

    async fn in_memory() -> Self {
        let server = SecrDevServer::start().await.unwrap();
        let (url, token) = (server.url(), server.token().to_owned());
        Self::new(url, token, "acme".to_owned(), "web".to_owned(), Some(server)).unwrap()
    }

    async fn live() -> Result<Self, XtraError> {
        let named = |name| variable(name).unwrap_or_default();
        let url = variable(API_URL).unwrap_or_else(|| DEFAULT_API_URL.to_owned());
        Self::new(url, named(TOKEN), named(ORG), named(PROJECT), None)
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        match &self.server {
            Some(server) => {
                let name = format!("test-{}", unique());
                server.add_environment(&self.org, &self.project, &name).unwrap();
                Ok(name)
            }
            None if self.is_taken.swap(true, Ordering::Relaxed) => Err(Skip::IsLive),
            None => Ok(variable(ENVIRONMENT).unwrap_or_default()),
        }
    }

    fn scope<'a>(&'a self, name: &'a str) -> SecrScope<'a> {
        SecrScope::new(self.org.as_str(), self.project.as_str(), name)
    }

    fn client(&self, options: EngineOptions) -> SecrClient {
        let builder = self.builder(&self.token).engine_options(options);
        builder.max_retries(if self.server.is_some() { 0 } else { 3 }).build().unwrap()
    }

    fn writer(&self) -> &SecrClient {
        &self.writer
    }

    fn stranger(&self) -> Result<SecrClient, Skip> {
        Ok(self.builder("secr_tok_nobody-knows-this").build().unwrap())
    }

    fn credentials(&self) -> Vec<String> {
        vec![self.token.clone(), "secr_tok_nobody-knows-this".to_owned()]
    }

    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        outcome.map_err(|error| {
            assert!(self.server.is_none() && error.kind() == ErrorKind::Forbidden, "{error}");
            Skip::Refused(error.to_string())
        })
    }

    async fn set(&self, environment: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        let secrets = secrets.iter().map(|(key, value)| (*key, *value));
        let (org, project) = (self.org.as_str(), self.project.as_str());
        self.may(self.writer.bulk_set_secrets(org, project, environment, secrets).await.map(drop))
    }

    async fn create(&self, _: &str, _: &str, _: &str) -> Result<Result<(), XtraError>, Skip> {
        Err(Lack::Creation.into())
    }

    async fn delete(&self, environment: &str, key: &str) -> Result<(), Skip> {
        let (org, project) = (self.org.as_str(), self.project.as_str());
        self.may(self.writer.delete_secret(org, project, environment, key).await.map(drop))
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        let server = self.server.as_ref().ok_or(Skip::IsLive)?;
        server.clear_faults();
        let refusal = r#"{"error":"forbidden"}"#;
        match condition {
            Condition::Well => {}
            Condition::Away => server.fault(Fault::status(503).forever()),
            Condition::Refusing => server.fault(Fault::body(403, "application/json", refusal).forever()),
        }
        Ok(())
    }

    fn requests(&self, client: &SecrClient) -> u64 {
        self.server.as_ref().map_or_else(|| client.stats().requests, SecrDevServer::total_requests)
    }

    async fn clean_up(&self) {
        let _ = self.condition(Condition::Well);
        let environment = variable(ENVIRONMENT).filter(|_| self.is_taken.swap(false, Ordering::Relaxed));
        if let Some(environment) = environment
            && let Err(skip) = self.put(&environment, &[]).await
        {
            say(&format!("secrets of {environment} may be left behind: {skip:?}"));
        }
    }
}

impl SecrService {
    fn new(
        url: String,
        token: String,
        org: String,
        project: String,
        server: Option<SecrDevServer>,
    ) -> Result<Self, XtraError> {
        let builder = SecrClient::builder().api_url(url.as_str()).token(token.as_str());
        let writer = if server.is_some() { builder.no_proxy() } else { builder }.build()?;
        Ok(Self { writer, url, token, org, project, is_taken: AtomicBool::new(false), server })
    }

    fn builder(&self, token: &str) -> SecrClientBuilder {
        let builder = SecrClient::builder().api_url(self.url.as_str()).token(token);
        if self.server.is_some() { builder.no_proxy() } else { builder }
    }
}
