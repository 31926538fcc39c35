//! Changing secrets: what the writing methods of [`XtraClient`](crate::XtraClient) take and give.

mod clone;
mod create;
mod delete;
mod diff;
mod history;
mod link;
mod list;
mod promote;
mod repair;
mod rotate;
mod set;

// what several of them share
pub(crate) mod current_state;
mod explain;
mod names;
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
pub use promote::*;
pub use repair::*;
pub use rotate::*;
pub use set::*;
