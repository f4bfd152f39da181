//! Sending a message, or leaving a note among agents.

use std::sync::Arc;

use antiphon_mail::subject;
use antiphon_store::{
    Account, AccountId, Actor, ActorKind, Adapter, Applied, Changes, Channel, Directory, MessageId, Moment,
    PortalId, State, Store, Target, ThreadId, VisitorId,
};
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::id::{LenientId, MAX_INT32, MAX_SAFE};
use antiphon_wire::message::{
    self as wire, Create, DeliveryIdentifier, DeliveryIdentifierType, Direction, IdentifierRequest,
    MessageType, Recipient, RecipientRequest, Sender, SenderField, Status, StatusType, TruncationStatus,
};

use super::attachments::Attachments;
use super::bodies::Bodies;
use super::channel::{self, EMAIL};
use super::people::{self, People};
use super::recipients::{self, Counterpart};
use super::within_quota;
use crate::accounts::is_active;
use crate::actors::acting;
use crate::call::{Answer, Call};
use crate::custom_channels::capabilities::Capabilities;
use crate::custom_channels::closing;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::assign::actor_id;
use crate::threads::history::{self, Author};
use crate::threads::lifecycle::{Entry, Lifecycle};
use crate::threads::{found, path, thread_id};

/// Longest parts of a message, in characters.
pub const TEXT_LIMIT: usize = 100_000;
pub const HTML_LIMIT: usize = 1_000_000;
const SUBJECT_LIMIT: usize = 998;

/// How far back a visitor's address is looked for.
const INCOMING_LIMIT: usize = 500;

/// A message or a note on its way from door to rule: everything is looked up that the rule cannot see.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The thread as the client named it.
    pub sent: String,
    /// The app or the agent that is calling.
    pub by: Author,
    /// `None` when the client asked for a kind that cannot be sent.
    kind: Option<MessageType>,
    request: Create,
    bodies: Bodies,
    attachments: Attachments,
    /// Who wrote in the thread, newest first.
    counterparts: Vec<Counterpart>,
    /// Those of the visitors named as recipients that exist, once they were looked up.
    visitors: Vec<VisitorId>,
    people: People,
    /// The actors behind addresses without a name on the account of an app's channel, where somebody is known by them.
    bound: Vec<(DeliveryIdentifier, VisitorId)>,
    /// The agent for whom an app leaves a note.
    speaker: Option<i64>,
    /// What is wrong with the request by itself; told together with what the rule finds, to those who can see the thread.
    problems: Vec<Problem>,
}

/// `POST /threads/{threadId}/messages`
pub async fn post(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let create: Create = call.json()?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    let mut draft = Draft::read(store, portal, Author::of(&call.caller), create).await?;
    draft.sent = path(&call, 0).to_owned();
    draft.find_counterparts(store, portal, id).await?;
    let mut draft = Arc::new(draft);
    let mut outcome = apply(store, portal, id, draft.clone()).await;
    // Most answers go to the thread's own visitor, whom the rule knows. Others are looked up only when it does not.
    if matches!(outcome, Err(Refusal::Invalid(_)))
        && Arc::make_mut(&mut draft).find_visitors(store, portal).await?
    {
        outcome = apply(store, portal, id, draft).await;
    }
    let applied = outcome?;
    let message = applied.changes.messages.first();
    let message = message.ok_or_else(|| Refusal::Internal("a message was accepted and not stored".into()))?;
    let mut out = Vec::with_capacity(message.document.bytes.len() + 6);
    wire::complete(&message.document.bytes, false, &Links::of(&call), &mut out);
    let location = format!("{}/{}", call.uri_path.trim_end_matches('/'), message.id);
    Ok(Answer::created(out, location))
}

async fn apply(
    store: &Store,
    portal: PortalId,
    thread: ThreadId,
    draft: Arc<Draft>,
) -> Result<Applied, Refusal> {
    let rule = move |state: &State, moment: &mut Moment| post_message(state, &draft, moment);
    store.change(portal, Target::Thread(thread), rule).await?
}

impl Draft {
    /// Reads a request and looks up what it names, but for visitors.
    pub async fn read(store: &Store, portal: PortalId, by: Author, request: Create) -> Result<Self, Refusal> {
        let asked = request.attachments.iter().map(|attachment| attachment.outgoing()).collect();
        let mut problems = Vec::new();
        let attachments = Attachments::find(store, portal, asked, &mut problems).await?;
        let mut draft = Self::of(by, request, attachments, problems);
        if draft.kind == Some(MessageType::Message) {
            draft.find_people(store, portal).await?;
        }
        Ok(draft)
    }

