//! The views that are there for the caller.

use antiphon_store::{View, ViewId};
use antiphon_wire::cursor::List;

use crate::call::{Answer, Call};
use crate::listing::{self, Source};
use crate::refusal::Refusal;

/// `GET /views`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let me = super::me(&call);
    let views = call.caller.directory.views();
    let source = Source {
        list: List::Views,
        objects: views,
        id: ViewId,
        matches: Ok(Some(move |view: &View| super::is_for(view, me))),
    };
    listing::page(&call, source, |id| views.get(&id).map(AsRef::as_ref), super::shown)
}
