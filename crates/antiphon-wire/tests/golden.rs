//! Samples of everything that is printed, stored or read. They never change: a new format gets new samples beside them.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};

use antiphon_wire::account::ChannelAccount;
use antiphon_wire::actor::{Actor, ActorId, ActorType};
use antiphon_wire::attachment::{Attachment, Requested, RequestedFile};
use antiphon_wire::batch::Batch;
use antiphon_wire::channel::Channel;
use antiphon_wire::cursor::{Cursor, List, ThreadSort};
use antiphon_wire::error::{Envelope, Limit, Problem};
use antiphon_wire::id::Id;
use antiphon_wire::inbox::{Inbox, InboxType};
use antiphon_wire::lenient::parse_body;
use antiphon_wire::message::{
    self, Create, DeliveryIdentifier, DeliveryIdentifierType, MessageType, RecipientField,
};
use antiphon_wire::page::{Link, Page};
use antiphon_wire::query::Query;
use antiphon_wire::schema::{Schemas, collect, page};
use antiphon_wire::thread::{Thread, ThreadSchema, ThreadStatus};
use antiphon_wire::timestamp::Timestamp;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

fn samples(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).trim_end().to_owned()
}

/// Checks a printed value strictly against the description of its type.
fn describes(schema: RefOr<Schema>, components: Schemas, printed: &str) {
    let components: serde_json::Map<_, _> =
        components.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect();
    let schema = json!({ "components": { "schemas": components }, "allOf": [schema] });
    let value: Value = serde_json::from_str(printed).unwrap();
    if let Err(error) = jsonschema::validate(&schema, &value) {
        panic!("{printed}\nis not what is described: {error}");
    }
}

fn described<T: ToSchema>(printed: &str) {
    let mut components = Schemas::new();
    collect::<T>(&mut components);
    describes(T::schema(), components, printed);
    assert!(!printed.contains("null"), "{printed}");
}

#[test]
fn stored_documents_of_format_1_keep_loading_and_printing() {
    let samples = samples("document-1");
    let mut kinds = Vec::new();
    for (path, document) in &samples {
        let read =
            message::read(document.as_bytes()).unwrap_or_else(|| panic!("{} does not load", path.display()));
        assert_eq!(String::from_utf8(read.document()).unwrap(), *document, "{}", path.display());
        for archived in [true, false] {
            let mut printed = Vec::new();
            message::complete(document.as_bytes(), archived, &Signing, &mut printed);
            let printed = String::from_utf8(printed).unwrap();
            described::<message::MessageSchema>(&printed);
            assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["archived"], json!(archived));
        }
        kinds.push(read.kind);
    }
    assert!(MessageType::ALL.iter().all(|kind| kinds.contains(kind)), "every kind has a sample");
}

/// Makes addresses as a server would.
struct Signing;

impl message::Addresses for Signing {
    fn write(&self, path: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"https://inbox.test");
        out.extend_from_slice(path);
        out.extend_from_slice(b"?signature=1");
    }
}

/// They are kept as texts, with the holes in front: where each begins, and how long it is.
#[test]
fn stored_documents_of_format_2_keep_loading_and_printing() {
    assert_eq!(message::FORMAT, 2);
    let samples = samples("document-2");
    assert!(!samples.is_empty());
    for (path, sample) in &samples {
        let (holes, json) = sample.split_once('\n').unwrap();
        let holes: Vec<(u32, u16)> = serde_json::from_str(holes).unwrap();
        let mut document = vec![2, holes.len() as u8];
        for (start, length) in &holes {
            document.extend(start.to_be_bytes());
            document.extend(length.to_be_bytes());
        }
        document.extend(json.as_bytes());
        assert_eq!(message::format(&document), 2);
        assert!(message::is_sound(&document), "{}", path.display());
        let read = message::read(&document).unwrap();
        assert_eq!(read.document(), document, "{}", path.display());
        let mut printed = Vec::new();
        message::complete(&document, false, &Signing, &mut printed);
        let printed = String::from_utf8(printed).unwrap();
        described::<message::MessageSchema>(&printed);
        assert_eq!(printed.matches("\"https://inbox.test/files/").count(), holes.len());
        assert_eq!(printed.matches("?signature=1\"").count(), holes.len());
    }
}

