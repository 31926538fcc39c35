//! The generated client.

use xtrasecurity::infisical::dev::{Generation, route};
use xtrasecurity::infisical::raw::{self, Error, types};

use crate::server::{BOTH, client, start};

#[tokio::test]
async fn an_operation_of_the_raw_client_goes_out_with_the_client_s_token_and_is_not_cached() {
    for generation in BOTH {
        let server = start(generation).await;
        let client = client(&server);
        for _ in 0..2 {
            let read = client.raw().secrets_v3_get().secret_name("HOST").workspace_id(server.project_id());
            let answer = read.environment("dev").send().await.unwrap();
            assert_eq!(answer.secret.secret_value.as_ref().and_then(raw::WireSecret::expose), Some("db.internal"));
            assert!(!format!("{answer:?}").contains("db.internal"));
        }
        assert_eq!(server.request_count(route::SECRETS_V3_GET), 2);
    }
}

#[tokio::test]
async fn a_write_of_the_raw_client_gives_the_documented_refusal_as_a_type() {
    let server = start(Generation::Current).await;
    let client = client(&server);
    let body = types::SecretCreate::builder().project_id(server.project_id()).environment("dev").secret_value("v");
    let sent = client.raw().secrets_create().secret_name("HOST").body(body).send().await;
    let Err(Error::ErrorResponse(refusal)) = sent else { panic!("it exists") };
    assert_eq!((refusal.status(), refusal.status_code), (400, Some(400)));
}
