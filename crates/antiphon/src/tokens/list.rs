//! The tokens of the portal by id, expired and revoked ones included, without what is secret about them. Access tokens are not
//! among them: they are not kept.

use antiphon_store::Used;
use antiphon_wire::cursor::List;
use antiphon_wire::timestamp::Timestamp;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /tokens`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Tokens)?;
    // A cursor's number is the token's, bit by bit.
    let after = asked.after.map(|number| super::last(number.cast_unsigned()));
    let found = call.caller.directory.tokens().after(after).filter(|token| token.grant_id.is_none());
    // One more than the page holds, to see whether there are any.
    let found: Vec<_> = found.take(asked.limit + 1).collect();
    let used: Vec<_> = found.iter().map(|token| Used::Token(token.hash)).collect();
    let used = call.app.uses.last(&call.app.store, call.caller.portal(), &used).await?;
    let shown = found.into_iter().zip(used).map(|(token, at)| {
        let mut shown = super::shown(token);
        shown.last_used_at = at.map(Timestamp);
        (super::number(token).cast_signed(), shown)
    });
    listing::by_id(&call, List::Tokens, asked, shown)
}
