//! How chat is set up, and which chat there is for a page.

use super::*;

async fn config(desk: &Desk, url: &str, origin: &str) -> Reply {
    let page: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!("{WIDGET}/{}/config?url={page}", desk.portal.id);
    desk.server.anybody().with("origin", origin).get(&path).await
}

#[tokio::test]
async fn a_chat_appears_where_it_was_set_up() {
    let desk = Desk::open().await;
    let url = "https://larkspur.example/shop/tea";
    let nothing = config(&desk, url, "https://larkspur.example").await.expect(200);
    assert_eq!(nothing.json()["account"], Value::Null, "a chat is not on the web before somebody says so");
    begin(&desk, json!({})).await.expect(404);
    let path = format!("/antiphon/v1/channel-accounts/{}/chat", desk.portal.chat);
    desk.user.get(&path).await.expect(404);
    let settings = json!({ "domains": ["larkspur.example"], "pages": ["/shop/*"], "title": "Larkspur", "color": "#AABBCC",
                           "position": "left", "welcomeMessage": "Hi!", "quickReplies": ["Tea?"], "language": "de",
                           "officeHours": { "timeZone": "Europe/Berlin", "days": [{ "day": 1, "from": "9:00", "to": "17:00" }] } });
    let put = set_up(&desk, settings).await;
    assert_eq!(desk.user.get(&path).await.expect(200).json(), put);
    assert_eq!((&put["color"], &put["position"]), (&json!("#aabbcc"), &json!("LEFT")));
    assert_eq!(put["officeHours"]["days"][0]["from"], "09:00");
    let here = config(&desk, url, "https://larkspur.example").await.expect(200);
    assert_eq!(here.header("access-control-allow-origin"), Some("https://larkspur.example"));
    assert_eq!(
        here.json(),
        json!({ "account": desk.portal.chat, "position": "LEFT", "color": "#aabbcc", "cookieBanner": "OFF", "language": "de",
                "title": "Larkspur", "welcomeMessage": "Hi!" })
    );
    // Another site that asks for it may not read it.
    let spy = config(&desk, url, "https://evil.example").await.expect(200);
    assert_eq!(spy.header("access-control-allow-origin"), None);
    for elsewhere in ["https://larkspur.example/about", "https://evil.example/shop/tea", "nonsense", ""] {
        let answer = config(&desk, elsewhere, "https://evil.example").await.expect(200);
        assert_eq!(answer.json()["account"], Value::Null, "{elsewhere}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://evil.example"));
    }
    let begun = begin(&desk, json!({})).await.expect(201).json();
    assert_eq!(
        (&begun["config"]["title"], &begun["config"]["quickReplies"]),
        (&json!("Larkspur"), &json!(["Tea?"]))
    );
    assert_eq!(begun["agents"], json!([{ "name": "Mia Chen" }]));
    // An account that is switched off, or taken off the web, ends what goes on.
    let visitor = Visitor::on(&desk).await;
    let account = format!("channel-accounts/{}", desk.portal.chat);
    desk.edit(&account, json!({ "active": false })).await;
    visitor.user.get(&format!("{WIDGET}/threads")).await.expect(401);
    begin(&desk, json!({})).await.expect(404);
    desk.edit(&account, json!({ "active": true })).await;
    visitor.user.get(&format!("{WIDGET}/threads")).await.expect(200);
    desk.user.delete(&path).await.expect(204);
    visitor.user.get(&format!("{WIDGET}/threads")).await.expect(401);
    assert_eq!(config(&desk, url, "https://larkspur.example").await.json()["account"], Value::Null);
}

#[tokio::test]
async fn only_live_chat_is_set_up_and_only_by_administrators() {
    let desk = open().await;
    let path = |account: &str| format!("/antiphon/v1/channel-accounts/{account}/chat");
    desk.user.put(&path(&desk.portal.email), json!({})).await.expect(400);
    desk.user.put(&path("99999"), json!({})).await.expect(404);
    let reader = desk.portal.user(&["conversations.read"]).await;
    reader.get(&path(&desk.portal.chat)).await.expect(200);
    reader.put(&path(&desk.portal.chat), json!({})).await.expect(403);
    reader.delete(&path(&desk.portal.chat)).await.expect(403);
    let other = Desk::on(&desk.server).await;
    other.user.put(&path("99999"), json!({ "color": "red", "domains": ["a b"] })).await.expect(400);
}

#[tokio::test]
async fn whether_somebody_is_there_goes_by_the_hours() {
    let desk = Desk::open().await;
    // No day has an hour.
    let settings =
        json!({ "officeHours": { "days": [] }, "awayMessage": "We sleep", "askEmail": "OUTSIDE_HOURS" });
    set_up(&desk, settings).await;
    let begun = begin(&desk, json!({})).await.expect(201).json();
    let config = &begun["config"];
    assert_eq!((&config["available"], &config["askEmail"]), (&json!(false), &json!(true)));
    assert_eq!(config["awayMessage"], "We sleep");
    set_up(&desk, json!({ "awayMessage": "We sleep" })).await;
    let begun = begin(&desk, json!({})).await.expect(201).json();
    let config = &begun["config"];
    assert_eq!((&config["available"], &config["askEmail"]), (&json!(true), &json!(false)));
    assert_eq!(config.get("awayMessage"), None);
}

#[tokio::test]
async fn the_frame_stands_on_the_pages_of_its_account_alone() {
    let desk = Desk::open().await;
    let path = format!("/widget/{}/frame?account={}", desk.portal.id, desk.portal.chat);
    desk.server.anybody().get(&path).await.expect(404);
    set_up(&desk, json!({ "domains": ["larkspur.example"] })).await;
    let page = desk.server.anybody().get(&path).await;
    if page.status == 404 {
        // Built without what people see.
        assert!(page.text().contains("cargo xtask ui"), "{}", page.text());
        return;
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'self' http://larkspur.example:* https://larkspur.example:*"));
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    for wrong in ["", "?account=x", "?account=99999", &format!("?account={}", desk.portal.email)] {
        desk.server.anybody().get(&format!("/widget/{}/frame{wrong}", desk.portal.id)).await.expect(404);
    }
    desk.server.anybody().get("/widget/999999/frame?account=1").await.expect(404);
}
