//! The database of a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::database::{Database, new_id};
use super::generation::Generation;
use super::rows::{
    ClientSecret, Environment, Identity, Import, Lockout, Policy, Project, Secret, ServiceToken, Tag, User,
};
use super::seed::{
    ClientSecretSeed, EnvironmentSeed, IdentitySeed, ProjectSeed, SecretSeed, Seed, ServiceTokenSeed, TagSeed,
};
use crate::dev::{Clock, DevServerError, Seeded};

/// The environments of a project that names none.
const ENVIRONMENTS: [(&str, &str); 3] = [("dev", "Development"), ("staging", "Staging"), ("prod", "Production")];

fn random_hex() -> String {
    format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..))
}

/// Builds the database of a seed, with the tokens of identities, users and service tokens by their names.
pub(super) fn build_state(seed: Seed, generation: Generation) -> Result<Seeded<Database>, DevServerError> {
    let mut database = Database::empty(generation);
    let mut tokens = BTreeMap::new();
    for name in seed.users {
        let id = new_id();
        let created = database.now();
        database.users.push(User { id: id.clone(), name: name.clone(), created });
        keep(&mut tokens, name, database.user_token(&id))?;
    }
    for identity in seed.identities {
        let name = identity.name.clone();
        let id = database.add_identity(identity);
        let token = database.issue(&id, None).map(|issued| issued.token).unwrap_or_default();
        keep(&mut tokens, name, token)?;
    }
    for project in seed.projects {
        database.add_project(project)?;
    }
    for token in seed.service_tokens {
        let name = token.name.clone();
        let token = database.add_service_token(token)?;
        keep(&mut tokens, name, token)?;
    }
    Ok(Seeded { state: database, tokens })
}

fn keep(tokens: &mut BTreeMap<String, String>, name: String, token: String) -> Result<(), DevServerError> {
    if tokens.contains_key(&name) {
        return Err(DevServerError::Duplicate { what: "actor", name });
    }
    tokens.insert(name, token);
    Ok(())
}

impl Database {
    fn empty(generation: Generation) -> Self {
        Database {
            generation,
            clock: Clock::default(),
            signing_key: random_hex(),
            organization: new_id(),
            half_expansion: super::database::HalfExpansion::default(),
            has_events: true,
            projects: Vec::new(),
            folders: Vec::new(),
            secrets: Vec::new(),
            imports: Vec::new(),
            tags: Vec::new(),
            identities: Vec::new(),
            tokens: Vec::new(),
            users: Vec::new(),
            service_tokens: Vec::new(),
            approvals: Vec::new(),
            keys: Vec::new(),
            dynamic_secrets: Vec::new(),
            leases: Vec::new(),
            limiter: super::limits::Limiter::default(),
            subscriptions: super::subscriptions::Subscriptions::default(),
        }
    }

    fn add_identity(&mut self, seed: IdentitySeed) -> String {
        let now = self.now();
        let id = seed.id.unwrap_or_else(new_id);
        let mut secrets = seed.secrets;
        if secrets.is_empty() {
            secrets.push(ClientSecretSeed::new(&random_hex()));
        }
        let secret = |seed: ClientSecretSeed| ClientSecret {
            id: new_id(),
            secret: seed.secret,
            limit: seed.uses,
            uses: 0,
            ttl: seed.ttl,
            created: now,
            is_revoked: false,
        };
        self.identities.push(Identity {
            id: id.clone(),
            name: seed.name,
            client_id: seed.client_id.unwrap_or_else(new_id),
            secrets: secrets.into_iter().map(secret).collect(),
            ttl: seed.limits.ttl,
            max_ttl: seed.limits.max_ttl,
            uses: seed.limits.uses,
            addresses: seed.limits.addresses,
            logins: seed.logins,
            lockout: Lockout::default(),
        });
        id
    }

    /// The id of an identity or a user by name.
    fn actor_named(&self, name: &str) -> Result<String, DevServerError> {
        let identity = self.identities.iter().find(|identity| identity.name == name).map(|identity| &identity.id);
        let user = || self.users.iter().find(|user| user.name == name).map(|user| &user.id);
        identity.or_else(user).cloned().ok_or_else(|| DevServerError::unknown("actor", name))
    }

