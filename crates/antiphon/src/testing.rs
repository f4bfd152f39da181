//! What the tests of rules share: a portal with a thread in it, and changes told in few words.

use std::sync::Arc;

use antiphon_store::{
    Account, AccountId, Actor, ActorKind, Adapter, App, AppId, Changes, Directory, DirectoryChange,
    EventKind, Identifier, Inbox, InboxId, InboxKind, Millis, Portal, PortalId, Quota, State, Thread,
    ThreadId, ThreadStatus, Usage, Visitor, VisitorId,
};
use antiphon_wire::message::{self as wire, Message, MessageType};

use crate::config::Config;
use crate::refusal::Refusal;

/// The tests' usual configuration of a server in a home, which is made of another build of this library.
pub fn config(home: &antiphon_testkit::Home) -> Config {
    Config { store: home.store(), ..Config::for_tests(&home.data()).unwrap() }
}

/// The present of every test.
pub const NOW: Millis = 1_791_273_600_000;

pub const THREAD: ThreadId = ThreadId(55);
pub const MAIL: AccountId = AccountId(70018);
pub const CHAT: AccountId = AccountId(70001);
pub const QUIET_CHAT: AccountId = AccountId(70002);
pub const FORM: AccountId = AccountId(70003);
pub const WHATSAPP: AccountId = AccountId(70007);
pub const SMS: AccountId = AccountId(70009);
/// On a channel that nothing here can serve.
pub const UNSERVED: AccountId = AccountId(70100);
/// In another inbox.
pub const ELSEWHERE: AccountId = AccountId(70031);
pub const ARCHIVED: AccountId = AccountId(70041);
pub const INACTIVE: AccountId = AccountId(70042);
pub const UNAUTHORIZED: AccountId = AccountId(70043);

/// An open email thread with Ines, contact 20, whom nobody looks after.
pub fn state() -> State {
    State {
        directory: Arc::new(directory()),
        usage: Usage::default(),
        thread: Some(thread(MAIL, 1002)),
        threads: Vec::new(),
        visitor: Some(ines()),
        contact: None,
        erasure: None,
        ticket: None,
        message: None,
        replied: None,
        earlier: None,
        files: None,
        desk: None,
        canned: None,
        named: None,
        bound: None,
    }
}

/// The portal before anybody wrote.
pub fn empty() -> State {
    State { thread: None, visitor: None, ..state() }
}

pub fn ines() -> Visitor {
    Visitor {
        id: VisitorId(20),
        contact: true,
        name: Some("Ines Okafor".into()),
        email: Some("ines@example.net".into()),
        phone: None,
        avatar: None,
        created_at: 1000,
        updated_at: 1000,
    }
}

pub fn thread(account: AccountId, channel: i64) -> Thread {
    Thread {
        id: THREAD,
        number: 1,
        inbox_id: InboxId(640),
        channel_id: channel,
        account_id: account,
        visitor_id: VisitorId(20),
        status: ThreadStatus::Open,
        spam: false,
        assigned_to: None,
        ticket_id: None,
        subject: Some("Wrong VAT number".into()),
        snoozed_until: None,
        tags: Vec::new(),
        preview: None,
        created_at: NOW - 5000,
        closed_at: None,
        archived_at: None,
        latest_message_at: Some(NOW - 5000),
        latest_sent_at: None,
        latest_received_at: Some(NOW - 5000),
        latest_message_id: Some(antiphon_store::MessageId([7; 16])),
        latest_entry_at: NOW - 4999,
        entries: 2,
        revision: 1,
    }
}

fn directory() -> Directory {
    let inbox = |id, archived_at| Inbox {
        id: InboxId(id),
        name: format!("Inbox {id}"),
        kind: InboxKind::Inbox,
        assign_on_reply: id != 812,
        created_at: 1,
        updated_at: 1,
        archived_at,
    };
    let account = |id: AccountId, channel_id, inbox| Account {
        id,
        channel_id,
        inbox_id: InboxId(inbox),
        name: format!("Account {id}"),
        active: true,
        authorized: true,
        identifier: None,
        adapter: Adapter::Stored,
        welcome: None,
        chat: None,
        created_at: 1,
        archived_at: None,
    };
    let address = |value: &str| Some(Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: value.into() });
    let accounts = [
        Account { identifier: address("help@acme.example"), ..account(MAIL, 1002, 640) },
        Account { identifier: address("sales@acme.example"), ..account(ELSEWHERE, 1002, 812) },
        Account { welcome: Some("Hello! How can we help?".into()), ..account(CHAT, 1000, 640) },
        account(QUIET_CHAT, 1000, 640),
        account(FORM, 1003, 640),
        account(WHATSAPP, 1007, 640),
        account(SMS, 1009, 640),
        Account { adapter: Adapter::None, ..account(UNSERVED, 1010, 640) },
        Account { archived_at: Some(2), ..account(ARCHIVED, 1002, 640) },
        Account { active: false, ..account(INACTIVE, 1002, 640) },
        Account { authorized: false, ..account(UNAUTHORIZED, 1002, 640) },
    ];
    let actor = |kind, id, name: &str, email: Option<&str>, active| Actor {
        kind,
        id,
        name: Some(name.into()),
        email: email.map(str::to_owned),
        avatar: None,
        active,
        created_at: 1,
    };
    let actors = [
        actor(ActorKind::Agent, 71, "Mia Lund", Some("mia@acme.example"), true),
        actor(ActorKind::Agent, 72, "Jon Berg", Some("jon@acme.example"), false),
        actor(ActorKind::Bot, 5, "Greeter", None, true),
        actor(ActorKind::Llm, 6, "Assistant", None, true),
    ];
    let app = App {
        id: AppId(4410),
        name: "Tests".into(),
        avatar: None,
        client_secret: String::new(),
        developer_key: String::new(),
        user_id: None,
        old_secret: None,
        old_key: None,
        active: true,
        created_at: 1,
    };
    let portal = Portal {
        id: PortalId(1),
        name: "Acme".into(),
        profile: "UTC".into(),
        quota: Quota::default(),
        created_at: 1,
    };
    let mut directory = Directory::new(portal, 1);
    let inboxes = [inbox(640, None), inbox(812, None), inbox(813, Some(3))];
    let all = inboxes.into_iter().map(DirectoryChange::Inbox);
    let all = all.chain(accounts.into_iter().map(DirectoryChange::Account));
    for change in all.chain(actors.into_iter().map(DirectoryChange::Actor)) {
        directory.put(change);
    }
    directory.put(DirectoryChange::App(app));
    directory
}

