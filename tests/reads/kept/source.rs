//! A program's own source that answers what it is told to.

use std::sync::{Arc, Mutex};

use xtrasecurity::{
    Client, EngineOptions, SecretSource, SecretValue, XtraError,
    clock::ManualClock,
    snapshot::{Unreadable, UnreadableReason},
    source::{Identity, KeyWriter, Loaded},
};

/// Names, and values that can be read or not.
pub type Entries = Vec<(&'static str, Result<String, UnreadableReason>)>;

/// What a load comes to.
#[derive(Debug, Clone)]
pub enum Says {
    /// Names, and values that can be read or not.
    Secrets(Entries),
    Fails(XtraError),
    Panics,
}

impl Says {
    /// These names, all with this value.
    pub fn names(names: &[&'static str], value: &str) -> Self {
        Self::Secrets(names.iter().map(|name| (*name, Ok(value.to_owned()))).collect())
    }

    /// These names, with nothing that can be read.
    pub fn unreadable(names: &[&'static str], reason: UnreadableReason) -> Self {
        Self::Secrets(names.iter().map(|name| (*name, Err(reason))).collect())
    }
}

#[derive(Clone)]
pub struct Scripted(Arc<Script>);

struct Script {
    says: Mutex<Says>,
    /// What was answered, load by load.
    log: Mutex<Vec<Says>>,
}

impl Scripted {
    pub fn new(says: Says) -> Self {
        Self(Arc::new(Script { says: Mutex::new(says), log: Mutex::default() }))
    }

    pub fn says(&self, says: Says) {
        *self.0.says.lock().unwrap() = says;
    }

    pub fn loads(&self) -> usize {
        self.0.log.lock().unwrap().len()
    }

    /// What was answered since this was called last.
    pub fn take_log(&self) -> Vec<Says> {
        std::mem::take(&mut self.0.log.lock().unwrap())
    }

    pub fn client(&self, clock: &ManualClock, tune: impl FnOnce(EngineOptions) -> EngineOptions) -> Client<Self> {
        let cache = xtrasecurity::CacheOptions::default().jitter(0.0);
        Client::with_options(self.clone(), tune(EngineOptions::default().clock(clock.clock()).cache(cache)))
    }
}

impl SecretSource for Scripted {
    type Scope<'a> = &'a str;
    type Owned = ();

    fn name(&self) -> &'static str {
        "scripted"
    }

    fn identity(&self) -> Identity {
        Identity::of("tests")
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
    }

    fn prepare(&self, _: &&str) -> Result<(), XtraError> {
        Ok(())
    }

    async fn load(&self, (): &()) -> Result<Loaded, XtraError> {
        let says = self.0.says.lock().unwrap().clone();
        self.0.log.lock().unwrap().push(says.clone());
        match says {
            Says::Fails(error) => Err(error),
            Says::Panics => std::panic::panic_any("canary-of-a-panic"),
            Says::Secrets(entries) => {
                let unreadable = entries.iter().filter_map(|(name, value)| Some((name, value.as_ref().err()?)));
                let unreadable: Vec<_> = unreadable.map(|(name, reason)| Unreadable::new(*name, *reason)).collect();
                let values = entries.into_iter().filter_map(|(name, value)| Some((name, value.ok()?)));
                Ok(Loaded::from_iter(values).with_unreadable(unreadable))
            }
        }
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        Some("a token that lasts".into())
    }
}
