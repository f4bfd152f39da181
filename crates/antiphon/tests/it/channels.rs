//! What is particular to email, chat and forms, and what is cut off of long letters.

use serde_json::{Value, json};

use crate::kit::{Desk, text};

fn mail(value: &str) -> Value {
    json!({ "type": "HS_EMAIL_ADDRESS", "value": value })
}

/// Injects a letter; its thread and its newest message.
async fn letter(desk: &Desk, body: Value) -> (String, Value) {
    let mut all = json!({ "channelAccountId": desk.portal.email, "sender": { "name": "Ines Okafor", "email": "ines@example.net" } });
    all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let thread = desk.portal.inject(all).await;
    let history = desk.history(&thread).await;
    (thread, history.into_iter().rfind(|entry| entry["type"] == "MESSAGE").unwrap())
}

#[tokio::test]
async fn a_letter_as_a_whole() {
    let desk = Desk::open().await;
    let known = desk.make("contacts", json!({ "name": "Lena Ek", "email": "lena@example.net" })).await;
    let body = json!({ "subject": "Wrong VAT number", "text": "My invoice is wrong.",
        "to": [{ "name": "Helpdesk", "email": "help@acme.example" }, { "email": "Mia@Acme.example" }],
        "cc": [{ "name": "Lena", "email": "LENA@example.net" }, { "email": "stranger@example.net" }] });
    let (thread, message) = letter(&desk, body).await;
    let visitor = format!("V-{}", text(&desk.thread(&thread).await, "associatedContactId"));
    assert_eq!(
        message,
        json!({ "id": message["id"], "type": "MESSAGE", "conversationsThreadId": thread, "createdAt": message["createdAt"],
                "updatedAt": message["createdAt"], "createdBy": visitor, "client": { "clientType": "HUBSPOT" },
                "senders": [{ "actorId": visitor, "name": "Ines Okafor", "senderField": "FROM", "deliveryIdentifier": mail("ines@example.net") }],
                "recipients": [
                    { "name": "Helpdesk", "recipientField": "TO", "deliveryIdentifier": mail("help@acme.example") },
                    { "actorId": desk.portal.agent, "recipientField": "TO", "deliveryIdentifier": mail("Mia@Acme.example") },
                    { "actorId": known["actorId"], "name": "Lena", "recipientField": "CC", "deliveryIdentifier": mail("LENA@example.net") },
                    { "recipientField": "CC", "deliveryIdentifier": mail("stranger@example.net") } ],
                "archived": false, "text": "My invoice is wrong.", "richText": "<div>My invoice is wrong.</div>", "attachments": [],
                "subject": "Wrong VAT number", "truncationStatus": "NOT_TRUNCATED", "status": { "statusType": "RECEIVED" },
                "direction": "INCOMING", "channelId": "1002", "channelAccountId": desk.portal.email })
    );
    let contact = desk.get(&format!("/actors/{visitor}")).await.expect(200).json();
    assert_eq!(
        contact,
        json!({ "id": visitor, "type": "VISITOR", "name": "Ines Okafor", "email": "ines@example.net" })
    );
    // An answer to a message of the thread names it.
    let (again, answer) = letter(&desk, json!({ "text": "Any news?", "inReplyToId": message["id"] })).await;
    assert_eq!((again, &answer["inReplyToId"]), (thread, &message["id"]));
}

#[tokio::test]
async fn a_forwarded_letter_has_two_senders() {
    let desk = Desk::open().await;
    let body = json!({ "subject": "Fwd: Bike", "text": "See below", "forwardedBy": { "name": "Shop", "email": "shop@example.net" } });
    let (thread, message) = letter(&desk, body).await;
    let visitor = format!("V-{}", text(&desk.thread(&thread).await, "associatedContactId"));
    assert_eq!(
        message["senders"],
        json!([
            { "actorId": visitor, "name": "Ines Okafor", "senderField": "ORIGINAL_FROM", "deliveryIdentifier": mail("ines@example.net") },
            { "name": "Shop", "senderField": "FROM", "deliveryIdentifier": mail("shop@example.net") } ])
    );
}

