//! Who a visitor is: by a key, by a token, by an address that they say.

use super::*;

#[tokio::test]
async fn a_browser_is_known_by_its_key_and_by_no_other() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let id = thread(&visitor.says("Hello").await);
    let again = Visitor::with(&desk, json!({ "visitorKey": visitor.key().to_uppercase() })).await;
    assert_eq!(again.key(), visitor.key());
    assert_eq!(again.threads().await.len(), 1);
    // Whatever is no key, such as one of a contact's, is none.
    for other in ["contact-1", "", "x", &"g".repeat(32), &"0".repeat(33)] {
        let stranger = Visitor::with(&desk, json!({ "visitorKey": other })).await;
        assert_ne!(stranger.key(), visitor.key());
        assert!(stranger.threads().await.is_empty());
        stranger.user.get(&format!("{WIDGET}/threads/{id}/messages")).await.expect(404);
    }
}

#[tokio::test]
async fn a_token_identifies_on_every_device_and_names_the_contact_when_the_chat_starts() {
    let desk = open().await;
    let said = json!({ "email": "Ineke@harbour.example", "firstName": "Ineke", "lastName": "Vos",
                       "hsCustomerAgentContext": { "berth": "4" } });
    let visitor = Visitor::with(&desk, vouched(&desk, said.clone()).await).await;
    assert_eq!((&visitor.begun["identified"], &visitor.begun["visitorKey"]), (&json!(true), &Value::Null));
    assert_eq!(visitor.begun["contact"], json!({ "email": "Ineke@harbour.example", "name": "Ineke Vos" }));
    assert_eq!(visitor.begun["config"]["askEmail"], false);
    let contacts = async || desk.user.get("/antiphon/v1/contacts").await.expect(200).json();
    assert_eq!(contacts().await["results"], json!([]), "nobody is a contact before they say something");
    let id = thread(&visitor.says("Is berth 4 free?").await);
    let known = &contacts().await["results"][0];
    assert_eq!((&known["email"], &known["name"]), (&json!("Ineke@harbour.example"), &json!("Ineke Vos")));
    let elsewhere = Visitor::with(&desk, vouched(&desk, said).await).await;
    assert_eq!(elsewhere.told(&id).await, ["VISITOR: Is berth 4 free?"]);
    // The context is kept with the thread, and shown nowhere.
    let thread_id = antiphon_store::ThreadId(id.parse().unwrap());
    let portal = antiphon_store::PortalId(desk.portal.id.parse().unwrap());
    let kept = desk.server.app().store.chats_by_threads(portal, &[thread_id]).await.unwrap().remove(0);
    assert!(kept.said.unwrap().contains("berth"));
    let origin = desk.user.get(&format!("/antiphon/v1/threads/{id}/chat")).await.expect(200);
    assert_eq!(origin.json(), json!({ "identified": true }));
    // One whose context has no room in its token is kept in a row, past the token's end.
    let long = json!({ "email": "omar@harbour.example", "firstName": "Omar",
                       "hsCustomerAgentContext": { "story": "x".repeat(5000) } });
    let omar = Visitor::with(&desk, vouched(&desk, long).await).await;
    desk.server.advance(Duration::from_secs(50 * 60));
    let id = thread(&omar.says("Hello").await);
    let thread_id = antiphon_store::ThreadId(id.parse().unwrap());
    let kept = desk.server.app().store.chats_by_threads(portal, &[thread_id]).await.unwrap().remove(0);
    assert!(kept.said.unwrap().contains(&"x".repeat(5000)));
}

#[tokio::test]
async fn what_identifies_nobody_is_anonymous_with_a_warning() {
    let desk = open().await;
    let other = Desk::on(&desk.server).await;
    let good = vouched(&desk, json!({ "email": "ineke@harbour.example" })).await;
    let foreign = vouched(&other, json!({ "email": "ineke@harbour.example" })).await;
    let with = |email: &str, token: &Value| json!({ "identification": { "email": email, "token": token } });
    let token = &good["identification"]["token"];
    for (more, warned) in [
        (with("omar@harbour.example", token), true),
        (with("ineke@harbour.example", &json!("forged")), true),
        (foreign, true),
        (with("ineke@harbour.example", &json!("")), false),
        (with("", token), false),
        (json!({ "identification": null }), false),
    ] {
        let begun = begin(&desk, more.clone()).await.expect(201).json();
        assert_eq!(begun["identified"], false, "{more}");
        assert_eq!(begun["warning"].is_string(), warned, "{more}");
        assert!(begun["visitorKey"].is_string());
    }
    desk.server.advance(Duration::from_secs(13 * 60 * 60));
    let begun = begin(&desk, good).await.expect(201).json();
    assert!(begun["warning"].as_str().unwrap().contains("expired"));
}

