//! One end of a move: rows of a database as both engines have them, read in pages and written with array statements.

use std::time::Duration;

use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::types::ToSql;

use super::connect::{Place, Session, shown};
use super::failure::{Failure, Result};
use super::readers::{Values, execute, row, rows};
use super::{Answer, Engine, events, schema, secrets};
use crate::moving::{
    Change, End as AnyEnd, Kind, Of, PAGE_BYTES, PAGE_ROWS, Page, Reached, Row, Server, TABLES, Table, Value,
};
use crate::{OpenError, PortalId, Postgres, StoreError};

/// Nothing here waits for anybody's locks for long, but a page of large rows or a commit of many may take its time.
const STATEMENT: Duration = Duration::from_secs(300);

const STATE: &str = "CREATE TABLE IF NOT EXISTS move_from (place TEXT NOT NULL); \
     CREATE TABLE IF NOT EXISTS move_progress (name TEXT NOT NULL, portal_id BIGINT NOT NULL, after BYTEA NOT NULL, \
     done BOOLEAN NOT NULL, PRIMARY KEY (name, portal_id))";

const COUNTERS: &str = "SELECT c.next_thread, c.next_visitor, c.next_ticket, c.next_file, c.next_inbox, c.next_account, \
     c.next_actor, t.threads, t.messages, t.bytes, c.event_position + u.waiting, t.latest_now, c.next_subscription FROM counters c, \
     (SELECT coalesce(sum(threads), 0)::bigint AS threads, coalesce(sum(messages), 0)::bigint AS messages, \
     coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(max(latest_now), 0) AS latest_now FROM tallies WHERE portal_id = $1) t, \
     (SELECT count(*) AS waiting FROM unnumbered_events WHERE portal_id = $1) u WHERE c.portal_id = $1";

/// Events that wait for their positions, with those that they would be given now.
const WAITING: &str = "WITH placed AS (SELECT kind, object, object_id, revision, occurred_at, payload, \
     row_number() OVER (ORDER BY stamp, batch, ordinal) AS place, \
     row_number() OVER (PARTITION BY object, object_id ORDER BY stamp, batch, ordinal) AS nth, \
     row_number() OVER (PARTITION BY object, object_id ORDER BY revision, stamp, batch, ordinal) AS turn \
     FROM unnumbered_events WHERE portal_id = $1) \
     SELECT c.event_position + a.place, b.kind, b.object, b.object_id, b.revision, b.occurred_at, b.payload \
     FROM (SELECT event_position FROM counters WHERE portal_id = $1) c CROSS JOIN placed a \
     JOIN placed b ON b.object = a.object AND b.object_id = a.object_id AND b.turn = a.nth \
     WHERE c.event_position + a.place > $2 ORDER BY 1";

const PLACES: &str = "INSERT INTO thread_places (portal_id, id, inbox_id, population, visitor_id, latest_message_at, \
     account_id, state, assigned_to, latest_at) \
     SELECT portal_id, id, inbox_id, population, visitor_id, latest_message_at, account_id, CASE WHEN population > 1 THEN 4 \
     WHEN spam THEN 3 WHEN population = 1 THEN 2 WHEN snoozed_until IS NOT NULL THEN 1 ELSE 0 END, \
     coalesce(assigned_to, ''), coalesce(latest_message_at, created_at) FROM threads \
     WHERE portal_id = $1 AND id = ANY ($2) ON CONFLICT DO NOTHING";
const TAGGED: &str = "INSERT INTO thread_tags (portal_id, thread_id, tag_id, inbox_id, account_id, state, assigned_to, \
     latest_at) SELECT $1, p.id, tag.id::bigint, p.inbox_id, p.account_id, p.state, p.assigned_to, p.latest_at \
     FROM (SELECT id, tags FROM threads WHERE portal_id = $1 AND id = ANY ($2) AND tags IS NOT NULL) t \
     JOIN thread_places p ON p.portal_id = $1 AND p.id = t.id \
     CROSS JOIN LATERAL json_array_elements_text(t.tags::json) AS tag (id) ON CONFLICT DO NOTHING";
