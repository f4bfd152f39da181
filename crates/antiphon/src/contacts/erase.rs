//! Erasing a person for good. What names them is gone in the change that is asked for; what was said goes thread by thread
//! after it, and then whatever else may name them. All of it may be done twice, so that whoever comes next goes on after a
//! crash, and two nodes at once do no harm.

use std::sync::Arc;

use antiphon_store::{
    Changes, Erasure, Identifier, Identity, Millis, Moment, PortalId, State, Target, Visitor, VisitorId,
};
use antiphon_wire::id::Id;
use antiphon_wire::message::DeliveryIdentifierType as Kind;
use antiphon_wire::people::{self as wire, ErasureState};
use antiphon_wire::timestamp::Timestamp;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::forget;
use crate::app::App;
use crate::audit::{Doer, On};
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::files::sweep;
use crate::portals;
use crate::refusal::Refusal;

/// Most addresses that are remembered until it is done, and that are asked for together.
const ADDRESSES: usize = 400;

/// How many people of a portal are looked up at a time.
const CHUNK: usize = 100;

/// For how long it is looked again: what was read before it was asked for may still be written into a journal.
const SETTLED: Millis = 2 * crate::journal::write::INTERVAL;

/// What has to be looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Whether it was a contact.
    #[serde(default)]
    pub contact: bool,
    /// Addresses with their kinds.
    #[serde(default)]
    addresses: Vec<(String, String)>,
}

impl Known {
    fn of(visitor: &Visitor, identities: &[Identity]) -> Self {
        let own = [(Kind::Email, &visitor.email), (Kind::Phone, &visitor.phone)];
        let own =
            own.into_iter().filter_map(|(kind, value)| Some((kind.as_str().to_owned(), value.clone()?)));
        let others = identities.iter().map(|one| (one.identifier.kind.clone(), one.identifier.value.clone()));
        let mut addresses: Vec<_> = own.chain(others).collect();
        addresses.sort();
        addresses.dedup();
        Self { contact: visitor.contact, addresses }
    }

    fn read(erasure: &Erasure) -> Self {
        let known = erasure.known.as_deref().map(serde_json::from_str);
        known.and_then(Result::ok).unwrap_or_default()
    }

    /// The addresses, as they are compared.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Identifier> {
        self.addresses.iter().map(|(kind, value)| Identifier { kind: kind.clone(), value: value.clone() })
    }

    /// The email addresses among them, in lower case.
    pub(super) fn emails(&self) -> Vec<String> {
        let emails = self.addresses.iter().filter(|(kind, _)| kind == Kind::Email.as_str());
        emails.map(|(_, value)| value.trim().to_lowercase()).collect()
    }
}

/// `POST /contacts/{contactId}/erase`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    let id = super::contact_id(&call)?;
    let (app, portal) = (call.app.clone(), call.caller.portal());
    let identities = app.store.identities_of(portal, id, ADDRESSES).await?;
    let by = Doer::of(&call);
    let rule = move |state: &State, moment: &mut Moment| {
        let mut changes = hide(state, id, &identities, moment)?;
        if !changes.is_empty() {
            changes.audit.push(by.acted(&On::one("CONTACT", id), moment.now));
        }
        Ok::<_, Refusal>(changes)
    };
    app.store.change(portal, Target::Erasure(id), rule).await??;
    let erasure = app.store.erasure(portal, id).await?.ok_or_else(|| Refusal::not_found(id))?;
    if erasure.completed_at.is_none() {
        let erasure = erasure.clone();
        tokio::spawn(async move { attempt(&app, portal, &erasure).await });
    }
    Answer::json(202, &shown(&erasure))
}

/// `GET /contacts/{contactId}/erase`
pub async fn state(call: Call) -> Result<Answer, Refusal> {
    let id = super::contact_id(&call)?;
    let erasure = call.app.store.erasure(call.caller.portal(), id).await?;
    Answer::json(200, &shown(&erasure.ok_or_else(|| Refusal::not_found(id))?))
}

fn shown(erasure: &Erasure) -> wire::Erasure {
    wire::Erasure {
        contact_id: Id(erasure.contact.0),
        state: erasure.completed_at.map_or(ErasureState::Running, |_| ErasureState::Complete),
        requested_at: Timestamp(erasure.requested_at),
        completed_at: erasure.completed_at.map(Timestamp),
    }
}

/// The rule. Whoever has been asked to be erased before is not asked for again.
fn hide(
    state: &State,
    id: VisitorId,
    identities: &[Identity],
    moment: &mut Moment,
) -> Result<Changes, Refusal> {
    if state.erasure.is_some() {
        return Ok(Changes::default());
    }
    let before = state.visitor.as_ref().ok_or_else(|| Refusal::not_found(id))?;
    let known = serde_json::to_string(&Known::of(before, identities));
    let known = known.map_err(|error| Refusal::Internal(error.to_string()))?;
    let after = Visitor {
        contact: false,
        name: None,
        email: None,
        phone: None,
        avatar: None,
        updated_at: moment.now,
        ..before.clone()
    };
    let events = vec![kinds::visitor_changed(Some(before), &after, moment.now)];
    let erasure = Erasure { contact: id, requested_at: moment.now, completed_at: None, known: Some(known) };
    Ok(Changes {
        visitors: vec![after],
        unbound: vec![id],
        erasures: vec![erasure],
        events,
        ..Changes::default()
    })
}

