//! `/antiphon/v1`: what agents do at the screen.

use antiphon_wire::answering;
use antiphon_wire::message::MessageSchema;

use super::own::{AFTER, LIMIT, MESSAGE_LIMIT};
use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, shape};
use crate::realtime::present;
use crate::{canned_replies as canned, door, drafts, mentions, messages, threads};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Put, "/threads/{threadId}/read", "threads.read", door!(threads::read::up_to))
        .scope(Scope::Write)
        .says("Say how far an agent has read a thread; what was read further stays read")
        .takes(shape::<answering::ReadUpTo>)
        .gives(204, Payload::Nothing),
    Operation::own(
        Verb::Post,
        "/threads/{threadId}/replies",
        "threads.reply",
        door!(messages::reply::reply),
    )
    .scope(Scope::Write)
    .says(
        "Answer in a thread as an agent, or leave a note: refused where somebody wrote meanwhile, or a colleague is answering",
    )
    .limit(MESSAGE_LIMIT)
    .takes(shape::<answering::ReplyCreate>)
    .may_conflict()
    .gives(201, Payload::One(shape::<MessageSchema>)),
    Operation::own(
        Verb::Post,
        "/threads/{threadId}/messages/{messageId}/retry",
        "messages.retry",
        door!(messages::retry::retry),
    )
    .scope(Scope::Write)
    .says("Send a message again that was not delivered")
    .may_conflict()
    .gives(200, Payload::One(shape::<MessageSchema>)),
    Operation::own(Verb::Put, "/threads/{threadId}/draft", "drafts.put", door!(drafts::put::put))
        .scope(Scope::Write)
        .says("Keep what an agent has begun to write in a thread; with nothing in it, it is thrown away")
        .limit(MESSAGE_LIMIT)
        .takes(shape::<answering::DraftPut>)
    .may_conflict()
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/threads/{threadId}/draft", "drafts.get", door!(drafts::get::get))
        .scope(Scope::Read)
        .says("Read what an agent has begun to write in a thread")
        .asks(&[AGENT])
        .gives(200, Payload::One(shape::<answering::Draft>)),
    Operation::own(
        Verb::Delete,
        "/threads/{threadId}/draft",
        "drafts.discard",
        door!(drafts::put::discard),
    )
    .scope(Scope::Write)
    .says("Throw away what an agent has begun to write in a thread")
    .asks(&[AGENT])
    .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/drafts", "drafts.mine", door!(drafts::list::mine))
        .scope(Scope::Read)
        .says("Where an agent has begun to write, those threads first where they wrote last")
        .asks(&[AGENT])
        .gives(200, Payload::Page(shape::<answering::DraftNote>)),
    Operation::own(Verb::Get, "/mentions", "mentions.list", door!(mentions::list))
        .scope(Scope::Read)
        .says("List the notes in which an agent is called, newest first")
        .asks(&[AGENT, LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<answering::Mention>)),
    Operation::own(Verb::Get, "/mentions/unseen", "mentions.unseen", door!(mentions::unseen))
        .scope(Scope::Read)
        .says("How often an agent is called in notes that they have not read")
        .asks(&[AGENT])
        .gives(200, Payload::One(shape::<answering::Unseen>)),
    Operation::own(Verb::Get, "/presence", "presence.list", door!(present::list))
        .scope(Scope::Read)
        .says("Who said within 45 seconds that they are there, as far as this node has heard")
        .asks(&[Parameter { name: "threadId", kind: Kind::Integer, help: "Only those at this thread" }])
        .gives(200, Payload::Page(shape::<answering::Present>)),
    Operation::own(Verb::Post, "/canned-replies", "canned-replies.create", door!(canned::change::create))
        .scope(Scope::Write)
        .says("Keep ready-made words")
        .takes(shape::<answering::CannedReplyRequest>)
    .may_conflict()
        .gives(201, Payload::One(shape::<answering::CannedReply>)),
    Operation::own(Verb::Get, "/canned-replies", "canned-replies.list", door!(canned::list::list))
        .scope(Scope::Read)
        .says("List the ready-made words of everybody, and those of an agent")
        .asks(&[AGENT, LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<answering::CannedReply>)),
    Operation::own(
        Verb::Patch,
        "/canned-replies/{cannedReplyId}",
        "canned-replies.update",
        door!(canned::change::update),
    )
    .scope(Scope::Write)
    .says("Change ready-made words")
    .takes(shape::<answering::CannedReplyRequest>)
    .may_conflict()
    .gives(200, Payload::One(shape::<answering::CannedReply>)),
    Operation::own(
        Verb::Delete,
        "/canned-replies/{cannedReplyId}",
        "canned-replies.delete",
        door!(canned::change::delete),
    )
    .scope(Scope::Write)
    .says("Take ready-made words away")
    .may_conflict()
    .asks(&[AGENT])
    .gives(204, Payload::Nothing),
];

const AGENT: Parameter = Parameter {
    name: "senderActorId",
    kind: Kind::Text,
    help: "Actor id of the agent for whom a program asks; whoever is signed in is that agent",
};
