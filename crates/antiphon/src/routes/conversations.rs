//! The conversations family: threads, messages, actors, inboxes, channels and channel accounts.

use antiphon_wire::account::ChannelAccount;
use antiphon_wire::actor::Actor;
use antiphon_wire::batch::BatchRead;
use antiphon_wire::channel::Channel;
use antiphon_wire::inbox::Inbox;
use antiphon_wire::message::{Create, MessageSchema, OriginalContent};
use antiphon_wire::thread::{Assign, ThreadPatch, ThreadSchema};

use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, batch, shape};
use crate::{accounts, actors, channels, door, inboxes, messages, threads};

/// Largest body of a message.
const MESSAGE_LIMIT: usize = 5 << 20;

/// The table.
pub const TABLE: &[Operation] = &[
    Operation::conversations(Verb::Get, "/threads", "threads.list", door!(threads::list::list))
        .says("List threads")
        .asks(&[
            Parameter { name: "inboxId", kind: Kind::Integers, help: "Only threads in these inboxes" },
            Parameter {
                name: "associatedContactId",
                kind: Kind::Integer,
                help: "Only threads of this contact; not together with inboxId",
            },
            Parameter { name: "associatedTicketId", kind: Kind::Integer, help: "Only threads linked to this ticket" },
            Parameter {
                name: "threadStatus",
                kind: Kind::OneOf(&["OPEN", "CLOSED"]),
                help: "Only threads of this status",
            },
            ASSOCIATION,
            Parameter {
                name: "latestMessageTimestampAfter",
                kind: Kind::Time,
                help: "Only threads whose newest message is not older; required when sorting by latestMessageTimestamp",
            },
            Parameter { name: "archived", kind: Kind::Boolean, help: "Archived threads instead of live ones" },
            Parameter { name: "sort", kind: Kind::Texts, help: "id or latestMessageTimestamp; a leading minus reverses \
                                                              the order where associatedContactId is given" },
            PROPERTY,
            LIMIT,
            AFTER,
        ])
        .gives(200, Payload::Page(shape::<ThreadSchema>)),
    Operation::conversations(Verb::Get, "/threads/{threadId}", "threads.get", door!(threads::get::get))
        .says("Read a thread")
        .asks(&[ARCHIVED, ASSOCIATION, PROPERTY])
        .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::conversations(Verb::Patch, "/threads/{threadId}", "threads.update", door!(threads::update::update))
        .says("Open, close, archive or restore a thread")
        .asks(&[ARCHIVED])
        .takes(shape::<ThreadPatch>)
        .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::conversations(Verb::Delete, "/threads/{threadId}", "threads.archive", door!(threads::archive::archive))
        .says("Put a thread into the trash, from where it is purged after 30 days")
        .gives(204, Payload::Nothing),
    Operation::conversations(
        Verb::Put,
        "/threads/{threadId}/assignee",
        "threads.assign",
        door!(threads::assign::assign),
    )
    .says("Assign a thread")
    .takes(shape::<Assign>)
    .gives(200, Payload::One(shape::<ThreadSchema>)),
    // The guide has this method where the description has the other.
    Operation::conversations(
        Verb::Post,
        "/threads/{threadId}/assignee",
        "threads.assign.post",
        door!(threads::assign::assign),
    )
    .says("Assign a thread; the same as PUT")
    .takes(shape::<Assign>)
    .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::conversations(
        Verb::Delete,
        "/threads/{threadId}/assignee",
        "threads.unassign",
        door!(threads::assign::unassign),
    )
    .says("Take a thread from its assignee")
    .gives(204, Payload::Nothing),
    Operation::conversations(
        Verb::Get,
        "/threads/{threadId}/messages",
        "messages.list",
        door!(messages::list::list),
    )
    .says("Read the history of a thread, newest entry first")
    .asks(&[
        Parameter { name: "sort", kind: Kind::Texts, help: "-createdAt (the default) or createdAt" },
        ARCHIVED,
        PROPERTY,
        LIMIT,
        AFTER,
    ])
    .gives(200, Payload::Page(shape::<MessageSchema>)),
    Operation::conversations(
        Verb::Post,
        "/threads/{threadId}/messages",
        "messages.post",
        door!(messages::post::post),
    )
    .says("Send a message, or leave a comment")
    .limit(MESSAGE_LIMIT)
    .takes(shape::<Create>)
    .gives(201, Payload::One(shape::<MessageSchema>)),
    Operation::conversations(
        Verb::Get,
        "/threads/{threadId}/messages/{messageId}",
        "messages.get",
        door!(messages::get::get),
    )
    .says("Read one entry of a thread")
    .asks(&[PROPERTY])
    .gives(200, Payload::One(shape::<MessageSchema>)),
    Operation::conversations(
        Verb::Get,
        "/threads/{threadId}/messages/{messageId}/original-content",
        "messages.original",
        door!(messages::original::original),
    )
    .says("Read what a message said before it was truncated")
    .gives(200, Payload::One(shape::<OriginalContent>)),
    Operation::conversations(Verb::Get, "/actors/{actorId}", "actors.get", door!(actors::get::get))
        .says("Read an actor")
        .asks(&[PROPERTY])
        .gives(200, Payload::One(shape::<Actor>)),
    Operation::conversations(Verb::Post, "/actors/batch/read", "actors.batch", door!(actors::batch::read))
        .scope(Scope::Read)
        .says("Read many actors at once")
        .asks(&[PROPERTY])
        .takes(shape::<BatchRead>)
        .partly()
        .gives(200, Payload::One(batch::<Actor>)),
    Operation::conversations(Verb::Get, "/inboxes", "inboxes.list", door!(inboxes::list::list))
        .says("List inboxes")
        .asks(&[ARCHIVED_ONES, SORT, LIMIT, PAGE_LENGTH, AFTER])
        .gives(200, Payload::CountedPage(shape::<Inbox>)),
    Operation::conversations(Verb::Get, "/inboxes/{inboxId}", "inboxes.get", door!(inboxes::get::get))
        .says("Read an inbox")
        .asks(&[ARCHIVED_ONE])
        .gives(200, Payload::One(shape::<Inbox>)),
    Operation::conversations(Verb::Get, "/channels", "channels.list", door!(channels::list::list))
        .says("List channels")
        .asks(&[SORT, LIMIT, PAGE_LENGTH, AFTER])
        .gives(200, Payload::CountedPage(shape::<Channel>)),
    Operation::conversations(Verb::Get, "/channels/{channelId}", "channels.get", door!(channels::get::get))
        .says("Read a channel")
        .gives(200, Payload::One(shape::<Channel>)),
    Operation::conversations(Verb::Get, "/channel-accounts", "accounts.list", door!(accounts::list::list))
        .says("List channel accounts")
        .asks(&[
            Parameter { name: "channelId", kind: Kind::Integers, help: "Only accounts on these channels" },
            Parameter { name: "inboxId", kind: Kind::Integers, help: "Only accounts that feed these inboxes" },
            ARCHIVED_ONES,
            SORT,
            LIMIT,
            PAGE_LENGTH,
            AFTER,
        ])
        .gives(200, Payload::CountedPage(shape::<ChannelAccount>)),
    Operation::conversations(
        Verb::Get,
        "/channel-accounts/{channelAccountId}",
        "accounts.get",
        door!(accounts::get::get),
    )
    .says("Read a channel account")
    .asks(&[ARCHIVED_ONE])
    .gives(200, Payload::One(shape::<ChannelAccount>)),
];

const ARCHIVED_ONES: Parameter =
    Parameter { name: "archived", kind: Kind::Boolean, help: "Archived ones instead of live ones" };
const ARCHIVED_ONE: Parameter =
    Parameter { name: "archived", kind: Kind::Boolean, help: "Whether it is archived" };
const SORT: Parameter = Parameter {
    name: "sort",
    kind: Kind::Texts,
    help: "Fields to sort by, a leading minus for descending; id if absent",
};
const PAGE_LENGTH: Parameter = Parameter {
    name: "defaultPageLength",
    kind: Kind::Integer,
    help: "Results of a page where limit is absent",
};

const ARCHIVED: Parameter =
    Parameter { name: "archived", kind: Kind::Boolean, help: "Whether the thread is in the trash" };
const ASSOCIATION: Parameter =
    Parameter { name: "association", kind: Kind::Texts, help: "TICKET adds the linked ticket" };
const PROPERTY: Parameter = Parameter {
    name: "property",
    kind: Kind::Texts,
    help: "Accepted and ignored: answers carry every field",
};
const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: Kind::Integer,
    help: "Most results of a page, 100 if absent and at most 500",
};
const AFTER: Parameter = Parameter { name: "after", kind: Kind::Text, help: "Cursor of the page before" };
