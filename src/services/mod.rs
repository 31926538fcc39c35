//! The services, a folder each. Nothing outside a service's own folder knows it, but for the crate's root, which names it.

#[cfg(feature = "infisical")]
mod infisical;
// in every build, whichever services it has: a secret must not steer a client of another build
#[path = "infisical/variables.rs"]
mod infisical_variables;
#[cfg(feature = "xtra")]
mod placeholder;
#[cfg(feature = "xtra")]
pub(crate) mod xtra;
// in every build, as that of Infisical
#[path = "xtra/variables.rs"]
mod xtra_variables;

/// The variables of every service.
pub(crate) const VARIABLES: &[crate::inject::ServiceVariables] =
    &[infisical_variables::VARIABLES, xtra_variables::VARIABLES];
