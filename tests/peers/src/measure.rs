//! The cost of a start: a process that logs in, puts 50 secrets into its environment and exits. Medians of rounds in which the
//! programs take turns.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;
use xtrasecurity::infisical::dev::Generation;

use crate::programs::{Program, command, programs};
use crate::service::{start, variables};

const ROUNDS: usize = 21;

struct Costs {
    name: &'static str,
    words: Vec<PathBuf>,
    time: Vec<Duration>,
    processor: Vec<Duration>,
    kibibytes: Vec<u64>,
}

pub fn measure(runtime: &tokio::runtime::Runtime) -> ExitCode {
    let server = runtime.block_on(start(Generation::Current));
    let variables = variables(&server);
    let mut all = Vec::new();
    for program in programs() {
        match program {
            Program::Missing(name, why) => println!("SKIPPED {name}: {why}"),
            Program::Whole(name, words) | Program::OnlyStarts(name, words) => {
                all.push(Costs { name, words, time: vec![], processor: vec![], kibibytes: vec![] });
            }
        }
    }
    // the first round warms the files up
    for round in 0..=ROUNDS {
        for costs in &mut all {
            // first, so that what is timed finds the machine as it was left by itself and not by another program
            let memory = peak_memory(&costs.words, &variables);
            let mut process = command(&costs.words, "start");
            process.envs(variables.clone());
            let begin = Instant::now();
            let ended = process.spawn().and_then(|mut child| child.wait4()).expect("the program starts");
            let time = begin.elapsed();
            if !ended.status.success() {
                println!("FAILED {}", costs.name);
                return ExitCode::FAILURE;
            }
            if round > 0 {
                costs.time.push(time);
                costs.processor.push(ended.rusage.utime + ended.rusage.stime);
                costs.kibibytes.extend(memory);
            }
        }
    }
    println!("{ROUNDS} rounds, medians{:>24} {:>12} {:>12}", "time", "processor", "peak memory");
    for costs in &mut all {
        let (time, processor) = (median(&mut costs.time), median(&mut costs.processor));
        let milliseconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1e3;
        let memory =
            median(&mut costs.kibibytes).map_or("unknown".to_owned(), |kib| format!("{:.1} MiB", kib as f64 / 1024.0));
        println!("{:<28} {:>9.1} ms {:>9.1} ms {memory:>12}", costs.name, milliseconds(time), milliseconds(processor));
    }
    ExitCode::SUCCESS
}

/// By GNU time, which is small: the kernel counts what a process was before it became the program, so that of a child of this one
/// would be this one's at the least.
fn peak_memory(words: &[PathBuf], variables: &[(&'static str, String)]) -> Option<u64> {
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M"]).args(words).arg("start").envs(variables.iter().cloned()).stdout(Stdio::null());
    let output = timed.output().ok()?;
    String::from_utf8_lossy(&output.stderr).lines().last()?.trim().parse().ok()
}

fn median<T: Ord + Copy>(all: &mut [T]) -> Option<T> {
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}
