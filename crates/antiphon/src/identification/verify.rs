//! Knowing a token again.

use antiphon_store::Directory;
use antiphon_wire::error::Problem;
use antiphon_wire::id::Id;
use antiphon_wire::identification::{
    IdentifiedVisitor, VisitorTokenFlaw as Flaw, VisitorTokenSays, VisitorTokenVerify,
};
use antiphon_wire::timestamp::Timestamp;

use super::token::{Identity, Said, Signed};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `POST /visitor-tokens/verify`: for operators and tests, who see what a chat would be told.
pub async fn verify(call: Call) -> Result<Answer, Refusal> {
    let body: VisitorTokenVerify = call.json()?;
    let token = body.token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Refusal::Invalid(vec![Problem::required("token")]))?;
    let directory = crate::directory::now(&call).await?;
    let says = match identified(&call.app, &directory, &token, body.email.as_deref()).await? {
        Ok(identity) => VisitorTokenSays { valid: true, flaw: None, visitor: Some(shown(identity)) },
        Err(flaw) => VisitorTokenSays { valid: false, flaw: Some(flaw), visitor: None },
    };
    Answer::json(200, &says)
}

/// Whom a token identifies to an account, or why nobody. A page says for which address it is; where one is named, it has to be
/// that.
///
/// # Errors
/// When the store does not answer.
pub async fn identified(
    app: &App,
    directory: &Directory,
    token: &str,
    email: Option<&str>,
) -> Result<Result<Identity, Flaw>, Refusal> {
    let signed = match Signed::read(token, directory.portal.id, app.store.now(), &app.keys) {
        Ok(signed) => signed,
        Err(flaw) => return Ok(Err(flaw)),
    };
    if directory.app(signed.app).is_some_and(|app| !app.active) {
        return Ok(Err(Flaw::Suspended));
    }
    let Signed { portal, app: of, expires_at, nonce, said } = signed;
    let said = match said {
        Some(said) => Some(said),
        None => {
            let kept = app.store.visitor_token(portal, expires_at, nonce).await?;
            kept.and_then(|printed| Said::parse(printed.as_bytes()))
        }
    };
    // A backup may be older than its keys' last token.
    let Some(said) = said else { return Ok(Err(Flaw::Forged)) };
    let identity = Identity { portal, app: of, expires_at, said };
    Ok(match email {
        Some(email) if !identity.is_for(email) => Err(Flaw::OtherEmail),
        _ => Ok(identity),
    })
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
