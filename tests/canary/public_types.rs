//! Every public type that is not generated: an instance that holds what was planted, or has seen it.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::future::IntoFuture;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use xtrasecurity::blocking;
use xtrasecurity::dev_server::{self as dev, DevServer, Fault, route};
use xtrasecurity::http;
use xtrasecurity::xtra::XtraScope;
use xtrasecurity::xtra::raw::{self, types};
use xtrasecurity::{
    CacheOptions, Client, EngineOptions, ErrorKind, OfflineKey, OfflineOptions, Schema, SecretSource, SecretValue,
    Secrets, SecretsProvider, UseError, XtraClient, XtraClientOptions, XtraError,
    clock::{ManualClock, Timestamp},
    credentials::{ChainPosition, CredentialProvider, FileToken, StaticToken, Token},
    dotenv::{Document, EncryptedBy},
    error::Conflict,
    inject::Selection,
    paging::Paging,
    references::Reference,
    snapshot::{SnapshotSource, Unreadable, UnreadableReason},
    source::{Identity, KeyWriter, Listener, Listening, Loaded, Quota, ScopeDescription, Traffic},
};

use crate::planted::{
    BRANCH, ENVIRONMENT, KEY, PROJECT, TOKEN, URL_WITH_CREDENTIALS, VALUE, hides_debug, hides_display, hides_error,
};
use crate::world::{ACCOUNT_TOKEN, BROKEN, VIEWER_TOKEN, client, impatient};

#[path = "manage.rs"]
mod manage;
#[path = "writes.rs"]
mod writes;

/// The types looked at so far.
#[derive(Default)]
pub struct Table(pub BTreeSet<&'static str>);

impl Table {
    pub fn debug(&mut self, name: &'static str, value: &dyn Debug) {
        self.0.insert(name);
        hides_debug(name, value);
    }

    pub fn shown<T: Debug + Display>(&mut self, name: &'static str, value: &T) {
        self.debug(name, value);
        hides_display(name, value);
    }

    pub fn error(&mut self, name: &'static str, error: &(dyn StdError + 'static)) {
        self.0.insert(name);
        hides_error(name, error);
    }
}

pub async fn all(table: &mut Table, server: &DevServer) {
    values(table);
    typed(table, server).await;
    credentials(table);
    credential_sources(table);
    transport(table).await;
    options(table, server);
    reading(table, server).await;
    references(table, server).await;
    providers(table, server).await;
    errors(table, server).await;
    point_of_use(table, server).await;
    local_mode(table).await;
    offline(table, server).await;
    watching(table, server).await;
    injecting(table, server).await;
    blocking_client(table, server).await;
    manage::all(table, server).await;
    writes::all(table, server).await;
    raw_calls(table, server).await;
    wire(table);
    dev_server(table, server).await;
    seeds(table);
}

fn values(table: &mut Table) {
    let value = SecretValue::from(VALUE);
    table.debug("SecretValue", &value);
    let secrets = Secrets::from_iter([(KEY, VALUE)]);
    table.debug("Secrets", &secrets);
    table.debug("Secrets", &secrets.search(VALUE));
    table.debug("paging::Paging", &Paging::limit(1));
    table.debug("paging::SecretsPage", &secrets.page(Paging::limit(1)));
    table.debug("snapshot::SecretsIter", &secrets.into_iter());
    table.debug("paging::Pages", &secrets.pages(1));
    let unreadable = Unreadable::new(KEY, UnreadableReason::Masked);
    table.debug("snapshot::Unreadable", &unreadable);
    table.debug("snapshot::UnreadableReason", &unreadable.reason);
    table.debug("source::Loaded", &Loaded::from_iter([(KEY, value)]).with_unreadable([unreadable]));
    table.debug("snapshot::SnapshotSource", &SnapshotSource::Memory);
    table.shown("clock::Timestamp", &Timestamp::parse("2026-05-01T09:30:00Z").unwrap());
    table.debug("error::Conflict", &Conflict::new(KEY, Some("1".to_owned()), None));
    table.debug("source::Identity", &Identity::of(TOKEN));
    table.debug("source::Traffic", &Traffic::new(1, 2));
    table.debug("source::ScopeDescription", &ScopeDescription::new("a scope").named("production"));
    table.error("XtraError", Secrets::from_iter([(KEY, VALUE)]).require("OTHER").as_ref().unwrap_err());
}

/// Settings of a type that what was planted does not fit.
#[derive(Debug, serde::Deserialize, xtrasecurity::schemars::JsonSchema)]
#[allow(dead_code)]
struct Settings {
    magpie_key: u16,
    magpie_ip: Option<std::net::IpAddr>,
    magpie_json: Option<Vec<u16>>,
    other: bool,
}

