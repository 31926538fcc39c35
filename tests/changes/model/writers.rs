//! Several clients that write the same few names at once, to a service whose requests interleave: two first writes make two
//! rows of one name, of which later writes change the first and reads return the last.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits, Seed, Tier, UserSeed};
use xtrasecurity::xtra::write::Written;
use xtrasecurity::{ErrorKind, XtraClient, XtraError};

use crate::model::spy::{self, Heard};

const KEYS: [&str; 3] = ["A", "B", "constructor"];

/// One call. Every value is one that no other call writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Write {
    Set(usize),
    /// On the condition of the version that a read has shown.
    SetExpecting(usize),
    SetAll,
    Create(usize),
    Rotate(usize),
    Delete(usize),
    Repair(usize),
    /// As the service's dashboard creates a secret, whether there is one or not.
    Double(usize),
}

fn write() -> impl Strategy<Value = Write> {
    let key = || prop_oneof![4 => Just(0_usize), 1 => Just(1), 1 => Just(2)];
    prop_oneof![
        5 => key().prop_map(Write::Set),
        2 => key().prop_map(Write::SetExpecting),
        2 => Just(Write::SetAll),
        2 => key().prop_map(Write::Create),
        2 => key().prop_map(Write::Rotate),
        1 => key().prop_map(Write::Delete),
        1 => key().prop_map(Write::Repair),
        1 => key().prop_map(Write::Double),
    ]
}

/// What each writer does, one after the other.
pub(crate) fn writers() -> impl Strategy<Value = Vec<Vec<Write>>> {
    prop::collection::vec(prop::collection::vec(write(), 1..=4), 2..=4)
}

/// What came of one call.
struct Told {
    call: String,
    /// What the call says is written, plainly: names and values.
    plain: Vec<(&'static str, String)>,
    /// What of that no read has given.
    unread: Vec<&'static str>,
    error: Option<XtraError>,
}

struct Writer {
    client: XtraClient,
    heard: Heard,
    name: String,
}

async fn server() -> DevServer {
    let seed = Seed::new().user(UserSeed::new("owner").tier(Tier::Enterprise)).project(ProjectSeed::new("model"));
    let server = DevServer::builder().seed(seed).rate_limits(RateLimits::off()).database_latency(Duration::ZERO);
    server.start().await.unwrap()
}

/// Plays what the writers do, all at once. The error says which promise is broken.
pub(crate) fn play(writers: &[Vec<Write>]) -> Result<usize, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server().await;
        let mut playing = Vec::new();
        for (number, writes) in writers.iter().cloned().enumerate() {
            let writer = Writer::new(&server, number).await;
            playing.push(tokio::spawn(async move { writer.play(&writes).await }));
        }
        let mut told = Vec::new();
        for writer in playing {
            told.extend(writer.await.unwrap());
        }
        let doubled = KEYS.iter().filter(|key| rows(&server, key) > 1).count();
        for one in &told {
            check(one).map_err(TestCaseError::fail)?;
        }
        for key in KEYS {
            settle(&server, key).await.map_err(TestCaseError::fail)?;
        }
        server.stop().await;
        Ok(doubled)
    })
}

fn rows(server: &DevServer, key: &str) -> usize {
    server.secret_rows("model", "dev", "main", key)
}

fn check(told: &Told) -> Result<(), String> {
    let Told { call, plain, unread, error } = told;
    if !unread.is_empty() {
        return Err(format!("{call} says that {plain:?} are written, and no read since has given {unread:?}"));
    }
    let Some(error) = error else { return Ok(()) };
    // nothing else stands in the way of these writes than what the others do
    let kinds = [ErrorKind::Conflict, ErrorKind::NotFound, ErrorKind::Incomplete];
    // all of the rows that were found may be gone when it is to be seen which one is read
    let is_gone = error.kind() == ErrorKind::Invalid && call.starts_with("Repair");
    // the service fails over a row that is deleted while it rotates it
    let is_open = error.kind() == ErrorKind::Server && error.may_have_been_applied();
    if is_open || is_gone || kinds.contains(&error.kind()) { Ok(()) } else { Err(format!("{call}: {error:?}")) }
}

