//! The four services in memory, seen alike.

use std::collections::BTreeMap;

use xtrasecurity::copy::SecretTarget;
use xtrasecurity::dev_server::{self, DevServer};
use xtrasecurity::infisical::dev::{
    self as infisical_dev, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed,
};
use xtrasecurity::infisical::{Infisical, InfisicalClient, InfisicalScope};
use xtrasecurity::secr::{Secr, SecrClient, SecrScope};
use xtrasecurity::syvault::{SyVault, SyVaultClient, SyVaultScope};
use xtrasecurity::xtra::{Xtra, XtraScope};
use xtrasecurity::{Client, Secrets, XtraClient};

use crate::{secr, syvault};

/// The places of each service that tests use; each begins empty.
pub const PLACES: [&str; 4] = ["one", "two", "three", "four"];

/// A service with some places.
pub trait Service: Sync {
    type Source: SecretTarget;

    fn client(&self) -> &Client<Self::Source>;

    /// The scope of a place.
    fn at<'s>(&self, place: &str) -> <Self::Source as xtrasecurity::SecretSource>::Scope<'s>;

    /// How many requests to write there were.
    fn writes(&self) -> usize;

    /// The next write is answered with this status, and not carried out. To be called right before it.
    fn refuse(&self, status: u16);
}

/// What a place holds, in clear.
pub async fn values<S: Service>(service: &S, place: &str) -> BTreeMap<String, String> {
    let secrets = service.client().read(service.at(place)).no_cache().await.unwrap();
    secrets.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

/// Puts secrets into a place.
pub async fn fill<S: Service>(service: &S, place: &str, pairs: &[(&str, &str)]) {
    let secrets = Secrets::from_iter(pairs.iter().copied());
    let plan = service.client().copy_secrets(service.at(place), &secrets).await.unwrap();
    assert_eq!(plan.apply().await.unwrap().created.len(), pairs.len());
}

pub struct XtraService {
    pub server: DevServer,
    pub client: XtraClient,
}

pub struct InfisicalService {
    pub server: InfisicalDevServer,
    pub client: InfisicalClient,
}

pub struct SecrService {
    pub server: secr::Secr,
    pub client: SecrClient,
}

pub struct SyVaultService {
    pub server: syvault::SyVault,
    pub client: SyVaultClient,
}

impl XtraService {
    pub async fn start() -> Self {
        let server = DevServer::start().await.unwrap();
        let client = XtraClient::builder().dev_server(&server).build().unwrap();
        Self { server, client }
    }
}

impl InfisicalService {
    pub async fn start() -> Self {
        let project = ProjectSeed::new("web").member("ci", Role::Admin);
        let project = PLACES.iter().fold(project, |project, place| project.folder("dev", &format!("/{place}")));
        let project = project.secret(SecretSeed::new("dev", "HOST", "db.internal").path("/"));
        let server =
            InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project).start().await.unwrap();
        let client = InfisicalClient::builder().base_url(server.url()).token(server.token());
        let client = client.project_id(server.project_id()).build().unwrap();
        Self { server, client }
    }
}

impl SecrService {
    pub async fn start() -> Self {
        let server = secr::Secr::start().await;
        for place in PLACES {
            server.state().environments.insert(place.to_owned(), BTreeMap::new());
        }
        let client = server.client();
        Self { server, client }
    }
}

impl SyVaultService {
    pub async fn start() -> Self {
        let server = syvault::SyVault::start().await;
        let client = server.client();
        Self { server, client }
    }
}

impl Service for XtraService {
    type Source = Xtra;

    fn client(&self) -> &XtraClient {
        &self.client
    }

    fn at<'s>(&self, place: &str) -> XtraScope<'s> {
        XtraScope::new(place.to_owned())
    }

    fn writes(&self) -> usize {
        self.server.request_count(dev_server::route::SECRETS_UPSERT) as usize
    }

    fn refuse(&self, status: u16) {
        let fault = dev_server::Fault::status(status);
        self.server.fault(fault.on(dev_server::route::SECRETS_UPSERT));
    }
}

impl Service for InfisicalService {
    type Source = Infisical;

    fn client(&self) -> &InfisicalClient {
        &self.client
    }

    fn at<'s>(&self, place: &str) -> InfisicalScope<'s> {
        InfisicalScope::new("dev").path(format!("/{place}"))
    }

    fn writes(&self) -> usize {
        use infisical_dev::route;
        let routes = [route::SECRETS_CREATE_BATCH, route::SECRETS_UPDATE_BATCH];
        routes.into_iter().map(|route| self.server.request_count(route) as usize).sum()
    }

    fn refuse(&self, status: u16) {
        let fault = infisical_dev::Fault::status(status);
        self.server.fault(fault.on(infisical_dev::route::SECRETS_CREATE_BATCH));
    }
}

impl Service for SecrService {
    type Source = Secr;

    fn client(&self) -> &SecrClient {
        &self.client
    }

    fn at<'s>(&self, place: &str) -> SecrScope<'s> {
        SecrScope::new("acme", "web", place.to_owned())
    }

    fn writes(&self) -> usize {
        self.server.requests().iter().filter(|request| request.starts_with("POST")).count()
    }

    fn refuse(&self, status: u16) {
        self.server.answer(status, r#"{"error":"forbidden"}"#);
    }
}

impl Service for SyVaultService {
    type Source = SyVault;

    fn client(&self) -> &SyVaultClient {
        &self.client
    }

    fn at<'s>(&self, place: &str) -> SyVaultScope<'s> {
        SyVaultScope::titled(syvault::FOLDER, place.to_owned())
    }

    fn writes(&self) -> usize {
        self.server.requests().iter().filter(|request| request.starts_with("POST")).count()
    }

    fn refuse(&self, status: u16) {
        self.server.answer(status, r#"{"error":"no"}"#);
    }
}
