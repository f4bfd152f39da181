//! What a visitor sees of what was said. Nothing else of a thread's history is ever printed here.

use std::collections::HashMap;

use antiphon_mail::html;
use antiphon_store::{Directory, File, MessageId, PortalId, Store};
use antiphon_wire::actor::ActorId;
use antiphon_wire::attachment::{Attachment, FileUsageType, QuickReplyType};
use antiphon_wire::message::{self as wire, Direction, Message, MessageType};
use antiphon_wire::widget::{
    Voice, WidgetAgent, WidgetAttachment, WidgetMessage, WidgetMessageKind, WidgetMessageStatus,
    WidgetQuickReplies, WidgetQuickReply,
};

use crate::actors::of_house;
use crate::files::links::Links;
use crate::refusal::Refusal;

/// Reads a stored entry, with the addresses of its files, if a visitor may see it.
pub fn read(document: &[u8], links: &Links<'_>) -> Option<Message> {
    let mut whole = Vec::with_capacity(document.len() + 512);
    wire::complete(document, false, links, &mut whole);
    let message: Message = serde_json::from_slice(&whole).ok()?;
    is_shown(&message).then_some(message)
}

/// Whether a visitor may see an entry: what was said to them and by them, and the greeting.
pub fn is_shown(message: &Message) -> bool {
    matches!(message.kind, MessageType::Message | MessageType::WelcomeMessage)
}

/// What is known of files, by their ids.
pub type Files = HashMap<i64, File>;

/// Looks up the files of some messages.
///
/// # Errors
/// When the store does not answer.
pub async fn files(store: &Store, portal: PortalId, messages: &[Message]) -> Result<Files, Refusal> {
    let ids = ids(messages);
    if ids.is_empty() {
        return Ok(Files::new());
    }
    let found = store.files_by_ids(portal, &ids).await?;
    Ok(found.into_iter().map(|file| (file.id, file)).collect())
}

/// The ids of the files of some messages.
pub fn ids(messages: &[Message]) -> Vec<i64> {
    let named = |attachment: &Attachment| match attachment {
        Attachment::File { file_id, .. } => file_id.parse::<i64>().ok(),
        _ => None,
    };
    messages.iter().flat_map(|one| one.attachments.iter().flatten()).filter_map(named).collect()
}

/// A message as the widget shows it. `read` is up to where agents have read.
pub fn shown(
    directory: &Directory,
    message: &Message,
    files: &Files,
    read: Option<MessageId>,
) -> WidgetMessage {
    let own = message.direction == Some(Direction::Incoming);
    let speaker = message.senders.first().and_then(|sender| sender.actor_id.as_deref());
    let speaker = speaker.unwrap_or(&message.created_by);
    let agent = if own { None } else { agent(directory, speaker) };
    let sent_as = message.senders.first().and_then(|sender| sender.name.clone()).filter(|_| !own);
    let id = MessageId::parse(&message.id);
    let is_read = read.zip(id).is_some_and(|(read, id)| id <= read);
    let status = if is_read { WidgetMessageStatus::Read } else { WidgetMessageStatus::Sent };
    WidgetMessage {
        id: message.id.clone(),
        thread_id: message.conversations_thread_id.0,
        from: if own { Voice::Visitor } else { voice(speaker) },
        name: agent.as_ref().map(|agent| agent.name.clone()).or(sent_as),
        avatar: agent.and_then(|agent| agent.avatar),
        text: message.text.clone().unwrap_or_default(),
        rich_text: message.rich_text.as_deref().filter(|rich| !own && !rich.is_empty()).map(html::sanitise),
        attachments: message.attachments.iter().flatten().filter_map(|one| attachment(one, files)).collect(),
        quick_replies: message.attachments.iter().flatten().find_map(quick_replies),
        created_at: message.created_at,
        kind: match message.kind {
            MessageType::WelcomeMessage => WidgetMessageKind::WelcomeMessage,
            _ => WidgetMessageKind::Message,
        },
        status: own.then_some(status),
        client_id: None,
    }
}

/// Who speaks, by actor id. An app speaks in the name of the house.
fn voice(actor: &str) -> Voice {
    match actor.as_bytes().first() {
        Some(b'A' | b'I') => Voice::Agent,
        Some(b'B' | b'L') => Voice::Bot,
        Some(b'V') => Voice::Visitor,
        _ => Voice::System,
    }
}

/// Somebody of the house, as visitors see them: never their address.
pub fn agent(directory: &Directory, actor: &str) -> Option<WidgetAgent> {
    let (kind, id) = of_house(&ActorId::parse(actor).ok()?)?;
    let known = directory.actor(kind, id)?;
    let avatar = known.avatar.clone().filter(|url| is_web(url));
    Some(WidgetAgent { name: known.name.clone()?, avatar })
}

