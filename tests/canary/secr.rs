//! The public types of secr: each holds what was planted, or has seen it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xtrasecurity::secr::{SecrClient, SecrScope, WebhookVerifier, dev};
use xtrasecurity::{SecretSource, blocking};

use crate::planted::{KEY, TOKEN, URL_WITH_CREDENTIALS, VALUE};
use crate::public_types::Table;

/// A server whose answers are full of what was planted: secrets to reads of `dev`, results to writes there, and refusals.
async fn server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let line = request.lines().next().unwrap_or_default();
            let (status, body) = if line.contains("/refused") || line.contains(TOKEN) {
                (403, format!(r#"{{"error":"{VALUE}","message":"{VALUE} {TOKEN}","code":"{VALUE}"}}"#))
            } else if line.contains("/shape") {
                (200, format!(r#"{{"secrets":["{VALUE}"],"keys":["{VALUE}"]}}"#))
            } else if line.contains("/masked") {
                (200, format!(r#"{{"secrets":[{{"key":"{KEY}","value":"***"}},{{"key":"B","value":"{VALUE}"}}]}}"#))
            } else if line.contains("/keys") {
                (
                    200,
                    format!(
                        r#"{{"keys":[{{"key":"{KEY}","version":1}}],"pagination":{{"limit":1,"offset":0,"total":1}}}}"#
                    ),
                )
            } else if line.contains("validate") {
                (200, format!(r#"{{"valid":false,"missing":["{KEY}"],"extra":[]}}"#))
            } else if line.contains("templates") {
                (200, format!(r#"[{{"id":"1","key":"{KEY}","required":true}}]"#))
            } else if line.contains("/auth/me") {
                (200, r#"{"id":"u-1"}"#.to_owned())
            } else if line.starts_with("GET") {
                (
                    200,
                    format!(
                        r#"{{"secrets":[{{"key":"{KEY}","value":"{VALUE}","version":1}}],"pagination":{{"limit":1,"offset":0,"total":1}}}}"#
                    ),
                )
            } else {
                (
                    200,
                    format!(
                        r#"{{"key":"{KEY}","version":1,"deleted":true,"created":1,"updated":1,"total":2,"promoted":2,"skipped":0}}"#
                    ),
                )
            };
            let head = format!("HTTP/1.1 {status} Any\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    root
}

pub async fn all(table: &mut Table) {
    let root = server().await;
    let builder = || SecrClient::builder().token(TOKEN).api_url(&root).no_proxy();
    table.debug("ClientBuilder", &builder().api_url(URL_WITH_CREDENTIALS));
    table.error("XtraError", &builder().api_url(URL_WITH_CREDENTIALS).build().unwrap_err());
    let client = builder().build().unwrap();
    table.debug("Client", &client);
    table.debug("Client", &blocking::SecrClient::from(client.clone()));
    table.debug("secr::Secr", client.source());
    table.debug("secr::SecrScope", &SecrScope::new("o", "p", "dev"));
    table.debug("secr::SecrScope", &client.source().prepare(&SecrScope::new("o", "p", "dev")).unwrap());

    let secrets = client.get_secrets("o", "p", "dev").await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Secrets", &secrets);
    reads(table, &client).await;
    writes(table, &client).await;
    for environment in ["refused", "shape", "masked", TOKEN] {
        table.error("XtraError", &client.get_secrets("o", "p", environment).await.unwrap_err());
        table.error("XtraError", &client.pull_secrets("o", "p", environment).await.unwrap_err());
        table.error("XtraError", &client.set_secret("o", "p", "refused", KEY, VALUE).await.unwrap_err());
    }
    let verifier = WebhookVerifier::new(VALUE).unwrap();
    table.debug("secr::WebhookVerifier", &verifier);
    table.error("XtraError", &verifier.verify(VALUE.as_bytes(), VALUE).unwrap_err());
    webhooks(table);
    dev_server(table).await;
}

async fn reads(table: &mut Table, client: &SecrClient) {
    let pull = client.pull_secrets("o", "p", "dev").search(VALUE);
    table.debug("Request", &pull);
    table.0.extend(["secr::PullSecrets", "secr::PageQuery", "secr::ListKeys"]);
    let pulled = pull.await.unwrap();
    assert_eq!(pulled.secrets[0].value.expose(), VALUE);
    table.debug("secr::PulledSecrets", &pulled);
    table.debug("secr::PulledSecret", &pulled.secrets[0]);
    table.debug("secr::Pagination", &pulled.pagination);
    let mut pages = client.pull_secrets("o", "p", "dev").pages();
    table.debug("secr::SecretPages", &pages);
    table.debug("secr::PulledSecrets", &pages.next().await.unwrap().unwrap());
    let listed = client.list_keys("o", "p", "dev").await.unwrap();
    table.debug("secr::ListedKeys", &listed);
    table.debug("secr::SecretKey", &listed.keys[0]);
    table.debug("secr::Account", &client.whoami().await.unwrap());
    table.debug("secr::Template", &client.list_templates("o", "p").await.unwrap()[0]);
    table.debug("secr::TemplateValidation", &client.validate_template("o", "p", "dev").await.unwrap());
    table.0.extend(["secr::Whoami", "secr::ListTemplates", "secr::ValidateTemplate"]);
}

async fn writes(table: &mut Table, client: &SecrClient) {
    let set = client.set_secret("o", "p", "dev", KEY, VALUE);
    table.debug("secr::SetSecret", &set);
    table.debug("secr::SetResult", &set.await.unwrap());
    let bulk = client.bulk_set_secrets("o", "p", "dev", [(KEY, VALUE)]);
    table.debug("secr::BulkSetSecrets", &bulk);
    table.debug("secr::BulkSetResult", &bulk.await.unwrap());
    let delete = client.delete_secret("o", "p", "dev", KEY);
    table.debug("secr::DeleteSecret", &delete);
    table.debug("secr::DeleteResult", &delete.await.unwrap());
    let promote = client.promote_secrets("o", "p", "dev", "staging").only([KEY]);
    table.debug("secr::PromoteSecrets", &promote);
    table.debug("secr::PromoteResult", &promote.await.unwrap());
    table.debug("secr::AddTemplate", &client.add_template("o", "p", KEY));
    table.debug("secr::RemoveTemplate", &client.remove_template("o", "p", KEY));
}

fn webhooks(table: &mut Table) {
    // a notice holds names and ids alone
    table.0.extend(["secr::Webhook", "secr::WebhookEvent", "secr::WebhookPlace"]);
    #[cfg(feature = "tower")]
    {
        let layer = xtrasecurity::secr::WebhookLayer::new(WebhookVerifier::new(VALUE).unwrap());
        table.debug("secr::WebhookLayer", &layer);
        table.0.insert("secr::WebhookService");
    }
}

async fn dev_server(table: &mut Table) {
    let project = dev::ProjectSeed::new("o", "p").secret("dev", KEY, VALUE);
    let caller = dev::CallerSeed::new("ann").token(TOKEN);
    let builder = || dev::SecrDevServer::builder().project(project.clone()).caller(caller.clone());
    let server = builder().start().await.unwrap();
    let client = SecrClient::builder().dev_server(&server).no_proxy().build().unwrap();
    client.set_secret("o", "p", "dev", KEY, VALUE).await.unwrap();
    table.debug("secr::dev::SecrDevServer", &server);
    table.debug("dev_server::SeenRequest", &server.all_requests().pop().unwrap());
    table.error("dev_server::DevServerError", &builder().caller(caller.clone()).start().await.unwrap_err());
    table.debug("secr::dev::SecrDevServerBuilder", &builder());
    table.debug("secr::dev::ProjectSeed", &project);
    table.debug("secr::dev::CallerSeed", &caller);
    table.debug("secr::dev::Role", &dev::Role::Admin);
}