#[tokio::test]
async fn a_session_goes_on_past_its_token_and_ends_after_a_day() {
    let desk = open().await;
    let identification = vouched(&desk, json!({ "email": "ineke@harbour.example" })).await;
    let mut visitor = Visitor::with(&desk, identification.clone()).await;
    let id = thread(&visitor.says("Hello").await);
    for _ in 0..23 {
        desk.server.advance(Duration::from_secs(59 * 60));
        let mut more = identification.clone();
        more["session"] = visitor.begun["session"].clone();
        visitor = Visitor::with(&desk, more).await;
        assert_eq!(visitor.begun["identified"], true);
        assert_eq!(visitor.told(&id).await.len(), 1);
    }
    // Somebody else's token, or nobody's, does not go on with it.
    let other = json!({ "session": visitor.begun["session"],
                        "identification": { "email": "omar@harbour.example", "token": "forged" } });
    assert_eq!(begin(&desk, other).await.expect(201).json()["identified"], false);
    desk.server.advance(Duration::from_secs(2 * 60 * 60));
    visitor.user.get(&format!("{WIDGET}/threads")).await.expect(401);
    let mut more = identification;
    more["session"] = visitor.begun["session"].clone();
    assert_eq!(begin(&desk, more).await.expect(201).json()["identified"], false);
}

#[tokio::test]
async fn an_address_that_nobody_proved_opens_nothing() {
    let desk = open().await;
    // Somebody says they are Ineke, before she comes.
    let liar = Visitor::on(&desk).await;
    let lie = thread(&liar.says("I am Ineke").await);
    let give =
        async |visitor: &Visitor, body: Value| visitor.user.post(&format!("{WIDGET}/contact"), body).await;
    let claim = json!({ "email": "ineke@harbour.example", "name": "Not Ineke" });
    give(&liar, claim.clone()).await.expect(200);
    // She comes, and is the same contact; but what she says is hers.
    let said = json!({ "email": "ineke@harbour.example", "firstName": "Ineke" });
    let ineke = Visitor::with(&desk, vouched(&desk, said).await).await;
    assert!(ineke.threads().await.is_empty());
    let hers = thread(&ineke.says("My card number is 1234").await);
    assert_ne!(hers, lie);
    let both = [&hers, &lie].map(|id| {
        let desk = desk.clone();
        let id = id.to_owned();
        async move { text(&desk.thread(&id).await, "associatedContactId") }
    });
    let [one, other] = both;
    assert_eq!(one.await, other.await, "to agents they are one contact");
    assert_eq!(liar.threads().await.len(), 1);
    liar.user.get(&format!("{WIDGET}/threads/{hers}/messages")).await.expect(404);
    liar.sends(json!({ "text": "Tell me", "threadId": hers })).await.expect(404);
    assert_eq!(thread(&liar.says("Still me").await), lie, "and what they say goes where they said it before");
    let again = Visitor::with(&desk, json!({ "visitorKey": liar.key() })).await;
    assert!(
        !again.begun.to_string().contains("Ineke\""),
        "a name that she gave is not told: {}",
        again.begun
    );
    // Somebody else says the same when it is taken: the answer is the same, and they are no contact.
    let second = Visitor::on(&desk).await;
    let theirs = thread(&second.says("Me too").await);
    let answer = give(&second, claim).await.expect(200).json();
    assert_eq!(answer["contact"], json!({ "email": "ineke@harbour.example", "name": "Not Ineke" }));
    let contacts = desk.user.get("/antiphon/v1/contacts").await.expect(200).json();
    assert_eq!(contacts["results"].as_array().unwrap().len(), 1);
    let origin = desk.user.get(&format!("/antiphon/v1/threads/{theirs}/chat")).await.expect(200).json();
    assert_eq!(origin["saidEmail"], "ineke@harbour.example", "it is kept as it was said");
    // Where it is said before there is a thread, the session keeps it until there is one.
    let third = Visitor::on(&desk).await;
    let answer = give(&third, json!({ "email": "ineke@harbour.example" })).await.expect(200).json();
    let third = Visitor { user: desk.server.user(&text(&answer, "session")), begun: third.begun };
    let theirs = thread(&third.says("Hello").await);
    let origin = desk.user.get(&format!("/antiphon/v1/threads/{theirs}/chat")).await.expect(200).json();
    assert_eq!(origin["saidEmail"], "ineke@harbour.example");
}

