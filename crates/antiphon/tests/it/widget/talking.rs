//! Saying something, and seeing what was said.

use super::*;

#[tokio::test]
async fn a_visitor_writes_an_agent_answers_and_each_sees_the_other() {
    let desk = open().await;
    desk.edit(&format!("channel-accounts/{}", desk.portal.chat), json!({ "welcomeMessage": "Welcome!" }))
        .await;
    let visitor = Visitor::on(&desk).await;
    assert_eq!(visitor.begun["config"]["welcomeMessage"], "Welcome!");
    assert!(visitor.threads().await.is_empty(), "nothing begins before something is said");
    let sent = visitor.says("Is the tea fresh?").await;
    let id = thread(&sent);
    assert_eq!(sent["thread"]["isNew"], true);
    assert_eq!(sent["message"]["from"], "VISITOR");
    assert_eq!(sent["message"]["status"], "SENT");
    let history = desk.history(&id).await;
    let said = history.iter().find(|one| one["direction"] == "INCOMING").unwrap();
    assert_eq!(said["text"], "Is the tea fresh?");
    assert_eq!(said["client"]["clientType"], "HUBSPOT");
    let address = &said["senders"][0]["deliveryIdentifier"];
    assert_eq!(address["type"], "CHANNEL_SPECIFIC_OPAQUE_ID");
    assert_eq!(address["value"], visitor.key());
    desk.send(&id, desk.on_chat("This morning's.")).await;
    desk.send(&id, json!({ "type": "COMMENT", "text": "secret note", "attachments": [] })).await;
    assert_eq!(
        visitor.told(&id).await,
        ["SYSTEM: Welcome!", "VISITOR: Is the tea fresh?", "AGENT: This morning's."],
        "comments and what the system notes are never shown"
    );
    let threads = visitor.threads().await;
    assert_eq!(threads.len(), 1);
    assert_eq!((&threads[0]["preview"], &threads[0]["unread"]), (&json!("This morning's."), &json!(1)));
    assert_eq!(threads[0]["agent"]["name"], "Mia Chen");
    // What follows goes on in the same thread, unless a new one is asked for.
    let again = visitor.says("Thanks").await;
    assert_eq!((thread(&again), &again["thread"]["isNew"]), (id.clone(), &json!(false)));
    let other =
        visitor.sends(json!({ "text": "Something else", "newThread": true })).await.expect(201).json();
    assert_ne!(thread(&other), id);
    assert_eq!(other["thread"]["isNew"], true);
    let back = visitor.sends(json!({ "text": "Back", "threadId": id })).await.expect(201).json();
    assert_eq!(thread(&back), id);
}

#[tokio::test]
async fn a_repeat_is_answered_like_the_first() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let body = json!({ "text": "Once", "clientId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" });
    let first = visitor.sends(body.clone()).await.expect(201).json();
    let again = visitor.sends(body).await.expect(201).json();
    assert_eq!(first, again, "also that a thread began with it");
    assert_eq!(desk.history(&thread(&first)).await.iter().filter(|one| one["type"] == "MESSAGE").count(), 1);
    // The same id of somebody else is something else.
    let other = Visitor::on(&desk).await;
    let body = json!({ "text": "Mine", "clientId": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff" });
    assert_ne!(thread(&other.sends(body).await.expect(201).json()), thread(&first));
}

#[tokio::test]
async fn two_windows_that_begin_at_once_begin_one_thread() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let sent = futures_util::future::join_all((0..6).map(|n| {
        let visitor = &visitor;
        async move { visitor.says(&format!("{n}")).await }
    }))
    .await;
    let threads: std::collections::BTreeSet<_> = sent.iter().map(thread).collect();
    assert_eq!(threads.len(), 1, "{sent:?}");
    assert_eq!(sent.iter().filter(|sent| sent["thread"]["isNew"] == true).count(), 1);
}

