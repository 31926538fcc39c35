//! One case: what goes wrong, and what must come of it.

use std::sync::Arc;
use std::time::Duration;

use xtrasecurity::dev_server::{DevServer, Fault, ProjectSeed, RateLimits, Tier, UserSeed, route};
use xtrasecurity::{ErrorKind, XtraClient, XtraClientBuilder};

use crate::peer::{Act, Manner, Peer, Wrong};
use crate::planted::{ENVIRONMENT, KEY, PROJECT, TOKEN};
use crate::table::Row;

const PROJECT_NAME: &str = "web";

/// What goes wrong, and where.
pub enum Trouble {
    /// In the service in memory: each fault hits every read until it is mended, or as often as it says.
    Service(Vec<Fault>),
    /// At a socket.
    Socket(Manner, Wrong),
    /// It takes more than one call to show it, so it is told by a program of its own.
    Told(fn() -> Told),
}

/// What such a program found.
pub struct Told {
    pub took: Duration,
    pub requests: u64,
    pub problems: Vec<String>,
}

impl Trouble {
    /// Every answer of the service.
    pub fn fault(fault: Fault) -> Self {
        Self::Service(vec![fault.on(route::SECRETS_READ).forever()])
    }

    pub fn socket(act: Act) -> Self {
        Self::Socket(Manner::default(), Wrong::Act(act))
    }

    /// On a connection that has carried a good answer before, where there was one.
    pub fn kept_alive(wrong: Wrong) -> Self {
        Self::Socket(Manner { keeps_alive: true, tls: None }, wrong)
    }
}

/// How a call must end.
#[derive(Clone, Copy)]
pub enum Ends {
    /// With this error, and this status if there was an answer.
    Fails(ErrorKind, Option<u16>),
    /// With the newest value.
    Works,
    /// With nothing in it.
    Empty,
}

impl Ends {
    /// Whether an old snapshot is served in the place of this.
    pub fn leaves_the_old_one(self) -> bool {
        match self {
            Self::Fails(ErrorKind::Network | ErrorKind::Timeout | ErrorKind::RateLimited, _) => true,
            Self::Fails(ErrorKind::Server, Some(status)) => (502..=504).contains(&status),
            // an empty answer looks like a branch that was renamed
            Self::Empty => true,
            Self::Fails(..) | Self::Works => false,
        }
    }
}

/// What the first call after the trouble comes to.
#[derive(Clone, Copy, PartialEq)]
pub enum Next {
    Works,
    /// The client keeps to the wait that it was asked for, which is longer than a call may take: it refuses at once and sends
    /// nothing. After a minute at most it asks again, and it works.
    HeldBack,
}

pub struct Case {
    pub name: &'static str,
    pub trouble: Trouble,
    pub ends: Ends,
    /// The longest that the call may take.
    pub within: Duration,
    /// The fewest and most requests that it may send.
    pub requests: (u64, u64),
    pub next: Next,
    /// An old snapshot is served although the error does not pass by itself: the answer is not the service's own.
    foreign: bool,
    tune: Tune,
}

type Tune = Arc<dyn Fn(XtraClientBuilder) -> XtraClientBuilder + Send + Sync>;

/// What a call that does not wait for a deadline may take, on a machine that is busy.
const SOON: Duration = Duration::from_secs(3);

impl Case {
    fn new(name: &'static str, trouble: Trouble, ends: Ends) -> Self {
        Self {
            name,
            trouble,
            ends,
            within: SOON,
            requests: (1, 1),
            next: Next::Works,
            foreign: false,
            tune: Arc::new(|builder| builder),
        }
    }

    pub fn fails(name: &'static str, trouble: Trouble, kind: ErrorKind) -> Self {
        Self::new(name, trouble, Ends::Fails(kind, None))
    }

    pub fn refused(name: &'static str, trouble: Trouble, kind: ErrorKind, status: u16) -> Self {
        Self::new(name, trouble, Ends::Fails(kind, Some(status)))
    }

    /// What answers is not the service itself.
    pub fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    /// Whether an old snapshot is served.
    pub fn leaves_the_old_one(&self) -> bool {
        self.foreign || self.ends.leaves_the_old_one()
    }

    /// Whether the error says that a retry may mend it.
    pub fn is_retryable(&self) -> bool {
        !self.foreign && self.ends.leaves_the_old_one()
    }

    pub fn works(name: &'static str, trouble: Trouble) -> Self {
        Self::new(name, trouble, Ends::Works)
    }

    pub fn empty(name: &'static str, trouble: Trouble) -> Self {
        Self::new(name, trouble, Ends::Empty)
    }

