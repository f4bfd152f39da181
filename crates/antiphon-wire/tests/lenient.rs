//! Each rule of lenient reading, as a table.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use antiphon_wire::actor::{ActorId, ActorIdError};
use antiphon_wire::attachment::{Attachment, AttachmentRequest, Requested, RequestedFile};
use antiphon_wire::batch::BatchRead;
use antiphon_wire::error::{Envelope, Problem};
use antiphon_wire::lenient::parse_body;
use antiphon_wire::message::{Create, DeliveryIdentifierType, MessageType};
use antiphon_wire::own::{Inbound, TokenCreate};
use antiphon_wire::query::Query;
use antiphon_wire::thread::{Assign, ThreadPatch, ThreadStatus};
use antiphon_wire::timestamp;

fn create(body: &str) -> Create {
    parse_body(body.as_bytes()).unwrap()
}

#[test]
fn bodies_read_what_clients_write() {
    let empty = Create::default();
    for (body, expected) in [
        ("{}", empty.clone()),
        (r#"{"text":null,"recipients":null,"channelId":null}"#, empty.clone()),
        (r#"{"futureField":{"a":[1,{"b":null}]},"":0}"#, empty.clone()),
        (r#"{"text":"a","text":"b"}"#, Create { text: Some("b".into()), ..empty.clone() }),
        (r#"{"text":"a","text":null}"#, empty.clone()),
        (r#"{"channelId":1002}"#, Create { channel_id: Some(1002.into()), ..empty.clone() }),
        (r#"{"channelId":"1002"}"#, Create { channel_id: Some(1002.into()), ..empty.clone() }),
        (r#"{"recipients":[null]}"#, empty.clone()),
        (r#"{"recipients":{}}"#, Create { recipients: vec![Default::default()], ..empty.clone() }),
        (" \n{\"t\\u0065xt\":\"\\ud83e\\ude81\"}\t", Create { text: Some("🪁".into()), ..empty }),
    ] {
        assert_eq!(create(body), expected, "{body}");
    }
}

#[test]
fn wrong_bodies_name_line_and_column() {
    for (body, place) in [
        ("", "line 1, column 1: EOF"),
        ("  ", "line 1, column "),
        ("nonsense", "line 1, column "),
        ("null", "line 1, column "),
        ("[]", "line 1, column "),
        ("{\"text\":\n 5}", "line 2, column 2: invalid type: integer `5`"),
        ("{\"text\":\n [\"a\"]}", "line 2, column "),
        ("{\"recipients\":5}", "line 1, column "),
        ("{\"recipients\":\"a\"}", "line 1, column "),
        ("{\"channelId\":true}", "line 1, column "),
        ("{\"channelId\":{}}", "line 1, column "),
        ("{\"text\":\"a\"} x", "line 1, column "),
        ("{\"text\":\"a\",}", "line 1, column "),
        ("{\"text\":\"a", "line 1, column "),
        ("{'text':'a'}", "line 1, column "),
        ("\u{feff}{}", "line 1, column "),
    ] {
        let problem = parse_body::<Create>(body.as_bytes()).unwrap_err();
        assert!(problem.message.starts_with("Invalid input JSON on line "), "{body}: {}", problem.message);
        assert!(problem.message.contains(place), "{body}: {}", problem.message);
        assert!(!problem.message.contains("column 0"), "{body}: {}", problem.message);
        assert_eq!(problem.in_, None);
    }
    assert!(parse_body::<ThreadPatch>(br#"{"archived":"true"}"#).is_err());
    assert!(parse_body::<BatchRead>(br#"{"inputs":[1]}"#).is_err());
}

#[test]
fn enums_are_read_in_any_case_and_named_when_unknown() {
    for (body, kind) in [
        ("{}", Ok(MessageType::Message)),
        (r#"{"type":"message"}"#, Ok(MessageType::Message)),
        (r#"{"type":"Comment"}"#, Ok(MessageType::Comment)),
    ] {
        assert_eq!(create(body).kind(), kind, "{body}");
    }
    for body in [r#"{"type":"ASSIGNMENT"}"#, r#"{"type":"EMAIL"}"#, r#"{"type":""}"#] {
        assert_eq!(create(body).kind().unwrap_err().in_.as_deref(), Some("type"), "{body}");
    }
    let patch = |body: &str| parse_body::<ThreadPatch>(body.as_bytes()).unwrap();
    assert_eq!(patch(r#"{"status":"closed"}"#).status(), Ok(Some(ThreadStatus::Closed)));
    assert_eq!(patch(r#"{"status":"shut"}"#).status().unwrap_err().in_.as_deref(), Some("status"));
    assert!(patch(r#"{"assignedTo":"A-71"}"#).is_empty());
    assert!(!patch(r#"{"archived":false,"x":1}"#).is_empty());
    let assign = parse_body::<Assign>(br#"{"actorId":7}"#).unwrap();
    assert_eq!(assign.actor_id.unwrap().as_str(), "7");
    assert_eq!(parse_body::<BatchRead>(b"{}").unwrap().inputs, None);
    assert_eq!(parse_body::<BatchRead>(br#"{"inputs":[]}"#).unwrap().inputs, Some(vec![]));
    assert_eq!(
        parse_body::<TokenCreate>(br#"{"scopes":"conversations.read"}"#).unwrap().scopes,
        ["conversations.read"]
    );
}

#[test]
fn recipients_merge_both_spellings_and_expand() {
    let identifiers = |body: &str| {
        let create = create(&format!(r#"{{"recipients":{body}}}"#));
        create.recipients[0].identifiers().map(|all| all.into_iter().map(|one| one.value).collect::<Vec<_>>())
    };
    let email = |value: &str| format!(r#"{{"type":"hs_email_address","value":"{value}"}}"#);
    let (a, upper, b) = (email("a@x.example"), email("A@X.example"), email("b@x.example"));
    for (body, expected) in [
        (format!(r#"{{"deliveryIdentifier":{a}}}"#), vec!["a@x.example"]),
        (format!(r#"{{"deliveryIdentifiers":{a}}}"#), vec!["a@x.example"]),
        (format!(r#"[{{"deliveryIdentifiers":[{a},{b}]}}]"#), vec!["a@x.example", "b@x.example"]),
        (format!(r#"[{{"deliveryIdentifiers":[{a}],"deliveryIdentifier":{upper}}}]"#), vec!["a@x.example"]),
        (r#"[{"actorId":"V-5"}]"#.to_owned(), vec![]),
    ] {
        assert_eq!(identifiers(&body).unwrap(), expected, "{body}");
    }
    for body in [
        r#"{"deliveryIdentifier":{"type":"FAX","value":"1"}}"#,
        r#"{"deliveryIdentifier":{"value":"a@x.example"}}"#,
        r#"{"deliveryIdentifier":{"type":"HS_EMAIL_ADDRESS"}}"#,
        r#"{"deliveryIdentifier":{"type":"HS_EMAIL_ADDRESS","value":"nobody"}}"#,
    ] {
        assert_eq!(identifiers(body).unwrap_err().in_.as_deref(), Some("recipients"), "{body}");
    }
}

#[test]
fn addresses_fit_their_type() {
    use DeliveryIdentifierType::*;
    for (kind, good, bad) in [
        (
            Email,
            vec!["a@b", "a.b+c@x-y.example", "jörg@müller.example"],
            vec!["", "a", "@b", "a@", "a b@c", "a@b@c", "a@-b", "a@b..c", "<a@b>", "a@b\n"],
        ),
        (
            Phone,
            vec!["+4930901820", "+123"],
            vec!["4930", "+", "+0123", "+49 30", "+1234567890123456", "+49a"],
        ),
        (ShortCode, vec!["404", "40404"], vec!["", "12", "+404", "123456789"]),
        (Opaque, vec!["x", "käse 7"], vec!["", "a\u{0}b"]),
    ] {
        for value in good {
            assert!(kind.accepts(value), "{kind:?} {value}");
        }
        for value in bad {
            assert!(!kind.accepts(value), "{kind:?} {value}");
        }
    }
}

#[test]
fn attachments_are_made_of_what_was_sent() {
    let read = |body: &str| parse_body::<AttachmentRequest>(body.as_bytes()).unwrap();
    let known = Ok(Requested::File(RequestedFile::Known("88".into()), None));
    for body in [
        r#"{"fileId":88}"#,
        r#"{"type":"file","fileId":"88"}"#,
        r#"{"type":"FILE","fileId":"88","name":"x"}"#,
    ] {
        assert_eq!(read(body).outgoing(), known, "{body}");
        assert_eq!(read(body).incoming(), known, "{body}");
    }
    for (body, field) in [
        ("{}", "attachments"),
        (r#"{"type":"LOCATION","latitude":1,"longitude":2}"#, "attachments"),
        (r#"{"type":"FILM"}"#, "attachments"),
        (r#"{"type":"FILE"}"#, "fileId"),
        (r#"{"type":"QUICK_REPLIES"}"#, "quickReplies"),
        (r#"{"type":"QUICK_REPLIES","quickReplies":[{"valueType":"TEXT"}]}"#, "value"),
        (r#"{"type":"SOCIAL_MEDIA_METADATA","socialMetadata":{}}"#, "mediaType"),
    ] {
        assert_eq!(read(body).outgoing().unwrap_err().in_.as_deref(), Some(field), "{body}");
    }
    for (body, printed) in [
        (
            r#"{"type":"location","latitude":1,"longitude":2.5}"#,
            r#"{"type":"LOCATION","latitude":1.0,"longitude":2.5}"#,
        ),
        (
            r#"{"type":"CONTACT","contactProfile":{"emails":{"email":"a@b","type":"work"},"name":{"firstName":"Ada","suffix":null}}}"#,
            r#"{"type":"CONTACT","contactProfile":{"addresses":[],"emails":[{"email":"a@b","type":"WORK"}],"phones":[],"urls":[],"name":{"firstName":"Ada"}}}"#,
        ),
        (r#"{"type":"UNSUPPORTED_CONTENT"}"#, r#"{"type":"UNSUPPORTED_CONTENT"}"#),
        (r#"{"type":"MESSAGE_HEADER","fileId":"9"}"#, r#"{"type":"MESSAGE_HEADER","fileId":9}"#),
        (
            r#"{"type":"QUICK_REPLIES","allowMultiSelect":true,"quickReplies":[{"value":"y","valueType":"text"}]}"#,
            r#"{"type":"QUICK_REPLIES","quickReplies":[{"value":"y","valueType":"TEXT"}],"allowMultiSelect":true,"allowUserInput":true}"#,
        ),
        (
            r#"{"type":"WHATSAPP_TEMPLATE_METADATA","contentId":6,"crmObjectIds":{"contact":1}}"#,
            r#"{"type":"WHATSAPP_TEMPLATE_METADATA","crmObjectIds":{"contact":1},"parameters":{},"contentId":6}"#,
        ),
        (
            r#"{"type":"SOCIAL_MEDIA_METADATA","socialMetadata":{"mediaType":"gif","id":5}}"#,
            r#"{"type":"SOCIAL_MEDIA_METADATA","socialMetadata":{"mediaType":"GIF","id":"5"}}"#,
        ),
    ] {
        let Ok(Requested::Ready(attachment)) = read(body).incoming() else { panic!("{body}") };
        let text = serde_json::to_string(&attachment).unwrap();
        assert_eq!(text, printed);
        assert_eq!(serde_json::from_str::<Attachment>(&text).unwrap(), attachment);
    }
    let inbound = parse_body::<Inbound>(
        br#"{"channelAccountId":30,"sender":{"name":"Noor","deliveryIdentifier":{"type":"HS_PHONE_NUMBER","value":"+491"}},"attachments":{"type":"FILE","name":"a.png","url":"https://x.example/a.png","mediaType":"image/png","size":3}}"#,
    )
    .unwrap();
    assert!(inbound.sender.unwrap().identifier.is_some());
    let inline = RequestedFile::Inline {
        name: "a.png".into(),
        url: "https://x.example/a.png".into(),
        media_type: "image/png".into(),
        size: Some(3),
    };
    assert_eq!(inbound.attachments[0].incoming(), Ok(Requested::File(inline, None)));
}

#[test]
fn queries_read_what_clients_write() {
    let query =
        Query::parse("archived=True&limit=&limit=7&limit=&spam=0&n=%2B5&m=+6&archived=&q=a+b%2525&utf=%ff");
    assert_eq!(query.flag("archived"), Ok(Some(true)));
    assert_eq!(query.flag("spam"), Ok(Some(false)));
    assert_eq!(query.flag("none"), Ok(None));
    assert_eq!(query.limit("limit", 100, 500), Ok(7));
    assert_eq!(query.limit("none", 100, 500), Ok(100));
    assert_eq!((query.int("n"), query.int("m")), (Ok(Some(5)), Ok(Some(6))));
    assert_eq!(query.scalar("q"), Some("a b%25"));
    assert_eq!(query.scalar("utf"), Some("\u{fffd}"));

    let wrong =
        Query::parse("limit=0&l2=-1&l3=x&l4=99999999999&f=yes&id=1.5&big=2147483648&zero=0&ids=1,b&t=never");
    for name in ["limit", "l2", "l3"] {
        assert_eq!(wrong.limit(name, 100, 500).unwrap_err().in_.as_deref(), Some(name));
    }
    assert_eq!(wrong.limit("l4", 100, 500), Ok(500));
    assert!(
        wrong.flag("f").is_err()
            && wrong.id("id", 9).is_err()
            && wrong.id("big", i64::from(i32::MAX)).is_err()
    );
    assert_eq!(wrong.id("zero", 9), Ok(Some(0)));
    assert!(wrong.ids("ids", 9).is_err() && wrong.timestamp("t").is_err());

    let lists = Query::parse(
        "inboxId=1,2&inboxId[]=2&inboxId%5B7%5D=3%2C%204&inboxId=&inboxId[x]=9&inboxId2=8&sort=-id",
    );
    assert_eq!(lists.ids("inboxId", 99), Ok(vec![1, 2, 3, 4]));
    assert_eq!(lists.list("sort"), ["-id"]);

    let blank = Query::parse("t=2026-10-06T08:14:02+02:00");
    assert_eq!(blank.timestamp("t"), Ok(timestamp::parse("2026-10-06T06:14:02Z")));
}

#[test]
fn moments_are_read_in_every_form() {
    let noon = timestamp::parse("2026-10-06T12:00:00.123Z");
    assert_eq!(noon, Some(1_791_288_000_123));
    for text in [
        "1791288000123",
        "2026-10-06T12:00:00.123456789Z",
        "2026-10-06t12:00:00.123z",
        "2026-10-06T12:00:00.123",
        "2026-10-06 12:00:00.123",
        "2026-10-06T14:00:00.123+02:00",
        "2026-10-06T14:00:00.123 02:00",
        "2026-10-06T05:30:00.123-06:30",
        " 2026-10-06T12:00:00.123+00:00 ",
    ] {
        assert_eq!(timestamp::parse(text), noon, "{text}");
    }
    assert_eq!(timestamp::parse("2026-10-06"), Some(1_791_244_800_000));
    assert_eq!(timestamp::parse("0"), Some(0));
    assert_eq!(timestamp::parse("1969-12-31T23:59:59.999Z"), Some(-1));
    for text in [
        "",
        " ",
        "yesterday",
        "-5",
        "1e9",
        "99999999999999999999",
        "253402300800000",
        "2026-13-01",
        "2026-02-30",
        "2026-10-06T",
        "2026-10-06T25:00:00Z",
        "2026-10-06T12:00Z",
        "2026-10-06T12:00:00.1234567891Z",
        "2026-10-06T12:00:00+99:00",
        "2026-10-06T12:00:00Z[UTC]",
        "20261006T120000Z",
        "2026-W41-2",
        "2026-10-06Z",
        "2026-10-06T12:00:00ZZ",
        "10/06/2026",
    ] {
        assert_eq!(timestamp::parse(text), None, "{text}");
    }
}

#[test]
fn actor_ids_come_apart_and_back() {
    for text in ["A-71", "B-2", "E-mia@kite.example", "I-4410", "L-3", "S-hubspot", "V-20441"] {
        assert_eq!(ActorId::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "A", "71", "X-1", "a-71", "AA-1", "mia@kite.example"] {
        assert_eq!(ActorId::parse(text), Err(ActorIdError::UnknownPrefix), "{text}");
    }
    for text in
        ["A-", "A-x", "A-01", "A--1", "V-9007199254740992", "I-2147483648", "E-mia", "S-HubSpot", "S-"]
    {
        assert_eq!(ActorId::parse(text), Err(ActorIdError::Malformed), "{text}");
    }
}

#[test]
fn envelopes_sum_up() {
    let message = |problems: Vec<Problem>| Envelope::invalid(problems).message;
    assert_eq!(message(vec![Problem::new("limit", "too small")]), "too small");
    assert_eq!(message(vec![Problem::required("name")]), "Some required fields were not set: [name]");
    assert_eq!(
        message(vec![Problem::required("name"), Problem::required("type")]),
        "Some required fields were not set: [name, type]"
    );
    assert_eq!(
        message(vec![Problem::required("name"), Problem::new("limit", "too small")]),
        "Multiple errors validating request."
    );
    for (ago, text) in [
        (0, "1 second(s)"),
        (59_999, "59 second(s)"),
        (60_000, "1 minute(s)"),
        (7_200_000, "2 hour(s)"),
        (200_000_000, "2 day(s)"),
    ] {
        assert!(Envelope::expired(ago).message.ends_with(&format!("expired {text} ago.")), "{ago}");
    }
    assert_eq!(Envelope::uri_too_long().http_status, 414);
}

#[test]
fn no_text_holds_the_null_character() {
    let read = |body: &str| parse_body::<serde_json::Value>(body.as_bytes());
    for (body, place) in [
        (r#"{"text":"a\u0000b"}"#, "line 1, column 11"),
        ("{\n \"x\": \"\\\\\\u0000\"}", "line 2, column 10"),
        (r#"{"\u0000":1}"#, "line 1, column 3"),
    ] {
        let message = read(body).unwrap_err().message;
        assert!(message.contains(place) && message.contains("U+0000"), "{body}: {message}");
    }
    for body in [r#"{"text":"\\u0000"}"#, r#"{"text":"u0000"}"#, r#"{"text":"\u0001"}"#] {
        assert!(read(body).is_ok(), "{body}");
    }
    assert!(Query::parse("email=a%00b").text("email").is_err());
    assert_eq!(Query::parse("email=a%20b").text("email").unwrap(), Some("a b"));
}
