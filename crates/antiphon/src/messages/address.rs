//! From where and to whom an answer goes that does not say so: it goes back the way on which the last message came.

use antiphon_store::{Account, AccountId, Directory, PortalId, Store, Thread, Visitor};
use antiphon_wire::id::{LenientId, MAX_SAFE};
use antiphon_wire::message::{
    self as wire, Create, DeliveryIdentifier, DeliveryIdentifierType, IdentifierRequest, Message,
    RecipientField, RecipientRequest,
};

use super::channel::{self, EMAIL};
use super::recipients::{self, Counterpart};
use crate::refusal::Refusal;

/// What is known of whom a thread is with.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The newest message that came in.
    pub incoming: Option<Message>,
    /// Where nothing came in, the newest that went out.
    pub outgoing: Option<Message>,
    /// Where there is neither, whose thread it is.
    pub visitor: Option<Visitor>,
}

impl Known {
    /// Looks it up.
    ///
    /// # Errors
    /// The store's.
    pub async fn find(store: &Store, portal: PortalId, thread: &Thread) -> Result<Self, Refusal> {
        let incoming = store.latest_incoming(portal, thread.id, 1).await?.pop();
        let mut known = Self {
            incoming: incoming.and_then(|message| wire::read(&message.document.bytes)),
            ..Self::default()
        };
        if known.incoming.is_none()
            && let Some(latest) = thread.latest_message_id
        {
            let latest = store.message_by_id(portal, thread.id, latest).await?;
            known.outgoing = latest.and_then(|message| wire::read(&message.document.bytes));
        }
        if known.incoming.is_none() && known.outgoing.is_none() {
            known.visitor = store.visitors_by_ids(portal, &[thread.visitor_id]).await?.pop();
        }
        Ok(known)
    }
}

/// Says in an answer what it leaves out.
pub fn complete(create: &mut Create, thread: &Thread, directory: &Directory, known: &Known) {
    let named = create.channel_account_id.as_ref().and_then(|id| id.parse(MAX_SAFE)).map(AccountId);
    let account = match &create.channel_account_id {
        Some(_) => named.and_then(|id| directory.account(id)),
        None => account(thread, directory, known),
    };
    let (id, channel) =
        account.map_or((thread.account_id, thread.channel_id), |one| (one.id, one.channel_id));
    create.channel_account_id.get_or_insert_with(|| id.0.into());
    create.channel_id = Some(channel.into());
    if create.recipients.is_empty() {
        create.recipients = recipients(channel, directory, known);
    }
}

/// The account over which the last message came, if it is in the thread's inbox; one of its channel that is, where the thread was
/// moved.
fn account<'d>(thread: &Thread, directory: &'d Directory, known: &Known) -> Option<&'d Account> {
    let latest = known.incoming.as_ref().or(known.outgoing.as_ref());
    let latest = latest.and_then(|message| message.channel_account_id).map(|id| AccountId(id.0));
    let own = [latest, Some(thread.account_id)];
    let own: Vec<_> = own.into_iter().flatten().filter_map(|id| directory.account(id)).collect();
    let fits = |account: &Account| account.inbox_id == thread.inbox_id && account.archived_at.is_none();
    if let Some(account) = own.iter().find(|account| fits(account)) {
        return Some(account);
    }
    let channel = own.first().map_or(thread.channel_id, |account| account.channel_id);
    let same = |account: &&Account| fits(account) && account.channel_id == channel && account.active;
    directory.accounts(false).iter().map(|account| &**account).find(same).or_else(|| own.first().copied())
}

/// Those who are spoken with.
fn recipients(channel: i64, directory: &Directory, known: &Known) -> Vec<RecipientRequest> {
    if let Some(message) = &known.incoming {
        let Some(last) = message.senders.iter().find_map(Counterpart::of) else { return Vec::new() };
        let to = request(Some(format!("V-{}", last.visitor)), last.name.as_deref(), &last.identifier, None);
        let mut all = vec![to];
        if channel == EMAIL {
            let others = message.recipients.iter().filter(|one| {
                let address = &one.delivery_identifier;
                one.recipient_field != Some(RecipientField::Bcc)
                    && !address.same_as(&last.identifier)
                    && !is_own(directory, address)
            });
            all.extend(others.take(recipients::MOST - 1).map(|one| {
                request(None, one.name.as_deref(), &one.delivery_identifier, Some(RecipientField::Cc))
            }));
        }
        return all;
    }
    if let Some(message) = &known.outgoing {
        let again = message.recipients.iter();
        let again = again.map(|one| {
            let (name, address) = (one.name.as_deref(), &one.delivery_identifier);
            request(one.actor_id.clone(), name, address, one.recipient_field)
        });
        return again.collect();
    }
    let Some(visitor) = &known.visitor else { return Vec::new() };
    let email = visitor.email.clone().map(|value| (DeliveryIdentifierType::Email, value));
    let phone = visitor.phone.clone().map(|value| (DeliveryIdentifierType::Phone, value));
    let reached = [email, phone].into_iter().flatten().find(|(kind, _)| channel::fits(channel, *kind));
    let reached = reached.map(|(kind, value)| {
        let actor = Some(format!("V-{}", visitor.id));
        request(actor, visitor.name.as_deref(), &DeliveryIdentifier { kind, value }, None)
    });
    reached.into_iter().collect()
}

/// Whether an address is one of the portal's own.
fn is_own(directory: &Directory, address: &DeliveryIdentifier) -> bool {
    let accounts = directory.accounts(false);
    let mut own = accounts.iter().filter_map(|account| account.identifier.as_ref());
    own.any(|own| channel::shown(own).same_as(address))
}