#[tokio::test]
async fn quoted_history_is_cut_off_and_kept() {
    let desk = Desk::open().await;
    let text_body = "Thanks!\n\nOn Tue, 6 Oct 2026 at 09:02, Helpdesk <help@acme.example> wrote:\n> An invoice is attached.\n> Mia\n";
    let (thread, message) =
        letter(&desk, json!({ "subject": "Re: Wrong VAT number", "text": text_body })).await;
    assert_eq!(message["truncationStatus"], "TRUNCATED_TO_MOST_RECENT_REPLY");
    assert_eq!(text(&message, "text").trim(), "Thanks!");
    assert!(!text(&message, "richText").contains("invoice"));
    let path = format!("/threads/{thread}/messages/{}/original-content", text(&message, "id"));
    let original = desk.get(&path).await.expect(200).json();
    assert_eq!(original["text"], text_body);
    assert!(text(&original, "richText").contains("An invoice is attached."));
    assert_eq!(original.as_object().unwrap().len(), 2);

    let html = "<div dir=\"ltr\">Thanks!</div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Tue, \
                6 Oct 2026 at 09:02, Helpdesk &lt;help@acme.example&gt; wrote:<br></div><blockquote class=\"gmail_quote\">An \
                invoice is attached.</blockquote></div>";
    let (thread, message) = letter(&desk, json!({ "richText": html })).await;
    assert_eq!(message["truncationStatus"], "TRUNCATED_TO_MOST_RECENT_REPLY");
    assert!(!message.to_string().contains("invoice"));
    let path = format!("/threads/{thread}/messages/{}/original-content", text(&message, "id"));
    assert_eq!(desk.get(&path).await.expect(200).json()["richText"], html);

    // Nothing but a quotation stays.
    let quotation =
        "On Tue, 6 Oct 2026 at 09:02, Helpdesk <help@acme.example> wrote:\n> An invoice is attached.\n";
    let (_, message) = letter(&desk, json!({ "text": quotation })).await;
    assert_eq!(
        (&message["truncationStatus"], &message["text"]),
        (&json!("NOT_TRUNCATED"), &json!(quotation))
    );
}

#[tokio::test]
async fn long_letters_are_cut_and_chats_are_not() {
    let desk = Desk::open().await;
    for (body, status) in [
        (json!({ "text": "é".repeat(50_000) }), "NOT_TRUNCATED"),
        (json!({ "text": "é".repeat(50_001) }), "TRUNCATED"),
        (json!({ "text": "short", "richText": format!("<p>{}</p>", "x".repeat(199_993)) }), "NOT_TRUNCATED"),
        (json!({ "text": "short", "richText": format!("<p>{}</p>", "x".repeat(200_000)) }), "TRUNCATED"),
    ] {
        let (thread, message) = letter(&desk, body.clone()).await;
        assert_eq!(message["truncationStatus"], status);
        assert!(text(&message, "text").chars().count() <= 50_000);
        assert!(text(&message, "richText").chars().count() <= 200_000);
        let path = format!("/threads/{thread}/messages/{}/original-content", text(&message, "id"));
        let original = desk.get(&path).await.expect(200).json();
        for (name, sent) in body.as_object().unwrap() {
            assert_eq!(&original[name], sent, "{name}");
        }
    }
    let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "ines" });
    let long = "x".repeat(60_000);
    let thread = desk.portal.inject(json!({ "channelAccountId": desk.portal.chat, "sender": { "identifier": identifier }, "text": long })).await;
    let message = desk.history(&thread).await[0].clone();
    assert_eq!((&message["truncationStatus"], &message["text"]), (&json!("NOT_TRUNCATED"), &json!(long)));
    assert!(message.get("subject").is_none() && message["senders"][0].get("senderField").is_none());
}

#[tokio::test]
async fn subjects_are_not_prefixed_twice() {
    let desk = Desk::open().await;
    for (subject, answered) in [
        ("Bike", "Re: Bike"),
        ("Re: Bike", "Re: Bike"),
        ("RE: Fwd: Re: Bike", "Re: Bike"),
        ("AW: WG: Rad", "Re: Rad"),
    ] {
        let address = format!("p{}@example.net", desk.position().await);
        let thread = desk.portal.email_from(&address, subject, "Hello").await;
        assert_eq!(desk.send(&thread, desk.by_email("Hi", &address)).await["subject"], answered, "{subject}");
    }
    // Without any, there is none.
    let body = json!({ "channelAccountId": desk.portal.email, "sender": { "email": "q@example.net" }, "text": "Hello" });
    let thread = desk.portal.inject(body).await;
    assert!(desk.send(&thread, desk.by_email("Hi", "q@example.net")).await.get("subject").is_none());
}
