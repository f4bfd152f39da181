//! From targets to the states their rules see: everything a batch needs is read and locked in a few statements.

use std::collections::{BTreeSet, HashMap};

use deadpool_postgres::ClientWrapper;
use futures_util::try_join;
use tokio_postgres::Row;

use super::failure::{Failure, Result};
use super::readers::{Values, rows};
use super::{messages, threads, visitors};
use crate::changes::BETWEEN;
use crate::messages::number;
use crate::threads::MOST_NAMELESS;
use crate::visitors::{email_key, identity_key, phone_key};
use crate::{
    AccountId, ConversationKey, Earlier, Identifier, MessageId, PortalId, State, Target, Thread, ThreadId,
    Ticket, TicketId, Visitor, VisitorId,
};

/// What was found for a batch. Changes that are applied put what they make here too, so that those behind them see it.
#[derive(Default)]
pub(super) struct Found {
    /// Locked until the batch is committed.
    pub threads: HashMap<ThreadId, Thread>,
    pub visitors: HashMap<VisitorId, Visitor>,
    pub by_email: HashMap<String, VisitorId>,
    pub by_phone: HashMap<String, VisitorId>,
    pub identities: HashMap<(AccountId, String, String), VisitorId>,
    pub thread_keys: HashMap<(AccountId, String), ThreadId>,
    pub earlier: HashMap<(AccountId, String), Earlier>,
    /// Keys of entries that are replied to.
    pub messages: HashMap<MessageId, i64>,
    /// The newest live thread of a visitor on an account.
    pub newest: HashMap<(VisitorId, AccountId), ThreadId>,
    /// The newest live one that no integration has named.
    pub nameless: HashMap<(VisitorId, AccountId), ThreadId>,
    pub tickets: HashMap<TicketId, Ticket>,
}

/// What the targets of a batch name.
#[derive(Default)]
pub(super) struct Named {
    threads: BTreeSet<i64>,
    visitors: BTreeSet<i64>,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
    identities: BTreeSet<(i64, String, String)>,
    thread_keys: BTreeSet<(i64, String)>,
    idempotency_keys: BTreeSet<(i64, String)>,
    messages: BTreeSet<MessageId>,
    tickets: BTreeSet<i64>,
    /// Who may be talking where.
    talking: Vec<ConversationKey>,
    conversations: bool,
    /// Whether the portal's counters are wanted from the start.
    pub portal: bool,
}

impl Named {
    pub(super) fn of<'a>(targets: impl Iterator<Item = &'a Target>, also: &BTreeSet<ThreadId>) -> Self {
        let mut named = Self::default();
        named.threads.extend(also.iter().map(|id| id.0));
        for target in targets {
            named.add(target);
        }
        named
    }

    fn add(&mut self, target: &Target) {
        match target {
            Target::Thread(id) | Target::Message(id, _) => drop(self.threads.insert(id.0)),
            Target::Threads(ids) => self.threads.extend(ids.iter().map(|id| id.0)),
            Target::Conversation(key) => self.conversation(key),
            Target::Visitor(id) | Target::Erasure(id) => {
                self.visitors.insert(id.0);
                self.portal = true;
            }
            Target::Contact { email, phone } => {
                self.emails.extend(email.as_deref().map(email_key));
                self.phones.extend(phone.clone());
                self.portal = true;
            }
            Target::Ticket { ticket, thread } => {
                self.tickets.extend(ticket.map(|id| id.0));
                self.threads.extend(thread.map(|id| id.0));
                self.portal = true;
            }
            Target::Desk(key) => drop(self.threads.insert(key.thread.0)),
            Target::Canned(_) | Target::File(_) | Target::Directory => self.portal = true,
        }
    }

    fn conversation(&mut self, key: &ConversationKey) {
        self.conversations = true;
        self.visitors.extend(key.visitor.map(|id| id.0));
        if let Some(Identifier { kind, value }) = &key.identifier {
            match kind.as_str() {
                "HS_EMAIL_ADDRESS" => drop(self.emails.insert(email_key(value))),
                "HS_PHONE_NUMBER" => drop(self.phones.insert(phone_key(value))),
                _ => {}
            }
        }
        let Some(account) = key.account_id else { return };
        if let Some(identifier) = &key.identifier {
            self.identities.insert((account.0, identifier.kind.clone(), identity_key(identifier)));
        }
        self.thread_keys
            .extend(key.thread_key.iter().chain(&key.parties).map(|name| (account.0, name.clone())));
        self.idempotency_keys.extend(key.idempotency_key.clone().map(|name| (account.0, name)));
        self.messages.extend(key.in_reply_to);
        self.threads.extend(key.thread.map(|id| id.0));
        self.talking.push(key.clone());
    }

    /// Whether there is anything to look up before threads can be locked.
    pub(super) fn looks_up(&self) -> bool {
        self.conversations || self.portal
    }
}

