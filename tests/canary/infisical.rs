//! The public types of Infisical: each holds what was planted, or has seen it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xtrasecurity::infisical::{Auth, IdToken, InfisicalClient, InfisicalScope, raw};
use xtrasecurity::{SecretSource, blocking};

use crate::planted::{KEY, PROJECT, TOKEN, URL_WITH_CREDENTIALS, VALUE, hides, hides_debug};
use crate::public_types::Table;

/// A server whose answers are full of what was planted: a token to logins, a row of secrets to reads of `dev`, and refusals.
async fn server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let row = format!(
                r#"{{"secretKey":"{KEY}","secretValue":"{VALUE}","secretComment":"{VALUE}","secretPath":"/","version":1}}"#
            );
            let (status, body) = if request.starts_with("POST") {
                (200, format!(r#"{{"accessToken":"{TOKEN}","expiresIn":7200}}"#))
            } else if request.contains("environment=dev") {
                (200, format!(r#"{{"secrets":[{row}],"secret":{row}}}"#))
            } else if request.contains("environment=issues") {
                let issue =
                    format!(r#"{{"code":"{VALUE}","path":["{VALUE}"],"message":"{VALUE}","received":"{VALUE}"}}"#);
                (401, format!(r#"{{"statusCode":401,"error":"ValidationFailure","message":[{issue}]}}"#))
            } else if request.contains("environment=route") {
                (404, format!(r#"{{"statusCode":404,"error":"Not Found","message":"Route GET:/{VALUE} not found"}}"#))
            } else {
                (403, format!(r#"{{"statusCode":403,"error":"{VALUE}","message":"{VALUE} {TOKEN}"}}"#))
            };
            let head = format!(
                "HTTP/1.1 {status} Any\r\netag: \"{VALUE}\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    root
}

pub async fn all(table: &mut Table) {
    let root = server().await;
    let builder =
        || InfisicalClient::builder().universal_auth(VALUE, VALUE).project_id(PROJECT).base_url(&root).no_proxy();
    table.debug("ClientBuilder", &builder().token(TOKEN).base_url(URL_WITH_CREDENTIALS));
    for auth in [Auth::universal(VALUE, VALUE), Auth::token(TOKEN), Auth::ldap(VALUE, VALUE, VALUE)] {
        table.debug("infisical::Auth", &auth);
    }
    table.debug("infisical::Auth", &Auth::oidc(VALUE, IdToken::given(TOKEN)).organization(VALUE));
    table.debug("infisical::IdToken", &IdToken::given(TOKEN));
    table.debug("infisical::IdToken", &IdToken::github().audience(VALUE));
    table.error("XtraError", &builder().auth(Auth::universal(VALUE, format!("\"{VALUE}\""))).build().unwrap_err());
    table.error("XtraError", &builder().token(TOKEN).build().unwrap_err());
    table.error("XtraError", &builder().base_url(URL_WITH_CREDENTIALS).build().unwrap_err());
    table.error("XtraError", &InfisicalClient::builder().universal_auth("", VALUE).build().unwrap_err());

    let client = builder().build().unwrap();
    let request = client.get_secrets("dev");
    table.debug("Request", &request);
    let secrets = request.await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Secrets", &secrets);
    table.debug("Client", &client);
    table.debug("infisical::Infisical", client.source());
    let scope = InfisicalScope::new("dev").project_id(PROJECT).secret(KEY);
    table.debug("infisical::InfisicalScope", &scope);
    table.debug("crate::services::infisical::scope::CheckedScope", &client.source().prepare(&scope).unwrap());
    let one = client.get_secret("dev", KEY);
    table.debug("infisical::GetSecret", &one);
    assert_eq!(one.await.unwrap().expose(), VALUE);
    let list = client.list_secrets("dev");
    table.debug("infisical::ListSecrets", &list);
    let listed = list.await.unwrap();
    assert_eq!(listed[0].comment.as_ref().unwrap().expose(), VALUE);
    table.debug("infisical::ListedSecret", &listed[0]);
    table.debug("Client", &blocking::InfisicalClient::from(client.clone()));
    raw_calls(table, &client).await;
    for environment in ["issues", "route", "other", VALUE, TOKEN] {
        table.error("XtraError", &client.get_secrets(environment).await.unwrap_err());
    }
}

async fn raw_calls(table: &mut Table, client: &InfisicalClient) {
    let raw = client.raw();
    table.debug("infisical::raw::Client", &raw);
    let read = |environment| raw.secrets_list().project_id(PROJECT).environment(environment);
    let answer = read("dev").send().await.unwrap();
    assert_eq!(
        answer.secrets[0].secret_value.as_ref().and_then(raw::WireSecret::expose),
        Some(VALUE),
        "what was planted arrives"
    );
    hides_debug("the answer of a raw call", &answer);
    for environment in ["issues", "route", "other"] {
        let error = read(environment).send().await.unwrap_err();
        hides_debug("the error of a raw call", &error);
        hides("the error of a raw call", &error.to_string());
    }
    let data: raw::SecretData = serde_json::from_str(&format!("{{\"{VALUE}\":\"{VALUE}\"}}")).unwrap();
    table.debug("infisical::raw::SecretData", &data);
}
