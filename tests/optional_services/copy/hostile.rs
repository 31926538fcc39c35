//! Names and values of any form: each is copied as it is, or named before the first write.

use std::collections::{BTreeMap, BTreeSet};

use xtrasecurity::Secrets;

use crate::services::{InfisicalService, SecrService, Service, SyVaultService, XtraService, values};

/// A small generator: the same texts in every run.
struct Texts(u64);

impl Texts {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn text(&mut self, longest: usize) -> String {
        const PARTS: [&str; 32] = [
            "",
            "A",
            "b",
            "_",
            ".",
            "-",
            "/",
            ":",
            "\\",
            "\"",
            "'",
            " ",
            "\n",
            "\r\n",
            "\t",
            "\u{0}",
            "\u{7f}",
            "\u{feff}",
            "ü",
            "日",
            "\u{1f511}",
            "%2F",
            "%",
            "?",
            "#",
            "&",
            "=",
            "${A}",
            "{{ xtra:///A }}",
            "***",
            "..",
            "[REDACTED]",
        ];
        (0..=self.next(longest)).map(|_| PARTS[self.next(PARTS.len())]).collect()
    }
}

async fn copies_or_names(target: &impl Service) {
    const PLACES: [&str; 4] = ["one", "two", "three", "four"];
    let mut texts = Texts(42);
    for place in PLACES {
        let pairs: BTreeMap<String, String> = (0..120).map(|_| (texts.text(3), texts.text(4))).collect();
        let secrets = Secrets::from_iter(pairs.clone());
        let plan = target.client().copy_secrets(target.at(place), &secrets).allow_any_name().await.unwrap();
        let obstacles: BTreeSet<String> = plan.obstacles().iter().map(|one| one.name.clone()).collect();
        let named = plan.created().len() + obstacles.len();
        assert_eq!(named, pairs.len());
        assert!(plan.created().len() > 20, "{place}: the rest is worth a copy");
        if !obstacles.is_empty() {
            let writes = target.writes();
            plan.apply().await.unwrap_err();
            assert_eq!(target.writes(), writes);
        }
        let report = plan.apply().skip(obstacles.clone()).await.unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(report.created, plan.created());
        let mut expected = pairs;
        expected.retain(|name, _| !obstacles.contains(name));
        assert_eq!(values(target, place).await, expected);
    }
}

#[tokio::test]
async fn what_xtrasecurity_takes_it_keeps() {
    copies_or_names(&XtraService::start().await).await;
}

#[tokio::test]
async fn what_infisical_takes_it_keeps() {
    copies_or_names(&InfisicalService::start().await).await;
}

#[tokio::test]
async fn what_secr_takes_it_keeps() {
    copies_or_names(&SecrService::start().await).await;
}

#[tokio::test]
async fn what_syvault_takes_it_keeps() {
    copies_or_names(&SyVaultService::start().await).await;
}
