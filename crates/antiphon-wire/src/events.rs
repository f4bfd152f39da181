//! Events as an app's webhook gets them, their members in the order in which HubSpot sends them.
//!
//! What happened is the same for every app that is told of it, so that part is printed once.

use serde::Serialize;

/// What happened.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happened<'a> {
    /// When it happened, in milliseconds.
    #[serde(skip)]
    pub occurred_at: i64,
    /// As in `conversation.newMessage`.
    #[serde(skip)]
    pub subscription_type: &'a str,
    /// The thread.
    pub object_id: i64,
    /// `CREATED`, `NEW_MESSAGE` or `DELETED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_flag: Option<&'a str>,
    /// Through what it came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_source: Option<&'a str>,
    /// Who or what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<&'a str>,
    /// Which property changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_name: Option<&'a str>,
    /// What it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_value: Option<&'a str>,
    /// The new message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<&'a str>,
}

/// Whom it is told to.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// The same however often it is sent.
    pub event_id: i64,
    /// The subscription that it is sent for.
    pub subscription_id: i64,
    /// Where it happened.
    pub portal_id: i64,
    /// Whom it is sent to.
    pub app_id: i64,
    /// How often it was sent before.
    pub attempt_number: i64,
}

/// JSON that goes along with an event to those who asked for it.
#[derive(Debug, Clone, Default)]
pub struct Along {
    /// The message itself.
    pub message: Option<Vec<u8>>,
    /// The thread as it is by now.
    pub thread: Option<Vec<u8>>,
    /// Whose thread it is.
    pub contact: Option<Vec<u8>>,
    /// Whether what was asked for is left out, since it is too large for a request.
    pub omitted: bool,
}

/// What happened, printed: an event but for whom it is told to.
#[derive(Debug, Clone)]
pub struct Printed {
    /// From behind the app to the number of the attempt.
    when: Vec<u8>,
    /// From there to the end, with no bracket behind it.
    what: Vec<u8>,
}

impl Printed {
    /// Prints what happened.
    pub fn new(happened: &Happened<'_>) -> Self {
        let mut when = Vec::with_capacity(96);
        number(&mut when, ",\"occurredAt\":", happened.occurred_at);
        when.extend_from_slice(b",\"subscriptionType\":");
        // Nothing in either can fail to print.
        serde_json::to_writer(&mut when, happened.subscription_type).ok();
        let mut what = Vec::with_capacity(192);
        serde_json::to_writer(&mut what, happened).ok();
        if let Some(bracket) = what.first_mut() {
            *bracket = b',';
        }
        what.pop();
        Self { when, what }
    }

    /// Prints the event as one app is told of it.
    pub fn print(&self, telling: &Telling, along: &Along, out: &mut Vec<u8>) {
        number(out, "{\"eventId\":", telling.event_id);
        number(out, ",\"subscriptionId\":", telling.subscription_id);
        number(out, ",\"portalId\":", telling.portal_id);
        number(out, ",\"appId\":", telling.app_id);
        out.extend_from_slice(&self.when);
        number(out, ",\"attemptNumber\":", telling.attempt_number);
        out.extend_from_slice(&self.what);
        let Along { message, thread, contact, omitted } = along;
        for (name, json) in [("message", message), ("thread", thread), ("contact", contact)] {
            if let Some(json) = json {
                for part in [b",\"", name.as_bytes(), b"\":", json] {
                    out.extend_from_slice(part);
                }
            }
        }
        if *omitted {
            out.extend_from_slice(b",\"expansionOmitted\":true");
        }
        out.push(b'}');
    }
}

fn number(out: &mut Vec<u8>, before: &str, number: i64) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(happened: &Happened<'_>, along: &Along) -> String {
        let telling = Telling { event_id: 1, subscription_id: 2, portal_id: 3, app_id: 4, attempt_number: 5 };
        let mut out = Vec::new();
        Printed::new(happened).print(&telling, along, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_has_the_members_that_there_are_in_their_order() {
        let least = Happened {
            occurred_at: 7,
            subscription_type: "conversation.privacyDeletion",
            object_id: 8,
            ..Happened::default()
        };
        assert_eq!(
            printed(&least, &Along::default()),
            r#"{"eventId":1,"subscriptionId":2,"portalId":3,"appId":4,"occurredAt":7,"subscriptionType":"conversation.privacyDeletion","attemptNumber":5,"objectId":8}"#
        );
        let most = Happened {
            change_flag: Some("NEW_MESSAGE"),
            change_source: Some("INTEGRATION"),
            source_id: Some("4"),
            property_name: Some("subject"),
            property_value: Some("a \"b\"\n\u{1}"),
            message_id: Some("ab"),
            message_type: Some("COMMENT"),
            ..least
        };
        let along = Along {
            message: Some(b"{\"id\":1}".to_vec()),
            thread: Some(b"{}".to_vec()),
            contact: Some(b"null".to_vec()),
            omitted: false,
        };
        assert_eq!(
            printed(&most, &along),
            r#"{"eventId":1,"subscriptionId":2,"portalId":3,"appId":4,"occurredAt":7,"subscriptionType":"conversation.privacyDeletion","attemptNumber":5,"objectId":8,"changeFlag":"NEW_MESSAGE","changeSource":"INTEGRATION","sourceId":"4","propertyName":"subject","propertyValue":"a \"b\"\n\u0001","messageId":"ab","messageType":"COMMENT","message":{"id":1},"thread":{},"contact":null}"#
        );
        let omitted = Along { omitted: true, ..Along::default() };
        assert!(printed(&least, &omitted).ends_with(r#""objectId":8,"expansionOmitted":true}"#));
    }
}
