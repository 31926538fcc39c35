//! `xtrasec render`: templates from files and from standard input.

use std::fs;

use crate::world::{World, mode, run};

#[tokio::test(flavor = "multi_thread")]
async fn references_become_values_and_everything_else_stays() {
    let world = World::new().await;
    let id = world.server.project_id();
    let template = format!(
        "a = \"{{{{ xtra:///staging/QUOTES }}}}\"\r\n\\{{{{ é {{{{xtra://{id}/staging/QUOTES?branch=feature%2Fnew-ui}}}}\n"
    );
    world.file("template", &template);
    let expected = "a = \"other\"\r\n{{ é branched\n";
    assert_eq!(world.run(&["render", "template"]).success(), expected);
    let stdin = fs::File::open(world.path("template")).unwrap();
    assert_eq!(run(world.command(&["render", "-"]).stdin(stdin)).success(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_leads_nowhere_is_an_error_that_names_it_and_nothing_is_written() {
    let world = World::new().await;
    world.file("template", "{{ xtra:///staging/QUOTES }} {{ xtra:///staging/NOT_THERE }}");
    let ran = world.run(&["render", "template", "--output", "out"]);
    assert!(ran.failure(1).contains("NOT_THERE"));
    assert!(!world.path("out").exists());
    assert!(world.run(&["render", "no-such-file"]).failure(1).contains("no-such-file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rendered_file_is_for_its_owner_alone_and_is_not_replaced_unasked() {
    let world = World::new().await;
    world.file("template", "xtra:///staging/QUOTES");
    let output = ["render", "template", "--output", "out"];
    assert_eq!(world.run(&output).success(), "");
    assert_eq!((fs::read_to_string(world.path("out")).unwrap().as_str(), mode(&world.path("out"))), ("other", 0o600));
    assert!(world.run(&output).failure(1).contains("--force"));
    world.run(&[&output[..], &["--force"]].concat()).success();
}

#[tokio::test(flavor = "multi_thread")]
async fn references_in_values_are_followed_unless_they_shall_not_be() {
    let world = World::new().await;
    world.server.set_secret("shop", "staging", "main", "URL", "u={{ xtra:///staging/QUOTES }}").unwrap();
    world.file("template", "{{ xtra:///staging/URL }}");
    assert_eq!(world.run(&["render", "template"]).success(), "u=other");
    assert_eq!(world.run(&["render", "template", "--shallow"]).success(), "u={{ xtra:///staging/QUOTES }}");
}
