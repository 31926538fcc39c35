//! The methods of authentication: how a machine identity proves who it is.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::aws;
use super::id_token::{AzureClient, IdToken};
use crate::core::{ErrorKind, Identity, SecretValue, XtraError};
use crate::credentials::{CredentialProvider, ProcessEnv, StaticToken};
use crate::http::{Token, is_quoted};
use crate::services::infisical::auth::{Granted, LogIn, LoginToken};
use crate::services::infisical::raw;

/// Where a cluster projects the token of a pod's service account.
pub(super) const KUBERNETES_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The slug of the organisation to log in to.
const ORGANIZATION: &str = "INFISICAL_AUTH_ORGANIZATION_SLUG";

/// How a client proves to Infisical who it is. `Debug` prints no secret.
///
/// All but [`token`](Self::token) log in for an access token when the first one is needed, and again before it ends.
#[derive(Clone)]
pub struct Auth {
    method: Method,
    organization: Option<String>,
}

/// The methods that take a token of another party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenMethod {
    Kubernetes,
    Oidc,
    Jwt,
    Gcp,
    Azure,
}

#[derive(Clone)]
enum Method {
    Token(SecretValue),
    Universal { client_id: String, client_secret: SecretValue },
    IdToken { method: TokenMethod, identity_id: String, token: IdToken },
    AwsIam { identity_id: String },
    Ldap { identity_id: String, username: String, password: SecretValue },
}

impl Auth {
    /// An access token of an identity, a service token or a user's token: it is used as it is.
    pub fn token(token: impl Into<SecretValue>) -> Self {
        Self::new(Method::Token(token.into()))
    }

    /// The id and a secret of a client (Universal Auth). White space around them is taken away.
    pub fn universal(client_id: impl Into<String>, client_secret: impl Into<SecretValue>) -> Self {
        // both are copied from a page by hand, and hold no white space
        let client_id = client_id.into().trim().to_owned();
        let client_secret = client_secret.into();
        let trimmed = client_secret.expose().trim();
        let client_secret = if trimmed.len() == client_secret.len() { client_secret } else { trimmed.into() };
        Self::new(Method::Universal { client_id, client_secret })
    }

    /// A pod of Kubernetes, by the token of its service account. Default: the one in
    /// `/var/run/secrets/kubernetes.io/serviceaccount/token`; see [`token_file`](Self::token_file).
    pub fn kubernetes(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(TokenMethod::Kubernetes, identity_id, IdToken::file(KUBERNETES_TOKEN))
    }

    /// A workload with a token of an OpenID provider, such as a job of GitHub Actions or GitLab.
    pub fn oidc(identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::by_id_token(TokenMethod::Oidc, identity_id, token)
    }

    /// A workload with a JSON Web Token that is signed with a key that the identity knows.
    pub fn jwt(identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::by_id_token(TokenMethod::Jwt, identity_id, token)
    }

    /// A machine of Google Cloud, by the token that its metadata server issues.
    pub fn gcp_id_token(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(TokenMethod::Gcp, identity_id, IdToken::gcp_metadata())
    }

    /// A service account of Google Cloud, by the key in its key file.
    pub fn gcp_iam(identity_id: impl Into<String>, key_file: impl Into<PathBuf>) -> Self {
        Self::by_id_token(TokenMethod::Gcp, identity_id, IdToken::gcp_key(key_file))
    }

    /// A managed identity of Azure, by the token that the machine or App Service issues. Default: the machine's own identity;
    /// see [`azure_client`](Self::azure_client).
    pub fn azure(identity_id: impl Into<String>) -> Self {
        Self::by_id_token(TokenMethod::Azure, identity_id, IdToken::azure(None, None))
    }

