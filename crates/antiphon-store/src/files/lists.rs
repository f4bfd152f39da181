//! Lists of files and folders: any conditions together, in one of a few orders, each with an index of its own. Conditions that no
//! index serves are looked at row by row, for so many rows a page. The order of paths no index has; it is [walked](super::walk).

use std::fmt::Write;

use super::fold;
use crate::{File, Folder, Millis};

/// Most rows of an order that are looked at for one page.
pub(crate) const EXAMINED: i64 = 20_000;

/// By what a list is ordered; the id settles ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileSort {
    #[default]
    Id,
    Name,
    Path,
    CreatedAt,
    UpdatedAt,
    ExpiresAt,
    Size,
    Width,
    Height,
}

impl FileSort {
    /// What stands in the index. Names are in the order of their bytes on either engine, and of a folder's files it is the names
    /// that the order of paths is about.
    fn key(self, sign: char) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name | Self::Path if sign == '$' => "name COLLATE \"C\"",
            Self::Name | Self::Path => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ExpiresAt => "coalesce(expires_at, 0)",
            Self::Size => "coalesce(size, 0)",
            Self::Width => "coalesce(width, 0)",
            Self::Height => "coalesce(height, 0)",
        }
    }

    /// Whether it is the order of a field.
    fn is_by(self, field: FileField) -> bool {
        matches!(
            (self, field),
            (Self::Id, FileField::Id)
                | (Self::CreatedAt, FileField::CreatedAt)
                | (Self::UpdatedAt, FileField::UpdatedAt)
                | (Self::ExpiresAt, FileField::ExpiresAt)
                | (Self::Size, FileField::Size)
                | (Self::Width, FileField::Width)
                | (Self::Height, FileField::Height)
        )
    }
}

/// Where a page ended: a number, or a name, and the id. In the order of paths it is the folder's id and the name in it; an empty
/// name is where the folder begins, whichever way it is walked through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSpot {
    pub number: i64,
    pub name: String,
    pub id: i64,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileField {
    Id,
    Folder,
    Name,
    Extension,
    MediaType,
    Encoding,
    Md5,
    Url,
    Size,
    Width,
    Height,
    CreatedAt,
    UpdatedAt,
    ExpiresAt,
    Access,
    Usable,
}

impl FileField {
    fn column(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Folder => "folder_id",
            Self::Name => "name",
            Self::Extension => "extension",
            Self::MediaType => "media_type",
            Self::Encoding => "encoding",
            Self::Md5 => "md5",
            Self::Url => "url",
            Self::Size => "size",
            Self::Width => "width",
            Self::Height => "height",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ExpiresAt => "expires_at",
            Self::Access => "access",
            Self::Usable => "usable",
        }
    }
}

/// What has to hold for what is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCondition {
    /// One of these numbers.
    OneOf(FileField, Vec<i64>),
    /// None of these numbers.
    NoneOf(FileField, Vec<i64>),
    AtLeast(FileField, i64),
    AtMost(FileField, i64),
    /// This text, whatever the case of its Latin letters: such texts have no others.
    Text(FileField, String),
    /// This text somewhere in the name, whatever its case.
    Named(String),
    /// In this folder, or in one that is somewhere in it. A folder is in itself.
    Within(i64),
    /// One of these texts at its beginning.
    StartsWith(FileField, Vec<String>),
    /// None of these texts at its beginning.
    StartsElse(FileField, Vec<String>),
    /// The bytes are here, and this is so.
    Flag(FileField, bool),
}

/// Which files or folders, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileList {
    pub conditions: Vec<FileCondition>,
    pub sort: FileSort,
    pub descending: bool,
    pub after: Option<FileSpot>,
    /// Those that expire by then are gone.
    pub now: Millis,
    pub limit: usize,
}

/// What a statement is given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Int(i64),
    Text(String),
    Bool(bool),
}

/// A statement and what it is given. `sign` stands before the number of a parameter.
pub(crate) struct Statement {
    pub sql: String,
    pub given: Vec<Given>,
    sign: char,
}

impl Statement {
    fn take(&mut self, value: Given) -> String {
        self.given.push(value);
        format!("{}{}", self.sign, self.given.len())
    }

    fn text(&mut self, value: &str) -> String {
        self.take(Given::Text(value.to_owned()))
    }

    /// The portal, which is what every statement is given first.
    fn owner(&self) -> String {
        format!("{}1", self.sign)
    }

