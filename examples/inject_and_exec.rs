//! Secrets for another program: as variables of a child process, which is sound in every kind of program.
//!
//! ```text
//! cargo run --example inject_and_exec                       # lists the names that the child sees
//! cargo run --example inject_and_exec -- psql -c 'select 1'
//! ```

use std::error::Error;
use std::process::Command;

use xtrasecurity::XtraClient;
use xtrasecurity::dev_server::DevServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let client = XtraClient::builder().dev_server(&server).build()?;
    let secrets = client.get_secrets("production").await?;

    // This process has several threads, so setting its own environment is refused, and nothing is set.
    if let Err(error) = client.inject_secrets("production").await {
        println!("into this process: {error}\n");
    }

    let mut arguments = std::env::args().skip(1);
    let mut command = match arguments.next() {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        None => {
            let mut command = Command::new("sh");
            command.args(["-c", "for name in DATABASE_URL API_KEY; do eval \"[ -n \\\"\\$$name\\\" ]\" && echo \"the child has $name\"; done"]);
            command
        }
    };
    let report = secrets.injection().apply_to(&mut command)?;
    println!("into the child: {}", report.set().join(", "));
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1));
}
