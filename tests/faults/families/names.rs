//! Lookups of host names that are slow, fail, or answer wrong.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use xtrasecurity::ErrorKind::{Network, Timeout};

use crate::case::{Case, Trouble};
use crate::peer::{Manner, Wrong};

pub const NAME: &str = "the name lookup";

const DEADLINE: Duration = Duration::from_millis(500);
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// A resolver that can be made to go wrong.
#[derive(Clone, Default)]
pub struct Names(Arc<(Mutex<bool>, Condvar)>);

type Addresses = io::Result<Vec<SocketAddr>>;

impl Names {
    pub fn set_wrong(&self, wrong: bool) {
        *self.0.0.lock().unwrap() = wrong;
        self.0.1.notify_all();
    }

    fn is_wrong(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    /// Returns once it is well.
    fn wait(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |wrong| *wrong).unwrap());
    }
}

fn case(
    new: fn(&'static str, Trouble, xtrasecurity::ErrorKind) -> Case,
    name: &'static str,
    kind: xtrasecurity::ErrorKind,
    when_wrong: impl Fn(&Names) -> Addresses + Send + Sync + 'static,
) -> Case {
    let names = Names::default();
    let when_wrong = Arc::new(when_wrong);
    new(name, Trouble::Socket(Manner::default(), Wrong::Names(names.clone())), kind).tuned(move |builder| {
        let (names, when_wrong) = (names.clone(), Arc::clone(&when_wrong));
        builder.name_lookup(move |_| match names.is_wrong() {
            true => when_wrong(&names),
            false => Ok(vec![LOOPBACK.into()]),
        })
    })
}

pub fn cases() -> Vec<Case> {
    let slow = |names: &Names| {
        names.wait();
        Ok(vec![LOOPBACK.into()])
    };
    let one_of = |addresses: Vec<SocketAddr>| move |_: &Names| Ok(addresses.clone());
    // port 0 of an address that is this machine and on which nobody listens
    let nobody: SocketAddr = ([127, 9, 9, 9], 0).into();
    vec![
        case(Case::fails, "slower than the time for a connection", Timeout, slow)
            .tuned(|builder| builder.connect_timeout(DEADLINE)),
        case(Case::fails, "slower than the call may be", Timeout, slow).at_the_deadline(DEADLINE),
        case(Case::fails, "an unknown name", Network, |_| Err(io::Error::other("no magpie of that name"))),
        case(Case::fails, "no addresses", Network, |_| Ok(Vec::new())),
        case(Case::fails, "a panic", Network, |_| panic!("no resolver")),
        case(Case::fails, "an address where nobody listens", Network, one_of(vec![nobody])),
        case(
            |name, trouble, _| Case::works(name, trouble),
            "a second address that works",
            Network,
            one_of(vec![nobody, LOOPBACK.into()]),
        ),
    ]
}
