//! The recordings of the real service, and their replay to a client.

pub(crate) mod fields;
pub(crate) mod raw_operations;
pub(crate) mod recorded_values;
pub(crate) mod replay;
pub(crate) mod validity;
