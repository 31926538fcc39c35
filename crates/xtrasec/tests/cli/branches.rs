//! `branches`: listed, made, renamed, deleted, compared.

use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn branches_are_listed_with_the_number_of_their_secrets() {
    let world = World::new().await;
    let ran = world.run(&["branches"]);
    assert!(ran.success().lines().any(|line| line.starts_with("feature/new-ui  1 secrets")), "{}", ran.stdout());
    assert_eq!(world.run(&["branches", "list"]).success(), ran.stdout());
    let list: Value = serde_json::from_str(world.run(&["branches", "list", "--json"]).success()).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|branch| branch["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"main") && names.contains(&"feature/new-ui"), "{names:?}");
    let ran = world.run(&["branches", "-e", "stg"]);
    assert!(ran.status() == 0 && ran.one_line().contains("--env has no effect"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_made_renamed_and_deleted() {
    let world = World::new().await;
    let names = || {
        let list: Value = serde_json::from_str(world.run(&["branches", "list", "--json"]).success()).unwrap();
        let mut names: Vec<_> =
            list.as_array().unwrap().iter().map(|branch| branch["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let ran = world.run(&["branches", "create", "try", "--description", "a try"]);
    assert_eq!(ran.success(), "created the branch try\n");
    assert_eq!(world.run(&["branches", "create", "try"]).status(), 1);
    assert!(world.run(&["branches", "rename", "try", "tried"]).failure(2).contains("--yes"));
    assert_eq!(world.run(&["branches", "rename", "try", "tried", "--yes"]).success(), "the branch try is tried now\n");
    assert_eq!(names(), ["feature/new-ui", "main", "tried"]);
    assert!(world.run(&["branches", "delete", "tried"]).failure(2).contains("--yes"));
    world.run(&["branches", "delete", "tried", "--yes"]).success();
    world.run(&["branches", "delete", "feature/new-ui", "--yes"]).success();
    assert_eq!(names(), ["main"]);
    assert_eq!(world.server.secret("shop", "staging", "main", "QUOTES").as_deref(), Some("other"));
    assert!(world.run(&["branches", "delete", "main", "--yes"]).status() != 0);
    assert!(world.run(&["branches", "delete", "tried", "--yes"]).failure(1).contains("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_branches_are_compared_by_name() {
    let world = World::new().await;
    let compare = |options: &[&str]| world.run(&[&["branches", "compare", "main", "feature/new-ui"], options].concat());
    let ran = compare(&[]);
    assert!(ran.success().contains("~ staging QUOTES\n") && !ran.stdout().contains("branched"), "{}", ran.stdout());
    assert!(ran.stdout().lines().last().unwrap().starts_with("main -> feature/new-ui: "));
    assert_eq!(compare(&["--exit-code"]).status(), 1);
    assert_eq!(world.run(&["branches", "compare", "main", "main", "--exit-code"]).status(), 0);
    assert_eq!(world.run(&["branches", "compare", "main", "none"]).status(), 1);
}
