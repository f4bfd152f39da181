//! One transaction: the changes of one portal that go together. It locks what they name, runs their rules, writes what
//! these want with one statement a table, and commits. A batch that only names threads takes two round trips.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::try_join;
use tokio::time::timeout;

use super::apply::Writes;
use super::commit::{self, Broken};
use super::connect::{Session, answered};
use super::failure::{Failure, Result};
use super::lanes::Waiting;
use super::readers::{execute, row};
use super::resolve::{Found, Named};
use super::{ANSWER, Shared, canned, desk, directory, erasures, files};
use crate::changes::MessageIds;
use crate::{
    AccountId, Applied, Changes, DeskChange, Directory, DirectoryChange, Millis, Moment, PortalId, State,
    StoreError, Target, ThreadId, Usage,
};

/// How one change of a batch stands: applied, refused by its rule, or stopped for a reason.
pub(super) type Outcome = std::result::Result<Option<Applied>, StoreError>;

/// How much of a portal a transaction holds. Locks are taken in this order, from the last to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Hold {
    #[default]
    Threads,
    /// The portal's counters too: whoever takes ids, or changes the directory or people.
    Portal,
    /// The server's counters too: whoever makes an app.
    Server,
}

/// What a transaction locks besides what its targets name.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub hold: Hold,
    pub also: BTreeSet<ThreadId>,
}

/// Why a batch did not come to its end.
pub(super) enum Stopped {
    /// A rule wants more than was locked: to be begun again with this plan.
    More(Plan),
    /// Nothing was committed.
    Failed(Failure),
    /// The answer to the commit did not come, or does not say that it holds. The mark tells later, and then these are the
    /// outcomes.
    Unknown { mark: i64, why: String, outcomes: Vec<Outcome> },
}

impl From<Failure> for Stopped {
    fn from(e: Failure) -> Self {
        Self::Failed(e)
    }
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Failed(e.into())
    }
}

/// The next id of each kind. Zeros where the portal is not held: ids that were taken then are noticed, and thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ids {
    pub thread: i64,
    pub visitor: i64,
    pub ticket: i64,
    pub file: i64,
    pub inbox: i64,
    pub account: i64,
    pub actor: i64,
    pub subscription: i64,
    pub app: i64,
    pub channel: i64,
}

impl Ids {
    fn moment(&self, now: Millis, message_ids: &MessageIds) -> Moment {
        Moment {
            now,
            next_thread: self.thread,
            next_visitor: self.visitor,
            next_ticket: self.ticket,
            next_file: self.file,
            next_inbox: self.inbox,
            next_account: self.account,
            next_actor: self.actor,
            next_subscription: self.subscription,
            next_app: self.app,
            next_channel: self.channel,
            message_ids: message_ids.clone(),
        }
    }

    /// What is left after a moment.
    fn after(moment: &Moment) -> Self {
        Self {
            thread: moment.next_thread,
            visitor: moment.next_visitor,
            ticket: moment.next_ticket,
            file: moment.next_file,
            inbox: moment.next_inbox,
            account: moment.next_account,
            actor: moment.next_actor,
            subscription: moment.next_subscription,
            app: moment.next_app,
            channel: moment.next_channel,
        }
    }
}

/// A transaction being filled.
pub(super) struct Batch<'a> {
    pub session: &'a Session,
    pub portal: PortalId,
    pub directory: Arc<Directory>,
    pub usage: Usage,
    pub latest_now: Millis,
    pub ids: Ids,
    pub found: Found,
    pub writes: Writes,
}

/// Runs changes of one portal in one transaction.
pub(super) async fn run(
    session: &Session,
    shared: &Shared,
    slot: i64,
    portal: PortalId,
    works: &mut [Waiting],
    plan: Plan,
) -> std::result::Result<Vec<Outcome>, Stopped> {
    let gathering = async { Ok(gather(session, shared, portal, works, plan).await) };
    let (gathered, outcomes) = answered(ANSWER, gathering).await??;
    let Some((batch, before, begun)) = gathered else { return Ok(outcomes) };
    let (changed, mark) = (batch.directory.clone(), shared.mark());
    let late = |_| Err(Broken::Unknown("the database does not answer".into()));
    match timeout(ANSWER, batch.commit(slot, mark, before)).await.unwrap_or_else(late) {
        Ok(()) => {}
        Err(Broken::Undone(e)) => return Err(e.into()),
        Err(Broken::Unknown(why)) => return Err(Stopped::Unknown { mark, why, outcomes }),
    }
    if changed.revision != begun {
        shared.caches.held().hold(&changed);
    }
    Ok(outcomes)
}

