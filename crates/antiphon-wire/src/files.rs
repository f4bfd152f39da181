//! Files and folders.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{Id, LenientId};
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::Timestamp;

wire_enum! {
    /// Who may see a file.
    pub enum FileAccess {
        /// Anybody, and search engines may show it.
        PublicIndexable = "PUBLIC_INDEXABLE",
        /// Anybody who knows the address.
        PublicNotIndexable = "PUBLIC_NOT_INDEXABLE",
        /// Whoever has a signed address.
        Private = "PRIVATE",
        /// Anybody; in no list.
        HiddenIndexable = "HIDDEN_INDEXABLE",
        /// Anybody who knows the address; in no list.
        HiddenNotIndexable = "HIDDEN_NOT_INDEXABLE",
        /// Whoever has a signed address; in no list.
        HiddenPrivate = "HIDDEN_PRIVATE",
        /// To be read through the API.
        Sensitive = "SENSITIVE",
        /// To be read through the API; in no list.
        HiddenSensitive = "HIDDEN_SENSITIVE",
    }

    /// What a file is.
    pub enum FileType {
        /// A picture.
        Img = "IMG",
        /// Something to be read.
        Document = "DOCUMENT",
        /// Something to be heard.
        Audio = "AUDIO",
        /// Something to be watched.
        Movie = "MOVIE",
        /// Anything else.
        Other = "OTHER",
    }

    /// How a file came here.
    pub enum SourceGroup {
        /// It was uploaded.
        Content = "CONTENT",
        /// With a message.
        Conversations = "CONVERSATIONS",
    }

    /// What is done about a file whose content is there already.
    pub enum DuplicateStrategy {
        /// It is kept as another file.
        None = "NONE",
        /// It is refused.
        Reject = "REJECT",
        /// The file that is there is the answer.
        ReturnExisting = "RETURN_EXISTING",
    }

    /// Where the same content counts.
    pub enum DuplicateScope {
        /// Anywhere.
        EntirePortal = "ENTIRE_PORTAL",
        /// In the same folder.
        ExactFolder = "EXACT_FOLDER",
    }

    /// The size of a scaled image.
    pub enum ImageSize {
        /// At most 32 pixels.
        Icon = "icon",
        /// At most 128 pixels.
        Thumb = "thumb",
        /// At most 1200 pixels.
        Medium = "medium",
        /// At most 600 pixels.
        Preview = "preview",
    }

    /// How far a task is.
    pub enum TaskStatus {
        /// Not begun.
        Pending = "PENDING",
        /// Under way.
        Processing = "PROCESSING",
        /// At its end, well or not.
        Complete = "COMPLETE",
        /// Given up.
        Canceled = "CANCELED",
    }
}

impl FileType {
    /// What a media type stands for.
    pub fn of(media_type: &str) -> Self {
        let lower = media_type.to_ascii_lowercase();
        match lower.split_once('/').map_or("", |(kind, _)| kind) {
            "image" => Self::Img,
            "audio" => Self::Audio,
            "video" => Self::Movie,
            "text" => Self::Document,
            _ if DOCUMENTS.iter().any(|known| lower.starts_with(known)) => Self::Document,
            _ => Self::Other,
        }
    }

    /// How media types of this kind begin; none for all others.
    pub fn beginnings(self) -> Vec<String> {
        let all: &[&str] = match self {
            Self::Img => &["image/"],
            Self::Audio => &["audio/"],
            Self::Movie => &["video/"],
            Self::Document => {
                return std::iter::once("text/")
                    .chain(DOCUMENTS.iter().copied())
                    .map(str::to_owned)
                    .collect();
            }
            Self::Other => &[],
        };
        all.iter().map(|kind| (*kind).to_owned()).collect()
    }
}

/// How the media types of documents begin that are no texts.
const DOCUMENTS: [&str; 8] = [
    "application/pdf",
    "application/rtf",
    "application/json",
    "application/xml",
    "application/msword",
    "application/vnd.ms-",
    "application/vnd.oasis.opendocument",
    "application/vnd.openxmlformats-officedocument",
];

