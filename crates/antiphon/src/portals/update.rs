//! Renaming a portal, or setting what clients are told of it, or its quota.

use antiphon_store::{DirectoryChange, Portal, Profile, Quota};
use antiphon_wire::own::{OwnPortalPatch, PortalPatch};

use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of a portal. What is absent stays.
#[derive(Debug, Clone)]
struct Edit {
    name: Option<String>,
    time_zone: Option<String>,
    currency: Option<String>,
    account_type: Option<String>,
    quota: Option<Quota>,
}

/// `PATCH /portals/{portalId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::portal_id(&call)?;
    let edit = read(call.json()?)?;
    let store = &call.app.store;
    store.directory(id).await?.ok_or_else(|| Refusal::not_found(id))?;
    directory::change_of(store, id, Some(Doer::of(&call)), move |state, _| {
        Ok(vec![DirectoryChange::Portal(edited(&state.directory.portal, &edit))])
    })
    .await??;
    let directory = store.directory(id).await?.ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::shown(&directory.portal, Some(store.usage(id).await?)))
}

/// `PATCH /portal`
pub async fn own(call: Call) -> Result<Answer, Refusal> {
    let OwnPortalPatch { name, time_zone } = call.json()?;
    let edit = read(PortalPatch { name, time_zone, ..PortalPatch::default() })?;
    directory::change(&call, move |state, _| {
        Ok(vec![DirectoryChange::Portal(edited(&state.directory.portal, &edit))])
    })
    .await?;
    let directory = directory::now(&call).await?;
    Answer::json(200, &super::shown(&directory.portal, None))
}

fn read(body: PortalPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.name("name", body.name),
        time_zone: super::time_zone(&mut checks, body.time_zone),
        currency: super::currency(&mut checks, body.currency),
        account_type: super::account_type(&mut checks, body.account_type),
        quota: super::quota(&mut checks, body.quota),
    };
    checks.done()?;
    Ok(edit)
}

/// The rule.
fn edited(portal: &Portal, edit: &Edit) -> Portal {
    let new = |edit: &Option<String>, old: &String| edit.as_ref().unwrap_or(old).clone();
    let Profile { time_zone, currency, account_type } = &portal.profile;
    Portal {
        name: new(&edit.name, &portal.name),
        profile: Profile {
            time_zone: new(&edit.time_zone, time_zone),
            currency: new(&edit.currency, currency),
            account_type: new(&edit.account_type, account_type),
        },
        quota: edit.quota.unwrap_or(portal.quota),
        ..portal.clone()
    }
}