/// Adds threads to the counts, or takes them away.
const COUNTED: &str = "INSERT INTO thread_counts (portal_id, slot, tag_id, state, inbox_id, account_id, assigned_to, n) \
     SELECT $1, 0, tag_id, state, inbox_id, account_id, assigned_to, $3 * count(*) FROM \
     (SELECT 0::bigint AS tag_id, state, inbox_id, account_id, assigned_to FROM thread_places \
     WHERE portal_id = $1 AND id = ANY ($2) UNION ALL \
     SELECT tag_id, state, inbox_id, account_id, assigned_to FROM thread_tags \
     WHERE portal_id = $1 AND thread_id = ANY ($2)) kind GROUP BY tag_id, state, inbox_id, account_id, assigned_to \
     ON CONFLICT (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot) \
     DO UPDATE SET n = thread_counts.n + excluded.n";

/// Tables that are made of others.
const DERIVED: [&str; 4] = ["tallies", "thread_places", "thread_tags", "thread_counts"];

pub(crate) struct End {
    pub(super) session: Session,
}

impl End {
    /// A store that is moved away. Nobody may be serving it.
    pub(crate) async fn source(at: &Postgres) -> std::result::Result<Self, OpenError> {
        let end = Self::alone(at).await?;
        let url = shown(&at.url);
        end.view().await.map_err(|e| e.opening(&url))?;
        Ok(end)
    }

    /// A store that nobody serves.
    pub(super) async fn alone(at: &Postgres) -> std::result::Result<Self, OpenError> {
        let end = Self::open(at).await?;
        let url = shown(&at.url);
        end.refuse_moved(&url, None).await?;
        end.refuse_served(&url).await?;
        Ok(end)
    }

    /// A store that others may go on changing: what is read is how it is now.
    pub(super) async fn snapshot(at: &Place) -> Result<Self> {
        let end = Self { session: at.connect().await? };
        end.patiently().await?;
        end.view().await?;
        Ok(end)
    }

    /// A store that is filled from a place: it must be empty, or the same move begun before.
    pub(crate) async fn target(at: &Postgres, from: &str) -> std::result::Result<Self, OpenError> {
        let end = Self::open(at).await?;
        let url = shown(&at.url);
        end.refuse_moved(&url, Some(from)).await?;
        end.refuse_served(&url).await?;
        let client = &end.session.client;
        let begun = async {
            client.batch_execute("SET synchronous_commit = off").await?;
            let begun = noted(client, "move_from").await?.is_some();
            let used = row(client, "SELECT 1 FROM portals LIMIT 1", &[]).await?.is_some();
            if begun || used {
                return Ok(begun);
            }
            client.batch_execute(&format!("BEGIN; {STATE}")).await?;
            execute(client, "INSERT INTO move_from VALUES ($1)", &[&from]).await?;
            client.batch_execute("COMMIT").await?;
            Ok(true)
        };
        match begun.await.map_err(|e: Failure| e.opening(&url))? {
            true => Ok(end),
            false => Err(OpenError::NotEmpty(url)),
        }
    }

    /// Connects, and brings the schema up to date.
    async fn open(at: &Postgres) -> std::result::Result<Self, OpenError> {
        let url = shown(&at.url);
        let place = Place::parse(&at.url, true, STATEMENT)?;
        let session = place.connect().await.map_err(|e| e.opening(&url))?;
        schema::migrate(&session, &url, at.layout, schema::MIGRATIONS).await?;
        let end = Self { session };
        end.patiently().await.map_err(|e| e.opening(&url))?;
        Ok(end)
    }

    /// The other end may be slow between two statements.
    async fn patiently(&self) -> Result<()> {
        let sql = format!(
            "SET idle_in_transaction_session_timeout = 0; SET statement_timeout = {}",
            STATEMENT.as_millis()
        );
        Ok(self.session.client.batch_execute(&sql).await?)
    }

