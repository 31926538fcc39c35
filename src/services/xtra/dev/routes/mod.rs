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

/// All routes that the server has.
pub(super) fn all() -> Vec<Route<Database>> {
    let resources = [
        access::routes,
        branches::routes,
        by_id::routes,
        by_key::routes,
        links::routes,
        notifications::routes,
        projects::routes,
        secrets::routes,
        service_accounts::routes,
        users::routes,
    ];
    resources.iter().flat_map(|routes| routes()).collect()
}

/// The names of the routes.
pub mod names {
    pub use super::access::route::*;
    pub use super::branches::route::*;
    pub use super::by_id::route::*;
    pub use super::by_key::route::*;
    pub use super::links::route::*;
    pub use super::notifications::route::*;
    pub use super::projects::route::*;
    pub use super::secrets::route::*;
    pub use super::service_accounts::route::*;
    pub use super::users::route::*;
}
