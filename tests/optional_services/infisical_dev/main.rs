//! The dev server of Infisical: against the recordings of two real servers, and what is documented of the one of today.

mod canary;
mod habits;
mod recorded;
mod replay;
mod state;
mod today;
mod wire;
