//! Who calls by a session: a browser with the cookie, as long as no other page can have had it ask.

use std::sync::Arc;

use antiphon_store::{PortalId, SessionId, Token, TokenHash};
use antiphon_wire::error::Envelope;
use http::header::{COOKIE, HeaderValue};
use http::request;
use sha2::{Digest, Sha256};

use super::error::Failure;
use super::form::Form;
use super::{Trail, origin, token};
use crate::app::App;
use crate::call::Caller;
use crate::middleware::Peer;
use crate::operation::{Operation, Verb};
use crate::refusal::Refusal;
use crate::sessions::csrf::{self, Site};
use crate::sessions::standing::{self, LIFE, Standing};
use crate::sessions::{self, SignedIn, cookie, role};

/// The caller behind a cookie; `None` where there is no session that is good.
pub(super) async fn caller(
    app: &App,
    peer: &Peer,
    head: &request::Parts,
    (operation, form): (&Operation, &Form),
    trail: &mut Trail,
) -> Result<Option<Caller>, Failure> {
    let Some(sent) = cookies(head).as_deref().and_then(cookie::sent) else { return Ok(None) };
    let found = sessions::found(&app.store, &sent).await.map_err(Refusal::from)?;
    let Some((session, standing)) = found else { return Ok(None) };
    let (portal, now) = (sent.portal, app.store.now());
    let Some(directory) = app.store.directory(portal).await.map_err(Refusal::from)? else { return Ok(None) };
    let Some((_, login)) = sessions::who(&session, &directory, now) else { return Ok(None) };
    let role = login.role;
    let reached = origin::of(app, peer, head);
    if !is_own(app, head, (operation.verb, form), (portal, session.id), &reached) {
        return Err(Envelope::foreign().into());
    }
    match standing {
        Standing::Due => {
            let fresh = cookie::fresh(portal, session.id);
            let next = (fresh.hash, now);
            let offered = app.store.session_offer(portal, session.id, sent.secret, next, standing::lost(now));
            // Of two pages at once one is given the new secret. Where nothing can be written it is offered later.
            if matches!(offered.await, Ok(true)) {
                let left = session.created_at + LIFE - now;
                trail.cookie = HeaderValue::try_from(cookie::set(&fresh, &reached, left)).ok();
            }
        }
        Standing::Offered => {
            let turned = standing::turned(&session, now);
            if let Err(error) = app.store.session_turn(portal, session.id, sent.secret, turned).await {
                tracing::debug!(%error, "a session goes on with the secret it had");
            }
        }
        Standing::Good | Standing::Before | Standing::Stale | Standing::Unknown => {}
    }
    let token = Token {
        hash: standing_in(portal, session.id),
        ..token::made_up("session", portal, role::scopes(role).iter().map(|one| one.name().into()).collect())
    };
    let agent = SignedIn { session: session.id, agent: session.agent_id, role };
    Ok(Some(Caller { token: Arc::new(token), directory, operator: false, agent: Some(agent) }))
}

/// Under what a session goes where tokens go by their hashes. No token has this one.
fn standing_in(portal: PortalId, id: SessionId) -> TokenHash {
    let said = [b"session\n", portal.0.to_be_bytes().as_slice(), &id.0].concat();
    TokenHash(Sha256::digest(said).into())
}

/// The cookies of a request.
fn cookies(head: &request::Parts) -> Option<String> {
    let all = head.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let all = all.collect::<Vec<_>>().join("; ");
    (!all.is_empty()).then_some(all)
}

/// Whether a page of ours made a request, as far as it matters. What only reads may come from anywhere: no other page can see
/// what is answered. What goes on must not, since a WebSocket's answers can be seen.
fn is_own(
    app: &App,
    head: &request::Parts,
    (verb, form): (Verb, &Form),
    (portal, id): (PortalId, SessionId),
    reached: &str,
) -> bool {
    let site = csrf::site(&head.headers, reached);
    let brought = || csrf::brought(&app.keys, &head.headers, portal, id);
    match (verb, form) {
        (Verb::Get, Form::Whole) => true,
        (Verb::Get, _) => site == Site::Own || (site == Site::Unsaid && brought()),
        _ => site == Site::Own && brought(),
    }
}
