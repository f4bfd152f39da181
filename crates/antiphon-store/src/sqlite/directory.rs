//! Directories: loaded whole, changed row by row.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::failure::{Result, conflict, damaged};
use super::{channels, oauth, webhooks, work};
use crate::secrets::Seals;
use crate::{
    Account, AccountId, Actor, ActorKind, Adapter, App, AppId, Directory, DirectoryChange, Identifier, Inbox,
    InboxId, InboxKind, Millis, Portal, PortalId, Profile, Quota, Replaced, Token, TokenHash,
};

const PORTAL: &str = "id, name, time_zone, quota_messages, quota_bytes, created_at, currency, account_type";
const TOKEN: &str = "hash, portal_id, app_id, label, scopes, created_at, expires_at, revoked_at, grant_id, \
                     deleted_at";

fn portal(row: &Row<'_>) -> rusqlite::Result<Portal> {
    Ok(Portal {
        id: PortalId(row.get(0)?),
        name: row.get(1)?,
        profile: Profile { time_zone: row.get(2)?, currency: row.get(6)?, account_type: row.get(7)? },
        quota: Quota { messages: row.get(3)?, bytes: row.get(4)? },
        created_at: row.get(5)?,
    })
}

pub(super) fn portals(conn: &Connection, after: Option<PortalId>, limit: usize) -> Result<Vec<Portal>> {
    let sql = format!("SELECT {PORTAL} FROM portals WHERE id > ?1 ORDER BY id LIMIT ?2");
    let after = after.map_or(i64::MIN, |id| id.0);
    let mut sql = conn.prepare_cached(&sql)?;
    let portals = sql.query_map([after, limit as i64], portal)?.collect::<rusqlite::Result<_>>()?;
    Ok(portals)
}

