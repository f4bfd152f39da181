//! A visitor gives an address. It makes them a contact where nobody has it; where somebody has, it is only kept as said, since
//! whoever says it has proved nothing.

use antiphon_store::{Account, Changes, Chat, ConversationKey, Moment, State, Target, ThreadId, said_of};
use antiphon_wire::error::Problem;
use antiphon_wire::widget::{WidgetContact, WidgetContactAnswer, WidgetContactRequest};

use super::floods::{Payer, Rate, What};
use super::say::Beginning;
use super::session::{Session, Who};
use super::visit::{Visit, identifier};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::messages::receive::{Party, Person};
use crate::refusal::{Refusal, unless_taken};

/// What a visitor says of themselves.
#[derive(Debug, Clone)]
struct Claim {
    email: String,
    name: Option<String>,
    /// Whether another contact has the address.
    taken: bool,
}

/// `POST /widget/v1/contact`
pub async fn give(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let (app, now) = (&call.app, call.app.machine_time());
    let rate = Rate::minutely(app.config.widget.messages_per_minute);
    app.floods.take(What::Message, visit.payer(), rate, now)?;
    let of_address = Rate::minutely(app.config.widget.messages_per_minute_of_address);
    app.floods.take(What::Message, Payer::address(call.heads.address), of_address, now)?;
    let (email, name) = read(call.json()?)?;
    let Who::Browser(key) = &visit.session.who else {
        // Who is identified has an address, and proved it.
        let contact = visit.known.as_ref().and_then(|known| known.contact.as_ref());
        let name = contact.and_then(|contact| contact.name.clone());
        let email = Some(visit.session.payer().to_owned());
        return answer(&call, WidgetContact { email, name }, &visit.session);
    };
    let portal = visit.session.portal();
    let owner = app.store.contacts_by_emails(portal, std::slice::from_ref(&email)).await?.pop();
    let bound = super::visit::bound(app, &call.caller.directory, &visit.account, key).await?;
    let taken = owner.is_some_and(|owner| bound.is_none_or(|bound| bound.id != owner.id));
    let claim = Claim { email: email.clone(), name: name.clone(), taken };
    if !record(&call, &visit.account, key, claim.clone()).await? {
        // Somebody else was quicker.
        record(&call, &visit.account, key, Claim { taken: true, ..claim }).await?;
    }
    if let Some(thread) = visit.threads(app).await?.first() {
        keep(&call, thread.id, &email).await?;
    }
    let session = visit.session.having_said(&email);
    // The same in every case: nobody finds out here who is a contact.
    answer(&call, WidgetContact { email: Some(email), name }, &session)
}

fn read(body: WidgetContactRequest) -> Result<(String, Option<String>), Refusal> {
    let mut checks = Checks::default();
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let email = filled(body.email);
    if email.is_none() {
        checks.missing("email");
    }
    let (email, name) = (checks.email("email", email), checks.name("name", filled(body.name)));
    checks.done()?;
    let email = email.ok_or_else(|| Refusal::Invalid(vec![Problem::required("email")]))?;
    Ok((email, name))
}

fn answer(call: &Call, contact: WidgetContact, session: &Session) -> Result<Answer, Refusal> {
    let session = session.printed(&call.app.keys)?;
    Answer::json(200, &WidgetContactAnswer { contact, session })
}

/// Writes down what a visitor said of themselves; `false` when another contact got the address meanwhile.
async fn record(call: &Call, account: &Account, key: &str, claim: Claim) -> Result<bool, Refusal> {
    let target = ConversationKey {
        account_id: Some(account.id),
        identifier: Some(identifier(key)),
        new_thread: true,
        ..ConversationKey::default()
    };
    let (id, party) = (account.id, Party { identifier: identifier(key), name: claim.name.clone() });
    let rule = move |state: &State, moment: &mut Moment| {
        let account = state.directory.account(id).ok_or(Refusal::NoSession)?;
        Ok::<_, Refusal>(claimed(state, account, &party, &claim, moment))
    };
    let changed = call.app.store.change(call.caller.portal(), Target::Conversation(target), rule).await;
    match unless_taken(changed, || Refusal::Conflict(String::new())) {
        Ok(applied) => applied.map(|_| true),
        Err(Refusal::Conflict(_)) => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

/// The rule. What is known of a contact stays: it may have been put right by somebody who knows.
fn claimed(state: &State, account: &Account, party: &Party, claim: &Claim, moment: &mut Moment) -> Changes {
    let mut person = Person::of(state, party, false, moment, None);
    if !claim.taken && person.visitor.email.is_none() {
        person.visitor.email = Some(claim.email.clone());
        person.visitor.contact = true;
        person.visitor.updated_at = moment.now;
    }
    let mut changes = Changes::default();
    person.record(account, party, &mut changes);
    changes
}

/// Keeps an address with a thread, as it was said.
async fn keep(call: &Call, thread: ThreadId, email: &str) -> Result<(), Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let Some(chat) = store.chats_by_threads(portal, &[thread]).await?.pop() else { return Ok(()) };
    let beginning = Beginning { email: Some(email.to_owned()), ..Beginning::parse(chat.said.as_deref()) };
    let chat = Chat { said: Some(beginning.printed()), said_of: Some(said_of(email)), ..chat };
    let rule = move |state: &State, _: &mut Moment| {
        let chats = if state.thread.is_some() { vec![chat.clone()] } else { Vec::new() };
        Ok::<_, Refusal>(Changes { chats, ..Changes::default() })
    };
    store.change(portal, Target::Thread(thread), rule).await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use antiphon_store::Visitor;

    use super::*;
    use crate::testing::{self, CHAT, NOW};

    fn changes(visitor: Option<Visitor>, taken: bool) -> Changes {
        let state = State { visitor: visitor.clone(), bound: visitor.map(|one| one.id), ..testing::empty() };
        let party = Party { identifier: identifier(&"a".repeat(32)), name: Some("Ines".into()) };
        let claim = Claim { email: "ines@example.net".into(), name: party.name.clone(), taken };
        let account = state.directory.account(CHAT).unwrap().clone();
        claimed(&state, &account, &party, &claim, &mut Moment::still(NOW))
    }

    fn nameless(contact: bool, email: Option<&str>) -> Visitor {
        Visitor { contact, name: None, email: email.map(Into::into), ..testing::ines() }
    }

    #[test]
    fn an_address_that_nobody_has_makes_a_contact_and_one_that_somebody_has_makes_none() {
        for (visitor, taken, contact, email) in [
            (None, false, true, Some("ines@example.net")),
            (None, true, false, None),
            (Some(nameless(false, None)), false, true, Some("ines@example.net")),
            (Some(nameless(false, None)), true, false, None),
            (Some(nameless(true, Some("i@o.example"))), false, true, Some("i@o.example")),
            (Some(nameless(true, None)), true, true, None),
        ] {
            let before = visitor.clone();
            let changes = changes(visitor, taken);
            let made = &changes.visitors[0];
            assert_eq!((made.contact, made.email.as_deref()), (contact, email), "{before:?} {taken}");
            assert_eq!(made.name.as_deref(), Some("Ines"));
            assert_eq!(changes.identities.len(), usize::from(before.is_none()));
            assert!(changes.threads.is_empty());
        }
        assert!(changes(Some(testing::ines()), false).is_empty(), "what is known stays");
    }
}
