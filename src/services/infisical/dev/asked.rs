//! A request on its way to a handler: its actor, its body and its budget.

use hyper::http::{Method, header};
use percent_encoding::percent_decode_str;

use super::access::Actor;
use super::database::Database;
use super::fields::{Fields, trimmed};
use super::generation::Generation;
use super::limits::Kind;
use super::refusal::{BodyProblem, Refusal, with_budget};
use crate::dev::javascript::{Json, Members};
use crate::dev::{Call, Outcome, Reply};

/// The longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// Who may ask a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Token,
    Anybody,
}

/// A route as requests pass it.
pub(super) struct Endpoint {
    pub(super) route: &'static str,
    pub(super) kind: Kind,
    pub(super) access: Access,
}

/// A request as handlers see it.
pub(super) struct Asked<'a> {
    pub(super) call: &'a Call,
    pub(super) generation: Generation,
    actor: Option<Actor>,
    body: Json,
}

/// The result of a handler.
pub(super) type Answer = Result<Reply, Refusal>;

/// The function of a route.
pub(super) type Answering = fn(&mut Database, &Asked) -> Answer;

impl Asked<'_> {
    pub(super) fn actor(&self) -> Result<&Actor, Refusal> {
        self.actor.as_ref().ok_or_else(|| Refusal::token_missing(self.generation))
    }

    pub(super) fn query(&self) -> Fields<'_> {
        Fields::of_query(&self.call.query)
    }

    pub(super) fn body(&self) -> Fields<'_> {
        Fields::of_body(&self.body)
    }

    /// A parameter of the path, trimmed.
    pub(super) fn param(&self, name: &str) -> String {
        trimmed(self.call.param(name)).to_owned()
    }
}

/// Passes a request to its handler: token, body and budget come first, in this order.
pub(super) fn serve(database: &mut Database, call: &Call, endpoint: &Endpoint, handler: Answering) -> Outcome {
    let generation = database.generation;
    let mut budget = None;
    let answer = (|| {
        if call.params.iter().any(|(_, value)| value.chars().count() > 100) {
            return Ok(super::refusal::unknown_route(call.method.as_str(), &call.target));
        }
        let actor = database.actor(call)?;
        if endpoint.access == Access::Token && actor.is_none() {
            return Err(Refusal::token_missing(generation));
        }
        let body = body(call).map_err(|problem| Refusal::unread_body(generation, problem))?;
        let now = database.now();
        match database.limiter.take(endpoint.route, endpoint.kind, &call.address, now) {
            Ok(left) => budget = left,
            Err(spent) => {
                budget = Some(spent.budget);
                return Err(Refusal::too_many(generation, spent.budget, now));
            }
        }
        handler(database, &Asked { call, generation, actor, body })
    })();
    let reply = answer.unwrap_or_else(|refusal| refusal.reply(generation));
    let now = database.now();
    Ok(match budget {
        Some(budget) => with_budget(reply, budget, now),
        None => reply,
    })
}

/// The body of a request by its content type.
fn body(call: &Call) -> Result<Json, BodyProblem> {
    if call.method == Method::GET || call.method == Method::HEAD {
        return Ok(Json::Null);
    }
    if call.body.len() > MAX_BODY {
        return Err(BodyProblem::TooLong);
    }
    let kind = call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().map(trimmed).unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "" if call.body.is_empty() => Ok(Json::Null),
        "application/json" if call.body.is_empty() => Err(BodyProblem::Empty),
        "application/json" => Json::parse(&with_whole_letters(&call.body)).ok_or(BodyProblem::NotJson),
        "text/plain" => Ok(String::from_utf8_lossy(&call.body).into_owned().into()),
        "application/x-www-form-urlencoded" => Ok(form(&call.body)),
        other => Err(BodyProblem::Type(other.to_owned())),
    }
}

fn form(body: &[u8]) -> Json {
    let mut members = Members::default();
    let text = String::from_utf8_lossy(body).replace('+', " ");
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        members.set(decoded(name), decoded(value));
    }
    members.into()
}

/// A body whose escaped halves of letters are replaced, which JavaScript reads and the database replaces.
fn with_whole_letters(body: &[u8]) -> Vec<u8> {
    let surrogate = |at: usize| -> Option<u16> {
        let escape = body.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
        let code = u16::from_str_radix(std::str::from_utf8(escape.get(2..)?).ok()?, 16).ok()?;
        (0xd800..0xe000).contains(&code).then_some(code)
    };
    let mut whole = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let is_pair = |code| code < 0xdc00 && surrogate(at + 6).is_some_and(|second| second >= 0xdc00);
        let length = match surrogate(at) {
            Some(code) if is_pair(code) => 12,
            Some(_) => {
                whole.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            None if *byte == b'\\' => 2,
            None => 1,
        };
        let end = body.len().min(at + length);
        whole.extend_from_slice(body.get(at..end).unwrap_or_default());
        at = end;
    }
    whole
}

/// The routes of one resource, since a generation: `METHOD "/path" as NAME since GENERATION, KIND ACCESS => handler;`. Makes the
/// module `route` of the names and the function `routes`.
macro_rules! endpoints {
    ($(
        $(#[$doc:meta])* $method:ident $path:literal $(as $name:ident)? since $since:ident, $kind:ident $access:ident
            => $handler:path;
    )+) => {
        /// The names of the routes.
        pub mod route {
            $($crate::dev::routes! { @name [$($name)?] $(#[$doc])* $method $path })+
        }

        pub(super) fn routes() -> Vec<($crate::services::infisical::dev::generation::Generation, super::Route)> {
            use $crate::services::infisical::dev::asked::{Access, Endpoint, serve};
            use $crate::services::infisical::dev::generation::Generation;
            use $crate::services::infisical::dev::limits::Kind;
            vec![$((
                Generation::$since,
                $crate::dev::Route::new(
                    concat!(stringify!($method), " ", $path),
                    $crate::dev::Handler::at_once(|database, call| {
                        let route = concat!(stringify!($method), " ", $path);
                        let endpoint = Endpoint { route, kind: Kind::$kind, access: Access::$access };
                        serve(database, call, &endpoint, $handler)
                    }),
                ),
            )),+]
        }
    };
}

pub(super) use endpoints;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_letters_are_replaced_and_whole_ones_stay() {
        let text = |body: &str| {
            let read = Json::parse(&with_whole_letters(body.as_bytes()));
            read.and_then(|json| json.text().map(str::to_owned)).unwrap()
        };
        assert_eq!(text(r#""a\ud800b""#), "a\u{fffd}b");
        assert_eq!(text(r#""\ud83d\ude80""#), "\u{1f680}");
        assert_eq!(text(r#""\\ud800""#), r"\ud800");
        assert_eq!(text(r#""\ude80\ud83d""#), "\u{fffd}\u{fffd}");
    }
}
