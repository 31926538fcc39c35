//! The crate `infisical`: `check` does with it what it can do, `start` puts 50 secrets into the environment.

use std::env::var;
use std::error::Error;

use infisical::kms::{
    CreateKmsKeyRequest, DecryptRequest, DeleteKmsKeyRequest, EncryptRequest, GetKmsKeyRequest, ListKmsKeysRequest,
};
use infisical::secrets::{
    CreateSecretRequest, DeleteSecretRequest, GetSecretRequest, ListSecretsRequest, UpdateSecretRequest,
};
use infisical::{AuthMethod, Client, InfisicalError, encode_base64};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut client = Client::builder().base_url(var("PEER_HOST")?).build().await?;
    client.login(AuthMethod::new_universal_auth(var("PEER_CLIENT_ID")?, var("PEER_CLIENT_SECRET")?)).await?;
    let project = var("PEER_PROJECT_ID")?;
    match std::env::args().nth(1).as_deref() {
        Some("start") => {
            let list = ListSecretsRequest::builder(&project, "dev").path("/many").attach_to_process_env(true);
            client.secrets().list(list.build()).await?;
            assert_eq!(var("MANY_49")?, "value-49-of-a-usual-length-0123456789");
        }
        _ => {
            reads(&client, &project).await?;
            writes(&client, &project).await?;
            refusals(&client, &project).await?;
            keys(&client, &project).await?;
        }
    }
    Ok(())
}

/// The age of the server.
fn server() -> String {
    var("PEER_SERVER").unwrap_or_else(|_| "Current".to_owned())
}

fn is_august() -> bool {
    server() == "August2024"
}

async fn reads(client: &Client, project: &str) -> Result<(), Box<dyn Error>> {
    let list = |path| ListSecretsRequest::builder(project, "dev").path(path).build();
    // it cannot read what a server of August 2024 imports, which has no comments
    if is_august() {
        assert!(client.secrets().list(list("/")).await.is_err());
        assert_eq!(client.secrets().list(list("/many")).await?.len(), 50);
        println!("list of a folder without imports");
        return get(client, project).await;
    }
    let listed = client.secrets().list(list("/")).await?;
    let value = |name: &str| listed.iter().find(|secret| secret.secret_key == name).map(|secret| &*secret.secret_value);
    assert_eq!(value("PLAIN"), Some("plain"));
    assert_eq!(value("LINES"), Some("first\nsecond"));
    assert_eq!(value("REFERENCE"), Some("plain/x"));
    assert_eq!(value("IMPORTED"), Some("from shared"));
    println!("list, {} rows", listed.len());
    get(client, project).await
}

async fn get(client: &Client, project: &str) -> Result<(), Box<dyn Error>> {
    let get = GetSecretRequest::builder("REFERENCE", project, "dev").path("/").build();
    // a server of August 2024 expands nothing of the same folder by name
    let expanded = if is_august() { "${PLAIN}/x" } else { "plain/x" };
    assert_eq!(client.secrets().get(get).await?.secret_value, expanded);
    println!("get by name");
    Ok(())
}

async fn writes(client: &Client, project: &str) -> Result<(), Box<dyn Error>> {
    for name in ["KEPT", "GONE"] {
        let create = CreateSecretRequest::builder(name, "before", project, "dev").path("/app").secret_comment("noted");
        let created = client.secrets().create(create.build()).await?;
        assert_eq!((&*created.secret_value, created.version), ("before", 1));
        let update = UpdateSecretRequest::builder(name, project, "dev").path("/app").secret_value("kept\nby ü");
        let updated = client.secrets().update(update.build()).await?;
        assert_eq!((&*updated.secret_value, updated.version), ("kept\nby ü", 2));
    }
    println!("create, update");
    let delete = DeleteSecretRequest::builder("GONE", project, "dev").path("/app").build();
    assert_eq!(client.secrets().delete(delete).await?.secret_key, "GONE");
    println!("delete");
    Ok(())
}

async fn refusals(client: &Client, project: &str) -> Result<(), Box<dyn Error>> {
    let get = GetSecretRequest::builder("GONE", project, "dev").path("/app").build();
    match client.secrets().get(get).await {
        Err(InfisicalError::HttpError { status, .. }) => {
            assert_eq!(status.as_u16(), if is_august() { 400 } else { 404 });
        }
        other => return Err(format!("a secret that is gone: {:?}", other.map(drop)).into()),
    }
    let create = CreateSecretRequest::builder("KEPT", "again", project, "dev").path("/app").build();
    match client.secrets().create(create).await {
        Err(InfisicalError::HttpError { status, .. }) => assert_eq!(status.as_u16(), 400),
        other => return Err(format!("a secret that exists: {:?}", other.map(drop)).into()),
    }
    println!("a secret that is gone, and one that exists");

    let mut stranger = Client::builder().base_url(&client.base_url).build().await?;
    let refused = stranger.login(AuthMethod::new_universal_auth(var("PEER_CLIENT_ID")?, "wrong")).await;
    assert!(refused.is_err());
    println!("a wrong client secret is refused");
    Ok(())
}

async fn keys(client: &Client, project: &str) -> Result<(), Box<dyn Error>> {
    // it cannot read a key without a description
    let make = || CreateKmsKeyRequest::builder(project, "app").description("of the peers").build();
    let made = client.kms().create(make()).await;
    match server().as_str() {
        "August2024" => {
            assert!(matches!(made, Err(InfisicalError::HttpError { status, .. }) if status.as_u16() == 404));
            println!("no keys");
        }
        // it cannot read the answer, which has no version, and the key is made all the same: a second one is refused
        "October2024" => {
            assert!(made.is_err() && client.kms().create(make()).await.is_err());
            println!("a key, whose answer it cannot read");
        }
        _ => {
            let key = made?;
            assert_eq!(client.kms().get(GetKmsKeyRequest::builder(&key.id).build()).await?.name, "app");
            assert_eq!(client.kms().list(ListKmsKeysRequest::builder(project).build()).await?.len(), 1);
            let plaintext = encode_base64("a data key");
            let ciphertext = client.kms().encrypt(EncryptRequest::builder(&key.id, &plaintext).build()).await?;
            let opened = client.kms().decrypt(DecryptRequest::builder(&key.id, &ciphertext).build()).await?;
            assert_eq!(opened, plaintext);
            assert_eq!(client.kms().delete(DeleteKmsKeyRequest::builder(&key.id).build()).await?.id, key.id);
            println!("keys, encrypt, decrypt");
        }
    }
    Ok(())
}
