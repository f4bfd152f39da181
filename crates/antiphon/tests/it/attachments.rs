//! Attachments: three kinds go out, eight come in.

use serde_json::{Value, json};

use crate::kit::{Desk, text, with};

/// A file of the portal.
async fn file(desk: &Desk, name: &str, media_type: &str) -> Value {
    let url = format!("https://files.acme.example/{name}");
    desk.make("files", json!({ "name": name, "mediaType": media_type, "url": url })).await
}

#[tokio::test]
async fn what_goes_out() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let pdf = file(&desk, "invoice.pdf", "application/pdf").await;
    let shown = json!({ "type": "FILE", "fileId": pdf["id"], "fileUsageType": "OTHER", "name": "invoice.pdf",
                        "url": "https://files.acme.example/invoice.pdf" });
    let number: i64 = text(&pdf, "id").parse().unwrap();
    let replies = json!({ "type": "QUICK_REPLIES", "quickReplies": [
        { "value": "Yes", "valueType": "TEXT", "label": "Sure" }, { "value": "https://acme.example", "valueType": "URL" } ] });
    let post = json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "PHOTO", "id": "17", "mediaTitle": "Bike",
        "description": "Red", "mediaUrl": "https://social.example/p/17", "mediaUrlString": "social.example/p/17",
        "thumbnailUrl": "https://social.example/t/17" } });
    for (sent, expected) in [
        (json!({ "type": "FILE", "fileId": pdf["id"] }), shown.clone()),
        (json!({ "type": "file", "fileId": number }), shown.clone()),
        (json!({ "fileId": pdf["id"] }), shown.clone()),
        (json!({ "type": "FILE", "fileId": pdf["url"], "unknown": 1 }), shown.clone()),
        (replies.clone(), with(replies, json!({ "allowMultiSelect": false, "allowUserInput": true }))),
        (post.clone(), post),
        (
            json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "none" } }),
            json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "NONE" } }),
        ),
    ] {
        for kind in ["MESSAGE", "COMMENT"] {
            let message =
                desk.send(&id, with(desk.on_chat("x"), json!({ "type": kind, "attachments": [sent] }))).await;
            assert_eq!(message["attachments"], json!([expected]), "{sent}");
        }
        let alone = with(desk.on_chat("x"), json!({ "attachments": sent, "text": null }));
        let message = desk.send(&id, alone).await;
        assert_eq!((&message["text"], &message["attachments"]), (&json!(""), &json!([expected])));
    }
    let email = desk.email("ines@example.net").await;
    desk.send(
        &email,
        with(desk.by_email("x", "ines@example.net"), json!({ "attachments": [{ "fileId": pdf["id"] }] })),
    )
    .await;
}

#[tokio::test]
async fn what_a_file_is_for_follows_from_its_media_type() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    for (media_type, usage) in [
        ("image/png", "IMAGE"),
        ("IMAGE/JPEG", "IMAGE"),
        ("audio/mpeg", "AUDIO"),
        ("application/pdf", "OTHER"),
        ("text/plain; charset=utf-8", "OTHER"),
        ("video/mp4", "OTHER"),
    ] {
        let file = file(&desk, &format!("{}.bin", desk.position().await), media_type).await;
        let message = desk
            .send(&id, with(desk.on_chat("x"), json!({ "attachments": [{ "fileId": file["id"] }] })))
            .await;
        assert_eq!(message["attachments"][0]["fileUsageType"], usage, "{media_type}");
    }
}

#[tokio::test]
async fn what_is_refused() {
    let desk = Desk::open().await;
    let id = desk.chat("ines").await;
    let pdf = file(&desk, "invoice.pdf", "application/pdf").await;
    for attachment in [
        json!({ "type": "FILE", "fileId": "999" }),
        json!({ "type": "FILE", "fileId": "https://files.acme.example/other.pdf" }),
        json!({ "type": "FILE", "fileId": "nonsense" }),
        json!({ "type": "FILE", "fileId": "" }),
        json!({ "type": "FILE" }),
        json!({}),
        json!({ "name": "a.pdf" }),
        json!({ "type": "QUICK_REPLIES" }),
        json!({ "type": "QUICK_REPLIES", "quickReplies": [] }),
        json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "label": "Yes", "valueType": "TEXT" }] }),
        json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "value": "Yes" }] }),
        json!({ "type": "SOCIAL_MEDIA_METADATA" }),
        json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": {} }),
        json!({ "type": "LOCATION", "latitude": 52.1, "longitude": 4.3 }),
        json!({ "type": "CONTACT", "contactProfile": {} }),
        json!({ "type": "UNSUPPORTED_CONTENT" }),
        json!({ "type": "MESSAGE_HEADER", "text": "x" }),
        json!({ "type": "WHATSAPP_TEMPLATE_METADATA" }),
        json!({ "type": "PARCEL", "fileId": pdf["id"] }),
    ] {
        for kind in ["MESSAGE", "COMMENT"] {
            let body = with(desk.on_chat("x"), json!({ "type": kind, "attachments": [attachment] }));
            assert_eq!(desk.refused(&id, body).await.len(), 1, "{attachment}");
        }
    }
    let wrong =
        json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "value": "Yes", "valueType": "PIGEON" }] });
    desk.refused(&id, with(desk.on_chat("x"), json!({ "attachments": [wrong] }))).await;
    let many = |count: usize| {
        with(desk.on_chat("x"), json!({ "attachments": vec![json!({ "fileId": pdf["id"] }); count] }))
    };
    assert_eq!(desk.refused(&id, many(21)).await, ["attachments"]);
    assert_eq!(desk.send(&id, many(20)).await["attachments"].as_array().unwrap().len(), 20);
    // All that is wrong, at once.
    let two = json!([{ "type": "FILE", "fileId": "999" }, { "type": "PARCEL" }]);
    assert_eq!(
        desk.refused(&id, with(desk.on_chat("x"), json!({ "attachments": two }))).await,
        ["attachments", "attachments"]
    );
}

