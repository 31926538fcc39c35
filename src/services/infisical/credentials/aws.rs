//! The proof of an AWS identity: a request that asks AWS who has signed it, and the credentials that sign it.

use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::aws_profile::Profile;
use super::metadata::Server;
use crate::core::{ErrorKind, Hint, SecretValue, Timestamp, XtraError};
use crate::credentials::ProcessEnv;
use crate::http::Method;

/// The request, word for word: the service sends it on.
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

const METADATA_SERVER: &str = "the metadata server of AWS";
const TOKEN_SERVICE: &str = "the security token service of AWS";
const CONTAINER_SERVER: &str = "the credential server of the container";

/// Credentials of AWS. `Debug` prints nothing of them.
pub(super) struct AwsCredentials {
    pub(super) access_key: String,
    pub(super) secret_key: SecretValue,
    pub(super) session_token: Option<SecretValue>,
}

/// A signed request, as a login sends it: both texts are base64.
pub(super) struct SignedRequest {
    pub(super) body: SecretValue,
    pub(super) headers: SecretValue,
}

/// The signed request of this workload.
///
/// The credentials are those of the variables, else of a role that the pod may take by its token, else of the profile in the
/// files of AWS's tools, else of the container, else of the machine. The region is `AWS_REGION`, `AWS_DEFAULT_REGION`, the
/// profile's, or the machine's.
pub(super) async fn signed_request(env: &ProcessEnv, now: SystemTime) -> Result<SignedRequest, XtraError> {
    let region = match env.setting("AWS_REGION")?.or(env.setting("AWS_DEFAULT_REGION")?) {
        Some(found) => found.value,
        None => match Profile::load(env)?.region {
            Some(region) => region,
            None => Machine::open(env).await?.region().await?,
        },
    };
    if !is_region(&region) {
        return Err(XtraError::new(ErrorKind::Credentials, "the region of AWS is no name of a region"));
    }
    let credentials = credentials(env, &region).await?;
    sign(&credentials, &region, now)
}

