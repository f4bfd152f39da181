//! What a request was made of, as the log of attempts keeps it. Most carry events that follow each other: of those it says
//! where they begin and how many they are, so that a log of busy apps stays small.

use antiphon_store::SubscriptionId;

/// Position and subscription of an event, how often it had been sent before, and how many of the same follow it.
type Run = (i64, i64, i64, i64);

/// Prints the events of a request: position, subscription, and how often each had been sent before.
pub fn print(events: impl IntoIterator<Item = (i64, SubscriptionId, i64)>) -> String {
    let mut runs: Vec<Run> = Vec::new();
    for (position, SubscriptionId(id), made) in events {
        match runs.last_mut() {
            Some((first, of, before, more))
                if (*of, *before) == (id, made) && *first + *more + 1 == position =>
            {
                *more += 1;
            }
            _ => runs.push((position, id, made, 0)),
        }
    }
    // Numbers always print.
    serde_json::to_string(&runs).unwrap_or_default()
}

/// Reads what was printed.
pub fn read(events: &str) -> Vec<(i64, SubscriptionId, i64)> {
    let runs: Vec<Run> = serde_json::from_str(events).unwrap_or_default();
    let each = |(first, id, made, more)| (0..=more).map(move |n| (first + n, SubscriptionId(id), made));
    runs.into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_each_other_is_printed_once() {
        let event = |position, id, made| (position, SubscriptionId(id), made);
        for (events, printed) in [
            (vec![], "[]"),
            (vec![event(7, 1, 0), event(8, 1, 0), event(9, 1, 0)], "[[7,1,0,2]]"),
            (vec![event(7, 1, 0), event(9, 1, 0), event(10, 2, 0)], "[[7,1,0,0],[9,1,0,0],[10,2,0,0]]"),
            (vec![event(7, 1, 1), event(8, 1, 0), event(6, 1, 0)], "[[7,1,1,0],[8,1,0,0],[6,1,0,0]]"),
        ] {
            assert_eq!(print(events.clone()), printed);
            assert_eq!(read(printed), events);
        }
    }
}
