//! Sending: the tables of sender, recipients, channel and thread, row by row.

use serde_json::{Value, json};

use crate::kit::{Desk, V3, text, with};

fn mail(value: &str) -> Value {
    json!({ "type": "HS_EMAIL_ADDRESS", "value": value })
}

fn opaque(value: &str) -> Value {
    json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": value })
}

#[tokio::test]
async fn an_email_as_a_whole() {
    let desk = Desk::open().await;
    let id = desk.email("ines.okafor@example.net").await;
    let visitor = format!("V-{}", text(&desk.thread(&id).await, "associatedContactId"));
    let first = desk.history(&id).await[0].clone();
    let body = json!({
        "type": "MESSAGE", "text": "Thanks Ines, see below.", "richText": "<p>Thanks Ines, see below.</p>",
        "senderActorId": desk.portal.agent, "channelId": "1002", "channelAccountId": desk.portal.email, "subject": "Your invoice",
        "recipients": [
            { "recipientField": "TO", "actorId": visitor, "name": "Ines", "deliveryIdentifiers": [mail("ines.okafor@example.net")] },
            { "recipientField": "CC", "deliveryIdentifiers": [mail("accounting@example.net")] },
            { "recipientField": "BCC", "deliveryIdentifiers": [mail("audit@acme.example")] } ] });
    let reply = desk.post(&format!("/threads/{id}/messages"), body).await.expect(201);
    let sent = reply.json();
    let app = desk.portal.app.parse::<i64>().unwrap();
    assert_eq!(
        sent,
        json!({ "id": sent["id"], "type": "MESSAGE", "conversationsThreadId": id, "createdAt": sent["createdAt"],
                "updatedAt": sent["createdAt"], "createdBy": format!("I-{app}"),
                "client": { "clientType": "INTEGRATION", "integrationAppId": app },
                "senders": [{ "actorId": desk.portal.agent, "name": "Mia Chen", "senderField": "FROM",
                              "deliveryIdentifier": mail("help@acme.example") }],
                "recipients": [
                    { "actorId": visitor, "name": "Ines", "recipientField": "TO", "deliveryIdentifier": mail("ines.okafor@example.net") },
                    { "recipientField": "CC", "deliveryIdentifier": mail("accounting@example.net") },
                    { "recipientField": "BCC", "deliveryIdentifier": mail("audit@acme.example") } ],
                "archived": false, "text": "Thanks Ines, see below.", "richText": "<p>Thanks Ines, see below.</p>",
                "attachments": [], "subject": "Your invoice", "inReplyToId": first["id"], "truncationStatus": "NOT_TRUNCATED",
                "status": { "statusType": "SENT" }, "direction": "OUTGOING", "channelId": "1002",
                "channelAccountId": desk.portal.email })
    );
    assert_eq!(
        reply.header("location").unwrap(),
        format!("{V3}/threads/{id}/messages/{}", text(&sent, "id"))
    );
    assert_eq!(
        desk.get(&format!("/threads/{id}/messages/{}", text(&sent, "id"))).await.expect(200).json(),
        sent
    );
    // The next one answers this one, and its subject is the thread's.
    let next = desk.send(&id, desk.by_email("And again", "ines.okafor@example.net")).await;
    assert_eq!((&next["inReplyToId"], &next["subject"]), (&sent["id"], &json!("Re: Wrong VAT number")));
    assert_eq!(next["recipients"][0]["actorId"], visitor, "a known address");
}

