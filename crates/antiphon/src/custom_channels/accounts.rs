//! Accounts of a channel: one phone number, one bot, one mailbox of a portal.

use antiphon_store::{
    Account, AccountId, Adapter, Channel, Directory, DirectoryChange, Identifier, InboxId, Moment, State,
    phone_key,
};
use antiphon_wire::cursor::List;
use antiphon_wire::custom_channels::{CustomAccountCreate, CustomAccountPatch};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_INT32, MAX_SAFE, parse_path_id};
use antiphon_wire::message::DeliveryIdentifierType as Kind;
use antiphon_wire::query::Query;

use crate::accounts::shown;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::listing::{self, Source};
use crate::messages::channel::stored;
use crate::refusal::Refusal;

/// `GET /{channelId}/channel-accounts`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let channel = super::named(&call)?.id;
    let directory = &call.caller.directory;
    let asked = Asked::read(&call.query, directory, channel);
    let source = Source {
        list: List::CustomAccounts,
        objects: directory.accounts(asked.as_ref().is_ok_and(|asked| asked.archived)),
        id: AccountId,
        matches: asked.map(|asked| {
            Some(move |account: &Account| account.channel_id == channel && asked.admits(account))
        }),
    };
    listing::page(&call, source, |id| directory.account(id), |account| shown(directory, account))
}

/// `GET /{channelId}/channel-accounts/{channelAccountId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let archived =
        call.query.flag("archived").map_err(|problem| Refusal::Invalid(vec![problem]))?.unwrap_or_default();
    let account = of(&call.caller.directory, super::named(&call)?, call.segment(1))?;
    match account.archived_at.is_some() == archived {
        true => Answer::json(200, &shown(&call.caller.directory, account)),
        false => Err(Refusal::not_found(account.id)),
    }
}

/// `POST /{channelId}/channel-accounts`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let channel = super::named(&call)?.id;
    let draft = read(call.json()?, channel)?;
    let (caller, sent) = (call.caller.clone(), call.segment(0).to_owned());
    let rule = move |state: &State, moment: &mut Moment| {
        super::living(&state.directory, &caller, &sent)?;
        Ok(vec![DirectoryChange::Account(make(&state.directory, &draft, moment)?)])
    };
    let made = changed!(directory::change(&call, rule).await?, Account)?;
    let directory = directory::now(&call).await?;
    Answer::json(201, &shown(&directory, &made)).map(|answer| answer.at(&call, made.id))
}

/// `PATCH /{channelId}/channel-accounts/{channelAccountId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    of(&call.caller.directory, super::named(&call)?, call.segment(1))?;
    let body: CustomAccountPatch = call.json()?;
    let mut checks = Checks::default();
    let name = checks.name("name", body.name);
    checks.done()?;
    let (caller, sent) = (call.caller.clone(), call.path.clone());
    directory::change(&call, move |state, _| {
        let channel = super::living(&state.directory, &caller, &sent[0])?;
        let known = of(&state.directory, channel, &sent[1])?;
        if known.archived_at.is_some() {
            return Err(Refusal::not_found(&sent[1]));
        }
        Ok(vec![DirectoryChange::Account(Account {
            name: name.clone().unwrap_or_else(|| known.name.clone()),
            authorized: body.authorized.unwrap_or(known.authorized),
            ..known.clone()
        })])
    })
    .await?;
    let directory = directory::now(&call).await?;
    let channel = super::living(&directory, &call.caller, call.segment(0))?;
    Answer::json(200, &shown(&directory, of(&directory, channel, call.segment(1))?))
}

/// An account of a channel, living or archived.
fn of<'d>(directory: &'d Directory, channel: &Channel, sent: &str) -> Result<&'d Account, Refusal> {
    let account = parse_path_id(sent, MAX_SAFE).and_then(|id| directory.account(AccountId(id)));
    account.filter(|account| account.channel_id == channel.id).ok_or_else(|| Refusal::not_found(sent))
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub channel_id: i64,
    pub inbox_id: InboxId,
    pub name: String,
    pub authorized: bool,
    pub identifier: Option<Identifier>,
}

