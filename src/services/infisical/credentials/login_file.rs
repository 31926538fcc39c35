//! The login of Infisical's command: `~/.infisical/infisical-config.json`, and the token in its file keyring.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::jwe;
use super::settings::with_suffix;
use crate::core::{SecretValue, events};
use crate::credentials::file::{self, FileError};
use crate::credentials::{ProcessEnv, Sourced};

/// The file, below the user's home, as messages name it.
pub(super) const LOGIN_FILE: &str = "~/.infisical/infisical-config.json";
const PATH: &str = ".infisical/infisical-config.json";
const KEYRING: &str = "infisical-keyring";

/// What the command's own keyring library reads. The command sets it from its file, which therefore comes before it.
const PASSPHRASE: &str = "INFISICAL_VAULT_FILE_PASSPHRASE";

/// What the command has written about the user who is logged in.
pub(super) struct LoginFile {
    email: Option<String>,
    base_url: Option<Sourced>,
    keeps_files: bool,
    passphrase: Option<SecretValue>,
}

/// Why a login gave no token.
#[derive(Debug)]
pub(super) enum Miss {
    /// There is no login.
    Absent(String),
    /// There is one that cannot be used.
    Unusable(String),
}

/// The token of a login, and the base URL that it belongs to; `None` is Infisical's own.
pub(super) struct Login {
    pub(super) token: SecretValue,
    pub(super) base_url: Option<Sourced>,
}

impl LoginFile {
    /// Reads the file.
    pub(super) fn read(env: &ProcessEnv) -> Result<Self, Miss> {
        let home = env.home().ok_or_else(|| Miss::Absent("no home directory is known".to_owned()))?;
        let content = file::read(&home.join(PATH)).map_err(|why| match why {
            FileError::Missing => Miss::Absent(why.to_string()),
            _ => Miss::Unusable(why.to_string()),
        })?;
        let members = ["loggedInUserEmail", "LoggedInUserDomain", "vaultBackendType", "vaultBackendPassphrase"];
        let texts = file::texts(&content, &members).map_err(|why| Miss::Unusable(why.to_string()))?;
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let (email, domain, vault, passphrase) = (next(), next(), next(), next());
        let origin = format!("{LOGIN_FILE} (LoggedInUserDomain)");
        Ok(Self {
            email,
            base_url: domain.map(|domain| with_suffix(Sourced::new(domain, origin))),
            keeps_files: vault.is_some_and(|vault| vault == "file"),
            passphrase: passphrase.map(SecretValue::new),
        })
    }

    /// The base URL of the login.
    pub(super) fn into_base_url(self) -> Option<Sourced> {
        self.base_url
    }

    /// The token in the keyring.
    pub(super) fn open(self, env: &ProcessEnv) -> Result<Login, Miss> {
        let Some(email) = self.email.as_deref() else {
            return Err(Miss::Absent("nobody is logged in".to_owned()));
        };
        let token = self.token(email, env).map_err(Miss::Unusable)?;
        Ok(Login { token, base_url: self.base_url })
    }

    fn token(&self, email: &str, env: &ProcessEnv) -> Result<SecretValue, String> {
        if !self.keeps_files {
            return in_os_keyring(email);
        }
        let passphrase = self.passphrase(env)?;
        let path = keyring_file(env, email).ok_or("the name of the user makes no name of a file")?;
        let sealed = file::read(&path).map_err(|why| format!("the user's keyring: {why}"))?;
        let content = jwe::open(&sealed, &passphrase).map_err(|why| format!("the user's keyring: {why}"))?;
        let token = token_of(&content, email).ok_or("the user's keyring holds no token of this user")?;
        if file::is_open_to_others(&path) {
            tracing::warn!(target: events::CREDENTIALS, ?path, "other users can read this file, and it holds a token: take their rights away");
        }
        Ok(token)
    }

    fn passphrase(&self, env: &ProcessEnv) -> Result<Zeroizing<Vec<u8>>, String> {
        match &self.passphrase {
            Some(encoded) => match STANDARD.decode(encoded.expose()) {
                Ok(passphrase) => Ok(Zeroizing::new(passphrase)),
                Err(_) => Err("its vaultBackendPassphrase is not base64".to_owned()),
            },
            None => match env.var(PASSPHRASE) {
                Ok(Some(text)) if !text.is_empty() => Ok(Zeroizing::new(text.into_bytes())),
                _ => Err(format!("neither it nor {PASSPHRASE} has the passphrase of the keyring")),
            },
        }
    }
}

