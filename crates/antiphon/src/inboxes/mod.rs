//! Inboxes: where threads wait. Read by every client, set up by administrators.

pub mod create;
pub mod get;
pub mod list;
pub mod update;

use antiphon_store::{Inbox, InboxId, InboxKind};
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::inbox::{self as wire, InboxType};
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

use crate::call::Call;
use crate::listing::{Key, Listed};
use crate::refusal::Refusal;

/// The id in the path; one that cannot be an inbox's is the same as an unknown one.
fn inbox_id(call: &Call) -> Result<InboxId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_INT32).map(InboxId).ok_or_else(|| Refusal::not_found(sent))
}

/// An inbox as every version shows it.
fn shown(inbox: &Inbox) -> wire::Inbox {
    wire::Inbox {
        id: Id(inbox.id.0),
        name: inbox.name.clone(),
        kind: match inbox.kind {
            InboxKind::Inbox => InboxType::Inbox,
            InboxKind::HelpDesk => InboxType::HelpDesk,
        },
        created_at: Timestamp(inbox.created_at),
        updated_at: Timestamp(inbox.updated_at),
        archived: inbox.archived_at.is_some(),
        archived_at: inbox.archived_at.map(Timestamp),
    }
}

/// An inbox as administrators see it.
fn settings(inbox: &Inbox) -> own::Inbox {
    let shown = shown(inbox);
    own::Inbox {
        id: shown.id,
        name: shown.name,
        kind: shown.kind,
        assign_on_reply: inbox.assign_on_reply,
        created_at: shown.created_at,
        updated_at: shown.updated_at,
        archived: shown.archived,
        archived_at: shown.archived_at,
    }
}

/// The kind that a client names.
fn kind_stored(kind: InboxType) -> InboxKind {
    match kind {
        InboxType::Inbox => InboxKind::Inbox,
        InboxType::HelpDesk => InboxKind::HelpDesk,
    }
}

impl Listed for Inbox {
    fn id(&self) -> i64 {
        self.id.0
    }

    fn key(&self, field: &str) -> Option<Key> {
        Some(match field {
            "id" => Key::Number(self.id.0),
            "name" => Key::text(&self.name),
            "type" => Key::text(shown(self).kind.as_str()),
            "createdAt" => Key::Number(self.created_at),
            "updatedAt" => Key::Number(self.updated_at),
            "archived" => Key::Flag(self.archived_at.is_some()),
            "archivedAt" => Key::Number(self.archived_at?),
            _ => return None,
        })
    }
}
