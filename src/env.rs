//! Injection into this process: the only file that changes its environment, and the only one with unsafe code.
//!
//! On Unix the environment is one unguarded table that C code may read at any moment (`getenv`, name resolution, time
//! zones). To change it while another thread runs is undefined behaviour, so the safe way in counts the threads first.

use std::ffi::OsStr;
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::core::{ErrorKind, Hint, SecretValue, XtraError};
use crate::inject::{Existing, Inherited, Injection, InjectionReport, unsettable};

#[cfg(test)]
mod tests;

/// Whatever the caller has checked: the panic of `set_var` would quote the value.
fn ensure_settable<N: AsRef<str>>(variables: &[(N, &SecretValue)]) -> Result<(), XtraError> {
    match variables.iter().find_map(|(name, value)| unsettable(name.as_ref(), value)) {
        Some(why) => {
            Err(XtraError::new(ErrorKind::Invalid, format!("a variable cannot be set: {why}. Nothing was set")))
        }
        None => Ok(()),
    }
}

/// Sets the variables if no other thread can be reading the environment meanwhile; otherwise sets nothing.
///
/// The count and the changes run in this one call, with no `await` between them: a process with one thread can only get a
/// second one from the code that runs here.
pub(crate) fn set_when_alone<N: AsRef<str>>(
    variables: &[(N, &SecretValue)],
    existing: &Existing,
) -> Result<InjectionReport, XtraError> {
    ensure_sound(RULE, count_threads)?;
    // SAFETY: by the rule just checked this is the only thread of the process, or the platform guards its environment.
    // Nothing below starts a thread or runs code of the caller's: `AsRef<str>` is implemented by `str`, `String`, `Cow`.
    #[expect(unsafe_code, reason = "the threads were counted")]
    unsafe {
        set_unchecked(variables, existing)
    }
}

/// Sets the variables without counting threads. It fails, having set nothing, when a name or value cannot be set.
///
/// # Safety
///
/// On every platform but Windows, no other thread may read or write the environment until this returns.
#[expect(unsafe_code, reason = "the caller answers for the other threads")]
pub(crate) unsafe fn set_unchecked<N: AsRef<str>>(
    variables: &[(N, &SecretValue)],
    existing: &Existing,
) -> Result<InjectionReport, XtraError> {
    ensure_settable(variables)?;
    let inherited = Inherited::now();
    let mut report = InjectionReport::default();
    for (name, value) in variables {
        let name = name.as_ref();
        if report.decide(name, inherited.get(OsStr::new(name)), value, existing) {
            // SAFETY: the caller promises that nothing else touches the environment now.
            unsafe { std::env::set_var(name, value.expose()) };
        }
    }
    Ok(report)
}

/// These two live here, and not with the rest of the type, because one of them is unsafe.
impl Injection<'_> {
    /// Sets the variables of this process. Variables that are set already are kept, unless
    /// [`override_existing`](Self::override_existing) or [`keep`](Self::keep) was asked for.
    ///
    /// On Unix a change of the environment is undefined behaviour while another thread may read it, so the process must have
    /// exactly one thread: call this at the start of `main`, before a runtime, a logger or a library starts one, or inside a
    /// current-thread runtime. The call blocks for up to 20 ms while a thread that has just ended disappears. On Windows
    /// it works with any number of threads.
    ///
    /// The values stay readable to the process, its children and its user (`/proc/<pid>/environ` on some systems) for as
    /// long as they are set, and are not wiped. Where that is too much, read them from the [`Secrets`](crate::Secrets).
    ///
    /// # Errors
    ///
    /// Nothing is set when the call fails. [`ErrorKind::UnsoundInjection`]: there are other threads, or they cannot be
    /// counted here (macOS and the BSDs, or no `/proc`); use [`apply_to`](Self::apply_to) or
    /// [`inject_unchecked`](Self::inject_unchecked). [`ErrorKind::Invalid`]: a name or value that cannot or may not be set,
    /// or [`without_credentials`](Self::without_credentials), which is for children. [`ErrorKind::MissingSecret`]: a chosen
    /// secret is not in the snapshot.
    ///
    /// ```no_run
    /// use xtrasecurity::{Secrets, XtraError};
    ///
    /// fn main() -> Result<(), XtraError> {
    ///     let secrets = Secrets::from_iter([("DATABASE_URL", "postgres://db")]);
    ///     let report = secrets.injection().only(["DATABASE_URL"]).inject()?;
    ///     println!("set: {:?}, kept: {:?}", report.set(), report.kept());
    ///     Ok(())
    /// }
    /// ```
    pub fn inject(&self) -> Result<InjectionReport, XtraError> {
        set_when_alone(&self.plan_for_this_process()?, self.existing_or(&Existing::Keep))
    }

    /// The same as [`inject`](Self::inject), without counting threads.
    ///
    /// # Safety
    ///
    /// On every platform but Windows, no other thread may read or write the environment until this returns. Reads hide in C
    /// code: `getenv`, name resolution, time zones, locales. Only the program as a whole can know; for a library the answer
    /// is nearly always that it cannot.
    ///
    /// # Errors
    ///
    /// As [`inject`](Self::inject), but never [`ErrorKind::UnsoundInjection`]. Nothing is set when the call fails.
    #[expect(unsafe_code, reason = "the caller answers for the other threads")]
    pub unsafe fn inject_unchecked(&self) -> Result<InjectionReport, XtraError> {
        let variables = self.plan_for_this_process()?;
        // SAFETY: the caller's promise is the one that is asked for.
        unsafe { set_unchecked(&variables, self.existing_or(&Existing::Keep)) }
    }
}

/// When this platform lets a program change its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// With one thread, and the kernel tells how many there are.
    OneThread,
    /// Always: the platform guards its environment.
    Always,
    /// With one thread, but nothing reliable tells how many there are (system libraries start some by themselves).
    Unknown,
}

const RULE: Rule = if cfg!(any(target_os = "linux", target_os = "android")) {
    Rule::OneThread
} else if cfg!(windows) {
    Rule::Always
} else {
    Rule::Unknown
};

/// The threads of this process as the kernel lists them; `None` when the list cannot be read to its end.
fn count_threads() -> Option<usize> {
    let mut count = 0;
    for entry in fs::read_dir("/proc/self/task").ok()? {
        entry.ok()?;
        count += 1;
    }
    Some(count)
}

fn ensure_sound(rule: Rule, mut count: impl FnMut() -> Option<usize>) -> Result<(), XtraError> {
    /// The kernel may list a thread for a moment after it was joined. Such a thread runs no code any more.
    const GRACE: Duration = Duration::from_millis(20);
    const PAUSE: Duration = Duration::from_millis(1);

    match rule {
        Rule::Always => return Ok(()),
        Rule::Unknown => return Err(refusal("the threads of a process cannot be counted reliably on this platform")),
        Rule::OneThread => {}
    }
    let started = Instant::now();
    loop {
        match count() {
            Some(1) => return Ok(()),
            Some(0) | None => return Err(refusal("the threads of this process cannot be counted (/proc/self/task)")),
            Some(threads) if started.elapsed() >= GRACE => {
                return Err(refusal(&format!("this process has {threads} threads")));
            }
            Some(_) => thread::sleep(PAUSE),
        }
    }
}

fn refusal(why: &str) -> XtraError {
    let message = format!(
        "{why}, and to change the environment while another thread may read it is undefined behaviour: nothing was set"
    );
    XtraError::new(ErrorKind::UnsoundInjection, message).with_hint(Hint::InjectElsewhere)
}
