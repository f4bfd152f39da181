use antiphon_store::{AppId, Event, EventKind, Expand, ObjectKind};
use proptest::prelude::*;

use super::lanes::{AHEAD, LANE};
use super::*;

fn item(position: i64, object_id: i64, ordered: bool, since: Instant) -> Item {
    let event = Event {
        position,
        kind: EventKind::MessageAdded,
        object: ObjectKind::Thread,
        object_id,
        revision: position,
        occurred_at: position,
        payload: String::new(),
    };
    let subscription = Subscription {
        id: SubscriptionId(1),
        app_id: AppId(1),
        event_type: "conversation.newMessage".into(),
        property_name: None,
        object_type_id: None,
        event_type_name: None,
        active: true,
        expand: Expand::default(),
        ordered,
        created_at: 0,
        updated_at: None,
        deleted_at: None,
        since: 0,
        since_at: 0,
    };
    let (event, subscription) = (Arc::new(event.into()), Arc::new(subscription));
    Item { event, subscription, attempts: 0, first_at: None, row: false, loose: false, since }
}

fn positions(batch: &[Item]) -> Vec<i64> {
    batch.iter().map(|item| item.event.position).collect()
}

#[test]
fn an_event_waits_for_company_and_a_full_request_for_nobody() {
    let begun = Instant::now();
    let mut queue = Queue::new(0);
    queue.push(item(1, 1, false, begun));
    queue.push(item(2, 2, false, begun));
    assert!(queue.next(begun).is_none());
    assert_eq!(queue.gathered_at(), Some(begun + GATHER));
    assert_eq!(positions(&queue.next(begun + GATHER).unwrap()), [1, 2]);
    for position in 3..=202 {
        queue.push(item(position, position, false, begun));
    }
    assert_eq!(positions(&queue.next(begun).unwrap()), (3..103).collect::<Vec<_>>());
    assert_eq!(queue.next(begun).unwrap().len(), 100);
    assert!(queue.next(begun + GATHER).is_none());
}

#[test]
fn of_a_thread_one_request_is_under_way_at_a_time() {
    let begun = Instant::now();
    let late = begun + GATHER;
    let mut queue = Queue::new(0);
    queue.push(item(1, 7, false, begun));
    let first = queue.next(late).unwrap();
    queue.push(item(2, 7, false, begun));
    queue.push(item(3, 8, false, begun));
    assert_eq!(positions(&queue.next(late).unwrap()), [3]);
    assert!(queue.next(late).is_none());
    assert_eq!(queue.position(), 0);
    queue.landed(&first);
    assert_eq!(queue.position(), 1);
    assert_eq!(positions(&queue.next(late).unwrap()), [2]);
}

#[test]
fn what_is_ordered_stays_behind_what_has_failed() {
    let begun = Instant::now();
    let late = begun + GATHER;
    let mut queue = Queue::new(0);
    queue.push(item(1, 7, true, begun));
    let first = queue.next(late).unwrap();
    queue.push(item(2, 7, true, begun));
    queue.push(item(3, 8, true, begun));
    queue.landed(&first);
    queue.fail(first[0].line(), 1);
    assert_eq!(positions(&queue.hold()), [2]);
    assert!(matches!(queue.push(item(4, 7, true, begun)), Placed::Held(held) if held.event.position == 4));
    assert_eq!(positions(&queue.next(late).unwrap()), [3]);
    assert_eq!(queue.failed(first[0].line()).collect::<Vec<_>>(), [1, 2, 4]);
    for position in [1, 2, 4] {
        queue.settle(first[0].line(), position);
    }
    assert!(matches!(queue.push(item(5, 7, true, begun)), Placed::Waiting));
}

