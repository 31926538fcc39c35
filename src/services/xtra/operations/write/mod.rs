//! Changing secrets: what the writing methods of [`XtraClient`](crate::XtraClient) take and give.

// in the order in which the page of the client shows them
mod list;
mod set;

mod create;
mod delete;

mod history;
mod promote;

mod clone;
mod link;

mod rotate;

mod diff;
mod repair;

// what several of them share
pub(crate) mod current_state;
mod explain;
pub(crate) mod names;
mod read_back;
mod stored_rows;
mod upsert;

pub use clone::*;
pub use create::*;
pub use delete::*;
pub use diff::*;
pub use history::*;
pub use link::*;
pub use list::*;
pub use names::NameProblem;
pub use promote::*;
pub use repair::*;
pub use rotate::*;
pub use set::*;
