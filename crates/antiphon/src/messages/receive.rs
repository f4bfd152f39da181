//! Whatever comes in: one rule for letters, chats, forms and every other channel.
//!
//! An adapter turns what it was handed into an [`Incoming`] and gives it to [`take`]. The rule finds out who is speaking, finds
//! or opens the thread, and writes down what was said.

use antiphon_mail::subject;
use antiphon_store::{
    Account, AccountId, AppId, Changes, ConversationKey, Earlier, Identifier, MessageId, Millis, Moment,
    PortalId, State, Target, ThreadId, Visitor, VisitorId,
};
use antiphon_wire::actor::SYSTEM;
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
use crate::app::App;
use crate::events::kinds;
use crate::refusal::Refusal;
use crate::threads::history::{self, Author};
use crate::threads::lifecycle::{Entry, Lifecycle};

/// A message that came in, in the shape common to all channels.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The account on which it arrived.
    pub account_id: AccountId,
    /// Who is speaking.
    pub sender: Party,
    /// An existing visitor or contact that is known to be the sender; goes before what the address would tell.
    pub visitor: Option<VisitorId>,
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
    /// Unique per account; a repeat answers the first message.
    pub idempotency_key: Option<String>,
    /// Never goes on with a thread just because the same visitor spoke there last.
    pub new_thread: bool,
    /// The app that published it, for channels that an app serves; `None` for built-in channels.
    pub published_by: Option<AppId>,
    /// When it was said, if that is not now.
    pub at: Option<Millis>,
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
}

impl Incoming {
    /// A message with nothing but a sender and what was said.
    pub fn new(account_id: AccountId, sender: Party, said: Cut) -> Self {
        Self {
            account_id,
            sender,
            visitor: None,
            forwarder: None,
            recipients: Vec::new(),
            people: People::default(),
            said,
            attachments: Attachments::default(),
            subject: None,
            in_reply_to: None,
            thread_key: None,
            idempotency_key: None,
            new_thread: false,
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
            thread_key: self.thread_key.clone(),
            in_reply_to: self.in_reply_to,
            idempotency_key: self.idempotency_key.clone(),
            new_thread: self.new_thread,
        }
    }
}

/// Takes a message in, and answers it once it is durable.
pub async fn take(app: &App, portal: PortalId, incoming: Incoming) -> Result<Received, Refusal> {
    let target = Target::Conversation(incoming.key());
    let rule = move |state: &State, moment: &mut Moment| receive(state, &incoming, moment);
    let applied = app.store.change(portal, target, rule).await??;
    if let Some(Earlier { thread_id, message_id }) = applied.state.earlier {
        let stored = app.store.message_by_id(portal, thread_id, message_id).await?;
        let stored = stored.ok_or_else(|| Refusal::not_found(message_id))?;
        return Ok(Received { thread_id, message_id, message: super::print(&stored)?, new: false });
    }
    let said = applied.changes.messages.iter().find(|one| one.direction.is_some());
    let said = said.ok_or_else(|| Refusal::Internal("a message was accepted and not stored".into()))?;
    let mut message = Vec::with_capacity(said.document.bytes.len() + 6);
    wire::complete(&said.document.bytes, false, &mut message);
    Ok(Received { thread_id: said.thread_id, message_id: said.id, message, new: true })
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
        None => Lifecycle::begin(account, person.visitor.id, at, moment),
    };
    person.record(account, &incoming.sender, &mut life.changes);
    if life.is_new()
        && let Some(greeting) = &account.welcome
    {
        life.say(Entry::plain(welcome(greeting, account, &person.visitor, &incoming.sender)));
    }
    let entry = said(state, account, incoming, &person.visitor, &mut life);
    let id = life.say(entry);
    if life.is_new() {
        life.opened();
        if let Some(key) = &incoming.thread_key {
            life.changes.thread_keys.push((account.id, key.clone(), life.thread.id));
        }
    } else {
        life.set_status(antiphon_store::ThreadStatus::Open, &Author::System);
    }
    if let Some(key) = &incoming.idempotency_key {
        let earlier = Earlier { thread_id: life.thread.id, message_id: id };
        life.changes.idempotency_keys.push((account.id, key.clone(), earlier));
    }
    within_quota(state, life.finish())
}

