//! Advice that an error carries, as data: the library words it as methods, the command as flags and variables.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// One piece of advice of an [`XtraError`](crate::XtraError): what to do about it.
///
/// It is data, so that each front door can word it for its own users. `Display` words it for users of the library, in terms of
/// methods, as one sentence without a full stop; [`XtraError`](crate::XtraError) shows it like this at the end of its text. It
/// holds names of settings, secrets and variables, and never a value, a token or a URL.
///
/// ```
/// use xtrasecurity::{XtraClient, error::Hint};
///
/// let error = XtraClient::builder().token("").build().unwrap_err();
/// for hint in error.hints() {
///     match hint {
///         Hint::GiveToken { variable } => println!("Set {variable} in the deployment's settings"),
///         other => println!("{other}"),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Advice that reads alike for everybody: it names no method, no flag and no option.
    Advice(Cow<'static, str>),

    // Settings
    /// Give a token, for example in this environment variable.
    GiveToken {
        /// The variable that the service's tokens are looked for in first.
        variable: &'static str,
    },
    /// Give the id of the project.
    GiveProject {
        /// The option's name, as the builder's and the request's methods are called.
        option: &'static str,
        /// The environment variable that holds it.
        variable: &'static str,
        /// Where a file can give it.
        entry: Option<FileEntry>,
    },
    /// Name the environment.
    GiveEnvironment {
        /// Where a file can give it.
        entry: Option<FileEntry>,
    },
    /// Give the client the passphrase that values are sealed with.
    GivePassphrase {
        /// The environment variable that holds it, where that is known.
        variable: Option<&'static str>,
    },
    /// Say where copies of secrets may be kept on disk.
    GiveCacheDirectory {
        /// The environment variable that names the directory for caches, where the platform has one.
        variable: &'static str,
    },
    /// Name the base URL yourself: only a file of the working directory does, which a token is not trusted to.
    GiveBaseUrl {
        /// The environment variable that holds it.
        variable: &'static str,
        /// The command that stores one beside the token, where there is such a command.
        login: Option<&'static str>,
    },
    /// Use a token that lasts, or give copies on disk a key of their own.
    UseLastingToken,
    /// Correct what was given as this option.
    Correct {
        /// The option's name, as the builder's method is called.
        option: &'static str,
    },
    /// Leave this option out.
    LeaveOut {
        /// The option's name, as the builder's or the request's method is called.
        option: &'static str,
    },
    /// Add one of these options, or several.
    Add {
        /// The options' names, as the methods of the builder or of the request are called.
        options: &'static [&'static str],
    },
    /// Leave local mode, in which a file takes the place of the service.
    LeaveLocalMode {
        /// The environment variable that turns it on.
        variable: &'static str,
    },

    // The way to the service
    /// Check the base URL.
    CheckBaseUrl {
        /// What is to be checked: what comes after "Check that the base URL …".
        form: Option<Cow<'static, str>>,
    },
    /// Use an `https` root; plain `http` is for loopback hosts.
    UseHttps,
    /// Trust the authority that has signed the service's certificate.
    AddRootCertificate,
    /// Put the proxy's settings right.
    FixProxy {
        /// What is to be done about them: a sentence without a full stop that names no method and no flag.
        what: Cow<'static, str>,
    },
    /// Raise a limit of the client's.
    Raise {
        /// The limit's name, as the builder's method is called.
        limit: &'static str,
    },

    // Time
    /// Try the same again.
    Retry,
    /// Wait before the next call: this long, as the service asks, or a minute when it has not said.
    Wait {
        /// The wait that the service asks for.
        wait: Option<Duration>,
    },
    /// Ask the service less often by caching longer.
    CacheLonger,

    // What a call may accept
    /// Accept that there are no secrets, if that is right.
    AllowEmpty,
    /// Read what can be read, and leave the rest.
    AllowUnreadable,
    /// Take an answer for secrets that looks like an error.
    AllowAnyAnswer,
    /// Allow these guarded variables, if their values can be trusted.
    AllowName {
        /// The variables' names, in quotes where a shell would take one for more than text.
        names: Vec<String>,
    },
    /// Allow a name that no program can have as a variable.
    AllowAnyName,
    /// Take a name letter by letter as it is given, though there is one that differs by case.
    Exact,
    /// Choose other secrets, or other names for their variables.
    ChooseVariables,
    /// Name the secrets that the call is to be about, and leave the others out.
    NameOthers,
    /// Take values as they are, without looking for references in them.
    Verbatim,
    /// Accept that so much is gone: drop what is kept of the scope.
    Invalidate,
    /// Say that a change of production is meant.
    Confirm,
    /// Inject at another time or in another way: the environment cannot be changed soundly here.
    InjectElsewhere,

    // Writes
    /// Change the secret rather than create it.
    Overwrite,
    /// Delete again, and count it as success when nothing is there.
    DeleteIfExists,
    /// Look at the rows that are stored under one name, and leave one of them.
    Repair {
        /// The secret's name.
        name: String,
    },
    /// Say which of the rows stays.
    KeepRow,
    /// Look with this call at what there is.
    LookAt {
        /// The method's name.
        call: &'static str,
    },
    /// Use this call instead.
    Use {
        /// The method's name.
        call: &'static str,
        /// What for: what comes after "To …".
        purpose: &'static str,
    },
    /// Ask for access to the project and wait until it is granted.
    RequestAccess,
    /// Ask the error for the service's own sentence, which is not shown.
    ServerMessage,
}

