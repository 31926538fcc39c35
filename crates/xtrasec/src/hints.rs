//! The library's advice in the words of the command: flags and environment variables where the library has methods.

use std::borrow::Cow;

use xtrasecurity::{
    XtraError,
    error::{FileEntry, Hint},
};

/// What an error tells whoever typed a command: what was wrong, what that means, and what can be done about it.
pub(crate) fn told(error: &XtraError) -> String {
    let mut text = error.message().to_owned();
    error.notes().for_each(|note| text.extend([". ", note]));
    error.hints().iter().filter_map(advice).for_each(|advice| text.extend([". ", &advice]));
    text
}

/// One piece of advice as a sentence without a full stop. `None` for what a command has no way to do.
fn advice(hint: &Hint) -> Option<Cow<'static, str>> {
    let or_put = |entry: &Option<FileEntry>| entry.map(|entry| format!(", or {entry}")).unwrap_or_default();
    Some(match hint {
        Hint::Advice(text) | Hint::FixProxy { what: text } => text.clone(),
        // settings
        Hint::GiveToken { variable } if variable.starts_with("SECR_") => format!("Set {variable}").into(),
        Hint::GiveToken { variable } if !variable.starts_with("XTRA_") => format!(
            "Set {variable}, or better the id and the secret of a client, which last. `xtrasec run` passes them on to its program \
             only with --with-credentials"
        )
        .into(),
        Hint::GiveToken { variable } => format!(
            "Set {variable}, or store a token with `xtrasec login`. `xtrasec run` passes it on to its program only \
             with --with-credentials"
        )
        .into(),
        Hint::GiveProject { variable, entry, .. } => {
            format!("Set {variable}, or add --project ID{}", or_put(entry)).into()
        }
        Hint::GiveEnvironment { entry } => format!("Add --env NAME{}", or_put(entry)).into(),
        Hint::GivePassphrase { variable } => format!("Set {}", variable.unwrap_or("XTRA_VAULT_PASSPHRASE")).into(),
        Hint::GiveCacheDirectory { variable } => format!("Set {variable}, or do without --offline").into(),
        Hint::GiveBaseUrl { variable, login: None } => {
            format!("If it is meant, export {variable}=…, or add --api-url …").into()
        }
        Hint::GiveBaseUrl { variable, .. } => {
            format!("If it is meant, export {variable}=…, add --api-url …, or store a token for it with xtrasec login --api-url …").into()
        }
        Hint::UseLastingToken => {
            "Use what lasts: an access key, a service account's key, or the id and the secret of a client".into()
        }
        Hint::Correct { option } => format!("It comes from {}", flag(option)?).into(),
        Hint::LeaveOut { option } => format!("Leave {} out", flag(option)?).into(),
        Hint::LeaveLocalMode { variable } => format!("Unset {variable} to ask the service").into(),
        // the way to the service
        Hint::CheckBaseUrl { form: Some(form) } => format!("Check that the base URL {form}").into(),
        Hint::CheckBaseUrl { form: None } => "Check the base URL".into(),
        Hint::UseHttps => "Use https://; http:// is for loopback hosts only".into(),
        Hint::AddRootCertificate => {
            "Name the file with the authority in SSL_CERT_FILE, or the directory with it in SSL_CERT_DIR".into()
        }
        Hint::Add { options: ["folder"] } => "Set SY_FOLDER_KEYS to the folder's key: ID=KEY, the key in base64".into(),
        Hint::Raise { .. } | Hint::CacheLonger | Hint::Add { .. } => return None,
        // time
        Hint::Retry => "Try again".into(),
        Hint::Wait { wait: Some(wait) } => format!("Try again in {} s", wait.as_secs()).into(),
        Hint::Wait { wait: None } => "Try again in a minute".into(),
        // what a command may accept
        Hint::AllowEmpty => "Check both names, or add --allow-empty".into(),
        Hint::AllowUnreadable | Hint::InjectElsewhere | Hint::ServerMessage => return None,
        Hint::AllowAnyAnswer => "If they are secrets, `run` and `export` take them with --allow-any-answer".into(),
        Hint::AllowName { names } => format!("Allow what is guarded: --allow-name {}", names.join(",")).into(),
        Hint::AllowAnyName => "--allow-any-name accepts it".into(),
        Hint::Exact => "Add --exact if it is meant as it is given".into(),
        Hint::ChooseVariables => {
            "Leave a secret out with --exclude, or give its variable another name (run --rename)".into()
        }
        Hint::NameOthers => "To leave these out, name the others with --only".into(),
        Hint::Verbatim => "To take values as they are, add --shallow".into(),
        Hint::Invalidate => "If that is right, add --allow-any-answer".into(),
        Hint::Confirm => "If it is meant, add --yes".into(),
        // writes
        Hint::Overwrite => "Without --new it is changed".into(),
        Hint::DeleteIfExists => "To be sure, delete it again with --if-exists".into(),
        Hint::Repair { .. } => "`xtrasec repair --dry-run` shows the rows, and `xtrasec repair` leaves one".into(),
        Hint::KeepRow => "Say which row stays with --keep".into(),
        Hint::LookAt { call } => format!("{} tells", command(call)?).into(),
        Hint::Use { call, purpose } => format!("To {purpose}, use {}", command(call)?).into(),
        Hint::RequestAccess => "Ask for it in the dashboard, then try again".into(),
        // a kind of advice that this version does not know is still better than none
        other => other.to_string().into(),
    })
}