fn read(body: CustomAccountCreate, channel_id: i64) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    // One that can be no inbox's is the same as an unknown one.
    let inbox_id = match &body.inbox_id {
        None => {
            checks.missing("inboxId");
            InboxId(0)
        }
        Some(sent) => match sent.parse(MAX_INT32) {
            Some(id) => InboxId(id),
            None => return Err(unknown_inbox(sent.as_str())),
        },
    };
    let sent = body.delivery_identifier;
    let identifier = sent.and_then(|sent| checks.take(sent.loose("deliveryIdentifier")));
    checks.done()?;
    Ok(Draft {
        channel_id,
        inbox_id,
        name,
        authorized: body.authorized.unwrap_or(true),
        identifier: identifier.as_ref().map(stored),
    })
}

/// The rule. Of the living accounts of a channel no two have the same address.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<Account, Refusal> {
    if directory.inbox(draft.inbox_id).is_none_or(|inbox| inbox.archived_at.is_some()) {
        return Err(unknown_inbox(&draft.inbox_id.to_string()));
    }
    let twin = draft.identifier.as_ref().and_then(|one| directory.accounts_at(draft.channel_id, one).next());
    if let Some(twin) = twin {
        return Err(Refusal::Conflict(format!(
            "Channel account {twin} has this delivery identifier already"
        )));
    }
    Ok(Account {
        id: moment.account_id(),
        channel_id: draft.channel_id,
        inbox_id: draft.inbox_id,
        name: draft.name.clone(),
        active: true,
        authorized: draft.authorized,
        identifier: draft.identifier.clone(),
        adapter: Adapter::Stored,
        welcome: None,
        chat: None,
        created_at: moment.now,
        archived_at: None,
    })
}

pub(super) fn unknown_inbox(sent: &str) -> Refusal {
    let problem =
        Problem::new("inboxId", format!("Inbox {sent} does not exist in this account or is archived"));
    Refusal::Invalid(vec![problem.context("inboxId", [sent])])
}

/// Living or archived ones, of one of the kinds and with one of the addresses, where any are named.
struct Asked {
    archived: bool,
    kinds: Vec<Kind>,
    values: Vec<String>,
}

impl Asked {
    fn read(query: &Query, directory: &Directory, channel: i64) -> Result<Self, Vec<Problem>> {
        const KIND: &str = "deliveryIdentifierType";
        let archived = query.flag("archived");
        let (kinds, wrong): (Vec<_>, Vec<_>) =
            query.list(KIND).into_iter().map(|sent| Kind::read(KIND, sent)).partition(Result::is_ok);
        let mut problems: Vec<Problem> = wrong.into_iter().filter_map(Result::err).collect();
        let archived = archived.map_err(|problem| problems.push(problem)).ok().flatten().unwrap_or_default();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut asked = Self {
            archived,
            kinds: kinds.into_iter().flatten().collect(),
            values: query.texts("deliveryIdentifierValue").into_iter().map(str::to_owned).collect(),
        };
        // A comma may be part of an address: one text is several only where nobody has it as it is.
        if let [only] = asked.values.as_slice()
            && only.contains(',')
            && !directory.accounts(archived).iter().any(|one| one.channel_id == channel && asked.admits(one))
        {
            asked.values = only.split(',').map(str::to_owned).filter(|part| !part.is_empty()).collect();
        }
        Ok(asked)
    }

    fn admits(&self, account: &Account) -> bool {
        if self.kinds.is_empty() && self.values.is_empty() {
            return true;
        }
        let Some(own) = &account.identifier else { return false };
        let kind = Kind::parse(&own.kind);
        (self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind)))
            && (self.values.is_empty() || self.values.iter().any(|value| is_same(own, kind, value)))
    }
}

/// Whether an address is meant by a text. The plus of a phone number may have arrived as a blank.
fn is_same(own: &Identifier, kind: Option<Kind>, value: &str) -> bool {
    let same = |value: &str| Identifier { value: value.to_owned(), ..own.clone() }.key() == own.key();
    let plus = || value.strip_prefix(' ').is_some_and(|rest| same(&format!("+{}", phone_key(rest))));
    same(value) || (kind == Some(Kind::Phone) && plus())
}
