//! The files family: files, folders, and the bytes themselves.

use antiphon_wire::files::{
    File, FileReplacement, FileStat, FileTaskState, FileUpdate, FileUpload, Folder, FolderCreate,
    FolderTaskState, FolderUpdate, ImportFromUrl, SignedUrl, TaskLocator, UploadedFiles,
};

use crate::door;
use crate::files::{delete, folders, import, read, replace, search, serve, tasks, update, upload};
use crate::operation::{Family, Kind, Operation, Parameter, Payload, Scope, Verb, shape};

const fn asks(name: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { name, kind, help }
}

const PROPERTIES: Parameter =
    asks("properties", Kind::Texts, "Members to answer, besides those that are always there");

const LIST: [Parameter; 15] = [
    asks("limit", Kind::Integer, "Most objects on a page: 1 to 100"),
    asks("after", Kind::Text, "Where the page begins"),
    asks("sort", Kind::Text, "A member to sort by; - in front turns the order round"),
    PROPERTIES,
    asks("ids", Kind::Integers, "Only these"),
    asks("idGte", Kind::Integer, "Only ids from this one on"),
    asks("idLte", Kind::Integer, "Only ids up to this one"),
    asks("name", Kind::Text, "Only names with this in them"),
    asks("path", Kind::Text, "Only what is at this path, or below it"),
    asks("parentFolderIds", Kind::Integers, "Only what is in these folders; 0 is the root"),
    asks("createdAt", Kind::Time, "Only what was made then"),
    asks("createdAtGte", Kind::Time, "Only what was made then or later"),
    asks("createdAtLte", Kind::Time, "Only what was made then or before"),
    asks("updatedAtGte", Kind::Time, "Only what was changed then or later"),
    asks("updatedAtLte", Kind::Time, "Only what was changed then or before"),
];

const MORE: [Parameter; 21] = [
    asks("updatedAt", Kind::Time, "Only what was changed then"),
    asks("expiresAt", Kind::Time, "Only what is deleted then"),
    asks("expiresAtGte", Kind::Time, "Only what is deleted then or later"),
    asks("expiresAtLte", Kind::Time, "Only what is deleted then or before"),
    asks("extension", Kind::Text, "Only this extension"),
    asks("type", Kind::OneOf(&["IMG", "DOCUMENT", "AUDIO", "MOVIE", "OTHER"]), "Only files of this type"),
    asks("url", Kind::Text, "Only the file at this address"),
    asks("encoding", Kind::Text, "Only this encoding"),
    asks("fileMd5", Kind::Text, "Only these bytes"),
    asks("size", Kind::Integer, "Only so many bytes"),
    asks("sizeGte", Kind::Integer, "Only so many bytes or more"),
    asks("sizeLte", Kind::Integer, "Only so many bytes or fewer"),
    asks("width", Kind::Integer, "Only so many pixels across"),
    asks("widthGte", Kind::Integer, "Only so many pixels across or more"),
    asks("widthLte", Kind::Integer, "Only so many pixels across or fewer"),
    asks("height", Kind::Integer, "Only so many pixels down"),
    asks("heightGte", Kind::Integer, "Only so many pixels down or more"),
    asks("heightLte", Kind::Integer, "Only so many pixels down or fewer"),
    asks("allowsAnonymousAccess", Kind::Boolean, "Only what anybody may see, or what not"),
    asks("isUsableInContent", Kind::Boolean, "Only what may be chosen for something new, or what not"),
    PROPERTIES,
];

/// Both, with the last of [`MORE`] already among the first.
const FILES: [Parameter; 35] = {
    let mut all = [PROPERTIES; 35];
    let mut at = 0;
    while at < LIST.len() {
        all[at] = LIST[at];
        at += 1;
    }
    while at < all.len() {
        all[at] = MORE[at - LIST.len()];
        at += 1;
    }
    all
};

const STATUS: &str = "/files/import-from-url/async/tasks/{taskId}/status";

