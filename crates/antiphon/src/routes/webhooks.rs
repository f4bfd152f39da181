//! The webhooks family: where an app is told of events, and of which.

use antiphon_wire::webhooks::{
    Settings, SettingsChange, Subscription, SubscriptionBatchUpdate, SubscriptionCreate, SubscriptionList,
    SubscriptionPatch,
};

use crate::door;
use crate::operation::{Operation, Payload, Verb, batch, shape};
use crate::webhooks::{batch as many, settings, subscriptions};

/// The table.
pub const TABLE: &[Operation] = &[
    Operation::webhooks(Verb::Get, "/{appId}/settings", "webhooks.settings.get", door!(settings::get))
        .says("Read where the app is told of events")
        .gives(200, Payload::One(shape::<Settings>)),
    Operation::webhooks(Verb::Put, "/{appId}/settings", "webhooks.settings.put", door!(settings::put))
        .says("Say where the app is told of events; a new place lifts a pause")
        .takes(shape::<SettingsChange>)
        .gives(200, Payload::One(shape::<Settings>)),
    Operation::webhooks(
        Verb::Delete,
        "/{appId}/settings",
        "webhooks.settings.delete",
        door!(settings::delete),
    )
    .says("Tell the app nothing more; its subscriptions stay")
    .gives(204, Payload::Nothing),
    Operation::webhooks(
        Verb::Get,
        "/{appId}/subscriptions",
        "webhooks.subscriptions.list",
        door!(subscriptions::list),
    )
    .says("List everything the app is told of")
    .gives(200, Payload::One(shape::<SubscriptionList>)),
    Operation::webhooks(
        Verb::Post,
        "/{appId}/subscriptions",
        "webhooks.subscriptions.create",
        door!(subscriptions::create),
    )
    .says("Have the app told of events; of none before the subscription is active")
    .takes(shape::<SubscriptionCreate>)
    .gives(201, Payload::One(shape::<Subscription>))
    .may_conflict(),
    Operation::webhooks(
        Verb::Post,
        "/{appId}/subscriptions/batch/update",
        "webhooks.subscriptions.batch",
        door!(many::update),
    )
    .says("Switch many subscriptions on or off")
    .takes(shape::<SubscriptionBatchUpdate>)
    .gives(200, Payload::One(batch::<Subscription>))
    .partly(),
    Operation::webhooks(Verb::Get, ONE, "webhooks.subscriptions.get", door!(subscriptions::get))
        .says("Read a subscription")
        .gives(200, Payload::One(shape::<Subscription>)),
    Operation::webhooks(Verb::Patch, ONE, "webhooks.subscriptions.update", door!(subscriptions::update))
        .says("Switch a subscription on or off")
        .takes(shape::<SubscriptionPatch>)
        .gives(200, Payload::One(shape::<Subscription>)),
    Operation::webhooks(Verb::Put, ONE, "webhooks.subscriptions.put", door!(subscriptions::update))
        .says("Switch a subscription on or off, as older guides spell it")
        .takes(shape::<SubscriptionPatch>)
        .gives(200, Payload::One(shape::<Subscription>)),
    Operation::webhooks(Verb::Delete, ONE, "webhooks.subscriptions.delete", door!(subscriptions::delete))
        .says("Delete a subscription")
        .gives(204, Payload::Nothing),
];

const ONE: &str = "/{appId}/subscriptions/{subscriptionId}";
