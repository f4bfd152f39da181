//! How agents see threads: tags, views, counts and the lists that these lead to.

use rusqlite::{Connection, Row, params};

use super::failure::Result;
use super::known::Reading;
use crate::directory::work::{numbered, numbers};
use crate::threads::lists::{EXAMINED, Sink};
use crate::threads::work::{of_visitor, page_of, tag_number};
use crate::{
    AccountId, DirectoryChange, InboxId, Kind, Page, PortalId, Tag, TagId, ThreadId, ThreadPosition, View,
    ViewId, ViewWhose, VisitorId, WorkQuery, WorkState,
};

pub(super) const TAGS: &str =
    "SELECT id, name, color, created_at, archived_at FROM tags WHERE portal_id = ?1";

pub(super) const VIEWS: &str = "SELECT id, name, shared, owner_id, position, inboxes, accounts, states, assignee, tag_id, \
     created_at, deleted_at FROM views WHERE portal_id = ?1 AND deleted_at IS NULL";

pub(super) fn tag(row: &Row<'_>) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Tag(Tag {
        id: TagId(row.get(0)?),
        name: row.get(1)?,
        color: row.get(2)?,
        created_at: row.get(3)?,
        archived_at: row.get(4)?,
    }))
}

pub(super) fn view(row: &Row<'_>) -> Result<DirectoryChange> {
    let (inboxes, accounts, states): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
    Ok(DirectoryChange::View(View {
        id: ViewId(row.get(0)?),
        name: row.get(1)?,
        shared: row.get(2)?,
        owner: row.get(3)?,
        position: row.get(4)?,
        inboxes: numbered(&inboxes).map(InboxId).collect(),
        accounts: numbered(&accounts).map(AccountId).collect(),
        states: numbered(&states).map(WorkState::stored).collect::<std::result::Result<_, _>>()?,
        whose: ViewWhose::read(row.get(8)?),
        tag: row.get::<_, Option<i64>>(9)?.map(TagId),
        created_at: row.get(10)?,
        deleted_at: row.get(11)?,
    }))
}

