//! What is said of a change: the object, and those of its members that are others now. Secrets are never said, only that they
//! changed.

use antiphon_store::{ActorKind, Directory, DirectoryChange, InboxKind};
use serde_json::{Map, Value, json};

use crate::oauth::client_id;
use crate::sessions::role;
use crate::tokens;

/// Longest text that is told.
const LONGEST: usize = 300;

/// What a change does, as it is kept.
pub(super) fn of(current: &Directory, change: &DirectoryChange) -> Value {
    let (object, id, before, after) = told(current, change);
    let mut said = json!({ "object": object, "id": id });
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let other: Vec<String> = before
                .keys()
                .chain(after.keys())
                .filter(|key| before.get(*key) != after.get(*key))
                .cloned()
                .collect();
            let only = |mut of: Map<String, Value>| {
                of.retain(|key, _| other.contains(key));
                of
            };
            (Some(only(before)), Some(only(after)))
        }
        both => both,
    };
    if let Some(before) = before {
        said["before"] = Value::Object(before);
    }
    if let Some(after) = after {
        said["after"] = Value::Object(after);
    }
    said
}

type Told = (&'static str, String, Option<Map<String, Value>>, Option<Map<String, Value>>);

/// Of an object: its name, its id, and what it was and is.
fn told(current: &Directory, change: &DirectoryChange) -> Told {
    match change {
        DirectoryChange::Portal(one) => ("PORTAL", one.id.to_string(), portal(&current.portal), portal(one)),
        DirectoryChange::Inbox(one) => {
            ("INBOX", one.id.to_string(), current.inbox(one.id).and_then(inbox), inbox(one))
        }
        DirectoryChange::Account(one) => {
            ("CHANNEL_ACCOUNT", one.id.to_string(), current.account(one.id).and_then(account), account(one))
        }
        DirectoryChange::AccountPurged(id, _) => {
            ("CHANNEL_ACCOUNT", id.to_string(), current.account(*id).and_then(account), None)
        }
        DirectoryChange::Actor(one) => {
            let name = match one.kind {
                ActorKind::Agent => "AGENT",
                ActorKind::Bot => "BOT",
                ActorKind::Llm => "LLM",
            };
            (name, one.id.to_string(), current.actor(one.kind, one.id).and_then(actor), actor(one))
        }
        DirectoryChange::App(one) => {
            let before = current.own_app(one.id);
            let mut after = app(one);
            if let (Some(before), Some(after)) = (before, &mut after) {
                for (name, same) in [
                    ("clientSecret", before.client_secret == one.client_secret),
                    ("developerKey", before.developer_key == one.developer_key),
                ] {
                    if !same {
                        after.insert(name.into(), "replaced".into());
                    }
                }
            }
            ("APP", one.id.to_string(), before.and_then(app), after)
        }
        DirectoryChange::Token(one) => {
            let before = current.tokens().get(&one.hash).and_then(|one| token(one));
            ("TOKEN", tokens::id(one), before, token(one).filter(|_| one.deleted_at.is_none()))
        }
        DirectoryChange::Login(one) => {
            let before = current.login(one.agent_id);
            let mut after = login(one);
            if let (Some(before), Some(after)) = (before, &mut after)
                && before.password != one.password
            {
                after.insert("password".into(), "replaced".into());
            }
            ("LOGIN", one.agent_id.to_string(), before.and_then(login), after)
        }
        _ => apps(current, change),
    }
}

/// The same for what concerns apps, and the rest.
fn apps(current: &Directory, change: &DirectoryChange) -> Told {
    match change {
        DirectoryChange::Webhook(one) => {
            let shown = |one: &antiphon_store::Webhook| {
                map(json!({ "targetUrl": one.target_url, "maxConcurrentRequests": one.max_concurrent,
                            "paused": one.paused.as_ref().map(|paused| text(&paused.why)) }))
            };
            let after = shown(one).filter(|_| one.deleted_at.is_none());
            ("WEBHOOK", one.app_id.to_string(), current.webhook(one.app_id).and_then(shown), after)
        }
        DirectoryChange::Subscription(one) => {
            let shown = |one: &antiphon_store::Subscription| {
                map(json!({ "appId": one.app_id.to_string(), "eventType": text(&one.event_type),
                            "propertyName": one.property_name.as_deref().map(text), "active": one.active }))
            };
            let before = current.subscription(one.app_id, one.id).and_then(shown);
            ("SUBSCRIPTION", one.id.to_string(), before, shown(one).filter(|_| one.deleted_at.is_none()))
        }
        DirectoryChange::JournalSubscription(one) => {
            let shown = || map(json!({ "appId": one.app_id.to_string() }));
            let known = current.journal_subscriptions(one.app_id).any(|known| known.id == one.id);
            let after = shown().filter(|_| one.deleted_at.is_none());
            ("JOURNAL_SUBSCRIPTION", one.id.to_string(), shown().filter(|_| known), after)
        }
        DirectoryChange::Channel(one) => {
            let shown = |one: &antiphon_store::Channel| {
                map(
                    json!({ "appId": one.app_id.to_string(), "name": text(&one.name), "webhookUrl": one.webhook_url,
                            "archived": one.archived_at.is_some() }),
                )
            };
            ("CHANNEL", one.id.to_string(), current.channel(one.id).and_then(shown), shown(one))
        }
        DirectoryChange::StagingToken(one) => {
            let after =
                map(json!({ "channelId": one.channel_id.to_string(), "inboxId": one.inbox_id.to_string() }));
            ("CHANNEL_CONNECTION", one.channel_id.to_string(), None, after)
        }
        DirectoryChange::Client(one) => {
            let shown = |one: &antiphon_store::Client| {
                map(json!({ "redirectUris": one.redirect_uris, "scopes": one.scopes }))
            };
            ("OAUTH_CLIENT", client_id(one.app_id), current.client(one.app_id).and_then(shown), shown(one))
        }
        DirectoryChange::Grant(one) => {
            let shown = |one: &antiphon_store::Grant| {
                map(json!({ "appId": one.app_id.to_string(), "userId": one.user_id.map(|id| id.to_string()),
                            "scopes": one.scopes, "takenUp": one.refresh.is_some(), "ended": one.ended_at.is_some(),
                            "uninstalled": one.uninstalled_at.is_some() }))
            };
            let before = current.grants().get(&one.id).and_then(|one| shown(one));
            ("GRANT", one.id.to_string(), before, shown(one).filter(|_| one.deleted_at.is_none()))
        }
        DirectoryChange::Install(one) => {
            let shown = |one: &antiphon_store::Install| {
                map(json!({ "scopes": one.scopes, "installed": one.uninstalled_at.is_none() }))
            };
            ("INSTALL", one.app_id.to_string(), current.install(one.app_id).and_then(shown), shown(one))
        }
        DirectoryChange::Tag(one) => {
            let after = map(json!({ "name": text(&one.name), "archived": one.archived_at.is_some() }));
            ("TAG", one.id.to_string(), None, after)
        }
        DirectoryChange::View(one) => {
            let after = map(json!({ "name": text(&one.name), "shared": one.shared }));
            ("VIEW", one.id.to_string(), None, after.filter(|_| one.deleted_at.is_none()))
        }
        // Told above.
        _ => ("OTHER", String::new(), None, None),
    }
}

fn portal(one: &antiphon_store::Portal) -> Option<Map<String, Value>> {
    let profile = &one.profile;
    map(json!({ "name": text(&one.name), "timeZone": profile.time_zone, "currency": profile.currency,
                "accountType": profile.account_type, "quotaMessages": one.quota.messages, "quotaBytes": one.quota.bytes }))
}

fn inbox(one: &antiphon_store::Inbox) -> Option<Map<String, Value>> {
    map(json!({ "name": text(&one.name), "helpDesk": one.kind == InboxKind::HelpDesk,
                "assignOnReply": one.assign_on_reply, "archived": one.archived_at.is_some() }))
}

fn account(one: &antiphon_store::Account) -> Option<Map<String, Value>> {
    map(
        json!({ "name": text(&one.name), "channelId": one.channel_id.to_string(), "inboxId": one.inbox_id.to_string(),
                "active": one.active, "authorized": one.authorized, "welcome": one.welcome.as_deref().map(text),
                "address": one.identifier.as_ref().map(|address| text(&address.value)),
                "archived": one.archived_at.is_some() }),
    )
}

fn actor(one: &antiphon_store::Actor) -> Option<Map<String, Value>> {
    map(
        json!({ "name": one.name.as_deref().map(text), "email": one.email, "avatar": one.avatar.as_deref().map(text),
                "active": one.active }),
    )
}

fn app(one: &antiphon_store::App) -> Option<Map<String, Value>> {
    map(json!({ "name": text(&one.name), "avatar": one.avatar.as_deref().map(text), "active": one.active }))
}

fn token(one: &antiphon_store::Token) -> Option<Map<String, Value>> {
    map(json!({ "label": text(&one.label), "appId": one.app_id.to_string(), "scopes": one.scopes,
                "expires": one.expires_at.is_some(), "revoked": one.revoked_at.is_some() }))
}

fn login(one: &antiphon_store::Login) -> Option<Map<String, Value>> {
    map(json!({ "role": role::name(one.role), "invited": one.invite.is_some(), "totp": one.totp.is_some(),
                "recoveryCodes": one.recovery.len(), "elsewhere": one.subject.is_some() }))
}

fn map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(mut map) => {
            map.retain(|_, value| !value.is_null());
            Some(map)
        }
        _ => None,
    }
}

