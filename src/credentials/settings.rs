//! Settings with their origins: texts from variables and from a file of the working directory or of its repository.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::file::{self, FileError};
use super::process_env::ProcessEnv;
use crate::core::{ErrorKind, Hint, XtraError};

/// A value, and where it was found. `Debug` prints the origin alone: a URL, say, may hold a password until it is checked.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sourced<T = String> {
    /// The value.
    pub value: T,
    /// The variable, file or option that it was found in, as messages name it.
    pub origin: Cow<'static, str>,
    /// The option of the client builder that gave it, when one did: the name of its method.
    pub option: Option<&'static str>,
}

impl<T> Sourced<T> {
    /// A value from `origin`.
    pub fn new(value: impl Into<T>, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { value: value.into(), origin: origin.into(), option: None }
    }

    /// Another value from the same origin.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), origin: self.origin, option: self.option }
    }
}

impl Sourced {
    /// An option of a client builder, called `name`.
    #[must_use]
    pub fn option(value: Option<&str>, name: &'static str) -> Option<Self> {
        value.map(|text| Self { option: Some(name), ..Self::new(text, format!("the {name} option")) })
    }

    /// `error`, which is about this text, with the place where it was found.
    #[must_use]
    pub fn explained(&self, error: XtraError) -> XtraError {
        match self.option {
            Some(option) => error.with_hint(Hint::Correct { option }),
            None => error.with_note(format!("It comes from {}", self.origin)),
        }
    }
}

impl<T> fmt::Debug for Sourced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sourced").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// A file of settings: a JSON object whose named members are texts. Others are ignored.
///
/// It is looked for in the working directory; then, inside a repository, in the directories above, up to the one that holds
/// `.git`. The nearest counts alone. On Unix, one above must belong to the owner of the working directory or to root:
/// somebody else's is an error, as a directory like `/tmp` is everybody's.
#[derive(Debug, Clone, Copy)]
pub struct SettingsFile {
    name: &'static str,
    members: &'static [&'static str],
}

impl SettingsFile {
    /// The file `name`, of which these members are read.
    #[must_use]
    pub const fn new(name: &'static str, members: &'static [&'static str]) -> Self {
        Self { name, members }
    }

    /// What the file says; nothing when there is no such file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is there and cannot be used.
    fn read(&self, env: &ProcessEnv) -> Result<FileSettings, XtraError> {
        let Some(directory) = env.working_dir() else { return Ok(FileSettings::default()) };
        let Some(found) = self.find(directory) else { return Ok(FileSettings::default()) };
        if found.levels > 0 && !is_trusted(&found.path, directory) {
            let message = format!("{} belongs to another user than the working directory", found.shown);
            let error = XtraError::new(ErrorKind::Config, message);
            let advice = format!("Put {} into the working directory if it is to be used, or remove it", self.name);
            return Err(error.with_hint(Hint::advice(advice)));
        }
        let read = file::read(&found.path);
        match read.and_then(|content| file::texts(&content, self.members)) {
            Ok(texts) => Ok(FileSettings { file: Some((*self, found.shown)), path: Some(found.path), texts }),
            Err(FileError::Missing) => Ok(FileSettings::default()),
            Err(why) => {
                let place = if found.levels == 0 { " in the working directory" } else { "" };
                let message = format!("{}{place} cannot be used: {why}", found.shown);
                let form = format!("It is a JSON object whose {} are texts", file::listed(self.members, "and"));
                Err(why.attached_to(XtraError::new(ErrorKind::Config, message).with_note(form)))
            }
        }
    }

    /// The nearest file of the name.
    fn find(&self, directory: &Path) -> Option<Found> {
        let depth = directory.ancestors().take(DEEPEST).position(|above| above.join(REPOSITORY).exists()).unwrap_or(0);
        let mut candidates = directory.ancestors().take(depth + 1).enumerate();
        candidates.find_map(|(levels, above)| {
            let path = above.join(self.name);
            let shown = format!("{}{}", "../".repeat(levels), self.name);
            path.symlink_metadata().is_ok().then_some(Found { path, shown, levels })
        })
    }
}

/// What the root of a repository holds: a directory, or a file where the rest is kept elsewhere.
const REPOSITORY: &str = ".git";

/// No repository is nearly as deep.
const DEEPEST: usize = 128;

/// A file of settings, and how messages call it.
struct Found {
    path: PathBuf,
    shown: String,
    /// How far above the working directory it is.
    levels: usize,
}

/// Whether a file above is from whom the working directory is from, or from root.
#[cfg(unix)]
pub(crate) fn is_trusted(path: &Path, working_dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    // of a link both ends: whoever can put one up could choose the file
    let owners = [path.symlink_metadata(), path.metadata()].map(|about| about.map(|about| about.uid()).ok());
    let Ok(own) = working_dir.metadata() else { return false };
    owners.iter().all(|owner| owner.is_none_or(|owner| owner == own.uid() || owner == 0))
}

#[cfg(not(unix))]
pub(crate) fn is_trusted(_path: &Path, _working_dir: &Path) -> bool {
    true
}

/// The settings of a [`SettingsFile`].
#[derive(Clone, Default)]
pub struct FileSettings {
    /// The file, and how messages call it.
    file: Option<(SettingsFile, String)>,
    path: Option<PathBuf>,
    texts: Vec<Option<String>>,
}

impl FileSettings {
    /// Takes a member's text out. `None` when it is absent, empty, or not one of those that the file was to be read for.
    pub fn take(&mut self, member: &str) -> Option<Sourced> {
        let (file, _) = self.file.as_ref()?;
        let at = file.members.iter().position(|known| *known == member)?;
        let text = self.texts.get_mut(at)?.take()?;
        Some(Sourced::new(text, self.origin(member)))
    }