#[test]
fn those_who_are_told_one_at_a_time_wait_for_no_company() {
    let begun = Instant::now();
    let mut queue = Queue::alone(0);
    for (position, object) in [(1, 7), (2, 7), (3, 8)] {
        queue.push(item(position, object, true, begun));
    }
    let first = queue.next(begun).unwrap();
    assert_eq!(positions(&first), [1]);
    assert_eq!(positions(&queue.next(begun).unwrap()), [3]);
    // Not even what is outside of the order goes beside another of its object.
    queue.push_again(Item { attempts: 3, row: true, loose: true, ..item(0, 7, true, begun) });
    assert!(queue.next(begun).is_none());
    queue.landed(&first);
    let next = queue.next(begun).unwrap();
    queue.landed(&next);
    let last = queue.next(begun).unwrap();
    assert_eq!([positions(&next), positions(&last)].concat().len(), 2);
    assert!(queue.next(begun).is_none());
}

#[test]
fn what_nobody_wants_any_more_holds_up_nothing() {
    let begun = Instant::now();
    let mut queue = Queue::new(0);
    queue.push(item(1, 7, false, begun));
    queue.read_to(9);
    assert_eq!(queue.position(), 0);
    queue.adopt(|_| None);
    assert_eq!((queue.position(), queue.next(begun + GATHER).is_none()), (9, true));
}

#[test]
fn what_has_failed_and_what_is_new_take_turns() {
    let begun = Instant::now();
    let late = begun + GATHER;
    let mut queue = Queue::new(0);
    for position in 1..=3 {
        // Sent alone, since it has failed too often.
        queue.push_again(Item { attempts: 5, row: true, ..item(position, position, false, begun) });
        queue.push(item(10 + position, 1_000 + position, false, begun));
    }
    let mut next = || queue.next(late).map(|batch| positions(&batch)).unwrap_or_default();
    assert_eq!([next(), next(), next(), next()], [vec![1], vec![11, 12, 13], vec![2], vec![3]]);
    assert!(queue.next(late).is_none());
}

#[test]
fn what_is_left_of_a_line_stays_behind_what_failed_of_it_again() {
    let begun = Instant::now();
    let mut queue = Queue::new(0);
    let of = |position, object| Item { row: true, ..item(position, object, true, begun) };
    for position in 1..=70 {
        queue.push_again(of(position, 1));
    }
    for position in 101..=170 {
        queue.push_again(of(position, 2));
    }
    let batch = queue.next(begun).unwrap();
    assert_eq!((batch.len(), queue.waiting_again()), (100, 40));
    queue.landed(&batch);
    queue.unload(of(101, 2).line());
    assert!(queue.next(begun).is_none() && !queue.has(&of(170, 2).key()));
}

#[test]
fn what_of_an_object_has_no_room_is_left_and_takes_none_from_others() {
    let begun = Instant::now();
    let mut queue = Queue::new(0);
    for position in 1..=5_000 {
        let placed = queue.push(item(position, 7, false, begun));
        assert_eq!(matches!(placed, Placed::Waiting), position <= LANE as i64);
        assert!(queue.has_room());
    }
    assert!(matches!(queue.push(item(5_001, 8, false, begun)), Placed::Waiting));
    assert_eq!((queue.position(), queue.to_fetch()), (0, vec![]));
    let hot = queue.next(begun).unwrap();
    assert_eq!(positions(&hot), (1..=100).collect::<Vec<_>>());
    assert_eq!(queue.gathered_at(), Some(begun + GATHER), "the other one gathers by itself");
    assert!(queue.next(begun).is_none());
    assert_eq!(positions(&queue.next(begun + GATHER).unwrap()), [5_001]);
    // What comes later stays behind what was left, until that was fetched.
    assert!(matches!(queue.push(item(5_002, 7, false, begun)), Placed::Left));
    let left = queue.to_fetch().remove(0);
    assert_eq!((left.object, left.from), (7, 101));
    for position in 101..=200 {
        assert!(matches!(queue.push_left(left, item(position, 7, false, begun)), Placed::Waiting));
    }
    assert!(matches!(queue.push_left(left, item(201, 7, false, begun)), Placed::Left));
    queue.landed(&hot);
    assert_eq!(queue.position(), 100);
    assert_eq!(positions(&queue.next(begun).unwrap()), (101..=200).collect::<Vec<_>>());
    assert_eq!(queue.to_fetch()[0].from, 201);
}

