//! Connecting a channel account.

use antiphon_store::{Account, AccountId, Adapter, Directory, DirectoryChange, Identifier, InboxId, Moment};
use antiphon_wire::channel::{BUILT_IN, EMAIL, LIVE_CHAT, SMS, WHATSAPP};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_INT32, MAX_SAFE};
use antiphon_wire::message::{DeliveryIdentifierType, IdentifierRequest};
use antiphon_wire::own::{Adapter as Carrier, ChannelAccountCreate};

use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub channel_id: i64,
    pub inbox_id: InboxId,
    pub identifier: Option<Identifier>,
    pub active: bool,
    pub authorized: bool,
    pub adapter: Adapter,
    pub welcome: Option<String>,
}

/// `POST /channel-accounts`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?)?;
    let rule = move |state: &antiphon_store::State, moment: &mut Moment| {
        Ok(vec![DirectoryChange::Account(make(&state.directory, &draft, moment)?)])
    };
    let account = changed!(directory::change(&call, rule).await?, Account)?;
    let directory = directory::now(&call).await?;
    Answer::json(201, &super::settings(&directory, &account)).map(|answer| answer.at(&call, account.id))
}

fn read(body: ChannelAccountCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let channel_id = checks.required_id("channelId", body.channel_id, MAX_SAFE);
    let inbox_id = InboxId(checks.required_id("inboxId", body.inbox_id, MAX_INT32));
    let identifier = body.delivery_identifier.and_then(|sent| read_identifier(&mut checks, &sent));
    let adapter = body.adapter.and_then(|name| checks.take(Carrier::read("adapter", &name)));
    checks.done()?;
    Ok(Draft {
        name,
        channel_id,
        inbox_id,
        identifier,
        active: body.active.unwrap_or(true),
        authorized: body.authorized.unwrap_or(true),
        adapter: super::adapter(adapter.unwrap_or(Carrier::Stored)),
        welcome: body.welcome_message.filter(|text| !text.trim().is_empty()),
    })
}

/// An address from a body.
pub(super) fn read_identifier(checks: &mut Checks, sent: &IdentifierRequest) -> Option<Identifier> {
    let identifier = checks.take(sent.identifier("deliveryIdentifier"))?;
    Some(Identifier { kind: identifier.kind.as_str().to_owned(), value: identifier.value })
}

/// The rule.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<Account, Refusal> {
    let account = Account {
        id: moment.account_id(),
        channel_id: draft.channel_id,
        inbox_id: draft.inbox_id,
        name: draft.name.clone(),
        active: draft.active,
        authorized: draft.authorized,
        identifier: draft.identifier.clone(),
        adapter: draft.adapter,
        welcome: draft.welcome.clone(),
        chat: None,
        created_at: moment.now,
        archived_at: None,
    };
    let problems = misfits(directory, &account);
    if problems.is_empty() { Ok(account) } else { Err(Refusal::Invalid(problems)) }
}

/// Everything about an account that does not fit its channel, its inbox or the other accounts.
pub(super) fn misfits(directory: &Directory, account: &Account) -> Vec<Problem> {
    let mut problems = Vec::new();
    let built_in = BUILT_IN.iter().find(|(id, _)| *id == account.channel_id).map(|(_, name)| *name);
    let brought = directory.channel(account.channel_id).filter(|channel| channel.archived_at.is_none());
    let Some(channel) = built_in.or(brought.map(|channel| channel.name.as_str())) else {
        return vec![Problem::new("channelId", format!("Channel {} does not exist", account.channel_id))];
    };
    if directory.inbox(account.inbox_id).is_none_or(|inbox| inbox.archived_at.is_some()) {
        let message = format!("Inbox {} does not exist in this account or is archived", account.inbox_id);
        problems.push(Problem::new("inboxId", message));
    }
    let sent = account.identifier.as_ref().map(|identifier| identifier.kind.as_str());
    let fits = match account.channel_id {
        EMAIL => sent == Some(DeliveryIdentifierType::Email.as_str()),
        WHATSAPP => sent == Some(DeliveryIdentifierType::Phone.as_str()),
        SMS => [DeliveryIdentifierType::Phone, DeliveryIdentifierType::ShortCode]
            .iter()
            .any(|kind| sent == Some(kind.as_str())),
        _ => sent.is_none() || brought.is_some(),
    };
    if !fits {
        let wanted = match account.channel_id {
            EMAIL => "needs an address of type HS_EMAIL_ADDRESS",
            WHATSAPP => "needs an address of type HS_PHONE_NUMBER",
            SMS => "needs an address of type HS_PHONE_NUMBER or HS_SHORT_CODE",
            _ => "has no address of its own",
        };
        problems.push(Problem::new("deliveryIdentifier", format!("An account on {channel} {wanted}")));
    }
    if let Some(other) = twin(directory, account) {
        problems.push(Problem::new(
            "deliveryIdentifier",
            format!("Channel account {other} has the same address already"),
        ));
    }
    if account.welcome.is_some() && account.channel_id != LIVE_CHAT {
        problems.push(Problem::new("welcomeMessage", "Only live chat greets"));
    }
    problems
}

/// A living account on the same channel with the same address.
fn twin(directory: &Directory, account: &Account) -> Option<AccountId> {
    let address = account.identifier.as_ref()?;
    directory.accounts_at(account.channel_id, address).find(|other| *other != account.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn draft(channel_id: i64, identifier: Option<(&str, &str)>) -> Draft {
        Draft {
            name: "Front door".into(),
            channel_id,
            inbox_id: InboxId(640),
            identifier: identifier.map(|(kind, value)| Identifier { kind: kind.into(), value: value.into() }),
            active: true,
            authorized: true,
            adapter: Adapter::Stored,
            welcome: None,
        }
    }

    #[test]
    fn an_address_fits_its_channel() {
        let directory = testing::state().directory;
        for (channel, identifier, fine) in [
            (1002, Some(("HS_EMAIL_ADDRESS", "care@larkspur.example")), true),
            (1002, Some(("HS_PHONE_NUMBER", "+447700900101")), false),
            (1002, None, false),
            (1007, Some(("HS_PHONE_NUMBER", "+447700900101")), true),
            (1007, None, false),
            (1009, Some(("HS_SHORT_CODE", "78887")), true),
            (1000, None, true),
            (1000, Some(("HS_EMAIL_ADDRESS", "care@larkspur.example")), false),
            (1001, None, true),
            (1005, None, false),
            (1_000_000, None, false),
        ] {
            let made = make(&directory, &draft(channel, identifier), &mut Moment::still(testing::NOW));
            assert_eq!(made.is_ok(), fine, "{channel} {identifier:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let directory = testing::state().directory;
        let bad = Draft { inbox_id: InboxId(9999), welcome: Some("Hi".into()), ..draft(1002, None) };
        let Err(Refusal::Invalid(problems)) = make(&directory, &bad, &mut Moment::still(testing::NOW)) else {
            panic!()
        };
        let fields: Vec<_> = problems.iter().filter_map(|p| p.in_.as_deref()).collect();
        assert_eq!(fields, ["inboxId", "deliveryIdentifier", "welcomeMessage"]);
    }
}
