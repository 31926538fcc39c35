//! The reasons for which a service forbids a call.

/// Why a service forbids a call, beside [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden): what would have to change for the
/// same call to be allowed. See [`XtraError::reason`](crate::XtraError::reason).
///
/// Each service names those that it has. New ones may be added, so a `match` needs a `_` arm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The project is blocked. Its owner can unblock it.
    Blocked,
    /// The project does not allow this address. Allow it, or call from one that is allowed.
    AddressNotAllowed,
    /// The project demands a second factor of its users. Enable one for the token's user, or use a service account's token.
    SecondFactorNeeded,
    /// Access for a time is needed, and has to be granted first. Request it, then call again.
    ElevationNeeded(Option<Elevation>),
}

/// What to ask for when [access for a time](Reason::ElevationNeeded) is needed: access to this project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elevation {
    /// The project's id.
    pub project: String,
    /// The environment that was to be read.
    pub environment: String,
}

impl Elevation {
    /// Access to this environment of this project.
    #[must_use]
    pub fn new(project: impl Into<String>, environment: impl Into<String>) -> Self {
        Self { project: project.into(), environment: environment.into() }
    }
}