    /// What can be said of a request without looking anything up. `problems` are those of its attachments.
    fn of(by: Author, mut request: Create, attachments: Attachments, mut problems: Vec<Problem>) -> Self {
        let attached = !attachments.is_empty() || !problems.is_empty();
        let kind = request.kind().map_err(|problem| problems.push(problem)).ok();
        too_long(&mut problems, "text", request.text.as_deref(), TEXT_LIMIT);
        too_long(&mut problems, "richText", request.rich_text.as_deref(), HTML_LIMIT);
        if kind == Some(MessageType::Message) {
            too_long(&mut problems, "subject", request.subject.as_deref(), SUBJECT_LIMIT);
        }
        if let Author::Agent(_) = by {
            let own = acting::own(by.actor(), request.sender_actor_id.as_ref());
            keep(&mut problems, own);
            request.sender_actor_id = Some(LenientId(by.actor()));
        }
        let unset = request.text.is_none() && request.rich_text.is_none();
        let bodies = Bodies::complete(request.text.take(), request.rich_text.take());
        if !attached && unset {
            problems.push(Problem::required("text"));
        } else if !attached && !bodies.is_visible() {
            problems.push(Problem::new("text", "The message has neither text nor an attachment"));
        }
        Self {
            sent: String::new(),
            by,
            kind,
            request,
            bodies,
            attachments,
            counterparts: Vec::new(),
            visitors: Vec::new(),
            people: People::default(),
            bound: Vec::new(),
            speaker: None,
            problems,
        }
    }

    /// To whom it is put down.
    pub fn author(&self) -> &Author {
        &self.by
    }

    /// What it is to be; `None` where that cannot be sent.
    pub fn kind(&self) -> Option<MessageType> {
        self.kind
    }

    /// Notes for which agent it is written, which a note does not say by itself.
    pub fn speaks_for(&mut self, agent: i64) {
        self.speaker = Some(agent);
    }

    /// Adds what else is wrong with the request.
    pub fn wrong(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Says to whom it goes when it does not say so itself.
    pub fn address_to(&mut self, party: Counterpart) {
        if self.request.recipients.is_empty() {
            self.request.recipients.push(RecipientRequest {
                actor_id: Some(LenientId(format!("V-{}", party.visitor))),
                name: party.name.clone(),
                delivery_identifier: vec![IdentifierRequest {
                    kind: Some(party.identifier.kind.as_str().to_owned()),
                    value: Some(LenientId(party.identifier.value.clone())),
                }],
                ..RecipientRequest::default()
            });
        }
        self.counterparts.push(party);
    }

    /// Which of the visitors named as recipients exist. Tells whether there are any.
    pub async fn find_visitors(&mut self, store: &Store, portal: PortalId) -> Result<bool, Refusal> {
        if self.kind != Some(MessageType::Message) {
            return Ok(false);
        }
        let named: Vec<_> = self.request.recipients.iter().filter_map(recipients::visitor).collect();
        if !named.is_empty() {
            let found = store.visitors_by_ids(portal, &named).await?;
            self.visitors = found.into_iter().map(|visitor| visitor.id).collect();
        }
        Ok(!self.visitors.is_empty())
    }

    /// Who is behind addresses without a name.
    async fn find_people(&mut self, store: &Store, portal: PortalId) -> Result<(), Refusal> {
        let nameless = || self.request.recipients.iter().filter(|one| one.actor_id.is_none());
        let addresses = nameless().flat_map(|one| one.identifiers().unwrap_or_default());
        let emails = addresses.filter(|one| one.kind == DeliveryIdentifierType::Email).map(|one| one.value);
        self.people = People::find(store, portal, &emails.collect::<Vec<_>>()).await?;
        let channel = self.request.channel_id.as_ref().and_then(|id| id.parse(MAX_INT32));
        let account = self.request.channel_account_id.as_ref().and_then(|id| id.parse(MAX_SAFE));
        if let (Some(channel::FIRST_CUSTOM..), Some(account)) = (channel, account) {
            let given =
                nameless().flat_map(|one| one.delivery_identifiers.iter().chain(&one.delivery_identifier));
            let asked = given.filter_map(|one| one.loose("recipients").ok()).take(recipients::MOST);
            let asked: Vec<_> = asked.map(|one| channel::stored(&one)).collect();
            if !asked.is_empty() {
                let found = store.visitors_by_addresses(portal, AccountId(account), &asked).await?;
                self.bound = found.into_iter().map(|(one, id)| (channel::shown(&one), id)).collect();
            }
        }
        Ok(())
    }

    /// Who wrote in the thread before, where the recipients cannot be told without.
    pub async fn find_counterparts(
        &mut self,
        store: &Store,
        portal: PortalId,
        thread: ThreadId,
    ) -> Result<(), Refusal> {
        let channel = self.request.channel_id.as_ref().and_then(|id| id.parse(MAX_INT32));
        if self.kind == Some(MessageType::Message)
            && recipients::need_counterparts(channel, &self.request.recipients)
        {
            for message in store.latest_incoming(portal, thread, INCOMING_LIMIT).await? {
                let read = wire::read(&message.document.bytes);
                let senders = read.map(|message| message.senders).unwrap_or_default();
                self.counterparts.extend(senders.iter().filter_map(Counterpart::of));
            }
        }
        Ok(())
    }
}

/// Adds that a field is too long, where it is.
pub fn too_long(problems: &mut Vec<Problem>, name: &str, text: Option<&str>, limit: usize) {
    if text.is_some_and(|text| text.len() > limit && text.chars().count() > limit) {
        problems.push(Problem::new(name, format!("{name} is longer than {limit} characters")));
    }
}

/// The rule.
pub fn post_message(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&draft.sent))?;
    let mut life = Lifecycle::of(thread, moment);
    say(&mut life, state, draft)?;
    within_quota(state, life.finish())
}

