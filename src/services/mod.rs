//! The services, a folder each. Nothing outside a service's own folder knows it, but for the crate's root, which names it.

#[cfg(feature = "infisical")]
pub(crate) mod infisical;
// in every build, whichever services it has: a secret must not steer a client of another build
#[path = "infisical/variables.rs"]
mod infisical_variables;
#[cfg(feature = "xtra")]
mod placeholder;
#[cfg(feature = "xtra")]
pub(crate) mod xtra;
#[path = "xtra/variables.rs"]
mod xtra_variables;

/// The variables of every service.
pub(crate) const VARIABLES: &[crate::inject::ServiceVariables] =
    &[xtra_variables::VARIABLES, infisical_variables::VARIABLES];
