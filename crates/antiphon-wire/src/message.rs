//! Messages: the six kinds of history entries, and the body that sends one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::attachment::{Attachment, AttachmentRequest};
use crate::error::Problem;
use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::thread::ThreadStatus;
use crate::timestamp::Timestamp;

mod schema;

pub use schema::MessageSchema;

wire_enum! {
    /// What an entry of a thread's history is.
    pub enum MessageType {
        /// Traffic with the visitor.
        Message = "MESSAGE",
        /// An internal note.
        Comment = "COMMENT",
        /// A chat's greeting.
        WelcomeMessage = "WELCOME_MESSAGE",
        /// The assignee changed.
        Assignment = "ASSIGNMENT",
        /// The status changed.
        ThreadStatusChange = "THREAD_STATUS_CHANGE",
        /// The inbox changed.
        ThreadInboxChange = "THREAD_INBOX_CHANGE",
    }

    /// Which way a `MESSAGE` went.
    pub enum Direction {
        /// From the visitor.
        Incoming = "INCOMING",
        /// To the visitor.
        Outgoing = "OUTGOING",
    }

    /// Through what an entry came about.
    pub enum ClientType {
        /// A built-in channel, or an agent at the screen.
        Hubspot = "HUBSPOT",
        /// The API.
        Integration = "INTEGRATION",
        /// Nobody's hand.
        System = "SYSTEM",
        /// It is not known.
        Unknown = "UNKNOWN",
    }

    /// What kind of address it is.
    pub enum DeliveryIdentifierType {
        /// An email address.
        Email = "HS_EMAIL_ADDRESS",
        /// A phone number, E.164.
        Phone = "HS_PHONE_NUMBER",
        /// The digits of a short code.
        ShortCode = "HS_SHORT_CODE",
        /// The channel's own id.
        Opaque = "CHANNEL_SPECIFIC_OPAQUE_ID",
    }

    /// The letter head line a sender stood in.
    pub enum SenderField {
        /// Who sent it.
        From = "FROM",
        /// Who sent what was forwarded.
        OriginalFrom = "ORIGINAL_FROM",
    }

    /// The letter head line a recipient stands in.
    pub enum RecipientField {
        /// To.
        To = "TO",
        /// Copy.
        Cc = "CC",
        /// Blind copy.
        Bcc = "BCC",
    }

    /// How far a `MESSAGE` got.
    pub enum StatusType {
        /// Taken over for delivery.
        Sent = "SENT",
        /// It arrived here.
        Received = "RECEIVED",
        /// The recipient has read it.
        Read = "READ",
        /// It did not arrive.
        Failed = "FAILED",
    }

    /// Whether bodies are complete.
    pub enum TruncationStatus {
        /// They are.
        NotTruncated = "NOT_TRUNCATED",
        /// Quoted history was removed.
        ToMostRecentReply = "TRUNCATED_TO_MOST_RECENT_REPLY",
        /// They were cut for length.
        Truncated = "TRUNCATED",
    }
}

/// An entry of a thread's history, in the one shape that all versions print. Members that a kind does not have are absent.
/// Whether it is archived is not part of it: that is known only when it is read, see [`complete`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// What the entry is.
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// 32 lower-case hexadecimal digits.
    pub id: String,
    /// The thread it belongs to.
    pub conversations_thread_id: Id,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Actor id of who caused it.
    pub created_by: String,
    /// Through what it came about.
    pub client: Client,
    /// Who speaks.
    pub senders: Vec<Sender>,
    /// Who is spoken to.
    pub recipients: Vec<Recipient>,
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rich_text: Option<String>,
    /// What came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Attachment>>,
    /// Subject of an email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether text and HTML are complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation_status: Option<TruncationStatus>,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to_id: Option<String>,
    /// How far it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Which way it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The channel it went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<Id>,
    /// The channel account it went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_account_id: Option<Id>,
    /// Actor id of the assignee before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_from: Option<String>,
    /// Actor id of the assignee after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// The status after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_status: Option<ThreadStatus>,
    /// The inbox before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_inbox_id: Option<Id>,
    /// The inbox after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_inbox_id: Option<Id>,
}

/// Most characters of a text in a send.
pub const MAX_TEXT: usize = 100_000;
/// Most characters of HTML in a send.
pub const MAX_RICH_TEXT: usize = 1_000_000;
/// Most characters of a subject.
pub const MAX_SUBJECT: usize = 998;
/// Most recipients of a send.
pub const MAX_RECIPIENTS: usize = 50;
/// Most attachments of a send.
pub const MAX_ATTACHMENTS: usize = 20;

