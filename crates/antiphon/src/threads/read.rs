//! How far somebody has read a thread.

use antiphon_store::{Changes, DeskChange, DeskKey, Moment, ReadMark, State, Target};
use antiphon_wire::answering::ReadUpTo;
use antiphon_wire::error::Problem;

use super::{path, thread_id};
use crate::actors::acting::{acting, actor};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::refusal::Refusal;

/// Who has read what. The target is [`Target::Desk`] of the reader, with the entry that was read last.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The thread as the client named it.
    pub thread: String,
    /// The entry as the client named it.
    pub message: String,
    /// `A-71`, or `V-9`.
    pub reader: String,
}

/// `PUT /threads/{threadId}/read`
pub async fn up_to(call: Call) -> Result<Answer, Refusal> {
    let thread = thread_id(&call)?;
    let body: ReadUpTo = call.json()?;
    let mut checks = Checks::default();
    let reader = checks.take(acting(&call.caller, body.sender_actor_id.as_ref()));
    let reader = reader.map(actor).unwrap_or_default();
    let message = checks.take(body.message_id.ok_or_else(|| Problem::required(MESSAGE))).unwrap_or_default();
    checks.done()?;
    let message_id = antiphon_store::MessageId::parse(&message);
    let key = DeskKey { message: message_id, ..DeskKey::of(thread, &*reader) };
    let reading = Reading { thread: path(&call, 0).to_owned(), message, reader };
    let rule = move |state: &State, moment: &mut Moment| mark(state, &reading, moment);
    call.app.store.change(call.caller.portal(), Target::Desk(Box::new(key)), rule).await??;
    Ok(Answer::none())
}

const MESSAGE: &str = "messageId";

/// The rule. What was read further stays read, and a repeat is nothing.
pub fn mark(state: &State, reading: &Reading, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = state.thread.as_ref().ok_or_else(|| Refusal::not_found(&reading.thread))?;
    let desk = state.desk.as_deref();
    let Some((position, message)) = desk.and_then(|desk| desk.message.as_ref()) else {
        let why = format!("`{}` is no message of thread {}", reading.message, thread.id);
        return Err(Refusal::invalid(MESSAGE, why));
    };
    let mut changes = Changes::default();
    if desk.and_then(|desk| desk.read.as_ref()).is_some_and(|before| before.position >= *position) {
        return Ok(changes);
    }
    let mark = ReadMark {
        thread_id: thread.id,
        reader: reading.reader.clone(),
        message_id: message.id,
        position: *position,
        at: moment.now,
    };
    changes.events.push(kinds::thread_read(thread.id, moment.now, &mark.reader, mark.message_id));
    changes.desk.push(DeskChange::Read(mark));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use antiphon_store::{Desk, Document, MessageId, MessageKind, Position, StoredMessage};

    use super::*;
    use crate::testing::{self, NOW};

    fn at(position: i64, read: Option<i64>) -> State {
        let id = MessageId([position as u8; 16]);
        let document = Document { format: 1, bytes: Vec::new() };
        let message =
            StoredMessage { id, kind: MessageKind::Message, direction: None, document, archived: false };
        let read = read.map(|position| ReadMark {
            thread_id: testing::THREAD,
            reader: "A-71".into(),
            message_id: MessageId([position as u8; 16]),
            position: Position(position),
            at: 1,
        });
        let desk = Desk { message: Some((Position(position), message)), read, ..Desk::default() };
        State { desk: Some(Box::new(desk)), ..testing::state() }
    }

    fn reading() -> Reading {
        Reading { thread: "55".into(), message: "m".into(), reader: "A-71".into() }
    }

    #[test]
    fn reading_goes_on_and_never_back() {
        for (position, read, told) in [
            (0, None, true),
            (5, None, true),
            (5, Some(4), true),
            (5, Some(5), false),
            (4, Some(5), false),
            (0, Some(0), false),
        ] {
            let changes =
                mark(&at(position, read), &reading(), &mut Moment::still(NOW)).expect("it can be read");
            let marks = changes.desk.iter().map(|change| match change {
                DeskChange::Read(mark) => (mark.position.0, mark.at, &*mark.reader),
                other => panic!("{other:?}"),
            });
            let marks: Vec<_> = marks.collect();
            assert_eq!(marks, Vec::from_iter(told.then_some((position, NOW, "A-71"))));
            let events = testing::events(&changes);
            assert_eq!(events, Vec::from_iter(told.then_some("(read by A-71)")));
            assert!(changes.threads.is_empty());
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_read() {
        let mut state = at(1, None);
        if let Some(desk) = &mut state.desk {
            desk.message = None;
        }
        let refused = mark(&state, &reading(), &mut Moment::still(NOW)).unwrap_err();
        assert_eq!(testing::status(&refused), 400);
        state.thread = None;
        let refused = mark(&state, &reading(), &mut Moment::still(NOW));
        assert_eq!(refused, Err(Refusal::not_found("55")));
        // What is in the trash can be read as well.
        let mut state = at(1, None);
        if let Some(thread) = &mut state.thread {
            thread.archived_at = Some(3);
        }
        assert!(mark(&state, &reading(), &mut Moment::still(NOW)).is_ok());
    }
}
