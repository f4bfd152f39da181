//! What the table in `routes.rs` is made of: an operation, where it is mounted, and what its documentation needs to know.

use antiphon_wire::batch::{Batch, Batched};
use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

use crate::call::{Answered, Call};

/// The version an operation was called in. The one place where versions differ is written out below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    V1,
    V2,
    V3,
    V2025_09,
    V2026_03,
    Beta2026_09,
    V2026_09,
    Beta2027_03,
    /// `/antiphon/v1`
    Own,
}

impl Version {
    /// How the version is called in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::V2025_09 => "2025-09",
            Self::V2026_03 => "2026-03",
            Self::Beta2026_09 => "2026-09-beta",
            Self::V2026_09 => "2026-09",
            Self::Beta2027_03 => "2027-03-beta",
            Self::Own => "antiphon-v1",
        }
    }
}

/// The methods operations are called with. HEAD and OPTIONS follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The method as it stands in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A set of operations that are mounted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Where tokens are given out,
    OauthToken,
    /// what they are, as older clients ask,
    OauthV1,
    OauthV2,
    /// and as newer ones do;
    OauthTokens,
    /// and where users let apps in.
    Authorize,
    /// "Who am I".
    AccountInfo,
    Integrations,
    Conversations,
    /// Where an app is told of events, and of which.
    Webhooks,
    /// Channels that apps bring, their accounts and what is said on them.
    CustomChannels,
    Own,
    /// The webhooks journal: what is in it,
    Journal,
    /// what goes into it,
    JournalSubscriptions,
    /// objects as they are now,
    JournalSnapshots,
    /// and the files, whose addresses are their own permission.
    JournalFiles,
    /// Files and folders.
    Files,
    /// A path of an older file manager that a client still calls.
    FileManager,
    /// The bytes of files, for whoever knows their address.
    FileBytes,
    /// Visitors whom an app vouches for.
    Identification,
    /// What the chat widget on web pages calls.
    Widget,
    /// The page inside the widget.
    WidgetPages,
}

