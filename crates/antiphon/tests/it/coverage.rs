//! Every operation of the route table is called once at every path, and succeeds as the table says. An operation without a
//! call here fails the test.

use antiphon::routes::{Entry, Family, OPERATIONS, Operation, Scope};
use antiphon_testkit::{Reply, TestServer, User};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::kit::{Desk, text};
use crate::{files, journal, oauth, sign_in, widget};

/// What there is to be named.
struct Names {
    desk: Desk,
    thread: String,
    message: String,
    ticket: String,
    file: String,
    token: String,
    /// A message that was not delivered.
    failed: String,
    canned: String,
    /// An inbox without accounts.
    inbox: String,
    subscription: String,
    tag: String,
    view: String,
    /// One that was sent, with the first attempt.
    event: String,
    custom: Custom,
}

/// Takes away for good what is in the archive.
const PURGE: &str = "own.accounts.purge";

/// What there is to be named of a channel that an app brought.
struct Custom {
    channel: String,
    account: String,
    message: String,
    staging: String,
}

impl Custom {
    async fn new(desk: &Desk) -> Self {
        let base = "/conversations/v3/custom-channels";
        let body = json!({ "name": "Relay", "capabilities": {}, "webhookUrl": "https://127.0.0.1:1/events",
                           "channelAccountConnectionRedirectUrl": "https://127.0.0.1:1/connect" });
        let channel = text(&desk.user.post(base, body).await.expect(201).json(), "id");
        let body = json!({ "name": "Relay", "inboxId": desk.portal.inbox });
        let accounts = format!("{base}/{channel}/channel-accounts");
        let account = text(&desk.user.post(&accounts, body).await.expect(201).json(), "id");
        let opaque = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "omar" });
        let person = json!([{ "deliveryIdentifier": opaque }]);
        let body = json!({ "channelAccountId": account, "messageDirection": "OUTGOING", "text": "Hello", "recipients": person });
        let said = desk.user.post(&format!("{base}/{channel}/messages"), body).await.expect(201);
        let user = desk.portal.agent.trim_start_matches("A-").to_owned();
        let body = json!({ "inboxId": desk.portal.inbox, "userId": user });
        let begun = desk.make(&format!("channels/{channel}/connect"), body).await;
        let staging = text(&begun, "accountToken");
        Self { channel, account, message: text(&said.json(), "id"), staging }
    }
}

impl Names {
    async fn new(server: &TestServer) -> Self {
        let desk = Desk::on(server).await;
        let thread = desk.chat("ines").await;
        let message = text(&desk.send(&thread, desk.on_chat("Hi")).await, "id");
        let ticket = text(&desk.make("tickets", json!({ "subject": "Bicycle" })).await, "id");
        desk.make("bots", json!({ "id": 1, "name": "Greeter" })).await;
        desk.make("llms", json!({ "id": 1, "name": "Assistant" })).await;
        let file =
            json!({ "name": "a.pdf", "mediaType": "application/pdf", "url": "https://files.example/a" });
        let file = text(&desk.make("files", file).await, "id");
        let token =
            text(&desk.make("tokens", json!({ "label": "Old", "appId": desk.portal.app })).await, "id");
        let inbox = text(&desk.make("inboxes", json!({ "name": "Empty" })).await, "id");
        let webhooks = format!("/webhooks/v3/{}", desk.portal.app);
        // Nobody listens there.
        let settings = json!({ "targetUrl": "https://127.0.0.1:1/hooks" });
        desk.user.put(&format!("{webhooks}/settings"), settings).await.expect(200);
        let subscription = json!({ "eventType": "conversation.creation", "active": true });
        let subscription =
            desk.user.post(&format!("{webhooks}/subscriptions"), subscription).await.expect(201);
        let subscription = text(&subscription.json(), "id");
        let event = desk.attempted(&desk.portal.app, &subscription).await;
        let custom = Custom::new(&desk).await;
        let tag = text(&desk.make("tags", json!({ "name": "VIP" })).await, "id");
        let view = text(&desk.make("views", json!({ "name": "All" })).await, "id");
        Self {
            desk,
            thread,
            message,
            failed: String::new(),
            canned: String::new(),
            ticket,
            file,
            token,
            inbox,
            subscription,
            tag,
            view,
            event,
            custom,
        }
    }

