//! Actors: everybody and everything that acts in a thread. Agents, bots and AI agents are of the directory and set up by
//! administrators; apps, visitors, addresses and the system are actors as well, and are only read here.

pub mod acting;
pub mod batch;
pub mod create;
pub mod get;
pub mod list;
pub mod update;

use std::collections::HashMap;

use antiphon_store::{
    Actor, ActorKind, AppId, Directory, Login, Millis, PortalId, Store, Visitor, VisitorId,
};
use antiphon_wire::actor::{self as wire, ActorId};
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

use crate::call::Call;
use crate::middleware::scopes;
use crate::operation::Scope;
use crate::refusal::Refusal;
use crate::sessions::role;

/// The actors behind these ids, in the same order; `None` for those that do not exist.
async fn resolve(
    store: &Store,
    portal: PortalId,
    directory: &Directory,
    ids: &[ActorId],
) -> Result<Vec<Option<wire::Actor>>, Refusal> {
    let visitors: Vec<_> = ids
        .iter()
        .filter_map(|id| match id {
            ActorId::Visitor(id) => Some(VisitorId(*id)),
            _ => None,
        })
        .collect();
    let visitors =
        if visitors.is_empty() { Vec::new() } else { store.visitors_by_ids(portal, &visitors).await? };
    let visitors: HashMap<_, _> = visitors.into_iter().map(|visitor| (visitor.id, visitor)).collect();
    Ok(ids
        .iter()
        .map(|id| match id {
            ActorId::Agent(_) | ActorId::Bot(_) | ActorId::Llm(_) => {
                of_house(id).and_then(|(kind, id)| directory.actor(kind, id)).map(shown)
            }
            ActorId::Integrator(app) => directory.app(AppId(*app)).map(|app| wire::Actor {
                name: Some(app.name.clone()),
                avatar: app.avatar.clone(),
                ..wire::Actor::new(id)
            }),
            ActorId::Visitor(number) => visitors.get(&VisitorId(*number)).map(visitor_shown),
            ActorId::Email(address) => {
                Some(wire::Actor { email: Some(address.clone()), ..wire::Actor::new(id) })
            }
            ActorId::System => Some(wire::Actor::new(id)),
        })
        .collect())
}

/// Where in the directory an actor would stand; `None` for those who are never in it.
pub(crate) fn of_house(id: &ActorId) -> Option<(ActorKind, i64)> {
    match id {
        ActorId::Agent(id) => Some((ActorKind::Agent, *id)),
        ActorId::Bot(id) => Some((ActorKind::Bot, *id)),
        ActorId::Llm(id) => Some((ActorKind::Llm, *id)),
        _ => None,
    }
}

fn visitor_shown(visitor: &Visitor) -> wire::Actor {
    wire::Actor {
        name: visitor.name.clone(),
        email: visitor.email.clone(),
        avatar: visitor.avatar.clone(),
        ..wire::Actor::new(&ActorId::Visitor(visitor.id.0))
    }
}

/// An agent, bot or AI agent as every version shows it. Only agents have an address.
fn shown(actor: &Actor) -> wire::Actor {
    let id = match actor.kind {
        ActorKind::Agent => ActorId::Agent(actor.id),
        ActorKind::Bot => ActorId::Bot(actor.id),
        ActorKind::Llm => ActorId::Llm(actor.id),
    };
    wire::Actor {
        name: actor.name.clone(),
        email: actor.email.clone().filter(|_| actor.kind == ActorKind::Agent),
        avatar: actor.avatar.clone(),
        ..wire::Actor::new(&id)
    }
}

/// The same as administrators see it.
fn settings(actor: &Actor) -> own::Actor {
    let shown = shown(actor);
    own::Actor {
        id: Id(actor.id),
        actor_id: shown.id,
        name: shown.name,
        email: shown.email,
        avatar: shown.avatar,
        active: actor.active,
        created_at: Timestamp(actor.created_at),
        login: None,
    }
}

/// The same, with how an agent signs in where the caller may know it.
fn settings_for(call: &Call, directory: &Directory, actor: &Actor) -> own::Actor {
    let may = actor.kind == ActorKind::Agent && scopes::allows(&call.caller.token, Scope::Admin);
    let login = directory.login(actor.id).filter(|_| may);
    own::Actor { login: login.map(|login| sign_in(login, call.app.store.now())), ..settings(actor) }
}

fn sign_in(login: &Login, now: Millis) -> own::ActorLogin {
    own::ActorLogin {
        role: role::name(login.role),
        password: !login.password.is_empty(),
        totp: login.totp.is_some(),
        elsewhere: login.subject.is_some(),
        invited_until: login.invite.map(|(_, until)| until).filter(|until| now < *until).map(Timestamp),
    }
}
