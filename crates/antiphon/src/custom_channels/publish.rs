//! Publishing what was said on a channel, in either direction.

use antiphon_store::{Account, AccountId, Channel, MessageId, VisitorId};
use antiphon_wire::custom_channels::{MessagePublish, Participant};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{LenientId, MAX_SAFE};
use antiphon_wire::message::{Direction, MAX_ATTACHMENTS, MAX_RECIPIENTS, MAX_RICH_TEXT, MAX_TEXT};

use super::outgoing::{self, Outgoing, Speaker};
use crate::call::{Answer, Call};
use crate::files::links::Links;
use crate::messages::attachments::Attachments;
use crate::messages::bodies::{Bodies, Cut};
use crate::messages::channel::stored;
use crate::messages::inject::KEY_LIMIT;
use crate::messages::people::People;
use crate::messages::receive::{self, Addressee, Incoming, Party};
use crate::refusal::Refusal;

/// `POST /{channelId}/messages`
pub async fn publish(call: Call) -> Result<Answer, Refusal> {
    let channel = super::named(&call)?.clone();
    let body: MessagePublish = call.json()?;
    let asked = read(&call, &channel, body).await?;
    let portal = call.caller.portal();
    let links = Links::of(&call);
    let said = match asked {
        Asked::Incoming(incoming) => receive::take(&call.app, portal, *incoming, &links).await?,
        Asked::Outgoing(outgoing) => outgoing::take(&call.app, portal, *outgoing, &links).await?,
    };
    Ok(Answer { status: 201, ..Answer::ok(said.message) }.at(&call, said.message_id))
}

enum Asked {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
}

/// Reads a request and looks up what it names.
async fn read(call: &Call, channel: &Channel, body: MessagePublish) -> Result<Asked, Refusal> {
    let (store, portal) = (&call.app.store, call.caller.portal());
    let mut problems = Vec::new();
    let account = account(call, channel, body.channel_account_id.as_ref(), &mut problems);
    let direction = match body.direction.as_deref() {
        None => Err(Problem::required("messageDirection")),
        Some(sent) => Direction::read("messageDirection", sent),
    };
    let direction = direction.map_err(|problem| problems.push(problem)).ok();
    let senders = participants("senders", &body.senders, &mut problems);
    let recipients = participants("recipients", &body.recipients, &mut problems);
    if direction == Some(Direction::Incoming) && body.senders.is_empty() {
        problems.push(Problem::required("senders"));
    }
    let at = body.at().map_err(|problem| problems.push(problem)).ok().flatten();
    let thread_key = key("integrationThreadId", body.integration_thread_id.as_ref(), &mut problems);
    let idempotency_key =
        key("integrationIdempotencyId", body.integration_idempotency_id.as_ref(), &mut problems);
    // What cannot be a message's id is no message's.
    let in_reply_to = body.in_reply_to_id.as_ref().and_then(|sent| MessageId::parse(sent.as_str().trim()));
    let asked: Vec<_> = body.attachments.iter().map(|attachment| attachment.published()).collect();
    let attached = !asked.is_empty();
    if asked.len() > MAX_ATTACHMENTS {
        problems.push(Problem::new(
            "attachments",
            format!("A message has at most {MAX_ATTACHMENTS} attachments"),
        ));
    }
    let attachments = match asked.len() {
        0..=MAX_ATTACHMENTS => Attachments::find(store, portal, asked, &mut problems).await?,
        _ => Attachments::default(),
    };
    for (field, text, limit) in [("text", &body.text, MAX_TEXT), ("richText", &body.rich_text, MAX_RICH_TEXT)]
    {
        if text.as_ref().is_some_and(|text| text.len() > limit && text.chars().count() > limit) {
            problems.push(Problem::new(field, format!("{field} is longer than {limit} characters")));
        }
    }
    let unset = body.text.is_none() && body.rich_text.is_none();
    let bodies = Bodies::complete(body.text, body.rich_text);
    if !attached && unset {
        problems.push(Problem::required("text"));
    } else if !attached && !bodies.is_visible() {
        problems.push(Problem::new("text", "The message has neither text nor an attachment"));
    }
    let resolved = body
        .pre_resolved_contacts
        .and_then(|all| all.contacts.into_iter().next())
        .and_then(|one| one.contact_vid);
    let visitor = contact(call, body.associate_with_contact_id.or(resolved)).await?;
    let (Some(account), Some(direction), true) = (account, direction, problems.is_empty()) else {
        return Err(Refusal::Invalid(problems));
    };
    let emails: Vec<_> = recipients
        .iter()
        .map(|one| one.party.identifier.value.clone())
        .filter(|value| value.contains('@'))
        .collect();
    let people = People::find(store, portal, &emails).await?;
    if direction == Direction::Outgoing {
        return Ok(Asked::Outgoing(Box::new(Outgoing {
            account_id: account.id,
            channel: channel.clone(),
            sender: body.senders.first().zip(senders.into_iter().next()).map(|(sent, one)| Speaker {
                party: one.party,
                actor: sent.sender_actor_id.as_ref().map(|actor| actor.as_str().trim().to_owned()),
            }),
            recipients: recipients.into_iter().map(|one| one.party).collect(),
            visitor,
            people,
            bodies,
            attachments,
            in_reply_to,
            thread_key,
            idempotency_key,
            at,
        })));
    }
    let mut senders = senders.into_iter().map(|one| one.party);
    let Some(sender) = senders.next() else {
        return Err(Refusal::Invalid(vec![Problem::required("senders")]));
    };
    let own = || {
        let identifier = account.identifier.clone()?;
        Some(Addressee { party: Party { identifier, name: None }, field: None })
    };
    let recipients = if recipients.is_empty() { own().into_iter().collect() } else { recipients };
    let matching = super::matching(&call.caller.directory, account, std::slice::from_ref(&sender.identifier));
    Ok(Asked::Incoming(Box::new(Incoming {
        visitor,
        also: senders.collect(),
        recipients,
        people,
        attachments,
        in_reply_to,
        thread_key,
        idempotency_key,
        matching,
        published_by: Some(channel.app_id),
        at,
        ..Incoming::new(account.id, sender, Cut::whole(bodies))
    })))
}