#[test]
fn only_the_path_of_a_file_is_a_hole() {
    let whole = format!(
        "{}false}}",
        samples("document-1").iter().find(|(_, text)| text.contains("\"FILE\"")).unwrap().1
    );
    let mut message: Value = serde_json::from_str(&whole).unwrap();
    let file = json!({ "type": "FILE", "fileId": "7", "fileUsageType": "OTHER", "name": "a.txt", "url": "/files/1/7/a.txt" });
    let quoted = format!("{}", json!({ "type": "FILE", "url": "/files/1/8/b" }));
    message["text"] = json!(quoted);
    message["attachments"] = json!([
        { "type": "LOCATION", "latitude": 1.0, "longitude": 2.0, "url": "/files/1/9/c" },
        { "type": "WHATSAPP_TEMPLATE_METADATA", "crmObjectIds": {}, "parameters": { "type": "FILE", "url": "/files/1/9/d" } },
        { "type": "FILE", "fileId": "6", "fileUsageType": "OTHER", "name": quoted, "url": "https://elsewhere.example/files/1/9/e" },
        file,
        file,
    ]);
    let read: message::Message = serde_json::from_value(message).unwrap();
    let document = read.document();
    let mut printed = Vec::new();
    message::complete(&document, true, &Signing, &mut printed);
    let printed: Value = serde_json::from_slice(&printed).unwrap();
    let urls: Vec<_> =
        printed["attachments"].as_array().unwrap().iter().map(|one| one["url"].clone()).collect();
    let signed = json!("https://inbox.test/files/1/7/a.txt?signature=1");
    assert_eq!(
        urls,
        [
            json!("/files/1/9/c"),
            Value::Null,
            json!("https://elsewhere.example/files/1/9/e"),
            signed.clone(),
            signed
        ]
    );
    assert_eq!(printed["text"], quoted.as_str());
    assert_eq!(printed.to_string().matches("?signature").count(), 2);
    assert!(message::is_sound(&document));
    for cut in [&document[..1], &document[..2], &document[..9], b"\x02\xff{", b"\x03{", b""] {
        assert!(!message::is_complete(cut));
        message::complete(cut, false, &Signing, &mut Vec::new());
        assert_eq!(message::read(cut), None);
    }
}

#[test]
fn a_document_that_misses_or_adds_a_member_is_not_what_is_described() {
    let mut components = Schemas::new();
    collect::<message::MessageSchema>(&mut components);
    let components: serde_json::Map<_, _> =
        components.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect();
    let schema =
        json!({ "components": { "schemas": components }, "allOf": [message::MessageSchema::schema()] });
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (path, document) in samples("document-1") {
        let mut whole: Value = serde_json::from_str(&format!("{document}false}}")).unwrap();
        assert!(validator.is_valid(&whole), "{}", path.display());
        for key in ["id", "createdBy", "client", "senders", "recipients", "archived", "type"] {
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(key);
            assert!(!validator.is_valid(&without), "{} without {key}", path.display());
        }
        whole["deliveryIdentifiers"] = json!([]);
        assert!(!validator.is_valid(&whole), "{} with more", path.display());
    }
}

