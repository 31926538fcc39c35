//! The generated client: one method for each documented operation.
//!
//! ```no_run
//! # async fn show(client: xtrasecurity::XtraClient) -> Result<(), xtrasecurity::XtraError> {
//! let project = client.raw().projects_get().id("665f1c2ab4d3e8f901234567").send().await?;
//! println!("{:?}", project.name);
//! # Ok(())
//! # }
//! ```
//!
//! **This module is exempt from semantic versioning.** It is generated from the service's document: an operation, a type or a field may
//! change in any release. The rest of the crate keeps to it.
//!
//! A method returns a request to fill in; `send` sends it with the client's token, retries and limits. Answers and errors may
//! be logged: secrets in them print as `[REDACTED]`. Writing an answer out with serde redacts them too, but a *request* type
//! writes its secrets, because that is how they are sent.

#![allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    rustdoc::all
)]

use std::fmt;

pub use super::wire::{FreeForm, SecretEntry, SecretInput, StoredValue, WireSecret};
pub use crate::http::Response;
pub use crate::http::runtime::{Answer, InvalidPayload, PayloadProblem};

use super::refusals::REFUSALS;
use super::wire::ReadPairs;
use crate::http::runtime;

include!(concat!(env!("OUT_DIR"), "/xtra.rs"));

impl Client {
    /// The request of [`secrets_read`](Self::secrets_read) in its flat form, whose answer becomes the memory of a snapshot.
    pub(super) async fn read_pairs(
        &self,
        project: &str,
        environment: &str,
        branch: &str,
    ) -> Result<ResponseValue<ReadPairs>, Error<types::ApiError>> {
        let mut url = format!(
            "{}/projects/{}/envs/{}/secrets?branch=",
            self.baseurl,
            runtime::encode_path("project_id", project)?,
            runtime::encode_path("env", environment)?
        );
        url.extend(url::form_urlencoded::byte_serialize(branch.as_bytes()));
        let url = reqwest::Url::parse(&url)
            .map_err(|_| Error::InvalidRequest("the parameters make no valid request".to_owned()))?;
        let mut request = reqwest::Request::new(reqwest::Method::GET, url);
        let json = reqwest::header::HeaderValue::from_static("application/json");
        request.headers_mut().insert(reqwest::header::ACCEPT, json);
        runtime::send(&self.inner, request, "secrets_read").await?.decode(ReadPairs::decode)
    }
}

/// What a service says when it refuses may hold anything that the request carried. The members can be read; of their texts the
/// documented codes are printed, and no more.
impl fmt::Debug for types::ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |list: &[&'static str], word: &Option<String>| {
            let word = word.as_deref()?;
            Some(Word(list.iter().copied().find(|known| *known == word)))
        };
        f.debug_struct("ApiError")
            .field("error", &self.error.as_ref().map(|_| Word(None)))
            .field("message", &self.message.as_ref().map(|_| Word(None)))
            .field("code", &word(REFUSALS.codes, &self.code))
            .field("action", &word(REFUSALS.actions, &self.action))
            .field("details", &self.details)
            .field("detail", &self.detail)
            .field("stack", &self.stack)
            .field("conflicts", &self.conflicts)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

/// As of [`ApiError`](types::ApiError), of which it is a part.
impl fmt::Debug for types::Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conflict")
            .field("key", &self.key.as_ref().map(|_| Word(None)))
            .field("remote_value", &self.remote_value)
            .finish_non_exhaustive()
    }
}

/// A text of a refusal: the documented word that it is, if it is one.
struct Word(Option<&'static str>);

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.unwrap_or("[REDACTED]"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use crate::XtraClient;

    /// Answers one request with no secrets, and returns its lines in order.
    async fn received(listener: &TcpListener) -> Vec<String> {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        }
        let answer = "HTTP/1.1 200 OK\r\nx-ratelimit-limit: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        connection.write_all(answer.as_bytes()).await.unwrap();
        let mut lines: Vec<_> = String::from_utf8(request).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[tokio::test]
    async fn the_request_of_a_read_is_the_one_that_the_generated_client_sends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}/under a/api", listener.local_addr().unwrap());
        let client = XtraClient::builder().token("xs_read").project_id("p").api_url(root.as_str()).build().unwrap();
        let raw = client.raw();
        for (project, environment, branch) in [
            ("665f1c2ab7c0de0012345678", "production", "main"),
            ("a b", "über / %2F?#", "feature/ä&b=c+d e%20"),
            ("p:;,@$!'()*~", "[x]{y}|\\^`\"<>", "[x]{y}|\\^`\"<>:;,@$!'()*~-_."),
            ("p", "line\nline\t", "\u{1f511}\r\n\u{0}"),
            ("p", "e", ""),
        ] {
            let generated = raw.secrets_read().project_id(project).env(environment).branch(branch);
            let (answer, generated) = tokio::join!(generated.send(), received(&listener));
            answer.unwrap();
            let (answer, by_hand) = tokio::join!(raw.read_pairs(project, environment, branch), received(&listener));
            answer.unwrap();
            assert_eq!(by_hand, generated, "{project} {environment} {branch}");
        }
        for (project, environment) in [("", "e"), ("p", "."), ("..", "e")] {
            let generated = raw.secrets_read().project_id(project).env(environment).branch("main").send().await;
            let by_hand = raw.read_pairs(project, environment, "main").await;
            let words = (generated.err().unwrap().to_string(), by_hand.err().unwrap().to_string());
            assert_eq!(words.0, words.1);
        }
    }
}
