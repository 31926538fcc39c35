//! What reads promise.

use std::sync::Arc;

use crate::service::{Service, Skip, unique};

pub(crate) async fn reads_do_not_tell_cases_of_an_environment_apart(service: Arc<Service>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    service.may(client.set_secret(environment.as_str(), "A", "1").await)?;
    let upper = client.get_secrets(environment.to_uppercase()).await.unwrap();
    assert_eq!(upper.require("A").unwrap().expose(), "1");
    // writes do, so that nobody makes a second one
    let error = client.set_secret(environment.to_uppercase(), "A", "2").await.unwrap_err();
    assert_eq!(error.kind(), xtrasecurity::ErrorKind::Invalid, "{error}");
    Ok(())
}

pub(crate) async fn an_unknown_branch_or_environment_is_empty(service: Arc<Service>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    assert!(client.get_secrets(environment.as_str()).await.unwrap().is_empty());
    service.may(client.set_secret(environment.as_str(), "A", "1").await)?;
    let unknown = client.get_secrets(environment.as_str()).branch(format!("no/{}", unique())).await.unwrap();
    assert!(unknown.is_empty());
    Ok(())
}

pub(crate) async fn values_come_back_as_they_were_written(service: Arc<Service>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let values = [
        ("EMPTY", ""),
        ("SPACE", " "),
        ("UNICODE", "héllo 你好 🚀 مرحبا 𝄞"),
        ("SEPARATORS", "\u{2028}\u{2029}\u{85}\u{7f}"),
        ("LINES", "one\ntwo\r\nthree\n"),
        ("QUOTES", r#"a "quoted" \ 'value' $HOME #hash"#),
        ("JSON", r#"{"a":[1,null,"x"]}"#),
        ("NUMBER", "042"),
        ("NULL", "null"),
    ];
    service.may(client.set_secrets(environment.as_str(), values).verify().await)?;
    let read = client.get_secrets(environment.as_str()).await.unwrap();
    assert_eq!(read.len(), values.len());
    for (key, value) in values {
        assert_eq!(read.require(key).unwrap().expose(), value, "{key}");
    }
    Ok(())
}

pub(crate) async fn large_values_come_back(service: Arc<Service>) -> Result<(), Skip> {
    let (client, environment) = (&service.client, service.environment());
    let large = "0123456789abcdef".repeat(16 << 10);
    service.may(client.set_secrets(environment.as_str(), [("LARGE", large.as_str()), ("SMALL", "s")]).await)?;
    let read = client.get_secrets(environment.as_str()).await.unwrap();
    assert!(read.require("LARGE").unwrap().expose() == large, "256 KiB");
    assert_eq!(read.require("SMALL").unwrap().expose(), "s");
    Ok(())
}
