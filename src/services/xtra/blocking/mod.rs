//! The blocking client of XtraSecurity.

mod builder;
mod manage;
mod write;
mod write_rows;
mod xtra;

pub use builder::XtraClientBuilder;
pub use xtra::XtraClient;
