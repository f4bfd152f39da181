//! A portal's directory at one revision.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use super::{
    Account, Actor, ActorKind, App, Channel, Client, Grant, Identifier, Inbox, Install, JournalSubscription,
    Login, Objects, Portal, StagingToken, Subscription, Tag, Token, TokenHash, View, Webhook,
};
use crate::{AccountId, AppId, InboxId, Millis, PortalId, Reader, SubscriptionId, TagId, ViewId};

/// A portal's directory at one revision. Copies share what they have in common: a change costs the same however much the
/// portal has, and whoever reads keeps the revision it began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    pub portal: Portal,
    /// Raised by every change of the directory.
    pub revision: i64,
    /// The living and the archived.
    inboxes: [Objects<InboxId, Inbox>; 2],
    accounts: [Objects<AccountId, Account>; 2],
    actors: Objects<(ActorKind, i64), Actor>,
    pub(super) apps: Objects<AppId, App>,
    tokens: Objects<TokenHash, Token>,
    webhooks: Objects<AppId, Webhook>,
    subscriptions: Objects<(AppId, SubscriptionId), Subscription>,
    journal_subscriptions: Objects<(AppId, SubscriptionId), JournalSubscription>,
    pub(super) channels: [Objects<i64, Channel>; 2],
    staging_tokens: Objects<TokenHash, StagingToken>,
    logins: Objects<i64, Login>,
    clients: Objects<AppId, Client>,
    grants: Objects<i64, Grant>,
    pub(super) installs: Objects<AppId, Install>,
    tags: Objects<TagId, Tag>,
    views: Objects<ViewId, View>,
    /// The portals of apps from elsewhere; and their directories, as far as those are known.
    pub(super) guests_homes: OrdSet<PortalId>,
    pub(super) homes: OrdMap<PortalId, Arc<Self>>,
    /// Grants by app and user.
    grants_by_app: OrdSet<(AppId, Option<i64>, i64)>,
    /// Grants by their codes and refresh tokens.
    grants_by_secret: OrdMap<TokenHash, i64>,
    /// The keys of channels that are closing, see [`Webhook::closing_at`].
    closing: OrdSet<AppId>,
    /// Living channels by their app.
    channels_by_app: OrdSet<(AppId, i64)>,
    /// Living accounts by channel and address.
    accounts_by_address: OrdSet<(i64, Arc<str>, AccountId)>,
    accounts_by_inbox: OrdSet<(InboxId, AccountId)>,
    /// Living accounts whose live chat appears on web pages.
    accounts_with_chat: OrdSet<AccountId>,
    /// Actors by address in lower case, the active ones first.
    actors_by_email: OrdSet<(ActorKind, Arc<str>, bool, i64)>,
}

/// One change of a portal's directory. Each creates the object or replaces it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryChange {
    Portal(Portal),
    Inbox(Inbox),
    Account(Account),
    /// An account is removed for good.
    AccountPurged(AccountId, Millis),
    Actor(Actor),
    App(App),
    Token(Token),
    Webhook(Webhook),
    Subscription(Subscription),
    JournalSubscription(JournalSubscription),
    Channel(Channel),
    StagingToken(StagingToken),
    Login(Login),
    Client(Client),
    Grant(Grant),
    Install(Install),
    Tag(Tag),
    View(View),
}

impl DirectoryChange {
    /// The app that may be read for, or no more, by this change.
    pub(crate) fn reader_of(&self) -> Option<AppId> {
        match self {
            Self::App(app) => Some(app.id),
            Self::Webhook(webhook) => Some(webhook.app_id),
            Self::Subscription(one) => Some(one.app_id),
            Self::JournalSubscription(one) => Some(one.app_id),
            Self::Channel(channel) => Some(channel.app_id),
            Self::Client(client) => Some(client.app_id),
            Self::Install(one) => Some(one.app_id),
            Self::Portal(_)
            | Self::Inbox(_)
            | Self::Account(_)
            | Self::AccountPurged(..)
            | Self::Actor(_)
            | Self::Token(_)
            | Self::StagingToken(_)
            | Self::Login(_)
            | Self::Grant(_)
            | Self::Tag(_)
            | Self::View(_) => None,
        }
    }
}

