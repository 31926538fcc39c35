//! The promises of every service.

use std::sync::Arc;

use xtrasecurity::{ErrorKind, Secrets};

use crate::contract::{Service, Skip};

async fn read<S: Service>(service: &S, scope: &str) -> Arc<Secrets> {
    service.writer().read(service.scope(scope)).await.unwrap()
}

/// The scope has these secrets and no others.
async fn holds<S: Service>(service: &S, scope: &str, values: &[(&str, &str)]) {
    let read = read(service, scope).await;
    assert_eq!(read.len(), values.len());
    for (key, value) in values {
        assert_eq!(read.require(key).unwrap().expose(), *value, "{key}");
    }
}

pub(crate) async fn values_come_back_as_they_were_written<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    let values = [
        ("EMPTY", ""),
        ("UNICODE", "héllo 你好 🚀 مرحبا 𝄞"),
        ("SEPARATORS", "a\u{2028}\u{2029}\u{85}\u{7f}b"),
        ("LINES", "one\ntwo\r\nthree"),
        ("QUOTES", r#"a "quoted" \ 'value' $HOME #hash"#),
        ("JSON", r#"{"a":[1,null,"x"]}"#),
        ("NUMBER", "042"),
        ("NULL", "null"),
    ];
    service.put(&scope, &values).await?;
    holds(&*service, &scope, &values).await;
    Ok(())
}

pub(crate) async fn white_space_around_values_comes_back<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    let values = [("SPACE", " "), ("LINES", "\none\r\n\n"), ("SEPARATORS", "\u{2028}a\u{2029}")];
    service.put(&scope, &values).await?;
    holds(&*service, &scope, &values).await;
    Ok(())
}

pub(crate) async fn large_values_come_back<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    let large = "0123456789abcdef".repeat(16 << 10);
    service.put(&scope, &[("LARGE", large.as_str()), ("SMALL", "s")]).await?;
    let read = read(&*service, &scope).await;
    assert!(read.require("LARGE").unwrap().expose() == large, "256 KiB");
    assert_eq!(read.require("SMALL").unwrap().expose(), "s");
    Ok(())
}

pub(crate) async fn a_write_shows_in_the_next_read<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    for value in ["1", "2"] {
        service.set(&scope, &[("A", value)]).await?;
        assert_eq!(read(&*service, &scope).await.require("A").unwrap().expose(), value);
    }
    Ok(())
}

pub(crate) async fn what_exists_is_not_created_again<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    service.may(service.create(&scope, "A", "1").await?)?;
    let error = service.create(&scope, "A", "2").await?.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(read(&*service, &scope).await.require("A").unwrap().expose(), "1");
    Ok(())
}

pub(crate) async fn what_was_deleted_is_gone_and_the_rest_is_not<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    service.set(&scope, &[("A", "1"), ("B", "2")]).await?;
    service.delete(&scope, "A").await?;
    let read = read(&*service, &scope).await;
    assert_eq!((read.get("A").is_none(), read.require("B").unwrap().expose()), (true, "2"));
    Ok(())
}

pub(crate) async fn a_caller_that_nobody_knows_is_refused<S: Service>(service: Arc<S>) -> Result<(), Skip> {
    let scope = service.new_scope().await?;
    let error = service.stranger()?.read(service.scope(&scope)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    Ok(())
}
