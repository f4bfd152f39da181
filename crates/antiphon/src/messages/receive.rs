//! Whatever comes in: one rule for letters, chats, forms and every other channel.
//!
//! An adapter turns what it was handed into an [`Incoming`] and gives it to [`take`]. The rule finds out who is speaking, finds
//! or opens the thread, and writes down what was said.

use antiphon_mail::subject;
use antiphon_store::{
    Account, AccountId, AppId, Applied, Changes, Chat, ConversationKey, Earlier, Identifier, MessageId,
    Millis, Moment, PortalId, State, Target, ThreadId, Visitor, VisitorId, phone_key,
};
use antiphon_wire::actor::SYSTEM;
use antiphon_wire::custom_channels::ACCOUNT_INACTIVE;
use antiphon_wire::error::Problem;
use antiphon_wire::message::{
    self as wire, Client, ClientType, DeliveryIdentifierType, Direction, MessageType, Recipient,
    RecipientField, Sender, SenderField, Status, StatusType,
};

use super::attachments::Attachments;
use super::bodies::{Bodies, Cut};
use super::channel::{self, EMAIL};
use super::people::{self, People};
use super::within_quota;
use crate::accounts::is_active;
use crate::app::App;
use crate::events::kinds;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::history::{self, Author};
use crate::threads::lifecycle::{Entry, Lifecycle};
use crate::widget::say::Beginning;

/// A message that came in, in the shape common to all channels.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The account on which it arrived.
    pub account_id: AccountId,
    /// Who is speaking.
    pub sender: Party,
    /// An existing visitor or contact that is known to be the sender; goes before what the address would tell.
    pub visitor: Option<VisitorId>,
    /// Others who are named as speaking, on channels of apps.
    pub also: Vec<Party>,
    /// Who passed a letter of the sender's on, if somebody did.
    pub forwarder: Option<Party>,
    /// To whom it was addressed; empty on chats.
    pub recipients: Vec<Addressee>,
    /// The contacts behind the recipients' addresses.
    pub people: People,
    /// What was said, complete and cut: [`Cut::letter`] for email, [`Cut::whole`] for everything else.
    pub said: Cut,
    pub attachments: Attachments,
    /// Letters only.
    pub subject: Option<String>,
    /// An earlier message of the account to which this is an answer.
    pub in_reply_to: Option<MessageId>,
    /// The integration's own name for the conversation.
    pub thread_key: Option<String>,
    /// The thread itself, where that is known.
    pub thread: Option<ThreadId>,
    /// On live chat: what is kept of its beginning, as a JSON object.
    pub chat: Option<String>,
    /// Unique per account; a repeat answers the first message.
    pub idempotency_key: Option<String>,
    /// By which id the sender's browser knows it.
    pub client_id: Option<String>,
    /// Never goes on with a thread just because the same visitor spoke there last.
    pub new_thread: bool,
    /// On channels of apps: how its conversation is found.
    pub matching: Option<Matching>,
    /// The app that published it, for channels that an app serves; `None` for built-in channels.
    pub published_by: Option<AppId>,
    /// When it was said, if that is not now.
    pub at: Option<Millis>,
}

/// How a conversation is found on a channel that an app brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// A name for those who are spoken with.
    pub parties: String,
    /// Whether they decide, whatever the integration calls the conversation.
    pub parties_first: bool,
}

/// Somebody with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub identifier: Identifier,
    pub name: Option<String>,
}

/// Somebody a letter was addressed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    pub party: Party,
    /// Letters only.
    pub field: Option<RecipientField>,
}

/// A message that was taken, now or by an earlier call with the same key.
#[derive(Debug, Clone)]
pub struct Received {
    pub thread_id: ThreadId,
    pub message_id: MessageId,
    /// The message as the API prints it.
    pub message: Vec<u8>,
    /// `false` when this was a repeat.
    pub new: bool,
    /// Whether the thread began with it.
    pub began: bool,
}

impl Incoming {
    /// A message with nothing but a sender and what was said.
    pub fn new(account_id: AccountId, sender: Party, said: Cut) -> Self {
        Self {
            account_id,
            sender,
            visitor: None,
            also: Vec::new(),
            forwarder: None,
            recipients: Vec::new(),
            people: People::default(),
            said,
            attachments: Attachments::default(),
            subject: None,
            in_reply_to: None,
            thread_key: None,
            thread: None,
            chat: None,
            idempotency_key: None,
            client_id: None,
            new_thread: false,
            matching: None,
            published_by: None,
            at: None,
        }
    }

