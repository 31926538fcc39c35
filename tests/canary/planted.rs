//! What is planted, and how it is looked for.

use std::error::Error;
use std::fmt::{Debug, Display};

/// A secret's value. It is as long as values are; a value that is a word of a sentence cannot be told from the sentence.
pub const VALUE: &str = "canary-value-5d0c1b9e7a3f42688e91c7b4d2a6f035";
/// A token of the usual form.
pub const TOKEN: &str = "xs_canary9c41e8d7b05f4a32a1c6e2f07d83b95c641e8d7b05f4a3";
/// A token so short that it could pass for a word.
pub const SHORT_TOKEN: &str = "canary-tok-7f3a";
/// A base URL that holds credentials.
pub const URL_WITH_CREDENTIALS: &str = "https://canary-user:canary-password@host.example/api?canary=1";

/// Names: errors may tell them, events may not.
pub const KEY: &str = "MAGPIE_KEY";
pub const BRANCH: &str = "magpie/branch";
pub const ENVIRONMENT: &str = "magpie-environment";
pub const PROJECT: &str = "665f1c2ab7c0de0087654321";

/// What all that is planted has in common: as text, as a list of bytes, and in base64 at each of the three offsets.
const TRACES: &[&str] = &["canary", "99, 97, 110, 97, 114, 121", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"];

/// Fails when a text shows a trace of what was planted.
#[track_caller]
pub fn hides(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for trace in TRACES {
        assert!(!lower.contains(&trace.to_lowercase()), "{what} shows {trace:?}: {text}");
    }
}

#[track_caller]
pub fn hides_debug(what: &str, value: &dyn Debug) {
    hides(what, &format!("{value:?}"));
    // one item a line, so that a list of bytes has to be joined again
    hides(what, &format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" "));
}

#[track_caller]
pub fn hides_display(what: &str, value: &dyn Display) {
    hides(what, &format!("{value}"));
    hides(what, &format!("{value:#}"));
}

/// `Debug`, `Display`, and the same of every cause.
#[track_caller]
pub fn hides_error(what: &str, error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        hides_debug(what, &error);
        hides_display(what, &error);
        let text = format!("{error} {error:?}");
        // host and port of who failed are told, and nothing else of a URL
        for part in ["://127.0.0.1", "://localhost", "://host.example", "canary-user", "/projects/", "/secrets"] {
            assert!(!text.contains(part), "{what} shows an address ({part}): {text}");
        }
        next = error.source();
    }
}
