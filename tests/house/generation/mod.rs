//! The generated client, and how it is generated.

mod evidence;
mod lint;
mod regenerate;
mod retarget;
