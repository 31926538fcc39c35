//! Larder as a downstream crate would add it: its protocol, its source and its operations, over the public API alone.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xtrasecurity::credentials::{BaseUrls, Chain, ChainPosition, ProcessEnv, Step};
use xtrasecurity::http::{
    Authorization, ErrorMembers, Method, Outgoing, Protocol, QuotaFormat, RefusalForms, ResetForm, Token, Transport,
};
use xtrasecurity::{
    Client, EngineOptions, ErrorKind, Request, SecretSource, SecretValue, XtraError,
    request::Async,
    source::{Call, Identity, KeyWriter, Loaded, Operation, Quota, Traffic},
};

/// The client of Larder; `M` is how its requests are sent.
pub type LarderClient<M = Async> = Client<Larder, M>;

/// What Larder's wire is like.
struct LarderProtocol;

impl Protocol for LarderProtocol {
    fn base_url_suffix(&self) -> &'static str {
        "/pantry/v2"
    }

    fn authorization(&self, token: &Token) -> Authorization {
        Authorization::header("larder-key", token.expose())
    }

    fn quota(&self) -> Option<QuotaFormat> {
        Some(QuotaFormat {
            limit: "larder-calls-granted",
            remaining: "larder-calls-left",
            reset: "larder-calls-renewed-in",
            reset_form: ResetForm::SecondsFromNow,
        })
    }

    /// Each shelf has a quota of its own.
    fn quota_scope(&self, request: &Outgoing<'_>) -> String {
        request.path().split('/').nth(2).unwrap_or_default().to_owned()
    }

    fn error_members(&self) -> ErrorMembers {
        ErrorMembers::new().message("text").code("fault").retry_after("again_in")
    }

    fn refusals(&self) -> RefusalForms {
        RefusalForms::new().sentences(&[&["This key opens nothing.", "There is no shelf {}."]]).codes(&[
            "bad-key",
            "no-such-shelf",
            "no-such-route",
            "come-back-later",
        ])
    }
}

const STEPS: &[Step] = &[
    Step::Explicit,
    Step::Custom(ChainPosition::First),
    Step::Variable("LARDER_KEY"),
    Step::Custom(ChainPosition::Last),
];

/// Larder as a source of secrets: the jars of one shelf are one snapshot.
pub struct Larder {
    transport: Transport,
}

/// A shelf, and the season that it is read in.
#[derive(Clone)]
pub struct Shelf<'a> {
    name: Cow<'a, str>,
    season: Option<Cow<'a, str>>,
}

impl<'a> From<&'a str> for Shelf<'a> {
    fn from(name: &'a str) -> Self {
        Self { name: name.into(), season: None }
    }
}

impl Larder {
    /// A client with the key and the root that the environment names.
    pub fn client(env: &ProcessEnv, options: EngineOptions) -> Result<LarderClient, XtraError> {
        let key = Chain::new(STEPS).resolve(env)?;
        let root = BaseUrls::new("https://larder.example/pantry/v2").named(env.setting("LARDER_ROOT")?);
        let root = root.choose(Some(&key))?;
        let transport = Transport::builder(LarderProtocol).credentials(key.provider()).build(&root.value)?;
        Ok(Client::with_options(Self { transport }, options))
    }
}

#[derive(Deserialize)]
struct Jars {
    jars: Vec<Jar>,
}

#[derive(Deserialize)]
struct Jar {
    label: String,
    content: SecretText,
}

/// A value on its way in, which `Debug` does not print.
struct SecretText(SecretValue);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

/// For programs that put the transport together themselves.
pub fn protocol() -> impl Protocol {
    LarderProtocol
}

impl Larder {
    /// A client over a transport that is there.
    pub fn over(transport: &Transport) -> LarderClient {
        Client::new_with_source(Self { transport: transport.clone() })
    }

    /// What is left of the quota of a shelf.
    pub fn quota(&self, shelf: &str) -> Option<u64> {
        self.transport.quota(shelf).map(|quota| quota.remaining)
    }
}

impl SecretSource for Larder {
    type Scope<'a> = Shelf<'a>;
    type Owned = Shelf<'static>;

