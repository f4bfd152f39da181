//! Replacing a token by a fresh one. The old one lives on for seven days, unless it is to end at once.

use antiphon_store::{Directory, DirectoryChange, Moment, State, Token, TokenHash};
use antiphon_wire::own::TokenRotate;

use crate::call::{Answer, Call};
use crate::directory;
use crate::middleware::token;
use crate::refusal::Refusal;

/// How long the old token lives on, in milliseconds.
const GRACE: i64 = 7 * 24 * 60 * 60 * 1000;

/// `POST /tokens/{tokenId}/rotate`
pub async fn rotate(call: Call) -> Result<Answer, Refusal> {
    let body: TokenRotate = if call.body.is_empty() { TokenRotate::default() } else { call.json()? };
    let sent = call.segment(0).to_owned();
    let secret = super::secret(&call.app.config.region);
    let (fresh, at_once) = (token::hash(&secret), body.at_once.unwrap_or_default());
    let rule =
        move |state: &State, moment: &mut Moment| rotated(&state.directory, &sent, fresh, at_once, moment);
    let changes = directory::change(&call, rule).await?;
    let made = changes.into_iter().find_map(|change| match change {
        DirectoryChange::Token(token) if token.hash == fresh => Some(token),
        _ => None,
    });
    let mut shown = super::shown(&made.ok_or_else(|| Refusal::Internal("no token came of it".into()))?);
    shown.token = Some(secret);
    Answer::json(201, &shown)
}

/// The rule.
fn rotated(
    directory: &Directory,
    sent: &str,
    fresh: TokenHash,
    at_once: bool,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let old = super::named(directory, sent)?;
    if old.revoked_at.is_some() || old.expires_at.is_some_and(|at| at <= moment.now) {
        return Err(Refusal::not_found(sent));
    }
    let made = Token { hash: fresh, created_at: moment.now, ..Token::clone(&old) };
    let mut old = Token::clone(&old);
    if at_once {
        old.revoked_at = Some(moment.now);
    } else {
        let end = moment.now + GRACE;
        old.expires_at = Some(old.expires_at.map_or(end, |at| at.min(end)));
    }
    Ok(vec![DirectoryChange::Token(old), DirectoryChange::Token(made)])
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AppId, PortalId};

    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn the_old_one_ends_in_a_week_or_at_once() {
        let mut directory = Directory::clone(&testing::state().directory);
        let old = Token {
            hash: TokenHash([1; 32]),
            portal_id: PortalId(1),
            app_id: AppId(4410),
            label: "Importer".into(),
            scopes: vec!["conversations.read".into()],
            created_at: 5,
            expires_at: None,
            revoked_at: None,
            grant_id: None,
            deleted_at: None,
        };
        let id = crate::tokens::id(&old);
        directory.put(DirectoryChange::Token(old.clone()));
        let fresh = TokenHash([2; 32]);
        for (at_once, expires_at, revoked_at) in [(false, Some(NOW + GRACE), None), (true, None, Some(NOW))] {
            let changes = rotated(&directory, &id, fresh, at_once, &mut Moment::still(NOW)).unwrap();
            let [DirectoryChange::Token(ended), DirectoryChange::Token(made)] = changes.as_slice() else {
                panic!()
            };
            assert_eq!((ended.expires_at, ended.revoked_at), (expires_at, revoked_at));
            assert_eq!(*made, Token { hash: fresh, created_at: NOW, ..old.clone() });
        }
        directory.put(DirectoryChange::Token(Token { revoked_at: Some(6), ..old }));
        assert!(rotated(&directory, &id, fresh, false, &mut Moment::still(NOW)).is_err());
        assert!(rotated(&directory, "nobody", fresh, false, &mut Moment::still(NOW)).is_err());
    }
}