#[tokio::test]
async fn a_comment_as_a_whole() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let app = desk.portal.app.parse::<i64>().unwrap();
    let before = desk.thread(&id).await;
    for extra in [
        json!({}),
        // What a message would need is passed over.
        json!({ "senderActorId": desk.portal.agent, "channelId": "9", "channelAccountId": "9", "subject": "x".repeat(2000), "recipients": [{ "actorId": "?" }] }),
        json!({ "senderActorId": "nonsense", "type": "comment", "recipients": null }),
    ] {
        let mut body = json!({ "type": "COMMENT", "text": "Call <her>\nback" });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let sent = desk.send(&id, body).await;
        assert_eq!(
            sent,
            json!({ "id": sent["id"], "type": "COMMENT", "conversationsThreadId": id, "createdAt": sent["createdAt"],
                    "createdBy": format!("I-{app}"), "client": { "clientType": "INTEGRATION", "integrationAppId": app },
                    "senders": [{ "actorId": format!("I-{app}"), "name": "Bridge" }], "recipients": [], "archived": false,
                    "text": "Call <her>\nback", "richText": "<div>Call &lt;her&gt;<br>back</div>", "attachments": [] })
        );
    }
    assert_eq!(desk.thread(&id).await, before, "a comment moves nothing");
}

#[tokio::test]
async fn bodies() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let file = desk.make("files", json!({ "name": "a.pdf", "mediaType": "application/pdf", "url": "https://files.acme.example/a.pdf" })).await;
    let attachment = json!([{ "fileId": file["id"] }]);
    for (changes, text, rich_text) in [
        (json!({ "text": "a\nb" }), "a\nb", "<div>a<br>b</div>"),
        (
            json!({ "text": null, "richText": "<p>Caf&eacute;</p><p>x</p>" }),
            "Café\nx",
            "<p>Caf&eacute;</p><p>x</p>",
        ),
        (json!({ "text": "", "richText": "<b>x</b>" }), "x", "<b>x</b>"),
        (json!({ "text": "a", "richText": "<b>other</b>" }), "a", "<b>other</b>"),
        (json!({ "text": null, "attachments": attachment }), "", "<div></div>"),
        (json!({ "text": "", "attachments": attachment }), "", "<div></div>"),
    ] {
        let sent = desk.send(&id, with(desk.on_chat("x"), changes.clone())).await;
        assert_eq!(
            (sent["text"].as_str().unwrap().trim_end(), sent["richText"].as_str().unwrap()),
            (text, rich_text),
            "{changes}"
        );
    }
    for changes in [
        json!({ "text": null }),
        json!({ "text": "" }),
        json!({ "text": " \n" }),
        json!({ "text": null, "richText": "" }),
        json!({ "text": "", "richText": "<div><br></div>" }),
        json!({ "text": "x".repeat(100_001) }),
    ] {
        for kind in ["MESSAGE", "COMMENT"] {
            let body = with(with(desk.on_chat("x"), changes.clone()), json!({ "type": kind }));
            assert_eq!(desk.refused(&id, body).await, ["text"], "{kind}");
        }
    }
    assert_eq!(
        desk.refused(&id, with(desk.on_chat("x"), json!({ "richText": "x".repeat(1_000_001) }))).await,
        ["richText"]
    );
    desk.send(&id, with(desk.on_chat(&"é".repeat(100_000)), json!({ "richText": "é".repeat(1_000_000) })))
        .await;
    for kind in ["WELCOME_MESSAGE", "ASSIGNMENT", "THREAD_STATUS_CHANGE", "LETTER", ""] {
        assert_eq!(
            desk.refused(&id, with(desk.on_chat("x"), json!({ "type": kind }))).await,
            ["type"],
            "{kind}"
        );
    }
    let mail = desk.email("ines@example.net").await;
    let subject = |length: usize| {
        with(desk.by_email("x", "ines@example.net"), json!({ "subject": "é".repeat(length) }))
    };
    assert_eq!(desk.refused(&mail, subject(999)).await, ["subject"]);
    desk.send(&mail, subject(998)).await;
    // A subject belongs to email.
    let sent = desk.send(&id, with(desk.on_chat("x"), json!({ "subject": "Hello" }))).await;
    assert!(sent.get("subject").is_none() && sent.get("inReplyToId").is_none());
    let sent = desk.send(&id, with(desk.on_chat("x"), json!({ "subject": null }))).await;
    assert!(sent.get("subject").is_none());
}

