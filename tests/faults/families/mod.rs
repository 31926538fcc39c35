//! The cases, by what goes wrong.

pub mod body;
pub mod clock;
pub mod connection;
pub mod limits;
pub mod names;
pub mod redirect;
pub mod refusal;
pub mod runtime;
pub mod slow;
pub mod tls;

use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use xtrasecurity::{XtraClient, XtraClientBuilder};

use crate::case::{Case, Told};
use crate::peer::Peer;
use crate::planted::{PROJECT, TOKEN};

/// A family's name and its cases.
pub type Family = (&'static str, fn() -> Vec<Case>);

pub const ALL: [Family; 10] = [
    (names::NAME, names::cases),
    (connection::NAME, connection::cases),
    (slow::NAME, slow::cases),
    (body::NAME, body::cases),
    (redirect::NAME, redirect::cases),
    (refusal::NAME, refusal::cases),
    (limits::NAME, limits::cases),
    (tls::NAME, tls::cases),
    (clock::NAME, clock::cases),
    (runtime::NAME, runtime::cases),
];

/// On a thread of its own too, so that it can be called from within another runtime.
fn on_a_runtime_of_its_own(program: impl Future<Output = Told> + Send + 'static) -> Told {
    let thread = thread::spawn(|| Builder::new_current_thread().enable_all().build().unwrap().block_on(program));
    thread.join().expect("the program ends")
}

/// The client of a program of a case.
fn client_of(peer: &Peer) -> XtraClientBuilder {
    let root = format!("http://{}/api", peer.address());
    let builder = XtraClient::builder().token(TOKEN).project_id(PROJECT).api_url(root);
    builder.max_retries(0).call_timeout(Duration::from_secs(60))
}
