//! Keys, and what they encrypt.

use xtrasecurity::infisical::Infisical;
use xtrasecurity::infisical::dev::{Fault, Generation, route};
use xtrasecurity::infisical::kms::ListKmsKeys;
use xtrasecurity::{ErrorKind, Request};

use crate::server::{BOTH, client, start};

#[tokio::test]
async fn a_key_is_made_looked_up_changed_and_deleted() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let key =
            client.create_kms_key("Backups").description("of the database").algorithm("aes-128-gcm").await.unwrap();
        assert_eq!((key.name.as_str(), key.is_disabled), ("backups", false));
        assert_eq!(key.description.as_deref(), Some("of the database"));
        let by_id = client.get_kms_key(&key.id).await.unwrap();
        assert_eq!((&by_id.id, by_id.algorithm.as_deref()), (&key.id, Some("aes-128-gcm")));
        assert_eq!(client.get_kms_key_by_name("BACKUPS").await.unwrap().id, key.id);
        let changed = client.update_kms_key(&key.id).name("archive").disabled(true).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.is_disabled), ("archive", true));
        assert_eq!(changed.description.as_deref(), Some("of the database"));
        let error = client.kms_encrypt(&key.id, b"data").await.unwrap_err();
        assert_eq!(error.status(), Some(400), "it is disabled: {error}");
        assert_eq!(client.delete_kms_key(&key.id).await.unwrap().id, key.id);
        for error in [
            client.get_kms_key(&key.id).await.unwrap_err(),
            client.get_kms_key_by_name("archive").await.unwrap_err(),
            client.delete_kms_key(&key.id).await.unwrap_err(),
            client.kms_encrypt(&key.id, b"data").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
    }
}

#[tokio::test]
async fn keys_come_in_pages_and_all_at_once() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        assert!(client.list_kms_keys().await.unwrap().is_empty());
        assert!(client.list_kms_keys().pages().next().await.is_none());
        for number in 0..103 {
            client.create_kms_key(format!("key-{number:03}")).await.unwrap();
        }
        let mut pages = client.list_kms_keys().pages();
        let mut sizes = Vec::new();
        while let Some(page) = pages.next().await {
            sizes.push(page.unwrap().len());
        }
        assert_eq!(sizes, [100, 3]);
        assert!(pages.next().await.is_none());
        let all = client.list_kms_keys().await.unwrap();
        assert_eq!(all.len(), 103);
        assert!(all.iter().map(|key| &key.name).is_sorted());
        assert_eq!(client.get_kms_key_by_name("key-102").await.unwrap().name, "key-102");
        server.fault(Fault::status(403).on(route::KMS_KEYS_LIST));
        let mut pages = client.list_kms_keys().pages();
        assert!(pages.next().await.unwrap().is_err() && pages.next().await.is_none());
    }
}

#[tokio::test]
async fn keys_are_chosen_by_a_part_of_their_names_and_counted_from_either_end() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        for number in 0..103 {
            client.create_kms_key(format!("key-{number:03}")).await.unwrap();
        }
        client.create_kms_key("other").await.unwrap();
        let names = async |request: Request<'_, Infisical, ListKmsKeys>| -> Vec<String> {
            request.await.unwrap().into_iter().map(|key| key.name).collect()
        };
        let list = || client.list_kms_keys();
        assert_eq!(names(list().search("KEY-10")).await, ["key-100", "key-101", "key-102"]);
        assert_eq!(names(list().search("key").descending().limit(2)).await, ["key-102", "key-101"]);
        assert_eq!(names(list().offset(101)).await, ["key-101", "key-102", "other"]);
        assert_eq!(names(list().offset(1).limit(102)).await.len(), 102);
        assert!(names(list().offset(500)).await.is_empty());
        let sent = server.request_count(route::KMS_KEYS_LIST);
        assert!(names(list().limit(0)).await.is_empty());
        assert_eq!(server.request_count(route::KMS_KEYS_LIST), sent);
        let mut pages = list().offset(2).limit(101).pages();
        assert_eq!(pages.next().await.unwrap().unwrap().len(), 100);
        assert_eq!(pages.next().await.unwrap().unwrap()[0].name, "key-102");
        assert!(pages.next().await.is_none());
    }
}

