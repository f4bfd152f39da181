//! What an app is told of.

use antiphon_store::{
    AppId, Directory, DirectoryChange, Expand, Millis, Moment, State, Subscription, SubscriptionId,
};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::webhooks::{
    self as wire, CONVERSATION_PROPERTIES, EventType, Expansion, MAX_SUBSCRIPTIONS, SubscriptionCreate,
    SubscriptionList, SubscriptionPatch,
};

use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// `GET /{appId}/subscriptions`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    list_of(&call, app)
}

/// The same of an app that is known to be the caller's.
pub(super) fn list_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let found = call.caller.directory.subscriptions(app);
    Answer::json(200, &SubscriptionList { results: found.map(|one| shown(one)).collect() })
}

/// `GET /{appId}/subscriptions/{subscriptionId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let found = named(&call.caller.directory, call.caller.app(), call.segment(1))?;
    Answer::json(200, &shown(found))
}

/// `POST /{appId}/subscriptions`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    create_of(&call, app).await
}

/// The same of an app that is known to be the caller's.
pub(super) async fn create_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let draft = read(call.json()?)?;
    let since = position(call).await?;
    let rule = move |state: &State, moment: &mut Moment| {
        Ok(vec![DirectoryChange::Subscription(make(&state.directory, app, &draft, since, moment)?)])
    };
    let made = changed!(directory::change(call, rule).await?, Subscription)?;
    Answer::json(201, &shown(&made)).map(|answer| answer.at(call, made.id))
}

/// `PATCH` and `PUT /{appId}/subscriptions/{subscriptionId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    update_of(&call, app).await
}

/// The same of an app that is known to be the caller's.
pub(super) async fn update_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let sent = call.segment(1).to_owned();
    let edit = edit(call.json()?)?;
    let since = position(call).await?;
    let wanted = sent.clone();
    directory::change(call, move |state, moment| {
        let known = named(&state.directory, app, &wanted)?;
        Ok(vec![DirectoryChange::Subscription(edited(known, &edit, since, moment.now))])
    })
    .await?;
    let directory = directory::now(call).await?;
    Answer::json(200, &shown(named(&directory, app, &sent)?))
}

/// `DELETE /{appId}/subscriptions/{subscriptionId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let app = call.caller.app();
    delete_of(&call, app).await
}

/// The same of an app that is known to be the caller's.
pub(super) async fn delete_of(call: &Call, app: AppId) -> Result<Answer, Refusal> {
    let sent = call.segment(1).to_owned();
    directory::change(call, move |state, moment| {
        let known = named(&state.directory, app, &sent)?.clone();
        Ok(vec![DirectoryChange::Subscription(Subscription { deleted_at: Some(moment.now), ..known })])
    })
    .await?;
    Ok(Answer::none())
}

/// Where the spine stands: whatever is switched on now is told of what comes behind. What of it happens before the change is
/// made belongs to nobody's past yet.
pub(super) async fn position(call: &Call) -> Result<i64, Refusal> {
    Ok(call.app.store.event_position(call.caller.portal()).await?)
}

/// The subscription of an app that a path or a batch names.
pub(super) fn named<'a>(
    directory: &'a Directory,
    app: AppId,
    sent: &str,
) -> Result<&'a Subscription, Refusal> {
    let id = parse_path_id(sent, MAX_INT32).map(SubscriptionId);
    id.and_then(|id| directory.subscription(app, id)).ok_or_else(|| Refusal::not_found(sent))
}

