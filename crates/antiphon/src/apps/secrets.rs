//! What an app's client secret and developer key open. One that was replaced opens it too, for as long as its overlap lasts.

use antiphon_store::{App, Millis, Replaced};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// A fresh one.
pub fn fresh() -> String {
    Uuid::new_v4().to_string()
}

/// What is kept of a developer key: enough to know it again, and nothing that opens anything.
pub fn hashed(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether this is the app's client secret.
pub fn is_secret(app: &App, sent: &str, now: Millis) -> bool {
    is(&app.client_secret, &app.old_secret, sent, now)
}

/// Whether this is the app's developer key.
pub fn is_key(app: &App, sent: &str, now: Millis) -> bool {
    is(&app.developer_key, &app.old_key, &hashed(sent), now)
}

/// Until when one that was replaced works, if it still does.
pub fn until(old: &Option<Replaced>, now: Millis) -> Option<Millis> {
    old.as_ref().map(|old| old.until).filter(|until| now < *until)
}

/// Whether two are the same. How long that takes says nothing of where they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn is(current: &str, old: &Option<Replaced>, sent: &str, now: Millis) -> bool {
    let old = old.as_ref().is_some_and(|old| same(&old.value, sent) & (now < old.until));
    same(current, sent) | old
}

#[cfg(test)]
mod tests {
    use antiphon_store::AppId;

    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn the_old_one_opens_until_its_overlap_ends() {
        let mut app = testing::state().directory.app(AppId(4410)).unwrap().clone();
        app.client_secret = "new".into();
        app.old_secret = Some(Replaced { value: "old".into(), until: NOW });
        app.developer_key = hashed("key");
        for (sent, now, opens) in [
            ("new", NOW - 1, true),
            ("new", NOW, true),
            ("old", NOW - 1, true),
            ("old", NOW, false),
            ("key", NOW - 1, false),
            ("", NOW - 1, false),
            ("new ", NOW, false),
        ] {
            assert_eq!(is_secret(&app, sent, now), opens, "{sent} at {}", now - NOW);
        }
        assert!(!is_key(&app, &hashed("key"), NOW));
        assert!(is_key(&app, "key", NOW) && !is_key(&app, "new", NOW) && !is_key(&app, "", NOW));
        assert_eq!((until(&app.old_secret, NOW - 1), until(&app.old_secret, NOW)), (Some(NOW), None));
    }
}