impl Directory {
    /// The directory of a portal that has nothing yet.
    pub fn new(portal: Portal, revision: i64) -> Self {
        Self {
            portal,
            revision,
            inboxes: Default::default(),
            accounts: Default::default(),
            actors: Default::default(),
            apps: Default::default(),
            tokens: Default::default(),
            webhooks: Default::default(),
            subscriptions: Default::default(),
            journal_subscriptions: Default::default(),
            channels: Default::default(),
            staging_tokens: Default::default(),
            logins: Default::default(),
            clients: Default::default(),
            grants: Default::default(),
            installs: Default::default(),
            tags: Default::default(),
            views: Default::default(),
            guests_homes: OrdSet::new(),
            homes: OrdMap::new(),
            grants_by_app: OrdSet::new(),
            grants_by_secret: OrdMap::new(),
            closing: OrdSet::new(),
            channels_by_app: OrdSet::new(),
            accounts_by_address: OrdSet::new(),
            accounts_by_inbox: OrdSet::new(),
            accounts_with_chat: OrdSet::new(),
            actors_by_email: OrdSet::new(),
        }
    }

    /// An inbox, living or archived.
    pub fn inbox(&self, id: InboxId) -> Option<&Inbox> {
        self.inboxes.iter().find_map(|some| some.get(&id)).map(Arc::as_ref)
    }

    /// The living inboxes, or the archived ones.
    pub fn inboxes(&self, archived: bool) -> &Objects<InboxId, Inbox> {
        &self.inboxes[usize::from(archived)]
    }

