//! The environment variables of secr: those that steer its clients, and those that hold credentials.

use crate::inject::ServiceVariables;

/// `SECR_AGENT_TOKEN` and `SECR_API_URL` are the vendor's; `SECR_TOKEN` is this crate's.
pub(crate) const VARIABLES: ServiceVariables = ServiceVariables {
    guarded: "SECR_TOKEN SECR_AGENT_TOKEN SECR_API_URL",
    credentials: &["SECR_TOKEN", "SECR_AGENT_TOKEN"],
};