async fn typed(table: &mut Table, server: &DevServer) {
    let json = format!("{{\"{VALUE}\": [\"{VALUE}\"]}}");
    for key in ["x", VALUE] {
        let secrets = Secrets::from_iter([(KEY, VALUE), ("MAGPIE_IP", VALUE), ("MAGPIE_JSON", &json), ("OTHER", key)]);
        let report = secrets.check::<Settings>();
        table.shown("schema::SchemaReport", &report);
        for problem in report.missing().iter().chain(report.invalid()).chain(report.unexpected()) {
            table.shown("schema::SchemaProblem", problem);
        }
        table.error("XtraError", &secrets.parse::<Settings>().unwrap_err());
    }
    let only_the_type_refuses = Secrets::from_iter([(KEY, "1"), ("MAGPIE_IP", VALUE), ("OTHER", "yes")]);
    table.error("XtraError", &only_the_type_refuses.parse::<Settings>().unwrap_err());
    table.debug("Schema", &Schema::of::<Settings>());
    table.debug("schema::Example", &xtrasecurity::schema::example::<Settings>());
    for text in [VALUE, &json, &format!("{{\"type\":\"object\",\"$ref\":\"{VALUE}\"}}")] {
        let _ = Schema::from_json(text).map_err(|error| table.error("XtraError", &error));
    }
    let client = client(server);
    let request = client.get_secrets_as::<Settings>(ENVIRONMENT).deny_unexpected();
    table.debug("schema::ReadAs", &request);
    table.error("XtraError", &request.await.unwrap_err());
}

/// Protocols are written outside of the crate, by whoever has another service.
struct Strange;

/// A provider that looks at the transport which asks it.
struct Connected(StaticToken);

impl CredentialProvider for Connected {
    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn token(&self) -> xtrasecurity::credentials::TokenFuture<'_> {
        self.0.token()
    }

    fn connected(&self, transport: &http::WeakTransport) {
        hides_debug("http::WeakTransport", transport);
    }
}

impl http::Protocol for Strange {
    fn quota_scope(&self, request: &http::Outgoing<'_>) -> String {
        hides_debug("http::Outgoing", request);
        request.path().to_owned()
    }

    fn authorization(&self, token: &Token) -> http::Authorization {
        let authorization = http::Authorization::bearer(token);
        hides_debug("http::Authorization", &authorization);
        authorization
    }

    fn is_own_refusal(&self, _: &str, _: u16, body: &http::ErrorBody<'_>) -> bool {
        assert!(body.message().is_some_and(|message| message.contains(VALUE)));
        hides_debug("http::ErrorBody", body);
        true
    }

    fn explain(&self, answer: &http::ErrorAnswer<'_>) -> Option<http::Advice> {
        hides_debug("http::ErrorAnswer", answer);
        let advice = http::Advice::new("the service is strange", xtrasecurity::error::Hint::advice("Expect it"));
        hides_debug("http::Advice", &advice);
        Some(advice)
    }
}

async fn transport(table: &mut Table) {
    let service = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}", service.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = service.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let body = format!(r#"{{"message":"{VALUE} {TOKEN}","code":"{VALUE}"}}"#);
            let head = format!("HTTP/1.1 404 No\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let builder =
        http::Transport::builder(Strange).credentials(std::sync::Arc::new(Connected(StaticToken::new(TOKEN).unwrap())));
    table.debug("http::TransportBuilder", &builder);
    let transport = builder.build(&root).unwrap();
    table.debug("http::Transport", &transport);
    let request = transport.call("read", http::Method::Post).path([VALUE]).query("q", VALUE).json(VALUE);
    table.debug("http::Request", &request);
    table.error("XtraError", &request.send().await.unwrap_err());
    table.debug("http::Counters", &transport.counters());
    table.debug("http::Method", &http::Method::Get);
    table.debug("http::ErrorMembers", &http::ErrorMembers::new());
    table.debug("http::RefusalForms", &http::RefusalForms::new());
    let (limit, remaining, reset) = ("a", "b", "c");
    let reset_form = http::ResetForm::UnixSeconds;
    table.debug("http::ResetForm", &reset_form);
    table.debug("http::QuotaFormat", &http::QuotaFormat { limit, remaining, reset, reset_form });
    // looked at on the way
    table.0.extend(["http::Outgoing", "http::Authorization", "http::ErrorBody", "http::ErrorAnswer", "http::Advice"]);
    table.0.insert("http::WeakTransport");
    table.debug("error::Hop", &xtrasecurity::error::Hop::Proxy);
}