    async fn view(&self) -> Result<()> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.session.client.batch_execute(begin).await?;
        // The view begins with the first statement.
        self.portals().await.map(drop)
    }

    /// Refuses what has moved away, or is being filled from anywhere else.
    async fn refuse_moved(&self, url: &str, from: Option<&str>) -> std::result::Result<(), OpenError> {
        match note(&self.session, url).await? {
            None => Ok(()),
            Some(OpenError::Unfinished(_, place)) if Some(place.as_str()) == from => Ok(()),
            Some(other) => Err(other),
        }
    }

    async fn refuse_served(&self, url: &str) -> std::result::Result<(), OpenError> {
        let nodes = "SELECT 1 FROM leases WHERE name LIKE 'node/%' AND until >= clock_timestamp() LIMIT 1";
        match row(&self.session.client, nodes, &[]).await.map_err(|e| e.opening(url))? {
            None => Ok(()),
            Some(_) => Err(OpenError::Served(url.to_owned())),
        }
    }

    /// Every portal.
    pub(crate) async fn portals(&self) -> Result<Vec<i64>> {
        let ids = rows(&self.session.client, "SELECT id FROM portals ORDER BY id", &[]).await?;
        ids.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// What there is besides portals.
    pub(crate) async fn server(&self) -> Result<Server> {
        let sql = "SELECT next_portal, next_app, next_channel FROM server WHERE only_row = 1";
        let none = || Failure::Told(StoreError::Damaged("the server has no counters".into()));
        let client = &self.session.client;
        let server = row(client, sql, &[]).await?.ok_or_else(none)?;
        let next = [server.try_get(0)?, server.try_get(1)?, server.try_get(2)?];
        let (key_check, signing_keys) = secrets::stored(client).await?;
        Ok(Server { next, key_check, signing_keys })
    }

    /// Rows of a portal behind a key.
    pub(crate) async fn page(&self, table: &Table, portal: i64, after: Option<&[Value]>) -> Result<Page> {
        let mut page = Page::default();
        if table.name == "counters" {
            self.read(COUNTERS, &[&portal], table, &mut page).await?;
            return Ok(page);
        }
        let keys = table.keys();
        let behind = after.unwrap_or_default();
        let mut sql =
            format!("SELECT {} FROM {} WHERE {} = $1", table.names().join(", "), table.name, table.owner);
        if !behind.is_empty() {
            let marks: Vec<String> = (0..behind.len()).map(|n| format!("${}", n + 2)).collect();
            sql += &format!(" AND ({}) > ({})", keys.join(", "), marks.join(", "));
        }
        if !keys.is_empty() {
            sql += &format!(" ORDER BY {} LIMIT {PAGE_ROWS}", keys.join(", "));
        }
        let after: Vec<Box<dyn ToSql + Sync>> =
            behind.iter().zip(table.columns).map(|(value, (_, kind))| own(value, *kind)).collect();
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&portal];
        values.extend(after.iter().map(|value| &**value));
        self.read(&sql, &values, table, &mut page).await?;
        if table.name == "events" && !page.more {
            let newest = page.rows.last().map_or(behind.first(), |row| row.first()).map_or(0, Value::int);
            self.read(WAITING, &[&portal, &newest], table, &mut page).await?;
        }
        Ok(page)
    }

    /// Adds what a statement answers to a page, until that is full. What is left of the answer is thrown away as it comes.
    async fn read(&self, sql: &str, values: Values<'_>, table: &Table, page: &mut Page) -> Result<()> {
        let client = &self.session.client;
        let statement = client.prepare_cached(sql).await?;
        let answer = client.query_raw(&statement, values.iter().copied()).await?;
        pin_mut!(answer);
        while let Some(row) = answer.try_next().await? {
            let columns = table.columns.iter().enumerate().map(|(at, (_, kind))| value(&row, at, *kind));
            page.push(columns.collect::<Result<_>>()?);
            if page.rows.len() >= PAGE_ROWS || page.bytes >= PAGE_BYTES {
                page.more = true;
                break;
            }
        }
        Ok(())
    }

    /// How far the move had come with a table of a portal.
    pub(crate) async fn reached(&self, table: &Table, portal: i64) -> Result<Option<Reached>> {
        let sql = "SELECT after, done FROM move_progress WHERE name = $1 AND portal_id = $2";
        let found = row(&self.session.client, sql, &[&table.name, &portal]).await?;
        found.map(|row| Ok(Reached { after: row.try_get(0)?, done: row.try_get(1)? })).transpose()
    }

    /// Writes rows, and how far the move is with them, at once.
    pub(crate) async fn write(
        &mut self,
        table: &Table,
        portal: i64,
        rows: &[Row],
        reached: &Reached,
    ) -> Result<()> {
        let client = &self.session.client;
        client.batch_execute("BEGIN").await?;
        let written = async {
            self.insert(table, portal, rows).await?;
            let sql = "INSERT INTO move_progress VALUES ($1, $2, $3, $4) ON CONFLICT (name, portal_id) \
                       DO UPDATE SET after = excluded.after, done = excluded.done";
            execute(client, sql, &[&table.name, &portal, &reached.after, &reached.done]).await
        };
        let written = written.await;
        client.batch_execute(if written.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        written.map(drop)
    }

    async fn insert(&self, table: &Table, portal: i64, rows: &[Row]) -> Result<()> {
        let client = &self.session.client;
        if rows.is_empty() {
            return Ok(());
        }
        if table.name == "counters" {
            return self.insert_counters(portal, rows).await;
        }
        let names = table.names().join(", ");
        let columns: Vec<Box<dyn ToSql + Sync>> =
            table.columns.iter().enumerate().map(|(at, (_, kind))| column(rows, at, *kind)).collect();
        let arrays: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| format!("${}::{}[]", at + 2, type_of(*kind)))
            .collect();
        // Whoever knows the directory as it is knows all of these rows.
        let (revision, written) = match table.in_directory {
            true => (", revision", ", (SELECT revision FROM portals WHERE id = $1)"),
            false => ("", ""),
        };
        let sql = format!(
            "INSERT INTO {} ({}, {names}{revision}) SELECT $1, n.*{written} FROM unnest({}) AS n ({names}) ON CONFLICT DO NOTHING",
            table.name,
            table.owner,
            arrays.join(", ")
        );
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&portal];
        values.extend(columns.iter().map(|column| &**column));
        execute(client, &sql, &values).await?;
        if table.name == "threads" {
            debug_assert!(table.thread == Of::Thread);
            let ids: Vec<i64> = rows.iter().map(|row| row[0].int()).collect();
            execute(client, PLACES, &[&portal, &ids]).await?;
            execute(client, TAGGED, &[&portal, &ids]).await?;
            execute(client, COUNTED, &[&portal, &ids, &1_i64]).await?;
        }
        Ok(())
    }

    async fn insert_counters(&self, portal: i64, rows: &[Row]) -> Result<()> {
        let client = &self.session.client;
        for row in rows {
            let at = |n: usize| row[n].int();
            let [thread, visitor, ticket, file, inbox, account, actor, subscription] =
                [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(12)];
            let sql = "INSERT INTO counters (portal_id, next_thread, next_visitor, next_ticket, next_file, next_inbox, \
                       next_account, next_actor, event_position, next_subscription, directory) SELECT id, $2::bigint, $3::bigint, $4::bigint, \
                       $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint, $10::bigint, revision FROM portals WHERE id = $1 \
                       ON CONFLICT DO NOTHING";
            let values: Values<'_> = &[
                &portal,
                &thread,
                &visitor,
                &ticket,
                &file,
                &inbox,
                &account,
                &actor,
                &at(10),
                &subscription,
            ];
            execute(client, sql, values).await?;
            let sql = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
                       VALUES ($1, 0, $2, $3, $4, $5, 0, now()) ON CONFLICT DO NOTHING";
            execute(client, sql, &[&portal, &at(7), &at(8), &at(9), &at(11)]).await?;
        }
        Ok(())
    }

    /// Rows of a portal by their keys, in any order.
    pub(crate) async fn find(&self, table: &Table, portal: i64, keys: &[Vec<Value>]) -> Result<Vec<Row>> {
        let mut page = Page::default();
        if table.name == "counters" {
            self.read(COUNTERS, &[&portal], table, &mut page).await?;
            return Ok(page.rows);
        }
        let names: Vec<String> = table.names().iter().map(|name| format!("t.{name}")).collect();
        let (named, arrays) = by_key(table, keys);
        let sql =
            format!("SELECT {} FROM {} t{named} WHERE t.{} = $1", names.join(", "), table.name, table.owner);
        self.read(&sql, &with(&portal, &arrays), table, &mut page).await?;
        Ok(page.rows)
    }

    /// Puts rows into the places of those with these keys.
    pub(crate) async fn replace(
        &mut self,
        table: &Table,
        portal: i64,
        keys: &[Vec<Value>],
        rows: &[Row],
    ) -> Result<()> {
        let client = &self.session.client;
        client.batch_execute("BEGIN").await?;
        let replaced = async {
            // What is derived from a table goes with its rows.
            let derived = match table.name {
                "threads" => {
                    let ids: Vec<i64> = keys.iter().filter_map(|key| key.first()).map(Value::int).collect();
                    execute(client, COUNTED, &[&portal, &ids, &-1_i64]).await?;
                    let sql = "DELETE FROM thread_tags WHERE portal_id = $1 AND thread_id = ANY ($2)";
                    execute(client, sql, &[&portal, &ids]).await?;
                    vec!["thread_places"]
                }
                "counters" => vec!["tallies"],
                _ => Vec::new(),
            };
            let (named, arrays) = by_key(table, keys);
            let named = named.replacen(" JOIN ", " USING ", 1).replacen(" ON ", " WHERE ", 1);
            let owned = if named.is_empty() { " WHERE" } else { " AND" };
            for name in derived.into_iter().chain([table.name]) {
                let sql = format!("DELETE FROM {name} t{named}{owned} t.{} = $1", table.owner);
                execute(client, &sql, &with(&portal, &arrays)).await?;
            }
            self.insert(table, portal, rows).await
        };
        let replaced = replaced.await;
        client.batch_execute(if replaced.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        replaced
    }

    /// Takes everything out again that an earlier move brought: while a store serves, it begins anew.
    pub(crate) async fn clear(&mut self) -> Result<()> {
        let tables = TABLES.iter().map(|table| table.name).chain(DERIVED).chain(["move_progress"]);
        let sql = format!("TRUNCATE {}", tables.collect::<Vec<_>>().join(", "));
        Ok(self.session.client.batch_execute(&sql).await?)
    }

    /// Makes a store of what was written. From now on it can be opened.
    pub(crate) async fn finish(&mut self, server: Server) -> Result<()> {
        let client = &self.session.client;
        client.batch_execute("SET synchronous_commit = on; BEGIN").await?;
        let sql = "UPDATE server SET next_portal = $1, next_app = $2, next_channel = $3 WHERE only_row = 1";
        let [portal, app, channel] = server.next;
        execute(client, sql, &[&portal, &app, &channel]).await?;
        secrets::store(client, server.key_check.as_deref(), &server.signing_keys).await?;
        client.batch_execute("DROP TABLE move_from; DROP TABLE move_progress; COMMIT").await?;
        Ok(())
    }

    /// Notes where the store went, so that it is not opened by mistake.
    pub(crate) async fn leave(&mut self, to: &str) -> Result<()> {
        let client = &self.session.client;
        client.batch_execute("COMMIT; BEGIN; CREATE TABLE moved_to (place TEXT NOT NULL)").await?;
        execute(client, "INSERT INTO moved_to VALUES ($1)", &[&to]).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
    }
}

