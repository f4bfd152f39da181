//! The rows of a directory that are about channels of apps.

use rusqlite::{Connection, Row, params};

use super::failure::Result;
use crate::{
    AccountId, AppId, Channel, DirectoryChange, Identifier, InboxId, PortalId, StagingToken, TokenHash,
};

pub(super) const CHANNELS: &str = "SELECT id, app_id, name, webhook_url, redirect_url, description, logo_url, \
     capabilities, created_at, archived_at FROM channels WHERE portal_id = ?1";

pub(super) const STAGING: &str = "SELECT hash, channel_id, inbox_id, user_id, account_name, identifier_kind, \
     identifier_value, account_id, created_at, expires_at, deleted_at FROM staging_tokens \
     WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) fn channel(row: &Row<'_>) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Channel(Channel {
        id: row.get(0)?,
        app_id: AppId(row.get(1)?),
        name: row.get(2)?,
        webhook_url: row.get(3)?,
        redirect_url: row.get(4)?,
        description: row.get(5)?,
        logo_url: row.get(6)?,
        capabilities: row.get(7)?,
        created_at: row.get(8)?,
        archived_at: row.get(9)?,
    }))
}

pub(super) fn staging(row: &Row<'_>) -> Result<DirectoryChange> {
    let (kind, value): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(DirectoryChange::StagingToken(StagingToken {
        hash: TokenHash(row.get(0)?),
        channel_id: row.get(1)?,
        inbox_id: InboxId(row.get(2)?),
        user_id: row.get(3)?,
        account_name: row.get(4)?,
        identifier: kind.zip(value).map(|(kind, value)| Identifier { kind, value }),
        account_id: row.get::<_, Option<i64>>(7)?.map(AccountId),
        created_at: row.get(8)?,
        expires_at: row.get(9)?,
        deleted_at: row.get(10)?,
    }))
}

pub(super) fn write(conn: &Connection, owner: PortalId, channel: &Channel) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO channels (portal_id, id, app_id, name, webhook_url, redirect_url, description, \
               logo_url, capabilities, created_at, archived_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        channel.id,
        channel.app_id.0,
        channel.name,
        channel.webhook_url,
        channel.redirect_url,
        channel.description,
        channel.logo_url,
        channel.capabilities,
        channel.created_at,
        channel.archived_at,
    ])?;
    Ok(())
}

pub(super) fn write_staging(conn: &Connection, owner: PortalId, token: &StagingToken) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO staging_tokens (portal_id, hash, channel_id, inbox_id, user_id, account_name, \
               identifier_kind, identifier_value, account_id, created_at, expires_at, deleted_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let identifier = token.identifier.as_ref();
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        token.hash.0,
        token.channel_id,
        token.inbox_id.0,
        token.user_id,
        token.account_name,
        identifier.map(|identifier| &identifier.kind),
        identifier.map(|identifier| &identifier.value),
        token.account_id.map(|id| id.0),
        token.created_at,
        token.expires_at,
        token.deleted_at,
    ])?;
    Ok(())
}
