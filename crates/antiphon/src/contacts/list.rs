//! The contacts of the portal, by id; one of them by email.

use antiphon_store::{VisitorId, VisitorQuery};
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;

/// `GET /contacts`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let asked = listing::asked(&call.query, List::Contacts)?;
    let email = call.query.text("email").map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let query = VisitorQuery {
        contacts: true,
        email: email.map(str::to_owned),
        after: asked.after.map(VisitorId),
        limit: asked.limit + 1,
    };
    let found = call.app.store.visitors(call.caller.portal(), &query).await?;
    listing::by_id(&call, List::Contacts, asked, found.iter().map(|one| (one.id.0, super::shown(one))))
}