/// What names rows: a join with their keys, and these as arrays. Nothing where a portal has one row.
fn by_key<'k>(table: &Table, keys: &'k [Vec<Value>]) -> (String, Vec<Box<dyn ToSql + Sync + 'k>>) {
    let columns = &table.columns[..table.key];
    if columns.is_empty() {
        return (String::new(), Vec::new());
    }
    let numbered = || columns.iter().enumerate();
    let arrays: Vec<String> =
        numbered().map(|(at, (_, kind))| format!("${}::{}[]", at + 2, type_of(*kind))).collect();
    let same: Vec<String> = columns.iter().map(|(name, _)| format!("t.{name} = k.{name}")).collect();
    let named = format!(
        " JOIN unnest({}) AS k ({}) ON {}",
        arrays.join(", "),
        table.keys().join(", "),
        same.join(" AND ")
    );
    (named, numbered().map(|(at, (_, kind))| column(keys, at, *kind)).collect())
}

fn with<'v>(portal: &'v i64, arrays: &'v [Box<dyn ToSql + Sync + 'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![portal];
    values.extend(arrays.iter().map(|array| &**array));
    values
}

/// Where the keys of what is written are noted during a move.
const NOTES: &str = "CREATE UNLOGGED TABLE moved_changes (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
     name TEXT NOT NULL, portal_id BIGINT NOT NULL, k TEXT[] NOT NULL);";