    /// A workload of AWS, by a signed request that AWS answers with who has signed it.
    ///
    /// The credentials are those of `AWS_ACCESS_KEY_ID` and its kin, else of a role by `AWS_WEB_IDENTITY_TOKEN_FILE`, else of the
    /// profile `AWS_PROFILE` (else `default`) in `~/.aws/credentials` and `~/.aws/config` (`AWS_SHARED_CREDENTIALS_FILE`,
    /// `AWS_CONFIG_FILE`), else of the container, else of the machine. A profile must have keys: one that gets them by a role, by
    /// single sign-on or from a process is an error. The region is `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or the
    /// machine's. Documented only for regions of China (`cn-`), whose host is `sts.<region>.amazonaws.com.cn`.
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
        self.with_id_token(TokenMethod::Kubernetes, IdToken::file(path))
    }

    /// The client id of the managed identity, where a machine of [`azure`](Self::azure) has several.
    #[must_use]
    pub fn azure_client(self, client_id: impl Into<String>) -> Self {
        let client = AzureClient::ClientId(client_id.into());
        self.with_id_token(TokenMethod::Azure, IdToken::azure(None, Some(client)))
    }

    /// The token to log in with in this method's own place; other methods stay as they are.
    pub(super) fn with_id_token(mut self, wanted: TokenMethod, other: IdToken) -> Self {
        if let Method::IdToken { method, token, .. } = &mut self.method
            && *method == wanted
        {
            *token = other;
        }
        self
    }

    pub(super) fn by_id_token(method: TokenMethod, identity_id: impl Into<String>, token: IdToken) -> Self {
        Self::new(Method::IdToken { method, identity_id: identity_id.into(), token })
    }

    fn new(method: Method) -> Self {
        Self { method, organization: None }
    }

    /// The organisation, unless one is named already.
    pub(crate) fn organization_or(mut self, slug: Option<String>) -> Self {
        self.organization = self.organization.or(slug);
        self
    }

    /// Fails on an id or a secret that cannot be one, and calls them by these names. Nothing is asked.
    pub(crate) fn check(&self, id_name: &str, secret_name: &str) -> Result<(), XtraError> {
        match &self.method {
            Method::Token(token) => check_secret(token, secret_name),
            Method::Universal { client_id, client_secret } => {
                check_id(client_id, id_name)?;
                check_secret(client_secret, secret_name)
            }
            Method::IdToken { identity_id, .. } | Method::AwsIam { identity_id } | Method::Ldap { identity_id, .. } => {
                check_id(identity_id, id_name)
            }
        }
    }

    /// The provider of the tokens that this gives. `env` is where logins find what the platform has, and the organisation that
    /// they are to when none is named.
    pub(crate) fn provider(self, env: &ProcessEnv) -> Result<Arc<dyn CredentialProvider>, XtraError> {
        if let Method::Token(token) = self.method {
            return Ok(Arc::new(StaticToken::new(token.expose())?));
        }
        let named = env.setting(ORGANIZATION)?;
        let auth = self.organization_or(named.map(|found| found.value));
        Ok(Arc::new(LoginToken::new(Login { auth, env: env.clone() })))
    }

    /// Who logs in: the same for every token of the account.
    fn identity(&self) -> Identity {
        let (method, id) = match &self.method {
            Method::Token(token) => ("token", token.expose()),
            Method::Universal { client_id, .. } => ("universal auth", client_id.as_str()),
            Method::IdToken { identity_id, .. } | Method::AwsIam { identity_id } | Method::Ldap { identity_id, .. } => {
                ("identity", identity_id.as_str())
            }
        };
        let organization = self.organization.as_deref().unwrap_or_default();
        Identity::of(&zeroize::Zeroizing::new(format!("{method}\n{id}\n{organization}")))
    }

    /// Logs in, with what the platform gives for it at this time.
    /// What most logins do not do is boxed, so that it takes no room on the stack of those that do not.
    async fn log_in(&self, env: &ProcessEnv, raw: &raw::Client) -> Result<Granted, XtraError> {
        let organization = self.organization.clone();
        let granted = match &self.method {
            Method::Token(_) => {
                let message = "a token was to log in, which it need not. That is a bug in this client";
                return Err(XtraError::new(ErrorKind::Credentials, message));
            }
            Method::Universal { client_id, client_secret } => {
                let login = raw.auth_universal_login().body_map(|body| {
                    body.client_id(client_id).client_secret(client_secret).organization_slug(organization)
                });
                login.send().await?
            }
            Method::IdToken { method, identity_id, token } => {
                let jwt = token.get(identity_id, env).boxed().await?;
                // the operations differ by their path alone
                macro_rules! log_in {
                    ($operation:ident) => {
                        raw.$operation()
                            .body_map(|body| body.identity_id(identity_id).jwt(&jwt).organization_slug(organization))
                            .send()
                            .boxed()
                            .await?
                    };
                }
                match method {
                    TokenMethod::Kubernetes => log_in!(auth_kubernetes_login),
                    TokenMethod::Oidc => log_in!(auth_oidc_login),
                    TokenMethod::Jwt => log_in!(auth_jwt_login),
                    TokenMethod::Gcp => log_in!(auth_gcp_login),
                    TokenMethod::Azure => log_in!(auth_azure_login),
                }
            }
            Method::AwsIam { identity_id } => {
                let signed = aws::signed_request(env, SystemTime::now()).boxed().await?;
                let login = raw.auth_aws_login().body_map(|body| {
                    let body = body.identity_id(identity_id).iam_http_request_method("POST".to_owned());
                    let body = body.iam_request_body(&signed.body).iam_request_headers(&signed.headers);
                    body.organization_slug(organization)
                });
                login.send().boxed().await?
            }
            Method::Ldap { identity_id, username, password } => {
                let login = raw.auth_ldap_login().body_map(|body| {
                    let body = body.identity_id(identity_id).username(username).password(password);
                    body.organization_slug(organization)
                });
                login.send().boxed().await?
            }
        };
        Ok(granted.into_inner().into())
    }
}