impl Family {
    /// Every prefix at which the family answers.
    pub fn prefixes(self) -> &'static [(&'static str, Version)] {
        match self {
            Self::Conversations => &[
                ("/conversations/v3/conversations", Version::V3),
                ("/conversations/conversations/v3", Version::V3),
                ("/conversations/conversations/2026-09-beta", Version::Beta2026_09),
                ("/conversations/conversations/2026-09", Version::V2026_09),
            ],
            Self::Webhooks => &[
                ("/webhooks/v3", Version::V3),
                ("/webhooks/2025-09", Version::V2025_09),
                ("/webhooks/2026-03", Version::V2026_03),
                ("/webhooks/2026-09", Version::V2026_09),
                ("/webhooks/2027-03-beta", Version::Beta2027_03),
                ("/app-webhooks/v3", Version::V3),
                ("/app-webhooks/2025-09", Version::V2025_09),
                ("/app-webhooks/2026-03", Version::V2026_03),
                ("/app-webhooks/2026-09", Version::V2026_09),
                ("/app-webhooks/2027-03-beta", Version::Beta2027_03),
            ],
            Self::CustomChannels => &[
                ("/conversations/v3/custom-channels", Version::V3),
                ("/conversations/custom-channels/v3", Version::V3),
                ("/conversations/custom-channels/2025-09", Version::V2025_09),
                ("/conversations/custom-channels/2026-03", Version::V2026_03),
                ("/conversations/custom-channels/2026-09", Version::V2026_09),
            ],
            Self::Own => &[("/antiphon/v1", Version::Own)],
            Self::Journal => &[
                ("/webhooks-journal/journal/2026-03", Version::V2026_03),
                ("/webhooks-journal/journal/2026-09", Version::V2026_09),
                ("/webhooks-journal/journal/2027-03-beta", Version::Beta2027_03),
                ("/webhooks-journal/journal-local/2026-03", Version::V2026_03),
                ("/webhooks-journal/journal-local/2026-09", Version::V2026_09),
                ("/webhooks-journal/journal-local/2027-03-beta", Version::Beta2027_03),
            ],
            Self::JournalSubscriptions => &[
                ("/webhooks-journal/subscriptions/2026-03", Version::V2026_03),
                ("/webhooks-journal/subscriptions/2026-09", Version::V2026_09),
                ("/webhooks-journal/subscriptions/2027-03-beta", Version::Beta2027_03),
            ],
            Self::JournalSnapshots => &[
                ("/webhooks-journal/snapshots/2026-03", Version::V2026_03),
                ("/webhooks-journal/snapshots/2026-09", Version::V2026_09),
                ("/webhooks-journal/snapshots/2027-03-beta", Version::Beta2027_03),
            ],
            Self::JournalFiles => &[("/webhooks-journal/files", Version::Own)],
            Self::Files => &[
                ("/files/v3", Version::V3),
                ("/files/2025-09", Version::V2025_09),
                ("/files/2026-03", Version::V2026_03),
                ("/files/2026-09", Version::V2026_09),
                ("/files/2026-09-beta", Version::Beta2026_09),
            ],
            Self::FileManager => &[("/filemanager/api/v3", Version::V3)],
            Self::FileBytes => &[("/files", Version::Own)],
            Self::Widget => &[("/widget/v1", Version::Own)],
            Self::WidgetPages => &[("/widget", Version::Own)],
            Self::OauthToken => &[
                ("/oauth/v1", Version::V1),
                ("/oauth/v3", Version::V3),
                ("/oauth/2026-03", Version::V2026_03),
                ("/oauth/2026-09", Version::V2026_09),
            ],
            Self::OauthV1 => &[("/oauth/v1", Version::V1)],
            Self::OauthV2 => &[("/oauth/v2", Version::V2)],
            Self::OauthTokens => &[
                ("/oauth/v3", Version::V3),
                ("/oauth/2026-03", Version::V2026_03),
                ("/oauth/2026-09", Version::V2026_09),
            ],
            Self::Authorize => &[("/oauth", Version::Own)],
            Self::AccountInfo => {
                &[("/account-info/v3", Version::V3), ("/account-info/2026-03", Version::V2026_03)]
            }
            Self::Integrations => &[("/integrations/v1", Version::V1)],
            Self::Identification => &[
                ("/visitor-identification/v3", Version::V3),
                ("/visitor-identification/2025-09", Version::V2025_09),
                ("/visitor-identification/2026-03", Version::V2026_03),
                ("/visitor-identification/2026-09", Version::V2026_09),
                // As old guides have it.
                ("/conversations/v3/visitor-identification", Version::V3),
            ],
        }
    }

    /// Most requests of an app in a second, where that is the limit and not the portal's.
    pub fn per_second(self) -> Option<usize> {
        match self {
            Self::OauthToken
            | Self::OauthV1
            | Self::OauthV2
            | Self::OauthTokens
            | Self::Authorize
            | Self::AccountInfo
            | Self::Integrations
            | Self::Conversations
            | Self::Webhooks
            | Self::CustomChannels
            | Self::Own
            | Self::JournalFiles
            | Self::Files
            | Self::FileManager
            | Self::FileBytes
            | Self::Identification
            | Self::Widget
            | Self::WidgetPages => None,
            Self::Journal => Some(100),
            Self::JournalSubscriptions => Some(50),
            Self::JournalSnapshots => Some(10),
        }
    }

    /// Status of a batch of which some inputs were not found: the conversations of 2026-09 know no 207.
    pub fn partial_status(self, version: Version) -> u16 {
        match (self, version) {
            (Self::Conversations, Version::V2026_09) | (Self::Own, _) => 200,
            _ => 207,
        }
    }
}

/// What a token must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Read,
    Write,
    /// `antiphon.admin`: our own calls that change the directory.
    Admin,
    /// `antiphon.agent`: what agents do who work in the inbox. No token can carry it, only a session of theirs.
    Agent,
    /// `antiphon.inbound`: injecting traffic and starting threads.
    Inbound,
    /// `antiphon.operator`: what concerns more than one portal.
    Operator,
    /// Reading the journal.
    Journal,
    /// Seeing what goes into it.
    JournalSubscriptions,
    /// Saying what goes into it.
    JournalManagement,
    /// Having objects put into it.
    JournalSnapshots,
    /// Reading files.
    FilesRead,
    /// Uploading and changing them.
    FilesWrite,
    /// Deleting them.
    FilesDelete,
    /// Seeing and connecting accounts of channels that apps bring.
    CustomChannels,
    /// Saying what was said on them.
    CustomMessages,
    /// Vouching for visitors.
    VisitorTokens,
}

