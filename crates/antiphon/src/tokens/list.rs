//! The tokens of the portal by id, expired and revoked ones included, without what is secret about them.

use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /tokens`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Tokens)?;
    // A cursor's number is the token's, bit by bit.
    let after = asked.after.map(|number| super::last(number.cast_unsigned()));
    let found = call.caller.directory.tokens().after(after);
    let shown = found.map(|token| (super::number(token).cast_signed(), super::shown(token)));
    listing::by_id(&call, List::Tokens, asked, shown)
}