/// A batch that is to be committed, the ids and the revision of the directory with which it began, and what came of each
/// change. No batch when there is nothing to commit; then the transaction is undone.
async fn gather<'a>(
    session: &'a Session,
    shared: &Shared,
    portal: PortalId,
    works: &mut [Waiting],
    plan: Plan,
) -> std::result::Result<(Option<(Batch<'a>, Ids, i64)>, Vec<Outcome>), Stopped> {
    let named = Named::of(works.iter().map(|waiting| waiting.work.target()), &plan.also);
    let hold = if named.portal { plan.hold.max(Hold::Portal) } else { plan.hold };
    let Some(mut batch) = begin(session, shared, portal, &named, hold).await? else {
        return Ok((None, works.iter().map(|_| Err(StoreError::NoPortal)).collect()));
    };
    let plan = Plan { hold: batch.hold(hold), ..plan };
    let (before, begun) = (batch.ids, batch.directory.revision);
    let mut outcomes = Vec::with_capacity(works.len());
    for waiting in works.iter_mut() {
        outcomes.push(one(&mut batch, shared, &plan, waiting).await?);
    }
    if batch.writes.is_empty() {
        session.client.batch_execute("ROLLBACK").await?;
        return Ok((None, outcomes));
    }
    Ok((Some((batch, before, begun)), outcomes))
}

const STANDING: &str = "SELECT (SELECT revision FROM portals WHERE id = $1), coalesce(sum(threads), 0)::bigint, \
                        coalesce(sum(messages), 0)::bigint, coalesce(sum(bytes), 0)::bigint, \
                        coalesce(max(latest_now), 0) FROM tallies WHERE portal_id = $1";
const SERVER: &str = "SELECT next_app, next_channel FROM server WHERE only_row = 1 FOR UPDATE";
const COUNTERS: &str = "SELECT next_thread, next_visitor, next_ticket, next_file, next_inbox, next_account, next_actor, \
                        next_subscription FROM counters WHERE portal_id = $1 FOR UPDATE";

/// What a portal has and holds.
pub(super) struct Standing {
    /// The directory's.
    revision: i64,
    pub usage: Usage,
    latest_now: Millis,
}

/// How a portal stands; `None` when there is no such portal.
pub(super) async fn standing(
    client: &deadpool_postgres::ClientWrapper,
    portal: PortalId,
) -> Result<Option<Standing>> {
    let Some(row) = row(client, STANDING, &[&portal.0]).await? else { return Ok(None) };
    let Some(revision) = row.try_get(0)? else { return Ok(None) };
    let usage = Usage { threads: row.try_get(1)?, messages: row.try_get(2)?, bytes: row.try_get(3)? };
    Ok(Some(Standing { revision, usage, latest_now: row.try_get(4)? }))
}

/// Begins a transaction, locks, and reads; `None` when there is no such portal.
async fn begin<'a>(
    session: &'a Session,
    shared: &Shared,
    portal: PortalId,
    named: &Named,
    hold: Hold,
) -> std::result::Result<Option<Batch<'a>>, Stopped> {
    let client = &session.client;
    let (mut found, mut ids) = (Found::default(), Ids::default());
    let start = async { Ok::<_, Failure>(client.batch_execute("BEGIN").await?) };
    let mut held = shared.caches.held().directory(portal);
    let standing = if hold == Hold::Threads && !named.looks_up() {
        let ids_to_lock = found.to_lock(named);
        let lock = found.lock(client, portal, &ids_to_lock);
        let ((), (), standing) = try_join!(start, lock, standing(client, portal))?;
        standing
    } else {
        start.await?;
        if hold > Hold::Threads {
            ids = take(session, portal, hold).await?;
        }
        found.look_up(client, portal, named).await?;
        if hold == Hold::Threads && found.lacks_a_thread(named) {
            // Somebody is about to begin a thread, and ids are taken before threads are locked.
            ids = take(session, portal, Hold::Portal).await?;
            found = Found::default();
            found.look_up(client, portal, named).await?;
        }
        let ids_to_lock = found.to_lock(named);
        let ((), standing) = try_join!(found.lock(client, portal, &ids_to_lock), standing(client, portal))?;
        standing
    };
    let Some(Standing { revision, usage, latest_now }) = standing else {
        client.batch_execute("ROLLBACK").await?;
        return Ok(None);
    };
    if held.as_ref().is_none_or(|held| held.revision < revision) {
        held = directory::refresh(session, portal, held).await?;
    }
    let Some(directory) = held else { return Err(Failure::Told(StoreError::NoPortal).into()) };
    let directory = directory::lodging(session, &directory, |id| shared.caches.held().directory(id)).await?;
    Ok(Some(Batch { session, portal, directory, usage, latest_now, ids, found, writes: Writes::default() }))
}

