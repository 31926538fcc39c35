//! XtraSecurity under the contract, and the promises that are its own.
//!
//! `XTRA_TEST_API_URL` and `XTRA_TEST_TOKEN` name a live one, with `XTRA_TEST_PROJECT_ID`, unless the token knows or has one
//! project only.

mod live;
mod management;
mod reads;
mod rows;
mod writes;

use std::sync::Mutex;

use xtrasecurity::dev_server::{DevServer, Fault, RateLimits};
use xtrasecurity::xtra::manage::{Caller, ServiceAccount};
use xtrasecurity::xtra::{Xtra, XtraScope};
use xtrasecurity::{EngineOptions, ErrorKind, XtraClient, XtraClientBuilder, XtraError};

use crate::contract::{Condition, Service, Skip, say, unique, variable};

const API_URL: &str = "XTRA_TEST_API_URL";
const TOKEN: &str = "XTRA_TEST_TOKEN";
const PROJECT_ID: &str = "XTRA_TEST_PROJECT_ID";

contract! { XtraService:
    reads::reads_do_not_tell_cases_of_an_environment_apart,
    reads::an_unknown_branch_or_environment_is_empty,
    writes::a_secret_is_created_and_then_updated,
    writes::a_condition_that_does_not_hold_keeps_everything_from_being_written,
    writes::many_secrets_are_written_at_once_under_short_and_odd_names,
    writes::a_write_to_an_unknown_branch_is_not_found,
    writes::what_is_missing_is_promoted,
    rows::a_secret_is_deleted_on_its_branch_only,
    rows::the_history_of_a_branch_is_its_own_and_leads_back,
    rows::a_rotation_changes_one_branch_only,
    rows::a_link_shows_its_source,
    rows::an_environment_is_cloned,
    management::a_branch_is_made_renamed_and_deleted_with_its_secrets,
    management::a_service_account_has_a_key_that_works_until_it_is_deleted,
    management::the_token_is_the_same_caller_s_every_time,
}

pub(crate) struct XtraService {
    client: XtraClient,
    api_url: String,
    token: String,
    project: String,
    is_of_an_account: bool,
    made: Mutex<Made>,
    /// The environment of the parts that only read, of a live service.
    shared: tokio::sync::Mutex<Option<String>>,
    /// None: it runs elsewhere.
    server: Option<DevServer>,
}

#[derive(Default, Clone)]
struct Made {
    environments: Vec<String>,
    branches: Vec<String>,
    accounts: Vec<String>,
}

impl Service for XtraService {
    type Source = Xtra;

