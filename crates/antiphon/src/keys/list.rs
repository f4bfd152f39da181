//! The signing keys, without what is secret about them.

use antiphon_store::SigningKey;
use antiphon_wire::id::Id;
use antiphon_wire::keys as wire;
use antiphon_wire::timestamp::Timestamp;

use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /keys`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let found = call.app.store.signing_keys().await?;
    let now = call.app.store.now();
    let good: Vec<&SigningKey> = found.iter().filter(|key| key.ends_at.is_none_or(|end| now < end)).collect();
    let signing = super::signing(&good, now);
    let results = good.iter().map(|key| shown(key, signing == Some(key.id))).collect();
    Answer::json(200, &wire::Keys { results })
}

pub(super) fn shown(key: &SigningKey, signs: bool) -> wire::Key {
    wire::Key {
        id: Id(key.id),
        signs,
        created_at: Timestamp(key.created_at),
        ends_at: key.ends_at.map(Timestamp),
    }
}
