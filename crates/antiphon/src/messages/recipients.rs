//! To whom an outgoing message goes: what a client wrote becomes one recipient per address.

use antiphon_store::VisitorId;
use antiphon_wire::actor::ActorId;
use antiphon_wire::error::Problem;
use antiphon_wire::id::LenientId;
use antiphon_wire::message::{DeliveryIdentifier, Recipient, RecipientField, RecipientRequest, Sender};

use super::channel::{self, EMAIL, LIVE_CHAT};

/// Most recipients of one message.
pub const MOST: usize = 50;

/// The parameter that all of this is about.
const NAME: &str = "recipients";

/// The actor that an entry names, if it names one.
fn actor(request: &RecipientRequest) -> Option<Result<ActorId, Problem>> {
    let id = request.actor_id.as_ref()?.as_str();
    let read = ActorId::parse(id);
    Some(read.map_err(|_| Problem::new(NAME, format!("`{id}` is not a valid actor ID"))))
}

/// The visitor that an entry names, if it names one.
pub fn visitor(request: &RecipientRequest) -> Option<VisitorId> {
    match actor(request) {
        Some(Ok(ActorId::Visitor(id))) => Some(VisitorId(id)),
        _ => None,
    }
}

/// Somebody who wrote in the thread, newest first in a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Counterpart {
    pub visitor: VisitorId,
    pub name: Option<String>,
    pub identifier: DeliveryIdentifier,
}

impl Counterpart {
    /// The counterpart that a sender of an incoming message is, if it is one.
    pub fn of(sender: &Sender) -> Option<Self> {
        let ActorId::Visitor(id) = ActorId::parse(sender.actor_id.as_deref()?).ok()? else { return None };
        let identifier = sender.delivery_identifier.clone()?;
        Some(Self { visitor: VisitorId(id), name: sender.name.clone(), identifier })
    }
}

/// Whether working out the recipients needs to know who wrote in the thread before.
pub fn need_counterparts(channel: Option<i64>, requests: &[RecipientRequest]) -> bool {
    let bare =
        |one: &RecipientRequest| one.delivery_identifiers.is_empty() && one.delivery_identifier.is_empty();
    let agent = |one: &RecipientRequest| matches!(actor(one), Some(Ok(ActorId::Agent(_))));
    requests.iter().any(|one| bare(one) && visitor(one).is_some())
        || (channel != Some(EMAIL) && requests.iter().all(agent))
}

