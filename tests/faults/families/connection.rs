//! Connections that do not come about, or break.

use xtrasecurity::ErrorKind::Network;

use crate::case::{Case, Trouble};
use crate::peer::{Act, Manner, Wrong};
use crate::planted::{KEY, NEW};

pub const NAME: &str = "the connection";

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunks(after: &str) -> String {
    format!("{CHUNKED}{after}")
}

/// A good answer, and one that nobody asked for behind it.
fn answer_too_many() -> String {
    let answer = |value: &str| {
        let body = format!(r#"{{"{KEY}":"{value}"}}"#);
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    answer(NEW) + &answer("magpie of another request")
}

pub fn cases() -> Vec<Case> {
    let half_a_body = format!("{HEAD}{{\"{KEY}\":\"magpie");
    let closed_under_it = || Wrong::Once(Act::bytes(""));
    vec![
        Case::fails("refused", Trouble::Socket(Manner::default(), Wrong::Refused), Network),
        Case::fails("refused, and refused again", Trouble::Socket(Manner::default(), Wrong::Refused), Network)
            .tuned(|builder| builder.max_retries(1))
            .requests(2, 2),
        Case::fails("reset before the request is read", Trouble::socket(Act::reset_at_once()), Network),
        Case::fails("reset before the headers", Trouble::socket(Act::reset_after("")), Network),
        Case::fails(
            "reset in the headers",
            Trouble::socket(Act::reset_after("HTTP/1.1 200 OK\r\ncontent-le")),
            Network,
        ),
        Case::fails("reset after the headers", Trouble::socket(Act::reset_after(HEAD)), Network),
        Case::fails("reset in the body", Trouble::socket(Act::reset_after(half_a_body.as_str())), Network),
        Case::fails("closed before the headers", Trouble::fault(xtrasecurity::dev_server::Fault::refuse()), Network),
        Case::fails("closed in the headers", Trouble::socket(Act::bytes("HTTP/1.1 200 OK\r\ncontent-le")), Network),
        Case::fails("closed after the headers", Trouble::socket(Act::bytes(HEAD)), Network),
        Case::fails("closed in the body", Trouble::socket(Act::bytes(half_a_body.as_str())), Network),
        Case::fails("cut body of the service", Trouble::fault(xtrasecurity::dev_server::Fault::cut_body()), Network),
        Case::fails("cut chunk", Trouble::socket(Act::bytes(chunks("20\r\n{\"API_KEY\":\"mag"))), Network),
        Case::fails("no last chunk", Trouble::socket(Act::bytes(chunks("2\r\n{}\r\n"))), Network),
        Case::fails(
            "closed under the request, on a connection used before",
            Trouble::kept_alive(closed_under_it()),
            Network,
        ),
        Case::works("the same, with a retry", Trouble::kept_alive(closed_under_it()))
            .tuned(|builder| builder.max_retries(1))
            .requests(2, 2),
        Case::works("closed while idle", Trouble::kept_alive(Wrong::IdleClosed)),
        Case::works(
            "an answer too many on a connection that is kept",
            Trouble::kept_alive(Wrong::Once(Act::silence_after(answer_too_many()))),
        ),
        Case::works(
            "reset in the body once, with a retry",
            Trouble::Socket(Manner::default(), Wrong::Once(Act::reset_after(half_a_body))),
        )
        .tuned(|builder| builder.max_retries(1))
        .requests(2, 2),
    ]
}