impl Scope {
    /// Every scope that a token may carry.
    pub const ALL: [Self; 16] = [
        Self::Read,
        Self::Write,
        Self::Admin,
        Self::Agent,
        Self::Inbound,
        Self::Operator,
        Self::Journal,
        Self::JournalSubscriptions,
        Self::JournalManagement,
        Self::JournalSnapshots,
        Self::FilesRead,
        Self::FilesWrite,
        Self::FilesDelete,
        Self::CustomChannels,
        Self::CustomMessages,
        Self::VisitorTokens,
    ];

    /// The scope as it stands in a token.
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// Every way to write it. Of those of the journal there are three in use.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["conversations.read"],
            Self::Write => &["conversations.write"],
            Self::Admin => &["antiphon.admin"],
            Self::Agent => &["antiphon.agent"],
            Self::Inbound => &["antiphon.inbound"],
            Self::Operator => &["antiphon.operator"],
            Self::Journal => &[
                "webhooks-journal-data-access",
                "developer.webhooks_journal.read",
                "webhooks.journal.data.access",
            ],
            Self::JournalSubscriptions => &[
                "webhooks-journal-subscription-read",
                "developer.webhooks_journal.subscriptions.read",
                "webhooks.journal.subscription.read",
            ],
            Self::JournalManagement => &[
                "webhooks-journal-subscription-management",
                "developer.webhooks_journal.subscriptions.write",
                "webhooks.journal.subscription.management",
            ],
            Self::JournalSnapshots => &[
                "webhooks-journal-snapshot-management",
                "developer.webhooks_journal.snapshots.read",
                "developer.webhooks_journal.snapshots.write",
                "webhooks.journal.snapshot.management",
            ],
            Self::FilesRead => &["files.read", "files", "files.ui_hidden.read"],
            Self::FilesWrite => &["files.write", "files", "files.ui_hidden.write"],
            Self::FilesDelete => &["files.delete", "files", "files.ui_hidden.write"],
            // Who may write may read.
            Self::CustomChannels => &[
                "conversations.custom_channels.read",
                "conversations.custom_channels.write",
                "channel-integration-read",
                "channel-integration-write",
            ],
            Self::CustomMessages => &["conversations.custom_channels.write", "channel-integration-write"],
            Self::VisitorTokens => &["conversations.visitor_identification.tokens.create"],
        }
    }
}

/// Whom an operation lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Whoever has a token with this scope.
    Scope(Scope),
    /// Whoever owns the app that the path names first: by its developer key, or by one of its tokens, whatever its scopes.
    Owner,
    /// Whoever has a developer key, or a token, of the app that the query names, or of the only app it can mean.
    App,
    /// Whoever knows the address: it carries a proof that the server gave it out.
    Address,
    /// Anybody: what is sent carries its own proof.
    Open,
    /// Whoever has a token, whatever its scopes.
    Anyone,
    /// An agent who is signed in, whatever their role.
    SignedIn,
    /// A visitor, with the session of the chat widget.
    Visitor,
}

impl Entry {
    /// The scope that is needed, if it is a scope.
    pub fn scope(self) -> Option<Scope> {
        match self {
            Self::Scope(scope) => Some(scope),
            Self::Owner
            | Self::App
            | Self::Address
            | Self::Open
            | Self::Anyone
            | Self::SignedIn
            | Self::Visitor => None,
        }
    }
}

/// A room's entrance.
pub type Door = fn(Call) -> Answered;

/// Turns a door into the form the table keeps.
#[macro_export]
macro_rules! door {
    ($door:path) => {
        |call| Box::pin($door(call))
    };
}

