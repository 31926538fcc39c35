//! The database: the rows of every kind, and how they are found.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::generation::Generation;
use super::limits::Limiter;
use super::rows::{
    Approval, DynamicSecret, Environment, Folder, Identity, Import, Key, Lease, Project, Secret, ServiceToken, Tag,
    Token, User,
};
use super::subscriptions::Subscriptions;
pub(super) use crate::dev::javascript::random_uuid as new_id;
use crate::dev::{Clock, Millis};

/// Whether lists leave references of the second level unexpanded, as the server of October 2024 does now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HalfExpansion {
    /// Never: a list has what a read by name has.
    #[default]
    Never,
    /// By chance, for about one value in five.
    Random,
    /// For secrets of these names.
    Of(BTreeSet<String>),
}

/// Everything that the server knows.
#[derive(Serialize, Deserialize)]
pub(super) struct Database {
    pub(super) generation: Generation,
    pub(super) clock: Clock,
    /// Signs access tokens.
    pub(super) signing_key: String,
    pub(super) organization: String,
    pub(super) half_expansion: HalfExpansion,
    pub(super) has_events: bool,
    pub(super) projects: Vec<Project>,
    pub(super) folders: Vec<Folder>,
    pub(super) secrets: Vec<Secret>,
    pub(super) imports: Vec<Import>,
    pub(super) tags: Vec<Tag>,
    pub(super) identities: Vec<Identity>,
    pub(super) tokens: Vec<Token>,
    pub(super) users: Vec<User>,
    pub(super) service_tokens: Vec<ServiceToken>,
    pub(super) approvals: Vec<Approval>,
    pub(super) keys: Vec<Key>,
    pub(super) dynamic_secrets: Vec<DynamicSecret>,
    pub(super) leases: Vec<Lease>,
    #[serde(skip)]
    pub(super) limiter: Limiter,
    #[serde(skip)]
    pub(super) subscriptions: Subscriptions,
}

/// A project, an environment and a folder of it.
#[derive(Clone, Copy)]
pub(super) struct Location<'a> {
    pub(super) project: &'a str,
    pub(super) environment: &'a str,
    pub(super) path: &'a str,
}

impl Database {
    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(super) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    pub(super) fn project_by_slug(&self, slug: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.slug == slug)
    }

    pub(super) fn environment(&self, project: &str, slug: &str) -> Option<&Environment> {
        self.project(project)?.environments.iter().find(|environment| environment.slug == slug)
    }

    pub(super) fn environment_by_id(&self, id: &str) -> Option<&Environment> {
        self.projects.iter().flat_map(|project| &project.environments).find(|environment| environment.id == id)
    }

    /// The project that an environment belongs to.
    pub(super) fn project_of_environment(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.environments.iter().any(|environment| environment.id == id))
    }

    pub(super) fn identity(&self, id: &str) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.id == id)
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn folder_by_id(&self, id: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.id == id)
    }

    /// The folder of a location, by its exact path.
    pub(super) fn folder(&self, location: Location) -> Option<&Folder> {
        let environment = &self.environment(location.project, location.environment)?.id;
        self.folder_at(environment, location.path)
    }

    /// The folder of an environment, given by its id, at a path.
    pub(super) fn folder_at(&self, environment: &str, path: &str) -> Option<&Folder> {
        let mut here = self.folders.iter().filter(|folder| folder.environment == environment);
        here.find(|folder| self.path_of(folder) == path)
    }

    /// The path of a folder, from its environment's root.
    pub(super) fn path_of(&self, folder: &Folder) -> String {
        let mut names = Vec::new();
        let mut at = Some(folder);
        // A folder is never below itself, and as deep as a request may be long.
        while let Some(folder) = at.filter(|folder| folder.parent.is_some()) {
            names.push(folder.name.as_str());
            at = folder.parent.as_deref().and_then(|id| self.folder_by_id(id));
        }
        names.reverse();
        format!("/{}", names.join("/"))
    }

    /// The slug of a folder's environment.
    pub(super) fn environment_of(&self, folder: &Folder) -> &str {
        self.environment_by_id(&folder.environment).map_or("", |environment| &environment.slug)
    }

    /// Makes a folder with those above it, and gives its id.
    pub(super) fn make_folder(&mut self, environment: &str, path: &str) -> String {
        let now = self.now();
        let mut parent = None;
        let mut reached = String::from("/");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for name in ["root"].into_iter().chain(parts) {
            if parent.is_some() {
                reached = format!("{}/{name}", reached.trim_end_matches('/'));
            }
            let id = match self.folder_at(environment, &reached) {
                Some(folder) => folder.id.clone(),
                None => self.add_folder(environment, parent, name, now),
            };
            parent = Some(id);
        }
        parent.unwrap_or_default()
    }

    pub(super) fn add_folder(&mut self, environment: &str, parent: Option<String>, name: &str, now: Millis) -> String {
        let id = new_id();
        self.folders.push(Folder {
            id: id.clone(),
            environment: environment.to_owned(),
            parent,
            name: name.to_owned(),
            description: None,
            version: 1,
            created: now,
            updated: now,
        });
        id
    }

    /// The secrets of a folder in the order of their ids: the shared ones, and those of a user.
    pub(super) fn secrets_in<'a>(&'a self, folder: &'a str, user: Option<&'a str>) -> Vec<&'a Secret> {
        let mut found: Vec<&Secret> = self
            .secrets
            .iter()
            .filter(|secret| secret.folder == folder)
            .filter(|secret| secret.owner.is_none() || secret.owner.as_deref() == user)
            .collect();
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found
    }

    /// The shared secret of a name in a folder: the first, where there are several.
    pub(super) fn shared_secret(&self, folder: &str, key: &str) -> Option<&Secret> {
        let mut here = self.secrets.iter().filter(|secret| secret.folder == folder && secret.owner.is_none());
        here.find(|secret| secret.key == key)
    }

    /// The imports of a folder, by their position.
    pub(super) fn imports_of(&self, folder: &str) -> Vec<&Import> {
        let mut found: Vec<&Import> = self.imports.iter().filter(|import| import.folder == folder).collect();
        found.sort_by_key(|import| import.position);
        found
    }

    pub(super) fn tag(&self, id: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.id == id)
    }
}