const THREAD_KEYS: &str = "SELECT account_id, key, thread_id FROM thread_keys WHERE portal_id = $1 AND \
                           (account_id, key) IN (SELECT * FROM unnest($2::bigint[], $3::text[]))";
const EARLIER: &str = "SELECT account_id, key, thread_id, message_id FROM idempotency_keys WHERE portal_id = $1 AND \
                       (account_id, key) IN (SELECT * FROM unnest($2::bigint[], $3::text[]))";
const ENTRIES: &str = "SELECT id, key FROM messages WHERE portal_id = $1 AND id = ANY($2)";
const NEWEST: &str = "SELECT who.visitor_id, who.account_id, t.id FROM unnest($2::bigint[], $3::bigint[]) AS who (visitor_id, account_id) \
                      CROSS JOIN LATERAL (SELECT id FROM threads WHERE portal_id = $1 AND visitor_id = who.visitor_id \
                      AND account_id = who.account_id AND archived_at IS NULL ORDER BY id DESC LIMIT 1) t";

const NAMELESS: &str = "SELECT who.visitor_id, who.account_id, t.id FROM unnest($2::bigint[], $3::bigint[]) AS who (visitor_id, account_id) \
                        CROSS JOIN LATERAL (SELECT n.id FROM (SELECT id FROM threads WHERE portal_id = $1 \
                        AND visitor_id = who.visitor_id AND account_id = who.account_id AND archived_at IS NULL \
                        ORDER BY id DESC LIMIT $4) n WHERE NOT EXISTS (SELECT 1 FROM thread_keys k \
                        WHERE k.portal_id = $1 AND k.thread_id = n.id AND substr(k.key, 1, 1) <> $5) \
                        ORDER BY n.id DESC LIMIT 1) t";

type Pairs = (Vec<i64>, Vec<String>);

fn pairs(of: &BTreeSet<(i64, String)>) -> Pairs {
    of.iter().cloned().unzip()
}

impl Found {
    /// Reads what leads to threads: keys, people, messages, tickets. Two round trips.
    pub(super) async fn look_up(
        &mut self,
        client: &ClientWrapper,
        portal: PortalId,
        named: &Named,
    ) -> Result<()> {
        let (owner, named_identities) = (portal.0, named.identities.iter().cloned());
        let (accounts, (kinds, values)): (Vec<i64>, (Vec<String>, Vec<String>)) =
            named_identities.map(|(account, kind, value)| (account, (kind, value))).unzip();
        let (key_accounts, keys) = pairs(&named.thread_keys);
        let (once_accounts, once) = pairs(&named.idempotency_keys);
        let ids: Vec<&[u8]> = named.messages.iter().map(|id| id.0.as_slice()).collect();
        let tickets: Vec<i64> = named.tickets.iter().copied().collect();
        let ticket_rows =
            format!("SELECT {} FROM tickets WHERE portal_id = $1 AND id = ANY($2)", visitors::TICKET_COLUMNS);
        let (identities, thread_keys, earlier, entries, tickets) = try_join!(
            async {
                asked(accounts.len(), client, visitors::IDENTITIES, &[&owner, &accounts, &kinds, &values])
                    .await
            },
            async { asked(keys.len(), client, THREAD_KEYS, &[&owner, &key_accounts, &keys]).await },
            async { asked(once.len(), client, EARLIER, &[&owner, &once_accounts, &once]).await },
            async { asked(ids.len(), client, ENTRIES, &[&owner, &ids]).await },
            async { asked(tickets.len(), client, &ticket_rows, &[&owner, &tickets]).await },
        )?;
        for row in &identities {
            let key = (AccountId(row.try_get(0)?), row.try_get(1)?, row.try_get(2)?);
            self.identities.insert(key, VisitorId(row.try_get(3)?));
        }
        for row in &thread_keys {
            self.thread_keys.insert((AccountId(row.try_get(0)?), row.try_get(1)?), ThreadId(row.try_get(2)?));
        }
        for row in &earlier {
            let message_id = messages::message_id(row.try_get(3)?)?;
            let earlier = Earlier { thread_id: ThreadId(row.try_get(2)?), message_id };
            self.earlier.insert((AccountId(row.try_get(0)?), row.try_get(1)?), earlier);
        }
        for row in &entries {
            self.messages.insert(messages::message_id(row.try_get(0)?)?, row.try_get(1)?);
        }
        for row in &tickets {
            let ticket = visitors::ticket(row)?;
            self.tickets.insert(ticket.id, ticket);
        }
        self.people(client, portal, named).await?;
        self.newest(client, portal, named).await
    }