/// When everybody is done: a name of several rows is never written with a plain success until it is repaired, and then
/// whatever is written is read.
async fn settle(server: &DevServer, key: &'static str) -> Result<(), String> {
    let client = XtraClient::builder().dev_server(server).no_proxy().build().unwrap();
    let is_doubled = rows(server, key) > 1;
    let written = client.set_secret("dev", key, "last").await.map_err(|error| error.to_string())?;
    if is_doubled != (written == Written::Unconfirmed) {
        return Err(format!("{key} has {} rows, and a write says {written:?}", rows(server, key)));
    }
    if is_doubled {
        let before = client.get_secret("dev", key).no_cache().await.map_err(|error| error.to_string())?;
        client.repair_secret("dev", key).await.map_err(|error| error.to_string())?;
        let after = client.get_secret("dev", key).no_cache().await.map_err(|error| error.to_string())?;
        if before != after || rows(server, key) != 1 {
            return Err(format!("{key} is not what it was before the repair, or has {} rows", rows(server, key)));
        }
        let written = client.set_secret("dev", key, "last").await.map_err(|error| error.to_string())?;
        if written != Written::Updated {
            return Err(format!("{key} is repaired, and a write says {written:?}"));
        }
    }
    let read = client.get_secret("dev", key).no_cache().await.map_err(|error| error.to_string())?;
    if read == "last" { Ok(()) } else { Err(format!("{key} is not read as it was written last")) }
}

impl Writer {
    async fn new(server: &DevServer, number: usize) -> Self {
        let (port, heard) = spy::way_to(server.port()).await;
        let client = XtraClient::builder().api_url(format!("http://127.0.0.1:{port}/api")).token(server.token());
        let client = client.project_id(server.project_id()).max_retries(0).no_proxy().build().unwrap();
        Self { client, heard, name: format!("writer{number}") }
    }

    async fn play(&self, writes: &[Write]) -> Vec<Told> {
        let mut told = Vec::new();
        for (number, write) in writes.iter().enumerate() {
            let value = format!("{}.{number}", self.name);
            let start = self.heard.so_far();
            let (plain, error) = match self.take(*write, &value).await {
                Ok(keys) => (keys.into_iter().map(|key| (key, format!("{value}.{key}"))).collect::<Vec<_>>(), None),
                Err(error) => (Vec::new(), Some(error)),
            };
            let was_read =
                |key: &str, value: &str| self.heard.since(start, &format!("\"{key}\":{{\"value\":\"{value}\""));
            let unread = plain.iter().filter(|(key, value)| !was_read(key, value)).map(|(key, _)| *key).collect();
            told.push(Told { call: format!("{write:?} by {}", self.name), plain, unread, error });
        }
        told
    }

    /// The names of which the call says that they are written.
    async fn take(&self, write: Write, value: &str) -> Result<Vec<&'static str>, XtraError> {
        let client = &self.client;
        let pair = |key: usize| (KEYS[key], format!("{value}.{}", KEYS[key]));
        let plain = |written: Written, key: &'static str| match written {
            Written::Created | Written::Updated => vec![key],
            _ => vec![],
        };
        match write {
            Write::Set(key) => {
                let (key, value) = pair(key);
                Ok(plain(client.set_secret("dev", key, value).await?, key))
            }
            Write::SetExpecting(key) => {
                let (key, value) = pair(key);
                let listed = client.list_secret_names("dev").await?;
                let Some(seen) = listed.iter().find(|seen| seen.name == key) else { return Ok(vec![]) };
                Ok(plain(client.set_secret("dev", key, value).expect_version(&seen.version).await?, key))
            }
            Write::SetAll => {
                let report = client.set_secrets("dev", (0..KEYS.len()).map(pair)).await?;
                let written: Vec<_> = report.written().collect();
                Ok(KEYS.into_iter().filter(|key| written.contains(key)).collect())
            }
            Write::Create(key) => {
                let (key, value) = pair(key);
                client.create_secret("dev", key, value).await.map(|()| vec![key])
            }
            Write::Rotate(key) => {
                let (key, value) = pair(key);
                client.rotate_secret("dev", key).value(value).await.map(|_| vec![key])
            }
            Write::Delete(key) => client.delete_secret("dev", KEYS[key]).if_exists().await.map(|_| vec![]),
            Write::Repair(key) => client.repair_secret("dev", KEYS[key]).await.map(|_| vec![]),
            Write::Double(key) => {
                let (key, value) = pair(key);
                self.double(key, &value).await;
                Ok(vec![])
            }
        }
    }

    async fn double(&self, key: &str, value: &str) {
        let project = self.client.list_projects().await.unwrap().remove(0).id;
        let request = self.client.raw().secret_records_create();
        let request = request.body_map(|body| body.project_id(project).environment_type("dev").key(key).value(value));
        request.send().await.unwrap();
    }
}