pub(super) fn write_tag(conn: &Connection, owner: PortalId, tag: &Tag) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO tags (portal_id, id, name, color, created_at, archived_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![owner.0, tag.id.0, tag.name, tag.color, tag.created_at, tag.archived_at];
    conn.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

pub(super) fn write_view(conn: &Connection, owner: PortalId, view: &View) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO views (portal_id, id, name, shared, owner_id, position, inboxes, accounts, states, \
               assignee, tag_id, created_at, deleted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    conn.prepare_cached(sql)?.execute(params![
        owner.0,
        view.id.0,
        view.name,
        view.shared,
        view.owner,
        view.position,
        numbers(view.inboxes.iter().map(|id| id.0)),
        numbers(view.accounts.iter().map(|id| id.0)),
        numbers(view.states.iter().map(|state| *state as i64)),
        view.whose.text(),
        view.tag.map(|tag| tag.0),
        view.created_at,
        view.deleted_at,
    ])?;
    Ok(())
}

/// The kinds of which there are threads, and how many.
pub(super) fn counts(
    conn: &Connection,
    portal: PortalId,
    tags: &[Option<TagId>],
    states: &[WorkState],
) -> Result<Vec<(Kind, i64)>> {
    let sql = "SELECT state, inbox_id, account_id, assigned_to, n FROM thread_counts \
               WHERE portal_id = ?1 AND tag_id = ?2 AND state = ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let mut found = Vec::new();
    for (tag, state) in tags.iter().flat_map(|tag| states.iter().map(move |state| (tag, state))) {
        let number = tag_number(*tag);
        let mut rows = sql.query([portal.0, number, *state as i64])?;
        while let Some(row) = rows.next()? {
            let assigned_to: String = row.get(3)?;
            let kind = Kind::of(number, row.get(0)?, row.get(1)?, row.get(2)?, &assigned_to)?;
            found.push((kind, row.get(4)?));
        }
    }
    Ok(found)
}

/// One page.
pub(super) fn page(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    query: &WorkQuery,
    sink: &mut Sink<'_>,
) -> Result<Page<ThreadPosition>> {
    let all = match query.visitor {
        Some(visitor) => visitors(conn, known, portal, visitor, query)?,
        None => ranges(conn, portal, query)?,
    };
    let (places, page) = page_of(query, all);
    for place in &places {
        if let Some(thread) = known.thread(conn, portal, place.id)? {
            sink(&thread);
        }
    }
    Ok(page)
}

/// The places of all that the page may be made of: the first of each kind tell which kinds those are.
fn ranges(conn: &Connection, portal: PortalId, query: &WorkQuery) -> Result<Vec<ThreadPosition>> {
    let enough = query.limit.saturating_add(1);
    let mut heads = Vec::new();
    for (kind, _) in counts(conn, portal, &[query.tag], &query.states())? {
        if query.admits(&kind) {
            let head = range(conn, portal, &kind, query.start(), 1)?;
            heads.extend(head.into_iter().map(|head| (head, kind.clone())));
        }
    }
    heads.sort_unstable_by_key(|(head, _)| std::cmp::Reverse((head.key, head.id)));
    heads.truncate(enough);
    let mut all = Vec::with_capacity(heads.len() + enough);
    for (nth, (_, kind)) in heads.iter().enumerate() {
        // Behind those that come first in their kinds there is room for so many fewer.
        all.extend(range(conn, portal, kind, query.start(), enough - nth)?);
    }
    Ok(all)
}

/// Places of threads of one kind behind a place.
fn range(
    conn: &Connection,
    portal: PortalId,
    kind: &Kind,
    behind: ThreadPosition,
    limit: usize,
) -> Result<Vec<ThreadPosition>> {
    let sql = match kind.tag {
        None => {
            "SELECT latest_at, id FROM threads INDEXED BY threads_by_work WHERE portal_id = ?1 AND inbox_id = ?3 \
             AND account_id = ?4 AND state = ?5 AND assigned_to IS ?6 AND (latest_at, id) < (?7, ?8) \
             ORDER BY latest_at DESC, id DESC LIMIT ?2"
        }
        Some(_) => {
            "SELECT latest_at, thread_id FROM thread_tags INDEXED BY thread_tags_by_work WHERE portal_id = ?1 \
             AND inbox_id = ?3 AND account_id = ?4 AND state = ?5 AND assigned_to = ?6 \
             AND (latest_at, thread_id) < (?7, ?8) AND tag_id = ?9 ORDER BY latest_at DESC, thread_id DESC LIMIT ?2"
        }
    };
    let mut sql = conn.prepare_cached(sql)?;
    sql.raw_bind_parameter(1, portal.0)?;
    sql.raw_bind_parameter(2, limit as i64)?;
    sql.raw_bind_parameter(3, kind.inbox.0)?;
    sql.raw_bind_parameter(4, kind.account.0)?;
    sql.raw_bind_parameter(5, kind.state as i64)?;
    match kind.tag {
        None => sql.raw_bind_parameter(6, &kind.assigned_to)?,
        Some(_) => sql.raw_bind_parameter(6, kind.assignee())?,
    }
    sql.raw_bind_parameter(7, behind.key)?;
    sql.raw_bind_parameter(8, behind.id.0)?;
    if let Some(tag) = kind.tag {
        sql.raw_bind_parameter(9, tag.0)?;
    }
    let (mut rows, mut found) = (sql.raw_query(), Vec::with_capacity(limit.min(64)));
    while let Some(row) = rows.next()? {
        found.push(ThreadPosition { key: row.get(0)?, id: ThreadId(row.get(1)?) });
    }
    Ok(found)
}

/// The places of a visitor's threads.
fn visitors(
    conn: &Connection,
    known: &Reading<'_>,
    portal: PortalId,
    visitor: VisitorId,
    query: &WorkQuery,
) -> Result<Vec<ThreadPosition>> {
    let sql = "SELECT id FROM threads INDEXED BY threads_by_visitor WHERE portal_id = ?1 AND visitor_id = ?2 LIMIT ?3";
    let mut sql = conn.prepare_cached(sql)?;
    let mut rows = sql.query([portal.0, visitor.0, EXAMINED as i64])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(known.thread(conn, portal, ThreadId(row.get(0)?))?);
    }
    Ok(of_visitor(query, all.iter().map(|one| &***one)))
}