    /// Where the file is. `None` when there is none, or none that can be used.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How messages call a member of the file.
    #[must_use]
    pub fn origin(&self, member: &str) -> String {
        let shown = self.file.as_ref().map_or("", |(_, shown)| shown);
        format!("{shown} ({member})")
    }
}

impl fmt::Debug for FileSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSettings").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads settings leniently: what cannot be used counts as absent, and the problem is kept.
///
/// A client's `build` fails with the first problem; a diagnosis shows them all.
///
/// ```
/// use xtrasecurity::credentials::{ProcessEnv, SettingsFile, SettingsReader};
///
/// const FILE: SettingsFile = SettingsFile::new(".acmerc", &["project", "url"]);
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let working_dir = dir.path();
/// std::fs::write(working_dir.join(".acmerc"), r#"{"project": "p1"}"#).unwrap();
/// let env = ProcessEnv::of_variables([("ACME_URL", "https://acme.example")]).with_working_dir(working_dir);
/// let mut reader = SettingsReader::new(&env);
/// let mut file = reader.file(&FILE);
/// let project = reader.first_variable(&["ACME_PROJECT"]).or(file.take("project")).unwrap();
/// assert_eq!((project.value.as_str(), &*project.origin), ("p1", ".acmerc (project)"));
/// assert!(reader.into_problems().is_empty());
/// ```
#[derive(Debug)]
pub struct SettingsReader<'e> {
    env: &'e ProcessEnv,
    problems: Vec<XtraError>,
}

impl<'e> SettingsReader<'e> {
    /// A reader of this environment.
    #[must_use]
    pub fn new(env: &'e ProcessEnv) -> Self {
        Self { env, problems: Vec::new() }
    }

    /// The first of these variables that is set and not empty.
    pub fn first_variable(&mut self, names: &[&'static str]) -> Option<Sourced> {
        names.iter().find_map(|name| {
            let found = self.env.setting(name);
            self.kept(found)
        })
    }

    /// What this file of the working directory says, or the nearest above it in its repository.
    pub fn file(&mut self, file: &SettingsFile) -> FileSettings {
        let read = file.read(self.env);
        self.kept(read)
    }

    /// What could not be used, in the order of reading.
    #[must_use]
    pub fn into_problems(self) -> Vec<XtraError> {
        self.problems
    }

    fn kept<T: Default>(&mut self, found: Result<T, XtraError>) -> T {
        found.unwrap_or_else(|problem| {
            self.problems.push(problem);
            T::default()
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    const FILE: SettingsFile = SettingsFile::new(".acmerc", &["env"]);

    /// What is found from the directory `below`, with its origin.
    fn found(root: &Path, below: &str) -> Result<Option<(String, String)>, String> {
        let env = ProcessEnv::of_variables::<&str, &str>([]).with_working_dir(root.join(below));
        let mut reader = SettingsReader::new(&env);
        let entry = reader.file(&FILE).take("env");
        match reader.into_problems().first() {
            Some(problem) => Err(problem.to_string()),
            None => Ok(entry.map(|entry| (entry.value, entry.origin.into_owned()))),
        }
    }

    fn some(value: &str, origin: &str) -> Result<Option<(String, String)>, String> {
        Ok(Some((value.to_owned(), origin.to_owned())))
    }

    #[test]
    fn a_file_above_counts_up_to_the_root_of_the_repository_and_the_nearest_alone() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, env: &str| fs::write(root.path().join(path), format!(r#"{{"env":"{env}"}}"#)).unwrap();
        fs::create_dir_all(root.path().join("repository/a/b")).unwrap();
        put(".acmerc", "outside");
        put("repository/.acmerc", "root");
        // without a repository the working directory's own alone
        assert_eq!(found(root.path(), "repository/a/b"), Ok(None));
        assert_eq!(found(root.path(), "repository"), some("root", ".acmerc (env)"));
        // the root of a worktree has a file in place of the directory
        fs::write(root.path().join("repository/.git"), "gitdir: elsewhere").unwrap();
        assert_eq!(found(root.path(), "repository/a/b"), some("root", "../../.acmerc (env)"));
        put("repository/a/.acmerc", "near");
        assert_eq!(found(root.path(), "repository/a/b"), some("near", "../.acmerc (env)"));
        fs::remove_file(root.path().join("repository/a/.acmerc")).unwrap();
        fs::remove_file(root.path().join("repository/.acmerc")).unwrap();
        assert_eq!(found(root.path(), "repository/a/b"), Ok(None));
    }

    #[test]
    fn a_file_above_that_is_somebody_else_s_is_an_error_and_in_the_working_directory_it_is_taken() {
        const OTHER: u32 = 54_321;
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(".git")).unwrap();
        fs::create_dir_all(root.path().join("a")).unwrap();
        let file = root.path().join(".acmerc");
        fs::write(&file, r#"{"env":"planted"}"#).unwrap();
        if std::os::unix::fs::chown(&file, Some(OTHER), None).is_err() {
            eprintln!("SKIPPED a file cannot be given to another user here");
            return;
        }
        let problem = found(root.path(), "a").unwrap_err();
        assert!(problem.contains("../.acmerc belongs to another user") && !problem.contains("planted"), "{problem}");
        assert_eq!(found(root.path(), ""), some("planted", ".acmerc (env)"));
        std::os::unix::fs::chown(root.path().join("a"), Some(OTHER), None).unwrap();
        assert_eq!(found(root.path(), "a"), some("planted", "../.acmerc (env)"));
    }
}
