//! The operations of secr: a file for each family, with the methods of the client that make them.

mod account;
mod keys;
mod promote;
mod pull;
mod templates;
mod write;

pub use account::{Account, Whoami};
pub use keys::{ListKeys, ListedKeys, SecretKey};
pub use promote::{PromoteResult, PromoteSecrets};
pub use pull::{PageQuery, Paged, Pagination, PullSecrets, PulledSecret, PulledSecrets, SecretPages};
pub use templates::{AddTemplate, ListTemplates, RemoveTemplate, Template, TemplateValidation, ValidateTemplate};
pub use write::{BulkSetResult, BulkSetSecrets, DeleteResult, DeleteSecret, SetResult, SetSecret};

use super::scope::SecrScope;
use super::source::Secr;
use crate::core::Timestamp;
use crate::engine::Client;

/// A scope that is being changed: its snapshot leaves the cache when this is dropped, because a write that was given up half-way
/// may have been carried out too.
#[must_use = "the cache is cleared when this is dropped"]
struct Changing {
    client: Client<Secr>,
    scope: SecrScope<'static>,
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.client.invalidate(self.scope.clone());
    }
}

/// A moment in an answer; one in a form that is not documented is none.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(Timestamp::parse)
}