/// The newest format of documents; [`format()`] tells which one a document has.
pub const FORMAT: u8 = 2;

/// The end of a stored document: its last key, whose value is only known when it is read.
const TAIL: &[u8] = b",\"archived\":";

/// How the path of a file's address begins. In a document it stands for the whole address, which is made when it is read.
pub const FILE_PATH: &str = "/files/";

impl Message {
    /// An entry with what every kind has; the rest is for the caller to fill in.
    pub fn new(
        kind: MessageType,
        id: String,
        thread: i64,
        created_at: i64,
        created_by: String,
        client: Client,
    ) -> Self {
        Self {
            kind,
            id,
            conversations_thread_id: Id(thread),
            created_at: Timestamp(created_at),
            updated_at: None,
            created_by,
            client,
            senders: Vec::new(),
            recipients: Vec::new(),
            text: None,
            rich_text: None,
            attachments: None,
            subject: None,
            truncation_status: None,
            in_reply_to_id: None,
            status: None,
            direction: None,
            channel_id: None,
            channel_account_id: None,
            assigned_from: None,
            assigned_to: None,
            new_status: None,
            from_inbox_id: None,
            to_inbox_id: None,
        }
    }

    /// The document to be stored: the entry as JSON, up to and including its last key, `"archived":`. Where files are attached
    /// that are kept here, it begins with where their paths are.
    pub fn document(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(768);
        // Nothing in a message fails to serialise, and a Vec takes everything.
        if serde_json::to_writer(&mut json, self).is_ok() {
            json.pop();
        }
        json.extend_from_slice(TAIL);
        let holes = self.holes(&json);
        if holes.is_empty() {
            return json;
        }
        let mut document = vec![FORMAT, holes.len() as u8];
        for Hole { start, length } in &holes {
            document.extend_from_slice(&start.to_be_bytes());
            document.extend_from_slice(&length.to_be_bytes());
        }
        document.append(&mut json);
        document
    }

    /// Where the paths of files are. An attachment is found as a whole, in its turn: what people write looks different inside of
    /// JSON, and nothing that is no file's path may ever be signed.
    fn holes(&self, json: &[u8]) -> Vec<Hole> {
        let mut holes = Vec::new();
        let mut from = 0;
        for attachment in self.attachments.iter().flatten() {
            let Attachment::File { url: Some(url), .. } = attachment else { continue };
            if !url.starts_with(FILE_PATH) || holes.len() >= MAX_ATTACHMENTS {
                continue;
            }
            let Ok(whole) = serde_json::to_vec(attachment) else { continue };
            let Some(at) = memchr::memmem::find(json.get(from..).unwrap_or_default(), &whole) else {
                continue;
            };
            from += at + whole.len();
            // The address is its last value; what has to be escaped is in no path.
            let start = from.saturating_sub(2 + url.len());
            if json.get(start..start + url.len()) == Some(url.as_bytes())
                && let (Ok(start), Ok(length)) = (u32::try_from(start), u16::try_from(url.len()))
            {
                holes.push(Hole { start, length });
            }
        }
        holes
    }
}

/// A place in a document that is filled when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    start: u32,
    length: u16,
}

const HOLE: usize = 6;

/// Makes addresses of the paths of files.
pub trait Addresses {
    /// Prints the address of a file, which begins with this path, into a JSON text.
    fn write(&self, path: &[u8], out: &mut Vec<u8>);
}

/// Leaves paths as they are stored.
struct Stored;

impl Addresses for Stored {
    fn write(&self, path: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(path);
    }
}

/// The number of a document's format.
pub fn format(document: &[u8]) -> u8 {
    document.first().map_or(1, |first| if *first == b'{' { 1 } else { *first })
}

/// The holes of a document, still as bytes, and its JSON.
fn parts(document: &[u8]) -> Option<(&[u8], &[u8])> {
    match document {
        [b'{', ..] => Some((&[], document)),
        [FORMAT, count, rest @ ..] => rest.split_at_checked(usize::from(*count) * HOLE),
        _ => None,
    }
}

