//! PostgreSQL's own load generator, with the statements of the product.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::load::generator_threads;

/// One message in one transaction of its own: the thread, its place, the message and the event.
pub const SEND: &str = r#"\set thread random(1, 20000)
BEGIN;
UPDATE threads SET latest_message_at = greatest(latest_entry_at + 1, (extract(epoch FROM now()) * 1000)::bigint), entries = entries + 1, revision = revision + 1, latest_entry_at = greatest(latest_entry_at + 1, (extract(epoch FROM now()) * 1000)::bigint) WHERE portal_id = 1 AND id = :thread RETURNING entries - 1 AS sequence, latest_entry_at AS at, revision AS revision \gset
UPDATE thread_places SET latest_message_at = :at WHERE portal_id = 1 AND id = :thread;
INSERT INTO messages (portal_id, key, id, kind, direction, created_at, format, doc) SELECT 1, :thread::bigint << 24 | :sequence, uuid_send(gen_random_uuid()), 1, 2, :at, 1, doc FROM messages WHERE portal_id = 1 AND key = 1 << 24;
INSERT INTO unnumbered_events (portal_id, stamp, batch, ordinal, kind, object, object_id, revision, occurred_at, payload) VALUES (1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, (random() * 9e18)::bigint, 0, 2, 1, :thread, :revision, :at, '{"messageId":"0199aaaabbbbccccddddeeeeffff0000","messageType":"MESSAGE"}');
COMMIT;
"#;

/// A page of a long thread's history, as the store asks for it.
pub fn history(stride: usize, long: usize, limit: usize) -> String {
    format!(
        "\\set n random(0, {})\n\\set thread 1 + :n * {stride}\n\
         SELECT t.entries, m.key, m.doc FROM threads t LEFT JOIN LATERAL (SELECT key, doc FROM messages \
         WHERE portal_id = 1 AND key >= :thread::bigint << 24 AND key < (:thread::bigint + 1) << 24 ORDER BY key DESC LIMIT {limit}) m ON true \
         WHERE t.portal_id = 1 AND t.id = :thread AND (t.archived_at IS NOT NULL) = false;\n",
        long - 1
    )
}

/// Runs a script with so many clients for a while: transactions per second.
pub fn run(root: &Path, url: &str, script: &str, clients: usize, time: Duration) -> Result<f64> {
    let file = root.join("pgbench.sql");
    std::fs::write(&file, script)?;
    let program = antiphon_cluster::install()?.join("pgbench");
    let threads = generator_threads().min(clients);
    let mut command = Command::new(program);
    command.args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", &threads.to_string()]);
    command.args(["-T", &time.as_secs().max(1).to_string(), "-f"]).arg(&file).arg(url);
    let output = command.output().context("pgbench cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let line = text.lines().find(|line| line.starts_with("tps = ")).context("pgbench named no rate")?;
    Ok(line.split_whitespace().nth(2).context("pgbench named no rate")?.parse()?)
}