/// The token of a login that is not in a file.
#[cfg(feature = "keyring")]
fn in_os_keyring(email: &str) -> Result<SecretValue, String> {
    let place = "the login's token is in the keyring of the operating system";
    let text = super::os_keyring::read(email).map_err(|why| format!("{place}, and {why}"))?;
    token_in(&text, email).ok_or_else(|| format!("{place}, which holds no token of this user"))
}

#[cfg(not(feature = "keyring"))]
fn in_os_keyring(_email: &str) -> Result<SecretValue, String> {
    Err("the login's token is in the keyring of the operating system, which is read with the feature `keyring` alone \
         (`infisical vault set file` moves it)"
        .to_owned())
}

/// The file that the keyring library keeps an account in: `/` and `%` are percent-encoded. A name that would lead out of the
/// directory is none.
fn keyring_file(env: &ProcessEnv, email: &str) -> Option<PathBuf> {
    let name = email.replace('%', "%25").replace('/', "%2F");
    let stays = !matches!(name.as_str(), "" | "." | "..") && !name.contains(['\\', ':', '\0']);
    stays.then(|| env.home().map(|home| home.join(KEYRING).join(name)))?
}

/// The plaintext is a JSON text that holds JSON.
fn token_of(content: &[u8], email: &str) -> Option<SecretValue> {
    let inner: Zeroizing<String> = Zeroizing::new(serde_json::from_slice(content).ok()?);
    token_in(&inner, email)
}

