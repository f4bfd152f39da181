//! How an app's webhook fares, for those who mend it: what was sent, what was not taken, and having it sent again. Nothing is
//! sent from here but the test event; whatever is to be sent again is noted, and goes the way of all others.

pub mod attempts;
pub mod deliveries;
pub mod resend;
pub mod status;
pub mod trial;

use std::sync::Arc;

use antiphon_store::{App, AppId, Directory, Webhook};

use crate::apps;
use crate::call::Call;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;
use crate::webhooks::target;

/// The app that a call is about, or its channel that the call names, and the directory as it is by now: where something is sent
/// again, which is the business of the app's own portal and of the operator.
async fn named(call: &Call) -> Result<(AppId, Arc<Directory>), Refusal> {
    let (key, directory) = seen(call).await?;
    match is_own(&directory, key) || call.caller.operator {
        true => Ok((key, directory)),
        false => Err(Refusal::not_found(call.segment(0))),
    }
}

/// The same, where it is only looked at: whoever lets an app in sees what it is sent from there.
async fn seen(call: &Call) -> Result<(AppId, Arc<Directory>), Refusal> {
    let id = apps::named(call.segment(0))?;
    let mut checks = Checks::default();
    let channel = checks.take(call.query.int("channelId")).flatten();
    checks.done()?;
    let directory = directory::now(call).await?;
    // One from elsewhere is known here once somebody has let it in.
    if directory.app(id).is_none() {
        return Err(Refusal::not_found(id));
    }
    let Some(channel) = channel else { return Ok((id, directory)) };
    match directory.channel(channel).is_some_and(|one| one.app_id == id) {
        true => Ok((AppId::of_channel(channel), directory)),
        false => Err(Refusal::not_found(channel)),
    }
}

/// The same, where something is to become of the app: that is so at home only.
async fn own(call: &Call) -> Result<(AppId, Arc<Directory>), Refusal> {
    let (key, directory) = seen(call).await?;
    match is_own(&directory, key) {
        true => Ok((key, directory)),
        false => Err(Refusal::not_found(call.segment(0))),
    }
}

fn is_own(directory: &Directory, key: AppId) -> bool {
    directory.home(key).portal.id == directory.portal.id
}

/// Where an app is told of events, for those who look at it here. What stands behind the question mark may be a secret between
/// the app and its receiver.
fn shown_url(url: &str, own: bool) -> String {
    if own { url } else { url.split(['?', '#']).next().unwrap_or_default() }.to_owned()
}

/// An app and where it is told of events.
fn settings(directory: &Directory, key: AppId) -> Result<(&App, Webhook), Refusal> {
    target::of(directory, key).ok_or_else(|| Refusal::not_found(key.channel().unwrap_or(key.0)))
}
