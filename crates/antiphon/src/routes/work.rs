//! `/antiphon/v1`: threads as agents see them, with what they are marked with and the lists they are found in.

use antiphon_wire::work;

use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, shape};
use crate::{door, tags, threads, views};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Get, "/threads", "work.threads.list", door!(threads::work::list::list))
        .scope(Scope::Read)
        .says("List threads as agents see them, the one last spoken in first")
        .asks(&[
            Parameter {
                name: "state",
                kind: Kind::SomeOf(STATES),
                help: "Only those in one of these states",
            },
            Parameter { name: "inboxId", kind: Kind::Integers, help: "Only those in one of these inboxes" },
            Parameter {
                name: "channelAccountId",
                kind: Kind::Integers,
                help: "Only those that began on one of these channel accounts",
            },
            Parameter {
                name: "assignee",
                kind: Kind::Text,
                help: "`me`, `unassigned`, `any` or an actor id",
            },
            Parameter { name: "tagId", kind: Kind::Integer, help: "Only those with this tag" },
            Parameter {
                name: "viewId",
                kind: Kind::Integer,
                help: "Those that a saved view shows, instead of the filters above",
            },
            Parameter {
                name: "contactId",
                kind: Kind::Integer,
                help: "Only those of this contact or visitor",
            },
            Parameter { name: "sort", kind: Kind::OneOf(&["latest"]), help: "The only order there is" },
            Parameter {
                name: "limit",
                kind: Kind::Integer,
                help: "Most results of a page, 50 if absent and at most 200",
            },
            AFTER,
        ])
        .gives(200, Payload::Page(shape::<work::WorkThread>)),
    Operation::own(Verb::Get, "/threads/{threadId}", "work.threads.get", door!(threads::work::get::get))
        .scope(Scope::Read)
        .says("Read a thread as agents see it, archived or not")
        .gives(200, Payload::One(shape::<work::WorkThreadDetail>)),
    Operation::own(Verb::Put, "/threads/{threadId}/tags", "work.threads.tags", door!(threads::mark::tags))
        .scope(Scope::Write)
        .says("Give a thread tags, and take others from it")
        .takes(shape::<work::TagEdit>)
        .gives(200, Payload::One(shape::<work::WorkThread>)),
    Operation::own(
        Verb::Put,
        "/threads/{threadId}/snooze",
        "work.threads.snooze",
        door!(threads::snooze::begin),
    )
    .scope(Scope::Write)
    .says("Let a thread wait until a moment, or until its visitor writes")
    .takes(shape::<work::Snooze>)
    .gives(200, Payload::One(shape::<work::WorkThread>)),
    Operation::own(
        Verb::Delete,
        "/threads/{threadId}/snooze",
        "work.threads.unsnooze",
        door!(threads::snooze::end),
    )
    .scope(Scope::Write)
    .says("End a snooze")
    .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/tags", "tags.list", door!(tags::list::list))
        .scope(Scope::Read)
        .says("List tags, archived ones included unless one or the other is asked for")
        .asks(&[
            Parameter {
                name: "archived",
                kind: Kind::Boolean,
                help: "Only archived ones, or only the others",
            },
            LIMIT,
            AFTER,
        ])
        .gives(200, Payload::CountedPage(shape::<work::Tag>)),
    Operation::own(Verb::Post, "/tags", "tags.create", door!(tags::create::create))
        .scope(Scope::Write)
        .says("Make a tag")
        .takes(shape::<work::TagCreate>)
        .gives(201, Payload::One(shape::<work::Tag>)),
    Operation::own(Verb::Patch, "/tags/{tagId}", "tags.update", door!(tags::update::update))
        .scope(Scope::Write)
        .says("Change, archive or restore a tag")
        .takes(shape::<work::TagPatch>)
        .gives(200, Payload::One(shape::<work::Tag>)),
    Operation::own(Verb::Delete, "/tags/{tagId}", "tags.archive", door!(tags::update::archive))
        .scope(Scope::Write)
        .says("Archive a tag; threads keep it")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/views", "views.list", door!(views::list::list))
        .scope(Scope::Read)
        .says("List saved views: shared ones, and the calling agent's own")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::CountedPage(shape::<work::View>)),
    Operation::own(Verb::Post, "/views", "views.create", door!(views::create::create))
        .scope(Scope::Write)
        .says("Save a view")
        .takes(shape::<work::ViewCreate>)
        .gives(201, Payload::One(shape::<work::View>)),
    Operation::own(Verb::Get, "/views/counts", "views.counts", door!(views::counts::counts))
        .scope(Scope::Read)
        .says("How many threads there are in each inbox and each view")
        .gives(200, Payload::One(shape::<work::ViewCounts>)),
    Operation::own(Verb::Patch, "/views/{viewId}", "views.update", door!(views::update::update))
        .scope(Scope::Write)
        .says("Change a view")
        .takes(shape::<work::ViewPatch>)
        .gives(200, Payload::One(shape::<work::View>)),
    Operation::own(Verb::Delete, "/views/{viewId}", "views.delete", door!(views::update::delete))
        .scope(Scope::Write)
        .says("Delete a view")
        .gives(204, Payload::Nothing),
];

const STATES: &[&str] = &["OPEN", "SNOOZED", "CLOSED", "SPAM", "ARCHIVED"];

const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: Kind::Integer,
    help: "Most results of a page, 100 if absent and at most 500",
};
const AFTER: Parameter = Parameter { name: "after", kind: Kind::Text, help: "Cursor of the page before" };
