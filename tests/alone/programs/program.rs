//! The programs: each injects in its own way, then writes down its whole environment.

use std::error::Error;
use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

use tokio::runtime::Builder;
use xtrasecurity::{ErrorKind, OfflineOptions, XtraClient, XtraError, blocking, inject::InjectionReport};

use crate::programs::hangs_up::HangsUp;

type Outcome = Result<(), Box<dyn Error>>;

pub fn main(arguments: &[String]) -> ExitCode {
    let Some((name, rest)) = arguments.split_first() else { return ExitCode::from(2) };
    let outcome = match name.as_str() {
        "blocking" => blocking_inject(rest).and_then(|_| written_down()),
        "blocking-then-tokio" => blocking_then_tokio(rest),
        "current-thread" => inside(&mut Builder::new_current_thread(), rest),
        "multi-thread" => inside(Builder::new_multi_thread().worker_threads(2), rest),
        "second-thread" => with_a_second_thread(rest),
        "every" => every(rest),
        "spawn-after" => spawn_after(rest),
        "apply" => apply(rest),
        "fifty-reads" => fifty_reads(rest),
        "cached-read" => cached_read(rest),
        "saves-copies" => saves_copies(rest),
        "writes-after-closes" => writes_after_closes(),
        "no-files-left" => no_files_left(rest),
        "forks" => forks(rest),
        "ends-in-a-call" => ends_in_a_call(rest),
        "write-down" => written_down(),
        _ => return ExitCode::from(2),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            written_down().map_or(ExitCode::from(2), |()| ExitCode::FAILURE)
        }
    }
}

/// `NAME=VALUE` and a NUL byte, for each variable of this process.
fn written_down() -> Outcome {
    let mut out = std::io::stdout().lock();
    for (name, value) in std::env::vars() {
        write!(out, "{name}={value}\0")?;
    }
    Ok(out.flush()?)
}

/// The words of a request, as methods of either client's.
macro_rules! chosen {
    ($client:expr, $arguments:expr) => {{
        let mut words = $arguments.iter().map(String::as_str);
        let mut word = move || words.next().unwrap_or_default();
        let mut request = $client.inject_secrets(word().to_owned());
        loop {
            request = match word() {
                "" => break request,
                "--override" => request.override_existing(),
                "--only" => request.only(word().split(',')),
                "--exclude" => request.exclude(word().split(',')),
                "--prefix" => request.prefix(word()),
                "--rename" => {
                    let (secret, variable) = word().split_once(':').unwrap_or_default();
                    request.rename(secret, variable)
                }
                "--allow" => request.allow_name(word()),
                "--branch" => request.branch(word().to_owned()),
                "--project" => request.project_id(word().to_owned()),
                other => return Err(format!("unknown word {other}").into()),
            };
        }
    }};
}

fn blocking_inject(arguments: &[String]) -> Result<InjectionReport, Box<dyn Error>> {
    let client = blocking::XtraClient::from_env()?;
    Ok(chosen!(client, arguments).send()?)
}

/// Saves and takes copies, which needs threads, and injects after each: that there is one thread is checked each time.
fn saves_copies(arguments: &[String]) -> Outcome {
    let options = OfflineOptions::new("copies");
    let start = || blocking::XtraClient::builder().offline(options.clone());
    for _ in 0..20 {
        let client = start().build()?;
        chosen!(client, arguments).send()?;
        std::fs::remove_dir_all("copies")?;
    }
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let client = XtraClient::builder().offline(options.clone()).build()?;
        chosen!(client, arguments).await?;
        Ok::<_, Box<dyn Error>>(())
    })?;
    let server = std::net::TcpListener::bind("127.0.0.1:0")?;
    let nobody = format!("http://{}/api", server.local_addr()?);
    drop(server);
    let client = start().max_retries(0).api_url(nobody).build()?;
    match chosen!(client, arguments).send() {
        Err(error) if error.kind() == ErrorKind::Network => written_down(),
        _ => Err("a copy of another root was taken".into()),
    }
}

