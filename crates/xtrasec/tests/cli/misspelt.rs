//! Variables that hold something else than what was meant: told apart, and never silently taken.

use crate::set::fed;
use crate::world::{World, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_quotes_is_told_from_a_wrong_one_and_not_sent() {
    let world = World::new().await;
    let token = world.server.token();
    for quoted in [format!("\"{token}\""), format!("'{token}'"), format!("`{token}`"), format!("\"{token}")] {
        for arguments in [&["list", "-e", "stg"][..], &["set", "A=1", "-e", "stg"], &["run", "-e", "stg", "--", "true"]]
        {
            let ran = run(world.command(arguments).env("XTRA_TOKEN", &quoted));
            let line = ran.failure(1);
            assert!(line.contains("XTRA_TOKEN is in quotes") && !line.contains(token), "{line}");
        }
        let ran = fed(world.command(&["login"]).env_remove("XTRA_TOKEN"), quoted.as_bytes());
        assert!(ran.failure(1).contains("in quotes") && !ran.stderr().contains(token), "{}", ran.stderr());
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_variable_in_quotes_is_named() {
    let world = World::new().await;
    let url = world.server.url();
    for (name, value) in [
        ("XTRA_ENV", "\"staging\""),
        ("XTRA_BRANCH", "'main'"),
        ("XTRA_PROFILE", "\"work\""),
        ("XTRA_PROJECT_ID", "\"665f1c2ab7c0de0012345678\""),
        ("XTRA_API_URL", &format!("\"{url}\"")),
    ] {
        let mut command = world.command(&["list"]);
        let ran = run(command.env("XTRA_ENV", "staging").env(name, value));
        let line = ran.failure(ran.status());
        assert!(ran.status() != 0 && (line.contains(name) || line.contains("project id")), "{line}");
        assert!(line.contains("in quotes") || name == "XTRA_API_URL", "{line}");
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_mode_is_on_or_off_and_another_spelling_is_an_error_that_says_which() {
    let world = World::new().await;
    world.file(".env.local", "QUOTES=local\n");
    for value in ["1", "TRUE", "True", "yes", "on", "\"true\"", " true", "local"] {
        for arguments in [
            &["get", "QUOTES", "-e", "stg", "--show"][..],
            &["run", "-e", "stg", "--", "touch", "ran"],
            &["set", "A=1", "-e", "stg"],
            &["render", ".env.local"],
            &["login"],
        ] {
            let ran = run(world.command(arguments).env("XTRA_LOCAL_MODE", value));
            let line = ran.failure(1);
            assert!(line.contains("XTRA_LOCAL_MODE=true") && line.contains("Unset"), "{value} {arguments:?}: {line}");
        }
        let doctor = run(world.command(&["doctor"]).env("XTRA_LOCAL_MODE", value));
        assert!(doctor.status() == 1 && doctor.stdout().contains("XTRA_LOCAL_MODE"), "{}", doctor.stdout());
    }
    assert!(!world.path("ran").exists());
    let get = |value: &str| {
        run(world.command(&["get", "QUOTES", "-e", "stg", "--show"]).env("XTRA_LOCAL_MODE", value)).stdout().to_owned()
    };
    assert_eq!(get("true"), "local");
    for value in ["", "false", "False", "0", "no", "off"] {
        assert_eq!(get(value), "other", "{value:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_token_does_not_go_to_a_host_that_only_a_file_of_the_directory_names() {
    let world = World::new().await;
    std::fs::create_dir(world.path(".xtra")).unwrap();
    world.file(".xtrarc", &serde_json::json!({ "env": "stg", "apiUrl": world.server.url() }).to_string());
    let list = || {
        let mut command = world.command(&["list"]);
        command.env_remove("XTRA_API_URL");
        command
    };
    assert!(run(&mut list()).failure(1).contains(".xtrarc"), "a token of a variable");
    world.file(".xtra/config.json", &serde_json::json!({ "token": world.server.token() }).to_string());
    let ran = run(list().env_remove("XTRA_TOKEN"));
    let line = ran.failure(1);
    assert!(line.contains("XTRA_API_URL") && line.contains("--api-url") && line.contains("login"), "{line}");
    assert_eq!(world.server.total_requests(), 0);
    assert!(run(list().env("XTRA_API_URL", world.server.url())).success().contains("QUOTES"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_or_a_file_of_certificates_at_fault_is_named_in_words_that_can_be_typed() {
    let world = World::new().await;
    let list = |variables: &[(&str, &str)]| {
        let mut command = world.command(&["list", "-e", "stg"]);
        let ran = run(command.env("XTRA_API_URL", "https://name.invalid/api").envs(variables.iter().copied()));
        let line = ran.failure(ran.status()).to_owned();
        assert!(ran.status() != 0 && !line.contains("canary") && !line.contains("add_root_certificate"), "{line}");
        line
    };
    assert!(
        list(&[("HTTPS_PROXY", "http://canary:canary@127.0.0.1:1")]).contains("refused by the proxy at 127.0.0.1:1")
    );
    let line = list(&[("HTTPS_PROXY", "http://proxy.invalid:3128")]);
    assert!(line.contains("the proxy, proxy.invalid:3128, could not be resolved"), "{line}");
    for value in ["::::", "htp://127.0.0.1:1"] {
        assert!(list(&[("HTTPS_PROXY", value)]).contains("HTTPS_PROXY"));
    }
    assert!(list(&[("SSL_CERT_FILE", "/nonexistent")]).contains("SSL_CERT_FILE"));
    world.file("no.pem", "canary");
    assert!(list(&[("SSL_CERT_FILE", world.path("no.pem").to_str().unwrap())]).contains("SSL_CERT_FILE"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut connections = 0;
        while let Ok((mut stream, _)) = listener.accept() {
            let mut request = [0; 4096];
            let Ok(1..) = stream.read(&mut request) else { return connections };
            connections += 1;
            let _ = stream.write_all(b"HTTP/1.1 407 no\r\nContent-Length: 0\r\n\r\n");
        }
        connections
    });
    let line = list(&[("HTTPS_PROXY", &format!("http://canary:canary@{address}"))]);
    assert!(line.contains("407") && line.contains("demands credentials"), "{line}");
    drop(std::net::TcpStream::connect(address).unwrap());
    assert_eq!(proxy.join().unwrap(), 1, "the same password is offered once");
}