fn credentials(table: &mut Table) {
    let token = Token::new(TOKEN).unwrap();
    table.debug("http::Token", &token);
    table.debug("credentials::StaticToken", &StaticToken::from(token));
    table.debug("credentials::ChainPosition", &ChainPosition::First);
    for flawed in [format!("{TOKEN}\n"), format!("{TOKEN} {TOKEN}"), format!("{TOKEN}\u{7f}"), format!("{TOKEN}é")] {
        table.error("XtraError", &Token::new(&flawed).unwrap_err());
        table.error("XtraError", &XtraClient::builder().token(flawed.as_str()).build().unwrap_err());
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(TOKEN.as_bytes()).unwrap();
    table.debug("credentials::FileToken", &FileToken::new(file.path()).unwrap());
    open_to_others(file.path());
    table.debug("credentials::FileToken", &FileToken::new(file.path()).unwrap());
    file.write_all(b" and more").unwrap();
    table.error("XtraError", &FileToken::new(file.path()).unwrap_err());
    // a JWT that has ended: { "alg": "none" }.{ "exp": 1 }
    let ended = "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.Y2FuYXJ5";
    table.error("XtraError", &XtraClient::builder().token(ended).build().unwrap_err());
}

fn credential_sources(table: &mut Table) {
    use xtrasecurity::credentials::{
        BaseUrls, Chain, Exchanged, ExchangedToken, Lookup, ProcessEnv, SettingsFile, SettingsReader, Sourced, Step,
        TokenStore,
    };

    const STORE: TokenStore = TokenStore::in_home("login.json").base_url_in("url");
    const SETTINGS: SettingsFile = SettingsFile::new("settings.json", &["url"]);
    const LOOKUP: Lookup = Lookup::new(|_| Ok(Err("nothing".to_owned())));
    const STEPS: &[Step] = &[Step::Explicit, Step::Variable("A"), Step::Lookup(LOOKUP), Step::Store(STORE)];

    let dir = tempfile::tempdir().unwrap();
    let json = format!(r#"{{"token":"{TOKEN}","url":"{URL_WITH_CREDENTIALS}"}}"#);
    std::fs::write(dir.path().join("login.json"), &json).unwrap();
    // an error names the origin of a base URL that it refuses, and nothing else of it
    let json = json.replace("host.example", "named.example");
    std::fs::write(dir.path().join("settings.json"), &json).unwrap();
    let env = ProcessEnv::of_variables([("A", ""), ("B", VALUE)]).with_home(dir.path()).with_working_dir(dir.path());
    table.debug("credentials::ProcessEnv", &env);
    table.debug("credentials::Step", &STEPS[0]);
    table.debug("credentials::Lookup", &LOOKUP);
    table.debug("credentials::TokenStore", &STORE);
    table.debug("credentials::SettingsFile", &SETTINGS);
    table.debug("credentials::StoreContents", &STORE.contents(&env));
    table.debug("credentials::Chain", &Chain::new(STEPS).token(Some(TOKEN.into())));
    let resolved = Chain::new(STEPS).resolve(&env).unwrap();
    table.debug("credentials::Resolved", &resolved);
    for flawed in [format!("{TOKEN}\n"), String::new()] {
        table.error("XtraError", &Chain::new(STEPS).token(Some(flawed.into())).resolve(&env).unwrap_err());
    }
    let mut reader = SettingsReader::new(&env);
    table.debug("credentials::Sourced", &reader.first_variable(&["A", "B"]).unwrap());
    let mut file = reader.file(&SETTINGS);
    table.debug("credentials::FileSettings", &file);
    table.debug("credentials::SettingsReader", &reader);
    let urls = BaseUrls::new("https://acme.example").in_working_dir(file.take("url"));
    table.debug("credentials::BaseUrls", &urls);
    table.error("XtraError", &urls.choose(None).unwrap_err());
    table.debug("credentials::Sourced", &Sourced::<String>::new(URL_WITH_CREDENTIALS, "an option"));
    let exchanged = Exchanged::new(Token::new(TOKEN).unwrap());
    table.debug("credentials::Exchanged", &exchanged);
    let provider = ExchangedToken::new(Identity::of(TOKEN), move || std::future::ready(Ok(exchanged.clone())));
    table.debug("credentials::ExchangedToken", &provider);
}

/// Makes the crate warn that a file with a token can be read by others.
fn open_to_others(path: &std::path::Path) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    #[cfg(not(unix))]
    let _ = path;
}

fn options(table: &mut Table, server: &DevServer) {
    let clock = ManualClock::new();
    table.debug("clock::ManualClock", &clock);
    table.debug("clock::Clock", &clock.clock());
    table.debug("CacheOptions", &CacheOptions::default());
    table.debug("EngineOptions", &EngineOptions::default().clock(clock.clock()).required([KEY]));
    table.debug("source::Quota", &Quota::new(1000, 900, Duration::from_secs(60)));
    let options = XtraClientOptions {
        token: Some(TOKEN.into()),
        api_url: Some(URL_WITH_CREDENTIALS.to_owned()),
        ..XtraClientOptions::default()
    };
    table.debug("XtraClientOptions", &options);
    table.error("XtraError", &XtraClient::new(options).unwrap_err());
    table.debug("ClientBuilder", &impatient().token(TOKEN).api_url(URL_WITH_CREDENTIALS));
    table.debug("ClientBuilder", &impatient().api_url(URL_WITH_CREDENTIALS).add_root_certificate(VALUE));
    table.debug("ClientBuilder", &impatient().api_url(server.url()));
    table.debug("ClientBuilder", &impatient().vault_passphrase(VALUE).seal_writes());
    let configuration =
        XtraClient::builder().token(TOKEN).api_url(URL_WITH_CREDENTIALS).vault_passphrase(VALUE).explain();
    table.shown("credentials::Configuration", &configuration);
    for setting in configuration.settings() {
        table.shown("credentials::Setting", setting);
    }
    for url in [URL_WITH_CREDENTIALS, "http://canary.example/api", "canary", "https://host.example/canary"] {
        table.error("XtraError", &impatient().api_url(url).build().unwrap_err());
    }
    let pem = format!("-----BEGIN CERTIFICATE-----\n{VALUE}\n-----END CERTIFICATE-----\n");
    for certificate in [VALUE, &pem] {
        let builder = impatient().api_url("https://host.example/api").add_root_certificate(certificate);
        table.error("XtraError", &builder.build().unwrap_err());
    }
}

async fn reading(table: &mut Table, server: &DevServer) {
    let client = impatient().api_url(server.url()).cache(true).build().unwrap();
    let request = client.get_secrets(ENVIRONMENT).branch(BRANCH);
    table.debug("Request", &request);
    let future = request.into_future();
    table.debug("request::ReadFuture", &future);
    let secrets = future.await.unwrap();
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Secrets", &secrets);
    table.debug("Client", &client);
    table.debug("xtra::Xtra", client.source());
    table.debug("Stats", &client.stats());
    let scope = XtraScope::new(ENVIRONMENT).project(PROJECT).branch(BRANCH);
    table.debug("xtra::XtraScope", &scope);
    table.debug("crate::services::xtra::scope::CheckedScope", &client.source().prepare(&scope).unwrap());
    let own = Client::new_with_source(Own);
    drop(own.watch(VALUE));
    table.debug("Client", &own);
    table.debug("request::Read", &own.read(VALUE));
    table.debug("request::Refresh", &own.refresh(VALUE));
    own.read(VALUE).await.unwrap();
    assert!(own.stats().misses > 0);
    let account = impatient().token(ACCOUNT_TOKEN).api_url(server.url()).build().unwrap();
    account.get_secrets(ENVIRONMENT).await.unwrap();
    table.debug("xtra::Xtra", account.source());
}

async fn references(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let reference: Reference = format!("xtra:///{ENVIRONMENT}/{KEY}?branch={BRANCH}").parse().unwrap();
    table.shown("references::Reference", &reference);
    let request = client.render(VALUE);
    table.debug("references::Resolve", &request);
    table.debug("references::ResolveText", &request);
    request.await.unwrap();
    let request = client.resolve_pairs([(KEY, VALUE)]);
    table.debug("references::ResolveValues", &request);
    table.debug("Secrets", &request.await.unwrap());
    let text = format!("{VALUE} {{{{ xtra:///{ENVIRONMENT}/{KEY} }}}}");
    let rendered = client.render(&text).await.unwrap();
    assert_eq!(rendered.expose(), format!("{VALUE} {VALUE}"), "what was planted arrives");
    table.debug("SecretValue", &rendered);
    for text in [
        format!("{VALUE} {{{{ xtra:///{ENVIRONMENT}/OTHER }}}} {VALUE}"),
        format!("{VALUE} {{{{ xtra:///{BROKEN}/{KEY} }}}} {VALUE}"),
        format!("{{{{ xtra:///{ENVIRONMENT}/{KEY} {VALUE} }}}}"),
        format!("{{{{ xtra:///{ENVIRONMENT}/{KEY}\n{VALUE}"),
        format!("xtra://{TOKEN}/{ENVIRONMENT}/{KEY}"),
    ] {
        table.error("XtraError", &client.render(text.as_str()).await.unwrap_err());
        table.error("XtraError", &client.resolve(text.as_str()).await.unwrap_err());
    }
    for value in [format!("xtra://{VALUE}"), format!("{{{{ xtra://{VALUE}")] {
        table.error("XtraError", &client.resolve_pairs([(KEY, value)]).await.unwrap_err());
    }
}

async fn point_of_use(table: &mut Table, server: &DevServer) {
    let clock = ManualClock::new();
    let client = impatient().api_url(server.url()).cache(true).environment(ENVIRONMENT).clock(clock.clock()).build();
    let client = client.unwrap();
    let refuse = |value: SecretValue| async move {
        assert_eq!(value, VALUE, "what was planted arrives");
        let refusal = UseError::Refused(XtraError::new(ErrorKind::Unauthorized, "refused"));
        Err::<(), _>(refusal)
    };
    table.debug("UseError", &refuse(VALUE.into()).await.unwrap_err());
    // unchanged, then the service is away: each has its event
    client.get_secrets(ENVIRONMENT).await.unwrap();
    for fault in [Fault::headers([("x-more", VALUE)]), Fault::body(503, "text/plain", VALUE)] {
        clock.advance(Duration::from_secs(11));
        server.fault(fault.on(route::SECRETS_READ));
        let request = client.with_secret(KEY, refuse);
        table.debug("Request", &request);
        table.debug("request::WithSecret", &request);
        table.error("WithSecretError", &request.await.unwrap_err());
    }
    table.error("WithSecretError", &client.with_secret(VALUE.len().to_string(), refuse).await.unwrap_err());
    let mut handle = client.scope(ENVIRONMENT);
    assert_eq!(handle.get().await.unwrap().require(KEY).unwrap(), VALUE, "what was planted arrives");
    table.debug("ScopeHandle", &handle);
    table.debug("request::ScopeRead", &handle.get());
    let preload = client.preload([ENVIRONMENT]).required([KEY]);
    table.debug("request::Preload", &preload);
    table.debug("request::Preloaded", &preload.await.unwrap());
    table.error("XtraError", &client.preload([ENVIRONMENT, TOKEN, BROKEN]).required(["OTHER"]).await.unwrap_err());
}

async fn local_mode(table: &mut Table) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (text, name) in [(format!("{KEY}='{VALUE}'\n"), KEY), (format!("{VALUE}\n{KEY}={VALUE}#{VALUE}\n"), VALUE)] {
        file.write_all(text.as_bytes()).unwrap();
        open_to_others(file.path());
        let builder = impatient().local_file(file.path());
        table.debug("ClientBuilder", &builder);
        let client = builder.build().unwrap();
        table.debug("Client", &client);
        table.debug("xtra::Xtra", client.source());
        match client.get_secrets(ENVIRONMENT).await {
            Ok(secrets) => {
                assert_eq!(secrets.require(name).unwrap(), VALUE, "what was planted arrives");
                table.debug("Secrets", &secrets);
                table.debug("SecretValue", &secrets.to_dotenv().unwrap());
            }
            Err(error) => table.error("XtraError", &error),
        }
    }
    for flawed in [VALUE.to_owned(), format!("{KEY}='{VALUE}"), format!("{KEY}={VALUE}\n{KEY}={VALUE}")] {
        table.error("XtraError", &Secrets::from_dotenv(&flawed).unwrap_err());
    }
    for misread in Secrets::from_iter([(KEY, format!("{VALUE}\\"))]).dotenv_misreads() {
        misread.readers().iter().for_each(|reader| table.shown("dotenv::Reader", reader));
        table.debug("dotenv::Misread", &misread);
    }
    let document = Document::parse(&format!("{KEY}={VALUE}\n{KEY}={VALUE}#\n{VALUE}"));
    assert_eq!((document.entries[0].value.expose(), document.flaws.len()), (VALUE, 3), "what was planted arrives");
    table.debug("dotenv::Document", &document);
    document.entries.iter().for_each(|entry| table.debug("dotenv::Entry", entry));
    document.flaws.iter().for_each(|flaw| table.shown("dotenv::Flaw", flaw));
    let tool = EncryptedBy::of_value(&format!("ENC[AES256_GCM,data:{VALUE},type:str]")).unwrap();
    table.shown("dotenv::EncryptedBy", &tool);
    let nowhere = Secrets::from_iter([(KEY, format!("'{VALUE}\"\n"))]);
    table.error("XtraError", &nowhere.to_dotenv().unwrap_err());
}