    /// An account, living or archived.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find_map(|some| some.get(&id)).map(Arc::as_ref)
    }

    /// The living accounts, or the archived ones.
    pub fn accounts(&self, archived: bool) -> &Objects<AccountId, Account> {
        &self.accounts[usize::from(archived)]
    }

    /// The living accounts of a channel that have this address, however it is written.
    pub fn accounts_at(&self, channel_id: i64, address: &Identifier) -> impl Iterator<Item = AccountId> {
        let address: Arc<str> = address.key().into();
        let from = (channel_id, address.clone(), AccountId(i64::MIN));
        let to = (channel_id, address, AccountId(i64::MAX));
        self.accounts_by_address.range(from..=to).map(|(_, _, id)| *id)
    }

    /// The living accounts that feed an inbox.
    pub fn accounts_of(&self, inbox: InboxId) -> impl Iterator<Item = AccountId> {
        let all = (inbox, AccountId(i64::MIN))..=(inbox, AccountId(i64::MAX));
        self.accounts_by_inbox.range(all).map(|(_, id)| *id)
    }

    /// The living accounts whose live chat appears on web pages.
    pub fn accounts_with_chat(&self) -> impl Iterator<Item = &Account> {
        self.accounts_with_chat.iter().filter_map(|id| self.account(*id))
    }

    /// An agent, a bot or an AI agent.
    pub fn actor(&self, kind: ActorKind, id: i64) -> Option<&Actor> {
        self.actors.get(&(kind, id)).map(Arc::as_ref)
    }

    /// Actors of one kind behind a number.
    pub fn actors(&self, kind: ActorKind, after: Option<i64>) -> impl Iterator<Item = &Actor> {
        let behind = self.actors.after(Some((kind, after.unwrap_or(i64::MIN))));
        behind.map(Arc::as_ref).take_while(move |actor| actor.kind == kind)
    }

    /// Actors of one kind with this address, compared without regard to case; the active ones first.
    pub fn actors_at(&self, kind: ActorKind, email: &str) -> impl Iterator<Item = &Actor> {
        let email: Arc<str> = email.to_lowercase().into();
        let all = (kind, email.clone(), false, i64::MIN)..=(kind, email, true, i64::MAX);
        self.actors_by_email.range(all).filter_map(|(kind, _, _, id)| self.actor(*kind, *id))
    }

    /// An app, whether it is suspended or not: one of the portal's own, or one from elsewhere that was ever let in.
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.home(id).own_app(id)
    }

    /// One of the portal's own apps.
    pub fn own_app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id).map(Arc::as_ref)
    }

    /// The portal's own apps.
    pub fn apps(&self) -> &Objects<AppId, App> {
        &self.apps
    }

    /// The tokens, expired and revoked ones included.
    pub fn tokens(&self) -> &Objects<TokenHash, Token> {
        &self.tokens
    }

    /// Where an app is told of events.
    pub fn webhook(&self, app: AppId) -> Option<&Webhook> {
        // What stands for a channel is closed where it is told.
        let here = self.webhooks.get(&app);
        here.or_else(|| self.home(app).webhooks.get(&app)).map(Arc::as_ref)
    }

    /// Where the portal's own apps are told of events.
    pub fn webhooks(&self) -> &Objects<AppId, Webhook> {
        &self.webhooks
    }

    /// One of an app's subscriptions.
    pub fn subscription(&self, app: AppId, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&(app, id)).map(Arc::as_ref)
    }

    /// An app's subscriptions by id, the switched-off ones included.
    pub fn subscriptions(&self, app: AppId) -> impl Iterator<Item = &Arc<Subscription>> {
        let all = self.home(app).subscriptions.after(Some((app, SubscriptionId(i64::MIN))));
        all.take_while(move |one| one.app_id == app)
    }

    /// What goes into an app's journal, by id.
    pub fn journal_subscriptions(&self, app: AppId) -> impl Iterator<Item = &Arc<JournalSubscription>> {
        let all = self.journal_subscriptions.after(Some((app, SubscriptionId(i64::MIN))));
        all.take_while(move |one| one.app_id == app)
    }

    /// A channel that an app brought, living or archived; of one from elsewhere if the app was ever let in.
    pub fn channel(&self, id: i64) -> Option<&Channel> {
        self.home_of_channel(id).own_channel(id)
    }

    pub(super) fn own_channel(&self, id: i64) -> Option<&Channel> {
        self.channels.iter().find_map(|some| some.get(&id)).map(Arc::as_ref)
    }

    /// The living channels that the portal's own apps brought, or the archived ones.
    pub fn channels(&self, archived: bool) -> &Objects<i64, Channel> {
        &self.channels[usize::from(archived)]
    }

    /// The living channels of an app, by id.
    pub fn channels_of(&self, app: AppId) -> impl Iterator<Item = &Channel> {
        let home = self.home(app);
        let all = home.channels_by_app.range((app, i64::MIN)..=(app, i64::MAX));
        all.filter_map(|(_, id)| home.channels[0].get(id)).map(Arc::as_ref)
    }

    /// The tokens with which accounts are being connected, by their hashes.
    pub fn staging_tokens(&self) -> &Objects<TokenHash, StagingToken> {
        &self.staging_tokens
    }

    /// How an agent signs in.
    pub fn login(&self, agent: i64) -> Option<&Login> {
        self.logins.get(&agent).map(Arc::as_ref)
    }

    /// The agents who can sign in.
    pub fn logins(&self) -> &Objects<i64, Login> {
        &self.logins
    }

    /// What threads can be marked with, archived tags included.
    pub fn tags(&self) -> &Objects<TagId, Tag> {
        &self.tags
    }

    /// The views that somebody saved.
    pub fn views(&self) -> &Objects<ViewId, View> {
        &self.views
    }

    /// How an app may be installed.
    pub fn client(&self, app: AppId) -> Option<&Client> {
        self.home(app).clients.get(&app).map(Arc::as_ref)
    }

    /// What was granted, ended grants included.
    pub fn grants(&self) -> &Objects<i64, Grant> {
        &self.grants
    }

    /// What was granted to an app, by a user or, without one, to the app itself; ended grants included.
    pub fn grants_by(&self, app: AppId, user: Option<i64>) -> impl Iterator<Item = &Arc<Grant>> {
        let all = self.grants_by_app.range((app, user, i64::MIN)..=(app, user, i64::MAX));
        all.filter_map(|(_, _, id)| self.grants.get(id))
    }

    /// What users granted to an app, ended grants included.
    pub fn users_grants(&self, app: AppId) -> impl Iterator<Item = &Arc<Grant>> {
        let all = self.grants_by_app.range((app, Some(i64::MIN), i64::MIN)..=(app, Some(i64::MAX), i64::MAX));
        all.filter_map(|(_, _, id)| self.grants.get(id))
    }

    /// The grant that this code or refresh token belongs to.
    pub fn grant_of(&self, secret: &TokenHash) -> Option<&Grant> {
        self.grants.get(self.grants_by_secret.get(secret)?).map(Arc::as_ref)
    }

    /// Those of an app's channels for which the spine is read, each under its own number.
    pub fn told_channels(&self, app: AppId) -> impl Iterator<Item = AppId> {
        let all = self.channels_of(app).filter(|one| self.tells(one.id)).map(|one| AppId::of_channel(one.id));
        let of_app = move |key: &AppId| self.channel_of(*key).is_some_and(|one| one.app_id == app);
        let at_home = self.home(app).closing.iter().filter(|key| !self.closing.contains(*key));
        let closing = self.closing.iter().chain(at_home).copied().filter(of_app);
        closing.chain(all.filter(|key| !self.is_closing(*key)))
    }

    /// Whether what waits of a channel is being given up, see [`Webhook::closing_at`].
    pub fn is_closing(&self, key: AppId) -> bool {
        self.is_closing_here(key) || self.home(key).is_closing_here(key)
    }

    /// Whether it is so because of what happened in this portal, and not where the channel is at home.
    pub fn is_closing_here(&self, key: AppId) -> bool {
        self.closing.contains(&key)
    }

    /// The channel that something is kept under.
    pub(crate) fn channel_of(&self, key: AppId) -> Option<&Channel> {
        self.channel(key.channel()?)
    }

    /// Whether the app that brought a channel is told of it: it says where, acts, and is installed.
    pub fn tells(&self, channel: i64) -> bool {
        self.would_tell(channel) && self.channel(channel).is_some_and(|one| self.is_installed(one.app_id))
    }

    fn would_tell(&self, channel: i64) -> bool {
        let living =
            self.channel(channel).filter(|one| one.archived_at.is_none() && one.webhook_url.is_some());
        living.and_then(|one| self.app(one.app_id)).is_some_and(|app| app.active)
    }

    /// Whether the spine is read on behalf of an app: it has subscribed to something, acts, and is installed. For a channel: its
    /// app is told of it, or what waited for that is not given up yet. A journal also says that it no longer does.
    pub fn reads(&self, reader: Reader, app: AppId) -> bool {
        match reader {
            Reader::Webhooks if let Some(channel) = app.channel() => {
                self.tells(channel) || self.is_closing(app)
            }
            Reader::Webhooks => self.wants(app) && self.is_installed(app),
            Reader::Journal => self.journal_subscriptions(app).next().is_some(),
        }
    }

    /// Whether an app, or what stands for a channel, is to be told wherever the app is installed.
    pub(crate) fn wants(&self, app: AppId) -> bool {
        if let Some(channel) = app.channel() {
            return self.would_tell(channel) || self.is_closing(app);
        }
        self.app(app).is_some_and(|app| app.active)
            && self.webhook(app).is_some()
            && self.subscriptions(app).any(|one| one.active)
    }

    /// The apps that have a journal.
    pub fn journals(&self) -> impl Iterator<Item = AppId> {
        let mut last = None;
        self.journal_subscriptions
            .iter()
            .map(|one| one.app_id)
            .filter(move |app| last.replace(*app) != Some(*app))
    }

    /// Puts what a change makes into its place. Raising the revision is left to whoever stores it.
    pub fn put(&mut self, change: DirectoryChange) {
        match change {
            DirectoryChange::Portal(portal) => self.portal = portal,
            DirectoryChange::Inbox(inbox) => {
                let archived = usize::from(inbox.archived_at.is_some());
                self.inboxes[1 - archived].remove(&inbox.id);
                self.inboxes[archived].put(inbox.id, Arc::new(inbox));
            }
            DirectoryChange::Account(account) => self.put_account(account),
            DirectoryChange::AccountPurged(id, _) => self.take_account(id),
            DirectoryChange::Actor(actor) => {
                let place = |actor: &Actor| {
                    let email = actor.email.as_ref()?.to_lowercase();
                    Some((actor.kind, email.into(), !actor.active, actor.id))
                };
                if let Some(old) = self.actor(actor.kind, actor.id).and_then(place) {
                    self.actors_by_email.remove(&old);
                }
                self.actors_by_email.extend(place(&actor));
                self.actors.put((actor.kind, actor.id), Arc::new(actor));
            }
            DirectoryChange::App(app) => self.apps.put(app.id, Arc::new(app)),
            DirectoryChange::Token(token) => match token.deleted_at {
                Some(_) => self.tokens.remove(&token.hash),
                None => self.tokens.put(token.hash, Arc::new(token)),
            },
            DirectoryChange::Webhook(webhook) => {
                match webhook.closing_at {
                    Some(_) => drop(self.closing.insert(webhook.app_id)),
                    None => drop(self.closing.remove(&webhook.app_id)),
                }
                match webhook.deleted_at {
                    Some(_) => self.webhooks.remove(&webhook.app_id),
                    None => self.webhooks.put(webhook.app_id, Arc::new(webhook)),
                }
            }
            DirectoryChange::Subscription(one) => match (one.app_id, one.id, one.deleted_at) {
                (app, id, Some(_)) => self.subscriptions.remove(&(app, id)),
                (app, id, None) => self.subscriptions.put((app, id), Arc::new(one)),
            },
            DirectoryChange::JournalSubscription(one) => match (one.app_id, one.id, one.deleted_at) {
                (app, id, Some(_)) => self.journal_subscriptions.remove(&(app, id)),
                (app, id, None) => self.journal_subscriptions.put((app, id), Arc::new(one)),
            },
            DirectoryChange::Channel(channel) => {
                let archived = usize::from(channel.archived_at.is_some());
                match archived {
                    0 => drop(self.channels_by_app.insert((channel.app_id, channel.id))),
                    _ => drop(self.channels_by_app.remove(&(channel.app_id, channel.id))),
                }
                self.channels[1 - archived].remove(&channel.id);
                self.channels[archived].put(channel.id, Arc::new(channel));
            }
            DirectoryChange::Login(login) => self.logins.put(login.agent_id, Arc::new(login)),
            DirectoryChange::Client(client) => self.clients.put(client.app_id, Arc::new(client)),
            DirectoryChange::Grant(grant) => {
                let secrets = grant.code.iter().map(|code| code.hash).chain(grant.refresh);
                match grant.deleted_at {
                    Some(_) => {
                        for secret in secrets {
                            self.grants_by_secret.remove(&secret);
                        }
                        self.grants_by_app.remove(&(grant.app_id, grant.user_id, grant.id));
                        self.grants.remove(&grant.id);
                    }
                    None => {
                        self.grants_by_secret.extend(secrets.map(|secret| (secret, grant.id)));
                        self.grants_by_app.insert((grant.app_id, grant.user_id, grant.id));
                        self.grants.put(grant.id, Arc::new(grant));
                    }
                }
            }
            DirectoryChange::Install(one) => {
                if one.home != self.portal.id {
                    self.guests_homes.insert(one.home);
                }
                self.installs.put(one.app_id, Arc::new(one));
            }
            DirectoryChange::Tag(tag) => self.tags.put(tag.id, Arc::new(tag)),
            DirectoryChange::View(view) => match view.deleted_at {
                Some(_) => self.views.remove(&view.id),
                None => self.views.put(view.id, Arc::new(view)),
            },
            DirectoryChange::StagingToken(token) => match token.deleted_at {
                Some(_) => self.staging_tokens.remove(&token.hash),
                None => self.staging_tokens.put(token.hash, Arc::new(token)),
            },
        }
    }

    fn put_account(&mut self, account: Account) {
        self.take_account(account.id);
        let archived = usize::from(account.archived_at.is_some());
        if archived == 0 {
            self.accounts_by_inbox.insert((account.inbox_id, account.id));
            self.accounts_by_address.extend(address_of(&account));
            self.accounts_with_chat.extend(account.chat.is_some().then_some(account.id));
        }
        self.accounts[archived].put(account.id, Arc::new(account));
    }

    fn take_account(&mut self, id: AccountId) {
        if let Some(old) = self.accounts[0].get(&id).cloned() {
            self.accounts_by_inbox.remove(&(old.inbox_id, id));
            self.accounts_with_chat.remove(&id);
            address_of(&old).map(|place| self.accounts_by_address.remove(&place));
        }
        self.accounts.iter_mut().for_each(|some| some.remove(&id));
    }
}

