//! `/branch/compare`: what two branches have otherwise.

use super::answers::{Outcome, Steps, bad, caller, echoed};
use super::records;
use crate::services::xtra::dev::js::{Json, object};
use crate::services::xtra::dev::secret::Secret;
use crate::services::xtra::dev::state::World;
use crate::services::xtra::dev::wire::{Call, Reply};

/// Any authenticated caller may compare any two branches; one that does not exist is an empty one, whatever its
/// id looks like.
pub(super) fn compare(world: &mut World, call: &Call) -> Outcome {
    echoed(compared(world, call))
}

fn compared(world: &World, call: &Call) -> Steps {
    caller(world, call)?;
    let (Some(base), Some(other)) = (call.query("base"), call.query("compare")) else {
        return Err(bad("Base and Compare Branch IDs are required"));
    };
    let (base, other) = (on(world, base), on(world, other));
    let twin = |secret: &Secret, among: &[&'_ Secret]| {
        among.iter().position(|twin| twin.key == secret.key && twin.environment == secret.environment)
    };
    let added = other.iter().filter(|secret| twin(secret, &base).is_none());
    let removed = base.iter().filter(|secret| twin(secret, &other).is_none());
    let mut modified = Vec::new();
    for secret in &other {
        let Some(before) = twin(secret, &base).and_then(|place| base.get(place)) else {
            continue;
        };
        let (old, new) = (value(world, before), value(world, secret));
        if old != new {
            modified.push(object([
                ("key", Json::from(&secret.key)),
                ("environmentType", Json::from(&secret.environment)),
                ("baseValue", old.into()),
                ("compareValue", new.into()),
                ("type", Json::from(&secret.kind)),
            ]));
        }
    }
    let added: Vec<Json> = added.map(|secret| with_value(world, secret)).collect();
    let removed: Vec<Json> = removed.map(|secret| with_value(world, secret)).collect();
    Ok(Reply::ok(&object([("added", added.into()), ("removed", removed.into()), ("modified", modified.into())])))
}

/// The secrets that hang on a branch: for `main` without those that hang on none.
fn on<'a>(world: &'a World, branch: &str) -> Vec<&'a Secret> {
    world.secrets.iter().filter(|secret| secret.branch.is(branch)).collect()
}

fn value(world: &World, secret: &Secret) -> String {
    world.vault.read(secret.stored.as_deref().unwrap_or_default())
}

fn with_value(world: &World, secret: &Secret) -> Json {
    let mut record = records::raw_secret(secret);
    record.set("decryptedValue", value(world, secret));
    record.into()
}