#[tokio::test]
async fn senders() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let visitor = text(&desk.thread(&id).await, "associatedContactId");
    let bot = desk.make("bots", json!({ "name": "Greeter" })).await;
    let llm = desk.make("llms", json!({ "name": "Assistant" })).await;
    let gone = desk.make("agents", json!({ "name": "Jon" })).await;
    desk.edit(&format!("agents/{}", text(&gone, "id")), json!({ "active": false })).await;
    for sender in [
        json!("S-hubspot"),
        json!(format!("I-{}", desk.portal.app)),
        bot["actorId"].clone(),
        llm["actorId"].clone(),
        json!(format!("V-{visitor}")),
        json!("E-mia@acme.example"),
        json!("A-999"),
        gone["actorId"].clone(),
        json!("A-"),
        json!("mia@acme.example"),
        json!("Q-1"),
        json!(""),
        json!(7),
        Value::Null,
    ] {
        let refused = desk.refused(&id, with(desk.on_chat("x"), json!({ "senderActorId": sender }))).await;
        assert_eq!(refused, ["senderActorId"], "{sender}");
    }
    let refused = desk
        .post(
            &format!("/threads/{id}/messages"),
            with(desk.on_chat("x"), json!({ "senderActorId": "I-4410" })),
        )
        .await;
    assert_eq!(
        refused.json()["message"],
        "Actor type INTEGRATOR is not supported for sending; `I-4410` is not a valid actor ID"
    );
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let desk = Desk::open().await;
    let id = desk.email("ines@example.net").await;
    let refused =
        desk.post(&format!("/threads/{id}/messages"), json!({ "type": "MESSAGE" })).await.expect(400);
    let mut problems = refused.problems();
    problems.sort();
    assert_eq!(problems, ["channelAccountId", "channelId", "senderActorId", "text"]);
    let told = refused.json();
    let message = text(&told, "message");
    assert!(
        message.starts_with("Some required fields were not set: [") && message.ends_with(']'),
        "{message}"
    );
    let body = json!({ "text": "", "senderActorId": "S-hubspot", "channelId": "1003", "channelAccountId": "999",
                       "recipients": [{ "deliveryIdentifier": mail("nonsense") }], "attachments": [{ "fileId": "999" }] });
    let refused = desk.post(&format!("/threads/{id}/messages"), body).await.expect(400);
    assert_eq!(refused.json()["message"], "Multiple errors validating request.");
    let mut problems = refused.problems();
    problems.sort();
    problems.dedup();
    for named in ["attachments", "channelAccountId", "channelId", "senderActorId"] {
        assert!(problems.iter().any(|one| one == named), "{named} of {problems:?}");
    }
}

