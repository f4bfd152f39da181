//! Apps: the integrations on whose behalf tokens act.

pub mod create;
pub mod get;
pub mod list;
pub mod rotate;
pub mod secrets;
pub mod update;

use antiphon_store::{App, AppId, Directory, Millis};
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

use crate::refusal::Refusal;

/// The number of the app that a path names.
pub(crate) fn named(sent: &str) -> Result<AppId, Refusal> {
    parse_path_id(sent, MAX_INT32).map(AppId).ok_or_else(|| Refusal::not_found(sent))
}

/// An app without its secrets.
pub(crate) fn shown(app: &App, now: Millis) -> own::App {
    let until = |old: &Option<_>| secrets::until(old, now).map(Timestamp);
    own::App {
        id: Id(app.id.0),
        name: app.name.clone(),
        avatar: app.avatar.clone(),
        user_id: app.user_id.map(Id),
        active: app.active,
        client_secret: None,
        developer_key: None,
        old_client_secret_until: until(&app.old_secret),
        old_developer_key_until: until(&app.old_key),
        shares_key_with: Vec::new(),
        created_at: Timestamp(app.created_at),
    }
}

/// The same, with the apps that have the same developer key.
pub(crate) fn shown_whole(app: &App, directory: &Directory, now: Millis) -> own::App {
    let others = directory.apps().iter().filter(|other| other.id != app.id);
    let sharing = others.filter(|other| other.developer_key == app.developer_key);
    own::App { shares_key_with: sharing.map(|other| Id(other.id.0)).collect(), ..shown(app, now) }
}

/// An app that was just made: the only time its secrets are shown.
pub(crate) fn shown_once(app: &App, developer_key: String, now: Millis) -> own::App {
    own::App {
        client_secret: Some(app.client_secret.clone()),
        developer_key: Some(developer_key),
        ..shown(app, now)
    }
}
