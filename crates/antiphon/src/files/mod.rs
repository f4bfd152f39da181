//! Files: what messages carry, and what is kept for them. A file is a row that the store has, and bytes that are somewhere else;
//! those are there before the row is, and go after it. A file may also be hosted elsewhere: then only its address is known.
//!
//! No byte of a file is ever whole in memory but of pictures that are scaled, and nothing that was uploaded runs in our origin.

pub mod bytes;
pub mod content;
pub mod delete;
pub mod folders;
pub mod form;
pub mod import;
pub mod links;
pub mod place;
pub mod read;
pub mod register;
pub mod replace;
pub mod search;
pub mod serve;
pub mod sweep;
pub mod tasks;
pub mod update;
pub mod upload;

use antiphon_store::{Access, File, Folder};
use antiphon_wire::files::{self as wire, FileAccess, FileType, SourceGroup};
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use serde_json::Value;

use crate::call::Call;
use crate::refusal::Refusal;

/// As it is stored.
fn access(access: FileAccess) -> Access {
    Access::ALL.get(access as usize).copied().unwrap_or_default()
}

/// A file as the API shows it, in these folders.
pub fn shown(call: &Call, file: &File, folders: &[Folder]) -> wire::File {
    let url = match file.url.is_empty() {
        true => format!("{}{}", call.origin, links::path(call.caller.portal(), file)),
        false => file.url.clone(),
    };
    wire::File {
        id: Id(file.id),
        created_at: Timestamp(file.created_at),
        updated_at: Timestamp(file.updated_at.max(file.created_at)),
        archived: file.archived_at.is_some(),
        archived_at: file.archived_at.map(Timestamp),
        access: FileAccess::ALL.get(file.access as usize - 1).copied().unwrap_or(FileAccess::HiddenPrivate),
        name: file.stem().to_owned(),
        extension: Some(file.extension.clone()).filter(|extension| !extension.is_empty()),
        path: Some(place::path(folders, &file.name)),
        parent_folder_id: (file.folder != 0).then_some(Id(file.folder)),
        size: file.size,
        kind: FileType::of(&file.media_type),
        encoding: file.encoding.clone(),
        width: file.width,
        height: file.height,
        file_md5: file.md5.clone(),
        default_hosting_url: url.clone(),
        url,
        is_usable_in_content: file.usable,
        expires_at: file.expires_at,
        source_group: if file.conversational { SourceGroup::Conversations } else { SourceGroup::Content },
    }
}

/// Members of a file and a folder that are always there.
const ALWAYS: [&str; 5] = ["id", "createdAt", "updatedAt", "archived", "access"];

/// Only those members that were asked for, and those that are always there.
pub fn narrowed(call: &Call, value: &impl serde::Serialize) -> Result<Value, Refusal> {
    let mut value = serde_json::to_value(value).map_err(|error| Refusal::Internal(error.to_string()))?;
    let wanted = call.query.list("properties");
    if let Some(object) = value.as_object_mut().filter(|_| !wanted.is_empty()) {
        object.retain(|name, _| ALWAYS.contains(&name.as_str()) || wanted.contains(&name.as_str()));
    }
    Ok(value)
}

/// The id in the first segment of a path; one that cannot be a file's is the same as an unknown one.
pub fn file_id(call: &Call) -> Result<i64, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))
}

/// The file in the path, if it is there for whoever calls.
pub async fn live(call: &Call) -> Result<File, Refusal> {
    let id = file_id(call)?;
    let found = call.app.store.files_by_ids(call.caller.portal(), &[id]).await?.pop();
    found.filter(|file| file.is_live(call.app.store.now())).ok_or_else(|| Refusal::not_found(call.segment(0)))
}
