//! Changing and deleting a view. Shared ones are everybody's to change; an agent's own are nobody else's.

use antiphon_store::{Directory, DirectoryChange, Millis, View, ViewId};
use antiphon_wire::work::ViewPatch;

use super::Filter;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of a view. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub shared: Option<bool>,
    pub position: Option<i64>,
    pub filter: Option<Filter>,
    pub deleted: bool,
}

/// `PATCH /views/{viewId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::view_id(&call)?;
    let body: ViewPatch = call.json()?;
    let mut checks = Checks::default();
    let name = checks.name("name", body.name);
    let position = super::position(&mut checks, body.position);
    let filter = body.filter.map(|sent| super::filter(&mut checks, sent));
    checks.done()?;
    change(&call, id, Edit { name, shared: body.shared, position, filter, deleted: false }).await?;
    let directory = directory::now(&call).await?;
    let view = directory.views().get(&id).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &super::shown(view))
}

/// `DELETE /views/{viewId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let id = super::view_id(&call)?;
    let gone = change(&call, id, Edit { deleted: true, ..Edit::default() }).await?;
    changed!(gone, View)?;
    Ok(Answer::none())
}

async fn change(call: &Call, id: ViewId, edit: Edit) -> Result<Vec<DirectoryChange>, Refusal> {
    let me = super::me(call);
    directory::change(call, move |state, moment| {
        Ok(vec![DirectoryChange::View(edited(&state.directory, id, me, &edit, moment.now)?)])
    })
    .await
}

/// The rule. A view that is shared no longer is that of whoever says so.
pub fn edited(
    directory: &Directory,
    id: ViewId,
    me: Option<i64>,
    edit: &Edit,
    now: Millis,
) -> Result<View, Refusal> {
    let mut view = super::visible(directory, id, me).cloned().ok_or_else(|| Refusal::not_found(id))?;
    if let Some(filter) = &edit.filter {
        filter.check(directory)?;
        let Filter { inboxes, accounts, states, whose, tag } = filter.clone();
        view = View { inboxes, accounts, states, whose, tag, ..view };
    }
    if edit.shared == Some(false) && view.shared {
        if me.is_none() {
            return Err(Refusal::invalid("shared", "Only agents who are signed in have views of their own"));
        }
        if super::has_many(directory, me) {
            return Err(Refusal::invalid("shared", super::TOO_MANY));
        }
        view.owner = me;
    }
    view.name = edit.name.clone().unwrap_or(view.name);
    view.shared = edit.shared.unwrap_or(view.shared);
    view.position = edit.position.unwrap_or(view.position);
    view.deleted_at = edit.deleted.then_some(now);
    Ok(view)
}

#[cfg(test)]
mod tests {
    use super::super::create::tests::view;
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn who_may_change_what() {
        let mut directory = Directory::clone(&testing::state().directory);
        for one in [view(1, true, Some(71)), view(2, false, Some(71)), view(3, true, None)] {
            directory.put(DirectoryChange::View(one));
        }
        let rename = Edit { name: Some("New".into()), ..Edit::default() };
        let hide = Edit { shared: Some(false), ..Edit::default() };
        for (id, me, edit, expected) in [
            (1, Some(72), &rename, Ok(("New", true, Some(71)))),
            (1, None, &rename, Ok(("New", true, Some(71)))),
            (2, Some(71), &rename, Ok(("New", false, Some(71)))),
            (2, Some(72), &rename, Err(404)),
            (2, None, &rename, Err(404)),
            (9, None, &rename, Err(404)),
            (3, Some(72), &hide, Ok(("View 3", false, Some(72)))),
            (3, None, &hide, Err(400)),
        ] {
            let done = edited(&directory, ViewId(id), me, edit, NOW);
            match (done, expected) {
                (Ok(view), Ok((name, shared, owner))) => {
                    assert_eq!((view.name.as_str(), view.shared, view.owner), (name, shared, owner));
                    assert_eq!(view.deleted_at, None);
                }
                (Err(refusal), Err(status)) => {
                    assert_eq!(testing::status(&refusal), status, "view {id} by {me:?}")
                }
                (done, _) => panic!("view {id} by {me:?}: {done:?}"),
            }
        }
        for n in 100..100 + super::super::MOST_OWN as i64 {
            directory.put(DirectoryChange::View(view(n, false, Some(72))));
        }
        let refused = edited(&directory, ViewId(3), Some(72), &hide, NOW).unwrap_err();
        assert_eq!(testing::named(&refused), ["shared"]);
        assert!(edited(&directory, ViewId(100), Some(72), &rename, NOW).is_ok());
        let delete = Edit { deleted: true, ..Edit::default() };
        assert_eq!(edited(&directory, ViewId(1), Some(72), &delete, NOW).unwrap().deleted_at, Some(NOW));
    }
}
