//! The methods of authentication: how a machine identity proves who it is.

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::aws;
use super::id_token::{AzureClient, IdToken};
use super::login::{LoginCall, LoginMethod};
use crate::core::{ErrorKind, Identity, SecretValue, XtraError};
use crate::credentials::ProcessEnv;
use crate::http::{Token, is_quoted};

/// Where a cluster projects the token of a pod's service account.
pub(super) const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How a client proves to Infisical who it is. `Debug` prints no secret.
///
/// All but [`token`](Self::token) log in for an access token when the first one is needed, and again before it ends.
#[derive(Clone)]
pub struct Auth {
    pub(super) method: Method,
    organization: Option<String>,
}

#[derive(Clone)]
pub(super) enum Method {
    Token(SecretValue),
    Universal { client_id: String, client_secret: SecretValue },
    IdToken { method: LoginMethod, identity_id: String, token: IdToken },
    AwsIam { identity_id: String },
    Ldap { identity_id: String, username: String, password: SecretValue },
}

impl Auth {
    /// An access token of an identity, a service token or a user's token: it is used as it is.
    pub fn token(token: impl Into<SecretValue>) -> Self {
        Self::new(Method::Token(token.into()))
    }

    /// The id and a secret of a client (Universal Auth).
    pub fn universal(client_id: impl Into<String>, client_secret: impl Into<SecretValue>) -> Self {
        Self::new(Method::Universal { client_id: client_id.into(), client_secret: client_secret.into() })
    }

    /// A pod of Kubernetes, by the token of its service account. Default: the one in
    /// `/var/run/secrets/kubernetes.io/serviceaccount/token`; see [`token_file`](Self::token_file).
    pub fn kubernetes(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(LoginMethod::Kubernetes, identity_id, IdToken::file(KUBERNETES_TOKEN))
    }

    /// A workload with a token of an OpenID provider, such as a job of GitHub Actions or GitLab.
    pub fn oidc(identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::by_id_token(LoginMethod::Oidc, identity_id, token)
    }

    /// A workload with a JSON Web Token that is signed with a key that the identity knows.
    pub fn jwt(identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::by_id_token(LoginMethod::Jwt, identity_id, token)
    }

    /// A machine of Google Cloud, by the token that its metadata server issues.
    pub fn gcp_id_token(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(LoginMethod::Gcp, identity_id, IdToken::gcp_metadata())
    }

    /// A service account of Google Cloud, by the key in its key file.
    pub fn gcp_iam(identity_id: impl Into<String>, key_file: impl Into<PathBuf>) -> Self {
        Self::by_id_token(LoginMethod::Gcp, identity_id, IdToken::gcp_key(key_file))
    }

    /// A managed identity of Azure, by the token that the machine or App Service issues. Default: the machine's own identity;
    /// see [`azure_client`](Self::azure_client).
    pub fn azure(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(LoginMethod::Azure, identity_id, IdToken::azure(None, None))
    }

    /// A workload of AWS, by a signed request that AWS answers with who has signed it.
    ///
    /// The credentials are those of `AWS_ACCESS_KEY_ID` and its kin, else of the container, else of the machine.
    pub fn aws_iam(identity_id: impl Into<String>) -> Self {
        Self::new(Method::AwsIam { identity_id: identity_id.into() })
    }

    /// An account of a directory (LDAP).
    pub fn ldap(identity_id: impl Into<String>, username: impl Into<String>, password: impl Into<SecretValue>) -> Self {
        let (identity_id, username) = (identity_id.into(), username.into());
        Self::new(Method::Ldap { identity_id, username, password: password.into() })
    }

    /// The organisation to log in to, by its slug. Default: the identity's own. Old servers ignore it.
    #[must_use]
    pub fn organization(mut self, slug: impl Into<String>) -> Self {
        self.organization = Some(slug.into());
        self
    }

    /// The file that the token of a pod is in, for [`kubernetes`](Self::kubernetes). It is read at each login.
    #[must_use]
    pub fn token_file(self, path: impl Into<PathBuf>) -> Self {
        self.with_id_token(LoginMethod::Kubernetes, IdToken::file(path))
    }

