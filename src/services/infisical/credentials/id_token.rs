//! Identity tokens: what another party has issued to a workload, and where each platform has them.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use url::Url;
use url::form_urlencoded::byte_serialize;

use super::gcp_key;
use super::metadata::Server;
use crate::core::process::NotUnicode;
use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::credentials::{ProcessEnv, file};
use crate::http::{Method, Token};

/// Where GitHub Actions issues the tokens of a job, when the job may have one.
pub(super) const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
pub(super) const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

const GITHUB: &str = "the token issuer of GitHub Actions";
const GCP: &str = "the metadata server of Google Cloud";
const AZURE: &str = "the identity endpoint of Azure";

/// What Azure issues a token for, unless another resource is named.
const AZURE_RESOURCE: &str = "https://management.azure.com/";

/// A token that another party has issued to this workload, by the place where it is found.
///
/// It is looked for again at each login, because such tokens are short-lived and what issues them replaces them. `Debug` shows
/// the place alone.
#[derive(Clone)]
pub struct IdToken(Place);

#[derive(Clone)]
enum Place {
    Given(SecretValue),
    File(PathBuf),
    Variable(Cow<'static, str>),
    GitHub { audience: Option<String> },
    GcpMetadata,
    GcpKey(PathBuf),
    Azure { resource: String, client: Option<AzureClient> },
}

/// Which of a machine's identities Azure is to give a token of.
#[derive(Clone)]
pub(super) enum AzureClient {
    ClientId(String),
    ObjectId(String),
}

impl IdToken {
    /// This token. It is of use for as long as it lasts, which is not long.
    pub fn given(token: impl Into<SecretValue>) -> Self {
        Self(Place::Given(token.into()))
    }

    /// The token in a file, as a cluster projects it into a pod. White space around it is ignored.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// The token in an environment variable, as a job of GitLab has it under the name that its `id_tokens` say.
    pub fn variable(name: impl Into<Cow<'static, str>>) -> Self {
        Self(Place::Variable(name.into()))
    }

    /// The token that GitHub Actions issues to a job with the permission `id-token: write`. Its audience is the URL of the
    /// repository's owner, unless [another](Self::audience) is asked for.
    #[must_use]
    pub fn github() -> Self {
        Self(Place::GitHub { audience: None })
    }

    /// This token for another audience. It counts for [`github`](Self::github) alone: the others have the audience that their
    /// issuer gives them.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        if let Place::GitHub { audience: asked } = &mut self.0 {
            *asked = Some(audience.into());
        }
        self
    }

    /// The token that the metadata server of Google Cloud issues.
    pub(super) fn gcp_metadata() -> Self {
        Self(Place::GcpMetadata)
    }

    /// A token signed with the key in a service account's key file.
    pub(super) fn gcp_key(path: impl Into<PathBuf>) -> Self {
        Self(Place::GcpKey(path.into()))
    }

    /// The token that Azure issues for a managed identity.
    pub(super) fn azure(resource: Option<String>, client: Option<AzureClient>) -> Self {
        Self(Place::Azure { resource: resource.unwrap_or_else(|| AZURE_RESOURCE.to_owned()), client })
    }

    /// Gets the token for a login of this identity.
    pub(super) async fn get(&self, identity_id: &str, env: &ProcessEnv) -> Result<SecretValue, XtraError> {
        match &self.0 {
            Place::Given(token) => checked(token.clone(), "the given identity token"),
            Place::File(path) => read_file(path),
            Place::Variable(name) => read_variable(name, env),
            Place::GitHub { audience } => github(audience.as_deref(), env).await,
            Place::GcpMetadata => gcp_metadata(identity_id, env).await,
            Place::GcpKey(path) => gcp_key::sign(path, identity_id, SystemTime::now()),
            Place::Azure { resource, client } => azure(resource, client.as_ref(), env).await,
        }
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("IdToken");
        match &self.0 {
            Place::Given(token) => shown.field(token),
            Place::File(path) | Place::GcpKey(path) => shown.field(path),
            Place::Variable(name) => shown.field(name),
            Place::GitHub { .. } => shown.field(&GITHUB),
            Place::GcpMetadata => shown.field(&GCP),
            Place::Azure { .. } => shown.field(&AZURE),
        };
        shown.finish()
    }
}

fn checked(token: SecretValue, place: &str) -> Result<SecretValue, XtraError> {
    match Token::checked(token) {
        Ok(token) => Ok(token.secret()),
        Err(flaw) => Err(flaw.error(place)),
    }
}

