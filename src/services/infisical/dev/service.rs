//! Infisical as the service of a dev server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use sha1::{Digest, Sha1};

use super::database::Database;
use super::refusal::{Refusal, bad_address, long_head, unknown_route};
use super::routes;
use crate::dev::{Call, Clock, Reply, Route, Service};

/// The longest head, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// The headers in which proxies tell the address of a client, each believed.
const ADDRESS_HEADERS: [&str; 4] = ["cf-connecting-ip", "x-client-ip", "x-forwarded-for", "x-real-ip"];

/// Where the service says that its pages are.
const SITE: &str = "http://127.0.0.1:14000";

const JSON: &str = "application/json; charset=utf-8";

impl Service for Database {
    const ROOT: &'static str = "/api";

    type Admission = ();

    fn routes(&self) -> Vec<Route<Self>> {
        routes::of(self.generation)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn address(headers: &HeaderMap, peer: &str) -> String {
        let told = |name: &&str| headers.get(*name).and_then(|value| value.to_str().ok());
        let first = ADDRESS_HEADERS.iter().find_map(told).and_then(|list| list.split(',').next()).map(str::trim);
        first.filter(|address| !address.is_empty()).unwrap_or(peer).to_owned()
    }

    fn guard(&mut self, _: &Call) -> Result<(), Reply> {
        Ok(())
    }

    fn refuse_path(uri: &Uri) -> Option<Reply> {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        if target.len() > LONGEST_HEAD {
            return Some(long_head());
        }
        let is_escape =
            |rest: &str| rest.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let is_bad = uri.path().split('%').skip(1).any(|rest| !is_escape(rest));
        (is_bad || percent_decode_str(uri.path()).decode_utf8().is_err()).then(|| bad_address(target))
    }

    /// A slash at the end of a route makes no difference.
    fn routed(uri: &Uri) -> Option<Uri> {
        let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{path}{query}").parse().ok()
    }

    fn unknown_path(method: &Method, target: &str) -> Reply {
        unknown_route(method.as_str(), target)
    }

    fn refuse_method(method: &Method, target: &str, _: &str) -> Reply {
        if method == Method::OPTIONS {
            let reply = Reply::empty(StatusCode::NO_CONTENT);
            return reply.with(header::ACCESS_CONTROL_ALLOW_METHODS, "GET,HEAD,PUT,PATCH,POST,DELETE");
        }
        unknown_route(method.as_str(), target)
    }

    /// Every reply of JSON has an entity tag of its bytes, and is left out when the client has it, whatever its status.
    fn dress(mut reply: Reply, request: &HeaderMap) -> Reply {
        if reply.headers.iter().any(|(name, _)| *name == header::CONTENT_LENGTH) {
            return reply;
        }
        reply = reply
            .with(header::VARY, "Origin")
            .with(header::ACCESS_CONTROL_ALLOW_ORIGIN, SITE)
            .with(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        let is_json = |(name, value): &(HeaderName, hyper::http::HeaderValue)| {
            *name == header::CONTENT_TYPE && value.as_bytes().starts_with(b"application/json")
        };
        if !reply.headers.iter().any(is_json) {
            return reply;
        }
        reply.headers.retain(|pair| !is_json(pair));
        let tag = format!("\"{}\"", STANDARD.encode(Sha1::digest(reply.body.as_bytes())));
        if request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
            reply.status = StatusCode::NOT_MODIFIED;
            reply.body.clear();
        }
        let length = reply.body.len().to_string();
        reply.with(header::CONTENT_TYPE, JSON).with(header::ETAG, &tag).with(header::CONTENT_LENGTH, &length)
    }

    fn error(status: StatusCode, message: &str) -> Reply {
        Refusal::new(status.as_u16(), "InternalServerError", message).reply(super::generation::Generation::Current)
    }

    fn end(&mut self) {
        self.subscriptions.end();
    }
}