/// Puts every row of its portal into a directory.
fn rows(
    conn: &Connection,
    directory: &mut Directory,
    sql: &str,
    read: impl Fn(&Row<'_>) -> Result<DirectoryChange>,
) -> Result<()> {
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query([directory.portal.id.0])?;
    while let Some(row) = rows.next()? {
        directory.put(read(row)?);
    }
    Ok(())
}

pub(super) fn load(conn: &Connection, seals: &Seals, id: PortalId) -> Result<Option<Directory>> {
    let sql = format!("SELECT {PORTAL}, revision FROM portals WHERE id = ?1");
    let found =
        conn.prepare_cached(&sql)?.query_row([id.0], |row| Ok((portal(row)?, row.get(8)?))).optional()?;
    let Some((portal, revision)) = found else { return Ok(None) };
    let mut directory = Directory::new(portal, revision);
    rows(
        conn,
        &mut directory,
        "SELECT id, name, kind, assign_on_reply, created_at, updated_at, archived_at FROM inboxes WHERE portal_id = ?1",
        |row| {
            let kind = match row.get(2)? {
                1 => InboxKind::Inbox,
                2 => InboxKind::HelpDesk,
                other => return Err(damaged("an inbox's kind", other)),
            };
            Ok(DirectoryChange::Inbox(Inbox {
                id: InboxId(row.get(0)?),
                name: row.get(1)?,
                kind,
                assign_on_reply: row.get(3)?,
                created_at: row.get(4)?,
                updated_at: row.get(5)?,
                archived_at: row.get(6)?,
            }))
        },
    )?;
    rows(
        conn,
        &mut directory,
        "SELECT id, channel_id, inbox_id, name, active, authorized, identifier_kind, identifier_value, adapter, welcome, \
         created_at, archived_at, chat FROM accounts WHERE portal_id = ?1 AND deleted_at IS NULL",
        |row| {
            let adapter = match row.get(8)? {
                1 => Adapter::Stored,
                2 => Adapter::None,
                other => return Err(damaged("an account's adapter", other)),
            };
            let kind: Option<String> = row.get(6)?;
            let value: Option<String> = row.get(7)?;
            Ok(DirectoryChange::Account(Account {
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
                chat: row.get(12)?,
            }))
        },
    )?;
    rows(
        conn,
        &mut directory,
        "SELECT kind, id, name, email, avatar, active, created_at FROM actors WHERE portal_id = ?1",
        |row| {
            let kind = match row.get(0)? {
                1 => ActorKind::Agent,
                2 => ActorKind::Bot,
                3 => ActorKind::Llm,
                other => return Err(damaged("an actor's kind", other)),
            };
            Ok(DirectoryChange::Actor(Actor {
                kind,
                id: row.get(1)?,
                name: row.get(2)?,
                email: row.get(3)?,
                avatar: row.get(4)?,
                active: row.get(5)?,
                created_at: row.get(6)?,
            }))
        },
    )?;
    rows(
        conn,
        &mut directory,
        "SELECT id, name, avatar, client_secret, developer_key, active, created_at, old_secret, old_secret_until, old_key, \
         old_key_until, user_id FROM apps WHERE portal_id = ?1",
        |row| {
            let id = AppId(row.get(0)?);
            let old: Option<String> = row.get(7)?;
            let old = old.map(|old| seals.open_secret(id, old)).transpose()?;
            Ok(DirectoryChange::App(App {
                id,
                name: row.get(1)?,
                avatar: row.get(2)?,
                client_secret: seals.open_secret(id, row.get(3)?)?,
                developer_key: row.get(4)?,
                active: row.get(5)?,
                created_at: row.get(6)?,
                old_secret: replaced(old, row.get(8)?),
                old_key: replaced(row.get(9)?, row.get(10)?),
                user_id: row.get(11)?,
            }))
        },
    )?;
    rows(conn, &mut directory, webhooks::WEBHOOKS, webhooks::webhook)?;
    rows(conn, &mut directory, webhooks::SUBSCRIPTIONS, webhooks::subscription)?;
    rows(conn, &mut directory, webhooks::JOURNAL, webhooks::journal)?;
    rows(conn, &mut directory, channels::CHANNELS, channels::channel)?;
    rows(conn, &mut directory, channels::STAGING, channels::staging)?;
    rows(conn, &mut directory, oauth::LOGINS, |row| oauth::login(row, seals, id))?;
    rows(conn, &mut directory, oauth::CLIENTS, oauth::client)?;
    rows(conn, &mut directory, oauth::GRANTS, oauth::grant)?;
    rows(conn, &mut directory, oauth::INSTALLS, oauth::install)?;
    rows(conn, &mut directory, work::TAGS, work::tag)?;
    rows(conn, &mut directory, work::VIEWS, work::view)?;
    let sql = format!("SELECT {TOKEN} FROM tokens WHERE portal_id = ?1 AND deleted_at IS NULL");
    rows(conn, &mut directory, &sql, |row| Ok(DirectoryChange::Token(token(row)?)))?;
    Ok(Some(directory))
}

fn replaced(value: Option<String>, until: Option<Millis>) -> Option<Replaced> {
    value.zip(until).map(|(value, until)| Replaced { value, until })
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
        grant_id: row.get(8)?,
        deleted_at: row.get(9)?,
    })
}

/// The portal a token opens.
pub(super) fn portal_of_token(conn: &Connection, hash: &TokenHash) -> Result<Option<PortalId>> {
    let mut sql = conn.prepare_cached("SELECT portal_id FROM tokens WHERE hash = ?1")?;
    Ok(sql.query_row([&hash.0], |row| row.get(0).map(PortalId)).optional()?)
}

/// The portal an app belongs to.
pub(super) fn portal_of_app(conn: &Connection, id: AppId) -> Result<Option<PortalId>> {
    let mut sql = conn.prepare_cached("SELECT portal_id FROM apps WHERE id = ?1")?;
    Ok(sql.query_row([id.0], |row| row.get(0).map(PortalId)).optional()?)
}

