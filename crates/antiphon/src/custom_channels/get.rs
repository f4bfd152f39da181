//! One channel.

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /{channelId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    Answer::json(200, &super::shown(super::named(&call)?)?)
}
