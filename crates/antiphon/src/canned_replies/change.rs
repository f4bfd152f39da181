//! Keeping, changing and removing ready-made words.

use antiphon_mail::html;
use antiphon_store::{Applied, CannedChange, CannedKey, Changes, Moment, State, Target};
use antiphon_wire::answering::CannedReplyRequest;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};

use super::rules::{Editor, Words, edit, make, remove};
use crate::actors::acting::{acting_or_nobody, asking_or_nobody};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::messages::bodies::Bodies;
use crate::messages::post::too_long;
use crate::middleware::scopes;
use crate::operation::Scope;
use crate::refusal::Refusal;

/// Longest parts, in characters.
const TEXT_LIMIT: usize = 10_000;
const HTML_LIMIT: usize = 50_000;
const SHORTCUT_LIMIT: usize = 40;

/// `POST /canned-replies`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let (by, words) = read(&call, call.json()?)?;
    let key = CannedKey { id: None, shortcut: words.shortcut.clone().flatten() };
    let rule = move |state: &State, moment: &mut Moment| make(state, by, &words, moment);
    let applied = apply(&call, key, rule).await?;
    match applied.changes.canned.first() {
        Some(CannedChange::Put(reply)) => Ok(Answer::json(201, &super::shown(reply))?.at(&call, reply.id)),
        _ => Err(Refusal::Internal("ready-made words were accepted and not kept".into())),
    }
}

/// `PATCH /canned-replies/{cannedReplyId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let (id, sent) = named(&call)?;
    let (by, words) = read(&call, call.json()?)?;
    // Without a new shortcut it is the old one that is to be had by them alone, where they are shared from now on.
    let known = call.app.store.canned_reply(call.caller.portal(), id).await?;
    let shortcut = words.shortcut.clone().unwrap_or_else(|| known.and_then(|known| known.shortcut));
    let key = CannedKey { id: Some(id), shortcut };
    let rule = move |state: &State, moment: &mut Moment| edit(state, by, &words, &sent, moment);
    let applied = apply(&call, key, rule).await?;
    let before = applied.state.canned.and_then(|canned| canned.reply);
    let reply = match applied.changes.canned.into_iter().next() {
        Some(CannedChange::Put(reply)) => Some(reply),
        _ => before,
    };
    Answer::json(200, &super::shown(&reply.ok_or_else(|| Refusal::not_found(id))?))
}

/// `DELETE /canned-replies/{cannedReplyId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let (id, sent) = named(&call)?;
    let agent = asking_or_nobody(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let by = editor(&call, agent);
    let key = CannedKey { id: Some(id), shortcut: None };
    apply(&call, key, move |state: &State, moment: &mut Moment| remove(state, by, &sent, moment)).await?;
    Ok(Answer::none())
}

async fn apply(
    call: &Call,
    key: CannedKey,
    rule: impl FnMut(&State, &mut Moment) -> Result<Changes, Refusal> + Send + 'static,
) -> Result<Applied, Refusal> {
    call.app.store.change(call.caller.portal(), Target::Canned(Box::new(key)), rule).await?
}

fn named(call: &Call) -> Result<(i64, String), Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    Ok((id, sent.to_owned()))
}

/// Programs keep the words of all, as administrators do.
fn editor(call: &Call, agent: Option<i64>) -> Editor {
    Editor { agent, of_all: agent.is_none() || scopes::allows(&call.caller.token, Scope::Admin) }
}

/// Reads a request.
fn read(call: &Call, request: CannedReplyRequest) -> Result<(Editor, Words), Refusal> {
    let mut checks = Checks::default();
    let agent = checks.take(acting_or_nobody(&call.caller, request.sender_actor_id.as_ref())).flatten();
    let name = checks.name("name", request.name);
    let shortcut = request.shortcut.map(|sent| {
        let sent = sent.trim().trim_start_matches('/').to_lowercase();
        if sent.chars().count() > SHORTCUT_LIMIT
            || sent.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            checks.wrong(
                "shortcut",
                format!("shortcut must have no blanks and at most {SHORTCUT_LIMIT} characters"),
            );
        }
        (!sent.is_empty()).then_some(sent)
    });
    let mut problems = Vec::new();
    too_long(&mut problems, "text", request.text.as_deref(), TEXT_LIMIT);
    too_long(&mut problems, "richText", request.rich_text.as_deref(), HTML_LIMIT);
    checks.add(problems);
    let said = request.text.is_some() || request.rich_text.is_some();
    let bodies = Bodies::complete(request.text, request.rich_text);
    if said && !bodies.is_visible() {
        checks.wrong("text", "There are no words in it");
    }
    checks.done()?;
    // Colleagues see it in their own browsers.
    let bodies = said.then(|| (bodies.text, html::sanitise(&bodies.rich_text)));
    Ok((editor(call, agent), Words { name, shortcut, bodies, shared: request.shared }))
}
