//! Leases in the database, by the database's clock. Whoever holds one renews it; when it has run out, anybody may have it.

use std::time::Duration;

use deadpool_postgres::ClientWrapper;

use super::failure::Result;
use super::readers::{execute, rows};

/// How long after it asked a holder believes in what it was given: the lease itself runs 1.5 s, by the database's clock and
/// from a later moment, so it is never over before its holder knows.
pub(super) const BELIEVED: Duration = Duration::from_millis(1_400);

/// How often it is renewed.
pub(super) const RENEWED: Duration = Duration::from_millis(500);

const CLAIM: &str = "INSERT INTO leases AS l (name, holder, until) \
     VALUES ($1, $2::text::uuid, clock_timestamp() + interval '1500 milliseconds') \
     ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = clock_timestamp() + interval '1500 milliseconds' \
     WHERE l.holder = EXCLUDED.holder OR l.until < clock_timestamp()";

const RENEW: &str = "UPDATE leases SET until = clock_timestamp() + interval '1500 milliseconds' \
     WHERE name = ANY ($1) AND holder = $2::text::uuid RETURNING name";

const RELEASE: &str = "DELETE FROM leases WHERE name = ANY ($1) AND holder = $2::text::uuid";

const LIVE: &str = "SELECT name, holder = $2::text::uuid, extract(epoch FROM until - clock_timestamp())::float8 FROM leases \
     WHERE name LIKE $1 AND until >= clock_timestamp()";

const SWEEP: &str = "DELETE FROM leases WHERE until < clock_timestamp() - interval '1 hour'";

/// Takes a lease that nobody holds, or that this holder has.
pub(super) async fn claim(client: &ClientWrapper, name: &str, holder: &str) -> Result<bool> {
    Ok(execute(client, CLAIM, &[&name, &holder]).await? == 1)
}

/// Renews leases; the names of those that the holder still has.
pub(super) async fn renew(client: &ClientWrapper, names: &[String], holder: &str) -> Result<Vec<String>> {
    let renewed = rows(client, RENEW, &[&names, &holder]).await?;
    renewed.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Gives leases back.
pub(super) async fn release(client: &ClientWrapper, names: &[String], holder: &str) -> Result<()> {
    execute(client, RELEASE, &[&names, &holder]).await.map(|_| ())
}

/// A lease that somebody holds.
pub(super) struct Live {
    pub name: String,
    /// Whether it is whoever asks.
    pub own: bool,
    /// How long it still runs unless it is renewed.
    pub runs: Duration,
}

/// The leases that somebody holds, of those whose names are like this.
pub(super) async fn live(client: &ClientWrapper, like: &str, holder: &str) -> Result<Vec<Live>> {
    let found = rows(client, LIVE, &[&like, &holder]).await?;
    let live = found.iter().map(|row| {
        let runs = Duration::try_from_secs_f64(row.try_get(2)?).unwrap_or_default();
        Ok(Live { name: row.try_get(0)?, own: row.try_get(1)?, runs })
    });
    live.collect()
}

/// Forgets those that were left by holders that never came back.
pub(super) async fn sweep(client: &ClientWrapper) -> Result<()> {
    execute(client, SWEEP, &[]).await.map(|_| ())
}
