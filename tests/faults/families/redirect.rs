//! Redirects, which are never followed: one could carry the token elsewhere.

use std::time::Instant;

use xtrasecurity::ErrorKind::Redirected;
use xtrasecurity::dev_server::Fault;

use crate::case::{Case, Ends, Told, Trouble};
use crate::peer::{Act, Manner, Peer, Wrong};
use crate::planted::{ELSEWHERE, ENVIRONMENT, NEW, PROJECT, TOKEN, leaks_of};

pub const NAME: &str = "a redirect";

fn to(name: &'static str, status: u16, location: &str) -> Case {
    Case::refused(name, Trouble::fault(Fault::redirect(status, location)), Redirected, status)
}

pub fn cases() -> Vec<Case> {
    let itself = format!("/api/projects/{PROJECT}/envs/{ENVIRONMENT}/secrets?branch=main");
    vec![
        to("to the same host", 307, "/magpie/login"),
        to("to another host", 302, &format!("https://{ELSEWHERE}/magpie?token=magpie")),
        to("to another host, for good", 301, &format!("//{ELSEWHERE}/magpie")),
        to("to itself, without end", 308, &itself),
        to("to something that is no URL", 303, "http://[magpie"),
        to("to a file", 302, "file:///etc/magpie"),
        Case::refused("to nowhere", Trouble::fault(Fault::body(302, "text/html", "magpie")), Redirected, 302),
        Case::refused("not modified", Trouble::fault(Fault::body(304, "", "")), Redirected, 304),
        Case::told("to another host that listens", Ends::Fails(Redirected, Some(307)), another_host),
    ]
}

/// The other host must see no connection, and with it no token.
fn another_host() -> Told {
    super::on_a_runtime_of_its_own(async {
        let other = Peer::start(Manner::default(), NEW).await;
        let mut peer = Peer::start(Manner::default(), NEW).await;
        let location = format!("location: http://{}/api\r\n", other.address());
        peer.go_wrong(Wrong::Act(Act::answer(307, &location, ""))).await;
        let client = super::client_of(&peer).build().unwrap();
        let started = Instant::now();
        let error = client.get_secrets(ENVIRONMENT).await.unwrap_err();
        let took = started.elapsed();
        let mut problems = leaks_of(&error);
        if error.kind() != Redirected || error.status() != Some(307) {
            problems.push(format!("ends with {error:?}"));
        }
        if other.connections() > 0 {
            problems.push(format!("the other host saw a connection, perhaps with {} bytes of token", TOKEN.len()));
        }
        peer.mend().await;
        problems.extend(client.get_secrets(ENVIRONMENT).await.err().map(|error| format!("the next call: {error:?}")));
        Told { took, requests: peer.requests() - 1, problems }
    })
}
