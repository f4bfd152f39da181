//! The demo's portals before anybody writes: keys that are always the same, inboxes, accounts, people.

use antiphon_store::{AppId, DirectoryChange, Moment, PortalId, Quota, State, Store};
use serde_json::{Value, json};

use super::fill::Script;
use super::plan::{AGENTS, OLD};
use super::texts::Language;
use super::{attachments, key};
use crate::apps;
use crate::directory;
use crate::operation::Scope;
use crate::tokens;

/// Subjects of the demo's tickets.
const TICKETS: [&str; 12] = [
    "Invoice with a wrong VAT number",
    "Freehub of a Kestrel 7 clicks under load",
    "Parcel damaged in the depot",
    "Fahrrad mit zerkratztem Lack",
    "Chargeur défectueux sous garantie",
    "Casco en talla equivocada",
    "Fleet offer for twelve bikes",
    "شاحن ناقص",
    "ステムの調整",
    "Pęknięta szprycha",
    "Return without outer carton",
    "冬季续航",
];

/// How many tickets there are.
pub const TICKETS_IN_ALL: usize = 36;

/// Scopes that HubSpot's clients ask for besides ours. Those that open nothing yet do no harm.
const OTHER_SCOPES: [&str; 10] = [
    "files",
    "files.read",
    "files.write",
    "files.delete",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "developers-read",
    "developers-write",
    "private-apps-read",
    "private-apps-write",
];

/// A portal with one app, whose secrets are known to everybody.
pub async fn open_portal(store: &Store, id: PortalId, name: &str, app: App<'_>) -> anyhow::Result<()> {
    let made = store.portal_create(Some(id), name.into(), "Europe/London".into(), Quota::default()).await?;
    anyhow::ensure!(made.is_some(), "portal {id} exists already");
    let draft = apps::create::Draft {
        id: Some(app.id),
        name: app.name.into(),
        avatar: None,
        client_secret: app.client_secret.into(),
        user_id: None,
        developer_key: app.developer_key.into(),
        shares_key: false,
    };
    directory::change_of(store, id, None, move |state: &State, moment: &mut Moment| {
        Ok(vec![DirectoryChange::App(apps::create::make(&state.directory, &draft, moment)?)])
    })
    .await?
    .map_err(super::refused)?;
    Ok(())
}

/// A token that everybody knows.
pub async fn issue(store: &Store, portal: PortalId, app: AppId, token: Token<'_>) -> anyhow::Result<()> {
    let draft = tokens::create::Draft {
        hash: crate::middleware::token::hash(token.secret),
        portal,
        label: token.label.into(),
        app: tokens::create::Owner::Known(app),
        scopes: token.scopes,
        expires_at: None,
    };
    let rule =
        move |state: &State, moment: &mut Moment| tokens::create::make(&state.directory, &draft, moment);
    directory::change_of(store, portal, None, rule).await?.map(drop).map_err(super::refused)
}

/// A token to be issued.
pub struct Token<'a> {
    pub secret: &'a str,
    pub label: &'a str,
    pub scopes: Vec<String>,
}

/// An app to be made.
pub struct App<'a> {
    pub id: AppId,
    pub name: &'a str,
    pub client_secret: &'a str,
    pub developer_key: &'a str,
}

/// Every scope that a token can have.
pub fn every_scope() -> Vec<String> {
    let ours = Scope::ALL.iter().filter(|scope| **scope != Scope::Agent).map(|scope| scope.name());
    ours.chain(OTHER_SCOPES).map(str::to_owned).collect()
}