/// Tables whose rows are noted. Counters move with every change, and are carried over once at the end.
fn watched() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.name != "counters")
}

/// A trigger that notes every row of a table that anybody writes.
fn trigger(table: &Table) -> String {
    let key = |row: &str| {
        let key: Vec<String> = table.keys().iter().map(|column| format!("{row}.{column}::text")).collect();
        format!("('{}', {row}.{}, ARRAY[{}]::text[])", table.name, table.owner, key.join(", "))
    };
    format!(
        "CREATE FUNCTION moved_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'DELETE' THEN \
         INSERT INTO moved_changes (name, portal_id, k) VALUES {}; ELSE \
         INSERT INTO moved_changes (name, portal_id, k) VALUES {}; END IF; RETURN NULL; END $$; \
         CREATE TRIGGER moved AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION moved_{name}()",
        key("OLD"),
        key("NEW"),
        name = table.name
    )
}

/// What a move asks of a store that serves.
impl Engine {
    /// Only a node that is alone knows when nobody writes.
    pub(crate) async fn movable(&self) -> Answer<()> {
        let client = self.shared.readers.get().await?;
        let nodes = "SELECT count(*) FROM leases WHERE name LIKE 'node/%' AND until >= clock_timestamp()";
        let nodes: i64 =
            row(&client, nodes, &[]).await?.map_or(Ok(0), |row| row.try_get(0)).map_err(Failure::from)?;
        let citus = row(&client, "SELECT to_regclass('pg_dist_partition') IS NOT NULL", &[]).await?;
        let citus: bool = citus.map_or(Ok(false), |row| row.try_get(0)).map_err(Failure::from)?;
        match (nodes, citus) {
            (2.., _) => Err(StoreError::Engine(
                "other nodes serve from this database; stop them, move, and start them at the new place".into(),
            )),
            (_, true) => Err(StoreError::Engine(
                "what is spread by Citus is not moved while it serves; stop every node, and move without --online".into(),
            )),
            _ => Ok(()),
        }
    }

