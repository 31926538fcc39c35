//! Token stores: JSON files that a login wrote, with the base URL that the token belongs to.

use std::path::PathBuf;

use super::file;
use super::process_env::ProcessEnv;
use super::settings::Sourced;
use super::token_file::{FileToken, Format, Miss, members};

/// A JSON file that a login wrote: where it is, which members hold the token, and which one the base URL that it belongs to.
///
/// ```
/// use xtrasecurity::credentials::TokenStore;
///
/// const LOGIN: TokenStore = TokenStore::in_home(".acme/login.json").token_in(&["token"]).base_url_in("url");
/// const TOOL: TokenStore = TokenStore::of_tool("acme-cli", "the settings of the acme command").base_url_in("host");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TokenStore {
    place: StorePlace,
    token: &'static [&'static str],
    base_url: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum StorePlace {
    /// A path below the user's home.
    Home(&'static str),
    /// `config.json` in the settings of a command line tool.
    Tool { directory: &'static str, called: &'static str },
}

/// What a store says, whether or not a token is taken from it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StoreContents {
    /// The base URL that it names.
    pub base_url: Option<Sourced>,
    /// Whether it holds a token, which the base URL belongs to then.
    pub has_token: bool,
}

impl TokenStore {
    /// The file at this path below the user's home. Its token is under `token`, and no base URL is recorded.
    #[must_use]
    pub const fn in_home(path: &'static str) -> Self {
        Self { place: StorePlace::Home(path), token: &["token"], base_url: None }
    }

    /// `config.json` in the directory where a command line tool keeps its settings: below `$XDG_CONFIG_HOME` or `~/.config`,
    /// `~/Library/Preferences` on macOS, `%APPDATA%` (and in it `Config`) on Windows. `called` is what messages call the file,
    /// before its path.
    #[must_use]
    pub const fn of_tool(directory: &'static str, called: &'static str) -> Self {
        Self { place: StorePlace::Tool { directory, called }, token: &["token"], base_url: None }
    }

    /// This store with its token under the first of these members that is there and not empty.
    #[must_use]
    pub const fn token_in(mut self, members: &'static [&'static str]) -> Self {
        self.token = members;
        self
    }

    /// This store with the base URL that the token belongs to under this member.
    #[must_use]
    pub const fn base_url_in(mut self, member: &'static str) -> Self {
        self.base_url = Some(member);
        self
    }

    /// Where the file is; `None` when no home directory is known.
    #[must_use]
    pub fn path(&self, env: &ProcessEnv) -> Option<PathBuf> {
        match self.place {
            StorePlace::Home(path) => env.home().map(|home| home.join(path)),
            StorePlace::Tool { directory, .. } => {
                env.tool_dir(directory).map(|directory| directory.join("config.json"))
            }
        }
    }

    /// What the file says. One that cannot be used says nothing.
    #[must_use]
    pub fn contents(&self, env: &ProcessEnv) -> StoreContents {
        let read = self.path(env).and_then(|path| file::read(&path).ok());
        let Some(Ok((token, base_url))) = read.map(|content| members(&content, self.token, self.base_url)) else {
            return StoreContents::default();
        };
        let base_url = base_url.and_then(|text| self.recorded(text, &self.name(env)));
        StoreContents { base_url, has_token: token.is_some() }
    }

    /// The token in the file, and the base URL that it belongs to. `None` when no home directory is known.
    pub(super) fn open(&self, env: &ProcessEnv) -> Option<Result<(FileToken, Option<Sourced>), Miss>> {
        let path = self.path(env)?;
        let name = self.name(env);
        let format = Format::Json { token: self.token, base_url: self.base_url };
        Some(FileToken::open(path, format, name.clone()).map(|provider| {
            let base_url = provider.base_url().and_then(|text| self.recorded(text.to_owned(), &name));
            (provider, base_url)
        }))
    }

    /// What messages call the file.
    pub(super) fn name(&self, env: &ProcessEnv) -> String {
        match (self.place, self.path(env)) {
            (StorePlace::Home(path), _) => format!("~/{path}"),
            (StorePlace::Tool { called, .. }, Some(path)) => format!("{called} ({})", env.shown(&path)),
            (StorePlace::Tool { called, .. }, None) => called.to_owned(),
        }
    }

    fn recorded(&self, base_url: String, name: &str) -> Option<Sourced> {
        self.base_url.map(|member| Sourced::new(base_url, format!("{name} ({member})")))
    }
}