#[tokio::test]
async fn an_address_that_nobody_has_makes_a_contact_that_goes_on() {
    let desk = open().await;
    let visitor = Visitor::on(&desk).await;
    let body = json!({ "email": " Omar@harbour.example ", "name": "Omar" });
    let answer = visitor.user.post(&format!("{WIDGET}/contact"), body).await.expect(200).json();
    assert_eq!(answer["contact"], json!({ "email": "Omar@harbour.example", "name": "Omar" }));
    let visitor = Visitor { user: desk.server.user(&text(&answer, "session")), begun: visitor.begun };
    let id = thread(&visitor.says("Hello").await);
    let contact = text(&desk.thread(&id).await, "associatedContactId");
    let known = desk.user.get(&format!("/antiphon/v1/contacts/{contact}")).await.expect(200).json();
    assert_eq!((&known["email"], &known["name"]), (&json!("Omar@harbour.example"), &json!("Omar")));
    let again = Visitor::with(&desk, json!({ "visitorKey": visitor.key() })).await;
    assert_eq!(again.begun["contact"]["email"], "Omar@harbour.example");
    assert_eq!(again.threads().await.len(), 1);
    for wrong in
        [json!({}), json!({ "email": "omar" }), json!({ "email": "o@h.example", "name": "x".repeat(300) })]
    {
        visitor.user.post(&format!("{WIDGET}/contact"), wrong).await.expect(400);
    }
}

#[tokio::test]
async fn an_address_that_was_said_is_remembered_when_the_session_is_lost() {
    let desk = Desk::open().await;
    set_up(&desk, json!({ "askEmail": "ALWAYS" })).await;
    let taken = vouched(&desk, json!({ "email": "ineke@harbour.example" })).await;
    Visitor::with(&desk, taken).await.says("Hello").await;
    // Whether somebody has the address already makes no difference to what is told: nobody finds out that way.
    for email in ["ineke@harbour.example", "omar@harbour.example"] {
        let visitor = Visitor::on(&desk).await;
        assert_eq!(visitor.begun["config"]["askEmail"], true);
        let again = async || Visitor::with(&desk, json!({ "visitorKey": visitor.key() })).await.begun;
        let give = async || {
            let body = json!({ "email": email });
            visitor.user.post(&format!("{WIDGET}/contact"), body).await.expect(200);
        };
        give().await;
        let begun = again().await;
        assert_eq!((&begun["contact"], &begun["config"]["askEmail"]), (&json!({}), &json!(true)), "{email}");
        visitor.says("Hello").await;
        let begun = again().await;
        assert_eq!((&begun["contact"], &begun["config"]["askEmail"]), (&json!({}), &json!(true)), "{email}");
        give().await;
        let begun = again().await;
        assert_eq!(begun["contact"], json!({ "email": email }));
        assert_eq!(begun["config"]["askEmail"], false);
        // And a thread that begins in the new session is noted with it, too.
        let later = Visitor { user: desk.server.user(&text(&begun, "session")), begun };
        let id =
            thread(&later.sends(json!({ "text": "Another", "newThread": true })).await.expect(201).json());
        let origin = desk.user.get(&format!("/antiphon/v1/threads/{id}/chat")).await.expect(200).json();
        assert_eq!(origin["saidEmail"], email);
    }
    let stranger = Visitor::with(&desk, json!({ "visitorKey": "0".repeat(32) })).await;
    assert_eq!(stranger.begun["contact"], json!({}), "it is told to whoever has the key");
}
