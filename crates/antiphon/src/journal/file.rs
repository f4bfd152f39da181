//! The file of an entry, behind an address that is its own permission: it says until when it is good, and carries a proof
//! that only the server can make.

use antiphon_store::{App, AppId, Millis, PortalId};
use antiphon_wire::id::{MAX_INT32, parse_path_id};
use antiphon_wire::journal as wire;
use antiphon_wire::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// How long an address is good.
const LIFE: Millis = 60 * 60 * 1000;

/// What the signature is for: a secret signs other things too, and none may pass for another.
const CONTEXT: &str = "antiphon journal file 1";

/// The address of an entry's file, good from `now` on.
pub fn fetch(origin: &str, portal: PortalId, app: &App, name: [u8; 16], now: Millis) -> wire::Fetch {
    let (offset, expires) = (super::shown_uuid(name), now + LIFE);
    let signature = signature(&app.client_secret, portal, app.id, name, expires);
    let signature =
        signature.map_or_else(String::new, |mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    wire::Fetch {
        url: format!(
            "{origin}/webhooks-journal/files/{portal}/{}/{offset}?expires={expires}&signature={signature}",
            app.id
        ),
        expires_at: Timestamp(expires),
        current_offset: offset,
    }
}

/// `GET /{portalId}/{appId}/{offset}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = |index| parse_path_id(call.segment(index), MAX_INT32);
    let (portal, app) = (id(0).map(PortalId), id(1).map(AppId));
    let (portal, app) = portal.zip(app).ok_or(Refusal::Forbidden)?;
    let name = super::uuid(call.segment(2)).ok_or(Refusal::Forbidden)?;
    let expires = call.query.int("expires").ok().flatten().ok_or(Refusal::Forbidden)?;
    let sent = call.query.scalar("signature").ok_or(Refusal::Forbidden)?;
    let sent = URL_SAFE_NO_PAD.decode(sent).map_err(|_| Refusal::Forbidden)?;
    let (store, now) = (&call.app.store, call.app.store.now());
    let directory = store.directory(portal).await?.ok_or(Refusal::Forbidden)?;
    let known = directory.app(app).filter(|known| known.active).ok_or(Refusal::Forbidden)?;
    // What was signed shortly before the secret was replaced is good for as long as it says.
    let old = known.old_secret.as_ref().filter(|old| now < old.until).map(|old| old.value.as_str());
    let signed = std::iter::once(known.client_secret.as_str()).chain(old).any(|secret| {
        signature(secret, portal, app, name, expires).is_some_and(|mac| mac.verify_slice(&sent).is_ok())
    });
    if !signed || expires <= now {
        return Err(Refusal::Forbidden);
    }
    let file = store.journal_file(portal, app, name, now - super::KEPT).await?;
    Ok(Answer::ok(file.ok_or_else(|| Refusal::not_found(call.segment(2)))?))
}

fn signature(
    secret: &str,
    portal: PortalId,
    app: AppId,
    name: [u8; 16],
    expires: Millis,
) -> Option<Hmac<Sha256>> {
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    let of = format!("{CONTEXT}\n{portal}\n{app}\n{expires}\n");
    Some(mac.chain_update(of).chain_update(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn an_address_is_good_for_one_file_of_one_app_until_one_moment() {
        let directory = testing::state().directory;
        let app = directory.app(AppId(4410)).unwrap();
        let fetched = fetch("https://kite.example", PortalId(1), app, [7; 16], 1000);
        assert_eq!(fetched.expires_at, Timestamp(1000 + LIFE));
        let (address, sent) = fetched.url.rsplit_once("&signature=").unwrap();
        let path = "/webhooks-journal/files/1/4410/07070707-0707-0707-0707-070707070707?expires=3601000";
        assert_eq!(address, format!("https://kite.example{path}"));
        let sent = URL_SAFE_NO_PAD.decode(sent).unwrap();
        let good = |secret: &str, portal, app, name, expires| {
            let mac = signature(secret, PortalId(portal), AppId(app), name, expires).unwrap();
            mac.verify_slice(&sent).is_ok()
        };
        let secret = app.client_secret.as_str();
        assert!(good(secret, 1, 4410, [7; 16], 1000 + LIFE));
        for (secret, portal, app, name, expires) in [
            ("other", 1, 4410, [7; 16], 1000 + LIFE),
            (secret, 2, 4410, [7; 16], 1000 + LIFE),
            (secret, 1, 4411, [7; 16], 1000 + LIFE),
            (secret, 1, 4410, [8; 16], 1000 + LIFE),
            (secret, 1, 4410, [7; 16], 1001 + LIFE),
        ] {
            assert!(!good(secret, portal, app, name, expires));
        }
    }
}
