//! What happens to a thread, step by step: each step changes the row, writes the history entries that belong to it and
//! records its events, in the order the API promises. Every rule is made of these steps, so none of it is decided twice.
//!
//! A step that would change nothing does nothing: no entry, no event, no write.

use antiphon_store::{
    Account, AccountId, Changes, Channel, Direction, InboxId, MessageId, Millis, Moment, NewMessage, TagId,
    Thread, ThreadStatus, TicketId, VisitorId,
};
use antiphon_wire::message::{self as wire, Message};
use antiphon_wire::timestamp::Timestamp;

use super::history::{self, Author};
use crate::events::kinds;

/// A thread in the middle of one change.
pub struct Lifecycle<'m> {
    /// The thread as it is by now.
    pub thread: Thread,
    before: Option<Thread>,
    /// When it happens: now, unless older traffic is brought in.
    pub now: Millis,
    pub moment: &'m mut Moment,
    pub changes: Changes,
}

/// Something said, ready to be appended; id, thread and time come with the appending.
#[derive(Debug, Clone)]
pub struct Entry {
    pub message: Message,
    /// The bodies before truncation, as `original-content` answers them.
    pub original: Option<Vec<u8>>,
    pub people: Vec<VisitorId>,
    pub files: Vec<i64>,
}

impl Entry {
    /// An entry that is whole and names nobody but the thread's own people.
    pub fn plain(message: Message) -> Self {
        Self { message, original: None, people: Vec::new(), files: Vec::new() }
    }
}

impl<'m> Lifecycle<'m> {
    /// Goes on with a thread that exists.
    pub fn of(thread: &Thread, moment: &'m mut Moment) -> Self {
        Self {
            thread: thread.clone(),
            before: Some(thread.clone()),
            now: moment.now,
            moment,
            changes: Changes::default(),
        }
    }

    /// Opens a new thread on an account, in the account's inbox. `at` stands in for the present when older traffic is brought in.
    pub fn begin(
        account: &Account,
        visitor: VisitorId,
        by: &Author,
        at: Option<Millis>,
        moment: &'m mut Moment,
    ) -> Self {
        let now = at.unwrap_or(moment.now);
        let thread = Thread {
            id: moment.thread_id(),
            number: 0,
            inbox_id: account.inbox_id,
            channel_id: account.channel_id,
            account_id: account.id,
            visitor_id: visitor,
            status: ThreadStatus::Open,
            spam: false,
            assigned_to: None,
            ticket_id: None,
            subject: None,
            snoozed_until: None,
            tags: Vec::new(),
            preview: None,
            created_at: now,
            closed_at: None,
            archived_at: None,
            latest_message_at: None,
            latest_sent_at: None,
            latest_received_at: None,
            latest_message_id: None,
            // The first entry may be as old as the thread itself.
            latest_entry_at: now - 1,
            entries: 0,
            revision: 0,
        };
        let mut changes = Changes::default();
        changes.events.push(kinds::thread_created(thread.id, now, by.source()));
        Self { thread, before: None, now, moment, changes }
    }

    /// Lets what follows happen at another time than now; entries stay in order all the same.
    pub fn at(mut self, at: Option<Millis>) -> Self {
        self.now = at.unwrap_or(self.now);
        self
    }

    /// Whether the thread was opened by this very change.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Something was said or noted.
    pub fn say(&mut self, entry: Entry) -> MessageId {
        self.say_as(entry, None)
    }

    /// The same, by a browser that has an id of its own for it.
    pub fn say_as(&mut self, entry: Entry, client_id: Option<&str>) -> MessageId {
        let kind = history::kind_stored(entry.message.kind);
        let incoming = entry.message.direction == Some(wire::Direction::Incoming);
        let (id, at) = self.append(entry);
        self.changes.events.push(match client_id {
            Some(client_id) => kinds::message_said(self.thread.id, at, id, client_id),
            None => kinds::message_added(self.thread.id, at, id, kind),
        });
        if incoming {
            self.wake();
        }
        id
    }

    /// The same, on an account whose messages the app has to carry that brought the channel.
    pub fn say_through(&mut self, channel: &Channel, account: AccountId, entry: Entry) -> MessageId {
        let (id, at) = self.append(entry);
        self.changes.events.push(kinds::message_to_carry(self.thread.id, at, id, channel, account));
        id
    }

    /// The first message opened the thread; the system says so.
    pub fn opened(&mut self) {
        let (id, at) = self.append(Entry::plain(history::status_change(ThreadStatus::Open, &Author::System)));
        let kind = antiphon_store::MessageKind::ThreadStatusChange;
        self.changes.events.push(kinds::entry_touched(self.thread.id, at, id, kind));
    }

    /// Opens or closes the thread.
    pub fn set_status(&mut self, status: ThreadStatus, by: &Author) {
        if self.thread.status == status {
            return;
        }
        let (_, at) = self.append(Entry::plain(history::status_change(status, by)));
        self.thread.status = status;
        let (closed_at, value) = match status {
            ThreadStatus::Open => (None, "OPEN"),
            ThreadStatus::Closed => (Some(at), "CLOSED"),
        };
        self.thread.closed_at = closed_at;
        self.changes.events.push(kinds::property_changed(self.thread.id, at, by.source(), "status", value));
        self.wake();
    }

    /// Gives the thread to an actor, or to nobody.
    pub fn assign(&mut self, to: Option<&str>, by: &Author) {
        if self.thread.assigned_to.as_deref() == to {
            return;
        }
        let from = std::mem::replace(&mut self.thread.assigned_to, to.map(str::to_owned));
        let (_, at) = self.append(Entry::plain(history::assignment(from, to.map(str::to_owned), by)));
        let (source, value) = (by.source(), to.unwrap_or_default());
        self.changes.events.push(kinds::property_changed(self.thread.id, at, source, "assignedTo", value));
    }

