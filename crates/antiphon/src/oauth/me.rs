//! "Who am I": what clients ask to see whether a token is good.

use antiphon_store::Profile;
use antiphon_wire::oauth::{Details, Me};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::info::host;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /details`
pub async fn details(call: Call) -> Result<Answer, Refusal> {
    let (offset, millis) = offset(&call);
    let Profile { time_zone, currency, account_type } = call.caller.directory.portal.profile.clone();
    Answer::json(
        200,
        &Details {
            portal_id: call.caller.portal().0,
            account_type,
            time_zone,
            company_currency: currency,
            additional_currencies: Vec::new(),
            utc_offset: offset,
            utc_offset_milliseconds: millis,
            ui_domain: host(&call.origin),
            data_hosting_location: call.app.config.region.clone(),
        },
    )
}

/// `GET /me`
pub async fn me(call: Call) -> Result<Answer, Refusal> {
    let (offset, millis) = offset(&call);
    let Profile { time_zone, currency, .. } = call.caller.directory.portal.profile.clone();
    Answer::json(
        200,
        &Me {
            portal_id: call.caller.portal().0,
            time_zone,
            currency,
            utc_offset: offset,
            utc_offset_milliseconds: millis,
        },
    )
}

/// How far the portal's clocks are from UTC now.
fn offset(call: &Call) -> (String, i64) {
    let zone = TimeZone::get(&call.caller.directory.portal.profile.time_zone).unwrap_or(TimeZone::UTC);
    let now = Timestamp::from_millisecond(call.app.store.now()).unwrap_or_default();
    let seconds = i64::from(zone.to_offset(now).seconds());
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    (format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60), seconds * 1000)
}
