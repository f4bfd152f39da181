//! The events that an app has not taken, in the order in which they happened.

use antiphon_store::{Delivery, DeliveryState, Millis, SubscriptionId};
use antiphon_wire::cursor::List;
use antiphon_wire::error::Problem;
use antiphon_wire::id::Id;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::webhook_log::WebhookDelivery;

use super::seen;
use crate::call::{Answer, Call};
use crate::listing;
use crate::refusal::Refusal;
use crate::webhooks::event_id::{event_id, position};

/// The words for [`DeliveryState`].
pub const STATES: &[&str] = &["waiting", "givenUp"];

/// `GET /apps/{appId}/webhook/deliveries`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let (app, _) = seen(&call).await?;
    let asked = listing::asked(&call.query, List::Deliveries)?;
    let state = match call.query.scalar("state") {
        None | Some("waiting") => DeliveryState::Waiting,
        Some("givenUp") => DeliveryState::GivenUp,
        Some(other) => return Err(Refusal::Invalid(vec![Problem::not_one_of("state", other, STATES)])),
    };
    // Of an event there is one delivery to an app.
    let after = asked.after.map(|id| (position(id), SubscriptionId(i64::MAX)));
    let (store, portal) = (&call.app.store, call.caller.portal());
    let found = store.deliveries(portal, app, state, after, asked.limit + 1).await?;
    listing::by_id(&call, List::Deliveries, asked, found.iter().map(|one| (event_id(one.key()), shown(one))))
}

fn shown(one: &Delivery) -> WebhookDelivery {
    WebhookDelivery {
        event_id: Id(event_id(one.key())),
        subscription_id: Id(one.subscription_id.0),
        object_id: Id(one.object_id),
        attempts: one.attempts,
        first_at: Timestamp(one.first_at),
        last_at: Timestamp(one.last_at),
        // One that waits for another has no time of its own.
        due_at: one.due_at.filter(|at| *at < Millis::MAX).map(Timestamp),
        error: one.error.clone(),
    }
}
