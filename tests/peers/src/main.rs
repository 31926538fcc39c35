//! The public clients of Infisical against the dev server, which is held to be right when they work with it as with a real one.
//! `check` runs what each can do, `measure` compares starts with 50 secrets. `tests/peers/run` fetches the clients.

mod measure;
mod programs;
mod service;

use std::process::ExitCode;

use programs::{Program, programs};
use xtrasecurity::infisical::dev::Generation;

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    if std::env::args().nth(1).as_deref() == Some("measure") {
        return measure::measure(&runtime);
    }
    let mut failed = false;
    for generation in [Generation::August2024, Generation::October2024, Generation::Current] {
        for program in programs() {
            let name = program.name();
            match program {
                Program::Missing(_, why) => println!("SKIPPED {name}: {why}"),
                Program::OnlyStarts(..) => {}
                Program::Whole(_, command) => match runtime.block_on(service::check(generation, &command)) {
                    Ok(steps) => println!("{generation:?}: {name}: {steps}"),
                    Err(why) => {
                        println!("FAILED {generation:?}: {name}: {why}");
                        failed = true;
                    }
                },
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
