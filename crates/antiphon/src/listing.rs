//! Lists of the directory. A page in the order of ids costs the same however long the list is, unless it is filtered: then
//! everything is counted, for the total. Any other order sorts everything that matches.

use std::cmp::Ordering;
use std::sync::Arc;

use antiphon_store::Objects;
use antiphon_wire::cursor::{Cursor, List};
use antiphon_wire::error::Problem;
use antiphon_wire::page::{Link, Page};
use antiphon_wire::query::Query;
use serde::Serialize;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Most objects on one page.
const MOST: usize = 500;

/// Objects on a page where the client names no number.
const USUAL: usize = 100;

/// How a field's value is compared: ids as numbers, names without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Flag(bool),
    Number(i64),
    Text(String),
}

impl Key {
    /// A text that is compared without regard to case.
    pub fn text(value: &str) -> Self {
        Self::Text(value.to_lowercase())
    }
}

/// Something that such a list holds.
pub trait Listed {
    fn id(&self) -> i64;
    /// The value of a field of the printed object; `None` where it has none, and for fields that do not exist.
    fn key(&self, field: &str) -> Option<Key>;
}

/// What a list is made of.
pub struct Source<'a, K: Ord, T, M> {
    pub list: List,
    pub objects: &'a Objects<K, T>,
    /// From a number to an id.
    pub id: fn(i64) -> K,
    /// Which of the objects are asked for; `None` for all. What was wrong with the parameters that it is made of is told
    /// together with all other problems.
    pub matches: Result<Option<M>, Vec<Problem>>,
}

/// One page of a list, in the order and from the place the client asked for. `known` finds the object that a cursor names:
/// it stays where it was, archived or not, as nothing of the directory is ever erased.
///
/// # Errors
/// What is wrong with the query.
pub fn page<'a, K, T, M, S>(
    call: &Call,
    source: Source<'a, K, T, M>,
    known: impl FnOnce(K) -> Option<&'a T>,
    shown: impl Fn(&T) -> S,
) -> Result<Answer, Refusal>
where
    K: Ord + Clone,
    T: Listed,
    M: Fn(&T) -> bool,
    S: Serialize,
{
    let (list, order) = (source.list, Order::new(&call.query));
    let (matches, (limit, after)) = match (source.matches, place(&call.query, list, &order)) {
        (Ok(matches), Ok(place)) => (matches, place),
        (matches, place) => {
            return Err(Refusal::Invalid(matches.err().into_iter().chain(place.err()).flatten().collect()));
        }
    };
    let after = after.map(source.id);
    let wanted = |object: &&Arc<T>| matches.as_ref().is_none_or(|matches| matches(object));
    let all = || source.objects.iter().filter(wanted);
    let total = if matches.is_some() { all().count() } else { source.objects.len() };
    // One more than the page holds, to see whether there are any.
    let found: Vec<_> = if order.0.is_empty() {
        source.objects.after(after).filter(wanted).take(limit + 1).collect()
    } else {
        let mut found: Vec<_> = all().collect();
        found.sort_by(|a, b| order.compare(a.as_ref(), b.as_ref()));
        let start = after
            .and_then(known)
            .map_or(0, |last| found.partition_point(|object| order.compare(object.as_ref(), last).is_le()));
        found.into_iter().skip(start).take(limit + 1).collect()
    };
    let end = found.len().min(limit);

    let mut body = Vec::with_capacity(256 * end + 64);
    let mut out = Page::open(&mut body);
    for object in &found[..end] {
        let shown = serde_json::to_vec(&shown(object)).map_err(|e| Refusal::Internal(e.to_string()))?;
        out.item(|out| out.extend_from_slice(&shown));
    }
    let next = (end < found.len()).then(|| found[end - 1].id());
    let next = next.map(|id| Cursor::Directory { list, sort: order.hash(), key: Vec::new(), id });
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    out.close(next.as_ref().map(|cursor| (cursor, &link)), Some(total));
    Ok(Answer::ok(body))
}

