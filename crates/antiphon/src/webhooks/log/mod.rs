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
use crate::directory;
use crate::refusal::Refusal;

/// The app that a call is about, and the directory as it is by now.
async fn named(call: &Call) -> Result<(AppId, Arc<Directory>), Refusal> {
    let id = apps::named(call.segment(0))?;
    let directory = directory::now(call).await?;
    match directory.app(id) {
        Some(_) => Ok((id, directory)),
        None => Err(Refusal::not_found(id)),
    }
}

/// An app and where it is told of events.
fn settings(directory: &Directory, id: AppId) -> Result<(&App, &Webhook), Refusal> {
    directory.app(id).zip(directory.webhook(id)).ok_or_else(|| Refusal::not_found(id))
}
