//! A home with something in it, made by the rules but without a server: what programs under test start from.

use antiphon::app::App;
use antiphon::messages::bodies::{Bodies, Cut};
use antiphon::messages::receive::{Incoming, Party, take};
use antiphon::middleware::token::hash;
use antiphon_store as store;
use store::{Changes, DirectoryChange, Identifier, PortalId, Quota, Settings, State, Store, Target};

use crate::{EVERY_SCOPE, Home};

/// The token of a seeded portal. It has every scope.
pub const SEED_TOKEN: &str = "token-of-the-seed";

/// What a seeded portal holds.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The chat account on which everything happens.
    pub account: String,
    /// Actor id of the only agent.
    pub agent: String,
    /// Open chats with one message each, oldest first.
    pub threads: Vec<String>,
}

/// Fills an empty home with one portal and this many chats.
pub async fn seed(home: &Home, chats: usize) -> anyhow::Result<Seed> {
    let settings = home.settings();
    // Nobody is promised anything yet, but what a database has not synced by then is not synced by closing.
    let durable = settings.postgres.is_some();
    let store = Store::open(Settings { durable, ..settings })?;
    let app = App::new(store.clone(), home.config(), String::new())?;
    let portal = store.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await?;
    let portal = portal.ok_or_else(|| anyhow::anyhow!("the portal's id is taken"))?.id;
    let (account, agent) = directory(&store, portal).await?;
    let mut threads = Vec::new();
    for number in 0..chats {
        let value = format!("visitor-{number}");
        let identifier = Identifier { kind: "CHANNEL_SPECIFIC_OPAQUE_ID".into(), value };
        let said = Bodies::complete(Some("Hello, is anybody there?".into()), None);
        let sender = Party { identifier, name: Some(format!("Visitor {number}")) };
        let links = antiphon::files::links::Links::new(&app, &app.public_url);
        let taken = take(&app, portal, Incoming::new(account, sender, Cut::whole(said)), &links).await;
        let taken = taken.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        threads.push(taken.thread_id.to_string());
    }
    store.close().await;
    Ok(Seed { account: account.to_string(), agent: format!("A-{agent}"), threads })
}

async fn directory(store: &Store, portal: PortalId) -> anyhow::Result<(store::AccountId, i64)> {
    let applied = store.change(portal, Target::Directory, move |_: &State, moment| {
        let now = moment.now;
        let app = store::App {
            id: moment.app_id(),
            name: "Bridge".into(),
            avatar: None,
            client_secret: "secret".into(),
            developer_key: "key".into(),
            user_id: None,
            old_secret: None,
            old_key: None,
            active: true,
            created_at: now,
        };
        let token = store::Token {
            hash: hash(SEED_TOKEN),
            portal_id: portal,
            app_id: app.id,
            label: "seed".into(),
            scopes: EVERY_SCOPE.iter().map(|&scope| scope.into()).collect(),
            created_at: now,
            expires_at: None,
            revoked_at: None,
            grant_id: None,
            deleted_at: None,
        };
        let inbox = store::Inbox {
            id: moment.inbox_id(),
            name: "Support".into(),
            kind: store::InboxKind::Inbox,
            assign_on_reply: true,
            created_at: now,
            updated_at: now,
            archived_at: None,
        };
        let account = store::Account {
            id: moment.account_id(),
            channel_id: 1000,
            inbox_id: inbox.id,
            name: "Website".into(),
            active: true,
            authorized: true,
            identifier: None,
            adapter: store::Adapter::Stored,
            welcome: None,
            chat: None,
            created_at: now,
            archived_at: None,
        };
        let agent = store::Actor {
            kind: store::ActorKind::Agent,
            id: moment.actor_id(),
            name: Some("Mia Chen".into()),
            email: Some("mia@acme.example".into()),
            avatar: None,
            active: true,
            created_at: now,
        };
        let directory = vec![
            DirectoryChange::App(app),
            DirectoryChange::Token(token),
            DirectoryChange::Inbox(inbox),
            DirectoryChange::Account(account),
            DirectoryChange::Actor(agent),
        ];
        Ok::<_, std::convert::Infallible>(Changes { directory, ..Changes::default() })
    });
    let Ok(applied) = applied.await?;
    let (mut account, mut agent) = (None, None);
    for change in &applied.changes.directory {
        match change {
            DirectoryChange::Account(made) => account = Some(made.id),
            DirectoryChange::Actor(made) => agent = Some(made.id),
            _ => {}
        }
    }
    account.zip(agent).ok_or_else(|| anyhow::anyhow!("the directory is incomplete"))
}
