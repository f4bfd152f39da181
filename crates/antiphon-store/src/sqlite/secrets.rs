//! What is sealed in the file, and the check of the key that seals it.

use rusqlite::{Connection, TransactionBehavior, params};

use super::failure::{Failure, Result};
use super::{DATABASE, lock, schema};
use crate::check::{Authenticator, Sealed};
use crate::secrets::{Reseal, Seals, StoredKey, fresh_key, is_sealed};
use crate::{
    AppId, KeySource, MasterKey, Millis, OpenError, PortalId, Resealed, Settings, SigningKey, StoreError,
};

/// Makes sure that the master key is the file's, and that everything is sealed that is to be.
pub(super) fn secure(
    conn: &mut Connection,
    source: &KeySource,
    file: &str,
    now: Millis,
) -> std::result::Result<(Seals, Vec<SigningKey>), OpenError> {
    let failed = |e: Failure| OpenError::Engine(file.to_owned(), StoreError::from(e).to_string());
    let check = "SELECT key_check FROM server WHERE only_row = 1";
    let check: Option<String> =
        conn.query_row(check, [], |row| row.get(0)).map_err(|e| schema::refusal(file, e))?;
    let (seals, fresh) = source.seals(check.as_deref(), file)?;
    if let Some(check) = fresh {
        first(conn, &seals, &check, now).map_err(failed)?;
    }
    let keys = keys(conn, &seals).map_err(failed)?;
    Ok((seals, keys))
}

/// Seals what is in clear, and leaves nothing of that behind.
fn first(conn: &mut Connection, seals: &Seals, check: &str, now: Millis) -> Result<()> {
    thoroughly(conn, |tx| {
        for (app, secret, old) in secrets(tx)? {
            let sealed = |value: String| match is_sealed(&value) {
                true => Ok(value),
                false => seals.seal_secret(app, &value),
            };
            write(tx, app, &sealed(secret)?, old.map(sealed).transpose()?.as_deref())?;
        }
        insert(tx, seals, 1, now)?;
        note(tx, check)
    })
}

/// Changes secrets so that the file does not keep what they were.
fn thoroughly(conn: &mut Connection, change: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
    let usual: i64 = conn.query_row("PRAGMA secure_delete", [], |row| row.get(0))?;
    conn.query_row("PRAGMA secure_delete = on", [], |_| Ok(()))?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change(&tx)?;
    tx.commit()?;
    conn.query_row(&format!("PRAGMA secure_delete = {usual}"), [], |_| Ok(()))?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Every app with its secrets as they are stored.
fn secrets(conn: &Connection) -> Result<Vec<(AppId, String, Option<String>)>> {
    let mut sql = conn.prepare("SELECT id, client_secret, old_secret FROM apps ORDER BY id")?;
    let apps = sql.query_map([], |row| Ok((AppId(row.get(0)?), row.get(1)?, row.get(2)?)))?;
    Ok(apps.collect::<rusqlite::Result<_>>()?)
}

/// Every login that has an authenticator.
fn authenticators(conn: &Connection) -> Result<Vec<Authenticator>> {
    let sql = "SELECT portal_id, agent_id, totp, totp_asked FROM logins WHERE totp IS NOT NULL OR totp_asked IS NOT NULL";
    let mut sql = conn.prepare(sql)?;
    let all = sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(all.collect::<rusqlite::Result<_>>()?)
}

fn write(conn: &Connection, app: AppId, secret: &str, old: Option<&str>) -> Result<()> {
    let sql = "UPDATE apps SET client_secret = ?2, old_secret = ?3, \
               old_secret_until = CASE WHEN ?3 IS NULL THEN NULL ELSE old_secret_until END WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![app.0, secret, old])?;
    Ok(())
}

fn note(conn: &Connection, check: &str) -> Result<()> {
    conn.execute("UPDATE server SET key_check = ?1", [check])?;
    Ok(())
}

/// The keys with which the server signs, the newest last.
pub(super) fn keys(conn: &Connection, seals: &Seals) -> Result<Vec<SigningKey>> {
    let mut sql = conn
        .prepare_cached("SELECT id, value, created_at, ends_at FROM signing_keys ORDER BY id LIMIT 1000")?;
    let mut rows = sql.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, value): (i64, String) = (row.get(0)?, row.get(1)?);
        let value = seals.open_key(id, &value)?;
        keys.push(SigningKey { id, value, created_at: row.get(2)?, ends_at: row.get(3)? });
    }
    Ok(keys)
}

