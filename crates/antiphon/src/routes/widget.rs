//! The chat widget: what web pages and visitors call. None of them has a token.

use antiphon_wire::widget as wire;

use crate::door;
use crate::operation::{Family, Kind, Operation, Parameter, Payload, Scope, Verb, shape};
use crate::widget::{
    config, contact, files, frame, history, origin, reading, say, sessions, settings, stream, threads, typing,
};

const fn asks(name: &'static str, kind: Kind, help: &'static str) -> Parameter {
    Parameter { name, kind, help }
}

const CHAT: &str = "/channel-accounts/{channelAccountId}/chat";

/// The table.
pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Get, CHAT, "chats.get", door!(settings::get))
        .scope(Scope::Read)
        .says("How live chat on an account appears on web pages")
        .gives(200, Payload::One(shape::<wire::ChatSettings>)),
    Operation::own(Verb::Put, CHAT, "chats.put", door!(settings::put))
        .says("Say how live chat on an account appears on web pages; until that is done, it does not")
        .takes(shape::<wire::ChatSettingsRequest>)
        .gives(200, Payload::One(shape::<wire::ChatSettings>)),
    Operation::own(Verb::Delete, CHAT, "chats.remove", door!(settings::remove))
        .says("Take live chat off web pages; its threads stay")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/threads/{threadId}/chat", "threads.chat", door!(origin::get))
        .scope(Scope::Read)
        .says("Where a chat came from")
        .gives(200, Payload::One(shape::<wire::ChatOrigin>)),
    Operation::widget(Verb::Get, "/{portalId}/config", "widget.config", door!(config::config))
        .anybody()
        .says("Which chat there is for a page")
        .asks(&[asks("url", Kind::Text, "The page")])
        .gives(200, Payload::One(shape::<wire::WidgetConfig>)),
    Operation::widget(Verb::Post, "/{portalId}/sessions", "widget.sessions.begin", door!(sessions::begin))
        .anybody()
        .says("Begin a visitor's session, or go on with one")
        .takes(shape::<wire::WidgetSessionRequest>)
        .gives(201, Payload::One(shape::<wire::WidgetSession>)),
    Operation::widget(Verb::Get, "/threads", "widget.threads.list", door!(threads::list))
        .says("The visitor's threads")
        .gives(200, Payload::One(shape::<wire::WidgetThreads>)),
    Operation::widget(Verb::Get, "/threads/{threadId}/messages", "widget.messages.list", door!(history::list))
        .says("What was said in a thread of the visitor's")
        .asks(&[
            asks("before", Kind::Text, "Only what came before this message"),
            asks("after", Kind::Text, "Only what came after this message"),
            asks("limit", Kind::Integer, "Most messages: 1 to 100, 50 unless given"),
        ])
        .gives(200, Payload::One(shape::<wire::WidgetMessages>)),
    Operation::widget(Verb::Put, "/threads/{threadId}/read", "widget.threads.read", door!(reading::read))
        .says("The visitor has read a thread")
        .takes(shape::<wire::WidgetRead>)
        .gives(204, Payload::Nothing),
    Operation::widget(Verb::Post, "/threads/{threadId}/typing", "widget.threads.typing", door!(typing::typing))
        .says("The visitor types, or has stopped")
        .takes(shape::<wire::WidgetTyping>)
        .gives(204, Payload::Nothing),
    Operation::widget(Verb::Post, "/messages", "widget.messages.send", door!(say::say))
        .says("The visitor says something")
        .takes(shape::<wire::WidgetSend>)
        .gives(201, Payload::One(shape::<wire::WidgetSent>)),
    Operation::widget(Verb::Post, "/files", "widget.files.upload", door!(files::upload))
        .says("The visitor uploads a file, to be sent within a day")
        .takes_form(shape::<wire::WidgetUpload>)
        .gives(201, Payload::One(shape::<wire::WidgetFile>)),
    Operation::widget(Verb::Post, "/contact", "widget.contact", door!(contact::give))
        .says("The visitor gives an address")
        .takes(shape::<wire::WidgetContactRequest>)
        .gives(200, Payload::One(shape::<wire::WidgetContactAnswer>)),
    Operation::widget(Verb::Get, "/events", "widget.events", door!(stream::events))
        .says("What happens in the visitor's threads, as server-sent events: `message`, `thread`, `typing`, `read`, and `session` at the end")
        .asks(&[asks("after", Kind::Integer, "Id of the event that was seen last; Last-Event-ID goes before it")])
        .gives_events(),
    Operation::widget(Verb::Get, "/{portalId}/frame", "widget.frame", door!(frame::frame))
        .of(Family::WidgetPages)
        .anybody()
        .says("The page inside of the widget")
        .asks(&[asks("account", Kind::Integer, "The account whose chat it is")])
        .gives(200, Payload::Html)
        .or_page(),
];
