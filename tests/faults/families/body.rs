//! Answers that are complete and are not what the API promises, or look as if they were not.

use xtrasecurity::ErrorKind::{Decode, Network};
use xtrasecurity::dev_server::Fault;

use crate::case::{Case, Trouble};
use crate::peer::Act;
use crate::planted::{KEY, NEW, PAGE};

pub const NAME: &str = "the answer";

const JSON: &str = "application/json";

fn good() -> String {
    format!(r#"{{"{KEY}":"{NEW}"}}"#)
}

fn answered(kind: &str, body: impl Into<Vec<u8>>) -> Trouble {
    Trouble::fault(Fault::body(200, kind, body))
}

fn json(body: impl Into<Vec<u8>>) -> Trouble {
    answered(JSON, body)
}

/// A success whose body cannot be used.
fn no_secrets(name: &'static str, body: impl Into<Vec<u8>>) -> Case {
    Case::refused(name, json(body), Decode, 200)
}

/// An error of whatever stands before the service, with the status of a success. It is asked about once more.
fn an_error(name: &'static str, body: &'static str) -> Case {
    no_secrets(name, body).foreign().requests(2, 2)
}

/// Nothing that HTTP allows, or nothing that it allows to be understood in one way only.
fn no_http(name: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::fails(name, Trouble::socket(Act::bytes(bytes)), Network)
}

/// An answer with these header lines and a good body.
fn with_headers(headers: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}connection: close\r\n\r\n{}", good())
}

fn nested(depth: usize) -> String {
    format!(r#"{{"{KEY}":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

pub fn cases() -> Vec<Case> {
    let mut cases = of_other_kinds();
    cases.extend(of_broken_json());
    cases.extend(of_odd_json());
    cases.extend(of_broken_http());
    cases
}

fn of_other_kinds() -> Vec<Case> {
    let utf_16: Vec<u8> = good().encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        Case::refused("a web page", answered("text/html", PAGE), Decode, 200),
        no_secrets("a web page that says it is JSON", PAGE),
        no_secrets("nothing", ""),
        Case::refused("204 and nothing", Trouble::fault(Fault::body(204, "", "")), Decode, 204),
        Case::works("JSON that says it is text", answered("text/plain;charset=UTF-8", good())),
        Case::works("JSON that says it is a web page", answered("text/html", good())),
        Case::works("JSON that says it is a picture", answered("image/png", good())),
        Case::works("JSON that says nothing", answered("", good())),
        no_secrets("a byte order mark", format!("\u{feff}{}", good())),
        no_secrets("UTF-16", utf_16),
        Case::refused(
            "compressed, which nobody asked for",
            Trouble::fault(Fault::body(200, JSON, b"\x1f\x8b\x08magpie".to_vec()).header("content-encoding", "gzip")),
            Decode,
            200,
        ),
    ]
}

fn of_broken_json() -> Vec<Case> {
    vec![
        no_secrets("cut JSON", format!(r#"{{"{KEY}":"magpi"#)),
        no_secrets("JSON and something behind it", good() + " magpie"),
        no_secrets("two answers in one", good().repeat(2)),
        no_secrets("invalid UTF-8 in a value", [br#"{"API_KEY":"magpie"#.as_slice(), b"\xff\xfe\"}"].concat()),
        no_secrets("invalid UTF-8 in a name", [br#"{"magpie"#.as_slice(), b"\xc3\x28\":\"x\"}"].concat()),
        no_secrets("half a surrogate pair", format!(r#"{{"{KEY}":"magpie\ud800"}}"#)),
        no_secrets("a bad escape", format!(r#"{{"{KEY}":"magpie\x41"}}"#)),
        no_secrets("a line end in a value", format!("{{\"{KEY}\":\"magpie\n\"}}")),
        no_secrets("no quotes", "{API_KEY:magpie}"),
        no_secrets("nested 100,000 deep", nested(100_000)),
        no_secrets("nested 100,000 deep, cut", "[".repeat(100_000)),
        no_secrets("objects nested 100,000 deep", r#"{"a":"#.repeat(100_000)),
    ]
}

fn of_odd_json() -> Vec<Case> {
    let deep_aside = format!(r#"{{"{KEY}":{{"value":"{NEW}","aside":{}{}}}}}"#, "[".repeat(100), "]".repeat(100));
    let many: String = (0..50_000).map(|number| format!(r#""K{number}":"{number}","#)).collect();
    vec![
        no_secrets("a list", r#"["magpie"]"#),
        no_secrets("a text", r#""magpie""#),
        no_secrets("null", "null"),
        no_secrets("a number as a value", format!(r#"{{"{KEY}":1}}"#)),
        no_secrets("a number too large for anything", format!(r#"{{"{KEY}":1e999999}}"#)),
        no_secrets("a list as a value", format!(r#"{{"{KEY}":["magpie"]}}"#)),
        Case::works("duplicate keys: the last one counts", json(format!(r#"{{"{KEY}":"magpie","{KEY}":"{NEW}"}}"#))),
        no_secrets("duplicate keys, the first of them no text", format!(r#"{{"{KEY}":[1],"{KEY}":"{NEW}"}}"#)),
        Case::works("nested in a member that nobody reads", json(deep_aside)),
        Case::works("50,000 secrets", json(format!(r#"{{{many}"{KEY}":"{NEW}"}}"#))),
        Case::works(
            "a value of 8 MiB beside it",
            json(format!(r#"{{"{KEY}":"{NEW}","BIG":"{}"}}"#, "x".repeat(8 << 20))),
        ),
        Case::empty("an empty object", json("{}")),
        an_error("an error in the place of secrets", r#"{"error":"Service Unavailable"}"#),
        an_error("another one", r#"{"message":"Forbidden","requestId":"1"}"#),
    ]
}

fn of_broken_http() -> Vec<Case> {
    let length = good().len();
    let longer = length + 1;
    vec![
        no_http("not HTTP", "SSH-2.0-magpie\r\n\r\n"),
        Case::fails("garbage", Trouble::fault(Fault::garbage()), Network),
        no_http("HTTP/2 unasked", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00magpie".to_vec()),
        no_http("a status of two digits", "HTTP/1.1 20 OK\r\n\r\nmagpie"),
        no_http("no status", "HTTP/1.1 magpie\r\n\r\n"),
        no_http("a NUL in a header", with_headers("x-magpie: \0\r\n")),
        no_http("a header without a name", with_headers(": magpie\r\n")),
        no_http("500 headers", with_headers(&"x-magpie: magpie\r\n".repeat(500))),
        no_http("two lengths that differ", with_headers(&format!("content-length: {length}\r\ncontent-length: 9\r\n"))),
        no_http("a length below zero", with_headers("content-length: -1\r\n")),
        no_http("a length that is no number", with_headers("content-length: magpie\r\n")),
        no_http("a length larger than the body", with_headers(&format!("content-length: {longer}\r\n"))),
        Case::refused(
            "a length smaller than the body",
            Trouble::socket(Act::bytes(with_headers("content-length: 9\r\n"))),
            Decode,
            200,
        ),
        Case::works("no length: it ends with the connection", Trouble::socket(Act::bytes(with_headers("")))),
        no_http("a chunk whose size is no number", with_headers("transfer-encoding: chunked\r\n")),
        no_http(
            "a chunk whose size is too large for anything",
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}", good()),
        ),
        Case::refused(
            "a switch of protocols",
            Trouble::socket(Act::bytes(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: magpie\r\nconnection: upgrade\r\n\r\n",
            )),
            Decode,
            101,
        ),
    ]
}
