//! The keyring of the operating system, where Infisical's command keeps a login unless it is told to use files.

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

/// What the command calls itself there.
const SERVICE: &str = "infisical-cli";

/// A keyring may ask its user for leave, who may not be there.
const LONGEST: Duration = Duration::from_secs(10);

/// What the command's library writes before a text that it has encoded, on systems whose tools take no other.
const BASE64: &str = "go-keyring-base64:";
const HEX: &str = "go-keyring-encoded:";

/// The text that the command has kept for an account, or why there is none. Waits for the keyring on a thread, 10 s at most.
pub(super) fn read(account: &str) -> Result<Zeroizing<String>, String> {
    let (tell, told) = mpsc::channel();
    let account = account.to_owned();
    let work = move || {
        let text = store().map_err(|error| why(&error)).and_then(|store| read_from(&store, &account));
        let _ = tell.send(text);
    };
    std::thread::Builder::new()
        .name("secrets-keyring".to_owned())
        .spawn(work)
        .map_err(|_| "the system gives no thread to ask it on".to_owned())?;
    told.recv_timeout(LONGEST).unwrap_or_else(|_| Err(format!("it gives no answer within {LONGEST:?}")))
}

/// The store that the program has set for all that use the library, or else the operating system's.
fn store() -> Result<Arc<CredentialStore>, Error> {
    if let Some(store) = keyring_core::get_default_store() {
        return Ok(store);
    }
    #[cfg(target_os = "macos")]
    return Ok(apple_native_keyring_store::keychain::Store::new()?);
    #[cfg(windows)]
    return Ok(windows_native_keyring_store::Store::new()?);
    #[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
    return Ok(zbus_secret_service_keyring_store::Store::new()?);
    #[cfg(not(any(target_os = "macos", windows, all(unix, not(any(target_os = "ios", target_os = "android"))))))]
    Err(Error::NoDefaultStore)
}

fn read_from(store: &Arc<CredentialStore>, account: &str) -> Result<Zeroizing<String>, String> {
    // the one system that knows no accounts: the command's library makes a name of both
    let name = format!("{SERVICE}:{account}");
    let named = HashMap::from([("target", name.as_str())]);
    let entry = match cfg!(windows) {
        true => Entry::new_in_store_with_modifiers(store, SERVICE, account, &named),
        false => Entry::new_in_store(store, SERVICE, account),
    };
    let text = entry.and_then(|entry| entry.get_password()).map_err(|error| why(&error))?;
    decoded(Zeroizing::new(text)).ok_or_else(|| "what it has is not encoded as the command does".to_owned())
}

fn decoded(text: Zeroizing<String>) -> Option<Zeroizing<String>> {
    let bytes = if let Some(encoded) = text.strip_prefix(BASE64) {
        STANDARD.decode(encoded).ok()?
    } else if let Some(encoded) = text.strip_prefix(HEX) {
        hex::decode(encoded).ok()?
    } else {
        return Some(text);
    };
    let bytes = Zeroizing::new(bytes);
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// In words of our own: an error of the library may hold what it has read.
fn why(error: &Error) -> String {
    match error {
        Error::NoEntry => "it has no login of this user",
        Error::NoStorageAccess(_) => "it is locked, or may not be read",
        Error::Ambiguous(_) => "it has more than one login of this user",
        Error::BadEncoding(_) => "what it has is no text",
        _ => "it cannot be reached",
    }
    .to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A keyring in memory, in which an account has this text.
    pub(in super::super) fn keyring(account: &str, text: &str) -> Arc<CredentialStore> {
        let store: Arc<CredentialStore> = keyring_core::mock::Store::new().unwrap();
        Entry::new_in_store(&store, SERVICE, account).unwrap().set_password(text).unwrap();
        store
    }

    #[test]
    fn the_login_of_an_account_is_found_as_the_command_keeps_it_encoded_or_not() {
        for text in ["{}", "go-keyring-base64:e30=", "go-keyring-encoded:7b7d"] {
            let store = keyring("dev@example.com", text);
            assert_eq!(*read_from(&store, "dev@example.com").unwrap(), "{}", "{text}");
            assert_eq!(read_from(&store, "other@example.com").unwrap_err(), "it has no login of this user");
        }
        for text in ["go-keyring-base64:canary", "go-keyring-encoded:canary", "go-keyring-base64:/w=="] {
            let error = read_from(&keyring("dev@example.com", text), "dev@example.com").unwrap_err();
            assert!(error.contains("not encoded") && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn what_a_keyring_fails_with_is_told_without_what_it_has_read() {
        let store = keyring("dev@example.com", "canary");
        for (error, expected) in [
            (Error::BadEncoding(b"canary".to_vec()), "no text"),
            (Error::NoStorageAccess("canary".into()), "locked"),
            (Error::PlatformFailure("canary".into()), "cannot be reached"),
        ] {
            let entry = Entry::new_in_store(&store, SERVICE, "dev@example.com").unwrap();
            entry.as_any().downcast_ref::<keyring_core::mock::Cred>().unwrap().set_error(error);
            let told = read_from(&store, "dev@example.com").unwrap_err();
            assert!(told.contains(expected) && !told.contains("canary"), "{told}");
        }
    }
}
