//! Properties: round trips, and bytes from strangers.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod arms;

use antiphon_wire::cursor::{Cursor, List, MAX_KEY, MAX_LENGTH, ThreadSort};
use antiphon_wire::query::Query;
use antiphon_wire::timestamp;
use proptest::prelude::*;

fn cursor() -> impl Strategy<Value = Cursor> {
    let lists = proptest::sample::select(List::ALL);
    prop_oneof![
        (any::<bool>(), any::<bool>(), any::<i64>(), any::<i64>()).prop_map(
            |(latest, descending, key, id)| {
                let sort = if latest { ThreadSort::LatestMessage } else { ThreadSort::Id };
                Cursor::Threads { sort, descending, key, id }
            }
        ),
        any::<(bool, i64)>().prop_map(|(ascending, position)| Cursor::Messages { ascending, position }),
        (lists, any::<u64>(), proptest::collection::vec(any::<u8>(), 0..=MAX_KEY), any::<i64>())
            .prop_map(|(list, sort, key, id)| Cursor::Directory { list, sort, key, id }),
    ]
}

/// One way of writing members of a list: where the brackets are, whether commas join, whether they are encoded.
fn written(name: &str, members: &[u32], form: u8) -> String {
    let joined = |comma: &str| members.iter().map(u32::to_string).collect::<Vec<_>>().join(comma);
    let each = |key: &dyn Fn(usize) -> String| {
        let pairs: Vec<_> =
            members.iter().enumerate().map(|(at, member)| format!("{}={member}", key(at))).collect();
        pairs.join("&")
    };
    match form % 7 {
        0 => each(&|_| name.to_owned()),
        1 => format!("{name}={}", joined(",")),
        2 => format!("{name}={}", joined("%2C")),
        3 => each(&|_| format!("{name}[]")),
        4 => each(&|_| format!("{name}%5B%5D")),
        5 => each(&|at| format!("{name}[{at}]")),
        _ => format!("{name}=,{},,", joined(",+")),
    }
}

proptest! {
    #[test]
    fn cursors_come_back(cursor in cursor()) {
        let text = cursor.encode();
        prop_assert!(text.len() <= MAX_LENGTH);
        prop_assert!(text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
        prop_assert_eq!(Cursor::decode(&text), Some(cursor));
    }

    #[test]
    fn a_cursor_cut_or_lengthened_is_another_or_none(cursor in cursor(), at in 0usize..40) {
        let text = cursor.encode();
        prop_assert_ne!(Cursor::decode(&text[..at.min(text.len() - 1)]), Some(cursor.clone()));
        for odd in ["=", "%3D", " ", "\n", "A"] {
            prop_assert_ne!(Cursor::decode(&format!("{text}{odd}")), Some(cursor.clone()));
        }
    }

    #[test]
    fn lists_read_the_same_in_every_form(parts in proptest::collection::vec((proptest::collection::vec(any::<u32>(), 1..5), any::<u8>()), 0..5)) {
        let raw: Vec<_> = parts.iter().map(|(members, form)| written("inboxId", members, *form)).collect();
        let query = Query::parse(format!("x=1&{}", raw.join("&")));
        let mut expected = Vec::new();
        for member in parts.iter().flat_map(|(members, _)| members).map(|member| i64::from(*member)) {
            if !expected.contains(&member) {
                expected.push(member);
            }
        }
        prop_assert_eq!(query.ids("inboxId", i64::MAX), Ok(expected));
    }

    #[test]
    fn moments_come_back(ms in -62_167_219_200_000i64..=253_402_207_200_999) {
        let text = timestamp::format(ms);
        let text = std::str::from_utf8(&text).unwrap();
        let other = jiff::Timestamp::from_millisecond(ms).unwrap();
        prop_assert_eq!(text, other.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string());
        prop_assert_eq!(timestamp::parse(text), Some(ms));
        prop_assert_eq!(timestamp::parse(&text[..23]), Some(ms));
        if ms >= 0 {
            prop_assert_eq!(timestamp::parse(&ms.to_string()), Some(ms));
        }
    }

    #[test]
    fn any_text_is_a_moment_or_none(text in ".{0,40}", odd in "[0-9TZ+:. -]{0,32}", ms in any::<i64>()) {
        let _ = (timestamp::parse(&text), timestamp::parse(&odd), timestamp::format(ms));
    }

    #[test]
    fn any_bytes_are_a_cursor_or_none(bytes: Vec<u8>, letters in "[A-Za-z0-9_=-]{0,600}") {
        arms::page_cursor(&bytes);
        arms::page_cursor(letters.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_query(bytes: Vec<u8>, likely in "((inboxId|sort|limit|after|a|hapikey)(\\[[0-9]{0,2}\\]|%5[bB]%5D)?(=[a-zA-Z0-9,+%&\"\\\\é-]{0,12})?&?){0,6}") {
        arms::query_string(&bytes);
        arms::query_string(likely.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_body_or_a_problem(bytes: Vec<u8>, json in json()) {
        arms::send_body(&bytes);
        arms::send_body(json.to_string().as_bytes());
    }
}

/// JSON that looks a little like a send.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value, json};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        "[A-Z]?-?[0-9]{0,4}|MESSAGE|FILE|CONTACT|HS_EMAIL_ADDRESS".prop_map(Value::from),
    ];
    let keys = "type|text|richText|recipients|attachments|deliveryIdentifiers?|value|actorId|fileId|channelId|contactProfile|emails|inputs|status|senders?|messageDirection|timestamp|deliveryIdentifier|capabilities|webhookUrl|preResolvedContacts|contacts|contactVid";
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys, inner), 0..6).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

#[test]
fn bombs_are_refused_quietly() {
    for (open, close) in [("[", "]"), ("{\"attachments\":", "}"), ("{\"x\":[", "]}")] {
        arms::send_body(open.repeat(100_000).as_bytes());
        arms::send_body(format!("{}{}", open.repeat(100_000), close.repeat(100_000)).as_bytes());
    }
    arms::send_body(format!("{{\"channelId\":{}}}", "9".repeat(10_000)).as_bytes());
    arms::send_body(b"{\"channelId\":1e999999999}");
    arms::send_body(b"{\"text\":\"\xff\xfe\"}");
    arms::query_string("a[".repeat(10_000).as_bytes());
    arms::page_cursor("A".repeat(100_000).as_bytes());
}