    /// The client id of the managed identity, where a machine of [`azure`](Self::azure) has several.
    #[must_use]
    pub fn azure_client(self, client_id: impl Into<String>) -> Self {
        let client = AzureClient::ClientId(client_id.into());
        self.with_id_token(LoginMethod::Azure, IdToken::azure(None, Some(client)))
    }

    /// The token to log in with in this method's own place; other methods stay as they are.
    pub(super) fn with_id_token(mut self, wanted: LoginMethod, other: IdToken) -> Self {
        if let Method::IdToken { method, token, .. } = &mut self.method
            && *method == wanted
        {
            *token = other;
        }
        self
    }

    pub(super) fn by_id_token(method: LoginMethod, identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::new(Method::IdToken { method, identity_id: identity_id.into(), token })
    }

    fn new(method: Method) -> Self {
        Self { method, organization: None }
    }

    /// The organisation, unless one is named already.
    pub(super) fn organization_or(mut self, slug: Option<&str>) -> Self {
        self.organization = self.organization.or_else(|| slug.map(str::to_owned));
        self
    }

    /// Fails on an id or a secret that cannot be one. Nothing is asked.
    pub(super) fn check(&self) -> Result<(), XtraError> {
        match &self.method {
            Method::Token(token) => check_secret(token, "the given token"),
            Method::Universal { client_id, client_secret } => {
                check_id(client_id, "the client id")?;
                check_secret(client_secret, "the client secret")
            }
            Method::IdToken { identity_id, .. } | Method::AwsIam { identity_id } | Method::Ldap { identity_id, .. } => {
                check_id(identity_id, "the identity id")
            }
        }
    }

    /// Who logs in: the same for every token of the account.
    pub(crate) fn identity(&self) -> Identity {
        let (method, id) = match &self.method {
            Method::Token(token) => ("token", token.expose()),
            Method::Universal { client_id, .. } => ("universal", client_id.as_str()),
            Method::IdToken { identity_id, .. } | Method::AwsIam { identity_id } | Method::Ldap { identity_id, .. } => {
                ("identity", identity_id.as_str())
            }
        };
        let organization = self.organization.as_deref().unwrap_or_default();
        Identity::of(&zeroize::Zeroizing::new(format!("{method} {id} {organization}")))
    }

    /// The call to log in with, with what the platform gives for it; `None` for a token, which needs none.
    pub(crate) async fn login_call(&self, env: &ProcessEnv) -> Result<Option<LoginCall>, XtraError> {
        let organization = self.organization.as_deref();
        Ok(Some(match &self.method {
            Method::Token(_) => return Ok(None),
            Method::Universal { client_id, client_secret } => {
                LoginCall::universal(client_id, client_secret, organization)
            }
            Method::IdToken { method, identity_id, token } => {
                LoginCall::token(*method, identity_id, token.get(identity_id, env).await?, organization)
            }
            Method::AwsIam { identity_id } => {
                let signed = aws::signed_request(env, SystemTime::now()).await?;
                LoginCall::aws(identity_id, signed.body, signed.headers, organization)
            }
            Method::Ldap { identity_id, username, password } => {
                LoginCall::ldap(identity_id, username, password, organization)
            }
        }))
    }
}

/// Fails on a text that is no id of Infisical's. `place` is what messages call it.
pub(super) fn check_id(id: &str, place: &str) -> Result<(), XtraError> {
    let wrong = match id {
        "" => "is empty",
        _ if is_quoted(id.trim()) => {
            "is in quotes, which a shell takes away and a file of variables may not: take them away"
        }
        _ if id.contains(|letter: char| letter.is_whitespace() || letter.is_control()) => "holds white space",
        _ => return Ok(()),
    };
    Err(XtraError::new(ErrorKind::Credentials, format!("{place} {wrong}")))
}

