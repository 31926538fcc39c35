//! The environment that `.infisical.json` maps the current branch of the repository to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::file::read_up_to;
use crate::core::{ErrorKind, Hint, XtraError};
use crate::credentials::settings::is_trusted;
use crate::credentials::{FileSettings, ProcessEnv, Sourced, file};

/// The member of the file, as its command writes it.
const MEMBER: &str = "gitBranchToEnvironmentMapping";

/// What git keeps in the files that are read here is a line.
const LONGEST_LINE: u64 = 8 * 1024;

/// No repository is nearly as deep.
const DEEPEST: usize = 128;

#[derive(Deserialize)]
struct Mapping {
    #[serde(rename = "gitBranchToEnvironmentMapping")]
    environments: Option<HashMap<String, String>>,
}

/// The environment of the current branch, as the file maps it.
///
/// Fails when the map cannot be used: without it the default environment would be taken, which may be another.
pub(super) fn environment(settings: &FileSettings, env: &ProcessEnv) -> Result<Option<Sourced>, XtraError> {
    let Some(path) = settings.path() else { return Ok(None) };
    let unusable = |what: &str| {
        let message = format!("{} cannot be used: {what}", settings.origin(MEMBER));
        let form = "It is an object whose members, named as branches, are texts";
        XtraError::new(ErrorKind::Config, message).with_hint(Hint::advice(form))
    };
    let content = file::read(path).map_err(|why| unusable(&why.to_string()))?;
    let json = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    // the error quotes what it met
    let mapping: Mapping = serde_json::from_slice(json).map_err(|_| unusable("it is no map of texts"))?;
    let Some(environments) = mapping.environments.filter(|map| !map.is_empty()) else { return Ok(None) };
    let mapped = branch(env).and_then(|branch| environments.get(&branch).cloned());
    Ok(mapped.filter(|slug| !slug.is_empty()).map(|slug| Sourced::new(slug, settings.origin(MEMBER))))
}

/// The branch that is checked out. `None` outside of a repository, in one of another user, and when no branch is.
fn branch(env: &ProcessEnv) -> Option<String> {
    let working_dir = env.working_dir()?;
    let found = working_dir.ancestors().take(DEEPEST).map(|above| above.join(".git")).find(|path| path.exists())?;
    if !is_trusted(&found, working_dir) {
        return None;
    }
    let directory = if found.is_dir() { found } else { linked(&found)? };
    let head = line(&directory.join("HEAD"))?;
    head.strip_prefix("ref:")?.trim_start().strip_prefix("refs/heads/").map(str::to_owned)
}

/// The directory that the `.git` of a worktree or a submodule leads to.
fn linked(file: &Path) -> Option<PathBuf> {
    let line = line(file)?;
    Some(file.parent()?.join(line.strip_prefix("gitdir:")?.trim_start()))
}

fn line(path: &Path) -> Option<String> {
    let content = read_up_to(path, LONGEST_LINE).ok()?;
    let text = std::str::from_utf8(&content).ok()?;
    Some(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::settings::Settings;
    use super::*;

    const FILE: &str = r#"{"defaultEnvironment": "dev",
        "gitBranchToEnvironmentMapping": {"main": "prod", "feature/a": "staging", "empty": ""}}"#;

    fn repository(file: &str, head: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".git")).unwrap();
        fs::create_dir_all(root.path().join("src/deep")).unwrap();
        fs::write(root.path().join(".git/HEAD"), head).unwrap();
        fs::write(root.path().join(".infisical.json"), file).unwrap();
        root
    }

    fn chosen(working_dir: &Path, variables: &[(&str, &str)]) -> (String, String) {
        let env = ProcessEnv::of(variables).with_working_dir(working_dir);
        let found = Settings::load(&env).unwrap().environment.unwrap();
        (found.value, found.origin.into_owned())
    }

    #[test]
    fn the_branch_that_is_checked_out_chooses_the_environment_and_the_default_is_for_the_others() {
        for (head, expected) in [
            ("ref: refs/heads/main\n", "prod"),
            ("ref: refs/heads/feature/a\n", "staging"),
            ("ref: refs/heads/a\n", "dev"),
            ("ref: refs/heads/empty\n", "dev"),
            ("ref: refs/tags/main\n", "dev"),
            ("4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", "dev"),
            ("", "dev"),
        ] {
            let root = repository(FILE, head);
            assert_eq!(chosen(root.path(), &[]).0, expected, "{head:?}");
        }
    }

    #[test]
    fn a_variable_comes_before_the_branch_and_the_origin_names_the_map() {
        let root = repository(FILE, "ref: refs/heads/main\n");
        let below = root.path().join("src/deep");
        let origin = "../../.infisical.json (gitBranchToEnvironmentMapping)";
        assert_eq!(chosen(&below, &[]), ("prod".into(), origin.into()));
        assert_eq!(chosen(&below, &[("INFISICAL_ENVIRONMENT", "qa")]).0, "qa");
    }

    #[test]
    fn a_worktree_has_a_branch_of_its_own() {
        let root = repository(FILE, "ref: refs/heads/main\n");
        let worktree = root.path().join("src");
        fs::create_dir_all(root.path().join(".git/worktrees/src")).unwrap();
        fs::write(root.path().join(".git/worktrees/src/HEAD"), "ref: refs/heads/feature/a\n").unwrap();
        fs::write(worktree.join(".infisical.json"), FILE).unwrap();
        let absolute = root.path().join(".git/worktrees/src").display().to_string();
        for gitdir in ["../.git/worktrees/src", &absolute] {
            fs::write(worktree.join(".git"), format!("gitdir: {gitdir}\n")).unwrap();
            assert_eq!(chosen(&worktree, &[]).0, "staging", "{gitdir}");
        }
        fs::write(worktree.join(".git"), "gitdir: ../nowhere\n").unwrap();
        assert_eq!(chosen(&worktree, &[]).0, "dev");
    }

    #[test]
    fn hostile_files_of_git_choose_nothing() {
        for head in [vec![b'a'; 1 << 20], b"ref: refs/heads/\xff\n".to_vec(), b"ref:".to_vec()] {
            let root = repository(FILE, "");
            fs::write(root.path().join(".git/HEAD"), head).unwrap();
            assert_eq!(chosen(root.path(), &[]).0, "dev");
        }
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join(".infisical.json"), FILE).unwrap();
        assert_eq!(chosen(outside.path(), &[]).0, "dev", "no repository");
    }

    #[test]
    fn a_map_that_is_none_of_texts_is_an_error_that_quotes_nothing() {
        for map in ["[]", r#"{"main": 4711}"#, r#"{"main": ["hunter2"]}"#] {
            let file = format!(r#"{{"defaultEnvironment": "dev", "gitBranchToEnvironmentMapping": {map}}}"#);
            let root = repository(&file, "ref: refs/heads/main\n");
            let env = ProcessEnv::of(&[]).with_working_dir(root.path());
            let error = Settings::load(&env).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(error.kind() == ErrorKind::Config && text.contains(MEMBER), "{text}");
            assert!(!text.contains("4711") && !text.contains("hunter2"), "{text}");
        }
    }
}
