//! Whether a client reads a file instead of the service.

use std::path::{Path, PathBuf};

use crate::core::{ErrorKind, XtraError};
use crate::credentials::Surroundings;

/// Turns local mode on, when it is exactly `true`; the vendor's command obeys the same variable.
const VARIABLE: &str = "XTRA_LOCAL_MODE";

/// What is read then, from the working directory.
const FILE: &str = ".env.local";

/// The file to read, when local mode is on: by the builder, or by whoever started the program.
pub(super) fn file(chosen: Option<&Path>, surroundings: &Surroundings) -> Result<Option<PathBuf>, XtraError> {
    if let Some(path) = chosen {
        return Ok(Some(path.to_owned()));
    }
    if !is_asked_for(surroundings) {
        return Ok(None);
    }
    match &surroundings.working {
        Some(directory) => Ok(Some(directory.join(FILE))),
        None => Err(XtraError::new(
            ErrorKind::Config,
            format!(
                "{VARIABLE} is set, but the working directory, where {FILE} is read, is gone or cannot be told. Change \
                     to another directory, or unset {VARIABLE}"
            ),
        )),
    }
}

/// What is said aloud when the variable turns local mode on: secrets that come from another place than the program's code
/// tells should surprise nobody.
pub(super) fn announce(path: &Path, names_a_service: bool) {
    let unused = if names_a_service { "; the token and API root that the program gives are not used" } else { "" };
    tracing::warn!(
        ?path,
        "local mode is on ({VARIABLE}=true): secrets come from this file, not from the service{unused}"
    );
}

fn is_asked_for(surroundings: &Surroundings) -> bool {
    match surroundings.var(VARIABLE) {
        Ok(Some(value)) if value == "true" => true,
        Ok(Some(value)) if !matches!(value.as_str(), "" | "false" | "0") => {
            tracing::warn!("{VARIABLE} is set to something else than `true`, and does nothing");
            false
        }
        _ => false,
    }
}
