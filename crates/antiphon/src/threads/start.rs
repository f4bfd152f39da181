//! Opening a thread from inside: an agent or an integration turns to somebody before anything came in.

use antiphon_store::{
    Account, AccountId, Changes, ConversationKey, Moment, State, Target, ThreadId, VisitorId,
};
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::message::Create;
use antiphon_wire::own::ThreadStart;

use super::answer;
use super::history::Author;
use super::lifecycle::Lifecycle;
use crate::call::{Answer, Call};
use crate::custom_channels::{self, capabilities::Capabilities};
use crate::messages::inject::{KEY_LIMIT, SUBJECT_LIMIT};
use crate::messages::post::{self, Draft};
use crate::messages::receive::{Party, Person, begin_chat, working_account};
use crate::messages::recipients::Counterpart;
use crate::messages::{channel, party, within_quota};
use crate::refusal::Refusal;

/// What is asked for. The target is [`antiphon_store::Target::Conversation`] with [`Start::key`].
#[derive(Debug, Clone)]
pub struct Start {
    pub account_id: AccountId,
    pub by: Author,
    /// With whom.
    pub party: Party,
    /// The contact that is meant, where it is known; `party` holds its address.
    pub visitor: Option<VisitorId>,
    /// The integration's own name for the conversation.
    pub thread_key: Option<String>,
    /// Letters only; the subject of the first message otherwise.
    pub subject: Option<String>,
    /// What is said first, if anything. Without recipients of its own it goes to the party.
    pub first: Option<Draft>,
}

impl Start {
    /// The key of the change: whom the thread is with, and never a thread that exists, save by its own name.
    pub fn key(&self) -> ConversationKey {
        ConversationKey {
            account_id: Some(self.account_id),
            identifier: Some(self.party.identifier.clone()),
            visitor: self.visitor,
            thread_key: self.thread_key.clone(),
            new_thread: true,
            ..ConversationKey::default()
        }
    }
}

/// `POST /threads`
pub async fn open(call: Call) -> Result<Answer, Refusal> {
    let body: ThreadStart = call.json()?;
    let asked = read(&call, body).await?;
    let target = Target::Conversation(asked.key());
    let rule = move |state: &State, moment: &mut Moment| start(state, &asked, moment);
    let applied = call.app.store.change(call.caller.portal(), target, rule).await??;
    let answer = answer(&applied, "", false)?;
    let id = applied.changes.threads.first().map(|thread| thread.id);
    let location = id.map(|id| format!("/conversations/v3/conversations/threads/{id}"));
    Ok(Answer { status: 201, location, ..answer })
}

/// Reads a request and looks up what it names.
async fn read(call: &Call, body: ThreadStart) -> Result<Start, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let mut problems = Vec::new();
    let account = match &body.channel_account_id {
        None => {
            problems.push(Problem::required("channelAccountId"));
            None
        }
        Some(sent) => {
            let id = sent.parse(MAX_SAFE).map(AccountId);
            let known = id.and_then(|id| call.caller.directory.account(id));
            if known.is_none() {
                let message = format!("Channel account {sent} does not exist in this account");
                problems.push(Problem::new("channelAccountId", message));
            }
            known
        }
    };
    let party =
        party::find(store, portal, account, "recipient", body.recipient.as_ref(), &mut problems).await?;
    for (field, text, limit) in [
        ("integrationThreadId", &body.integration_thread_id, KEY_LIMIT),
        ("subject", &body.subject, SUBJECT_LIMIT),
    ] {
        if text.as_ref().is_some_and(|text| text.chars().count() > limit) {
            problems.push(Problem::new(field, format!("{field} is longer than {limit} characters")));
        }
    }
    if body.integration_thread_id.as_ref().is_some_and(|key| !ConversationKey::is_name(key)) {
        problems.push(Problem::new("integrationThreadId", "integrationThreadId cannot begin with U+0001"));
    }
    let (Some(account), Some((party, visitor)), true) = (account, party, problems.is_empty()) else {
        return Err(Refusal::Invalid(problems));
    };
    let first = match body.message {
        Some(message) => {
            let mut draft =
                Draft::read(store, portal, Author::of(&call.caller), addressed(message, account)).await?;
            draft.find_visitors(store, portal).await?;
            Some(draft)
        }
        None => None,
    };
    let letter = account.channel_id == channel::EMAIL;
    let subject = body.subject.filter(|_| letter);
    Ok(Start {
        account_id: account.id,
        by: Author::of(&call.caller),
        party,
        visitor,
        thread_key: body.integration_thread_id,
        subject,
        first,
    })
}

/// The first message, from the thread's account unless it names another.
fn addressed(mut message: Create, account: &Account) -> Create {
    message.channel_id = message.channel_id.or_else(|| Some(account.channel_id.into()));
    message.channel_account_id = message.channel_account_id.or_else(|| Some(account.id.0.into()));
    message
}

