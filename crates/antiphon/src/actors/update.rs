//! Changing or deactivating an agent, a bot or an AI agent.

use antiphon_store::{Actor, ActorKind, Directory, DirectoryChange};
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::own::ActorPatch;

use crate::call::{Answer, Call};
use crate::checks::{self, Checks};
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of an actor. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub email: checks::Edit,
    pub avatar: checks::Edit,
    pub active: Option<bool>,
}

/// `PATCH /agents/{agentId}`
pub async fn agent(call: Call) -> Result<Answer, Refusal> {
    update(call, ActorKind::Agent).await
}

/// `PATCH /bots/{botId}`
pub async fn bot(call: Call) -> Result<Answer, Refusal> {
    update(call, ActorKind::Bot).await
}

/// `PATCH /llms/{llmId}`
pub async fn llm(call: Call) -> Result<Answer, Refusal> {
    update(call, ActorKind::Llm).await
}

async fn update(call: Call, kind: ActorKind) -> Result<Answer, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).ok_or_else(|| Refusal::not_found(sent))?;
    let edit = read(call.json()?)?;
    directory::change(&call, move |state, _| {
        Ok(vec![DirectoryChange::Actor(edited(&state.directory, (kind, id), &edit)?)])
    })
    .await?;
    let directory = directory::now(&call).await?;
    let actor = directory.actor(kind, id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::settings_for(&call, &directory, actor))
}

fn read(body: ActorPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.name("name", body.name),
        email: checks.edited_email("email", body.email),
        avatar: checks.edited_url("avatar", body.avatar),
        active: body.active,
    };
    checks.done()?;
    Ok(edit)
}

/// The rule.
pub fn edited(directory: &Directory, key: (ActorKind, i64), edit: &Edit) -> Result<Actor, Refusal> {
    let mut actor = directory.actor(key.0, key.1).ok_or_else(|| Refusal::not_found(key.1))?.clone();
    actor.name = edit.name.clone().or(actor.name);
    actor.email = edit.email.clone().unwrap_or(actor.email);
    actor.avatar = edit.avatar.clone().unwrap_or(actor.avatar);
    actor.active = edit.active.unwrap_or(actor.active);
    super::create::alone(directory, &actor)?;
    Ok(actor)
}
