//! A visitor says something.

use antiphon_store::{
    Changes, ConversationKey, File, Moment, PortalId, State, Target, ThreadId, Visitor, VisitorId,
};
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::message::Message;
use antiphon_wire::widget::{WidgetSend, WidgetSent, WidgetSentThread};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::files::theirs;
use super::floods::{Payer, Rate, What};
use super::places::LONGEST_URL;
use super::print;
use super::session::{Identified, Who};
use super::visit::{self, Visit, identifier, key_of};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::files::links::Links;
use crate::identification::start;
use crate::identification::token::Said;
use crate::messages::attachments::Attachments;
use crate::messages::bodies::{Bodies, Cut};
use crate::messages::receive::{self, Incoming, Party, Received};
use crate::refusal::{Refusal, unless_taken};

/// Longest text, in characters.
const LONGEST: usize = 10_000;

/// Most files, and most chosen answers.
const FILES: usize = 10;
const CHOSEN: usize = 20;

/// What is kept of the beginning of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Beginning {
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// An address that the visitor gave and nobody has proved.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub identified: bool,
    /// What an app said of the visitor for an AI agent.
    #[serde(rename = "c", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, String>,
}

impl Beginning {
    /// As it is kept.
    pub fn printed(&self) -> String {
        // Nothing in it can fail to be printed.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What was kept.
    pub fn parse(said: Option<&str>) -> Self {
        said.and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default()
    }
}

/// What was sent, as far as it can be judged by itself.
#[derive(Debug)]
struct Words {
    text: String,
    client_id: String,
    thread: Option<ThreadId>,
    new_thread: bool,
    files: Vec<String>,
    url: Option<String>,
}

/// `POST /widget/v1/messages`
pub async fn say(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let (app, limits, now) = (&call.app, &call.app.config.widget, call.app.machine_time());
    app.floods.take(What::Message, visit.payer(), Rate::minutely(limits.messages_per_minute), now)?;
    let of_address = Rate::minutely(limits.messages_per_minute_of_address);
    app.floods.take(What::Message, Payer::address(call.heads.address), of_address, now)?;
    let words = read(call.json()?)?;
    let files = theirs(app, &visit, &words.files).await?;
    let threads = visit.threads(app).await?;
    let thread = match words.thread {
        Some(id) => {
            Some(visit.own(app, id).await?.map(|thread| thread.id).ok_or_else(|| Refusal::not_found(id))?)
        }
        None if words.new_thread => None,
        None => threads.first().map(|thread| thread.id),
    };
    if thread.is_none() {
        app.floods.take(What::Thread, visit.payer(), Rate::hourly(limits.threads_per_hour), now)?;
        let of_address = Rate::hourly(limits.threads_per_hour_of_address);
        app.floods.take(What::Thread, Payer::address(call.heads.address), of_address, now)?;
    }
    let newest = threads.iter().map(|thread| thread.id.0).max().unwrap_or_default();
    let client_id = words.client_id.clone();
    let incoming = incoming(app, &visit, words, (thread, newest), files).await?;
    let links = Links::of(&call);
    let received = receive::take(app, visit.session.portal(), incoming, &links).await?;
    answer(&call, &visit, &received, client_id).await
}

/// Reads what was sent.
fn read(body: WidgetSend) -> Result<Words, Refusal> {
    let mut checks = Checks::default();
    let chosen = body.quick_reply.map(|chosen| chosen.values).unwrap_or_default();
    if chosen.len() > CHOSEN {
        checks.wrong("quickReply", format!("quickReply has at most {CHOSEN} values"));
    }
    let text = body.text.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| chosen.join(", "));
    if text.chars().count() > LONGEST {
        checks.wrong("text", format!("text has at most {LONGEST} characters"));
    }
    if text.trim().is_empty() && body.attachments.is_empty() {
        checks.wrong("text", "Say something, or send a file");
    }
    if body.attachments.len() > FILES {
        checks.wrong("attachments", format!("A message has at most {FILES} files"));
    }
    let client_id = body.client_id.as_deref().map(uuid::Uuid::parse_str);
    let client_id = match client_id {
        None => {
            checks.missing("clientId");
            String::new()
        }
        Some(Err(_)) => {
            checks.wrong("clientId", "clientId must be a UUID");
            String::new()
        }
        Some(Ok(id)) => id.hyphenated().to_string(),
    };
    let thread = body
        .thread_id
        .as_ref()
        .map(|sent| sent.parse(MAX_SAFE).map(ThreadId).ok_or_else(|| Refusal::not_found(sent)));
    checks.done()?;
    Ok(Words {
        text,
        client_id,
        thread: thread.transpose()?,
        new_thread: body.new_thread.unwrap_or_default(),
        files: body.attachments,
        url: body.url.filter(|url| url.len() <= LONGEST_URL && print::is_web(url)),
    })
}

/// What comes in. `thread` is where it belongs, and `newest` the newest there was: of all that begin a thread behind that at
/// once, one does.
async fn incoming(
    app: &App,
    visit: &Visit,
    words: Words,
    (thread, newest): (Option<ThreadId>, i64),
    files: Vec<File>,
) -> Result<Incoming, Refusal> {
    let portal = visit.session.portal();
    let mut beginning = Beginning { url: words.url, ..Beginning::default() };
    let (key, contact, name) = match &visit.session.who {
        Who::Browser(key) => {
            beginning.email = visit.session.said_email.clone();
            (key.clone(), None, None)
        }
        Who::Identified(identified) => {
            let said = visit::said(app, portal, identified).await?;
            let contact = met(app, portal, identified, &said).await?;
            beginning.identified = true;
            beginning.context = said.context;
            (key_of(contact.id), Some(contact.id), contact.name)
        }
    };
    let (client_id, party) = (words.client_id, Party { identifier: identifier(&key), name });
    let said = Cut::whole(Bodies::complete(Some(words.text), None));
    Ok(Incoming {
        visitor: contact,
        attachments: Attachments::of_visitor(files),
        thread,
        thread_key: thread.is_none().then(|| ConversationKey::ours(&format!("chat {key} {newest}"))),
        new_thread: true,
        idempotency_key: Some(ConversationKey::ours(&format!("chat {key} {client_id}"))),
        client_id: Some(client_id),
        chat: Some(beginning.printed()),
        ..Incoming::new(visit.account.id, party, said)
    })
}

