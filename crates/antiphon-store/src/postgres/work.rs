//! How agents see threads: tags, views, counts and the lists that these lead to.

use std::collections::HashMap;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::failure::Result;
use super::readers::{Values, execute, rows};
use super::threads::{self, COLUMNS};
use crate::directory::work::{numbered, numbers};
use crate::secrets::Seals;
use crate::threads::lists::EXAMINED;
use crate::threads::work::{of_visitor, page_of, tag_number};
use crate::{
    AccountId, DirectoryChange, InboxId, Kind, Page, PortalId, Tag, TagId, Thread, ThreadPosition, View,
    ViewId, ViewWhose, VisitorId, Whose, WorkQuery, WorkState,
};

pub(super) const TAGS: &str =
    "SELECT id, name, color, created_at, archived_at FROM tags WHERE portal_id = $1 AND revision > $2";

pub(super) const VIEWS: &str = "SELECT id, name, shared, owner_id, position, inboxes, accounts, states, assignee, tag_id, \
     created_at, deleted_at FROM views WHERE portal_id = $1 AND revision > $2";

pub(super) fn tag(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    Ok(DirectoryChange::Tag(Tag {
        id: TagId(row.try_get(0)?),
        name: row.try_get(1)?,
        color: row.try_get(2)?,
        created_at: row.try_get(3)?,
        archived_at: row.try_get(4)?,
    }))
}

pub(super) fn view(row: &Row, _: &Seals) -> Result<DirectoryChange> {
    let (inboxes, accounts, states): (&str, &str, &str) = (row.try_get(5)?, row.try_get(6)?, row.try_get(7)?);
    Ok(DirectoryChange::View(View {
        id: ViewId(row.try_get(0)?),
        name: row.try_get(1)?,
        shared: row.try_get(2)?,
        owner: row.try_get(3)?,
        position: row.try_get(4)?,
        inboxes: numbered(inboxes).map(InboxId).collect(),
        accounts: numbered(accounts).map(AccountId).collect(),
        states: numbered(states).map(WorkState::stored).collect::<std::result::Result<_, _>>()?,
        whose: ViewWhose::read(row.try_get(8)?),
        tag: row.try_get::<_, Option<i64>>(9)?.map(TagId),
        created_at: row.try_get(10)?,
        deleted_at: row.try_get(11)?,
    }))
}

pub(super) async fn write_tag(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    tag: &Tag,
) -> Result<u64> {
    let sql = "INSERT INTO tags (portal_id, id, name, color, created_at, archived_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (portal_id, id) DO UPDATE SET \
               name = $3, color = $4, created_at = $5, archived_at = $6, revision = $7";
    let values: Values<'_> =
        &[&owner.0, &tag.id.0, &tag.name, &tag.color, &tag.created_at, &tag.archived_at, &revision];
    execute(client, sql, values).await
}

pub(super) async fn write_view(
    client: &ClientWrapper,
    owner: PortalId,
    revision: i64,
    view: &View,
) -> Result<u64> {
    let sql = "INSERT INTO views (portal_id, id, name, shared, owner_id, position, inboxes, accounts, states, assignee, \
               tag_id, created_at, deleted_at, revision) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (portal_id, id) DO UPDATE SET \
               name = $3, shared = $4, owner_id = $5, position = $6, inboxes = $7, accounts = $8, states = $9, assignee = $10, \
               tag_id = $11, created_at = $12, deleted_at = $13, revision = $14";
    let inboxes = numbers(view.inboxes.iter().map(|id| id.0));
    let accounts = numbers(view.accounts.iter().map(|id| id.0));
    let states = numbers(view.states.iter().map(|state| *state as i64));
    let values: Values<'_> = &[
        &owner.0,
        &view.id.0,
        &view.name,
        &view.shared,
        &view.owner,
        &view.position,
        &inboxes,
        &accounts,
        &states,
        &view.whose.text(),
        &view.tag.map(|tag| tag.0),
        &view.created_at,
        &view.deleted_at,
        &revision,
    ];
    execute(client, sql, values).await
}

/// The kinds of which there are threads, and how many.
pub(super) async fn counts(
    client: &ClientWrapper,
    portal: PortalId,
    tags: &[Option<TagId>],
    states: &[WorkState],
) -> Result<Vec<(Kind, i64)>> {
    let sql = "SELECT tag_id, state::bigint, inbox_id, account_id, assigned_to, sum(n)::bigint FROM thread_counts \
               WHERE portal_id = $1 AND tag_id = ANY ($2) AND state = ANY ($3) \
               GROUP BY tag_id, state, inbox_id, account_id, assigned_to HAVING sum(n) <> 0";
    let tags: Vec<i64> = tags.iter().map(|tag| tag_number(*tag)).collect();
    let found = rows(client, sql, &[&portal.0, &tags, &numbers_of(states)]).await?;
    let read = |row: &Row| Ok((kind(row)?, row.try_get(5)?));
    found.iter().map(read).collect()
}

