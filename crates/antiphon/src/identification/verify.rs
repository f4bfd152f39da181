//! Knowing a token again.

use antiphon_store::{Directory, Millis};
use antiphon_wire::error::Problem;
use antiphon_wire::id::Id;
use antiphon_wire::identification::{
    IdentifiedVisitor, VisitorTokenFlaw as Flaw, VisitorTokenSays, VisitorTokenVerify,
};
use antiphon_wire::timestamp::Timestamp;

use super::token::Identity;
use crate::call::{Answer, Call};
use crate::keys::Keys;
use crate::refusal::Refusal;

/// `POST /visitor-tokens/verify`: for operators and tests, who see what a chat would be told.
pub async fn verify(call: Call) -> Result<Answer, Refusal> {
    let body: VisitorTokenVerify = call.json()?;
    let token = body.token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Refusal::Invalid(vec![Problem::required("token")]))?;
    let app = &call.app;
    let directory = crate::directory::now(&call).await?;
    let says = match identified(&token, body.email.as_deref(), &directory, app.store.now(), &app.keys) {
        Ok(identity) => VisitorTokenSays { valid: true, flaw: None, visitor: Some(shown(identity)) },
        Err(flaw) => VisitorTokenSays { valid: false, flaw: Some(flaw), visitor: None },
    };
    Answer::json(200, &says)
}

/// Whom a token identifies to an account. A page says for which address it is; where one is named, it has to be that.
///
/// # Errors
/// Why it identifies nobody.
pub fn identified(
    token: &str,
    email: Option<&str>,
    directory: &Directory,
    now: Millis,
    keys: &Keys,
) -> Result<Identity, Flaw> {
    let identity = Identity::read(token, directory.portal.id, now, keys)?;
    if directory.app(identity.app).is_some_and(|app| !app.active) {
        return Err(Flaw::Suspended);
    }
    match email {
        Some(email) if !identity.is_for(email) => Err(Flaw::OtherEmail),
        _ => Ok(identity),
    }
}

fn shown(identity: Identity) -> IdentifiedVisitor {
    let Identity { app, expires_at, said, .. } = identity;
    IdentifiedVisitor {
        email: said.email,
        first_name: said.first_name,
        last_name: said.last_name,
        context: said.context,
        app_id: Id(app.0),
        expires_at: Timestamp(expires_at),
    }
}
