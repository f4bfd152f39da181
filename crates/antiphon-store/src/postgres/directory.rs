//! Directories: read as far as they changed, written row by row.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use futures_util::try_join;
use tokio_postgres::Row;

use super::connect::Session;
use super::failure::{Result, conflict, damaged};
use super::readers::{Values, execute, row, rows};
use super::{channels, oauth, webhooks, work};
use crate::secrets::Seals;
use crate::{
    Account, AccountId, Actor, ActorKind, Adapter, App, AppId, Directory, DirectoryChange, Identifier, Inbox,
    InboxId, InboxKind, Millis, Portal, PortalId, Profile, Quota, Replaced, Token, TokenHash,
};

const PORTAL: &str = "SELECT id, name, time_zone, quota_messages, quota_bytes, created_at, revision, currency, account_type FROM portals";
const INBOXES: &str = "SELECT id, name, kind, assign_on_reply, created_at, updated_at, archived_at FROM inboxes \
                       WHERE portal_id = $1 AND revision > $2";
const ACCOUNTS: &str = "SELECT id, channel_id, inbox_id, name, active, authorized, identifier_kind, identifier_value, \
                        adapter, welcome, created_at, archived_at, deleted_at, chat FROM accounts WHERE portal_id = $1 AND revision > $2";
const ACTORS: &str = "SELECT kind, id, name, email, avatar, active, created_at FROM actors \
                      WHERE portal_id = $1 AND revision > $2";
const APPS: &str = "SELECT id, name, avatar, client_secret, developer_key, active, created_at, old_secret, \
                    old_secret_until, old_key, old_key_until, user_id FROM apps WHERE portal_id = $1 AND revision > $2";
const TOKENS: &str = "SELECT hash, portal_id, app_id, label, scopes, created_at, expires_at, revoked_at, grant_id, \
                      deleted_at FROM tokens WHERE portal_id = $1 AND revision > $2";

const REVISION: &str = "SELECT directory, swept FROM counters WHERE portal_id = $1";

/// From a row to what it puts into the directory.
type Read = fn(&Row, &Seals) -> Result<DirectoryChange>;

fn portal(row: &Row) -> Result<Portal> {
    Ok(Portal {
        id: PortalId(row.try_get(0)?),
        name: row.try_get(1)?,
        profile: Profile {
            time_zone: row.try_get(2)?,
            currency: row.try_get(7)?,
            account_type: row.try_get(8)?,
        },
        quota: Quota { messages: row.try_get(3)?, bytes: row.try_get(4)? },
        created_at: row.try_get(5)?,
    })
}

pub(super) async fn portals(
    client: &ClientWrapper,
    after: Option<PortalId>,
    limit: usize,
) -> Result<Vec<Portal>> {
    let sql = format!("{PORTAL} WHERE id > $1 ORDER BY id LIMIT $2");
    let after = after.map_or(i64::MIN, |id| id.0);
    rows(client, &sql, &[&after, &(limit as i64)]).await?.iter().map(portal).collect()
}

