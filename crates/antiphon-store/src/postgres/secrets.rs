//! What is sealed in the database, and the check of the key that seals it.

use deadpool_postgres::ClientWrapper;

use super::connect::{Session, answered};
use super::failure::{Failure, Result};
use super::portals::commit;
use super::readers::{execute, row, rows};
use super::{ANSWER, Answer, Engine, moving};
use crate::check::{Authenticator, Sealed};
use crate::secrets::{Reseal, Seals, StoredKey, fresh_key, is_sealed};
use crate::{
    AppId, KeySource, MasterKey, Millis, OpenError, PortalId, Postgres, Resealed, Settings, SigningKey,
    StoreError,
};

const KEYS: &str = "SELECT id, value, created_at, ends_at FROM signing_keys ORDER BY id LIMIT 1000";

/// Makes sure that the master key is the database's, and that everything is sealed that is to be.
pub(super) async fn secure(
    session: &Session,
    source: &KeySource,
    url: &str,
    now: Millis,
) -> std::result::Result<(Seals, Vec<SigningKey>), OpenError> {
    let client = &session.client;
    let known = check(client, "").await.map_err(|e| e.opening(url))?;
    let seals = match known {
        Some(known) => source.seals(Some(&known), url)?.0,
        None => first(client, source, url, now).await?,
    };
    let keys = signing_keys(client, &seals).await.map_err(|e| e.opening(url))?;
    Ok((seals, keys))
}

async fn check(client: &ClientWrapper, lock: &str) -> Result<Option<String>> {
    let sql = format!("SELECT key_check FROM server WHERE only_row = 1{lock}");
    let none = || Failure::Told(StoreError::Damaged("the server has no counters".into()));
    Ok(row(client, &sql, &[]).await?.ok_or_else(none)?.try_get(0)?)
}

/// Seals what is in clear, on the one node that comes first.
async fn first(
    client: &ClientWrapper,
    source: &KeySource,
    url: &str,
    now: Millis,
) -> std::result::Result<Seals, OpenError> {
    let failed = |e: Failure| e.opening(url);
    client.batch_execute("BEGIN").await.map_err(|e| failed(e.into()))?;
    let known = check(client, " FOR UPDATE").await.map_err(failed)?;
    // Whoever waited for another node finds its check.
    let sealed = async {
        let (seals, fresh) = source.seals(known.as_deref(), url)?;
        if let Some(check) = fresh {
            seal(client, &seals, &check, now).await.map_err(failed)?;
        }
        Ok(seals)
    };
    let sealed = sealed.await;
    let end = if sealed.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await.map_err(|e| failed(e.into()))?;
    if sealed.is_ok() && known.is_none() {
        sweep(client, url).await;
    }
    sealed
}

/// Has the database forget rows as they were before.
async fn sweep(client: &ClientWrapper, url: &str) {
    if let Err(error) = client.batch_execute("VACUUM apps").await {
        tracing::warn!(url, %error, "the table apps was not vacuumed: it may keep secrets in clear until it is");
    }
}

async fn seal(client: &ClientWrapper, seals: &Seals, check: &str, now: Millis) -> Result<()> {
    for (app, secret, old) in secrets(client).await? {
        let sealed = |value: String| match is_sealed(&value) {
            true => Ok(value),
            false => seals.seal_secret(app, &value),
        };
        write(client, app, &sealed(secret)?, old.map(sealed).transpose()?.as_deref()).await?;
    }
    insert(client, seals, 1, now).await?;
    note(client, Some(check)).await
}