    /// Visitors by number, and contacts by address.
    async fn people(&mut self, client: &ClientWrapper, portal: PortalId, named: &Named) -> Result<()> {
        let mut ids: BTreeSet<i64> = named.visitors.clone();
        ids.extend(self.identities.values().map(|id| id.0));
        let ids: Vec<i64> = ids.into_iter().collect();
        let emails: Vec<String> = named.emails.iter().cloned().collect();
        let phones: Vec<String> = named.phones.iter().cloned().collect();
        let sql =
            |by: &str| format!("SELECT {} FROM visitors WHERE portal_id = $1 AND {by}", visitors::COLUMNS);
        // That there is an address has to be said: from a list, the planner does not conclude it.
        let contact = |key: &str| sql(&format!("{key} = ANY($2) AND contact AND {key} IS NOT NULL"));
        let (by_id, by_email, by_phone) = (sql("id = ANY($2)"), contact("email_key"), contact("phone"));
        let (by_id, by_email, by_phone) = try_join!(
            async { asked(ids.len(), client, &by_id, &[&portal.0, &ids]).await },
            async { asked(emails.len(), client, &by_email, &[&portal.0, &emails]).await },
            async { asked(phones.len(), client, &by_phone, &[&portal.0, &phones]).await },
        )?;
        for row in by_id.iter().chain(&by_email).chain(&by_phone) {
            self.see(visitors::visitor(row)?);
        }
        Ok(())
    }

    /// The newest live threads of those who are talking. After [`Found::people`].
    async fn newest(&mut self, client: &ClientWrapper, portal: PortalId, named: &Named) -> Result<()> {
        let pairs = |who: BTreeSet<(VisitorId, AccountId)>| -> (Vec<i64>, Vec<i64>) {
            who.into_iter().map(|(visitor, account)| (visitor.0, account.0)).unzip()
        };
        let newest =
            named.talking.iter().filter(|key| goes_by_visitor(key)).filter_map(|key| self.whose(key));
        let (visitors, accounts) = pairs(newest.collect());
        for row in asked(visitors.len(), client, NEWEST, &[&portal.0, &visitors, &accounts]).await? {
            let whose = (VisitorId(row.try_get(0)?), AccountId(row.try_get(1)?));
            self.newest.insert(whose, ThreadId(row.try_get(2)?));
        }
        let unknown =
            named.talking.iter().filter(|key| goes_by_name(key) && self.at(key, &key.thread_key).is_none());
        let nameless = unknown
            .filter(|key| key.parties.is_some() && !key.new_thread)
            .filter_map(|key| self.nameless_of(key));
        let (visitors, accounts) = pairs(nameless.collect());
        let most = (MOST_NAMELESS, BETWEEN.to_string());
        let values: Values<'_> = &[&portal.0, &visitors, &accounts, &most.0, &most.1];
        for row in asked(visitors.len(), client, NAMELESS, values).await? {
            let whose = (VisitorId(row.try_get(0)?), AccountId(row.try_get(1)?));
            self.nameless.insert(whose, ThreadId(row.try_get(2)?));
        }
        Ok(())
    }