#[tokio::test]
async fn recipients_of_email() {
    let desk = Desk::open().await;
    let id = desk.email("ines@example.net").await;
    let visitor = format!("V-{}", text(&desk.thread(&id).await, "associatedContactId"));
    let stranger = format!("V-{}", text(&desk.thread(&desk.chat("omar").await).await, "associatedContactId"));
    let ines = || mail("ines@example.net");
    let told = |sent: &Value| -> Vec<String> {
        let all = sent["recipients"].as_array().unwrap();
        all.iter()
            .map(|one| {
                let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
                format!(
                    "{} {} {}",
                    text(&one["recipientField"]),
                    text(&one["actorId"]),
                    text(&one["deliveryIdentifier"]["value"])
                )
            })
            .collect()
    };
    let to_ines = format!("TO {visitor} ines@example.net");
    for (recipients, expected) in [
        (json!([{ "deliveryIdentifiers": [ines()] }]), vec![to_ines.as_str()]),
        (json!({ "deliveryIdentifiers": [ines()] }), vec![&to_ines]),
        (json!([{ "deliveryIdentifier": ines() }]), vec![&to_ines]),
        (json!([{ "deliveryIdentifiers": ines() }]), vec![&to_ines]),
        (json!([{ "deliveryIdentifier": ines(), "deliveryIdentifiers": [ines()] }]), vec![&to_ines]),
        (
            json!([{ "deliveryIdentifiers": [mail("INES@example.net"), ines()] }]),
            vec![&format!("TO {visitor} INES@example.net")],
        ),
        (
            json!([{ "recipientField": "to", "deliveryIdentifiers": [ines(), mail("b@example.net")] }]),
            vec![&to_ines, "TO - b@example.net"],
        ),
        (json!([{ "actorId": visitor, "deliveryIdentifiers": [ines()] }]), vec![&to_ines]),
        (json!([{ "actorID": visitor, "deliveryIdentifiers": [ines()] }]), vec![&to_ines]),
        (json!([{ "actorId": visitor }]), vec![&to_ines]),
        (
            json!([{ "actorId": desk.portal.agent, "deliveryIdentifiers": [mail("mia@acme.example")] }]),
            vec![&format!("TO {} mia@acme.example", desk.portal.agent)],
        ),
        (
            json!([{ "actorId": "E-b@example.net", "deliveryIdentifiers": [mail("b@example.net")] }]),
            vec!["TO - b@example.net"],
        ),
        (
            json!([{ "actorId": null, "name": null, "recipientField": null, "senderField": "FROM", "x": 1, "deliveryIdentifier": ines(), "deliveryIdentifiers": null }]),
            vec![&to_ines],
        ),
        (
            json!([{ "deliveryIdentifiers": [ines()] }, { "recipientField": "BCC", "deliveryIdentifiers": [mail("b@example.net")] }]),
            vec![&to_ines, "BCC - b@example.net"],
        ),
    ] {
        let sent = desk.send(&id, with(desk.by_email("x", "-"), json!({ "recipients": recipients }))).await;
        assert_eq!(told(&sent), expected, "{recipients}");
        assert!(
            sent["recipients"].as_array().unwrap().iter().all(|one| one.get("deliveryIdentifiers").is_none())
        );
    }
    for recipients in [
        Value::Null,
        json!([]),
        json!([{ "recipientField": "CC", "deliveryIdentifiers": [ines()] }]),
        json!([{ "recipientField": "CC", "deliveryIdentifiers": [ines()] }, { "recipientField": "BCC", "deliveryIdentifiers": [ines()] }]),
        json!([{}]),
        json!([{ "name": "Ines" }]),
        json!([{ "actorId": stranger }]),
        json!([{ "actorId": "V-999999", "deliveryIdentifiers": [ines()] }]),
        json!([{ "actorId": "nonsense", "deliveryIdentifiers": [ines()] }]),
        json!([{ "actorId": "A-", "deliveryIdentifiers": [ines()] }]),
        json!([{ "actorId": desk.portal.agent }]),
        json!([{ "actorId": "E-b@example.net" }]),
        json!([{ "deliveryIdentifiers": [opaque("ines")] }]),
        json!([{ "deliveryIdentifiers": [{ "type": "HS_PHONE_NUMBER", "value": "+31205550178" }] }]),
        json!([{ "deliveryIdentifiers": [{ "type": "PIGEON", "value": "x" }] }]),
        json!([{ "deliveryIdentifiers": [{ "value": "ines@example.net" }] }]),
        json!([{ "deliveryIdentifiers": [{ "type": "HS_EMAIL_ADDRESS" }] }]),
        json!([{ "deliveryIdentifiers": [mail("ines")] }]),
        json!([{ "deliveryIdentifiers": [mail("ines@")] }]),
        json!([{ "deliveryIdentifiers": [mail("")] }]),
        json!(vec![json!({ "deliveryIdentifiers": [ines()] }); 51]),
    ] {
        let refused =
            desk.refused(&id, with(desk.by_email("x", "-"), json!({ "recipients": recipients }))).await;
        assert_eq!(refused, ["recipients"], "{recipients}");
    }
    let wrong = json!([{ "recipientField": "REPLY_TO", "deliveryIdentifiers": [ines()] }]);
    assert_eq!(
        desk.refused(&id, with(desk.by_email("x", "-"), json!({ "recipients": wrong }))).await.len(),
        1
    );
    let many: Vec<_> =
        (0..50).map(|n| json!({ "deliveryIdentifiers": [mail(&format!("p{n}@example.net"))] })).collect();
    desk.send(&id, with(desk.by_email("x", "-"), json!({ "recipients": many }))).await;
}