/// Appends a stored document to an answer, complete. Nothing of it is parsed.
pub fn complete(document: &[u8], archived: bool, addresses: &dyn Addresses, out: &mut Vec<u8>) {
    let (holes, json) = parts(document).unwrap_or((&[], document));
    let mut done = 0;
    for hole in holes.chunks_exact(HOLE) {
        let &[a, b, c, d, e, f] = hole else { continue };
        let start = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = start + usize::from(u16::from_be_bytes([e, f]));
        let (Some(before), Some(path)) = (json.get(done..start), json.get(start..end)) else { continue };
        out.extend_from_slice(before);
        addresses.write(path, out);
        done = end;
    }
    out.extend_from_slice(json.get(done..).unwrap_or_default());
    out.extend_from_slice(if archived { b"true}" } else { b"false}" });
}

/// Whether a stored document begins and ends as one.
pub fn is_complete(document: &[u8]) -> bool {
    parts(document).is_some_and(|(_, json)| json.starts_with(b"{") && json.ends_with(TAIL))
}

/// Whether a stored document can be read back, to its last field.
pub fn is_sound(document: &[u8]) -> bool {
    is_complete(document) && read(document).is_some()
}

/// Reads a stored document back, for rules that build on an earlier entry. Printing what was read gives the same document again.
/// `None` if it is no such document.
pub fn read(document: &[u8]) -> Option<Message> {
    let mut whole = Vec::with_capacity(document.len() + 6);
    complete(document, false, &Stored, &mut whole);
    serde_json::from_slice(&whole).ok()
}

/// Through what an entry came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// What it was.
    pub client_type: ClientType,
    /// The app, if it was the API. A number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub integration_app_id: Option<i64>,
}

impl Client {
    /// Anything but the API.
    pub const fn of(client_type: ClientType) -> Self {
        Self { client_type, integration_app_id: None }
    }

    /// An app that uses the API.
    pub const fn app(id: i64) -> Self {
        Self { client_type: ClientType::Integration, integration_app_id: Some(id) }
    }
}

/// An address on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct DeliveryIdentifier {
    /// What kind of address it is.
    #[serde(rename = "type")]
    pub kind: DeliveryIdentifierType,
    /// The address.
    pub value: String,
}

/// Who speaks in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// Who it is, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor_id: Option<String>,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The line of an email's head.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sender_field: Option<SenderField>,
    /// The address it was sent from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery_identifier: Option<DeliveryIdentifier>,
}

impl Sender {
    /// An actor and nothing else.
    pub fn actor(id: impl Into<String>) -> Self {
        Self { actor_id: Some(id.into()), ..Self::default() }
    }
}

/// Who is spoken to in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Who it is, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub actor_id: Option<String>,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The line of an email's head.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recipient_field: Option<RecipientField>,
    /// The address it is sent to.
    pub delivery_identifier: DeliveryIdentifier,
}

/// How far a `MESSAGE` got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The stage.
    pub status_type: StatusType,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure_details: Option<FailureDetails>,
}

impl Status {
    /// A stage that needs no explanation.
    pub const fn of(status_type: StatusType) -> Self {
        Self { status_type, failure_details: None }
    }

    /// A failure and its reason.
    pub fn failed(reason: impl Into<String>) -> Self {
        let details =
            FailureDetails { error_message_tokens: BTreeMap::new(), error_message: Some(reason.into()) };
        Self { status_type: StatusType::Failed, failure_details: Some(details) }
    }
}

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureDetails {
    /// Values for placeholders of the reason.
    pub error_message_tokens: BTreeMap<String, String>,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error_message: Option<String>,
}

/// The bodies of a message before anything was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OriginalContent {
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub text: Option<String>,
    /// HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rich_text: Option<String>,
}

lenient! {
    /// A message or a comment to be written into a thread.
    #[schema(as = MessageCreate)]
    pub struct Create {
        /// `MESSAGE` (the default) or `COMMENT`, as sent; see [`Create::kind`].
        pub kind: Option<String> = "type",
        /// Plain text.
        pub text: Option<String> = "text",
        /// HTML.
        pub rich_text: Option<String> = "richText",
        /// What goes with it.
        #[schema(required = false)]
        pub attachments: Vec<AttachmentRequest> = "attachments",
        /// Who is spoken to.
        #[schema(required = false)]
        pub recipients: Vec<RecipientRequest> = "recipients",
        /// Actor id of the agent who speaks.
        pub sender_actor_id: Option<LenientId> = "senderActorId" | "senderActorID",
        /// The channel to send on.
        pub channel_id: Option<LenientId> = "channelId",
        /// The channel account to send from.
        pub channel_account_id: Option<LenientId> = "channelAccountId",
        /// Subject of an email.
        pub subject: Option<String> = "subject",
    }

    /// Somebody to be spoken to.
    pub struct RecipientRequest {
        /// Actor id.
        pub actor_id: Option<LenientId> = "actorId" | "actorID",
        /// Display name.
        pub name: Option<String> = "name",
        /// `TO`, `CC` or `BCC`, as sent; see [`RecipientRequest::field`].
        pub recipient_field: Option<String> = "recipientField",
        /// Addresses: each becomes a recipient of its own.
        #[schema(required = false)]
        pub delivery_identifiers: Vec<IdentifierRequest> = "deliveryIdentifiers",
        /// One address.
        #[schema(value_type = Option<IdentifierRequest>)]
        pub delivery_identifier: Vec<IdentifierRequest> = "deliveryIdentifier",
    }

    /// An address as sent.
    pub struct IdentifierRequest {
        /// What kind of address it is.
        pub kind: Option<String> = "type",
        /// The address.
        pub value: Option<LenientId> = "value",
    }
}