    /// Who is talking, and on which account, where there was something before.
    fn whose(&self, key: &ConversationKey) -> Option<(VisitorId, AccountId)> {
        let visitor = self.visitor(key).or_else(|| self.contact_at(key.identifier.as_ref()));
        Some((visitor?.id, key.account_id?))
    }

    /// The same by address alone, whoever else is named.
    fn nameless_of(&self, key: &ConversationKey) -> Option<(VisitorId, AccountId)> {
        Some((self.bound(key)?, key.account_id?))
    }

    /// To whom an address leads.
    fn bound(&self, key: &ConversationKey) -> Option<VisitorId> {
        let (account, identifier) = (key.account_id?, key.identifier.as_ref()?);
        self.identities.get(&(account, identifier.kind.clone(), identity_key(identifier))).copied()
    }

    /// The thread to which a name leads.
    fn at(&self, key: &ConversationKey, name: &Option<String>) -> Option<ThreadId> {
        self.thread_keys.get(&(key.account_id?, name.clone()?)).copied()
    }

    /// Whether a conversation has no thread yet that it could go on in.
    pub(super) fn lacks_a_thread(&self, named: &Named) -> bool {
        let goes_on = |key: &ConversationKey| {
            if key.thread.is_some() {
                // If it has gone to the trash meanwhile, that is found out once it is locked.
                true
            } else if goes_by_name(key) {
                self.at(key, &key.thread_key).is_some()
            } else if goes_by_visitor(key) {
                self.whose(key).is_some_and(|whose| self.newest.contains_key(&whose))
            } else {
                self.at(key, &key.parties).is_some()
            }
        };
        !named.talking.iter().all(goes_on)
    }

    /// Threads that were named, and those that were found.
    pub(super) fn to_lock(&self, named: &Named) -> Vec<i64> {
        let mut ids = named.threads.clone();
        let found = self.thread_keys.values().chain(self.newest.values()).chain(self.nameless.values());
        ids.extend(found.map(|id| id.0));
        ids.extend(self.earlier.values().map(|earlier| earlier.thread_id.0));
        ids.extend(self.messages.values().map(|key| number(*key)));
        ids.into_iter().collect()
    }

    /// Notes a visitor as it is now.
    pub(super) fn see(&mut self, visitor: Visitor) {
        // It may have had others.
        self.by_email.retain(|_, id| *id != visitor.id);
        self.by_phone.retain(|_, id| *id != visitor.id);
        if visitor.contact {
            self.by_email.extend(visitor.email.as_deref().map(|email| (email_key(email), visitor.id)));
            self.by_phone.extend(visitor.phone.clone().map(|phone| (phone, visitor.id)));
        }
        self.visitors.insert(visitor.id, visitor);
    }

    fn visitor(&self, key: &ConversationKey) -> Option<&Visitor> {
        if let Some(id) = key.visitor {
            return self.visitors.get(&id);
        }
        self.visitors.get(&self.bound(key)?)
    }

    fn contact(&self, email: Option<&str>, phone: Option<&str>) -> Option<&Visitor> {
        let by_email = email.and_then(|email| self.by_email.get(&email_key(email)));
        let found = by_email.or_else(|| self.by_phone.get(phone?))?;
        self.visitors.get(found)
    }

    fn contact_at(&self, identifier: Option<&Identifier>) -> Option<&Visitor> {
        let Identifier { kind, value } = identifier?;
        match kind.as_str() {
            "HS_EMAIL_ADDRESS" => self.contact(Some(value), None),
            "HS_PHONE_NUMBER" => self.contact(None, Some(&phone_key(value))),
            _ => None,
        }
    }

