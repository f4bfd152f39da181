//! Injecting an incoming message by hand: shaped like a letter, a chat or a form, depending on the account. It becomes an
//! [`Incoming`] like any other and goes the way of every other.

use antiphon_store::{Account, AccountId, ConversationKey, MessageId};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{Id, MAX_SAFE};
use antiphon_wire::message::RecipientField;
use antiphon_wire::own::{FormField, Inbound, Injected, Person};

use super::attachments::Attachments;
use super::bodies::{self, Bodies, Cut};
use super::channel::EMAIL;
use super::party;
use super::people::People;
use super::receive::{self, Addressee, Incoming, Party};
use crate::call::{Answer, Call};
use crate::custom_channels;
use crate::files::links::Links;
use crate::refusal::Refusal;

/// Most people a letter can be addressed to.
const MOST_RECIPIENTS: usize = 50;
const TEXT_LIMIT: usize = 1_000_000;
const HTML_LIMIT: usize = 4_000_000;
pub(crate) const SUBJECT_LIMIT: usize = 998;
/// Longest key of an integration: engines index it.
pub(crate) const KEY_LIMIT: usize = 255;

/// `POST /messages/incoming`
pub async fn inject(call: Call) -> Result<Answer, Refusal> {
    let body: Inbound = call.json()?;
    let incoming = read(&call, body).await?;
    let taken = receive::take(&call.app, call.caller.portal(), incoming, &Links::of(&call)).await?;
    let (thread, message) = (taken.thread_id, taken.message_id);
    let told = Injected { thread_id: Id(thread.0), message_id: message.to_string(), repeated: !taken.new };
    let location = format!("/conversations/v3/conversations/threads/{thread}/messages/{message}");
    // A repeat is answered like the first time.
    Ok(Answer { location: Some(location), ..Answer::json(201, &told)? })
}

/// Reads a request and looks up what it names.
async fn read(call: &Call, body: Inbound) -> Result<Incoming, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let mut problems = Vec::new();
    let account = account(call, &body, &mut problems);
    let letter = account.is_some_and(|account| account.channel_id == EMAIL);

    let sender = party::find(store, portal, account, "sender", body.sender.as_ref(), &mut problems).await?;
    let mut forwarder = None;
    if letter && body.forwarded_by.is_some() {
        let by = body.forwarded_by.as_ref();
        forwarder = party::find(store, portal, account, "forwardedBy", by, &mut problems).await?;
    }
    let mut recipients = Vec::new();
    if let Some(account) = account.filter(|_| letter) {
        recipients = addressees(account, &body, &mut problems);
    }
    let emails: Vec<_> = recipients.iter().map(|one| one.party.identifier.value.clone()).collect();
    let people = People::find(store, portal, &emails).await?;

    let asked = body.attachments.iter().map(|attachment| attachment.incoming()).collect();
    let before = problems.len();
    let attachments = Attachments::find(store, portal, asked, &mut problems).await?;
    let attached = !attachments.is_empty() || problems.len() > before;
    let in_reply_to = body.in_reply_to_id.as_deref().and_then(|sent| {
        let id = MessageId::parse(sent);
        if id.is_none() {
            problems.push(Problem::new("inReplyToId", format!("`{sent}` is not a message id")));
        }
        id
    });
    for (field, text, limit) in [
        ("text", &body.text, TEXT_LIMIT),
        ("richText", &body.rich_text, HTML_LIMIT),
        ("subject", &body.subject, SUBJECT_LIMIT),
        ("integrationThreadId", &body.integration_thread_id, KEY_LIMIT),
        ("idempotencyKey", &body.idempotency_key, KEY_LIMIT),
    ] {
        if text.as_ref().is_some_and(|text| text.len() > limit && text.chars().count() > limit) {
            problems.push(Problem::new(field, format!("{field} is longer than {limit} characters")));
        }
    }
    if body.integration_thread_id.as_ref().is_some_and(|key| !ConversationKey::is_name(key)) {
        problems.push(Problem::new("integrationThreadId", "integrationThreadId cannot begin with U+0001"));
    }
    let said = said(letter, body.text, body.rich_text, &body.fields);
    if !attached && !said.bodies.is_visible() {
        problems.push(Problem::new("text", "The message has neither text nor an attachment"));
    }
    let (Some(account), Some((sender, visitor)), true) = (account, sender, problems.is_empty()) else {
        return Err(Refusal::Invalid(problems));
    };
    let address = std::slice::from_ref(&sender.identifier);
    let matching = custom_channels::matching(&call.caller.directory, account, address);
    Ok(Incoming {
        matching,
        visitor,
        forwarder: forwarder.map(|(party, _)| party),
        recipients,
        people,
        attachments,
        subject: body.subject.filter(|_| letter),
        in_reply_to,
        thread_key: body.integration_thread_id,
        idempotency_key: body.idempotency_key,
        new_thread: body.new_thread.unwrap_or_default(),
        ..Incoming::new(account.id, sender, said)
    })
}

