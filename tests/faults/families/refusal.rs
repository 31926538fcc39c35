//! Answers that refuse or fail, by their status.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use xtrasecurity::ErrorKind::{self, Conflict, Forbidden, Invalid, NotFound, Server, Timeout, Unauthorized};
use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::{DevServer, Fault, RateLimits, route};

use crate::case::{Case, Ends, Told, Trouble};
use crate::planted::{ENVIRONMENT, PAGE, leaks_of};

pub const NAME: &str = "a refusal or failure";

fn page(name: &'static str, status: u16, kind: ErrorKind) -> Case {
    Case::refused(name, Trouble::fault(Fault::body(status, "text/html", PAGE)), kind, status)
}

/// A refusal that the service never gives.
fn body(name: &'static str, status: u16, text: &'static str, kind: ErrorKind) -> Case {
    let body = Fault::body(status, "application/json", text);
    Case::refused(name, Trouble::fault(body), kind, status).foreign()
}

fn status(name: &'static str, status: u16, kind: ErrorKind) -> Case {
    Case::refused(name, Trouble::fault(Fault::status(status)), kind, status)
}

pub fn cases() -> Vec<Case> {
    let retried = |case: Case| case.tuned(|builder| builder.max_retries(1));
    let once = |status| Trouble::Service(vec![Fault::status(status).on(route::SECRETS_READ).times(1)]);
    vec![
        status("400", 400, Invalid),
        status("401", 401, Unauthorized),
        status("403", 403, Forbidden),
        status("404", 404, NotFound),
        page("404, a web page", 404, NotFound).foreign(),
        body("404 and nothing", 404, "", NotFound),
        body("404, another's JSON", 404, r#"{"detail":"no Route matched with those values"}"#, NotFound),
        page("401 of a proxy, a web page", 401, Unauthorized).foreign(),
        body("401 and nothing", 401, "", Unauthorized),
        page("403 of a firewall, a web page", 403, Forbidden).foreign(),
        body("403, another's JSON", 403, r#"{"Message":"User is not authorized"}"#, Forbidden),
        body("403, an empty object", 403, "{}", Forbidden),
        page("410, a web page", 410, NotFound).foreign(),
        status("408", 408, Timeout),
        status("409", 409, Conflict),
        status("410", 410, NotFound).foreign(),
        page("418, a web page", 418, Invalid),
        status("500", 500, Server),
        Case::refused("500 and nothing", Trouble::fault(Fault::body(500, "", "")), Server, 500),
        status("501", 501, Server),
        status("502", 502, Server),
        page("502, a web page", 502, Server),
        status("503", 503, Server),
        status("504", 504, Server),
        page("520, a web page", 520, Server),
        status("599", 599, Server),
        Case::refused(
            "a status that nobody knows",
            Trouble::fault(Fault::body(799, "text/html", PAGE)),
            ErrorKind::Decode,
            799,
        ),
        retried(Case::works("503 once, with a retry", once(503))).requests(2, 2),
        retried(Case::works("502 once, with a retry", once(502))).requests(2, 2),
        Case::refused(
            "503 with a wait of a day, with retries",
            Trouble::fault(Fault::status(503).header("Retry-After", "86400")),
            Server,
            503,
        )
        .tuned(|builder| builder.max_retries(3)),
        Case::told("a storm of 5xx: 300 calls", Ends::Fails(Server, Some(503)), storm)
            .within(Duration::from_secs(20))
            .requests(300, 300),
    ]
}

/// Three hundred calls that all fail, a hundred at a time. They do not retry: that would use up what all calls of this process
/// may retry together, which `tests/alone/retry_budget.rs` is about.
fn storm() -> Told {
    super::on_a_runtime_of_its_own(async {
        let server = DevServer::builder().rate_limits(RateLimits::off()).start().await.unwrap();
        for status in [502, 503, 504] {
            server.fault(Fault::status(status).on(route::SECRETS_READ).times(40));
        }
        server.fault(Fault::status(503).on(route::SECRETS_READ).forever());
        let client = XtraClient::builder().dev_server(&server).max_retries(0).build().unwrap();
        let started = Instant::now();
        let mut problems = Vec::new();
        for _ in 0..3 {
            let calls = (0..100).map(|_| client.get_secrets(ENVIRONMENT).no_cache().send());
            for answer in join_all(calls).await {
                match answer {
                    Err(error) if error.kind() == Server && error.is_retryable() => problems.extend(leaks_of(&error)),
                    answer => problems.push(format!("ends with {answer:?}")),
                }
            }
        }
        let told = (started.elapsed(), server.request_count(route::SECRETS_READ));
        server.clear_faults();
        problems.extend(client.get_secrets(ENVIRONMENT).await.err().map(|error| format!("the next call: {error:?}")));
        Told { took: told.0, requests: told.1, problems }
    })
}
