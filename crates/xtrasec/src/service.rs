//! The service that the secrets are of, for the commands that read: which option names it, and what the other options mean there.

#[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
mod choice;

use clap::ValueEnum;
use xtrasecurity::request::Read;
use xtrasecurity::xtra::{Xtra, XtraScope};
use xtrasecurity::{Request, SecretSource, Secrets};

#[cfg(any(feature = "infisical", feature = "secr", feature = "syvault"))]
pub(crate) use choice::{Options, check};

use crate::failure::Failure;

/// The services that are compiled in.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    #[default]
    Xtrasecurity,
    #[cfg(feature = "infisical")]
    Infisical,
    #[cfg(feature = "secr")]
    Secr,
    #[cfg(feature = "syvault")]
    Syvault,
}

/// A service that commands can read.
pub(crate) trait Readable: SecretSource + Sized {
    /// What the name of an environment, as a session has it, stands for.
    fn scope(named: &str) -> Self::Scope<'_>;

    /// The same read, with other secrets in the place of references in the values.
    fn resolved(request: Request<'_, Self, Read>) -> Result<Request<'_, Self, Read>, Failure>;

    /// The names of the secrets whose values look like references.
    fn references(secrets: &Secrets) -> Vec<&str>;
}

/// A service that can be referred to.
macro_rules! readable_with_references {
    ($source:ty, $scope:ident) => {
        impl crate::service::Readable for $source {
            fn scope(named: &str) -> $scope<'_> {
                named.into()
            }

            fn resolved(request: Request<'_, Self, Read>) -> Result<Request<'_, Self, Read>, Failure> {
                Ok(request.resolve_references(true))
            }

            fn references(secrets: &Secrets) -> Vec<&str> {
                secrets.references::<Self>().collect()
            }
        }
    };
}

readable_with_references!(Xtra, XtraScope);

/// Does something with a session of the service that was asked for; `offline` with copies on disk.
macro_rules! with_session {
    ($global:expr, offline: $offline:expr, |$session:ident| $read:expr) => {
        match $global.service() {
            crate::service::Service::Xtrasecurity => {
                let $session = &match $offline {
                    true => crate::session::Session::open_offline($global)?,
                    false => crate::session::Session::open($global)?,
                };
                $read
            }
            #[cfg(feature = "infisical")]
            crate::service::Service::Infisical => {
                let $session = &crate::session::Session::infisical($global, $offline)?;
                $read
            }
            #[cfg(feature = "secr")]
            crate::service::Service::Secr => {
                let $session = &crate::session::Session::secr($global, $offline)?;
                $read
            }
            #[cfg(feature = "syvault")]
            crate::service::Service::Syvault => {
                let $session = &crate::session::Session::syvault($global, $offline)?;
                $read
            }
        }
    };
}

#[cfg(feature = "infisical")]
use readable_with_references;
pub(crate) use with_session;