#[tokio::test]
async fn a_closed_thread_is_opened_by_what_is_said_and_one_in_the_trash_is_not_there() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("Hello").await);
    desk.patch(&format!("/threads/{id}"), json!({ "status": "CLOSED" })).await.expect(200);
    assert_eq!(visitor.threads().await[0]["status"], "CLOSED");
    assert_eq!(thread(&visitor.says("One more thing").await), id);
    assert_eq!(visitor.threads().await[0]["status"], "OPEN");
    desk.delete(&format!("/threads/{id}")).await.expect(204);
    assert!(visitor.threads().await.is_empty());
    visitor.sends(json!({ "text": "Hello?", "threadId": id })).await.expect(404);
    visitor.user.get(&format!("{WIDGET}/threads/{id}/messages")).await.expect(404);
    let fresh = visitor.says("Hello?").await;
    assert_ne!(thread(&fresh), id);
    assert_eq!(fresh["thread"]["isNew"], true);
}

#[tokio::test]
async fn a_history_is_read_in_pieces() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("0").await);
    for n in 1..8 {
        desk.send(&id, json!({ "type": "COMMENT", "text": "note", "attachments": [] })).await;
        visitor.says(&n.to_string()).await;
    }
    let texts = |page: &Value| -> Vec<String> {
        page["results"].as_array().unwrap().iter().map(|one| text(one, "text")).collect()
    };
    let newest = visitor.messages(&id, "?limit=3").await;
    assert_eq!((texts(&newest), &newest["more"]), (vec!["5".into(), "6".into(), "7".into()], &json!(true)));
    let first = text(&newest["results"][0], "id");
    let earlier = visitor.messages(&id, &format!("?limit=3&before={first}")).await;
    assert_eq!(texts(&earlier), ["2", "3", "4"]);
    let first = text(&earlier["results"][0], "id");
    let rest = visitor.messages(&id, &format!("?limit=3&before={first}")).await;
    assert_eq!((texts(&rest), &rest["more"]), (vec!["0".into(), "1".into()], &json!(false)));
    let later = visitor.messages(&id, &format!("?limit=2&after={first}")).await;
    assert_eq!((texts(&later), &later["more"]), (vec!["3".into(), "4".into()], &json!(true)));
    for wrong in [
        "?before=x",
        &format!("?before={first}&after={first}"),
        "?limit=0",
        &format!("?after={}", "0".repeat(32)),
    ] {
        visitor.user.get(&format!("{WIDGET}/threads/{id}/messages{wrong}")).await.expect(400);
    }
}

#[tokio::test]
async fn a_chat_that_an_app_began_is_the_visitors_own() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = desk.portal.chat_from(&visitor.key(), "Said through the API").await;
    assert_eq!(visitor.told(&id).await, ["VISITOR: Said through the API"]);
    assert_eq!(thread(&visitor.says("And here").await), id);
    // And what an agent begins with them is too.
    let other = Visitor::on(&desk).await;
    other.says("Hello").await;
    let person = json!({ "identifier": { "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": other.key() } });
    let mut message = desk.on_chat("We have news");
    message.as_object_mut().unwrap().remove("recipients");
    let body = json!({ "channelAccountId": desk.portal.chat, "recipient": person, "message": message });
    let begun = desk.user.post("/antiphon/v1/threads", body).await.expect(201).json();
    assert_eq!(other.told(&text(&begun, "id")).await, ["AGENT: We have news"]);
}

