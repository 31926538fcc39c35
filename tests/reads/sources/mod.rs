//! The small sources and layers of sources: what each gives and refuses, and that everything a client has comes with them.

mod directory;
mod everything;
mod layers;
mod outage;