/// Puts the message or the note into a thread; its id.
pub fn say(life: &mut Lifecycle<'_>, state: &State, draft: &Draft) -> Result<MessageId, Refusal> {
    let mut problems = draft.problems.clone();
    let sending = match draft.kind {
        Some(MessageType::Message) => Sending::check(life, state, draft, &mut problems),
        _ => None,
    };
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let author = &draft.by;
    let kind = if sending.is_some() { MessageType::Message } else { MessageType::Comment };
    let mut message = history::entry(kind, author.actor(), author.client());
    let (attachments, files) = draft.attachments.settle(life.now, life.moment, &mut life.changes);
    message.text = Some(draft.bodies.text.clone());
    message.rich_text = Some(draft.bodies.rich_text.clone());
    message.attachments = Some(attachments);
    let Some(sending) = sending else {
        message.senders = vec![note_sender(state, draft, author)];
        return Ok(life.say(Entry { files, ..Entry::plain(message) }));
    };
    let sender = actor_id((sending.agent.kind, sending.agent.id));
    let carrier = sending.brought.as_ref().map(|(channel, _)| *channel);
    let (channel, account) = (carrier.filter(|one| state.directory.tells(one.id)), sending.account.id);
    let own = sending.account.identifier.clone();
    sending.fill(&mut message, &sender, life, state, draft);
    let people = people::named(&message, life.thread.visitor_id, own.as_ref());
    let entry = Entry { original: None, people, files, message };
    let id = match channel {
        Some(channel) => life.say_through(channel, account, entry),
        None => life.say(entry),
    };
    let inbox = state.directory.inbox(life.thread.inbox_id);
    if life.thread.assigned_to.is_none() && inbox.is_none_or(|inbox| inbox.assign_on_reply) {
        life.assign(Some(&sender), &Author::Actor(sender.clone()));
    }
    Ok(id)
}

/// Whose words a note has.
fn note_sender(state: &State, draft: &Draft, author: &Author) -> Sender {
    let agent = draft.speaker.and_then(|id| state.directory.actor(ActorKind::Agent, id));
    match agent {
        Some(agent) => Sender { name: agent.name.clone(), ..Sender::actor(actor_id((agent.kind, agent.id))) },
        None => Sender { name: author_name(state, author), ..Sender::actor(author.actor()) },
    }
}

fn author_name(state: &State, author: &Author) -> Option<String> {
    match author {
        Author::App(app) => state.directory.app(*app).map(|app| app.name.clone()),
        Author::Agent(id) => state.directory.actor(ActorKind::Agent, *id)?.name.clone(),
        Author::System | Author::Actor(_) => None,
    }
}