fn account<'c>(
    call: &'c Call,
    channel: &Channel,
    sent: Option<&LenientId>,
    problems: &mut Vec<Problem>,
) -> Option<&'c Account> {
    const NAME: &str = "channelAccountId";
    let Some(sent) = sent else {
        problems.push(Problem::required(NAME));
        return None;
    };
    let account = sent.parse(MAX_SAFE).and_then(|id| call.caller.directory.account(AccountId(id)));
    let account = account.filter(|account| account.channel_id == channel.id);
    if account.is_none() {
        problems.push(Problem::new(NAME, format!("Channel account {sent} does not exist on this channel")));
    }
    account
}

fn participants(name: &str, sent: &[Participant], problems: &mut Vec<Problem>) -> Vec<Addressee> {
    if sent.len() > MAX_RECIPIENTS {
        problems.push(Problem::new(name, format!("A message has at most {MAX_RECIPIENTS} {name}")));
        return Vec::new();
    }
    let one = |one: &Participant| {
        let missing = || Problem::new(name, "A participant needs a `deliveryIdentifier`");
        let identifier = one.delivery_identifier.as_ref().ok_or_else(missing)?.loose(name)?;
        // Whatever a network lets people call themselves, agents see one line.
        let known = one.name.as_ref().map(|name| name.replace(char::is_control, " "));
        let known = known.filter(|name| !name.trim().is_empty());
        Ok(Addressee { party: Party { identifier: stored(&identifier), name: known }, field: None })
    };
    let read = sent.iter().filter_map(|sent| one(sent).map_err(|problem| problems.push(problem)).ok());
    read.collect()
}

/// A name that the integration gives. An empty one is none.
fn key(name: &str, sent: Option<&LenientId>, problems: &mut Vec<Problem>) -> Option<String> {
    let sent = sent.map(LenientId::as_str).filter(|sent| !sent.is_empty())?;
    if sent.chars().count() > KEY_LIMIT || sent.contains(char::is_control) {
        problems.push(Problem::new(
            name,
            format!("{name} has at most {KEY_LIMIT} characters, none of them a control character"),
        ));
        return None;
    }
    Some(sent.to_owned())
}

/// The contact that is named, if there is one. Integrations may carry ids of another CRM.
async fn contact(call: &Call, sent: Option<LenientId>) -> Result<Option<VisitorId>, Refusal> {
    let Some(sent) = sent else { return Ok(None) };
    let id = sent.parse(MAX_SAFE).map(VisitorId);
    let found = call.app.store.visitors_by_ids(call.caller.portal(), id.as_slice()).await?.pop();
    let found = found.filter(|one| one.contact).map(|one| one.id);
    if found.is_none() {
        tracing::info!(portal = call.caller.portal().0, contact = %sent, "a published message names a contact that is not here");
    }
    Ok(found)
}