    /// A column with its Latin letters small, on either engine and whatever the database's language.
    fn lower(&self, column: &str) -> String {
        let plainly = if self.sign == '$' { " COLLATE \"C\"" } else { "" };
        format!("lower({column}{plainly})")
    }
}

/// What is listed.
pub(crate) trait Leaf: Sized + Send {
    const TABLE: &str;

    /// Where it stands in an order.
    fn spot(&self, sort: FileSort) -> FileSpot;
}

impl Leaf for File {
    const TABLE: &str = "files";

    fn spot(&self, sort: FileSort) -> FileSpot {
        let number = match sort {
            FileSort::Id | FileSort::Name => 0,
            FileSort::Path => self.folder,
            FileSort::CreatedAt => self.created_at,
            FileSort::UpdatedAt => self.updated_at,
            FileSort::ExpiresAt => self.expires_at.unwrap_or_default(),
            FileSort::Size => self.size.unwrap_or_default(),
            FileSort::Width => self.width.unwrap_or_default(),
            FileSort::Height => self.height.unwrap_or_default(),
        };
        FileSpot { number, name: self.name.clone(), id: self.id }
    }
}

impl Leaf for Folder {
    const TABLE: &str = "folders";

    fn spot(&self, sort: FileSort) -> FileSpot {
        let number = match sort {
            FileSort::Path => self.parent,
            FileSort::CreatedAt => self.created_at,
            FileSort::UpdatedAt => self.updated_at,
            _ => 0,
        };
        FileSpot { number, name: self.name.clone(), id: self.id }
    }
}

/// Files or folders of one folder, in the order of their names: those behind a place and before another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub folder: i64,
    /// A name and an id.
    pub after: Option<(String, i64)>,
    pub before: Option<String>,
    /// Most rows that are looked at.
    pub limit: i64,
}

impl FileList {
    /// The ids that are asked for, where some are.
    fn ids(&self) -> Option<&[i64]> {
        self.conditions.iter().find_map(|condition| match condition {
            FileCondition::OneOf(FileField::Id, ids) => Some(ids.as_slice()),
            _ => None,
        })
    }

    /// Whether it has to be walked, as no index has its order: of one file there is none.
    pub(crate) fn is_walked(&self) -> bool {
        self.sort == FileSort::Path && self.ids().is_none_or(|ids| ids.len() > 1)
    }

    /// The folder in which everything is that is asked for, 0 where that is the root.
    pub(crate) fn top<T: Leaf>(&self) -> i64 {
        let within = self.conditions.iter().find_map(|condition| match condition {
            // The folder itself is in another.
            FileCondition::Within(folder) if T::TABLE == "files" => Some(*folder),
            _ => None,
        });
        within.unwrap_or_default()
    }

    /// Makes a page of what was found, which is one more where there are more; where it ends then.
    pub(crate) fn cut<T: Leaf>(&self, found: &mut Vec<T>) -> Option<FileSpot> {
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        found.last().filter(|_| more).map(|last| last.spot(self.sort))
    }

    fn begin<T: Leaf>(&self, portal: i64, of: &str, sign: char) -> Statement {
        let mut statement = Statement { sql: String::new(), given: Vec::new(), sign };
        let owner = statement.take(Given::Int(portal));
        // Where ids are named nothing else is looked at, whatever the order is.
        let from = self.ids().filter(|_| !self.is_walked()).map(|ids| {
            let ids = listed("id", "IN", ids, &mut statement);
            format!(
                "(SELECT * FROM {} WHERE portal_id = {owner} AND {ids} LIMIT {EXAMINED}) AS named",
                T::TABLE
            )
        });
        let from = from.unwrap_or_else(|| T::TABLE.to_owned());
        let there = match (T::TABLE, sign) {
            ("folders", _) => "archived_at IS NULL",
            (_, '?') => "listed = 1",
            _ => "listed",
        };
        statement.sql = format!("SELECT {of} FROM {from} WHERE portal_id = {owner} AND {there}");
        statement
    }