/// The flag or variable of an option.
pub(crate) fn flag(option: &str) -> Option<&'static str> {
    Some(match option {
        "environment" => "--env",
        "branch" => "--branch",
        "project_id" => "--project",
        "api_url" | "base_url" => "--api-url",
        "path" => "--path",
        "offline" => "--offline",
        "prefix" => "--prefix",
        _ => return None,
    })
}

/// The command that does what a method does.
fn command(call: &str) -> Option<&'static str> {
    Some(match call {
        "history" | "secret_history" => "`xtrasec history`",
        "list_branches" => "`xtrasec branches`",
        "list_secret_names" => "`xtrasec list`",
        "promote" | "promote_secrets" => "`xtrasec promote`",
        "render" => "`xtrasec render`",
        "repair_secret" => "`xtrasec repair`",
        "set_secret" | "set_secrets" => "`xtrasec set`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use xtrasecurity::ErrorKind;

    use super::*;

    /// One of each.
    fn every_hint() -> Vec<Hint> {
        let entry = Some(FileEntry::new("project", ".xtrarc"));
        vec![
            Hint::advice("Check the names"),
            Hint::GiveToken { variable: "XTRA_TOKEN" },
            Hint::GiveToken { variable: "INFISICAL_TOKEN" },
            Hint::GiveProject { option: "project_id", variable: "XTRA_PROJECT_ID", entry },
            Hint::GiveEnvironment { entry },
            Hint::GivePassphrase { variable: Some("XTRA_VAULT_PASSPHRASE") },
            Hint::GivePassphrase { variable: None },
            Hint::GiveCacheDirectory { variable: "XDG_CACHE_HOME" },
            Hint::GiveBaseUrl { variable: "XTRA_API_URL", login: None },
            Hint::UseLastingToken,
            Hint::Correct { option: "api_url" },
            Hint::LeaveOut { option: "project_id" },
            Hint::Add { options: &["name", "description"] },
            Hint::Add { options: &["folder"] },
            Hint::LeaveLocalMode { variable: "XTRA_LOCAL_MODE" },
            Hint::check_base_url("ends in /api"),
            Hint::CheckBaseUrl { form: None },
            Hint::UseHttps,
            Hint::AddRootCertificate,
            Hint::FixProxy { what: "Put the credentials into the proxy's URL".into() },
            Hint::Raise { limit: "call_timeout" },
            Hint::Retry,
            Hint::Wait { wait: Some(Duration::from_secs(90)) },
            Hint::Wait { wait: None },
            Hint::CacheLonger,
            Hint::AllowEmpty,
            Hint::AllowUnreadable,
            Hint::AllowAnyAnswer,
            Hint::AllowName { names: vec!["PATH".to_owned()] },
            Hint::AllowAnyName,
            Hint::Exact,
            Hint::ChooseVariables,
            Hint::NameOthers,
            Hint::Verbatim,
            Hint::Invalidate,
            Hint::Confirm,
            Hint::InjectElsewhere,
            Hint::Overwrite,
            Hint::DeleteIfExists,
            Hint::Repair { name: "API_KEY".to_owned() },
            Hint::KeepRow,
            Hint::LookAt { call: "list_branches" },
            Hint::Use { call: "promote", purpose: "copy secrets" },
            Hint::RequestAccess,
            Hint::ServerMessage,
        ]
    }

    fn name(hint: &Hint) -> String {
        format!("{hint:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
    }

    #[test]
    fn every_kind_of_advice_has_a_line_of_its_own_in_the_table() {
        let library = include_str!("../../../src/core/error/hint.rs");
        let (_, variants) = library.split_once("pub enum Hint {").unwrap();
        let (variants, _) = variants.split_once("\n}\n").unwrap();
        let known: BTreeSet<String> = variants
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
            .map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect();
        assert_eq!(known, every_hint().iter().map(name).collect());
        let table = include_str!("hints.rs").split_once("#[cfg(test)]").unwrap().0;
        for name in known {
            assert!(table.contains(&format!("Hint::{name}")), "{name}");
        }
    }

    #[test]
    fn the_library_names_no_flags_and_the_command_no_methods() {
        for hint in every_hint() {
            let theirs = hint.to_string();
            assert!(!theirs.contains("--") && !theirs.contains("xtrasec "), "{theirs}");
            let Some(ours) = advice(&hint) else { continue };
            for word in ["(..)", "()", " option", "allow_", "retry_after", "the call", "builder"] {
                assert!(!ours.contains(word), "{word}: {ours}");
            }
            assert!(!ours.ends_with('.') && !ours.starts_with(char::is_lowercase), "{ours}");
        }
    }

    #[test]
    fn an_error_is_told_without_its_call_and_with_what_can_be_typed() {
        let error = XtraError::new(ErrorKind::RateLimited, "too many requests")
            .with_note("Nothing was written")
            .with_hint(Hint::Wait { wait: Some(Duration::from_secs(90)) })
            .with_hint(Hint::CacheLonger)
            .in_call("set_secret");
        assert_eq!(told(&error), "too many requests. Nothing was written. Try again in 90 s");
    }
}
