//! Renaming, suspending or resuming an app.

use antiphon_store::{App, AppId, Directory, DirectoryChange};
use antiphon_wire::own::AppPatch;

use crate::call::{Answer, Call};
use crate::checks::{self, Checks};
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of an app. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub avatar: checks::Edit,
    pub active: Option<bool>,
}

/// `PATCH /apps/{appId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::named(call.segment(0))?;
    let edit = read(call.json()?)?;
    directory::change(&call, move |state, _| {
        Ok(vec![DirectoryChange::App(edited(&state.directory, id, &edit)?)])
    })
    .await?;
    let directory = directory::now(&call).await?;
    let app = directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::shown(app, call.app.store.now()))
}

fn read(body: AppPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let edit = Edit {
        name: checks.name("name", body.name),
        avatar: checks.edited_url("avatar", body.avatar),
        active: body.active,
    };
    checks.done()?;
    Ok(edit)
}

/// The rule.
pub fn edited(directory: &Directory, id: AppId, edit: &Edit) -> Result<App, Refusal> {
    let mut app = directory.own_app(id).ok_or_else(|| Refusal::not_found(id))?.clone();
    app.name = edit.name.clone().unwrap_or(app.name);
    app.avatar = edit.avatar.clone().unwrap_or(app.avatar);
    app.active = edit.active.unwrap_or(app.active);
    Ok(app)
}
