//! Portals: the tenants. Only the operator sees more than one.

pub mod create;
pub mod get;
pub mod list;
pub mod tidy;
pub mod update;

use antiphon_store::{Portal, PortalId, Quota, Store, StoreError, Usage};
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::call::Call;
use crate::checks::Checks;
use crate::refusal::Refusal;

/// How many portals are looked up at a time.
const CHUNK: usize = 100;

/// All portals, by id, for whoever has work in each of them.
pub fn all(store: &Store) -> BoxStream<'_, Result<Portal, StoreError>> {
    let pages = stream::try_unfold(None, move |after| async move {
        let page = store.portals(after, CHUNK).await?;
        let last = page.last().map(|last| last.id);
        Ok::<_, StoreError>(last.map(|last| (stream::iter(page.into_iter().map(Ok)), Some(last))))
    });
    pages.try_flatten().boxed()
}

/// The id in the path; one that cannot be a portal's is the same as an unknown one.
fn portal_id(call: &Call) -> Result<PortalId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_INT32).map(PortalId).ok_or_else(|| Refusal::not_found(sent))
}

fn shown(portal: &Portal, usage: Option<Usage>) -> own::Portal {
    own::Portal {
        id: Id(portal.id.0),
        name: portal.name.clone(),
        time_zone: portal.profile.time_zone.clone(),
        currency: portal.profile.currency.clone(),
        account_type: portal.profile.account_type.clone(),
        quota: own::Quota { messages: portal.quota.messages, bytes: portal.quota.bytes },
        usage: usage.map(|usage| own::Usage {
            threads: usage.threads,
            messages: usage.messages,
            bytes: usage.bytes,
        }),
        created_at: Timestamp(portal.created_at),
    }
}

/// A time zone that a body names.
fn time_zone(checks: &mut Checks, sent: Option<String>) -> Option<String> {
    let name = sent?;
    if jiff::tz::TimeZone::get(&name).is_err() {
        checks.wrong("timeZone", format!("`{name}` is not an IANA time zone, such as Europe/Lisbon"));
        return None;
    }
    Some(name)
}

/// A currency that a body names.
fn currency(checks: &mut Checks, sent: Option<String>) -> Option<String> {
    let code = sent?.trim().to_ascii_uppercase();
    if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        checks.wrong("currency", format!("`{code}` is not a currency of ISO 4217, such as EUR"));
        return None;
    }
    Some(code)
}

/// What an account may be, as clients know it.
const ACCOUNT_TYPES: [&str; 4] = ["APP_DEVELOPER", "DEVELOPER_TEST", "SANDBOX", "STANDARD"];

/// A type of account that a body names.
fn account_type(checks: &mut Checks, sent: Option<String>) -> Option<String> {
    let name = sent?;
    let known = ACCOUNT_TYPES.contains(&name.as_str());
    if !known {
        checks.wrong("accountType", format!("accountType must be one of {}", ACCOUNT_TYPES.join(", ")));
    }
    known.then_some(name)
}

/// Limits that a body names; both are replaced.
fn quota(checks: &mut Checks, sent: Option<own::QuotaRequest>) -> Option<Quota> {
    let sent = sent?;
    if sent.messages.is_some_and(|limit| limit < 0) || sent.bytes.is_some_and(|limit| limit < 0) {
        checks.wrong("quota", "A quota cannot be negative");
        return None;
    }
    Some(Quota { messages: sent.messages, bytes: sent.bytes })
}
