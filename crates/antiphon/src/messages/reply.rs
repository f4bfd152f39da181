//! An agent's answer at the screen: what is sent, and to whom, follows from the thread. It is written by the same rule as every
//! other message, with a guard in front of it.

use antiphon_store::{
    Applied, Calling, Changes, DeskChange, DeskKey, Directory, Earlier, MessageId, Moment, Position,
    ReadMark, State, Target, ThreadStatus,
};
use antiphon_wire::answering::ReplyCreate;
use antiphon_wire::error::Problem;
use antiphon_wire::message::{self as wire, MessageType};

use super::address::{self, Known};
use super::guard::guard;
use super::post::{self, Draft};
use super::within_quota;
use crate::actors::acting::{self, acting, actor};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::history::Author;
use crate::threads::lifecycle::Lifecycle;
use crate::threads::{found, path, thread_id};

/// Most agents who are called in one note.
const MOST_CALLED: usize = 20;

/// Longest name of an answer, in characters.
const LONGEST_NAME: usize = 64;

/// The account under which keys against doubles of answers are kept; none of a portal has this id.
const ONCE: antiphon_store::AccountId = antiphon_store::AccountId(0);

/// An answer, or a note, on its way from door to rule. The target is [`Target::Desk`] with [`Reply::key`].
#[derive(Debug, Clone)]
pub struct Reply {
    pub draft: Draft,
    /// The agent who answers.
    pub agent: i64,
    /// The newest entry that the agent has seen, as the client named it.
    pub seen: Option<String>,
    /// Whether the guard is to let it pass.
    pub anyway: bool,
    /// What the client calls it.
    pub name: Option<String>,
    pub close_after: bool,
    /// Agents who are called.
    pub called: Vec<i64>,
}

impl Reply {
    fn is_guarded(&self) -> bool {
        !self.anyway && self.draft.kind() == Some(MessageType::Message)
    }

    /// What the rule has to see.
    pub fn key(&self, thread: antiphon_store::ThreadId) -> DeskKey {
        let who = actor(self.agent);
        DeskKey {
            message: self.seen.as_deref().and_then(MessageId::parse),
            newer: self.is_guarded(),
            writer: Some(self.agent),
            once: self.name.as_ref().map(|name| format!("{who} {thread} {name}")),
            ..DeskKey::of(thread, who)
        }
    }
}

/// `POST /threads/{threadId}/replies`
pub async fn reply(call: Call) -> Result<Answer, Refusal> {
    let id = thread_id(&call)?;
    let body: ReplyCreate = call.json()?;
    let asked = read(&call, id, body).await?;
    let key = asked.key(id);
    let rule = move |state: &State, moment: &mut Moment| reply_to(state, &asked, moment);
    let (store, portal) = (&call.app.store, call.caller.portal());
    let applied: Applied = store.change(portal, Target::Desk(Box::new(key)), rule).await??;
    let links = Links::of(&call);
    let earlier = applied.state.desk.as_ref().and_then(|desk| desk.earlier.as_ref());
    let (message, out) = match (applied.changes.messages.first(), earlier) {
        (Some(message), _) => {
            let mut out = Vec::with_capacity(message.document.bytes.len() + 6);
            wire::complete(&message.document.bytes, false, &links, &mut out);
            (message.id, out)
        }
        (None, Some(earlier)) => {
            let stored = store.message_by_id(portal, id, earlier.message_id).await?;
            let stored = stored.ok_or_else(|| Refusal::not_found(earlier.message_id))?;
            (stored.id, super::print(&stored, &links))
        }
        (None, None) => return Err(Refusal::Internal("an answer was accepted and not stored".into())),
    };
    Ok(Answer::created(out, format!("/conversations/v3/conversations/threads/{id}/messages/{message}")))
}