/// Every app with its secrets as they are stored.
async fn secrets(client: &ClientWrapper) -> Result<Vec<(AppId, String, Option<String>)>> {
    let apps = rows(client, "SELECT id, client_secret, old_secret FROM apps ORDER BY id", &[]).await?;
    apps.iter().map(|row| Ok((AppId(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?))).collect()
}

async fn write(client: &ClientWrapper, app: AppId, secret: &str, old: Option<&str>) -> Result<()> {
    let sql = "UPDATE apps SET client_secret = $2, old_secret = $3, \
               old_secret_until = CASE WHEN $3::text IS NULL THEN NULL ELSE old_secret_until END WHERE id = $1";
    execute(client, sql, &[&app.0, &secret, &old]).await.map(drop)
}

async fn note(client: &ClientWrapper, check: Option<&str>) -> Result<()> {
    execute(client, "UPDATE server SET key_check = $1 WHERE only_row = 1", &[&check]).await.map(drop)
}

/// The keys with which the server signs, the newest last.
async fn signing_keys(client: &ClientWrapper, seals: &Seals) -> Result<Vec<SigningKey>> {
    let found = rows(client, KEYS, &[]).await?;
    let key = |row: &tokio_postgres::Row| {
        let id: i64 = row.try_get(0)?;
        let value = seals.open_key(id, row.try_get(1)?)?;
        Ok(SigningKey { id, value, created_at: row.try_get(2)?, ends_at: row.try_get(3)? })
    };
    found.iter().map(key).collect()
}

async fn insert(client: &ClientWrapper, seals: &Seals, id: i64, now: Millis) -> Result<SigningKey> {
    let (value, sealed) = fresh_key(seals, id)?;
    let sql = "INSERT INTO signing_keys (id, value, created_at) VALUES ($1, $2, $3)";
    execute(client, sql, &[&id, &sealed, &now]).await?;
    Ok(SigningKey { id, value, created_at: now, ends_at: None })
}

impl Engine {
    pub(crate) async fn signing_key_rotate(&self, ends_at: Millis) -> Answer<SigningKey> {
        let (shared, now) = (self.shared.clone(), self.shared.now());
        // Whoever asked may stand still or go away, and must not leave an open transaction behind.
        let made = self.shared.runtime.spawn(async move {
            let session = shared.place.connect().await?;
            let made = answered(ANSWER, rotate(&session, now, ends_at)).await?;
            commit(&session).await?;
            Ok(made)
        });
        made.await.unwrap_or_else(|_| Err(StoreError::Unknown("it is closing".into())))
    }

    pub(super) async fn signing_keys_on(&self, client: &ClientWrapper) -> Result<Vec<SigningKey>> {
        signing_keys(client, &self.shared.place.seals).await
    }
}

/// Makes a new signing key. The others end at a moment, and go once they have ended.
async fn rotate(session: &Session, now: Millis, ends_at: Millis) -> Result<SigningKey> {
    let client = &session.client;
    client.batch_execute("BEGIN").await?;
    check(client, " FOR UPDATE").await?;
    execute(client, "DELETE FROM signing_keys WHERE ends_at <= $1", &[&now]).await?;
    let ended = "UPDATE signing_keys SET ends_at = least(coalesce(ends_at, $1), $1)";
    execute(client, ended, &[&ends_at]).await?;
    let newest = row(client, "SELECT coalesce(max(id), 0) FROM signing_keys", &[]).await?;
    let newest: i64 = newest.map_or(Ok(0), |row| row.try_get(0))?;
    insert(client, &session.seals, newest + 1, now).await
}

/// Seals everything in a database that nobody serves with another master key.
pub(crate) async fn reseal(
    settings: &Settings,
    at: &Postgres,
    new: &MasterKey,
) -> std::result::Result<Vec<Resealed>, OpenError> {
    let end = moving::End::alone(at).await?;
    let (client, url) = (&end.session.client, at.shown());
    let failed = |e: Failure| e.opening(&url);
    client.batch_execute("BEGIN").await.map_err(|e| failed(e.into()))?;
    let check = check(client, " FOR UPDATE").await.map_err(failed)?;
    let reseal = Reseal::new(&settings.key, check.as_deref(), new)?;
    let mut done = Vec::new();
    let work = async {
        for (app, secret, old) in secrets(client).await? {
            let (sealed, old, resealed) = reseal.app(app, secret, old)?;
            write(client, app, &sealed, old.as_deref()).await?;
            done.push(resealed);
        }
        for (portal, agent, totp, asked) in authenticators(client).await? {
            let of = (PortalId(portal), agent);
            let (totp, asked) = (reseal.totp(of, totp)?, reseal.totp(of, asked)?);
            let sql = "UPDATE logins SET totp = $3, totp_asked = $4 WHERE portal_id = $1 AND agent_id = $2";
            execute(client, sql, &[&portal, &agent, &totp, &asked]).await?;
        }
        let (mut newest, mut kept) = (0, false);
        for row in rows(client, KEYS, &[]).await? {
            let id: i64 = row.try_get(0)?;
            let sealed = reseal.key(id, row.try_get(1)?)?;
            (newest, kept) = (id, sealed.is_some());
            let (sql, sealed) = match &sealed {
                Some(sealed) => ("UPDATE signing_keys SET value = $2 WHERE id = $1", sealed.as_str()),
                None => ("DELETE FROM signing_keys WHERE id = $1 AND value <> $2", ""),
            };
            execute(client, sql, &[&id, &sealed]).await?;
        }
        if !kept {
            insert(client, reseal.seals(), newest + 1, settings.now()).await?;
        }
        note(client, Some(&reseal.seals().check()?)).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
    };
    work.await.map_err(failed)?;
    sweep(client, &url).await;
    Ok(done)
}

/// Every login that has an authenticator, portal by portal.
async fn authenticators(client: &ClientWrapper) -> Result<Vec<Authenticator>> {
    let logins = "SELECT agent_id, totp, totp_asked FROM logins \
                  WHERE portal_id = $1 AND (totp IS NOT NULL OR totp_asked IS NOT NULL)";
    let mut all = Vec::new();
    for portal in rows(client, "SELECT id FROM portals ORDER BY id", &[]).await? {
        let portal: i64 = portal.try_get(0)?;
        for row in rows(client, logins, &[&portal]).await? {
            all.push((portal, row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(all)
}

/// The check of the master key and the signing keys as they are stored, for a move.
pub(super) async fn stored(client: &ClientWrapper) -> Result<(Option<String>, Vec<StoredKey>)> {
    let keys = rows(client, KEYS, &[]).await?;
    let key =
        |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?));
    Ok((check(client, "").await?, keys.iter().map(key).collect::<Result<_>>()?))
}

/// Everything that is sealed, for a check.
pub(super) async fn sealed(client: &ClientWrapper) -> Result<Sealed> {
    let (check, keys) = stored(client).await?;
    Ok(Sealed { check, apps: secrets(client).await?, keys, authenticators: authenticators(client).await? })
}

/// What [`stored`] found elsewhere.
pub(super) async fn store(client: &ClientWrapper, check: Option<&str>, keys: &[StoredKey]) -> Result<()> {
    note(client, check).await?;
    execute(client, "DELETE FROM signing_keys", &[]).await?;
    for (id, value, created_at, ends_at) in keys {
        let sql = "INSERT INTO signing_keys (id, value, created_at, ends_at) VALUES ($1, $2, $3, $4)";
        execute(client, sql, &[id, value, created_at, ends_at]).await?;
    }
    Ok(())
}