/// Inboxes, accounts, agents, contacts, tickets and files of the first portal.
pub async fn furnish(script: &Script, languages: &[Language]) -> anyhow::Result<()> {
    let make = async |path: &str, body: Value| {
        script.call(key::ALL, "POST", &format!("/antiphon/v1{path}"), &body).await
    };
    for (name, kind) in [("Customer care", "INBOX"), ("Workshop", "INBOX"), ("Help desk", "HELP_DESK")] {
        make("/inboxes", json!({ "name": name, "type": kind })).await?;
    }
    let mail = |address: &str| json!({ "type": "HS_EMAIL_ADDRESS", "value": address });
    let phone = json!({ "type": "HS_PHONE_NUMBER", "value": "+447700900555" });
    for account in [
        json!({ "name": "Chat on larkspur.example", "channelId": "1000", "inboxId": "1", "welcomeMessage": languages[0].welcome }),
        json!({ "name": "Larkspur Bikes on Messenger", "channelId": "1001", "inboxId": "1" }),
        json!({ "name": "Larkspur Bikes", "channelId": "1002", "inboxId": "1", "deliveryIdentifier": mail("care@larkspur.example") }),
        json!({ "name": "Larkspur Workshop", "channelId": "1002", "inboxId": "2", "deliveryIdentifier": mail("workshop@larkspur.example") }),
        json!({ "name": "Larkspur on WhatsApp", "channelId": "1007", "inboxId": "2", "deliveryIdentifier": phone }),
        json!({ "name": "Larkspur Help", "channelId": "1002", "inboxId": "3", "deliveryIdentifier": mail("help@larkspur.example") }),
        json!({ "name": "Larkspur (old mailbox)", "channelId": "1002", "inboxId": "1", "deliveryIdentifier": mail("hello@larkspur.example") }),
    ] {
        make("/channel-accounts", account).await?;
    }
    let chat = json!({
        "title": "Larkspur Bikes",
        "color": "#1f5c4d",
        "welcomeMessage": languages[0].welcome,
        "quickReplies": ["Where is my order?", "Book the workshop", "Something else"],
        "askEmail": "ALWAYS",
        "attachments": true,
    });
    script.call(key::ALL, "PUT", "/antiphon/v1/channel-accounts/1/chat", &chat).await?;
    for (id, name) in AGENTS {
        let email = format!(
            "{}@larkspur.example",
            name.split(' ').next().unwrap_or_default().to_lowercase().replace('í', "i")
        );
        // Without a picture, which would have to be fetched from somewhere: whoever shows them shows their initials.
        make("/agents", json!({ "id": id, "name": name, "email": email })).await?;
        let login = format!("/antiphon/v1/agents/{id}/login");
        script.call(key::ALL, "PUT", &login, &json!({ "password": key::PASSWORD })).await?;
    }
    make("/bots", json!({ "id": 9, "name": "Front desk" })).await?;
    make("/llms", json!({ "id": 5, "name": "Larkspur assistant" })).await?;
    for person in languages.iter().flat_map(|language| &language.people) {
        make("/contacts", json!({ "name": person.name, "email": person.email, "phone": person.phone }))
            .await?;
    }
    for number in 0..TICKETS_IN_ALL {
        let again = if number < TICKETS.len() { "" } else { " (again)" };
        make("/tickets", json!({ "subject": format!("{}{again}", TICKETS[number % TICKETS.len()]) })).await?;
    }
    for file in attachments::files() {
        make("/files", file).await?;
    }
    Ok(())
}

/// The old mailbox is given up.
pub async fn give_up_the_old_mailbox(script: &Script) -> anyhow::Result<()> {
    let path = format!("/antiphon/v1/channel-accounts/{}", OLD.account);
    script.call(key::ALL, "DELETE", &path, &Value::Null).await.map(drop)
}

/// The second portal: small, and nobody else's business.
pub async fn furnish_the_other(script: &Script) -> anyhow::Result<()> {
    let make = async |path: &str, body: Value| {
        script.call(key::OTHER, "POST", &format!("/antiphon/v1{path}"), &body).await
    };
    make("/inboxes", json!({ "name": "Front office" })).await?;
    let identifier = json!({ "type": "HS_EMAIL_ADDRESS", "value": "office@quillfeather.example" });
    make(
        "/channel-accounts",
        json!({ "name": "Office", "channelId": "1002", "inboxId": "1", "deliveryIdentifier": identifier }),
    )
    .await?;
    make("/agents", json!({ "id": 71, "name": "Ruth Amsel", "email": "ruth@quillfeather.example" })).await?;
    for (name, email, text) in [
        ("Paul Ito", "paul@ito.example", "Is the reading on Thursday still on?"),
        ("Wanda Grau", "wanda@grau.example", "Please send me two copies, one of them signed."),
        ("Paul Ito", "paul@ito.example", "One more question: is there a step at the door?"),
    ] {
        let sender = json!({ "name": name, "email": email });
        let body = json!({ "channelAccountId": "1", "sender": sender, "text": text, "subject": "Reading", "newThread": true });
        make("/messages/incoming", body).await?;
    }
    Ok(())
}
