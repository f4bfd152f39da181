//! Accounts that are connected from the settings: whoever sets up a portal goes to the integration's page and comes back.

use std::time::Duration;

use antiphon_store::PortalId;
use serde_json::json;

use crate::custom_channels::{BASE, Brought, SCOPES, phone};
use crate::kit::{at, error, text, with};
use crate::published::{Line, OWN};

#[tokio::test]
async fn an_account_is_connected_from_the_settings() {
    let line = Line::new(json!({})).await;
    let (app, desk) = (&line.brought, &line.brought.desk);
    let user = desk.portal.agent.trim_start_matches("A-").to_owned();
    let path = format!("channels/{}/connect", line.channel);
    let asked = json!({ "inboxId": desk.portal.inbox, "userId": user });
    let operator = desk.portal.operator();
    let refused = operator.post(&format!("/antiphon/v1/{path}"), asked.clone()).await.expect(400);
    assert_eq!(refused.problems(), ["channelId"]);
    let page = json!({ "channelAccountConnectionRedirectUrl": "https://sms.example/connect?a=b%2F" });
    app.send("PATCH", &format!("/{}", line.channel), page).await.expect(200);
    for (wrong, fields) in [
        (json!({}), &["inboxId", "userId"][..]),
        (json!({ "inboxId": 999, "userId": user }), &["inboxId"]),
        (json!({ "inboxId": desk.portal.inbox, "userId": 999 }), &["userId"]),
    ] {
        let refused = operator.post(&format!("/antiphon/v1/{path}"), wrong).await.expect(400);
        assert_eq!(refused.problems(), fields);
    }
    let begin = async || {
        let begun = desk.make(&path, asked.clone()).await;
        (text(&begun, "accountToken"), text(&begun, "location"))
    };
    let (token, location) = begin().await;
    assert_eq!(token.len(), 43);
    let (portal, inbox) = (&desk.portal.id, &desk.portal.inbox);
    let told = format!(
        "https://sms.example/connect?a=b%2F&accountToken={}&channelId={}&inboxId={inbox}&portalId={portal}&redirectUrl=http",
        token.replace('-', "%2D").replace('_', "%5F"),
        line.channel
    );
    assert!(location.starts_with(&told), "{location}");
    let back = format!("/antiphon/v1/portals/{portal}/channel-connections/{token}");
    let anybody = desk.server.user("").with("accept", "application/json");
    assert_eq!(anybody.get(&back).await.expect(200).json(), json!({ "connected": false }));

    let staging = format!("/{}/channel-account-staging-tokens", line.channel);
    let nothing = app.patch(&format!("{staging}/{token}"), json!({})).await.expect(400);
    assert_eq!(nothing.problems(), ["accountName", "deliveryIdentifier"]);
    let shown = json!({ "accountToken": token, "genericChannelId": line.channel.parse::<i64>().unwrap(),
                        "inboxId": inbox.parse::<i64>().unwrap(), "userId": user.parse::<i64>().unwrap(), "createdAt": at(0), "accountName": "Quay" });
    let named = json!({ "accountName": "Quay" });
    assert_eq!(app.patch(&format!("{staging}/{token}"), named.clone()).await.expect(200).json(), shown);
    assert_eq!(app.patch(&format!("{staging}/{token}"), named).await.expect(200).json(), shown);
    // The number is another account's already.
    let taken = json!({ "deliveryIdentifier": phone(OWN) });
    app.patch(&format!("{staging}/{token}"), taken).await.expect(409);
    let number = json!({ "deliveryIdentifier": phone("+4940555099") });
    let done = app.patch(&format!("{staging}/{token}"), number.clone()).await.expect(200).json();
    assert_eq!(done, with(shown, number.clone()));
    let listed =
        app.get(&format!("/{}/channel-accounts?deliveryIdentifierValue=%2B4940555099", line.channel)).await;
    let account = listed.expect(200).json()["results"][0].clone();
    assert_eq!(
        (&account["name"], &account["authorized"], &account["active"]),
        (&json!("Quay"), &json!(true), &json!(true))
    );
    assert_eq!(
        anybody.get(&back).await.expect(200).json(),
        json!({ "connected": true, "channelAccountId": account["id"] })
    );
    let used = app.patch(&format!("{staging}/{token}"), number).await.expect(409);
    assert_eq!(
        (error(&used)["category"].clone(), used.header("x-should-retry")),
        (json!("CONFLICT"), Some("false"))
    );

    // With a name alone it becomes an account when the browser is back.
    let (token, _) = begin().await;
    app.patch(&format!("{staging}/{token}"), json!({ "accountName": "Pier" })).await.expect(200);
    let back = format!("/antiphon/v1/portals/{portal}/channel-connections/{token}");
    let connected = anybody.get(&back).await.expect(200).json();
    let id = text(&connected, "channelAccountId");
    let account = app.get(&format!("/{}/channel-accounts/{id}", line.channel)).await.expect(200).json();
    assert_eq!((&account["name"], account.get("deliveryIdentifier")), (&json!("Pier"), None));
    assert_eq!(anybody.get(&back).await.expect(200).json(), connected);

    // Tokens of another channel, unknown ones and those that are too old are not there.
    let (token, _) = begin().await;
    let other = app.channel(json!({})).await;
    let body = json!({ "accountName": "x" });
    app.patch(&format!("/{other}/channel-account-staging-tokens/{token}"), body.clone()).await.expect(404);
    app.patch(&format!("{staging}/nonsense"), body.clone()).await.expect(404);
    let stranger = desk.make("apps", json!({ "name": "Other" })).await;
    let stranger = Brought::token_of(desk, &text(&stranger, "id"), SCOPES).await;
    stranger.patch(&format!("{BASE}{staging}/{token}"), body.clone()).await.expect(404);
    desk.server.advance(Duration::from_secs(24 * 60 * 60));
    app.patch(&format!("{staging}/{token}"), body).await.expect(404);
    let back = format!("/antiphon/v1/portals/{portal}/channel-connections/{token}");
    anybody.get(&back).await.expect(403);
    // Those are forgotten when the next is made.
    begin().await;
    let portal = PortalId(portal.parse().unwrap());
    let directory = desk.server.app().store.directory(portal).await.unwrap().unwrap();
    assert_eq!(directory.staging_tokens().len(), 1);
}