/// An app that a developer key opens, and its portal.
pub(super) fn app_of_key(conn: &Connection, key: &str, now: Millis) -> Result<Option<(AppId, PortalId)>> {
    let sql = "SELECT id, portal_id FROM apps WHERE developer_key = ?1 OR (old_key = ?1 AND old_key_until > ?2) LIMIT 1";
    let mut sql = conn.prepare_cached(sql)?;
    Ok(sql.query_row(params![key, now], |row| Ok((AppId(row.get(0)?), PortalId(row.get(1)?)))).optional()?)
}

/// Writes one change to its row and to the directory in memory. Whoever calls raises the revision.
pub(super) fn apply(
    conn: &Connection,
    seals: &Seals,
    directory: &mut Directory,
    change: &DirectoryChange,
) -> Result<()> {
    let owner = directory.portal.id;
    match change {
        DirectoryChange::Portal(portal) => write_portal(conn, owner, portal)?,
        DirectoryChange::Inbox(inbox) => write_inbox(conn, owner, inbox)?,
        DirectoryChange::Account(account) => write_account(conn, owner, account)?,
        DirectoryChange::AccountPurged(id, at) => {
            let sql = "UPDATE accounts SET name = '', identifier_kind = NULL, identifier_value = NULL, welcome = NULL, \
                       chat = NULL, deleted_at = ?3 WHERE portal_id = ?1 AND id = ?2";
            conn.prepare_cached(sql)?.execute([owner.0, id.0, *at])?;
        }
        DirectoryChange::Actor(actor) => write_actor(conn, owner, actor)?,
        DirectoryChange::App(app) => write_app(conn, seals, owner, app)?,
        DirectoryChange::Token(token) => write_token(conn, owner, token)?,
        DirectoryChange::Webhook(webhook) => webhooks::write(conn, owner, webhook)?,
        DirectoryChange::Subscription(one) => webhooks::write_subscription(conn, owner, one)?,
        DirectoryChange::JournalSubscription(one) => webhooks::write_journal(conn, owner, one)?,
        DirectoryChange::Channel(channel) => channels::write(conn, owner, channel)?,
        DirectoryChange::StagingToken(token) => channels::write_staging(conn, owner, token)?,
        DirectoryChange::Login(login) => oauth::write_login(conn, seals, owner, login)?,
        DirectoryChange::Client(client) => oauth::write_client(conn, owner, client)?,
        DirectoryChange::Grant(grant) => oauth::write_grant(conn, owner, grant)?,
        DirectoryChange::Install(one) => oauth::write_install(conn, owner, one)?,
        DirectoryChange::Tag(tag) => work::write_tag(conn, owner, tag)?,
        DirectoryChange::View(view) => work::write_view(conn, owner, view)?,
    }
    directory.put(change.clone());
    Ok(())
}

fn write_portal(conn: &Connection, owner: PortalId, portal: &Portal) -> Result<()> {
    if portal.id != owner {
        return Err(conflict("a portal cannot change another one"));
    }
    let quota = portal.quota;
    conn.prepare_cached(
        "UPDATE portals SET name = ?2, time_zone = ?3, quota_messages = ?4, quota_bytes = ?5, currency = ?6, \
         account_type = ?7 WHERE id = ?1",
    )?
    .execute(params![
        owner.0,
        portal.name,
        portal.profile.time_zone,
        quota.messages,
        quota.bytes,
        portal.profile.currency,
        portal.profile.account_type
    ])?;
    Ok(())
}

fn write_inbox(conn: &Connection, owner: PortalId, inbox: &Inbox) -> Result<()> {
    let kind = match inbox.kind {
        InboxKind::Inbox => 1,
        InboxKind::HelpDesk => 2,
    };
    conn.prepare_cached("INSERT OR REPLACE INTO inboxes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
        params![
            owner.0,
            inbox.id.0,
            inbox.name,
            kind,
            inbox.assign_on_reply,
            inbox.created_at,
            inbox.updated_at,
            inbox.archived_at
        ],
    )?;
    Ok(())
}