#[test]
fn answers_keep_printing() {
    fn printed<T: ToSchema + serde::Serialize>(name: &str, value: &T) {
        let printed = serde_json::to_string(value).unwrap();
        described::<T>(&printed);
        assert_eq!(printed, sample(&format!("answers/{name}.json")));
    }
    fn printed_batch(name: &str, value: &Batch<Actor>) {
        let printed = serde_json::to_string(value).unwrap();
        let mut components = Schemas::new();
        Batch::<Actor>::describe(&mut components);
        describes(Batch::<Actor>::schema(), components, &printed);
        assert_eq!(printed, sample(&format!("answers/{name}.json")));
    }
    let (made, later) = (Timestamp(1_772_360_430_041), Timestamp(1_772_360_431_000));
    printed(
        "inbox",
        &Inbox {
            id: Id(4),
            name: "Help & \"more\"".into(),
            kind: InboxType::HelpDesk,
            created_at: made,
            updated_at: later,
            archived: true,
            archived_at: Some(later),
        },
    );
    printed("channel", &Channel { id: Id(1002), name: "EMAIL".into() });
    let mut account = ChannelAccount {
        id: Id(31),
        name: "hello@kite.example".into(),
        channel_id: Id(1002),
        inbox_id: Id(4),
        active: true,
        authorized: false,
        created_at: made,
        archived: false,
        archived_at: None,
        delivery_identifier: Some(DeliveryIdentifier {
            kind: DeliveryIdentifierType::Email,
            value: "hello@kite.example".into(),
        }),
    };
    printed("channel-account-email", &account);
    account.delivery_identifier = None;
    printed("channel-account-chat", &account);
    let agent = Actor {
        id: "A-7".into(),
        kind: ActorType::Agent,
        name: Some("Ada".into()),
        email: Some("ada@kite.example".into()),
        avatar: Some("https://kite.example/ada.png".into()),
    };
    printed("actor-agent", &agent);
    printed("actor-system", &Actor::new(&ActorId::System));
    printed_batch(
        "batch-partial",
        &Batch::new(vec![agent], vec!["V-404".into(), "x".into()], made.0, later.0),
    );
    printed_batch("batch-complete", &Batch::new(vec![], vec![], made.0, later.0));

    let with_id = |envelope: Envelope| Envelope {
        correlation_id: "0199f3a2-5c1e-7d04-9b0a-2f6de4c1b7aa".into(),
        ..envelope
    };
    let one = Problem::new("limit", "limit must be at least 1");
    let two =
        Problem::new("channelAccountId", "wrong inbox").code("CHANNEL_ACCOUNT_CANNOT_SEND_MESSAGE_ON_THREAD");
    printed("error-one", &with_id(Envelope::invalid(vec![one.clone()])));
    printed("error-many", &with_id(Envelope::invalid(vec![one, two])));
    printed(
        "error-scope",
        &with_id(Envelope::missing_scopes(&["conversations.write"], "https://kite.example/docs#scopes")),
    );
    printed("error-limit", &with_id(Envelope::rate_limited(Limit::TenSeconds, 4410, 1)));
    printed("error-not-found", &with_id(Envelope::not_found("99")));
}

#[test]
fn threads_and_pages_keep_printing() {
    let small = Thread {
        id: 73,
        created_at: 1_772_360_430_041,
        status: ThreadStatus::Open,
        inbox_id: 4,
        original_channel_id: 1002,
        original_channel_account_id: 31,
        associated_contact_id: 501,
        spam: false,
        archived: false,
        assigned_to: None,
        closed_at: None,
        latest_message_timestamp: None,
        latest_message_sent_timestamp: None,
        latest_message_received_timestamp: None,
        associated_ticket_id: None,
    };
    let large = Thread {
        id: 9_007_199_254_740_991,
        status: ThreadStatus::Closed,
        spam: true,
        archived: true,
        assigned_to: Some("A-7"),
        closed_at: Some(1_772_360_431_000),
        latest_message_timestamp: Some(1_772_360_430_042),
        latest_message_sent_timestamp: Some(1_772_360_430_042),
        latest_message_received_timestamp: Some(1_772_360_430_041),
        associated_ticket_id: Some(12),
        ..small
    };
    let query = Query::parse("inboxId=4,5&limit=2&hapikey=secret&after=old&inboxId%5B%5D=5&limit=3");
    let link = Link {
        origin: "https://kite.example",
        path: "/conversations/v3/conversations/threads",
        query: &query,
    };
    let cursor = Cursor::Threads { sort: ThreadSort::Id, descending: false, key: large.id, id: large.id };
    let mut components = Schemas::new();
    antiphon_wire::schema::collect_page::<ThreadSchema>(&mut components);

    let mut out = Vec::new();
    let mut threads = Page::open(&mut out);
    threads.item(|out| small.write(out));
    threads.item(|out| large.write(out));
    threads.close(Some((&cursor, &link)), None);
    let out = String::from_utf8(out).unwrap();
    describes(page::<ThreadSchema>(false), components.clone(), &out);
    assert_eq!(out, sample("answers/page-of-threads.json"));

    let mut out = Vec::new();
    Page::open(&mut out).close(None, Some(0));
    let out = String::from_utf8(out).unwrap();
    describes(page::<ThreadSchema>(true), components, &out);
    assert_eq!(out, sample("answers/page-empty.json"));
}

#[test]
fn cursors_of_version_1_keep_decoding() {
    for (text, cursor) in [
        (
            "AQEBAAAAAZx5OBCZAAAAAAAAAEk",
            Cursor::Threads {
                sort: ThreadSort::LatestMessage,
                descending: false,
                key: 1_771_560_243_353,
                id: 73,
            },
        ),
        ("AQIAAAAAAAAAAAU", Cursor::Messages { ascending: false, position: 5 }),
        (
            "AQMAAAAAAAAAAAAAAAAAAAAABGE",
            Cursor::Directory { list: List::Inboxes, sort: 0, key: b"a".to_vec(), id: 4 },
        ),
    ] {
        assert_eq!(cursor.encode(), text);
        assert_eq!(Cursor::decode(text), Some(cursor));
    }
}