#[tokio::test]
async fn bytes_of_any_kind_come_back_as_they_went() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let key = client.create_kms_key("k").await.unwrap();
        for plaintext in [&b"\0\xff\xfe"[..], b"a", &[7; 4065]] {
            let ciphertext = client.kms_encrypt(&key.id, plaintext).await.unwrap();
            assert_ne!(ciphertext, plaintext);
            let opened = client.kms_decrypt(&key.id, &ciphertext).await.unwrap();
            assert_eq!(opened.expose(), plaintext);
            assert_eq!(format!("{opened:?}"), "[REDACTED]");
        }
    }
}

#[tokio::test]
async fn too_many_bytes_are_refused_with_both_limits() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        let key = client.create_kms_key("k").await.unwrap();
        let sent = || server.request_count(route::KMS_KEYS_ENCRYPT);
        let error = client.kms_encrypt(&key.id, vec![7; 1_048_577]).await.unwrap_err();
        assert!(error.to_string().contains("4,096") && error.to_string().contains("1,048,576"), "{error}");
        let empty = client.kms_encrypt(&key.id, b"").await.unwrap_err();
        assert_eq!((error.kind(), empty.kind(), sent()), (ErrorKind::Invalid, ErrorKind::Invalid, 0));
        let long = client.kms_encrypt(&key.id, vec![7; 5000]).await;
        if generation == Generation::Current {
            assert_eq!(client.kms_decrypt(&key.id, long.unwrap()).await.unwrap().expose(), [7; 5000]);
            continue;
        }
        let error = long.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("4,096") && error.to_string().contains("1,048,576"), "{error}");
        let edge = client.kms_encrypt(&key.id, vec![7; 4096]).await.unwrap();
        let error = client.kms_decrypt(&key.id, edge).await.unwrap_err();
        assert!(error.to_string().contains("1,048,576"), "it was encrypted and is not decrypted: {error}");
    }
}

#[tokio::test]
async fn a_name_that_servers_refuse_and_an_id_that_is_no_part_of_a_path_are_not_sent() {
    let server = start(Generation::Current).await;
    let client = client(&server);
    for error in [
        client.create_kms_key("a key").await.unwrap_err(),
        client.create_kms_key("").await.unwrap_err(),
        client.create_kms_key("k".repeat(33)).await.unwrap_err(),
        client.update_kms_key("an-id").await.unwrap_err(),
        client.get_kms_key("..").await.unwrap_err(),
        client.kms_decrypt("", b"x").await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.may_have_been_applied()), (ErrorKind::Invalid, false), "{error}");
    }
    assert_eq!(server.request_count(route::KMS_KEYS_CREATE), 0);
}

#[tokio::test]
async fn encryption_and_decryption_change_nothing_so_they_are_repeated_and_no_failure_speaks_of_a_write() {
    let server = start(Generation::Current).await;
    let client = client(&server);
    let key = client.create_kms_key("k").await.unwrap();
    server.fault(Fault::status(503).on(route::KMS_KEYS_ENCRYPT));
    let ciphertext = client.kms_encrypt(&key.id, b"data").await.unwrap();
    server.fault(Fault::status(503).on(route::KMS_KEYS_DECRYPT));
    assert_eq!(client.kms_decrypt(&key.id, &ciphertext).await.unwrap().expose(), b"data");
    assert_eq!([route::KMS_KEYS_ENCRYPT, route::KMS_KEYS_DECRYPT].map(|route| server.request_count(route)), [2, 2]);
    let error = client.kms_decrypt(&key.id, b"not of this key, and as long as one").await.unwrap_err();
    assert!(!error.may_have_been_applied() && !error.to_string().contains("applied"), "{error}");
}