    /// Where the message belongs.
    fn key(&self) -> ConversationKey {
        ConversationKey {
            account_id: Some(self.account_id),
            identifier: Some(self.sender.identifier.clone()),
            visitor: self.visitor,
            thread: self.thread,
            thread_key: self.thread_key.clone(),
            in_reply_to: self.in_reply_to,
            idempotency_key: self.idempotency_key.clone(),
            new_thread: self.new_thread,
            parties: self.matching.as_ref().map(|matching| matching.parties.clone()),
            parties_first: self.matching.as_ref().is_some_and(|matching| matching.parties_first),
        }
    }
}

/// Takes a message in, and answers it once it is durable.
pub async fn take(
    app: &App,
    portal: PortalId,
    incoming: Incoming,
    links: &Links<'_>,
) -> Result<Received, Refusal> {
    let target = Target::Conversation(incoming.key());
    let rule = move |state: &State, moment: &mut Moment| receive(state, &incoming, moment);
    let applied = app.store.change(portal, target, rule).await??;
    received(app, portal, applied, links).await
}

/// What came of it, now or earlier.
pub(crate) async fn received(
    app: &App,
    portal: PortalId,
    applied: Applied,
    links: &Links<'_>,
) -> Result<Received, Refusal> {
    if let Some(Earlier { thread_id, message_id }) = applied.state.earlier {
        let stored = app.store.message_by_id(portal, thread_id, message_id).await?;
        let stored = stored.ok_or_else(|| Refusal::not_found(message_id))?;
        return Ok(Received {
            thread_id,
            message_id,
            message: super::print(&stored, links),
            new: false,
            began: false,
        });
    }
    let said = applied.changes.messages.iter().find(|one| one.direction.is_some());
    let said = said.ok_or_else(|| Refusal::Internal("a message was accepted and not stored".into()))?;
    let mut message = Vec::with_capacity(said.document.bytes.len() + 6);
    wire::complete(&said.document.bytes, false, links, &mut message);
    let began =
        applied.changes.threads.iter().any(|thread| thread.id == said.thread_id && thread.revision == 1);
    Ok(Received { thread_id: said.thread_id, message_id: said.id, message, new: true, began })
}

/// The rule. Its target is the conversation that [`take`] names.
pub fn receive(state: &State, incoming: &Incoming, moment: &mut Moment) -> Result<Changes, Refusal> {
    if state.earlier.is_some() {
        return Ok(Changes::default());
    }
    let account = working_account(state, incoming.account_id)?;
    // Nobody writes from the future.
    let at = incoming.at.map(|at| at.min(moment.now));
    let person = Person::of(state, &incoming.sender, incoming.visitor.is_some(), moment, at);
    let existing = state.thread.as_ref().filter(|thread| !thread.is_archived());
    let mut life = match existing {
        Some(thread) => Lifecycle::of(thread, moment).at(at),
        None => {
            let by = incoming.published_by.map_or(Author::System, Author::App);
            Lifecycle::begin(account, person.visitor.id, &by, at, moment)
        }
    };
    person.record(account, &incoming.sender, &mut life.changes);
    if life.is_new()
        && let Some(greeting) = &account.welcome
    {
        life.say(Entry::plain(welcome(greeting, account, &person.visitor, &incoming.sender)));
    }
    let entry = said(state, account, incoming, &person.visitor, &mut life);
    let id = life.say_as(entry, incoming.client_id.as_deref());
    if life.is_new() {
        life.opened();
        begin_chat(account, &incoming.sender.identifier, incoming.chat.clone(), &mut life);
        if let (Some(key), None) = (&incoming.thread_key, &incoming.matching) {
            life.changes.thread_keys.push((account.id, key.clone(), life.thread.id));
        }
    } else {
        life.set_status(antiphon_store::ThreadStatus::Open, &Author::System);
    }
    if let Some(matching) = &incoming.matching {
        name(state, account.id, incoming.thread_key.as_ref(), matching, &mut life);
    }
    if let Some(key) = &incoming.idempotency_key {
        let earlier = Earlier { thread_id: life.thread.id, message_id: id };
        life.changes.idempotency_keys.push((account.id, key.clone(), earlier));
    }
    within_quota(state, life.finish())
}

