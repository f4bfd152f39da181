//! Apps: the integrations on whose behalf tokens act.

pub mod create;
pub mod list;
pub mod update;

use antiphon_store::App;
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

/// An app without its secrets.
pub(crate) fn shown(app: &App) -> own::App {
    own::App {
        id: Id(app.id.0),
        name: app.name.clone(),
        avatar: app.avatar.clone(),
        active: app.active,
        client_secret: None,
        developer_key: None,
        created_at: Timestamp(app.created_at),
    }
}

/// An app that was just made: the only time its secrets are shown.
pub(crate) fn shown_once(app: &App) -> own::App {
    own::App {
        client_secret: Some(app.client_secret.clone()),
        developer_key: Some(app.developer_key.clone()),
        ..shown(app)
    }
}
