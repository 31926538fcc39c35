//! Copies: the secrets of one scope into another, of any two services, by a plan that names every difference before the first write.
//!
//! ```no_run
//! # #[cfg(all(feature = "xtra", feature = "infisical"))]
//! # async fn example() -> Result<(), xtrasecurity::XtraError> {
//! use xtrasecurity::{XtraClient, infisical::InfisicalClient};
//!
//! let (infisical, xtra) = (InfisicalClient::from_env()?, XtraClient::from_env()?);
//! let plan = infisical.get_secrets("dev").path("/app").copy_to(&xtra, "development").prefix("APP_").await?;
//! for obstacle in plan.obstacles() {
//!     println!("{obstacle}"); // names and reasons, never a value
//! }
//! let report = plan.apply().await?; // refuses while there are obstacles
//! println!("{} created, {} there before", report.created.len(), report.present.len());
//! # Ok(())
//! # }
//! ```
//!
//! Names and values are copied. Comments, tags, links and earlier versions stay behind, and the source is only read.
//!
//! - **Values are what the read gives.** A read of Infisical expands references, so `${HOST}` arrives as the host's name;
//!   `expand_references(false)` before `copy_to` copies the text as it is stored. A target that would expand such a text again takes
//!   it with [`allow_references`](crate::Request::allow_references) alone.
//! - **Nothing is overwritten** without [`overwrite`](crate::Request::overwrite). A secret of the target that has the value already
//!   is left alone, so that a copy which was stopped goes on when it is planned again.
//! - **Nothing gets lost.** A secret that cannot be read, or that the target cannot keep as it is, is an [`Obstacle`] with its name.
//! - **A write is sent once.** It is repeated only where it cannot have arrived. What it has done is read back.
//!
//! A service is copied to when its source is a [`SecretTarget`]; any source can be copied from.

mod apply;
mod plan;
mod request;
mod rules;
mod target;

pub use apply::{ApplyCopy, CopyError, CopyProgress, CopyReport};
pub use plan::{CopyPlan, Obstacle, ObstacleKind};
pub use request::{CopySecrets, CopyTo};
pub use rules::{Copies, Rules};
pub use target::{Acceptance, SecretTarget, Stored, Write};