    /// As much of the order as comes behind the last page and as conditions on its own key leave.
    fn ordered<T: Leaf>(&self, portal: i64, of: &str, sign: char) -> Statement {
        let mut statement = self.begin::<T>(portal, of, sign);
        let key = self.sort.key(sign);
        let (mut least, mut most) = (i64::MIN, i64::MAX);
        for condition in &self.conditions {
            match condition {
                FileCondition::AtLeast(field, n) if self.sort.is_by(*field) => least = least.max(*n),
                FileCondition::AtMost(field, n) if self.sort.is_by(*field) => most = most.min(*n),
                _ => {}
            }
        }
        // Of several bounds on one side an engine may begin at the wrong one, so there is one. And the embedded engine finds an
        // expression in its index, but not a pair with one in it.
        if let Some(after) = &self.after {
            let (number, way) = match (self.sort, self.descending) {
                (FileSort::Id, false) => (after.id, '>'),
                (FileSort::Id, true) => (after.id, '<'),
                (_, false) => (after.number, '>'),
                (_, true) => (after.number, '<'),
            };
            let behind = if self.descending { most < number } else { least > number };
            if self.by_name() {
                let (name, id) = (statement.text(&after.name), statement.take(Given::Int(after.id)));
                let _ = write!(statement.sql, " AND ({key}, id) {way} ({name}, {id})");
            } else if !behind {
                let bound = if self.descending { &mut most } else { &mut least };
                *bound = number;
                let (number, id) = (statement.take(Given::Int(number)), statement.take(Given::Int(after.id)));
                let _ = write!(statement.sql, " AND ({key}, id) {way} ({number}, {id})");
            }
        }
        if least > i64::MIN {
            let least = statement.take(Given::Int(least));
            let _ = write!(statement.sql, " AND {key} >= {least}");
        }
        if most < i64::MAX {
            let most = statement.take(Given::Int(most));
            let _ = write!(statement.sql, " AND {key} <= {most}");
        }
        let way = if self.descending { " DESC" } else { "" };
        statement.sql += &match self.sort {
            FileSort::Id => format!(" ORDER BY id{way}"),
            _ => format!(" ORDER BY {key}{way}, id{way}"),
        };
        statement
    }

    /// What has to hold for a row that is near.
    fn wanted<T: Leaf>(&self, statement: &mut Statement) -> String {
        let mut all = vec!["1 = 1".to_owned()];
        if T::TABLE == "files" {
            let now = statement.take(Given::Int(self.now));
            all.push(format!("(expires_at IS NULL OR expires_at > {now})"));
        }
        all.extend(self.conditions.iter().map(|condition| written::<T>(condition, statement)));
        all.join(" AND ")
    }

    /// One page: of the next rows in order, those for which all conditions hold, and one more.
    pub(crate) fn page<T: Leaf>(&self, portal: i64, columns: &str, sign: char) -> Statement {
        let mut statement = self.ordered::<T>(portal, "*", sign);
        let near = std::mem::take(&mut statement.sql);
        let wanted = self.wanted::<T>(&mut statement);
        // They come in the order they were looked at. To ask for it again would have them all sorted first.
        let limit = self.limit + 1;
        statement.sql =
            format!("SELECT {columns} FROM ({near} LIMIT {EXAMINED}) AS near WHERE {wanted} LIMIT {limit}");
        statement
    }

    /// The last row that was looked at, if there may be more behind it.
    pub(crate) fn horizon<T: Leaf>(&self, portal: i64, sign: char) -> Statement {
        let of = format!("{}, id", self.sort.key(sign));
        let mut statement = self.ordered::<T>(portal, &of, sign);
        let _ = write!(statement.sql, " LIMIT 1 OFFSET {}", EXAMINED - 1);
        statement
    }

    /// A run, each row with whether all conditions hold for it.
    pub(crate) fn run<T: Leaf>(&self, portal: i64, run: &Run, columns: &str, sign: char) -> Statement {
        let mut statement = self.begin::<T>(portal, "*", sign);
        let (key, parent) = (self.sort.key(sign), parent_of::<T>());
        let folder = statement.take(Given::Int(run.folder));
        let _ = write!(statement.sql, " AND {parent} = {folder}");
        let (behind, ahead, way) = if self.descending { ('<', '>', " DESC") } else { ('>', '<', "") };
        if let Some((name, id)) = &run.after {
            let (name, id) = (statement.text(name), statement.take(Given::Int(*id)));
            let _ = write!(statement.sql, " AND ({key}, id) {behind} ({name}, {id})");
        }
        if let Some(name) = &run.before {
            let name = statement.text(name);
            let _ = write!(statement.sql, " AND {key} {ahead} {name}");
        }
        let _ = write!(statement.sql, " ORDER BY {key}{way}, id{way} LIMIT {}", run.limit);
        let near = std::mem::take(&mut statement.sql);
        let wanted = self.wanted::<T>(&mut statement);
        statement.sql = format!("SELECT {columns}, ({wanted}) AS wanted FROM ({near}) AS near");
        statement
    }