#[tokio::test]
async fn the_browser_comes_back_to_a_page() {
    let line = Line::new(json!({})).await;
    let (app, desk) = (&line.brought, &line.brought.desk);
    let page = json!({ "channelAccountConnectionRedirectUrl": "https://sms.example/connect" });
    app.send("PATCH", &format!("/{}", line.channel), page).await.expect(200);
    let user = desk.portal.agent.strip_prefix("A-").unwrap();
    let path = format!("channels/{}/connect", line.channel);
    let begun = desk.make(&path, json!({ "inboxId": desk.portal.inbox, "userId": user })).await;
    let token = text(&begun, "accountToken");
    let back = format!("/antiphon/v1/portals/{}/channel-connections/{token}", desk.portal.id);
    let browser = desk
        .server
        .user("")
        .with("accept", "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8");
    let shows = async |path: &str, status: u16, words: &str| {
        let page = browser.get(path).await.expect(status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        let said = page.text();
        assert!(
            said.contains(words) && said.contains("<html lang=\"en\">") && said.contains("<h1>"),
            "{said}"
        );
    };
    shows(&back, 200, "is not connected yet").await;
    let staging = format!("/{}/channel-account-staging-tokens/{token}", line.channel);
    app.patch(&staging, json!({ "accountName": "<script>Quay</script>" })).await.expect(200);
    shows(&back, 200, "<strong>&lt;script&gt;Quay&lt;/script&gt;</strong> is connected").await;
    // Once more is the same.
    shows(&back, 200, "&lt;script&gt;Quay&lt;/script&gt;").await;
    let nobody = format!("/antiphon/v1/portals/{}/channel-connections/nonsense", desk.portal.id);
    for wrong in [
        &nobody,
        "/antiphon/v1/portals/999/channel-connections/x",
        "/antiphon/v1/portals/x/channel-connections/x",
    ] {
        shows(wrong, 403, "Begin again in the settings").await;
    }
    // Its inbox is gone meanwhile.
    let inbox = desk.make("inboxes", json!({ "name": "Other" })).await;
    let begun = desk.make(&path, json!({ "inboxId": inbox["id"], "userId": user })).await;
    let token = text(&begun, "accountToken");
    let staging = format!("/{}/channel-account-staging-tokens/{token}", line.channel);
    app.patch(&staging, json!({ "accountName": "Pier" })).await.expect(200);
    desk.portal.operator().delete(&format!("/antiphon/v1/inboxes/{}", text(&inbox, "id"))).await.expect(204);
    let back = format!("/antiphon/v1/portals/{}/channel-connections/{token}", desk.portal.id);
    shows(&back, 400, "role=\"alert\"").await;
    desk.server.user("").with("accept", "application/json").get(&back).await.expect(400);
}
