//! The history entries that the system writes about a thread, and who is named in them.

use antiphon_store::{AppId, MessageKind, ThreadStatus};
use antiphon_wire::actor::SYSTEM;
use antiphon_wire::message::{Client, ClientType, Message, MessageType, Sender};

use super::status_shown;
use crate::actors::acting::actor;
use crate::call::Caller;
use crate::events::kinds::Source;

/// Who caused something that the history records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// The system by itself.
    System,
    /// An app, through the API. App 0, behind which there is the operator, counts as the system.
    App(AppId),
    /// An agent at the screen.
    Agent(i64),
    /// Somebody with this actor id, whose act it follows from.
    Actor(String),
}

impl Author {
    /// Whoever calls: the agent who is signed in, or else the app.
    pub fn of(caller: &Caller) -> Self {
        caller.agent.map_or_else(|| Self::App(caller.app()), |agent| Self::Agent(agent.agent))
    }

    /// Actor id for `createdBy`.
    pub fn actor(&self) -> String {
        match self {
            Self::System | Self::App(AppId(0)) => SYSTEM.to_owned(),
            Self::App(app) => format!("I-{app}"),
            Self::Agent(id) => actor(*id),
            Self::Actor(id) => id.clone(),
        }
    }

    /// Through what the thread changed, as events tell it.
    pub fn source(&self) -> Source {
        match self {
            Self::System | Self::Actor(_) | Self::App(AppId(0)) => Source::Server,
            Self::App(app) => Source::App(*app),
            Self::Agent(id) => Source::Agent(*id),
        }
    }

    /// Through what it came about.
    pub fn client(&self) -> Client {
        match self {
            Self::System | Self::Actor(_) | Self::App(AppId(0)) => Client::of(ClientType::System),
            Self::App(app) => Client::app(app.0),
            Self::Agent(_) => Client::of(ClientType::Hubspot),
        }
    }
}

/// An entry with nothing in it yet. Id, thread and time are filled in when it is appended.
pub fn entry(kind: MessageType, created_by: String, client: Client) -> Message {
    Message::new(kind, String::new(), 0, 0, created_by, client)
}

/// An entry about the thread itself: whoever caused it, the system says it.
pub fn system_entry(kind: MessageType, by: &Author) -> Message {
    let mut message = entry(kind, by.actor(), by.client());
    message.senders = vec![Sender::actor(SYSTEM)];
    message
}

/// The status became another.
pub fn status_change(status: ThreadStatus, by: &Author) -> Message {
    let mut message = system_entry(MessageType::ThreadStatusChange, by);
    message.new_status = Some(status_shown(status));
    message
}

/// The assignee became another, or nobody.
pub fn assignment(from: Option<String>, to: Option<String>, by: &Author) -> Message {
    let mut message = system_entry(MessageType::Assignment, by);
    message.assigned_from = from;
    message.assigned_to = to;
    message
}

/// The thread moved to another inbox.
pub fn inbox_change(from: antiphon_store::InboxId, to: antiphon_store::InboxId, by: &Author) -> Message {
    let mut message = system_entry(MessageType::ThreadInboxChange, by);
    message.from_inbox_id = Some(from.0.into());
    message.to_inbox_id = Some(to.0.into());
    message
}

/// The kind under which an entry is stored.
pub fn kind_stored(kind: MessageType) -> MessageKind {
    match kind {
        MessageType::Message => MessageKind::Message,
        MessageType::Comment => MessageKind::Comment,
        MessageType::WelcomeMessage => MessageKind::WelcomeMessage,
        MessageType::Assignment => MessageKind::Assignment,
        MessageType::ThreadStatusChange => MessageKind::ThreadStatusChange,
        MessageType::ThreadInboxChange => MessageKind::ThreadInboxChange,
    }
}
