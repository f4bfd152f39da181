//! What is told of everything that can happen to a thread, and through what it came about.

use antiphon_store::{AppId, Changes, EventKind, InboxId, Moment, State, ThreadStatus, TicketId};

use super::archive::archive_thread;
use super::assign::{Assignee, Assignment, assign_thread};
use super::history::Author;
use super::link::{Link, link};
use super::relocate::{Relocate, relocate};
use super::spam::{MarkSpam, mark_spam};
use super::update::{Update, update_thread};
use crate::messages::post::{post_message, tests::letter};
use crate::messages::receive::{receive, tests::mail};
use crate::testing::{self, NOW};

const APP: AppId = AppId(4410);

fn update(archived_now: bool, status: Option<ThreadStatus>, archived: Option<bool>) -> Update {
    Update { sent: "55".into(), by: Author::App(APP), archived_now, status, archived, problems: vec![] }
}

fn assignment(to: Option<&str>) -> Assignment {
    let to = to.map_or(Assignee::Nobody, |to| Assignee::Named(Some(to.to_owned())));
    Assignment { sent: "55".into(), by: Author::App(APP), to }
}

/// Every public event in few words, with its source behind an `@`.
fn told(changes: &Changes) -> Vec<String> {
    let public =
        changes.events.iter().zip(testing::events(changes)).filter(|(_, said)| !said.starts_with('('));
    public
        .map(|(event, said)| {
            let payload: serde_json::Value = serde_json::from_str(&event.payload).unwrap_or_default();
            assert_eq!(event.payload.is_empty(), event.kind == EventKind::ThreadPurged);
            match (payload["changeSource"].as_str(), payload["sourceId"].as_str()) {
                (Some(source), Some(id)) => format!("{said} @{source} {id}"),
                (Some(source), None) => format!("{said} @{source}"),
                (None, _) => said,
            }
        })
        .collect()
}

/// The thread as it stands before something happens.
fn thread(is: &str) -> State {
    let mut state = testing::state();
    let thread = state.thread.as_mut().unwrap();
    match is {
        "assigned" => thread.assigned_to = Some("A-71".into()),
        "archived" => thread.archived_at = Some(5),
        "closed" => testing::close(&mut state),
        "none" => return testing::empty(),
        _ => {}
    }
    state
}

#[test]
fn everything_that_happens_is_told_once_and_nothing_else_is() {
    type Rule<'r> = &'r dyn Fn(&State, &mut Moment) -> Changes;
    let set = |status| {
        move |state: &State, moment: &mut Moment| {
            update_thread(state, &update(false, Some(status), None), moment).unwrap()
        }
    };
    let give =
        |to| move |state: &State, moment: &mut Moment| assign_thread(state, &assignment(to), moment).unwrap();
    let incoming: Rule<'_> = &|state, moment| receive(state, &mail("More."), moment).unwrap();
    let published: Rule<'_> = &|state, moment| {
        let mut incoming = mail("More.");
        incoming.published_by = Some(APP);
        receive(state, &incoming, moment).unwrap()
    };
    let answer: Rule<'_> =
        &|state, moment| post_message(state, &letter(serde_json::json!({})), moment).unwrap();
    let comment: Rule<'_> = &|state, moment| {
        post_message(state, &letter(serde_json::json!({ "type": "COMMENT" })), moment).unwrap()
    };
    let archive: Rule<'_> = &|state, moment| archive_thread(state, "55", &Author::App(APP), moment).unwrap();
    let by_operator: Rule<'_> =
        &|state, moment| archive_thread(state, "55", &Author::App(AppId(0)), moment).unwrap();
    let restore: Rule<'_> =
        &|state, moment| update_thread(state, &update(true, None, Some(false)), moment).unwrap();
    let relocated: Rule<'_> = &|state, moment| {
        let asked = Relocate { sent: "55".into(), to: InboxId(812), by: Author::App(APP) };
        relocate(state, &asked, moment).unwrap()
    };
    let spam: Rule<'_> =
        &|state, moment| mark_spam(state, &MarkSpam { sent: "55".into(), spam: true }, moment).unwrap();
    let unlinked: Rule<'_> =
        &|state, moment| link(state, &Link { sent: "55".into(), ticket: None }, moment).unwrap();
    let (open, close) = (set(ThreadStatus::Open), set(ThreadStatus::Closed));
    let (mia, nobody) = (give(Some("A-71")), give(None));
    let message = "newMessage MESSAGE";
    let rows: &[(&str, &str, Rule<'_>, &[&str])] = &[
        ("first incoming message", "none", incoming, &["creation @AUTOMATION_PLATFORM", message]),
        ("published by an app", "none", published, &["creation @INTEGRATION 4410", message]),
        ("incoming, open", "open", incoming, &[message]),
        ("incoming, closed", "closed", incoming, &[message, "status=OPEN @AUTOMATION_PLATFORM"]),
        ("incoming, archived", "archived", incoming, &["creation @AUTOMATION_PLATFORM", message]),
        ("outgoing, assigned", "assigned", answer, &[message]),
        ("outgoing, unassigned", "open", answer, &[message, "assignedTo=A-71 @AUTOMATION_PLATFORM"]),
        ("comment", "open", comment, &["newMessage COMMENT"]),
        ("status", "open", &close, &["status=CLOSED @INTEGRATION 4410"]),
        ("status", "closed", &open, &["status=OPEN @INTEGRATION 4410"]),
        ("same status", "open", &open, &[]),
        ("same status", "closed", &close, &[]),
        ("assign", "open", &mia, &["assignedTo=A-71 @INTEGRATION 4410"]),
        ("same assignee", "assigned", &mia, &[]),
        ("unassign", "assigned", &nobody, &["assignedTo= @INTEGRATION 4410"]),
        ("nobody before and after", "open", &nobody, &[]),
        ("inbox moved", "open", relocated, &[]),
        ("spam", "open", spam, &[]),
        ("no ticket before and after", "open", unlinked, &[]),
        ("archive", "open", archive, &["deletion @INTEGRATION 4410"]),
        ("archive by the operator", "open", by_operator, &["deletion @AUTOMATION_PLATFORM"]),
        ("archive again", "archived", archive, &[]),
        ("restore", "archived", restore, &["isArchived=false @INTEGRATION 4410"]),
    ];
    for (what, is, rule, events) in rows {
        assert_eq!(told(&rule(&thread(is), &mut Moment::still(NOW))), *events, "{what}, thread {is}");
    }
    let mut linked = thread("open");
    linked.thread.as_mut().unwrap().ticket_id = Some(TicketId(88));
    assert!(told(&unlinked(&linked, &mut Moment::still(NOW))).is_empty());
}
