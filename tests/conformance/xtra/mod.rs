//! A service that is held to the contract, and what a part of the contract makes there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use xtrasecurity::dev_server::{DevServer, RateLimits};
use xtrasecurity::manage::{Caller, ServiceAccount};
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

/// Why a part of the contract was not held to its end.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

pub(crate) struct Service {
    pub(crate) client: XtraClient,
    pub(crate) api_url: String,
    pub(crate) project: String,
    is_live: bool,
    is_of_an_account: bool,
    made: Mutex<Made>,
    _server: Option<DevServer>,
}

#[derive(Default, Clone)]
struct Made {
    environments: Vec<String>,
    branches: Vec<String>,
    accounts: Vec<String>,
}

impl Service {
    async fn in_memory() -> Self {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        let client = XtraClient::builder().dev_server(&server).no_proxy().build().unwrap();
        Self {
            client,
            api_url: server.url(),
            project: server.project_id().to_owned(),
            is_live: false,
            is_of_an_account: false,
            made: Mutex::default(),
            _server: Some(server),
        }
    }

    /// A service elsewhere. The client keeps to the limits that it has by default.
    pub(crate) async fn live(api_url: &str, token: &str, project: Option<String>) -> Result<Self, XtraError> {
        let builder = || XtraClient::builder().api_url(api_url).token(token);
        let anywhere = builder().project_id("000000000000000000000000").build()?;
        let caller = anywhere.whoami().await?;
        let project = match (project, &caller) {
            (Some(project), _) => project,
            (None, Caller::ServiceAccount { project: Some(project), .. }) => project.clone(),
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
            api_url: api_url.to_owned(),
            project,
            is_live: true,
            is_of_an_account: caller.is_service_account(),
            made: Mutex::default(),
            _server: None,
        })
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        !self.is_live
    }

    /// What the contract needs and not every token may do. In memory everybody may.
    pub(crate) fn may<T>(&self, outcome: Result<T, XtraError>) -> Result<T, Skip> {
        outcome.map_err(|error| {
            let is_refused = error.kind() == ErrorKind::Forbidden;
            // the service fails where it has not thought of service accounts
            let fails = self.is_of_an_account && error.kind() == ErrorKind::Server;
            assert!(self.is_live && (is_refused || fails), "{error}");
            Skip(error.to_string())
        })
    }

    /// An environment that nobody else has.
    pub(crate) fn environment(&self) -> String {
        let name = format!("conformance-{}", unique());
        self.made.lock().unwrap().environments.push(name.clone());
        name
    }

    /// A branch that nobody else has.
    pub(crate) async fn branch(&self) -> Result<String, Skip> {
        let name = format!("conformance/{}", unique());
        self.keep_branch(&name);
        self.may(self.client.create_branch(name.as_str()).await).map(|branch| branch.name)
    }

    /// Takes a branch away at the end.
    pub(crate) fn keep_branch(&self, name: &str) {
        self.made.lock().unwrap().branches.push(name.to_owned());
    }

    pub(crate) async fn account(&self, permissions: &[&str]) -> Result<ServiceAccount, Skip> {
        let request = self.client.create_service_account(format!("conformance-{}", unique()));
        let account = self.may(request.permissions(permissions.iter().copied()).await)?;
        self.made.lock().unwrap().accounts.push(account.id.clone());
        Ok(account)
    }

    /// Takes away what was made. What stays is said: the run is not to fail because of it.
    pub(crate) async fn clean_up(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for account in &made.accounts {
            left("service account", account, self.client.delete_service_account(account.as_str()).await);
        }
        for branch in &made.branches {
            left("branch", branch, self.client.delete_branch(branch.as_str()).await);
        }
        for environment in &made.environments {
            left("environment", environment, self.empty(environment).await);
        }
    }

    async fn empty(&self, environment: &str) -> Result<(), XtraError> {
        for key in self.client.list_keys(environment).await? {
            self.client.delete_secret(environment, key.name).if_exists().exact().await?;
        }
        Ok(())
    }
}

fn left(what: &str, name: &str, outcome: Result<(), XtraError>) {
    if let Err(error) = outcome
        && error.kind() != ErrorKind::NotFound
    {
        crate::live::say(&format!("{what} {name} may be left behind: {error}"));
    }
}

/// In small letters, as the service's own tools spell environments.
pub(crate) fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("{now:x}-{:x}-{:x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Holds the service in memory to one part of the contract, of which it leaves out nothing.
pub(crate) async fn holds_in_memory(name: &str) {
    let service = Arc::new(Service::in_memory().await);
    let contract = crate::CONTRACT.iter().find(|contract| contract.name == name).unwrap();
    let before = service.client.list_branches().await.unwrap();
    match contract.hold(&service).await {
        Ok(outcome) => outcome.unwrap(),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    assert_eq!(service.client.list_branches().await.unwrap(), before, "nothing is left behind");
}
