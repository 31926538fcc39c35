//! What local mode promises: a `.env` file in the place of the service's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{ErrorKind, SecretValue, UseError, XtraClient, clock::ManualClock, snapshot::SnapshotSource};

fn client(path: &Path) -> XtraClient {
    XtraClient::builder().local_file(path).build().unwrap()
}

#[tokio::test]
async fn every_environment_and_branch_holds_the_secrets_of_the_file_and_nothing_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secrets.env");
    fs::write(&path, "# local\nexport PASSWORD='pa$$ #1'\nPORT=5432\n").unwrap();
    let client = client(&path);
    for request in [
        client.get_secrets("production"),
        client.get_secrets("staging").branch("feature/new-ui"),
        client.get_secrets("nowhere").project_id("665f1c2ab7c0de0012345678").no_cache(),
    ] {
        let secrets = request.await.unwrap();
        assert_eq!(secrets.names().collect::<Vec<_>>(), ["PASSWORD", "PORT"]);
        assert_eq!(secrets.require("PASSWORD").unwrap(), "pa$$ #1");
        assert_eq!(secrets.source(), SnapshotSource::LocalFile);
    }
    let error = client.raw().projects_get().id("665f1c2ab7c0de0012345678").send().await.unwrap_err();
    let error = error.into_error();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("local mode"), "{error}");
    assert_eq!(client.stats().requests, 0);
}

#[tokio::test]
async fn names_are_checked_as_those_of_the_service_are() {
    let dir = tempfile::tempdir().unwrap();
    let client = client(&dir.path().join("unread"));
    assert_eq!(client.get_secrets("").await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(client.get_secrets("a").project_id("x").await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn an_edit_shows_once_the_snapshot_is_no_longer_fresh() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let path = dir.path().join("secrets.env");
    fs::write(&path, "A=1").unwrap();
    let client = XtraClient::builder().local_file(&path).clock(clock.clock()).build().unwrap();
    let value = async || client.get_secrets("production").await.unwrap().require("A").unwrap().expose().to_owned();
    assert_eq!(value().await, "1");
    fs::write(&path, "A=2").unwrap();
    assert_eq!(value().await, "1");
    clock.advance(Duration::from_secs(30));
    assert_eq!(value().await, "2");
}

#[tokio::test]
async fn a_file_that_is_missing_fails_the_read_and_not_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secrets.env");
    let client = client(&path);
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("there is no such file. Create it"), "{error}");
    fs::write(&path, "A=1").unwrap();
    assert!(client.get_secrets("production").await.unwrap().contains("A"));
}

#[tokio::test]
async fn a_placeholder_in_the_file_is_no_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secrets.env");
    fs::write(&path, "A=1\nB=***\n").unwrap();
    let client = client(&path);
    let error = client.get_secrets("production").await.unwrap_err();
    assert_eq!((error.kind(), error.names()), (ErrorKind::Masked, &["B".to_owned()][..]));
    assert!(client.get_secrets("production").allow_unreadable().await.unwrap().contains("A"));
}

#[tokio::test]
async fn a_secret_of_the_file_can_be_used_without_naming_an_environment() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let path = dir.path().join("secrets.env");
    fs::write(&path, "A=old").unwrap();
    let client = XtraClient::builder().local_file(&path).clock(clock.clock()).build().unwrap();
    client.get_secrets(client.default_environment().unwrap()).await.unwrap();
    clock.advance(Duration::from_secs(10));
    fs::write(&path, "A=new").unwrap();
    let door =
        |value: SecretValue| async move { if value == "new" { Ok("in") } else { Err(UseError::Refused("wrong")) } };
    assert_eq!(client.with_secret("A", door).await.unwrap(), "in");
}

/// What [`child`] is told to do, by name.
const TASK: &str = "XTRASECURITY_TEST_TASK";

/// Runs `child` in a process of its own, with these variables and no account anywhere; tells what it printed.
fn run(task: &str, directory: &Path, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local_mode::child", "--nocapture"])
        .env_clear()
        .envs(variables.iter().copied())
        .env(TASK, task)
        .env("HOME", directory)
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (_, told) = text.split_once("told: ").unwrap_or_else(|| panic!("nothing told: {text}"));
    told.lines().next().unwrap_or_default().to_owned()
}

/// No test by itself: the other process.
#[tokio::test]
async fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (built, requests) = match task.as_str() {
        "explicit" => {
            let server = DevServer::start().await.unwrap();
            (XtraClient::builder().dev_server(&server).build(), Some(server))
        }
        _ => (XtraClient::from_env(), None),
    };
    let told = match built {
        Err(error) => error.kind().to_string(),
        Ok(client) => match client.get_secrets("production").await {
            Err(error) => error.kind().to_string(),
            Ok(secrets) => format!("{:?} {}", secrets.source(), secrets.get("A").map_or("", SecretValue::expose)),
        },
    };
    println!("told: {told}, sent {}", requests.map_or(0, |server| server.total_requests()));
}

#[test]
fn the_variable_turns_it_on_without_a_token_whatever_the_program_says() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env.local"), "A=local\n").unwrap();
    let on = [("XTRA_LOCAL_MODE", "true")];
    assert_eq!(run("from_env", dir.path(), &on), "LocalFile local, sent 0");
    assert_eq!(run("explicit", dir.path(), &on), "LocalFile local, sent 0");
    let service =
        [("XTRA_LOCAL_MODE", "true"), ("XTRA_TOKEN", "xs_x"), ("XTRA_API_URL", "https://nowhere.invalid/api")];
    assert_eq!(run("from_env", dir.path(), &service), "LocalFile local, sent 0");
}

#[test]
fn only_true_turns_it_on_and_what_could_mean_either_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env.local"), "A=local\n").unwrap();
    for value in ["TRUE", "True", "1", "yes", "on", " true", "\"true\"", "local"] {
        for task in ["from_env", "explicit"] {
            assert_eq!(run(task, dir.path(), &[("XTRA_LOCAL_MODE", value)]), "config, sent 0", "{value:?}");
        }
    }
    for value in ["", "false", "False", "0", "no", "off"] {
        assert_eq!(run("explicit", dir.path(), &[("XTRA_LOCAL_MODE", value)]), "Service , sent 1", "{value:?}");
    }
}

#[test]
fn without_the_file_the_reads_fail_and_the_service_is_not_asked_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run("explicit", dir.path(), &[("XTRA_LOCAL_MODE", "true")]), "config, sent 0");
}