/// Describes a type for the OpenAPI document, and leaves behind the named types it is made of.
pub type Shape = fn(&mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema>;

/// The [`Shape`] of a type.
pub fn shape<T: ToSchema>(named: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    let schema = T::schema();
    T::schemas(named);
    if matches!(schema, RefOr::Ref(_)) {
        return schema;
    }
    let name = T::name().to_string();
    named.push((name.clone(), schema));
    RefOr::Ref(Ref::from_schema_name(name))
}

/// The [`Shape`] of a batch.
pub fn batch<T: Batched + ToSchema>(named: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    Batch::<T>::describe(named);
    RefOr::Ref(Ref::from_schema_name(T::NAME))
}

/// What travels in a body.
#[derive(Clone, Copy)]
pub enum Payload {
    Nothing,
    One(Shape),
    /// `results` and `paging`.
    Page(Shape),
    /// `results`, `paging` and `total`.
    CountedPage(Shape),
    /// A bare array.
    List(Shape),
    /// A form in parts.
    Form(Shape),
    /// A page for people.
    Html,
    /// Server-sent events.
    Events,
}

/// Type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    Time,
    Texts,
    Integers,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any of these words.
    SomeOf(&'static [&'static str]),
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

/// Largest body of an ordinary operation.
pub const BODY_LIMIT: usize = 256 << 10;

/// One operation: a line of the table.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Unique over all families; names the operation in documents, figures and tests.
    pub id: &'static str,
    pub family: Family,
    pub verb: Verb,
    /// Below the family's prefix.
    pub path: &'static str,
    pub entry: Entry,
    /// Another scope that will do.
    pub also: Option<Scope>,
    /// Most bytes of a body, inflated.
    pub body_limit: usize,
    pub door: Door,
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
    pub request: Payload,
    /// Status and body of success.
    pub success: (u16, Payload),
    /// A batch, which may succeed in part: see [`Family::partial_status`].
    pub partial: bool,
    /// What is asked for may be there already.
    pub conflicting: bool,
    /// The answer may wait for what happens, and go on: as a stream or on a WebSocket.
    pub live: bool,
    /// Answers 204 where there is nothing to answer with.
    pub or_nothing: bool,
    /// The body is a form, read as it comes.
    pub flows_in: bool,
    /// The answer is bytes of any kind.
    pub raw: bool,
    /// The body may be a form, too.
    pub or_form: bool,
    /// People get a page instead of JSON.
    pub or_page: bool,
}

impl Operation {
    const fn new(
        family: Family,
        entry: Entry,
        verb: Verb,
        path: &'static str,
        id: &'static str,
        door: Door,
    ) -> Self {
        Self {
            id,
            family,
            verb,
            path,
            entry,
            also: None,
            body_limit: BODY_LIMIT,
            door,
            summary: "",
            parameters: &[],
            request: Payload::Nothing,
            success: (200, Payload::Nothing),
            partial: false,
            conflicting: false,
            live: false,
            or_nothing: false,
            flows_in: false,
            raw: false,
            or_form: false,
            or_page: false,
        }
    }

    /// An operation of the contract. Whatever is no GET needs the write scope unless [`Self::scope`] says otherwise.
    pub const fn conversations(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        let scope = if matches!(verb, Verb::Get) { Scope::Read } else { Scope::Write };
        Self::new(Family::Conversations, Entry::Scope(scope), verb, path, id, door)
    }

    /// An operation about the webhooks of the app that the path names first.
    pub const fn webhooks(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(Family::Webhooks, Entry::Owner, verb, path, id, door)
    }

    /// An operation of the app that brings channels, unless [`Self::scope`] says that it is a portal's.
    pub const fn custom_channels(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(Family::CustomChannels, Entry::App, verb, path, id, door)
    }

    /// An operation of ours, for those who set up a portal unless [`Self::scope`] says otherwise.
    pub const fn own(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(Family::Own, Entry::Scope(Scope::Admin), verb, path, id, door)
    }

    /// An operation of the journal.
    pub const fn journal(
        family: Family,
        scope: Scope,
        verb: Verb,
        path: &'static str,
        id: &'static str,
        door: Door,
    ) -> Self {
        Self::new(family, Entry::Scope(scope), verb, path, id, door)
    }