/// A text that somebody wrote, shortened.
fn text(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use antiphon_store::{InboxId, Login, Role, TokenHash, Totp};

    use super::*;
    use crate::testing;

    #[test]
    fn what_changed_is_said_and_no_secret_is() {
        let mut directory = Directory::clone(&testing::state().directory);
        let inbox = directory.inbox(InboxId(640)).unwrap().clone();
        let renamed = antiphon_store::Inbox { name: "Care".into(), ..inbox.clone() };
        let said = of(&directory, &DirectoryChange::Inbox(renamed));
        assert_eq!(
            said,
            json!({ "object": "INBOX", "id": "640", "before": { "name": inbox.name }, "after": { "name": "Care" } })
        );
        let login = Login::new(71, "$argon2id$one".into(), Role::Agent, 1);
        let said = of(&directory, &DirectoryChange::Login(login.clone())).to_string();
        assert!(said.contains("\"role\":\"AGENT\"") && !said.contains("argon2"), "{said}");
        directory.put(DirectoryChange::Login(login.clone()));
        let other = Login {
            password: "$argon2id$two".into(),
            totp: Some(Totp(b"a secret that is shared".to_vec())),
            recovery: vec![TokenHash([7; 32])],
            ..login
        };
        let said = of(&directory, &DirectoryChange::Login(other));
        let after = json!({ "password": "replaced", "totp": true, "recoveryCodes": 1 });
        assert_eq!((&said["after"], &said["before"]["totp"]), (&after, &json!(false)));
        let app = directory.apps().iter().next().unwrap();
        let rotated = antiphon_store::App {
            client_secret: "another secret".into(),
            developer_key: "another key".into(),
            ..antiphon_store::App::clone(app)
        };
        let said = of(&directory, &DirectoryChange::App(rotated));
        assert_eq!(said["after"], json!({ "clientSecret": "replaced", "developerKey": "replaced" }));
    }
}
