//! The routes by resource, each beside its handler.

mod access;
mod answers;
mod branches;
mod by_id;
mod by_key;
mod links;
mod notifications;
mod projects;
mod records;
mod secrets;
mod service_accounts;
mod users;

use super::database::Database;
use crate::dev::Route;

/// A handler's connection to the database.
type Connection = crate::dev::Connection<Database>;

/// The resources: each has a table of routes and their names.
macro_rules! resources {
    ($($resource:ident),+ $(,)?) => {
        /// All routes that the server has.
        pub(super) fn all() -> Vec<Route<Database>> {
            [$($resource::routes()),+].into_iter().flatten().collect()
        }

        /// The names of the routes.
        pub mod names {
            $(pub use super::$resource::route::*;)+
        }
    };
}

resources! { access, branches, by_id, by_key, links, notifications, projects, secrets, service_accounts, users }