/// The rule. The new thread is the only one in the changes.
pub fn start(state: &State, asked: &Start, moment: &mut Moment) -> Result<Changes, Refusal> {
    let account = working_account(state, asked.account_id)?;
    if let Some(channel) = state.directory.channel(account.channel_id)
        && !Capabilities::of(&channel.capabilities).begins
    {
        let why = "On this channel nobody but the visitor can begin: it lacks the capability allowConversationStart";
        return Err(Refusal::invalid("channelAccountId", why));
    }
    if let (Some(_), Some(ThreadId(taken))) =
        (&asked.thread_key, state.thread.as_ref().map(|thread| thread.id))
    {
        let why = format!("This key already belongs to thread {taken}");
        return Err(Refusal::Invalid(vec![Problem::new("integrationThreadId", why)]));
    }
    if asked.visitor.is_some() && state.visitor.is_none() {
        return Err(Refusal::invalid("contactId", "The contact does not exist in this account"));
    }
    let person = Person::of(state, &asked.party, asked.visitor.is_some(), moment, None);
    let mut life = Lifecycle::begin(account, person.visitor.id, &asked.by, None, moment);
    life.thread.subject = asked.subject.as_deref().map(|sent| antiphon_mail::subject::base(sent).to_owned());
    person.record(account, &asked.party, &mut life.changes);
    begin_chat(account, &asked.party.identifier, None, &mut life);
    if let Some(key) = &asked.thread_key {
        life.changes.thread_keys.push((account.id, key.clone(), life.thread.id));
    }
    let address = std::slice::from_ref(&asked.party.identifier);
    if let Some(matching) = custom_channels::matching(&state.directory, account, address) {
        life.changes.thread_keys.push((account.id, matching.parties, life.thread.id));
    }
    if let Some(first) = &asked.first {
        let mut first = first.clone();
        first.address_to(Counterpart {
            visitor: person.visitor.id,
            name: person.visitor.name.clone(),
            identifier: channel::shown(&asked.party.identifier),
        });
        post::say(&mut life, state, &first)?;
    }
    within_quota(state, life.finish())
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AppId, Identifier};

    use super::*;
    use crate::messages::post::tests::letter;
    use crate::testing::{self, MAIL, NOW, entries, public};

    fn asked(first: Option<Draft>) -> Start {
        let identifier = Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: "ines@example.net".into() };
        Start {
            account_id: MAIL,
            by: Author::App(AppId(4410)),
            party: Party { identifier, name: Some("Ines Okafor".into()) },
            visitor: None,
            thread_key: Some("order-12".into()),
            subject: Some("Re: Your order".into()),
            first,
        }
    }

    #[test]
    fn a_thread_without_words() {
        let changes = start(&testing::empty(), &asked(None), &mut Moment::still(NOW)).unwrap();
        assert!(entries(&changes).is_empty());
        assert_eq!(public(&changes), ["creation"]);
        let thread = &changes.threads[0];
        assert_eq!((thread.subject.as_deref(), thread.latest_message_at), (Some("Your order"), None));
        assert_eq!(changes.thread_keys[0].1, "order-12");
        assert!(changes.visitors[0].contact);
    }

    #[test]
    fn a_thread_that_begins_with_a_letter() {
        let first = letter(serde_json::json!({ "recipients": null }));
        let changes = start(&testing::empty(), &asked(Some(first)), &mut Moment::still(NOW)).unwrap();
        assert_eq!(entries(&changes), ["MESSAGE OUTGOING by I-4410", "ASSIGNMENT -> A-71 by A-71"]);
        assert_eq!(public(&changes), ["creation", "newMessage MESSAGE", "assignedTo=A-71"]);
        let message = testing::messages(&changes).remove(0);
        assert_eq!(message.subject.as_deref(), Some("Re: Your order"));
        assert!(message.in_reply_to_id.is_none());
        assert_eq!(message.recipients[0].actor_id.as_deref(), Some("V-1"));
        assert_eq!(message.recipients[0].delivery_identifier.value, "ines@example.net");
        assert_eq!(changes.threads[0].latest_sent_at, Some(NOW));
    }

    #[test]
    fn what_is_refused() {
        let taken = State { visitor: None, ..testing::state() };
        let refused = start(&taken, &asked(None), &mut Moment::still(NOW)).unwrap_err();
        assert_eq!(testing::named(&refused), ["integrationThreadId"]);
        let unknown = Start { visitor: Some(VisitorId(99)), ..asked(None) };
        let refused = start(&testing::empty(), &unknown, &mut Moment::still(NOW)).unwrap_err();
        assert_eq!(testing::named(&refused), ["contactId"]);
        let wrong = asked(Some(letter(serde_json::json!({ "senderActorId": "I-4410", "recipients": [] }))));
        let refused = start(&testing::empty(), &wrong, &mut Moment::still(NOW)).unwrap_err();
        assert_eq!(testing::named(&refused), ["senderActorId"]);
    }
}
