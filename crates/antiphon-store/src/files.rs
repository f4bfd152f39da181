//! Files, the folders they are in, their bytes, and what is done with them later. The bytes themselves are kept elsewhere; here
//! is what they are called there.

mod lists;
pub(crate) mod walk;

pub(crate) use lists::{EXAMINED, Given, Leaf, Run, Statement};
pub use lists::{FileCondition, FileField, FileList, FileSort, FileSpot};

use crate::{MessageId, Millis, StoreError, ThreadId};

/// Who may see a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Access {
    PublicIndexable = 1,
    PublicNotIndexable = 2,
    Private = 3,
    HiddenIndexable = 4,
    HiddenNotIndexable = 5,
    #[default]
    HiddenPrivate = 6,
    Sensitive = 7,
    HiddenSensitive = 8,
}

impl Access {
    /// Every one, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::PublicIndexable,
        Self::PublicNotIndexable,
        Self::Private,
        Self::HiddenIndexable,
        Self::HiddenNotIndexable,
        Self::HiddenPrivate,
        Self::Sensitive,
        Self::HiddenSensitive,
    ];

    /// Whether its address is good for anybody.
    pub fn is_public(self) -> bool {
        matches!(
            self,
            Self::PublicIndexable
                | Self::PublicNotIndexable
                | Self::HiddenIndexable
                | Self::HiddenNotIndexable
        )
    }

    /// Whether search engines may know of it.
    pub fn is_indexable(self) -> bool {
        matches!(self, Self::PublicIndexable | Self::HiddenIndexable)
    }

    /// Whether lists leave it out.
    pub fn is_hidden(self) -> bool {
        matches!(
            self,
            Self::HiddenIndexable | Self::HiddenNotIndexable | Self::HiddenPrivate | Self::HiddenSensitive
        )
    }

    /// The one that is stored as this number.
    pub(crate) fn stored(value: i64) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|access| *access as i64 == value);
        found.ok_or_else(|| StoreError::damaged("a file's access", value))
    }
}

/// SHA-256 of a file's bytes.
pub type Sha = [u8; 32];

/// A file that messages can name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    pub id: i64,
    /// Name with extension.
    pub name: String,
    /// The name's last part, without its dot; empty where there is none.
    pub extension: String,
    /// Media type, such as `image/png`.
    pub media_type: String,
    /// Bytes, when known.
    pub size: Option<i64>,
    /// Absolute URL the bytes are read from, of a file that is hosted elsewhere; otherwise empty.
    pub url: String,
    pub access: Access,
    /// The folder; 0 is the root.
    pub folder: i64,
    /// Its bytes, if they are kept here and have not been erased.
    pub blob: Option<Sha>,
    /// MD5 of its bytes, in hexadecimal digits.
    pub md5: Option<String>,
    pub encoding: Option<String>,
    pub width: Option<i64>,
    pub height: Option<i64>,
    /// Whether it may be chosen for something new.
    pub usable: bool,
    /// Whether it came with a message.
    pub conversational: bool,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub archived_at: Option<Millis>,
    /// When it is to be deleted.
    pub expires_at: Option<Millis>,
    /// Since when it is gone for everybody, while messages may still name it.
    pub erased_at: Option<Millis>,
}

impl File {
    /// The name without its extension.
    pub fn stem(&self) -> &str {
        let stem = self.name.strip_suffix(self.extension.as_str()).and_then(|name| name.strip_suffix('.'));
        stem.filter(|_| !self.extension.is_empty()).unwrap_or(&self.name)
    }

    /// Whether it is there for those who ask at this time.
    pub fn is_live(&self, now: Millis) -> bool {
        self.archived_at.is_none()
            && self.erased_at.is_none()
            && self.expires_at.is_none_or(|expiry| expiry > now)
    }

    /// Whether lists show it.
    pub(crate) fn is_listed(&self) -> bool {
        self.archived_at.is_none()
            && self.erased_at.is_none()
            && self.blob.is_some()
            && !self.access.is_hidden()
    }
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    pub id: i64,
    /// The folder it is in; 0 is the root.
    pub parent: i64,
    pub name: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub archived_at: Option<Millis>,
}

impl Folder {
    /// Most folders inside each other.
    pub const DEEPEST: usize = 20;
}

/// Bytes that are kept: of one or several files of a portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    pub sha: Sha,
    /// What they are called where they are kept.
    pub object: String,
    pub size: i64,
    /// Since when no file has them.
    pub tombstone_at: Option<Millis>,
}

impl Blob {
    /// The tombstone of bytes that are being erased: nobody may take them up again.
    pub const DOOMED: Millis = 0;
}

/// What a task is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FileTaskKind {
    Import = 1,
    FolderUpdate = 2,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FileTaskStatus {
    Pending = 1,
    Processing = 2,
    Complete = 3,
}

/// Something that is done with files after it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTask {
    pub id: String,
    pub kind: FileTaskKind,
    pub status: FileTaskStatus,
    /// What is asked for: a JSON object.
    pub body: String,
    pub requested_at: Millis,
    pub started_at: Option<Millis>,
    pub completed_at: Option<Millis>,
    /// Machine time until which somebody is at it.
    pub leased_until: Millis,
    /// The file or folder that came of it.
    pub object: Option<i64>,
    /// What went wrong: a JSON array.
    pub errors: String,
}