/// The recipients of a message on a channel. `known` tells which visitors exist. Everything that is wrong is added to `problems`.
pub fn recipients(
    channel: i64,
    requests: &[RecipientRequest],
    counterparts: &[Counterpart],
    known: impl Fn(VisitorId) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Recipient> {
    let before = problems.len();
    let mut all = Vec::new();
    for request in requests {
        match one(channel, request, counterparts, &known, problems) {
            Ok(expanded) => all.extend(expanded),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.len() > before {
        return all;
    }
    if all.is_empty() && channel != EMAIL {
        // No address was given: the answer goes to whoever wrote last.
        match counterparts.first() {
            Some(last) if channel::fits(channel, last.identifier.kind) => all.push(Recipient {
                actor_id: Some(format!("V-{}", last.visitor)),
                name: last.name.clone(),
                delivery_identifier: last.identifier.clone(),
                recipient_field: None,
            }),
            _ => problems.push(Problem::new(
                NAME,
                "No recipient was given, and the thread has no incoming message that can be answered on this channel",
            )),
        }
    } else if all.is_empty() {
        problems.push(Problem::new(NAME, "An email needs at least one recipient"));
    } else if channel == EMAIL && !all.iter().any(|one| one.recipient_field == Some(RecipientField::To)) {
        problems.push(Problem::new(NAME, "An email needs at least one recipient with recipientField TO"));
    } else if channel == LIVE_CHAT && all.len() > 1 {
        problems.push(Problem::new(NAME, "A live chat message has exactly one recipient"));
    } else if all.len() > MOST {
        problems.push(Problem::new(NAME, format!("A message has at most {MOST} recipients")));
    }
    all
}

/// What one entry stands for.
fn one(
    channel: i64,
    request: &RecipientRequest,
    counterparts: &[Counterpart],
    known: &impl Fn(VisitorId) -> bool,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Recipient>, Problem> {
    let actor = actor(request).transpose()?;
    let sent = request.actor_id.as_ref().map_or("", LenientId::as_str);
    let actor_id = match actor {
        None => None,
        Some(ActorId::Email(_)) => None,
        Some(ActorId::Agent(_)) if channel == EMAIL => actor,
        // Agents are not reached over the channel of the visitor.
        Some(ActorId::Agent(_)) => return Ok(Vec::new()),
        Some(ActorId::Visitor(id)) if known(VisitorId(id)) => actor,
        Some(ActorId::Visitor(_)) => {
            return Err(Problem::new(NAME, format!("Visitor `{sent}` does not exist in this account")));
        }
        Some(_) => {
            return Err(Problem::new(
                NAME,
                format!("Actor `{sent}` is of a type that cannot receive messages"),
            ));
        }
    };
    let before = problems.len();
    let mut identifiers: Vec<DeliveryIdentifier> = Vec::new();
    for given in request.delivery_identifiers.iter().chain(&request.delivery_identifier) {
        let loose = channel >= channel::FIRST_CUSTOM;
        let read = if loose { given.loose(NAME) } else { given.identifier(NAME) };
        match read {
            Ok(one) if identifiers.iter().any(|known| known.same_as(&one)) => {}
            Ok(one) => identifiers.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.len() > before {
        return Ok(Vec::new());
    }
    if identifiers.is_empty()
        && let Some(visitor) = visitor(request)
    {
        let latest = counterparts.iter().find(|known| known.visitor == visitor);
        identifiers.extend(latest.map(|latest| latest.identifier.clone()));
    }
    if identifiers.is_empty() {
        let who = if sent.is_empty() { "A recipient".to_owned() } else { format!("Recipient `{sent}`") };
        return Err(Problem::new(NAME, format!("{who} has no delivery identifier")));
    }
    for identifier in &identifiers {
        let (kind, value) = (identifier.kind, &identifier.value);
        if !channel::fits(channel, kind) {
            let kind = kind.as_str();
            problems
                .push(Problem::new(NAME, format!("{kind} `{value}` cannot be reached on channel {channel}")));
        }
    }
    let field = if channel == EMAIL { Some(request.field()?) } else { None };
    let recipient = |delivery_identifier| Recipient {
        actor_id: actor_id.as_ref().map(ToString::to_string),
        name: request.name.clone(),
        delivery_identifier,
        recipient_field: field,
    };
    Ok(identifiers.into_iter().map(recipient).collect())
}

#[cfg(test)]
mod tests {
    use antiphon_wire::message::{DeliveryIdentifierType as Kind, IdentifierRequest};

    use super::*;
    use channel::{FIRST_CUSTOM, MESSENGER, SMS};

    const MAIL: &str = "HS_EMAIL_ADDRESS";
    const OPAQUE: &str = "CHANNEL_SPECIFIC_OPAQUE_ID";

    fn to(actor: &str, field: &str, identifiers: &[(&str, &str)]) -> RecipientRequest {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let identifier = |(kind, value): &(&str, &str)| IdentifierRequest {
            kind: some(kind),
            value: some(value).map(LenientId),
        };
        let (first, rest) = identifiers.split_at(identifiers.len().min(1));
        RecipientRequest {
            actor_id: some(actor).map(LenientId),
            name: None,
            recipient_field: some(field),
            delivery_identifiers: rest.iter().map(identifier).collect(),
            delivery_identifier: first.iter().map(identifier).collect(),
        }
    }

    fn ines(kind: Kind, value: &str) -> Counterpart {
        Counterpart {
            visitor: VisitorId(20),
            name: Some("Ines".into()),
            identifier: DeliveryIdentifier { kind, value: value.into() },
        }
    }

    /// Recipients as `field actor value`, or the problems.
    fn said(
        channel: i64,
        drafts: &[RecipientRequest],
        counterparts: &[Counterpart],
    ) -> Result<Vec<String>, Vec<String>> {
        let mut problems = Vec::new();
        let all = recipients(channel, drafts, counterparts, |id| id.0 == 20 || id.0 == 21, &mut problems);
        if !problems.is_empty() {
            assert!(problems.iter().all(|problem| problem.in_.is_some()));
            return Err(problems.into_iter().map(|problem| problem.message).collect());
        }
        let show = |one: &Recipient| {
            let field = one.recipient_field.map_or("-", RecipientField::as_str);
            format!("{field} {} {}", one.actor_id.as_deref().unwrap_or("-"), one.delivery_identifier.value)
        };
        Ok(all.iter().map(show).collect())
    }

    #[test]
    fn what_is_accepted() {
        let chat = [ines(Kind::Opaque, "chat-20")];
        let mail = [ines(Kind::Email, "ines@example.net")];
        type Row<'a> = (i64, Vec<RecipientRequest>, &'a [Counterpart], &'a [&'a str]);
        let rows: &[Row] = &[
            (EMAIL, vec![to("", "", &[(MAIL, "a@b.example")])], &[], &["TO - a@b.example"]),
            (
                EMAIL,
                vec![
                    to("V-20", "to", &[("hs_email_address", "a@b.example")]),
                    to("", "CC", &[(MAIL, "c@d.example")]),
                ],
                &[],
                &["TO V-20 a@b.example", "CC - c@d.example"],
            ),
            // Both spellings, duplicates dropped, one recipient for each address.
            (
                EMAIL,
                vec![to("", "TO", &[(MAIL, "a@b.example"), (MAIL, "A@B.example"), (MAIL, "c@d.example")])],
                &[],
                &["TO - A@B.example", "TO - c@d.example"],
            ),
            (EMAIL, vec![to("V-20", "", &[])], &mail, &["TO V-20 ines@example.net"]),
            (EMAIL, vec![to("A-71", "", &[(MAIL, "mia@acme.example")])], &[], &["TO A-71 mia@acme.example"]),
            (EMAIL, vec![to("E-a@b.example", "", &[(MAIL, "a@b.example")])], &[], &["TO - a@b.example"]),
            (
                EMAIL,
                vec![to("", "", &[(MAIL, "a@b.example")]), to("", "BCC", &[(MAIL, "c@d.example")])],
                &[],
                &["TO - a@b.example", "BCC - c@d.example"],
            ),
            (LIVE_CHAT, vec![], &chat, &["- V-20 chat-20"]),
            (LIVE_CHAT, vec![to("A-71", "", &[])], &chat, &["- V-20 chat-20"]),
            (LIVE_CHAT, vec![to("V-20", "CC", &[(OPAQUE, "chat-20")])], &[], &["- V-20 chat-20"]),
            (MESSENGER, vec![to("V-20", "", &[])], &chat, &["- V-20 chat-20"]),
            (SMS, vec![to("", "", &[("HS_PHONE_NUMBER", "+31205550178")])], &[], &["- - +31205550178"]),
            (SMS, vec![to("", "", &[("HS_SHORT_CODE", "72345")])], &[], &["- - 72345"]),
            (FIRST_CUSTOM, vec![to("", "", &[(OPAQUE, "x1")])], &[], &["- - x1"]),
        ];
        for (index, (channel, drafts, counterparts, expected)) in rows.iter().enumerate() {
            let expected = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(said(*channel, drafts, counterparts), Ok(expected), "row {index}");
        }
    }

    #[test]
    fn what_is_refused() {
        let chat = [ines(Kind::Opaque, "chat-20")];
        let mail = [ines(Kind::Email, "ines@example.net")];
        let rows: &[(i64, Vec<RecipientRequest>, &[Counterpart])] = &[
            (EMAIL, vec![], &mail),
            (EMAIL, vec![to("", "CC", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("", "REPLY_TO", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("", "", &[])], &mail),
            (EMAIL, vec![to("V-20", "", &[])], &[]),
            (EMAIL, vec![to("V-21", "", &[])], &mail),
            (EMAIL, vec![to("V-99", "", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("V-x", "", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("Q-1", "", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("I-4410", "", &[(MAIL, "a@b.example")])], &[]),
            (EMAIL, vec![to("A-71", "", &[])], &[]),
            (EMAIL, vec![to("E-a@b.example", "", &[])], &[]),
            (EMAIL, vec![to("", "", &[(OPAQUE, "x")])], &[]),
            (EMAIL, vec![to("", "", &[("POST_BOX", "x")])], &[]),
            (EMAIL, vec![to("", "", &[(MAIL, "")])], &[]),
            (EMAIL, vec![to("", "", &[(MAIL, "nonsense")])], &[]),
            (EMAIL, vec![to("", "", &[(MAIL, "a@b.example")]); 51], &[]),
            (LIVE_CHAT, vec![], &[]),
            (LIVE_CHAT, vec![], &mail),
            (LIVE_CHAT, vec![to("", "", &[(OPAQUE, "a")]), to("", "", &[(OPAQUE, "b")])], &chat),
            (LIVE_CHAT, vec![to("V-20", "", &[(MAIL, "ines@example.net")])], &[]),
            (SMS, vec![to("", "", &[("HS_PHONE_NUMBER", "0205550178")])], &[]),
        ];
        for (index, (channel, drafts, counterparts)) in rows.iter().enumerate() {
            let refused = said(*channel, drafts, counterparts);
            assert_eq!(refused.as_ref().map_err(Vec::len), Err(1), "row {index}: {refused:?}");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let drafts =
            [to("V-99", "", &[]), to("", "", &[("X", "x"), (MAIL, "y")]), to("", "", &[(OPAQUE, "x")])];
        assert_eq!(said(EMAIL, &drafts, &[]).unwrap_err().len(), 4);
    }
}
