//! Lists of files and folders: any conditions together, in one of a few orders, each with an index of its own. Conditions that no
//! index serves are looked at row by row, for so many rows a page.

use std::fmt::Write;

use crate::Millis;

/// Most rows of an order that are looked at for one page.
pub(crate) const EXAMINED: i64 = 20_000;

/// By what a list is ordered; the id settles ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileSort {
    #[default]
    Id,
    Name,
    CreatedAt,
    UpdatedAt,
    ExpiresAt,
    Size,
    Width,
    Height,
}

impl FileSort {
    /// What stands in the index. Names are in the order of their bytes on either engine.
    fn key(self, sign: char) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name if sign == '$' => "name COLLATE \"C\"",
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::ExpiresAt => "coalesce(expires_at, 0)",
            Self::Size => "coalesce(size, 0)",
            Self::Width => "coalesce(width, 0)",
            Self::Height => "coalesce(height, 0)",
        }
    }
}

/// Where a page ended: a number, or a name, and the id.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// This text, whatever its case.
    Text(FileField, String),
    /// This text somewhere in it, whatever its case.
    Contains(FileField, String),
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
}

impl FileList {
    fn begin(&self, portal: i64, table: &str, of: &str, sign: char) -> Statement {
        let mut statement = Statement { sql: String::new(), given: Vec::new(), sign };
        let owner = statement.take(Given::Int(portal));
        let there = match (table, sign) {
            ("folders", _) => "archived_at IS NULL",
            (_, '?') => "listed = 1",
            _ => "listed",
        };
        statement.sql = format!("SELECT {of} FROM {table} WHERE portal_id = {owner} AND {there}");
        if let Some(after) = &self.after {
            let (key, id) = (self.sort.key(sign), statement.take(Given::Int(after.id)));
            let way = if self.descending { '<' } else { '>' };
            let place = match self.sort {
                FileSort::Id => format!(" AND id {way} {id}"),
                FileSort::Name => {
                    format!(" AND ({key}, id) {way} ({}, {id})", statement.text(&after.name))
                }
                _ => {
                    let number = statement.take(Given::Int(after.number));
                    format!(" AND ({key}, id) {way} ({number}, {id})")
                }
            };
            statement.sql += &place;
        }
        let way = if self.descending { " DESC" } else { "" };
        statement.sql += &match self.sort {
            FileSort::Id => format!(" ORDER BY id{way}"),
            sort => format!(" ORDER BY {}{way}, id{way}", sort.key(sign)),
        };
        statement
    }

    /// One page: of the next rows in order, those for which all conditions hold.
    pub(crate) fn page(&self, portal: i64, table: &str, columns: &str, sign: char) -> Statement {
        let mut statement = self.begin(portal, table, "*", sign);
        let mut sql = format!("SELECT {columns} FROM ({} LIMIT {EXAMINED}) AS near", statement.sql);
        let mut joint = " WHERE ";
        let mut add = |condition: String| {
            sql += joint;
            sql += &condition;
            joint = " AND ";
        };
        if table == "files" {
            let now = statement.take(Given::Int(self.now));
            add(format!("(expires_at IS NULL OR expires_at > {now})"));
        }
        for condition in &self.conditions {
            add(written(condition, table, &mut statement));
        }
        // They come in the order they were looked at. To ask for it again would have them all sorted first.
        let _ = write!(sql, " LIMIT {}", self.limit);
        statement.sql = sql;
        statement
    }

    /// The last row that was looked at, if there may be more behind it.
    pub(crate) fn horizon(&self, portal: i64, table: &str, sign: char) -> Statement {
        let of = format!("{}, id", self.sort.key(sign));
        let mut statement = self.begin(portal, table, &of, sign);
        let _ = write!(statement.sql, " LIMIT 1 OFFSET {}", EXAMINED - 1);
        statement
    }

    /// Whether the order is by name.
    pub(crate) fn by_name(&self) -> bool {
        self.sort == FileSort::Name
    }
}

fn written(condition: &FileCondition, table: &str, statement: &mut Statement) -> String {
    let column = |field: &FileField| match (field, table) {
        (FileField::Folder, "folders") => "parent_id",
        (field, _) => field.column(),
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
            format!("lower({}) = {}", column(field), statement.text(&text.to_lowercase()))
        }
        FileCondition::Contains(field, text) => like(column(field), "%", text, statement),
        FileCondition::StartsWith(field, texts) => {
            let any: Vec<_> = texts.iter().map(|text| like(column(field), "", text, statement)).collect();
            format!("({})", any.join(" OR "))
        }
        FileCondition::StartsElse(field, texts) => {
            let any: Vec<_> = texts.iter().map(|text| like(column(field), "", text, statement)).collect();
            format!("NOT ({})", any.join(" OR "))
        }
        FileCondition::Flag(field, flag) => {
            format!("{} = {}", column(field), statement.take(Given::Bool(*flag)))
        }
    }
}

fn listed(column: &str, how: &str, numbers: &[i64], statement: &mut Statement) -> String {
    let marks: Vec<_> = numbers.iter().map(|n| statement.take(Given::Int(*n))).collect();
    match (marks.is_empty(), how) {
        (true, "IN") => "1 = 0".into(),
        (true, _) => "1 = 1".into(),
        _ => format!("{column} {how} ({})", marks.join(", ")),
    }
}

fn like(column: &str, before: &str, text: &str, statement: &mut Statement) -> String {
    let mut pattern = before.to_owned();
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    format!("lower({column}) LIKE {} ESCAPE '\\'", statement.text(&pattern))
}
