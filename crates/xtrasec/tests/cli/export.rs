//! `xtrasec export`: each form read back by somebody else, and files that are safe.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use xtrasecurity::Secrets;

use crate::world::{NASTY, Ran, World, mode, nasty, recorded, run};

/// Those of the values that the form can hold; the command must name the others.
type Values = BTreeMap<String, String>;

fn export(world: &World, environment: &str, format: &str, options: &[&str]) -> Ran {
    world.run(&[&["export", "-e", environment, "--format", format], options].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn dotenv_reads_back_and_names_what_it_cannot_hold() {
    let world = World::new().await;
    let refused = export(&world, "prod", "dotenv", &[]);
    let unfit: Vec<&str> =
        NASTY.iter().map(|(name, _)| *name).filter(|name| refused.failure(1).contains(name)).collect();
    assert!(!unfit.is_empty() && unfit.len() < 4, "{unfit:?}");
    let ran = export(&world, "prod", "dotenv", &["--exclude", &unfit.join(",")]);
    assert_eq!(ran.status(), 0, "{}", ran.stderr());
    let read = Secrets::from_dotenv(ran.stdout()).unwrap();
    assert_eq!(read.len(), NASTY.len() - unfit.len());
    for (name, value) in NASTY.iter().filter(|(name, _)| !unfit.contains(name)) {
        assert_eq!(read.require(name).unwrap().expose(), *value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_sources_a_dotenv_file_runs_nothing_and_reads_all_that_no_warning_names() {
    let world = World::new().await;
    let values = [
        ("APOSTROPHE", "it's"),
        ("COMMAND", "touch F #it's"),
        ("DIRECTORY", "C:\\dir\\"),
        ("JSON", "{\"a\":\"it's\"}"),
        ("LAST", "z"),
        ("PLACEHOLDER", "${HOME} `touch F` $(touch F)"),
    ];
    for (name, value) in values {
        world.server.set_secret("shop", "qa", "main", name, value).unwrap();
    }
    let ran = export(&world, "qa", "dotenv", &["--output", "env"]);
    assert_eq!((ran.status(), ran.stdout()), (0, ""));
    let told: Vec<&str> = ran.stderr().lines().collect();
    let [shell, python, dotenvy] = told[..] else { panic!("{told:?}") };
    assert!(shell.contains(r#"a shell reads other values for these: "DIRECTORY", "JSON"."#), "{shell}");
    assert!(python.ends_with(r#"python-dotenv reads other values for these: "PLACEHOLDER""#), "{python}");
    assert!(dotenvy.ends_with(r#": "DIRECTORY", "JSON""#), "{dotenvy}");
    let print = values.map(|(name, _)| format!("printf '%s\\0' \"${name}\"; ")).concat();
    let sourced = run(Command::new("sh").args(["-c", &format!(". ./env; {print}")]).current_dir(world.home.path()));
    let read: Vec<&str> = sourced.success().split_terminator('\0').collect();
    for ((name, value), read) in values.into_iter().zip(read) {
        assert!(read == value || shell.contains(&format!("\"{name}\"")), "{name}: {read}");
    }
    assert_eq!(beside(world.home.path()), ["env"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_gets_every_value_bare_and_values_of_several_lines_are_refused_by_name() {
    let world = World::new().await;
    let refused = export(&world, "prod", "docker", &["--output", "env"]);
    let unfit = ["CRLF", "EVERY_QUOTE", "HEREDOC", "LINES"];
    let quoted = unfit.map(|name| format!("\"{name}\"")).join(", ");
    assert!(refused.failure(1).contains(&format!("these secrets: {quoted}. ")), "{}", refused.stderr());
    assert!(refused.stderr().contains("Nothing was written") && !world.path("env").exists());
    let ran = export(&world, "prod", "docker", &["--exclude", &unfit.join(",")]);
    let fitting = NASTY.iter().filter(|(name, _)| !unfit.contains(name));
    assert_eq!(ran.success(), fitting.map(|(name, value)| format!("{name}={value}\n")).collect::<String>());
    assert!(export(&world, "odd", "docker", &[]).failure(1).contains("\"weird/key name\""));
    assert!(export(&world, "hostile", "docker", &[]).failure(1).contains("LD_PRELOAD"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_short_for_a_mask_is_told_by_name() {
    let world = World::new().await;
    world.server.set_secret("shop", "qa", "main", "PIN", "731").unwrap();
    world.server.set_secret("shop", "qa", "main", "SA", "{\n  \"type\": \"x\"\n}").unwrap();
    let ran = export(&world, "qa", "github", &["--output", "env"]);
    assert_eq!((ran.status(), ran.stdout()), (0, "::add-mask::  \"type\": \"x\"\n"));
    assert_eq!(ran.one_line(), r#"too short to be masked in the log: "PIN""#);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_reads_back() {
    let world = World::new().await;
    for (environment, expected) in [("prod", nasty()), ("dev", recorded())] {
        let read: Values = serde_json::from_str(export(&world, environment, "json", &[]).success()).unwrap();
        assert!(read == expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn yaml_reads_back_as_texts_and_has_no_character_that_a_reader_refuses() {
    let world = World::new().await;
    for (environment, expected) in [("prod", nasty()), ("dev", recorded())] {
        let ran = export(&world, environment, "yaml", &[]);
        let mut read = Values::new();
        for line in ran.success().lines() {
            // JSON is YAML, and what stands between braces needs no more than these lines.
            read.extend(serde_json::from_str::<Values>(&format!("{{{line}}}")).unwrap());
        }
        assert!(read == expected);
        let refused = |character: char| {
            (character.is_control() && character != '\n') || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
        };
        assert!(!ran.success().contains(refused));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_that_reads_the_script_has_every_value_and_runs_nothing() {
    let world = World::new().await;
    let script = world.path("script");
    fs::write(&script, export(&world, "prod", "shell", &[]).success()).unwrap();
    for (name, value) in NASTY {
        let print = format!(". ./script; printf %s \"${name}\"; env | grep -c '^{name}=' >&2");
        let ran = run(Command::new("sh").args(["-c", &print]).current_dir(world.home.path()));
        assert_eq!((ran.stdout(), ran.stderr()), (*value, "1\n"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_variables_or_steer_programs_are_refused_where_variables_are_set() {
    let world = World::new().await;
    for format in ["shell", "github"] {
        let output = world.path(format);
        let to_file = ["--output", output.to_str().unwrap()];
        assert!(export(&world, "odd", format, &to_file).failure(1).contains("\"weird/key name\""));
        let hostile = export(&world, "hostile", format, &to_file);
        assert!(hostile.failure(1).contains("LD_PRELOAD") && hostile.stderr().contains("PAGER"));
        assert!(!output.exists());
        let allowed = [&to_file[..], &["--exclude", "LD_PRELOAD", "--allow-name", "PAGER"]].concat();
        assert_eq!(export(&world, "hostile", format, &allowed).status(), 0);
        assert!(fs::read_to_string(output).unwrap().contains("PAGER"));
    }
}

/// What the runner of GitHub makes of an environment file.
fn runner_reads(text: &str) -> Values {
    let mut read = Values::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let (name, end) = line.trim_end_matches('\n').split_once("<<").unwrap();
        let mut value = String::new();
        loop {
            let line = lines.next().unwrap();
            if line.trim_end_matches('\n') == end {
                break;
            }
            value.push_str(line);
        }
        assert_eq!(value.pop(), Some('\n'));
        read.insert(name.to_owned(), value);
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn github_gets_its_variables_appended_and_every_line_masked() {
    let world = World::new().await;
    // Whoever wrote before has left the line without its end.
    let file = world.file("github_env", "BEFORE<<x\nkept\nx");
    let ran = export(&world, "prod", "github", &["--output", "github_env"]);
    let mut expected = nasty();
    expected.insert("BEFORE".to_owned(), "kept".to_owned());
    assert_eq!(runner_reads(&fs::read_to_string(&file).unwrap()), expected);
    let masked: Vec<String> = ran
        .success()
        .split_terminator('\n')
        .map(|line| line.strip_prefix("::add-mask::").unwrap().replace("%25", "%"))
        .collect();
    for value in nasty().values() {
        for line in value.split(['\n', '\r']).filter(|line| !line.trim().is_empty()) {
            assert_eq!(masked.iter().any(|mask| mask == line), line.len() >= 4, "{line:?}");
        }
    }
    assert!(export(&world, "prod", "github", &[]).failure(2).contains("$GITHUB_ENV"));
    assert!(export(&world, "prod", "github", &["--output", "github_env", "--force"]).failure(2).contains("--force"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_github_variable_has_an_end_of_its_own_that_differs_each_time() {
    let world = World::new().await;
    for _ in 0..2 {
        assert_eq!(export(&world, "stg", "github", &["--output", "env"]).status(), 0);
    }
    let text = fs::read_to_string(world.path("env")).unwrap();
    let ends: std::collections::BTreeSet<_> = text.lines().filter_map(|line| line.split_once("<<")).collect();
    assert_eq!(ends.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_for_its_owner_alone_and_is_not_replaced_unasked() {
    let world = World::new().await;
    let path = world.path(".env");
    let to_file = |environment: &str, options: &[&str]| {
        export(&world, environment, "json", &[&["--output", ".env"], options].concat())
    };
    assert_eq!(to_file("stg", &[]).success(), "");
    assert_eq!(mode(&path), 0o600);
    let before = fs::read(&path).unwrap();
    assert!(to_file("dev", &[]).failure(1).contains("--force"));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    to_file("dev", &["--force"]).success();
    assert_eq!(mode(&path), 0o600);
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(beside(world.home.path()), [".env"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_taken_is_refused_before_the_service_is_asked() {
    let world = World::new().await;
    world.file("taken", "mine");
    fs::create_dir(world.path("directory")).unwrap();
    world.file("template", "{{ xtra:///staging/QUOTES }}");
    for command in [&["export", "-e", "stg"][..], &["render", "template"]] {
        let to = |output: &[&str]| world.run(&[command, &["--output"], output].concat());
        assert!(to(&["taken"]).failure(1).contains("--force"));
        for output in [&["directory"][..], &["directory", "--force"], &["/dev/null", "--force"]] {
            let refused = to(output);
            let line = refused.failure(1);
            assert!(line.contains("no regular file") && !line.contains("--force"), "{line}");
        }
    }
    assert_eq!(world.server.total_requests(), 0);
    assert_eq!(fs::read_to_string(world.path("taken")).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dash_is_standard_output() {
    let world = World::new().await;
    let options = ["--only", "QUOTES", "--output", "-"];
    assert_eq!(export(&world, "stg", "dotenv", &options).success(), "QUOTES=other\n");
    assert!(export(&world, "stg", "github", &options).failure(2).contains("$GITHUB_ENV"));
    assert!(beside(world.home.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_no_file() {
    let world = World::new().await;
    assert!(export(&world, "nowhere", "json", &["--output", "out"]).failure(1).contains("--allow-empty"));
    assert!(export(&world, "broken", "json", &["--output", "out"]).failure(1).contains("LOST"));
    export(&world, "stg", "json", &["--output", "no/such/out"]).failure(1);
    assert!(beside(world.home.path()).is_empty());
    for (format, empty) in [("json", "{}\n"), ("yaml", "{}\n"), ("dotenv", ""), ("shell", "")] {
        assert_eq!(export(&world, "nowhere", format, &["--allow-empty"]).success(), empty);
    }
}

fn beside(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