/// The account on which something arrives or starts.
pub(crate) fn working_account(state: &State, id: AccountId) -> Result<&Account, Refusal> {
    let account = state.directory.accounts.get(&id);
    let is = match account {
        None => "does not exist in this account",
        Some(account) if account.archived_at.is_some() => "is archived",
        Some(account) if !account.active => "is switched off",
        Some(account) => return Ok(account),
    };
    Err(Refusal::Invalid(vec![Problem::new("channelAccountId", format!("Channel account {id} {is}"))]))
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
    let actors = message.senders.iter().map(|one| one.actor_id.as_deref());
    let actors = actors.chain(message.recipients.iter().map(|one| one.actor_id.as_deref()));
    let people = people::visitors(actors, life.thread.visitor_id);
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
    /// Whether it has to be written.
    changed: bool,
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
            Some(DeliveryIdentifierType::Phone) => (None, Some(party.identifier.value.clone())),
            _ => (None, None),
        };
        let identified = email.is_some() || phone.is_some();
        let bound = state.visitor.clone().filter(|one| named || one.contact || state.contact.is_none());
        let bind = named || bound.is_none();
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
        let changed = before.as_ref() != Some(&visitor);
        if changed {
            visitor.updated_at = at;
        }
        Self { visitor, changed, bind, at }
    }

    /// Writes down what is new about the person.
    pub(crate) fn record(&self, account: &Account, party: &Party, changes: &mut Changes) {
        if self.changed {
            changes.visitors.push(self.visitor.clone());
            changes.events.push(kinds::visitor_changed(self.visitor.id, self.at));
        }
        if self.bind {
            changes.identities.push((account.id, party.identifier.clone(), self.visitor.id));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use antiphon_store::ThreadStatus;
    use antiphon_wire::message::TruncationStatus;

    use super::*;
    use crate::testing::{self, CHAT, FORM, MAIL, NOW, QUIET_CHAT, entries, events, public};

    fn party(kind: &str, value: &str, name: Option<&str>) -> Party {
        let identifier = Identifier { kind: kind.into(), value: value.into() };
        Party { identifier, name: name.map(str::to_owned) }
    }

    fn address(value: &str, name: Option<&str>) -> Party {
        party("HS_EMAIL_ADDRESS", value, name)
    }

    fn words(text: &str) -> Cut {
        Cut::whole(Bodies::complete(Some(text.into()), None))
    }

    pub(crate) fn mail(text: &str) -> Incoming {
        let said = Cut::letter(Some(text.into()), None);
        Incoming {
            subject: Some("Re: Wrong VAT number".into()),
            recipients: vec![Addressee {
                party: address("help@acme.example", Some("Helpdesk")),
                field: Some(RecipientField::To),
            }],
            ..Incoming::new(MAIL, address("ines@example.net", Some("Ines Okafor")), said)
        }
    }

    pub(crate) fn chat(account: AccountId) -> Incoming {
        Incoming::new(
            account,
            party("CHANNEL_SPECIFIC_OPAQUE_ID", "chat-9", None),
            words("Is anybody there?"),
        )
    }

    fn take(state: &State, incoming: &Incoming) -> Changes {
        receive(state, incoming, &mut Moment::still(NOW)).unwrap()
    }

    fn json(value: &impl serde::Serialize) -> serde_json::Value {
        serde_json::to_value(value).unwrap()
    }

    #[test]
    fn a_first_letter() {
        let mut incoming = mail("The number is wrong.");
        incoming
            .recipients
            .push(Addressee { party: address("mia@acme.example", None), field: Some(RecipientField::Cc) });
        let changes = take(&testing::empty(), &incoming);
        assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]);
        assert_eq!(events(&changes), ["creation", "(visitor)", "newMessage MESSAGE", "(touched)"]);
        assert_eq!(
            json(&testing::messages(&changes)[0]),
            serde_json::json!({
                "type": "MESSAGE", "id": changes.messages[0].id.to_string(), "conversationsThreadId": "1",
                "createdAt": "2026-10-06T08:00:00.000Z", "updatedAt": "2026-10-06T08:00:00.000Z", "createdBy": "V-1",
                "client": { "clientType": "HUBSPOT" },
                "senders": [{ "actorId": "V-1", "name": "Ines Okafor", "senderField": "FROM",
                    "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } }],
                "recipients": [
                    { "name": "Helpdesk", "recipientField": "TO",
                      "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" } },
                    { "actorId": "A-71", "recipientField": "CC",
                      "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "mia@acme.example" } },
                ],
                "text": "The number is wrong.", "richText": "<div>The number is wrong.</div>", "attachments": [],
                "subject": "Re: Wrong VAT number", "truncationStatus": "NOT_TRUNCATED",
                "status": { "statusType": "RECEIVED" }, "direction": "INCOMING",
                "channelId": "1002", "channelAccountId": "70018",
            })
        );
        let opening = json(&testing::messages(&changes)[1]);
        assert_eq!(opening["client"], serde_json::json!({ "clientType": "SYSTEM" }));
        let thread = &changes.threads[0];
        assert_eq!((thread.subject.as_deref(), thread.visitor_id), (Some("Wrong VAT number"), VisitorId(1)));
        assert_eq!((thread.created_at, thread.latest_received_at), (NOW, Some(NOW)));
        let contact = &changes.visitors[0];
        assert!(contact.contact);
        assert_eq!(contact.email.as_deref(), Some("ines@example.net"));
        assert_eq!(changes.identities.len(), 1);
    }

    #[test]
    fn a_first_chat_message_follows_its_greeting() {
        let changes = take(&testing::empty(), &chat(CHAT));
        assert_eq!(
            entries(&changes),
            ["WELCOME by S-hubspot", "MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]
        );
        assert_eq!(public(&changes), ["creation", "newMessage WELCOME_MESSAGE", "newMessage MESSAGE"]);
        let said = testing::messages(&changes);
        let greeting = json(&said[0]);
        assert_eq!(greeting["recipients"][0]["actorId"], "V-1");
        assert_eq!(greeting["richText"], "<div>Hello! How can we help?</div>");
        let message = json(&said[1]);
        assert_eq!(message["recipients"], serde_json::json!([]));
        assert!(message["senders"][0].get("senderField").is_none() && message.get("subject").is_none());
        assert!(!changes.visitors[0].contact, "a chat visitor is nobody's contact yet");
        assert_eq!(changes.threads[0].latest_message_at, Some(changes.messages[1].created_at));
        let quiet = take(&testing::empty(), &chat(QUIET_CHAT));
        assert_eq!(entries(&quiet), ["MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]);
    }

    #[test]
    fn a_form_is_one_message() {
        let said = words(&crate::messages::bodies::form_text([("Name", "Ines"), ("Order", "12")]));
        let changes = take(&testing::empty(), &Incoming::new(FORM, address("ines@example.net", None), said));
        assert_eq!(testing::messages(&changes)[0].text.as_deref(), Some("Name: Ines\nOrder: 12"));
        assert!(changes.visitors[0].contact);
    }

    #[test]
    fn an_open_thread_goes_on() {
        let changes = take(&testing::state(), &mail("And the date."));
        assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-20"]);
        assert_eq!(events(&changes), ["newMessage MESSAGE"]);
        assert!(changes.visitors.is_empty() && changes.identities.is_empty());
    }

    #[test]
    fn a_closed_thread_opens_again() {
        let mut state = testing::state();
        testing::close(&mut state);
        state.thread.as_mut().unwrap().assigned_to = Some("A-71".into());
        let changes = take(&state, &mail("Still wrong."));
        assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-20", "STATUS OPEN by S-hubspot"]);
        assert_eq!(events(&changes), ["newMessage MESSAGE", "status=OPEN"]);
        let thread = &changes.threads[0];
        assert_eq!((thread.status, thread.closed_at), (ThreadStatus::Open, None));
        assert_eq!(thread.assigned_to.as_deref(), Some("A-71"));
    }

    #[test]
    fn an_archived_thread_is_left_alone() {
        let mut state = testing::state();
        state.thread.as_mut().unwrap().archived_at = Some(3);
        let changes = take(&state, &mail("Hello?"));
        assert_eq!(public(&changes), ["creation", "newMessage MESSAGE"]);
        assert_ne!(changes.threads[0].id, testing::THREAD);
    }

    #[test]
    fn a_repeat_changes_nothing() {
        let earlier = Earlier { thread_id: ThreadId(3), message_id: MessageId([9; 16]) };
        let state = State { earlier: Some(earlier), ..testing::state() };
        assert!(take(&state, &mail("again")).is_empty());
        let first = Incoming { idempotency_key: Some("k".into()), thread_key: Some("t".into()), ..mail("x") };
        let changes = take(&testing::empty(), &first);
        assert_eq!(changes.idempotency_keys[0].1, "k");
        assert_eq!(changes.idempotency_keys[0].2.message_id, changes.messages[0].id);
        assert_eq!(changes.thread_keys, [(MAIL, "t".to_owned(), changes.threads[0].id)]);
    }

    #[test]
    fn a_forwarded_letter_has_two_senders() {
        let incoming =
            Incoming { forwarder: Some(address("boss@example.org", Some("Boss"))), ..mail("See below.") };
        let changes = take(&testing::empty(), &incoming);
        assert_eq!(
            json(&testing::messages(&changes)[0].senders),
            serde_json::json!([
                { "actorId": "V-1", "name": "Ines Okafor", "senderField": "ORIGINAL_FROM",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } },
                { "name": "Boss", "senderField": "FROM",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "boss@example.org" } },
            ])
        );
    }

    #[test]
    fn an_answer_names_its_question_only_inside_the_thread() {
        let question = MessageId([4; 16]);
        let incoming = Incoming { in_reply_to: Some(question), ..mail("Yes.") };
        for (replied, named) in [(Some(testing::THREAD), true), (Some(ThreadId(99)), false), (None, false)] {
            let state = State { replied, ..testing::state() };
            let message = testing::messages(&take(&state, &incoming)).remove(0);
            assert_eq!(message.in_reply_to_id, named.then(|| question.to_string()));
        }
    }

    #[test]
    fn a_quoting_letter_keeps_what_was_cut() {
        let text =
            "Thanks!\n\nOn Tue, 6 Oct 2026 at 09:02, Helpdesk <help@acme.example> wrote:\n> An invoice.\n";
        let changes = take(&testing::state(), &mail(text));
        let message = testing::messages(&changes).remove(0);
        assert_eq!(message.truncation_status, Some(TruncationStatus::ToMostRecentReply));
        assert!(!message.text.unwrap().contains("invoice"));
        let original: serde_json::Value =
            serde_json::from_slice(changes.messages[0].original.as_ref().unwrap()).unwrap();
        assert_eq!(original["text"], text);
        assert!(original["richText"].as_str().unwrap().contains("invoice"));
    }

    #[test]
    fn who_is_speaking() {
        let ines = testing::ines();
        let stranger = Visitor { contact: false, email: None, name: None, id: VisitorId(30), ..ines.clone() };
        let nobody = testing::empty();
        // Known by the address on the account; as a contact from elsewhere; as a visitor who becomes one.
        let changes = take(&State { contact: Some(ines.clone()), ..nobody.clone() }, &mail("x"));
        assert_eq!((changes.threads[0].visitor_id, changes.visitors.len()), (VisitorId(20), 0));
        assert_eq!(changes.identities[0].2, VisitorId(20));
        let changes = take(&State { visitor: Some(stranger.clone()), ..nobody.clone() }, &mail("x"));
        assert_eq!(changes.threads[0].visitor_id, VisitorId(30));
        assert!(changes.visitors[0].contact && changes.identities.is_empty());
        assert_eq!(changes.visitors[0].name.as_deref(), Some("Ines Okafor"));
        // A visitor whose address turns out to be a contact's speaks as that contact from now on.
        let both = State { visitor: Some(stranger.clone()), contact: Some(ines.clone()), ..nobody.clone() };
        let changes = take(&both, &mail("x"));
        assert_eq!((changes.threads[0].visitor_id, changes.identities[0].2), (VisitorId(20), VisitorId(20)));
        // Unless somebody else is named.
        let named = Incoming { visitor: Some(VisitorId(30)), ..mail("x") };
        let changes = take(&both, &named);
        assert_eq!((changes.threads[0].visitor_id, changes.identities[0].2), (VisitorId(30), VisitorId(30)));
        assert!(
            changes.visitors.iter().all(|visitor| visitor.email.is_none()),
            "the address stays the contact's"
        );
    }

    #[test]
    fn old_messages_keep_their_time_and_order() {
        let old = Incoming { at: Some(NOW - 1_000_000), published_by: Some(AppId(4410)), ..chat(QUIET_CHAT) };
        let changes = take(&testing::empty(), &old);
        let times: Vec<_> = changes.messages.iter().map(|message| message.created_at).collect();
        assert_eq!(times, [NOW - 1_000_000, NOW - 999_999]);
        assert_eq!(
            json(&testing::messages(&changes)[0].client),
            serde_json::json!(
            { "clientType": "INTEGRATION", "integrationAppId": 4410 })
        );
        let late = take(&testing::state(), &old);
        assert_eq!(late.messages[0].created_at, testing::state().thread.unwrap().latest_entry_at + 1);
        let future = take(&testing::empty(), &Incoming { at: Some(NOW + 5000), ..chat(QUIET_CHAT) });
        assert_eq!(future.messages[0].created_at, NOW);
    }

    #[test]
    fn some_accounts_take_nothing() {
        for account in [AccountId(1), testing::ARCHIVED, testing::INACTIVE] {
            let refused = receive(&testing::empty(), &chat(account), &mut Moment::still(NOW)).unwrap_err();
            assert_eq!(testing::named(&refused), ["channelAccountId"]);
        }
        let mut full = testing::empty();
        testing::limit_messages(&mut full, 1);
        assert_eq!(receive(&full, &chat(QUIET_CHAT), &mut Moment::still(NOW)), Err(Refusal::QuotaExceeded));
    }
}
