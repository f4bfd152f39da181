//! What lies beside threads, and ready-made words.

use super::*;

/// One of everything that lies beside a thread.
pub fn thread(thread_id: ThreadId, message_id: MessageId) -> Vec<DeskChange> {
    let position = Position(0);
    let mark = ReadMark { thread_id, reader: "A-1".into(), message_id, position, at: 1 };
    let draft = StoredDraft {
        thread_id,
        agent_id: 1,
        kind: MessageKind::Message,
        preview: "p".into(),
        body: "{}".into(),
        touched_at: 1,
    };
    let calling =
        Calling { agent_id: 1, thread_id, message_id, position, caller: "A-2".into(), at: 1, seen: false };
    vec![
        DeskChange::Read(mark),
        DeskChange::Draft(draft),
        DeskChange::DraftGone(thread_id, 2),
        DeskChange::Called(calling),
    ]
}

/// Ready-made words that come, and others that go.
pub fn words() -> Vec<CannedChange> {
    vec![
        CannedChange::Put(CannedReply {
            id: 1,
            owner_id: Some(1),
            shared: false,
            name: "n".into(),
            shortcut: Some("s".into()),
            text: "t".into(),
            rich_text: "t".into(),
            created_at: 1,
            updated_at: 1,
        }),
        CannedChange::Gone(2),
    ]
}

/// Everything that can be asked about them.
pub fn asked(conn: &Connection, thread: ThreadId) -> Result<()> {
    assert_eq!(desk::reads_on(conn, PORTAL, thread, 5)?.len(), 1);
    assert!(desk::draft(conn, PORTAL, thread, 1)?.is_some());
    assert_eq!(desk::drafts(conn, PORTAL, 1, 5)?.len(), 1);
    assert_eq!(desk::callings(conn, PORTAL, 1, None, 5)?.len(), 1);
    assert_eq!(desk::unseen(conn, PORTAL, 1)?, 1);
    assert_eq!(canned::page(conn, PORTAL, Some(1), 0, 5)?.len(), 1);
    Ok(())
}
