//! The rows of a directory that are about signing in, and about what users grant to apps.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::connect::Session;
use super::failure::{Result, damaged};
use super::readers::{Values, execute};
use crate::secrets::Seals;
use crate::{AppId, Client, Code, DirectoryChange, Grant, Install, Login, PortalId, Role, TokenHash};

pub(super) const LOGINS: &str = "SELECT agent_id, password, administrator, changed_at, role, invite, invite_until, totp, totp_asked, \
     recovery, subject, portal_id FROM logins WHERE portal_id = $1 AND revision > $2";

pub(super) const CLIENTS: &str =
    "SELECT app_id, redirect_uris, scopes FROM clients WHERE portal_id = $1 AND revision > $2";

pub(super) const GRANTS: &str = "SELECT id, app_id, user_id, scopes, created_at, code_hash, redirect_uri, challenge, \
     code_expires_at, code_used_at, refresh_hash, refresh_ended_at, ended_at, uninstalled_at, deleted_at FROM grants \
     WHERE portal_id = $1 AND revision > $2";

pub(super) const INSTALLS: &str = "SELECT app_id, home_id, scopes, installed_at, uninstalled_at FROM installs \
     WHERE portal_id = $1 AND revision > $2";

pub(super) fn install(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let scopes: &str = row.try_get(2)?;
    Ok(DirectoryChange::Install(Install {
        app_id: AppId(row.try_get(0)?),
        home: PortalId(row.try_get(1)?),
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        installed_at: row.try_get(3)?,
        uninstalled_at: row.try_get(4)?,
    }))
}

pub(super) fn login(row: &Row, seals: &Seals) -> Result<DirectoryChange> {
    let agent_id: i64 = row.try_get(0)?;
    let of = (PortalId(row.try_get(11)?), agent_id);
    Ok(DirectoryChange::Login(Login {
        agent_id,
        password: row.try_get(1)?,
        role: Role::stored(row.try_get(2)?, row.try_get(4)?),
        changed_at: row.try_get(3)?,
        invite: hash(row, 5)?.zip(row.try_get(6)?),
        totp: seals.open_totp(of, row.try_get(7)?),
        totp_asked: seals.open_totp(of, row.try_get(8)?),
        recovery: Login::recovery_read(row.try_get(9)?),
        subject: row.try_get(10)?,
    }))
}

pub(super) fn client(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let (redirect_uris, scopes): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    Ok(DirectoryChange::Client(Client {
        app_id: AppId(row.try_get(0)?),
        redirect_uris: redirect_uris.lines().map(str::to_owned).collect(),
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
    }))
}

pub(super) fn grant(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let scopes: &str = row.try_get(3)?;
    let code = match hash(row, 5)? {
        None => None,
        Some(hash) => Some(Code {
            hash,
            redirect_uri: row.try_get(6)?,
            challenge: row.try_get(7)?,
            expires_at: row.try_get(8)?,
            used_at: row.try_get(9)?,
        }),
    };
    Ok(DirectoryChange::Grant(Grant {
        id: row.try_get(0)?,
        app_id: AppId(row.try_get(1)?),
        user_id: row.try_get(2)?,
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        created_at: row.try_get(4)?,
        code,
        refresh: hash(row, 10)?,
        refresh_ended_at: row.try_get(11)?,
        ended_at: row.try_get(12)?,
        uninstalled_at: row.try_get(13)?,
        deleted_at: row.try_get(14)?,
    }))
}

fn hash(row: &Row, at: usize) -> Result<Option<TokenHash>> {
    let Some(hash) = row.try_get::<_, Option<&[u8]>>(at)? else { return Ok(None) };
    let length = |_| damaged("the length of a grant's hash", hash.len() as i64);
    Ok(Some(TokenHash(hash.try_into().map_err(length)?)))
}