/// What a `MESSAGE` needs besides what it says.
struct Sending<'s> {
    agent: &'s Actor,
    account: &'s Account,
    recipients: Vec<Recipient>,
    /// On a channel that an app brought, what can be said there.
    brought: Option<(&'s Channel, Capabilities)>,
}

/// What goes beyond what can be said on a channel.
fn beyond(can: &Capabilities, recipients: &[Recipient], attachments: &Attachments) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !can.answers {
        problems.push(Problem::new(
            "channelId",
            "Messages cannot be sent on this channel: it only takes them in",
        ));
    }
    if recipients.len() > 1 && !can.several {
        problems.push(Problem::new("recipients", "A message on this channel has exactly one recipient"));
    }
    for one in recipients {
        let kind = one.delivery_identifier.kind;
        if !can.identifiers.is_empty() && !can.identifiers.contains(&kind) {
            let why = format!("{} cannot be reached on this channel", kind.as_str());
            problems.push(Problem::new("recipients", why));
        }
    }
    problems.extend(attachments.beyond(can));
    problems
}

impl<'s> Sending<'s> {
    /// Checks everything and answers only if there is no problem at all.
    fn check(
        life: &Lifecycle<'_>,
        state: &'s State,
        draft: &Draft,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let (directory, request) = (&*state.directory, &draft.request);
        let agent = keep(problems, agent(directory, request.sender_actor_id.as_ref()));
        let channel = keep(problems, channel(request.channel_id.as_ref()));
        let account = account(directory, request.channel_account_id.as_ref(), channel, life, problems);
        let recipients = channel.or(account.map(|account| account.channel_id)).map(|channel| {
            let known = |visitor| visitor == life.thread.visitor_id || draft.visitors.contains(&visitor);
            let mut all =
                recipients::recipients(channel, &request.recipients, &draft.counterparts, known, problems);
            for one in &mut all {
                if one.actor_id.is_none() {
                    let bound = draft.bound.iter().find(|(known, _)| known.same_as(&one.delivery_identifier));
                    one.actor_id = bound.map(|(_, id)| format!("V-{id}"));
                }
                if one.actor_id.is_none() && one.delivery_identifier.kind == DeliveryIdentifierType::Email {
                    one.actor_id = draft.people.actor(directory, &one.delivery_identifier.value);
                }
            }
            all
        });
        channel?;
        let (account, recipients) = (account?, recipients?);
        let brought = directory.channel(account.channel_id);
        let brought = brought.map(|channel| (channel, Capabilities::of(&channel.capabilities)));
        if let Some((_, capabilities)) = &brought {
            problems.extend(beyond(capabilities, &recipients, &draft.attachments));
        }
        Some(Self { agent: agent?, account, recipients, brought })
    }

    fn fill(
        self,
        message: &mut wire::Message,
        sender: &str,
        life: &mut Lifecycle<'_>,
        state: &State,
        draft: &Draft,
    ) {
        let account = self.account;
        let status = delivery(&state.directory, account);
        let mut from = Sender { name: self.agent.name.clone(), ..Sender::actor(sender) };
        if let Some((_, capabilities)) = &self.brought {
            from.delivery_identifier = account.identifier.as_ref().map(channel::shown);
            if !capabilities.formats {
                let plain = Bodies::complete(Some(draft.bodies.text.clone()), None);
                message.rich_text = Some(plain.rich_text);
            }
        }
        if account.channel_id == EMAIL {
            from.sender_field = Some(SenderField::From);
            from.delivery_identifier = account.identifier.as_ref().map(channel::shown);
            message.in_reply_to_id = life.thread.latest_message_id.map(|id| id.to_string());
            let given = draft.request.subject.as_deref().filter(|subject| !subject.trim().is_empty());
            message.subject = match (given, &life.thread.subject) {
                (Some(given), _) => Some(given.to_owned()),
                (None, Some(first)) => Some(format!("Re: {}", subject::base(first))),
                (None, None) => None,
            };
            if life.thread.subject.is_none() {
                life.thread.subject = given.map(|given| subject::base(given).to_owned());
            }
        }
        message.senders = vec![from];
        message.recipients = self.recipients;
        message.truncation_status = Some(TruncationStatus::NotTruncated);
        message.status = Some(status);
        message.direction = Some(Direction::Outgoing);
        message.channel_id = Some(account.channel_id.into());
        message.channel_account_id = Some(account.id.0.into());
    }
}

