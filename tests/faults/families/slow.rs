//! Answers that take their time, and answers without an end.

use std::time::Duration;

use xtrasecurity::ErrorKind::{Network, Timeout, TooLarge};
use xtrasecurity::dev_server::Fault;

use crate::case::{Case, Trouble};
use crate::peer::Act;

pub const NAME: &str = "slow or endless";

const SECOND: Duration = Duration::from_secs(1);
const HALF: Duration = Duration::from_millis(500);
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 24\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const MIB: usize = 1024 * 1024;

fn slowly(bytes: &str) -> Trouble {
    Trouble::socket(Act::slowly(bytes, SECOND))
}

fn silent(after: &str) -> Trouble {
    Trouble::socket(Act::silence_after(after))
}

fn endless(first: &str, again: impl Into<Vec<u8>>) -> Trouble {
    Trouble::socket(Act::without_end(first, again))
}

fn spaces() -> Vec<u8> {
    vec![b' '; 64 * 1024]
}

pub fn cases() -> Vec<Case> {
    let body = format!("{HEAD}{{\"API_KEY\":\"magpie-new\"}}");
    vec![
        Case::works("an answer in its own time", Trouble::fault(Fault::delay(Duration::from_millis(200)))),
        Case::fails("one byte a second", slowly(&body), Timeout).at_the_deadline(SECOND * 3 / 2),
        Case::fails("no answer at all", Trouble::fault(Fault::hang()), Timeout).at_the_deadline(HALF),
        Case::fails("silence in the headers", silent("HTTP/1.1 200 OK\r\ncontent-"), Timeout).at_the_deadline(HALF),
        Case::fails("silence after the headers", silent(HEAD), Timeout).at_the_deadline(HALF),
        Case::fails("silence in the body", silent(&body[..body.len() - 4]), Timeout).at_the_deadline(HALF),
        Case::fails("`100 Continue` without end", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), Timeout)
            .at_the_deadline(HALF),
        Case::fails("headers without end", endless("HTTP/1.1 200 OK\r\n", "x-magpie: magpie\r\n"), Network),
        Case::fails("one header without end", endless("HTTP/1.1 200 OK\r\nx-magpie: ", spaces()), Network),
        Case::fails("a chunk's extension without end", endless(&format!("{CHUNKED}2;"), spaces()), Network),
        Case::fails(
            "trailers without end",
            endless(&format!("{CHUNKED}2\r\n{{}}\r\n0\r\n"), "x-magpie: magpie\r\n"),
            Network,
        ),
        Case::fails("a body without end", endless("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", spaces()), TooLarge)
            .tuned(|builder| builder.max_response_bytes(MIB)),
        Case::fails("chunks without end", endless(CHUNKED, "5\r\n     \r\n".repeat(4096)), TooLarge)
            // each of them costs, so few must do
            .tuned(|builder| builder.max_response_bytes(MIB / 16)),
        Case::fails(
            "20 MiB, announced",
            Trouble::fault(Fault::body(200, "application/json", vec![b' '; 20 * MIB])),
            TooLarge,
        ),
        Case::fails(
            "20 MiB, not announced",
            endless("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", spaces()),
            TooLarge,
        )
        .within(SECOND * 15),
        Case::fails(
            "an exabyte, announced",
            Trouble::socket(Act::silence_after("HTTP/1.1 200 OK\r\ncontent-length: 1152921504606846976\r\n\r\n")),
            TooLarge,
        ),
    ]
}