/// As the service takes it out of the signature.
fn is_region(name: &str) -> bool {
    (1..=20).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The host of the security token service in a region. China has a domain of its own.
fn token_service(region: &str) -> String {
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("sts.{region}.{end}")
}

async fn credentials(env: &ProcessEnv, region: &str) -> Result<AwsCredentials, XtraError> {
    if let Some(access_key) = env.setting("AWS_ACCESS_KEY_ID")? {
        let Some(secret_key) = env.setting("AWS_SECRET_ACCESS_KEY")? else {
            let message = "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not";
            return Err(XtraError::new(ErrorKind::Credentials, message).with_hint(Hint::advice("Set both, or neither")));
        };
        let session_token = env.setting("AWS_SESSION_TOKEN")?.map(|found| SecretValue::new(found.value));
        return Ok(AwsCredentials {
            access_key: access_key.value,
            secret_key: SecretValue::new(secret_key.value),
            session_token,
        });
    }
    if let Some(role) = WebIdentity::of(env)? {
        return role.credentials(region).await;
    }
    if let Some(found) = Profile::load(env)?.credentials()? {
        return Ok(found);
    }
    match container_url(env)? {
        Some(url) => {
            let server = match container_authorization(env)? {
                Some(value) => Server::of_machine(CONTAINER_SERVER, "authorization", value),
                None => Server::of_machine(CONTAINER_SERVER, "accept", "application/json"),
            };
            read_credentials(&server, &url).await
        }
        None => Machine::open(env).await?.credentials().await,
    }
}

/// A role that a pod takes by a token of its cluster.
struct WebIdentity {
    role: String,
    session: String,
    token_file: String,
    url: Option<String>,
}

/// The answer, as AWS gives it in JSON.
#[derive(Deserialize)]
struct AssumeRoleAnswer {
    #[serde(rename = "AssumeRoleWithWebIdentityResponse")]
    response: AssumeRoleResponse,
}

#[derive(Deserialize)]
struct AssumeRoleResponse {
    #[serde(rename = "AssumeRoleWithWebIdentityResult")]
    result: AssumeRoleResult,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResult {
    credentials: RoleCredentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleCredentials {
    access_key_id: String,
    secret_access_key: SecretValue,
    session_token: SecretValue,
}

impl WebIdentity {
    fn of(env: &ProcessEnv) -> Result<Option<Self>, XtraError> {
        let (Some(token_file), Some(role)) =
            (env.setting("AWS_WEB_IDENTITY_TOKEN_FILE")?, env.setting("AWS_ROLE_ARN")?)
        else {
            return Ok(None);
        };
        let session = env.setting("AWS_ROLE_SESSION_NAME")?;
        let session = session.map_or_else(|| "xtrasecurity".to_owned(), |found| found.value);
        let named = env.setting("AWS_ENDPOINT_URL_STS")?.map(|found| found.value);
        Ok(Some(Self { role: role.value, session, token_file: token_file.value, url: named }))
    }

    async fn credentials(&self, region: &str) -> Result<AwsCredentials, XtraError> {
        let token = super::id_token::read_file(self.token_file.as_ref())?;
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", self.role.as_str()),
            ("RoleSessionName", self.session.as_str()),
            ("WebIdentityToken", token.expose()),
        ];
        let url = self.url.clone().unwrap_or_else(|| format!("https://{}/", token_service(region)));
        let server = Server::with_form(TOKEN_SERVICE);
        let response = server.post(&url, &form).await?;
        let answer: AssumeRoleAnswer = serde_json::from_slice(response.body()).map_err(|_| server.unexpected())?;
        let found = answer.response.result.credentials;
        Ok(AwsCredentials {
            access_key: found.access_key_id,
            secret_key: found.secret_access_key,
            session_token: Some(found.session_token),
        })
    }
}

/// Where a container's credentials are served: by ECS, EKS or an agent of the machine.
fn container_url(env: &ProcessEnv) -> Result<Option<String>, XtraError> {
    if let Some(path) = env.setting("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")? {
        return Ok(Some(format!("http://169.254.170.2{}", path.value)));
    }
    let Some(full) = env.setting("AWS_CONTAINER_CREDENTIALS_FULL_URI")? else { return Ok(None) };
    // plain http is for the addresses that AWS itself has given to its servers
    const HOSTS: [&str; 6] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "127.0.0.1", "[::1]"];
    let url = url::Url::parse(&full.value).ok();
    let allowed = url.is_some_and(|url| match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(|host| HOSTS.contains(&host)),
        _ => false,
    });
    if !allowed {
        let message = "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https URL nor one of this machine's network";
        return Err(XtraError::new(ErrorKind::Credentials, message));
    }
    Ok(Some(full.value))
}

fn container_authorization(env: &ProcessEnv) -> Result<Option<SecretValue>, XtraError> {
    let Some(path) = env.setting("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")? else {
        return Ok(env.setting("AWS_CONTAINER_AUTHORIZATION_TOKEN")?.map(|found| SecretValue::new(found.value)));
    };
    super::id_token::read_file(path.value.as_ref()).map(Some)
}

async fn read_credentials(server: &Server, url: &str) -> Result<AwsCredentials, XtraError> {
    let [access_key, secret_key, session_token] =
        server.members(url, ["AccessKeyId", "SecretAccessKey", "Token"]).await?;
    let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else { return Err(server.unexpected()) };
    Ok(AwsCredentials { access_key: access_key.expose().to_owned(), secret_key, session_token })
}

/// The metadata server of a machine, with the token that it gives first (IMDSv2).
struct Machine {
    root: String,
    server: Server,
}

