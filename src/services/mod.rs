//! The services, a folder each. Nothing outside a service's own folder knows it, but for the crate's root, which names it.

#[cfg(feature = "infisical")]
pub(crate) mod infisical;
#[cfg(feature = "xtra")]
mod placeholder;
#[cfg(feature = "xtra")]
pub(crate) mod xtra;
// in every build, whichever services it has: a secret must not steer a client of another build
#[path = "xtra/variables.rs"]
mod xtra_variables;

/// The variables of every service.
pub(crate) const VARIABLES: &[crate::inject::ServiceVariables] = &[xtra_variables::VARIABLES];
