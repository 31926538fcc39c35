//! `import`: the forms that files have, the plan, and what is written.

use xtrasecurity::dev_server::{Fault, route};

use crate::set::fed;
use crate::world::{World, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_what_would_be_done_and_without_yes_or_somebody_to_ask_nothing_is_done() {
    let world = World::new().await;
    world.file(".env.staging", "EMPTY=\nNEW=canary\nQUOTES='canary 2'\n");
    let plan = "+ NEW\n~ QUOTES\n1 to create, 1 to update, 1 unchanged in staging (branch main)\n";
    let ran = world.run(&["import", ".env.staging", "-e", "stg"]);
    let line = ran.failure(2);
    assert!(line.contains("--yes") && line.contains("--dry-run") && line.contains("Nothing was"), "{line}");
    assert_eq!(world.server.total_requests(), 0);
    assert_eq!(world.run(&["import", ".env.staging", "-e", "stg", "--dry-run"]).success(), plan);
    let ran = world.run(&["import", ".env.staging", "-e", "stg", "--dry-run", "--verbose"]);
    assert_eq!(ran.success(), plan.replace("1 to create", "= EMPTY\n1 to create"));
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
    assert_eq!(world.run(&["import", ".env.staging", "-e", "stg", "--dry-run", "--yes"]).status(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_yes_it_is_written_and_counted_and_what_is_equal_gets_no_new_version() {
    let world = World::new().await;
    world.file(".env.staging", "EMPTY=\nNEW=n\nQUOTES=q\n");
    let import = ["import", ".env.staging", "-e", "stg", "--yes", "--verify"];
    let ran = world.run(&import);
    let text = ran.success();
    assert!(text.contains("written 2 of 2 in ") && text.ends_with("1 created, 1 updated\n"), "{text}");
    let version = |name| world.server.secret_version("shop", "staging", "main", name).unwrap();
    assert_eq!(["EMPTY", "NEW", "QUOTES"].map(version), ["1", "1", "2"]);
    assert_eq!(world.server.secret("shop", "staging", "main", "STAGING_ONLY").as_deref(), Some("s"));
    assert_eq!(world.run(&import).success(), "0 to create, 0 to update, 3 unchanged in staging (branch main)\n");
    assert_eq!(["EMPTY", "NEW", "QUOTES"].map(version), ["1", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_that_is_exported_is_imported_exactly() {
    let world = World::new().await;
    for format in ["json", "yaml"] {
        let exported = world.run(&["export", "-e", "prod", "--format", format]);
        let environment = format!("copy-{format}");
        let mut import = world.command(&["import", "-", "--format", format, "-e", &environment, "--yes"]);
        fed(&mut import, exported.success().as_bytes()).success();
        let copied = world.run(&["export", "-e", &environment, "--format", format]);
        assert_eq!(copied.success(), exported.stdout());
    }
    // a .env file cannot hold this name
    let exported = world.run(&["export", "-e", "dev", "--exclude", "weird/key name"]);
    assert_eq!(exported.status(), 0, "{}", exported.stderr());
    fed(&mut world.command(&["import", "-", "-e", "copy", "--yes"]), exported.stdout().as_bytes()).success();
    let copied = world.run(&["export", "-e", "copy"]);
    assert_eq!((copied.stdout(), copied.stderr()), (exported.stdout(), exported.stderr()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused_by_name_and_nothing_is_quoted() {
    let world = World::new().await;
    for (name, content, told) in [
        (
            "numbers.json",
            r#"{"A":"canary","PORT":5432,"ON":true,"NONE":null,"LIST":["canary"]}"#,
            "line 1: the value of \"PORT\" is not a string",
        ),
        (
            "numbers.yaml",
            "A: canary\nPORT: 5432\nON_: yes\nLIST: [canary]\n",
            "line 4: the value of \"LIST\" is not a string",
        ),
        ("twice.json", r#"{"A":"canary","A":"canary"}"#, "\"A\" is given in line 1 already"),
        ("twice.yml", "A: canary\nA: canary\n", "line 2: \"A\" is given in line 1 already"),
        ("broken.json", "{\"A\":\"canary\"\n,,}", "line 2"),
        ("broken.yaml", "A: canary\n B: canary\n", "line 2"),
        ("list.json", "[\"canary\"]", "no object"),
        ("nothing.json", "\u{feff} \r\n", "no secrets"),
        ("list.yaml", "- canary\n", "no mapping"),
        ("broken.env", "A=1\ncanary\n", "line 2"),
        ("comment.env", "# canary\n", "no secrets"),
        ("masked.env", "A=***\nB=1\n", "\"A\""),
    ] {
        world.file(name, content);
        let ran = world.run(&["import", name, "-e", "stg", "--yes"]);
        let line = ran.failure(ran.status());
        assert!(ran.status() != 0 && line.contains(told) && !line.contains("canary"), "{name}: {line}");
    }
    world.file("secrets.txt", "A=1\n");
    assert!(world.run(&["import", "secrets.txt", "-e", "stg"]).failure(2).contains("--format"));
    assert!(world.run(&["import", "none.env", "-e", "stg"]).failure(1).contains("none.env"));
    let piped = fed(&mut world.command(&["import", "-", "-e", "stg", "--yes"]), b"{\"A\":\"canary\"}");
    assert!(piped.failure(1).contains("Add --format") && !piped.stderr().contains("canary"));
    world.run(&["import", "secrets.txt", "--format", "dotenv", "-e", "stg", "--dry-run"]).success();
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_shows_its_plan_in_a_dry_run_and_is_written_with_yes() {
    let world = World::new().await;
    world.file("new.env", "NEW=1\n");
    assert!(world.run(&["import", "new.env", "-e", "prod", "--dry-run"]).success().starts_with("+ NEW\n1 to create"));
    assert_eq!(world.server.secret("shop", "production", "main", "NEW"), None);
    world.run(&["import", "new.env", "-e", "prod", "--yes"]).success();
    assert_eq!(world.server.secret("shop", "production", "main", "NEW").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_is_replaced() {
    let world = World::new().await;
    world.file("lost.env", "LOST=found\nGOOD=g\n");
    let ran = world.run(&["import", "lost.env", "-e", "broken", "--yes"]);
    assert!(ran.success().contains("~ LOST\n0 to create, 1 to update, 1 unchanged"), "{}", ran.stdout());
    assert_eq!(world.run(&["get", "LOST", "--show", "-e", "broken"]).success(), "found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_tells_how_far_it_came_and_the_same_command_goes_on() {
    let world = World::new().await;
    let lines: String = (0..500).map(|number| format!("K{number:03}=v{number}\n")).collect();
    world.file("many.env", &lines);
    let import = ["import", "many.env", "-e", "qa", "--yes"];
    // the first of three requests is answered
    world.server.fault(Fault::headers([("x-fine", "1")]).on(route::SECRETS_UPSERT));
    world.server.fault(Fault::status(500).on(route::SECRETS_UPSERT));
    let ran = world.run(&import);
    assert_eq!(ran.status(), 3, "what became of the second request is not known");
    let line = ran.one_line();
    assert!(line.contains("200 of 500 secrets are written") && line.contains("Start the same import again"), "{line}");
    let ran = world.run(&import);
    assert!(ran.success().contains("300 to create, 0 to update, 200 unchanged"), "{}", ran.stdout());
    assert!(ran.stdout().contains("written 300 of 300 in "), "{}", ran.stdout());
    for number in 0..500 {
        let name = format!("K{number:03}");
        assert_eq!(world.server.secret("shop", "qa", "main", &name), Some(format!("v{number}")));
        assert_eq!(world.server.secret_version("shop", "qa", "main", &name).as_deref(), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_before_the_first_secret_says_that_nothing_was_written() {
    let world = World::new().await;
    world.file("new.env", "NEW=1\n");
    let import = ["import", "new.env", "-e", "stg", "--yes"];
    let mut viewer = world.command(&import);
    let ran = run(viewer.env("XTRA_TOKEN", world.server.token_for("vic").unwrap()));
    assert_eq!(ran.status(), 1, "{}", ran.stdout());
    let line = ran.one_line();
    assert!(line.ends_with("Nothing was written") && !line.contains("again"), "{line}");
    assert_eq!(world.server.secret("shop", "staging", "main", "NEW"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_planned_for_a_branch_that_does_not_exist_and_a_first_secret_is_told() {
    let world = World::new().await;
    world.file("new.env", "NEW=1\n");
    for arguments in [
        &["import", "new.env", "-e", "stg", "-b", "no-such", "--dry-run"][..],
        &["import", "new.env", "-e", "stg", "-b", "no-such", "--yes"],
        &["promote", "stg", "prod@no-such", "--dry-run"],
    ] {
        assert!(world.run(arguments).failure(1).contains("no branch \"no-such\""), "{arguments:?}");
    }
    assert_eq!(world.server.request_count(route::SECRETS_UPSERT), 0);
    let plan = |place: &[&str]| world.run(&[&["import", "new.env", "--dry-run"], place].concat()).success().to_owned();
    let first = "+ NEW\n1 to create, 0 to update, 0 unchanged in";
    assert_eq!(plan(&["-e", "stagign"]), format!("{first} stagign (branch main), which holds no secrets yet\n"));
    assert!(plan(&["-e", "prod", "-b", "feature/new-ui"]).ends_with("no secrets yet\n"));
    assert_eq!(plan(&["-e", "stg"]), format!("{first} staging (branch main)\n"));
    let promotion = world.run(&["promote", "stg", "prod@feature/new-ui", "--dry-run"]);
    assert!(promotion.success().contains("4 to create"), "{}", promotion.stdout());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sealed_is_told_before_a_plan_is_made() {
    let world = World::new().await;
    world.file("new.env", "NEW=1\n");
    for arguments in
        [&["import", "new.env", "-e", "stg", "--seal", "--yes"][..], &["set", "NEW", "--seal", "-e", "stg"]]
    {
        assert!(world.run(arguments).failure(1).contains("XTRA_VAULT_PASSPHRASE"), "{arguments:?}");
    }
    assert_eq!(world.server.total_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_with_a_file_is_told_at_once_with_its_line_and_nothing_is_sent() {
    let world = World::new().await;
    let huge = "x".repeat(10_000_001);
    let long = "N".repeat(300);
    for (name, content, lines) in [
        ("case.env", "A=canary#b\nB=#canary\nexport C\nD=\"canary\" y\n".to_owned(), &[1, 2, 3, 4][..]),
        (
            "all.env",
            format!(
                "OK=1\nA='canary\n'\nA=2\nbad name=canary\nbranch=canary\nBIG={huge}\n{long}=1\nMASK=***\nB=a#b\nC='canary\n"
            ),
            &[4, 5, 6, 7, 8, 9, 10, 11],
        ),
        (
            "all.json",
            format!(
                "{{\"OK\":\"1\",\n\"A\":\"canary\",\n\"A\":\"canary\",\n\"N\":5,\n\"branch\":\"canary\",\n\"odd name\":\"canary\",\n\"\":\"\",\n\"BIG\":\"{huge}\",\"M\":\"***\"}}"
            ),
            &[3, 4, 5, 6, 7, 8, 8],
        ),
        ("all.yaml", "OK: a\nN: 5\n5: canary\nA: a\nA: b\nbranch: canary\nX: 'canary\n".to_owned(), &[2, 3, 5, 6]),
    ] {
        world.file(name, &content);
        let ran = world.run(&["import", name, "-e", "stg", "--yes"]);
        let line = ran.failure(1);
        assert!(!line.contains("canary") && line.contains("Nothing was written"), "{name}: {line}");
        let told: Vec<usize> =
            line.split("line ").skip(1).filter_map(|rest| rest.split_once(": ")?.0.parse().ok()).collect();
        let told: Vec<usize> = if name == "all.yaml" { told[..4].to_vec() } else { told };
        assert_eq!(told, lines, "{name}: {line}");
    }
    world.file("odd.env", "a/b=1\n");
    world.file("odd.json", r#"{"odd name":"1","OK":"1"}"#);
    assert!(world.run(&["import", "odd.json", "-e", "stg", "--yes"]).failure(1).contains("--allow-any-name"));
    assert_eq!(world.server.total_requests(), 0);
    world.run(&["import", "odd.json", "-e", "stg", "--allow-any-name", "--dry-run"]).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_tool_that_encrypts_is_never_taken_for_values() {
    let world = World::new().await;
    let sops = "ENC[AES256_GCM,data:canary,iv:3+qa=,tag:kg==,type:str]";
    let dotenvx = format!("encrypted:B{}", "Canary0=".repeat(20));
    for (name, content, told) in [
        (".env", format!("A={sops}\nsops_version=3.9.0\nsops_mac={sops}\n"), "sops decrypt"),
        ("secrets.json", format!("{{\"A\":\"{sops}\",\"sops\":{{\"mac\":\"{sops}\"}}}}"), "sops decrypt"),
        ("secrets.yaml", format!("A: {sops}\nsops:\n    mac: {sops}\n"), "sops decrypt"),
        (".env.production", format!("DOTENV_PUBLIC_KEY=\"03ab\"\nA=\"{dotenvx}\"\n"), "dotenvx decrypt"),
        ("vault.yaml", "$ANSIBLE_VAULT;1.1;AES256\n6361\n".to_owned(), "ansible-vault"),
        ("age.env", "-----BEGIN AGE ENCRYPTED FILE-----\ncanary\n".to_owned(), "age --decrypt"),
    ] {
        world.file(name, &content);
        let ran = world.run(&["import", name, "-e", "stg", "--yes"]);
        let line = ran.failure(1);
        assert!(
            line.contains(told) && line.contains("Nothing was written") && !line.contains("anary"),
            "{name}: {line}"
        );
        if name.starts_with(".env") {
            world.file(".env.local", &content);
            let mut local = world.command(&["run", "-e", "stg", "--", "touch", "ran"]);
            let ran = run(local.env("XTRA_LOCAL_MODE", "true"));
            assert!(ran.failure(1).contains(told) && !ran.stderr().contains("anary"), "{}", ran.stderr());
            assert!(!world.path("ran").exists());
        }
    }
    std::fs::write(world.path("crypt.env"), b"\0GITCRYPT\0\xff\xfe").unwrap();
    assert!(world.run(&["import", "crypt.env", "-e", "stg", "--yes"]).failure(1).contains("git-crypt unlock"));
    assert_eq!(world.server.total_requests(), 0);
    world.file("fine.env", "A=encrypted:yes\nB=ENC[x]\n");
    world.run(&["import", "fine.env", "-e", "stg", "--dry-run"]).success();
}
