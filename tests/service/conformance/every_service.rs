//! The promises of every service.

use std::sync::Arc;

use xtrasecurity::ErrorKind;

use crate::conformance::contract::{Service, Skip};

pub(crate) async fn values_come_back_as_they_were_written<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let environment = service.environment();
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
    service.may(service.set(&environment, &values).await)?;
    let read = service.read(&environment).await.unwrap();
    assert_eq!(read.len(), values.len());
    for (key, value) in values {
        assert_eq!(read.require(key).unwrap().expose(), value, "{key}");
    }
    Ok(())
}

pub(crate) async fn large_values_come_back<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let environment = service.environment();
    let large = "0123456789abcdef".repeat(16 << 10);
    service.may(service.set(&environment, &[("LARGE", large.as_str()), ("SMALL", "s")]).await)?;
    let read = service.read(&environment).await.unwrap();
    assert!(read.require("LARGE").unwrap().expose() == large, "256 KiB");
    assert_eq!(read.require("SMALL").unwrap().expose(), "s");
    Ok(())
}

pub(crate) async fn a_write_shows_in_the_next_read<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let environment = service.environment();
    for value in ["1", "2"] {
        service.may(service.set(&environment, &[("A", value)]).await)?;
        assert_eq!(service.read(&environment).await.unwrap().require("A").unwrap().expose(), value);
    }
    Ok(())
}

pub(crate) async fn what_exists_is_not_created_again<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let environment = service.environment();
    service.may(service.create(&environment, "A", "1").await)?;
    let error = service.create(&environment, "A", "2").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(service.read(&environment).await.unwrap().require("A").unwrap().expose(), "1");
    Ok(())
}

pub(crate) async fn what_was_deleted_is_gone_and_the_rest_is_not<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let environment = service.environment();
    service.may(service.set(&environment, &[("A", "1"), ("B", "2")]).await)?;
    service.may(service.delete(&environment, "A").await)?;
    let read = service.read(&environment).await.unwrap();
    assert_eq!((read.get("A").is_none(), read.require("B").unwrap().expose()), (true, "2"));
    Ok(())
}

pub(crate) async fn a_token_that_nobody_knows_is_refused<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let error = service.read_as("nobody-knows-this-token", &service.environment()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    Ok(())
}
