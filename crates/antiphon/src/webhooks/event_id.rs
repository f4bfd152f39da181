//! The number by which a receiver knows an event: the same for an event and a subscription whenever it is sent, and below 2^53.

use antiphon_store::SubscriptionId;

/// Bits that belong to the subscription. Positions have the other 33: no portal comes to eight billion events.
const SUBSCRIPTION_BITS: u32 = 20;

/// The id of the event at a position.
pub fn event_id((position, subscription): (i64, SubscriptionId)) -> i64 {
    position << SUBSCRIPTION_BITS | low(subscription.0)
}

/// The position of an event with that id.
pub fn position(id: i64) -> i64 {
    id >> SUBSCRIPTION_BITS
}

/// Whether an event with that id was sent for a subscription, if it is one of the app's.
pub fn is_for(id: i64, subscription: SubscriptionId) -> bool {
    low(id) == low(subscription.0)
}

fn low(number: i64) -> i64 {
    number & ((1 << SUBSCRIPTION_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_what_it_is_made_of() {
        for (at, subscription) in [(1, 1), (77, (1 << 20) - 1), ((1 << 33) - 1, 5), (9, (3 << 20) + 7)] {
            let id = event_id((at, SubscriptionId(subscription)));
            assert!((1..1 << 53).contains(&id));
            assert_eq!(position(id), at);
            assert!(is_for(id, SubscriptionId(subscription)));
            assert!(!is_for(id, SubscriptionId(subscription + 1)));
        }
    }
}
