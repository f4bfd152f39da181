//! Saying what goes into a journal.

use antiphon_store::{
    AppId, Directory, DirectoryChange, JournalSubscription, Millis, Moment, PortalId, SubscriptionId,
};
use antiphon_wire::id::{MAX_INT32, parse_path_id};
use antiphon_wire::journal as wire;

use super::wanted::{Known, Wanted};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// Most subscriptions of an app.
const MOST: usize = 1000;

/// How many are deleted in one change.
const CHUNK: usize = 100;

/// `POST /`
pub async fn upsert(call: Call) -> Result<Answer, Refusal> {
    let call = super::at_home(call).await?;
    let app = call.caller.app();
    let since = call.app.store.event_position(call.caller.portal()).await?;
    let body: wire::SubscriptionUpsert = call.json()?;
    let portals = reached(&call, &body).await?;
    let wanted = Wanted::from_request(body, &portals, since)?;
    let draft = wanted.clone();
    directory::change(&call, move |state, moment| {
        Ok(vec![DirectoryChange::JournalSubscription(put(&state.directory, app, &draft, moment)?)])
    })
    .await?;
    let directory = directory::now(&call).await?;
    let made = Known::all(&directory, app)?.into_iter().find(|known| wanted.replaces(&known.wanted));
    Answer::json(200, &made.ok_or_else(|| Refusal::not_found(app))?.shown())
}

/// `GET /`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let call = super::at_home(call).await?;
    let known = Known::all(&call.caller.directory, call.caller.app())?;
    Answer::json(200, &wire::Subscriptions { results: known.iter().map(Known::shown).collect() })
}

/// `GET /{subscriptionId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = SubscriptionId(super::path_id(&call)?);
    let call = super::at_home(call).await?;
    Answer::json(200, &Known::read(row(&call.caller.directory, call.caller.app(), id)?)?.shown())
}

/// `DELETE /{subscriptionId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let (app, id) = (call.caller.app(), SubscriptionId(super::path_id(&call)?));
    let call = super::at_home(call).await?;
    directory::change(&call, move |state, moment| {
        Ok(vec![removed(row(&state.directory, app, id)?, moment.now)])
    })
    .await?;
    Ok(Answer::none())
}

/// `DELETE /portals/{portalId}`
pub async fn delete_all(call: Call) -> Result<Answer, Refusal> {
    let call = super::at_home(call).await?;
    let (app, sent) = (call.caller.app(), call.segment(0));
    let portal = parse_path_id(sent, MAX_INT32).ok_or_else(|| Refusal::not_found(sent))?;
    let known = Known::all(&call.caller.directory, app)?;
    // Where it is not let in any more there may still be some.
    if portal != call.caller.portal().0 && !known.iter().any(|known| known.wanted.portal == Some(portal)) {
        let directory = call.app.store.directory(PortalId(portal)).await?;
        if !directory.is_some_and(|directory| super::reaches(&directory, app)) {
            return Err(Refusal::not_found(sent));
        }
    }
    loop {
        let gone = directory::change(&call, move |state, moment| {
            let known = Known::all(&state.directory, app)?;
            let there = known.iter().filter(|known| known.wanted.portal == Some(portal));
            Ok(there.take(CHUNK).map(|known| removed(&known.row, moment.now)).collect())
        });
        if gone.await?.len() < CHUNK {
            return Ok(Answer::none());
        }
    }
}

/// The portals that a subscription may be about: the app's own, and the one it names if the app is let in there.
async fn reached(call: &Call, body: &wire::SubscriptionUpsert) -> Result<Vec<i64>, Refusal> {
    let own = call.caller.portal().0;
    let named =
        body.portal_id.clone().and_then(|sent| Checks::default().id("portalId", Some(sent), MAX_INT32));
    let Some(named) = named.filter(|named| *named != own) else { return Ok(vec![own]) };
    let directory = call.app.store.directory(PortalId(named)).await?;
    let reaches = directory.is_some_and(|directory| super::reaches(&directory, call.caller.app()));
    Ok(std::iter::once(own).chain(reaches.then_some(named)).collect())
}

