//! A person's data, handed out whole and taken away for good: nothing of them is in any table after that.

use std::time::Duration;

use antiphon::contacts::erase;
use antiphon::journal::write::Writer;
use antiphon_store::{PortalId, VisitorId};
use antiphon_testkit::{PUBLIC_URL, TestServer};
use serde_json::{Value, json};

use crate::deliveries::Steps;
use crate::files::{objects, upload};
use crate::journal::{JOURNAL, SUBSCRIPTIONS, files, told};
use crate::kit::{Desk, text, with};
use crate::widget::{self, Visitor};

/// In everything that is known of her, and in nothing else.
const TRACES: [&str; 4] = ["quillfeather", "700900777", "passport", "quill-tab"];

/// Somebody who has written in many ways, and somebody else.
struct Ines {
    desk: Desk,
    id: String,
    /// Her threads: by mail, on the chat, and in the trash.
    threads: Vec<String>,
    /// Somebody else's, in which she is named, and how many entries it has.
    other: String,
    /// Chats of strangers who said that her address is theirs.
    said: Vec<String>,
}

/// Two strangers on the chat say an address that is not theirs, one before they write and one after it.
async fn say(desk: &Desk, address: &str) -> Vec<String> {
    widget::set_up(desk, json!({})).await;
    let give = async |visitor: &Visitor| {
        let path = format!("{}/contact", widget::WIDGET);
        visitor.user.post(&path, json!({ "email": address })).await.expect(200).json()
    };
    let mut early = Visitor::on(desk).await;
    let session = text(&give(&early).await, "session");
    early.user = desk.server.user(&session);
    let early = widget::thread(&early.says("Hello").await);
    let late = Visitor::on(desk).await;
    let sent = late.says("Hello").await;
    give(&late).await;
    vec![early, widget::thread(&sent)]
}

/// The address that was said in a chat.
async fn said(desk: &Desk, thread: &str) -> Value {
    let path = format!("/antiphon/v1/threads/{thread}/chat");
    desk.user.get(&path).await.expect(200).json()["saidEmail"].clone()
}

impl Ines {
    async fn on(server: &TestServer) -> Self {
        let desk = Desk::on(server).await;
        let subscription = |of: &str, kind: &str| json!({ "subscriptionType": kind, "portalId": desk.portal.id, "objectTypeId": of });
        for kind in ["OBJECT", "GDPR_PRIVACY_DELETION"] {
            desk.user.post(SUBSCRIPTIONS, subscription("0-1", kind)).await.expect(200);
        }
        desk.user.post(SUBSCRIPTIONS, subscription("0-11", "GDPR_PRIVACY_DELETION")).await.expect(200);
        // A copy goes to her while nobody knows who she is.
        let other = desk.email("leo@example.org").await;
        let to = |address: &str, field: &str| json!({ "recipientField": field, "name": "Ines Quillfeather", "deliveryIdentifiers": [{ "type": "HS_EMAIL_ADDRESS", "value": address }] });
        let copied = json!({ "recipients": [
            with(to("leo@example.org", "TO"), json!({ "name": "Leo" })),
            to("Ines.Quillfeather@example.net", "CC"),
        ] });
        let early = with(desk.by_email("See the copy", "leo@example.org"), copied.clone());
        desk.send(&other, early).await;
        let her = json!({ "name": "Ines Quillfeather", "email": "ines.quillfeather@example.net", "phone": "+447700900777",
                          "avatar": "https://pics.example/quillfeather.png" });
        let id = text(&desk.make("contacts", her).await, "id");
        // Now they do.
        desk.send(&other, with(desk.by_email("Another", "leo@example.org"), copied)).await;

        let file = upload(&desk, &[("file", "passport.txt", "the passport of Ines Quillfeather")]).await;
        let mail = json!({ "channelAccountId": desk.portal.email, "sender": { "contactId": id }, "subject": "My passport",
                           "text": "I am Ines Quillfeather", "attachments": [{ "fileId": file["id"] }] });
        let mail = desk.portal.inject(mail).await;
        let tab = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "quill-tab" });
        let chat = json!({ "channelAccountId": desk.portal.chat, "sender": { "contactId": id, "identifier": tab }, "text": "Quillfeather here" });
        let trash = desk.portal.inject(chat.clone()).await;
        desk.delete(&format!("/threads/{trash}")).await.expect(204);
        let chat = desk.portal.inject(chat).await;
        desk.send(&chat, desk.on_chat("Hello Ms Quillfeather")).await;
        let said = say(&desk, "Ines.QUILLFEATHER@example.net").await;
        let renamed = json!({ "name": "Ines M. Quillfeather" });
        desk.edit(&format!("contacts/{id}"), renamed).await;
        let store = &server.app().store;
        let token = json!({ "email": "ines.quillfeather@example.net" }).to_string();
        store.visitor_token_put(portal(&desk), server.now() + 3_600_000, 7, token).await.unwrap();
        let leo = json!({ "email": "leo@example.org" }).to_string();
        store.visitor_token_put(portal(&desk), server.now() + 3_600_000, 8, leo).await.unwrap();
        Self { desk, id, threads: vec![mail, chat, trash], other, said }
    }

    fn path(&self, what: &str) -> String {
        format!("/antiphon/v1/contacts/{}{what}", self.id)
    }

    async fn state(&self) -> Value {
        self.desk.user.get(&self.path("/erase")).await.expect(200).json()
    }

    /// Lets it go on until nothing is left.
    async fn erased(&self) {
        let server = &self.desk.server;
        server.advance(Duration::from_secs(20));
        erase::take_up(server.app()).await.unwrap();
        let state = self.state().await;
        assert_eq!(state["state"], "COMPLETE", "{state}");
    }

    /// Where she can still be found.
    fn traces(&self) -> Vec<String> {
        let server = &self.desk.server;
        let mut found: Vec<String> = dump(server)
            .into_iter()
            .filter(|row| TRACES.iter().any(|trace| row.to_lowercase().contains(trace)))
            .collect();
        let kept = server.app().config.data_dir.join("files");
        for object in objects(&kept) {
            let bytes = std::fs::read(&object).unwrap();
            found.extend((memchr::memmem::find(&bytes, b"Quillfeather").is_some()).then_some(object));
        }
        found
    }
}