impl Machine {
    async fn open(env: &ProcessEnv) -> Result<Self, XtraError> {
        let disabled = env.setting("AWS_EC2_METADATA_DISABLED")?;
        if disabled.is_some_and(|found| found.value.eq_ignore_ascii_case("true")) {
            let message = "no credentials of AWS were found: neither variables nor a profile nor a container have any, \
                           and AWS_EC2_METADATA_DISABLED forbids to ask the machine";
            return Err(XtraError::new(ErrorKind::Credentials, message));
        }
        let named = env.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT")?;
        let root = named.map_or_else(|| "http://169.254.169.254".to_owned(), |found| found.value);
        let root = format!("{}/latest", root.trim_end_matches('/'));
        let server = Server::of_machine(METADATA_SERVER, "x-aws-ec2-metadata-token-ttl-seconds", "60");
        let token = server.text(Method::Put, &format!("{root}/api/token")).await?;
        Ok(Self { root, server: Server::of_machine(METADATA_SERVER, "x-aws-ec2-metadata-token", token) })
    }

    async fn region(&self) -> Result<String, XtraError> {
        let region = self.server.text(Method::Get, &format!("{}/meta-data/placement/region", self.root)).await?;
        Ok(region.expose().to_owned())
    }

    async fn credentials(&self) -> Result<AwsCredentials, XtraError> {
        let list = format!("{}/meta-data/iam/security-credentials/", self.root);
        let roles = self.server.text(Method::Get, &list).await?;
        let role = roles.expose().lines().next().unwrap_or_default();
        // a name of IAM; it becomes a part of the path
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if role.is_empty() || !role.bytes().all(is_name) || role.starts_with('.') {
            return Err(self.server.unexpected());
        }
        read_credentials(&self.server, &format!("{list}{role}")).await
    }
}

/// The headers that are signed and sent, and the signature.
#[derive(Serialize)]
struct SignedHeaders<'a> {
    #[serde(rename = "Authorization")]
    authorization: &'a str,
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
    #[serde(rename = "Host")]
    host: &'a str,
    #[serde(rename = "X-Amz-Date")]
    date: &'a str,
    #[serde(rename = "X-Amz-Security-Token", skip_serializing_if = "Option::is_none")]
    security_token: Option<&'a str>,
}

/// Signs the request (Signature Version 4). The service takes the region from the signature, and the host must fit it.
fn sign(credentials: &AwsCredentials, region: &str, now: SystemTime) -> Result<SignedRequest, XtraError> {
    let unusable =
        |what: &str| XtraError::new(ErrorKind::Credentials, format!("the request to AWS cannot be signed: {what}"));
    let date = format!("{:.0}", Timestamp::from(now)).replace(['-', ':'], "");
    let day = date.split('T').next().unwrap_or_default();
    let host = token_service(region);
    let token = credentials.session_token.as_ref().map(SecretValue::expose);

    let (signed_names, token_line) = match token {
        Some(token) => ("content-type;host;x-amz-date;x-amz-security-token", format!("x-amz-security-token:{token}\n")),
        None => ("content-type;host;x-amz-date", String::new()),
    };
    let token_line = Zeroizing::new(token_line);
    let payload = hex::encode(Sha256::digest(BODY));
    let request = Zeroizing::new(format!(
        "POST\n/\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\nx-amz-date:{date}\n{}\n{signed_names}\n{payload}",
        *token_line
    ));
    let scope = format!("{day}/{region}/sts/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(&*request)));

    let secret = Zeroizing::new(format!("AWS4{}", credentials.secret_key.expose()));
    let mut key = Zeroizing::new(secret.as_bytes().to_vec());
    for part in [day, region, "sts", "aws4_request"] {
        key = Zeroizing::new(hmac(&key, part).ok_or_else(|| unusable("the key cannot be used"))?);
    }
    let signature = hmac(&key, &to_sign).ok_or_else(|| unusable("the key cannot be used"))?;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_names}, Signature={}",
        credentials.access_key,
        hex::encode(signature)
    );
    let headers = SignedHeaders {
        authorization: &authorization,
        content_type: CONTENT_TYPE,
        host: &host,
        date: &date,
        security_token: token,
    };
    let headers = Zeroizing::new(serde_json::to_vec(&headers).map_err(|_| unusable("its headers cannot be written"))?);
    Ok(SignedRequest {
        body: SecretValue::new(STANDARD.encode(BODY)),
        headers: SecretValue::new(STANDARD.encode(&*headers)),
    })
}

