//! A page of a thread's history, spliced from what is stored.

use antiphon_store::{HistoryQuery, Position};
use antiphon_wire::cursor::Cursor;
use antiphon_wire::message as wire;
use antiphon_wire::page::{Link, Page};

use crate::call::{Answer, Call};
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::list::Asked;
use crate::threads::{path, thread_id};

/// `GET /threads/{threadId}/messages`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let query = asked(&call)?;
    let archived = query.archived;
    let mut out = Vec::with_capacity(query.limit.min(100) * 1536);
    let mut page = Page::open(&mut out);
    let links = Links::of(&call);
    let mut sink = |document: &[u8]| page.item(|out| wire::complete(document, archived, &links, out));
    let found = call.app.store.history(call.caller.portal(), id, &query, &mut sink).await?;
    let next = found.ok_or_else(|| Refusal::not_found(path(&call, 0)))?.next;
    let cursor = next.map(|Position(position)| Cursor::Messages { ascending: query.ascending, position });
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    page.close(cursor.as_ref().map(|cursor| (cursor, &link)), None);
    Ok(Answer::ok(out))
}

fn asked(call: &Call) -> Result<HistoryQuery, Refusal> {
    let mut query = Asked::new(&call.query);
    let archived = query.flag("archived").unwrap_or(false);
    let ascending = match query.sort() {
        None | Some("-createdAt") => false,
        Some("createdAt") => true,
        Some(other) => {
            query.problem("sort", format!("`{other}` is not a sort key here; use createdAt or -createdAt"));
            false
        }
    };
    let after = query.after(|cursor| match cursor {
        Cursor::Messages { ascending: way, position } if way == ascending => Some(Position(position)),
        _ => None,
    });
    let limit = query.limit();
    query.done()?;
    Ok(HistoryQuery { archived, ascending, after, limit })
}