/// Locks the counters, and reads them. A portal that does not exist has none.
async fn take(session: &Session, portal: PortalId, hold: Hold) -> Result<Ids> {
    let client = &session.client;
    let mut ids = Ids::default();
    if hold == Hold::Server
        && let Some(server) = row(client, SERVER, &[]).await?
    {
        (ids.app, ids.channel) = (server.try_get(0)?, server.try_get(1)?);
    }
    if let Some(row) = row(client, COUNTERS, &[&portal.0]).await? {
        ids.thread = row.try_get(0)?;
        ids.visitor = row.try_get(1)?;
        ids.ticket = row.try_get(2)?;
        ids.file = row.try_get(3)?;
        ids.inbox = row.try_get(4)?;
        ids.account = row.try_get(5)?;
        ids.actor = row.try_get(6)?;
        ids.subscription = row.try_get(7)?;
    }
    Ok(ids)
}

/// Runs one change and notes what it writes.
async fn one(
    batch: &mut Batch<'_>,
    shared: &Shared,
    plan: &Plan,
    waiting: &mut Waiting,
) -> std::result::Result<Outcome, Stopped> {
    let mut state = State {
        directory: batch.directory.clone(),
        usage: batch.usage,
        thread: None,
        threads: Vec::new(),
        visitor: None,
        contact: None,
        erasure: None,
        ticket: None,
        message: None,
        replied: None,
        earlier: None,
        files: None,
        desk: None,
        canned: None,
        named: None,
        bound: None,
    };
    batch.found.fill(&mut state, waiting.work.target())?;
    if let Target::File(key) = waiting.work.target() {
        let found = files::state(&batch.session.client, batch.portal, key).await?;
        state.files = Some(Box::new(found));
    }
    if let Target::Erasure(id) = waiting.work.target() {
        state.erasure = erasures::by_id(&batch.session.client, batch.portal, *id).await?;
    }
    if let (Target::Message(_, id), Some(thread)) = (waiting.work.target(), &state.thread) {
        let (client, writing) = (&batch.session.client, &batch.writes.messages);
        let found = desk::entry(client, batch.portal, thread, *id, writing).await?;
        state.message = found.map(|(_, message)| message);
    }
    if let (Target::Desk(key), Some(thread)) = (waiting.work.target(), &state.thread) {
        let (client, writing) = (&batch.session.client, &batch.writes.messages);
        let once = key.once.as_ref().map(|once| (AccountId(0), once.clone()));
        let spent = once.and_then(|once| batch.found.earlier.get(&once));
        let found = desk::state(client, batch.portal, thread, key, writing, spent).await?;
        state.desk = Some(Box::new(found));
    }
    if let Target::Canned(key) = waiting.work.target() {
        let found = canned::state(&batch.session.client, batch.portal, key).await?;
        state.canned = Some(Box::new(found));
    }
    let now = shared.now().max(batch.latest_now);
    let mut moment = batch.ids.moment(now, &shared.message_ids);
    let changes = match catch_unwind(AssertUnwindSafe(|| waiting.work.run(&state, &mut moment))) {
        Ok(Some(changes)) => changes,
        Ok(None) => {
            // It may have refused an id that was not one, or stumbled over it.
            batch.covers(plan, &Changes::default(), &Ids::after(&moment))?;
            return Ok(Ok(None));
        }
        Err(panic) => {
            batch.covers(plan, &Changes::default(), &Ids::after(&moment))?;
            tracing::error!(panic = message(panic.as_ref()), "a change panicked");
            return Ok(Err(StoreError::Conflict("the rule panicked".into())));
        }
    };
    if changes.is_empty() {
        return Ok(Ok(Some(Applied { changes, state })));
    }
    let spent = Ids::after(&moment);
    batch.covers(plan, &changes, &spent)?;
    match batch.apply(changes, now).await {
        Ok(changes) => {
            batch.spend(spent, now);
            Ok(Ok(Some(Applied { changes, state })))
        }
        // Some of it may be written: the whole transaction goes, and the others are committed without this one.
        Err(e) => Err(e.into()),
    }
}

