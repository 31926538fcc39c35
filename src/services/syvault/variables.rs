//! The environment variables of SyVault: those that steer its clients, and those that hold credentials.

use crate::inject::ServiceVariables;

/// This crate reads the first three; the vendor's pages have credentials in the other two.
pub(crate) const VARIABLES: ServiceVariables = ServiceVariables {
    guarded: "SY_SERVER SY_CLIENT_ID SY_CLIENT_SECRET",
    credentials: &["SY_CLIENT_SECRET", "SY_GATEWAY_TOKEN", "SM_TOKEN"],
};