/// The directory as it is now: what is new since `known`, put into that. A transaction of the caller's decides what "now" is;
/// without one, rows may be newer than the revision says, and are then read once more next time.
pub(super) async fn refresh(
    session: &Session,
    id: PortalId,
    known: Option<Arc<Directory>>,
) -> Result<Option<Arc<Directory>>> {
    let client = &session.client;
    let head = format!("{PORTAL} WHERE id = $1");
    // The revision is read first: rows that are written meanwhile can only be newer. It is read in both places where rows are:
    // on Citus what is everywhere and what is on one node is committed together, and seen a moment apart.
    let of: Values<'_> = &[&id.0];
    let (head, there) = try_join!(row(client, &head, of), row(client, REVISION, of))?;
    let Some((head, there)) = head.zip(there) else { return Ok(None) };
    let revision = head.try_get::<_, i64>(6)?.min(there.try_get(0)?);
    if known.as_ref().is_some_and(|known| known.revision >= revision) {
        return Ok(known);
    }
    // What ended long ago has no rows any more: whoever knows a directory from before that begins anew.
    let swept: i64 = there.try_get(1)?;
    let known = known.filter(|known| known.revision >= swept);
    let since = known.as_ref().map_or(0, |known| known.revision);
    let values: Values<'_> = &[&id.0, &since];
    let (
        inboxes,
        accounts,
        actors,
        apps,
        tokens,
        hooks,
        subscriptions,
        journal,
        brought,
        staging,
        logins,
        clients,
        grants,
        installs,
        tags,
        views,
    ) = try_join!(
        rows(client, INBOXES, values),
        rows(client, ACCOUNTS, values),
        rows(client, ACTORS, values),
        rows(client, APPS, values),
        rows(client, TOKENS, values),
        rows(client, webhooks::WEBHOOKS, values),
        rows(client, webhooks::SUBSCRIPTIONS, values),
        rows(client, webhooks::JOURNAL, values),
        rows(client, channels::CHANNELS, values),
        rows(client, channels::STAGING, values),
        rows(client, oauth::LOGINS, values),
        rows(client, oauth::CLIENTS, values),
        rows(client, oauth::GRANTS, values),
        rows(client, oauth::INSTALLS, values),
        rows(client, work::TAGS, values),
        rows(client, work::VIEWS, values),
    )?;
    let mut directory = match known {
        Some(known) => Directory::clone(&known),
        None => Directory::new(portal(&head)?, revision),
    };
    directory.put(DirectoryChange::Portal(portal(&head)?));
    directory.revision = revision;
    let reads: [(Vec<Row>, Read); 16] = [
        (inboxes, inbox),
        (accounts, account),
        (actors, actor),
        (apps, app),
        (tokens, token),
        (hooks, webhooks::webhook),
        (subscriptions, webhooks::subscription),
        (journal, webhooks::journal),
        (brought, channels::channel),
        (staging, channels::staging),
        (logins, oauth::login),
        (clients, oauth::client),
        (grants, oauth::grant),
        (installs, oauth::install),
        (tags, work::tag),
        (views, work::view),
    ];
    for (rows, read) in reads {
        for row in &rows {
            directory.put(read(row, &session.seals)?);
        }
    }
    Ok(Some(Arc::new(directory)))
}

/// The same with those beside it that belong there: as they are held, which is how they were when somebody asked last, or
/// as they are.
pub(super) async fn lodging(
    session: &Session,
    directory: &Arc<Directory>,
    held: impl Fn(PortalId) -> Option<Arc<Directory>>,
) -> Result<Arc<Directory>> {
    let directory = directory.lodging(held);
    let mut read = Vec::new();
    for id in directory.lacks() {
        read.extend(refresh(session, id, None).await?);
    }
    Ok(directory.lodging(|id| read.iter().find(|home| home.portal.id == id).cloned()))
}

fn inbox(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let kind = match row.try_get(2)? {
        1 => InboxKind::Inbox,
        2 => InboxKind::HelpDesk,
        other => return Err(damaged("an inbox's kind", other)),
    };
    Ok(DirectoryChange::Inbox(Inbox {
        id: InboxId(row.try_get(0)?),
        name: row.try_get(1)?,
        kind,
        assign_on_reply: row.try_get(3)?,
        created_at: row.try_get(4)?,
        updated_at: row.try_get(5)?,
        archived_at: row.try_get(6)?,
    }))
}

fn account(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    if let Some(at) = row.try_get(12)? {
        return Ok(DirectoryChange::AccountPurged(AccountId(row.try_get(0)?), at));
    }
    let adapter = match row.try_get(8)? {
        1 => Adapter::Stored,
        2 => Adapter::None,
        other => return Err(damaged("an account's adapter", other)),
    };
    let kind: Option<String> = row.try_get(6)?;
    let value: Option<String> = row.try_get(7)?;
    Ok(DirectoryChange::Account(Account {
        id: AccountId(row.try_get(0)?),
        channel_id: row.try_get(1)?,
        inbox_id: InboxId(row.try_get(2)?),
        name: row.try_get(3)?,
        active: row.try_get(4)?,
        authorized: row.try_get(5)?,
        identifier: kind.zip(value).map(|(kind, value)| Identifier { kind, value }),
        adapter,
        welcome: row.try_get(9)?,
        created_at: row.try_get(10)?,
        archived_at: row.try_get(11)?,
        chat: row.try_get(13)?,
    }))
}