#[test]
fn bodies_keep_parsing() {
    let read = |name: &str| parse_body::<Create>(sample(&format!("bodies/{name}.json")).as_bytes()).unwrap();
    let email = |value: &str| DeliveryIdentifier { kind: DeliveryIdentifierType::Email, value: value.into() };

    let send = read("send-email");
    assert_eq!(send.kind(), Ok(MessageType::Message));
    assert_eq!(send.channel_account_id.unwrap().parse(i64::MAX), Some(31));
    assert_eq!(send.recipients[0].identifiers(), Ok(vec![email("noor@haddad.example")]));
    assert_eq!(send.recipients[1].identifiers(), Ok(vec![email("omar@haddad.example")]));
    assert_eq!(send.recipients[1].field(), Ok(RecipientField::Cc));
    assert_eq!(send.attachments[0].outgoing(), Ok(Requested::File(RequestedFile::Known("88".into()), None)));

    let loose = read("send-loose");
    assert_eq!(loose.kind(), Ok(MessageType::Message));
    assert_eq!(loose.text.as_deref(), Some("last"));
    assert_eq!((loose.rich_text, loose.subject), (None, None));
    assert_eq!(loose.channel_id.unwrap().parse(i64::MAX), Some(1000));
    assert_eq!(loose.recipients.len(), 1);
    assert_eq!(loose.recipients[0].actor_id.as_ref().unwrap().as_str(), "V-502");
    assert_eq!(loose.recipients[0].field(), Ok(RecipientField::To));
    assert_eq!(loose.recipients[0].identifiers().unwrap().len(), 1);
    assert!(matches!(
        loose.attachments[0].outgoing(),
        Ok(Requested::Ready(Attachment::QuickReplies {
            allow_multi_select: false,
            allow_user_input: true,
            ..
        }))
    ));

    let comment = read("comment");
    assert_eq!(comment.kind(), Ok(MessageType::Comment));
    assert!(comment.attachments.is_empty());
}

#[test]
fn every_description_is_complete_and_has_its_own_name() {
    use antiphon_wire::{batch, error, own, thread};
    let mut all = Schemas::new();
    macro_rules! all {
        ($($type:ty),+ $(,)?) => { $(collect::<$type>(&mut all);)+ };
    }
    all![
        ThreadSchema,
        thread::ThreadPatch,
        thread::Assign,
        message::MessageSchema,
        Create,
        message::OriginalContent,
        Actor,
        Inbox,
        Channel,
        ChannelAccount,
        batch::BatchRead,
        error::Envelope,
        antiphon_wire::page::Paging,
        own::Portal,
        own::App,
        own::Token,
        own::Inbox,
        own::ChannelAccount,
        own::Actor,
        own::Contact,
        own::Ticket,
        own::File,
        own::Injected,
        own::PortalCreate,
        own::PortalPatch,
        own::AppCreate,
        own::AppPatch,
        own::TokenCreate,
        own::InboxCreate,
        own::InboxPatch,
        own::ChannelAccountCreate,
        own::ChannelAccountPatch,
        own::ActorCreate,
        own::ActorPatch,
        own::ContactRequest,
        own::TicketCreate,
        own::TicketLink,
        own::FileCreate,
        own::ThreadStart,
        own::Inbound,
        own::InboxMove,
        own::DeliveryUpdate,
    ];
    Batch::<Actor>::describe(&mut all);
    let mut components = std::collections::BTreeMap::<String, String>::new();
    for (name, schema) in all {
        let text = serde_json::to_string(&schema).unwrap();
        let earlier = components.insert(name.clone(), text.clone());
        assert!(earlier.is_none_or(|earlier| earlier == text), "two types are called {name}");
    }
    for (name, text) in &components {
        for reference in text.split("#/components/schemas/").skip(1) {
            let target = reference.split('"').next().unwrap();
            assert!(components.contains_key(target), "{name} refers to {target}");
        }
    }
    let nullable = |name: &str| components[name].contains("null");
    for name in [
        "Thread",
        "Sender",
        "Inbox",
        "ChannelAccount",
        "Actor",
        "Error",
        "ActorBatch",
        "Portal",
        "OwnInbox",
        "Contact",
    ] {
        assert!(!nullable(name), "{name} is never null: {}", components[name]);
    }
}
