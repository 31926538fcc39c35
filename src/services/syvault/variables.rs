//! The environment variables of SyVault: those that steer its clients, and those that hold credentials.

use crate::inject::ServiceVariables;

/// This crate reads the first four, of which SY_FOLDER_KEYS is its own; the vendor's pages have credentials in the other two.
pub(crate) const VARIABLES: ServiceVariables = ServiceVariables {
    guarded: "SY_SERVER SY_CLIENT_ID SY_CLIENT_SECRET SY_FOLDER_KEYS",
    credentials: &["SY_CLIENT_SECRET", "SY_FOLDER_KEYS", "SY_GATEWAY_TOKEN", "SM_TOKEN"],
};