fn actor(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let kind = match row.try_get(0)? {
        1 => ActorKind::Agent,
        2 => ActorKind::Bot,
        3 => ActorKind::Llm,
        other => return Err(damaged("an actor's kind", other)),
    };
    Ok(DirectoryChange::Actor(Actor {
        kind,
        id: row.try_get(1)?,
        name: row.try_get(2)?,
        email: row.try_get(3)?,
        avatar: row.try_get(4)?,
        active: row.try_get(5)?,
        created_at: row.try_get(6)?,
    }))
}

fn app(row: &Row, seals: &Seals) -> Result<DirectoryChange> {
    let id = AppId(row.try_get(0)?);
    let old: Option<String> = row.try_get(7)?;
    let old = old.map(|old| seals.open_secret(id, old)).transpose()?;
    Ok(DirectoryChange::App(App {
        id,
        name: row.try_get(1)?,
        avatar: row.try_get(2)?,
        client_secret: seals.open_secret(id, row.try_get(3)?)?,
        developer_key: row.try_get(4)?,
        active: row.try_get(5)?,
        created_at: row.try_get(6)?,
        old_secret: replaced(old, row.try_get(8)?),
        old_key: replaced(row.try_get(9)?, row.try_get(10)?),
        user_id: row.try_get(11)?,
    }))
}

fn replaced(value: Option<String>, until: Option<Millis>) -> Option<Replaced> {
    value.zip(until).map(|(value, until)| Replaced { value, until })
}

fn token(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let hash: &[u8] = row.try_get(0)?;
    let scopes: &str = row.try_get(4)?;
    Ok(DirectoryChange::Token(Token {
        hash: TokenHash(
            hash.try_into().map_err(|_| damaged("the length of a token's hash", hash.len() as i64))?,
        ),
        portal_id: PortalId(row.try_get(1)?),
        app_id: AppId(row.try_get(2)?),
        label: row.try_get(3)?,
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        created_at: row.try_get(5)?,
        expires_at: row.try_get(6)?,
        revoked_at: row.try_get(7)?,
        grant_id: row.try_get(8)?,
        deleted_at: row.try_get(9)?,
    }))
}

/// The portal a token opens.
pub(super) async fn portal_of_token(client: &ClientWrapper, hash: &TokenHash) -> Result<Option<PortalId>> {
    let found = row(client, "SELECT portal_id FROM tokens WHERE hash = $1", &[&hash.0.as_slice()]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?.map(PortalId))
}

/// The portal an app belongs to.
pub(super) async fn portal_of_app(client: &ClientWrapper, id: AppId) -> Result<Option<PortalId>> {
    let found = row(client, "SELECT portal_id FROM apps WHERE id = $1", &[&id.0]).await?;
    Ok(found.map(|row| row.try_get(0)).transpose()?.map(PortalId))
}

/// An app that a developer key opens, and its portal.
pub(super) async fn app_of_key(
    client: &ClientWrapper,
    key: &str,
    now: Millis,
) -> Result<Option<(AppId, PortalId)>> {
    let sql = "SELECT id, portal_id FROM apps WHERE developer_key = $1 OR (old_key = $1 AND old_key_until > $2) LIMIT 1";
    let Some(row) = row(client, sql, &[&key, &now]).await? else { return Ok(None) };
    Ok(Some((AppId(row.try_get(0)?), PortalId(row.try_get(1)?))))
}

