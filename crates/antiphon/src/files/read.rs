//! One file: what is known of it, what is at a path, and an address that is good for a while.

use antiphon_store::FileKey;
use antiphon_wire::error::Problem;
use antiphon_wire::files::{FileStat, FileType, ImageSize, SignedUrl};
use antiphon_wire::timestamp::Timestamp;

use super::links::{self, Scaled};
use super::{folders, live, narrowed, place, shown};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// Longest life of an address, in seconds.
const LONGEST: i64 = 7 * 24 * 60 * 60;

/// `GET /files/{fileId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let file = live(&call).await?;
    let folders = call.app.store.folder_chain(call.caller.portal(), file.folder).await?;
    Answer::json(200, &narrowed(&call, &shown(&call, &file, &folders))?)
}

/// `GET /files/stat/{path}`
pub async fn stat(call: Call) -> Result<Answer, Refusal> {
    let nothing = || Refusal::not_found(call.segment(0));
    let mut names = place::names("path", call.segment(0)).map_err(|_| nothing())?;
    let name = names.pop().ok_or_else(nothing)?;
    let (stem, extension) = place::apart(&name);
    let key = FileKey { path: Some(names), name: Some((stem, extension)), ..FileKey::default() };
    let state = call.app.store.file_state(call.caller.portal(), &key).await?;
    let now = call.app.store.now();
    let file = state.same_name.filter(|file| file.is_live(now) && state.placed);
    let stat = match (file, state.same_folder.filter(|_| state.placed)) {
        (Some(file), _) => {
            let file = narrowed(&call, &shown(&call, &file, &state.folders))?;
            FileStat { file: Some(file), folder: None }
        }
        (None, Some(folder)) => {
            let mut folders = state.folders;
            folders.push(folder);
            let folder = folders::shown(&folders).ok_or_else(nothing)?;
            FileStat { file: None, folder: Some(narrowed(&call, &folder)?) }
        }
        (None, None) => return Err(nothing()),
    };
    Answer::json(200, &stat)
}

/// `GET /files/{fileId}/signed-url`
pub async fn signed_url(call: Call) -> Result<Answer, Refusal> {
    let mut problems = Vec::new();
    let seconds = call.query.int("expirationSeconds").unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let upscale = call.query.flag("upscale").unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let size = call.query.scalar("size").and_then(|size| {
        let read = ImageSize::read("size", size);
        read.map_err(|problem: Problem| problems.push(problem)).ok()
    });
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let file = live(&call).await?;
    let life = seconds.map_or(links::LIFE, |seconds| seconds.clamp(1, LONGEST) * 1000);
    let expires = call.app.store.now() + life;
    let url = match file.url.is_empty() {
        true => {
            let scaled = Scaled { size, upscale: upscale.unwrap_or_default() };
            links::signed(&call, &file, expires, scaled)
        }
        false => file.url.clone(),
    };
    let answer = SignedUrl {
        url,
        expires_at: Timestamp(expires),
        name: file.stem().to_owned(),
        extension: file.extension.clone(),
        kind: FileType::of(&file.media_type),
        size: file.size.unwrap_or_default(),
        width: file.width,
        height: file.height,
    };
    Answer::json(200, &answer)
}
