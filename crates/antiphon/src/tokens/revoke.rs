//! Revoking a token: from the next request on it opens nothing.

use antiphon_store::{Directory, DirectoryChange, Millis, Token};

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `DELETE /tokens/{tokenId}`
pub async fn revoke(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0).to_owned();
    directory::change(&call, move |state, moment| {
        Ok(vec![DirectoryChange::Token(revoked(&state.directory, &sent, moment.now)?)])
    })
    .await?;
    Ok(Answer::none())
}

/// The rule. The first revocation stands.
fn revoked(directory: &Directory, sent: &str, now: Millis) -> Result<Token, Refusal> {
    let token = super::named(directory, sent)?;
    Ok(Token { revoked_at: token.revoked_at.or(Some(now)), ..Token::clone(&token) })
}
