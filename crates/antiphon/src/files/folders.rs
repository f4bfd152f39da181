//! Folders: they only say where files are. A folder's path is made of its own name and those of the folders it is in, so moving
//! one moves all that is in it, whatever that is.

use antiphon_store::{Changes, FileKey, Folder, Moment, State, Target};
use antiphon_wire::error::Problem;
use antiphon_wire::files::{Folder as Shown, FolderCreate, FolderUpdate};
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::timestamp::Timestamp;

use super::place::{self, Place};
use super::{delete, narrowed};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use antiphon_store::PortalId;

/// What is deleted at a time.
const CHUNK: usize = 100;

/// The last of these folders, as the API shows it.
pub fn shown(chain: &[Folder]) -> Option<Shown> {
    let (folder, outer) = chain.split_last()?;
    Some(Shown {
        id: Id(folder.id),
        archived: folder.archived_at.is_some(),
        created_at: Timestamp(folder.created_at),
        updated_at: Timestamp(folder.updated_at),
        archived_at: folder.archived_at.map(Timestamp),
        name: folder.name.clone(),
        path: place::path(outer, &folder.name),
        parent_folder_id: (folder.parent != 0).then_some(Id(folder.parent)),
    })
}

/// The folder in the path, with those it is in: by its id, or by its own path.
async fn named(call: &Call) -> Result<Vec<Folder>, Refusal> {
    let (sent, store, portal) = (call.segment(0), &call.app.store, call.caller.portal());
    let nothing = || Refusal::not_found(sent);
    let chain = match sent.bytes().all(|c| c.is_ascii_digit()) {
        true => store.folder_chain(portal, parse_path_id(sent, MAX_SAFE).ok_or_else(nothing)?).await?,
        false => {
            let path = place::names("folderPath", sent).map_err(|_| nothing())?;
            let state = store.file_state(portal, &FileKey { path: Some(path), ..FileKey::default() }).await?;
            if state.placed { state.folders } else { Vec::new() }
        }
    };
    if chain.is_empty() { Err(nothing()) } else { Ok(chain) }
}

/// `GET /folders/{folder}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let chain = named(&call).await?;
    Answer::json(200, &narrowed(&call, &shown(&chain))?)
}

/// `POST /folders`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let body: FolderCreate = call.json()?;
    let mut problems = Vec::new();
    let place = Place::read(
        ("parentFolderId", body.parent_folder_id.as_ref()),
        ("parentPath", body.parent_path.as_deref()),
        &mut problems,
    );
    let name = match body.name.as_deref() {
        None => Err(Problem::required("name")),
        Some(text) => place::name("name", text),
    };
    let name = name.map_err(|problem| problems.push(problem)).unwrap_or_default();
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let key = FileKey {
        folder: place.folder,
        path: place.path.clone(),
        name: Some((name.clone(), String::new())),
        ..FileKey::default()
    };
    let rule = move |state: &State, moment: &mut Moment| make(state, &place, &name, moment);
    let target = Target::File(Box::new(key));
    let applied = call.app.store.change(call.caller.portal(), target, rule).await??;
    let mut chain = applied.state.files.map(|found| found.folders).unwrap_or_default();
    chain.extend(applied.changes.folders);
    let made = shown(&chain).ok_or_else(|| Refusal::Internal("no folder came of it".into()))?;
    Answer::json(201, &made).map(|answer| answer.at(&call, made.id))
}

/// The rule.
fn make(state: &State, place: &Place, name: &str, moment: &mut Moment) -> Result<Changes, Refusal> {
    let found = state.files.as_deref().ok_or_else(|| Refusal::Internal("no files were looked up".into()))?;
    if found.same_folder.is_some() {
        return Err(Refusal::Conflict(format!("There is a folder named {name} in that place already")));
    }
    let mut changes = Changes::default();
    let parent = place::found_or_made(found, place, moment, &mut changes)?;
    if found.folders.len() + changes.folders.len() >= Folder::DEEPEST {
        return Err(Refusal::invalid("name", format!("Folders are at most {} deep", Folder::DEEPEST)));
    }
    let (id, now) = (moment.file_id(), moment.now);
    let name = name.to_owned();
    changes.folders.push(Folder { id, parent, name, created_at: now, updated_at: now, archived_at: None });
    Ok(changes)
}

/// What becomes another of a folder.
#[derive(Debug, Clone)]
pub struct Draft {
    pub id: i64,
    name: Option<String>,
    parent: Option<i64>,
}

impl Draft {
    /// Reads it; the id is one that was asked for elsewhere.
    pub fn read(body: &FolderUpdate, id: i64, problems: &mut Vec<Problem>) -> Self {
        let name = body
            .name
            .as_deref()
            .and_then(|name| place::name("name", name).map_err(|problem| problems.push(problem)).ok());
        let place = Place::read(("parentFolderId", body.parent_folder_id.as_ref()), ("", None), problems);
        Self { id, name, parent: place.folder }
    }
}

/// `PATCH /folders/{folderId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let body: FolderUpdate = call.json()?;
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let mut problems = Vec::new();
    let draft = Draft::read(&body, id, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let chain = move_to(&call.app, call.caller.portal(), draft).await?;
    Answer::json(200, &shown(&chain))
}