pub(super) async fn write_login(
    session: &Session,
    owner: PortalId,
    revision: i64,
    login: &Login,
) -> Result<u64> {
    let sql = "INSERT INTO logins (portal_id, agent_id, password, administrator, changed_at, role, invite, invite_until, \
               totp, totp_asked, recovery, subject, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
               ON CONFLICT (portal_id, agent_id) DO UPDATE SET password = $3, administrator = $4, changed_at = $5, role = $6, \
               invite = $7, invite_until = $8, totp = $9, totp_asked = $10, recovery = $11, subject = $12, revision = $13";
    let of = (owner, login.agent_id);
    let (administrator, role) = (login.role == Role::Admin, login.role as i64);
    let invite = login.invite.map(|(hash, _)| hash.0.to_vec());
    let until = login.invite.map(|(_, until)| until);
    let totp = session.seals.seal_totp(of, login.totp.as_ref())?;
    let asked = session.seals.seal_totp(of, login.totp_asked.as_ref())?;
    let recovery = login.recovery_stored();
    let values: Values<'_> = &[
        &owner.0,
        &login.agent_id,
        &login.password,
        &administrator,
        &login.changed_at,
        &role,
        &invite,
        &until,
        &totp,
        &asked,
        &recovery,
        &login.subject,
        &revision,
    ];
    execute(&session.client, sql, values).await
}

pub(super) async fn write_client(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    one: &Client,
) -> Result<u64> {
    let sql = "INSERT INTO clients (portal_id, app_id, redirect_uris, scopes, revision) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (portal_id, app_id) DO UPDATE SET redirect_uris = $3, scopes = $4, revision = $5";
    let (uris, scopes) = (one.redirect_uris.join("\n"), one.scopes.join(" "));
    execute(client, sql, &[&owner.0, &one.app_id.0, &uris, &scopes, &revision]).await
}

pub(super) async fn write_install(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    one: &Install,
) -> Result<u64> {
    let sql = "INSERT INTO installs (portal_id, app_id, home_id, scopes, installed_at, uninstalled_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (portal_id, app_id) DO UPDATE SET \
               home_id = $3, scopes = $4, installed_at = $5, uninstalled_at = $6, revision = $7";
    let scopes = one.scopes.join(" ");
    let (from, to) = (&one.installed_at, &one.uninstalled_at);
    execute(client, sql, &[&owner.0, &one.app_id.0, &one.home.0, &scopes, from, to, &revision]).await
}

pub(super) async fn write_grant(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    grant: &Grant,
) -> Result<u64> {
    let sql = "INSERT INTO grants (portal_id, id, app_id, user_id, scopes, created_at, code_hash, redirect_uri, challenge, \
               code_expires_at, code_used_at, refresh_hash, refresh_ended_at, ended_at, uninstalled_at, revision, deleted_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
               ON CONFLICT (portal_id, id) DO UPDATE SET scopes = $5, code_used_at = $11, refresh_hash = $12, \
               refresh_ended_at = $13, ended_at = $14, uninstalled_at = $15, revision = $16, deleted_at = $17";
    let code = grant.code.as_ref();
    let (hash, refresh) =
        (code.map(|code| code.hash.0.as_slice()), grant.refresh.as_ref().map(|hash| hash.0.as_slice()));
    let (uri, challenge) =
        (code.map(|code| code.redirect_uri.as_str()), code.and_then(|code| code.challenge.as_deref()));
    let (expires, used) = (code.map(|code| code.expires_at), code.and_then(|code| code.used_at));
    let scopes = grant.scopes.join(" ");
    let values: Values<'_> = &[
        &owner.0,
        &grant.id,
        &grant.app_id.0,
        &grant.user_id,
        &scopes,
        &grant.created_at,
        &hash,
        &uri,
        &challenge,
        &expires,
        &used,
        &refresh,
        &grant.refresh_ended_at,
        &grant.ended_at,
        &grant.uninstalled_at,
        &revision,
        &grant.deleted_at,
    ];
    execute(client, sql, values).await
}
