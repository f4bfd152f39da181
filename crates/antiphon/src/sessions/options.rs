//! What a page for signing in has to offer. Anybody may ask: it tells nobody's name.

use antiphon_wire::session as wire;

use super::setup;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /sign-in/options`
pub async fn options(call: Call) -> Result<Answer, Refusal> {
    let config = &call.app.config.oidc;
    let oidc = config.is_on().then(|| wire::OidcOption { name: config.name.clone() });
    let setup = setup::is_open(&call.app.store).await?;
    Answer::json(200, &wire::SignInOptions { oidc, setup, demo: call.app.config.demo })
}