/// Where a living account is found by its address.
fn address_of(account: &Account) -> Option<(i64, Arc<str>, AccountId)> {
    let address = account.identifier.as_ref()?.key();
    Some((account.channel_id, Arc::from(address), account.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Adapter, PortalId, Quota};

    fn directory() -> Directory {
        let (name, profile, quota) = ("Acme".into(), "UTC".into(), Quota::default());
        Directory::new(Portal { id: PortalId(1), name, profile, quota, created_at: 1 }, 1)
    }

    fn mail(address: &str) -> Identifier {
        Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: address.into() }
    }

    fn account(id: i64, inbox: i64, address: &str) -> Account {
        Account {
            id: AccountId(id),
            channel_id: 1002,
            inbox_id: InboxId(inbox),
            name: "Desk".into(),
            active: true,
            authorized: true,
            identifier: Some(mail(address)),
            adapter: Adapter::Stored,
            welcome: None,
            chat: None,
            created_at: 1,
            archived_at: None,
        }
    }

    #[test]
    fn accounts_are_found_where_they_are_now() {
        let mut directory = directory();
        let ids = |all: &mut dyn Iterator<Item = AccountId>| all.map(|id| id.0).collect::<Vec<_>>();
        for account in [account(1, 7, "Help@acme.example"), account(2, 7, "b@acme.example")] {
            directory.put(DirectoryChange::Account(account));
        }
        assert_eq!(ids(&mut directory.accounts_at(1002, &mail("help@ACME.example"))), [1]);
        assert_eq!(ids(&mut directory.accounts_of(InboxId(7))), [1, 2]);

        let before = directory.clone();
        directory.put(DirectoryChange::Account(account(1, 8, "new@acme.example")));
        assert_eq!(ids(&mut directory.accounts_of(InboxId(7))), [2]);
        assert_eq!(ids(&mut directory.accounts_of(InboxId(8))), [1]);
        assert_eq!(ids(&mut directory.accounts_at(1002, &mail("help@acme.example"))), [0_i64; 0]);
        assert_eq!(ids(&mut directory.accounts_at(1002, &mail("new@acme.example"))), [1]);
        assert_eq!(ids(&mut before.accounts_of(InboxId(7))), [1, 2], "a copy keeps its revision");

        let gone = Account { archived_at: Some(2), ..account(1, 8, "new@acme.example") };
        directory.put(DirectoryChange::Account(gone));
        assert_eq!(ids(&mut directory.accounts_of(InboxId(8))), [0_i64; 0]);
        assert_eq!(ids(&mut directory.accounts_at(1002, &mail("new@acme.example"))), [0_i64; 0]);
        assert_eq!((directory.accounts(false).len(), directory.accounts(true).len()), (1, 1));
        assert!(directory.account(AccountId(1)).is_some());
        directory.put(DirectoryChange::Account(account(1, 7, "help@acme.example")));
        assert_eq!(ids(&mut directory.accounts_of(InboxId(7))), [1, 2]);
        assert!(directory.accounts(true).is_empty());
        for left in [1, 0] {
            directory.put(DirectoryChange::AccountPurged(AccountId(2 - left), 3));
            assert_eq!(directory.accounts(false).len(), usize::try_from(left).unwrap());
            assert_eq!(directory.accounts_of(InboxId(7)).count(), usize::try_from(left).unwrap());
        }
    }

    #[test]
    fn an_address_leads_to_the_active_agent_first() {
        let mut directory = directory();
        let agent = |id, email: &str, active| Actor {
            kind: ActorKind::Agent,
            id,
            name: None,
            email: Some(email.into()),
            avatar: None,
            active,
            created_at: 1,
        };
        for actor in [agent(3, "mia@acme.example", false), agent(9, "Mia@acme.example", true)] {
            directory.put(DirectoryChange::Actor(actor));
        }
        let at = |directory: &Directory, email| -> Vec<i64> {
            directory.actors_at(ActorKind::Agent, email).map(|actor| actor.id).collect()
        };
        assert_eq!(at(&directory, "MIA@acme.example"), [9, 3]);
        assert_eq!(directory.actors_at(ActorKind::Bot, "mia@acme.example").count(), 0);
        directory.put(DirectoryChange::Actor(agent(9, "mia@acme.example", false)));
        assert_eq!(at(&directory, "mia@acme.example"), [3, 9]);
        directory.put(DirectoryChange::Actor(agent(3, "other@acme.example", true)));
        assert_eq!(at(&directory, "mia@acme.example"), [9]);
        assert_eq!(
            directory.actors(ActorKind::Agent, Some(3)).map(|actor| actor.id).collect::<Vec<_>>(),
            [9]
        );
        assert_eq!(directory.actors(ActorKind::Bot, None).count(), 0);
    }
}
