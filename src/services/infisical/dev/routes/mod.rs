//! The routes by resource, each beside its handler.

mod approvals;
mod dynamic_secrets;
mod events;
mod folders;
mod identity_tokens;
mod imports;
mod kms;
mod logins;
mod projects;
mod secret_writes;
mod secrets_v3;
mod secrets_v4;
mod service;
mod tags;

use super::database::Database;
use super::generation::Generation;

/// A route of this server.
type Route = crate::dev::Route<Database>;

/// Routes of today that this server does not have: what signs, and what takes keys in and out.
const NOT_SERVED: [&str; 7] = [
    "POST /v1/kms/keys/{keyId}/sign",
    "POST /v1/kms/keys/{keyId}/verify",
    "GET /v1/kms/keys/{keyId}/public-key",
    "GET /v1/kms/keys/{keyId}/private-key",
    "GET /v1/kms/keys/{keyId}/signing-algorithms",
    "POST /v1/kms/keys/bulk-import",
    "POST /v1/kms/keys/bulk-export-private-keys",
];

/// The resources: each has a table of routes and their names.
macro_rules! resources {
    ($($resource:ident),+ $(,)?) => {
        /// The routes that a generation has.
        pub(super) fn of(generation: Generation) -> Vec<Route> {
            let all = [$($resource::routes()),+].into_iter().flatten();
            let mut routes: Vec<Route> =
                all.filter(|(since, _)| *since <= generation).map(|(_, route)| route).collect();
            if generation.is_current() {
                routes.extend(NOT_SERVED.map(|name| Route::new(name, crate::dev::Handler::not_served())));
            }
            routes
        }

        /// The names of the routes.
        pub mod names {
            $(pub use super::$resource::route::*;)+
        }
    };
}

resources! { approvals, dynamic_secrets, events, folders, identity_tokens, imports, kms, logins, projects, secret_writes, secrets_v3, secrets_v4, service, tags }
