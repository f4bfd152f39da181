//! One app, suspended or not, without its secrets.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /apps/{appId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = super::named(call.segment(0))?;
    let directory = &call.caller.directory;
    let app = directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::shown_whole(app, directory, call.app.store.now()))
}