impl Create {
    /// What is to be written: a message or a comment.
    ///
    /// # Errors
    /// The type is another one.
    pub fn kind(&self) -> Result<MessageType, Problem> {
        match self.kind.as_deref().map(MessageType::parse) {
            None | Some(Some(MessageType::Message)) => Ok(MessageType::Message),
            Some(Some(MessageType::Comment)) => Ok(MessageType::Comment),
            _ => Err(Problem::not_one_of(
                "type",
                self.kind.as_deref().unwrap_or_default(),
                &["MESSAGE", "COMMENT"],
            )),
        }
    }
}

impl RecipientRequest {
    /// The line of an email's head, `TO` unless another one is named.
    ///
    /// # Errors
    /// There is no such line.
    pub fn field(&self) -> Result<RecipientField, Problem> {
        self.recipient_field
            .as_deref()
            .map_or(Ok(RecipientField::To), |text| RecipientField::read("recipientField", text))
    }

    /// Every address of the entry once, from both spellings, in the order sent.
    ///
    /// # Errors
    /// An address has no known type, no value, or a value that cannot be one.
    pub fn identifiers(&self) -> Result<Vec<DeliveryIdentifier>, Problem> {
        let mut all: Vec<DeliveryIdentifier> = Vec::new();
        for request in self.delivery_identifiers.iter().chain(&self.delivery_identifier) {
            let identifier = request.identifier("recipients")?;
            if !all.iter().any(|known| known.same_as(&identifier)) {
                all.push(identifier);
            }
        }
        Ok(all)
    }
}

impl IdentifierRequest {
    /// The address, whole and well-formed; `name` is the field that problems are reported on.
    ///
    /// # Errors
    /// Type or value are missing, the type is unknown, or the value cannot be one.
    pub fn identifier(&self, name: &str) -> Result<DeliveryIdentifier, Problem> {
        let (Some(kind), Some(value)) = (&self.kind, &self.value) else {
            return Err(Problem::new(name, "A delivery identifier needs both `type` and `value`"));
        };
        let kind = DeliveryIdentifierType::read(name, kind)?;
        let value = value.as_str().trim();
        if !kind.accepts(value) {
            return Err(Problem::new(name, format!("`{value}` is not a valid {}", kind.as_str())));
        }
        Ok(DeliveryIdentifier { kind, value: value.to_owned() })
    }
}

impl DeliveryIdentifierType {
    /// Whether an address of this type can look like that.
    pub fn accepts(self, value: &str) -> bool {
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        match self {
            Self::Email => is_email(value),
            Self::Phone => value.strip_prefix('+').is_some_and(|number| {
                (3..=15).contains(&number.len()) && digits(number) && !number.starts_with('0')
            }),
            Self::ShortCode => (3..=8).contains(&value.len()) && digits(value),
            Self::Opaque => (1..=512).contains(&value.len()) && !value.contains(char::is_control),
        }
    }
}

impl DeliveryIdentifier {
    /// Whether both reach the same person: email addresses are compared without regard to case.
    pub fn same_as(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match self.kind {
                DeliveryIdentifierType::Email => self.value.eq_ignore_ascii_case(&other.value),
                _ => self.value == other.value,
            }
    }
}

/// Whether a text can be an email address: something before the last `@`, a domain behind it, no blanks.
pub fn is_email(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(|c: char| c.is_control() || c.is_whitespace() || "<>(),;:\"[]\\".contains(c))
        && text.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && !domain.is_empty()
                && domain.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        })
}