/// Fails on a text that is neither a token nor a client's secret.
pub(super) fn check_secret(secret: &SecretValue, place: &str) -> Result<(), XtraError> {
    Token::checked(secret.shared()).map(drop).map_err(|flaw| flaw.error(place))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Auth");
        match &self.method {
            Method::Token(_) => shown.field("method", &"token"),
            Method::Universal { .. } => shown.field("method", &LoginMethod::Universal),
            Method::IdToken { method, token, .. } => shown.field("method", method).field("token", token),
            Method::AwsIam { .. } => shown.field("method", &LoginMethod::Aws),
            Method::Ldap { .. } => shown.field("method", &LoginMethod::Ldap),
        };
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    async fn body(auth: &Auth, variables: &[(&str, &str)]) -> serde_json::Value {
        let call = auth.login_call(&ProcessEnv::of(variables)).await.unwrap().unwrap();
        serde_json::to_value(call.body()).unwrap()
    }

    #[tokio::test]
    async fn a_token_needs_no_login_and_a_client_logs_in_with_its_secret() {
        assert!(Auth::token("hunter2").login_call(&ProcessEnv::of(&[])).await.unwrap().is_none());
        let auth = Auth::universal("client-1", "hunter2").organization("acme");
        let expected = json!({"clientId": "client-1", "clientSecret": "hunter2", "organizationSlug": "acme"});
        assert_eq!(body(&auth, &[]).await, expected);
    }

    #[tokio::test]
    async fn a_pod_logs_in_with_what_the_file_holds_at_that_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let auth = Auth::kubernetes("id-1").token_file(&path);
        for token in ["one", "two"] {
            fs::write(&path, token).unwrap();
            assert_eq!(body(&auth, &[]).await, json!({"identityId": "id-1", "jwt": token}));
        }
    }

    #[tokio::test]
    async fn each_method_that_has_an_identity_token_calls_its_own_operation() {
        let token = || IdToken::variable("T");
        for (auth, operation) in [
            (Auth::oidc("id-1", token()), "auth_oidc_login"),
            (Auth::jwt("id-1", token()), "auth_jwt_login"),
            (Auth::kubernetes("id-1").with_id_token(LoginMethod::Kubernetes, token()), "auth_kubernetes_login"),
            (Auth::gcp_id_token("id-1").with_id_token(LoginMethod::Gcp, token()), "auth_gcp_login"),
            (Auth::azure("id-1").with_id_token(LoginMethod::Azure, token()), "auth_azure_login"),
        ] {
            let call = auth.login_call(&ProcessEnv::of(&[("T", "a.b.c")])).await.unwrap().unwrap();
            assert_eq!(call.operation(), operation);
            assert_eq!(serde_json::to_value(call.body()).unwrap(), json!({"identityId": "id-1", "jwt": "a.b.c"}));
        }
    }

    #[test]
    fn an_identity_is_that_of_the_account_and_not_of_its_secret() {
        let identity = |auth: Auth| auth.identity();
        assert_eq!(identity(Auth::universal("a", "one")), identity(Auth::universal("a", "two")));
        assert_ne!(identity(Auth::universal("a", "one")), identity(Auth::universal("b", "one")));
        assert_ne!(identity(Auth::aws_iam("a")), identity(Auth::aws_iam("a").organization("o")));
        assert_ne!(identity(Auth::universal("a", "one")), identity(Auth::aws_iam("a")));
    }

    #[test]
    fn an_id_or_a_secret_that_cannot_be_one_is_refused_and_not_quoted() {
        for (auth, expected) in [
            (Auth::token(""), "the given token is empty"),
            (Auth::token("'hunter2'"), "the given token is in quotes"),
            (Auth::universal("", "s"), "the client id is empty"),
            (Auth::universal("\"hunter2\"", "s"), "the client id is in quotes"),
            (Auth::universal("c", "hunter2\n"), "the client secret begins or ends with white space"),
            (Auth::aws_iam("hunter2 "), "the identity id holds white space"),
        ] {
            let error = auth.check().unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        }
        assert!(Auth::universal("c", "s").check().is_ok() && Auth::kubernetes("id-1").check().is_ok());
    }

    #[test]
    fn nothing_secret_is_printed() {
        for auth in [
            Auth::token("hunter2"),
            Auth::universal("client-1", "hunter2"),
            Auth::oidc("id-1", IdToken::given("hunter2")),
            Auth::ldap("id-1", "u", "hunter2"),
        ] {
            assert!(!format!("{auth:?}").contains("hunter2"), "{auth:?}");
        }
    }
}
