//! What is promised to whom changes something: secrets, rows of them, branches, projects and accounts.

mod envelopes;
mod manage;
mod model;
mod rows;
mod search;
mod writes;