/// What a server does: its `main` injects, and only then starts a runtime with many threads, where the client is used again.
fn blocking_then_tokio(arguments: &[String]) -> Outcome {
    blocking_inject(arguments)?;
    let environment = arguments.first().cloned().unwrap_or_default();
    serve(environment)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn serve(environment: String) -> Outcome {
    let client = XtraClient::from_env()?;
    let secrets = tokio::spawn(async move { client.get_secrets(environment).await }).await??;
    for (name, value) in secrets.iter() {
        if std::env::var(name)? != value.expose() {
            return Err(format!("{name} is not what the async client reads").into());
        }
    }
    written_down()
}

fn inside(runtime: &mut Builder, arguments: &[String]) -> Outcome {
    runtime.enable_all().build()?.block_on(async {
        let client = XtraClient::from_env()?;
        chosen!(client, arguments).await?;
        written_down()
    })
}

fn with_a_second_thread(arguments: &[String]) -> Outcome {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let second = std::thread::spawn(move || held.recv().is_err());
    let outcome = blocking_inject(arguments);
    drop(hold);
    if !second.join().is_ok_and(|ended| ended) {
        return Err("the second thread ended early".into());
    }
    outcome.and_then(|_| written_down())
}

/// Several scopes into one process: for each a prefix, a project, a branch and an environment.
fn every(arguments: &[String]) -> Outcome {
    let client = blocking::XtraClient::from_env()?;
    for scope in arguments.chunks_exact(4) {
        let [prefix, project, branch, environment] = scope else { continue };
        let request = client.inject_secrets(environment).project_id(project).branch(branch);
        request.prefix(prefix).send()?;
    }
    written_down()
}

/// Injects, and then starts a child that inherits the environment.
fn spawn_after(arguments: &[String]) -> Outcome {
    blocking_inject(arguments)?;
    let refused = this_program().status().err().ok_or("the child was started")?;
    eprintln!("{refused}");
    this_program().env_remove("HUGE").status()?;
    Ok(())
}

/// Gives the secrets to a child, and writes this process's environment down if that is refused.
fn apply(arguments: &[String]) -> Outcome {
    let client = blocking::XtraClient::from_env()?;
    let environment = arguments.first().map(String::as_str).unwrap_or_default();
    let secrets = client.get_secrets(environment).send()?;
    let mut child = this_program();
    secrets.apply_to(&mut child)?;
    if child.status()?.success() { Ok(()) } else { Err("the child failed".into()) }
}

/// Reads by name, over and over: a thread that ends late would be seen now and then only.
fn fifty_reads(arguments: &[String]) -> Outcome {
    let client = blocking::XtraClient::from_env()?;
    let environment = arguments.first().map(String::as_str).unwrap_or_default();
    for _ in 0..50 {
        client.clear_cache();
        client.get_secrets(environment).no_cache().send()?;
        let threads = std::fs::read_dir("/proc/self/task")?.count();
        if threads != 1 {
            return Err(format!("{threads} threads").into());
        }
    }
    Ok(())
}

/// Reads what an async client has cached: the files that are open tell whether the blocking clients' runtime was made.
fn cached_read(arguments: &[String]) -> Outcome {
    let environment = arguments.first().map(String::as_str).unwrap_or_default();
    let client = XtraClient::from_env()?;
    Builder::new_current_thread().enable_all().build()?.block_on(client.get_secrets(environment).send())?;
    let client = blocking::XtraClient::from(client);
    let open = || std::fs::read_dir("/proc/self/fd").map(Iterator::count);
    let before = open()?;
    client.get_secrets(environment).send()?;
    let cached = open()?;
    client.get_secrets(environment).no_cache().send()?;
    if cached != before || open()? <= cached {
        return Err(
            format!("open files: {before} before, {cached} after the cached read, {} in the end", open()?).into()
        );
    }
    Ok(())
}

/// Writes, each time on a connection that was closed since the last call returned. Nothing else drives the runtime here.
fn writes_after_closes() -> Outcome {
    let service = HangsUp::start();
    let client = blocking::XtraClient::builder().api_url(&service.url).build()?;
    for _ in 0..20 {
        let write = client.raw().webhooks_ping().project_id("665f1c2ab7c0de0012345678").webhook_id("1");
        client.block_on(write.send())??;
        if !service.close().starts_with("POST ") {
            return Err("the write was something else".into());
        }
    }
    Ok(())
}

/// Makes its first call when no file can be opened any more.
fn no_files_left(arguments: &[String]) -> Outcome {
    let client = blocking::XtraClient::from_env()?;
    let environment = arguments.first().map(String::as_str).unwrap_or_default();
    let mut open = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        open.push(file);
    }
    let refused = client.get_secrets(environment).send().err().ok_or("the call succeeded")?;
    if refused.kind() != ErrorKind::Config || refused.source().is_none() {
        return Err(format!("{refused:?}").into());
    }
    // The failure is not for ever.
    drop(open);
    blocking_inject(arguments)?;
    written_down()
}

/// Forks with a connection open; then both read, each another environment. On a shared connection, or with a shared event
/// queue, one would get what is meant for the other, or wait for it until its deadline.
fn forks(arguments: &[String]) -> Outcome {
    let [here, there] = arguments else { return Err("two environments, please".into()) };
    let client = blocking::XtraClient::builder().call_timeout(Duration::from_secs(5)).max_retries(0).build()?;
    let names = |environment: &str| -> Result<Vec<String>, XtraError> {
        let secrets = client.get_secrets(environment).no_cache().send()?;
        Ok(secrets.names().map(str::to_owned).collect())
    };
    let (of_here, of_there) = (names(here)?, names(there)?);
    let read = |environment: &str, expected: &[String]| {
        (0..50)
            .all(|_| names(environment).inspect_err(|error| eprintln!("{error}")).is_ok_and(|names| names == expected))
    };
    let in_child = || {
        let injected = || client.inject_secrets(there).no_cache().send().is_ok_and(|report| !report.set().is_empty());
        read(there, &of_there) && injected()
    };
    let (child, parent) = crate::programs::fork::both(in_child, || read(here, &of_here));
    if child && parent { Ok(()) } else { Err(format!("the child: {child}, the parent: {parent}").into()) }
}

/// Returns while a thread waits for an answer that never comes.
fn ends_in_a_call(arguments: &[String]) -> Outcome {
    let service = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://127.0.0.1:{}/api", service.local_addr()?.port());
    let client = blocking::XtraClient::builder().api_url(url).build()?;
    let environment = arguments.first().cloned().unwrap_or_default();
    std::thread::spawn(move || client.get_secrets(environment).send());
    // Not answered: it is in the call.
    std::io::Read::read_exact(&mut service.accept()?.0, &mut [0; 4])?;
    Ok(())
}

fn this_program() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    command.args([crate::programs::PROGRAM, "write-down"]);
    command
}
