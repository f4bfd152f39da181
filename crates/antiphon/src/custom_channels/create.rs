//! Bringing a channel.

use antiphon_store::{Channel, DirectoryChange, Moment, State};
use antiphon_wire::custom_channels::CustomChannelCreate;
use antiphon_wire::error::Problem;

use super::capabilities::Capabilities;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::outbound::TargetUrl;
use crate::refusal::Refusal;

/// Most living channels of an app: whatever becomes of the app becomes of all of them in one change.
const MOST: usize = 200;

/// Longest description, in characters.
const LONGEST_LINE: usize = 1000;

/// Longest URL, in bytes.
const LONGEST_URL: usize = 2048;

/// `POST /`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?, call.app.config.outbound.http)?;
    let app_id = call.caller.app();
    let rule = move |state: &State, moment: &mut Moment| {
        if state.directory.app(app_id).is_none() {
            return Err(Refusal::not_found(app_id));
        }
        if state.directory.channels_of(app_id).count() >= MOST {
            return Err(Refusal::Invalid(vec![Problem::bare(format!("An app has at most {MOST} channels"))]));
        }
        let made = Channel { id: moment.channel_id(), app_id, created_at: moment.now, ..draft.clone() };
        Ok(vec![DirectoryChange::Channel(made)])
    };
    let made = changed!(directory::change(&call, rule).await?, Channel)?;
    Answer::json(201, &super::shown(&made)?).map(|answer| answer.at(&call, made.id))
}

/// A channel without what the rule gives it.
fn read(body: CustomChannelCreate, http: bool) -> Result<Channel, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let mut capabilities = String::new();
    match &body.capabilities {
        None => checks.missing("capabilities"),
        Some(sent) => {
            if checks.take(Capabilities::check(sent)).is_some() {
                capabilities = super::stored(sent)?;
            }
        }
    }
    let draft = Channel {
        id: 0,
        app_id: antiphon_store::AppId(0),
        name,
        webhook_url: webhook_url(&mut checks, body.webhook_url, http),
        redirect_url: url(&mut checks, "channelAccountConnectionRedirectUrl", body.redirect_url),
        description: line(&mut checks, body.description),
        logo_url: url(&mut checks, "channelLogoUrl", body.logo_url),
        capabilities,
        created_at: 0,
        archived_at: None,
    };
    checks.done()?;
    Ok(draft)
}

/// Where an app is told. An empty text is none.
pub(super) fn webhook_url(checks: &mut Checks, sent: Option<String>, http: bool) -> Option<String> {
    const NAME: &str = "webhookUrl";
    let sent = sent?.trim().to_owned();
    match TargetUrl::parse(&sent) {
        _ if sent.is_empty() => return None,
        Err(why) => checks.wrong(NAME, why),
        Ok(target) if !target.is_https() && !http => {
            checks
                .wrong(NAME, "Write a URL that begins with https://; this server sends nothing in the clear");
        }
        Ok(_) => return Some(sent),
    }
    None
}

/// A page or a picture. An empty text is none.
pub(super) fn url(checks: &mut Checks, field: &str, sent: Option<String>) -> Option<String> {
    let sent = sent.filter(|text| !text.trim().is_empty())?;
    if sent.len() > LONGEST_URL {
        checks.wrong(field, format!("{field} is longer than {LONGEST_URL} bytes"));
        return None;
    }
    checks.url(field, Some(sent))
}

/// One line. An empty text is none.
pub(super) fn line(checks: &mut Checks, sent: Option<String>) -> Option<String> {
    let sent = sent.filter(|text| !text.is_empty())?;
    if sent.chars().count() > LONGEST_LINE {
        checks.wrong(
            "channelDescription",
            format!("channelDescription is longer than {LONGEST_LINE} characters"),
        );
        return None;
    }
    if sent.contains(char::is_control) {
        checks.wrong("channelDescription", "channelDescription must have no control characters");
        return None;
    }
    Some(sent)
}
