//! There and back: any service to any other.

use crate::services::{InfisicalService, SecrService, Service, SyVaultService, XtraService, fill, values};

/// Values that every service keeps.
const PAIRS: [(&str, &str); 6] = [
    ("DATABASE_URL", "postgres://app:p%40ss@db/app?x=1#y"),
    ("EMPTY", ""),
    ("LINES", "-----BEGIN-----\nfirst\nsecond\n-----END-----\n"),
    ("JSON", r#"{"a": [1, "two", null], "b\\": "\u0000"}"#),
    ("WORDS", "größe 日本語 \u{1f511} \"quoted\" 'and' `so` $HOME %PATH% \\n"),
    ("dotted.name-with_all", "x"),
];

async fn there_and_back(one: &impl Service, other: &impl Service) {
    fill(one, "one", &PAIRS).await;
    let plan = one.client().read(one.at("one")).copy_to(other.client(), other.at("two")).await.unwrap();
    assert_eq!((plan.created().len(), plan.obstacles()), (PAIRS.len(), &[][..]));
    assert!(plan.is_first() && !plan.is_done());
    let writes = other.writes();
    assert_eq!(plan.apply().await.unwrap().created, plan.created());
    assert_eq!(other.writes(), writes + 1);

    let back = other.client().read(other.at("two")).copy_to(one.client(), one.at("three")).await.unwrap();
    assert_eq!(back.apply().await.unwrap().created, plan.created());
    let expected = PAIRS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(values(one, "three").await, expected);
    assert_eq!(values(other, "two").await, expected);

    let again = one.client().read(one.at("one")).copy_to(other.client(), other.at("two")).await.unwrap();
    assert!(again.is_done());
    let (report, writes) = (again.apply().await.unwrap(), other.writes());
    assert_eq!((report.present.len(), report.created.len(), other.writes()), (PAIRS.len(), 0, writes));
}

/// A test for each service, with all four.
macro_rules! from {
    ($($name:ident: $one:ty),+) => {
        $(#[tokio::test]
        async fn $name() {
            there_and_back(&<$one>::start().await, &XtraService::start().await).await;
            there_and_back(&<$one>::start().await, &InfisicalService::start().await).await;
            there_and_back(&<$one>::start().await, &SecrService::start().await).await;
            there_and_back(&<$one>::start().await, &SyVaultService::start().await).await;
        })+
    };
}

from! {
    secrets_of_xtrasecurity_come_back_from_every_service_as_they_were: XtraService,
    secrets_of_infisical_come_back_from_every_service_as_they_were: InfisicalService,
    secrets_of_secr_come_back_from_every_service_as_they_were: SecrService,
    secrets_of_syvault_come_back_from_every_service_as_they_were: SyVaultService
}

#[test]
fn a_blocking_client_copies_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (from, to) = runtime.block_on(async {
        let (from, to) = (InfisicalService::start().await, SecrService::start().await);
        fill(&from, "one", &PAIRS).await;
        (from, to)
    });
    let infisical = xtrasecurity::blocking::InfisicalClient::builder()
        .base_url(from.server.url())
        .token(from.server.token())
        .project_id(from.server.project_id())
        .build()
        .unwrap();
    let plan = infisical.get_secrets("dev").path("/one").copy_to(&to.client, to.at("two")).send().unwrap();
    assert_eq!(plan.apply().wait().unwrap().created.len(), PAIRS.len());
    assert_eq!(runtime.block_on(values(&to, "two")).len(), PAIRS.len());
}
