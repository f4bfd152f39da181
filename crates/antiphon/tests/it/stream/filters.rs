//! Who hears what.

use serde_json::json;

use super::*;

#[tokio::test]
async fn every_filter_leaves_through_what_it_names() {
    let desk = Desk::open().await;
    let sales = text(&desk.make("inboxes", json!({ "name": "Sales" })).await, "id");
    let (chat, other) = (desk.chat("ines").await, desk.chat("omar").await);
    let at = desk.position().await;
    let support = desk.portal.inbox.clone();
    let mut streams = Vec::new();
    for (query, wanted) in [
        (String::new(), &["hi", "ho", "ticket", "moved", "after"][..]),
        (format!("threadId={chat}"), &["hi", "moved", "after"]),
        (format!("threadId={chat}&threadId={other}"), &["hi", "ho", "moved", "after"]),
        (format!("threadId={chat}&type=conversation.deletion"), &[]),
        ("type=antiphon.ticketChanged".into(), &["ticket"]),
        ("type=antiphon.ticketChanged&type=conversation.newMessage".into(), &["hi", "ho", "ticket", "after"]),
        ("type=antiphon.ticketChanged,conversation.newMessage".into(), &["hi", "ho", "ticket", "after"]),
        (format!("inboxId={support}"), &["hi", "ho", "moved"]),
        (format!("inboxId={sales}"), &["moved", "after"]),
        (format!("inboxId={sales}&inboxId={support}"), &["hi", "ho", "moved", "after"]),
        (format!("inboxId={sales}&threadId={other}"), &[]),
        (format!("inboxId={support}&threadId={other}&type=conversation.newMessage"), &["ho"]),
    ] {
        let stream = desk.user.listen(&format!("{EVENTS}?{query}")).await;
        streams.push((stream, query, wanted));
    }
    // Whoever has a seat already hears it as it happens; the first block is read when there is one.
    for (stream, ..) in &mut streams {
        stream.block().await.unwrap();
        assert!(stream.is_quiet(std::time::Duration::from_millis(5)).await);
    }
    let mut marks = vec![("", at)];
    desk.send(&chat, desk.on_chat("Hi")).await;
    marks.push(("hi", desk.position().await));
    desk.send(&other, desk.on_chat("Ho")).await;
    marks.push(("ho", desk.position().await));
    desk.make("tickets", json!({ "subject": "Bicycle" })).await;
    marks.push(("ticket", desk.position().await));
    let moved = format!("/antiphon/v1/threads/{chat}/inbox");
    // Whoever listens follows a thread from the moment in which it is told of.
    tokio::time::sleep(QUIET).await;
    desk.portal.operator().put(&moved, json!({ "inboxId": sales })).await.expect(200);
    marks.push(("moved", desk.position().await));
    tokio::time::sleep(QUIET).await;
    desk.send(&chat, json!({ "type": "COMMENT", "text": "Here now" })).await;
    marks.push(("after", desk.position().await));
    for (stream, query, wanted) in &mut streams {
        let mut heard = Vec::new();
        while let Ok(Some(frame)) = tokio::time::timeout(QUIET, stream.event()).await {
            let position = frame.id.unwrap();
            let (mark, _) = marks.iter().find(|(_, until)| position <= *until).unwrap();
            if heard.last() != Some(mark) {
                heard.push(*mark);
            }
        }
        assert_eq!(heard, *wanted, "{query}");
    }
}

#[tokio::test]
async fn the_past_is_filtered_as_the_present_is() {
    let desk = Desk::open().await;
    let (chat, other) = (desk.chat("ines").await, desk.chat("omar").await);
    for n in 0..20 {
        desk.send(if n % 3 == 0 { &chat } else { &other }, desk.on_chat("Hi")).await;
    }
    let inbox = &desk.portal.inbox;
    let all = page(&desk, "limit=500").await;
    let all = all["results"].as_array().unwrap();
    for query in [
        format!("threadId={chat}"),
        "type=conversation.newMessage".into(),
        format!("inboxId={inbox}&type=conversation.newMessage&threadId={other}"),
        format!("inboxId={inbox}"),
    ] {
        let mut paged = Vec::new();
        let mut at = 0;
        while at < desk.position().await {
            let page = page(&desk, &format!("limit=3&after={at}&{query}")).await;
            paged.extend(page["results"].as_array().unwrap().clone());
            at = page["position"].as_i64().unwrap();
        }
        assert!(!paged.is_empty() && paged.len() < all.len(), "{query}");
        let mut stream = desk.user.listen(&format!("{EVENTS}?after=0&{query}")).await;
        let told: Vec<_> = stream.events(paged.len()).await.into_iter().map(|frame| frame.data).collect();
        assert_eq!(told, paged, "{query}");
        assert!(stream.is_quiet(QUIET).await);
    }
}

#[tokio::test]
async fn readers_hear_of_threads_and_administrators_of_everything() {
    let desk = Desk::open().await;
    let reader = desk.portal.read_only().await;
    let (mut all, mut some) = (desk.user.listen(EVENTS).await, reader.listen(EVENTS).await);
    all.block().await.unwrap();
    some.block().await.unwrap();
    desk.make("tickets", json!({ "subject": "Bicycle" })).await;
    assert_eq!(all.event().await.unwrap().event, "antiphon.ticketChanged");
    let thread = desk.chat("ines").await;
    let told = some.event().await.unwrap();
    assert_eq!(told.data["objectId"].to_string(), thread);
    let page = reader.get(&format!("{EVENTS}?limit=500")).await.expect(200).json();
    let kinds: Vec<_> =
        page["results"].as_array().unwrap().iter().map(|one| text(one, "objectType")).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "THREAD"), "{kinds:?}");
    assert_eq!(page["position"], desk.position().await);
    let hidden = reader.get(&format!("{EVENTS}?type=antiphon.ticketChanged")).await.expect(400).problems();
    assert_eq!(hidden, ["type"]);
    desk.portal.inbound().await.get(EVENTS).await.expect(403);
}
