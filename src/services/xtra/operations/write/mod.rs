//! Changing secrets: what the writing methods of [`XtraClient`](crate::XtraClient) take and give.

mod clone;
mod create;
mod delete;
mod diff;
mod history;
mod keys;
mod link;
mod promote;
mod repair;
mod report;
mod rotate;
mod set;

pub use clone::{CloneEnvironment, Cloned};
pub use create::CreateSecret;
pub use delete::{DeleteSecret, Deleted};
pub use diff::{Diff, Difference};
pub use history::{History, HistoryEntry, NoValue, ReadHistory, Rollback, RolledBack};
pub use keys::{GetSecret, KeyOrigin, ListKeys, SecretKey};
pub use link::{LinkSecret, LinkSource, Linked};
pub use promote::{Promote, Promotion};
pub use repair::{RepairSecret, Repaired, SecretRow};
pub use report::{Progress, WriteReport, Written};
pub use rotate::{RotateSecret, Rotated};
pub use set::{Set, SetSecret, SetSecrets};
