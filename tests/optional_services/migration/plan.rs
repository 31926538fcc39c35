//! A migration from Infisical to XtraSecurity: all folders of an environment as one snapshot, which is copied.
//!
//! XtraSecurity has no folders. The path of a folder becomes the beginning of its secrets' names, or is left out. A folder gives
//! what a program reads from it: with what it imports, and with references in values replaced by what they name.

use std::collections::BTreeSet;

use xtrasecurity::copy::CopyPlan;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::snapshot::Unreadable;
use xtrasecurity::source::{Identity, KeyWriter, Loaded};
use xtrasecurity::xtra::Xtra;
use xtrasecurity::{Client, SecretSource, SecretValue, XtraClient, XtraError};

/// What becomes of the path of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `PASSWORD` in `/app/db` becomes `APP_DB_PASSWORD`.
    WithFolder,
    /// `PASSWORD` stays `PASSWORD`. Two folders with two values of one name are an obstacle.
    NameAlone,
}

/// Where secrets come from.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    pub client: &'a InfisicalClient,
    pub environment: &'a str,
    /// Folders that hold nothing but imports: no list of secrets names them. Those with secrets of their own are found.
    pub folders_of_imports: &'a [&'a str],
    pub naming: Naming,
}

/// Where they go.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    pub client: &'a XtraClient,
    pub environment: &'a str,
}

/// Reads both sides and writes nothing.
pub async fn plan(from: From<'_>, to: To<'_>) -> Result<CopyPlan<Xtra>, XtraError> {
    let folders_of_imports = from.folders_of_imports.iter().map(|folder| (*folder).to_owned()).collect();
    let folders = Client::new_with_source(Folders { client: from.client.clone(), folders_of_imports });
    let secrets = folders.read(from.environment).allow_unreadable().await?;
    let names = secrets.names().chain(secrets.unreadable().iter().map(|one| one.name.as_str()));
    let request = to.client.copy_secrets(to.environment, &secrets);
    names.fold(request, |request, name| request.rename(name, new_name(name, from.naming))).await
}

/// All folders of an environment as one source, whose names are `/app/db:PASSWORD`.
struct Folders {
    client: InfisicalClient,
    folders_of_imports: Vec<String>,
}

impl SecretSource for Folders {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "folders"
    }

    fn identity(&self) -> Identity {
        self.client.source().identity()
    }

    fn write_key(&self, environment: &&str, key: &mut KeyWriter) {
        key.field(environment);
    }

    fn prepare(&self, environment: &&str) -> Result<String, XtraError> {
        Ok((*environment).to_owned())
    }

    async fn load(&self, environment: &String) -> Result<Loaded, XtraError> {
        let rows = self.client.list_secrets(environment).path("/").recursive().await?;
        let folders: BTreeSet<&String> = rows.iter().map(|row| &row.folder).chain(&self.folders_of_imports).collect();
        let (mut values, mut unreadable) = (Vec::<(String, SecretValue)>::new(), Vec::new());
        for folder in folders {
            let secrets = self.client.get_secrets(environment).path(folder).no_cache().allow_unreadable().await?;
            values.extend(secrets.iter().map(|(name, value)| (format!("{folder}:{name}"), value.clone())));
            let hidden = secrets.unreadable().iter();
            unreadable.extend(hidden.map(|one| Unreadable::new(format!("{folder}:{}", one.name), one.reason)));
        }
        Ok(Loaded::from_iter(values).with_unreadable(unreadable))
    }
}

fn new_name(name: &str, naming: Naming) -> String {
    let (folder, name) = name.split_once(':').unwrap_or(("", name));
    match naming {
        Naming::NameAlone => name.to_owned(),
        Naming::WithFolder => {
            let parts = folder.split('/').filter(|part| !part.is_empty());
            let prefix: String = parts.map(|part| part.to_uppercase().replace('-', "_") + "_").collect();
            prefix + name
        }
    }
}
