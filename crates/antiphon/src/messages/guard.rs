//! What keeps an agent from answering past a newer message, or over a colleague who is answering. It is decided where the answer
//! is written, with the thread locked, so that of two who answer at once the second hears of the first.

use antiphon_store::{Desk, MessageKind, Millis, StoredMessage};
use antiphon_wire::message as wire;

use crate::actors::acting::actor;
use crate::refusal::{Crossed, Refusal};

/// How long a colleague counts as answering after they wrote last.
const ANSWERING: Millis = 60_000;

/// Lets an agent answer who has seen everything that others said up to the entry that the desk was asked for, and whom no
/// colleague is about to answer before.
pub fn guard(desk: &Desk, agent: i64, now: Millis) -> Result<(), Refusal> {
    let own = actor(agent);
    let others = desk.newer.iter().map(|message| (message, authors(message)));
    let others: Vec<_> = others.filter(|(_, authors)| !authors.contains(&own)).collect();
    if desk.more || !others.is_empty() {
        let ids = others.iter().map(|(message, _)| message.id.to_string()).collect();
        let mut by: Vec<String> =
            others.into_iter().filter_map(|(_, authors)| authors.into_iter().next()).collect();
        by.sort_unstable();
        by.dedup();
        return Err(Refusal::Crossed(Crossed {
            kind: "NEWER_MESSAGE",
            message: "Somebody wrote in this thread meanwhile. Read it, or send the answer anyway.",
            context: vec![("messageId", ids), ("by", by)],
        }));
    }
    let colleagues = desk.writing.iter().filter(|one| {
        one.agent_id != agent && one.kind == MessageKind::Message && now - one.touched_at < ANSWERING
    });
    let colleagues: Vec<_> = colleagues.map(|one| actor(one.agent_id)).collect();
    if colleagues.is_empty() {
        return Ok(());
    }
    Err(Refusal::Crossed(Crossed {
        kind: "COLLEAGUE_ANSWERING",
        message: "A colleague is answering in this thread. Ask them, or send the answer anyway.",
        context: vec![("actorId", colleagues)],
    }))
}

/// Whose words an entry has, and then who put them there.
fn authors(message: &StoredMessage) -> Vec<String> {
    let Some(read) = wire::read(&message.document.bytes) else { return Vec::new() };
    let senders = read.senders.into_iter().filter_map(|sender| sender.actor_id);
    senders.chain([read.created_by]).collect()
}

#[cfg(test)]
mod tests {
    use antiphon_store::{MessageId, Writing};
    use antiphon_wire::message::{Client, Message, MessageType, Sender};

    use super::*;
    use crate::testing::NOW;

    /// An entry of somebody, put there by somebody.
    fn said(number: u8, sender: &str, by: &str) -> StoredMessage {
        let id = MessageId([number; 16]);
        let mut message =
            Message::new(MessageType::Message, id.to_string(), 55, NOW, by.to_owned(), Client::app(4410));
        message.senders = vec![Sender::actor(sender)];
        StoredMessage {
            id,
            kind: MessageKind::Message,
            direction: None,
            document: crate::messages::document(&message),
            archived: false,
        }
    }

    fn writing(agent_id: i64, kind: MessageKind, ago: Millis) -> Writing {
        Writing { agent_id, kind, touched_at: NOW - ago }
    }

    /// What is refused, in few words.
    fn told(desk: &Desk) -> String {
        match guard(desk, 71, NOW) {
            Ok(()) => "may".to_owned(),
            Err(Refusal::Crossed(crossed)) => {
                let context =
                    crossed.context.iter().map(|(name, values)| format!("{name}={}", values.join("+")));
                format!("{} {}", crossed.kind, context.collect::<Vec<_>>().join(" "))
            }
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn whoever_has_not_seen_what_others_said_does_not_answer_past_it() {
        let id = |number: u8| MessageId([number; 16]).to_string();
        for (newer, expected) in [
            (vec![], "may".to_owned()),
            (vec![said(3, "V-20", "V-20")], format!("NEWER_MESSAGE messageId={} by=V-20", id(3))),
            (vec![said(3, "A-72", "A-72")], format!("NEWER_MESSAGE messageId={} by=A-72", id(3))),
            (vec![said(3, "A-72", "I-4410")], format!("NEWER_MESSAGE messageId={} by=A-72", id(3))),
            // What one said oneself, by hand or through an app, one has seen.
            (vec![said(3, "A-71", "A-71"), said(2, "A-71", "I-4410")], "may".to_owned()),
            (
                vec![
                    said(5, "A-71", "A-71"),
                    said(4, "V-20", "V-20"),
                    said(3, "A-72", "A-72"),
                    said(2, "V-20", "V-20"),
                ],
                format!("NEWER_MESSAGE messageId={}+{}+{} by=A-72+V-20", id(4), id(3), id(2)),
            ),
        ] {
            assert_eq!(told(&Desk { newer, ..Desk::default() }), expected);
        }
        let unlooked = Desk { newer: vec![said(3, "A-71", "A-71")], more: true, ..Desk::default() };
        assert_eq!(told(&unlooked), "NEWER_MESSAGE messageId= by=", "nobody knows what else was said");
    }

    #[test]
    fn a_colleague_who_wrote_within_the_minute_is_answering() {
        use MessageKind::{Comment, Message};
        for (drafts, expected) in [
            (vec![writing(72, Message, 0)], "COLLEAGUE_ANSWERING actorId=A-72"),
            (vec![writing(72, Message, 59_999)], "COLLEAGUE_ANSWERING actorId=A-72"),
            (vec![writing(72, Message, 60_000)], "may"),
            (vec![writing(71, Message, 0)], "may"),
            (vec![writing(72, Comment, 0)], "may"),
            (
                vec![writing(73, Message, 1), writing(71, Message, 2), writing(72, Message, 3)],
                "COLLEAGUE_ANSWERING actorId=A-73+A-72",
            ),
        ] {
            assert_eq!(told(&Desk { writing: drafts, ..Desk::default() }), expected);
        }
        // What was said goes before what is being written.
        let both = Desk {
            newer: vec![said(3, "V-20", "V-20")],
            writing: vec![writing(72, Message, 0)],
            ..Desk::default()
        };
        assert!(told(&both).starts_with("NEWER_MESSAGE"));
    }
}