    fn name(&self) -> &'static str {
        "larder"
    }

    fn base_url(&self) -> &str {
        self.transport.base_url()
    }

    fn scope_name<'s>(&self, scope: &'s Shelf<'_>) -> Cow<'s, str> {
        Cow::Borrowed(&scope.name)
    }

    fn identity(&self) -> Identity {
        self.transport.identity()
    }

    fn write_key(&self, scope: &Shelf<'_>, key: &mut KeyWriter) {
        key.field(&scope.name);
        key.field(scope.season.as_deref().unwrap_or_default());
    }

    fn prepare(&self, scope: &Shelf<'_>) -> Result<Shelf<'static>, XtraError> {
        if scope.name.is_empty() {
            return Err(XtraError::new(ErrorKind::Invalid, "the name of the shelf is empty"));
        }
        let season = scope.season.as_ref().map(|season| Cow::Owned(season.to_string()));
        Ok(Shelf { name: Cow::Owned(scope.name.to_string()), season })
    }

    async fn load(&self, shelf: &Shelf<'static>) -> Result<Loaded, XtraError> {
        let mut request = self.transport.call("jars_list", Method::Get).path(["shelves", &shelf.name, "jars"]);
        if let Some(season) = &shelf.season {
            request = request.query("season", season.as_ref());
        }
        let jars: Jars = request.send().await?.json()?;
        Ok(jars.jars.into_iter().map(|jar| (jar.label, jar.content.0)).collect())
    }

    fn has_timers(&self) -> bool {
        true
    }

    fn quota(&self, shelf: &Shelf<'static>) -> Option<Quota> {
        self.transport.quota(&shelf.name)
    }

    fn lasting_token(&self) -> Option<SecretValue> {
        self.transport.lasting_token().map(|token| token.expose().into())
    }

    fn traffic(&self) -> Traffic {
        let counters = self.transport.counters();
        Traffic::new(counters.requests, counters.retries)
    }
}

/// The operation that fills a jar.
pub struct FillJar {
    label: String,
    content: SecretValue,
}

impl Operation for FillJar {
    const NAME: &'static str = "fill_jar";
    type Source = Larder;
    type Output = u64;

    async fn perform(self, call: Call<'_, Larder>) -> Result<u64, XtraError> {
        #[derive(Serialize)]
        struct Filling<'a> {
            content: &'a str,
        }
        #[derive(Deserialize)]
        struct Filled {
            batch: u64,
        }
        let shelf = call.scope().clone();
        let request = call.source().transport.call("jars_fill", Method::Put);
        let request = request.path(["shelves", &shelf.name, "jars", &self.label]);
        let answer = request.json(&Filling { content: self.content.expose() }).send().await;
        // whatever became of it
        call.client().invalidate(shelf);
        answer?.json::<Filled>().map(|filled| filled.batch)
    }
}

/// The operation that tells whose key it is.
pub struct ShowKeyholder;

impl Operation for ShowKeyholder {
    const NAME: &'static str = "keyholder";
    type Source = Larder;
    type Output = String;

    async fn perform(self, call: Call<'_, Larder>) -> Result<String, XtraError> {
        #[derive(Deserialize)]
        struct Keyholder {
            name: String,
        }
        let answer = call.source().transport.call("keyholder_show", Method::Get).path(["keyholder"]).send().await?;
        answer.json::<Keyholder>().map(|holder| holder.name)
    }
}

/// Larder's methods, in the words of its users.
pub trait LarderCalls<M> {
    fn fill_jar<'a>(&'a self, shelf: &'a str, label: &str, content: &str) -> Request<'a, Larder, FillJar, M>;
    fn keyholder(&self) -> Request<'_, Larder, ShowKeyholder, M>;
}

impl<M> LarderCalls<M> for LarderClient<M> {
    fn fill_jar<'a>(&'a self, shelf: &'a str, label: &str, content: &str) -> Request<'a, Larder, FillJar, M> {
        self.request(shelf.into(), FillJar { label: label.to_owned(), content: content.into() })
    }

    fn keyholder(&self) -> Request<'_, Larder, ShowKeyholder, M> {
        self.request("".into(), ShowKeyholder)
    }
}

/// The path, method and query of each operation above, to be held against the document.
pub const OPERATIONS: [(&str, &str, &str); 3] = [
    ("jars_list", "get", "/shelves/{shelf}/jars"),
    ("jars_fill", "put", "/shelves/{shelf}/jars/{label}"),
    ("keyholder_show", "get", "/keyholder"),
];

/// A provider that takes another key once the first is refused.
pub struct TwoKeys(pub Arc<std::sync::atomic::AtomicBool>);

impl xtrasecurity::credentials::CredentialProvider for TwoKeys {
    fn identity(&self) -> Identity {
        Identity::of("two keys")
    }

    fn token(&self) -> xtrasecurity::credentials::TokenFuture<'_> {
        let is_second = self.0.load(std::sync::atomic::Ordering::SeqCst);
        Box::pin(async move { Token::new(if is_second { "larder-key-2" } else { "larder-key-1" }) })
    }

    fn invalidate(&self, _refused: &Token) -> bool {
        !self.0.swap(true, std::sync::atomic::Ordering::SeqCst)
    }
}
