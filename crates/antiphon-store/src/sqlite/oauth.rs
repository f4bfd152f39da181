//! The rows of a directory that are about signing in, and about what users grant to apps.

use rusqlite::{Connection, Row, params};

use super::failure::Result;
use crate::secrets::Seals;
use crate::{AppId, Client, Code, DirectoryChange, Grant, Install, Login, Millis, PortalId, Role, TokenHash};

pub(super) const LOGINS: &str = "SELECT agent_id, password, administrator, changed_at, role, invite, invite_until, totp, totp_asked, recovery, subject \
     FROM logins WHERE portal_id = ?1";

pub(super) const CLIENTS: &str = "SELECT app_id, redirect_uris, scopes FROM clients WHERE portal_id = ?1";

pub(super) const GRANTS: &str = "SELECT id, app_id, user_id, scopes, created_at, code_hash, redirect_uri, challenge, \
     code_expires_at, code_used_at, refresh_hash, refresh_ended_at, ended_at, uninstalled_at, deleted_at FROM grants \
     WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) const INSTALLS: &str =
    "SELECT app_id, home_id, scopes, installed_at, uninstalled_at FROM installs WHERE portal_id = ?1";

pub(super) fn install(row: &Row<'_>) -> Result<DirectoryChange> {
    let scopes: String = row.get(2)?;
    Ok(DirectoryChange::Install(Install {
        app_id: AppId(row.get(0)?),
        home: PortalId(row.get(1)?),
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        installed_at: row.get(3)?,
        uninstalled_at: row.get(4)?,
    }))
}

pub(super) fn login(row: &Row<'_>, seals: &Seals, owner: PortalId) -> Result<DirectoryChange> {
    let agent_id: i64 = row.get(0)?;
    let (invite, until): (Option<[u8; 32]>, Option<Millis>) = (row.get(5)?, row.get(6)?);
    let (totp, asked, recovery): (Option<String>, Option<String>, Option<String>) =
        (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok(DirectoryChange::Login(Login {
        agent_id,
        password: row.get(1)?,
        role: Role::stored(row.get(2)?, row.get(4)?),
        changed_at: row.get(3)?,
        invite: invite.map(TokenHash).zip(until),
        totp: seals.open_totp((owner, agent_id), totp.as_deref()),
        totp_asked: seals.open_totp((owner, agent_id), asked.as_deref()),
        recovery: Login::recovery_read(recovery.as_deref()),
        subject: row.get(10)?,
    }))
}

pub(super) fn client(row: &Row<'_>) -> Result<DirectoryChange> {
    let (redirect_uris, scopes): (String, String) = (row.get(1)?, row.get(2)?);
    Ok(DirectoryChange::Client(Client {
        app_id: AppId(row.get(0)?),
        redirect_uris: redirect_uris.lines().map(str::to_owned).collect(),
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
    }))
}

pub(super) fn grant(row: &Row<'_>) -> Result<DirectoryChange> {
    let scopes: String = row.get(3)?;
    let hash: Option<[u8; 32]> = row.get(5)?;
    let code = match hash {
        None => None,
        Some(hash) => Some(Code {
            hash: TokenHash(hash),
            redirect_uri: row.get(6)?,
            challenge: row.get(7)?,
            expires_at: row.get(8)?,
            used_at: row.get(9)?,
        }),
    };
    let refresh: Option<[u8; 32]> = row.get(10)?;
    Ok(DirectoryChange::Grant(Grant {
        id: row.get(0)?,
        app_id: AppId(row.get(1)?),
        user_id: row.get(2)?,
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        created_at: row.get(4)?,
        code,
        refresh: refresh.map(TokenHash),
        refresh_ended_at: row.get(11)?,
        ended_at: row.get(12)?,
        uninstalled_at: row.get(13)?,
        deleted_at: row.get(14)?,
    }))
}

pub(super) fn write_login(conn: &Connection, seals: &Seals, owner: PortalId, login: &Login) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO logins (portal_id, agent_id, password, administrator, changed_at, role, invite, \
               invite_until, totp, totp_asked, recovery, subject) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let of = (owner, login.agent_id);
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        login.agent_id,
        login.password,
        login.role == Role::Admin,
        login.changed_at,
        login.role as i64,
        login.invite.map(|(hash, _)| hash.0),
        login.invite.map(|(_, until)| until),
        seals.seal_totp(of, login.totp.as_ref())?,
        seals.seal_totp(of, login.totp_asked.as_ref())?,
        login.recovery_stored(),
        login.subject,
    ])?;
    Ok(())
}

pub(super) fn write_client(conn: &Connection, owner: PortalId, client: &Client) -> Result<()> {
    let sql =
        "INSERT OR REPLACE INTO clients (portal_id, app_id, redirect_uris, scopes) VALUES (?1, ?2, ?3, ?4)";
    let (uris, scopes) = (client.redirect_uris.join("\n"), client.scopes.join(" "));
    conn.prepare_cached(sql)?.execute(params![owner.0, client.app_id.0, uris, scopes])?;
    Ok(())
}

pub(super) fn write_install(conn: &Connection, owner: PortalId, one: &Install) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO installs (portal_id, app_id, home_id, scopes, installed_at, uninstalled_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (app, home, scopes) = (one.app_id.0, one.home.0, one.scopes.join(" "));
    let values = params![owner.0, app, home, scopes, one.installed_at, one.uninstalled_at];
    conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn write_grant(conn: &Connection, owner: PortalId, grant: &Grant) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO grants (portal_id, id, app_id, user_id, scopes, created_at, code_hash, \
               redirect_uri, challenge, code_expires_at, code_used_at, refresh_hash, refresh_ended_at, ended_at, \
               uninstalled_at, deleted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
    let code = grant.code.as_ref();
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        grant.id,
        grant.app_id.0,
        grant.user_id,
        grant.scopes.join(" "),
        grant.created_at,
        code.map(|code| code.hash.0),
        code.map(|code| &code.redirect_uri),
        code.and_then(|code| code.challenge.as_ref()),
        code.map(|code| code.expires_at),
        code.and_then(|code| code.used_at),
        grant.refresh.map(|hash| hash.0),
        grant.refresh_ended_at,
        grant.ended_at,
        grant.uninstalled_at,
        grant.deleted_at,
    ])?;
    Ok(())
}
