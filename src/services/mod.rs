//! The services, a folder each. Nothing outside a service's own folder knows it, but for the crate's root, which names it.

#[cfg(any(feature = "xtra", feature = "infisical", feature = "secr", feature = "syvault"))]
mod client_builder;
#[cfg(feature = "infisical")]
pub(crate) mod infisical;
// in every build, whichever services it has: a secret must not steer a client of another build
#[path = "infisical/variables.rs"]
mod infisical_variables;
#[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
mod no_account;
#[cfg(any(feature = "xtra", feature = "secr", feature = "syvault"))]
mod placeholder;
#[cfg(feature = "secr")]
pub(crate) mod secr;
#[path = "secr/variables.rs"]
mod secr_variables;
#[cfg(feature = "syvault")]
pub(crate) mod syvault;
#[path = "syvault/variables.rs"]
mod syvault_variables;
#[cfg(any(feature = "xtra", feature = "infisical", feature = "secr", feature = "syvault"))]
mod traffic;
#[cfg(feature = "xtra")]
pub(crate) mod xtra;
#[path = "xtra/variables.rs"]
mod xtra_variables;

#[cfg(any(feature = "xtra", feature = "infisical", feature = "secr", feature = "syvault"))]
pub use client_builder::ClientBuilder;

/// The variables of every service.
pub(crate) const VARIABLES: &[crate::inject::ServiceVariables] = &[
    xtra_variables::VARIABLES,
    infisical_variables::VARIABLES,
    secr_variables::VARIABLES,
    syvault_variables::VARIABLES,
];
