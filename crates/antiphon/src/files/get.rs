//! One file.

use antiphon_wire::id::{MAX_SAFE, parse_path_id};

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /files/{fileId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let found = call.app.store.files_by_ids(call.caller.portal(), &[id]).await?;
    Answer::json(200, &super::shown(found.first().ok_or_else(|| Refusal::not_found(sent))?))
}
