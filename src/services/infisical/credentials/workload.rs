//! The machine identity that variables name: its method of authentication, by name or by what the platform has.

use std::fmt;

use super::auth::{Auth, TokenMethod, check_id};
use super::id_token::{AzureClient, GITHUB_TOKEN, GITHUB_URL, IdToken};
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::{ProcessEnv, Sourced};
use crate::services::infisical::deprecated::used_variable;

/// Says how the identity logs in, by the names that Infisical's command has for the methods.
pub(super) const METHOD: &str = "INFISICAL_AUTH_METHOD";

/// The identity, whatever its method.
const ANY_METHOD: &str = "INFISICAL_MACHINE_IDENTITY_ID";

/// The variables that name an identity and its method at once, in the order in which they count.
const OF_METHODS: &[(&str, MethodName)] = &[
    ("INFISICAL_KUBERNETES_IDENTITY_ID", MethodName::Kubernetes),
    ("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", MethodName::AwsIam),
    ("INFISICAL_GCP_AUTH_IDENTITY_ID", MethodName::Gcp),
    ("INFISICAL_AZURE_AUTH_IDENTITY_ID", MethodName::Azure),
    ("INFISICAL_OIDC_AUTH_IDENTITY_ID", MethodName::Oidc),
    ("INFISICAL_LDAP_AUTH_IDENTITY_ID", MethodName::Ldap),
];

/// The second is the name that the vendor's documentation has for the first.
const TOKEN_PATH: &[&str] =
    &["INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH_ENV_NAME"];
const KEY_FILE: &[&str] = &["INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH"];
const JWT: &[&str] = &["INFISICAL_JWT"];
/// The last is what the vendor's documentation calls the token of a job of GitLab.
const OIDC_JWT: &[&str] = &["INFISICAL_JWT", "INFISICAL_OIDC_AUTH_JWT", "INFISICAL_ID_TOKEN"];
const USERNAME: &[&str] = &["INFISICAL_LDAP_AUTH_USERNAME", "INFISICAL_LDAP_USERNAME"];
const PASSWORD: &[&str] = &["INFISICAL_LDAP_AUTH_PASSWORD", "INFISICAL_LDAP_PASSWORD"];
const AZURE_CLIENT_ID: &str = "INFISICAL_AZURE_AUTH_CLIENT_ID";
const AZURE_OBJECT_ID: &str = "INFISICAL_AZURE_AUTH_OBJECT_ID";

/// Set in every pod of a cluster.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// A method of authentication, as [`METHOD`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MethodName {
    Token,
    Universal,
    Kubernetes,
    AwsIam,
    /// By the metadata server, unless there is a key file.
    Gcp,
    GcpIdToken,
    GcpIam,
    Azure,
    Oidc,
    Jwt,
    Ldap,
}

impl MethodName {
    /// The method that the variable names, if it is set.
    pub(super) fn chosen(env: &ProcessEnv) -> Result<Option<Self>, XtraError> {
        let Some(found) = env.setting(METHOD)? else { return Ok(None) };
        let name = found.value.trim().to_ascii_lowercase().replace('_', "-");
        let method = match name.strip_suffix("-auth").unwrap_or(&name) {
            "token" | "access-token" => Self::Token,
            "universal" => Self::Universal,
            "kubernetes" => Self::Kubernetes,
            "aws-iam" | "aws" => Self::AwsIam,
            "gcp" => Self::Gcp,
            "gcp-id-token" => Self::GcpIdToken,
            "gcp-iam" => Self::GcpIam,
            "azure" => Self::Azure,
            "oidc" => Self::Oidc,
            "jwt" => Self::Jwt,
            "ldap" => Self::Ldap,
            _ => {
                let advice = "Set it to universal-auth, kubernetes, aws-iam, gcp-id-token, gcp-iam, azure, oidc-auth, \
                              jwt-auth or ldap-auth";
                return Err(XtraError::new(ErrorKind::Config, format!("{METHOD} names no method of authentication"))
                    .with_hint(Hint::advice(advice)));
            }
        };
        Ok(Some(method))
    }