/// Notes whose a new thread on live chat is: what a visitor sees goes by the key that began it.
pub(crate) fn begin_chat(
    account: &Account,
    identifier: &Identifier,
    said: Option<String>,
    life: &mut Lifecycle<'_>,
) {
    let opaque = DeliveryIdentifierType::parse(&identifier.kind) == Some(DeliveryIdentifierType::Opaque);
    if account.channel_id == channel::LIVE_CHAT && opaque {
        let (thread_id, visitor_key) = (life.thread.id, identifier.value.clone());
        let address = Beginning::parse(said.as_deref()).email;
        let said_of = address.as_deref().map(antiphon_store::said_of);
        life.changes.chats.push(Chat { thread_id, account_id: account.id, visitor_key, said, said_of });
    }
}

/// Notes under which names a conversation on a channel of an app is found again. A name that leads to another living thread
/// goes on leading there.
pub(crate) fn name(
    state: &State,
    account: AccountId,
    key: Option<&String>,
    matching: &Matching,
    life: &mut Lifecycle<'_>,
) {
    let thread = life.thread.id;
    if let (Some(key), None) = (key, state.named) {
        life.changes.thread_keys.push((account, key.clone(), thread));
    }
    if life.is_new() {
        life.changes.thread_keys.push((account, matching.parties.clone(), thread));
    }
}

/// The account on which something arrives or starts.
pub(crate) fn working_account(state: &State, id: AccountId) -> Result<&Account, Refusal> {
    let account = state.directory.account(id);
    let is = match account {
        None => "does not exist in this account",
        Some(account) if account.archived_at.is_some() => "is archived",
        Some(account) if !is_active(&state.directory, account) => "is switched off",
        Some(account) => return Ok(account),
    };
    let problem = Problem::new("channelAccountId", format!("Channel account {id} {is}"));
    let brought = account.is_some_and(|account| account.channel_id >= channel::FIRST_CUSTOM);
    Err(Refusal::Invalid(vec![if brought { problem.sub_category(ACCOUNT_INACTIVE) } else { problem }]))
}

/// The entry for what was said.
fn said(
    state: &State,
    account: &Account,
    incoming: &Incoming,
    visitor: &Visitor,
    life: &mut Lifecycle<'_>,
) -> Entry {
    let client = match incoming.published_by {
        Some(app) => Client::app(app.0),
        None => Client::of(ClientType::Hubspot),
    };
    let actor = format!("V-{}", visitor.id);
    let mut message = history::entry(MessageType::Message, actor.clone(), client);
    let letter = account.channel_id == EMAIL;
    let field = match (&incoming.forwarder, letter) {
        (_, false) => None,
        (None, true) => Some(SenderField::From),
        (Some(_), true) => Some(SenderField::OriginalFrom),
    };
    let name = incoming.sender.name.clone().or_else(|| visitor.name.clone());
    message.senders = vec![sender(&incoming.sender, Some(actor), name, field)];
    if let Some(forwarder) = incoming.forwarder.as_ref().filter(|_| letter) {
        message.senders.push(sender(forwarder, None, forwarder.name.clone(), Some(SenderField::From)));
    }
    message.senders.extend(incoming.also.iter().map(|one| sender(one, None, one.name.clone(), None)));
    message.recipients =
        incoming.recipients.iter().map(|one| recipient(state, incoming, letter, one)).collect();
    let (attachments, files) = incoming.attachments.settle(life.now, life.moment, &mut life.changes);
    message.attachments = Some(attachments);
    message.text = Some(incoming.said.bodies.text.clone());
    message.rich_text = Some(incoming.said.bodies.rich_text.clone());
    message.truncation_status = Some(incoming.said.truncation);
    message.status = Some(Status::of(StatusType::Received));
    message.direction = Some(Direction::Incoming);
    message.channel_id = Some(account.channel_id.into());
    message.channel_account_id = Some(account.id.0.into());
    if letter {
        message.subject = incoming.subject.clone();
        if life.thread.subject.is_none() {
            life.thread.subject = incoming.subject.as_deref().map(|sent| subject::base(sent).to_owned());
        }
    }
    let in_thread = state.replied == Some(life.thread.id);
    message.in_reply_to_id = incoming.in_reply_to.filter(|_| in_thread).map(|id| id.to_string());
    let people = people::named(&message, life.thread.visitor_id, account.identifier.as_ref());
    let original = incoming.said.original.as_ref().map(Bodies::to_json);
    Entry { message, original, people, files }
}