/// A way to log in, and where it finds what the platform has.
struct Login {
    auth: Auth,
    env: ProcessEnv,
}

impl LogIn for Login {
    fn identity(&self) -> Identity {
        self.auth.identity()
    }

    fn log_in<'a>(&'a self, raw: &'a raw::Client) -> BoxFuture<'a, Result<Granted, XtraError>> {
        Box::pin(self.auth.log_in(&self.env, raw))
    }

    fn lasting_credential(&self) -> Option<SecretValue> {
        match &self.auth.method {
            Method::Universal { client_secret, .. } => Some(client_secret.clone()),
            _ => None,
        }
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
            Method::Universal { .. } => shown.field("method", &"universal auth"),
            Method::IdToken { method, token, .. } => shown.field("method", method).field("token", token),
            Method::AwsIam { .. } => shown.field("method", &"AWS"),
            Method::Ldap { .. } => shown.field("method", &"LDAP"),
        };
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::super::gcp_key::tests::key_file;
    use super::super::metadata::tests::Platform;
    use super::*;
    use crate::http::Transport;
    use crate::services::infisical::protocol::InfisicalProtocol;

    const GRANTED: &str = r#"{"accessToken":"granted","expiresIn":7200,"accessTokenMaxTTL":7200,"tokenType":"Bearer"}"#;

    /// Logs in, and gives the route that was asked and what was sent there. Texts are in lower case.
    async fn sent(auth: Auth, variables: &[(&str, &str)]) -> Result<(String, Value), XtraError> {
        let methods = ["universal", "kubernetes", "oidc", "jwt", "gcp", "azure", "aws", "ldap"];
        let routes = methods.map(|method| format!("POST /api/v1/auth/{method}-auth/login"));
        let server = Platform::start(&routes.each_ref().map(|route| (route.as_str(), 200, GRANTED))).await;
        let provider = auth.provider(&ProcessEnv::of(variables))?;
        let builder = Transport::builder(InfisicalProtocol).credentials(Arc::clone(&provider));
        let _transport = builder.build(&format!("{}/api", server.url()))?;
        assert_eq!(provider.token().await?.expose(), "granted");
        let seen = server.seen();
        let (head, body) = seen[0].split_once("\r\n\r\n").unwrap();
        assert!(seen.len() == 1 && !head.contains("authorization"), "{head}");
        let route = head.split(' ').nth(1).unwrap().split('/').nth(4).unwrap().to_owned();
        Ok((route, serde_json::from_str(body).unwrap()))
    }

    #[tokio::test]
    async fn a_client_logs_in_with_its_secret_and_to_its_organisation() {
        let auth = Auth::universal(" client-1\n", "hunter2\n").organization("acme");
        let expected = json!({"clientid": "client-1", "clientsecret": "hunter2", "organizationslug": "acme"});
        assert_eq!(sent(auth, &[]).await.unwrap(), ("universal-auth".to_owned(), expected));
    }