/// How many, and behind which object.
fn place(query: &Query, list: List, order: &Order) -> Result<(usize, Option<i64>), Vec<Problem>> {
    let usual = query.limit("defaultPageLength", USUAL, MOST);
    let limit = query.limit("limit", *usual.as_ref().unwrap_or(&USUAL), MOST);
    let after = query.scalar("after").map(|text| match Cursor::decode(text) {
        Some(Cursor::Directory { list: of, sort, id, .. }) if of == list && sort == order.hash() => Ok(id),
        _ => Err(Problem::new("after", "`after` is not a cursor of this list in this order")),
    });
    match (usual, limit, after.transpose()) {
        (Ok(_), Ok(limit), Ok(after)) => Ok((limit, after)),
        (usual, limit, after) => Err([usual.err(), limit.err(), after.err()].into_iter().flatten().collect()),
    }
}

/// What a list that is kept by id is asked for: how many, and behind which id.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub limit: usize,
    pub after: Option<i64>,
}

/// Reads `limit` and `after` of such a list.
///
/// # Errors
/// What is wrong with them.
pub fn asked(query: &Query, list: List) -> Result<Asked, Refusal> {
    let (limit, after) = place(query, list, &Order(Vec::new())).map_err(Refusal::Invalid)?;
    Ok(Asked { limit, after })
}

/// One page of such a list. There has to be one item more than the page holds, where there are any.
///
/// # Errors
/// None that a caller could cause.
pub fn by_id<S: Serialize>(
    call: &Call,
    list: List,
    asked: Asked,
    items: impl IntoIterator<Item = (i64, S)>,
) -> Result<Answer, Refusal> {
    let (mut page, mut last, mut next) = (Vec::with_capacity(asked.limit), 0, None);
    for (id, item) in items {
        if page.len() == asked.limit {
            next = Some(last);
            break;
        }
        page.push(item);
        last = id;
    }
    until(call, list, page, next)
}

/// A page of such a list that has these items and ends at an id, unless it is the last.
///
/// # Errors
/// None that a caller could cause.
pub fn until<S: Serialize>(
    call: &Call,
    list: List,
    items: impl IntoIterator<Item = S>,
    next: Option<i64>,
) -> Result<Answer, Refusal> {
    let next = next.map(|id| Cursor::Directory { list, sort: Order(Vec::new()).hash(), key: Vec::new(), id });
    print(call, items, next)
}

/// The same of a list that is not kept by id: how many, and the key of the last item.
///
/// # Errors
/// What is wrong with `limit` and `after`.
pub fn behind(query: &Query, list: List) -> Result<(usize, Option<Vec<u8>>), Vec<Problem>> {
    let limit = query.limit("limit", USUAL, MOST);
    let after = query.scalar("after").map(|text| match Cursor::decode(text) {
        Some(Cursor::Directory { list: of, key, .. }) if of == list => Ok(key),
        _ => Err(Problem::new("after", "`after` is not a cursor of this list")),
    });
    match (limit, after.transpose()) {
        (Ok(limit), Ok(after)) => Ok((limit, after)),
        (limit, after) => Err([limit.err(), after.err()].into_iter().flatten().collect()),
    }
}

/// A page of such a list that has these items and ends at a key, unless it is the last.
///
/// # Errors
/// None that a caller could cause.
pub fn until_key<S: Serialize>(
    call: &Call,
    list: List,
    items: impl IntoIterator<Item = S>,
    next: Option<Vec<u8>>,
) -> Result<Answer, Refusal> {
    let next = next.map(|key| Cursor::Directory { list, sort: Order(Vec::new()).hash(), key, id: 0 });
    print(call, items, next)
}

/// A list that is one page, whatever is in it.
///
/// # Errors
/// None that a caller could cause.
pub fn whole<S: Serialize>(call: &Call, items: impl IntoIterator<Item = S>) -> Result<Answer, Refusal> {
    print(call, items, None)
}