#[tokio::test]
async fn recipients_of_chat() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let visitor = format!("V-{}", text(&desk.thread(&id).await, "associatedContactId"));
    let one = json!([{ "actorId": visitor, "name": "ines", "deliveryIdentifier": opaque("ines") }]);
    for recipients in [
        Value::Null,
        json!([]),
        json!([{ "actorId": visitor }]),
        json!([{ "actorId": visitor, "deliveryIdentifiers": [opaque("ines")] }]),
        json!([{ "actorId": visitor, "recipientField": "CC", "deliveryIdentifiers": [opaque("ines")] }]),
        json!([{ "actorId": visitor, "recipientField": "nonsense", "deliveryIdentifiers": [opaque("ines")] }]),
        // Agents are not reached over a visitor's channel.
        json!([{ "actorId": desk.portal.agent }]),
        json!([{ "actorId": desk.portal.agent, "deliveryIdentifiers": [opaque("mia")] }, { "actorId": visitor }]),
    ] {
        let sent = desk.send(&id, with(desk.on_chat("x"), json!({ "recipients": recipients }))).await;
        let mut got = sent["recipients"].clone();
        if got[0].get("name").is_none() {
            got[0]["name"] = json!("ines");
        }
        assert_eq!(got, one, "{recipients}");
    }
    for recipients in [
        json!([{ "deliveryIdentifiers": [opaque("ines"), opaque("omar")] }]),
        json!([{ "deliveryIdentifiers": [opaque("ines")] }, { "deliveryIdentifiers": [opaque("omar")] }]),
        json!([{ "actorId": visitor, "deliveryIdentifiers": [mail("ines@example.net")] }]),
        json!([{ "actorId": format!("I-{}", desk.portal.app), "deliveryIdentifiers": [opaque("x")] }]),
        json!([{ "actorId": "S-hubspot", "deliveryIdentifiers": [opaque("x")] }]),
    ] {
        let refused = desk.refused(&id, with(desk.on_chat("x"), json!({ "recipients": recipients }))).await;
        assert_eq!(refused, ["recipients"], "{recipients}");
    }
    // Nobody has written yet.
    let contact = json!({ "identifier": opaque("pia") });
    let started =
        desk.make("threads", json!({ "channelAccountId": desk.portal.chat, "recipient": contact })).await;
    assert_eq!(desk.refused(&text(&started, "id"), desk.on_chat("x")).await, ["recipients"]);
}

#[tokio::test]
async fn other_channels_and_their_addresses() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let phone = json!({ "type": "HS_PHONE_NUMBER", "value": "+31205550178" });
    let code = json!({ "type": "HS_SHORT_CODE", "value": "72345" });
    for (number, (channel, identifier, status)) in [
        (1009, &phone, 201),
        (1009, &code, 201),
        (1009, &opaque("x"), 400),
        (1009, &mail("a@b.example"), 400),
        (1009, &json!({ "type": "HS_PHONE_NUMBER", "value": "0205550178" }), 400),
        (1009, &json!({ "type": "HS_SHORT_CODE", "value": "72-345" }), 400),
        (1001, &opaque("x"), 201),
        (1001, &phone, 400),
        (1010, &opaque("x"), 201),
        (1010, &mail("a@b.example"), 400),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body =
            json!({ "name": "One", "channelId": channel, "inboxId": desk.portal.inbox, "adapter": "STORED" });
        if channel == 1009 {
            body["deliveryIdentifier"] = json!({ "type": "HS_SHORT_CODE", "value": format!("7000{number}") });
        }
        let account = desk.make("channel-accounts", body).await;
        let recipients = json!([{ "deliveryIdentifiers": [identifier] }]);
        let body = with(
            desk.on_chat("x"),
            json!({ "channelId": channel, "channelAccountId": account["id"], "recipients": recipients }),
        );
        let reply = desk.post(&format!("/threads/{id}/messages"), body).await;
        assert_eq!(reply.status, status, "{channel} {identifier}: {}", reply.text());
        if status == 400 {
            assert_eq!(reply.problems(), ["recipients"]);
        } else {
            assert_eq!(reply.json()["recipients"], json!([{ "deliveryIdentifier": identifier }]));
        }
    }
}

