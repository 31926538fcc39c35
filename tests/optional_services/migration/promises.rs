//! What a migration promises, with both services in memory.

use xtrasecurity::copy::ObstacleKind;
use xtrasecurity::dev_server::DevServer;
use xtrasecurity::infisical::InfisicalClient;
use xtrasecurity::infisical::dev::{Generation, IdentitySeed, InfisicalDevServer, ProjectSeed, Role, SecretSeed};
use xtrasecurity::snapshot::UnreadableReason;
use xtrasecurity::{ErrorKind, XtraClient};

use crate::plan::{From, Naming, To, plan};

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
        assert_eq!(first.obstacles(), []);
        assert_eq!(
            first.created(),
            ["APP_KEY", "APP_MY_DB_KEY", "FULL", "LINES", "URL", "WORKER_KEY"],
            "{generation:?}"
        );
        assert_eq!(both.holds("URL"), None, "a plan writes nothing");

        assert_eq!(first.apply().await.unwrap().created.len(), 6);
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
        assert_eq!((second.created().len(), second.present().len()), (0, 6));
        assert_eq!(second.apply().await.unwrap().created.len(), 0);
        both.source.stop().await;
        both.target.stop().await;
    }
}

#[tokio::test]
async fn two_values_of_one_name_are_a_conflict_and_nothing_is_written() {
    let both = Both::start(Generation::Current, folders()).await;
    let plan = plan(both.from(Naming::NameAlone), both.to()).await.unwrap();
    let [obstacle] = plan.obstacles() else { panic!("{plan:?}") };
    assert_eq!((obstacle.name.as_str(), obstacle.kind), ("KEY", ObstacleKind::Collision));
    let stopped = plan.apply().await.unwrap_err();
    assert_eq!((stopped.error().kind(), stopped.error().names()), (ErrorKind::Conflict, &["KEY".to_owned()][..]));
    assert_eq!(both.holds("URL"), None);
}

#[tokio::test]
async fn what_the_target_has_is_not_overwritten() {
    let both = Both::start(Generation::Current, folders()).await;
    both.xtra.set_secret("migrated", "URL", "mine").await.unwrap();
    let planned = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    let [obstacle] = planned.obstacles() else { panic!("{planned:?}") };
    assert_eq!((obstacle.source_name.as_str(), obstacle.kind), ("/:URL", ObstacleKind::Conflict));
    assert_eq!(planned.apply().await.unwrap_err().error().kind(), ErrorKind::Conflict);

    both.xtra.delete_secret("migrated", "URL").await.unwrap();
    let planned = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    both.xtra.set_secret("migrated", "URL", "of somebody who came between").await.unwrap();
    assert_eq!(planned.apply().await.unwrap_err().error().kind(), ErrorKind::Conflict);
    assert_eq!(both.holds("URL").as_deref(), Some("of somebody who came between"));
    assert_eq!(both.holds("APP_KEY"), None);
}

#[tokio::test]
async fn a_value_that_is_twice_there_is_an_obstacle_and_nothing_is_written() {
    let both = Both::start(Generation::Current, folders()).await;
    both.source.add_secret("web", SecretSeed::new("dev", "URL", "another row")).unwrap();
    let plan = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    let hidden = plan.obstacles().iter().find(|one| one.name == "URL").unwrap();
    assert_eq!(hidden.kind, ObstacleKind::Unreadable(UnreadableReason::Ambiguous));
    let stopped = plan.apply().await.unwrap_err();
    assert!(stopped.error().names().contains(&"URL".to_owned()), "{stopped}");
    assert_eq!(both.holds("APP_KEY"), None);
}

#[tokio::test]
async fn a_plan_shows_no_value() {
    let both = Both::start(Generation::Current, folders()).await;
    let plan = plan(both.from(Naming::WithFolder), both.to()).await.unwrap();
    let shown = format!("{plan:?}");
    assert!(shown.contains("APP_KEY") && !shown.contains("app key") && !shown.contains("https://a"), "{shown}");
}
