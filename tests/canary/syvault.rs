//! The public types of SyVault: each holds what was planted, or has seen it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xtrasecurity::syvault::{Notation, SyVaultClient, SyVaultFolder, SyVaultScope, dev};
use xtrasecurity::{SecretSource, blocking};

use crate::planted::{KEY, TOKEN, URL_WITH_CREDENTIALS, VALUE};
use crate::public_types::Table;

/// A private key of the client, and a key of a folder.
const PRIVATE_KEY: &str = "jpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LI=";
const FOLDER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server whose answers are full of what was planted.
async fn server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let line = request.lines().next().unwrap_or_default();
            let record = format!(r#"{{"uid":"uid","folder_id":"f","title":"{VALUE}","fields":{{"{KEY}":"{VALUE}"}}}}"#);
            let (status, body) = if line.contains("/rotate") {
                (200, format!(r#"{{"status":"completed","new_fields":{{"{KEY}":"{VALUE}"}}}}"#))
            } else if line.contains("/secrets/uid") {
                (200, record)
            } else if line.contains("/secrets/sealed") {
                (
                    200,
                    format!(
                        r#"{{"uid":"sealed","folder_id":"f","encrypted_key":"{VALUE}","encrypted_data":"{VALUE}"}}"#
                    ),
                )
            } else if line.contains("/secrets/shape") {
                (200, format!(r#"{{"uid":"shape","fields":["{VALUE}"]}}"#))
            } else if line.contains("/secrets/") {
                (401, format!(r#"{{"error":"{VALUE}","message":"{VALUE} {TOKEN}"}}"#))
            } else if line.starts_with("POST /api/sm/v1/dynamic") {
                (
                    201,
                    format!(
                        r#"{{"lease_id":"l","username":"{VALUE}","password":"{VALUE}","connection_string":"{VALUE}","expires_at":"2026-01-02T03:04:05Z"}}"#
                    ),
                )
            } else if line.contains("/leases") {
                (200, r#"{"data":[{"lease_id":"l"}]}"#.to_owned())
            } else if line.starts_with("POST") {
                (201, format!(r#"{{"uid":"{VALUE}"}}"#))
            } else {
                (200, format!(r#"{{"data":[{record}]}}"#))
            };
            let head = format!(
                "HTTP/1.1 {status} Any\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    root
}

pub async fn all(table: &mut Table) {
    let root = server().await;
    let folder = SyVaultFolder::new("f").path(["Production"]).key(FOLDER_KEY);
    table.debug("syvault::SyVaultFolder", &SyVaultFolder::new("f").key(VALUE));
    let builder = || SyVaultClient::builder().server(&root).client_id("c").client_secret(PRIVATE_KEY).no_proxy();
    table.debug("ClientBuilder", &builder().client_secret(VALUE).server(URL_WITH_CREDENTIALS));
    for broken in [
        builder().client_secret(VALUE),
        builder().server(URL_WITH_CREDENTIALS),
        builder().folder(SyVaultFolder::new("f").key(VALUE)),
    ] {
        table.error("XtraError", &broken.build().unwrap_err());
    }
    let client = builder().folder(folder).build().unwrap();
    table.debug("Client", &client);
    table.debug("Client", &blocking::SyVaultClient::from(client.clone()));
    table.debug("syvault::SyVault", client.source());
    table.debug("syvault::SyVaultScope", &client.source().prepare(&SyVaultScope::secret("uid")).unwrap());
    let secrets = client.get("uid").await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Secrets", &secrets);
    operations(table, &client).await;
    for uid in ["sealed", "shape", "refused", VALUE, TOKEN] {
        table.error("XtraError", &client.get(uid).await.unwrap_err());
    }
    for notation in [VALUE, &format!("sy://Production/T/{VALUE}/f"), &format!("sy://Production/{VALUE}%/field/f")] {
        table.error("XtraError", &Notation::parse(notation).unwrap_err());
        table.error("XtraError", &client.notation(notation).await.unwrap_err());
    }
    table.debug("syvault::Notation", &Notation::parse("sy://Production/T/field/f").unwrap());
    dev_server(table).await;
}

async fn operations(table: &mut Table, client: &SyVaultClient) {
    let listed = client.list().await.unwrap();
    assert_eq!(listed[0].title.as_deref(), Some(VALUE));
    table.debug("syvault::ListedSecret", &listed[0]);
    let create = client.create("f", VALUE, [(KEY, VALUE)]);
    table.debug("syvault::CreateSecret", &create);
    table.error("XtraError", &create.await.unwrap_err());
    let rotated = client.rotate("uid").await.unwrap();
    assert_eq!(rotated.new_fields[KEY].expose(), VALUE);
    table.debug("syvault::Rotation", &rotated);
    let lease = client.create_lease("uid");
    table.debug("syvault::CreateLease", &lease);
    table.debug("syvault::Lease", &lease.await.unwrap());
    table.debug("syvault::LeaseEntry", &client.list_leases().await.unwrap()[0]);
    let notation = client.notation(&format!("sy://Production/{VALUE}/field/{KEY}")).await.unwrap();
    assert_eq!(notation.expose(), VALUE);
    // nothing can be planted in these
    table.0.extend(["syvault::CreatedSecret", "syvault::ListSecrets", "syvault::ListLeases", "syvault::RevokeLease"]);
    table.0.extend(["syvault::ResolveNotation", "syvault::RotateSecret"]);
}

async fn dev_server(table: &mut Table) {
    let secret = dev::SecretSeed::new("f", VALUE).uid("u").field(KEY, VALUE);
    let client = dev::ClientSeed::new("ci").secret(PRIVATE_KEY);
    let folder = SyVaultFolder::new("f").key(FOLDER_KEY);
    let builder =
        || dev::SyVaultDevServer::builder().folder(folder.clone()).client(client.clone()).secret(secret.clone());
    let server = builder().start().await.unwrap();
    table.debug("syvault::dev::SyVaultDevServer", &server);
    table.error("dev_server::DevServerError", &server.put_record(VALUE).unwrap_err());
    table.error("dev_server::DevServerError", &builder().client(client.clone()).start().await.unwrap_err());
    let broken = dev::SyVaultDevServer::builder().client(dev::ClientSeed::new("ci").secret(VALUE));
    table.error("dev_server::DevServerError", &broken.start().await.unwrap_err());
    table.debug("syvault::dev::SyVaultDevServerBuilder", &builder());
    let new = dev::SyVaultDevServer::builder().client(dev::ClientSeed::unregistered("new")).start().await.unwrap();
    let unregistered = || SyVaultClient::builder().server(new.url()).client_secret(PRIVATE_KEY).no_proxy();
    table.error("XtraError", &unregistered().bootstrap(VALUE).await.unwrap_err());
    let registration = unregistered().bootstrap(new.one_time_token("new").unwrap()).await.unwrap();
    table.debug("syvault::Registration", &registration);
    table.debug("syvault::dev::ClientSeed", &dev::ClientSeed::new("ci").secret(VALUE));
    table.debug("syvault::dev::SecretSeed", &secret);
}