pub(super) fn shown(one: &Subscription) -> wire::Subscription {
    let Expand { message, thread, contact } = one.expand;
    let expand = [(message, Expansion::Message), (thread, Expansion::Thread), (contact, Expansion::Contact)];
    wire::Subscription {
        id: Id(one.id.0),
        event_type: one.event_type.clone(),
        active: one.active,
        property_name: one.property_name.clone(),
        object_type_id: one.object_type_id.clone(),
        event_type_name: one.event_type_name.clone(),
        expand: expand.into_iter().filter(|(asked, _)| *asked).map(|(_, what)| what).collect(),
        ordered: one.ordered,
        created_at: Timestamp(one.created_at),
        updated_at: one.updated_at.map(Timestamp),
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    event_type: EventType,
    property_name: Option<String>,
    object_type_id: Option<String>,
    event_type_name: Option<String>,
    active: bool,
    expand: Expand,
    ordered: bool,
}

/// A type's own members are kept and others are passed over, so that no two subscriptions differ in what means nothing.
fn read(body: SubscriptionCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let event_type = match body.event_type.as_deref().map(str::trim) {
        None | Some("") => checks.take(Err(Problem::required("eventType"))),
        Some(sent) => checks.take(EventType::read("eventType", sent)),
    };
    let expand = expansions(&mut checks, &body.expand);
    let mut own = |field, sent: Option<String>, is_own: bool| {
        let sent = sent.filter(|text| is_own && !text.trim().is_empty());
        checks.name(field, sent)
    };
    let tells = |wanted: fn(EventType) -> bool| event_type.is_some_and(wanted);
    let named = body.property_name.as_ref().is_some_and(|name| !name.trim().is_empty());
    let property_name = own("propertyName", body.property_name, tells(EventType::is_property_change));
    let object_type_id = own("objectTypeId", body.object_type_id, tells(|one| one.group() == "object"));
    let event_type_name = own("eventTypeName", body.event_type_name, tells(|one| one.group() == "event"));
    match (event_type, property_name.as_deref()) {
        (Some(kind), None) if kind.is_property_change() && !named => checks.missing("propertyName"),
        (Some(kind), Some(name))
            if kind.group() == "conversation" && !CONVERSATION_PROPERTIES.contains(&name) =>
        {
            let _: Option<()> =
                checks.take(Err(Problem::not_one_of("propertyName", name, CONVERSATION_PROPERTIES)));
        }
        _ => {}
    }
    checks.done()?;
    let event_type = event_type.ok_or_else(|| Refusal::Invalid(vec![Problem::required("eventType")]))?;
    Ok(Draft {
        event_type,
        property_name,
        object_type_id,
        event_type_name,
        active: body.active.unwrap_or_default(),
        expand,
        ordered: body.ordered.unwrap_or_default(),
    })
}

fn expansions(checks: &mut Checks, sent: &[String]) -> Expand {
    let mut expand = Expand::default();
    for one in sent {
        match checks.take(Expansion::read("expand", one)) {
            Some(Expansion::Message) => expand.message = true,
            Some(Expansion::Thread) => expand.thread = true,
            Some(Expansion::Contact) => expand.contact = true,
            None => {}
        }
    }
    expand
}

/// The rule. Whoever asks twice for the same would be told twice.
fn make(
    directory: &Directory,
    app: AppId,
    draft: &Draft,
    since: i64,
    moment: &mut Moment,
) -> Result<Subscription, Refusal> {
    let event_type = draft.event_type.as_str();
    let same = |one: &Subscription| {
        one.event_type == event_type
            && one.property_name == draft.property_name
            && one.object_type_id == draft.object_type_id
            && one.event_type_name == draft.event_type_name
    };
    if let Some(known) = directory.subscriptions(app).find(|one| same(one)) {
        let of = draft.property_name.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        return Err(Refusal::Conflict(format!("Subscription {} is to {event_type}{of} already", known.id)));
    }
    if directory.subscriptions(app).count() >= MAX_SUBSCRIPTIONS {
        return Err(Refusal::invalid(
            "eventType",
            format!("An app can have at most {MAX_SUBSCRIPTIONS} subscriptions"),
        ));
    }
    Ok(Subscription {
        id: moment.subscription_id(),
        app_id: app,
        event_type: event_type.into(),
        property_name: draft.property_name.clone(),
        object_type_id: draft.object_type_id.clone(),
        event_type_name: draft.event_type_name.clone(),
        active: draft.active,
        expand: draft.expand,
        ordered: draft.ordered,
        created_at: moment.now,
        updated_at: None,
        deleted_at: None,
        since,
        since_at: moment.now,
    })
}

/// What is to become of a subscription. What is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Edit {
    pub active: Option<bool>,
    pub expand: Option<Expand>,
    pub ordered: Option<bool>,
}

fn edit(body: SubscriptionPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let expand = body.expand.map(|sent| expansions(&mut checks, &sent));
    checks.done()?;
    Ok(Edit { active: body.active, expand, ordered: body.ordered })
}