fn sender(
    party: &Party,
    actor_id: Option<String>,
    name: Option<String>,
    field: Option<SenderField>,
) -> Sender {
    let delivery_identifier = Some(channel::shown(&party.identifier));
    Sender { actor_id, name, sender_field: field, delivery_identifier }
}

fn recipient(state: &State, incoming: &Incoming, letter: bool, one: &Addressee) -> Recipient {
    let delivery_identifier = channel::shown(&one.party.identifier);
    let is_address = delivery_identifier.kind == DeliveryIdentifierType::Email;
    let actor_id =
        is_address.then(|| incoming.people.actor(&state.directory, &delivery_identifier.value)).flatten();
    let recipient_field = letter.then_some(one.field.unwrap_or(RecipientField::To));
    Recipient { actor_id, name: one.party.name.clone(), recipient_field, delivery_identifier }
}

/// The greeting that the visitor saw before writing.
fn welcome(greeting: &str, account: &Account, visitor: &Visitor, sender: &Party) -> wire::Message {
    let mut message =
        history::entry(MessageType::WelcomeMessage, SYSTEM.to_owned(), Client::of(ClientType::System));
    let bodies = Bodies::complete(Some(greeting.to_owned()), None);
    message.senders = vec![Sender::actor(SYSTEM)];
    message.recipients = vec![Recipient {
        actor_id: Some(format!("V-{}", visitor.id)),
        name: None,
        recipient_field: None,
        delivery_identifier: channel::shown(&sender.identifier),
    }];
    message.text = Some(bodies.text);
    message.rich_text = Some(bodies.rich_text);
    message.channel_id = Some(account.channel_id.into());
    message.channel_account_id = Some(account.id.0.into());
    message
}

/// The visitor or contact who speaks, as it is from now on.
pub(crate) struct Person {
    pub visitor: Visitor,
    /// As it was, if it was there.
    before: Option<Visitor>,
    /// Whether the address has to be bound to it.
    bind: bool,
    at: Millis,
}

impl Person {
    /// Whoever was named; else whoever has the address on the account; else the contact who has it at all; else somebody new,
    /// who is a contact at once if the address can be found again elsewhere, as mail addresses and phone numbers can.
    pub(crate) fn of(
        state: &State,
        party: &Party,
        named: bool,
        moment: &mut Moment,
        at: Option<Millis>,
    ) -> Self {
        let at = at.unwrap_or(moment.now);
        let kind = DeliveryIdentifierType::parse(&party.identifier.kind);
        let (email, phone) = match kind {
            Some(DeliveryIdentifierType::Email) => (Some(party.identifier.value.clone()), None),
            Some(DeliveryIdentifierType::Phone) => (None, Some(phone_key(&party.identifier.value))),
            _ => (None, None),
        };
        let identified = email.is_some() || phone.is_some();
        let bound = state.visitor.clone().filter(|one| named || one.contact || state.contact.is_none());
        let bind = bound.is_none() || (named && state.bound != bound.as_ref().map(|one| one.id));
        let before = bound.or_else(|| state.contact.clone());
        let mut visitor = before.clone().unwrap_or_else(|| Visitor {
            id: moment.visitor_id(),
            contact: identified,
            name: None,
            email: email.clone(),
            phone: phone.clone(),
            avatar: None,
            created_at: at,
            updated_at: at,
        });
        if identified && !visitor.contact && state.contact.is_none() {
            visitor.contact = true;
            visitor.email = visitor.email.or(email);
            visitor.phone = visitor.phone.or(phone);
        }
        if visitor.name.is_none() {
            visitor.name = party.name.clone();
        }
        if before.as_ref() != Some(&visitor) {
            visitor.updated_at = at;
        }
        Self { visitor, before, bind, at }
    }

    /// Writes down what is new about the person.
    pub(crate) fn record(&self, account: &Account, party: &Party, changes: &mut Changes) {
        if self.before.as_ref() != Some(&self.visitor) {
            changes.visitors.push(self.visitor.clone());
            changes.events.push(kinds::visitor_changed(self.before.as_ref(), &self.visitor, self.at));
        }
        if self.bind {
            changes.identities.push((account.id, party.identifier.clone(), self.visitor.id));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
