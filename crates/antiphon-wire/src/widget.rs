//! Live chat: how an account of it appears on web pages, and what the widget's frame and the server say to each other.

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::thread::ThreadStatus;
use crate::timestamp::Timestamp;

wire_enum! {
    /// On which side of the page the widget is.
    pub enum ChatPosition {
        /// Left.
        Left = "LEFT",
        /// Right.
        Right = "RIGHT",
    }

    /// When visitors are asked for their address.
    pub enum AskEmail {
        /// Never.
        Never = "NEVER",
        /// While nobody is there.
        OutsideHours = "OUTSIDE_HOURS",
        /// Always.
        Always = "ALWAYS",
    }

    /// When visitors are asked whether cookies may be set.
    pub enum CookieBanner {
        /// Never.
        Off = "OFF",
        /// Before the widget is shown.
        OnWidgetLoad = "ON_WIDGET_LOAD",
        /// When the pointer leaves towards the top.
        OnExitIntent = "ON_EXIT_INTENT",
    }

    /// Who said something, as a visitor sees it.
    pub enum Voice {
        /// The visitor.
        Visitor = "VISITOR",
        /// An agent, or an app in the name of the house.
        Agent = "AGENT",
        /// A bot or an AI agent.
        Bot = "BOT",
        /// The house itself.
        System = "SYSTEM",
    }

    /// What a visitor can be shown.
    pub enum WidgetMessageKind {
        /// Something that was said.
        Message = "MESSAGE",
        /// The greeting.
        WelcomeMessage = "WELCOME_MESSAGE",
    }

    /// How far a visitor's message got.
    pub enum WidgetMessageStatus {
        /// It is here.
        Sent = "SENT",
        /// An agent has read it.
        Read = "READ",
    }
}

lenient! {
    /// How live chat on an account is to be. What is absent is as it is by itself.
    pub struct ChatSettingsRequest {
        /// Hosts on whose pages it may appear, such as `example.com` or `*.example.com`; at most 50. None: on all.
        pub domains: Vec<String> = "domains",
        /// What stands above it; otherwise the account's name.
        pub title: Option<String> = "title",
        /// `#rrggbb`
        pub color: Option<String> = "color",
        /// `LEFT` or `RIGHT`.
        pub position: Option<String> = "position",
        /// The greeting; the same as the account's `welcomeMessage`.
        pub welcome_message: Option<String> = "welcomeMessage",
        /// Answers offered with the greeting; at most 10.
        pub quick_replies: Vec<String> = "quickReplies",
        /// When somebody is there. Absent: always.
        pub office_hours: Option<OfficeHoursRequest> = "officeHours",
        /// What is said while nobody is there.
        pub away_message: Option<String> = "awayMessage",
        /// `NEVER`, `OUTSIDE_HOURS` or `ALWAYS`.
        pub ask_email: Option<String> = "askEmail",
        /// Whether visitors may send files.
        pub attachments: Option<bool> = "attachments",
        /// `OFF`, `ON_WIDGET_LOAD` or `ON_EXIT_INTENT`.
        pub cookie_banner: Option<String> = "cookieBanner",
        /// Pages on which it appears, with `*` for anything: paths such as `/shop/*`, or whole addresses; at most 50. None: on all.
        pub pages: Vec<String> = "pages",
        /// Language of the widget, such as `de` or `pt-br`; otherwise the visitor's.
        pub language: Option<String> = "language",
    }

    /// When somebody is there.
    pub struct OfficeHoursRequest {
        /// IANA name of a time zone; the portal's unless given.
        pub time_zone: Option<String> = "timeZone",
        /// At most 50.
        pub days: Vec<OpenDayRequest> = "days",
    }

    /// From when to when on a day of the week.
    pub struct OpenDayRequest {
        /// 1 is Monday, 7 is Sunday.
        pub day: Option<i64> = "day",
        /// `HH:MM`
        pub from: Option<String> = "from",
        /// `HH:MM`, behind `from`; `24:00` is the end of the day.
        pub to: Option<String> = "to",
    }

    /// A visitor opens the widget, or goes on.
    pub struct WidgetSessionRequest {
        /// The account whose chat it is.
        pub account_id: Option<LenientId> = "accountId",
        /// The page that the widget is on.
        pub url: Option<String> = "url",
        /// By which this browser is known: 32 hexadecimal digits.
        pub visitor_key: Option<String> = "visitorKey",
        /// A session to go on with.
        pub session: Option<String> = "session",
        /// Who the page says its visitor is.
        pub identification: Option<IdentificationRequest> = "identification",
        /// Language of the visitor.
        pub language: Option<String> = "language",
    }

    /// Who a page says its visitor is.
    pub struct IdentificationRequest {
        /// The visitor's address.
        pub email: Option<String> = "email",
        /// What proves it.
        pub token: Option<String> = "token",
    }

    /// A visitor says something.
    pub struct WidgetSend {
        /// The thread; otherwise the newest one, or a new one.
        pub thread_id: Option<LenientId> = "threadId",
        /// Whether a new thread begins with it.
        pub new_thread: Option<bool> = "newThread",
        /// What is said; at most 10,000 characters.
        pub text: Option<String> = "text",
        /// Ids of files that were uploaded; at most 10.
        pub attachments: Vec<String> = "attachments",
        /// A UUID that is new with every message. A repeat answers the first one.
        pub client_id: Option<String> = "clientId",
        /// The page that the visitor is on.
        pub url: Option<String> = "url",
        /// The offered answers that were chosen; said as text where there is none.
        pub quick_reply: Option<QuickReplyChosen> = "quickReply",
    }

    /// Offered answers that were chosen.
    pub struct QuickReplyChosen {
        /// Which.
        pub values: Vec<String> = "values",
    }

    /// A visitor gives an address.
    pub struct WidgetContactRequest {
        /// The address.
        pub email: Option<String> = "email",
        /// What the visitor is called.
        pub name: Option<String> = "name",
    }

    /// A visitor has read a thread.
    pub struct WidgetRead {
        /// Up to this message.
        pub message_id: Option<String> = "messageId",
    }

    /// A visitor types, or has stopped.
    pub struct WidgetTyping {
        /// Which of the two.
        pub typing: Option<bool> = "typing",
    }

    /// The form with which a visitor uploads a file.
    pub struct WidgetUpload {
        /// The file.
        pub file: Option<String> = "file",
    }
}

