//! The reader of one app: from the spine to requests, and from answers to progress.

mod again;

use std::collections::{BTreeSet, HashSet};
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_store::{
    Attempt, Cursor, Delivery, Directory, Millis, Progress, Reader, StoreError, SubscriptionId, Told, Webhook,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::channel;
use super::matching::{Matching, away};
use super::queue::{Item, Key, Left, Line, Placed, Queue};
use super::request::{self, Landed, Secrets};
use super::spine::{Occurrence, Spine};
use crate::app::App;
use crate::custom_channels::closing;
use crate::serve::told;
use crate::webhooks::figures::Figures;
use crate::webhooks::pause;
use crate::webhooks::retry::{self, Next};
use crate::webhooks::target;

/// Most failed deliveries that wait for their retries. With more, nothing new is sent until some of them are done with: the spine
/// keeps it as well as rows would.
const MOST_FAILED: usize = 10_000;

/// How much is given up at once of a channel that is closing.
const CLOSING: usize = 10;

/// Most requests whose outcome is not written yet. With more, nothing is sent: all of it would be told again after a crash.
const MOST_UNWRITTEN: usize = 1_000;

/// How often it is looked what is due, and whether the directory has changed.
const LOOK: Duration = Duration::from_secs(1);

/// How long progress may be behind what was only skipped.
const LAZY: Duration = Duration::from_secs(1);

/// How long the spine is left alone after it was read. Whoever sends most has a commit every millisecond: events are read by the
/// dozen then, which costs little more than reading one.
const READ: Duration = Duration::from_millis(20);

/// How often progress is written. All readers do it in the same moments, so that the commits which carry progress are few, and
/// sends seldom wait for one.
const WRITE: Duration = Duration::from_millis(100);

/// How long it takes at most until somebody comes to tell an app of a channel, where it has just become a guest or a channel
/// has just become told.
const A_MOMENT_AGO: Millis = 60_000;

/// How long a store that cannot be written is left alone.
const REST: Duration = Duration::from_millis(250);

/// How long requests that are under way are waited for at the end.
const PARTING: Duration = Duration::from_secs(2);

/// When an event is due that waits for an earlier one: not before that is done with.
const BEHIND: Millis = Millis::MAX;

/// When it is tried again to write what became of an event.
const AGAIN: Millis = 60_000;

type Flight = Pin<Box<dyn Future<Output = Landed> + Send>>;
type News = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;
type Written = Pin<Box<dyn Future<Output = (Progress, Result<bool, StoreError>)> + Send>>;

/// Tells an app, as [`super::tell`] does, with a spine that it shares with the portal's other apps.
pub async fn run(app: Arc<App>, told: Told, spine: Arc<Spine>, stop: watch::Receiver<bool>) {
    match taken(&app, told).await {
        Ok(None) => {}
        Ok(Some(cursor)) => {
            let mut reading = Reading::new(app, told, spine, cursor);
            reading.run(stop).await;
            reading.app.webhooks.forget(told);
        }
        Err(error) => tracing::warn!(app.id = told.app.0, %error, "its events wait"),
    }
}

/// Takes the cursor. Where an app is let in that was told nothing so far, there is none until it is to be told of something: it
/// begins before the first event that its subscriptions ask for. Nobody notes when a channel is told somewhere for the first
/// time; but it was a moment ago, and a message of before that says of no channel that it is to be carried there.
async fn taken(app: &App, told: Told) -> Result<Option<Cursor>, StoreError> {
    let store = &app.store;
    let take = || store.cursor_take(told.portal, Reader::Webhooks, told.app);
    if let Some(cursor) = take().await? {
        return Ok(Some(cursor));
    }
    let Some(directory) = store.directory(told.portal).await? else { return Ok(None) };
    let reads = directory.reads(Reader::Webhooks, told.app);
    let Some(install) = away(&directory, told.app).filter(|_| reads) else { return Ok(None) };
    let channel = told.app.channel().and_then(|id| directory.channel(id));
    let since = match channel {
        Some(channel) => channel.created_at.max(store.now() - A_MOMENT_AGO),
        None => directory
            .subscriptions(told.app)
            .filter(|one| one.active)
            .map(|one| one.since_at)
            .min()
            .unwrap_or_default(),
    };
    let from = store.event_position_at(told.portal, since.max(install.installed_at)).await?;
    store.cursor_begin(told.portal, Reader::Webhooks, told.app, from).await?;
    take().await
}

struct Reading {
    app: Arc<App>,
    told: Told,
    spine: Arc<Spine>,
    queue: Queue,
    flights: FuturesUnordered<Flight>,
    /// What is to be written next; and what is being written.
    progress: Progress,
    writing: Option<Written>,
    /// What that is about.
    being_written: HashSet<Key>,
    written_at: Instant,
    write_at: Instant,
    read_at: Instant,
    directory: Option<Arc<Directory>>,
    /// The app and where it is told, unless it is to be left alone.
    target: Option<(antiphon_store::App, Webhook)>,
    /// Since when it is told no more of its channel, and why.
    closing: Option<(Millis, &'static str)>,
    matching: Matching,
    secrets: Secrets,
    /// Whether what follows from the rows is known: how many wait for their time, which lines wait behind which event.
    recalled: bool,
    /// Whether somebody else may have the cursor by now.
    unsure: bool,
    /// Failed deliveries that wait for their time.
    failed: HashSet<Key>,
    /// Lines whose first event waits for nothing any more.
    released: BTreeSet<Line>,
    news: Option<News>,
    called: watch::Receiver<()>,
    /// Whether there may be more to read than was read.
    behind: bool,
    look_at: Instant,
    /// When it was looked at last what can be sent.
    sent_at: Instant,
    last_success: Millis,
    lost: bool,
}

/// What a reader waits for.
enum Came {
    Landed(Landed),
    Written(Progress, Result<bool, StoreError>),
    News(Result<(), StoreError>),
    Call,
    Time,
}

/// Whether an event that was not taken keeps later ones waiting no longer than it has.
fn holds_no_more(told: Told, item: &Item) -> bool {
    told.app.channel().is_some() && !item.loose && item.attempts >= channel::HOLDS
}

impl Reading {
    fn new(app: Arc<App>, told: Told, spine: Arc<Spine>, cursor: Cursor) -> Self {
        let Cursor { position, epoch, next_entry } = cursor;
        let now = Instant::now();
        Self {
            called: app.webhooks.called(),
            app,
            told,
            spine,
            queue: if told.app.channel().is_some() { Queue::alone(position) } else { Queue::new(position) },
            flights: FuturesUnordered::new(),
            progress: Progress { epoch, position, next_entry, ..Progress::default() },
            writing: None,
            being_written: HashSet::new(),
            written_at: now,
            write_at: now,
            read_at: now,
            directory: None,
            target: None,
            closing: None,
            matching: Matching::default(),
            secrets: Secrets::default(),
            recalled: false,
            unsure: false,
            failed: HashSet::new(),
            released: BTreeSet::new(),
            news: None,
            behind: true,
            look_at: now,
            sent_at: now,
            last_success: 0,
            lost: false,
        }
    }

    /// Whether a subscription keeps a strict order; `None` when nobody wants its events any more.
    fn is_ordered(&self, id: SubscriptionId) -> Option<bool> {
        self.matching.subscription(id).map(|one| one.ordered)
    }

    /// How many requests there may be at once: none while the app is to be left alone.
    fn most(&self) -> usize {
        match (&self.closing, &self.target) {
            (Some(_), _) => CLOSING,
            (None, Some((_, webhook))) => usize::try_from(webhook.max_concurrent).unwrap_or_default(),
            (None, None) => 0,
        }
    }

    fn has_work(&self) -> bool {
        self.directory.as_ref().is_some_and(|directory| directory.reads(Reader::Webhooks, self.told.app))
    }

    async fn run(&mut self, mut stop: watch::Receiver<bool>) {
        while !self.lost && !*stop.borrow() {
            if let Err(error) = self.step().await {
                tracing::warn!(app.id = self.told.app.0, %error, "its events wait");
                tokio::time::sleep(REST).await;
            }
            if !self.has_work() {
                break;
            }
            let came = tokio::select! {
                came = self.wait() => came,
                () = told(&mut stop) => break,
            };
            self.take(came).await;
        }
        // What is under way is waited for a little; what is not answered by then is sent again by whoever comes next.
        let parting = async {
            while !self.lost
                && (!self.flights.is_empty() || self.writing.is_some() || self.has_news_of_its_own())
            {
                self.write_at = Instant::now();
                self.write();
                let came = self.wait().await;
                self.take(came).await;
            }
        };
        tokio::time::timeout(PARTING, parting).await.ok();
    }

    /// Does whatever can be done now.
    async fn step(&mut self) -> Result<(), StoreError> {
        self.refresh().await?;
        // Rows say what is so once everything is written.
        let settled = !self.unsure && self.writing.is_none() && !self.has_news_of_its_own();
        if !self.recalled && settled {
            self.recall().await?;
        }
        if self.recalled && self.most() > 0 {
            self.read().await?;
        }
        if self.recalled && self.most() > 0 {
            if Instant::now() >= self.look_at {
                self.load_due().await?;
                self.load_released().await?;
            }
            self.send();
        }
        if Instant::now() >= self.look_at {
            self.look_at = Instant::now() + LOOK;
            self.show().await?;
            self.close().await?;
        }
        self.write();
        Ok(())
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Came {
        let mut until = self.look_at;
        if self.flights.len() < self.most() {
            // What had waited long enough when it was looked at and was not sent waits for a request that is under way.
            let gathered_at = self.queue.gathered_at().filter(|at| *at > self.sent_at);
            until = gathered_at.map_or(until, |at| at.min(until));
        }
        if self.has_news_of_its_own() && self.writing.is_none() {
            until = until.min(self.write_at);
        }
        let may_read = self.most() > 0 && !self.behind;
        if may_read && self.news.is_none() {
            let (store, portal, read) = (self.app.store.clone(), self.told.portal, self.queue.read());
            let rested = self.read_at + READ;
            self.news = Some(Box::pin(async move {
                tokio::time::sleep_until(rested.into()).await;
                store.events_wait(portal, read).await
            }));
        }
        let Self { flights, writing, news, called, .. } = self;
        tokio::select! {
            Some(landed) = flights.next() => Came::Landed(landed),
            (progress, written) = async { match writing { Some(writing) => writing.await, None => pending().await } } =>
                Came::Written(progress, written),
            heard = async { match news { Some(news) if may_read => news.await, _ => pending().await } } =>
                Came::News(heard),
            // The sender lives as long as the program.
            _ = called.changed() => Came::Call,
            () = tokio::time::sleep_until(until.into()) => Came::Time,
        }
    }

    async fn take(&mut self, came: Came) {
        match came {
            Came::Landed(landed) => self.land(landed).await,
            Came::Written(progress, written) => {
                self.writing = None;
                self.written(progress, written).await;
            }
            Came::News(heard) => {
                self.news = None;
                self.behind = true;
                if heard.is_err() {
                    tokio::time::sleep(REST).await;
                }
            }
            Came::Call => self.look_at = Instant::now(),
            Came::Time => {}
        }
    }

    /// The directory as it is by now, and what of it matters here.
    async fn refresh(&mut self) -> Result<(), StoreError> {
        let found = self.app.store.directory(self.told.portal).await?;
        match (&found, &self.directory) {
            (Some(found), Some(known)) if found.is_as(known) => return Ok(()),
            (None, None) => return Ok(()),
            _ => {}
        }
        // The app may have been told of nothing for a while, which ends one cursor and begins another, and may look as before now.
        (self.recalled, self.unsure) = (false, self.directory.is_some());
        self.directory = found;
        if let Some(directory) = &self.directory {
            let app = self.told.app;
            self.matching = Matching::new(directory, app);
            let target = target::of(directory, app).filter(|(_, webhook)| webhook.paused.is_none());
            self.target = target.map(|(app, webhook)| (app.clone(), webhook));
            self.closing = closing::since(directory, app);
            self.queue.adopt(|id| self.matching.subscription(id).cloned());
        }
        Ok(())
    }

    /// Reads on, as long as there is room.
    async fn read(&mut self) -> Result<(), StoreError> {
        for left in self.queue.to_fetch() {
            self.fetch(left).await?;
        }
        while self.behind && self.queue.has_room() && self.failed.len() < MOST_FAILED {
            let (store, read) = (&self.app.store, self.queue.read());
            let (page, more) = self.spine.after(store, self.told.portal, read).await?;
            // Whoever subscribed before the last of these happened is known to the directory of after that.
            self.refresh().await?;
            if !self.recalled {
                break;
            }
            self.behind = more;
            self.read_at = Instant::now();
            for event in page {
                self.take_in(event);
            }
        }
        Ok(())
    }

    /// Reads what was left of an object, as much of it as goes into a request.
    async fn fetch(&mut self, left: Left) -> Result<(), StoreError> {
        let (mut position, read) = (left.from - 1, self.queue.read());
        while position < read {
            let (page, _) = self.spine.after(&self.app.store, self.told.portal, position).await?;
            let Some(last) = page.last().map(|event| event.position) else { break };
            position = last;
            for event in page {
                if event.object_id != left.object || event.position > read {
                    continue;
                }
                let Some(item) = self.item(event) else { continue };
                match self.queue.push_left(left, item) {
                    Placed::Waiting => {}
                    Placed::Held(item) => self.hold(&item),
                    Placed::Left => return Ok(()),
                }
            }
        }
        self.queue.fetched(left.object);
        Ok(())
    }

    fn take_in(&mut self, event: Arc<Occurrence>) {
        let position = event.position;
        let Some(item) = self.item(event) else { return self.queue.read_to(position) };
        if let Placed::Held(item) = self.queue.push(item) {
            self.hold(&item);
        }
    }

    /// An event as it is sent for the first time; `None` if it is for nobody, or has a row.
    fn item(&self, event: Arc<Occurrence>) -> Option<Item> {
        let subscription = self.matching.find(&event)?.clone();
        let since = self.read_at;
        let item = Item { event, subscription, attempts: 0, first_at: None, row: false, loose: false, since };
        (!self.failed.contains(&item.key())).then_some(item)
    }

    /// Notes an event that stays behind an earlier one of its thread.
    fn hold(&mut self, item: &Item) {
        let now = self.app.store.now();
        let why = "It waits for an earlier event of its thread";
        self.note(item, now, Some(BEHIND), why.into());
    }

    /// Notes a delivery that was not made.
    fn note(&mut self, item: &Item, now: Millis, due_at: Option<Millis>, error: String) {
        match due_at {
            Some(_) => self.failed.insert(item.key()),
            None => self.failed.remove(&item.key()),
        };
        self.progress.failed.push(Delivery {
            position: item.event.position,
            subscription_id: item.subscription.id,
            object_id: item.event.object_id,
            attempts: item.attempts,
            first_at: item.first_at.unwrap_or(now),
            last_at: now,
            due_at,
            loose: item.loose,
            error,
        });
    }

    /// Sends as many requests as the app takes at once.
    fn send(&mut self) {
        for item in self.queue.hold() {
            self.hold(&item);
        }
        let (app, told) = (&self.app, self.told);
        let flight: Box<dyn Fn(Vec<Item>) -> Flight> = match (&self.closing, &self.target) {
            (Some((_, why)), _) => Box::new(|batch| Box::pin(request::close(app.clone(), told, batch, why))),
            (None, Some((owner, webhook))) => {
                let secrets = self.secrets.of(owner, app.store.now());
                Box::new(move |batch| {
                    let (url, secrets) = (webhook.target_url.clone(), secrets.clone());
                    Box::pin(request::fly(app.clone(), told, url, secrets, batch))
                })
            }
            (None, None) => return,
        };
        let most = self.most();
        while self.flights.len() < most
            && self.progress.attempts.len() < MOST_UNWRITTEN
            && let Some(batch) = {
                self.sent_at = Instant::now();
                self.queue.next(self.sent_at)
            }
        {
            self.flights.push(flight(batch));
        }
    }

    /// Ends what was told of a channel, once nothing of it waits any more.
    async fn close(&mut self) -> Result<(), StoreError> {
        let Some((closing_at, _)) = self.closing else { return Ok(()) };
        let is_idle = self.recalled
            && !self.behind
            && self.flights.is_empty()
            && self.failed.is_empty()
            && self.queue.position() == self.queue.read()
            && self.writing.is_none()
            && !self.has_news_of_its_own();
        let now = self.app.store.now();
        if !is_idle || now < closing_at + closing::GRACE {
            return Ok(());
        }
        // What was recorded last may not have been heard of.
        let read = self.queue.read();
        self.behind = !self.app.store.events_after(self.told.portal, read, 1).await?.is_empty();
        if !self.behind {
            closing::end(&self.app, self.told).await?;
            self.refresh().await?;
        }
        Ok(())
    }

    /// Notes what came of a request.
    async fn land(&mut self, landed: Landed) {
        let (now, now_at) = (self.app.store.now(), Instant::now());
        let Landed { batch, rest, attempts, status, retry_after, error, secret, closed } = landed;
        self.queue.put_back(rest);
        self.queue.landed(&batch);
        for attempt in attempts {
            self.app.webhooks.attempted(self.told, attempt.succeeded);
            self.progress.attempts.push(Attempt { id: self.progress.next_entry, ..attempt });
            self.progress.next_entry += 1;
        }
        let mut given_up = None;
        if batch.iter().any(|item| item.row) {
            // More of what failed may be due.
            self.look_at = now_at;
        }
        for item in batch {
            let (line, position, loose) = (item.line(), item.event.position, item.loose);
            let made = u32::try_from(item.attempts + 1).unwrap_or(u32::MAX);
            let next = match closed {
                true => Next::GiveUp,
                false => retry::next(made, status, retry_after, now, fastrand::f64()),
            };
            let ordered = if next == Next::Done { None } else { self.is_ordered(line.0) };
            let made = item.attempts + i64::from(!closed);
            let item = Item { attempts: made, first_at: Some(item.first_at.unwrap_or(now)), ..item };
            match next {
                Next::Done => {
                    if item.row {
                        self.settle(line, position);
                    }
                    self.last_success = now;
                    self.secrets.took(&secret);
                }
                // Nobody wants it any more.
                _ if ordered.is_none() => {
                    if item.row {
                        self.settle(line, position);
                    }
                }
                Next::Again(at) if holds_no_more(self.told, &item) => {
                    self.queue.settle(line, position);
                    self.note(&Item { loose: true, ..item }, now, Some(at), error.clone());
                    self.release(line);
                }
                Next::Again(at) if ordered == Some(true) && !item.loose => {
                    self.queue.fail(line, position);
                    self.queue.unload(line);
                    self.released.remove(&line);
                    let first = self.queue.failed(line).next() == Some(position);
                    self.note(&item, now, Some(if first { at } else { BEHIND }), error.clone());
                }
                Next::Again(at) => self.note(&item, now, Some(at), error.clone()),
                // Until it is written what became of it, it is not done with.
                Next::GiveUp if !closed && !channel::given_up(&self.app, self.told, &item, &error).await => {
                    self.note(&item, now, Some(now + AGAIN), error.clone());
                }
                Next::GiveUp => {
                    self.queue.settle(line, position);
                    self.note(&item, now, None, error.clone());
                    given_up = given_up.min(item.first_at).or(item.first_at);
                }
            }
            if !loose && !matches!(next, Next::Again(_)) {
                self.release(line);
            }
        }
        // Whatever was to be carried on a channel has an end of its own: nobody there waits for a pause to be lifted.
        if self.told.app.channel().is_none() && given_up.is_some_and(|first_at| self.last_success < first_at)
        {
            let why =
                format!("An event was given up, and nothing was taken since it was first sent. {error}");
            pause::by_itself(&self.app, self.told, why).await;
        }
        if !self.released.is_empty() {
            self.look_at = now_at;
        }
    }

    /// What was first in a line waits for nothing any more, if there is anything.
    fn release(&mut self, line: Line) {
        if self.queue.failed(line).next().is_some() {
            self.released.insert(line);
        }
    }

    /// Begins to write what there is to write, unless that is being done.
    fn write(&mut self) {
        let position = self.queue.position();
        let news = self.has_news_of_its_own() && self.write_at <= Instant::now();
        let moved = position > self.progress.position && self.written_at.elapsed() >= LAZY;
        if self.writing.is_some() || !(news || moved || self.unsure) {
            return;
        }
        self.unsure = false;
        self.progress.position = position;
        let Progress { epoch, next_entry, .. } = self.progress;
        let next = Progress { epoch, position, next_entry, ..Progress::default() };
        let progress = std::mem::replace(&mut self.progress, next);
        let (store, Told { portal, app }) = (self.app.store.clone(), self.told);
        self.written_at = Instant::now();
        self.write_at = self.app.webhooks.next_moment(WRITE);
        self.being_written = progress.failed.iter().map(Delivery::key).chain(progress.done.clone()).collect();
        self.writing = Some(Box::pin(async move {
            let written = store.progress(portal, app, progress.clone()).await;
            (progress, written)
        }));
    }

    fn has_news_of_its_own(&self) -> bool {
        let Progress { attempts, failed, done, .. } = &self.progress;
        !(attempts.is_empty() && failed.is_empty() && done.is_empty())
    }

    async fn written(&mut self, tried: Progress, written: Result<bool, StoreError>) {
        self.being_written.clear();
        match written {
            Ok(true) => {
                if !self.released.is_empty() {
                    self.look_at = Instant::now();
                }
            }
            Ok(false) => {
                tracing::info!(app.id = self.told.app.0, "somebody else tells it from now on");
                self.lost = true;
            }
            Err(error) => {
                tracing::warn!(app.id = self.told.app.0, %error, "what came of its requests is not written yet");
                // It goes first, so that what was found out later counts.
                let Progress { attempts, failed, done, next_entry, .. } =
                    std::mem::replace(&mut self.progress, tried);
                self.progress.attempts.extend(attempts);
                self.progress.failed.extend(failed);
                self.progress.done.extend(done);
                self.progress.next_entry = next_entry;
                self.unsure = true;
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// Shows how far it is.
    async fn show(&mut self) -> Result<(), StoreError> {
        let (store, portal, position) = (&self.app.store, self.told.portal, self.queue.position());
        let lag = store.event_position(portal).await? - position;
        let oldest = match lag {
            1.. => store.events_after(portal, position, 1).await?.first().map(|event| event.occurred_at),
            _ => None,
        };
        let (waiting, paused) = (self.failed.len(), self.most() == 0);
        self.app.webhooks.show(self.told, Figures { lag, oldest, waiting, paused, ..Figures::default() });
        Ok(())
    }
}
