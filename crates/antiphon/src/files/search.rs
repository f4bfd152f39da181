//! Lists of files and folders, by everything that is known of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use antiphon_store::{Access, FileCondition, FileField, FileKey, FileList, FileSort, FileSpot, Folder};
use antiphon_wire::cursor::{Cursor, List};
use antiphon_wire::error::Problem;
use antiphon_wire::files::FileType;
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::page::{Link, Page};
use unicode_normalization::UnicodeNormalization;

use super::{folders, links, narrowed, place, shown};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Objects on a page.
const MOST: usize = 100;

/// Parameters with a number or a moment: equal, at least, at most.
const NUMBERS: [(&str, FileField); 3] =
    [("size", FileField::Size), ("width", FileField::Width), ("height", FileField::Height)];
const MOMENTS: [(&str, FileField); 3] = [
    ("createdAt", FileField::CreatedAt),
    ("updatedAt", FileField::UpdatedAt),
    ("expiresAt", FileField::ExpiresAt),
];
const TEXTS: [(&str, FileField); 3] =
    [("extension", FileField::Extension), ("encoding", FileField::Encoding), ("fileMd5", FileField::Md5)];

/// What is asked for, and all that is wrong with it.
struct Asked<'a> {
    call: &'a Call,
    conditions: Vec<FileCondition>,
    problems: Vec<Problem>,
}

impl<'a> Asked<'a> {
    fn new(call: &'a Call) -> Self {
        Self { call, conditions: Vec::new(), problems: Vec::new() }
    }