/// The token of a user in what the command keeps of a login.
fn token_in(text: &str, email: &str) -> Option<SecretValue> {
    let texts = file::texts(text.as_bytes(), &["email", "JTWToken"]).ok()?;
    let [known, token] = <[Option<String>; 2]>::try_from(texts).ok()?;
    let token = token.map(SecretValue::new)?;
    known.is_none_or(|known| known == email).then_some(token)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::super::jwe::tests::{FILE, PASSPHRASE as GIVEN};
    use super::*;

    /// A home in which somebody is logged in, with these members besides the usual.
    pub(in super::super) fn home(members: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join(".infisical")).unwrap();
        fs::create_dir_all(home.path().join(KEYRING)).unwrap();
        let config = format!(r#"{{"loggedInUserEmail":"dev@example.com"{members}}}"#);
        fs::write(home.path().join(PATH), config).unwrap();
        fs::write(home.path().join(KEYRING).join("dev@example.com"), FILE).unwrap();
        home
    }

    pub(in super::super) const IN_FILE: &str = r#","LoggedInUserDomain":"https://own.example/api","vaultBackendType":"file","vaultBackendPassphrase":"YUIzZEU1Z0g3ag==""#;

    fn opened(members: &str, variables: &[(&str, &str)]) -> Result<Login, String> {
        let home = home(members);
        let env = ProcessEnv::of(variables).with_home(home.path());
        LoginFile::read(&env).and_then(|file| file.open(&env)).map_err(text)
    }

    fn text(miss: Miss) -> String {
        match miss {
            Miss::Absent(text) | Miss::Unusable(text) => text,
        }
    }

    fn problem(members: &str) -> String {
        opened(members, &[]).err().unwrap()
    }

    #[test]
    fn a_login_in_the_file_keyring_gives_its_token_and_the_base_url_that_it_belongs_to() {
        let login = opened(IN_FILE, &[]).unwrap();
        assert_eq!(login.token.expose(), "header.payload.sig");
        let base_url = login.base_url.unwrap();
        assert_eq!(base_url.value, "https://own.example/api");
        assert_eq!(base_url.origin, "~/.infisical/infisical-config.json (LoggedInUserDomain)");
    }

    #[test]
    fn a_login_without_a_base_url_is_to_infisicals_own() {
        let members = r#","vaultBackendType":"file","vaultBackendPassphrase":"YUIzZEU1Z0g3ag==""#;
        assert!(opened(members, &[]).unwrap().base_url.is_none());
    }

    #[test]
    fn the_variable_has_the_passphrase_only_when_the_file_has_none() {
        let members = r#","vaultBackendType":"file""#;
        assert!(opened(members, &[(PASSPHRASE, GIVEN)]).is_ok());
        assert!(opened(IN_FILE, &[(PASSPHRASE, "another")]).is_ok());
        let without = opened(members, &[]).err().unwrap();
        assert!(without.contains(PASSPHRASE), "{without}");
    }

    #[test]
    fn each_thing_that_is_missing_is_named_and_nothing_is_quoted() {
        let wrong = IN_FILE.replace("YUIzZEU1Z0g3ag==", "aHVudGVyMg==");
        let not_base64 = IN_FILE.replace("YUIzZEU1Z0g3ag==", "%hunter2%");
        for (members, expected) in [
            ("", "keyring of the operating system"),
            (r#","vaultBackendType":"auto""#, "in the keyring of the operating system"),
            (wrong.as_str(), "passphrase does not open it"),
            (not_base64.as_str(), "not base64"),
            (r#","vaultBackendType":["hunter2"]"#, "wrong type"),
        ] {
            let text = problem(members);
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        }
        let nobody = home("");
        fs::write(nobody.path().join(PATH), r#"{"loggedInUserEmail":""}"#).unwrap();
        let env = ProcessEnv::of(&[]).with_home(nobody.path());
        let miss = LoginFile::read(&env).and_then(|file| file.open(&env)).err().unwrap();
        assert!(matches!(&miss, Miss::Absent(text) if text.contains("nobody is logged in")), "{miss:?}");
        let miss = LoginFile::read(&ProcessEnv::of(&[])).err().unwrap();
        assert!(matches!(&miss, Miss::Absent(text) if text.contains("no home directory")), "{miss:?}");
    }

    #[cfg(feature = "keyring")]
    #[test]
    fn a_login_in_the_keyring_of_the_operating_system_gives_its_token_too() {
        let login =
            r#"{"email":"kept@example.com","privateKey":"p","JTWToken":"header.payload.sig","RefreshToken":""}"#;
        keyring_core::set_default_store(super::super::os_keyring::tests::keyring("kept@example.com", login));
        let home = home("");
        let open = |email: &str, vault: &str| {
            let config =
                format!(r#"{{"loggedInUserEmail":"{email}","LoggedInUserDomain":"https://own.example"{vault}}}"#);
            fs::write(home.path().join(PATH), config).unwrap();
            let env = ProcessEnv::of(&[]).with_home(home.path());
            LoginFile::read(&env).and_then(|file| file.open(&env)).map_err(text)
        };
        for vault in ["", r#","vaultBackendType":"auto""#] {
            let login = open("kept@example.com", vault).unwrap();
            assert_eq!(login.token.expose(), "header.payload.sig");
            assert_eq!(login.base_url.unwrap().value, "https://own.example/api");
            let other = open("other@example.com", vault).err().unwrap();
            assert!(other.contains("has no login of this user"), "{other}");
        }
    }

    #[test]
    fn the_name_of_a_user_leads_to_no_file_outside_of_the_keyring() {
        let env = ProcessEnv::of(&[]).with_home("/home/u");
        let file = |email| keyring_file(&env, email).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(file("a/../b@c").as_deref(), Some("/home/u/infisical-keyring/a%2F..%2Fb@c"));
        assert_eq!(file("50%@c").as_deref(), Some("/home/u/infisical-keyring/50%25@c"));
        for email in ["", ".", "..", "a\\b", "c:b", "a\0b"] {
            assert_eq!(file(email), None, "{email:?}");
        }
    }

    #[test]
    fn a_keyring_of_another_user_gives_no_token() {
        assert!(token_of(br#""{\"email\":\"a\",\"JTWToken\":\"t\"}""#, "a").is_some());
        for content in [
            &br#""{\"email\":\"b\",\"JTWToken\":\"t\"}""#[..],
            br#""{\"email\":\"a\"}""#,
            br#"{"email":"a","JTWToken":"t"}"#,
            b"\"not JSON\"",
            b"",
        ] {
            assert!(token_of(content, "a").is_none());
        }
    }
}
