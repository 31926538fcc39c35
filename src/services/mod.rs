//! The services, a folder each. Nothing outside a service's own folder knows it, but for the crate's root, which names it.

#[cfg(feature = "xtra")]
mod placeholder;
#[cfg(feature = "xtra")]
pub(crate) mod xtra;