#[test]
fn reading_ahead_of_what_was_left_has_an_end() {
    let begun = Instant::now();
    let mut queue = Queue::new(0);
    for position in 1..=AHEAD + LANE as i64 {
        queue.push(item(position, 7, false, begun));
    }
    assert!(queue.has_room());
    queue.push(item(AHEAD + LANE as i64 + 1, 7, false, begun));
    assert!(!queue.has_room());
}

#[test]
fn what_a_request_had_no_room_for_goes_first() {
    let begun = Instant::now();
    let late = begun + GATHER;
    let mut queue = Queue::new(0);
    for position in 1..=6 {
        queue.push(item(position, position % 2, false, begun));
    }
    let mut batch = queue.next(late).unwrap();
    queue.push(item(7, 1, false, begun));
    let rest = batch.split_off(2);
    queue.put_back(rest);
    assert!(queue.next(late).is_none(), "both objects are still under way");
    queue.landed(&batch);
    assert_eq!(queue.position(), 2);
    assert_eq!(positions(&queue.next(late).unwrap()), [3, 4, 5, 6, 7]);
}

#[test]
fn what_somebody_wants_sent_again_waits_for_nothing_and_nothing_for_it() {
    let begun = Instant::now();
    let late = begun + GATHER;
    let mut queue = Queue::new(0);
    queue.push(item(5, 7, true, begun));
    let first = queue.next(late).unwrap();
    let again = Item { attempts: 1, row: true, loose: true, ..item(1, 7, true, begun) };
    queue.push_again(again);
    let flying = queue.next(late).unwrap();
    assert_eq!(positions(&flying), [1]);
    queue.push(item(6, 7, true, begun));
    queue.landed(&first);
    assert_eq!(positions(&queue.next(late).unwrap()), [6]);
    queue.landed(&flying);
    assert!(!queue.has(&flying[0].key()));
}

proptest! {
    /// Whatever order answers come in, every event goes out once, those of an object in their order, and the position never
    /// passes one that is under way.
    #[test]
    fn everything_goes_out_once_and_in_order(
        objects in prop::collection::vec(prop_oneof![3 => Just(0), 1 => 0..5_i64], 1..600),
        answers: Vec<u8>,
    ) {
        let begun = Instant::now();
        let late = begun + GATHER;
        let mut queue = Queue::new(0);
        let mut flying: Vec<Vec<Item>> = Vec::new();
        let mut sent: Vec<(i64, i64)> = Vec::new();
        let mut answers = answers.into_iter();
        let mut events = (1..).zip(objects.iter().copied());
        loop {
            let more = events.by_ref().take(37).map(|(position, object)| {
                queue.push(item(position, object, false, begun));
            });
            let more = more.count();
            for left in queue.to_fetch() {
                let of_it = (left.from..=queue.read()).filter(|at| objects[*at as usize - 1] == left.object);
                let fetch = |at| matches!(queue.push_left(left, item(at, left.object, false, begun)), Placed::Left);
                if !of_it.collect::<Vec<_>>().into_iter().any(fetch) {
                    queue.fetched(left.object);
                }
            }
            while let Some(batch) = queue.next(late) {
                sent.extend(batch.iter().map(|item| (item.event.object_id, item.event.position)));
                flying.push(batch);
            }
            let lowest = flying.iter().flatten().map(|item| item.event.position).min();
            prop_assert!(lowest.is_none_or(|lowest| queue.position() < lowest));
            if flying.is_empty() && more == 0 && queue.to_fetch().is_empty() {
                break;
            }
            if !flying.is_empty() {
                let which = usize::from(answers.next().unwrap_or(0)) % flying.len();
                let batch = flying.swap_remove(which);
                queue.landed(&batch);
            }
        }
        prop_assert_eq!(queue.position(), objects.len() as i64);
        let mut all: Vec<i64> = sent.iter().map(|(_, position)| *position).collect();
        for object in 0..5 {
            let of = sent.iter().filter(|(of, _)| *of == object).map(|(_, position)| *position);
            prop_assert!(of.is_sorted());
        }
        all.sort_unstable();
        prop_assert_eq!(all, (1..=objects.len() as i64).collect::<Vec<_>>());
    }
}
