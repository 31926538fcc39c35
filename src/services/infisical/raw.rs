//! The generated client of Infisical: one method for each operation of its document, which covers servers of 2024 and of today.
//!
//! ```no_run
//! # async fn show(client: xtrasecurity::infisical::InfisicalClient) -> Result<(), xtrasecurity::XtraError> {
//! let keys = client.raw().kms_keys_list().project_id("7e2f1f4a-3f1c-4b0e-9c53-1b2d5a6c7e80").send().await?;
//! println!("{:?} keys", keys.total_count);
//! # Ok(())
//! # }
//! ```
//!
//! **This module is exempt from semantic versioning.** It is generated from a document of the service: an operation, a type or a field
//! may change in any release. The rest of the crate keeps to it. The document says of each operation whether it was recorded with a
//! server or is documented only; a server of 2024 does not have them all.
//!
//! A method returns a request to fill in; `send` sends it with the client's token, retries and limits. Answers and errors may
//! be logged: secrets in them print as `[REDACTED]`. Writing an answer out with serde redacts them too, but a *request* type
//! writes its secrets, because that is how they are sent.

#![allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    rustdoc::all
)]

use std::fmt;

pub use crate::http::Response;
pub use crate::http::runtime::wire::{FreeForm, SecretData, SecretInput, WireSecret};
pub use crate::http::runtime::{Answer, InvalidPayload, PayloadProblem};

use super::auth::Granted;
use crate::core::SecretValue;

include!(concat!(env!("OUT_DIR"), "/infisical.rs"));

impl From<types::AccessToken> for Granted {
    fn from(granted: types::AccessToken) -> Self {
        let token = granted.access_token.into_value().unwrap_or_else(|| SecretValue::new(String::new()));
        Self { token, expires_in: granted.expires_in }
    }
}

