//! The small sources, where they look at the process: its variables, its threads, and what it logs.

use std::env;
use std::fs;

use xtrasecurity::sources::{Directory, DotenvFile, EnvVars, Layer, Layered};
use xtrasecurity::{Client, ErrorKind, Secrets, XtraError};

use crate::credentials_warning::Events;
use crate::{Check, on_a_runtime};

pub(crate) const CHECKS: &[Check] = &[
    ("variables_are_read_as_they_are_at_each_load_and_credentials_are_left_out", variables),
    ("credentials_of_systemd_are_those_of_the_directory_that_it_names", credentials_of_systemd),
    ("a_read_of_files_leaves_no_thread_behind_and_the_process_may_inject", no_thread_left),
    ("an_optional_layer_is_warned_of_when_it_begins_to_be_missing_and_not_at_every_load", optional_layer),
];

fn set(name: &str, value: &str) {
    let secrets = Secrets::from_iter([(name, value)]);
    let selection = xtrasecurity::inject::Selection::new().allow_name(name);
    secrets.injection().select(selection).override_existing().inject().unwrap();
}

fn variables() {
    on_a_runtime(async {
        set("SMALL_PORT", "1");
        set("XTRA_TOKEN", "hunter2");
        let client = Client::new_with_source(EnvVars::new().prefix("SMALL_"));
        let secrets = client.read(()).await.unwrap();
        assert_eq!(secrets.names().collect::<Vec<_>>(), ["PORT"]);
        assert_eq!(secrets.require("PORT").unwrap().expose(), "1");
        set("SMALL_PORT", "2");
        assert_eq!(client.refresh(()).await.unwrap().require("PORT").unwrap().expose(), "2");

        let all = Client::new_with_source(EnvVars::new()).read(()).await.unwrap();
        assert!(all.contains("PATH") && all.contains("SMALL_PORT") && !all.contains("XTRA_TOKEN"));
        let asked_for = Client::new_with_source(EnvVars::new().with_credentials()).read(()).await.unwrap();
        assert_eq!(asked_for.require("XTRA_TOKEN").unwrap().expose(), "hunter2");
        let none = Client::new_with_source(EnvVars::new().prefix("NOBODY_SETS_")).read(()).await.unwrap();
        assert_eq!(
            none.require_any().unwrap_err().to_string(),
            "the part of the environment that begins with \"NOBODY_SETS_\" holds no secrets. No such variable is set"
        );
    });
}

fn credentials_of_systemd() {
    on_a_runtime(async {
        assert!(env::var_os("CREDENTIALS_DIRECTORY").is_none());
        let told = |error: &XtraError| {
            let text = error.to_string();
            text.contains("CREDENTIALS_DIRECTORY") && text.contains("LoadCredential=NAME:/path")
        };
        let error = Directory::systemd().unwrap_err();
        assert!(error.kind() == ErrorKind::Config && told(&error), "{error}");
        set("CREDENTIALS_DIRECTORY", "relative/path");
        assert!(told(&Directory::systemd().unwrap_err()));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("db.password"), "hunter2\n").unwrap();
        set("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap());
        let client = Client::new_with_source(Directory::systemd().unwrap());
        assert_eq!(client.read(()).await.unwrap().require("db.password").unwrap().expose(), "hunter2");
        drop(dir);
        let error = client.refresh(()).await.unwrap_err();
        assert!(error.to_string().contains("LoadCredential"), "{error}");
    });
}

fn no_thread_left() {
    on_a_runtime(async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".env");
        fs::write(&file, "OF_DOTENV=1\n").unwrap();
        fs::create_dir(dir.path().join("files")).unwrap();
        fs::write(dir.path().join("files/OF_FILES"), "2").unwrap();
        let layers = [
            Layer::new(DotenvFile::new(&file), ()),
            Layer::new(Directory::new(dir.path().join("files")), ()).every_name(),
        ];
        let client = Client::new_with_source(Layered::new(layers).unwrap());
        // many times: a thread that ends late would be seen now and then only
        for _ in 0..50 {
            client.refresh(()).await.unwrap();
            assert_eq!(fs::read_dir("/proc/self/task").unwrap().count(), 1);
        }
        let report = client.read(()).inject().await.unwrap();
        assert_eq!(report.set(), ["OF_DOTENV", "OF_FILES"]);
        assert_eq!(env::var("OF_FILES").unwrap(), "2");
    });
}

fn optional_layer() {
    let events = Events::default();
    tracing::subscriber::set_global_default(events.clone()).unwrap();
    on_a_runtime(async {
        let dir = tempfile::tempdir().unwrap();
        let files = dir.path().join("files");
        let layers =
            [Layer::new(Directory::new(&files), ()).optional(), Layer::new(EnvVars::new(), ()).names(["PATH"])];
        let client = Client::new_with_source(Layered::new(layers).unwrap());
        let told = || {
            let texts = std::mem::take(&mut *events.0.lock().unwrap());
            texts.into_iter().filter(|text| text.contains("an optional layer")).collect::<Vec<_>>()
        };
        for load in 0..3 {
            client.refresh(()).await.unwrap();
            let texts = told();
            assert_eq!(texts.len(), usize::from(load == 0), "{texts:?}");
            assert!(texts.iter().all(|text| text.starts_with("WARN") && text.contains("layer=1")), "{texts:?}");
        }
        fs::create_dir(&files).unwrap();
        fs::write(files.join("SECRET"), "hunter2").unwrap();
        client.refresh(()).await.unwrap();
        let texts = told();
        assert!(texts.len() == 1 && texts[0].starts_with("INFO"), "{texts:?}");
    });
}