/// The token in a file that holds nothing else.
pub(super) fn read_file(path: &Path) -> Result<SecretValue, XtraError> {
    let place = format!("the identity token in {}", path.display());
    let content = file::read(path).map_err(|why| {
        why.attached_to(XtraError::new(ErrorKind::Credentials, format!("{place} cannot be read: {why}")))
    })?;
    let text = std::str::from_utf8(content.trim_ascii())
        .map_err(|_| XtraError::new(ErrorKind::Credentials, format!("{place} is not text")))?;
    checked(text.into(), &place)
}

fn read_variable(name: &str, env: &ProcessEnv) -> Result<SecretValue, XtraError> {
    let problem = |what| XtraError::new(ErrorKind::Credentials, format!("no identity token: {name} is {what}"));
    match env.var(name) {
        Ok(Some(text)) if !text.is_empty() => checked(SecretValue::new(text), name),
        Ok(Some(_)) => Err(problem("empty")),
        Ok(None) => Err(problem("not set")),
        Err(NotUnicode) => Err(problem("not Unicode text")),
    }
}

async fn github(audience: Option<&str>, env: &ProcessEnv) -> Result<SecretValue, XtraError> {
    let (Some(url), Some(token)) = (env.setting(GITHUB_URL)?, env.setting(GITHUB_TOKEN)?) else {
        let message = format!("no identity token: {GITHUB_URL} and {GITHUB_TOKEN} are not both set");
        let advice = "Give the job of GitHub Actions the permission `id-token: write`";
        return Err(XtraError::new(ErrorKind::Credentials, message).with_hint(Hint::advice(advice)));
    };
    let mut url = Url::parse(&url.value)
        .map_err(|_| XtraError::new(ErrorKind::Credentials, format!("{GITHUB_URL} is no URL")))?;
    if let Some(audience) = audience {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let server = Server::with_bearer(GITHUB, &SecretValue::new(token.value));
    let [value] = server.members(url.as_str(), ["value"]).await?;
    checked(value.ok_or_else(|| server.unexpected())?, GITHUB)
}

async fn gcp_metadata(identity_id: &str, env: &ProcessEnv) -> Result<SecretValue, XtraError> {
    let host = env.setting("GCE_METADATA_HOST")?;
    let host = host.map_or_else(|| "metadata.google.internal".to_owned(), |found| found.value);
    let url = format!(
        "http://{host}/computeMetadata/v1/instance/service-accounts/default/identity?audience={}&format=full",
        encoded(identity_id)
    );
    let server = Server::of_machine(GCP, "metadata-flavor", "Google");
    checked(server.text(Method::Get, &url).await?, GCP)
}

/// A pod with a federated token exchanges it. App Service has an endpoint of its own, which the variables name; elsewhere it is
/// the machine's metadata server.
async fn azure(resource: &str, client: Option<&AzureClient>, env: &ProcessEnv) -> Result<SecretValue, XtraError> {
    if let Some(pod) = AzurePod::of(env)? {
        return pod.exchange(resource).await;
    }
    let (root, version, server) = match (env.setting("IDENTITY_ENDPOINT")?, env.setting("IDENTITY_HEADER")?) {
        (Some(endpoint), Some(header)) => {
            (endpoint.value, "2019-08-01", Server::of_machine(AZURE, "x-identity-header", header.value))
        }
        _ => {
            let named = env.setting("AZURE_POD_IDENTITY_AUTHORITY_HOST")?;
            let host = named.map_or_else(|| "http://169.254.169.254".to_owned(), |found| found.value);
            let url = format!("{}/metadata/identity/oauth2/token", host.trim_end_matches('/'));
            (url, "2018-02-01", Server::of_machine(AZURE, "metadata", "true"))
        }
    };
    let client = match client {
        Some(AzureClient::ClientId(id)) => format!("&client_id={}", encoded(id)),
        Some(AzureClient::ObjectId(id)) => format!("&object_id={}", encoded(id)),
        None => String::new(),
    };
    let url = format!("{root}?api-version={version}&resource={}{client}", encoded(resource));
    let [token] = server.members(&url, ["access_token"]).await?;
    checked(token.ok_or_else(|| server.unexpected())?, AZURE)
}

/// What the workload identity of Azure gives to a pod.
struct AzurePod {
    token_file: PathBuf,
    client_id: String,
    token_url: String,
}

impl AzurePod {
    /// `None` when this is no such pod, or the variable says to pass over it.
    fn of(env: &ProcessEnv) -> Result<Option<Self>, XtraError> {
        let asked = env.setting("INFISICAL_AZURE_AUTH_USE_WORKLOAD_IDENTITY")?.map(|found| found.value);
        if asked.is_some_and(|asked| asked == "0" || asked.eq_ignore_ascii_case("false")) {
            return Ok(None);
        }
        let (Some(token_file), Some(client_id), Some(tenant)) = (
            env.setting("AZURE_FEDERATED_TOKEN_FILE")?,
            env.setting("AZURE_CLIENT_ID")?,
            env.setting("AZURE_TENANT_ID")?,
        ) else {
            return Ok(None);
        };
        let authority = env.setting("AZURE_AUTHORITY_HOST")?;
        let authority = authority.map_or_else(|| "https://login.microsoftonline.com".to_owned(), |found| found.value);
        let token_url = format!("{}/{}/oauth2/v2.0/token", authority.trim_end_matches('/'), encoded(&tenant.value));
        Ok(Some(Self { token_file: token_file.value.into(), client_id: client_id.value, token_url }))
    }

    async fn exchange(&self, resource: &str) -> Result<SecretValue, XtraError> {
        let assertion = read_file(&self.token_file)?;
        let scope = format!("{}/.default", resource.trim_end_matches('/'));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.expose()),
            ("scope", scope.as_str()),
        ];
        let server = Server::with_form(AZURE);
        let response = server.post(&self.token_url, &form).await?;
        // the answer also has a number, which is passed over
        let [token] = server.members_of(&response, ["access_token"])?;
        checked(token.ok_or_else(|| server.unexpected())?, AZURE)
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::metadata::tests::Platform;
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

    async fn got(token: &IdToken, variables: &[(&str, &str)]) -> Result<String, XtraError> {
        token.get("id 1&2", &ProcessEnv::of(variables)).await.map(|token| token.expose().to_owned())
    }

    #[tokio::test]
    async fn a_projected_token_is_read_again_at_each_login() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let token = IdToken::file(&path);
        for text in ["one.two.three", "four.five.six"] {
            fs::write(&path, format!("{text}\n")).unwrap();
            assert_eq!(got(&token, &[]).await.unwrap(), text);
        }
        fs::write(&path, "hunter2 hunter2").unwrap();
        let error = got(&token, &[]).await.unwrap_err();
        assert!(error.to_string().contains("white space") && !error.to_string().contains("hunter2"), "{error}");
        fs::remove_file(&path).unwrap();
        let error = got(&token, &[]).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Credentials && error.to_string().contains("no such file"), "{error}");
    }

    #[tokio::test]
    async fn a_variable_is_read_at_each_login_and_what_is_wrong_with_it_is_said() {
        let token = IdToken::variable("MY_ID_TOKEN");
        assert_eq!(got(&token, &[("MY_ID_TOKEN", JWT)]).await.unwrap(), JWT);
        for (variables, expected) in [
            (&[][..], "MY_ID_TOKEN is not set"),
            (&[("MY_ID_TOKEN", "")], "MY_ID_TOKEN is empty"),
            (&[("MY_ID_TOKEN", "\"hunter2\"")], "MY_ID_TOKEN is in quotes"),
            (&[("MY_ID_TOKEN", ProcessEnv::NOT_UNICODE)], "MY_ID_TOKEN is not Unicode"),
        ] {
            let error = got(&token, variables).await.unwrap_err();
            assert!(error.to_string().contains(expected) && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_job_of_github_asks_its_issuer_with_its_bearer_and_the_audience() {
        let answer = format!(r#"{{"count":1,"value":"{JWT}"}}"#);
        let line = "GET /44//idtoken/a/b?api-version=2.0";
        let with_audience = format!("{line}&audience=https%3A%2F%2Fa.example");
        let platform = Platform::start(&[(line, 200, &answer), (&with_audience, 200, &answer)]).await;
        let url = format!("{}/44//idtoken/a/b?api-version=2.0", platform.url());
        let variables = [(GITHUB_URL, url.as_str()), (GITHUB_TOKEN, "Runner-1")];
        assert_eq!(got(&IdToken::github(), &variables).await.unwrap(), JWT);
        assert_eq!(got(&IdToken::github().audience("https://a.example"), &variables).await.unwrap(), JWT);
        assert!(platform.seen().iter().all(|request| request.contains("authorization: bearer runner-1\r\n")));
        let error = got(&IdToken::github(), &[]).await.unwrap_err();
        assert!(error.to_string().contains(GITHUB_URL) && error.to_string().contains("id-token: write"), "{error}");
    }

    #[tokio::test]
    async fn google_issues_a_token_for_the_identity_as_its_audience() {
        let line = "GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=id+1%262&format=full";
        let platform = Platform::start(&[(line, 200, JWT)]).await;
        let host = platform.host();
        assert_eq!(got(&IdToken::gcp_metadata(), &[("GCE_METADATA_HOST", &host)]).await.unwrap(), JWT);
        assert!(platform.seen()[0].contains("metadata-flavor: google\r\n"));
    }

    #[tokio::test]
    async fn azure_issues_a_token_of_the_identity_that_is_chosen() {
        let answer = format!(r#"{{"access_token":"{JWT}","expires_on":"1"}}"#);
        let line =
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F";
        let of_client = format!("{line}&client_id=c");
        let platform = Platform::start(&[(line, 200, &answer), (&of_client, 200, &answer)]).await;
        let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", platform.url())];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(got(&IdToken::azure(None, None), &variables).await.unwrap(), JWT);
        let client = Some(AzureClient::ClientId("c".into()));
        assert_eq!(got(&IdToken::azure(None, client), &variables).await.unwrap(), JWT);
        assert!(platform.seen()[0].contains("metadata: true\r\n"));
    }

    #[tokio::test]
    async fn app_service_has_an_endpoint_of_its_own() {
        let answer = format!(r#"{{"access_token":"{JWT}"}}"#);
        let platform =
            Platform::start(&[("GET /msi?api-version=2019-08-01&resource=r&object_id=o", 200, &answer)]).await;
        let endpoint = format!("{}/msi", platform.url());
        let variables = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "Header-1")];
        let token = IdToken::azure(Some("r".into()), Some(AzureClient::ObjectId("o".into())));
        assert_eq!(got(&token, &variables).await.unwrap(), JWT);
        assert!(platform.seen()[0].contains("x-identity-header: header-1\r\n"));
    }

    #[tokio::test]
    async fn a_pod_of_azure_exchanges_its_federated_token_unless_it_is_told_not_to() {
        let answer = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{JWT}"}}"#);
        let line =
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F";
        let answers =
            [("POST /tenant-1/oauth2/v2.0/token", 200, answer.as_str()), (line, 200, r#"{"access_token":"imds"}"#)];
        let platform = Platform::start(&answers).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        fs::write(&file, "federated.token.x\n").unwrap();
        let (url, file) = (platform.url(), file.to_string_lossy().into_owned());
        let variables = [
            ("AZURE_FEDERATED_TOKEN_FILE", file.as_str()),
            ("AZURE_CLIENT_ID", "client-1"),
            ("AZURE_TENANT_ID", "tenant-1"),
            ("AZURE_AUTHORITY_HOST", url.as_str()),
            ("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str()),
            ("INFISICAL_AZURE_AUTH_USE_WORKLOAD_IDENTITY", "false"),
        ];
        assert_eq!(got(&IdToken::azure(None, None), &variables[..5]).await.unwrap(), JWT);
        let seen = &platform.seen()[0];
        for part in [
            "client_assertion=federated.token.x&",
            "client_id=client-1&",
            "scope=https%3a%2f%2fmanagement.azure.com%2f.default",
            "content-type: application/x-www-form-urlencoded\r\n",
        ] {
            assert!(seen.contains(part), "{part} is not in {seen}");
        }
        assert_eq!(got(&IdToken::azure(None, None), &variables).await.unwrap(), "imds");
    }

    #[tokio::test]
    async fn an_answer_without_a_token_is_an_error_that_names_the_server() {
        let line = "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=r";
        let platform = Platform::start(&[(line, 200, r#"{"error":"hunter2"}"#)]).await;
        let url = platform.url();
        let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())];
        let error = got(&IdToken::azure(Some("r".into()), None), &variables).await.unwrap_err();
        assert!(error.to_string().contains(AZURE) && !error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn no_token_is_printed() {
        assert_eq!(format!("{:?}", IdToken::given("hunter2")), "IdToken([REDACTED])");
        assert_eq!(format!("{:?}", IdToken::variable("A")), "IdToken(\"A\")");
    }
}