fn account<'c>(call: &'c Call, body: &Inbound, problems: &mut Vec<Problem>) -> Option<&'c Account> {
    let Some(sent) = &body.channel_account_id else {
        problems.push(Problem::required("channelAccountId"));
        return None;
    };
    let id = sent.parse(MAX_SAFE).map(AccountId);
    let account = id.and_then(|id| call.caller.directory.account(id));
    if account.is_none() {
        let message = format!("Channel account {sent} does not exist in this account");
        problems.push(Problem::new("channelAccountId", message));
    }
    account
}

/// Everybody a letter was addressed to; the account itself if nobody is named.
fn addressees(account: &Account, body: &Inbound, problems: &mut Vec<Problem>) -> Vec<Addressee> {
    let mut all = Vec::new();
    for (name, field, people) in [("to", RecipientField::To, &body.to), ("cc", RecipientField::Cc, &body.cc)]
    {
        for person in people {
            match letter_address(name, person) {
                Ok(party) => all.push(Addressee { party, field: Some(field) }),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if all.len() > MOST_RECIPIENTS {
        problems.push(Problem::new("to", format!("A message has at most {MOST_RECIPIENTS} recipients")));
    }
    if let (true, Some(own)) = (body.to.is_empty(), &account.identifier) {
        let party = Party { identifier: own.clone(), name: Some(account.name.clone()) };
        all.insert(0, Addressee { party, field: Some(RecipientField::To) });
    }
    all
}

fn letter_address(field: &str, person: &Person) -> Result<Party, Problem> {
    use antiphon_wire::message::{DeliveryIdentifier, DeliveryIdentifierType as Kind};
    let identifier = match (&person.identifier, &person.email) {
        (Some(sent), _) => sent.identifier(field)?,
        (None, email) => DeliveryIdentifier {
            kind: Kind::Email,
            value: email.clone().unwrap_or_default().trim().to_owned(),
        },
    };
    if identifier.kind != Kind::Email || !Kind::Email.accepts(&identifier.value) {
        return Err(Problem::new(field, format!("`{}` is not an email address", identifier.value)));
    }
    Ok(Party { identifier: super::channel::stored(&identifier), name: person.name.clone() })
}

fn said(letter: bool, text: Option<String>, html: Option<String>, form: &[FormField]) -> Cut {
    if letter {
        return Cut::letter(text, html);
    }
    let field = |field: &FormField| Some((field.label.clone()?, field.value.clone()?.0));
    let form: Vec<_> = form.iter().filter_map(field).collect();
    let lines =
        (!form.is_empty()).then(|| bodies::form_text(form.iter().map(|(label, value)| (&**label, &**value))));
    Cut::whole(Bodies::complete(lines.or(text), html))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::channel::shown;
    use crate::testing;

    #[test]
    fn a_form_becomes_lines_and_a_letter_loses_what_it_quotes() {
        let fields: Vec<FormField> = serde_json::from_str(
            r#"[{ "label": "Size", "value": 54 }, { "label": "Colour", "value": "green" }, { "label": "?" }]"#,
        )
        .unwrap();
        assert_eq!(said(false, None, None, &fields).bodies.text, "Size: 54\nColour: green");
        let letter = "Thanks!\n\nOn Mon, 5 Oct 2026 at 10:00, Care <care@acme.example> wrote:\n> Hello\n";
        assert_eq!(said(true, Some(letter.into()), None, &[]).bodies.text.trim(), "Thanks!");
        assert_eq!(said(false, Some(letter.into()), None, &[]).bodies.text, letter);
    }

    #[test]
    fn a_letter_goes_to_the_account_unless_it_says_otherwise() {
        let directory = testing::state().directory;
        let account = directory.account(testing::MAIL).unwrap();
        let mut problems = Vec::new();
        let told = |body: &str, problems: &mut Vec<Problem>| {
            let all = addressees(account, &serde_json::from_str(body).unwrap(), problems);
            all.iter().map(|one| shown(&one.party.identifier).value).collect::<Vec<_>>()
        };
        let own = account.identifier.as_ref().unwrap().value.clone();
        assert_eq!(told("{}", &mut problems), std::slice::from_ref(&own));
        assert_eq!(
            told(r#"{ "cc": { "email": "a@b.example" } }"#, &mut problems),
            [own, "a@b.example".into()]
        );
        assert_eq!(told(r#"{ "to": [{ "email": "a@b.example" }] }"#, &mut problems), ["a@b.example"]);
        assert!(problems.is_empty());
        told(r#"{ "to": [{ "email": "nobody" }, {}] }"#, &mut problems);
        assert_eq!(problems.len(), 2);
    }
}