    /// Fills a state that has the portal's part already.
    ///
    /// # Errors
    /// [`Failure::Raced`] when what was found before the threads were locked holds no longer.
    pub(super) fn fill(&self, state: &mut State, target: &Target) -> Result<()> {
        let thread = |id: &ThreadId| self.threads.get(id).cloned();
        match target {
            Target::Thread(id) => state.thread = thread(id),
            Target::Threads(ids) => {
                let ids: BTreeSet<ThreadId> = ids.iter().copied().collect();
                state.threads = ids.iter().filter_map(thread).collect();
            }
            Target::Conversation(key) => self.conversation(state, key)?,
            // Whether it is being erased is looked up when it is its turn.
            Target::Visitor(id) | Target::Erasure(id) => state.visitor = self.visitors.get(id).cloned(),
            Target::Contact { email, phone } => {
                state.contact = self.contact(email.as_deref(), phone.as_deref()).cloned();
                state.visitor = state.contact.clone();
            }
            Target::Ticket { ticket, thread: id } => {
                state.ticket = ticket.and_then(|id| self.tickets.get(&id).cloned());
                state.thread = id.as_ref().and_then(thread);
            }
            // Files, desks and entries are looked up when it is their turn: changes before them in the batch have written theirs by
            // then, and nobody else writes, since the thread is locked.
            Target::Message(id, _) => state.thread = thread(id),
            Target::Desk(key) => state.thread = thread(&key.thread),
            Target::Canned(_) | Target::File(_) | Target::Directory => {}
        }
        Ok(())
    }

    fn conversation(&self, state: &mut State, key: &ConversationKey) -> Result<()> {
        state.visitor = self.visitor(key).cloned();
        state.contact = self.contact_at(key.identifier.as_ref()).cloned();
        let live = |id: ThreadId| self.threads.get(&id).filter(|thread| !thread.is_archived());
        let Some(account) = key.account_id else { return Ok(()) };
        state.earlier = key
            .idempotency_key
            .as_ref()
            .and_then(|name| self.earlier.get(&(account, name.clone())))
            .filter(|earlier| self.threads.contains_key(&earlier.thread_id))
            .cloned();
        state.replied = key
            .in_reply_to
            .and_then(|id| self.messages.get(&id))
            .and_then(|key| self.threads.get(&ThreadId(number(*key))))
            .filter(|thread| thread.account_id == account)
            .map(|thread| thread.id);
        state.bound = self.bound(key);
        state.named = self.at(key, &key.thread_key).filter(|id| live(*id).is_some());
        // They were live when they were found. If they are not any more, older ones may be the newest now.
        let gone = || Failure::Raced("the newest thread was archived meanwhile".into());
        let first = state.earlier.as_ref().and_then(|earlier| live(earlier.thread_id));
        let first = first.or_else(|| live(key.thread?).filter(|thread| thread.account_id == account));
        if let Some(thread) = first.or_else(|| live(state.replied?)) {
            state.thread = Some(thread.clone());
        } else if let Some(named) = state.named.filter(|_| goes_by_name(key)) {
            state.thread = live(named).cloned();
        } else if goes_by_name(key) {
            if key.parties.is_some()
                && !key.new_thread
                && let Some(id) = self.nameless_of(key).and_then(|whose| self.nameless.get(&whose))
            {
                state.thread = Some(live(*id).ok_or_else(gone)?.clone());
            }
        } else if key.new_thread {
        } else if key.parties.is_some() {
            state.thread = self.at(key, &key.parties).and_then(live).cloned();
        } else if let Some(visitor) = state.visitor.as_ref().or(state.contact.as_ref())
            && let Some(id) = self.newest.get(&(visitor.id, account))
        {
            state.thread = Some(live(*id).ok_or_else(gone)?.clone());
        }
        Ok(())
    }

    /// Locks threads in the order of their ids, and reads them.
    pub(super) async fn lock(&mut self, client: &ClientWrapper, portal: PortalId, ids: &[i64]) -> Result<()> {
        let sql = format!(
            "SELECT {} FROM threads WHERE portal_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
            threads::COLUMNS
        );
        for row in &asked(ids.len(), client, &sql, &[&portal.0, &ids]).await? {
            let thread = threads::thread(row)?;
            self.threads.insert(thread.id, thread);
        }
        Ok(())
    }
}

/// Whether the integration's name for a conversation says where it goes on.
fn goes_by_name(key: &ConversationKey) -> bool {
    key.thread_key.is_some() && !key.parties_first
}

/// Whether it goes on wherever the visitor spoke last.
fn goes_by_visitor(key: &ConversationKey) -> bool {
    !goes_by_name(key) && !key.new_thread && key.parties.is_none()
}

/// Asks unless there is nothing to ask for.
async fn asked(count: usize, client: &ClientWrapper, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
    if count == 0 { Ok(Vec::new()) } else { rows(client, sql, values).await }
}
