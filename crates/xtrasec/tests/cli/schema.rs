//! `xtrasec check` and `xtrasec example`: what a program needs, by its schema.

use serde_json::{Value, json};

use crate::world::World;

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "QUOTES": { "type": "string", "description": "Two kinds of them." },
        "EMPTY": { "type": "integer", "description": "A number." },
        "PORT": { "type": "integer", "description": "The port to listen on." }
    },
    "required": ["QUOTES", "EMPTY", "PORT"]
}"#;

const FITTING: &str =
    r#"{ "type": "object", "properties": { "QUOTES": { "type": "string" } }, "required": ["QUOTES"] }"#;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_does_not_fit_is_listed_by_name_and_is_status_one() {
    let world = World::new().await;
    world.file("schema.json", SCHEMA);
    let ran = world.run(&["check", "--schema", "schema.json", "-e", "stg"]);
    assert_eq!((ran.status(), ran.stderr()), (1, ""), "{}", ran.stdout());
    let begins = |start: &str| ran.stdout().lines().any(|line| line.starts_with(start));
    assert!(begins("missing     PORT ") && begins("invalid     EMPTY "), "{}", ran.stdout());
    assert!(begins("unexpected  EQUALS ") && begins("unexpected  STAGING_ONLY "), "{}", ran.stdout());
    assert!(begins("the secrets do not fit the schema: 1 missing, 1 invalid, 2 unexpected"), "{}", ran.stdout());
    assert!(ran.stdout().contains("The port to listen on"), "{}", ran.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_does_not_know_is_wrong_only_when_asked() {
    let world = World::new().await;
    world.file("schema.json", FITTING);
    let check = ["check", "--schema", "schema.json", "-e", "stg"];
    assert!(world.run(&check).success().ends_with("the secrets fit the schema: 0 missing, 0 invalid, 3 unexpected\n"));
    let denied = world.run(&[&check[..], &["--deny-unexpected"]].concat());
    assert_eq!((denied.status(), denied.stderr()), (1, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_has_the_same_in_three_lists() {
    let world = World::new().await;
    world.file("schema.json", SCHEMA);
    let ran = world.run(&["check", "--schema", "schema.json", "-e", "stg", "--json"]);
    let report: Value = serde_json::from_str(ran.stdout()).unwrap();
    assert_eq!((ran.status(), &report["valid"]), (1, &json!(false)));
    let names =
        |part: &str| report[part].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names("missing"), ["PORT"]);
    assert_eq!(names("invalid"), ["EMPTY"]);
    assert_eq!(names("unexpected"), ["EQUALS", "STAGING_ONLY"]);
    assert_eq!(report["missing"][0]["problem"], "is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_does_not_fit() {
    let world = World::new().await;
    world.file(
        "schema.json",
        r#"{ "type": "object", "properties": { "LOST": { "type": "string" } }, "required": ["LOST"] }"#,
    );
    let ran = world.run(&["check", "--schema", "schema.json", "-e", "broken"]);
    assert!(ran.status() == 1 && ran.stdout().contains("LOST"), "{} {}", ran.stdout(), ran.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_without_secrets_does_not_pass_as_one_that_fits() {
    let world = World::new().await;
    world.file("schema.json", r#"{ "type": "object", "properties": { "QUOTES": { "type": "string" } } }"#);
    let check = ["check", "--schema", "schema.json", "-e", "producton", "--json"];
    let mistyped = world.run(&check);
    let line = mistyped.one_line();
    assert!(line.contains("producton holds no secrets") && line.contains("--allow-empty"), "{line}");
    let report: Value = serde_json::from_str(mistyped.stdout()).unwrap();
    assert_eq!((mistyped.status(), &report["valid"]), (1, &json!(false)));
    let allowed = world.run(&[&check[..], &["--allow-empty"]].concat());
    let report: Value = serde_json::from_str(allowed.stdout()).unwrap();
    assert_eq!((allowed.status(), &report["valid"]), (0, &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_cannot_be_used_is_one_line_and_nothing_is_sent() {
    let world = World::new().await;
    world.file("no-json", "{\n\"type\": hunter2");
    world.file("no-schema", r#"{ "type": 7 }"#);
    for file in ["no-json", "no-schema", "no-such-file"] {
        let check = world.run(&["check", "--schema", file, "-e", "stg"]);
        assert!(
            check.failure(1).matches(file).count() == 1 && !check.stderr().contains("hunter2"),
            "{}",
            check.stderr()
        );
        world.run(&["example", "--schema", file]).failure(1);
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_file_tells_which_defaults_some_readers_misread_and_which_are_left_out() {
    let world = World::new().await;
    world.file(
        "schema.json",
        r#"{ "type": "object", "properties": {
            "DIR": { "type": "string", "default": "C:\\dir\\" },
            "NOTE": { "type": "string", "default": "it's" },
            "TEXT": { "type": "string", "default": "a\nb" }
        } }"#,
    );
    let ran = world.run(&["example", "--schema", "schema.json"]);
    let told: Vec<&str> = ran.stderr().lines().collect();
    let [shell, dotenvy, left_out] = told[..] else { panic!("{told:?}") };
    assert!(shell.contains(r#"a shell reads other values for these: "DIR"."#), "{shell}");
    assert!(dotenvy.contains("dotenvy") && dotenvy.ends_with("\"DIR\""), "{dotenvy}");
    assert!(left_out.ends_with("left out: \"TEXT\""), "{left_out}");
    for line in ["# DIR=C:\\dir\\\n#\n", "# NOTE=\"it's\"\n", "# TEXT=\n"] {
        assert!(ran.stdout().contains(line), "{line}: {}", ran.stdout());
    }
    assert!(world.run(&["example", "--schema", "schema.json", "--format", "json-schema"]).success().contains("DIR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_file_names_every_setting_and_asks_no_service() {
    let world = World::new().await;
    world.file("schema.json", SCHEMA);
    let example = world.run(&["example", "--schema", "schema.json"]);
    for text in ["QUOTES=", "EMPTY=", "PORT=", "The port to listen on"] {
        assert!(example.success().contains(text), "{text}: {}", example.stdout());
    }
    let schema = world.run(&["example", "--schema", "schema.json", "--format", "json-schema"]);
    let schema: Value = serde_json::from_str(schema.success()).unwrap();
    assert_eq!(schema["properties"]["PORT"]["type"], "integer");
    assert_eq!(world.server.total_requests(), 0);
}