fn request(
    actor: Option<String>,
    name: Option<&str>,
    address: &DeliveryIdentifier,
    field: Option<RecipientField>,
) -> RecipientRequest {
    RecipientRequest {
        actor_id: actor.map(LenientId),
        name: name.map(str::to_owned),
        recipient_field: field.map(|field| field.as_str().to_owned()),
        delivery_identifier: vec![IdentifierRequest {
            kind: Some(address.kind.as_str().to_owned()),
            value: Some(LenientId(address.value.clone())),
        }],
        ..RecipientRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use antiphon_wire::message::{Client, MessageType, Recipient, Sender};
    use serde_json::json;

    use super::*;
    use crate::testing::{self, CHAT, ELSEWHERE, MAIL, NOW};

    fn mail(value: &str) -> DeliveryIdentifier {
        DeliveryIdentifier { kind: DeliveryIdentifierType::Email, value: value.into() }
    }

    fn message(account: AccountId) -> Message {
        let by = "V-20".to_owned();
        let mut message = Message::new(MessageType::Message, "m".into(), 55, NOW, by, Client::app(4410));
        message.channel_account_id = Some(account.0.into());
        message
    }

    /// A letter from Ines, to us and to others.
    fn letter(account: AccountId) -> Message {
        let to = |field, value| Recipient {
            actor_id: None,
            name: None,
            recipient_field: Some(field),
            delivery_identifier: mail(value),
        };
        let sender = Sender { delivery_identifier: Some(mail("ines@example.net")), ..Sender::actor("V-20") };
        Message {
            senders: vec![sender],
            recipients: vec![
                to(RecipientField::To, "HELP@acme.example"),
                to(RecipientField::To, "books@example.net"),
                to(RecipientField::Cc, "ines@example.net"),
                to(RecipientField::Cc, "max@example.net"),
                to(RecipientField::Bcc, "secret@example.net"),
            ],
            ..message(account)
        }
    }

    /// From where and to whom an answer goes.
    fn told(body: serde_json::Value, thread: &Thread, known: &Known) -> (String, String, Vec<String>) {
        let mut create: Create = antiphon_wire::lenient::parse_body(body.to_string().as_bytes()).unwrap();
        complete(&mut create, thread, &testing::state().directory, known);
        let id = |id: Option<LenientId>| id.unwrap().0;
        let to = |one: &RecipientRequest| {
            let address = one.delivery_identifier.iter().chain(&one.delivery_identifiers).next();
            let address = address.and_then(|one| one.value.clone()).unwrap_or_default().0;
            let actor = one.actor_id.clone().unwrap_or_default().0;
            format!("{} {actor} {address}", one.recipient_field.as_deref().unwrap_or("-"))
        };
        let recipients = create.recipients.iter().map(to).collect();
        (id(create.channel_id), id(create.channel_account_id), recipients)
    }

    #[test]
    fn it_goes_back_the_way_the_last_message_came() {
        let thread = testing::thread(MAIL, 1002);
        let (mail_id, chat_id) = (MAIL.0.to_string(), CHAT.0.to_string());
        let known = Known { incoming: Some(letter(MAIL)), ..Known::default() };
        let all = ["- V-20 ines@example.net", "CC  books@example.net", "CC  max@example.net"];
        let (channel, account, to) = told(json!({}), &thread, &known);
        assert_eq!((&*channel, account, to), ("1002", mail_id.clone(), all.map(str::to_owned).to_vec()));
        // On chat there is nobody else.
        let known = Known { incoming: Some(letter(CHAT)), ..Known::default() };
        let (channel, account, to) = told(json!({}), &thread, &known);
        assert_eq!((&*channel, account, to.len()), ("1000", chat_id.clone(), 1));
        // What is said stands.
        let body = json!({ "channelAccountId": MAIL.0, "recipients": [{ "recipientField": "TO", "deliveryIdentifier":
            { "type": "HS_EMAIL_ADDRESS", "value": "leo@example.net" } }] });
        let (channel, account, to) = told(body, &thread, &known);
        assert_eq!((&*channel, account, to), ("1002", mail_id, vec!["TO  leo@example.net".to_owned()]));
        // An account that is not there is for the rule to refuse.
        assert_eq!(told(json!({ "channelAccountId": "x" }), &thread, &known).1, "x");
    }

    #[test]
    fn without_anything_that_came_in_it_goes_where_the_last_one_went_or_to_whose_thread_it_is() {
        let thread = testing::thread(MAIL, 1002);
        let recipient = Recipient {
            actor_id: Some("V-20".into()),
            name: None,
            recipient_field: Some(RecipientField::To),
            delivery_identifier: mail("ines@example.net"),
        };
        let sent = Message { recipients: vec![recipient], ..message(MAIL) };
        let known = Known { outgoing: Some(sent), ..Known::default() };
        assert_eq!(told(json!({}), &thread, &known).2, ["TO V-20 ines@example.net"]);
        let known = Known { visitor: Some(testing::ines()), ..Known::default() };
        assert_eq!(told(json!({}), &thread, &known).2, ["- V-20 ines@example.net"]);
        let chat = testing::thread(CHAT, 1000);
        assert!(told(json!({}), &chat, &known).2.is_empty());
        assert!(told(json!({}), &thread, &Known::default()).2.is_empty());
    }

    #[test]
    fn where_the_thread_was_moved_another_account_of_the_channel_answers() {
        let known = Known { incoming: Some(letter(MAIL)), ..Known::default() };
        let mut thread = testing::thread(MAIL, 1002);
        thread.inbox_id = antiphon_store::InboxId(812);
        assert_eq!(told(json!({}), &thread, &known).1, ELSEWHERE.0.to_string());
        // Where there is none, the rule says why it cannot be sent.
        thread.inbox_id = antiphon_store::InboxId(99);
        assert_eq!(told(json!({}), &thread, &known).1, MAIL.0.to_string());
    }
}