    /// The next folder in a folder by where the paths of what is in it stand: its name with a slash behind it.
    pub(crate) fn branch(&self, portal: i64, run: &Run, columns: &str, sign: char) -> Statement {
        let mut statement = Statement { sql: String::new(), given: Vec::new(), sign };
        let (owner, folder) = (statement.take(Given::Int(portal)), statement.take(Given::Int(run.folder)));
        let key = if sign == '$' { "(name || '/') COLLATE \"C\"" } else { "(name || '/')" };
        let (behind, way) = if self.descending { ('<', " DESC") } else { ('>', "") };
        statement.sql = format!(
            "SELECT {columns} FROM folders WHERE portal_id = {owner} AND parent_id = {folder} AND archived_at IS NULL"
        );
        if let Some((name, _)) = &run.after {
            let name = statement.text(name);
            let _ = write!(statement.sql, " AND {key} {behind} {name}");
        }
        let _ = write!(statement.sql, " ORDER BY {key}{way} LIMIT 1");
        statement
    }

    /// Whether a name is what the order is by.
    pub(crate) fn by_name(&self) -> bool {
        matches!(self.sort, FileSort::Name | FileSort::Path)
    }
}

fn parent_of<T: Leaf>() -> &'static str {
    if T::TABLE == "folders" { "parent_id" } else { "folder_id" }
}

fn written<T: Leaf>(condition: &FileCondition, statement: &mut Statement) -> String {
    let column = |field: &FileField| match field {
        FileField::Folder => parent_of::<T>(),
        field => field.column(),
    };
    match condition {
        FileCondition::OneOf(field, numbers) => listed(column(field), "IN", numbers, statement),
        FileCondition::NoneOf(field, numbers) => listed(column(field), "NOT IN", numbers, statement),
        FileCondition::AtLeast(field, n) => {
            format!("{} >= {}", column(field), statement.take(Given::Int(*n)))
        }
        FileCondition::AtMost(field, n) => {
            format!("{} <= {}", column(field), statement.take(Given::Int(*n)))
        }
        FileCondition::Text(field, text) => {
            let text = statement.text(&text.to_ascii_lowercase());
            format!("{} = {text}", statement.lower(column(field)))
        }
        FileCondition::Named(text) => {
            let key = format!("coalesce(name_key, {})", statement.lower("name"));
            like(&key, "%", &fold(text), statement)
        }
        FileCondition::Within(0) => "1 = 1".into(),
        FileCondition::Within(folder) => {
            let own = if T::TABLE == "folders" { "near.id" } else { "near.folder_id" };
            let folder = statement.take(Given::Int(*folder));
            let owner = statement.owner();
            format!(
                "EXISTS (WITH RECURSIVE above (id) AS (SELECT {own} UNION SELECT (SELECT f.parent_id FROM folders f \
                 WHERE f.portal_id = {owner} AND f.id = above.id) FROM above WHERE above.id <> 0) \
                 SELECT 1 FROM above WHERE above.id = {folder})"
            )
        }
        FileCondition::StartsWith(field, texts) => begins(column(field), texts, statement),
        FileCondition::StartsElse(field, texts) => {
            format!("NOT {}", begins(column(field), texts, statement))
        }
        FileCondition::Flag(field, flag) => {
            format!("{} = {}", column(field), statement.take(Given::Bool(*flag)))
        }
    }
}

fn begins(column: &str, texts: &[String], statement: &mut Statement) -> String {
    let column = statement.lower(column);
    let any: Vec<_> =
        texts.iter().map(|text| like(&column, "", &text.to_ascii_lowercase(), statement)).collect();
    format!("({})", any.join(" OR "))
}

fn listed(column: &str, how: &str, numbers: &[i64], statement: &mut Statement) -> String {
    let marks: Vec<_> = numbers.iter().map(|n| statement.take(Given::Int(*n))).collect();
    match (marks.is_empty(), how) {
        (true, "IN") => "1 = 0".into(),
        (true, _) => "1 = 1".into(),
        _ => format!("{column} {how} ({})", marks.join(", ")),
    }
}

fn like(key: &str, before: &str, text: &str, statement: &mut Statement) -> String {
    let mut pattern = before.to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    format!("{key} LIKE {} ESCAPE '\\'", statement.text(&pattern))
}
