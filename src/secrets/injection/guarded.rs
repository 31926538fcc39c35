//! The variables that decide what code a process loads or runs, or where this client sends its token.
//!
//! Whoever may write a secret could otherwise run code in every process that the secrets are given to. The list holds what
//! the loaders, runtimes, shells and tools in wide use read by themselves. It is a net for mistakes and quiet attacks, and
//! not complete: no list could be.

/// How this platform compares the names of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Insensitive,
}

pub(super) const CASE: Case = if cfg!(windows) { Case::Insensitive } else { Case::Sensitive };

const LOADER: &str = "the dynamic loader takes code from it";
const SEARCH: &str = "it decides which programs are found and run";
const STARTUP: &str = "a runtime loads code or options from it when it starts";
const MODULES: &str = "a runtime searches it for code to load";
const SHELL: &str = "a shell runs or is steered by what it holds";
const PROGRAM: &str = "tools run the program that it names";
const SETTINGS: &str = "tools find the settings there that name programs to run";
const BUILD: &str = "build tools take programs or code from it";
const OURS: &str = "it decides where this client sends its token";

/// A name, or the start of one when it ends in `*`, and the reason that is shown. `Selection::allow_name` lists them in its
/// documentation.
///
/// `ENV` is left out: only interactive shells read it, and many programs call a variable of their own so.
const GUARDED: &[(&str, &str)] = &[
    // the loader and the C library
    ("LD_*", LOADER),
    ("DYLD_*", LOADER),
    ("GCONV_PATH", LOADER),
    ("GLIBC_TUNABLES", "it tunes the C library and its loader"),
    ("OPENSSL_CONF", LOADER),
    ("OPENSSL_ENGINES", LOADER),
    ("OPENSSL_MODULES", LOADER),
    // finding programs
    ("PATH", SEARCH),
    ("PATHEXT", SEARCH),
    ("COMSPEC", SEARCH),
    ("SystemRoot", SEARCH),
    ("windir", SEARCH),
    ("SHELL", PROGRAM),
    // finding the user's settings
    ("HOME", SETTINGS),
    ("USERPROFILE", SETTINGS),
    ("APPDATA", SETTINGS),
    ("LOCALAPPDATA", SETTINGS),
    ("XDG_CONFIG_HOME", SETTINGS),
    ("XDG_CONFIG_DIRS", SETTINGS),
    // shells
    ("BASH_ENV", SHELL),
    ("BASH_FUNC_*", SHELL),
    ("BASH_LOADABLES_PATH", SHELL),
    ("BASHOPTS", SHELL),
    ("CDPATH", SHELL),
    ("FPATH", SHELL),
    ("IFS", SHELL),
    ("PROMPT_COMMAND", SHELL),
    ("PS0", SHELL),
    ("PS1", SHELL),
    ("PS2", SHELL),
    ("PS4", SHELL),
    ("PSModulePath", MODULES),
    ("SHELLOPTS", SHELL),
    ("ZDOTDIR", SHELL),
    // Node.js and its kin
    ("BUN_OPTIONS", STARTUP),
    ("NODE_OPTIONS", STARTUP),
    ("NODE_PATH", MODULES),
    ("NODE_REPL_EXTERNAL_MODULE", STARTUP),
    // Python
    ("PYTHONBREAKPOINT", STARTUP),
    ("PYTHONHOME", MODULES),
    ("PYTHONPATH", MODULES),
    ("PYTHONPLATLIBDIR", MODULES),
    ("PYTHONPYCACHEPREFIX", MODULES),
    ("PYTHONSTARTUP", STARTUP),
    ("PYTHONUSERBASE", MODULES),
    ("PYTHONWARNINGS", STARTUP),
    // Ruby, Perl, PHP, Lua, R
    ("BUNDLE_GEMFILE", STARTUP),
    ("GEM_HOME", MODULES),
    ("GEM_PATH", MODULES),
    ("LUA_CPATH*", MODULES),
    ("LUA_INIT*", STARTUP),
    ("LUA_PATH*", MODULES),
    ("PERL5DB", STARTUP),
    ("PERL5LIB", MODULES),
    ("PERL5OPT", STARTUP),
    ("PERLLIB", MODULES),
    ("PHPRC", STARTUP),
    ("PHP_INI_SCAN_DIR", STARTUP),
    ("RUBYLIB", MODULES),
    ("RUBYOPT", STARTUP),
    ("R_ENVIRON*", STARTUP),
    ("R_PROFILE*", STARTUP),
    // Java, .NET, Erlang
    ("CLASSPATH", MODULES),
    ("JAVA_TOOL_OPTIONS", STARTUP),
    ("JDK_JAVA_OPTIONS", STARTUP),
    ("_JAVA_OPTIONS", STARTUP),
    ("CORECLR_*", STARTUP),
    ("COR_ENABLE_PROFILING", STARTUP),
    ("COR_PROFILER*", STARTUP),
    ("DOTNET_ADDITIONAL_DEPS", MODULES),
    ("DOTNET_SHARED_STORE", MODULES),
    ("DOTNET_STARTUP_HOOKS", STARTUP),
    ("ERL_AFLAGS", STARTUP),
    ("ERL_FLAGS", STARTUP),
    ("ERL_LIBS", MODULES),
    ("ERL_ZFLAGS", STARTUP),
    // programs that tools start
    ("BROWSER", PROGRAM),
    ("EDITOR", PROGRAM),
    ("LESSCLOSE", PROGRAM),
    ("LESSOPEN", PROGRAM),
    ("MANPAGER", PROGRAM),
    ("PAGER", PROGRAM),
    ("SSH_ASKPASS", PROGRAM),
    ("SUDO_ASKPASS", PROGRAM),
    ("VISUAL", PROGRAM),
    // git
    ("GIT_ASKPASS", PROGRAM),
    ("GIT_CONFIG*", SETTINGS),
    ("GIT_DIR", SETTINGS),
    ("GIT_EDITOR", PROGRAM),
    ("GIT_EXEC_PATH", SEARCH),
    ("GIT_EXTERNAL_DIFF", PROGRAM),
    ("GIT_PAGER", PROGRAM),
    ("GIT_PROXY_COMMAND", PROGRAM),
    ("GIT_SEQUENCE_EDITOR", PROGRAM),
    ("GIT_SSH", PROGRAM),
    ("GIT_SSH_COMMAND", PROGRAM),
    ("GIT_TEMPLATE_DIR", SETTINGS),
    // builds
    ("CARGO_HOME", SETTINGS),
    ("GOFLAGS", BUILD),
    ("MAKEFLAGS", BUILD),
    ("RUSTC", BUILD),
    ("RUSTC_WORKSPACE_WRAPPER", BUILD),
    ("RUSTC_WRAPPER", BUILD),
    ("RUSTFLAGS", BUILD),
    // this client
    ("XTRA_API_URL", OURS),
];