    /// The variables that name an identity of this method.
    fn identity_variables(self) -> impl Iterator<Item = &'static str> {
        let fits =
            move |own: MethodName| own == self || (own == Self::Gcp && matches!(self, Self::GcpIdToken | Self::GcpIam));
        OF_METHODS.iter().filter(move |(_, own)| fits(*own)).map(|(name, _)| *name).chain([ANY_METHOD])
    }

    /// The method of an identity that says none, by the tokens that a job or a pod has.
    fn detected(env: &ProcessEnv) -> Result<Option<Self>, XtraError> {
        if first(env, OIDC_JWT)?.is_some() || has_github(env)? {
            return Ok(Some(Self::Oidc));
        }
        Ok(env.setting(IN_CLUSTER)?.map(|_| Self::Kubernetes))
    }

    /// How this identity logs in by this method, with what the variables say about it.
    fn auth(self, identity_id: &str, env: &ProcessEnv) -> Result<Auth, XtraError> {
        Ok(match self {
            Self::Token | Self::Universal => return Err(self.needs("a token, or the id and the secret of a client")),
            Self::Kubernetes => match first(env, TOKEN_PATH)? {
                Some(path) => Auth::kubernetes(identity_id).token_file(path.value),
                None => Auth::kubernetes(identity_id),
            },
            Self::AwsIam => Auth::aws_iam(identity_id),
            Self::GcpIdToken => Auth::gcp_id_token(identity_id),
            Self::GcpIam => {
                let file = first(env, KEY_FILE)?.ok_or_else(|| self.needs(Names(KEY_FILE)))?;
                Auth::gcp_iam(identity_id, file.value)
            }
            Self::Gcp => match first(env, KEY_FILE)? {
                Some(file) => Auth::gcp_iam(identity_id, file.value),
                None => Auth::gcp_id_token(identity_id),
            },
            Self::Azure => {
                let client = match (env.setting(AZURE_CLIENT_ID)?, env.setting(AZURE_OBJECT_ID)?) {
                    (Some(id), _) => Some(AzureClient::ClientId(id.value)),
                    (None, id) => id.map(|id| AzureClient::ObjectId(id.value)),
                };
                Auth::azure(identity_id).with_id_token(TokenMethod::Azure, IdToken::azure(None, client))
            }
            Self::Oidc => match variable(env, OIDC_JWT)? {
                Some(name) => Auth::oidc(identity_id, IdToken::variable(name)),
                None if has_github(env)? => Auth::oidc(identity_id, IdToken::github()),
                None => return Err(self.needs(format!("{} or a job with a token", Names(OIDC_JWT)))),
            },
            Self::Jwt => {
                let name = variable(env, JWT)?.ok_or_else(|| self.needs(Names(JWT)))?;
                Auth::jwt(identity_id, IdToken::variable(name))
            }
            Self::Ldap => {
                let username = first(env, USERNAME)?.ok_or_else(|| self.needs(Names(USERNAME)))?;
                let password = first(env, PASSWORD)?.ok_or_else(|| self.needs(Names(PASSWORD)))?;
                Auth::ldap(identity_id, username.value, SecretValue::new(password.value))
            }
        })
    }

    fn needs(self, what: impl fmt::Display) -> XtraError {
        XtraError::new(ErrorKind::Credentials, format!("to log in by {self}, the environment must have {what}"))
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "a token",
            Self::Universal => "Universal Auth",
            Self::Kubernetes => "Kubernetes Auth",
            Self::AwsIam => "AWS Auth",
            Self::Gcp | Self::GcpIdToken | Self::GcpIam => "GCP Auth",
            Self::Azure => "Azure Auth",
            Self::Oidc => "OIDC Auth",
            Self::Jwt => "JWT Auth",
            Self::Ldap => "LDAP Auth",
        })
    }
}

