//! What errors about secrets and environments that are not there promise: where it was looked for, what that can mean, and the
//! nearest name, with no request more; and no text that may be a value.

use serde::Deserialize;
use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits, UserSeed, route};
use xtrasecurity::schemars::{self, JsonSchema};
use xtrasecurity::{ErrorKind, SecretsProvider, UseError, XtraClient, XtraError};

const VALUES: [&str; 4] = [
    "xs_0123456789abcdef",
    "postgres://app:hunter2@db/app",
    "-----BEGIN KEY-----\nhunter2",
    "Zm9vYmFy+c2VjcmV0Zm9vYmFyc2VjcmV0==",
];

async fn server() -> DevServer {
    let project = ProjectSeed::new("main")
        .id("aaaaaaaaaaaaaaaaaaaaaaa1")
        .owner("owner")
        .secret("production", "DATABASE_URL", "1")
        .secret("production", "PORT", "2")
        .secret("my-preview", "PORT", "2");
    DevServer::builder()
        .user(UserSeed::new("owner"))
        .project(project)
        .rate_limits(RateLimits::off())
        .start()
        .await
        .unwrap()
}

fn client(server: &DevServer) -> XtraClient {
    XtraClient::builder().dev_server(server).build().unwrap()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "it is never made")]
struct Settings {
    database_ur: String,
}

/// The errors of every way to ask for `DATABASE_UR` in an environment.
async fn errors(client: &XtraClient, environment: &str) -> Vec<XtraError> {
    let used = client.get_secrets(environment).with_secret("DATABASE_UR", |_| async { Ok::<_, UseError<()>>(()) });
    let used = match used.await {
        Err(xtrasecurity::WithSecretError::Secrets(error)) => error,
        other => panic!("{other:?}"),
    };
    vec![
        client.get_secrets(environment).await.unwrap().require("DATABASE_UR").cloned().unwrap_err(),
        client.get_secret(environment, "DATABASE_UR").await.unwrap_err(),
        client.get_secrets_as::<Settings>(environment).await.unwrap_err(),
        client.preload([environment]).required(["DATABASE_UR"]).await.unwrap_err(),
        client.resolve(format!("xtra:///{environment}/DATABASE_UR")).await.unwrap_err(),
        used,
    ]
}

#[tokio::test]
async fn a_missing_name_is_told_with_its_environment_and_branch_and_the_nearest_name() {
    let server = server().await;
    for error in errors(&client(&server), "production").await {
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::MissingSecret, "{text}");
        assert!(text.contains("\"production\"") && text.to_lowercase().contains("perhaps"), "{text}");
        assert!(text.contains("DATABASE_URL"), "{text}");
    }
    let client = client(&server);
    let error = client.get_secret("production", "DATABASE_UR").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "get_secret(\"production\", \"DATABASE_UR\"): there is no secret \"DATABASE_UR\" among the 2 of the environment \
         \"production\" on the branch \"main\" of the project \"aaaaaaaaaaaaaaaaaaaaaaa1\". Names are case-sensitive. Perhaps \
         \"DATABASE_URL\" is meant"
    );
    let error = client.get_secret("production", "port").await.unwrap_err();
    assert!(error.to_string().ends_with("Perhaps \"PORT\" is meant"), "{error}");
}

#[tokio::test]
async fn an_environment_without_secrets_is_told_with_what_that_can_mean_and_the_nearest_one_without_a_request() {
    let server = server().await;
    let client = client(&server);
    let mistyped = errors(&client, "prodution").await;
    for error in &mistyped {
        let text = error.to_string();
        assert!(matches!(error.kind(), ErrorKind::MissingSecret | ErrorKind::EmptyScope), "{text}");
        assert!(
            text.contains("The service does not tell a mistyped environment or branch from an empty one"),
            "{text}"
        );
        assert!(text.contains("Perhaps \"production\" is meant"), "{text}");
    }
    assert_eq!(
        mistyped[0].to_string(),
        "there is no secret \"DATABASE_UR\" in the environment \"prodution\" on the branch \"main\" of the project \
         \"aaaaaaaaaaaaaaaaaaaaaaa1\", which holds none at all. The service does not tell a mistyped environment or branch from \
         an empty one. Perhaps \"production\" is meant"
    );
    assert_eq!(server.total_requests(), server.request_count(route::SECRETS_READ), "nothing else was asked");
    assert_eq!(server.request_count(route::SECRETS_READ), 1);

    let nearest = async |environment: &str| {
        let error = client.get_secrets(environment).await.unwrap().require_any().map(drop).unwrap_err();
        error.hint().map(ToString::to_string)
    };
    assert_eq!(
        nearest("prod").await.as_deref(),
        Some("Perhaps \"production\" is meant"),
        "short names are not known here"
    );
    assert_eq!(nearest("my-preveiw").await, None);
    client.get_secrets("my-preview").await.unwrap();
    assert_eq!(nearest("my-preveiw").await.as_deref(), Some("Perhaps \"my-preview\" is meant"), "it held secrets");
    assert_eq!(nearest("xyz").await, None);
}

#[tokio::test]
async fn injection_and_providers_say_the_same() {
    let server = server().await;
    let client = client(&server);
    let provider = SecretsProvider::of_client(&client, "prodution");
    let config = config::Config::builder().add_async_source(provider).build().await.unwrap_err().to_string();
    let provider = SecretsProvider::new(&client.get_secrets("prodution").await.unwrap());
    let figment = figment::Figment::from(provider).extract_inner::<String>("port").unwrap_err().to_string();
    let injected = client.inject_secrets("prodution").await.unwrap_err().to_string();
    let compared = client.diff_secrets("prodution", "production").await.unwrap_err().to_string();
    for text in [config, figment, injected, compared] {
        assert!(text.contains("the environment \"prodution\" on the branch \"main\""), "{text}");
        assert!(text.contains("Perhaps \"production\" is meant"), "{text}");
    }
    let secrets = client.get_secrets("production").await.unwrap();
    let chosen = secrets.injection().only(["PROT"]).apply_to(&mut std::process::Command::new("true")).unwrap_err();
    assert!(chosen.to_string().contains("Perhaps \"PORT\" is meant as \"PROT\""), "{chosen}");
}

#[tokio::test]
async fn a_value_that_was_passed_as_a_name_is_in_no_error() {
    let server = server().await;
    let client = client(&server);
    let secrets = client.get_secrets("production").await.unwrap();
    for value in VALUES {
        let used = client.get_secrets("production").with_secret(value, |_| async { Ok::<_, UseError<()>>(()) });
        let errors = [
            secrets.require(value).cloned().unwrap_err().to_string(),
            client.get_secret("production", value).await.unwrap_err().to_string(),
            client.get_secret(value, "A").await.unwrap_err().to_string(),
            client
                .get_secrets(value)
                .branch(value)
                .await
                .map(drop)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default(),
            client.preload(["production"]).required([value]).await.unwrap_err().to_string(),
            secrets
                .injection()
                .only([value])
                .apply_to(&mut std::process::Command::new("true"))
                .unwrap_err()
                .to_string(),
            client.delete_secret("production", value).await.unwrap_err().to_string(),
            used.await.unwrap_err().to_string(),
        ];
        for (at, text) in errors.iter().enumerate() {
            assert!(!text.contains(value) && !text.contains("hunter2"), "{at}: {text}");
        }
        assert!(
            errors[0].contains(&format!("(a name of {} characters, not shown)", value.chars().count())),
            "{}",
            errors[0]
        );
        assert!(errors[1].starts_with("get_secret(\"production\", (a name of "), "{}", errors[1]);
    }
}
