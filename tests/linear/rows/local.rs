//! Calls that send nothing.

use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;

use xtrasecurity::{Secrets, SecretsProvider, snapshot::SnapshotSource, source::Loaded, watch::Change};

use super::names;
use crate::measure::Row;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "Secrets::from_iter of n names",
            n: 10_000,
            make: |n| {
                let pairs: Vec<_> = names(n).rev_pairs();
                Box::new(move || drop(black_box(Secrets::from_iter(pairs.iter().cloned()))))
            },
        },
        Row {
            name: "Secrets::search in n names",
            n: 2_000,
            make: |n| {
                let secrets = plain(n);
                Box::new(move || drop(black_box(secrets.search("*A*E*_*0*1*"))))
            },
        },
        Row {
            name: "Secrets::search in a name of n characters",
            n: 20_000,
            make: |n| {
                let secrets = Secrets::from_iter([("a".repeat(n), "v")]);
                Box::new(move || drop(black_box(secrets.search("*a?*aab*"))))
            },
        },
        Row {
            name: "Secrets::pages of n names",
            n: 50_000,
            make: |n| {
                let secrets = plain(n);
                Box::new(move || assert_eq!(secrets.pages(10).map(|page| page.names().count()).sum::<usize>(), n))
            },
        },
        Row {
            name: "Change::between with n names",
            n: 5_000,
            make: |n| {
                let (one, other) = (plain(n), Arc::new(Secrets::from_iter(names(n).map(|name| (name + "_", "v")))));
                Box::new(move || assert_eq!(Change::between(Some(&one), Arc::clone(&other)).names().count(), 2 * n))
            },
        },
        Row {
            name: "Secrets::to_dotenv of n names",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "a $value with 'quotes' # and more")));
                Box::new(move || drop(black_box(secrets.to_dotenv())))
            },
        },
        Row {
            name: "Secrets::to_dotenv of a value of n bytes",
            n: 100_000,
            make: |n| {
                let secrets = Secrets::from_iter([("A", "'\"$\\\n".repeat(n / 5))]);
                Box::new(move || drop(black_box(secrets.to_dotenv())))
            },
        },
        Row {
            name: "Secrets::dotenv_misreads of n values with quotes",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name, "it's \"quoted\" $x `y` \\")));
                Box::new(move || assert_eq!(secrets.dotenv_misreads().len(), n))
            },
        },
        Row {
            name: "Secrets::to_dotenv of a value of n quotes",
            n: 100_000,
            make: |n| {
                let secrets = Secrets::from_iter([("A", "it's \"x\"".repeat(n / 3) + " \\")]);
                Box::new(move || drop(black_box(secrets.to_dotenv().unwrap())))
            },
        },
        Row {
            name: "Secrets::to_dotenv of n values that cannot be written",
            n: 5_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name + " =", "\0")));
                Box::new(move || drop(black_box(secrets.to_dotenv())))
            },
        },
        Row {
            name: "Secrets::from_dotenv of n lines",
            n: 5_000,
            make: |n| {
                let text: String = names(n).map(|name| format!("export {name}=\"a value\" # more\n")).collect();
                Box::new(move || assert_eq!(Secrets::from_dotenv(&text).unwrap().len(), n))
            },
        },
        Row {
            name: "Secrets::from_dotenv of n lines that are wrong",
            n: 5_000,
            make: |n| {
                let text = "no setting\n".repeat(n);
                Box::new(move || drop(black_box(Secrets::from_dotenv(&text))))
            },
        },
        Row {
            name: "Secrets::from_dotenv of n quotes that do not end",
            n: 5_000,
            make: |n| {
                let text = "A=\"x\nB='y\n".repeat(n);
                Box::new(move || drop(black_box(Secrets::from_dotenv(&text))))
            },
        },
        Row {
            name: "Secrets::apply_to with n names",
            n: 2_000,
            make: |n| {
                let secrets = plain(n);
                Box::new(move || drop(black_box(secrets.apply_to(&mut Command::new("true")))))
            },
        },
        Row {
            name: "Secrets::apply_to with n names that are refused",
            n: 2_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (format!("LD_{name}"), "v")));
                Box::new(move || drop(black_box(secrets.apply_to(&mut Command::new("true")))))
            },
        },
        Row {
            name: "Secrets::injection, n chosen, left out, renamed and allowed",
            n: 1_000,
            make: |n| {
                let secrets = plain(n);
                Box::new(move || {
                    let mut injection = secrets.injection().only(names(n)).exclude(names(n / 2));
                    for name in names(n) {
                        injection = injection.rename(name.clone(), format!("{name}_NOW")).allow_name(name);
                    }
                    drop(black_box(injection.apply_to(&mut Command::new("true"))));
                })
            },
        },
        Row {
            name: "SecretsProvider in config-rs, n names",
            n: 1_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name.replace("_", "__"), "v")));
                Box::new(move || {
                    let built = config::Config::builder().add_source(SecretsProvider::new(&secrets)).build();
                    assert!(built.is_ok());
                })
            },
        },
        Row {
            name: "SecretsProvider in figment, n names",
            n: 2_000,
            make: |n| {
                let secrets = Secrets::from_iter(names(n).map(|name| (name.replace("_", "__"), "v")));
                Box::new(move || {
                    let figment = figment::Figment::from(SecretsProvider::new(&secrets));
                    assert!(figment.find_value("name").is_ok());
                })
            },
        },
        Row {
            name: "SecretsProvider, a name of n levels",
            n: 100_000,
            make: |n| {
                let secrets = Secrets::from_iter([("A__".repeat(n) + "A", "v")]);
                Box::new(move || {
                    assert!(figment::Figment::from(SecretsProvider::new(&secrets)).find_value("a").is_err())
                })
            },
        },
        Row {
            name: "Loaded, n names that cannot be read",
            n: 10_000,
            make: |n| {
                let loaded = unreadable(n);
                Box::new(move || drop(black_box(loaded.clone().from_source(SnapshotSource::Service))))
            },
        },
    ]
}

/// So many secrets with short values.
pub fn plain(n: usize) -> Secrets {
    Secrets::from_iter(names(n).map(|name| (name, "value")))
}

/// So many names whose values did not come through.
pub fn unreadable(n: usize) -> Loaded {
    use xtrasecurity::snapshot::{Unreadable, UnreadableReason};
    let hidden = names(n).map(|name| Unreadable::new(name, UnreadableReason::Masked));
    Loaded::from_iter([("A", "v")]).with_unreadable(hidden)
}

trait Backwards {
    fn rev_pairs(self) -> Vec<(String, &'static str)>;
}

impl<I: Iterator<Item = String>> Backwards for I {
    /// In the order that sorting likes least.
    fn rev_pairs(self) -> Vec<(String, &'static str)> {
        let mut pairs: Vec<_> = self.map(|name| (name, "v")).collect();
        pairs.reverse();
        pairs
    }
}
