//! Clients that find their credentials themselves, from the variables to the read.

use std::fs;

use super::metadata::tests::Platform;
use crate::core::{ErrorKind, XtraError};
use crate::credentials::ProcessEnv;
use crate::engine::Client;
use crate::services::infisical::{Infisical, InfisicalClientBuilder};

const GRANTED: &str = r#"{"accessToken":"granted","expiresIn":7200,"accessTokenMaxTTL":7200,"tokenType":"Bearer"}"#;
const GRANTED_NEXT: &str = r#"{"accessToken":"next","expiresIn":7200,"accessTokenMaxTTL":7200,"tokenType":"Bearer"}"#;
const EXPIRED: &str =
    r#"{"statusCode":403,"message":"Your token has expired. Please re-authenticate.","error":"TokenError"}"#;
const SECRETS: &str = r#"{"secrets":[{"id":"1","_id":"1","workspace":"7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80","environment":"dev","version":1,"type":"shared",
    "secretKey":"DB_URL","secretValue":"postgres://db","secretComment":"","secretPath":"/"}],"imports":[]}"#;

const READ: &str = "GET /api/v4/secrets*";
const PROJECT: (&str, &str) = ("INFISICAL_PROJECT_ID", "7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80");

fn client(variables: &[(&str, &str)]) -> Result<Client<Infisical>, XtraError> {
    let builder: InfisicalClientBuilder = Client::<Infisical>::builder();
    builder.build_in(&ProcessEnv::of(variables))
}

#[tokio::test]
async fn a_pod_reads_without_a_stored_secret_and_logs_in_anew_with_what_its_file_holds_then() {
    let login = "POST /api/v1/auth/kubernetes-auth/login";
    let answers = [
        (login, 200, GRANTED),
        (login, 200, GRANTED_NEXT),
        (READ, 200, SECRETS),
        (READ, 403, EXPIRED),
        (READ, 200, SECRETS),
    ];
    let server = Platform::start(&answers).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let (url, path) = (server.url(), file.to_string_lossy().into_owned());
    let client = client(&[
        PROJECT,
        ("INFISICAL_DOMAIN", &url),
        ("INFISICAL_KUBERNETES_IDENTITY_ID", "id-1"),
        ("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", &path),
    ])
    .unwrap();
    for token in ["pod.one.x", "pod.two.x"] {
        fs::write(&file, token).unwrap();
        let secrets = client.get_secrets("dev").no_cache().await.unwrap();
        assert_eq!(secrets.require("DB_URL").unwrap().expose(), "postgres://db");
    }
    let seen = server.seen();
    let sent: Vec<_> = ["pod.one.x", "bearer granted", "bearer granted", "pod.two.x", "bearer next"].into();
    assert_eq!(seen.len(), sent.len(), "{seen:?}");
    for (request, part) in seen.iter().zip(sent) {
        assert!(request.contains(part), "{part} is not in {request}");
    }
}

#[tokio::test]
async fn a_job_of_github_reads_without_a_stored_secret() {
    let answers = [
        ("GET /token?version=2", 200, r#"{"value":"job.token.x"}"#),
        ("POST /api/v1/auth/oidc-auth/login", 200, GRANTED),
        (READ, 200, SECRETS),
    ];
    let server = Platform::start(&answers).await;
    let (url, issuer) = (server.url(), format!("{}/token?version=2", server.url()));
    let client = client(&[
        PROJECT,
        ("INFISICAL_DOMAIN", &url),
        ("INFISICAL_MACHINE_IDENTITY_ID", "id-1"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &issuer),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner"),
    ])
    .unwrap();
    assert!(client.get_secrets("dev").await.unwrap().contains("DB_URL"));
    let seen = server.seen();
    assert!(seen[1].contains("job.token.x") && seen[2].contains("bearer granted"), "{seen:?}");
}

#[tokio::test]
async fn a_platform_that_gives_no_token_is_an_error_of_the_read_that_names_it_and_nothing_is_sent_to_the_server() {
    let server = Platform::start(&[("GET /token", 403, "hunter2")]).await;
    let (url, issuer) = (server.url(), format!("{}/token", server.url()));
    let client = client(&[
        PROJECT,
        ("INFISICAL_DOMAIN", &url),
        ("INFISICAL_OIDC_AUTH_IDENTITY_ID", "id-1"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", &issuer),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner"),
    ])
    .unwrap();
    let error = client.get_secrets("dev").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(text.contains("GitHub Actions refused with status 403") && !text.contains("hunter2"), "{text}");
    assert_eq!(server.seen().len(), 1);
}