/// Whether an address is one of the web: no other goes where a browser may follow it.
pub fn is_web(url: &str) -> bool {
    let begins =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

fn attachment(attachment: &Attachment, files: &Files) -> Option<WidgetAttachment> {
    let Attachment::File { file_id, file_usage_type, name, url } = attachment else { return None };
    let url = url.clone().filter(|url| is_web(url))?;
    let file = file_id.parse().ok().and_then(|id: i64| files.get(&id));
    Some(WidgetAttachment {
        name: name.clone().unwrap_or_default(),
        size: file.and_then(|file| file.size),
        media_type: file.map(|file| file.media_type.clone()).filter(|kind| !kind.is_empty()),
        url,
        image: matches!(file_usage_type, FileUsageType::Image | FileUsageType::Sticker),
    })
}

fn quick_replies(attachment: &Attachment) -> Option<WidgetQuickReplies> {
    let Attachment::QuickReplies { quick_replies, allow_multi_select, .. } = attachment else { return None };
    let values = quick_replies.iter().filter_map(|one| {
        let label = one.label.clone().unwrap_or_else(|| one.value.clone());
        let url = match one.value_type {
            QuickReplyType::Text => None,
            QuickReplyType::Url if is_web(&one.value) => Some(one.value.clone()),
            QuickReplyType::Url => return None,
        };
        Some(WidgetQuickReply { value: one.value.clone(), label, url })
    });
    Some(WidgetQuickReplies { multi_select: *allow_multi_select, values: values.collect() })
}

#[cfg(test)]
mod tests {
    use antiphon_wire::message::{Client, ClientType, Sender};

    use super::*;
    use crate::testing;

    fn message(kind: MessageType, by: &str) -> Message {
        let mut message =
            Message::new(kind, "0".repeat(31) + "5", 55, 1, by.into(), Client::of(ClientType::Hubspot));
        message.senders = vec![Sender::actor(by)];
        message.direction = Some(if by.starts_with('V') { Direction::Incoming } else { Direction::Outgoing });
        message
    }

    fn shown(message: &Message, read: Option<MessageId>) -> WidgetMessage {
        super::shown(&testing::state().directory, message, &Files::new(), read)
    }

    #[test]
    fn only_what_was_said_is_shown() {
        for kind in MessageType::ALL {
            let told = matches!(kind, MessageType::Message | MessageType::WelcomeMessage);
            assert_eq!(is_shown(&message(*kind, "A-71")), told, "{kind:?}");
        }
    }

    #[test]
    fn what_acts_is_gone_and_text_stays_text() {
        let mut hostile = message(MessageType::Message, "A-71");
        hostile.text = Some("<script>alert(1)</script>".into());
        hostile.rich_text = Some(
            r#"<p onclick="evil()">Hi<script>evil()</script><img src=x onerror=evil()><a href="javascript:evil()">x</a></p>"#
                .into(),
        );
        let url = |url: &str| Attachment::File {
            file_id: "5".into(),
            file_usage_type: FileUsageType::Other,
            name: Some("<b>".into()),
            url: Some(url.into()),
        };
        let quick = |value: &str| antiphon_wire::attachment::QuickReply {
            value: value.into(),
            value_type: QuickReplyType::Url,
            label: None,
        };
        hostile.attachments = Some(vec![
            url("javascript:evil()"),
            url("data:text/html,evil"),
            url("https://files.example/5"),
            Attachment::QuickReplies {
                quick_replies: vec![quick("javascript:evil()"), quick("https://a.example/")],
                allow_multi_select: false,
                allow_user_input: true,
            },
        ]);
        let told = shown(&hostile, None);
        assert_eq!(told.text, "<script>alert(1)</script>");
        let rich = told.rich_text.unwrap();
        for bad in ["script", "onclick", "onerror", "javascript", "evil"] {
            assert!(!rich.contains(bad), "{bad} in {rich}");
        }
        assert_eq!(
            told.attachments.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(),
            ["https://files.example/5"]
        );
        let replies = told.quick_replies.unwrap().values;
        assert_eq!(replies.iter().map(|one| one.value.as_str()).collect::<Vec<_>>(), ["https://a.example/"]);
    }

    #[test]
    fn who_speaks_and_how_far_it_got() {
        let at = |last: u8| {
            let mut id = [0; 16];
            id[15] = last;
            Some(MessageId(id))
        };
        for (by, from) in [
            ("A-71", Voice::Agent),
            ("B-1", Voice::Bot),
            ("L-1", Voice::Bot),
            ("I-4410", Voice::Agent),
            ("S-hubspot", Voice::System),
            ("V-20", Voice::Visitor),
        ] {
            let told = shown(&message(MessageType::Message, by), at(5));
            assert_eq!(told.from, from, "{by}");
            let own = by.starts_with('V');
            assert_eq!(told.status, own.then_some(WidgetMessageStatus::Read), "{by}");
            assert!(told.rich_text.is_none());
        }
        let own = message(MessageType::Message, "V-20");
        assert_eq!(shown(&own, at(4)).status, Some(WidgetMessageStatus::Sent));
        assert_eq!(shown(&own, None).status, Some(WidgetMessageStatus::Sent));
    }
}
