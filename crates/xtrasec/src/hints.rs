//! The library speaks to programmers, of options and methods. Here its words become those of the command line.

use std::borrow::Cow;

use xtrasecurity::{ErrorKind, XtraError};

/// What the library says, and what that means to whoever typed a command. A test holds the left side to the library's source.
const WORDS: &[(&str, &str)] = &[
    // where a setting comes from
    ("the environment option", "--env"),
    ("the branch option", "--branch"),
    ("the project_id option", "--project"),
    ("the api_url option", "--api-url"),
    ("each call names its own", "give one with --env"),
    ("the offline option", "--offline"),
    ("Give a key, or use a token without an end", "Use an access key or a service account's key, which last"),
    ("Set XDG_CACHE_HOME (Unix), or give a directory", "Set XDG_CACHE_HOME, or do without --offline"),
    // credentials
    ("the token option: not given; ", ""),
    ("Set XTRA_TOKEN, or pass token(..)", "Set XTRA_TOKEN, or store one with `xtrasec login`"),
    ("give the token as the token option instead", "the token belongs into XTRA_TOKEN"),
    (
        "Set XTRA_PROJECT_ID, or pass project_id(..) to the builder or the call,",
        "Set XTRA_PROJECT_ID, or add --project ID,",
    ),
    // the way to the service
    (", or pass api_url(..) to the builder", ", or add --api-url …"),
    ("http:// is for loopback hosts, or for danger_allow_http", "http:// is for loopback hosts only"),
    ("; try again, or raise call_timeout", "; try again"),
    ("; check it, or raise call_timeout", "; check it"),
    ("; check the network, or raise connect_timeout", "; check the network"),
    ("; raise max_response_bytes if that is what you expect", ""),
    ("put them into the proxy's URL, or turn proxies off", "put them into the proxy's URL"),
    // secrets
    ("or build the client without local_file", "or set it to false"),
    (
        "Leave a secret out with except, call its variable otherwise with rename",
        "Leave a secret out with --except, call its variable otherwise (run --rename)",
    ),
    (", or allow what is guarded with allow_name: ", ", or allow what is guarded: --allow-name "),
    // writes
    ("allow_any_name() accepts it", "--allow-any-name accepts it"),
    ("say exact() if", "add --exact if"),
    ("delete it again with if_exists()", "delete it again with --if-exists"),
    ("set_secret(..) changes it", "Without --new it is changed"),
    (
        "repair_secret(..).dry_run() shows the rows; repair_secret(..) leaves one",
        "`xtrasec repair` shows the rows, and with --yes leaves one",
    ),
    ("repair_secret(..).dry_run() shows the rows", "`xtrasec repair` shows the rows"),
    ("let repair_secret(..).dry_run() show the rows", "let `xtrasec repair` show the rows"),
    ("with keep(..)", "with --keep"),
    ("name the others with keys(..)", "name the others with --only"),
    (". The snapshot must be of this environment and branch", ""),
    ("list_branches() tells", "`xtrasec branches` tells"),
    ("promote() copies", "`xtrasec promote` copies"),
    ("Set XTRA_VAULT_PASSPHRASE, or pass vault_passphrase(..) to the builder", "Set XTRA_VAULT_PASSPHRASE"),
    ("the token option", "the token"),
    (", or read the rest with allow_unreadable()", ""),
    ("; if they are secrets, read them with allow_any_answer()", ""),
    ("accept it with invalidate()", "delete the saved copy, or do without --offline"),
    // files
    ("(entity not found)", "(there is no such file)"),
];

/// How long to wait is a number of the error's, not of its text.
const WAIT: &str = "wait for retry_after, or a minute when there is none; a longer cache_ttl asks less often";

/// A text of the library's in the words of the command line.
pub(crate) fn of_the_command(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for (theirs, ours) in WORDS {
        if text.contains(theirs) {
            text = text.replace(theirs, ours).into();
        }
    }
    text.into_owned()
}

/// An error of the library's in the words of the command line.
pub(crate) fn of_an_error(error: &XtraError) -> String {
    let text = of_the_command(error.message());
    if error.kind() != ErrorKind::RateLimited {
        return text;
    }
    let wait = match error.retry_after() {
        Some(wait) => format!("try again in {} s", wait.as_secs()),
        None => "try again in a minute".to_owned(),
    };
    text.replace(WAIT, &wait)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    /// The texts of the library's source, with the breaks within them taken out.
    fn library() -> String {
        fn read(directory: &Path, into: &mut String) {
            for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() && !entry.ends_with("src/bin") {
                    read(&entry, into);
                } else if entry.extension().is_some_and(|extension| extension == "rs") {
                    let source = fs::read_to_string(&entry).unwrap();
                    into.extend(source.split("\\\n").map(str::trim_start));
                }
            }
        }
        let mut text = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        text
    }

    #[test]
    fn everything_that_is_reworded_is_what_the_library_says() {
        // These two are put together when they are shown.
        let text = library().replace(
            "the {name} option",
            "the environment option the branch option the project_id option the api_url option",
        );
        let text = text.replace("({})", "(entity not found)") + "the token option: not given; ";
        for theirs in WORDS.iter().map(|(theirs, _)| *theirs).chain([WAIT]) {
            assert!(text.contains(theirs), "{theirs}");
        }
    }

    #[test]
    fn a_limit_tells_when_to_come_back() {
        let error = XtraError::new(ErrorKind::RateLimited, format!("too many; {WAIT}"));
        assert_eq!(of_an_error(&error), "too many; try again in a minute");
        assert_eq!(of_an_error(&error.with_retry_after(Duration::from_secs(90))), "too many; try again in 90 s");
    }
}