    /// An operation on files. Whatever is no GET needs the write scope, and DELETE the one for that.
    pub const fn files(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        let scope = match verb {
            Verb::Get => Scope::FilesRead,
            Verb::Delete => Scope::FilesDelete,
            Verb::Post | Verb::Put | Verb::Patch => Scope::FilesWrite,
        };
        Self::new(Family::Files, Entry::Scope(scope), verb, path, id, door)
    }

    /// An operation of OAuth, open to anybody.
    pub const fn oauth(family: Family, verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(family, Entry::Open, verb, path, id, door)
    }

    /// An operation of the chat widget, for visitors with a session.
    pub const fn widget(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(Family::Widget, Entry::Visitor, verb, path, id, door)
    }

    /// Says that anybody may call.
    pub const fn anybody(mut self) -> Self {
        self.entry = Entry::Open;
        self
    }

    /// Says that any token will do.
    pub const fn anyone(mut self) -> Self {
        self.entry = Entry::Anyone;
        self
    }

    /// Says that the body may be a form, too.
    pub const fn or_form(mut self) -> Self {
        self.or_form = true;
        self
    }

    /// Says that people get a page instead of JSON.
    pub const fn or_page(mut self) -> Self {
        self.or_page = true;
        self
    }

    /// The same, of another family.
    pub const fn of(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// Says that the address is the permission.
    pub const fn open(mut self) -> Self {
        self.entry = Entry::Address;
        self
    }

    /// Says that agents who work in the inbox may do it, too.
    pub const fn or_agents(mut self) -> Self {
        self.also = Some(Scope::Agent);
        self
    }

    /// Says that it is for agents who are signed in, whatever their role.
    pub const fn signed_in(mut self) -> Self {
        self.entry = Entry::SignedIn;
        self
    }

    /// Says that no token is needed: what is sent carries its own proof.
    pub const fn unguarded(mut self) -> Self {
        self.entry = Entry::Open;
        self
    }

    /// Says which scope is needed.
    pub const fn scope(mut self, scope: Scope) -> Self {
        self.entry = Entry::Scope(scope);
        self
    }

    /// Most bytes of the body, where it is not [`BODY_LIMIT`].
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// One line of documentation.
    pub const fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The query parameters.
    pub const fn asks(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The body.
    pub const fn takes(mut self, shape: Shape) -> Self {
        self.request = Payload::One(shape);
        self
    }

    /// Status and body of success.
    pub const fn gives(mut self, status: u16, payload: Payload) -> Self {
        self.success = (status, payload);
        self
    }

    /// Says that it may succeed in part.
    pub const fn partly(mut self) -> Self {
        self.partial = true;
        self
    }

    /// Says that what is asked for may be there already.
    pub const fn may_conflict(mut self) -> Self {
        self.conflicting = true;
        self
    }

    /// Says that the answer may go on.
    pub const fn flowing(mut self) -> Self {
        self.live = true;
        self
    }

    /// The form that is read as it comes.
    pub const fn takes_form(mut self, shape: Shape) -> Self {
        self.request = Payload::Form(shape);
        self.flows_in = true;
        self
    }

    /// Says that the answer is a stream of events.
    pub const fn gives_events(mut self) -> Self {
        self.success = (200, Payload::Events);
        self
    }

    /// Says that the answer is bytes of any kind.
    pub const fn gives_bytes(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Says that there may be nothing to answer with.
    pub const fn or_nothing(mut self) -> Self {
        self.or_nothing = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_conversations_have_no_207() {
        for (family, version, status) in [
            (Family::Conversations, Version::V3, 207),
            (Family::Conversations, Version::Beta2026_09, 207),
            (Family::Conversations, Version::V2026_09, 200),
            (Family::Webhooks, Version::V2026_09, 207),
            (Family::Journal, Version::V2026_09, 207),
            (Family::Own, Version::Own, 200),
        ] {
            assert_eq!(family.partial_status(version), status, "{family:?} {version:?}");
        }
    }
}
