//! Directories: loaded whole, changed row by row.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::{Failure, Result, conflict, damaged};
use crate::{
    Account, AccountId, Actor, ActorKind, Adapter, App, AppId, Directory, DirectoryChange, Identifier, Inbox,
    InboxId, InboxKind, Portal, PortalId, Quota, Token, TokenHash,
};

const PORTAL: &str = "id, name, time_zone, quota_messages, quota_bytes, created_at";
const TOKEN: &str = "hash, portal_id, app_id, label, scopes, created_at, expires_at, revoked_at";

fn portal(row: &Row<'_>) -> rusqlite::Result<Portal> {
    Ok(Portal {
        id: PortalId(row.get(0)?),
        name: row.get(1)?,
        time_zone: row.get(2)?,
        quota: Quota { messages: row.get(3)?, bytes: row.get(4)? },
        created_at: row.get(5)?,
    })
}

pub(super) fn portals(conn: &Connection) -> Result<Vec<Portal>> {
    let mut sql = conn.prepare_cached(&format!("SELECT {PORTAL} FROM portals ORDER BY id"))?;
    let portals = sql.query_map([], portal)?.collect::<rusqlite::Result<_>>()?;
    Ok(portals)
}

/// Every row of one portal.
fn rows<T>(
    conn: &Connection,
    id: PortalId,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query([id.0])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

pub(super) fn load(conn: &Connection, id: PortalId) -> Result<Option<Directory>> {
    let sql = format!("SELECT {PORTAL}, revision FROM portals WHERE id = ?1");
    let found =
        conn.prepare_cached(&sql)?.query_row([id.0], |row| Ok((portal(row)?, row.get(6)?))).optional()?;
    let Some((portal, revision)) = found else { return Ok(None) };
    let inboxes = rows(
        conn,
        id,
        "SELECT id, name, kind, assign_on_reply, created_at, updated_at, archived_at FROM inboxes WHERE portal_id = ?1",
        |row| {
            let kind = match row.get(2)? {
                1 => InboxKind::Inbox,
                2 => InboxKind::HelpDesk,
                other => return Err(damaged("an inbox's kind", other)),
            };
            Ok(Inbox {
                id: InboxId(row.get(0)?),
                name: row.get(1)?,
                kind,
                assign_on_reply: row.get(3)?,
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
                archived_at: row.get(6)?,
            })
        },
    )?;
    let accounts = rows(
        conn,
        id,
        "SELECT id, channel_id, inbox_id, name, active, authorized, identifier_kind, identifier_value, adapter, welcome, \
         created_at, archived_at FROM accounts WHERE portal_id = ?1",
        |row| {
            let adapter = match row.get(8)? {
                1 => Adapter::Stored,
                2 => Adapter::None,
                other => return Err(damaged("an account's adapter", other)),
            };
            let kind: Option<String> = row.get(6)?;
            let value: Option<String> = row.get(7)?;
            Ok(Account {
                id: AccountId(row.get(0)?),
                channel_id: row.get(1)?,
                inbox_id: InboxId(row.get(2)?),
                name: row.get(3)?,
                active: row.get(4)?,
                authorized: row.get(5)?,
                identifier: kind.zip(value).map(|(kind, value)| Identifier { kind, value }),
                adapter,
                welcome: row.get(9)?,
                created_at: row.get(10)?,
                archived_at: row.get(11)?,
            })
        },
    )?;
    let actors = rows(
        conn,
        id,
        "SELECT kind, id, name, email, avatar, active, created_at FROM actors WHERE portal_id = ?1",
        |row| {
            let kind = match row.get(0)? {
                1 => ActorKind::Agent,
                2 => ActorKind::Bot,
                3 => ActorKind::Llm,
                other => return Err(damaged("an actor's kind", other)),
            };
            Ok(Actor {
                kind,
                id: row.get(1)?,
                name: row.get(2)?,
                email: row.get(3)?,
                avatar: row.get(4)?,
                active: row.get(5)?,
                created_at: row.get(6)?,
            })
        },
    )?;
    let apps = rows(
        conn,
        id,
        "SELECT id, name, avatar, client_secret, developer_key, active, created_at FROM apps WHERE portal_id = ?1",
        |row| {
            Ok(App {
                id: AppId(row.get(0)?),
                name: row.get(1)?,
                avatar: row.get(2)?,
                client_secret: row.get(3)?,
                developer_key: row.get(4)?,
                active: row.get(5)?,
                created_at: row.get(6)?,
            })
        },
    )?;
    let sql = format!("SELECT {TOKEN} FROM tokens WHERE portal_id = ?1 ORDER BY created_at, hash");
    let tokens = rows(conn, id, &sql, |row| Ok(Arc::new(token(row)?)))?;
    Ok(Some(Directory {
        portal,
        revision,
        inboxes: inboxes.into_iter().map(|inbox| (inbox.id, inbox)).collect(),
        accounts: accounts.into_iter().map(|account| (account.id, account)).collect(),
        actors: actors.into_iter().map(|actor| ((actor.kind, actor.id), actor)).collect(),
        apps: apps.into_iter().map(|app| (app.id, app)).collect(),
        tokens,
    }))
}

fn token(row: &Row<'_>) -> Result<Token> {
    let scopes: String = row.get(4)?;
    Ok(Token {
        hash: TokenHash(row.get(0)?),
        portal_id: PortalId(row.get(1)?),
        app_id: AppId(row.get(2)?),
        label: row.get(3)?,
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        revoked_at: row.get(7)?,
    })
}

/// The portal a token opens.
pub(super) fn portal_of_token(conn: &Connection, hash: &TokenHash) -> Result<Option<PortalId>> {
    let mut sql = conn.prepare_cached("SELECT portal_id FROM tokens WHERE hash = ?1")?;
    Ok(sql.query_row([&hash.0], |row| row.get(0).map(PortalId)).optional()?)
}

/// Writes one change to its row and to the directory in memory. Whoever calls raises the revision.
pub(super) fn apply(conn: &Connection, directory: &mut Directory, change: &DirectoryChange) -> Result<()> {
    let owner = directory.portal.id.0;
    match change.clone() {
        DirectoryChange::Portal(portal) => {
            if portal.id != directory.portal.id {
                return Err(conflict("a portal cannot change another one"));
            }
            conn.prepare_cached(
                "UPDATE portals SET name = ?2, time_zone = ?3, quota_messages = ?4, quota_bytes = ?5 WHERE id = ?1",
            )?
            .execute(params![owner, portal.name, portal.time_zone, portal.quota.messages, portal.quota.bytes])?;
            directory.portal = Portal { created_at: directory.portal.created_at, ..portal };
        }
        DirectoryChange::Inbox(inbox) => {
            let kind = match inbox.kind {
                InboxKind::Inbox => 1,
                InboxKind::HelpDesk => 2,
            };
            conn.prepare_cached("INSERT OR REPLACE INTO inboxes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    owner,
                    inbox.id.0,
                    inbox.name,
                    kind,
                    inbox.assign_on_reply,
                    inbox.created_at,
                    inbox.updated_at,
                    inbox.archived_at
                ])?;
            directory.inboxes.insert(inbox.id, inbox);
        }
        DirectoryChange::Account(account) => {
            let adapter = match account.adapter {
                Adapter::Stored => 1,
                Adapter::None => 2,
            };
            let identifier = account.identifier.as_ref();
            conn.prepare_cached(
                "INSERT OR REPLACE INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                owner,
                account.id.0,
                account.channel_id,
                account.inbox_id.0,
                account.name,
                account.active,
                account.authorized,
                identifier.map(|i| &i.kind),
                identifier.map(|i| &i.value),
                adapter,
                account.welcome,
                account.created_at,
                account.archived_at
            ])?;
            directory.accounts.insert(account.id, account);
        }
        DirectoryChange::Actor(actor) => {
            let kind = match actor.kind {
                ActorKind::Agent => 1,
                ActorKind::Bot => 2,
                ActorKind::Llm => 3,
            };
            conn.prepare_cached("INSERT OR REPLACE INTO actors VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    owner,
                    kind,
                    actor.id,
                    actor.name,
                    actor.email,
                    actor.avatar,
                    actor.active,
                    actor.created_at
                ])?;
            directory.actors.insert((actor.kind, actor.id), actor);
        }
        DirectoryChange::App(app) => {
            conn.prepare_cached("INSERT OR REPLACE INTO apps VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
                .execute(params![
                    owner,
                    app.id.0,
                    app.name,
                    app.avatar,
                    app.client_secret,
                    app.developer_key,
                    app.active,
                    app.created_at
                ])?;
            directory.apps.insert(app.id, app);
        }
        DirectoryChange::Token(token) => {
            if token.portal_id != directory.portal.id {
                return Err(conflict("a token opens its own portal only"));
            }
            write_token(conn, &token)?;
            match directory.tokens.iter_mut().find(|known| known.hash == token.hash) {
                Some(known) => *known = Arc::new(token),
                None => directory.tokens.push(Arc::new(token)),
            }
        }
    }
    Ok(())
}