impl ImageSize {
    /// The longest side.
    pub fn pixels(self) -> u32 {
        match self {
            Self::Icon => 32,
            Self::Thumb => 128,
            Self::Medium => 1200,
            Self::Preview => 600,
        }
    }
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StoredFile)]
pub struct File {
    /// Its id.
    pub id: Id,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Whether it was deleted.
    pub archived: bool,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
    /// Who may see it.
    pub access: FileAccess,
    /// Its name without the extension.
    #[schema(required = false)]
    pub name: String,
    /// Its extension, without a dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub extension: Option<String>,
    /// Its folders, its name and its extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub path: Option<String>,
    /// Its folder, unless that is the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent_folder_id: Option<Id>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub size: Option<i64>,
    /// What it is.
    #[serde(rename = "type")]
    #[schema(required = false)]
    pub kind: FileType,
    /// How it is encoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub encoding: Option<String>,
    /// Pixels across.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub width: Option<i64>,
    /// Pixels down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<i64>,
    /// MD5 of its bytes, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub file_md5: Option<String>,
    /// Where its bytes are, for those who may see it.
    #[schema(required = false)]
    pub url: String,
    /// The same.
    #[schema(required = false)]
    pub default_hosting_url: String,
    /// Whether it may be chosen for something new.
    #[schema(required = false)]
    pub is_usable_in_content: bool,
    /// When it will be deleted, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<i64>,
    /// How it came here.
    #[schema(required = false)]
    pub source_group: SourceGroup,
}

/// What a production client of an older path expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UploadedFiles {
    /// The file. Its id is a number here.
    #[schema(value_type = Vec<Object>)]
    pub objects: Vec<serde_json::Value>,
}

/// An address that is good for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedUrl {
    /// The address. It needs no token.
    pub url: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The file's name without the extension.
    pub name: String,
    /// Its extension.
    pub extension: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FileType,
    /// Bytes of the original.
    pub size: i64,
    /// Pixels across.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub width: Option<i64>,
    /// Pixels down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<i64>,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    /// Its id.
    pub id: Id,
    /// Whether it was deleted.
    pub archived: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived_at: Option<Timestamp>,
    /// What it is called.
    #[schema(required = false)]
    pub name: String,
    /// The folders it is in, and its name.
    #[schema(required = false)]
    pub path: String,
    /// The folder it is in, unless that is the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent_folder_id: Option<Id>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileStat {
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<File>)]
    pub file: Option<serde_json::Value>,
    /// A folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Folder>)]
    pub folder: Option<serde_json::Value>,
}

/// Where to ask how far a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaskLocator {
    /// The task.
    pub id: String,
    /// `status`: the address to ask.
    pub links: BTreeMap<String, String>,
}

/// What went wrong in a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskError {
    /// The literal `error`.
    pub status: String,
    /// For machines.
    pub category: String,
    /// For people.
    pub message: String,
    /// What the message speaks of.
    pub context: BTreeMap<String, Vec<String>>,
    /// Details.
    pub errors: Vec<serde_json::Value>,
    /// Addresses.
    pub links: BTreeMap<String, String>,
}

impl TaskError {
    /// An error with a message.
    pub fn new(category: &str, message: impl Into<String>) -> Self {
        Self {
            status: "error".into(),
            category: category.into(),
            message: message.into(),
            context: BTreeMap::new(),
            errors: Vec::new(),
            links: BTreeMap::new(),
        }
    }
}

macro_rules! task_states {
    ($($(#[$doc:meta])* $name:ident, $result:ty);+ $(;)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The task.
            pub task_id: String,
            /// How far it is.
            pub status: TaskStatus,
            /// When it was begun.
            pub started_at: Timestamp,
            /// When it came to its end; now, while it has not.
            pub completed_at: Timestamp,
            /// When it was asked for.
            pub requested_at: Timestamp,
            /// What came of it.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub result: Option<$result>,
            /// How much went wrong.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(nullable = false)]
            pub num_errors: Option<i32>,
            /// What went wrong.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schema(required = false)]
            pub errors: Vec<TaskError>,
        }
    )+};
}

task_states! {
    /// How far a task is that makes a file, and what came of it.
    FileTaskState, File;
    /// How far a task is that changes a folder, and what came of it.
    FolderTaskState, Folder;
}

/// An upload, part by part.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FileUpload {
    /// The bytes.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// What it is called; as the part with the bytes is, unless given.
    #[schema(nullable = false)]
    pub file_name: Option<String>,
    /// The folder.
    #[schema(nullable = false)]
    pub folder_id: Option<String>,
    /// The folder by its path; folders that are missing are made.
    #[schema(nullable = false)]
    pub folder_path: Option<String>,
    /// A guess how a text is encoded.
    #[schema(nullable = false)]
    pub charset_hunch: Option<String>,
    /// Options as JSON.
    #[schema(nullable = false)]
    pub options: Option<String>,
}

