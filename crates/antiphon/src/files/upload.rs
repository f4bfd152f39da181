//! Uploading. Bytes first, then the row: until that is committed, nobody sees anything, and what never comes so far is swept away.

use antiphon_store::{
    Access, Blob, Changes, File, FileKey, FileState, Millis, Moment, State, Target, numbered,
};
use antiphon_wire::error::Problem;
use antiphon_wire::files::{DuplicateScope, DuplicateStrategy, FileAccess, FileOptions, UploadedFiles};
use antiphon_wire::id::LenientId;
use antiphon_wire::lenient::parse_body;
use jiff::tz::TimeZone;

use super::bytes::Written;
use super::content::Content;
use super::form::{self, Form, Sent};
use super::place::{self, Place};
use super::{access, shown};
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::refusal::Refusal;

/// What a file is to become.
#[derive(Debug, Clone)]
pub struct Draft {
    pub place: Place,
    pub stem: String,
    pub extension: String,
    pub access: Access,
    pub overwrite: bool,
    pub strategy: DuplicateStrategy,
    pub scope: DuplicateScope,
    pub expires_at: Option<Millis>,
    pub content: Content,
    pub written: Written,
    pub conversational: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Made {
    pub file: File,
    pub folders: Vec<antiphon_store::Folder>,
}

/// `POST /files`
pub async fn upload(call: Call) -> Result<Answer, Refusal> {
    let made = from_form(&call).await?;
    let body = shown(&call, &made.file, &made.folders);
    Answer::json(201, &body).map(|answer| answer.at(&call, made.file.id))
}

/// `POST /filemanager/api/v3/files/upload`
pub async fn manage(call: Call) -> Result<Answer, Refusal> {
    let made = from_form(&call).await?;
    let body = serde_json::to_value(shown(&call, &made.file, &made.folders));
    let mut body = body.map_err(|error| Refusal::Internal(error.to_string()))?;
    body["id"] = made.file.id.into();
    Answer::json(200, &UploadedFiles { objects: vec![body] })
}

async fn from_form(call: &Call) -> Result<Made, Refusal> {
    let mut form = form::read(call).await?;
    let Some(sent) = form.file.take() else {
        return Err(Refusal::Invalid(vec![Problem::required("file")]));
    };
    let object = sent.written.object.clone();
    let made = match drafted(call, &form, sent).await {
        Ok(draft) => keep(call, draft).await,
        Err(refusal) => Err(refusal),
    };
    // Where it is not known whether there is a file now, its bytes stay.
    if matches!(&made, Err(refusal) if !matches!(refusal, Refusal::Unknown(_))) {
        discard(call, &object).await;
    }
    made
}

/// Erases what was written in vain. The sweep would, later.
pub async fn discard(call: &Call, object: &str) {
    if let Err(error) = call.app.kept.erase(object).await {
        tracing::debug!(error = format!("{error:#}"), "an object is left to the sweep");
    }
}

async fn drafted(call: &Call, form: &Form, sent: Sent) -> Result<Draft, Refusal> {
    let mut problems = Vec::new();
    let folder_id = form.text("folderId").map(|id| LenientId(id.to_owned()));
    let place =
        Place::read(("folderId", folder_id.as_ref()), ("folderPath", form.text("folderPath")), &mut problems);
    let options = options(form, &mut problems);
    let (stem, extension) = called(form.text("fileName"), sent.name.as_deref(), &mut problems);
    let expires_at = expiry(options.ttl.as_deref(), options.expires_at.map(|at| at.0), call, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let content = judged(call, &sent, &extension, form.text("charsetHunch")).await?;
    Ok(Draft {
        place,
        stem,
        extension,
        access: access(options.access.unwrap_or(FileAccess::Private)),
        overwrite: options.overwrite.unwrap_or_default(),
        strategy: options.duplicate_validation_strategy.unwrap_or(DuplicateStrategy::None),
        scope: options.duplicate_validation_scope.unwrap_or(DuplicateScope::EntirePortal),
        expires_at,
        content,
        written: sent.written,
        conversational: false,
    })
}

/// The options of a form.
pub fn options(form: &Form, problems: &mut Vec<Problem>) -> FileOptions {
    let Some(text) = form.text("options") else { return FileOptions::default() };
    parse_body(text.as_bytes()).unwrap_or_else(|problem| {
        problems.push(Problem::new("options", problem.message));
        FileOptions::default()
    })
}

/// What bytes are, judged on a thread where that holds nobody up.
pub async fn judged(
    call: &Call,
    sent: &Sent,
    extension: &str,
    hunch: Option<&str>,
) -> Result<Content, Refusal> {
    let (said, head) = (sent.media_type.clone(), sent.written.head.clone());
    let (extension, hunch) = (extension.to_owned(), hunch.map(str::to_owned));
    let work = move || Content::of(said.as_deref(), &extension, hunch.as_deref(), &head);
    call.app.kept.work(work).await.map_err(|error| Refusal::Internal(error.to_string()))
}

/// The name and the extension of a file: of what was asked for, or of the file that was sent, which also lends its extension.
pub fn called(wanted: Option<&str>, sent: Option<&str>, problems: &mut Vec<Problem>) -> (String, String) {
    let sent = place::last(sent.unwrap_or_default()).trim();
    let (field, text) = match wanted {
        Some(wanted) => ("fileName", wanted),
        None => ("file", if sent.is_empty() { "file" } else { sent }),
    };
    match place::name(field, text) {
        Ok(name) => {
            let (stem, extension) = place::apart(&name);
            match extension.is_empty() {
                true => (stem, place::apart(sent).1),
                false => (stem, extension),
            }
        }
        Err(problem) => {
            problems.push(problem);
            Default::default()
        }
    }
}

/// When a file is to be deleted.
pub fn expiry(
    ttl: Option<&str>,
    at: Option<Millis>,
    call: &Call,
    problems: &mut Vec<Problem>,
) -> Option<Millis> {
    expiry_at(ttl, at, call.app.store.now(), problems)
}

/// The same, as of a moment.
pub fn expiry_at(
    ttl: Option<&str>,
    at: Option<Millis>,
    now: Millis,
    problems: &mut Vec<Problem>,
) -> Option<Millis> {
    let ttl = ttl.filter(|ttl| !ttl.trim().is_empty());
    if ttl.is_some() && at.is_some() {
        problems.push(Problem::new("ttl", "Give either ttl or expiresAt, not both"));
        return None;
    }
    let after = |ttl: &str| {
        let span: jiff::Span = ttl.trim().parse().ok()?;
        let now = jiff::Timestamp::from_millisecond(now).ok()?.to_zoned(TimeZone::UTC);
        let then = now.checked_add(span).ok()?.timestamp().as_millisecond();
        (then > now.timestamp().as_millisecond()).then_some(then)
    };
    match (ttl, at) {
        (Some(ttl), _) => {
            let at = after(ttl);
            if at.is_none() {
                problems.push(Problem::new("ttl", format!("`{ttl}` is not a period, such as P3M or P2W")));
            }
            at
        }
        (None, at) => at,
    }
}

/// Makes a file of what was written.
pub async fn keep(call: &Call, draft: Draft) -> Result<Made, Refusal> {
    let made = make(&call.app, call.caller.portal(), draft).await?;
    Ok(made)
}

/// The same, for whoever does it later.
pub async fn make(
    app: &crate::app::App,
    portal: antiphon_store::PortalId,
    draft: Draft,
) -> Result<Made, Refusal> {
    let key = FileKey {
        folder: draft.place.folder,
        path: draft.place.path.clone(),
        name: Some((draft.stem.clone(), draft.extension.clone())),
        content: Some((draft.written.md5.clone(), draft.written.size)),
        blob: Some(draft.written.sha),
        ..FileKey::default()
    };
    let object = draft.written.object.clone();
    let rule = move |state: &State, moment: &mut Moment| put(state, &draft, moment);
    let applied = app.store.change(portal, Target::File(Box::new(key)), rule).await??;
    if !applied.changes.blobs.iter().any(|blob| blob.object == object)
        && let Err(error) = app.kept.erase(&object).await
    {
        tracing::debug!(error = format!("{error:#}"), "bytes that were there already are left to the sweep");
    }
    let mut state = *applied.state.files.unwrap_or_default();
    match applied.changes.files.last() {
        Some(file) => {
            state.folders.extend(applied.changes.folders);
            Ok(Made { file: file.clone(), folders: state.folders })
        }
        None => {
            let file = state.same_content_here.or(state.same_content);
            let file = file.ok_or_else(|| Refusal::Internal("no file came of it".into()))?;
            let folders = app.store.folder_chain(portal, file.folder).await?;
            Ok(Made { file, folders })
        }
    }
}

/// The rule.
pub fn put(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    let found = state.files.as_deref().ok_or_else(|| Refusal::Internal("no files were looked up".into()))?;
    let now = moment.now;
    let mut changes = Changes::default();
    let same = match draft.scope {
        DuplicateScope::EntirePortal => found.same_content.as_ref(),
        DuplicateScope::ExactFolder => found.same_content_here.as_ref(),
    };
    if let Some(same) = same.filter(|same| same.is_live(now)) {
        match draft.strategy {
            DuplicateStrategy::None => {}
            DuplicateStrategy::ReturnExisting => return Ok(changes),
            DuplicateStrategy::Reject => {
                let message = format!("The same content is there already, as file {}", same.id);
                return Err(Refusal::Conflict(message));
            }
        }
    }
    let folder = place::found_or_made(found, &draft.place, moment, &mut changes)?;
    let name = free_name(found, draft, now, &mut changes);
    changes.blobs.extend(new_blob(found, &draft.written));
    let file = File {
        id: moment.file_id(),
        name,
        extension: draft.extension.clone(),
        media_type: draft.content.media_type.clone(),
        size: Some(draft.written.size),
        url: String::new(),
        access: draft.access,
        folder,
        blob: Some(draft.written.sha),
        md5: Some(draft.written.md5.clone()),
        encoding: draft.content.encoding.clone(),
        width: draft.content.width,
        height: draft.content.height,
        usable: true,
        conversational: draft.conversational,
        created_at: now,
        updated_at: now,
        archived_at: None,
        expires_at: draft.expires_at,
        erased_at: None,
    };
    changes.events.push(kinds::file_changed(file.id, now));
    changes.files.push(file);
    Ok(changes)
}

/// The name that the file gets: one that no other has there, or that of the one whose place it takes.
fn free_name(found: &FileState, draft: &Draft, now: Millis, changes: &mut Changes) -> String {
    match found.same_name.as_ref() {
        Some(old) if draft.overwrite => {
            changes.events.push(kinds::file_changed(old.id, now));
            changes.files.push(place::archived(old.clone(), now));
            numbered(&draft.stem, &draft.extension, 0)
        }
        Some(_) => numbered(&draft.stem, &draft.extension, found.free),
        None => numbered(&draft.stem, &draft.extension, 0),
    }
}

/// The bytes, unless they are kept already: then those that came now are of no use.
pub fn new_blob(found: &FileState, written: &Written) -> Option<Blob> {
    let kept = found.blob.as_ref().is_some_and(|blob| blob.tombstone_at != Some(Blob::DOOMED));
    (!kept).then(|| Blob {
        sha: written.sha,
        object: written.object.clone(),
        size: written.size,
        tombstone_at: None,
    })
}