fn portal(desk: &Desk) -> PortalId {
    PortalId(desk.portal.id.parse().unwrap())
}

/// Every row of every table, as text.
fn dump(server: &TestServer) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(database) = server.home().database() {
        let tables = "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'public'";
        for table in database.rows(tables).unwrap() {
            let table = table[0].clone().unwrap();
            // What is kept as bytes is read as text.
            database.rows("SET bytea_output = 'escape'").unwrap();
            let rows = database
                .rows(&format!("SET bytea_output = 'escape'; SELECT t::text FROM {table} t"))
                .unwrap();
            all.extend(rows.into_iter().filter_map(|row| Some(format!("{table}: {}", row[0].clone()?))));
        }
        assert!(all.len() > 50, "{} rows", all.len());
        return all;
    }
    let found = std::fs::read_dir(server.home().data()).unwrap().flatten().map(|entry| entry.path());
    let path = found.into_iter().find(|path| path.extension().is_some_and(|end| end == "db")).unwrap();
    let conn = rusqlite::Connection::open(path).unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut tables = conn.prepare(tables).unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables {
        let mut rows = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let value = |at| match row.get_ref(at).unwrap() {
                rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).into_owned()
                }
                other => format!("{other:?}"),
            };
            let row: Vec<_> = (0..columns).map(value).collect();
            all.push(format!("{table}: {}", row.join(" ")));
        }
    }
    assert!(all.len() > 50, "{} rows", all.len());
    all
}