impl Batch<'_> {
    /// How much is held: a conversation that begins takes more than was planned.
    fn hold(&self, planned: Hold) -> Hold {
        if self.ids.thread > 0 { planned.max(Hold::Portal) } else { planned }
    }

    /// Whether all that a change touches is locked.
    fn covers(&self, plan: &Plan, changes: &Changes, spent: &Ids) -> std::result::Result<(), Stopped> {
        let mut wanted = plan.clone();
        let Ids { app, channel, .. } = self.ids;
        let of_server = |change: &DirectoryChange| {
            matches!(change, DirectoryChange::App(_) | DirectoryChange::Channel(_))
        };
        if (spent.app, spent.channel) != (app, channel) || changes.directory.iter().any(of_server) {
            wanted.hold = Hold::Server;
        } else if (Ids { app, channel, ..*spent }) != self.ids || changes.needs_the_portal() {
            wanted.hold = wanted.hold.max(Hold::Portal);
        }
        let touched = changes.threads.iter().filter(|thread| thread.number != 0).map(|thread| thread.id);
        let made =
            |id: &ThreadId| changes.threads.iter().any(|thread| thread.number == 0 && thread.id == *id);
        let touched = touched
            .chain(changes.messages.iter().map(|message| message.thread_id).filter(|id| !made(id)))
            .chain(changes.replaced.iter().map(|new| new.thread_id))
            .chain(changes.desk.iter().map(DeskChange::thread).filter(|id| !made(id)))
            .chain(changes.purged.iter().copied());
        wanted.also.extend(touched.filter(|id| !self.found.threads.contains_key(id)));
        match wanted.hold == plan.hold && wanted.also.len() == plan.also.len() {
            true => Ok(()),
            false => Err(Stopped::More(wanted)),
        }
    }

    /// Spends what a moment gave out.
    fn spend(&mut self, spent: Ids, now: Millis) {
        // Ids that a rule chose itself were raised already.
        let own = self.ids;
        self.ids = Ids {
            thread: own.thread.max(spent.thread),
            visitor: own.visitor.max(spent.visitor),
            ticket: own.ticket.max(spent.ticket),
            file: own.file.max(spent.file),
            inbox: own.inbox.max(spent.inbox),
            account: own.account.max(spent.account),
            actor: own.actor.max(spent.actor),
            subscription: own.subscription.max(spent.subscription),
            app: own.app.max(spent.app),
            channel: own.channel.max(spent.channel),
        };
        self.latest_now = self.latest_now.max(now);
    }

    /// Writes what was put off, and commits, all in one go. Nothing that was to be written waits for an answer before the
    /// commit is sent, so the counters and threads are held no longer than the database needs.
    async fn commit(self, slot: i64, mark: i64, before: Ids) -> std::result::Result<(), Broken> {
        if self.ids != before {
            self.save_ids(before).await?;
        }
        self.session.warned();
        commit::commit(&self, slot, mark).await?;
        match self.session.warned() {
            true => Err(Broken::Unknown("the standby has not confirmed the commit".into())),
            false => Ok(()),
        }
    }

    async fn save_ids(&self, before: Ids) -> Result<()> {
        let (ids, client) = (&self.ids, &self.session.client);
        if (ids.app, ids.channel) != (before.app, before.channel) {
            let sql = "UPDATE server SET next_app = $1, next_channel = $2 WHERE only_row = 1";
            execute(client, sql, &[&ids.app, &ids.channel]).await?;
        }
        let sql = "UPDATE counters SET next_thread = $2, next_visitor = $3, next_ticket = $4, next_file = $5, \
                   next_inbox = $6, next_account = $7, next_actor = $8, next_subscription = $9 WHERE portal_id = $1";
        let values = &[
            &self.portal.0,
            &ids.thread,
            &ids.visitor,
            &ids.ticket,
            &ids.file,
            &ids.inbox,
            &ids.account,
            &ids.actor,
            &ids.subscription,
        ];
        execute(client, sql, &values.map(|id| id as _)).await?;
        Ok(())
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    match panic.downcast_ref::<&str>() {
        Some(text) => text,
        None => panic.downcast_ref::<String>().map_or("", String::as_str),
    }
}

impl Changes {
    /// Whether these are changes of what belongs to files.
    pub(super) fn needs_files(&self) -> bool {
        !(self.folders.is_empty() && self.blobs.is_empty() && self.file_tasks.is_empty())
    }

    /// Whether these are changes that only whoever holds the portal's counters may make.
    fn needs_the_portal(&self) -> bool {
        !(self.visitors.is_empty()
            && self.identities.is_empty()
            && self.unbound.is_empty()
            && self.erasures.is_empty()
            && self.thread_keys.is_empty()
            && self.tickets.is_empty()
            && self.files.is_empty()
            && !self.needs_files()
            && self.canned.is_empty()
            && self.directory.is_empty())
    }
}