    /// What only some operations need.
    async fn besides(&mut self, id: &str) {
        let (desk, thread, agent) = (&self.desk, &self.thread, &self.desk.portal.agent);
        if id == "messages.retry" {
            let failed = text(&desk.send(thread, desk.on_chat("Hello?")).await, "id");
            let status = format!("/antiphon/v1/threads/{thread}/messages/{failed}/status");
            desk.portal.operator().put(&status, json!({ "statusType": "FAILED" })).await.expect(200);
            self.failed = failed;
        } else if id.starts_with("drafts.") {
            let draft = json!({ "text": "I think", "senderActorId": agent });
            desk.user.put(&format!("/antiphon/v1/threads/{thread}/draft"), draft).await.expect(204);
        } else if id.starts_with("canned-replies.") {
            let words = json!({ "name": "Thanks", "text": "Thank you!", "senderActorId": agent });
            let canned = desk.user.post("/antiphon/v1/canned-replies", words).await.expect(201);
            self.canned = text(&canned.json(), "id");
        }
    }

    /// The path below the prefix, with ids in the place of names.
    fn path(&self, id: &str, template: &str) -> String {
        let contact = "1";
        let custom = &self.custom;
        let mut template = template.replace("{accountToken}", &custom.staging);
        if id.starts_with("custom.") || id.starts_with("channels.connect") || id == PURGE {
            let named = [
                ("{channelId}", &custom.channel),
                ("{channelAccountId}", &custom.account),
                ("{messageId}", &custom.message),
            ];
            template = named.into_iter().fold(template, |path, (name, id)| path.replace(name, id));
        }
        let portal = &self.desk.portal;
        if id == "messages.retry" {
            template = template.replace("{messageId}", &self.failed);
        }
        let of_agent =
            id.starts_with("drafts.") || id.starts_with("mentions.") || id.starts_with("canned-replies.");
        if of_agent {
            template = format!("{template}?senderActorId={}", portal.agent);
        }
        let agent = portal.agent.trim_start_matches("A-");
        [
            ("{threadId}", &*self.thread),
            ("{messageId}", &self.message),
            ("{actorId}", &portal.agent),
            ("{cannedReplyId}", &self.canned),
            ("{inboxId}", &self.inbox),
            ("{channelId}", "1000"),
            ("{channelAccountId}", &portal.chat),
            ("{agentId}", agent),
            ("{botId}", "1"),
            ("{llmId}", "1"),
            ("{contactId}", contact),
            ("{ticketId}", &self.ticket),
            ("{fileId}", &self.file),
            ("{tokenId}", &self.token),
            ("{appId}", &portal.app),
            ("{portalId}", &portal.id),
            ("{subscriptionId}", &self.subscription),
            ("{tagId}", &self.tag),
            ("{viewId}", &self.view),
            ("{attemptId}", "1"),
            ("{eventId}", &self.event),
        ]
        .into_iter()
        .fold(template, |path, (name, id)| path.replace(name, id))
    }

