//! The webhooks journal: for apps that would rather read than be called.

use antiphon_wire::journal as wire;

use crate::door;
use crate::journal::{entries, file, filters, snapshots, subscriptions};
use crate::operation::{Family, Kind, Operation, Parameter, Payload, Scope, Verb, batch, shape};

pub const TABLE: &[Operation] = &[
    read(Verb::Get, "/earliest", "journal.earliest", door!(entries::earliest))
        .says("Find the oldest entry that is kept")
        .asks(&[PORTAL])
        .gives(200, Payload::One(shape::<wire::Fetch>))
        .or_nothing(),
    read(Verb::Get, "/latest", "journal.latest", door!(entries::latest))
        .says("Find the newest entry")
        .asks(&[PORTAL])
        .gives(200, Payload::One(shape::<wire::Fetch>))
        .or_nothing(),
    read(Verb::Get, "/offset/{offset}/next", "journal.next", door!(entries::next))
        .says("Find the entry behind another")
        .asks(&[PORTAL])
        .gives(200, Payload::One(shape::<wire::Fetch>))
        .or_nothing(),
    read(Verb::Get, "/batch/earliest/{count}", "journal.batch.earliest", door!(entries::batch_earliest))
        .says("Find the oldest entries, up to 100")
        .asks(&[PORTAL])
        .gives(200, Payload::One(batch::<wire::Fetch>)),
    read(Verb::Get, "/batch/latest/{count}", "journal.batch.latest", door!(entries::batch_latest))
        .says("Find the newest entries, up to 100")
        .asks(&[PORTAL])
        .gives(200, Payload::One(batch::<wire::Fetch>)),
    read(Verb::Get, "/batch/{offset}/next/{count}", "journal.batch.next", door!(entries::batch_next))
        .says("Find the entries behind another, up to 100")
        .asks(&[PORTAL])
        .gives(200, Payload::One(batch::<wire::Fetch>)),
    read(Verb::Post, "/batch/read", "journal.batch.read", door!(entries::read))
        .says("Find entries by their offsets")
        .asks(&[PORTAL])
        .takes(shape::<wire::EntriesRead>)
        .gives(200, Payload::One(batch::<wire::Fetch>))
        .partly(),
    read(Verb::Get, "/status/{statusId}", "journal.snapshots.status", door!(snapshots::status))
        .scope(Scope::JournalSnapshots)
        .says("Ask how far a snapshot is")
        .asks(&[PORTAL])
        .gives(200, Payload::One(shape::<wire::SnapshotStatus>)),
    see("", "journal.subscriptions.list", door!(subscriptions::list))
        .says("List what goes into the journal")
        .gives(200, Payload::One(shape::<wire::Subscriptions>)),
    manage(Verb::Post, "", "journal.subscriptions.upsert", door!(subscriptions::upsert))
        .says("Say what goes into the journal; what has the same type, portal and object type is replaced")
        .takes(shape::<wire::SubscriptionUpsert>)
        .gives(200, Payload::One(shape::<wire::Subscription>)),
    see("/{subscriptionId}", "journal.subscriptions.get", door!(subscriptions::get))
        .says("Read a subscription")
        .gives(200, Payload::One(shape::<wire::Subscription>)),
    manage(Verb::Delete, "/{subscriptionId}", "journal.subscriptions.delete", door!(subscriptions::delete))
        .says("End a subscription")
        .gives(204, Payload::Nothing),
    manage(
        Verb::Delete,
        "/portals/{portalId}",
        "journal.subscriptions.delete-all",
        door!(subscriptions::delete_all),
    )
    .says("End every subscription to a portal")
    .gives(204, Payload::Nothing),
    manage(Verb::Post, "/filters", "journal.filters.create", door!(filters::create))
        .says("Have a subscription mean only some objects")
        .takes(shape::<wire::FilterCreate>)
        .gives(200, Payload::One(shape::<wire::FilterMade>)),
    manage(Verb::Get, "/filters/{filterId}", "journal.filters.get", door!(filters::get))
        .says("Read a filter")
        .gives(200, Payload::One(shape::<wire::FilterResponse>)),
    manage(Verb::Get, "/filters/subscription/{subscriptionId}", "journal.filters.list", door!(filters::list))
        .says("List the filters of a subscription")
        .gives(200, Payload::List(shape::<wire::FilterResponse>)),
    manage(Verb::Delete, "/filters/{filterId}", "journal.filters.delete", door!(filters::delete))
        .says("Take a filter away")
        .gives(204, Payload::Nothing),
    Operation::journal(
        Family::JournalSnapshots,
        Scope::JournalSnapshots,
        Verb::Post,
        "/crm",
        "journal.snapshots.create",
        door!(snapshots::create),
    )
    .says("Have objects put into the journal as they are now")
    .takes(shape::<wire::SnapshotsCreate>)
    .gives(200, Payload::One(shape::<wire::SnapshotsMade>)),
    Operation::journal(
        Family::JournalFiles,
        Scope::Journal,
        Verb::Get,
        "/{portalId}/{appId}/{offset}",
        "journal.file",
        door!(file::get),
    )
    .open()
    .says("Read what is in an entry; the address is the one that the journal answered")
    .asks(&[
        Parameter { name: "expires", kind: Kind::Integer, help: "Until when the address is good" },
        Parameter { name: "signature", kind: Kind::Text, help: "Proof that the server gave it out" },
    ])
    .gives(200, Payload::One(shape::<wire::JournalFile>)),
];

const fn read(verb: Verb, path: &'static str, id: &'static str, door: crate::operation::Door) -> Operation {
    Operation::journal(Family::Journal, Scope::Journal, verb, path, id, door)
}

const fn see(path: &'static str, id: &'static str, door: crate::operation::Door) -> Operation {
    Operation::journal(Family::JournalSubscriptions, Scope::JournalSubscriptions, Verb::Get, path, id, door)
}

const fn manage(verb: Verb, path: &'static str, id: &'static str, door: crate::operation::Door) -> Operation {
    Operation::journal(Family::JournalSubscriptions, Scope::JournalManagement, verb, path, id, door)
}

const PORTAL: Parameter =
    Parameter { name: "installPortalId", kind: Kind::Integer, help: "Only what is of this portal" };
