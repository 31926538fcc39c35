//! The dev server of Infisical: against the recordings of two real servers, and what is documented of the one of today.

mod recorded;
mod replay;
mod state;
mod wire;
