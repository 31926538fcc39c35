//! The small sources and layers, which have read what was planted, and their errors.

use std::fs;

use xtrasecurity::sources::{Directory, DotenvFile, EnvVars, Layer, Layered};
use xtrasecurity::{Client, ErrorKind, SecretSource, XtraError};

use crate::planted::{KEY, TOKEN, VALUE};
use crate::public_types::Table;

pub async fn all(table: &mut Table) {
    let dir = tempfile::tempdir().unwrap();
    let (file, files) = (dir.path().join(".env"), dir.path().join("files"));
    fs::write(&file, format!("{KEY}={VALUE}\nOTHER={VALUE}\n")).unwrap();
    fs::create_dir(&files).unwrap();
    fs::write(files.join(KEY), VALUE).unwrap();

    let sources = || (DotenvFile::new(&file), Directory::new(&files), EnvVars::new().prefix(TOKEN));
    let (dotenv, directory, variables) = sources();
    table.debug("sources::DotenvFile", &dotenv);
    table.debug("sources::Directory", &directory);
    table.debug("sources::EnvVars", &variables);
    let layer = Layer::new(directory, ());
    table.debug("sources::Layer", &layer);
    let layers = [layer, Layer::new(dotenv, ()).names([KEY, VALUE]), Layer::new(variables, ()).every_name()];
    let layered = Layered::new(layers).unwrap();
    table.debug("sources::Layered", &layered);
    let client = Client::new_with_source(layered);
    let secrets = client.read(()).await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE);
    table.debug("Secrets", &secrets);
    secrets.layers().iter().for_each(|layer| table.debug("snapshot::LayerState", layer));
    table.error("XtraError", &secrets.require(VALUE).unwrap_err());

    let refused = Layered::new([Layer::new(sources().0, ()), Layer::new(sources().2, ())]).unwrap_err();
    table.error("XtraError", &refused);
    fails(table, Directory::new(&files).max_bytes(3), ErrorKind::TooLarge).await;
    fs::write(&file, format!("{KEY}={VALUE}\n{VALUE}\n")).unwrap();
    fails(table, DotenvFile::new(&file), ErrorKind::Config).await;
    fs::write(files.join("BINARY"), [VALUE.as_bytes(), b"\xff"].concat()).unwrap();
    fails(table, Directory::new(&files), ErrorKind::Invalid).await;
    let layers = [Layer::new(Directory::new(&files), ()), Layer::new(DotenvFile::new(&file), ()).every_name()];
    fails(table, Layered::new(layers).unwrap(), ErrorKind::Config).await;
    let optional = Layer::new(DotenvFile::new(&file), ()).optional();
    let missing = Client::new_with_source(Layered::new([optional]).unwrap()).read(()).await.unwrap();
    table.error("XtraError", missing.layers()[0].missing().unwrap());
}

async fn fails<S>(table: &mut Table, source: S, kind: ErrorKind)
where
    S: for<'a> SecretSource<Scope<'a> = ()>,
{
    let error: XtraError = Client::new_with_source(source).read(()).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    table.error("XtraError", &error);
}