    /// From now on the key of every row that is written is noted. Waits for those that are being written.
    pub(crate) async fn watch(&self) -> Answer<()> {
        self.unwatch().await?;
        self.one_by_one(std::iter::once(NOTES.to_owned()).chain(watched().map(trigger))).await
    }

    pub(crate) async fn unwatch(&self) -> Answer<()> {
        let drop = |table: &Table| format!("DROP FUNCTION IF EXISTS moved_{} CASCADE", table.name);
        let table = "DROP TABLE IF EXISTS moved_changes".to_owned();
        self.one_by_one(watched().map(drop).chain([table])).await
    }

    /// Runs statements in transactions of their own: whoever holds one table while it waits for the next would be in the way
    /// of writers, who take them in another order.
    async fn one_by_one(&self, statements: impl Iterator<Item = String>) -> Answer<()> {
        let session = self.shared.place.connect().await?;
        for sql in statements {
            session.client.batch_execute(&sql).await.map_err(Failure::from)?;
        }
        Ok(())
    }

    /// The store as it is at one moment.
    pub(crate) async fn view(&self) -> Answer<AnyEnd> {
        Ok(AnyEnd::Postgres(End::snapshot(&self.shared.place).await?))
    }

    /// The store as it is whenever it is asked.
    pub(crate) async fn latest(&self) -> Answer<AnyEnd> {
        let end = End { session: self.shared.place.connect().await? };
        end.patiently().await?;
        Ok(AnyEnd::Postgres(end))
    }

    /// Some of what was noted.
    pub(crate) async fn noted(&self, limit: usize) -> Answer<Vec<Change>> {
        let client = self.shared.readers.get().await?;
        let sql = "SELECT seq, name, portal_id, k FROM moved_changes ORDER BY seq LIMIT $1";
        let noted = rows(&client, sql, &[&(limit as i64)]).await?;
        let change = |row: &tokio_postgres::Row| {
            let (name, portal, key): (&str, i64, Vec<String>) =
                (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let table = TABLES.iter().find(|table| table.name == name);
            let row_of = |table: &'static Table| {
                let key = key.iter().zip(table.columns).map(|(text, (_, kind))| written(text, *kind));
                (table, portal, key.collect())
            };
            Ok(Change { seq: row.try_get(0)?, row: table.map(row_of) })
        };
        Ok(noted.iter().map(change).collect::<Result<Vec<_>>>()?)
    }

