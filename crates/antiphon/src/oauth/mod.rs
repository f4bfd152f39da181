//! OAuth: users let apps in, apps get tokens, and anybody who holds a token may ask what it is.
//!
//! What a user grants is a row of the directory. An access token is none: it names its grant and carries a signature, so that
//! the many that are given out in an hour cost nothing to keep, and ends with its grant.

pub mod access;
pub mod authorize;
pub mod clear;
pub mod fields;
pub mod grants;
pub mod info;
pub mod install;
pub mod login;
pub mod me;
pub mod pages;
pub mod redirect;
pub mod session;
pub mod throttle;
pub mod token;

use antiphon_store::{AppId, Millis, PortalId, TokenHash};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How long an access token lives.
pub const LIFE: Millis = 30 * 60 * 1000;

/// How long a code waits to be taken up.
pub const CODE_LIFE: Millis = 10 * 60 * 1000;

/// What an app has by default for itself: the journal.
const OWN_SCOPES: [&str; 4] = [
    "developer.webhooks_journal.read",
    "developer.webhooks_journal.subscriptions.read",
    "developer.webhooks_journal.subscriptions.write",
    "developer.webhooks_journal.snapshots.write",
];

/// By which name clients know an app. It leads to the app, and is the same for ever.
pub fn client_id(app: AppId) -> String {
    let mut bytes = [0; 16];
    let digest = Sha256::digest(format!("antiphon client {app}"));
    bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    named(uuid::Builder::from_random_bytes(bytes).into_uuid(), app.0).to_string()
}

/// The app of a client id.
pub fn app_of(sent: &str) -> Option<AppId> {
    let app = AppId(number(sent)?);
    (client_id(app) == sent.to_ascii_lowercase()).then_some(app)
}

/// A fresh refresh token of a portal: a code behind the server's region.
pub fn refresh_token(region: &str, portal: PortalId) -> String {
    format!("{region}-{}", secret(portal))
}

/// A fresh code of a portal. It leads to the portal, and the rest of it is chance.
pub fn secret(portal: PortalId) -> String {
    named(Uuid::new_v4(), portal.0).to_string()
}

/// The portal of a code or refresh token.
pub fn portal_of(sent: &str) -> Option<PortalId> {
    // The region may have been another one when it was made, and there was none before there were regions.
    let (region, code) = sent.split_at_checked(sent.len().checked_sub(36)?)?;
    let fine = region.is_empty() || region.ends_with('-');
    number(code).filter(|_| fine).map(PortalId)
}

/// What is kept of one.
pub fn hash(secret: &str) -> TokenHash {
    TokenHash(Sha256::digest(secret.as_bytes()).into())
}

fn named(uuid: Uuid, number: i64) -> Uuid {
    let mut bytes = uuid.into_bytes();
    let number = u32::try_from(number).unwrap_or_default().to_be_bytes();
    bytes.iter_mut().zip(number).for_each(|(to, from)| *to = from);
    Uuid::from_bytes(bytes)
}

fn number(sent: &str) -> Option<i64> {
    let uuid = Uuid::try_parse(sent).ok().filter(|_| sent.len() == 36)?;
    uuid.as_bytes().first_chunk::<4>().map(|first| i64::from(u32::from_be_bytes(*first)))
}

/// Whether this can be the name of a scope that may be granted to an app. What reaches beyond a portal may not.
pub fn grantable(scope: &str) -> bool {
    let named = !scope.is_empty() && scope.len() <= 100;
    named
        && scope.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-:/".contains(&c))
        && scope != crate::operation::Scope::Operator.name()
        && scope != crate::operation::Scope::Agent.name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_lead_to_their_apps_and_nothing_else_does() {
        for app in [1, 4410, i64::from(i32::MAX)] {
            let id = client_id(AppId(app));
            assert_eq!((app_of(&id), id.len()), (Some(AppId(app)), 36));
            assert_eq!(app_of(&id.to_uppercase()), Some(AppId(app)));
        }
        let other = Uuid::new_v4().to_string();
        for sent in ["", "1", "x", &other, &client_id(AppId(1)).replace('-', "")] {
            assert_eq!(app_of(sent), None, "{sent}");
        }
        assert_eq!(portal_of(&secret(PortalId(90_210))), Some(PortalId(90_210)));
        assert_ne!(secret(PortalId(1)), secret(PortalId(1)));
        let token = refresh_token("eu1", PortalId(90_210));
        assert!(token.starts_with("eu1-") && portal_of(&token) == Some(PortalId(90_210)));
        for wrong in ["", "eu1-", &token[1..30], &token.replacen('-', "x", 1), "ä-aaaa"] {
            assert_eq!(portal_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_reaches_beyond_a_portal_is_never_granted() {
        for (scope, fine) in [
            ("oauth", true),
            ("crm.objects.contacts.read", true),
            ("antiphon.operator", false),
            ("antiphon.agent", false),
            ("", false),
            ("a b", false),
            ("<b>", false),
        ] {
            assert_eq!(grantable(scope), fine, "{scope}");
        }
    }
}
