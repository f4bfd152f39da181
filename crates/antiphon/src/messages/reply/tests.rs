//! The rule of answers at the screen: what is in front of the rule for all messages, and what comes with it.

use antiphon_store::{Desk, MessageKind, StoredMessage, Writing};
use serde_json::json;

use super::*;
use crate::messages::post::tests::letter;
use crate::testing::{self, NOW, entries, events};

fn asked(body: serde_json::Value) -> Reply {
    let mut draft = letter(body);
    draft.speaks_for(71);
    Reply {
        draft,
        agent: 71,
        seen: None,
        anyway: false,
        name: Some("4a1f".into()),
        close_after: false,
        called: Vec::new(),
    }
}

fn at_desk(desk: Desk) -> State {
    State { desk: Some(Box::new(desk)), ..testing::state() }
}

/// What Ines said meanwhile.
fn newer() -> StoredMessage {
    let id = MessageId([9; 16]);
    let mut message = wire::Message::new(
        MessageType::Message,
        id.to_string(),
        55,
        NOW,
        "V-20".into(),
        wire::Client::app(4410),
    );
    message.senders = vec![wire::Sender::actor("V-20")];
    StoredMessage {
        id,
        kind: MessageKind::Message,
        direction: None,
        document: crate::messages::document(&message),
        archived: false,
    }
}

fn answer(state: &State, asked: &Reply) -> Result<Changes, Refusal> {
    reply_to(state, asked, &mut Moment::still(NOW))
}

/// What is laid beside the thread, in few words.
fn laid(changes: &Changes) -> Vec<String> {
    let line = |change: &DeskChange| match change {
        DeskChange::Read(mark) => format!("{} has read {}", mark.reader, mark.position.0),
        DeskChange::DraftGone(_, agent) => format!("no draft of {agent}"),
        DeskChange::Called(one) => format!("{} called by {} at {}", one.agent_id, one.caller, one.position.0),
        DeskChange::Draft(_) => "a draft".to_owned(),
    };
    changes.desk.iter().map(line).collect()
}

#[test]
fn an_answer_is_a_message_and_more() {
    let changes = answer(&at_desk(Desk::default()), &asked(json!({}))).unwrap();
    assert_eq!(entries(&changes), ["MESSAGE OUTGOING by I-4410", "ASSIGNMENT -> A-71 by A-71"]);
    assert_eq!(events(&changes), ["newMessage MESSAGE", "assignedTo=A-71", "(read by A-71)"]);
    assert_eq!(laid(&changes), ["A-71 has read 2", "no draft of 71"]);
    let id = changes.messages[0].id;
    let earlier = Earlier { thread_id: testing::THREAD, message_id: id };
    assert_eq!(changes.idempotency_keys, [(ONCE, "A-71 55 4a1f".to_owned(), earlier)]);
    // The same message as the contract's send would write.
    let sent =
        crate::messages::post::post_message(&testing::state(), &letter(json!({})), &mut Moment::still(NOW));
    assert_eq!(changes.messages, sent.unwrap().messages);
}

#[test]
fn a_note_is_its_agents_and_calls_others() {
    let note = Reply { called: vec![71, 72, 73], ..asked(json!({ "type": "COMMENT" })) };
    // Neither a newer message nor a colleague is in its way.
    let crowded = Desk {
        newer: vec![newer()],
        writing: vec![Writing { agent_id: 72, kind: MessageKind::Message, touched_at: NOW }],
        ..Desk::default()
    };
    assert!(!note.key(testing::THREAD).newer);
    let changes = answer(&at_desk(crowded), &note).unwrap();
    assert_eq!(entries(&changes), ["COMMENT by I-4410"]);
    let message = &testing::messages(&changes)[0];
    assert_eq!(message.senders[0].actor_id.as_deref(), Some("A-71"));
    assert_eq!(events(&changes), ["newMessage COMMENT", "(mentioned)", "(read by A-71)"]);
    assert_eq!(
        laid(&changes),
        ["72 called by A-71 at 2", "73 called by A-71 at 2", "A-71 has read 2", "no draft of 71"]
    );
}

#[test]
fn the_guard_stands_in_front_and_steps_aside() {
    let past = Desk { newer: vec![newer()], ..Desk::default() };
    let over = Desk {
        writing: vec![Writing { agent_id: 72, kind: MessageKind::Message, touched_at: NOW - 1 }],
        ..Desk::default()
    };
    for (desk, kind) in [(past, "NEWER_MESSAGE"), (over, "COLLEAGUE_ANSWERING")] {
        let state = at_desk(desk);
        let Err(Refusal::Crossed(crossed)) = answer(&state, &asked(json!({}))) else { panic!("{kind}") };
        assert_eq!(crossed.kind, kind);
        let anyway = Reply { anyway: true, ..asked(json!({})) };
        assert_eq!(testing::messages(&answer(&state, &anyway).unwrap()).len(), 2, "with the assignment");
    }
}

#[test]
fn what_was_seen_has_to_be_there() {
    let seen = Reply { seen: Some("x".into()), ..asked(json!({})) };
    let Err(Refusal::Invalid(problems)) = answer(&at_desk(Desk::default()), &seen) else { panic!("taken") };
    assert_eq!(problems[0].in_.as_deref(), Some("seen"));
    let known = Desk { message: Some((Position(1), newer())), ..Desk::default() };
    assert!(answer(&at_desk(known), &seen).is_ok());
}

#[test]
fn the_same_answer_twice_is_one() {
    let earlier = Earlier { thread_id: testing::THREAD, message_id: MessageId([1; 16]) };
    let mut state = at_desk(Desk { earlier: Some(earlier), newer: vec![newer()], ..Desk::default() });
    assert!(answer(&state, &asked(json!({}))).unwrap().is_empty());
    // Whatever has become of the thread.
    state.thread.as_mut().unwrap().archived_at = Some(1);
    assert!(answer(&state, &asked(json!({}))).unwrap().is_empty());
    state.desk = Some(Box::default());
    assert_eq!(answer(&state, &asked(json!({}))), Err(Refusal::not_found("55")));
    // Each agent and each thread has names of their own.
    let key = |agent, thread| Reply { agent, ..asked(json!({})) }.key(antiphon_store::ThreadId(thread)).once;
    assert_ne!(key(71, 55), key(72, 55));
    assert_ne!(key(71, 55), key(71, 56));
    assert_eq!(Reply { name: None, ..asked(json!({})) }.key(testing::THREAD).once, None);
}

#[test]
fn an_answer_closes_its_thread_if_it_says_so() {
    let closing = Reply { close_after: true, ..asked(json!({})) };
    let changes = answer(&at_desk(Desk::default()), &closing).unwrap();
    assert_eq!(entries(&changes).last().unwrap(), "STATUS CLOSED by I-4410");
    assert_eq!(changes.threads[0].status, ThreadStatus::Closed);
    // A refused message leaves everything as it is.
    let refused = Reply { close_after: true, ..asked(json!({ "senderActorId": "A-99" })) };
    assert!(matches!(answer(&at_desk(Desk::default()), &refused), Err(Refusal::Invalid(_))));
}
