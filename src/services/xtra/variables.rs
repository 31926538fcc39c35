//! The environment variables of XtraSecurity: those that steer its clients, and those that hold credentials.

use crate::inject::ServiceVariables;

/// Of the last four the vendor's documents speak: this crate does not read them, and what they hold is a credential all the same.
pub(crate) const VARIABLES: ServiceVariables = ServiceVariables {
    guarded: "XTRA_*",
    credentials: &[
        "XTRA_TOKEN",
        "XTRA_MACHINE_TOKEN",
        "XTRA_VAULT_PASSPHRASE",
        "XTRA_MASTER_SECRET",
        "XTRA_API_KEY",
        "XTRA_ACCESS_KEY",
        "XTRA_API_TOKEN",
        "XTRA_WORKLOAD_PRIVATE_KEY",
    ],
};
