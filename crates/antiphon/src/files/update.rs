//! Changing what a file is called, where it is, who may see it and until when.

use antiphon_store::{Access, Changes, File, FileKey, Millis, Moment, State, Target, numbered};
use antiphon_wire::files::FileUpdate;

use super::place::{self, Place};
use super::{access, live, shown};
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::refusal::Refusal;

/// What becomes another.
#[derive(Debug, Clone)]
struct Draft {
    sent: String,
    place: Place,
    stem: Option<String>,
    access: Option<Access>,
    usable: Option<bool>,
    expires_at: Option<Option<Millis>>,
}

/// `PATCH /files/{fileId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let body: FileUpdate = call.json()?;
    let mut problems = Vec::new();
    let place = Place::read(
        ("parentFolderId", body.parent_folder_id.as_ref()),
        ("parentFolderPath", body.parent_folder_path.as_deref()),
        &mut problems,
    );
    let stem = body
        .name
        .as_deref()
        .and_then(|name| place::name("name", name).map_err(|problem| problems.push(problem)).ok());
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let expires_at = match (body.clear_expires, body.expires_at) {
        (Some(true), _) => Some(None),
        (_, Some(at)) => Some(Some(at.0)),
        _ => None,
    };
    let file = live(&call).await?;
    let draft = Draft {
        sent: call.segment(0).to_owned(),
        place,
        stem,
        access: body.access.map(access),
        usable: body.is_usable_in_content,
        expires_at,
    };
    let key = FileKey {
        file: Some(file.id),
        folder: draft.place.folder,
        path: draft.place.path.clone(),
        name: Some((draft.stem.clone().unwrap_or_else(|| file.stem().to_owned()), file.extension.clone())),
        ..FileKey::default()
    };
    let rule = move |state: &State, moment: &mut Moment| change(state, &draft, moment);
    let applied = call.app.store.change(call.caller.portal(), Target::File(Box::new(key)), rule).await??;
    let mut folders = applied.state.files.map(|found| found.folders).unwrap_or_default();
    folders.extend(applied.changes.folders);
    let file = applied.changes.files.last();
    let file = file.ok_or_else(|| Refusal::Internal("no file came of it".into()))?;
    Answer::json(200, &shown(&call, file, &folders))
}

/// The rule.
fn change(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    let found = state.files.as_deref().ok_or_else(|| Refusal::Internal("no files were looked up".into()))?;
    let file = found.file.as_ref().filter(|file| file.is_live(moment.now));
    let file = file.ok_or_else(|| Refusal::not_found(&draft.sent))?;
    let mut changes = Changes::default();
    let folder = match draft.place.is_unsaid() {
        true => file.folder,
        false => place::found_or_made(found, &draft.place, moment, &mut changes)?,
    };
    let stem = draft.stem.as_deref().unwrap_or_else(|| file.stem());
    let name = numbered(stem, &file.extension, 0);
    let moves = folder != file.folder || name != file.name;
    if moves && found.same_name.as_ref().is_some_and(|same| same.id != file.id && same.name == name) {
        return Err(Refusal::invalid("name", format!("There is a file named {name} in that folder already")));
    }
    let file = File {
        name,
        folder,
        access: draft.access.unwrap_or(file.access),
        usable: draft.usable.unwrap_or(file.usable),
        expires_at: draft.expires_at.unwrap_or(file.expires_at),
        updated_at: moment.now,
        ..file.clone()
    };
    changes.events.push(kinds::file_changed(file.id, moment.now));
    changes.files.push(file);
    Ok(changes)
}