#[tokio::test]
async fn channels_and_accounts() {
    let desk = Desk::open().await;
    let id = desk.email("ines@example.net").await;
    let account = async |channel: i64, inbox: &str, changes: Value| {
        let number = desk.position().await;
        let address = mail(&format!("box{number}@acme.example"));
        let mut body = json!({ "name": "One", "channelId": channel, "inboxId": inbox });
        match channel {
            1002 => body["deliveryIdentifier"] = address,
            1007 => {
                body["deliveryIdentifier"] = json!({ "type": "HS_PHONE_NUMBER", "value": "+31205550178" })
            }
            _ => {}
        }
        let made = text(&desk.make("channel-accounts", body).await, "id");
        if changes != json!({}) {
            desk.edit(&format!("channel-accounts/{made}"), changes).await;
        }
        made
    };
    let inbox = desk.portal.inbox.clone();
    let elsewhere = text(&desk.make("inboxes", json!({ "name": "Sales" })).await, "id");
    let archived = account(1002, &inbox, json!({ "archived": true })).await;
    let inactive = account(1002, &inbox, json!({ "active": false })).await;
    let unauthorized = account(1002, &inbox, json!({ "authorized": false })).await;
    let form = account(1003, &inbox, json!({})).await;
    let whatsapp = account(1007, &inbox, json!({})).await;
    for (channel, account, named) in [
        ("1002", "999999", vec!["channelAccountId"]),
        ("1002", "x", vec!["channelAccountId"]),
        ("1002", archived.as_str(), vec!["channelAccountId"]),
        ("1002", &inactive, vec!["channelAccountId"]),
        ("1002", &unauthorized, vec!["channelAccountId"]),
        ("1002", &desk.portal.chat, vec!["channelAccountId"]),
        ("x", &desk.portal.email, vec!["channelId"]),
        ("0", &desk.portal.email, vec!["channelId"]),
        ("1005", &desk.portal.email, vec!["channelId"]),
        ("1003", &form, vec!["channelId"]),
        ("1004", &form, vec!["channelId"]),
        ("1011", &form, vec!["channelId"]),
        ("1007", &whatsapp, vec!["channelId"]),
    ] {
        let body = with(
            desk.by_email("x", "ines@example.net"),
            json!({ "channelId": channel, "channelAccountId": account }),
        );
        let mut refused = desk.refused(&id, body).await;
        refused.retain(|name| name != "recipients");
        refused.dedup();
        // An account of another channel than the one named may be complained of as well.
        if named == ["channelId"] {
            refused.retain(|name| name != "channelAccountId");
        }
        assert_eq!(refused, named, "{channel} {account}");
    }
    let other = account(1002, &elsewhere, json!({})).await;
    let body = with(desk.by_email("x", "ines@example.net"), json!({ "channelAccountId": other }));
    let refused = desk.post(&format!("/threads/{id}/messages"), body).await.expect(400).json();
    assert_eq!(
        refused["errors"],
        json!([{ "in": "channelAccountId", "code": "CHANNEL_ACCOUNT_CANNOT_SEND_MESSAGE_ON_THREAD",
                 "message": format!("Channel account {other} belongs to inbox {elsewhere}, but thread {id} is in inbox {inbox}") }])
    );
    assert_eq!(refused["message"], refused["errors"][0]["message"]);
    // Another account and another channel of the same inbox are fine.
    let second = account(1002, &inbox, json!({})).await;
    desk.send(&id, with(desk.by_email("x", "ines@example.net"), json!({ "channelAccountId": second }))).await;
    let chat =
        with(desk.on_chat("x"), json!({ "recipients": [{ "deliveryIdentifiers": [opaque("ines")] }] }));
    desk.send(&id, chat).await;
    // Without an adapter, the attempt stays in the history.
    let unserved = account(1001, &inbox, json!({ "adapter": "NONE" })).await;
    let body = with(
        desk.on_chat("x"),
        json!({ "channelId": "1001", "channelAccountId": unserved, "recipients": [{ "deliveryIdentifiers": [opaque("ines")] }] }),
    );
    let failed = desk.send(&id, body).await;
    assert_eq!(failed["status"]["statusType"], "FAILED");
    assert!(failed["status"]["failureDetails"]["errorMessageTokens"].is_object());
    assert!(failed["status"]["failureDetails"]["errorMessage"].is_string());
}