    const NAME: &'static str = "XtraSecurity";
    const VARIABLES: &'static [&'static str] = &[API_URL, TOKEN];
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[PROJECT_ID];
    const CREDENTIALS: &'static [&'static str] = &["XTRA_TOKEN", "XTRA_MACHINE_TOKEN"];

    async fn in_memory() -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        let client = XtraClient::builder().dev_server(&server).no_proxy().build().unwrap();
        Self {
            client,
            api_url: server.url(),
            token: server.token().to_owned(),
            project: server.project_id().to_owned(),
            is_of_an_account: false,
            made: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
            server: Some(server),
        }
    }

    /// The client keeps to the limits that it has by default.
    async fn live() -> Result<Self, XtraError> {
        let (api_url, token, project) = (variable(API_URL), variable(TOKEN), variable(PROJECT_ID));
        let (api_url, token) = (api_url.unwrap_or_default(), token.unwrap_or_default());
        let builder = || XtraClient::builder().api_url(api_url.as_str()).token(token.as_str());
        let anywhere = builder().project_id("000000000000000000000000").build()?;
        let caller = anywhere.whoami().await?;
        let project = match (project, &caller) {
            (Some(project), _) => project,
            (None, Caller::ServiceAccount { project_id: Some(project), .. }) => project.clone(),
            (None, _) => match anywhere.list_projects().await?.as_slice() {
                [only] => only.id.clone(),
                several => {
                    let message = format!("the token has {} projects: name one by XTRA_TEST_PROJECT_ID", several.len());
                    return Err(XtraError::new(ErrorKind::Config, message));
                }
            },
        };
        Ok(Self {
            client: builder().project_id(project.as_str()).build()?,
            api_url: api_url.clone(),
            token: token.clone(),
            project,
            is_of_an_account: caller.is_service_account(),
            made: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
            server: None,
        })
    }

    async fn new_scope(&self) -> Result<String, Skip> {
        Ok(self.environment())
    }

    async fn read_only_scope(&self, secrets: &[(&str, &str)]) -> Result<String, Skip> {
        let mut shared = self.shared.lock().await;
        if let Some(name) = shared.as_ref() {
            return Ok(name.clone());
        }
        let name = self.environment();
        self.put(&name, secrets).await?;
        *shared = Some(name.clone()).filter(|_| self.is_live());
        Ok(name)
    }

    fn scope<'a>(&'a self, name: &'a str) -> XtraScope<'a> {
        XtraScope::new(name)
    }

    fn client(&self, options: EngineOptions) -> XtraClient {
        let EngineOptions { cache, clock, required, offline, .. } = options;
        let builder = self.builder(&self.token).cache_options(cache).clock(clock).required(required);
        let builder = offline.into_iter().fold(builder, XtraClientBuilder::offline);
        // what a live one refuses for a while is asked for again
        let retries = if self.is_live() { 3 } else { 0 };
        builder.max_retries(retries).build().unwrap()
    }

    fn writer(&self) -> &XtraClient {
        &self.client
    }

    fn stranger(&self) -> Result<XtraClient, Skip> {
        Ok(self.builder("nobody-knows-this-token").build().unwrap())
    }

    fn credentials(&self) -> Vec<String> {
        vec![self.token.clone(), "nobody-knows-this-token".to_owned()]
    }

    fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        outcome.map_err(|error| {
            let is_refused = error.kind() == ErrorKind::Forbidden;
            // the service fails where it has not thought of service accounts
            let fails = self.is_of_an_account && error.kind() == ErrorKind::Server;
            assert!(self.is_live() && (is_refused || fails), "{error}");
            Skip::Refused(error.to_string())
        })
    }

    async fn set(&self, environment: &str, secrets: &[(&str, &str)]) -> Result<(), Skip> {
        let secrets: Vec<(&str, &str)> = secrets.to_vec();
        self.may(self.client.set_secrets(environment, secrets).verify().await.map(drop))
    }

    async fn create(&self, environment: &str, key: &str, value: &str) -> Result<Result<(), XtraError>, Skip> {
        Ok(self.client.create_secret(environment, key, value).await.map(drop))
    }

    async fn delete(&self, environment: &str, key: &str) -> Result<(), Skip> {
        self.may(self.client.delete_secret(environment, key).await.map(drop))
    }

    fn condition(&self, condition: Condition) -> Result<(), Skip> {
        let server = self.server.as_ref().ok_or(Skip::IsLive)?;
        server.clear_faults();
        match condition {
            Condition::Well => {}
            Condition::Away => server.fault(Fault::status(503).forever()),
            Condition::Refusing => server.fault(Fault::status(403).forever()),
        }
        Ok(())
    }

    fn requests(&self, client: &XtraClient) -> u64 {
        self.server.as_ref().map_or_else(|| client.stats().requests, DevServer::total_requests)
    }

    async fn clean_up(&self) {
        let _ = self.condition(Condition::Well);
        let mut made = self.made.lock().unwrap().clone();
        *self.made.lock().unwrap() = Made { environments: std::mem::take(&mut made.environments), ..Made::default() };
        for account in &made.accounts {
            left("service account", account, self.client.delete_service_account(account.as_str()).await);
        }
        for branch in &made.branches {
            left("branch", branch, self.client.delete_branch(branch.as_str()).await);
        }
        // of a live one they are emptied together, which costs it half the requests
        if !self.is_live() {
            self.close().await;
        }
    }

    async fn close(&self) {
        self.shared.lock().await.take();
        let environments = std::mem::take(&mut self.made.lock().unwrap().environments);
        if self.empty_at_once(&environments).await.is_none() {
            for environment in &environments {
                left("environment", environment, self.empty(environment).await);
            }
        }
    }

    async fn inventory(&self) -> String {
        format!("{:?}", self.client.list_branches().await.unwrap())
    }
}

impl XtraService {
    fn is_live(&self) -> bool {
        self.server.is_none()
    }

    fn builder(&self, token: &str) -> XtraClientBuilder {
        let builder = XtraClient::builder().api_url(self.api_url.as_str()).token(token);
        let builder = builder.project_id(self.project.as_str());
        if self.is_live() { builder } else { builder.no_proxy() }
    }

    /// An environment that nobody else has, emptied at the end.
    fn environment(&self) -> String {
        let name = format!("test-{}", unique());
        self.made.lock().unwrap().environments.push(name.clone());
        name
    }

    /// A branch that nobody else has.
    async fn branch(&self) -> Result<String, Skip> {
        let name = format!("conformance/{}", unique());
        self.keep_branch(&name);
        self.may(self.client.create_branch(name.as_str()).await).map(|branch| branch.name)
    }

    /// Takes a branch away at the end.
    fn keep_branch(&self, name: &str) {
        self.made.lock().unwrap().branches.push(name.to_owned());
    }

    async fn account(&self, permissions: &[&str]) -> Result<ServiceAccount, Skip> {
        let request = self.client.create_service_account(format!("conformance-{}", unique()));
        let account = self.may(request.permissions(permissions.iter().copied()).await)?;
        self.made.lock().unwrap().accounts.push(account.id.clone());
        Ok(account)
    }

    /// Deletes all rows of these environments, and looks for more. None when it cannot: the list of rows is for users.
    async fn empty_at_once(&self, environments: &[String]) -> Option<()> {
        for _ in 0..3 {
            let rows = self.client.raw().secret_records_list().project_id(&self.project).send().await.ok()?;
            let is_made =
                |environment: &Option<String>| environment.as_ref().is_some_and(|it| environments.contains(it));
            let ids: Vec<_> = rows
                .into_inner()
                .0
                .into_iter()
                .filter(|row| is_made(&row.environment_type))
                .map(|row| row.id)
                .collect();
            if ids.is_empty() {
                return Some(());
            }
            for id in ids {
                self.client.raw().secret_records_delete().id(id).send().await.ok()?;
            }
        }
        None
    }

    async fn empty(&self, environment: &str) -> Result<(), XtraError> {
        for key in self.client.list_secret_names(environment).await? {
            self.client.delete_secret(environment, key.name).if_exists().exact().await?;
        }
        Ok(())
    }
}

fn left(what: &str, name: &str, outcome: Result<(), XtraError>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::NotFound
    {
        say(&format!("{what} {name} may be left behind: {error}"));
    }
}
