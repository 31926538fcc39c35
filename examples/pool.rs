//! A pool of database connections whose password is rotated while the program runs.
//!
//! ```text
//! cargo run --example pool
//! ```
//!
//! The database lives in memory here; what matters is how the pool opens a connection: with the password of this moment, and
//! once more with a newer one if the database refuses it.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use xtrasecurity::dev_server::DevServer;
use xtrasecurity::{UseError, WithSecretError, XtraClient, clock::ManualClock};

/// A database that lets nobody in without its password.
#[derive(Clone)]
struct Database(Arc<Mutex<String>>);

#[derive(Debug)]
struct WrongPassword;

struct Connection;

impl Database {
    async fn connect(&self, password: &str) -> Result<Connection, WrongPassword> {
        tokio::task::yield_now().await;
        let right = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *right == password { Ok(Connection) } else { Err(WrongPassword) }
    }

    fn set_password(&self, password: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = password.to_owned();
    }
}

/// Connections that are idle, and what it takes to open more.
struct Pool {
    idle: Mutex<Vec<Connection>>,
    database: Database,
    secrets: XtraClient,
}

impl Pool {
    async fn get(&self) -> Result<Connection, WithSecretError<WrongPassword>> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.open().await,
        }
    }

    async fn open(&self) -> Result<Connection, WithSecretError<WrongPassword>> {
        self.secrets
            .with_secret("DATABASE_PASSWORD", |password| async move {
                // Only this says "try a newer one". A network error would be `Failed`, as `?` makes it.
                self.database.connect(password.expose()).await.map_err(UseError::Refused)
            })
            .await
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = DevServer::start().await?;
    let rotate = |password: &str| server.set_secret("demo", "production", "main", "DATABASE_PASSWORD", password);
    rotate("first")?;

    let clock = ManualClock::new(); // so that this example need not wait for the snapshot to age
    let secrets = XtraClient::builder().dev_server(&server).environment("production").clock(clock.clock()).build()?;
    let database = Database(Arc::new(Mutex::new("first".to_owned())));
    let pool = Arc::new(Pool { idle: Mutex::default(), database: database.clone(), secrets });

    pool.put_back(pool.get().await?);
    println!("connected; requests so far: {}", pool.secrets.stats().requests);

    clock.advance(Duration::from_secs(11));
    rotate("second")?;
    database.set_password("second");
    let takers: Vec<_> = (0..50)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.get().await.map(drop) })
        })
        .collect();
    for taker in takers {
        taker.await??;
    }
    println!("password rotated; 50 connections later, requests so far: {}", pool.secrets.stats().requests);

    database.set_password("nobody told the secrets manager");
    match pool.get().await {
        Err(error @ WithSecretError::Refused(_)) => println!("and when no password fits: {error}"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("the database let somebody in".into()),
    }
    Ok(())
}

impl fmt::Display for WrongPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database refused the password")
    }
}

impl Error for WrongPassword {}
