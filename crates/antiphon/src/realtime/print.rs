//! Events as they are sent: each is printed once, and shared by all who get it.

use antiphon_store::Event;
use antiphon_wire::live;
use bytes::Bytes;
use serde::Serialize;

use crate::events::list::{kind_name, shown};

/// Something that is told: as a frame of a stream, in which its JSON stands on one line.
#[derive(Debug, Clone)]
pub struct Printed {
    frame: Bytes,
    /// Where the JSON begins in it.
    json: usize,
}

/// What stands behind the JSON.
const END: &[u8] = b"\n\n";

impl Printed {
    /// An event of the spine.
    pub fn event(event: Event) -> Self {
        let (position, kind) = (event.position, kind_name(event.kind));
        Self::new(Some(position), kind, &shown(event))
    }

    /// What one client tells others. It has no id: nobody can ask for it again.
    pub fn passed(passed: &live::Passed) -> Self {
        Self::new(None, passed.kind, passed)
    }

    /// The same as another node printed it. `None` when it is not what a node prints.
    pub fn passed_on(kind: &str, json: &str) -> Option<Self> {
        let said: &serde_json::value::RawValue = serde_json::from_str(json).ok()?;
        (!json.contains('\n')).then(|| Self::new(None, kind, &said))
    }

    /// That something is missing.
    pub fn resync(resync: &live::Resync) -> Self {
        Self::new(Some(resync.position), resync.kind, resync)
    }

    /// The end.
    pub fn cut_off(end: &live::CutOff) -> Self {
        Self::new(Some(end.position), end.kind, end)
    }

    fn new(id: Option<i64>, kind: &str, value: &impl Serialize) -> Self {
        let mut frame = Vec::with_capacity(320);
        if let Some(id) = id {
            frame.extend_from_slice(b"id: ");
            frame.extend_from_slice(id.to_string().as_bytes());
            frame.push(b'\n');
        }
        for part in ["event: ", kind, "\ndata: "] {
            frame.extend_from_slice(part.as_bytes());
        }
        let json = frame.len();
        // Serialising what was just built cannot fail.
        serde_json::to_writer(&mut frame, value).ok();
        frame.extend_from_slice(END);
        Self { frame: frame.into(), json }
    }

    /// As a frame of a stream.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// The JSON alone.
    pub fn json(&self) -> Bytes {
        self.frame.slice(self.json..self.frame.len() - END.len())
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::{EventKind, ObjectKind};

    use super::*;

    #[test]
    fn an_event_is_one_frame_around_its_json() {
        let event = Event {
            position: 7,
            kind: EventKind::ThreadChanged,
            object: ObjectKind::Thread,
            object_id: 55,
            revision: 3,
            occurred_at: 0,
            payload: r#"{"propertyName":"status","propertyValue":"a\nb"}"#.into(),
        };
        let printed = Printed::event(event);
        let json = r#"{"position":7,"kind":"conversation.propertyChange","objectType":"THREAD","objectId":55,"revision":3,"occurredAt":"1970-01-01T00:00:00.000Z","payload":{"propertyName":"status","propertyValue":"a\nb"}}"#;
        assert_eq!(printed.json(), json);
        assert_eq!(printed.frame(), format!("id: 7\nevent: conversation.propertyChange\ndata: {json}\n\n"));
    }
}