/// Lets a portal hold so many messages and no more.
pub fn limit_messages(state: &mut State, messages: i64) {
    let mut directory = (*state.directory).clone();
    directory.portal.quota.messages = Some(messages);
    state.directory = Arc::new(directory);
}

/// Closes the thread as a rule would have.
pub fn close(state: &mut State) {
    if let Some(thread) = &mut state.thread {
        thread.status = ThreadStatus::Closed;
        thread.closed_at = Some(thread.latest_entry_at);
    }
}

/// What the store makes of changes, as far as the next rule sees it.
pub fn apply(state: &mut State, changes: &Changes) {
    if let Some(thread) = changes.threads.last() {
        let number = thread.number.max(1);
        let entries = thread.entries + changes.messages.len() as i64;
        state.thread = Some(Thread { number, entries, revision: thread.revision + 1, ..thread.clone() });
    }
    if let Some(visitor) = changes.visitors.last() {
        state.visitor = Some(visitor.clone());
    }
    state.usage.messages += changes.messages.len() as i64;
}

/// Every entry as the API would print it.
pub fn messages(changes: &Changes) -> Vec<Message> {
    changes.messages.iter().map(|one| wire::read(&one.document.bytes).unwrap()).collect()
}

/// Every entry in few words: what it is, what it says, who caused it.
pub fn entries(changes: &Changes) -> Vec<String> {
    let told = |message: Message| {
        let direction = message.direction.map_or("", wire::Direction::as_str);
        let assignee = |actor: Option<String>| actor.map_or(String::new(), |actor| actor + " ");
        let what = match message.kind {
            MessageType::Message => format!("MESSAGE {direction} "),
            MessageType::Comment => "COMMENT ".to_owned(),
            MessageType::WelcomeMessage => "WELCOME ".to_owned(),
            MessageType::ThreadStatusChange => format!("STATUS {} ", message.new_status.unwrap().as_str()),
            MessageType::Assignment => {
                format!("ASSIGNMENT {}-> {}", assignee(message.assigned_from), assignee(message.assigned_to))
            }
            MessageType::ThreadInboxChange => {
                format!("INBOX {} -> {} ", message.from_inbox_id.unwrap(), message.to_inbox_id.unwrap())
            }
        };
        format!("{what}by {}", message.created_by)
    };
    messages(changes).into_iter().map(told).collect()
}

/// Every event in few words; internal ones in brackets.
pub fn events(changes: &Changes) -> Vec<String> {
    let told = |event: &antiphon_store::NewEvent| {
        let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap_or_default();
        let member = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        match event.kind {
            EventKind::ThreadCreated => "creation".to_owned(),
            EventKind::MessageAdded => format!("newMessage {}", member("messageType")),
            EventKind::ThreadChanged => format!("{}={}", member("propertyName"), member("propertyValue")),
            EventKind::ThreadArchived => "deletion".to_owned(),
            EventKind::ThreadPurged => "privacyDeletion".to_owned(),
            EventKind::ThreadTouched => "(touched)".to_owned(),
            EventKind::VisitorChanged => "(visitor)".to_owned(),
            EventKind::TicketChanged => "(ticket)".to_owned(),
            EventKind::FileChanged => "(file)".to_owned(),
            EventKind::DirectoryChanged => "(directory)".to_owned(),
            EventKind::WebhookPaused => "(paused)".to_owned(),
            EventKind::AccountCreated => "(account created)".to_owned(),
            EventKind::AccountUpdated => "(account updated)".to_owned(),
            EventKind::AccountPurged => "(account purged)".to_owned(),
            EventKind::ThreadRead => format!("(read by {})", member("reader")),
            EventKind::Mentioned => "(mentioned)".to_owned(),
            EventKind::CannedReplyChanged => "(canned reply)".to_owned(),
            EventKind::MessageRetried => "(retried)".to_owned(),
        }
    };
    changes.events.iter().map(told).collect()
}

/// Public events only.
pub fn public(changes: &Changes) -> Vec<String> {
    events(changes).into_iter().filter(|event| !event.starts_with('(')).collect()
}

/// The HTTP status of a refusal.
pub fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::Invalid(_) => 400,
        Refusal::QuotaExceeded => 403,
        Refusal::NotFound { .. } => 404,
        Refusal::Conflict(_) => 409,
        _ => 500,
    }
}

/// The parameters a refusal names.
pub fn named(refusal: &Refusal) -> Vec<&str> {
    match refusal {
        Refusal::Invalid(problems) => problems.iter().filter_map(|problem| problem.in_.as_deref()).collect(),
        _ => Vec::new(),
    }
}
