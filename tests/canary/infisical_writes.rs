//! What writes to Infisical, its keys and its leases: each type holds what was planted, or has seen it.

use xtrasecurity::infisical::dev::{IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};
use xtrasecurity::infisical::write::{SecretDetails, Trimming, Written};
use xtrasecurity::infisical::{InfisicalClient, raw::types};

use crate::planted::{KEY, VALUE, hides_debug};
use crate::public_types::Table;

async fn server() -> InfisicalDevServer {
    let project = ProjectSeed::new("web")
        .member("ci", Role::Admin)
        .secret(SecretSeed::new("dev", KEY, VALUE).comment(VALUE))
        .folder("dev", "/guarded")
        .approval_policy("dev", "/guarded");
    InfisicalDevServer::builder().identity(IdentitySeed::new("ci")).project(project).start().await.unwrap()
}

pub async fn all(table: &mut Table) {
    let server = server().await;
    let client =
        InfisicalClient::builder().token(server.token()).project_id(server.project_id()).base_url(server.url());
    let client = client.no_proxy().build().unwrap();
    secrets(table, &client).await;
    keys(table, &client).await;
    leases(table, &client).await;
    server.stop().await;
}

async fn secrets(table: &mut Table, client: &InfisicalClient) {
    let create = client.create_secret("dev", "NEW", VALUE).comment(VALUE).secret_metadata([("owner", VALUE)]);
    table.debug("infisical::write::CreateSecret", &create);
    let written = create.await.unwrap();
    table.debug("infisical::write::Written", &written);
    table.debug("infisical::write::WrittenSecret", &written.applied().unwrap());
    table.debug("infisical::write::SecretDetails", &SecretDetails::default());
    table.debug("infisical::write::Trimming", &Trimming::default());
    let update = client.update_secret("dev", KEY).value(VALUE).comment(VALUE);
    table.debug("infisical::write::UpdateSecret", &update);
    let set = client.set_secret("dev", KEY, VALUE).path("/guarded");
    table.debug("infisical::write::SetSecret", &set);
    let Written::AwaitsApproval(approval) = set.await.unwrap() else { panic!("it needs an approval") };
    table.debug("infisical::write::Approval", &approval);
    let several = client.set_secrets("dev", [(KEY, VALUE)]);
    table.debug("infisical::write::SetSecrets", &several);
    table.debug("infisical::write::BatchWritten", &several.await.unwrap());
    let delete = client.delete_secret("dev", KEY);
    table.debug("infisical::write::DeleteSecret", &delete);
    table.debug("infisical::write::WrittenSecret", &delete.await.unwrap());
    for error in [
        client.create_secret("dev", "NEW", VALUE).await.unwrap_err(),
        client.create_secret("dev", "NEW", format!(" {VALUE}")).await.unwrap_err(),
        client.set_secret("dev", "NEW", VALUE).path("/none").await.unwrap_err(),
    ] {
        table.error("XtraError", &error);
    }
}

async fn keys(table: &mut Table, client: &InfisicalClient) {
    let create = client.create_kms_key("k").description("d");
    table.debug("infisical::kms::CreateKmsKey", &create);
    let key = create.await.unwrap();
    table.debug("infisical::kms::KmsKey", &key);
    table.debug("infisical::kms::GetKmsKey", &client.get_kms_key(&key.id));
    table.debug("infisical::kms::UpdateKmsKey", &client.update_kms_key(&key.id).name("n"));
    table.debug("infisical::kms::DeleteKmsKey", &client.delete_kms_key(&key.id));
    table.debug("infisical::kms::ListKmsKeys", &client.list_kms_keys());
    table.debug("infisical::kms::KmsKeyPages", &client.list_kms_keys().pages());
    let encrypt = client.kms_encrypt(&key.id, VALUE);
    table.debug("infisical::kms::EncryptWithKmsKey", &encrypt);
    let ciphertext = encrypt.await.unwrap();
    let decrypt = client.kms_decrypt(&key.id, &ciphertext);
    table.debug("infisical::kms::DecryptWithKmsKey", &decrypt);
    let plaintext = decrypt.await.unwrap();
    assert_eq!(plaintext.expose(), VALUE.as_bytes());
    table.debug("infisical::kms::KmsPlaintext", &plaintext);
    table.error("XtraError", &client.kms_decrypt(&key.id, VALUE).await.unwrap_err());
}

async fn leases(table: &mut Table, client: &InfisicalClient) {
    let provider = serde_json::json!({"type": "sql-database", "inputs": {"password": VALUE}});
    let provider: types::DynamicSecretProvider = serde_json::from_value(provider).unwrap();
    let body = types::DynamicSecretCreate::builder().project_slug("web").environment_slug("dev").name("db");
    let create = client.raw().dynamic_secrets_create().body(body.provider(provider).default_ttl("60s"));
    hides_debug("a dynamic secret", &create);
    create.send().await.unwrap();
    let create = client.create_lease("dev", "db");
    table.debug("infisical::leases::CreateLease", &create);
    let lease = create.await.unwrap();
    table.debug("infisical::leases::Lease", &lease);
    let password =
        |lease: &xtrasecurity::infisical::leases::Lease| lease.get("DB_PASSWORD").unwrap().expose().to_owned();
    assert!(!format!("{lease:?}").contains(&password(&lease)));
    let renew = client.renew_lease("dev", &lease.id);
    table.debug("infisical::leases::RenewLease", &renew);
    table.debug("infisical::leases::RenewedLease", &renew.await.unwrap());
    table.debug("infisical::leases::RevokeLease", &client.revoke_lease("dev", &lease.id));
    let hold = client.hold_lease("dev", "db");
    table.debug("infisical::leases::HoldLease", &hold);
    let held = hold.await.unwrap();
    table.debug("infisical::leases::HeldLease", &held);
    assert!(!format!("{held:?}").contains(held.get("DB_PASSWORD").unwrap().expose()));
    held.close().await.unwrap();
}