async fn providers(table: &mut Table, server: &DevServer) {
    let secrets = Secrets::from_iter([(KEY, VALUE)]);
    let provider = SecretsProvider::new(&secrets);
    table.debug("SecretsProvider", &provider);
    table.debug("providers::ReadNow", &provider);
    table.debug("providers::ReadNow", &SecretsProvider::lazy(|| Ok(Secrets::from_iter([(KEY, VALUE)]).into())));
    table.debug("providers::ReadLater", &SecretsProvider::of_client(&client(server), ENVIRONMENT));
    for names in [[KEY, "magpie_key"], [KEY, "MAGPIE_KEY__BELOW"]] {
        let secrets = Secrets::from_iter(names.map(|name| (name, VALUE)));
        let provider = SecretsProvider::new(&secrets);
        table.error("figment", &figment::Provider::data(&provider).unwrap_err());
        table.error("config", &config::Source::collect(&provider).unwrap_err());
    }
    table.0.remove("figment");
    table.0.remove("config");
}

/// A source that puts into its keys what it should not.
struct Own;

impl SecretSource for Own {
    type Scope<'a> = &'a str;
    type Owned = String;

    fn name(&self) -> &'static str {
        "own"
    }

    fn identity(&self) -> Identity {
        Identity::of(TOKEN)
    }

    fn write_key(&self, scope: &&str, key: &mut KeyWriter) {
        key.field(scope);
        hides_debug("KeyWriter", &key);
        key.field_any_case(&scope.repeat(9));
        hides_debug("KeyWriter", &key);
    }

    fn prepare(&self, scope: &&str) -> Result<String, XtraError> {
        Ok((*scope).to_owned())
    }

    async fn load(&self, scope: &String) -> Result<Loaded, XtraError> {
        Ok(Loaded::from_iter([(KEY, scope.as_str())]))
    }

    fn listen(&self, _: &String, listener: Listener) -> Option<Listening> {
        hides_debug("Listener", &listener);
        None
    }
}