    pub fn told(name: &'static str, ends: Ends, program: fn() -> Told) -> Self {
        Self::new(name, Trouble::Told(program), ends)
    }

    /// Ends by the call's deadline, which is this.
    pub fn at_the_deadline(mut self, deadline: Duration) -> Self {
        self.within = deadline + SOON;
        self.tuned(move |builder| builder.call_timeout(deadline))
    }

    pub fn within(mut self, most: Duration) -> Self {
        self.within = most;
        self
    }

    pub fn requests(mut self, fewest: u64, most: u64) -> Self {
        self.requests = (fewest, most);
        self
    }

    pub fn held_back(mut self) -> Self {
        self.next = Next::HeldBack;
        self.tuned(|builder| builder.call_timeout(Duration::from_millis(900)))
    }

    pub fn tuned(mut self, tune: impl Fn(XtraClientBuilder) -> XtraClientBuilder + Send + Sync + 'static) -> Self {
        let before = self.tune;
        self.tune = Arc::new(move |builder| tune(before(builder)));
        self
    }

    pub fn client(&self, stage: &Stage, clock: xtrasecurity::clock::Clock) -> XtraClient {
        let builder = XtraClient::builder().token(TOKEN).project_id(PROJECT).api_url(stage.root()).clock(clock);
        // longer than any bound, so that it is not the deadline that ends a call by chance
        (self.tune)(builder.max_retries(0).call_timeout(Duration::from_secs(60))).build().unwrap()
    }

    /// The row of the table, with the figures of a run.
    pub fn row(&self, family: &str, took: Option<Duration>, requests: Option<u64>) -> Row {
        let outcome = match self.ends {
            Ends::Fails(kind, None) => format!("`{kind}`"),
            Ends::Fails(kind, Some(status)) => format!("`{kind}`, {status}"),
            Ends::Works => "works".to_owned(),
            Ends::Empty => "the empty snapshot".to_owned(),
        };
        let old = match (&self.trouble, self.ends) {
            (Trouble::Told(_), _) => "in the case",
            (_, Ends::Works) => "replaced",
            _ if self.leaves_the_old_one() => "served",
            _ => "not served",
        };
        let next = if self.next == Next::Works { "works" } else { "refused here until the wait is over" };
        Row {
            family: family.to_owned(),
            case: self.name.to_owned(),
            outcome,
            took,
            requests,
            old: old.to_owned(),
            next: next.to_owned(),
        }
    }
}

/// A service that can be made to go wrong.
pub enum Stage {
    Service(DevServer, Vec<Fault>),
    Socket(Peer, Wrong, bool),
}

impl Stage {
    /// Well, and with `value` in it.
    pub async fn set(trouble: &Trouble, value: &'static str) -> Self {
        match trouble {
            Trouble::Service(faults) => {
                let project = ProjectSeed::new(PROJECT_NAME).id(PROJECT).secret(ENVIRONMENT, KEY, value);
                let server = DevServer::builder()
                    .user(UserSeed::new("owner").tier(Tier::Enterprise).token(TOKEN))
                    .project(project)
                    .rate_limits(RateLimits::off())
                    .start()
                    .await
                    .unwrap();
                Self::Service(server, faults.clone())
            }
            Trouble::Socket(manner, wrong) => {
                let https = manner.tls.is_some();
                Self::Socket(Peer::start(manner.clone(), value).await, wrong.clone(), https)
            }
            Trouble::Told(_) => unreachable!("a program sets its own stage"),
        }
    }

    fn root(&self) -> String {
        match self {
            Self::Service(server, _) => server.url(),
            // by name, because certificates and lookups are about names
            Self::Socket(peer, _, true) => format!("https://localhost:{}/api", peer.address().port()),
            Self::Socket(peer, Wrong::Names(_), _) => format!("http://localhost:{}/api", peer.address().port()),
            Self::Socket(peer, _, false) => format!("http://{}/api", peer.address()),
        }
    }

    /// The value is changed behind the client's back.
    pub fn turn(&self, value: &'static str) {
        match self {
            Self::Service(server, _) => server.set_secret(PROJECT_NAME, ENVIRONMENT, "main", KEY, value).unwrap(),
            Self::Socket(peer, ..) => peer.turn(value),
        }
    }

    pub async fn go_wrong(&mut self) {
        match self {
            Self::Service(server, faults) => faults.iter().for_each(|fault| server.fault(fault.clone())),
            Self::Socket(peer, wrong, _) => peer.go_wrong(wrong.clone()).await,
        }
    }

    pub async fn mend(&mut self) {
        match self {
            Self::Service(server, _) => server.clear_faults(),
            Self::Socket(peer, ..) => peer.mend().await,
        }
    }
}
