//! Agents who sign in elsewhere: at an issuer of OpenID Connect that the operator names. The browser is sent there and comes back
//! with a code, which is exchanged for a signed word about who it is. Whether a second factor is asked for is the issuer's
//! business: an authenticator here is not asked for beside it.
//!
//! Requests to the issuer leave by an [`Outbound`](crate::outbound::Outbound) of its own. The operator chose its host, so that
//! host may have a private address, and is reached without encryption where its URL says so; whatever else it names must be
//! public. Nothing that comes back with a browser is shown or followed.

mod claims;
mod journey;
mod provider;
mod ring;
mod rule;

use antiphon_store::{Moment, State};
use http::HeaderValue;
use http::header::SET_COOKIE;

use self::claims::Who;
use self::journey::Journey;
use self::provider::Fault;
pub use self::provider::Issuer;
use super::begin::begun;
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::directory;
use crate::oauth::throttle::Lock;
use crate::pages::sent_to;
use crate::refusal::Refusal;

/// Where the issuer sends the browser back to.
const CALLBACK: &str = "/antiphon/v1/oidc/callback";

/// Longest part of what comes back with the browser.
const LONGEST: usize = 4 << 10;

/// Why somebody is not signed in, for the page that tells them so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The issuer does not answer, or there is none.
    Unavailable,
    /// The browser was not sent there by us, or too long ago.
    Expired,
    /// They did not want to, or may not.
    Cancelled,
    /// What came back is not good.
    Failed,
    /// The issuer does not say whose address it is.
    Unverified,
    /// The address is no agent's.
    Unknown,
    /// Neither is it one of those who may become one.
    Domain,
    /// The address is that of an agent whom the issuer knows by another name.
    Taken,
    /// The agent is deactivated.
    Inactive,
    /// The address is an agent's in several portals.
    Several,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "oidc_unavailable",
            Self::Expired => "oidc_expired",
            Self::Cancelled => "oidc_cancelled",
            Self::Failed => "oidc_failed",
            Self::Unverified => "oidc_unverified",
            Self::Unknown => "oidc_unknown",
            Self::Domain => "oidc_domain",
            Self::Taken => "oidc_taken",
            Self::Inactive => "oidc_inactive",
            Self::Several => "oidc_several",
        }
    }
}

/// Back to where one signs in, with the reason.
fn not_in(call: &Call, why: Why) -> Answer {
    sent_to(format!("{}/inbox/?error={}", call.origin, why.name()), &[])
}

/// What is wrong is for the operator.
fn noted(fault: Fault) -> Why {
    match fault {
        Fault::Away(why) => {
            tracing::warn!(why, "the issuer cannot be asked who an agent is");
            Why::Unavailable
        }
        Fault::Refused(why) => {
            tracing::warn!(why, "the issuer does not vouch for an agent");
            Why::Failed
        }
    }
}

/// `GET /oidc/start`
pub async fn start(call: Call) -> Result<Answer, Refusal> {
    let Some(issuer) = &call.app.issuer else { return Ok(not_in(&call, Why::Unavailable)) };
    let journey = Journey::begin(call.query.scalar("return"), call.app.store.now());
    let address = match issuer.provider(&call.app).await {
        Ok(provider) => provider.authorization(&call.app.config.oidc, &back(&call), &journey),
        Err(why) => return Ok(not_in(&call, noted(Fault::Away(why)))),
    };
    let cookie = journey.cookie(&call.app.keys, secure(&call))?;
    Ok(sent_to(address, &[cookie]))
}

fn back(call: &Call) -> String {
    format!("{}{CALLBACK}", call.origin)
}

fn secure(call: &Call) -> bool {
    call.origin.starts_with("https://")
}

/// `GET /oidc/callback`
pub async fn callback(call: Call) -> Result<Answer, Refusal> {
    let Some(issuer) = &call.app.issuer else { return Ok(not_in(&call, Why::Unavailable)) };
    let sent = |name| call.query.scalar(name).filter(|sent| sent.len() <= LONGEST);
    let journey = Journey::read(&call.app.keys, &call.heads.cookie, call.app.store.now());
    // Whoever leads a browser here that was not sent away ends nobody's journey.
    let Some(journey) = journey.filter(|journey| sent("state").is_some_and(|state| journey.is(state))) else {
        return Ok(not_in(&call, Why::Expired));
    };
    let mut answer = match arrived(&call, issuer, &journey).await? {
        Ok(answer) => answer,
        Err(why) => not_in(&call, why),
    };
    let ended = HeaderValue::try_from(Journey::ended(secure(&call)));
    answer.headers.extend(ended.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    Ok(answer)
}

/// Whoever comes back: signed in, or why not.
async fn arrived(call: &Call, issuer: &Issuer, journey: &Journey) -> Result<Result<Answer, Why>, Refusal> {
    let config = &call.app.config.oidc;
    let sent = |name| call.query.scalar(name).filter(|sent| sent.len() <= LONGEST);
    if sent("iss").is_some_and(|iss| iss != config.issuer) {
        return Ok(Err(noted(Fault::Refused("somebody else answers for it".into()))));
    }
    if let Some(error) = sent("error") {
        return Ok(Err(unwilling(error)));
    }
    let Some(code) = sent("code") else { return Ok(Err(Why::Expired)) };
    if !first(call, journey).await? {
        return Ok(Err(Why::Expired));
    }
    let claims = match issuer.exchanged(&call.app, code, &back(call), journey).await {
        Ok(claims) => claims,
        Err(fault) => return Ok(Err(noted(fault))),
    };
    let Some(who) = claims.who(config) else { return Ok(Err(Why::Unverified)) };
    entered(call, journey, who).await
}

/// Signs somebody in, whom the issuer vouches for.
async fn entered(call: &Call, journey: &Journey, who: Who) -> Result<Result<Answer, Why>, Refusal> {
    let (store, role) = (&call.app.store, call.app.config.oidc.role());
    let portal = match rule::found(call, &who).await? {
        Ok(portal) => portal,
        Err(why) => return Ok(Err(why)),
    };
    let by = Doer { actor: "oidc".into(), ..Doer::of(call) };
    let person = who.clone();
    let rule =
        move |state: &State, moment: &mut Moment| rule::taken_in(&state.directory, &person, role, moment);
    if let Err(refusal) = directory::change_of(store, portal, Some(by), rule).await? {
        tracing::info!(%portal, ?refusal, "somebody whom the issuer vouches for is not signed in");
    }
    let directory = store.directory(portal).await?.ok_or(Refusal::SignedOut)?;
    let login = match rule::stands(&directory, &who, store.now()) {
        rule::Standing::Known(agent) => directory.login(agent),
        standing => return Ok(Err(standing.why(&call.app.config.oidc))),
    };
    let Some(login) = login else { return Ok(Err(Why::Unknown)) };
    let (_, cookie) = begun(call, &directory, login, "oidc.begin").await?;
    Ok(Ok(sent_to(format!("{}{}", call.origin, journey.back), &[cookie])))
}

/// Whether a journey ends for the first time.
async fn first(call: &Call, journey: &Journey) -> Result<bool, Refusal> {
    let Some(portal) = rule::house(call).await? else { return Ok(false) };
    Lock::journey(portal, &journey.state).once(&call.app).await
}

/// What it comes to when there is no code.
fn unwilling(error: &str) -> Why {
    match error {
        "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => Why::Cancelled,
        _ => {
            let name: String =
                error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(60).collect();
            noted(Fault::Away(format!("it gives no code: {name}")))
        }
    }
}