    /// A body for the operation; `None` if nobody wrote one yet.
    fn body(&self, id: &str) -> Option<Value> {
        let (desk, portal) = (&self.desk, &self.desk.portal);
        let opaque = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "omar" });
        let person = json!({ "identifier": opaque });
        Some(match id {
            "threads.list"
            | "threads.get"
            | "threads.archive"
            | "threads.unassign"
            | "messages.list"
            | "messages.get"
            | "messages.original"
            | "actors.get"
            | "inboxes.list"
            | "inboxes.get"
            | "channels.list"
            | "channels.get"
            | "accounts.list"
            | "accounts.get"
            | "backups.progress"
            | "checks.progress"
            | "moves.progress"
            | "keys.list"
            | "oauth.access"
            | "oauth.refresh"
            | "oauth.refresh.delete"
            | "oauth.authorize"
            | "oauth.authorize.portal"
            | "account.details"
            | "chats.get"
            | "chats.remove"
            | "threads.chat"
            | "widget.config"
            | "widget.frame"
            | "widget.threads.list"
            | "widget.messages.list"
            | "widget.events"
            | "widget.files.upload"
            | "account.me"
            | "apps.oauth.show"
            | "apps.uninstall"
            | "keys.rotate"
            | "store.status"
            | "portals.list"
            | "portals.get"
            | "apps.list"
            | "apps.get"
            | "apps.webhook.show"
            | "apps.webhook.resume"
            | "apps.webhook.test"
            | "apps.webhook.attempts"
            | "apps.webhook.attempt"
            | "apps.webhook.resend.attempt"
            | "apps.webhook.deliveries"
            | "apps.webhook.resend.event"
            | "tokens.list"
            | "tokens.revoke"
            | "apps.webhook.settings.get"
            | "apps.webhook.settings.delete"
            | "apps.webhook.subscriptions.list"
            | "apps.webhook.subscriptions.delete"
            | "own.inboxes.get"
            | "own.inboxes.archive"
            | "own.accounts.get"
            | "own.accounts.archive"
            | "own.accounts.purge"
            | "agents.list"
            | "bots.list"
            | "llms.list"
            | "contacts.list"
            | "contacts.get"
            | "contacts.export"
            | "contacts.erase"
            | "contacts.erasure"
            | "tickets.list"
            | "tickets.get"
            | "files.get"
            | "own.threads.spam"
            | "own.threads.unspam"
            | "own.threads.unlink"
            | "webhooks.settings.get"
            | "webhooks.settings.delete"
            | "webhooks.subscriptions.list"
            | "webhooks.subscriptions.get"
            | "webhooks.subscriptions.delete"
            | "events.list"
            | "work.threads.list"
            | "work.threads.get"
            | "work.threads.unsnooze"
            | "tags.list"
            | "tags.archive"
            | "views.list"
            | "views.counts"
            | "views.delete"
            | "session.show"
            | "sign-in.options"
            | "oidc.start"
            | "oidc.callback"
            | "session.begin"
            | "session.agent"
            | "session.totp.ask"
            | "session.totp.enable"
            | "session.totp.disable"
            | "agents.totp.reset"
            | "setup"
            | "invitations.create"
            | "invitations.list"
            | "invitations.revoke"
            | "invitations.accept"
            | "audit.list"
            | "audit.server"
            | "session.end"
            | "session.list"
            | "session.end.others"
            | "session.end.one"
            | "messages.retry"
            | "drafts.get"
            | "drafts.discard"
            | "drafts.mine"
            | "mentions.list"
            | "mentions.unseen"
            | "presence.list"
            | "canned-replies.list"
            | "canned-replies.delete"
            | "journal.earliest"
            | "journal.latest"
            | "journal.next"
            | "journal.batch.earliest"
            | "journal.batch.latest"
            | "journal.batch.next"
            | "journal.snapshots.status"
            | "journal.subscriptions.list"
            | "journal.subscriptions.get"
            | "journal.subscriptions.delete"
            | "journal.subscriptions.delete-all"
            | "journal.filters.get"
            | "journal.filters.list"
            | "journal.filters.delete"
            | "journal.file"
            | "custom.channels.list"
            | "custom.channels.get"
            | "custom.channels.archive"
            | "custom.accounts.list"
            | "custom.accounts.get"
            | "custom.messages.get"
            | "channels.connected"
            | "files.import.status"
            | "files.search"
            | "files.stat"
            | "files.read"
            | "files.delete"
            | "files.download"
            | "files.erase"
            | "files.sign"
            | "files.serve"
            | "files.upload"
            | "files.replace"
            | "files.manage"
            | "folders.search"
            | "folders.update.status"
            | "folders.get"
            | "folders.delete" => Value::Null,
            "custom.channels.create" => json!({ "name": "Relay", "capabilities": {} }),
            "custom.channels.update" | "custom.accounts.update" => json!({ "name": "Other" }),
            "custom.staging.update" => json!({ "deliveryIdentifier": opaque }),
            "custom.accounts.create" => json!({ "name": "Other", "inboxId": portal.inbox }),
            "custom.messages.publish" => {
                let senders = json!([{ "deliveryIdentifier": opaque }]);
                json!({ "channelAccountId": self.custom.account, "messageDirection": "INCOMING", "senders": senders, "text": "Hi" })
            }
            "custom.messages.update" => json!({ "statusType": "READ" }),
            "channels.connect" => {
                json!({ "inboxId": portal.inbox, "userId": portal.agent.trim_start_matches("A-") })
            }
            "files.import" => json!({ "url": "https://127.0.0.1:1/nothing" }),
            "files.update" => json!({ "name": "other" }),
            "folders.create" => json!({ "name": "New" }),
            "folders.update" => json!({ "name": "Renamed" }),
            "folders.update.async" => json!({ "id": "{*folderId}", "name": "Renamed" }),
            "threads.update" => json!({ "status": "CLOSED" }),
            "threads.assign" | "threads.assign.post" => json!({ "actorId": portal.agent }),
            "messages.post" => desk.on_chat("Hello"),
            "actors.batch" => json!({ "inputs": [portal.agent, "S-hubspot"] }),
            "backups.make" => {
                json!({ "file": desk.server.home().path().join(format!("backup-{}", portal.id)) })
            }
            "checks.make" => json!({}),
            "moves.make" => {
                let place = desk.server.home().path().join(format!("moved-{}", portal.id));
                json!({ "to": format!("sqlite:{}", place.display()) })
            }
            "webhooks.settings.put" | "apps.webhook.settings.put" => {
                json!({ "targetUrl": "https://bot.example/other" })
            }
            "webhooks.subscriptions.create" | "apps.webhook.subscriptions.create" => {
                json!({ "eventType": "conversation.newMessage" })
            }
            "webhooks.subscriptions.batch" => {
                json!({ "inputs": [{ "id": self.subscription, "active": true }] })
            }
            "webhooks.subscriptions.update"
            | "webhooks.subscriptions.put"
            | "apps.webhook.subscriptions.update" => json!({ "active": true }),
            "apps.webhook.pause" => json!({ "why": "It moves" }),
            "apps.webhook.resend.failed" => json!({ "since": "2026-01-01T00:00:00Z" }),
            "portals.create" => json!({ "name": "Larkspur" }),
            "own.portal.update" => json!({ "timeZone": "Europe/Lisbon" }),
            "portals.update" => json!({ "quota": { "messages": 1000 } }),
            "apps.create" | "apps.update" => json!({ "name": "Exporter" }),
            "tokens.create" => json!({ "label": "New" }),
            "tokens.rotate" | "apps.rotate.secret" => json!({ "atOnce": true }),
            "apps.rotate.key" => json!({ "overlapSeconds": 60 }),
            "own.inboxes.create" | "own.inboxes.update" => json!({ "name": "Care" }),
            "own.accounts.create" => json!({ "name": "Shop", "channelId": 1000, "inboxId": portal.inbox }),
            "own.accounts.update" | "agents.update" | "bots.update" | "llms.update" | "contacts.update" => {
                json!({ "name": "Other" })
            }
            "agents.create" | "bots.create" | "llms.create" => json!({ "name": "Jon" }),
            "contacts.create" => json!({ "name": "Lena", "email": "lena@example.net" }),
            "tickets.create" => json!({ "subject": "Tyre" }),
            "files.register" => {
                json!({ "name": "b.pdf", "mediaType": "application/pdf", "url": "https://files.example/b" })
            }
            "own.threads.start" => json!({ "channelAccountId": portal.chat, "recipient": person }),
            "own.messages.incoming" => {
                json!({ "channelAccountId": portal.chat, "sender": person, "text": "Hello" })
            }
            "own.threads.relocate" => json!({ "inboxId": portal.inbox }),
            "work.threads.tags" => json!({ "add": [self.tag] }),
            "work.threads.snooze" => json!({ "until": "2026-10-07T08:00:00Z" }),
            "tags.create" | "views.create" => json!({ "name": "New" }),
            "tags.update" => json!({ "color": "BLUE" }),
            "views.update" => json!({ "filter": { "states": ["OPEN"] } }),
            "own.threads.link" => json!({ "ticketId": self.ticket }),
            "threads.reply" => {
                json!({ "text": "Hello", "senderActorId": portal.agent, "anyway": true })
            }
            "drafts.put" => json!({ "text": "I think", "senderActorId": portal.agent }),
            "canned-replies.create" => json!({ "name": "Hello", "text": "Hello!" }),
            "canned-replies.update" => json!({ "name": "Bye", "senderActorId": portal.agent }),
            "threads.read" => json!({ "messageId": self.message, "senderActorId": portal.agent }),
            "own.messages.status" => json!({ "statusType": "READ" }),
            "oauth.token" => json!({
                "grant_type": "refresh_token", "client_id": "{client}", "client_secret": "{secret}",
                "refresh_token": "{refresh}",
            }),
            "oauth.introspect" | "oauth.revoke" => {
                json!({ "client_id": "{client}", "client_secret": "{secret}", "token": "{refresh}" })
            }
            "oauth.private" => json!({ "tokenKey": desk.user.token() }),
            "oauth.authorize.choose" | "oauth.authorize.portal.choose" => json!("{form}"),
            "apps.oauth.update" => json!({ "redirectUris": ["https://example.org/back"] }),
            "apps.install" => {
                let user: i64 = portal.agent.trim_start_matches("A-").parse().unwrap();
                json!({ "userId": user, "scopes": ["oauth"] })
            }
            "agents.login" => json!({ "password": "correct horse" }),
            "visitors.tokens.create" => json!({ "email": "ineke@harbour.example", "firstName": "Ineke" }),
            "chats.put" => json!({ "domains": ["larkspur.example"] }),
            "widget.sessions.begin" => json!({ "accountId": portal.chat }),
            "widget.messages.send" => {
                json!({ "text": "Hello", "clientId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" })
            }
            "widget.threads.typing" => json!({ "typing": true }),
            "widget.threads.read" => json!({ "messageId": "{widgetMessageId}" }),
            "widget.contact" => json!({ "email": "omar@harbour.example" }),
            "visitors.tokens.verify" => json!({ "token": "anything" }),
            "journal.batch.read" => json!({ "inputs": [] }),
            "journal.subscriptions.upsert" => {
                json!({ "subscriptionType": "OBJECT", "portalId": portal.id, "objectTypeId": "0-1" })
            }
            "journal.filters.create" => {
                let condition = json!({ "property": "status", "operator": "EQ", "value": "OPEN" });
                json!({ "subscriptionId": "{subscriptionId}", "filter": { "conditions": [condition] } })
            }
            "journal.snapshots.create" => {
                let object = json!({ "portalId": portal.id, "objectId": 1, "objectTypeId": "0-11" });
                json!({ "snapshotRequests": [object] })
            }
            _ => return None,
        })
    }
}