    /// Moves the thread to another inbox.
    pub fn relocate(&mut self, inbox: InboxId, by: &Author) {
        if self.thread.inbox_id == inbox {
            return;
        }
        let from = std::mem::replace(&mut self.thread.inbox_id, inbox);
        let (id, at) = self.append(Entry::plain(history::inbox_change(from, inbox, by)));
        let kind = antiphon_store::MessageKind::ThreadInboxChange;
        self.changes.events.push(kinds::entry_touched(self.thread.id, at, id, kind));
    }

    /// Puts the thread into the trash. The time it went there first stands.
    pub fn archive(&mut self, by: &Author) {
        if self.thread.is_archived() {
            return;
        }
        self.thread.archived_at = Some(self.now);
        self.changes.events.push(kinds::thread_archived(self.thread.id, self.now, by.source()));
    }

    /// Takes the thread out of the trash, as it was.
    pub fn restore(&mut self, by: &Author) {
        if !self.thread.is_archived() {
            return;
        }
        self.thread.archived_at = None;
        let restored = kinds::property_changed(self.thread.id, self.now, by.source(), "isArchived", "false");
        self.changes.events.push(restored);
    }

    /// Marks the thread as spam or not.
    pub fn mark_spam(&mut self, spam: bool) {
        if self.thread.spam == spam {
            return;
        }
        self.thread.spam = spam;
        self.changes.events.push(kinds::property_touched(self.thread.id, self.now, "spam"));
    }

    /// Lets nobody answer until a moment.
    pub fn snooze(&mut self, until: Millis) {
        self.set_snooze(Some(until));
    }

    /// Ends a snooze.
    pub fn wake(&mut self) {
        self.set_snooze(None);
    }

    fn set_snooze(&mut self, until: Option<Millis>) {
        if self.thread.snoozed_until == until {
            return;
        }
        self.thread.snoozed_until = until;
        self.changes.events.push(kinds::property_touched(self.thread.id, self.now, "snoozedUntil"));
    }

    /// Marks the thread with these tags and no others.
    pub fn mark(&mut self, mut tags: Vec<TagId>) {
        tags.sort_unstable();
        tags.dedup();
        if self.thread.tags == tags {
            return;
        }
        self.thread.tags = tags;
        self.changes.events.push(kinds::property_touched(self.thread.id, self.now, "tags"));
    }

    /// Links the thread to a ticket, or to none.
    pub fn link(&mut self, ticket: Option<TicketId>) {
        if self.thread.ticket_id == ticket {
            return;
        }
        self.thread.ticket_id = ticket;
        self.changes.events.push(kinds::property_touched(self.thread.id, self.now, "ticket"));
    }

    /// Everything that happened, to be applied at once.
    pub fn finish(mut self) -> Changes {
        if self.before.as_ref() != Some(&self.thread) {
            self.changes.threads.push(self.thread);
        }
        self.changes
    }

    /// Puts an entry behind all others. Two entries of a thread never share a millisecond.
    fn append(&mut self, entry: Entry) -> (MessageId, Millis) {
        let at = self.now.max(self.thread.latest_entry_at + 1);
        let id = self.moment.message_id(at);
        let Entry { mut message, original, people, files } = entry;
        let kind = history::kind_stored(message.kind);
        message.id = id.to_string();
        message.conversations_thread_id = self.thread.id.0.into();
        message.created_at = Timestamp(at);
        let direction = message.direction.map(|direction| match direction {
            wire::Direction::Incoming => Direction::Incoming,
            wire::Direction::Outgoing => Direction::Outgoing,
        });
        self.thread.latest_entry_at = at;
        if let Some(direction) = direction {
            message.updated_at = Some(Timestamp(at));
            self.thread.latest_message_at = Some(at);
            self.thread.latest_message_id = Some(id);
            self.thread.preview = message.text.as_deref().and_then(preview);
            match direction {
                Direction::Incoming => self.thread.latest_received_at = Some(at),
                Direction::Outgoing => self.thread.latest_sent_at = Some(at),
            }
        }
        self.changes.messages.push(NewMessage {
            id,
            thread_id: self.thread.id,
            kind,
            direction,
            created_at: at,
            document: crate::messages::document(&message),
            original,
            people,
            files,
        });
        (id, at)
    }
}

/// Most characters of a preview.
const PREVIEW: usize = 140;

/// How a text begins, on one line.
pub fn preview(text: &str) -> Option<String> {
    let mut short = String::with_capacity(PREVIEW);
    let mut left = PREVIEW;
    // What is further back is not seen, however long the text is.
    for word in text.split_whitespace().take(PREVIEW) {
        if !short.is_empty() && left > 0 {
            short.push(' ');
            left -= 1;
        }
        for character in word.chars().filter(|character| !character.is_control()) {
            if left == 0 {
                return Some(short);
            }
            short.push(character);
            left -= 1;
        }
    }
    Some(short).filter(|short| !short.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_one_short_line() {
        for (text, is) in [
            ("", None),
            (" \n\t ", None),
            ("Hello", Some("Hello".to_owned())),
            ("  Two\n\nlines\u{7}  ", Some("Two lines".to_owned())),
            (&"é".repeat(300), Some("é".repeat(140))),
            (&format!("{} x", "a".repeat(139)), Some(format!("{} ", "a".repeat(139)))),
        ] {
            assert_eq!(preview(text), is, "{text}");
        }
    }
}
