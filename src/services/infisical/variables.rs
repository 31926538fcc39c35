//! The environment variables of Infisical: those that steer its clients, and those that hold credentials.

use crate::inject::ServiceVariables;

/// Some of them only other tools read, and what they hold is a credential all the same.
pub(crate) const VARIABLES: ServiceVariables = ServiceVariables {
    guarded: "INFISICAL_*",
    credentials: &[
        "INFISICAL_TOKEN",
        "INFISICAL_ACCESS_TOKEN",
        "INFISICAL_UNIVERSAL_AUTH_ACCESS_TOKEN",
        "INFISICAL_SERVICE_TOKEN",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        "INFISICAL_CLIENT_ID",
        "INFISICAL_CLIENT_SECRET",
        "INFISICAL_JWT",
        "INFISICAL_OIDC_AUTH_JWT",
        "INFISICAL_ID_TOKEN",
        "INFISICAL_LDAP_PASSWORD",
        "INFISICAL_LDAP_AUTH_PASSWORD",
        "INFISICAL_VAULT_FILE_PASSPHRASE",
    ],
};