#[tokio::test]
async fn all_that_is_known_of_somebody_is_handed_out_whole() {
    let ines = Ines::on(&TestServer::start().await).await;
    let (desk, anybody) = (&ines.desk, ines.desk.server.anybody());
    let whole = desk.user.get(&ines.path("/export")).await.expect(200).json();
    assert_eq!(whole["contact"], desk.user.get(&ines.path("")).await.expect(200).json());
    let addresses: Vec<_> = whole["identities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["deliveryIdentifier"], "value"))
        .collect();
    assert!(addresses.contains(&"quill-tab".to_owned()), "{addresses:?}");
    let threads = whole["threads"].as_array().unwrap();
    let mut ids: Vec<_> = threads.iter().map(|one| text(&one["thread"], "id")).collect();
    assert_eq!(ids.pop().as_ref(), ines.threads.last(), "the trash comes last");
    assert_eq!(ids, ines.threads[..2]);
    for one in threads {
        let (thread, archived) = (text(&one["thread"], "id"), one["thread"]["archived"] == true);
        let shown = desk
            .get(&format!("/threads/{thread}?archived={archived}&association=TICKET"))
            .await
            .expect(200)
            .json();
        assert_eq!(one["thread"], shown);
        let path = format!("/threads/{thread}/messages?archived={archived}&sort=createdAt");
        let history = desk.get(&path).await.expect(200).json();
        assert_eq!(one["messages"], history["results"], "as the API prints them");
    }
    let address = text(&threads[0]["messages"][0]["attachments"][0], "url");
    let bytes = anybody.get(address.strip_prefix(PUBLIC_URL).unwrap()).await.expect(200);
    assert!(bytes.text().contains("Quillfeather"));
    // More than goes into one page, for somebody of whom nothing else is known.
    let thread = desk.portal.thread_of(230).await;
    let visitor = text(&desk.thread(&thread).await, "associatedContactId");
    let whole = desk.user.get(&format!("/antiphon/v1/contacts/{visitor}/export")).await.expect(200).json();
    let told: Vec<_> = whole["threads"][0]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["type"] == "MESSAGE")
        .map(|one| text(one, "text"))
        .collect();
    assert_eq!(told, (0..230).map(|number| format!("message {number}")).collect::<Vec<_>>());
    desk.user.get("/antiphon/v1/contacts/99999/export").await.expect(404);
}

