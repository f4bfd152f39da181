//! What an app's users said outside of the inbox, written down as if an agent had said it here. Nobody is told to carry it.

use antiphon_store::{
    AccountId, ActorKind, AppId, Changes, Channel, ConversationKey, Earlier, Identifier, MessageId, Millis,
    Moment, PortalId, State, Target, ThreadId, VisitorId,
};
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::message::{
    self as wire, DeliveryIdentifierType, Direction, MessageType, Recipient, Sender, Status, StatusType,
    TruncationStatus,
};

use crate::app::App;
use crate::files::links::Links;
use crate::messages::attachments::Attachments;
use crate::messages::bodies::Bodies;
use crate::messages::channel::{shown, stored};
use crate::messages::people::{self, People};
use crate::messages::receive::{self, Party, Person, Received, working_account};
use crate::messages::recipients::Counterpart;
use crate::messages::within_quota;
use crate::refusal::Refusal;
use crate::threads::history::{self, Author};
use crate::threads::lifecycle::{Entry, Lifecycle};

/// Somebody of the business.
#[derive(Debug, Clone)]
pub struct Speaker {
    pub party: Party,
    /// The actor who it is said to be.
    pub actor: Option<String>,
}

/// What was said.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub account_id: AccountId,
    pub channel: Channel,
    pub sender: Option<Speaker>,
    /// Empty where the conversation tells to whom.
    pub recipients: Vec<Party>,
    /// The contact who is spoken with, where it is known.
    pub visitor: Option<VisitorId>,
    /// The contacts behind the recipients' addresses.
    pub people: People,
    pub bodies: Bodies,
    pub attachments: Attachments,
    pub in_reply_to: Option<MessageId>,
    pub thread_key: Option<String>,
    pub idempotency_key: Option<String>,
    pub at: Option<Millis>,
}

