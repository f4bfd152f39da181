//! What must hold for any bytes whatever. The fuzz targets and the property tests call the same functions.

use antiphon_wire::batch::BatchRead;
use antiphon_wire::cursor::{Cursor, MAX_LENGTH};
use antiphon_wire::custom_channels::{
    CustomAccountCreate, CustomAccountPatch, CustomChannelCreate, CustomChannelPatch, MessagePublish,
    MessageStatusUpdate, StagingTokenUpdate,
};
use antiphon_wire::journal::{EntriesRead, FilterCreate, SnapshotsCreate, SubscriptionUpsert};
use antiphon_wire::lenient::parse_body;
use antiphon_wire::message::Create;
use antiphon_wire::own::Inbound;
use antiphon_wire::page::{Link, Page};
use antiphon_wire::query::Query;
use antiphon_wire::thread::{Assign, ThreadPatch};

/// A cursor is refused, or it is the very one that was printed.
pub fn page_cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(cursor) = Cursor::decode(text) {
        assert_eq!(cursor.encode(), text);
        assert!(text.len() <= MAX_LENGTH);
        assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
    }
}

/// Every reader answers or complains, and the link of a page asks for the same things again.
pub fn query_string(data: &[u8]) {
    let query = Query::parse(data);
    let _ = (
        query.flag("archived"),
        query.limit("limit", 100, 500),
        query.timestamp("latestMessageTimestampAfter"),
    );
    let _ = (query.ids("inboxId", i64::from(i32::MAX)), query.id("associatedContactId", (1 << 53) - 1));

    let mut out = Vec::new();
    let link = Link { origin: "https://kite.example", path: "/threads", query: &query };
    Page::open(&mut out).close(Some((&Cursor::Messages { ascending: true, position: 7 }, &link)), None);
    let page: serde_json::Value = serde_json::from_slice(&out).expect("a page is JSON");
    let next = &page["paging"]["next"];
    let (_, again) = next["link"].as_str().expect("a link").split_once('?').expect("a query");
    let again = Query::parse(again);
    assert_eq!(again.scalar("after"), next["after"].as_str());
    assert_eq!(again.scalar("hapikey"), None);
    for name in ["inboxId", "channelId", "sort", "association", "property"] {
        assert_eq!(again.list(name), query.list(name));
    }
    for name in ["limit", "archived", "threadStatus", "latestMessageTimestampAfter", "a"] {
        assert_eq!(again.scalar(name), query.scalar(name));
    }
}

/// A body is refused with a place, or everything in it can be asked for.
pub fn send_body(data: &[u8]) {
    fn read<T: serde::de::DeserializeOwned>(data: &[u8]) -> Option<T> {
        parse_body(data)
            .map_err(|problem| {
                assert!(problem.message.starts_with("Invalid input JSON on line "), "{}", problem.message)
            })
            .ok()
    }
    if let Some(send) = read::<Create>(data) {
        let _ = send.kind();
        for recipient in &send.recipients {
            let _ = (recipient.field(), recipient.identifiers());
        }
        for attachment in &send.attachments {
            let _ = (attachment.outgoing(), attachment.incoming());
        }
    }
    let _ = (read::<Inbound>(data), read::<BatchRead>(data), read::<Assign>(data));
    let _ = (read::<SubscriptionUpsert>(data), read::<FilterCreate>(data));
    let _ = (read::<EntriesRead>(data), read::<SnapshotsCreate>(data));
    let _ = (read::<CustomChannelCreate>(data), read::<CustomChannelPatch>(data));
    let _ = (read::<CustomAccountPatch>(data), read::<MessageStatusUpdate>(data));
    let _ = read::<StagingTokenUpdate>(data);
    if let Some(account) = read::<CustomAccountCreate>(data) {
        let _ = account.delivery_identifier.map(|sent| sent.loose("x"));
    }
    if let Some(said) = read::<MessagePublish>(data) {
        let _ = said.at();
        for one in said.senders.iter().chain(&said.recipients) {
            let _ = one.delivery_identifier.as_ref().map(|sent| sent.loose("x"));
        }
        for attachment in &said.attachments {
            let _ = attachment.published();
        }
    }
    if let Some(patch) = read::<ThreadPatch>(data) {
        let _ = patch.status();
    }
}