impl FileTask {
    pub(crate) fn stored(
        (kind, status): (i64, i64),
        task: impl FnOnce(FileTaskKind, FileTaskStatus) -> Self,
    ) -> Result<Self, StoreError> {
        let kind = match kind {
            1 => FileTaskKind::Import,
            2 => FileTaskKind::FolderUpdate,
            other => return Err(StoreError::damaged("what a file's task is", other)),
        };
        let status = match status {
            1 => FileTaskStatus::Pending,
            2 => FileTaskStatus::Processing,
            3 => FileTaskStatus::Complete,
            other => return Err(StoreError::damaged("how far a file's task is", other)),
        };
        Ok(task(kind, status))
    }
}

/// What a change of files is about. Everything is looked up under the portal's lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileKey {
    /// A file that is there.
    pub file: Option<i64>,
    /// A folder that is to be changed.
    pub subject: Option<i64>,
    /// Where something is to be, by the folder's id; 0 is the root.
    pub folder: Option<i64>,
    /// The same by the names of the folders that lead there. Without either it is where the file or the subject is.
    pub path: Option<Vec<String>>,
    /// What it is to be called, without the extension, and the extension.
    pub name: Option<(String, String)>,
    /// MD5 and size of its bytes.
    pub content: Option<(String, i64)>,
    /// The bytes.
    pub blob: Option<Sha>,
    /// A task.
    pub task: Option<String>,
}

/// What there is of what a [`FileKey`] names. Files and folders that are archived are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileState {
    /// Archived or not.
    pub file: Option<File>,
    pub subject: Option<Folder>,
    /// In how many folders that is.
    pub outer: usize,
    /// How deep it is, itself counted, where it is to be in more folders than it is: `None` if that would have to be asked of too
    /// many. Not more than one too deep is told.
    pub levels: Option<usize>,
    /// The folders on the way to the place, as far as they exist, the outermost first.
    pub folders: Vec<Folder>,
    /// Whether all of them exist.
    pub placed: bool,
    /// A file in that place of that name.
    pub same_name: Option<File>,
    /// A number that makes the name one that no file in that place has.
    pub free: i64,
    /// A folder in that place of that name.
    pub same_folder: Option<Folder>,
    /// A file in that place with those bytes, and one anywhere.
    pub same_content_here: Option<File>,
    pub same_content: Option<File>,
    pub blob: Option<Blob>,
    pub task: Option<FileTask>,
}

/// A message that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMention {
    /// Its place among them.
    pub place: i64,
    pub thread: ThreadId,
    pub message: MessageId,
}

/// What nobody needs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileTidy {
    pub now: Millis,
    /// Files that were deleted before lose their bytes.
    pub archived_before: Millis,
    /// What is left of files that were erased before goes.
    pub erased_before: Millis,
    /// Tasks that were asked for before go.
    pub tasks_before: Millis,
    /// Most of each.
    pub limit: usize,
}

/// A name without regard to case: the same for all that differ in nothing else, and what is a part of one stays a part.
pub(crate) fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The name of a file that is the `n`th of its kind; the first has no number.
pub fn numbered(stem: &str, extension: &str, n: i64) -> String {
    let dot = if extension.is_empty() { "" } else { "." };
    match n {
        0 => format!("{stem}{dot}{extension}"),
        n => format!("{stem}-{n}{dot}{extension}"),
    }
}

/// Finds a number that is free without asking for each: twice as far each time, and then between the last two.
pub(crate) struct Gallop {
    taken: i64,
    free: Option<i64>,
}

impl Gallop {
    pub(crate) fn new() -> Self {
        Self { taken: 0, free: None }
    }

    /// The number to be asked for next; `None` once it is known.
    pub(crate) fn ask(&self) -> Option<i64> {
        match self.free {
            None => Some((self.taken * 2).max(1)),
            Some(free) if free - self.taken > 1 => Some(self.taken + (free - self.taken) / 2),
            Some(_) => None,
        }
    }

    pub(crate) fn told(&mut self, n: i64, taken: bool) {
        match taken {
            true => self.taken = n,
            false => self.free = Some(n),
        }
    }

    pub(crate) fn free(&self) -> i64 {
        self.free.unwrap_or(self.taken + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_number_is_found_quickly() {
        for taken in [0, 1, 2, 3, 7, 8, 1000, 65_537] {
            let (mut gallop, mut asked) = (Gallop::new(), 0);
            while let Some(n) = gallop.ask() {
                gallop.told(n, n <= taken);
                asked += 1;
            }
            assert_eq!(gallop.free(), taken + 1);
            assert!(asked <= 36, "{taken}: {asked}");
        }
    }

    #[test]
    fn names_are_compared_without_regard_to_case() {
        for (one, other) in
            [("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("Ünïcode", "üNÏCODE"), ("ﬁle", "FILE"), ("Ж", "ж")]
        {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert!(fold("ΟΔΟΣ1").contains(&fold("οδος")), "the last letter is no other in the middle");
        assert_ne!(fold("é"), fold("e"));
    }

    #[test]
    fn names_come_apart_and_together() {
        let file = |name: &str, extension: &str| File {
            name: name.into(),
            extension: extension.into(),
            ..File::default()
        };
        assert_eq!(file("a.tar.gz", "gz").stem(), "a.tar");
        assert_eq!(file("README", "").stem(), "README");
        assert_eq!(file("picture.png", "").stem(), "picture.png");
        assert_eq!(numbered("a", "png", 0), "a.png");
        assert_eq!(numbered("a", "png", 2), "a-2.png");
        assert_eq!(numbered("a", "", 1), "a-1");
    }

    #[test]
    fn every_access_is_stored_as_itself() {
        for access in Access::ALL {
            assert_eq!(Access::stored(access as i64).unwrap(), access);
        }
        assert!(Access::stored(0).is_err());
    }
}
