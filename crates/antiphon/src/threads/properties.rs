//! Whatever happens to a thread, in whatever order, it stays consistent.

use antiphon_store::{AppId, Changes, InboxId, MessageKind, Millis, Moment, State, ThreadStatus};
use proptest::prelude::*;

use super::archive::archive_thread;
use super::assign::{Assignee, Assignment, assign_thread};
use super::history::Author;
use super::relocate::{Relocate, relocate};
use super::spam::{MarkSpam, mark_spam};
use super::update::{Update, update_thread};
use crate::messages::post::{post_message, tests::letter};
use crate::messages::receive::{receive, tests::mail};
use crate::refusal::Refusal;
use crate::testing::{self, NOW};

#[derive(Debug, Clone)]
enum Step {
    Status(ThreadStatus),
    Archive,
    Restore(Option<ThreadStatus>),
    Assign(Option<&'static str>),
    Spam(bool),
    Relocate(i64),
    Post,
    Comment,
    Receive,
}

impl Step {
    /// Whether doing it twice is the same as doing it once.
    fn sets(&self) -> bool {
        !matches!(self, Self::Post | Self::Comment | Self::Receive | Self::Restore(_))
    }

    fn run(&self, state: &State, now: Millis) -> Result<Changes, Refusal> {
        let moment = &mut Moment::still(now);
        let app = AppId(4410);
        let sent = || "55".to_owned();
        let update = |status, archived_now, archived| Update {
            sent: sent(),
            by: Author::App(app),
            archived_now,
            status,
            archived,
            problems: vec![],
        };
        match *self {
            Self::Status(status) => update_thread(state, &update(Some(status), false, None), moment),
            Self::Archive => archive_thread(state, "55", &Author::App(app), moment),
            Self::Restore(status) => update_thread(state, &update(status, true, Some(false)), moment),
            Self::Assign(to) => {
                let to = to.map_or(Assignee::Nobody, |to| Assignee::Named(Some(to.to_owned())));
                assign_thread(state, &Assignment { sent: sent(), by: Author::App(app), to }, moment)
            }
            Self::Spam(spam) => mark_spam(state, &MarkSpam { sent: sent(), spam }, moment),
            Self::Relocate(to) => {
                relocate(state, &Relocate { sent: sent(), to: InboxId(to), by: Author::App(app) }, moment)
            }
            Self::Post => post_message(state, &letter(serde_json::json!({})), moment),
            Self::Comment => post_message(state, &letter(serde_json::json!({ "type": "COMMENT" })), moment),
            Self::Receive => receive(state, &mail("More."), moment),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let status = || prop_oneof![Just(ThreadStatus::Open), Just(ThreadStatus::Closed)];
    let step = prop_oneof![
        status().prop_map(Step::Status),
        Just(Step::Archive),
        prop::option::of(status()).prop_map(Step::Restore),
        prop::option::of(prop::sample::select(vec!["A-71", "B-5", "L-6"])).prop_map(Step::Assign),
        any::<bool>().prop_map(Step::Spam),
        prop::sample::select(vec![640, 812]).prop_map(Step::Relocate),
        Just(Step::Post),
        Just(Step::Comment),
        Just(Step::Receive),
    ];
    // The clock often stands still.
    prop::collection::vec((step, prop::sample::select(vec![0, 0, 0, 1, 7])), 1..40)
}

proptest! {
    #[test]
    fn a_thread_stays_consistent(steps in steps()) {
        let mut state = testing::state();
        let mut now = NOW - 4999;
        for (step, passed) in steps {
            now += passed;
            let before = state.thread.clone().unwrap();
            let Ok(changes) = step.run(&state, now) else { continue };
            if matches!(step, Step::Receive) && before.is_archived() {
                prop_assert_ne!(changes.threads[0].id, before.id);
                continue;
            }
            testing::apply(&mut state, &changes);
            let thread = state.thread.clone().unwrap();

            let mut last = before.latest_entry_at;
            for message in &changes.messages {
                prop_assert!(message.created_at > last, "{step:?}");
                last = message.created_at;
            }
            prop_assert_eq!(thread.latest_entry_at, last);
            prop_assert_eq!(thread.closed_at.is_some(), thread.status == ThreadStatus::Closed);

            let said = changes.messages.iter().rfind(|message| message.kind == MessageKind::Message);
            prop_assert_eq!(thread.latest_message_at, said.map(|one| one.created_at).or(before.latest_message_at));
            prop_assert_eq!(thread.latest_message_id, said.map(|one| one.id).or(before.latest_message_id));
            let newest = thread.latest_sent_at.max(thread.latest_received_at);
            prop_assert_eq!(thread.latest_message_at, newest);

            let spoken = |kind| matches!(kind, MessageKind::Message | MessageKind::Comment);
            let told = testing::events(&changes).iter().filter(|event| event.starts_with("newMessage")).count();
            prop_assert_eq!(told, changes.messages.iter().filter(|one| spoken(one.kind)).count());
            prop_assert_eq!(changes.is_empty(), changes.events.is_empty(), "no change without an event: {:?}", step);

            if step.sets() {
                let again = step.run(&state, now + 1);
                prop_assert!(again.is_err() || again.unwrap().is_empty(), "{step:?} twice");
            }
        }
    }
}
