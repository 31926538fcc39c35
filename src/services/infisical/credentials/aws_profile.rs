//! The profile of AWS that its tools keep in files: a region, and keys that stand there as they are.

use std::fmt;
use std::path::PathBuf;

use super::aws::AwsCredentials;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::{ProcessEnv, file};
use crate::services::infisical::scope::quoted;

const PROFILE: &str = "AWS_PROFILE";

/// The profile that counts when none is named.
const DEFAULT: &str = "default";

/// A file of profiles: the variable that names it, and where it is otherwise.
struct ProfileFile {
    variable: &'static str,
    default: &'static str,
    /// What stands before the name of a profile in a header. The default profile's may do without.
    prefix: &'static str,
}

/// In the order that counts: a setting that both have is the first one's.
const FILES: [ProfileFile; 2] = [
    ProfileFile { variable: "AWS_SHARED_CREDENTIALS_FILE", default: ".aws/credentials", prefix: "" },
    ProfileFile { variable: "AWS_CONFIG_FILE", default: ".aws/config", prefix: "profile" },
];

/// Settings by which a profile gets its credentials elsewhere, and which count more than keys.
const ELSEWHERE: [&str; 7] = [
    "role_arn",
    "web_identity_token_file",
    "source_profile",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "login_session",
];

/// Such a setting that counts less than keys.
const PROCESS: &str = "credential_process";

/// The settings of one profile, by both files. `Debug` prints nothing of them.
#[derive(Default)]
pub(super) struct Profile {
    name: String,
    is_there: bool,
    pub(super) region: Option<String>,
    access_key: Option<String>,
    secret_key: Option<SecretValue>,
    session_token: Option<SecretValue>,
    elsewhere: Option<&'static str>,
    has_process: bool,
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, else the default one, which need not be there.
    pub(super) fn load(env: &ProcessEnv) -> Result<Self, XtraError> {
        let named = env.setting(PROFILE)?.map(|found| found.value);
        let is_named = named.is_some();
        let mut profile = Self { name: named.unwrap_or_else(|| DEFAULT.to_owned()), ..Self::default() };
        for file in FILES {
            if let Some(content) = file.read(env)? {
                profile.add(&content, file.prefix);
            }
        }
        if is_named && !profile.is_there {
            let message = format!("no file of AWS has the profile that {PROFILE} names");
            return Err(XtraError::new(ErrorKind::Credentials, message)
                .with_hint(Hint::advice("Name one of ~/.aws/credentials or ~/.aws/config, or unset the variable")));
        }
        Ok(profile)
    }

    /// Its keys. `None` when it has nothing to do with credentials.
    pub(super) fn credentials(self) -> Result<Option<AwsCredentials>, XtraError> {
        let refusal = |what: String| {
            let message = format!("the profile {} of AWS {what}", quoted(&self.name));
            Err(XtraError::new(ErrorKind::Credentials, message))
        };
        let unsupported = |setting: &str| {
            refusal(format!("gets its credentials by `{setting}`, which is not supported")).map_err(|error| {
                let advice = "Set AWS_ACCESS_KEY_ID and its kin, as `aws configure export-credentials --format env` prints \
                              them, or name a profile that has keys";
                error.with_hint(Hint::advice(advice))
            })
        };
        match (self.elsewhere, self.access_key, self.secret_key) {
            (Some(setting), _, _) => unsupported(setting),
            (None, Some(access_key), Some(secret_key)) => {
                Ok(Some(AwsCredentials { access_key, secret_key, session_token: self.session_token }))
            }
            (None, None, None) if self.has_process => unsupported(PROCESS),
            (None, None, None) => Ok(None),
            _ => refusal("has one of `aws_access_key_id` and `aws_secret_access_key` without the other".to_owned()),
        }
    }

    /// Adds what a file says of this profile and no earlier file has said.
    fn add(&mut self, content: &str, prefix: &str) {
        // in a file with prefixes, a default profile with one counts more
        let headers = || content.lines().filter_map(|line| header(line, prefix));
        let prefixed = self.name == DEFAULT && headers().any(|(name, prefixed)| name == DEFAULT && prefixed);
        let mut said = Self::default();
        let mut is_here = false;
        for line in content.lines() {
            if line.starts_with('[') {
                is_here = header(line, prefix).is_some_and(|(name, has_prefix)| {
                    let is_form = has_prefix || prefix.is_empty() || (name == DEFAULT && !prefixed);
                    name == self.name && is_form
                });
                self.is_there |= is_here;
            } else if is_here && let Some((name, value)) = setting(line) {
                said.set(name, value);
            }
        }
        self.region = self.region.take().or(said.region);
        // a session token is of no use with other keys
        if self.access_key.is_none() && self.secret_key.is_none() {
            (self.access_key, self.secret_key) = (said.access_key, said.secret_key);
            self.session_token = said.session_token;
        }
        self.elsewhere = self.elsewhere.or(said.elsewhere);
        self.has_process |= said.has_process;
    }