/// The identity that the variables name, and the variable that does, or what was seen.
pub(super) fn find(
    env: &ProcessEnv,
    method: Option<MethodName>,
) -> Result<Result<(Auth, &'static str), String>, XtraError> {
    let found = match method {
        Some(method) => identity(env, method.identity_variables())?.map(|(name, id)| (name, id, method)),
        None => without_method(env)?,
    };
    match (found, method) {
        (Some((name, id, method)), _) => {
            check_id(&id, name)?;
            Ok(Ok((method.auth(&id, env)?, name)))
        }
        // a method that is asked for and cannot be used: going on could act as somebody else
        (None, Some(method)) => {
            let names: Vec<_> = method.identity_variables().collect();
            Err(match method {
                MethodName::Token | MethodName::Universal => {
                    method.needs("a token, or the id and the secret of a client")
                }
                _ => method.needs(Names(&names)),
            }
            .with_note(format!("{METHOD} asks for this method")))
        }
        (None, None) => {
            let names: Vec<_> = OF_METHODS.iter().map(|(name, _)| *name).chain([ANY_METHOD]).collect();
            Ok(Err(format!("{}: not set", names.join(", "))))
        }
    }
}

fn without_method(env: &ProcessEnv) -> Result<Option<(&'static str, String, MethodName)>, XtraError> {
    for (name, method) in OF_METHODS {
        if let Some(found) = env.setting(name)? {
            return Ok(Some((name, found.value, *method)));
        }
    }
    let Some(found) = env.setting(ANY_METHOD)? else { return Ok(None) };
    match MethodName::detected(env)? {
        Some(method) => Ok(Some((ANY_METHOD, found.value, method))),
        None => {
            let message = format!(
                "{ANY_METHOD} names an identity, and nothing says how it logs in: {METHOD} is not set, and this is neither a \
                 job with an identity token nor a pod"
            );
            let advice = format!("Set {METHOD}, for instance to aws-iam or kubernetes");
            Err(XtraError::new(ErrorKind::Credentials, message).with_hint(Hint::advice(advice)))
        }
    }
}

fn identity(
    env: &ProcessEnv,
    names: impl Iterator<Item = &'static str>,
) -> Result<Option<(&'static str, String)>, XtraError> {
    for name in names {
        if let Some(found) = env.setting(name)? {
            return Ok(Some((name, found.value)));
        }
    }
    Ok(None)
}