/// The rule. What is in the same place is replaced, and keeps its id and its filters.
fn put(
    directory: &Directory,
    app: AppId,
    wanted: &Wanted,
    moment: &mut Moment,
) -> Result<JournalSubscription, Refusal> {
    let known = Known::all(directory, app)?;
    let body = |wanted: &Wanted| serde_json::to_string(wanted).map_err(|e| Refusal::Internal(e.to_string()));
    if let Some(there) = known.iter().find(|known| wanted.replaces(&known.wanted)) {
        let body = body(&Wanted { since: there.wanted.since, ..wanted.clone() })?;
        return Ok(JournalSubscription { body, updated_at: moment.now, ..there.row.clone() });
    }
    if known.len() >= MOST {
        return Err(Refusal::invalid("subscriptionType", format!("An app may have {MOST} subscriptions")));
    }
    Ok(JournalSubscription {
        id: moment.subscription_id(),
        app_id: app,
        body: body(wanted)?,
        filters: "[]".into(),
        created_at: moment.now,
        updated_at: moment.now,
        deleted_at: None,
    })
}

pub(super) fn row(
    directory: &Directory,
    app: AppId,
    id: SubscriptionId,
) -> Result<&JournalSubscription, Refusal> {
    let found = directory.journal_subscriptions(app).find(|one| one.id == id);
    found.map(AsRef::as_ref).ok_or_else(|| Refusal::not_found(id))
}

fn removed(row: &JournalSubscription, now: Millis) -> DirectoryChange {
    DirectoryChange::JournalSubscription(JournalSubscription { deleted_at: Some(now), ..row.clone() })
}

#[cfg(test)]
mod tests {
    use antiphon_wire::journal::{Action, SubscriptionType};

    use super::*;
    use crate::testing::{self, NOW};

    fn wanted(of: &str) -> Wanted {
        Wanted {
            kind: SubscriptionType::Object,
            portal: Some(1),
            of: of.into(),
            objects: Vec::new(),
            lists: Vec::new(),
            properties: Vec::new(),
            associated: Vec::new(),
            actions: Vec::new(),
            since: 8,
        }
    }

    #[test]
    fn what_is_in_the_same_place_is_replaced() {
        let app = AppId(4410);
        let mut directory = Directory::clone(&testing::state().directory);
        let mut moment = Moment::still(NOW);
        let first = put(&directory, app, &wanted("0-11"), &mut moment).unwrap();
        directory.put(DirectoryChange::JournalSubscription(JournalSubscription {
            filters: "[]".into(),
            ..first.clone()
        }));
        moment.now += 5;
        let narrower = Wanted { actions: vec![Action::Create], since: 9, ..wanted("0-11") };
        let again = put(&directory, app, &narrower, &mut moment).unwrap();
        assert_eq!((again.id, again.created_at, again.updated_at), (first.id, NOW, NOW + 5));
        let known = Known::read(&again).unwrap().wanted;
        assert_eq!((known.since, known.actions), (8, vec![Action::Create]));
        let other = put(&directory, app, &wanted("0-1"), &mut moment).unwrap();
        assert_ne!(other.id, first.id);
        let foreign = put(&directory, AppId(1), &wanted("0-11"), &mut moment).unwrap();
        assert_ne!(foreign.id, first.id, "another app's are another's");
        for number in directory.journal_subscriptions(app).count()..MOST {
            let one = put(&directory, app, &wanted(&format!("2-{number}")), &mut moment).unwrap();
            directory.put(DirectoryChange::JournalSubscription(one));
        }
        assert!(put(&directory, app, &wanted("2-x"), &mut moment).is_err(), "there is an end");
        assert!(put(&directory, app, &wanted("0-11"), &mut moment).is_ok(), "but not for what is there");
        let gone = removed(row(&directory, app, first.id).unwrap(), NOW);
        directory.put(gone);
        assert!(row(&directory, app, first.id).is_err());
    }
}