/// Reads a request, and looks up what it leaves out.
async fn read(call: &Call, id: antiphon_store::ThreadId, mut body: ReplyCreate) -> Result<Reply, Refusal> {
    let (store, portal, directory) = (&call.app.store, call.caller.portal(), &call.caller.directory);
    let thread = store.thread_by_id(portal, id).await?.filter(|thread| !thread.is_archived());
    let thread = thread.ok_or_else(|| Refusal::not_found(path(call, 0)))?;
    let mut checks = Checks::default();
    let agent = checks.take(acting(&call.caller, body.sender_actor_id.as_ref()));
    let name = checks.take(named(body.client_id.take())).flatten();
    let seen = body.seen.take();
    let called = checks.take(called(directory, &body)).unwrap_or_default();
    let (anyway, close_after) = (body.anyway.unwrap_or_default(), body.close_after.unwrap_or_default());
    let mut create = body.create();
    if create.kind() == Ok(MessageType::Message) {
        let known = Known::find(store, portal, &thread).await?;
        address::complete(&mut create, &thread, directory, &known);
    }
    let problems = checks.problems();
    let Some(agent) = agent else { return Err(Refusal::Invalid(problems)) };
    create.sender_actor_id = Some(antiphon_wire::id::LenientId(actor(agent)));
    let mut draft = Draft::read(store, portal, Author::of(&call.caller), create).await?;
    draft.sent = path(call, 0).to_owned();
    draft.speaks_for(agent);
    draft.wrong(problems);
    draft.find_counterparts(store, portal, id).await?;
    draft.find_visitors(store, portal).await?;
    Ok(Reply { draft, agent, seen, anyway, name, close_after, called })
}

/// What a client calls its answer.
fn named(sent: Option<String>) -> Result<Option<String>, Problem> {
    let Some(name) = sent else { return Ok(None) };
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        let why = format!("clientId must have 1 to {LONGEST_NAME} letters, digits and signs, as a UUID has");
        return Err(Problem::new("clientId", why));
    }
    Ok(Some(name))
}

/// The agents who are called. Nobody outside sees a note, so only there is anybody called.
fn called(directory: &Directory, body: &ReplyCreate) -> Result<Vec<i64>, Problem> {
    const NAME: &str = "mentions";
    if body.mentions.is_empty() {
        return Ok(Vec::new());
    }
    if body.kind.as_deref().and_then(MessageType::parse) != Some(MessageType::Comment) {
        return Err(Problem::new(NAME, "Agents are called in notes only, which have the type COMMENT"));
    }
    if body.mentions.len() > MOST_CALLED {
        return Err(Problem::new(NAME, format!("A note calls at most {MOST_CALLED} agents")));
    }
    let mut called = Vec::new();
    for sent in &body.mentions {
        let id = acting::agent(directory, NAME, sent)?;
        if !called.contains(&id) {
            called.push(id);
        }
    }
    Ok(called)
}

/// The rule.
pub fn reply_to(state: &State, asked: &Reply, moment: &mut Moment) -> Result<Changes, Refusal> {
    let desk = state.desk.as_deref();
    if desk.is_some_and(|desk| desk.earlier.is_some()) {
        return Ok(Changes::default());
    }
    let (Some(thread), Some(desk)) = (found(state, false), desk) else {
        return Err(Refusal::not_found(&asked.draft.sent));
    };
    if asked.is_guarded() {
        if let (Some(sent), None) = (&asked.seen, &desk.message) {
            let why = format!("`{sent}` is no message of thread {}", thread.id);
            return Err(Refusal::invalid("seen", why));
        }
        guard(desk, asked.agent, moment.now)?;
    }
    let mut life = Lifecycle::of(thread, moment);
    // Everything in front of it is there already, so this is the place that it gets.
    let position = Position(thread.entries);
    let id = post::say(&mut life, state, &asked.draft)?;
    if asked.close_after {
        life.set_status(ThreadStatus::Closed, asked.draft.author());
    }
    let (thread_id, at, who) = (thread.id, life.now, actor(asked.agent));
    let mut changes = within_quota(state, life.finish())?;
    if let Some(once) = asked.key(thread_id).once {
        changes.idempotency_keys.push((ONCE, once, Earlier { thread_id, message_id: id }));
    }
    let called: Vec<_> = asked.called.iter().copied().filter(|agent| *agent != asked.agent).collect();
    if !called.is_empty() {
        changes.events.push(kinds::mentioned(thread_id, at, id, &called, &who));
    }
    changes.desk.extend(called.into_iter().map(|agent_id| {
        let caller = who.clone();
        DeskChange::Called(Calling { agent_id, thread_id, message_id: id, position, caller, at, seen: false })
    }));
    // Whoever answers has read what they answer.
    changes.events.push(kinds::thread_read(thread_id, at, &who, id));
    changes.desk.push(DeskChange::Read(ReadMark { thread_id, reader: who, message_id: id, position, at }));
    changes.desk.push(DeskChange::DraftGone(thread_id, asked.agent));
    Ok(changes)
}

#[cfg(test)]
mod tests;