/// The first of these variables that is set and not empty.
fn first(env: &ProcessEnv, names: &[&'static str]) -> Result<Option<Sourced>, XtraError> {
    for name in names {
        if let Some(found) = env.setting(name)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Its name.
fn variable(env: &ProcessEnv, names: &[&'static str]) -> Result<Option<&'static str>, XtraError> {
    let name = identity(env, names.iter().copied())?.map(|(name, _)| name);
    name.iter().for_each(|name| used_variable(name));
    Ok(name)
}

fn has_github(env: &ProcessEnv) -> Result<bool, XtraError> {
    Ok(env.setting(GITHUB_URL)?.is_some() && env.setting(GITHUB_TOKEN)?.is_some())
}

/// Names of variables, one of which is needed.
struct Names<'a>(&'a [&'a str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variable, and what is shown of the method.
    fn found(variables: &[(&str, &str)]) -> Result<Option<(&'static str, String)>, String> {
        let env = ProcessEnv::of(variables);
        let look = || find(&env, MethodName::chosen(&env)?);
        match look() {
            Ok(found) => Ok(found.ok().map(|(auth, name)| (name, format!("{auth:?}")))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn shown(variables: &[(&str, &str)]) -> String {
        found(variables).unwrap().unwrap().1
    }

    #[test]
    fn a_variable_of_a_method_names_both() {
        for (name, expected) in [
            ("INFISICAL_KUBERNETES_IDENTITY_ID", "Kubernetes, token: IdToken(\"/var/run/secrets"),
            ("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", "AWS"),
            ("INFISICAL_GCP_AUTH_IDENTITY_ID", "Gcp, token: IdToken(\"the metadata server"),
            ("INFISICAL_AZURE_AUTH_IDENTITY_ID", "Azure"),
        ] {
            let (variable, auth) = found(&[(name, "id-1")]).unwrap().unwrap();
            assert!(variable == name && auth.contains(expected), "{name}: {auth}");
        }
    }

    #[test]
    fn an_identity_alone_logs_in_as_the_job_or_pod_that_it_runs_in() {
        let id = (ANY_METHOD, "id-1");
        let github = [(GITHUB_URL, "https://a.example"), (GITHUB_TOKEN, "t"), (IN_CLUSTER, "10.0.0.1")];
        for (variables, expected) in [
            (vec![id, ("INFISICAL_ID_TOKEN", "t")], "Oidc, token: IdToken(\"INFISICAL_ID_TOKEN\")"),
            (vec![id, ("INFISICAL_JWT", "t"), github[0], github[1]], "Oidc, token: IdToken(\"INFISICAL_JWT\")"),
            (vec![id, github[0], github[1], github[2]], "Oidc, token: IdToken(\"the token issuer of GitHub Actions\")"),
            (vec![id, github[0], github[2]], "Kubernetes"),
        ] {
            assert!(shown(&variables).contains(expected), "{variables:?}");
        }
        let error = found(&[id]).unwrap_err();
        assert!(error.contains(METHOD) && error.contains(ANY_METHOD) && !error.contains("id-1"), "{error}");
    }

    #[test]
    fn the_method_is_taken_by_the_names_of_the_command_and_any_other_is_an_error() {
        for (name, expected) in [
            ("kubernetes", "Kubernetes"),
            ("aws-iam", "AWS"),
            ("AWS_IAM", "AWS"),
            ("gcp-id-token", "Gcp"),
            ("azure", "Azure"),
            ("oidc-auth", "Oidc"),
            ("OIDC_AUTH", "Oidc"),
            ("jwt-auth", "Jwt"),
            ("ldap-auth", "LDAP"),
        ] {
            let rest = [("INFISICAL_JWT", "t"), ("INFISICAL_LDAP_USERNAME", "u"), ("INFISICAL_LDAP_PASSWORD", "p")];
            let variables = [&[(METHOD, name), (ANY_METHOD, "id-1")][..], &rest].concat();
            assert!(shown(&variables).contains(expected), "{name}");
        }
        let error = found(&[(METHOD, "hunter2"), (ANY_METHOD, "id-1")]).unwrap_err();
        assert!(error.contains(METHOD) && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_method_prefers_its_own_variable_and_ignores_those_of_others() {
        let variables = [
            (METHOD, "azure"),
            ("INFISICAL_KUBERNETES_IDENTITY_ID", "k"),
            (ANY_METHOD, "any"),
            ("INFISICAL_AZURE_AUTH_IDENTITY_ID", "a"),
        ];
        assert_eq!(found(&variables).unwrap().unwrap().0, "INFISICAL_AZURE_AUTH_IDENTITY_ID");
        assert_eq!(found(&variables[..3]).unwrap().unwrap().0, ANY_METHOD);
        let error = found(&variables[..2]).unwrap_err();
        assert!(error.contains("INFISICAL_AZURE_AUTH_IDENTITY_ID") && error.contains(METHOD), "{error}");
    }

    #[test]
    fn what_a_method_needs_besides_is_asked_for_by_name() {
        for (method, expected) in [
            ("gcp-iam", "INFISICAL_GCP_IAM_SERVICE_ACCOUNT_KEY_FILE_PATH"),
            ("oidc-auth", "INFISICAL_JWT or INFISICAL_OIDC_AUTH_JWT or INFISICAL_ID_TOKEN"),
            ("jwt-auth", "INFISICAL_JWT"),
            ("ldap-auth", "INFISICAL_LDAP_USERNAME"),
            ("universal-auth", "the id and the secret of a client"),
        ] {
            let error = found(&[(METHOD, method), (ANY_METHOD, "id-1")]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn files_are_those_that_the_variables_name() {
        let pod = [("INFISICAL_KUBERNETES_IDENTITY_ID", "id-1"), (TOKEN_PATH[0], "/run/token")];
        assert!(shown(&pod).contains("IdToken(\"/run/token\")"));
        let key = [("INFISICAL_GCP_AUTH_IDENTITY_ID", "id-1"), (KEY_FILE[0], "/run/key.json")];
        assert!(shown(&key).contains("IdToken(\"/run/key.json\")"));
    }

    #[test]
    fn an_id_in_quotes_and_empty_variables_are_told_apart() {
        let error = found(&[("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", "\"hunter2\"")]).unwrap_err();
        assert!(
            error.contains("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID is in quotes") && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(found(&[("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", ""), (METHOD, "")]).unwrap(), None);
    }
}