/// Renames a folder, or moves it; the folder with those it is in by then.
pub async fn move_to(app: &App, portal: PortalId, draft: Draft) -> Result<Vec<Folder>, Refusal> {
    let before = app.store.folder_chain(portal, draft.id).await?;
    let before = before.last().ok_or_else(|| Refusal::not_found(draft.id))?;
    let name = draft.name.clone().unwrap_or_else(|| before.name.clone());
    let key = FileKey {
        subject: Some(draft.id),
        folder: draft.parent,
        name: Some((name, String::new())),
        ..FileKey::default()
    };
    let id = draft.id;
    let rule = move |state: &State, moment: &mut Moment| change(state, &draft, moment);
    app.store.change(portal, Target::File(Box::new(key)), rule).await??;
    Ok(app.store.folder_chain(portal, id).await?)
}

/// The rule.
fn change(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    let found = state.files.as_deref().ok_or_else(|| Refusal::Internal("no files were looked up".into()))?;
    let folder = found.subject.as_ref().ok_or_else(|| Refusal::not_found(draft.id))?;
    if !found.placed {
        return Err(Refusal::not_found(draft.parent.unwrap_or_default()));
    }
    if found.folders.iter().any(|outer| outer.id == folder.id) {
        return Err(Refusal::invalid("parentFolderId", "A folder cannot be moved into itself"));
    }
    if found.folders.len() > found.outer {
        let deepest = Folder::DEEPEST;
        let levels = found.levels.ok_or_else(|| {
            let message =
                "There is too much in this folder to move it further in; move what is in it instead";
            Refusal::invalid("parentFolderId", message)
        })?;
        if found.folders.len() + levels > deepest {
            let message =
                format!("Folders are at most {deepest} deep, and there are {levels} in one another here");
            return Err(Refusal::invalid("parentFolderId", message));
        }
    }
    if found.same_folder.as_ref().is_some_and(|same| same.id != folder.id) {
        return Err(Refusal::Conflict("There is a folder of that name in that place already".into()));
    }
    let folder = Folder {
        name: draft.name.clone().unwrap_or_else(|| folder.name.clone()),
        parent: found.folders.last().map_or(0, |outer| outer.id),
        updated_at: moment.now,
        ..folder.clone()
    };
    Ok(Changes { folders: vec![folder], ..Changes::default() })
}

/// `DELETE /folders/{folder}`
pub async fn remove(call: Call) -> Result<Answer, Refusal> {
    let chain = named(&call).await?;
    let folder = chain.last().ok_or_else(|| Refusal::not_found(call.segment(0)))?;
    let (store, portal) = (&call.app.store, call.caller.portal());
    // What is in it goes first, from the inside out, so that nothing is ever in a folder that is not there.
    let mut waiting = vec![folder.clone()];
    while let Some(folder) = waiting.last().cloned() {
        let inner = store.folders_in(portal, &[folder.id], CHUNK).await?;
        if !inner.is_empty() {
            waiting.extend(inner);
            continue;
        }
        let files = store.files_in(portal, folder.id, CHUNK).await?;
        for file in &files {
            let rule = |state: &State, moment: &mut Moment| delete::archive(state, "", moment);
            match store.change(portal, delete::of(file.id), rule).await? {
                // Somebody else was quicker.
                Ok(_) | Err(Refusal::NotFound { .. }) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if !files.is_empty() {
            continue;
        }
        let key = FileKey { subject: Some(folder.id), ..FileKey::default() };
        let rule = |state: &State, moment: &mut Moment| {
            let folder = state.files.as_ref().and_then(|found| found.subject.clone());
            let gone = folder.map(|folder| Folder {
                archived_at: Some(moment.now),
                updated_at: moment.now,
                ..folder
            });
            Ok::<_, Refusal>(Changes { folders: gone.into_iter().collect(), ..Changes::default() })
        };
        store.change(portal, Target::File(Box::new(key)), rule).await??;
        waiting.pop();
    }
    Ok(Answer::none())
}

#[cfg(test)]
mod tests {
    use antiphon_store::FileState;

    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn what_is_moved_further_in_stays_within_the_depth() {
        let folder = |id| Folder {
            id,
            parent: 0,
            name: format!("f{id}"),
            created_at: 1,
            updated_at: 1,
            archived_at: None,
        };
        for (outer, place, levels, fine) in [
            (0, 1, Some(19), true),
            (0, 1, Some(20), false),
            (0, 19, Some(1), true),
            (0, 20, Some(1), false),
            (3, 17, Some(3), true),
            (3, 18, Some(3), false),
            // What cannot be known is refused, unless it comes no further in.
            (3, 4, None, false),
            (3, 3, None, true),
            (19, 2, None, true),
        ] {
            let files = FileState {
                subject: Some(folder(100)),
                outer,
                levels,
                folders: (1..=place).map(folder).collect(),
                placed: true,
                ..FileState::default()
            };
            let state = State { files: Some(Box::new(files)), ..testing::state() };
            let draft = Draft { id: 100, name: None, parent: Some(place) };
            let moved = change(&state, &draft, &mut Moment::still(NOW));
            assert_eq!(moved.is_ok(), fine, "{outer} {place} {levels:?}");
        }
    }
}