fn insert(conn: &Connection, seals: &Seals, id: i64, now: Millis) -> Result<SigningKey> {
    let (value, sealed) = fresh_key(seals, id)?;
    let sql = "INSERT INTO signing_keys (id, value, created_at) VALUES (?1, ?2, ?3)";
    conn.execute(sql, params![id, sealed, now])?;
    Ok(SigningKey { id, value, created_at: now, ends_at: None })
}

/// Makes a new signing key. The others end at a moment, and go once they have ended.
pub(super) fn rotate(conn: &Connection, seals: &Seals, now: Millis, ends_at: Millis) -> Result<SigningKey> {
    conn.execute("DELETE FROM signing_keys WHERE ends_at <= ?1", [now])?;
    conn.execute("UPDATE signing_keys SET ends_at = min(coalesce(ends_at, ?1), ?1)", [ends_at])?;
    let newest: i64 =
        conn.query_row("SELECT coalesce(max(id), 0) FROM signing_keys", [], |row| row.get(0))?;
    insert(conn, seals, newest + 1, now)
}

/// Seals everything in a data directory that nobody serves with another master key.
pub(crate) fn reseal(settings: &Settings, new: &MasterKey) -> std::result::Result<Vec<Resealed>, OpenError> {
    let path = settings.data_dir.join(DATABASE);
    let file = path.display().to_string();
    let _lock = lock::take(&settings.data_dir)?;
    let mut conn = schema::open(&path, settings.durable)?;
    let check = "SELECT key_check FROM server WHERE only_row = 1";
    let check: Option<String> =
        conn.query_row(check, [], |row| row.get(0)).map_err(|e| schema::refusal(&file, e))?;
    let reseal = Reseal::new(&settings.key, check.as_deref(), new)?;
    let mut done = Vec::new();
    let work = thoroughly(&mut conn, |tx| {
        for (app, secret, old) in secrets(tx)? {
            let (sealed, old, resealed) = reseal.app(app, secret, old)?;
            write(tx, app, &sealed, old.as_deref())?;
            done.push(resealed);
        }
        for (portal, agent, totp, asked) in authenticators(tx)? {
            let of = (PortalId(portal), agent);
            let sql = "UPDATE logins SET totp = ?3, totp_asked = ?4 WHERE portal_id = ?1 AND agent_id = ?2";
            let (totp, asked) = (reseal.totp(of, totp)?, reseal.totp(of, asked)?);
            tx.execute(sql, params![portal, agent, totp, asked])?;
        }
        let mut sql = tx.prepare("SELECT id, value FROM signing_keys ORDER BY id")?;
        let keys = sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let keys: Vec<(i64, String)> = keys.collect::<rusqlite::Result<_>>()?;
        let mut newest = 0;
        let mut kept = false;
        for (id, value) in keys {
            (newest, kept) = (id, true);
            match reseal.key(id, &value)? {
                Some(sealed) => {
                    tx.execute("UPDATE signing_keys SET value = ?2 WHERE id = ?1", params![id, sealed])?;
                }
                None => {
                    kept = false;
                    tx.execute("DELETE FROM signing_keys WHERE id = ?1", [id])?;
                }
            }
        }
        if !kept {
            insert(tx, reseal.seals(), newest + 1, settings.now())?;
        }
        note(tx, &reseal.seals().check()?)
    });
    work.map_err(|e| OpenError::Engine(file, StoreError::from(e).to_string()))?;
    Ok(done)
}

/// The check of the master key and the signing keys as they are stored, for a move.
pub(super) fn stored(conn: &Connection) -> Result<(Option<String>, Vec<StoredKey>)> {
    let check = conn.query_row("SELECT key_check FROM server WHERE only_row = 1", [], |row| row.get(0))?;
    let mut sql = conn.prepare("SELECT id, value, created_at, ends_at FROM signing_keys ORDER BY id")?;
    let keys = sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok((check, keys.collect::<rusqlite::Result<_>>()?))
}

/// Everything that is sealed, for a check.
pub(super) fn sealed(conn: &Connection) -> Result<Sealed> {
    let (check, keys) = stored(conn)?;
    Ok(Sealed { check, apps: secrets(conn)?, keys, authenticators: authenticators(conn)? })
}

/// What [`stored`] found elsewhere.
pub(super) fn store(conn: &Connection, check: Option<&str>, keys: &[StoredKey]) -> Result<()> {
    conn.execute("UPDATE server SET key_check = ?1", [check])?;
    conn.execute("DELETE FROM signing_keys", [])?;
    for (id, value, created_at, ends_at) in keys {
        let sql = "INSERT INTO signing_keys (id, value, created_at, ends_at) VALUES (?1, ?2, ?3, ?4)";
        conn.execute(sql, params![id, value, created_at, ends_at])?;
    }
    Ok(())
}