/// How live chat on an account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatSettings {
    /// The account.
    pub account_id: Id,
    /// Hosts on whose pages it may appear. None: on all.
    pub domains: Vec<String>,
    /// What stands above it.
    pub title: String,
    /// `#rrggbb`
    pub color: String,
    /// On which side it is.
    pub position: ChatPosition,
    /// The greeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub welcome_message: Option<String>,
    /// Answers offered with the greeting.
    pub quick_replies: Vec<String>,
    /// When somebody is there; otherwise always.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub office_hours: Option<OfficeHours>,
    /// What is said while nobody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub away_message: Option<String>,
    /// When visitors are asked for their address.
    pub ask_email: AskEmail,
    /// Whether visitors may send files.
    pub attachments: bool,
    /// When visitors are asked about cookies.
    pub cookie_banner: CookieBanner,
    /// Pages on which it appears. None: on all.
    pub pages: Vec<String>,
    /// Language of the widget; otherwise the visitor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub language: Option<String>,
}

/// When somebody is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfficeHours {
    /// IANA name of the time zone.
    pub time_zone: String,
    /// On which days, and when.
    pub days: Vec<OpenDay>,
}

/// From when to when on a day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenDay {
    /// 1 is Monday, 7 is Sunday.
    pub day: i64,
    /// `HH:MM`
    pub from: String,
    /// `HH:MM`
    pub to: String,
}

/// Which chat there is for a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetConfig {
    /// The account whose chat it is; absent where there is none, and then nothing else is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub account: Option<Id>,
    /// On which side it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub position: Option<ChatPosition>,
    /// `#rrggbb`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub color: Option<String>,
    /// When visitors are asked about cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cookie_banner: Option<CookieBanner>,
    /// Language of the widget; otherwise the visitor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub language: Option<String>,
    /// What stands above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// The greeting, shown before anybody opens the widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub welcome_message: Option<String>,
}

/// A visitor's session, and what the widget needs to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetSession {
    /// The bearer token of everything else.
    pub session: String,
    /// Until when it is good; it can be gone on with until a day after it was first begun.
    pub expires_at: Timestamp,
    /// By which this browser is to be known from now on; absent for one who is identified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub visitor_key: Option<String>,
    /// Whether it is known who the visitor is.
    pub identified: bool,
    /// Why it is not, though the page said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub warning: Option<String>,
    /// How the widget looks and what it does.
    pub config: WidgetLook,
    /// What is known of the visitor.
    pub contact: WidgetContact,
    /// How many threads have something unread.
    pub unread: i64,
    /// Some who may answer.
    pub agents: Vec<WidgetAgent>,
}