    fn set(&mut self, name: &str, value: &str) {
        let is = |known: &&str| name.eq_ignore_ascii_case(known);
        match name.to_ascii_lowercase().as_str() {
            _ if value.is_empty() => {}
            "region" => self.region = Some(value.to_owned()),
            "aws_access_key_id" => self.access_key = Some(value.to_owned()),
            "aws_secret_access_key" => self.secret_key = Some(value.into()),
            "aws_session_token" => self.session_token = Some(value.into()),
            PROCESS => self.has_process = true,
            _ => self.elsewhere = self.elsewhere.or_else(|| ELSEWHERE.into_iter().find(is)),
        }
    }
}

impl ProfileFile {
    fn read(&self, env: &ProcessEnv) -> Result<Option<zeroize::Zeroizing<String>>, XtraError> {
        let named = env.setting(self.variable)?;
        let in_home = |path: &str| env.home().map(|home| home.join(path));
        let (path, shown) = match &named {
            Some(found) => {
                let path = found.value.strip_prefix("~/").and_then(in_home);
                (path.unwrap_or_else(|| PathBuf::from(&found.value)), format!("the file that {} names", self.variable))
            }
            None => match in_home(self.default) {
                Some(path) => (path, format!("~/{}", self.default)),
                None => return Ok(None),
            },
        };
        let unusable = |why: &file::FileError| {
            let message = format!("the profiles of AWS cannot be read: {shown}: {why}");
            why.attached_to(XtraError::new(ErrorKind::Credentials, message))
        };
        match file::read(&path) {
            Ok(content) => match std::str::from_utf8(&content) {
                Ok(text) => Ok(Some(zeroize::Zeroizing::new(text.to_owned()))),
                Err(_) => Err(unusable(&file::FileError::NotUnicode)),
            },
            Err(file::FileError::Missing) => Ok(None),
            Err(why) => Err(unusable(&why)),
        }
    }
}

/// The name in a header, and whether the prefix stands before it.
fn header<'l>(line: &'l str, prefix: &str) -> Option<(&'l str, bool)> {
    let (inner, _) = line.strip_prefix('[')?.split_once(']')?;
    let inner = inner.trim();
    let rest = inner.strip_prefix(prefix).filter(|rest| !prefix.is_empty() && rest.starts_with([' ', '\t', '"']));
    let name = rest.unwrap_or(inner).trim();
    let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    Some((quoted.unwrap_or(name), rest.is_some()))
}