    fn add_project(&mut self, seed: ProjectSeed) -> Result<(), DevServerError> {
        if self.project_by_slug(&seed.slug).is_some() {
            return Err(DevServerError::Duplicate { what: "project", name: seed.slug });
        }
        let now = self.now();
        let id = seed.id.unwrap_or_else(new_id);
        let mut environments = seed.environments;
        if environments.is_empty() {
            environments.extend(ENVIRONMENTS.map(|(slug, name)| EnvironmentSeed::new(slug, name)));
        }
        let environment = |seed: EnvironmentSeed| Environment {
            id: seed.id.unwrap_or_else(new_id),
            slug: seed.slug,
            name: seed.name,
            created: now,
            updated: now,
        };
        let mut members = Vec::new();
        for (name, role) in seed.members {
            members.push((self.actor_named(&name)?, role));
        }
        let policy = |(environment, path)| Policy { id: new_id(), environment, path };
        let environments: Vec<Environment> = environments.into_iter().map(environment).collect();
        let roots: Vec<String> = environments.iter().map(|environment| environment.id.clone()).collect();
        self.projects.push(Project {
            id: id.clone(),
            slug: seed.slug,
            name: seed.name,
            version: seed.version,
            created: now,
            environments,
            members,
            policies: seed.policies.into_iter().map(policy).collect(),
        });
        for environment in roots {
            self.make_folder(&environment, "/");
        }
        for tag in seed.tags {
            self.add_tag(&id, tag);
        }
        for (environment, path) in seed.folders {
            self.folder_for(&id, &environment, &path)?;
        }
        for secret in seed.secrets {
            self.add_secret(&id, secret)?;
        }
        for import in seed.imports {
            let (environment, path) = &import.into;
            let folder = self.folder_for(&id, environment, path)?;
            let source = self.environment_id(&id, &import.from.0)?;
            let position = self.next_position(&folder);
            self.imports.push(Import {
                id: import.id.unwrap_or_else(new_id),
                folder,
                environment: source,
                path: import.from.1,
                position,
                created: now,
                updated: now,
            });
        }
        Ok(())
    }

    /// The position of the next import of a folder.
    pub(super) fn next_position(&self, folder: &str) -> u32 {
        self.imports_of(folder).last().map_or(1, |import| import.position + 1)
    }

    fn environment_id(&self, project: &str, slug: &str) -> Result<String, DevServerError> {
        let found = self.environment(project, slug).map(|environment| environment.id.clone());
        found.ok_or_else(|| DevServerError::unknown("environment", slug))
    }

    fn folder_for(&mut self, project: &str, environment: &str, path: &str) -> Result<String, DevServerError> {
        let environment = self.environment_id(project, environment)?;
        Ok(self.make_folder(&environment, path))
    }

    fn add_tag(&mut self, project: &str, seed: TagSeed) -> String {
        let now = self.now();
        let id = seed.id.unwrap_or_else(new_id);
        let created_by = self.users.first().map(|user| user.id.clone());
        self.tags.push(Tag {
            id: id.clone(),
            project: project.to_owned(),
            slug: seed.slug,
            color: seed.color,
            created_by: created_by
                .unwrap_or_else(|| self.identities.first().map(|found| found.id.clone()).unwrap_or_default()),
            created: now,
            updated: now,
        });
        id
    }

    /// Adds a secret with its folders and its tags.
    pub(super) fn add_secret(&mut self, project: &str, seed: SecretSeed) -> Result<(), DevServerError> {
        let now = self.now();
        let folder = self.folder_for(project, &seed.environment, &seed.path)?;
        let owner = match seed.owner {
            Some(name) => Some(self.actor_named(&name)?),
            None => None,
        };
        let mut tags = Vec::new();
        for slug in seed.tags {
            let known = self.tags.iter().find(|tag| tag.project == project && tag.slug == slug);
            let known = known.map(|tag| tag.id.clone());
            tags.push(known.unwrap_or_else(|| self.add_tag(project, TagSeed::new(&slug))));
        }
        self.secrets.push(Secret {
            id: seed.id.unwrap_or_else(new_id),
            folder,
            key: seed.name,
            value: seed.value,
            comment: seed.comment,
            version: 1,
            owner,
            tags,
            skips_multiline_encoding: Some(seed.skips_multiline_encoding),
            reminder_note: None,
            reminder_days: None,
            metadata: Vec::new(),
            created: now,
            updated: now,
            history: Vec::new(),
        });
        Ok(())
    }

    fn add_service_token(&mut self, seed: ServiceTokenSeed) -> Result<String, DevServerError> {
        let now = self.now();
        let project = self.project_by_slug(&seed.project).map(|project| project.id.clone());
        let project = project.ok_or_else(|| DevServerError::unknown("project", &seed.project))?;
        let id = seed.id.unwrap_or_else(new_id);
        let secret = seed.secret.unwrap_or_else(random_hex);
        let token = format!("st.{id}.{secret}.{}", &random_hex()[..32]);
        let expires = seed.expires_in.filter(|time| *time > Duration::ZERO).map(|time| now.plus(time));
        self.service_tokens.push(ServiceToken {
            id,
            name: seed.name,
            secret,
            project,
            scopes: seed.scopes,
            writes: seed.writes,
            expires,
            created: now,
            used: None,
        });
        Ok(token)
    }
}