/// How the widget looks and what it does, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetLook {
    /// What stands above it.
    pub title: String,
    /// `#rrggbb`
    pub color: String,
    /// On which side it is.
    pub position: ChatPosition,
    /// The greeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub welcome_message: Option<String>,
    /// Answers offered with it.
    pub quick_replies: Vec<String>,
    /// Whether somebody is there.
    pub available: bool,
    /// What is said while nobody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub away_message: Option<String>,
    /// Whether this visitor is to be asked for an address now.
    pub ask_email: bool,
    /// Whether files may be sent.
    pub attachments: bool,
    /// Language of the widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub language: Option<String>,
}

/// What is known of a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct WidgetContact {
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
}

/// Somebody of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetAgent {
    /// Display name.
    pub name: String,
    /// Picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
}

/// A visitor's thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetThread {
    /// Its id. A number.
    pub id: i64,
    /// Open or closed.
    #[schema(value_type = String)]
    pub status: ThreadStatus,
    /// How what was said last begins.
    pub preview: String,
    /// How many messages are unread; 50 stands for more as well.
    pub unread: i64,
    /// When something was said last.
    pub latest_at: Timestamp,
    /// Who spoke last for the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agent: Option<WidgetAgent>,
}

/// A visitor's threads, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetThreads {
    /// At most 30.
    pub results: Vec<WidgetThread>,
}

/// Something said in a visitor's thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetMessage {
    /// Its id.
    pub id: String,
    /// The thread. A number.
    pub thread_id: i64,
    /// Who says it.
    pub from: Voice,
    /// Display name of somebody of the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Picture of somebody of the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML without anything that acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rich_text: Option<String>,
    /// Files.
    pub attachments: Vec<WidgetAttachment>,
    /// Offered answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quick_replies: Option<WidgetQuickReplies>,
    /// When it was said.
    pub created_at: Timestamp,
    /// What it is.
    pub kind: WidgetMessageKind,
    /// Of the visitor's own: how far it got.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<WidgetMessageStatus>,
    /// Of the visitor's own, where it is known: the id that its sender gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_id: Option<String>,
}

/// A file in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetAttachment {
    /// Its name.
    pub name: String,
    /// Its bytes, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub size: Option<i64>,
    /// What it is, where that is known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media_type: Option<String>,
    /// Where it is, for a day.
    pub url: String,
    /// Whether it can be looked at.
    pub image: bool,
}

/// Offered answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetQuickReplies {
    /// Whether several may be chosen.
    pub multi_select: bool,
    /// The answers.
    pub values: Vec<WidgetQuickReply>,
}

/// An offered answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetQuickReply {
    /// What is said.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// A page that is opened instead; `https:` or `http:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<String>,
}

/// A piece of a thread, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetMessages {
    /// The messages.
    pub results: Vec<WidgetMessage>,
    /// Whether there are more in the direction that was asked for: earlier ones, or with `after` later ones.
    pub more: bool,
    /// Up to which message agents have read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub read_up_to: Option<String>,
}

/// What a visitor said, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetSent {
    /// The message.
    pub message: WidgetMessage,
    /// Its thread.
    pub thread: WidgetSentThread,
}

/// The thread of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetSentThread {
    /// Its id. A number.
    pub id: i64,
    /// Whether it began with this message.
    pub is_new: bool,
}

/// A file that a visitor uploaded and has not sent yet; it goes by itself after a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetFile {
    /// What to send it by.
    pub file_id: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// What it is.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Where it is, for a day.
    pub url: String,
}

/// What is known of a visitor who gave an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetContactAnswer {
    /// What was said.
    pub contact: WidgetContact,
    /// The session to go on with: it keeps the address until there is a thread to keep it with.
    pub session: String,
}

/// Where a chat came from, for those who answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChatOrigin {
    /// The page on which it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<String>,
    /// An address that the visitor gave, and that nobody has proved: another contact has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub said_email: Option<String>,
    /// Whether the visitor was identified by a token.
    pub identified: bool,
}

/// A thread opened or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetThreadEvent {
    /// The thread. A number.
    pub id: i64,
    /// How it is now.
    #[schema(value_type = String)]
    pub status: ThreadStatus,
}

/// Somebody of the house types, or has stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetTypingEvent {
    /// The thread. A number.
    pub thread_id: i64,
    /// Who, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Which of the two.
    pub typing: bool,
}

/// Somebody of the house has read a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WidgetReadEvent {
    /// The thread. A number.
    pub thread_id: i64,
    /// Up to this message.
    pub message_id: String,
}

/// The stream ends; the widget asks for another session before it comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WidgetSessionEvent {
    /// `expired`, `gone`, `slow` or `stopping`.
    pub end: &'static str,
}