/// Writes one change to its row, under the directory's next revision.
pub(super) async fn write(
    session: &Session,
    owner: PortalId,
    revision: i64,
    change: &DirectoryChange,
) -> Result<()> {
    let client = &session.client;
    let written = match change {
        DirectoryChange::Portal(portal) if portal.id != owner => {
            return Err(conflict("a portal cannot change another one"));
        }
        DirectoryChange::Token(token) if token.portal_id != owner => {
            return Err(conflict("a token opens its own portal only"));
        }
        DirectoryChange::Portal(portal) => {
            let sql = "UPDATE portals SET name = $2, time_zone = $3, quota_messages = $4, quota_bytes = $5, currency = $6, \
                       account_type = $7 WHERE id = $1";
            let quota = portal.quota;
            let Profile { time_zone, currency, account_type } = &portal.profile;
            let values: Values<'_> =
                &[&owner.0, &portal.name, time_zone, &quota.messages, &quota.bytes, currency, account_type];
            execute(client, sql, values).await?
        }
        DirectoryChange::Inbox(inbox) => write_inbox(client, owner, revision, inbox).await?,
        DirectoryChange::Account(account) => write_account(client, owner, revision, account).await?,
        DirectoryChange::AccountPurged(id, at) => {
            let sql = "UPDATE accounts SET name = '', identifier_kind = NULL, identifier_value = NULL, welcome = NULL, \
                       chat = NULL, deleted_at = $3, revision = $4 WHERE portal_id = $1 AND id = $2";
            execute(client, sql, &[&owner.0, &id.0, at, &revision]).await?
        }
        DirectoryChange::Actor(actor) => write_actor(client, owner, revision, actor).await?,
        DirectoryChange::App(app) => {
            let sql = "INSERT INTO apps (id, portal_id, name, avatar, client_secret, developer_key, active, created_at, \
                       revision, old_secret, old_secret_until, old_key, old_key_until, user_id) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO UPDATE SET \
                       name = $3, avatar = $4, client_secret = $5, developer_key = $6, active = $7, revision = $9, \
                       old_secret = $10, old_secret_until = $11, old_key = $12, old_key_until = $13 \
                       WHERE apps.portal_id = $2";
            let secret = &session.seals.seal_secret(app.id, &app.client_secret)?;
            let key = &app.developer_key;
            let parts = |old: &'_ Option<Replaced>| old.clone().map(|old| (old.value, old.until)).unzip();
            let (old_secret, old_secret_until): (Option<String>, Option<Millis>) = parts(&app.old_secret);
            let old_secret = old_secret.map(|old| session.seals.seal_secret(app.id, &old)).transpose()?;
            let (old_key, old_key_until): (Option<String>, Option<Millis>) = parts(&app.old_key);
            let values: Values<'_> = &[
                &app.id.0,
                &owner.0,
                &app.name,
                &app.avatar,
                secret,
                key,
                &app.active,
                &app.created_at,
                &revision,
                &old_secret,
                &old_secret_until,
                &old_key,
                &old_key_until,
                &app.user_id,
            ];
            execute(client, sql, values).await?
        }
        DirectoryChange::Webhook(webhook) => webhooks::write(client, owner, revision, webhook).await?,
        DirectoryChange::Subscription(one) => {
            webhooks::write_subscription(client, owner, revision, one).await?
        }
        DirectoryChange::JournalSubscription(one) => {
            webhooks::write_journal(client, owner, revision, one).await?
        }
        DirectoryChange::Channel(channel) => channels::write(client, owner, revision, channel).await?,
        DirectoryChange::Login(login) => oauth::write_login(session, owner, revision, login).await?,
        DirectoryChange::Client(one) => oauth::write_client(client, owner, revision, one).await?,
        DirectoryChange::Grant(grant) => oauth::write_grant(client, owner, revision, grant).await?,
        DirectoryChange::Install(one) => oauth::write_install(client, owner, revision, one).await?,
        DirectoryChange::Tag(tag) => work::write_tag(client, owner, revision, tag).await?,
        DirectoryChange::View(view) => work::write_view(client, owner, revision, view).await?,
        DirectoryChange::StagingToken(token) => {
            channels::write_staging(client, owner, revision, token).await?
        }
        DirectoryChange::Token(token) => {
            let sql = "INSERT INTO tokens (hash, portal_id, app_id, label, scopes, created_at, expires_at, revoked_at, \
                       revision, grant_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                       ON CONFLICT (hash) DO UPDATE SET app_id = $3, label = $4, scopes = $5, expires_at = $7, \
                       revoked_at = $8, revision = $9, deleted_at = $11 \
                       WHERE tokens.portal_id = $2";
            let (hash, scopes) = (token.hash.0.as_slice(), token.scopes.join(" "));
            let (created, expires, revoked) = (&token.created_at, &token.expires_at, &token.revoked_at);
            let values: Values<'_> = &[
                &hash,
                &owner.0,
                &token.app_id.0,
                &token.label,
                &scopes,
                created,
                expires,
                revoked,
                &revision,
                &token.grant_id,
                &token.deleted_at,
            ];
            execute(client, sql, values).await?
        }
    };
    match (written, change) {
        (0, DirectoryChange::App(_)) => Err(conflict("this app belongs to another portal")),
        (0, DirectoryChange::Token(_)) => Err(conflict("this token belongs to another portal")),
        _ => Ok(()),
    }
}