async fn errors(table: &mut Table, server: &DevServer) {
    table.shown("ErrorKind", &ErrorKind::Masked);
    let viewer = impatient().token(VIEWER_TOKEN).api_url(server.url()).build().unwrap();
    let masked = viewer.get_secrets(ENVIRONMENT).await.unwrap_err();
    assert_eq!(masked.kind(), ErrorKind::Masked);
    table.error("XtraError", &masked);
    let broken = client(server).get_secrets(BROKEN).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::Undecryptable);
    table.error("XtraError", &broken);
    let rest = client(server).get_secrets(BROKEN).allow_unreadable().await.unwrap();
    table.debug("Secrets", &rest);
    table.debug("snapshot::Unreadable", &rest.unreadable());
    table.error("XtraError", rest.require(KEY).as_ref().unwrap_err());
    table.debug("Stats", &viewer.stats());
    // counted as looked at: they are made by the engine alone, and `Own` looked at them on the way
    table.0.insert("source::KeyWriter");
    table.0.insert("source::Listener");
}

/// Copies that are written, served, damaged and in nobody's way: each has its event or its error.
async fn offline(table: &mut Table, server: &DevServer) {
    let key = OfflineKey::new(VALUE).unwrap();
    table.debug("OfflineKey", &key);
    table.error("XtraError", &OfflineKey::new("canary").unwrap_err());
    let dir = tempfile::tempdir().unwrap();
    let options = OfflineOptions::new(dir.path().join("copies")).key(key);
    table.debug("OfflineOptions", &options);
    table.debug("EngineOptions", &EngineOptions::default().offline(options.clone()));
    let start = |options: &OfflineOptions| {
        let builder = impatient().cache(true).api_url(server.url()).offline(options.clone());
        hides_debug("ClientBuilder", &builder);
        builder.build().unwrap()
    };
    start(&options).get_secrets(ENVIRONMENT).await.unwrap();
    server.fault(Fault::refuse().forever());
    let client = start(&options);
    let secrets = client.get_secrets(ENVIRONMENT).await.unwrap();
    assert_eq!(secrets.source(), SnapshotSource::Offline);
    assert_eq!(secrets.require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Secrets", &secrets);
    table.debug("snapshot::SnapshotSource", &secrets.source());
    table.debug("Client", &client);
    let file = std::fs::read_dir(&options.directory).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    hides_debug("a saved copy", &String::from_utf8_lossy(&bytes));
    for damage in [&bytes[..bytes.len() - 1], VALUE.as_bytes()] {
        std::fs::write(&file, damage).unwrap();
        table.error("XtraError", &start(&options).get_secrets(ENVIRONMENT).await.unwrap_err());
    }
    server.clear_faults();
    start(&options.clone().max_bytes(100)).get_secrets(ENVIRONMENT).await.unwrap();
}

async fn watching(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let mut watch = client.watch(ENVIRONMENT);
    let (mut receiver, mut key) = (watch.receiver(), watch.secret(KEY));
    let change = watch.next().await.unwrap().unwrap();
    assert_eq!(change.snapshot.require(KEY).unwrap(), VALUE, "what was planted arrives");
    table.debug("watch::Change", &change);
    table.debug("watch::Watch", &watch);
    receiver.changed().await.unwrap();
    table.debug("watch::WatchReceiver", &receiver);
    assert_eq!(key.next().await.unwrap().unwrap(), VALUE);
    table.debug("watch::WatchSecret", &key);
    for environment in [BROKEN, ".."] {
        table.error("XtraError", &client.watch(environment).next().await.unwrap().unwrap_err());
    }
}

async fn injecting(table: &mut Table, server: &DevServer) {
    let secrets = Secrets::from_iter([(KEY, VALUE), ("LD_PRELOAD", VALUE), ("NUL", "canary\0"), ("A=B", VALUE)]);
    let injection = secrets.injection();
    table.debug("inject::Injection", &injection);
    table.error("XtraError", &injection.apply_to(&mut Command::new("env")).unwrap_err());
    table.error("XtraError", &injection.inject().unwrap_err());
    let mut command = Command::new("env");
    let long = Secrets::from_iter([(KEY, VALUE.repeat(5_000))]);
    if let Err(error) = long.apply_to(&mut command) {
        table.error("XtraError", &error);
    }
    let report = secrets.injection().only([KEY]).apply_to(&mut command).unwrap();
    table.debug("inject::InjectionReport", &report);
    table.debug("inject::Selection", &Selection::new().only([KEY]).rename(KEY, "OTHER"));
    let client = client(server);
    let request = client.inject_secrets(ENVIRONMENT).only([KEY]);
    table.debug("Request", &request);
    table.debug("inject::Inject", &request);
    // this process has more threads than one
    let unsound = request.await.unwrap_err();
    assert_eq!(unsound.kind(), ErrorKind::UnsoundInjection);
    table.error("XtraError", &unsound);
}

/// An operation that looks at what it is carried out with.
struct Look;

impl xtrasecurity::source::Operation for Look {
    const NAME: &'static str = "look";
    type Source = xtrasecurity::xtra::Xtra;
    type Output = ();

    async fn perform(self, call: xtrasecurity::source::Call<'_, Self::Source>) -> Result<(), XtraError> {
        hides_debug("source::Call", &call);
        Ok(())
    }
}

async fn blocking_client(table: &mut Table, server: &DevServer) {
    // no value of these can exist
    table.0.extend(["blocking::Blocking", "request::Async"]);
    client(server).request(XtraScope::new(ENVIRONMENT), Look).await.unwrap();
    table.0.insert("source::Call");
    table.debug("xtra::WriteOptions", &xtrasecurity::xtra::WriteOptions::default());
    table.debug("ClientBuilder", &blocking::XtraClient::builder().token(TOKEN).api_url(URL_WITH_CREDENTIALS));
    let blocking = blocking::XtraClient::from(impatient().api_url(server.url()).cache(true).build().unwrap());
    // On a thread of its own: here, every call is refused.
    let (tell, told) = tokio::sync::oneshot::channel();
    let elsewhere = blocking.clone();
    std::thread::spawn(move || tell.send(elsewhere.get_secrets(ENVIRONMENT).send()));
    assert_eq!(told.await.unwrap().unwrap().require(KEY).unwrap().expose(), VALUE, "what was planted arrives");
    table.debug("Client", &blocking);
    let request = blocking.get_secrets(ENVIRONMENT).branch(BRANCH);
    table.debug("Request", &request);
    table.error("XtraError", &request.send().unwrap_err());
    let request = blocking.get_secrets(ENVIRONMENT).with_secret(KEY, |_| Err::<(), _>(UseError::Refused(())));
    table.debug("blocking::WithSecret", &request);
    table.debug("references::Resolve", &blocking.render(VALUE));
    table.debug("references::Resolve", &blocking.resolve_pairs([(KEY, VALUE)]));
    table.debug("blocking::Watch", &blocking.watch(ENVIRONMENT, |_| {}).unwrap());
    table.debug("request::Preload", &blocking.preload([ENVIRONMENT]).required([KEY]));
}

async fn raw_calls(table: &mut Table, server: &DevServer) {
    let client = client(server);
    let raw = client.raw();
    table.debug("xtra::raw::Client", &raw);
    let read = || raw.secrets_read().project_id(PROJECT).env(ENVIRONMENT).branch(BRANCH);
    server.fault(Fault::headers([("set-cookie", TOKEN), ("x-more", VALUE)]));
    let answer = read().send().await.unwrap();
    assert_eq!(
        (answer.header("x-more"), answer.get(KEY).and_then(raw::SecretEntry::expose)),
        (Some(VALUE), Some(VALUE))
    );
    table.debug("xtra::raw::ResponseValue", &answer);
    let header = ("set-cookie", TOKEN);
    for fault in [
        Fault::body(403, "application/json", format!(r#"{{"error":"{VALUE}"}}"#)).header(header.0, header.1),
        Fault::body(200, "text/html", VALUE).header(header.0, header.1),
        Fault::redirect(302, URL_WITH_CREDENTIALS).header(header.0, header.1),
        Fault::refuse(),
    ] {
        server.fault(fault);
        let error = read().send().await.unwrap_err();
        table.error("xtra::raw::Error", &error);
        if let Some(answer) = error.answer() {
            table.debug("http::Answer", answer);
            let response: &raw::Response = answer;
            table.debug("http::Response", response);
        }
        if let raw::Error::InvalidResponsePayload(payload) = &error {
            table.debug("xtra::raw::InvalidPayload", payload);
            table.shown("xtra::raw::PayloadProblem", &payload.problem());
        }
    }
    let missing: raw::Error<types::ApiError> = raw.jit_get().send().await.unwrap_err();
    table.error("xtra::raw::Error", &missing);
}

fn wire(table: &mut Table) {
    let json = format!("\"{VALUE}\"");
    table.debug("xtra::raw::WireSecret", &serde_json::from_str::<raw::WireSecret>(&json).unwrap());
    table.debug("xtra::raw::SecretEntry", &serde_json::from_str::<raw::SecretEntry>(&json).unwrap());
    table.debug("xtra::raw::StoredValue", &serde_json::from_str::<raw::StoredValue>(&format!("[{json}]")).unwrap());
    table.debug("xtra::raw::SecretInput", &raw::SecretInput::from(VALUE));
    table.debug("xtra::raw::FreeForm", &serde_json::from_str::<raw::FreeForm>(&format!("{{{json}:{json}}}")).unwrap());
}

async fn dev_server(table: &mut Table, server: &DevServer) {
    table.debug("dev_server::DevServer", server);
    let seen = server.requests(route::SECRETS_READ);
    assert!(seen.iter().any(|request| request.header("authorization").is_some_and(|token| token.contains("canary"))));
    table.debug("dev_server::SeenRequest", &seen);
    table.debug("dev_server::Hold", &server.hold(route::HEALTH));
    table.debug("dev_server::Fault", &Fault::body(500, VALUE, VALUE).header("x-more", VALUE));
    table.debug("dev_server::RateLimits", &dev::RateLimits::off());
    let twice = dev::DevServer::builder()
        .user(dev::UserSeed::new("ann").token(TOKEN))
        .user(dev::UserSeed::new("bob").token(TOKEN))
        .project(dev::ProjectSeed::new("web").secret(ENVIRONMENT, KEY, VALUE));
    table.debug("dev_server::DevServerBuilder", &twice);
    table.error("dev_server::DevServerError", &twice.start().await.unwrap_err());
    for text in [format!(r#"{{"users":"{VALUE}"}}"#), format!(r#"{{"{VALUE}":1}}"#), VALUE.to_owned()] {
        table.error("dev_server::DevServerError", &dev::Seed::from_json(&text).unwrap_err());
    }
    table.error("dev_server::DevServerError", &dev::Seed::from_file("/nowhere/at/all").unwrap_err());
}

fn seeds(table: &mut Table) {
    let secret = dev::SecretSeed::new(ENVIRONMENT, KEY, VALUE);
    let account = dev::ServiceAccountSeed::new("account", ["read:secrets"]).token(TOKEN);
    let user = dev::UserSeed::new("ann").token(TOKEN);
    let token = dev::TokenSeed::new("ann", TOKEN);
    let project = dev::ProjectSeed::new("web").with_secret(secret.clone()).service_account(account.clone());
    table.debug("dev_server::Seed", &dev::Seed::new().user(user.clone()).token(token.clone()).project(project.clone()));
    table.debug("dev_server::SecretSeed", &secret);
    table.debug("dev_server::ServiceAccountSeed", &account);
    table.debug("dev_server::UserSeed", &user);
    table.debug("dev_server::TokenSeed", &token);
    table.debug("dev_server::ProjectSeed", &project);
    table.debug("dev_server::BranchSeed", &dev::BranchSeed::default());
    table.debug("dev_server::GrantSeed", &dev::GrantSeed::default());
    table.debug("dev_server::LinkSeed", &dev::LinkSeed::default());
    table.debug("dev_server::WorkspaceSeed", &dev::WorkspaceSeed::default());
    table.debug("dev_server::Form", &dev::Form::Verbatim);
    table.debug("dev_server::Role", &dev::Role::Viewer);
    table.debug("dev_server::Tier", &dev::Tier::Free);
}