/// The contact whom a token identifies, who is made if there is none, and gets a name if there is none.
async fn met(app: &App, portal: PortalId, identified: &Identified, said: &Said) -> Result<Visitor, Refusal> {
    let emails = std::slice::from_ref(&identified.email);
    // Mostly there is nothing to do, and then nothing is locked.
    if let Some(known) = app.store.contacts_by_emails(portal, emails).await?.pop()
        && (known.name.is_some() || said.name().is_none())
    {
        return Ok(known);
    }
    let target = Target::Contact { email: Some(identified.email.clone()), phone: None };
    let said = said.clone();
    let rule = move |state: &State, moment: &mut Moment| Ok::<_, Refusal>(meet(state, &said, moment));
    let again = || Refusal::Unavailable;
    let applied = unless_taken(app.store.change(portal, target, rule).await, again)??;
    let contact = applied.changes.visitors.into_iter().next().or(applied.state.contact);
    contact.ok_or_else(|| Refusal::Internal("no contact came of a chat".into()))
}

/// The rule.
fn meet(state: &State, said: &Said, moment: &mut Moment) -> Changes {
    let Some(contact) = start::contact(state.contact.as_ref(), said, moment) else {
        return Changes::default();
    };
    let events = vec![kinds::visitor_changed(state.contact.as_ref(), &contact, moment.now)];
    Changes { visitors: vec![contact], events, ..Changes::default() }
}

async fn answer(
    call: &Call,
    visit: &Visit,
    received: &Received,
    client_id: String,
) -> Result<Answer, Refusal> {
    let message: Message = serde_json::from_slice(&received.message)
        .map_err(|error| Refusal::Internal(format!("a message cannot be read back: {error}")))?;
    let portal = visit.session.portal();
    let files = print::files(&call.app.store, portal, std::slice::from_ref(&message)).await?;
    let mut shown = print::shown(&call.caller.directory, &message, &files, None);
    shown.client_id = Some(client_id);
    let is_new = if received.new {
        received.began
    } else {
        // A widget that has not heard the first answer wants to know as well that a thread began.
        let thread = call.app.store.thread_by_id(portal, received.thread_id).await?;
        thread.is_some_and(|thread| message.created_at.0 - thread.created_at <= 1)
    };
    let thread = WidgetSentThread { id: received.thread_id.0, is_new };
    Answer::json(201, &WidgetSent { message: shown, thread })
}

/// As whom somebody speaks in a thread.
pub fn actor(visitor: VisitorId) -> String {
    format!("V-{visitor}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const UUID: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    fn read(body: serde_json::Value) -> Result<Words, Refusal> {
        super::read(serde_json::from_value(body).unwrap())
    }

    #[test]
    fn what_is_wrong_is_told_at_once() {
        let json = serde_json::json!({ "text": "x".repeat(LONGEST + 1), "attachments": vec!["a"; 11], "clientId": "7" });
        let refused = read(json).unwrap_err();
        let mut named = testing::named(&refused);
        named.sort();
        assert_eq!(named, ["attachments", "clientId", "text"]);
        for body in [
            serde_json::json!({ "clientId": UUID }),
            serde_json::json!({ "clientId": UUID, "text": " \n" }),
            serde_json::json!({ "clientId": UUID, "quickReply": { "values": [] } }),
        ] {
            assert_eq!(testing::named(&read(body).unwrap_err()), ["text"]);
        }
        assert_eq!(testing::named(&read(serde_json::json!({ "text": "Hi" })).unwrap_err()), ["clientId"]);
        let nowhere = read(serde_json::json!({ "text": "Hi", "clientId": UUID, "threadId": "x" }));
        assert_eq!(testing::status(&nowhere.unwrap_err()), 404);
    }

    #[test]
    fn chosen_answers_are_said_and_addresses_of_no_page_are_not_kept() {
        let body = serde_json::json!({ "clientId": UUID.to_uppercase(), "quickReply": { "values": ["Tea", "Milk"] },
                                       "url": "javascript:alert(1)" });
        let words = read(body).unwrap();
        assert_eq!((words.text.as_str(), words.client_id.as_str(), words.url), ("Tea, Milk", UUID, None));
    }

    #[test]
    fn a_contact_is_met_once() {
        let said =
            Said { email: "ines@example.net".into(), first_name: Some("I.".into()), ..Said::default() };
        let moment = &mut Moment::still(testing::NOW);
        let made = meet(&testing::empty(), &said, moment);
        assert!(made.visitors[0].contact && made.events.len() == 1);
        let known = State { contact: Some(testing::ines()), ..testing::empty() };
        assert!(meet(&known, &said, moment).is_empty(), "a name that is there stays");
    }

    #[test]
    fn what_is_kept_of_a_beginning_is_read_back() {
        let beginning = Beginning {
            url: Some("https://a.example/".into()),
            identified: true,
            context: BTreeMap::from([("berth".into(), "4".into())]),
            ..Beginning::default()
        };
        assert_eq!(Beginning::parse(Some(&beginning.printed())), beginning);
        assert_eq!(Beginning::parse(Some("{")), Beginning::default());
        assert_eq!(Beginning::parse(None), Beginning::default());
    }
}
