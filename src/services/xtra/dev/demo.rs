//! The world of a server that nobody seeded.

use super::seed::{ProjectSeed, Role, SecretSeed, Seed, ServiceAccountSeed, Tier, UserSeed};

impl Seed {
    /// The world of [`DevServer::start`](crate::services::xtra::dev::DevServer::start): the project `demo` of a user `owner` on the
    /// enterprise plan, with the members `admin`, `developer` and `viewer`, the user `outsider`, the branches `main` and
    /// `feature/new-ui`, three environments, and the service accounts `ci` (reads) and `deploy` (reads and writes).
    #[must_use]
    pub fn demo() -> Self {
        let demo = ProjectSeed::new("demo")
            .id("665f1c2ab7c0de0012345678")
            .member("admin", Role::Admin)
            .member("developer", Role::Developer)
            .member("viewer", Role::Viewer)
            .branch("feature/new-ui")
            .secret("development", "DATABASE_URL", "postgres://app:dev@localhost/app")
            .secret("development", "API_KEY", "demo-development-key")
            .secret("staging", "DATABASE_URL", "postgres://app:staging@db.staging.test/app")
            .secret("staging", "API_KEY", "demo-staging-key")
            .secret("production", "DATABASE_URL", "postgres://app:production@db.example.test/app")
            .secret("production", "API_KEY", "demo-production-key")
            .secret("production", "FEATURE_NEW_UI", "off")
            .with_secret(SecretSeed::new("production", "FEATURE_NEW_UI", "on").on_branch("feature/new-ui"))
            .with_secret(SecretSeed::new("staging", "FEATURE_NEW_UI", "on").on_branch("feature/new-ui"))
            .service_account(ServiceAccountSeed::new("ci", ["read:secrets"]))
            .service_account(ServiceAccountSeed::new("deploy", ["read:secrets", "write:secrets"]));
        let mut seed = Seed::new().user(UserSeed::new("owner").tier(Tier::Enterprise)).project(demo);
        for name in ["admin", "developer", "viewer", "outsider"] {
            seed = seed.user(UserSeed::new(name));
        }
        seed
    }
}
