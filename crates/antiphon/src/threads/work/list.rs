//! A page of threads as agents see them, the one last spoken in first.

use antiphon_store::{
    AccountId, InboxId, KnownThread, TagId, Thread, ThreadId, ThreadPosition, View, ViewId, ViewWhose,
    VisitorId, Whose, WorkQuery,
};
use antiphon_wire::cursor::{Cursor, List};
use antiphon_wire::id::{MAX_INT32, MAX_SAFE};
use antiphon_wire::page::{Link, Page};
use antiphon_wire::query::Query;
use antiphon_wire::work::WorkState;

use super::super::list::Asked;
use super::state_stored;
use crate::actors::acting::actor;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::views;

/// Threads of a page when nothing is asked for, and at most.
const USUAL: usize = 50;
const MOST: usize = 200;

/// Most accounts, and most inboxes, that are asked for at once.
const MOST_NAMED: usize = 100;

/// What says the same as a view does.
const FILTERS: [&str; 5] = ["state", "inboxId", "channelAccountId", "assignee", "tagId"];

/// `GET /threads`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let me = views::me(&call);
    let query = asked(&call.query, me, |id| views::visible(&call.caller.directory, id, me).cloned())?;
    let mut found = Vec::new();
    let mut sink = |thread: &KnownThread| found.push(Thread::clone(thread));
    let next = match &query {
        Some(query) => call.app.store.work(call.caller.portal(), query, &mut sink).await?.next,
        None => None,
    };
    let shown = super::print(&call, &found).await?;
    let mut out = Vec::with_capacity(512 * shown.len() + 64);
    let mut page = Page::open(&mut out);
    for thread in &shown {
        let mut printed = Ok(());
        page.item(|out| printed = serde_json::to_writer(out, thread));
        printed.map_err(|e| Refusal::Internal(e.to_string()))?;
    }
    let cursor = next.map(cursor);
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    page.close(cursor.as_ref().map(|cursor| (cursor, &link)), None);
    Ok(Answer::ok(out))
}

fn cursor(at: ThreadPosition) -> Cursor {
    Cursor::Directory { list: List::Work, sort: 0, key: at.key.to_be_bytes().to_vec(), id: at.id.0 }
}

fn position(cursor: Cursor) -> Option<ThreadPosition> {
    match cursor {
        Cursor::Directory { list: List::Work, sort: 0, key, id } => {
            Some(ThreadPosition { key: i64::from_be_bytes(key.try_into().ok()?), id: ThreadId(id) })
        }
        _ => None,
    }
}

/// What is asked for; nothing if that can be no thread. `me` is the number of the agent who is asking.
fn asked(
    query: &Query,
    me: Option<i64>,
    view: impl FnOnce(ViewId) -> Option<View>,
) -> Result<Option<WorkQuery>, Refusal> {
    let mut asked = Asked::new(query);
    let limit = asked.keep(|query| query.limit("limit", USUAL, MOST)).unwrap_or(USUAL);
    let after = asked.after(position);
    let visitor = asked.keep(|query| query.id("contactId", MAX_SAFE)).flatten().map(VisitorId);
    if let Some(sent) = asked.sort().filter(|sent| *sent != "latest") {
        asked.problem("sort", format!("`{sent}` is not a sort key here; use latest"));
    }
    let wanted = match asked.keep(|query| query.id("viewId", MAX_INT32)).flatten() {
        Some(id) => {
            for name in FILTERS.into_iter().filter(|name| asked.has(name)).collect::<Vec<_>>() {
                asked.problem(name, format!("{name} and viewId cannot be used together"));
            }
            let found = view(ViewId(id));
            if found.is_none() {
                asked.problem("viewId", format!("View {id} does not exist in this account"));
            }
            found.and_then(|view| views::query(&view, me))
        }
        None => Some(filters(&mut asked, me)),
    };
    asked.done()?;
    Ok(wanted.map(|wanted| WorkQuery { visitor, after, limit, ..wanted }))
}

fn filters(asked: &mut Asked<'_>, me: Option<i64>) -> WorkQuery {
    let inboxes = ids(asked, "inboxId", MAX_INT32).into_iter().map(InboxId).collect();
    let accounts = ids(asked, "channelAccountId", MAX_SAFE).into_iter().map(AccountId).collect();
    let tag = asked.keep(|query| query.id("tagId", MAX_INT32)).flatten();
    let mut states = Vec::new();
    for sent in asked.list("state") {
        states.extend(asked.keep(|_| WorkState::read("state", sent)).map(state_stored));
    }
    let whose = match asked.text("assignee").map(views::whose) {
        None | Some(Ok(ViewWhose::Anybodys)) => Whose::Anybodys,
        Some(Ok(ViewWhose::Nobodys)) => Whose::Nobodys,
        Some(Ok(ViewWhose::Of(actor))) => Whose::Of(actor),
        Some(Ok(ViewWhose::Mine)) => match me {
            Some(me) => Whose::Of(actor(me)),
            None => {
                asked.problem("assignee", "Only agents who are signed in have threads of their own");
                Whose::Anybodys
            }
        },
        Some(Err(why)) => {
            asked.problem("assignee", why);
            Whose::Anybodys
        }
    };
    // A number below 1 names no tag: nothing is found by it.
    WorkQuery { states, inboxes, accounts, whose, tag: tag.map(TagId), ..WorkQuery::default() }
}

fn ids(asked: &mut Asked<'_>, name: &str, max: i64) -> Vec<i64> {
    let found = asked.keep(|query| query.ids(name, max)).unwrap_or_default();
    if found.len() > MOST_NAMED {
        asked.problem(name, format!("At most {MOST_NAMED} can be named at once"));
    }
    found
}