fn print<S: Serialize>(
    call: &Call,
    items: impl IntoIterator<Item = S>,
    next: Option<Cursor>,
) -> Result<Answer, Refusal> {
    let mut body = Vec::with_capacity(4096);
    let mut out = Page::open(&mut body);
    for item in items {
        let item = serde_json::to_vec(&item).map_err(|e| Refusal::Internal(e.to_string()))?;
        out.item(|out| out.extend_from_slice(&item));
    }
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    out.close(next.as_ref().map(|cursor| (cursor, &link)), None);
    Ok(Answer::ok(body))
}

/// Fields to sort by, the first one deciding first; the id settles ties.
struct Order(Vec<(String, bool)>);

impl Order {
    fn new(query: &Query) -> Self {
        let fields = query.list("sort").into_iter().map(|key| match key.strip_prefix('-') {
            Some(field) => (field.to_owned(), true),
            None => (key.to_owned(), false),
        });
        Self(fields.collect())
    }

    /// Tells this order from others, in cursors.
    fn hash(&self) -> u64 {
        let mut text = String::new();
        for (field, descending) in &self.0 {
            text.extend([if *descending { "-" } else { "+" }, field]);
        }
        // FNV-1a: the same on every machine and in every release, as a cursor never expires.
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// Missing values come last in either direction.
    fn compare(&self, a: &impl Listed, b: &impl Listed) -> Ordering {
        self.0
            .iter()
            .map(|(field, descending)| match (a.key(field), b.key(field)) {
                (Some(a), Some(b)) if *descending => b.cmp(&a),
                (Some(a), Some(b)) => a.cmp(&b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            })
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.id().cmp(&b.id()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    struct Item(i64, &'static str, Option<i64>);

    impl Listed for Item {
        fn id(&self) -> i64 {
            self.0
        }

        fn key(&self, field: &str) -> Option<Key> {
            match field {
                "id" => Some(Key::Number(self.0)),
                "name" => Some(Key::text(self.1)),
                "age" => self.2.map(Key::Number),
                _ => None,
            }
        }
    }

    fn sorted(sort: &str) -> Vec<i64> {
        let mut items = [
            Item(3, "beta", None),
            Item(1, "Beta", Some(5)),
            Item(10, "alpha", Some(9)),
            Item(2, "gamma", None),
        ];
        let order = Order::new(&Query::parse(format!("sort={sort}").as_bytes()));
        items.sort_by(|a, b| order.compare(a, b));
        items.iter().map(Listed::id).collect()
    }

    #[test]
    fn any_field_in_any_order() {
        for (sort, ids) in [
            ("", [1, 2, 3, 10]),
            ("-id", [10, 3, 2, 1]),
            ("name", [10, 1, 3, 2]),
            ("-name", [2, 1, 3, 10]),
            ("name,-id", [10, 3, 1, 2]),
            ("age", [1, 10, 2, 3]),
            ("-age", [10, 1, 2, 3]),
            ("colour", [1, 2, 3, 10]),
            ("colour,-id", [10, 3, 2, 1]),
        ] {
            assert_eq!(sorted(sort), ids, "{sort}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_good_for_its_own_list_and_order_only(a in "[-a-z,]{0,12}", b in "[-a-z,]{0,12}", id in 1i64..1 << 53) {
            let order = |sort: &str| Order::new(&Query::parse(format!("sort={sort}").as_bytes()));
            let cursor = Cursor::Directory { list: List::Inboxes, sort: order(&a).hash(), key: Vec::new(), id }.encode();
            let query = Query::parse(format!("after={cursor}").as_bytes());
            prop_assert_eq!(place(&query, List::Inboxes, &order(&a)), Ok((USUAL, Some(id))));
            prop_assert!(place(&query, List::Channels, &order(&a)).is_err());
            prop_assert_eq!(place(&query, List::Inboxes, &order(&b)).is_ok(), order(&a).0 == order(&b).0);
        }
    }
}