/// Why `name` is guarded, or `None` when it is not.
pub(super) fn reason(name: &str, case: Case) -> Option<&'static str> {
    GUARDED.iter().find(|(pattern, _)| covers(pattern, name, case)).map(|(_, why)| *why)
}

/// Whether two names are one variable.
pub(super) fn same(left: &str, right: &str, case: Case) -> bool {
    match case {
        Case::Sensitive => left == right,
        Case::Insensitive => left.eq_ignore_ascii_case(right),
    }
}

fn covers(pattern: &str, name: &str, case: Case) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.get(..start.len()).is_some_and(|head| same(head, start, case)),
        None => same(name, pattern, case),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_load_code_are_guarded() {
        for name in [
            "LD_PRELOAD",
            "LD_AUDIT",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "PATH",
            "NODE_OPTIONS",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "RUBYOPT",
            "PERL5OPT",
            "JAVA_TOOL_OPTIONS",
            "_JAVA_OPTIONS",
            "BASH_ENV",
            "BASH_FUNC_ls%%",
            "SHELLOPTS",
            "PS4",
            "IFS",
            "PROMPT_COMMAND",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_COUNT",
            "GIT_EXEC_PATH",
            "SSH_ASKPASS",
            "EDITOR",
            "GCONV_PATH",
            "DOTNET_STARTUP_HOOKS",
            "CORECLR_PROFILER",
            "XTRA_API_URL",
        ] {
            assert!(reason(name, Case::Sensitive).is_some(), "{name} is not guarded");
        }
    }

    #[test]
    fn ordinary_names_of_secrets_are_not_guarded() {
        for name in [
            "DATABASE_URL",
            "API_KEY",
            "NODE_ENV",
            "PYTHONUNBUFFERED",
            "GIT_TOKEN",
            "LD",
            "LDAP_URL",
            "PATH_PREFIX",
            "MY_PATH",
            "ENV",
            "ENVIRONMENT",
            "XTRA_TOKEN",
            "é",
            "",
        ] {
            assert_eq!(reason(name, Case::Sensitive), None, "{name} is guarded");
        }
    }

    #[test]
    fn case_counts_except_where_the_platform_ignores_it() {
        assert_eq!(reason("Path", Case::Sensitive), None);
        assert!(reason("Path", Case::Insensitive).is_some());
        assert_eq!(reason("ld_preload", Case::Sensitive), None);
        assert!(reason("ld_preload", Case::Insensitive).is_some());
        assert!(reason("SYSTEMROOT", Case::Insensitive).is_some());
    }

    /// The documentation of `Selection::allow_name`, as it is written in the source.
    fn documentation_of_allow_name() -> Vec<&'static str> {
        let source = include_str!("selection.rs");
        let (before, _) = source.split_once("    pub fn allow_name(").unwrap();
        let lines: Vec<_> = before.lines().rev().map_while(|line| line.trim().strip_prefix("///")).collect();
        lines.into_iter().rev().map(str::trim).collect()
    }

    #[test]
    fn the_documentation_names_every_guarded_variable_and_no_other() {
        let documentation = documentation_of_allow_name();
        let list: Vec<_> = documentation.into_iter().skip_while(|line| !line.starts_with("- ")).collect();
        let list = list.join(" ");
        let named: Vec<_> = list.split('`').skip(1).step_by(2).collect();
        let guarded: Vec<_> = GUARDED.iter().map(|(pattern, _)| *pattern).collect();
        assert_eq!(named, guarded);
    }

    #[test]
    fn every_entry_is_written_once() {
        for (at, (pattern, _)) in GUARDED.iter().enumerate() {
            let again = GUARDED.iter().skip(at + 1).find(|(other, _)| covers(pattern, other, Case::Insensitive));
            assert!(again.is_none(), "{pattern} covers {again:?}");
        }
    }
}
