//! Infisical under the contract: the service of today and of 2024. A scope is a folder.
//!
//! `INFISICAL_TEST_URL`, `INFISICAL_TEST_TOKEN` and `INFISICAL_TEST_PROJECT_ID` name a live one, `INFISICAL_TEST_ENVIRONMENT` an
//! environment of it other than `dev`.

use std::marker::PhantomData;
use std::sync::Mutex;

use xtrasecurity::infisical::dev::{Fault, Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role};
use xtrasecurity::infisical::raw::types::{FolderV1Create, FolderV1Delete};
use xtrasecurity::infisical::{Infisical, InfisicalClient, InfisicalClientBuilder, InfisicalScope};
use xtrasecurity::{EngineOptions, ErrorKind, XtraError};

use crate::contract::{Condition, Lack, Service, Skip, holds_live, live_run, say, unique, variable};

const URL: &str = "INFISICAL_TEST_URL";
const TOKEN: &str = "INFISICAL_TEST_TOKEN";
const PROJECT_ID: &str = "INFISICAL_TEST_PROJECT_ID";
const ENVIRONMENT: &str = "INFISICAL_TEST_ENVIRONMENT";

mod today {
    type Infisical = super::InfisicalService<super::Today>;

    contract! { Infisical }

    #[tokio::test]
    async fn a_live_service_holds_the_contract_where_one_is_named() {
        super::holds_live(CONTRACT).await;
    }

    #[tokio::test]
    async fn a_live_run_holds_everything_but_what_breaks_the_service_and_leaves_nothing_behind() {
        let elsewhere = <Infisical as super::Service>::in_memory().await;
        let before = super::Service::inventory(&elsewhere).await;
        let variables = vec![
            (super::URL, elsewhere.url.clone()),
            (super::TOKEN, elsewhere.token.clone()),
            (super::PROJECT_ID, elsewhere.project.clone()),
        ];
        let (output, said) = super::live_run::<Infisical>(module_path!(), variables).await;
        assert!(output.status.success() && !said.contains("left behind"), "{said}");
        // three break it, and one needs what it lacks
        let held = CONTRACT.len() - 4;
        assert!(said.contains(&format!("live: {held} held, 0 skipped, 4 left out, 0 failed")), "{said}");
        assert_eq!(super::Service::inventory(&elsewhere).await, before);
    }
}

mod october_2024 {
    type Infisical = super::InfisicalService<super::October2024>;

    contract! { Infisical }
}

mod august_2024 {
    type Infisical = super::InfisicalService<super::August2024>;

    contract! { Infisical }
}

/// The age of a server.
trait Age: Send + Sync + 'static {
    const GENERATION: Generation;
}

struct Today;
struct October2024;
struct August2024;

impl Age for Today {
    const GENERATION: Generation = Generation::Current;
}

impl Age for October2024 {
    const GENERATION: Generation = Generation::October2024;
}

impl Age for August2024 {
    const GENERATION: Generation = Generation::August2024;
}

struct InfisicalService<A> {
    writer: InfisicalClient,
    url: String,
    token: String,
    project: String,
    environment: String,
    folders: Mutex<Vec<String>>,
    /// None: it runs elsewhere.
    server: Option<InfisicalDevServer>,
    age: PhantomData<A>,
}

impl<A: Age> Service for InfisicalService<A> {
    type Source = Infisical;