    #[tokio::test]
    async fn each_method_that_takes_a_token_has_its_own_route() {
        let token = || IdToken::variable("T");
        for (auth, route) in [
            (Auth::oidc("id-1", token()), "oidc-auth"),
            (Auth::jwt("id-1", token()), "jwt-auth"),
            (Auth::kubernetes("id-1").with_id_token(TokenMethod::Kubernetes, token()), "kubernetes-auth"),
            (Auth::gcp_id_token("id-1").with_id_token(TokenMethod::Gcp, token()), "gcp-auth"),
            (Auth::azure("id-1").with_id_token(TokenMethod::Azure, token()), "azure-auth"),
        ] {
            let expected = json!({"identityid": "id-1", "jwt": "a.b.c"});
            assert_eq!(sent(auth, &[("T", "a.b.c")]).await.unwrap(), (route.to_owned(), expected));
        }
    }

    #[tokio::test]
    async fn a_pod_logs_in_with_what_the_file_holds_at_that_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let auth = Auth::kubernetes("id-1").token_file(&path);
        for token in ["one", "two"] {
            fs::write(&path, token).unwrap();
            assert_eq!(sent(auth.clone(), &[]).await.unwrap().1, json!({"identityid": "id-1", "jwt": token}));
        }
        fs::remove_file(&path).unwrap();
        let error = sent(auth, &[]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Credentials && error.to_string().contains("no such file"), "{error}");
    }

    #[tokio::test]
    async fn a_service_account_of_google_logs_in_with_a_token_that_its_key_has_signed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        fs::write(&path, key_file()).unwrap();
        let (route, body) = sent(Auth::gcp_iam("id-1", &path), &[]).await.unwrap();
        assert_eq!((route.as_str(), body["identityid"].as_str()), ("gcp-auth", Some("id-1")));
        assert_eq!(body["jwt"].as_str().unwrap().split('.').count(), 3);
    }

    #[tokio::test]
    async fn a_workload_of_aws_logs_in_with_a_request_that_it_has_signed() {
        let variables = [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let (route, body) = sent(Auth::aws_iam("id-1"), &variables).await.unwrap();
        assert_eq!((route.as_str(), body["iamhttprequestmethod"].as_str()), ("aws-auth", Some("post")));
        assert!(body["iamrequestbody"].is_string() && body["iamrequestheaders"].is_string());
    }

    #[tokio::test]
    async fn an_account_of_a_directory_logs_in_with_its_password() {
        let (route, body) = sent(Auth::ldap("id-1", "u", "hunter2 x"), &[]).await.unwrap();
        assert_eq!(route, "ldap-auth");
        assert_eq!(body, json!({"identityid": "id-1", "username": "u", "password": "hunter2 x"}));
    }

    #[tokio::test]
    async fn a_token_is_sent_as_it_is_and_nothing_logs_in() {
        let provider = Auth::token("st.a.b").provider(&ProcessEnv::of(&[])).unwrap();
        assert_eq!(provider.token().await.unwrap().expose(), "st.a.b");
    }

    #[test]
    fn an_identity_is_that_of_the_account_and_not_of_its_secret() {
        let identity = |auth: Auth| auth.identity();
        assert_eq!(identity(Auth::universal("a", "one")), identity(Auth::universal("a", "two")));
        assert_ne!(identity(Auth::universal("a", "one")), identity(Auth::universal("b", "one")));
        assert_ne!(identity(Auth::aws_iam("a")), identity(Auth::aws_iam("a").organization("o")));
        assert_ne!(identity(Auth::universal("a", "one")), identity(Auth::aws_iam("a")));
        assert_eq!(
            identity(Auth::aws_iam("a").organization_or(Some("o".into()))),
            identity(Auth::aws_iam("a").organization("o"))
        );
        let own = Auth::aws_iam("a").organization("own");
        assert_eq!(identity(own.clone().organization_or(Some("o".into()))), identity(own));
    }

    #[test]
    fn an_id_or_a_secret_that_cannot_be_one_is_refused_and_not_quoted() {
        for (auth, expected) in [
            (Auth::token(""), "the secret is empty"),
            (Auth::token("'hunter2'"), "the secret is in quotes"),
            (Auth::universal("", "s"), "the id is empty"),
            (Auth::universal("\"hunter2\"", "s"), "the id is in quotes"),
            (Auth::universal("c", "hunter2 x"), "the secret holds white space"),
            (Auth::aws_iam("hunter2 "), "the id holds white space"),
        ] {
            let error = auth.check("the id", "the secret").unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
        }
        assert!(Auth::universal("c", "s").check("", "").is_ok() && Auth::kubernetes("id-1").check("", "").is_ok());
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
