//! What a write has to look at, send and look at again, so that it does what its name says.

mod clone;
mod convert;
mod delete;
mod environments;
mod explain;
mod history;
mod link;
mod look;
mod names;
mod read_back;
mod repair;
mod rotate;
mod rows;
mod upsert;

pub(crate) use clone::{Cloning, Copies};
pub(crate) use delete::Absence;
pub(crate) use environments::Spellings;
pub(crate) use history::{Past, UNCHANGED, UNDECRYPTABLE};
pub(crate) use link::Source;
pub(crate) use look::{Look, Seen};
pub(crate) use names::{Naming, check_name, check_pairs, named, shown_version};
pub(crate) use read_back::{refuse_unconfirmed, unconfirmed};
pub(crate) use repair::{Mended, Repairing, Shown};
pub(crate) use rotate::NewValue;
pub(crate) use rows::{Recorded, Target};
pub(crate) use upsert::{Batch, Expected, Sealing, conflict, conflicts, known_versions};
