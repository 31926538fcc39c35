//! References to secrets, alone or within a text, and the secrets in their place. A service's [`Refer`] says what its
//! references look like.
//!
//! `reference` reads one, `template` finds them in a text, `search` reads what they lead to, `graph` puts it together;
//! `follow` does all of it for whatever reads snapshots.

mod follow;
mod graph;
mod problems;
mod reference;
mod resolve;
mod search;
mod template;

pub use reference::{Refer, Reference};
pub use resolve::{Resolve, ResolveText, ResolveValues};

#[allow(unused_imports, reason = "services use it, and there may be none")]
pub(crate) use template::refers;

#[cfg(test)]
pub(crate) use {
    graph::{Broken, Graph, MOST_BYTES, MOST_LEVELS, Part, Seen, Text},
    reference::Base,
    template::{Malformed, Piece, Position, Template},
};
