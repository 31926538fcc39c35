//! Steps, by the client and by the model.

use std::collections::BTreeMap;

use proptest::test_runner::TestCaseError;
use xtrasecurity::dev_server::{DevServer, ProjectSeed, RateLimits, Seed, Tier, UserSeed};
use xtrasecurity::xtra::write::{LinkSource, SecretOrigin, Written};
use xtrasecurity::{XtraClient, XtraError};

use crate::model::expected::{Model, Outcome, told};
use crate::model::steps::{At, BRANCHES, ENVIRONMENTS, KEYS, Step};

/// Plays steps on a service of their own. The error says where the two differ.
pub(crate) fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        let mut model = Model::new();
        for (number, step) in steps.iter().enumerate() {
            let (outcome, drawn) = match world.take(step).await {
                Ok((outcome, drawn)) => (Ok(outcome), drawn),
                Err(error) => (Err(error), None),
            };
            let shown = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let expected = model.apply(step, drawn.as_deref());
            let outcome: Outcome = outcome.map_err(|error| error.kind());
            same(&format!("step {number}, {step:?} ({shown})"), &outcome, &expected)?;
            // one place, from the cache, which what was done must have cleared
            let at = At(ENVIRONMENTS[number % 3], BRANCHES[number / 3 % 3]);
            same(&format!("a read of {at:?} after step {number}, {step:?}"), &world.read(at).await, &read(&model, at))?;
        }
        for at in ENVIRONMENTS.iter().flat_map(|environment| BRANCHES.map(|branch| At(environment, branch))) {
            same(&format!("a read of {at:?}"), &world.read(at).await, &read(&model, at))?;
            world.compare(at, &model).await?;
        }
        Ok(())
    })
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, expected: &T) -> Result<(), TestCaseError> {
    if is == expected {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}: {is:?}, and by the model {expected:?}")))
}

/// What a read of a place shows by the model.
fn read(model: &Model, at: At) -> BTreeMap<String, String> {
    let seen = KEYS.iter().filter_map(|key| model.seen(at, key).map(|seen| ((*key).to_owned(), seen.value.to_owned())));
    seen.collect()
}

struct World {
    server: DevServer,
    client: XtraClient,
}

type Told = (String, Option<String>);

impl World {
    async fn new() -> Self {
        let seed = Seed::new().user(UserSeed::new("owner").tier(Tier::Enterprise));
        let seed = seed.project(ProjectSeed::new("model").branch("a"));
        let server = DevServer::builder().seed(seed).rate_limits(RateLimits::off()).start().await.unwrap();
        let client = XtraClient::builder().dev_server(&server).max_retries(0).no_proxy().build().unwrap();
        Self { server, client }
    }

    /// What the call comes to, and the random value that it tells.
    async fn take(&self, step: &Step) -> Result<Told, XtraError> {
        let client = &self.client;
        let told = match *step {
            Step::Set { at, key, value, expect, skip_unchanged } => {
                let request = client.set_secret(at.0, key, value).branch(at.1).allow_any_name();
                let request = if let Some(version) = expect { request.expect_version(version) } else { request };
                let request = if skip_unchanged { request.skip_unchanged() } else { request };
                match request.await? {
                    Written::Created => told(&[key], &[]),
                    Written::Updated => told(&[], &[key]),
                    other => format!("{other:?}"),
                }
            }
            Step::SetAll { at, ref pairs } => {
                let request = client.set_secrets(at.0, pairs.clone()).branch(at.1).allow_any_name();
                let report = request.await?;
                told(&report.created, &report.updated)
            }
            Step::Create { at, key, value } => {
                client.create_secret(at.0, key, value).branch(at.1).allow_any_name().await?;
                String::new()
            }
            Step::Delete { at, key, if_exists } => {
                let request = client.delete_secret(at.0, key).branch(at.1);
                let request = if if_exists { request.if_exists() } else { request };
                request.await?.rows.to_string()
            }
            Step::RollBack { at, key, version } => {
                client.rollback_secret(at.0, key, version).branch(at.1).await?.version
            }
            Step::Rotate { at, key, value } => {
                let request = client.rotate_secret(at.0, key).branch(at.1);
                let request = if let Some(value) = value { request.value(value) } else { request };
                let rotated = request.await?;
                let new = rotated.value.expose().to_owned();
                return Ok((format!("{} {new}", rotated.version), value.is_none().then_some(new)));
            }
            Step::Promote { from, to, overwrite } => {
                let request = client.promote_secrets(from.0, to.0).branch(from.1).to_branch(to.1).overwrite(overwrite);
                let done = request.await?;
                format!("{} skipped {:?}", told(&done.created, &done.updated), done.skipped)
            }
            Step::Clone { branch, from, to, overwrite } => {
                let cloned = client.clone_environment(from, to).branch(branch).overwrite(overwrite).await?;
                assert_eq!(cloned.left_out, [""; 0]);
                format!("{} {} {}", cloned.copied, cloned.updated, cloned.skipped)
            }
            Step::Link { environment, key, source } => {
                let source = LinkSource::new(self.server.project_id(), source.0, source.1);
                client.link_secret(environment, key, source).await?;
                String::new()
            }
            Step::CreateBranch(name) => client.create_branch(name).await?.name,
            Step::DeleteBranch(name) => client.delete_branch(name).await.map(|()| String::new())?,
            Step::RenameBranch(name, new) => client.rename_branch(name, new).await?.name,
        };
        Ok((told, None))
    }

    async fn read(&self, at: At) -> BTreeMap<String, String> {
        let secrets = self.client.get_secrets(at.0).branch(at.1).await.unwrap();
        secrets.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
    }

    /// Versions and histories.
    async fn compare(&self, at: At, model: &Model) -> Result<(), TestCaseError> {
        let listed = self.client.list_secret_names(at.0).branch(at.1).await.unwrap();
        let listed: BTreeMap<_, _> =
            listed.into_iter().map(|key| (key.name, (key.version, key.origin == SecretOrigin::Linked))).collect();
        let expected = KEYS.iter().filter_map(|key| {
            model.seen(at, key).map(|seen| ((*key).to_owned(), (seen.version.to_string(), seen.is_link)))
        });
        same(&format!("the list of {at:?}"), &listed, &expected.collect())?;
        for key in KEYS {
            let Some(seen) = model.seen(at, key) else { continue };
            let history = self
                .client
                .secret_history(at.0, key)
                .branch(at.1)
                .await
                .map_err(|error| TestCaseError::fail(format!("the history of {key} in {at:?}: {error}")))?;
            let what = format!("the history of {key} in {at:?}");
            same(&what, &history.current_version, &seen.version.to_string())?;
            let entries = history
                .entries
                .iter()
                .map(|entry| (entry.version.clone(), entry.value.as_ref().map(|value| value.expose().to_owned())));
            let recorded = model.own(at, key).map(|own| own.history.clone()).unwrap_or_default();
            let recorded = recorded.into_iter().rev().map(|(version, value)| (version.to_string(), Some(value)));
            same(&what, &entries.collect::<Vec<_>>(), &recorded.collect())?;
        }
        Ok(())
    }
}