/// The kind that a row begins with.
pub(super) fn kind(row: &Row) -> Result<Kind> {
    let (tag, state, inbox) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Kind::of(tag, state, inbox, row.try_get(3)?, row.try_get(4)?)?)
}

fn numbers_of(states: &[WorkState]) -> Vec<i16> {
    states.iter().map(|state| *state as i16).collect()
}

/// One page.
pub(super) async fn page(
    client: &ClientWrapper,
    portal: PortalId,
    query: &WorkQuery,
) -> Result<(Vec<Thread>, Page<ThreadPosition>)> {
    let threads = match query.visitor {
        Some(visitor) => visitors(client, portal, visitor).await?,
        None => ranges(client, portal, query).await?,
    };
    let all = match query.visitor {
        Some(_) => of_visitor(query, threads.iter()),
        None => threads.iter().map(|one| ThreadPosition { key: one.latest_at(), id: one.id }).collect(),
    };
    let (places, page) = page_of(query, all);
    let mut threads: HashMap<_, _> = threads.into_iter().map(|one| (one.id, one)).collect();
    Ok((places.iter().filter_map(|place| threads.remove(&place.id)).collect(), page))
}

/// What the page is made of, and one more. The first of each kind tell of which kinds that is.
async fn ranges(client: &ClientWrapper, portal: PortalId, query: &WorkQuery) -> Result<Vec<Thread>> {
    let (inboxes, accounts): (Vec<i64>, Vec<i64>) =
        (query.inboxes.iter().map(|id| id.0).collect(), query.accounts.iter().map(|id| id.0).collect());
    let whose = match &query.whose {
        Whose::Anybodys => None,
        Whose::Nobodys => Some(""),
        Whose::Of(actor) => Some(actor.as_str()),
    };
    let (start, states, tag) = (query.start(), numbers_of(&query.states()), tag_number(query.tag));
    let most = query.limit.saturating_add(1) as i64;
    let values: Values<'_> =
        &[&portal.0, &tag, &states, &inboxes, &accounts, &whose, &start.key, &start.id.0, &most];
    rows(client, &statement(query.tag.is_some()), values).await?.iter().map(threads::thread).collect()
}

/// The statement for the lists of a tag, or of all threads.
fn statement(tagged: bool) -> String {
    let (table, id, of_tag) = match tagged {
        true => ("thread_tags", "thread_id", "AND p.tag_id = $2 "),
        false => ("thread_places", "id", ""),
    };
    let range = |of: &str, limit: &str| {
        format!(
            "SELECT p.latest_at, p.{id} AS id FROM {table} p WHERE p.portal_id = $1 {of_tag}AND p.inbox_id = {of}.inbox_id \
             AND p.account_id = {of}.account_id AND p.state = {of}.state AND p.assigned_to = {of}.assigned_to \
             AND (p.latest_at, p.{id}) < ($7, $8) ORDER BY p.latest_at DESC, p.{id} DESC LIMIT {limit}"
        )
    };
    let (head, found) = (range("kind", "1"), range("near", "$9"));
    format!(
        "SELECT {COLUMNS} FROM (SELECT found.latest_at AS at, found.id AS place FROM (SELECT kind.*, head.latest_at, head.id \
         FROM (SELECT state, inbox_id, account_id, assigned_to FROM thread_counts WHERE portal_id = $1 AND tag_id = $2 \
         AND state = ANY ($3) AND (cardinality($4::bigint[]) = 0 OR inbox_id = ANY ($4)) \
         AND (cardinality($5::bigint[]) = 0 OR account_id = ANY ($5)) AND ($6::text IS NULL OR assigned_to = $6) \
         GROUP BY state, inbox_id, account_id, assigned_to HAVING sum(n) <> 0) kind \
         CROSS JOIN LATERAL ({head}) head ORDER BY head.latest_at DESC, head.id DESC LIMIT $9) near \
         CROSS JOIN LATERAL ({found}) found ORDER BY found.latest_at DESC, found.id DESC LIMIT $9) AS page \
         CROSS JOIN LATERAL (SELECT {COLUMNS} FROM threads WHERE portal_id = $1 AND id = page.place LIMIT 1) AS thread"
    )
}

/// A visitor's threads.
async fn visitors(client: &ClientWrapper, portal: PortalId, visitor: VisitorId) -> Result<Vec<Thread>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM threads WHERE portal_id = $1 AND visitor_id = $2 ORDER BY population, id LIMIT $3"
    );
    let found = rows(client, &sql, &[&portal.0, &visitor.0, &(EXAMINED as i64)]).await?;
    found.iter().map(threads::thread).collect()
}
