//! SQL from a thread of its own, so that tests may ask from inside their runtime and from outside.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage, error::SqlState};

/// A row of an answer, as text.
pub type Row = Vec<Option<String>>;

/// Longer than anything a test sets up takes; a server that is paused does not hold a test up for good.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn rows(port: u16, database: &str, text: &str) -> Result<Vec<Row>> {
    thread::scope(|scope| scope.spawn(|| ask(port, database, text)).join())
        .map_err(|_| anyhow!("the thread that asks PostgreSQL panicked"))?
        .with_context(|| format!("PostgreSQL on port {port} did not do: {text}"))
}

/// The server's reason for a refusal.
pub(crate) fn code(error: &anyhow::Error) -> Option<&SqlState> {
    error.downcast_ref::<tokio_postgres::Error>()?.code()
}

fn ask(port: u16, database: &str, text: &str) -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, conversation(port, database, text))
            .await
            .context("no answer in time")?
    })
}

async fn conversation(port: u16, database: &str, text: &str) -> Result<Vec<Row>> {
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).user("postgres").dbname(database);
    let (client, connection) = config.connect(NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut rows = Vec::new();
    for message in client.simple_query(text).await? {
        if let SimpleQueryMessage::Row(row) = message {
            rows.push((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect());
        }
    }
    // Only once the server was told goodbye does the next step find the database unused.
    drop(client);
    let _ = connection.await;
    Ok(rows)
}