#[tokio::test]
async fn all_eight_kinds_come_in() {
    let desk = Desk::open().await;
    let pdf = file(&desk, "invoice.pdf", "application/pdf").await;
    let number: i64 = text(&pdf, "id").parse().unwrap();
    let profile = json!({
        "addresses": [{ "street": "Kade 1", "city": "Delft", "state": "ZH", "zip": "2611", "country": "Netherlands", "countryCode": "NL", "type": "WORK" }],
        "emails": [{ "email": "ines@example.net", "type": "HOME" }],
        "phones": [{ "phone": "+31205550178", "type": "CELL" }],
        "urls": [{ "url": "https://ines.example", "type": "WORK" }],
        "name": { "prefix": "Dr", "firstName": "Ines", "middleName": "M", "lastName": "Okafor", "suffix": "PhD" },
        "org": { "company": "Acme", "department": "Care", "title": "Lead" } });
    let empty_profile = json!({ "addresses": [], "emails": [], "phones": [], "urls": [] });
    let same = [
        json!({ "type": "LOCATION", "latitude": 52.01, "longitude": -4.36, "name": "Shop", "address": "Kade 1", "url": "https://maps.example/x" }),
        json!({ "type": "LOCATION", "latitude": 0.5, "longitude": 1.25 }),
        json!({ "type": "CONTACT", "contactProfile": profile }),
        json!({ "type": "CONTACT", "contactProfile": empty_profile }),
        json!({ "type": "UNSUPPORTED_CONTENT" }),
        json!({ "type": "MESSAGE_HEADER", "fileId": number, "text": "Your order" }),
        json!({ "type": "MESSAGE_HEADER", "text": "Your order" }),
        json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "value": "Yes", "valueType": "TEXT" }], "allowMultiSelect": true, "allowUserInput": false }),
        json!({ "type": "WHATSAPP_TEMPLATE_METADATA", "crmObjectIds": { "CONTACT": 20 }, "parameters": { "name": "Ines" },
                "mappedTemplateId": 7, "contentId": 8, "rootMicId": 9 }),
        json!({ "type": "WHATSAPP_TEMPLATE_METADATA", "crmObjectIds": {}, "parameters": {} }),
        json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "STORY" } }),
    ];
    let shown = json!({ "type": "FILE", "fileId": pdf["id"], "fileUsageType": "OTHER", "name": "invoice.pdf", "url": pdf["url"] });
    let voice = with(shown.clone(), json!({ "fileUsageType": "VOICE_RECORDING" }));
    let cases = same.iter().map(|one| (one.clone(), one.clone())).chain([
        (json!({ "type": "FILE", "fileId": pdf["id"] }), shown),
        (json!({ "type": "FILE", "fileId": pdf["id"], "fileUsageType": "VOICE_RECORDING" }), voice),
    ]);
    let identifier = json!({ "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "ines" });
    for (sent, expected) in cases {
        let body = json!({ "channelAccountId": desk.portal.chat, "sender": { "identifier": identifier }, "attachments": [sent] });
        let thread = desk.portal.inject(body).await;
        let newest =
            desk.get(&format!("/threads/{thread}/messages")).await.expect(200).json()["results"].clone();
        let newest = newest.as_array().unwrap().iter().find(|one| one["type"] == "MESSAGE").unwrap().clone();
        assert_eq!(newest["attachments"], json!([expected]));
        assert_eq!(newest["text"], "");
    }
    // A file that comes along is one of the portal's from then on.
    let inline = json!({ "type": "FILE", "name": "photo.jpg", "mediaType": "image/jpeg", "url": "https://cdn.example/p.jpg", "size": 5 });
    let body = json!({ "channelAccountId": desk.portal.chat, "sender": { "identifier": identifier }, "attachments": [inline] });
    let thread = desk.portal.inject(body).await;
    let newest = desk.get(&format!("/threads/{thread}/messages?limit=1")).await.expect(200).json()["results"]
        [0]
    .clone();
    let attached = &newest["attachments"][0];
    assert_eq!(
        (&attached["fileUsageType"], &attached["url"]),
        (&json!("IMAGE"), &json!("https://cdn.example/p.jpg"))
    );
    desk.send(&thread, with(desk.on_chat("x"), json!({ "attachments": [{ "fileId": attached["fileId"] }] })))
        .await;
}