/// New bytes for a file, part by part.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct FileReplacement {
    /// The bytes.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// A guess how a text is encoded.
    #[schema(nullable = false)]
    pub charset_hunch: Option<String>,
    /// `access` and `expiresAt` as JSON.
    #[schema(nullable = false)]
    pub options: Option<String>,
}

lenient! {
    /// How a file is to be kept.
    pub struct FileOptions {
        /// Who may see it; `PRIVATE` unless given.
        pub access: Option<FileAccess> = "access",
        /// Whether it takes the place of a file of the same name.
        pub overwrite: Option<bool> = "overwrite",
        /// What is done if its content is there already.
        pub duplicate_validation_strategy: Option<DuplicateStrategy> = "duplicateValidationStrategy",
        /// Where that counts.
        pub duplicate_validation_scope: Option<DuplicateScope> = "duplicateValidationScope",
        /// After which time it is deleted, such as `P3M`.
        pub ttl: Option<String> = "ttl",
        /// When it is deleted.
        pub expires_at: Option<Timestamp> = "expiresAt",
    }

    /// A file to be fetched.
    pub struct ImportFromUrl {
        /// Where it is.
        pub url: Option<String> = "url",
        /// The folder.
        pub folder_id: Option<LenientId> = "folderId",
        /// The folder by its path.
        pub folder_path: Option<String> = "folderPath",
        /// What it is to be called; as in its address, unless given.
        pub name: Option<String> = "name",
        /// Who may see it; `PRIVATE` unless given.
        pub access: Option<FileAccess> = "access",
        /// Whether it takes the place of a file of the same name.
        pub overwrite: Option<bool> = "overwrite",
        /// What is done if its content is there already.
        pub duplicate_validation_strategy: Option<DuplicateStrategy> = "duplicateValidationStrategy",
        /// Where that counts.
        pub duplicate_validation_scope: Option<DuplicateScope> = "duplicateValidationScope",
        /// After which time it is deleted, such as `P3M`.
        pub ttl: Option<String> = "ttl",
        /// When it is deleted.
        pub expires_at: Option<Timestamp> = "expiresAt",
    }

    /// What becomes another of a file.
    pub struct FileUpdate {
        /// What it is called, without the extension.
        pub name: Option<String> = "name",
        /// Who may see it.
        pub access: Option<FileAccess> = "access",
        /// The folder.
        pub parent_folder_id: Option<LenientId> = "parentFolderId",
        /// The folder by its path.
        pub parent_folder_path: Option<String> = "parentFolderPath",
        /// Whether it may be chosen for something new.
        pub is_usable_in_content: Option<bool> = "isUsableInContent",
        /// When it is deleted.
        pub expires_at: Option<Timestamp> = "expiresAt",
        /// Whether it is not deleted after all.
        pub clear_expires: Option<bool> = "clearExpires",
    }

    /// A folder to be made.
    pub struct FolderCreate {
        /// What it is called.
        pub name: Option<String> = "name",
        /// The folder it is in.
        pub parent_folder_id: Option<LenientId> = "parentFolderId",
        /// The folder it is in, by its path.
        pub parent_path: Option<String> = "parentPath",
    }

    /// What becomes another of a folder.
    pub struct FolderUpdate {
        /// The folder, where the path does not name it.
        pub id: Option<LenientId> = "id",
        /// What it is called.
        pub name: Option<String> = "name",
        /// The folder it is in; 0 is the root.
        pub parent_folder_id: Option<LenientId> = "parentFolderId",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_from_media_types() {
        for (media_type, kind) in [
            ("image/svg+xml", FileType::Img),
            ("Audio/ogg", FileType::Audio),
            ("video/mp4", FileType::Movie),
            ("text/plain; charset=utf-8", FileType::Document),
            ("application/pdf", FileType::Document),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", FileType::Document),
            ("application/octet-stream", FileType::Other),
            ("", FileType::Other),
        ] {
            assert_eq!(FileType::of(media_type), kind, "{media_type}");
            let begins = kind.beginnings().iter().any(|b| media_type.to_lowercase().starts_with(b));
            assert_eq!(begins, kind != FileType::Other);
        }
    }
}