/// An entry of a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEntry {
    /// The entry's name.
    pub entry: &'static str,
    /// The file's name.
    pub file: &'static str,
}

impl FileEntry {
    /// The entry of this name in this file.
    #[must_use]
    pub const fn new(entry: &'static str, file: &'static str) -> Self {
        Self { entry, file }
    }
}

impl fmt::Display for FileEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "put {:?} into {}", self.entry, self.file)
    }
}

impl Hint {
    /// Advice that reads alike for everybody: a sentence without a full stop that names no method, no flag and no option.
    pub fn advice(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Advice(text.into())
    }

    /// To check that the base URL has the form that the service demands: what comes after "Check that the base URL …".
    pub fn check_base_url(form: impl Into<Cow<'static, str>>) -> Self {
        Self::CheckBaseUrl { form: Some(form.into()) }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_put = |entry: &Option<FileEntry>| entry.map(|entry| format!(", or {entry}")).unwrap_or_default();
        match self {
            Self::Advice(text) | Self::FixProxy { what: text } => f.write_str(text),
            Self::GiveToken { variable } => write!(f, "Set {variable}, or pass token(..)"),
            Self::GiveProject { option, variable, entry } => {
                write!(f, "Set {variable}, or pass {option}(..) to the builder or the call{}", or_put(entry))
            }
            Self::GiveEnvironment { entry } => {
                write!(f, "Name one at the call, or pass environment(..) to the builder{}", or_put(entry))
            }
            Self::GivePassphrase { variable: Some(variable) } => {
                write!(f, "Set {variable}, or pass vault_passphrase(..) to the builder")
            }
            Self::GivePassphrase { variable: None } => f.write_str("Pass vault_passphrase(..) to the builder"),
            Self::GiveCacheDirectory { variable } => write!(f, "Set {variable} (Unix), or give a directory"),
            Self::GiveBaseUrl { variable, login } => {
                let login = login.map(|login| format!(", `{login}`")).unwrap_or_default();
                write!(
                    f,
                    "If it is right, name it yourself: `export {variable}=…` (in CI too){login}, or pass it to the builder"
                )
            }
            Self::UseLastingToken => f.write_str("Give the copies a key, or use a token without an end"),
            Self::Correct { option } => write!(f, "It comes from the {option} option"),
            Self::LeaveOut { option } => write!(f, "Leave {option}(..) out"),
            Self::Add { options } => {
                let options: Vec<_> = options.iter().map(|option| format!("{option}(..)")).collect();
                write!(f, "Add {}", options.join(" or "))
            }
            Self::LeaveLocalMode { variable } => {
                write!(f, "Unset {variable}, or build the client without local_file(..), to ask the service")
            }
            Self::CheckBaseUrl { form: Some(form) } => write!(f, "Check that the base URL {form}"),
            Self::CheckBaseUrl { form: None } => f.write_str("Check the base URL"),
            Self::UseHttps => f.write_str("Use https://; http:// is for loopback hosts, or for danger_allow_http()"),
            Self::AddRootCertificate => f.write_str("Add the authority with add_root_certificate(..)"),
            Self::Raise { limit } => write!(f, "Raise {limit} if that is expected"),
            Self::Retry => f.write_str("Try again"),
            Self::Wait { wait: Some(wait) } => write!(f, "Wait {wait:?} (retry_after) before the next call"),
            Self::Wait { wait: None } => f.write_str("Wait a minute before the next call"),
            Self::CacheLonger => f.write_str("A longer cache_ttl asks less often"),
            Self::AllowEmpty => f.write_str("Check both names, or accept it with allow_empty()"),
            Self::AllowUnreadable => f.write_str("The rest can be read with allow_unreadable()"),
            Self::AllowAnyAnswer => f.write_str("If they are secrets, read them with allow_any_answer()"),
            Self::AllowName { names } => write!(f, "Allow what is guarded with allow_name: {}", names.join(",")),
            Self::AllowAnyName => f.write_str("allow_any_name() accepts it"),
            Self::Exact => f.write_str("Say exact() if it is meant as it is given"),
            Self::ChooseVariables => {
                f.write_str("Leave a secret out with exclude(..), or give its variable another name with rename(..)")
            }
            Self::NameOthers => f.write_str("To leave these out, name the others with only(..)"),
            Self::Verbatim => f.write_str("To take values as they are, use shallow()"),
            Self::Invalidate => f.write_str("If that is right, accept it with invalidate()"),
            Self::Confirm => f.write_str("If it is meant, add confirm_production() to the request"),
            Self::InjectElsewhere => f.write_str(
                "Inject at the start of main, before anything starts a thread, or inside a current-thread runtime; or give the \
                 secrets to a child process with apply_to(..); or, when no other thread can touch the environment, use the \
                 unsafe inject_unchecked()",
            ),
            Self::Overwrite => f.write_str("set_secret(..) changes it"),
            Self::DeleteIfExists => f.write_str("To be sure, delete it again with if_exists()"),
            Self::Repair { name } => {
                write!(f, "repair_secret(.., {name:?}).dry_run() shows the rows; without dry_run() it leaves one")
            }
            Self::KeepRow => f.write_str("Say which row stays with keep(..)"),
            Self::LookAt { call } => write!(f, "{call}() tells"),
            Self::Use { call, purpose } => write!(f, "To {purpose}, use {call}(..)"),
            Self::RequestAccess => f.write_str(
                "request_access(..) asks for it, and wait_for_access(..) waits until it is granted; then call again",
            ),
            Self::ServerMessage => f.write_str("server_message() has the service's own words, which are not shown here"),
        }
    }
}
