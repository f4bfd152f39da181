//! What processes leave behind that have ended, cleared away portal by portal.

use std::collections::BTreeMap;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::types::ToSql;

use super::failure::Result;
use super::readers::execute;
use super::{commit, work};
use crate::{Kind, Millis, PortalId, Usage};

/// Parts of the tally that nobody has written for so long that whoever did is gone, or will begin another.
const GONE: &str = "DELETE FROM tallies WHERE portal_id = $1 AND slot <> 0 AND written_at < now() - interval '1 hour' \
     RETURNING threads, messages, bytes, latest_now";

const KEEP: &str = "INSERT INTO tallies AS t (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
     VALUES ($1, 0, $2, $3, $4, $5, 0, now()) ON CONFLICT (portal_id, slot) DO UPDATE SET \
     threads = t.threads + excluded.threads, messages = t.messages + excluded.messages, bytes = t.bytes + excluded.bytes, \
     latest_now = greatest(t.latest_now, excluded.latest_now), written_at = excluded.written_at";

/// Parts of the counts of threads whose writers have no part of the tally any more.
const UNCOUNTED: &str = "DELETE FROM thread_counts c WHERE portal_id = $1 AND slot <> 0 AND NOT EXISTS \
     (SELECT 1 FROM tallies t WHERE t.portal_id = $1 AND t.slot = c.slot) \
     RETURNING tag_id, state::bigint, inbox_id, account_id, assigned_to, n";

/// Kinds of which there were threads, and are none.
const NONE: &str = "DELETE FROM thread_counts WHERE portal_id = $1 AND slot = 0 AND n = 0";

/// Limits that nobody has used for longer than the longest day.
const UNUSED: &str = "DELETE FROM allowances WHERE portal_id = $1 AND written_at < now() - interval '2 days'";

/// Clears away what ended processes left; how many rows that were.
pub(super) async fn tidy(client: &mut ClientWrapper, portal: PortalId) -> Result<u64> {
    // Dropped halfway, it is rolled back.
    let transaction = client.transaction().await?;
    let gone = transaction.prepare_cached(GONE).await?;
    let gone = transaction.query(&gone, &[&portal.0]).await?;
    if !gone.is_empty() {
        let (mut held, mut latest) = (Usage::default(), Millis::MIN);
        for row in &gone {
            held.threads += row.try_get::<_, i64>(0)?;
            held.messages += row.try_get::<_, i64>(1)?;
            held.bytes += row.try_get::<_, i64>(2)?;
            latest = latest.max(row.try_get(3)?);
        }
        let keep = transaction.prepare_cached(KEEP).await?;
        transaction.execute(&keep, &[&portal.0, &held.threads, &held.messages, &held.bytes, &latest]).await?;
    }
    let uncounted = transaction.prepare_cached(UNCOUNTED).await?;
    let mut counts: BTreeMap<Kind, i64> = BTreeMap::new();
    for row in &transaction.query(&uncounted, &[&portal.0]).await? {
        *counts.entry(work::kind(row)?).or_default() += row.try_get::<_, i64>(5)?;
    }
    if !counts.is_empty() {
        let counts: Vec<(&Kind, i64)> = counts.iter().map(|(kind, n)| (kind, *n)).collect();
        let columns = commit::count_columns(&counts);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&portal.0, &0_i64];
        values.extend(columns.iter().map(|column| &**column as &(dyn ToSql + Sync)));
        let counted = transaction.prepare_cached(commit::COUNTS).await?;
        transaction.execute(&counted, &values).await?;
        let none = transaction.prepare_cached(NONE).await?;
        transaction.execute(&none, &[&portal.0]).await?;
    }
    transaction.commit().await?;
    Ok(gone.len() as u64 + execute(client, UNUSED, &[&portal.0]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySource, MasterKey, Postgres, Quota, Settings, Store};

    #[tokio::test(flavor = "multi_thread")]
    async fn what_ended_writers_counted_is_kept_in_one_part() {
        let database = antiphon_cluster::shared().unwrap().database().unwrap();
        let postgres = Some(Postgres { connections: 4, ..Postgres::new(database.url()) });
        let store = Store::open(Settings {
            postgres,
            key: KeySource::Given(MasterKey::new([7; 32])),
            ..Settings::new(std::env::temp_dir())
        })
        .unwrap();
        let mut portals = Vec::new();
        for _ in 0..2 {
            let made = store.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await;
            portals.push(made.unwrap().unwrap().id);
        }
        let left = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
                    SELECT p.id, s, s, 2 * s, 3 * s, 9000000000000 + s, s, now() - s * interval '31 minutes' \
                    FROM portals p, generate_series(1, 4) s";
        database.rows(left).unwrap();
        database
            .rows("INSERT INTO allowances SELECT id, 'old', 1, '{}', '{}', '{}', '{}', '{}', now() - interval '3 days' FROM portals")
            .unwrap();
        // Part 9 counted threads, and has no tally any more; part 0 had two less of a kind than part 3 has.
        let counted = "INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot, n) \
                       SELECT p.id, 0, 0, 1, 1, whose, slot, n FROM portals p, (VALUES ('', 9, 5), ('', 1, 2), ('A-1', 3, 2), \
                       ('A-1', 0, -2), ('A-2', 4, 1)) AS c (whose, slot, n)";
        database.rows(counted).unwrap();
        let before = store.usage(portals[0]).await.unwrap();
        let count = async || {
            let counts = store.thread_counts(portals[0], &[None]).await.unwrap().into_iter();
            counts.map(|(kind, n)| (kind.assigned_to, n)).collect::<BTreeMap<_, _>>()
        };
        let whose = BTreeMap::from([(None, 7), (Some("A-2".to_owned()), 1)]);
        assert_eq!(count().await, whose);
        assert_eq!((before.threads, before.messages, before.bytes), (10, 20, 30));
        // Two nodes at once do it once.
        let both = tokio::join!(store.tidy(portals[0]), store.tidy(portals[0]));
        assert_eq!(both.0.unwrap() + both.1.unwrap(), 4, "three parts, and a limit");
        assert_eq!(store.usage(portals[0]).await.unwrap(), before);
        assert_eq!(count().await, whose);
        let left = format!(
            "SELECT slot, assigned_to, n FROM thread_counts WHERE portal_id = {} ORDER BY 1, 2",
            portals[0]
        );
        let left = database.rows(&left).unwrap();
        assert_eq!(left.len(), 3, "{left:?}");
        let parts = |portal: PortalId| {
            let parts = format!(
                "SELECT slot, threads, latest_now FROM tallies WHERE portal_id = {portal} ORDER BY slot"
            );
            database.rows(&parts).unwrap()
        };
        let cell = |text: &str| Some(text.to_owned());
        let kept = vec![cell("0"), cell("9"), cell("9000000000004")];
        assert_eq!(parts(portals[0]), [kept, vec![cell("1"), cell("1"), cell("9000000000001")]]);
        assert_eq!(parts(portals[1]).len(), 5, "another portal's are another's");
        assert_eq!(store.tidy(portals[0]).await.unwrap(), 0);
        store.close().await;
    }
}
