//! The order in which events get their positions.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Events of few objects, stamped by a clock that goes where it likes; every event is another.
fn waiting() -> impl Strategy<Value = Vec<Waiting>> {
    let event = (0..20_i64, 0..4_i64, 1..3_i16, 1..4_i64, 0..9_i64);
    prop::collection::vec(event, 0..60).prop_map(|events| {
        let events =
            events.into_iter().zip(0..).map(|((stamp, batch, object, object_id, revision), ordinal)| {
                Waiting { stamp, batch, ordinal, object, object_id, revision }
            });
        events.collect()
    })
}

fn object(event: &Waiting) -> (i16, i64) {
    (event.object, event.object_id)
}

proptest! {
    #[test]
    fn every_event_has_one_place(events in waiting()) {
        let (given, placed): (BTreeSet<_>, Vec<_>) = (events.iter().copied().collect(), ordered(events.clone()));
        prop_assert_eq!(placed.len(), events.len());
        prop_assert_eq!(placed.into_iter().collect::<BTreeSet<_>>(), given);
    }

    #[test]
    fn an_objects_events_are_in_order_of_revision_and_then_of_time(events in waiting()) {
        let mut last: BTreeMap<_, (i64, Waiting)> = BTreeMap::new();
        for event in ordered(events) {
            let now = (event.revision, event);
            if let Some(before) = last.insert(object(&event), now) {
                prop_assert!(before < now, "{before:?} comes before {now:?}");
            }
        }
    }

    #[test]
    fn objects_keep_the_places_they_have_by_time(mut events in waiting()) {
        let placed = ordered(events.clone());
        events.sort();
        prop_assert!(placed.iter().map(object).eq(events.iter().map(object)));
    }

    #[test]
    fn a_clock_that_never_went_back_is_followed(mut events in waiting()) {
        // As it is recorded: the later, the higher the revision.
        events.sort();
        for (event, revision) in events.iter_mut().zip(1..) {
            event.revision = revision / 2;
        }
        let mut shuffled = events.clone();
        shuffled.reverse();
        prop_assert_eq!(ordered(shuffled), events);
    }
}
