//! A pool of connections for each runtime.
//!
//! A connection is driven by the runtime that opened it. Handed to a request on another one it answers only while the first
//! is being polled, which may be never.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Handle, Id};

use crate::error::{ErrorKind, XtraError};

/// Runtimes that have a pool at the same time. The pool of the one that came first makes room for a new one.
const MOST: usize = 8;

/// The HTTP clients, each with the connections of one runtime.
#[derive(Default)]
pub(super) struct Pools(Mutex<Vec<(Id, reqwest::Client)>>);

impl Pools {
    /// The client of the runtime that this is called on; `make` makes one for a runtime that has none.
    pub(super) fn current(
        &self,
        make: impl FnOnce() -> Result<reqwest::Client, XtraError>,
    ) -> Result<reqwest::Client, XtraError> {
        let runtime = Handle::try_current().map_err(|_| {
            XtraError::new(
                ErrorKind::Config,
                "requests need a tokio runtime with its I/O and time drivers: call from within one (enable_all turns both on)",
            )
        })?;
        let runtime = runtime.id();
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = pools.iter().find(|(known, _)| *known == runtime) {
            return Ok(client.clone());
        }
        let client = make()?;
        if pools.len() == MOST {
            pools.remove(0);
        }
        pools.push((runtime, client.clone()));
        Ok(client)
    }
}
