//! The promise that a token goes only to a base URL that its giver named.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::credentials::{ChainPosition, StaticToken};
use crate::{XtraClient, XtraClientBuilder};

/// A user's home and a directory that a program works in.
struct World {
    home: TempDir,
    working: TempDir,
}

const USER: &str = ".xtra/config.json";
const VENDOR: &str = ".config/xtra-cli-nodejs/config.json";
const TOKEN: &[(&str, &str)] = &[("XTRA_TOKEN", "t")];
const ATTACKER: &str = "https://attacker.example";

impl World {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), working: tempfile::tempdir().unwrap() }
    }

    fn user(self, file: &str, content: &str) -> Self {
        put(&self.home.path().join(file), content);
        self
    }

    fn rc(self, url: &str) -> Self {
        put(&self.working.path().join(".xtrarc"), &serde_json::json!({ "apiUrl": url }).to_string());
        self
    }

    fn env(&self, variables: &[(&str, &str)]) -> ProcessEnv {
        ProcessEnv::of(variables).with_home(self.home.path()).with_working_dir(self.working.path())
    }

    /// The base URL that a client would use; the builder and its explanation agree on it.
    fn base(&self, builder: fn() -> XtraClientBuilder, variables: &[(&str, &str)]) -> Result<String, String> {
        let env = self.env(variables);
        let configuration = builder().explain_in(&env);
        let setting = configuration.get("api_url").unwrap();
        let built = builder().build_in(&env);
        match setting.problem() {
            Some(problem) => {
                let error = built.unwrap_err();
                assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, problem.to_string()));
                Err(problem.to_string())
            }
            None => {
                built.unwrap();
                Ok(setting.shown().unwrap().to_owned())
            }
        }
    }

    fn default_base(&self, variables: &[(&str, &str)]) -> Result<String, String> {
        self.base(XtraClient::builder, variables)
    }
}

fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[test]
fn a_file_of_the_working_directory_cannot_name_an_origin_of_its_own() {
    for url in [
        "https://attacker.example/api",
        "https://user:hunter2@attacker.example/hunter2/api?token=hunter2#hunter2",
        "https://www.xtrasecurity.in@attacker.example/api",
        "https://www.xtrasecurity.in:443@attacker.example:443/api",
        "https:\\\\attacker.example\\api",
        " https://ATTACKER.example/api ",
    ] {
        for variables in [TOKEN, &[("XTRA_MACHINE_TOKEN", "t")], &[("XTRA_TOKEN", "t"), ("XTRA_API_URL", "")]] {
            let error = World::new().rc(url).default_base(variables).unwrap_err();
            for part in [".xtrarc", ATTACKER, "export XTRA_API_URL=…", "CI", "xtrasec login --api-url …"] {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert!(!error.contains("hunter2") && !error.contains("/api ") && !error.contains("user:"), "{error}");
        }
    }
}

#[test]
fn what_only_looks_like_the_default_origin_is_refused_and_loopback_is_no_exception() {
    for url in [
        "http://www.xtrasecurity.in/api",
        "https://www.xtrasecurity.in:8443/api",
        "https://xtrasecurity.in/api",
        "https://www.xtrasecurity.in./api",
        "https://www.xtrasecurity.in.attacker.example/api",
        "https://www.xtrasecur\u{131}ty.in/api",
        "https://xtra-security.vercel.app/api",
        "http://127.0.0.1:4000/api",
        "http://localhost:4000/api",
        "http://[::1]:4000/api",
        "ftp://www.xtrasecurity.in/api",
        "www.xtrasecurity.in/api",
        "file:///api",
    ] {
        assert!(World::new().rc(url).default_base(TOKEN).unwrap_err().contains(".xtrarc"), "{url}");
    }
}

#[test]
fn it_may_choose_among_the_origins_that_are_known_and_their_paths() {
    for (url, base) in [
        ("https://www.xtrasecurity.in/api", DEFAULT_API_URL),
        ("https://WWW.XtraSecurity.IN:443/api/", DEFAULT_API_URL),
        ("https://www.xtrasecurity.in/v2/api", "https://www.xtrasecurity.in/v2/api"),
    ] {
        assert_eq!(World::new().rc(url).default_base(TOKEN), ok(base));
    }
    let own = r#"{"apiUrl":"https://own.example:8443/api"}"#;
    let world = World::new().user(USER, own).rc("https://own.example:8443/team/api");
    assert_eq!(world.default_base(TOKEN), ok("https://own.example:8443/team/api"));
    assert!(World::new().user(USER, own).rc("https://own.example/api").default_base(TOKEN).is_err());
    // a good origin does not make a good root, and the error tells where it is
    let error = World::new().rc("https://www.xtrasecurity.in/hunter2").default_base(TOKEN).unwrap_err();
    assert!(error.contains(".xtrarc") && !error.contains("hunter2"), "{error}");
}

#[test]
fn what_the_user_or_the_program_names_is_used_and_the_file_is_not_looked_at() {
    let world = World::new().rc(ATTACKER);
    let variables = [("XTRA_TOKEN", "t"), ("XTRA_API_URL", "https://own.example/api")];
    assert_eq!(world.default_base(&variables), ok("https://own.example/api"));
    let option = || XtraClient::builder().api_url("https://own.example/api");
    assert_eq!(world.base(option, TOKEN), ok("https://own.example/api"));
    let variables = [("XTRA_TOKEN", "t"), ("XTRA_API_URL", "https://other.example/api")];
    assert_eq!(world.base(option, &variables), ok("https://own.example/api"));
}

#[test]
fn a_token_of_the_program_does_not_follow_the_file_either() {
    let world = World::new().rc("https://attacker.example/api");
    assert!(world.base(|| XtraClient::builder().token("t"), &[]).is_err());
    let provider = || Arc::new(StaticToken::new("t").unwrap());
    for place in [ChainPosition::First, ChainPosition::AfterEnvironment, ChainPosition::Last] {
        let builder = XtraClient::builder().credentials(place, provider());
        assert!(builder.build_in(&world.env(&[])).is_err(), "{place:?}");
    }
}

#[test]
fn a_stored_token_goes_where_its_login_was_and_no_file_sends_it_elsewhere() {
    let recorded = r#"{"token":"t","apiUrl":"https://own.example/api"}"#;
    for store in [USER, VENDOR] {
        assert_eq!(World::new().user(store, recorded).default_base(&[]), ok("https://own.example/api"));
        assert_eq!(World::new().user(store, r#"{"token":"t"}"#).default_base(&[]), ok(DEFAULT_API_URL));
        assert_eq!(World::new().user(store, r#"{"token":"t","apiUrl":""}"#).default_base(&[]), ok(DEFAULT_API_URL));
        let same = World::new().user(store, recorded).rc("https://own.example/api");
        assert_eq!(same.default_base(&[]), ok("https://own.example/api"));
        let error =
            World::new().user(store, recorded).rc("https://attacker.example/api").default_base(&[]).unwrap_err();
        assert!(error.contains(ATTACKER), "{error}");
        let bad = World::new().user(store, r#"{"token":"t","apiUrl":"http://hunter2.example/api"}"#);
        let error = bad.default_base(&[]).unwrap_err();
        assert!(error.contains("config.json") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_is_recorded_beside_a_token_is_not_for_tokens_of_other_places() {
    let recorded = r#"{"token":"t","apiUrl":"https://own.example/api"}"#;
    let world = World::new().user(USER, recorded);
    assert_eq!(world.default_base(TOKEN), ok(DEFAULT_API_URL));
    assert_eq!(world.base(|| XtraClient::builder().token("t"), &[]), ok(DEFAULT_API_URL));
    // a setting without a token beside it is for all of them, except for those of a store, which has its own
    let world = World::new().user(USER, r#"{"apiUrl":"https://own.example/api"}"#);
    assert_eq!(world.default_base(TOKEN), ok("https://own.example/api"));
    assert_eq!(world.base(|| XtraClient::builder().token("t"), &[]), ok("https://own.example/api"));
    assert_eq!(world.user(VENDOR, r#"{"token":"t"}"#).default_base(&[]), ok(DEFAULT_API_URL));
    // the vendor's store speaks for its own token only
    let world = World::new().user(VENDOR, recorded).rc("https://own.example/api");
    assert!(world.default_base(TOKEN).is_err());
}

#[test]
fn a_users_file_that_cannot_be_used_names_nothing() {
    for content in ["{", "[]", r#"{"apiUrl":5}"#, r#"{"apiUrl":["https://attacker.example/api"]}"#] {
        assert_eq!(World::new().user(USER, content).default_base(TOKEN), ok(DEFAULT_API_URL));
        assert!(World::new().user(USER, content).rc("https://attacker.example/api").default_base(TOKEN).is_err());
    }
}

#[test]
fn a_very_long_host_is_cut() {
    let url = format!("https://{}.example/api", "a".repeat(10_000));
    assert!(World::new().rc(&url).default_base(TOKEN).unwrap_err().len() < 1000);
}

#[test]
fn in_local_mode_nothing_is_sent_and_no_url_is_refused() {
    let world = World::new().rc("https://attacker.example/api");
    let env = world.env(&[("XTRA_LOCAL_MODE", "true")]);
    assert!(XtraClient::builder().build_in(&env).is_ok());
}
