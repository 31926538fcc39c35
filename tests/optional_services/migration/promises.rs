//! What a migration promises, with both services in memory.

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::infisical::dev::{Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};
use xtrasecurity::{ErrorKind, XtraClient};

use crate::plan::{From, Naming, To, apply, plan};

struct Both {
    source: InfisicalDevServer,
    target: DevServer,
    infisical: InfisicalClient,
    xtra: XtraClient,
}

impl Both {
    async fn start(generation: Generation, project: ProjectSeed) -> Self {
        let source =
            InfisicalDevServer::builder().generation(generation).identity(IdentitySeed::new("ci")).project(project);
        let (source, target) = (source.start().await.unwrap(), DevServer::start().await.unwrap());
        let infisical = InfisicalClient::builder().base_url(source.url()).token(source.token());
        let infisical = infisical.project_id(source.project_id()).build().unwrap();
        let xtra = XtraClient::builder().dev_server(&target).build().unwrap();
        Self { source, target, infisical, xtra }
    }

    fn from(&self, naming: Naming) -> From<'_> {
        From { client: &self.infisical, environment: "dev", folders_of_imports: &["/worker"], naming }
    }

    fn to(&self) -> To<'_> {
        To { client: &self.xtra, environment: "migrated" }
    }

    fn holds(&self, name: &str) -> Option<String> {
        self.target.secret(self.target.project_id(), "migrated", "main", name)
    }
}

/// Three folders with secrets, and one that has imports alone.
fn folders() -> ProjectSeed {
    ProjectSeed::new("web")
        .member("ci", Role::Admin)
        .folder("dev", "/worker")
        .import(("dev", "/worker"), ("dev", "/app"))
        .secret(SecretSeed::new("dev", "URL", "https://a?b=c#d"))
        .secret(SecretSeed::new("dev", "LINES", "first\nsecond\n"))
        .secret(SecretSeed::new("dev", "KEY", "app key ü").path("/app"))
        .secret(SecretSeed::new("dev", "FULL", "<${URL}>"))
        .secret(SecretSeed::new("dev", "KEY", "db key").path("/app/my-db"))
}

#[tokio::test]
async fn every_value_of_every_folder_arrives_and_a_second_run_writes_nothing() {
    for generation in [Generation::August2024, Generation::October2024, Generation::Current] {
        let both = Both::start(generation, folders()).await;
        let first = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
        assert_eq!(first.conflicts, []);
        let names: Vec<&str> = first.create.keys().map(String::as_str).collect();
        assert_eq!(names, ["APP_KEY", "APP_MY_DB_KEY", "FULL", "LINES", "URL", "WORKER_KEY"], "{generation:?}");
        assert_eq!(both.holds("URL"), None, "a plan writes nothing");

        assert_eq!(apply(&first, both.to()).await.unwrap(), 6);
        let expected = [
            ("APP_KEY", "app key ü"),
            ("APP_MY_DB_KEY", "db key"),
            ("FULL", "<https://a?b=c#d>"),
            ("LINES", "first\nsecond\n"),
            ("URL", "https://a?b=c#d"),
            ("WORKER_KEY", "app key ü"),
        ];
        for (name, value) in expected {
            assert_eq!(both.holds(name).as_deref(), Some(value), "{generation:?}: {name}");
        }

        let second = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
        assert_eq!((second.create.len(), second.present.len()), (0, 6));
        assert_eq!(apply(&second, both.to()).await.unwrap(), 0);
        both.source.stop().await;
        both.target.stop().await;
    }
}

#[tokio::test]
async fn two_values_of_one_name_are_a_conflict_and_nothing_is_written() {
    let both = Both::start(Generation::Current, folders()).await;
    let plan = plan(both.from(Naming::NameAlone), both.to()).await.unwrap();
    assert_eq!(plan.conflicts, [("KEY".to_owned(), "/app and /app/my-db: two values of one name".to_owned())]);
    let error = apply(&plan, both.to()).await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Conflict, &["KEY".to_owned()][..]));
    assert_eq!(both.holds("URL"), None);
}

#[tokio::test]
async fn what_the_target_has_is_not_overwritten() {
    let both = Both::start(Generation::Current, folders()).await;
    both.xtra.set_secret("migrated", "URL", "mine").await.unwrap();
    let planned = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    assert_eq!(planned.conflicts, [("URL".to_owned(), "/: is in the target with another value".to_owned())]);
    assert_eq!(apply(&planned, both.to()).await.unwrap_err().kind(), ErrorKind::Conflict);

    both.xtra.delete_secret("migrated", "URL").await.unwrap();
    let planned = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    both.xtra.set_secret("migrated", "URL", "of somebody who came between").await.unwrap();
    assert_eq!(apply(&planned, both.to()).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(both.holds("URL").as_deref(), Some("of somebody who came between"));
    assert_eq!(both.holds("APP_KEY"), None);
}

#[tokio::test]
async fn a_value_that_is_hidden_or_twice_there_is_a_conflict() {
    let both = Both::start(Generation::Current, folders()).await;
    both.source.add_secret("web", SecretSeed::new("dev", "URL", "another row")).unwrap();
    let plan = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    assert!(
        plan.conflicts.contains(&("URL".to_owned(), "/: cannot be read (Ambiguous)".to_owned())),
        "{:?}",
        plan.conflicts
    );
    assert_eq!(apply(&plan, both.to()).await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_plan_shows_no_value() {
    let both = Both::start(Generation::Current, folders()).await;
    let plan = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    let shown = format!("{plan:?}");
    assert!(shown.contains("APP_KEY") && !shown.contains("app key") && !shown.contains("https://a"), "{shown}");
}
