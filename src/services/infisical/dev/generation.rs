//! The generations of the service, which differ in routes, errors and habits.

use serde::{Deserialize, Serialize};

/// The age of the service that a server behaves like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Generation {
    /// The server of 10 August 2024, as recorded: no keys, no fourth version, 400 for what is missing, 500 for a token that has
    /// expired.
    August2024,
    /// The server of 22 October 2024, as recorded: keys, no fourth version, 404 for what is missing, 401 for a request that is
    /// not valid.
    October2024,
    /// The server of today, as documented and not recorded: the fourth version of secrets, hidden values, 422 for a request that
    /// is not valid.
    #[default]
    Current,
}

impl Generation {
    /// Picks what is right for the generation.
    pub(super) fn pick<T>(self, august: T, october: T, current: T) -> T {
        match self {
            Generation::August2024 => august,
            Generation::October2024 => october,
            Generation::Current => current,
        }
    }

    pub(super) fn is_current(self) -> bool {
        self == Generation::Current
    }

    pub(super) fn is_august(self) -> bool {
        self == Generation::August2024
    }
}