    fn take<T>(&mut self, read: Result<T, Problem>) -> Option<T> {
        read.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A parameter in its three forms.
    fn range(
        &mut self,
        name: &str,
        field: FileField,
        read: fn(&antiphon_wire::query::Query, &str) -> Result<Option<i64>, Problem>,
    ) {
        let query = &self.call.query;
        let found = [
            read(query, name).map(|n| n.map(|n| FileCondition::OneOf(field, vec![n]))),
            read(query, &format!("{name}Gte")).map(|n| n.map(|n| FileCondition::AtLeast(field, n))),
            read(query, &format!("{name}Lte")).map(|n| n.map(|n| FileCondition::AtMost(field, n))),
        ];
        for one in found {
            let condition = self.take(one).flatten();
            self.conditions.extend(condition);
        }
    }

    /// What files and folders have in common.
    fn common(&mut self, moments: &[(&str, FileField)]) {
        let query = &self.call.query;
        for (name, field) in [("ids", FileField::Id), ("parentFolderIds", FileField::Folder)] {
            let ids = query.list(name);
            if ids.is_empty() {
                continue;
            }
            let read = |id: &&str| match *id {
                "0" => Ok(0),
                id => antiphon_wire::id::parse_path_id(id, MAX_SAFE)
                    .ok_or_else(|| Problem::new(name, format!("`{id}` is not an id"))),
            };
            let ids = ids.iter().map(read).collect::<Result<Vec<_>, _>>();
            let ids = self.take(ids);
            self.conditions.extend(ids.map(|ids| FileCondition::OneOf(field, ids)));
        }
        let (least, most) = (query.int("idGte"), query.int("idLte"));
        let (least, most) = (self.take(least).flatten(), self.take(most).flatten());
        self.conditions.extend(least.map(|id| FileCondition::AtLeast(FileField::Id, id)));
        self.conditions.extend(most.map(|id| FileCondition::AtMost(FileField::Id, id)));
        let name = self.call.query.text("name");
        let name = self.take(name).flatten().map(|name| name.nfc().collect());
        self.conditions.extend(name.map(FileCondition::Named));
        for (name, field) in moments {
            self.range(name, *field, |query, name| query.timestamp(name));
        }
    }

    /// The list, unless something is wrong.
    fn list(mut self, list: List, orders: &[(&str, FileSort)]) -> Result<FileList, Refusal> {
        let call = self.call;
        let limit = call.query.limit("limit", MOST, MOST);
        let limit = self.take(limit).unwrap_or(MOST);
        let sent = call.query.list("sort").first().copied().unwrap_or("id");
        let (key, descending) = sent.strip_prefix('-').map_or((sent, false), |key| (key, true));
        let sort = orders.iter().find(|(name, _)| *name == key).map(|(_, sort)| *sort);
        if sort.is_none() {
            let known: Vec<_> = orders.iter().map(|(name, _)| *name).collect();
            self.problems.push(Problem::new(
                "sort",
                format!("`{sent}` is not a sort key here; use one of {}", known.join(", ")),
            ));
        }
        let sort = sort.unwrap_or_default();
        let after = call.query.scalar("after").map(|text| spot(text, list, sort, descending));
        let after = self.take(after.transpose()).flatten();
        if !self.problems.is_empty() {
            return Err(Refusal::Invalid(self.problems));
        }
        Ok(FileList {
            conditions: self.conditions,
            sort,
            descending,
            after,
            now: call.app.store.now(),
            limit,
        })
    }
}

fn spot(text: &str, list: List, sort: FileSort, descending: bool) -> Result<FileSpot, Problem> {
    let wrong = || Problem::new("after", "`after` is not a cursor of this list in this order");
    match Cursor::decode(text) {
        Some(Cursor::Directory { list: of, sort: order, key, id })
            if of == list && order == hash(sort, descending) =>
        {
            let (number, name) = match sort {
                FileSort::Name => (0, key.as_slice()),
                _ => key
                    .split_first_chunk::<8>()
                    .map_or((0, &[][..]), |(n, name)| (i64::from_be_bytes(*n), name)),
            };
            let name = String::from_utf8(name.to_vec()).map_err(|_| wrong())?;
            Ok(FileSpot { number, name, id })
        }
        _ => Err(wrong()),
    }
}

fn hash(sort: FileSort, descending: bool) -> u64 {
    (sort as u64) << 1 | u64::from(descending)
}

fn cursor(list: List, asked: &FileList, spot: FileSpot) -> Cursor {
    let number = spot.number.to_be_bytes();
    let key = match asked.sort {
        FileSort::Name => spot.name.into_bytes(),
        FileSort::Path => [number.as_slice(), spot.name.as_bytes()].concat(),
        _ => number.to_vec(),
    };
    Cursor::Directory { list, sort: hash(asked.sort, asked.descending), key, id: spot.id }
}

/// `GET /files/search`
pub async fn files(call: Call) -> Result<Answer, Refusal> {
    let mut asked = Asked::new(&call);
    asked.common(&MOMENTS);
    for (name, field) in NUMBERS {
        asked.range(name, field, |query, name| query.int(name));
    }
    for (name, field) in TEXTS {
        let text = asked.take(call.query.text(name)).flatten();
        asked.conditions.extend(text.map(|text| FileCondition::Text(field, text.to_owned())));
    }
    if let Some(kind) =
        asked.take(call.query.scalar("type").map(|text| FileType::read("type", text)).transpose())
    {
        asked.conditions.extend(kind.map(of_type));
    }
    let usable = asked.take(call.query.flag("isUsableInContent")).flatten();
    asked.conditions.extend(usable.map(|flag| FileCondition::Flag(FileField::Usable, flag)));
    if let Some(anybody) = asked.take(call.query.flag("allowsAnonymousAccess")).flatten() {
        let public: Vec<i64> =
            Access::ALL.into_iter().filter(|access| access.is_public()).map(|access| access as i64).collect();
        asked.conditions.push(match anybody {
            true => FileCondition::OneOf(FileField::Access, public),
            false => FileCondition::NoneOf(FileField::Access, public),
        });
    }
    if let Some(url) = asked.take(call.query.text("url")).flatten() {
        asked.conditions.push(
            match links::named(url).filter(|(portal, _)| *portal == call.caller.portal().0) {
                Some((_, id)) => FileCondition::OneOf(FileField::Id, vec![id]),
                None => FileCondition::Text(FileField::Url, url.to_owned()),
            },
        );
    }
    if let Some(path) = asked.take(call.query.text("path")).flatten() {
        asked.conditions.push(at_path(&call, path).await?);
    }
    let orders = [
        ("id", FileSort::Id),
        ("name", FileSort::Name),
        ("path", FileSort::Path),
        ("createdAt", FileSort::CreatedAt),
        ("updatedAt", FileSort::UpdatedAt),
        ("expiresAt", FileSort::ExpiresAt),
        ("size", FileSort::Size),
        ("width", FileSort::Width),
        ("height", FileSort::Height),
    ];
    let list = asked.list(List::Files, &orders)?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    let (found, next) = store.files(portal, &list).await?;
    let mut chains: HashMap<i64, Vec<Folder>> = HashMap::new();
    let mut items = Vec::with_capacity(found.len());
    for file in &found {
        let chain = match chains.entry(file.folder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(store.folder_chain(portal, file.folder).await?),
        };
        items.push(narrowed(&call, &shown(&call, file, chain))?);
    }
    printed(&call, &items, next.map(|spot| cursor(List::Files, &list, spot)))
}

/// `GET /folders/search`
pub async fn folders(call: Call) -> Result<Answer, Refusal> {
    let mut asked = Asked::new(&call);
    asked.common(&MOMENTS[..2]);
    if let Some(path) = asked.take(call.query.text("path")).flatten() {
        asked.conditions.push(folder_at(&call, path).await?.unwrap_or(NOTHING));
    }
    let orders = [
        ("id", FileSort::Id),
        ("name", FileSort::Name),
        ("path", FileSort::Path),
        ("createdAt", FileSort::CreatedAt),
        ("updatedAt", FileSort::UpdatedAt),
    ];
    let list = asked.list(List::Folders, &orders)?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    let (found, next) = store.folders(portal, &list).await?;
    let mut items = Vec::with_capacity(found.len());
    for folder in found {
        let mut chain = store.folder_chain(portal, folder.parent).await?;
        chain.push(folder);
        items.push(narrowed(&call, &folders::shown(&chain))?);
    }
    printed(&call, &items, next.map(|spot| cursor(List::Folders, &list, spot)))
}

fn printed(call: &Call, items: &[serde_json::Value], next: Option<Cursor>) -> Result<Answer, Refusal> {
    let mut body = Vec::with_capacity(4096);
    let mut page = Page::open(&mut body);
    for item in items {
        let item = serde_json::to_vec(item).map_err(|error| Refusal::Internal(error.to_string()))?;
        page.item(|out| out.extend_from_slice(&item));
    }
    let link = Link { origin: &call.origin, path: &call.uri_path, query: &call.query };
    page.close(next.as_ref().map(|cursor| (cursor, &link)), None);
    Ok(Answer::ok(body))
}

fn of_type(kind: FileType) -> FileCondition {
    match kind {
        FileType::Other => {
            let others = [FileType::Img, FileType::Document, FileType::Audio, FileType::Movie];
            FileCondition::StartsElse(
                FileField::MediaType,
                others.into_iter().flat_map(FileType::beginnings).collect(),
            )
        }
        kind => FileCondition::StartsWith(FileField::MediaType, kind.beginnings()),
    }
}

/// What no file and no folder is.
const NOTHING: FileCondition = FileCondition::OneOf(FileField::Id, Vec::new());

/// To be in a folder, if there is one. Everything is in the root.
async fn folder_at(call: &Call, path: &str) -> Result<Option<FileCondition>, Refusal> {
    let Ok(names) = place::names("path", path) else { return Ok(None) };
    let key = FileKey { path: Some(names), ..FileKey::default() };
    let state = call.app.store.file_state(call.caller.portal(), &key).await?;
    let folder = state.folders.last().map_or(0, |folder| folder.id);
    Ok(state.placed.then_some(FileCondition::Within(folder)))
}

/// To be in a folder, or the one file that is there.
async fn at_path(call: &Call, path: &str) -> Result<FileCondition, Refusal> {
    if let Some(within) = folder_at(call, path).await? {
        return Ok(within);
    }
    let Some(mut names) = place::names("path", path).ok() else { return Ok(NOTHING) };
    let (stem, extension) = place::apart(&names.pop().unwrap_or_default());
    let key = FileKey { path: Some(names), name: Some((stem, extension)), ..FileKey::default() };
    let state = call.app.store.file_state(call.caller.portal(), &key).await?;
    Ok(FileCondition::OneOf(FileField::Id, state.same_name.map(|file| file.id).into_iter().collect()))
}
