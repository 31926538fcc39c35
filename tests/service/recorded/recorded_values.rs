//! The secrets that the recorded reads must have found, worked out from the values before the first recording and from the
//! recorded *writes*, never from the answer under test.

use std::collections::BTreeMap;

use serde_json::Value;

use super::replay::{Recording, seed_values};

/// A secret as a read must show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) value: String,
    pub(crate) version: u32,
    pub(crate) is_link: bool,
}

/// The secrets of one environment on one branch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene(pub(crate) BTreeMap<String, Known>);

impl Scene {
    /// The first values of a project's `branch:environment`.
    pub(crate) fn seed(project: &str, place: &str) -> Self {
        let values = seed_values();
        let secrets = values["values"][project][place].as_object().unwrap_or_else(|| panic!("no {project} {place}"));
        let known = |(key, value): (&String, &Value)| (key.clone(), Known::first(text(value)));
        Self(secrets.iter().map(known).collect())
    }

    /// After the upsert of a recording, as far as the service carried it out: it stops at the first value that is no text.
    pub(crate) fn after(mut self, recording: &str) -> Self {
        let sent = Recording::load(recording).sent.unwrap();
        // A list is taken for an object whose names are the places.
        if let Some(items) = sent.as_array() {
            return items
                .iter()
                .enumerate()
                .fold(self, |scene, (place, item)| scene.with(&place.to_string(), &text(item)));
        }
        let secrets = sent.get("secrets").unwrap_or(&sent);
        let mut kept: Vec<_> = secrets.as_object().unwrap().iter().filter(|(_, value)| value.is_string()).collect();
        if recording == "upsert-value-partial" {
            // The members were sent in this order: a text, a number, a text.
            kept.retain(|(key, _)| *key == "PARTIAL_OK");
        }
        for (key, value) in kept {
            self = self.with(key, &text(value));
        }
        self
    }

    /// After a write whose recording was not kept.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        let version = self.0.get(key).filter(|known| !known.is_link).map_or(1, |known| known.version + 1);
        self.0.insert(key.to_owned(), Known { version, ..Known::first(value.to_owned()) });
        self
    }

    /// The values do not tell how often they had been written.
    pub(crate) fn at_version(mut self, key: &str, version: u32) -> Self {
        self.0.get_mut(key).unwrap().version = version;
        self
    }

    /// With a link to a secret of the other project, whose value another recording shows.
    pub(crate) fn linking(mut self, key: &str) -> Self {
        let other = Recording::load("legacy-secret-list").json().unwrap();
        let value = text(&other[0]["value"]);
        self.0.insert(key.to_owned(), Known { is_link: true, ..Known::first(value) });
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        self.0.remove(key).unwrap();
        self
    }

    /// Where both have a secret, the other's is the one that is read.
    pub(crate) fn shadowed_by(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same secrets, copied: each begins anew.
    pub(crate) fn copied(mut self) -> Self {
        self.0.values_mut().for_each(|known| known.version = 1);
        self
    }

    /// As shown to someone who may see names only.
    pub(crate) fn masked(mut self) -> Self {
        self.0.values_mut().for_each(|known| known.value = "***".to_owned());
        self
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Known {
    fn first(value: String) -> Self {
        Self { value, version: 1, is_link: false }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn staging() -> Scene {
    Scene::seed("payments", "main:staging").at_version("DATABASE_URL", 2)
}

pub(crate) fn development() -> Scene {
    let scene = Scene::seed("payments", "main:development").at_version("DATABASE_URL", 3).at_version("ROTATING", 2);
    scene.linking("LINKED_TOKEN")
}

pub(crate) fn new_ui() -> Scene {
    Scene::seed("payments", "feature/new-ui:development")
}

/// When `upsert-conflict` was refused.
pub(crate) fn development_at_the_conflict() -> Scene {
    let writes = ["upsert-create", "upsert-update", "upsert-update-same-value", "upsert-bare-body"];
    writes.into_iter().fold(development(), Scene::after)
}

/// When the link had been written over.
pub(crate) fn development_after_the_upserts() -> Scene {
    let writes = [
        "upsert-expected-ok",
        "upsert-expected-for-missing-key",
        "upsert-sa-write",
        "upsert-bare-with-expected",
        "upsert-value-partial",
        "upsert-array-body",
        "upsert-key-odd",
        "upsert-no-content-type",
        "upsert-linked",
    ];
    let scene = writes.into_iter().fold(development_at_the_conflict(), Scene::after);
    // The write of the empty value was not kept.
    scene.with("EMPTY_NEW", "")
}

/// When secrets had been deleted, rolled back, rotated and linked.
pub(crate) fn development_with_links() -> Scene {
    let scene = development_after_the_upserts().without("NEW_B").linking("LINK2").linking("LINK_VIEWER");
    // Rolled back to version 1 (`secret-rollback`), then to version 2 (`secret-rollback-sa`), whose value the history has.
    let history = Recording::load("secret-history").json().unwrap();
    let second = history["history"].as_array().unwrap().iter().find(|entry| entry["version"] == "2").unwrap();
    let scene = scene.with("DATABASE_URL", "").with("DATABASE_URL", &text(&second["value"]));
    // Rotated three times; only the recording of the first was kept.
    let rotated = Recording::load("secret-rotate-regenerate-value").sent.unwrap();
    let scene = scene.with("ROTATING", &text(&rotated["parsedNewValue"]));
    scene.with("ROTATING", "").with("ROTATING", "viewer-wrote")
}

/// The branch, when it had been written to. The write of `K` was not kept.
pub(crate) fn new_ui_after_the_upserts() -> Scene {
    let writes = ["upsert-branch-in-body", "upsert-branch-in-query", "upsert-expected-branch-mixup"];
    writes.into_iter().fold(new_ui(), Scene::after).with("K", "v")
}

/// When the branch had been deleted: its secrets came up on `main`. The bulk write was not kept.
pub(crate) fn development_with_the_lost_branch() -> Scene {
    let scene = development_with_links().with("BULK1", "b1").with("BULK2", "b2");
    scene.shadowed_by(new_ui_after_the_upserts())
}

/// When the branch's development had been cloned into it (`env-clone-branch`).
pub(crate) fn staging_after_the_clone() -> Scene {
    staging().shadowed_by(new_ui_after_the_upserts().copied())
}
