//! The flags.

use std::time::Duration;

pub const HELP: &str = "\
soak [--seconds 5] [--every 1] [--tasks 32] [--clients 4] [--faults 30] [--seed 1]

  --seconds  how long to run
  --every    seconds between two lines
  --tasks    how many tasks use the clients
  --clients  how many clients they share
  --faults   how many of a hundred requests meet a fault
  --seed     of the random numbers";

#[derive(Clone, Copy)]
pub struct Options {
    pub seconds: Duration,
    pub every: Duration,
    pub tasks: u64,
    pub clients: u64,
    pub faults: u64,
    pub seed: u64,
}

impl Options {
    /// `None` when help is asked for.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let second = Duration::from_secs(1);
        let mut options = Self { seconds: 5 * second, every: second, tasks: 32, clients: 4, faults: 30, seed: 1 };
        while let Some(flag) = arguments.next() {
            if flag == "--help" {
                return Ok(None);
            }
            let number = arguments.next().and_then(|text| text.parse::<u64>().ok());
            let number = number.ok_or_else(|| format!("{flag} needs a number; --help tells more"))?;
            match flag.as_str() {
                "--seconds" => options.seconds = Duration::from_secs(number),
                "--every" => options.every = Duration::from_secs(number.max(1)),
                "--tasks" => options.tasks = number,
                "--clients" => options.clients = number.max(1),
                "--faults" => options.faults = number.min(100),
                "--seed" => options.seed = number,
                _ => return Err(format!("there is no {flag}; --help tells which there are")),
            }
        }
        Ok(Some(options))
    }
}