#[tokio::test]
async fn files_are_sent_by_who_uploaded_them_and_go_by_themselves_otherwise() {
    let desk = open().await;
    let (visitor, other) = (Visitor::on(&desk).await, Visitor::on(&desk).await);
    let path = format!("{WIDGET}/files");
    let parts = [("file", "list.txt", "Tea, milk")];
    let file = crate::files::send(&visitor.user, "POST", &path, &parts).await.expect(201).json();
    let left =
        crate::files::send(&visitor.user, "POST", &path, &[("file", "b.txt", "B")]).await.expect(201).json();
    assert_eq!(
        (&file["name"], &file["size"], &file["type"]),
        (&json!("list.txt"), &json!(9), &json!("text/plain"))
    );
    let ask = json!({ "text": "", "attachments": [file["fileId"]] });
    other.sends(ask.clone()).await.expect(400);
    let sent = visitor.sends(ask).await.expect(201).json();
    let attached = &sent["message"]["attachments"][0];
    assert_eq!((&attached["name"], &attached["size"]), (&json!("list.txt"), &json!(9)));
    let at = |url: &Value| url.as_str().unwrap().split_once("/files/").unwrap().1.to_owned();
    let bytes = desk.server.anybody().get(&format!("/files/{}", at(&attached["url"]))).await.expect(200);
    assert_eq!(bytes.text(), "Tea, milk");
    // What was sent stays, and what was not goes.
    desk.server.advance(Duration::from_secs(25 * 60 * 60));
    antiphon::files::sweep::run(desk.server.app(), desk.server.now()).await.unwrap();
    let later = Visitor::with(&desk, json!({ "visitorKey": visitor.key() })).await;
    let shown = later.messages(&thread(&sent), "").await;
    let url = at(&shown["results"][0]["attachments"][0]["url"]);
    desk.server.anybody().get(&format!("/files/{url}")).await.expect(200);
    later.sends(json!({ "text": "late", "attachments": [left["fileId"]] })).await.expect(400);
    let seen = desk.server.anybody().get(&format!("/files/{}", at(&left["url"]))).await;
    assert!(matches!(seen.status, 403 | 404), "{}", seen.status);
}

#[tokio::test]
async fn both_sides_learn_how_far_the_other_has_read() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let asked = visitor.says("Is the tea fresh?").await;
    let id = thread(&asked);
    let mut hears = visitor.listens("").await;
    let answer = text(&desk.send(&id, desk.on_chat("This morning's.")).await, "id");
    desk.send(&id, desk.on_chat("Or yesterday's.")).await;
    hears.events(2).await;
    let unread = async || visitor.threads().await[0]["unread"].clone();
    assert_eq!(unread().await, 2);
    let again = Visitor::with(&desk, json!({ "visitorKey": visitor.key() })).await;
    assert_eq!(again.begun["unread"], 1, "threads are counted");
    let read = format!("{WIDGET}/threads/{id}/read");
    visitor.user.put(&read, json!({ "messageId": answer })).await.expect(204);
    assert_eq!(unread().await, 1);
    let note = json!({ "type": "COMMENT", "text": "note", "attachments": [] });
    let note = text(&desk.send(&id, note).await, "id");
    for unknown in [&*note, &"0".repeat(32), "x", ""] {
        visitor.user.put(&read, json!({ "messageId": unknown })).await.expect(400);
    }
    let newest = visitor.messages(&id, "?limit=1").await;
    visitor.user.put(&read, json!({ "messageId": newest["results"][0]["id"] })).await.expect(204);
    assert_eq!(unread().await, 0);
    assert!(hears.is_quiet(QUIET).await, "their own reading is nothing new");
    // And the agent reads what the visitor asked.
    let question = text(&asked["message"], "id");
    let own = format!("/antiphon/v1/threads/{id}/read");
    let body = json!({ "messageId": question, "senderActorId": desk.portal.agent });
    desk.user.put(&own, body).await.expect(204);
    let event = hears.event().await.unwrap();
    let told = json!({ "threadId": id.parse::<i64>().unwrap(), "messageId": question });
    assert_eq!((&*event.event, event.data), ("read", told));
    let page = visitor.messages(&id, "").await;
    assert_eq!((&page["readUpTo"], &page["results"][0]["status"]), (&json!(question), &json!("READ")));
    let later = visitor.says("Thanks").await;
    let page = visitor.messages(&id, &format!("?after={}", text(&newest["results"][0], "id"))).await;
    assert_eq!(page["results"][0]["id"], later["message"]["id"]);
    assert_eq!(page["results"][0]["status"], "SENT");
}