async fn write_inbox(client: &ClientWrapper, owner: PortalId, revision: i64, inbox: &Inbox) -> Result<u64> {
    let kind: i64 = match inbox.kind {
        InboxKind::Inbox => 1,
        InboxKind::HelpDesk => 2,
    };
    let sql = "INSERT INTO inboxes (portal_id, id, name, kind, assign_on_reply, created_at, updated_at, archived_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (portal_id, id) DO UPDATE SET \
               name = $3, kind = $4, assign_on_reply = $5, created_at = $6, updated_at = $7, archived_at = $8, revision = $9";
    let (created, updated, archived) = (&inbox.created_at, &inbox.updated_at, &inbox.archived_at);
    let values: Values<'_> = &[
        &owner.0,
        &inbox.id.0,
        &inbox.name,
        &kind,
        &inbox.assign_on_reply,
        created,
        updated,
        archived,
        &revision,
    ];
    execute(client, sql, values).await
}

async fn write_account(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    account: &Account,
) -> Result<u64> {
    let adapter: i64 = match account.adapter {
        Adapter::Stored => 1,
        Adapter::None => 2,
    };
    let identifier = account.identifier.as_ref();
    let sql = "INSERT INTO accounts (portal_id, id, channel_id, inbox_id, name, active, authorized, identifier_kind, \
               identifier_value, adapter, welcome, created_at, archived_at, revision, chat) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
               ON CONFLICT (portal_id, id) DO UPDATE SET channel_id = $3, inbox_id = $4, name = $5, active = $6, \
               authorized = $7, identifier_kind = $8, identifier_value = $9, adapter = $10, welcome = $11, \
               created_at = $12, archived_at = $13, revision = $14, chat = $15";
    let (kind, value) = (identifier.map(|i| &i.kind), identifier.map(|i| &i.value));
    let values: Values<'_> = &[
        &owner.0,
        &account.id.0,
        &account.channel_id,
        &account.inbox_id.0,
        &account.name,
        &account.active,
        &account.authorized,
        &kind,
        &value,
        &adapter,
        &account.welcome,
        &account.created_at,
        &account.archived_at,
        &revision,
        &account.chat,
    ];
    execute(client, sql, values).await
}

async fn write_actor(client: &ClientWrapper, owner: PortalId, revision: i64, actor: &Actor) -> Result<u64> {
    let kind: i64 = match actor.kind {
        ActorKind::Agent => 1,
        ActorKind::Bot => 2,
        ActorKind::Llm => 3,
    };
    let sql = "INSERT INTO actors (portal_id, kind, id, name, email, avatar, active, created_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (portal_id, kind, id) DO UPDATE \
               SET name = $4, email = $5, avatar = $6, active = $7, created_at = $8, revision = $9";
    let values: Values<'_> = &[
        &owner.0,
        &kind,
        &actor.id,
        &actor.name,
        &actor.email,
        &actor.avatar,
        &actor.active,
        &actor.created_at,
        &revision,
    ];
    execute(client, sql, values).await
}