/// Why it was not written down.
#[derive(Debug)]
enum Stopped {
    Refused(Refusal),
    /// It goes to whoever wrote last in this thread, and it is not known yet who that is.
    Unaddressed(ThreadId),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Writes it down, and answers once it is durable.
pub async fn take(
    app: &App,
    portal: PortalId,
    mut outgoing: Outgoing,
    links: &Links<'_>,
) -> Result<Received, Refusal> {
    let mut asked = None;
    loop {
        let target = Target::Conversation(key(app, portal, &outgoing, asked).await?);
        let (draft, known) = (outgoing.clone(), asked);
        let rule = move |state: &State, moment: &mut Moment| say(state, &draft, known, moment);
        match app.store.change(portal, target, rule).await? {
            Ok(applied) => return receive::received(app, portal, applied, links).await,
            Err(Stopped::Refused(refusal)) => return Err(refusal),
            Err(Stopped::Unaddressed(thread)) => {
                let last = app.store.latest_incoming(portal, thread, 1).await?.pop();
                let read = last.and_then(|last| wire::read(&last.document.bytes));
                let senders = read.map(|message| message.senders).unwrap_or_default();
                let last = senders.iter().find_map(Counterpart::of);
                let party = last.map(|one| Party { identifier: stored(&one.identifier), name: one.name });
                outgoing.recipients.extend(party);
                asked = Some(thread);
            }
        }
    }
}

/// Where it belongs. What is said to several belongs to all of them.
async fn key(
    app: &App,
    portal: PortalId,
    outgoing: &Outgoing,
    asked: Option<ThreadId>,
) -> Result<ConversationKey, Refusal> {
    let directory = app.store.directory(portal).await?.ok_or_else(|| Refusal::not_found(portal))?;
    let addresses: Vec<_> = outgoing.recipients.iter().map(|one| one.identifier.clone()).collect();
    let account = directory.account(outgoing.account_id);
    let matching = account.and_then(|account| super::matching(&directory, account, &addresses));
    // Where nobody is named, the conversation's name has to do.
    let named = asked.is_none() && !addresses.is_empty();
    Ok(ConversationKey {
        account_id: Some(outgoing.account_id),
        identifier: addresses.first().cloned(),
        visitor: outgoing.visitor,
        thread: None,
        thread_key: outgoing.thread_key.clone(),
        in_reply_to: outgoing.in_reply_to,
        idempotency_key: outgoing.idempotency_key.clone(),
        // With nobody there is no conversation that goes on.
        new_thread: addresses.is_empty(),
        parties_first: named && matching.as_ref().is_some_and(|matching| matching.parties_first),
        parties: matching.map(|matching| matching.parties),
    })
}

/// The rule. `asked` is a thread of which it is known who wrote last, if anybody did.
fn say(
    state: &State,
    outgoing: &Outgoing,
    asked: Option<ThreadId>,
    moment: &mut Moment,
) -> Result<Changes, Stopped> {
    if state.earlier.is_some() {
        return Ok(Changes::default());
    }
    let account = working_account(state, outgoing.account_id)?;
    let existing = state.thread.as_ref().filter(|thread| !thread.is_archived());
    if let (Some(thread), true) = (existing, outgoing.recipients.is_empty())
        && asked != Some(thread.id)
    {
        return Err(Stopped::Unaddressed(thread.id));
    }
    let at = outgoing.at.map(|at| at.min(moment.now));
    let first = outgoing.recipients.first();
    let person = first.map(|first| Person::of(state, first, outgoing.visitor.is_some(), moment, at));
    let author = Author::App(outgoing.channel.app_id);
    let mut life = match (existing, &person) {
        (Some(thread), _) => Lifecycle::of(thread, moment).at(at),
        (None, Some(person)) => Lifecycle::begin(account, person.visitor.id, &author, at, moment),
        (None, None) => return Err(Refusal::Invalid(vec![Problem::required("recipients")]).into()),
    };
    if let (Some(person), Some(first)) = (&person, first) {
        person.record(account, first, &mut life.changes);
    }
    let mut message = history::entry(MessageType::Message, author.actor(), author.client());
    message.senders = vec![sender(state, outgoing, account.identifier.as_ref(), outgoing.channel.app_id)];
    let recipient = |(nth, one): (usize, &Party)| {
        let delivery_identifier = shown(&one.identifier);
        let is_email = delivery_identifier.kind == DeliveryIdentifierType::Email;
        let actor_id = match &person {
            Some(person) if nth == 0 => Some(format!("V-{}", person.visitor.id)),
            _ => is_email
                .then(|| outgoing.people.actor(&state.directory, &delivery_identifier.value))
                .flatten(),
        };
        Recipient { actor_id, name: one.name.clone(), recipient_field: None, delivery_identifier }
    };
    message.recipients = outgoing.recipients.iter().enumerate().map(recipient).collect();
    let (attachments, files) = outgoing.attachments.settle(life.now, life.moment, &mut life.changes);
    message.attachments = Some(attachments);
    message.text = Some(outgoing.bodies.text.clone());
    message.rich_text = Some(outgoing.bodies.rich_text.clone());
    message.truncation_status = Some(TruncationStatus::NotTruncated);
    message.status = Some(Status::of(StatusType::Sent));
    message.direction = Some(Direction::Outgoing);
    message.channel_id = Some(account.channel_id.into());
    message.channel_account_id = Some(account.id.0.into());
    let in_thread = state.replied == Some(life.thread.id);
    message.in_reply_to_id = outgoing.in_reply_to.filter(|_| in_thread).map(|id| id.to_string());
    let people = people::named(&message, life.thread.visitor_id, account.identifier.as_ref());
    let id = life.say(Entry { message, original: None, people, files });
    let addresses: Vec<_> = outgoing.recipients.iter().map(|one| one.identifier.clone()).collect();
    if let Some(matching) = super::matching(&state.directory, account, &addresses) {
        receive::name(state, account.id, outgoing.thread_key.as_ref(), &matching, &mut life);
    }
    if let Some(key) = &outgoing.idempotency_key {
        let earlier = Earlier { thread_id: life.thread.id, message_id: id };
        life.changes.idempotency_keys.push((account.id, key.clone(), earlier));
    }
    Ok(within_quota(state, life.finish())?)
}

/// The actor who is said to have spoken, if that is one of the portal's; else the app.
fn sender(state: &State, outgoing: &Outgoing, own: Option<&Identifier>, app: AppId) -> Sender {
    let named = outgoing.sender.as_ref();
    let actor = named.and_then(|one| ActorId::parse(one.actor.as_deref()?).ok());
    let known = actor.and_then(|actor| match actor {
        ActorId::Agent(id) => state.directory.actor(ActorKind::Agent, id),
        ActorId::Bot(id) => state.directory.actor(ActorKind::Bot, id),
        ActorId::Llm(id) => state.directory.actor(ActorKind::Llm, id),
        _ => None,
    });
    let (actor_id, name) = match known {
        Some(known) => (crate::threads::assign::actor_id((known.kind, known.id)), known.name.clone()),
        None => (format!("I-{app}"), state.directory.app(app).map(|app| app.name.clone())),
    };
    let name = named.and_then(|one| one.party.name.clone()).or(name);
    let identifier = named.map(|one| &one.party.identifier).or(own);
    Sender { actor_id: Some(actor_id), name, sender_field: None, delivery_identifier: identifier.map(shown) }
}