/// The rule. What is switched on is told of nothing that happened while it was off.
pub(super) fn edited(known: &Subscription, edit: &Edit, since: i64, now: Millis) -> Subscription {
    let active = edit.active.unwrap_or(known.active);
    let wanted = Subscription {
        active,
        since: if active && !known.active { since } else { known.since },
        since_at: if active && !known.active { now } else { known.since_at },
        expand: edit.expand.unwrap_or(known.expand),
        ordered: edit.ordered.unwrap_or(known.ordered),
        ..known.clone()
    };
    if wanted == *known { wanted } else { Subscription { updated_at: Some(now), ..wanted } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    const APP: AppId = AppId(4410);

    fn draft(body: &str) -> Result<Draft, Refusal> {
        read(serde_json::from_str(body).unwrap())
    }

    #[test]
    fn a_type_has_its_own_members() {
        for (body, kept) in [
            (r#"{ "eventType": "CONVERSATION.NEWMESSAGE", "propertyName": "status" }"#, ["", "", ""]),
            (
                r#"{ "eventType": "contact.propertyChange", "propertyName": " email ", "objectTypeId": "0-1" }"#,
                ["email", "", ""],
            ),
            (
                r#"{ "eventType": "object.propertyChange", "propertyName": "size", "objectTypeId": "2-7" }"#,
                ["size", "2-7", ""],
            ),
            (
                r#"{ "eventType": "event.completed", "eventTypeName": "pe1_opened", "objectTypeId": "2-7" }"#,
                ["", "", "pe1_opened"],
            ),
            (
                r#"{ "eventType": "conversation.propertyChange", "propertyName": "isArchived" }"#,
                ["isArchived", "", ""],
            ),
        ] {
            let read = draft(body).unwrap();
            let texts = [read.property_name, read.object_type_id, read.event_type_name]
                .map(Option::unwrap_or_default);
            assert_eq!((texts, read.active), (kept.map(String::from), false), "{body}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        for (body, fields) in [
            ("{}", &["eventType"][..]),
            (r#"{ "eventType": "" }"#, &["eventType"]),
            (
                r#"{ "eventType": "conversation.merge", "expand": ["thread", "author"] }"#,
                &["eventType", "expand"],
            ),
            (r#"{ "eventType": "conversation.propertyChange" }"#, &["propertyName"]),
            (r#"{ "eventType": "deal.propertyChange", "propertyName": "" }"#, &["propertyName"]),
            (
                r#"{ "eventType": "conversation.propertyChange", "propertyName": "subject" }"#,
                &["propertyName"],
            ),
        ] {
            assert_eq!(draft(body).as_ref().err().map(testing::named).unwrap_or_default(), fields, "{body}");
        }
    }

    #[test]
    fn nobody_is_told_twice_and_nobody_of_too_much() {
        let mut directory = Directory::clone(&testing::state().directory);
        let moment = &mut Moment::still(NOW);
        let property = |name: &str| {
            draft(&format!(r#"{{ "eventType": "contact.propertyChange", "propertyName": "{name}" }}"#))
                .unwrap()
        };
        for number in 0..MAX_SUBSCRIPTIONS {
            let made = make(&directory, APP, &property(&format!("p{number}")), 7, moment).unwrap();
            directory.put(DirectoryChange::Subscription(made));
        }
        assert!(matches!(make(&directory, APP, &property("p7"), 7, moment), Err(Refusal::Conflict(_))));
        assert!(matches!(make(&directory, APP, &property("more"), 7, moment), Err(Refusal::Invalid(_))));
        let other = make(&directory, AppId(7), &property("p7"), 7, moment).unwrap();
        assert!(!other.active && other.app_id == AppId(7));
    }

    #[test]
    fn only_a_change_is_a_change() {
        let directory = testing::state().directory;
        let made = draft(r#"{ "eventType": "conversation.creation", "expand": "thread", "ordered": true }"#)
            .unwrap();
        let made = make(&directory, APP, &made, 7, &mut Moment::still(NOW)).unwrap();
        let switched = |one, active, since| {
            edited(one, &Edit { active: Some(active), ..Edit::default() }, since, NOW + 1)
        };
        assert_eq!(switched(&made, false, 8), made);
        let on = switched(&made, true, 8);
        assert_eq!(
            on,
            Subscription {
                active: true,
                since: 8,
                since_at: NOW + 1,
                updated_at: Some(NOW + 1),
                ..made.clone()
            }
        );
        assert_eq!(switched(&on, true, 9), on, "it was on all the time");
        assert_eq!(switched(&switched(&on, false, 9), true, 10).since, 10);
        let plain = Edit { expand: Some(Expand::default()), ordered: Some(false), ..Edit::default() };
        let plain = edited(&made, &plain, 8, NOW + 2);
        assert!(
            plain.since == 7
                && !plain.ordered
                && plain.expand == Expand::default()
                && plain.updated_at == Some(NOW + 2)
        );
    }
}
