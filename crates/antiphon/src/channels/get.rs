//! One channel.

use antiphon_wire::id::{MAX_INT32, parse_path_id};

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /channels/{channelId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_INT32).ok_or_else(|| Refusal::not_found(sent))?;
    let channel = super::all(&call.caller.directory).into_iter().find(|channel| channel.id.0 == id);
    Answer::json(200, &channel.ok_or_else(|| Refusal::not_found(sent))?)
}