#[tokio::test]
async fn whoever_is_erased_is_in_no_table_any_more() {
    let server = TestServer::start().await;
    let ines = Ines::on(&server).await;
    let desk = &ines.desk;
    let mut writer = Writer::default();
    writer.step(server.app()).await.unwrap();
    server.advance(Duration::from_secs(10));
    assert_eq!(writer.step(server.app()).await.unwrap(), 1, "her name is in the journal");
    // What was read before she is erased is written only then.
    desk.edit(&format!("contacts/{}", ines.id), json!({ "name": "Quillfeather, Ines" })).await;
    writer.step(server.app()).await.unwrap();
    let before = ines.traces();
    for table in ["visitors", "identities", "messages", "files", "journal_entries", "visitor_tokens", "chats"]
    {
        assert!(before.iter().any(|row| row.starts_with(table)), "nothing of her is in {table}");
    }
    for thread in &ines.said {
        assert_eq!(said(desk, thread).await, "Ines.QUILLFEATHER@example.net");
    }
    let position = desk.position().await;

    let begun = desk.user.post(&ines.path("/erase"), json!({})).await.expect(202).json();
    assert_eq!((&begun["contactId"], &begun["state"]), (&json!(ines.id), &json!("RUNNING")));
    // From now on she is nobody.
    desk.user.get(&ines.path("")).await.expect(404);
    desk.user.get(&ines.path("/export")).await.expect(404);
    desk.user.patch(&ines.path(""), json!({ "name": "Ines" })).await.expect(404);
    let listed =
        desk.user.get("/antiphon/v1/contacts?email=ines.quillfeather@example.net").await.expect(200).json();
    assert_eq!(listed["results"], json!([]));
    let words =
        json!({ "channelAccountId": desk.portal.chat, "sender": { "contactId": ines.id }, "text": "Hello" });
    desk.portal.operator().post("/antiphon/v1/messages/incoming", words).await.expect(400);
    // Twice is once.
    let again = desk.user.post(&ines.path("/erase"), json!({})).await.expect(202).json();
    assert_eq!(again["requestedAt"], begun["requestedAt"]);
    server.advance(Duration::from_secs(10));
    writer.step(server.app()).await.unwrap();
    ines.erased().await;
    assert_eq!(ines.traces(), Vec::<String>::new());
    for thread in &ines.threads {
        for archived in [false, true] {
            desk.get(&format!("/threads/{thread}?archived={archived}")).await.expect(404);
        }
    }

    // So do the chats in which strangers said her address, and nobody sees which.
    for thread in &ines.said {
        assert_eq!(said(desk, thread).await, Value::Null);
        assert_eq!(desk.history(thread).await.iter().filter(|one| one["text"] == "Hello").count(), 1);
    }
    // Others' threads stay, and show that there was somebody.
    let history = desk.history(&ines.other).await;
    let copied: Vec<_> =
        history.iter().filter(|one| one["recipients"].as_array().is_some_and(|all| all.len() == 2)).collect();
    assert_eq!(copied.len(), 2);
    for message in copied {
        let (leo, her) = (&message["recipients"][0], &message["recipients"][1]);
        assert_eq!(
            (&leo["name"], &leo["deliveryIdentifier"]["value"]),
            (&json!("Leo"), &json!("leo@example.org"))
        );
        assert_eq!((her.get("name"), &her["deliveryIdentifier"]["value"]), (None, &json!("erased")));
    }
    let store = &server.app().store;
    assert!(store.visitor_token(portal(desk), server.now(), 8).await.is_ok());
    // Everybody is told once of what is gone: webhooks of threads, and the journal of her as well.
    let mut gone: Vec<_> =
        desk.events(position).await.into_iter().filter(|one| one == "privacyDeletion").collect();
    assert_eq!(gone.len(), ines.threads.len(), "{gone:?}");
    gone.clear();
    writer.step(server.app()).await.unwrap();
    server.advance(Duration::from_secs(10));
    writer.step(server.app()).await.unwrap();
    let told = told(&files(&server, &desk.user, JOURNAL, "").await).concat();
    let deleted = |of: &str, id: &str| {
        let words = format!("GDPR_PRIVACY_DELETION GDPR_DELETE {of} {id}");
        told.iter().filter(|one| **one == words).count()
    };
    assert_eq!(deleted("0-1", &ines.id), 1, "{told:?}");
    assert!(ines.threads.iter().all(|id| deleted("0-11", id) == 1), "{told:?}");

    let done = desk.user.post(&ines.path("/erase"), json!({})).await.expect(202).json();
    assert_eq!(done["state"], "COMPLETE");
    assert!(done["completedAt"].as_str() >= done["requestedAt"].as_str());
    let stranger = Desk::on(&server).await;
    stranger.user.get(&ines.path("/erase")).await.expect(404);
    stranger.user.post(&ines.path("/erase"), json!({})).await.expect(404);
    // Whoever writes from that address now is somebody else.
    let new = desk.portal.email_from("ines.quillfeather@example.net", "Hello", "again").await;
    assert_ne!(text(&desk.thread(&new).await, "associatedContactId"), ines.id);
    let tab = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "quill-tab" });
    let chat =
        json!({ "channelAccountId": desk.portal.chat, "sender": { "identifier": tab }, "text": "again" });
    let new = desk.portal.inject(chat).await;
    assert_ne!(text(&desk.thread(&new).await, "associatedContactId"), ines.id);
}

#[tokio::test]
async fn erasing_goes_on_wherever_it_was_broken_off() {
    let server = TestServer::start().await;
    let ines = Ines::on(&server).await;
    let (store, portal, id) = (&server.app().store, portal(&ines.desk), VisitorId(ines.id.parse().unwrap()));
    ines.desk.user.post(&ines.path("/erase"), json!({})).await.expect(202);
    server.advance(Duration::from_secs(20));
    let (mut steps, mut broken) = (0, 0);
    loop {
        steps += 1;
        let erasure = store.erasure(portal, id).await.unwrap().unwrap();
        if erasure.completed_at.is_some() {
            break;
        }
        // As far as it comes, and no further; and two at a time, as on two nodes.
        let begun = || Steps { task: Box::pin(erase::erase(server.app(), portal, &erasure)), left: steps };
        broken += usize::from(!tokio::join!(begun(), begun()).0);
        assert!(steps < 500, "it never ends");
    }
    assert!(broken > 3, "it was broken off {broken} times");
    assert_eq!(ines.traces(), Vec::<String>::new());
    let known = store.events_after(portal, 0, 10_000).await.unwrap();
    let told = known.iter().filter(|event| event.payload == r#"{"contact":"erased"}"#).count();
    assert_eq!(told, 1, "its end comes once");
}