/// The table.
pub const TABLE: &[Operation] = &[
    Operation::files(Verb::Post, "/files", "files.upload", door!(upload::upload))
        .says("Upload a file; the parts of the form may come in any order")
        .takes_form(shape::<FileUpload>)
        .gives(201, Payload::One(shape::<File>))
        .may_conflict(),
    Operation::files(Verb::Post, "/files/import-from-url/async", "files.import", door!(import::begin))
        .says("Have a file fetched from elsewhere")
        .takes(shape::<ImportFromUrl>)
        .gives(202, Payload::One(shape::<TaskLocator>)),
    Operation::files(Verb::Get, STATUS, "files.import.status", door!(tasks::import_status))
        .says("Ask what came of fetching a file")
        .gives(200, Payload::One(shape::<FileTaskState>)),
    Operation::files(Verb::Get, "/files/search", "files.search", door!(search::files))
        .says("Search files; hidden ones are in no list")
        .asks(&FILES)
        .gives(200, Payload::Page(shape::<File>)),
    Operation::files(Verb::Get, "/files/stat/{*path}", "files.stat", door!(read::stat))
        .says("Ask what is at a path")
        .asks(&[PROPERTIES])
        .gives(200, Payload::One(shape::<FileStat>)),
    Operation::files(Verb::Get, "/files/{fileId}", "files.read", door!(read::get))
        .says("Read what is known of a file")
        .asks(&[PROPERTIES])
        .gives(200, Payload::One(shape::<File>)),
    Operation::files(Verb::Put, "/files/{fileId}", "files.replace", door!(replace::replace))
        .says("Give a file other bytes; id, name and folder stay")
        .takes_form(shape::<FileReplacement>)
        .gives(200, Payload::One(shape::<File>)),
    Operation::files(Verb::Patch, "/files/{fileId}", "files.update", door!(update::update))
        .says("Change what a file is called, where it is, who may see it and until when")
        .takes(shape::<FileUpdate>)
        .gives(200, Payload::One(shape::<File>)),
    Operation::files(Verb::Delete, "/files/{fileId}", "files.delete", door!(delete::delete))
        .says("Delete a file")
        .gives(204, Payload::Nothing),
    Operation::files(Verb::Get, "/files/{fileId}/download", "files.download", door!(serve::download))
        .says("Read the bytes of a file")
        .gives_bytes(),
    Operation::files(Verb::Delete, "/files/{fileId}/gdpr-delete", "files.erase", door!(delete::erase))
        .says("Erase a file, deleted or not, and take it out of all messages")
        .gives(204, Payload::Nothing),
    Operation::files(Verb::Get, "/files/{fileId}/signed-url", "files.sign", door!(read::signed_url))
        .says("Make an address that is good for a while without a token")
        .asks(&[
            asks("expirationSeconds", Kind::Integer, "For how long: 1 second to 7 days, a day unless given"),
            asks("size", Kind::OneOf(&["icon", "thumb", "medium", "preview"]), "A scaled picture"),
            asks("upscale", Kind::Boolean, "Whether a picture may be made larger"),
        ])
        .gives(200, Payload::One(shape::<SignedUrl>)),
    Operation::files(Verb::Post, "/folders", "folders.create", door!(folders::create))
        .says("Make a folder")
        .takes(shape::<FolderCreate>)
        .gives(201, Payload::One(shape::<Folder>))
        .may_conflict(),
    Operation::files(Verb::Get, "/folders/search", "folders.search", door!(search::folders))
        .says("Search folders")
        .asks(&LIST)
        .gives(200, Payload::Page(shape::<Folder>)),
    Operation::files(
        Verb::Post,
        "/folders/update/async",
        "folders.update.async",
        door!(tasks::update_folder),
    )
    .says("Have a folder renamed or moved with all that is in it")
    .takes(shape::<FolderUpdate>)
    .gives(202, Payload::One(shape::<TaskLocator>)),
    Operation::files(
        Verb::Get,
        "/folders/update/async/tasks/{taskId}/status",
        "folders.update.status",
        door!(tasks::folder_status),
    )
    .says("Ask what came of changing a folder")
    .gives(200, Payload::One(shape::<FolderTaskState>)),
    Operation::files(Verb::Get, FOLDER, "folders.get", door!(folders::get))
        .says("Read a folder, by its id or its path")
        .asks(&[PROPERTIES])
        .gives(200, Payload::One(shape::<Folder>)),
    Operation::files(Verb::Patch, FOLDER, "folders.update", door!(folders::update))
        .says("Rename a folder, or move it with all that is in it")
        .takes(shape::<FolderUpdate>)
        .gives(200, Payload::One(shape::<Folder>))
        .may_conflict(),
    Operation::files(Verb::Delete, FOLDER, "folders.delete", door!(folders::remove))
        .says("Delete a folder with all that is in it")
        .gives(204, Payload::Nothing),
    Operation::files(Verb::Post, "/files/upload", "files.manage", door!(upload::manage))
        .of(Family::FileManager)
        .scope(Scope::FilesWrite)
        .says("Upload a file, as an older file manager had it")
        .takes_form(shape::<FileUpload>)
        .gives(200, Payload::One(shape::<UploadedFiles>))
        .may_conflict(),
    Operation::files(Verb::Get, "/{portalId}/{fileId}/{name}", "files.serve", door!(serve::public))
        .of(Family::FileBytes)
        .open()
        .says("Read the bytes of a file that anybody may see, or by a signed address")
        .gives_bytes(),
];

const FOLDER: &str = "/folders/{*folderId}";