fn write_token(conn: &Connection, token: &Token) -> std::result::Result<(), Failure> {
    let written = conn
        .prepare_cached(
            "INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (hash) DO UPDATE SET \
             app_id = ?3, label = ?4, scopes = ?5, expires_at = ?7, revoked_at = ?8 WHERE portal_id = ?2",
        )?
        .execute(params![
            token.hash.0,
            token.portal_id.0,
            token.app_id.0,
            token.label,
            token.scopes.join(" "),
            token.created_at,
            token.expires_at,
            token.revoked_at
        ])?;
    if written == 0 { Err(conflict("this token belongs to another portal")) } else { Ok(()) }
}

pub(super) fn write_revision(conn: &Connection, directory: &Directory) -> Result<()> {
    conn.prepare_cached("UPDATE portals SET revision = ?2 WHERE id = ?1")?
        .execute([directory.portal.id.0, directory.revision])?;
    Ok(())
}

/// The row of a new portal; `false` when the id is taken.
pub(super) fn insert_portal(conn: &Connection, portal: &Portal) -> Result<bool> {
    let inserted = conn
        .prepare_cached("INSERT OR IGNORE INTO portals VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)")?
        .execute(params![
        portal.id.0,
        portal.name,
        portal.time_zone,
        portal.quota.messages,
        portal.quota.bytes,
        portal.created_at
    ])?;
    Ok(inserted == 1)
}