/// Goes on with everybody who is being erased; how many are done.
///
/// # Errors
/// When the store cannot be asked. What goes wrong with one of them is logged, and tried again.
pub async fn take_up(app: &Arc<App>) -> anyhow::Result<u64> {
    let (mut done, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        for erasure in app.store.erasures_open(portal.id, CHUNK).await? {
            done += u64::from(attempt(app, portal.id, &erasure).await);
        }
    }
    Ok(done)
}

async fn attempt(app: &App, portal: PortalId, erasure: &Erasure) -> bool {
    let done = erase(app, portal, erasure).await;
    done.unwrap_or_else(|refusal| {
        tracing::warn!(
            contact = erasure.contact.0,
            ?refusal,
            "somebody is not erased yet; it is tried again"
        );
        false
    })
}

/// Erases what there is of a person, whatever has been erased already; whether nothing can be left.
///
/// # Errors
/// When the store cannot be asked or written.
pub async fn erase(app: &App, portal: PortalId, erasure: &Erasure) -> Result<bool, Refusal> {
    let (id, known) = (erasure.contact, Known::read(erasure));
    while !app.store.identities_of(portal, id, 1).await?.is_empty() {
        let rule = move |_: &State, _: &mut Moment| {
            Ok::<_, Refusal>(Changes { unbound: vec![id], ..Changes::default() })
        };
        app.store.change(portal, Target::Erasure(id), rule).await??;
    }
    forget::threads(app, portal, id).await?;
    forget::mentions(app, portal, id, &known).await?;
    forget::journals(app, portal, id).await?;
    forget::tokens(app, portal, &known).await?;
    forget::chats(app, portal, &known).await?;
    // A crash may have come between a file's row and its bytes; nobody is to wait a day for those.
    let bytes = sweep::erase(app, portal, Millis::MAX, None).await;
    bytes.map_err(|error| Refusal::Internal(format!("{error:#}")))?;
    if app.store.now() < erasure.requested_at + SETTLED {
        return Ok(false);
    }
    let contact = known.contact;
    let rule = move |state: &State, moment: &mut Moment| Ok::<_, Refusal>(complete(state, contact, moment));
    app.store.change(portal, Target::Erasure(id), rule).await??;
    Ok(true)
}

/// The rule of its end, which comes once.
fn complete(state: &State, contact: bool, moment: &mut Moment) -> Changes {
    let open = state.erasure.as_ref().filter(|erasure| erasure.completed_at.is_none());
    let Some(open) = open else { return Changes::default() };
    let erasure = Erasure { completed_at: Some(moment.now), known: None, ..open.clone() };
    let events = contact.then(|| kinds::contact_erased(open.contact, moment.now));
    Changes { erasures: vec![erasure], events: events.into_iter().collect(), ..Changes::default() }
}

#[cfg(test)]
mod tests {
    use antiphon_store::AccountId;

    use super::*;
    use crate::testing::{self, NOW};

    fn asked() -> (State, Changes) {
        let state = testing::state();
        let ines = state.visitor.clone().unwrap();
        let identifier = Identifier { kind: "HS_EMAIL_ADDRESS".into(), value: "work@example.net".into() };
        let identity = Identity { account: AccountId(1), identifier };
        let changes = hide(&state, ines.id, &[identity], &mut Moment::still(NOW)).unwrap();
        (state, changes)
    }

    #[test]
    fn what_names_somebody_is_gone_at_once_and_remembered_until_it_is_done() {
        let (mut state, changes) = asked();
        let ines = state.visitor.clone().unwrap();
        let after = &changes.visitors[0];
        assert_eq!((after.id, after.contact, after.created_at), (ines.id, false, ines.created_at));
        assert_eq!((&after.name, &after.email, &after.phone, &after.avatar), (&None, &None, &None, &None));
        assert_eq!(changes.unbound, [ines.id]);
        let known = Known::read(&changes.erasures[0]);
        assert!(known.contact);
        assert_eq!(known.emails(), ["ines@example.net", "work@example.net"]);
        // A second time nothing happens, and nothing is forgotten of what has to be looked for.
        state.erasure = changes.erasures.first().cloned();
        assert!(hide(&state, ines.id, &[], &mut Moment::still(NOW + 1)).unwrap().is_empty());
        state = State { visitor: None, erasure: None, ..state };
        assert_eq!(testing::status(&hide(&state, ines.id, &[], &mut Moment::still(NOW)).unwrap_err()), 404);
    }

    #[test]
    fn the_end_comes_once_and_is_told_of_contacts() {
        let (mut state, changes) = asked();
        state.erasure = changes.erasures.first().cloned();
        for contact in [true, false] {
            let done = complete(&state, contact, &mut Moment::still(NOW + 5));
            assert_eq!(done.events.len(), usize::from(contact));
            let row = &done.erasures[0];
            assert_eq!((row.requested_at, row.completed_at, &row.known), (NOW, Some(NOW + 5), &None));
            let after = State { erasure: Some(row.clone()), ..state.clone() };
            assert!(complete(&after, contact, &mut Moment::still(NOW + 9)).is_empty());
        }
    }
}