fn write_account(conn: &Connection, owner: PortalId, account: &Account) -> Result<()> {
    let adapter = match account.adapter {
        Adapter::Stored => 1,
        Adapter::None => 2,
    };
    let identifier = account.identifier.as_ref();
    conn.prepare_cached(
        "INSERT OR REPLACE INTO accounts (portal_id, id, channel_id, inbox_id, name, active, authorized, identifier_kind, \
         identifier_value, adapter, welcome, created_at, archived_at, chat) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        owner.0,
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
        account.archived_at,
        account.chat
    ])?;
    Ok(())
}

fn write_actor(conn: &Connection, owner: PortalId, actor: &Actor) -> Result<()> {
    let kind = match actor.kind {
        ActorKind::Agent => 1,
        ActorKind::Bot => 2,
        ActorKind::Llm => 3,
    };
    conn.prepare_cached("INSERT OR REPLACE INTO actors VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(
        params![
            owner.0,
            kind,
            actor.id,
            actor.name,
            actor.email,
            actor.avatar,
            actor.active,
            actor.created_at
        ],
    )?;
    Ok(())
}

fn write_app(conn: &Connection, seals: &Seals, owner: PortalId, app: &App) -> Result<()> {
    let old = app.old_secret.as_ref().map(|old| seals.seal_secret(app.id, &old.value)).transpose()?;
    let written = conn
        .prepare_cached(
            "INSERT INTO apps (id, portal_id, name, avatar, client_secret, developer_key, active, created_at, old_secret, \
             old_secret_until, old_key, old_key_until, told, user_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, ?13) ON CONFLICT (id) DO UPDATE SET \
             name = ?3, avatar = ?4, client_secret = ?5, developer_key = ?6, active = ?7, old_secret = ?9, \
             old_secret_until = ?10, old_key = ?11, old_key_until = ?12 WHERE portal_id = ?2",
        )?
        .execute(params![
            app.id.0,
            owner.0,
            app.name,
            app.avatar,
            seals.seal_secret(app.id, &app.client_secret)?,
            app.developer_key,
            app.active,
            app.created_at,
            old,
            app.old_secret.as_ref().map(|old| old.until),
            app.old_key.as_ref().map(|old| &old.value),
            app.old_key.as_ref().map(|old| old.until),
            app.user_id
        ])?;
    if written == 0 { Err(conflict("this app belongs to another portal")) } else { Ok(()) }
}

fn write_token(conn: &Connection, owner: PortalId, token: &Token) -> Result<()> {
    if token.portal_id != owner {
        return Err(conflict("a token opens its own portal only"));
    }
    let written = conn
        .prepare_cached(
            "INSERT INTO tokens (hash, portal_id, app_id, label, scopes, created_at, expires_at, revoked_at, grant_id, \
             deleted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (hash) DO UPDATE SET \
             app_id = ?3, label = ?4, scopes = ?5, expires_at = ?7, revoked_at = ?8, deleted_at = ?10 \
             WHERE portal_id = ?2",
        )?
        .execute(params![
            token.hash.0,
            token.portal_id.0,
            token.app_id.0,
            token.label,
            token.scopes.join(" "),
            token.created_at,
            token.expires_at,
            token.revoked_at,
            token.grant_id,
            token.deleted_at
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
        .prepare_cached(
            "INSERT OR IGNORE INTO portals (id, name, time_zone, quota_messages, quota_bytes, created_at, revision, currency, \
             account_type) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)",
        )?
        .execute(params![
        portal.id.0,
        portal.name,
        portal.profile.time_zone,
        portal.quota.messages,
        portal.quota.bytes,
        portal.created_at,
        portal.profile.currency,
        portal.profile.account_type
    ])?;
    Ok(inserted == 1)
}
