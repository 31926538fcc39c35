//! The generated client, and how it is generated.

mod lint;
mod regenerate;
mod retarget;