    /// How many notes there are, or were made meanwhile.
    pub(crate) async fn backlog(&self) -> Answer<u64> {
        let client = self.shared.readers.get().await?;
        let sql = "SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM moved_changes";
        let count: i64 =
            row(&client, sql, &[]).await?.map_or(Ok(0), |row| row.try_get(0)).map_err(Failure::from)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Forgets what was read, and nothing that was committed meanwhile under an earlier number.
    pub(crate) async fn forget(&self, seqs: Vec<i64>) -> Answer<()> {
        let client = self.shared.readers.get().await?;
        execute(&client, "DELETE FROM moved_changes WHERE seq = ANY ($1)", &[&seqs]).await?;
        Ok(())
    }

    /// Gives every event its position.
    pub(crate) async fn settle(&self) -> Answer<()> {
        self.movable().await?;
        let client = self.shared.readers.get().await?;
        for row in rows(&client, "SELECT id FROM portals ORDER BY id", &[]).await? {
            events::newest(&client, PortalId(row.try_get(0).map_err(Failure::from)?)).await?;
        }
        Ok(())
    }

    /// Notes where the store went, so that it is not opened by mistake.
    pub(crate) async fn leave(&self, to: String) -> Answer<()> {
        self.unwatch().await?;
        let session = self.shared.place.connect().await?;
        let client = &session.client;
        let noted = async {
            client.batch_execute("BEGIN; CREATE TABLE moved_to (place TEXT NOT NULL)").await?;
            execute(client, "INSERT INTO moved_to VALUES ($1)", &[&to]).await?;
            client.batch_execute("COMMIT").await?;
            Result::Ok(())
        };
        Ok(noted.await?)
    }

    /// Sends those away who wait for events or hold leases. Whoever is reading reads on.
    pub(crate) async fn retire(&self) {
        self.shared.sequencer.stop().await;
    }
}

/// A value that was written as text.
fn written(text: &str, kind: Kind) -> Value {
    match kind {
        Kind::Int | Kind::Small => text.parse().map_or(Value::Null, Value::Int),
        Kind::Bool => Value::Int((text == "true").into()),
        Kind::Text => Value::Text(text.to_owned()),
        Kind::Bytes => {
            let digits = text.trim_start_matches("\\x").as_bytes().chunks_exact(2);
            let byte =
                |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
            Value::Bytes(digits.filter_map(byte).collect())
        }
    }
}

/// What a move has noted in a database.
async fn noted(client: &deadpool_postgres::ClientWrapper, table: &str) -> Result<Option<String>> {
    let has = row(client, "SELECT to_regclass($1) IS NOT NULL", &[&table]).await?;
    if !has.map_or(Ok(false), |has| has.try_get(0))? {
        return Ok(None);
    }
    let place = client.query_opt(&format!("SELECT place FROM {table}"), &[]).await?;
    Ok(place.map(|row| row.try_get(0)).transpose()?)
}

/// Why a database is not to be used, though nothing is wrong with it: its store has moved away, or is not all here yet.
pub(super) async fn note(session: &Session, url: &str) -> std::result::Result<Option<OpenError>, OpenError> {
    let client = &session.client;
    if let Some(to) = noted(client, "moved_to").await.map_err(|e| e.opening(url))? {
        return Ok(Some(OpenError::Moved(url.to_owned(), to)));
    }
    let from = noted(client, "move_from").await.map_err(|e| e.opening(url))?;
    Ok(from.map(|from| OpenError::Unfinished(url.to_owned(), from)))
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Small => "smallint",
        Kind::Bool => "boolean",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}

fn value(row: &tokio_postgres::Row, at: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Int => row.try_get::<_, Option<i64>>(at)?.map(Value::Int),
        Kind::Small => row.try_get::<_, Option<i16>>(at)?.map(|value| Value::Int(value.into())),
        Kind::Bool => row.try_get::<_, Option<bool>>(at)?.map(|value| Value::Int(value.into())),
        Kind::Text => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
    }
    .unwrap_or(Value::Null))
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

fn small(value: &Value) -> Option<i16> {
    int(value).and_then(|value| value.try_into().ok())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn own(value: &Value, kind: Kind) -> Box<dyn ToSql + Sync> {
    match kind {
        Kind::Int => Box::new(int(value)),
        Kind::Small => Box::new(small(value)),
        Kind::Bool => Box::new(int(value).map(|value| value != 0)),
        Kind::Text => Box::new(text(value).map(str::to_owned)),
        Kind::Bytes => Box::new(bytes(value).map(<[u8]>::to_vec)),
    }
}

/// A column of rows as an array.
fn column<'r>(rows: &'r [Row], at: usize, kind: Kind) -> Box<dyn ToSql + Sync + 'r> {
    let values = rows.iter().map(|row| &row[at]);
    match kind {
        Kind::Int => Box::new(values.map(int).collect::<Vec<_>>()),
        Kind::Small => Box::new(values.map(small).collect::<Vec<_>>()),
        Kind::Bool => Box::new(values.map(|value| int(value).map(|value| value != 0)).collect::<Vec<_>>()),
        Kind::Text => Box::new(values.map(text).collect::<Vec<_>>()),
        Kind::Bytes => Box::new(values.map(bytes).collect::<Vec<_>>()),
    }
}