/// A call that is about to be made.
pub struct Prepared {
    pub desk: Desk,
    pub path: String,
    operation: &'static Operation,
    user: User,
    body: String,
}

impl Prepared {
    /// Makes the call, which succeeds as the table says.
    pub async fn send(&self) -> Option<Reply> {
        let Self { operation, user, path, body, .. } = self;
        if operation.id == "widget.events" {
            // It does not end.
            user.listen(path).await;
            return None;
        }
        let reply = match operation.flows_in {
            true => files::send(user, operation.verb.name(), path, &[("file", "a.txt", "Hello")]).await,
            false => user.send(operation.verb.name(), path, body.clone()).await,
        };
        if operation.id == "widget.frame" && reply.status == 404 {
            assert!(
                reply.text().contains("cargo xtask ui"),
                "built without what people see: {}",
                reply.text()
            );
            return None;
        }
        assert_eq!(reply.status, operation.success.0, "{} {path}: {}", operation.id, reply.text());
        Some(reply)
    }
}

/// Gets everything ready for a call of an operation, in a portal of its own.
pub async fn prepare(server: &TestServer, operation: &'static Operation, prefix: &str) -> Prepared {
    let mut names = Names::new(server).await;
    names.besides(operation.id).await;
    let body =
        names.body(operation.id).unwrap_or_else(|| panic!("no call of {} is written here", operation.id));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut journal = Vec::new();
    if operation.id.starts_with("journal.") {
        journal = journal::made(&names.desk).await;
    }
    if files::is_one(operation.family) {
        journal = files::made(&names.desk, operation.id).await;
    }
    if operation.id == PURGE {
        let account = format!("/antiphon/v1/channel-accounts/{}", names.custom.account);
        names.desk.portal.operator().delete(&account).await.expect(204);
    }
    let mut anybody = None;
    if operation.id.starts_with("oauth.") {
        let made = oauth::made(&names.desk, operation.id).await;
        (journal, anybody) = (made.names, Some(made.user));
    }
    if operation.family == Family::Widget || operation.id.contains("chat") {
        let (user, thread, message) = widget::made(&names.desk).await;
        journal = vec![("threadId", thread), ("widgetMessageId", message)];
        anybody = (operation.family == Family::Widget).then_some(user);
    }
    if operation.family == Family::WidgetPages {
        widget::made(&names.desk).await;
    }
    let named = |text: &str| {
        journal.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    };
    let (body, mut path) =
        (named(&body), format!("{prefix}{}", names.path(operation.id, &named(operation.path))));
    if operation.id == "journal.file" {
        path = journal::address(&names.desk).await;
    }
    if operation.id == "widget.frame" {
        path = format!("{path}?account={}", names.desk.portal.chat);
    }
    if operation.id == "contacts.erasure" {
        names.desk.user.post(&path, json!({})).await.expect(202);
    }
    let mut body = body;
    if operation.id.starts_with("oauth.authorize") {
        path = named(&format!("{path}?{{query}}"));
        body = serde_json::from_str::<String>(&body).unwrap_or_default();
    }
    let agent = match needs_agent(operation) {
        true => Some(names.desk.portal.signed_in("ADMIN").await),
        false => None,
    };
    if operation.id == "session.end.one" {
        let sessions = agent.as_ref().unwrap().get("/antiphon/v1/session/list").await.expect(200).json();
        path = path.replace("{sessionId}", &text(&sessions["results"][0], "id"));
    }
    let prepared = sign_in::prepared(&names.desk, operation.id).await;
    if let Some((_, sent)) = &prepared
        && !sent.is_null()
    {
        body = sent.to_string();
    }
    let user = if let Some((user, _)) = prepared {
        user
    } else if let Some(agent) = agent {
        agent
    } else if let Some(anybody) = anybody {
        anybody
    } else if operation.entry == Entry::Scope(Scope::Operator) {
        names.desk.portal.operator().clone()
    } else {
        names.desk.user.clone()
    };
    Prepared { desk: names.desk, operation, user, path, body }
}

async fn call(server: &TestServer, operation: &'static Operation, prefix: &str) {
    prepare(server, operation, prefix).await.send().await;
}

/// Whether only an agent who is signed in can call it.
fn needs_agent(operation: &Operation) -> bool {
    matches!(operation.entry, Entry::SignedIn | Entry::Scope(Scope::Agent))
}

#[tokio::test]
async fn every_operation_is_called() {
    let server = TestServer::start().await;
    for operation in OPERATIONS.iter().copied().flatten() {
        let prefixes = operation.family.prefixes().iter();
        // Journals are written when time has passed, which it does for a whole server; and one is set up once.
        if operation.id.starts_with("journal.") || operation.id == "setup" {
            let server = TestServer::start().await;
            for (prefix, _) in prefixes {
                call(&server, operation, prefix).await;
            }
            continue;
        }
        join_all(prefixes.map(|(prefix, _)| call(&server, operation, prefix))).await;
    }
}