/// A setting of a line. Indented lines belong to the setting above, and none of those is read.
fn setting(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    let comment = [" #", " ;", "\t#", "\t;"].into_iter().filter_map(|begin| value.find(begin)).min();
    Some((name.trim(), value[..comment.unwrap_or(value.len())].trim()))
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;
    use tempfile::TempDir;

    use super::super::aws::signed_request;
    use super::*;

    const CREDENTIALS: &str = "# keys\n[default]\naws_access_key_id = AKIDEFAULT\naws_secret_access_key = s/1 # old\n\
        [ work ] ; of work\nAWS_ACCESS_KEY_ID=AKIWORK\naws_secret_access_key=s2\naws_session_token=t==\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n  region = us-west-9\n\
        [profile work]\nregion=us-gov-west-1\naws_access_key_id=AKIOTHER\n[work]\nregion=sa-east-1\n\
        [profile \"two words\"]\nregion=eu-west-2\naws_access_key_id=AKITWO\naws_secret_access_key=s3\n\
        [profile asia]\nregion=cn-north-1\n[profile keys]\naws_access_key_id=AKIHALF\n\
        [profile taken]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = default\naws_access_key_id=A\naws_secret_access_key=s\n\
        [profile sso]\nsso_session = hunter2\n[profile made]\ncredential_process = /bin/hunter2\n\
        [profile both]\ncredential_process = /bin/p\naws_access_key_id=AKIBOTH\naws_secret_access_key=s\n";

    fn home() -> TempDir {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
        home
    }

    /// Who signs, in which region, and the session token.
    async fn signer(home: &TempDir, variables: &[(&str, &str)]) -> Result<(String, String, Option<String>), XtraError> {
        let off = [("AWS_EC2_METADATA_DISABLED", "true")];
        let variables: Vec<_> = off.iter().chain(variables).copied().collect();
        let env = ProcessEnv::of(&variables).with_home(home.path());
        let signed = signed_request(&env, SystemTime::UNIX_EPOCH).await?;
        let headers: Value = serde_json::from_slice(&STANDARD.decode(signed.headers.expose()).unwrap()).unwrap();
        let authorization = headers["Authorization"].as_str().unwrap();
        let mut parts = authorization.split_once("Credential=").unwrap().1.split('/');
        let (key, region) = (parts.next().unwrap().to_owned(), parts.nth(1).unwrap().to_owned());
        Ok((key, region, headers["X-Amz-Security-Token"].as_str().map(str::to_owned)))
    }

    fn is(key: &str, region: &str, token: Option<&str>) -> (String, String, Option<String>) {
        (key.into(), region.into(), token.map(str::to_owned))
    }

    #[tokio::test]
    async fn the_profile_gives_keys_and_region_and_variables_come_before_it() {
        let home = home();
        let with = async |variables: &[(&str, &str)]| signer(&home, variables).await.unwrap();
        assert_eq!(with(&[]).await, is("AKIDEFAULT", "eu-west-1", None));
        let work = ("AWS_PROFILE", "work");
        assert_eq!(with(&[work]).await, is("AKIWORK", "us-gov-west-1", Some("t==")));
        assert_eq!(with(&[work, ("AWS_DEFAULT_REGION", "us-east-2")]).await.1, "us-east-2");
        assert_eq!(with(&[("AWS_PROFILE", "two words")]).await, is("AKITWO", "eu-west-2", None));
        assert_eq!(with(&[("AWS_PROFILE", "both"), ("AWS_REGION", "us-east-1")]).await.0, "AKIBOTH");
        let own = [("AWS_ACCESS_KEY_ID", "AKIOWN"), ("AWS_SECRET_ACCESS_KEY", "s")];
        assert_eq!(with(&own).await, is("AKIOWN", "eu-west-1", None));
    }

    #[tokio::test]
    async fn files_are_those_that_the_variables_name() {
        let (home, other) = (home(), tempfile::tempdir().unwrap());
        let path = |name: &str| other.path().join(name).display().to_string();
        fs::write(path("keys"), "[work]\naws_access_key_id=AKIELSE\naws_secret_access_key=s\n").unwrap();
        fs::write(path("settings"), "[profile default]\nregion=eu-north-1\n[default]\nregion=eu-west-1\n").unwrap();
        let (keys, settings) = (path("keys"), path("settings"));
        let files = [("AWS_SHARED_CREDENTIALS_FILE", keys.as_str()), ("AWS_CONFIG_FILE", settings.as_str())];
        let found = signer(&home, &[files[0], ("AWS_PROFILE", "work")]).await.unwrap();
        assert_eq!(found, is("AKIELSE", "us-gov-west-1", None));
        let found = signer(&home, &[files[1]]).await.unwrap();
        assert_eq!(found, is("AKIDEFAULT", "eu-north-1", None), "the prefixed default counts more");
        let tilde = ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        assert_eq!(signer(&home, &[tilde]).await.unwrap().0, "AKIDEFAULT");
        fs::write(&keys, b"[work]\n\xff").unwrap();
        let error = signer(&home, &files[..1]).await.unwrap_err().to_string();
        assert!(error.contains("AWS_SHARED_CREDENTIALS_FILE") && error.contains("UTF-8"), "{error}");
    }

    #[tokio::test]
    async fn a_profile_that_cannot_be_used_is_named_with_the_reason_and_without_its_settings() {
        let home = home();
        for (profile, expected) in [
            ("taken", "`role_arn`, which is not supported"),
            ("sso", "`sso_session`, which is not supported"),
            ("made", "`credential_process`, which is not supported"),
            ("keys", "without the other"),
        ] {
            let variables = [("AWS_PROFILE", profile), ("AWS_REGION", "eu-west-1")];
            let error = signer(&home, &variables).await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(error.kind() == ErrorKind::Credentials && text.contains(expected), "{text}");
            assert!(text.contains(profile) && !text.contains("hunter2") && !text.contains("arn:"), "{text}");
        }
        let error = signer(&home, &[("AWS_PROFILE", "nowhere")]).await.unwrap_err();
        assert!(error.to_string().contains("AWS_PROFILE"), "{error}");
    }

    #[tokio::test]
    async fn a_profile_with_a_region_alone_and_no_files_at_all_leave_it_to_the_container() {
        let none = tempfile::tempdir().unwrap();
        for (home, profile) in [(&home(), "asia"), (&none, "")] {
            let variables = [
                ("AWS_PROFILE", profile),
                ("AWS_REGION", "us-east-1"),
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/"),
            ];
            let error = signer(home, &variables).await.unwrap_err();
            assert!(error.to_string().contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "{error}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let mut profile = Profile { name: DEFAULT.into(), ..Profile::default() };
        profile.add("[default]\naws_access_key_id=A\naws_secret_access_key=hunter2\n", "");
        assert!(profile.secret_key.is_some() && !format!("{profile:?}").contains("hunter2"));
    }
}