    const NAME: &'static str = "Infisical";
    const VARIABLES: &'static [&'static str] = &[URL, TOKEN, PROJECT_ID];
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[ENVIRONMENT];
    const CREDENTIALS: &'static [&'static str] = &["INFISICAL_TOKEN", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"];
    const LEFT_OUT: &'static [(&'static str, Lack)] =
        &[("white_space_around_values_comes_back", Lack::OuterWhiteSpace)];

    async fn in_memory() -> Self {
        let project = ProjectSeed::new("web").member("ci", Role::Admin);
        let server = InfisicalDevServer::builder().generation(A::GENERATION).identity(IdentitySeed::new("ci"));
        let server = server.project(project).start().await.unwrap();
        let (token, project) = (server.token().to_owned(), server.project_id().to_owned());
        Self::new(server.url(), token, project, "dev".to_owned(), Some(server)).unwrap()
    }

    async fn live() -> Result<Self, XtraError> {
        let named = |name| variable(name).unwrap_or_default();
        let environment = variable(ENVIRONMENT).unwrap_or_else(|| "dev".to_owned());
        Self::new(named(URL), named(TOKEN), named(PROJECT_ID), environment, None)
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        let name = format!("test-{}", unique());
        let folder = FolderV1Create {
            workspace_id: self.project.clone(),
            environment: self.environment.clone(),
            name: name.clone(),
            path: Some("/".to_owned()),
            directory: None,
        };
        self.may(self.writer.raw().folders_v1_create().body(folder).send().await.map_err(Into::into))?;
        self.folders.lock().unwrap().push(name.clone());
        Ok(format!("/{name}"))
    }

    fn scope<'a>(&'a self, name: &'a str) -> InfisicalScope<'a> {
        InfisicalScope::new(self.environment.as_str()).path(name)
    }

    fn client(&self, options: EngineOptions) -> InfisicalClient {
        let EngineOptions { cache, clock, required, offline, .. } = options;
        let builder = self.builder(&self.token).cache_options(cache).clock(clock).required(required);
        let builder = offline.into_iter().fold(builder, InfisicalClientBuilder::offline);
        builder.max_retries(if self.server.is_some() { 0 } else { 3 }).build().unwrap()
    }

    fn writer(&self) -> &InfisicalClient {
        &self.writer
    }

    fn stranger(&self) -> Result<InfisicalClient, Skip> {
        Ok(self.builder("nobody-knows-this-token").build().unwrap())
    }

    fn credentials(&self) -> Vec<String> {
        vec![self.token.clone(), "nobody-knows-this-token".to_owned()]
    }

    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        outcome.map_err(|error| {
            assert!(self.server.is_none() && error.kind() == ErrorKind::Forbidden, "{error}");
            Skip::Refused(error.to_string())
        })
    }

    async fn set(&self, folder: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        for (key, value) in secrets {
            let written = self.writer.set_secret(self.environment.as_str(), *key, *value).path(folder).await;
            match written {
                // it says so before it sends anything
                Err(error) if error.kind() == ErrorKind::Invalid && value.trim() != *value => {
                    return Err(Lack::OuterWhiteSpace.into());
                }
                written => assert!(self.may(written)?.is_applied()),
            }
        }
        Ok(())
    }

    async fn create(&self, folder: &str, key: &str, value: &str) -> Result<Result<(), XtraError>, Skip> {
        Ok(self.writer.create_secret(self.environment.as_str(), key, value).path(folder).await.map(drop))
    }

    async fn delete(&self, folder: &str, key: &str) -> Result<(), Skip> {
        self.may(self.writer.delete_secret(self.environment.as_str(), key).path(folder).await.map(drop))
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        let server = self.server.as_ref().ok_or(Skip::IsLive)?;
        server.clear_faults();
        let refusal = r#"{"statusCode":403,"message":"You are not allowed to read","error":"PermissionDenied"}"#;
        match condition {
            Condition::Well => {}
            Condition::Away => server.fault(Fault::status(503).forever()),
            Condition::Refusing => server.fault(Fault::body(403, "application/json", refusal).forever()),
        }
        Ok(())
    }

    fn requests(&self, client: &InfisicalClient) -> u64 {
        self.server.as_ref().map_or_else(|| client.stats().requests, InfisicalDevServer::total_requests)
    }

    async fn clean_up(&self) {
        let _ = self.condition(Condition::Well);
        let folders = std::mem::take(&mut *self.folders.lock().unwrap());
        for folder in folders {
            let place = FolderV1Delete {
                workspace_id: self.project.clone(),
                environment: self.environment.clone(),
                path: Some("/".to_owned()),
                directory: None,
            };
            let request = self.writer.raw().folders_v1_delete().folder_id(folder.as_str()).body(place);
            if let Err(error) = request.send().await {
                say(&format!("the folder {folder} may be left behind: {}", XtraError::from(error)));
            }
        }
    }

    async fn inventory(&self) -> String {
        let request = self.writer.raw().folders_v1_list().workspace_id(self.project.as_str());
        let folders = request.environment(self.environment.as_str()).path("/").send().await.unwrap();
        folders.folders.len().to_string()
    }
}

impl<A> InfisicalService<A> {
    fn new(
        url: String,
        token: String,
        project: String,
        environment: String,
        server: Option<InfisicalDevServer>,
    ) -> Result<Self, XtraError> {
        let builder = InfisicalClient::builder().base_url(url.as_str()).project_id(project.as_str()).no_proxy();
        let writer = builder.token(token.as_str()).build()?;
        Ok(Self { writer, url, token, project, environment, folders: Mutex::default(), server, age: PhantomData })
    }

    fn builder(&self, token: &str) -> InfisicalClientBuilder {
        let builder = InfisicalClient::builder().base_url(self.url.as_str()).project_id(self.project.as_str());
        let builder = builder.token(token);
        if self.server.is_some() { builder.no_proxy() } else { builder }
    }
}
