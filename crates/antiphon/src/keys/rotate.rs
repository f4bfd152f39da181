//! Replacing the signing key. What the one before signed stays good for a while, unless it is to end at once.

use antiphon_store::PortalId;
use antiphon_wire::keys::KeyRotate;
use serde_json::json;

use super::OVERLAP;
use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;

/// `POST /keys/rotate`
pub async fn rotate(call: Call) -> Result<Answer, Refusal> {
    let body = if call.body.is_empty() { KeyRotate::default() } else { call.json()? };
    let mut checks = Checks::default();
    let at_once = body.at_once == Some(true);
    match body.overlap_seconds {
        Some(_) if at_once => checks.wrong("atOnce", "Send either atOnce or overlapSeconds"),
        Some(seconds) if !(0..=OVERLAP / 1000).contains(&seconds) => {
            checks
                .wrong("overlapSeconds", format!("overlapSeconds must be between 0 and {}", OVERLAP / 1000));
        }
        _ => {}
    }
    checks.done()?;
    let overlap = if at_once { 0 } else { body.overlap_seconds.map_or(OVERLAP, |seconds| seconds * 1000) };
    let asked = On::some("SIGNING_KEY", json!({ "overlapSeconds": overlap / 1000 }));
    audit::note(&call, PortalId::SERVER, asked).await?;
    let (app, now) = (&call.app, call.app.store.now());
    let made = app.store.signing_key_rotate(now + overlap).await?;
    app.keys.refresh(&app.store).await?;
    Answer::json(201, &super::list::shown(&made, at_once))
}
