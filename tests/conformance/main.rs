//! The contract of a secrets service, as the client sees it. Every part of it is held against the service in memory, and, with
//! `XTRA_TEST_API_URL` and `XTRA_TEST_TOKEN` (and `XTRA_TEST_PROJECT_ID`, unless the token knows or has one project only),
//! against a service that runs elsewhere:
//!
//! ```text
//! XTRA_TEST_API_URL=https://… XTRA_TEST_TOKEN=… cargo test --test conformance live -- --nocapture
//! ```
//!
//! Each part makes environments, branches and accounts of its own, with names that nobody has, and takes them away again. What
//! the token may not do is skipped there, and said.

mod live;
mod management;
mod reads;
mod rows;
mod service;
mod writes;

use std::pin::Pin;
use std::sync::Arc;

use service::{Service, Skip};

type Run = Pin<Box<dyn Future<Output = Result<(), Skip>> + Send>>;

/// A part of the contract.
struct Contract {
    name: &'static str,
    run: fn(Arc<Service>) -> Run,
}

impl Contract {
    /// Runs it, and takes away what it has made, however it ended.
    async fn hold(&self, service: &Arc<Service>) -> Result<Result<(), Skip>, tokio::task::JoinError> {
        let outcome = tokio::spawn((self.run)(Arc::clone(service))).await;
        service.clean_up().await;
        outcome
    }
}

/// The contract, and a test of each part against the service in memory.
macro_rules! contract {
    ($($module:ident::$name:ident),+ $(,)?) => {
        const CONTRACT: &[Contract] =
            &[$(Contract { name: stringify!($name), run: |service| Box::pin($module::$name(service)) }),+];

        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                crate::service::holds_in_memory(stringify!($name)).await;
            })+
        }
    };
}

contract! {
    reads::reads_do_not_tell_cases_of_an_environment_apart,
    reads::an_unknown_branch_or_environment_is_empty,
    reads::values_come_back_as_they_were_written,
    reads::large_values_come_back,
    writes::a_secret_is_created_and_then_updated,
    writes::what_exists_is_not_created_again,
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