#[tokio::test]
async fn a_form_is_answered_by_email() {
    let desk = Desk::open().await;
    let form = desk
        .make(
            "channel-accounts",
            json!({ "name": "Contact form", "channelId": 1003, "inboxId": desk.portal.inbox }),
        )
        .await;
    let fields = json!([{ "label": "Name", "value": "Ines" }, { "label": "Order", "value": 12 }]);
    let id = desk.portal.inject(json!({ "channelAccountId": form["id"], "sender": { "email": "ines@example.net" }, "fields": fields })).await;
    let first = desk.history(&id).await[0].clone();
    assert_eq!((&first["text"], &first["channelId"]), (&json!("Name: Ines\nOrder: 12"), &json!("1003")));
    let sent = desk.send(&id, desk.by_email("Hello Ines", "ines@example.net")).await;
    assert_eq!((&sent["channelId"], &sent["inReplyToId"]), (&json!("1002"), &first["id"]));
    assert_eq!(desk.thread(&id).await["originalChannelId"], "1003");
}

#[tokio::test]
async fn states_of_the_thread() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let thread = format!("/threads/{id}");
    desk.patch(&thread, json!({ "status": "CLOSED" })).await.expect(200);
    desk.send(&id, desk.on_chat("x")).await;
    desk.send(&id, json!({ "type": "COMMENT", "text": "x" })).await;
    let closed = desk.thread(&id).await;
    assert_eq!((&closed["status"], &closed["assignedTo"]), (&json!("CLOSED"), &json!(desk.portal.agent)));
    // An assignee is never replaced.
    let jon = desk.make("agents", json!({ "name": "Jon" })).await;
    desk.send(&id, with(desk.on_chat("x"), json!({ "senderActorId": jon["actorId"] }))).await;
    assert_eq!(desk.thread(&id).await["assignedTo"], desk.portal.agent);
    let marked = desk.portal.operator().put(&format!("/antiphon/v1/threads/{id}/spam"), json!({})).await;
    assert!(marked.status < 300, "{}", marked.text());
    desk.send(&id, desk.on_chat("x")).await;
    assert_eq!(desk.thread(&id).await["spam"], true);
    assert_eq!(desk.found("").await, [id.as_str()], "spam is listed like the rest");
    desk.delete(&thread).await.expect(204);
    desk.post(&format!("{thread}/messages"), desk.on_chat("x")).await.expect(404);
    desk.post(&format!("{thread}/messages"), json!({})).await.expect(404);
    // Comments do not assign; and assigning by answering can be switched off.
    let other = desk.chat("omar").await;
    desk.send(&other, json!({ "type": "COMMENT", "text": "x" })).await;
    desk.edit(&format!("inboxes/{}", desk.portal.inbox), json!({ "assignOnReply": false })).await;
    desk.send(&other, desk.on_chat("x")).await;
    assert!(desk.thread(&other).await.get("assignedTo").is_none());
}