/// How far a message gets on an account as soon as it is written.
pub fn delivery(directory: &Directory, account: &Account) -> Status {
    let silent =
        directory.channel(account.channel_id).and_then(|channel| closing::silent(directory, channel));
    match (silent, account.adapter) {
        (Some(why), _) => Status::failed(format!("{why}, so nobody was told to deliver the message")),
        (None, Adapter::Stored) => Status::of(StatusType::Sent),
        (None, Adapter::None) => Status::failed(format!(
            "No adapter for channel {} is installed here, so the message was not delivered",
            account.channel_id
        )),
    }
}

fn keep<T>(problems: &mut Vec<Problem>, found: Result<T, Problem>) -> Option<T> {
    found.map_err(|problem| problems.push(problem)).ok()
}

/// Only agents send.
fn agent<'d>(directory: &'d Directory, sent: Option<&LenientId>) -> Result<&'d Actor, Problem> {
    const NAME: &str = "senderActorId";
    let sent = sent.ok_or_else(|| Problem::required(NAME))?.as_str();
    let id = match ActorId::parse(sent) {
        Ok(ActorId::Agent(id)) => id,
        Ok(other) => {
            let kind = other.kind().as_str();
            let why =
                format!("Actor type {kind} is not supported for sending; `{sent}` is not a valid actor ID");
            return Err(Problem::new(NAME, why));
        }
        Err(_) => return Err(Problem::new(NAME, format!("`{sent}` is not a valid actor ID"))),
    };
    match directory.actor(ActorKind::Agent, id) {
        Some(agent) if agent.active => Ok(agent),
        Some(_) => Err(Problem::new(NAME, format!("Agent `{sent}` is deactivated"))),
        None => Err(Problem::new(NAME, format!("Agent `{sent}` does not exist in this account"))),
    }
}

fn channel(sent: Option<&LenientId>) -> Result<i64, Problem> {
    const NAME: &str = "channelId";
    let sent = sent.ok_or_else(|| Problem::required(NAME))?;
    let id =
        sent.parse(MAX_INT32).ok_or_else(|| Problem::new(NAME, format!("`{sent}` is not a channel id")))?;
    match channel::cannot_send(id) {
        Some(why) => Err(Problem::new(NAME, why)),
        None => Ok(id),
    }
}

/// The account must be in working order, of the channel, and of the thread's inbox.
fn account<'d>(
    directory: &'d Directory,
    sent: Option<&LenientId>,
    channel: Option<i64>,
    life: &Lifecycle<'_>,
    problems: &mut Vec<Problem>,
) -> Option<&'d Account> {
    let account = keep(problems, working_account(directory, sent))?;
    let (id, thread) = (account.id, &life.thread);
    if let Some(channel) = channel
        && account.channel_id != channel
    {
        let its = account.channel_id;
        let why = format!("Channel account {id} belongs to channel {its}, not to channel {channel}");
        problems.push(Problem::new(ACCOUNT, why));
    }
    if account.inbox_id != thread.inbox_id {
        let (its, has) = (account.inbox_id, thread.inbox_id);
        let why = format!(
            "Channel account {id} belongs to inbox {its}, but thread {} is in inbox {has}",
            thread.id
        );
        problems.push(Problem::new(ACCOUNT, why).code("CHANNEL_ACCOUNT_CANNOT_SEND_MESSAGE_ON_THREAD"));
    }
    Some(account)
}

const ACCOUNT: &str = "channelAccountId";

/// An account over which messages can travel.
fn working_account<'d>(directory: &'d Directory, sent: Option<&LenientId>) -> Result<&'d Account, Problem> {
    let sent = sent.ok_or_else(|| Problem::required(ACCOUNT))?;
    let id = sent.parse(MAX_SAFE).map(antiphon_store::AccountId);
    let account = id.and_then(|id| directory.account(id));
    let is = match account {
        None => "does not exist in this account",
        Some(account) if account.archived_at.is_some() => "is archived",
        Some(account) if !account.authorized => "is not authorized",
        Some(account) if !is_active(directory, account) => "is switched off",
        Some(account) => return Ok(account),
    };
    Err(Problem::new(ACCOUNT, format!("Channel account {sent} {is}")))
}

#[cfg(test)]
pub(crate) mod tests;
