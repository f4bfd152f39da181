//! An account on its way: a token is made where connecting begins, the integration says what the account is, and the account
//! comes of it.

use antiphon_store::{
    Account, Channel, Directory, DirectoryChange, Identifier, InboxId, Moment, StagingToken, TokenHash,
};
use antiphon_wire::custom_channels::{self as wire, StagingTokenUpdate};
use antiphon_wire::error::Problem;
use antiphon_wire::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::accounts::{self, Draft};
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::messages::channel::{shown, stored};
use crate::middleware::token;
use crate::refusal::Refusal;

/// How long a token is good, in milliseconds.
const LIFE: i64 = 24 * 60 * 60 * 1000;

/// Most tokens of a portal that are good at once.
const MOST: usize = 1000;

/// What is known of the account by now.
#[derive(Debug, Clone)]
struct Known {
    name: Option<String>,
    identifier: Option<Identifier>,
}

/// `PATCH /{channelId}/channel-account-staging-tokens/{accountToken}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    super::named(&call)?;
    let sent = call.segment(1).to_owned();
    let known = read(call.json()?)?;
    let (caller, path) = (call.caller.clone(), call.path.clone());
    let changes = directory::change(&call, move |state, moment| {
        let channel = super::living(&state.directory, &caller, &path[0])?;
        let token =
            good(&state.directory, &path[1], moment.now).filter(|token| token.channel_id == channel.id);
        let token = token.ok_or_else(|| Refusal::not_found(&path[1]))?;
        if let Some(account) = token.account_id {
            return Err(Refusal::Conflict(format!(
                "This token has become channel account {account} already"
            )));
        }
        let token = StagingToken {
            account_name: known.name.clone().or_else(|| token.account_name.clone()),
            identifier: known.identifier.clone().or_else(|| token.identifier.clone()),
            ..token.clone()
        };
        match token.identifier {
            Some(_) => connected(&state.directory, channel, token, moment),
            None => Ok(vec![DirectoryChange::StagingToken(token)]),
        }
    })
    .await?;
    let token = match changed!(changes, StagingToken) {
        Ok(token) => token,
        // It said so before.
        Err(_) => {
            let directory = directory::now(&call).await?;
            let known = good(&directory, &sent, call.app.store.now());
            known.cloned().ok_or_else(|| Refusal::not_found(&sent))?
        }
    };
    Answer::json(200, &told(&sent, &token))
}

fn read(body: StagingTokenUpdate) -> Result<Known, Refusal> {
    let mut checks = Checks::default();
    if body.account_name.is_none() && body.delivery_identifier.is_none() {
        checks.missing("accountName");
        checks.missing("deliveryIdentifier");
    }
    let name = checks.name("accountName", body.account_name);
    let sent = body.delivery_identifier;
    let identifier = sent.and_then(|sent| checks.take(sent.loose("deliveryIdentifier")));
    checks.done()?;
    Ok(Known { name, identifier: identifier.as_ref().map(stored) })
}

fn told(sent: &str, token: &StagingToken) -> wire::StagingToken {
    wire::StagingToken {
        account_token: sent.to_owned(),
        generic_channel_id: token.channel_id,
        inbox_id: token.inbox_id.0,
        user_id: token.user_id,
        created_at: Timestamp(token.created_at),
        account_name: token.account_name.clone(),
        delivery_identifier: token.identifier.as_ref().map(shown),
    }
}

/// A token that was given out and is still good.
pub(super) fn good<'d>(directory: &'d Directory, sent: &str, now: i64) -> Option<&'d StagingToken> {
    let token = directory.staging_tokens().get(&hash(sent))?;
    (token.expires_at > now).then_some(token)
}

/// A token that nobody can guess: 32 random bytes.
pub(super) fn fresh() -> String {
    let random: Vec<u8> = (0..3).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    URL_SAFE_NO_PAD.encode(Sha256::digest(random))
}

fn hash(sent: &str) -> TokenHash {
    token::hash(sent)
}

/// The rule by which a token becomes an account.
pub(super) fn connected(
    directory: &Directory,
    channel: &Channel,
    token: StagingToken,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let named = token.account_name.clone().or_else(|| token.identifier.as_ref().map(|one| one.value.clone()));
    let draft = Draft {
        channel_id: channel.id,
        inbox_id: token.inbox_id,
        name: named.unwrap_or_else(|| channel.name.clone()),
        authorized: true,
        identifier: token.identifier.clone(),
    };
    let account: Account = accounts::make(directory, &draft, moment)?;
    let token = StagingToken { account_id: Some(account.id), ..token };
    Ok(vec![DirectoryChange::Account(account), DirectoryChange::StagingToken(token)])
}

/// The rule by which a token is made. Those that are no longer good go.
pub(super) fn make(
    directory: &Directory,
    channel: &Channel,
    inbox_id: InboxId,
    user_id: i64,
    sent: &str,
    moment: &Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let now = moment.now;
    if directory.inbox(inbox_id).is_none_or(|inbox| inbox.archived_at.is_some()) {
        return Err(accounts::unknown_inbox(&inbox_id.to_string()));
    }
    let all = directory.staging_tokens();
    let (good, ended): (Vec<_>, Vec<_>) = all.iter().partition(|token| token.expires_at > now);
    if good.len() >= MOST {
        let why = format!("At most {MOST} accounts can be on their way; finish some, or wait a day");
        return Err(Refusal::Invalid(vec![Problem::bare(why)]));
    }
    let token = StagingToken {
        hash: hash(sent),
        channel_id: channel.id,
        inbox_id,
        user_id,
        account_name: None,
        identifier: None,
        account_id: None,
        created_at: now,
        expires_at: now + LIFE,
        deleted_at: None,
    };
    let gone = |token: &StagingToken| StagingToken { deleted_at: Some(now), ..token.clone() };
    let ended = ended.into_iter().take(100).map(|token| DirectoryChange::StagingToken(gone(token)));
    Ok(ended.chain([DirectoryChange::StagingToken(token)]).collect())
}
