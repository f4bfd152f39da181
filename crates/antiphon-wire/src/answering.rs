//! What agents do at the screen: reading, answering, drafts, ready-made words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::attachment::AttachmentRequest;
use crate::id::{Id, LenientId};
use crate::lenient::lenient;
use crate::message::{Create, MessageType, RecipientRequest};
use crate::timestamp::Timestamp;

lenient! {
    /// How far somebody has read a thread.
    pub struct ReadUpTo {
        /// The last entry that was read.
        pub message_id: Option<String> = "messageId",
        /// Actor id of the agent who read it. Whoever is signed in is that agent; programs have to say.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }

    /// An answer of an agent, or a note among agents.
    pub struct ReplyCreate {
        /// `MESSAGE` (the default) or `COMMENT`.
        pub kind: Option<String> = "type",
        /// Plain text.
        pub text: Option<String> = "text",
        /// HTML.
        pub rich_text: Option<String> = "richText",
        /// What goes with it.
        #[schema(required = false)]
        pub attachments: Vec<AttachmentRequest> = "attachments",
        /// Actor ids of the agents who are called. Notes only.
        #[schema(required = false)]
        pub mentions: Vec<LenientId> = "mentions",
        /// The newest message or note that the agent has seen; absent where they have seen none.
        pub seen: Option<String> = "seen",
        /// Send it even past a newer message, or over a colleague.
        pub anyway: Option<bool> = "anyway",
        /// What the client calls this answer: the same one twice is one answer.
        pub client_id: Option<String> = "clientId",
        /// Close the thread as well.
        pub close_after: Option<bool> = "closeAfter",
        /// To whom it goes; whoever wrote last where this is left out, and on email who had a copy too.
        #[schema(required = false)]
        pub recipients: Vec<RecipientRequest> = "recipients",
        /// The account it is sent from; where it is left out, that over which the last message came in.
        pub channel_account_id: Option<LenientId> = "channelAccountId",
        /// Subject of an email; the thread's where it is left out.
        pub subject: Option<String> = "subject",
        /// Actor id of the agent who answers. Whoever is signed in is that agent; programs have to say.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }

    /// What an agent has begun to write.
    pub struct DraftPut {
        /// `MESSAGE` (the default) or `COMMENT`.
        pub kind: Option<String> = "type",
        /// Plain text.
        pub text: Option<String> = "text",
        /// HTML.
        pub rich_text: Option<String> = "richText",
        /// What is to go with it.
        #[schema(required = false)]
        pub attachments: Vec<DraftFileRequest> = "attachments",
        /// Actor ids of the agents who are to be called.
        #[schema(required = false)]
        pub mentions: Vec<LenientId> = "mentions",
        /// Actor id of the agent who writes. Whoever is signed in is that agent; programs have to say.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }

    /// A file that is to go with something.
    pub struct DraftFileRequest {
        /// The file.
        pub file_id: Option<LenientId> = "fileId",
        /// What it is called.
        pub name: Option<String> = "name",
        /// Bytes.
        pub size: Option<i64> = "size",
        /// Media type.
        pub media_type: Option<String> = "type",
    }

    /// Ready-made words to be kept, or what changes about some.
    pub struct CannedReplyRequest {
        /// What they are called.
        pub name: Option<String> = "name",
        /// What is typed to get them; empty for nothing.
        pub shortcut: Option<String> = "shortcut",
        /// Plain text. May have `{{contact.firstName}}`, `{{contact.name}}`, `{{agent.name}}` and `{{portal.name}}`.
        pub text: Option<String> = "text",
        /// HTML, with the same.
        pub rich_text: Option<String> = "richText",
        /// Whether everybody has them, or only the agent.
        pub shared: Option<bool> = "shared",
        /// Actor id of the agent whose they are. Whoever is signed in is that agent; programs that name nobody keep words that
        /// are shared and nobody's own.
        pub sender_actor_id: Option<LenientId> = "senderActorId",
    }
}

impl ReplyCreate {
    /// The same as it is sent on the contract's way, to be filled where it does not say.
    pub fn create(&mut self) -> Create {
        Create {
            kind: self.kind.take(),
            text: self.text.take(),
            rich_text: self.rich_text.take(),
            attachments: std::mem::take(&mut self.attachments),
            recipients: std::mem::take(&mut self.recipients),
            sender_actor_id: None,
            channel_id: None,
            channel_account_id: self.channel_account_id.take(),
            subject: self.subject.take(),
        }
    }
}

/// What an agent has begun to write in a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// The thread.
    pub thread_id: Id,
    /// A message, or a note.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// What was written.
    #[serde(flatten)]
    pub body: DraftBody,
    /// When it was written last.
    pub updated_at: Timestamp,
}

/// The words of a draft, and what is to go with them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftBody {
    /// Plain text.
    pub text: String,
    /// HTML.
    pub rich_text: String,
    /// What is to go with it.
    pub attachments: Vec<DraftFile>,
    /// Actor ids of the agents who are to be called.
    pub mentions: Vec<String>,
}

/// A file that is to go with something, as it was described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftFile {
    /// The file.
    pub file_id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub size: Option<i64>,
    /// Media type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media_type: Option<String>,
}

/// That an agent has begun to write in a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftNote {
    /// The thread.
    pub thread_id: Id,
    /// A message, or a note.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// How it begins.
    pub preview: String,
    /// When it was written last.
    pub updated_at: Timestamp,
}

/// That an agent is called in a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mention {
    /// The thread.
    pub thread_id: Id,
    /// The note.
    pub message_id: String,
    /// Actor id of who wrote it.
    pub by: String,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the agent has read as far.
    pub seen: bool,
    /// How the note begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub text: Option<String>,
}

/// How often an agent is called in notes that they have not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unseen {
    /// How often; 1000 stands for as many or more.
    pub unseen: i64,
}

/// Ready-made words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CannedReply {
    /// Their id.
    pub id: Id,
    /// What they are called.
    pub name: String,
    /// What is typed to get them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shortcut: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub rich_text: String,
    /// Whether everybody has them.
    pub shared: bool,
    /// Actor id of the agent whose they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner_actor_id: Option<String>,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were changed last.
    pub updated_at: Timestamp,
}

/// Who is there, by what they said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Present {
    /// Who it is.
    pub actor_id: String,
    /// At which thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thread_id: Option<Id>,
    /// What they do there, as they said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<String>,
    /// When they said it.
    pub at: Timestamp,
}