fn hmac(key: &[u8], message: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(message.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsCredentials").finish_non_exhaustive()
    }
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::super::metadata::tests::Platform;
    use super::*;

    /// 2026-01-02T03:04:05Z.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_767_323_045)
    }

    fn decoded(request: &SignedRequest) -> (String, Value) {
        let decode = |text: &SecretValue| STANDARD.decode(text.expose()).unwrap();
        let body = String::from_utf8(decode(&request.body)).unwrap();
        (body, serde_json::from_slice(&decode(&request.headers)).unwrap())
    }

    fn signature(headers: &Value) -> &str {
        headers["Authorization"].as_str().unwrap().rsplit_once("Signature=").unwrap().1
    }

    fn example(session_token: Option<&str>) -> AwsCredentials {
        AwsCredentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: session_token.map(SecretValue::from),
        }
    }

    /// botocore 1.44 signs the same request alike.
    #[test]
    fn the_signature_is_that_of_another_implementation() {
        let (body, headers) = decoded(&sign(&example(None), "eu-central-1", now()).unwrap());
        assert_eq!(body, "Action=GetCallerIdentity&Version=2011-06-15");
        let expected = json!({
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-central-1/sts/aws4_request, \
                              SignedHeaders=content-type;host;x-amz-date, \
                              Signature=9e91740e991622190c9b19c6d392d4a780e24bd0e3cd8356742e76bad40e46b0",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Host": "sts.eu-central-1.amazonaws.com",
            "X-Amz-Date": "20260102T030405Z",
        });
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_session_token_is_signed_and_sent() {
        let (_, headers) = decoded(&sign(&example(Some("SESSION/token+1==")), "eu-central-1", now()).unwrap());
        assert_eq!(headers["X-Amz-Security-Token"], "SESSION/token+1==");
        assert_eq!(signature(&headers), "f61649f7507ded359b95392a2f6b4fde50d267bb942440363e63abee01aae814");
    }

    async fn signed_with(variables: &[(&str, &str)]) -> Result<Value, XtraError> {
        signed_request(&ProcessEnv::of(variables), now()).await.map(|request| decoded(&request).1)
    }

    fn signer(headers: &Value) -> &str {
        let authorization = headers["Authorization"].as_str().unwrap();
        authorization.split_once("Credential=").unwrap().1.split_once(',').unwrap().0
    }

    #[test]
    fn the_host_is_that_of_the_partition_of_the_region() {
        for (region, host) in [
            ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ] {
            let (_, headers) = decoded(&sign(&example(None), region, now()).unwrap());
            assert_eq!(headers["Host"], host);
            assert_eq!(signer(&headers), format!("AKIDEXAMPLE/20260102/{region}/sts/aws4_request"));
        }
    }

    #[tokio::test]
    async fn variables_come_first_and_half_of_a_pair_is_an_error() {
        let all = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", "SESSION/token+1=="),
        ];
        let headers = signed_with(&all).await.unwrap();
        assert_eq!(signature(&headers), "f61649f7507ded359b95392a2f6b4fde50d267bb942440363e63abee01aae814");
        let error = signed_with(&all[..2]).await.unwrap_err();
        assert!(error.to_string().contains("AWS_SECRET_ACCESS_KEY is not"), "{error}");
    }

    const ROLE: &str = r#"{"Code":"Success","AccessKeyId":"ASIAROLE","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T09:00:00Z"}"#;

    #[tokio::test]
    async fn a_machine_is_asked_with_the_token_that_it_gives_first() {
        let answers = [
            ("PUT /latest/api/token", 200, "IMDS-1"),
            ("GET /latest/meta-data/placement/region", 200, "us-east-1\n"),
            ("GET /latest/meta-data/iam/security-credentials/", 200, "web-role\nother"),
            ("GET /latest/meta-data/iam/security-credentials/web-role", 200, ROLE),
        ];
        let platform = Platform::start(&answers).await;
        let url = platform.url();
        let headers = signed_with(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]).await.unwrap();
        assert_eq!(signer(&headers), "ASIAROLE/20260102/us-east-1/sts/aws4_request");
        assert_eq!(headers["X-Amz-Security-Token"], "t");
        for request in platform.seen() {
            let asks = "x-aws-ec2-metadata-token-ttl-seconds: 60\r\n";
            let shows = "x-aws-ec2-metadata-token: imds-1\r\n";
            assert!(request.contains(if request.starts_with("put") { asks } else { shows }), "{request}");
        }
    }

    #[tokio::test]
    async fn a_role_that_is_no_name_leads_nowhere() {
        for role in ["../../other", "a b", "", ".."] {
            let answers = [
                ("PUT /latest/api/token", 200, "IMDS-1"),
                ("GET /latest/meta-data/iam/security-credentials/", 200, role),
            ];
            let platform = Platform::start(&answers).await;
            let url = platform.url();
            let variables = [("AWS_REGION", "us-east-1"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
            let error = signed_with(&variables).await.unwrap_err();
            assert!(error.to_string().contains(METADATA_SERVER), "{error}");
            assert_eq!(platform.seen().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_container_s_server_is_asked_with_the_token_that_its_file_holds() {
        let platform = Platform::start(&[("GET /v1/credentials", 200, ROLE)]).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "Container-1\n").unwrap();
        let (url, file) = (format!("{}/v1/credentials", platform.url()), file.to_string_lossy().into_owned());
        let variables = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str()),
        ];
        let headers = signed_with(&variables).await.unwrap();
        assert!(signer(&headers).starts_with("ASIAROLE/"));
        assert!(platform.seen()[0].contains("authorization: container-1\r\n"));
    }

    #[tokio::test]
    async fn a_pod_takes_its_role_by_the_token_that_its_file_holds() {
        let answer = r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Audience":"sts.amazonaws.com",
            "Credentials":{"AccessKeyId":"ASIAPOD","SecretAccessKey":"s","SessionToken":"t","Expiration":1.7E9}}}}"#;
        let platform = Platform::start(&[("POST /", 200, answer)]).await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "pod.token.x").unwrap();
        let (url, file) = (platform.url(), file.to_string_lossy().into_owned());
        let variables = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/a"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.as_str()),
            ("AWS_ENDPOINT_URL_STS", url.as_str()),
        ];
        let headers = signed_with(&variables).await.unwrap();
        assert!(signer(&headers).starts_with("ASIAPOD/") && headers["X-Amz-Security-Token"] == "t");
        let seen = &platform.seen()[0];
        assert!(
            seen.contains("webidentitytoken=pod.token.x") && seen.contains("rolearn=arn%3aaws%3aiam%3a%3a1%3arole%2fa")
        );
    }

    #[tokio::test]
    async fn a_container_s_server_elsewhere_is_not_asked_in_the_clear() {
        for url in ["http://10.0.0.1/credentials", "http://attacker.example/", "text", "ftp://127.0.0.1/"] {
            let variables = [("AWS_REGION", "us-east-1"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)];
            let error = signed_with(&variables).await.unwrap_err();
            assert!(error.to_string().contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn a_region_of_another_form_and_a_machine_that_may_not_be_asked_are_errors() {
        let error = signed_with(&[("AWS_REGION", "evil.example/")]).await.unwrap_err();
        assert!(error.to_string().contains("region"), "{error}");
        let error = signed_with(&[("AWS_EC2_METADATA_DISABLED", "true")]).await.unwrap_err();
        assert!(error.to_string().contains("AWS_EC2_METADATA_DISABLED"), "{error}");
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credentials = example(Some("hunter2"));
        let request = sign(&credentials, "us-east-1", now()).unwrap();
        let shown = format!("{credentials:?} {request:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("wJalr") && !shown.contains("Signature"), "{shown}");
    }
}
