//! The rows of a directory that are about channels of apps.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::{Result, damaged};
use super::readers::{Values, execute};
use crate::secrets::Seals;
use crate::{
    AccountId, AppId, Channel, DirectoryChange, Identifier, InboxId, PortalId, StagingToken, TokenHash,
};

pub(super) const CHANNELS: &str = "SELECT id, app_id, name, webhook_url, redirect_url, description, logo_url, \
     capabilities, created_at, archived_at FROM channels WHERE portal_id = $1 AND revision > $2";

pub(super) const STAGING: &str = "SELECT hash, channel_id, inbox_id, user_id, account_name, identifier_kind, \
     identifier_value, account_id, created_at, expires_at, deleted_at FROM staging_tokens \
     WHERE portal_id = $1 AND revision > $2";

pub(super) fn channel(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Channel(Channel {
        id: row.try_get(0)?,
        app_id: AppId(row.try_get(1)?),
        name: row.try_get(2)?,
        webhook_url: row.try_get(3)?,
        redirect_url: row.try_get(4)?,
        description: row.try_get(5)?,
        logo_url: row.try_get(6)?,
        capabilities: row.try_get(7)?,
        created_at: row.try_get(8)?,
        archived_at: row.try_get(9)?,
    }))
}

pub(super) fn staging(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let hash: &[u8] = row.try_get(0)?;
    let length = |_| damaged("the length of a staging token's hash", hash.len() as i64);
    let (kind, value): (Option<String>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
    Ok(DirectoryChange::StagingToken(StagingToken {
        hash: TokenHash(hash.try_into().map_err(length)?),
        channel_id: row.try_get(1)?,
        inbox_id: InboxId(row.try_get(2)?),
        user_id: row.try_get(3)?,
        account_name: row.try_get(4)?,
        identifier: kind.zip(value).map(|(kind, value)| Identifier { kind, value }),
        account_id: row.try_get::<_, Option<i64>>(7)?.map(AccountId),
        created_at: row.try_get(8)?,
        expires_at: row.try_get(9)?,
        deleted_at: row.try_get(10)?,
    }))
}

pub(super) async fn write(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    channel: &Channel,
) -> Result<u64> {
    let sql = "INSERT INTO channels (portal_id, id, app_id, name, webhook_url, redirect_url, description, logo_url, \
               capabilities, created_at, archived_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (portal_id, id) DO UPDATE SET app_id = $3, name = $4, webhook_url = $5, redirect_url = $6, \
               description = $7, logo_url = $8, capabilities = $9, created_at = $10, archived_at = $11, revision = $12";
    let values: Values<'_> = &[
        &owner.0,
        &channel.id,
        &channel.app_id.0,
        &channel.name,
        &channel.webhook_url,
        &channel.redirect_url,
        &channel.description,
        &channel.logo_url,
        &channel.capabilities,
        &channel.created_at,
        &channel.archived_at,
        &revision,
    ];
    execute(client, sql, values).await
}

pub(super) async fn write_staging(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    token: &StagingToken,
) -> Result<u64> {
    let sql = "INSERT INTO staging_tokens (portal_id, hash, channel_id, inbox_id, user_id, account_name, identifier_kind, \
               identifier_value, account_id, created_at, expires_at, deleted_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (portal_id, hash) DO UPDATE SET \
               channel_id = $3, inbox_id = $4, user_id = $5, account_name = $6, identifier_kind = $7, identifier_value = $8, \
               account_id = $9, created_at = $10, expires_at = $11, deleted_at = $12, revision = $13";
    let identifier = token.identifier.as_ref();
    let (kind, value) = (identifier.map(|one| &one.kind), identifier.map(|one| &one.value));
    let values: Values<'_> = &[
        &owner.0,
        &token.hash.0.as_slice(),
        &token.channel_id,
        &token.inbox_id.0,
        &token.user_id,
        &token.account_name,
        &kind,
        &value,
        &token.account_id.map(|id| id.0),
        &token.created_at,
        &token.expires_at,
        &token.deleted_at,
        &revision,
    ];
    execute(client, sql, values).await
}
