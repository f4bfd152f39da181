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

/// The app that a call is about, or its channel that the call names, and the directory as it is by now.
async fn named(call: &Call) -> Result<(AppId, Arc<Directory>), Refusal> {
    let id = apps::named(call.segment(0))?;
    let mut checks = Checks::default();
    let channel = checks.take(call.query.int("channelId")).flatten();
    checks.done()?;
    let directory = directory::now(call).await?;
    // How an app from elsewhere fares here is the operator's business, and the app's.
    let seen = directory.own_app(id).is_some() || call.caller.operator && directory.app(id).is_some();
    if !seen {
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
    let (key, directory) = named(call).await?;
    match directory.home(key).portal.id == directory.portal.id {
        true => Ok((key, directory)),
        false => Err(Refusal::not_found(call.segment(0))),
    }
}

/// An app and where it is told of events.
fn settings(directory: &Directory, key: AppId) -> Result<(&App, Webhook), Refusal> {
    target::of(directory, key).ok_or_else(|| Refusal::not_found(key.channel().unwrap_or(key.0)))
}