/// What a service says when it refuses may hold anything that the request carried: none of its texts is printed.
impl fmt::Debug for types::ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status_code", &self.status_code)
            .field("message", &self.message)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::path::Path;
    use std::sync::Arc;

    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{Client, Error, types};
    use crate::credentials::StaticToken;
    use crate::http::Transport;
    use crate::services::infisical::protocol::InfisicalProtocol;

    /// What is shown of an answer that is read as `T`, in each way that it can be.
    fn shown<T: DeserializeOwned + Serialize + Debug>(json: &str) -> Result<String, serde_json::Error> {
        let answer: T = serde_json::from_str(json)?;
        Ok(format!("{answer:?} {answer:#?} {}", serde_json::to_string(&answer)?))
    }

    type Show = fn(&str) -> Result<String, serde_json::Error>;

    /// The recorded routes with what their success is read as. `{}` stands for one segment.
    const ROUTES: &[(&str, &str, Show)] = &[
        ("GET", "/v3/secrets/raw", shown::<types::SecretList>),
        ("GET", "/v3/secrets/raw/{}", shown::<types::SecretAnswer>),
        ("POST", "/v3/secrets/raw/{}", shown::<types::SecretWritten>),
        ("PATCH", "/v3/secrets/raw/{}", shown::<types::SecretWritten>),
        ("DELETE", "/v3/secrets/raw/{}", shown::<types::SecretWritten>),
        ("POST", "/v3/secrets/batch/raw", shown::<types::SecretsWritten>),
        ("PATCH", "/v3/secrets/batch/raw", shown::<types::SecretsWritten>),
        ("DELETE", "/v3/secrets/batch/raw", shown::<types::SecretsWritten>),
        ("POST", "/v1/auth/universal-auth/login", shown::<types::AccessToken>),
        ("POST", "/v1/auth/token/renew", shown::<types::AccessToken>),
        ("POST", "/v1/auth/token/revoke", shown::<types::Message>),
        ("GET", "/v2/service-token", shown::<types::ServiceToken>),
        ("GET", "/v1/folders", shown::<types::FolderList>),
        ("GET", "/v1/folders/{}", shown::<types::FolderAnswer>),
        ("POST", "/v1/folders", shown::<types::FolderAnswer>),
        ("PATCH", "/v1/folders/{}", shown::<types::FolderAnswer>),
        ("DELETE", "/v1/folders/{}", shown::<types::FolderAnswer>),
        ("GET", "/v1/secret-imports", shown::<types::SecretImportList>),
        ("GET", "/v1/secret-imports/secrets/raw", shown::<types::ImportedSecretsList>),
        ("POST", "/v1/secret-imports", shown::<types::SecretImportAnswer>),
        ("PATCH", "/v1/secret-imports/{}", shown::<types::SecretImportAnswer>),
        ("DELETE", "/v1/secret-imports/{}", shown::<types::SecretImportAnswer>),
        ("GET", "/v1/workspace/{}/tags", shown::<types::TagV1List>),
        ("GET", "/v1/workspace/{}", shown::<types::WorkspaceAnswer>),
        ("GET", "/v1/secret-approval-requests", shown::<types::ApprovalRequestList>),
        ("GET", "/v1/kms/keys", shown::<types::KmsKeyList>),
        ("POST", "/v1/kms/keys", shown::<types::KmsKeyAnswer>),
        ("PATCH", "/v1/kms/keys/{}", shown::<types::KmsKeyAnswer>),
        ("DELETE", "/v1/kms/keys/{}", shown::<types::KmsKeyAnswer>),
        ("POST", "/v1/kms/keys/{}/encrypt", shown::<types::KmsCiphertextAnswer>),
        ("POST", "/v1/kms/keys/{}/decrypt", shown::<types::KmsPlaintextAnswer>),
        ("GET", "/status", shown::<types::Status>),
    ];

    /// Members of answers that hold secret text.
    const SECRET: &[&str] = &["secretValue", "secretComment", "accessToken", "plaintext", "ciphertext", "secretHash"];

    fn fits(template: &str, path: &str) -> bool {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(path).all(|(own, part)| *own == part || (*own == "{}" && !part.is_empty()))
    }

    fn recordings() -> Vec<Value> {
        let mut found = Vec::new();
        for server in ["2024-08", "2024-10"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/infisical").join(server);
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    found.push(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
                }
            }
        }
        found
    }

    /// The texts of the members that are secret, but for those that are too short to be told from others.
    fn secrets(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| secrets(item, found)),
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_str() {
                        Some(text) if SECRET.contains(&name.as_str()) && text.len() > 12 => found.push(text.to_owned()),
                        _ => secrets(member, found),
                    }
                }
            }
            _ => {}
        }
    }

    /// Policies are administration, and the client writes no slash at the end.
    const NO_ROUTE: &[&str] = &["approval-policy-create", "secrets-list-trailing-slash-route"];

    /// The server repeats half a character, escaped, which is no JSON to a strict reader. The secret is stored with a mark in its place.
    const NO_JSON: &str = "secret-create-lone-surrogate-escape";

    #[test]
    fn every_recorded_success_is_read_and_shows_no_secret() {
        let (mut read, mut hidden, mut used) = (0, 0, vec![0; ROUTES.len()]);
        for recording in recordings() {
            let (request, response) = (&recording["request"], &recording["response"]);
            let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
            let Some(path) = path.strip_prefix("/api") else { continue };
            let Some(text) = response["body_text"].as_str().filter(|text| !text.is_empty()) else { continue };
            if response["status"] != 200 {
                continue;
            }
            let Some(at) = ROUTES.iter().position(|(known, template, _)| *known == method && fits(template, path))
            else {
                assert!(NO_ROUTE.iter().any(|name| recording["name"] == *name), "{} has no route", recording["name"]);
                continue;
            };
            let shown = match ROUTES[at].2(text) {
                Ok(shown) => shown,
                Err(error) => {
                    assert!(recording["name"] == NO_JSON && error.is_syntax(), "{}: {error}", recording["name"]);
                    continue;
                }
            };
            let mut texts = Vec::new();
            secrets(&serde_json::from_str(text).unwrap(), &mut texts);
            for secret in texts {
                assert!(!shown.contains(&secret), "{} shows a secret", recording["name"]);
                hidden += 1;
            }
            used[at] += 1;
            read += 1;
        }
        assert!(read > 350 && hidden > 100, "{read} answers, {hidden} secrets");
        assert!(used.iter().all(|times| *times > 0), "{used:?}");
    }

    #[test]
    fn every_recorded_refusal_is_read_as_one_error_type_and_shows_none_of_its_texts() {
        let mut read = 0;
        for recording in recordings() {
            let response = &recording["response"];
            let Some(text) = response["body_text"].as_str().filter(|_| response["body_is_json"] == true) else {
                continue;
            };
            if response["status"].as_i64().unwrap() < 400 {
                continue;
            }
            let refusal: types::ApiError = serde_json::from_str(text).unwrap();
            assert_eq!(refusal.status_code, response["status"].as_i64(), "{}", recording["name"]);
            let shown = format!("{refusal:?} {refusal:#?}");
            let body: Value = serde_json::from_str(text).unwrap();
            if let Some(sentence) = body["message"].as_str() {
                assert!(!shown.contains(sentence), "{}", recording["name"]);
            }
            read += 1;
        }
        assert!(read > 350, "{read}");
    }

    /// A client of a listener.
    fn client(listener: &TcpListener) -> Client {
        let root = format!("http://{}/api", listener.local_addr().unwrap());
        let token = Arc::new(StaticToken::new("a-token").unwrap());
        let transport = Transport::builder(InfisicalProtocol).credentials(token).no_proxy().build(&root).unwrap();
        Client::new_with_client(&root, transport.http().clone(), transport)
    }

    /// Answers one request as recorded, and returns its first line.
    async fn answered(listener: &TcpListener, recording: &Value) -> String {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        }
        let (status, body) = (&recording["response"]["status"], recording["response"]["body_text"].as_str().unwrap());
        let head = format!(
            "HTTP/1.1 {status} Any\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all((head + body).as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap().lines().next().unwrap().to_owned()
    }

    fn recording(name: &str) -> Value {
        recordings().into_iter().rfind(|recording| recording["name"] == name).unwrap()
    }

    #[tokio::test]
    async fn a_list_is_asked_for_as_recorded_and_comes_with_its_imports() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, recorded) = (client(&listener), recording("secrets-list-root-imports"));
        let list = client
            .secrets_v3_list()
            .workspace_id("5e01cae4")
            .environment("dev")
            .secret_path("/a b")
            .expand_secret_references(false)
            .recursive(false)
            .include_imports(true);
        let (answer, line) = tokio::join!(list.send(), answered(&listener, &recorded));
        let answer = answer.unwrap().into_inner();
        assert!(line.starts_with("GET /api/v3/secrets/raw?"), "{line}");
        for pair in
            ["workspaceId=5e01cae4", "environment=dev", "secretPath=%2Fa+b", "include_imports=true", "recursive=false"]
        {
            assert!(line.contains(pair), "{line} lacks {pair}");
        }
        assert!(!answer.secrets.is_empty());
        assert!(answer.imports.is_some_and(|imports| imports.len() == 2));
    }

    #[tokio::test]
    async fn a_name_stays_one_segment_and_a_refusal_keeps_its_status_and_words() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, recorded) = (client(&listener), recording("secret-get-missing"));
        let get = client.secrets_v3_get().secret_name("a/b?c#d").workspace_id("5e01cae4").environment("dev");
        let (answer, line) = tokio::join!(get.send(), answered(&listener, &recorded));
        assert!(line.starts_with("GET /api/v3/secrets/raw/a%2Fb%3Fc%23d?"), "{line}");
        let Err(Error::ErrorResponse(refusal)) = answer else { panic!("no refusal") };
        assert_eq!(refusal.status(), 404);
        assert_eq!(refusal.into_inner().error.as_deref(), Some("NotFound"));
    }
}
