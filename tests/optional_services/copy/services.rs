//! The four services in memory, seen alike.

use std::collections::BTreeMap;

use xtrasecurity::copy::SecretTarget;
use xtrasecurity::dev_server::{self, DevServer};
use xtrasecurity::infisical::dev::{self as infisical_dev, IdentitySeed, InfisicalDevServer, Role};
use xtrasecurity::infisical::{Infisical, InfisicalClient, InfisicalScope};
use xtrasecurity::secr::dev::{self as secr_dev, SecrDevServer};
use xtrasecurity::secr::{Secr, SecrClient, SecrScope};
use xtrasecurity::syvault::dev::{self as syvault_dev, SyVaultDevServer};
use xtrasecurity::syvault::{SyVault, SyVaultClient, SyVaultScope};
use xtrasecurity::xtra::{Xtra, XtraScope};
use xtrasecurity::{Client, Secrets, XtraClient};

/// The folder of SyVault's server.
pub const FOLDER: &str = "production";

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

    /// The next write is answered with this status, and not carried out.
    fn refuse(&self, status: u16);

    /// The next write is carried out, and its answer does not arrive whole.
    fn lose_answer(&self);

    /// The read of the target after the next `reads` is answered with this status.
    fn refuse_read(&self, reads: u32, status: u16);
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
    pub server: SecrDevServer,
    pub client: SecrClient,
}

pub struct SyVaultService {
    pub server: SyVaultDevServer,
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
        let project = infisical_dev::ProjectSeed::new("web").member("ci", Role::Admin);
        let project = PLACES.iter().fold(project, |project, place| project.folder("dev", &format!("/{place}")));
        let project = project.secret(infisical_dev::SecretSeed::new("dev", "HOST", "db.internal").path("/"));
        let server = InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project);
        let server = server.start().await.unwrap();
        let client = InfisicalClient::builder().base_url(server.url()).token(server.token());
        let client = client.project_id(server.project_id()).build().unwrap();
        Self { server, client }
    }
}

impl SecrService {
    /// Three secrets in `production`.
    pub async fn start() -> Self {
        let project = secr_dev::ProjectSeed::new("acme", "web")
            .secret("production", "DB_HOST", "db.internal")
            .secret("production", "DB_PASSWORD", "plum-4711")
            .secret("production", "PORT", "8080");
        let project = PLACES.iter().fold(project, |project, place| project.environment(place));
        let server = SecrDevServer::builder().project(project).start().await.unwrap();
        let client = SecrClient::builder().dev_server(&server).build().unwrap();
        Self { server, client }
    }
}

impl SyVaultService {
    pub async fn start() -> Self {
        let server = SyVaultDevServer::start().await.unwrap();
        let client = SyVaultClient::builder().dev_server(&server).build().unwrap();
        Self { server, client }
    }
}

/// What a service is asked for, and how its server is told to fail.
macro_rules! service {
    ($service:ty, $source:ty, $scope:ident, $dev:ident, reads: $read:expr, writes: $write:expr, $($more:expr)?, |$place:ident| $at:expr) => {
        impl Service for $service {
            type Source = $source;

            fn client(&self) -> &Client<$source> {
                &self.client
            }

            fn at<'s>(&self, $place: &str) -> $scope<'s> {
                $at
            }

            fn writes(&self) -> usize {
                let routes = [$write $(, $more)?];
                routes.into_iter().map(|route| self.server.request_count(route) as usize).sum()
            }

            fn refuse(&self, status: u16) {
                self.server.fault($dev::Fault::status(status).on($write));
            }

            fn lose_answer(&self) {
                self.server.fault($dev::Fault::cut_body().on($write));
            }

            fn refuse_read(&self, reads: u32, status: u16) {
                self.server.fault($dev::Fault::headers([]).on($read).times(reads));
                self.server.fault($dev::Fault::status(status).on($read));
            }
        }
    };
}

service!(XtraService, Xtra, XtraScope, dev_server, reads: dev_server::route::SECRETS_READ, writes: dev_server::route::SECRETS_UPSERT,,
    |place| XtraScope::new(place.to_owned()));
service!(InfisicalService, Infisical, InfisicalScope, infisical_dev, reads: infisical_dev::route::SECRETS_LIST,
    writes: infisical_dev::route::SECRETS_CREATE_BATCH, infisical_dev::route::SECRETS_UPDATE_BATCH,
    |place| InfisicalScope::new("dev").path(format!("/{place}")));
service!(SecrService, Secr, SecrScope, secr_dev, reads: secr_dev::route::SECRETS_PULL, writes: secr_dev::route::SECRETS_SET_BULK,,
    |place| SecrScope::new("acme", "web", place.to_owned()));
service!(SyVaultService, SyVault, SyVaultScope, syvault_dev, reads: syvault_dev::route::SECRETS_LIST,
    writes: syvault_dev::route::SECRETS_CREATE,, |place| SyVaultScope::titled(FOLDER, place.to_owned()));
