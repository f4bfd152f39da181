//! One thread.

use super::{path, print_known, thread_id};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /threads/{threadId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let mut query = super::list::Asked::new(&call.query);
    let archived = query.flag("archived").unwrap_or(false);
    let with_ticket = query.association();
    query.done()?;
    let thread = call.app.store.thread_by_id(call.caller.portal(), id).await?;
    let thread = thread.filter(|thread| thread.is_archived() == archived);
    let thread = thread.ok_or_else(|| Refusal::not_found(path(&call, 0)))?;
    let mut out = Vec::with_capacity(512);
    print_known(&thread, with_ticket, &mut out);
    Ok(Answer::ok(out))
}
