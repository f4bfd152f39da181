//! Access tokens: which grant, until when, and a signature. Nothing is kept of one but that it was revoked.

use std::sync::Arc;

use antiphon_store::{AppId, Directory, Grant, Millis, PortalId, Token};
use antiphon_wire::error::Envelope;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::app::App;
use crate::call::Caller;
use crate::keys::{Keys, Purpose};
use crate::middleware::error::Failure;
use crate::middleware::token::hash;
use crate::refusal::Refusal;

/// With what an access token begins.
pub const PREFIX: &str = "aph_";

/// Scopes that open something beyond one portal's data: what an app may have for itself.
const OF_APPS: [&str; 3] = ["webhooks", "developer", "private-apps"];

/// What an access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub portal: PortalId,
    pub grant: i64,
    pub expires_at: Millis,
}

/// A fresh token of a grant.
///
/// # Errors
/// When the server has no key to sign with.
pub fn mint(keys: &Keys, access: Access) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(80);
    for number in [access.portal.0, access.grant, access.expires_at] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    // Two that are given out in the same moment differ.
    bytes.extend_from_slice(&Uuid::new_v4().as_bytes()[..8]);
    let signed = keys.sign(Purpose::AccessToken, &bytes)?;
    bytes.extend_from_slice(&u32::try_from(signed.key).unwrap_or_default().to_be_bytes());
    bytes.extend_from_slice(&signed.mac);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// What a token says, if the server has signed it.
pub fn read(keys: &Keys, sent: &str) -> Option<Access> {
    let bytes = URL_SAFE_NO_PAD.decode(sent.strip_prefix(PREFIX)?).ok()?;
    let (said, signed) = bytes.split_at_checked(32)?;
    let (key, mac) = signed.split_first_chunk::<4>()?;
    if !keys.verify(Purpose::AccessToken, said, u32::from_be_bytes(*key).into(), mac) {
        return None;
    }
    let number =
        |at: usize| said.get(at..).and_then(|rest| rest.first_chunk()).map(|n| i64::from_be_bytes(*n));
    Some(Access { portal: PortalId(number(0)?), grant: number(8)?, expires_at: number(16)? })
}

/// How a token stands.
pub enum Standing {
    /// It opens what was granted.
    Alive(Arc<Grant>, Arc<Directory>),
    /// It is none, or was revoked.
    Unknown,
    /// It ended so many milliseconds ago.
    Expired(Millis),
    /// The app is suspended, or not installed any more.
    Banned,
}

/// How a token stands now.
///
/// # Errors
/// When the store does not answer.
pub async fn standing(app: &App, sent: &str) -> Result<(Option<Access>, Standing), Refusal> {
    let Some(access) = read(&app.keys, sent) else { return Ok((None, Standing::Unknown)) };
    let Some(directory) = app.store.directory(access.portal).await? else {
        return Ok((None, Standing::Unknown));
    };
    let now = app.store.now();
    // Whatever became of its grant: that may have been cleared away since.
    if access.expires_at <= now {
        return Ok((Some(access), Standing::Expired(now - access.expires_at)));
    }
    let Some(grant) = directory.grants().get(&access.grant).cloned() else {
        return Ok((None, Standing::Unknown));
    };
    let revoked = directory.tokens().get(&hash(sent)).is_some_and(|token| token.revoked_at.is_some());
    let standing = match &grant.uninstalled_at {
        None if revoked || grant.ended_at.is_some() => Standing::Unknown,
        Some(_) => Standing::Banned,
        None if directory.app(grant.app_id).is_none_or(|app| !app.active) => Standing::Banned,
        None => Standing::Alive(grant, directory),
    };
    Ok((Some(access), standing))
}

/// Who calls with a token.
///
/// # Errors
/// 401 or 403, in the words on which clients ask for another one.
pub async fn caller(app: &App, sent: &str) -> Result<Caller, Failure> {
    let (access, standing) = standing(app, sent).await?;
    match (access, standing) {
        (Some(access), Standing::Alive(grant, directory)) => {
            let token = Token { hash: hash(sent), ..shown(&grant, access) };
            Ok(Caller { token: Arc::new(token), directory, operator: false, agent: None })
        }
        (_, Standing::Expired(ago)) => Err(Failure::unauthenticated(Envelope::expired(ago))),
        (_, Standing::Banned) => Err(Envelope::banned().into()),
        _ => Err(Failure::no_token()),
    }
}

/// A grant's token, as if it were kept. Of what an app has for itself, nothing opens a portal's data.
fn shown(grant: &Grant, access: Access) -> Token {
    let own = |scope: &&String| OF_APPS.iter().any(|of| scope.starts_with(of));
    let scopes = match grant.user_id {
        Some(_) => grant.scopes.clone(),
        None => grant.scopes.iter().filter(own).cloned().collect(),
    };
    Token {
        hash: antiphon_store::TokenHash([0; 32]),
        portal_id: access.portal,
        app_id: AppId(grant.app_id.0),
        label: format!("grant {}", grant.id),
        scopes,
        created_at: access.expires_at - super::LIFE,
        expires_at: Some(access.expires_at),
        revoked_at: None,
        grant_id: Some(grant.id),
        deleted_at: None,
    }
}

/// The row that says that a token was revoked.
pub fn revoked(sent: &str, grant: &Grant, access: Access, now: Millis) -> Token {
    Token { hash: hash(sent), revoked_at: Some(now), scopes: Vec::new(), ..shown(grant, access) }
}

/// Whether a caller's token still opens something, where it is one of these.
pub fn still_opens(token: &Token, directory: &Directory, now: Millis) -> Option<bool> {
    let Some(grant) = directory.grants().get(&token.grant_id?) else { return Some(false) };
    let revoked = directory.tokens().get(&token.hash).is_some_and(|token| token.revoked_at.is_some());
    let ended = revoked || grant.ended_at.is_some() || grant.uninstalled_at.is_some();
    Some(!ended && token.expires_at.is_some_and(|at| now < at))
}

#[cfg(test)]
mod tests {
    use antiphon_store::SigningKey;

    use super::*;

    #[test]
    fn a_token_says_what_it_was_given_for_and_nothing_else_is_one() {
        let key = |value| Keys::new(&[SigningKey { id: 1, value, created_at: 0, ends_at: None }], 0);
        let keys = key([7; 32]);
        let access = Access { portal: PortalId(90_210), grant: 12, expires_at: 1_780_000_000_000 };
        let token = mint(&keys, access).unwrap();
        assert!(token.len() <= 128 && token.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)));
        assert_eq!(read(&keys, &token), Some(access));
        assert_ne!(mint(&keys, access).unwrap(), token);
        assert_eq!(read(&key([8; 32]), &token), None, "another server's");
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last character has bits that say nothing.
            assert!(read(&keys, &forged).is_none() || at == token.len() - 1, "{forged}");
        }
        for sent in ["", "aph_", "aph_AAAA", &token[..token.len() - 4], &format!("{token}AAAA")] {
            assert_eq!(read(&keys, sent), None, "{sent}");
        }
    }
}
