//! References to secrets, `xtra://PROJECT/ENVIRONMENT/KEY`, alone or within a text. Nothing here reads anything.

mod file;
mod graph;
mod parse;
mod render;
mod resolve;

#[cfg(test)]
mod tests;

pub use parse::Reference;
pub use resolve::{Resolve, ResolveText, ResolveValues};

pub(crate) use file::read;
pub(crate) use graph::{Broken, Graph, MOST_BYTES, MOST_LEVELS, Part, Seen, Text};
pub(crate) use parse::Base;
pub(crate) use render::{Malformed, Piece, Position, Template};
