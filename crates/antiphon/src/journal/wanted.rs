//! What a subscription asks for: how it is read, how it is kept, and what it takes. No request is known here, and no store.

use antiphon_store::{Directory, JournalSubscription, PortalId};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{LenientId, MAX_INT32};
use antiphon_wire::journal::{self as wire, Action, SubscriptionType};
use antiphon_wire::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::filters::Filter;
use crate::checks::Checks;
use crate::refusal::Refusal;

/// The event type of an app that is installed, and of one that is removed.
pub const INSTALLED: &str = "4-1909196";
pub const REMOVED: &str = "4-1916193";

/// Most members of a list, and most characters of a name.
const MOST: usize = 1000;
const LONGEST: usize = 255;

/// What is asked for, as it is kept. Empty lists mean all there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub kind: SubscriptionType,
    /// `None` where no portal is named.
    #[serde(default)]
    pub portal: Option<i64>,
    /// The type of object, or of lifecycle event; empty where there is none.
    #[serde(default)]
    pub of: String,
    #[serde(default)]
    pub objects: Vec<i64>,
    #[serde(default)]
    pub lists: Vec<i64>,
    #[serde(default)]
    pub properties: Vec<String>,
    #[serde(default)]
    pub associated: Vec<String>,
    #[serde(default)]
    pub actions: Vec<Action>,
    /// Only events behind this position count, in the portal that the app belongs to.
    #[serde(default)]
    pub since: i64,
}

/// A subscription that was read.
#[derive(Debug, Clone)]
pub struct Known {
    pub row: JournalSubscription,
    pub wanted: Wanted,
    pub filters: Vec<Filter>,
}

impl Known {
    /// Reads what is kept.
    ///
    /// # Errors
    /// When it is not what was written.
    pub fn read(row: &JournalSubscription) -> Result<Self, Refusal> {
        let broken =
            |e: serde_json::Error| Refusal::Internal(format!("journal subscription {}: {e}", row.id));
        let wanted = serde_json::from_str(&row.body).map_err(broken)?;
        let filters = serde_json::from_str(&row.filters).map_err(broken)?;
        Ok(Self { row: row.clone(), wanted, filters })
    }

    /// All of an app, wherever it is at home.
    ///
    /// # Errors
    /// When one is not what was written.
    pub fn all(directory: &Directory, app: antiphon_store::AppId) -> Result<Vec<Self>, Refusal> {
        directory.home(app).journal_subscriptions(app).map(|row| Self::read(row)).collect()
    }

    /// Whether it is about a portal.
    pub fn concerns(&self, portal: PortalId) -> bool {
        self.wanted.portal.is_none_or(|wanted| wanted == portal.0)
    }

    /// As the API shows it.
    pub fn shown(&self) -> wire::Subscription {
        use SubscriptionType::*;
        let Self { row, wanted, .. } = self;
        let kind = wanted.kind;
        let lifecycle = kind == AppLifecycle;
        let actions = match wanted.of.as_str() {
            INSTALLED if lifecycle => vec![Action::AppInstall],
            REMOVED if lifecycle => vec![Action::AppUninstall],
            _ => wanted.actions.clone(),
        };
        wire::Subscription {
            id: row.id.0,
            app_id: row.app_id.0,
            subscription_type: kind,
            portal_id: wanted.portal,
            object_type_id: if lifecycle { String::new() } else { wanted.of.clone() },
            event_type_id: lifecycle.then(|| wanted.of.clone()),
            actions,
            object_ids: matches!(kind, Object | Association | ListMembership).then(|| wanted.objects.clone()),
            list_ids: (kind == ListMembership).then(|| wanted.lists.clone()),
            properties: matches!(kind, Object | AppLifecycle).then(|| wanted.properties.clone()),
            associated_object_type_ids: (kind == Association).then(|| wanted.associated.clone()),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

impl Wanted {
    /// Whether another wants the same in the same place, and so replaces this one.
    pub fn replaces(&self, other: &Self) -> bool {
        (self.kind, self.portal, &self.of) == (other.kind, other.portal, &other.of)
    }

    /// Reads what is asked for, which may be about these portals. What a type has no use for is passed over.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_request(
        body: wire::SubscriptionUpsert,
        portals: &[i64],
        since: i64,
    ) -> Result<Self, Refusal> {
        use SubscriptionType::*;
        let mut checks = Checks::default();
        let kind = match &body.subscription_type {
            Some(sent) => checks.take(SubscriptionType::read("subscriptionType", sent)),
            None => checks.take(Err(Problem::required("subscriptionType"))),
        };
        let Some(kind) = kind else {
            return Err(checks.done().err().unwrap_or(Refusal::Invalid(Vec::new())));
        };
        let portal =
            (kind != AppLifecycle).then(|| checks.required_id("portalId", body.portal_id, MAX_INT32));
        if portal.is_some_and(|portal| portal != 0 && !portals.contains(&portal)) {
            checks.wrong("portalId", "The app is not installed in this account");
        }
        let of = match kind {
            AppLifecycle => {
                let of = name(&mut checks, "eventTypeId", body.event_type_id);
                if !of.is_empty() && ![INSTALLED, REMOVED].contains(&of.as_str()) {
                    checks.take::<()>(Err(Problem::not_one_of("eventTypeId", &of, &[INSTALLED, REMOVED])));
                }
                of
            }
            ListMembership => String::new(),
            Object | Association | PrivacyDeletion => name(&mut checks, "objectTypeId", body.object_type_id),
        };
        let actions = body.actions.iter();
        let mut actions: Vec<Action> =
            actions.filter_map(|sent| checks.take(Action::read("actions", sent))).collect();
        let mut seen = Vec::new();
        actions.retain(|action| {
            !seen.contains(action) && {
                seen.push(*action);
                true
            }
        });
        let wanted = Self {
            kind,
            portal,
            of,
            objects: ids(&mut checks, "objectIds", &body.object_ids),
            lists: ids(&mut checks, "listIds", &body.list_ids),
            properties: names(&mut checks, "properties", body.properties),
            associated: names(&mut checks, "associatedObjectTypeIds", body.associated_object_type_ids),
            actions,
            since,
        };
        checks.done()?;
        Ok(wanted)
    }
}

fn name(checks: &mut Checks, field: &str, sent: Option<String>) -> String {
    checks.required_name(field, sent)
}

fn ids(checks: &mut Checks, field: &str, sent: &[LenientId]) -> Vec<i64> {
    bounded(checks, field, sent.len());
    sent.iter().take(MOST).filter_map(|id| checks.id(field, Some(id.clone()), i64::MAX)).collect()
}

fn names(checks: &mut Checks, field: &str, sent: Vec<String>) -> Vec<String> {
    bounded(checks, field, sent.len());
    if sent.iter().any(|name| name.is_empty() || name.chars().count() > LONGEST) {
        checks.wrong(field, format!("Each of {field} must have 1 to {LONGEST} characters"));
    }
    sent
}

fn bounded(checks: &mut Checks, field: &str, members: usize) {
    if members > MOST {
        checks.wrong(field, format!("{field} may have at most {MOST} members"));
    }
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AppId, SubscriptionId};

    use super::*;

    fn read(body: &str) -> Result<Wanted, Vec<String>> {
        let body = serde_json::from_str(body).unwrap();
        Wanted::from_request(body, &[1, 3], 8).map_err(|refusal| match refusal {
            Refusal::Invalid(problems) => problems.into_iter().filter_map(|one| one.in_).collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn every_type_needs_what_names_its_place() {
        for (body, wrong) in [
            ("{}", &["subscriptionType"][..]),
            (r#"{ "subscriptionType": "EVENT" }"#, &["subscriptionType"]),
            (r#"{ "subscriptionType": "OBJECT" }"#, &["portalId", "objectTypeId"]),
            (
                r#"{ "subscriptionType": "ASSOCIATION", "portalId": 2, "objectTypeId": " " }"#,
                &["portalId", "objectTypeId"],
            ),
            (r#"{ "subscriptionType": "LIST_MEMBERSHIP" }"#, &["portalId"]),
            (r#"{ "subscriptionType": "GDPR_PRIVACY_DELETION", "portalId": 1 }"#, &["objectTypeId"]),
            (r#"{ "subscriptionType": "APP_LIFECYCLE_EVENT" }"#, &["eventTypeId"]),
            (r#"{ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "4-1" }"#, &["eventTypeId"]),
            (
                r#"{ "subscriptionType": "OBJECT", "portalId": 1, "objectTypeId": "0-1", "actions": ["X", "CREATE"], "objectIds": ["x", 5] }"#,
                &["actions", "objectIds"],
            ),
        ] {
            assert_eq!(read(body).unwrap_err(), wrong, "{body}");
        }
    }

    #[test]
    fn what_is_kept_is_what_was_asked_for() {
        for body in [
            r#"{ "subscriptionType": "object", "portalId": "1", "objectTypeId": "0-11", "objectIds": [5, "6"], "properties": ["status"], "actions": ["UPDATE", "update"] }"#,
            r#"{ "subscriptionType": "LIST_MEMBERSHIP", "portalId": 1, "listIds": [7], "actions": ["ADDED_TO_LIST"] }"#,
            r#"{ "subscriptionType": "APP_LIFECYCLE_EVENT", "eventTypeId": "4-1909196", "properties": [] }"#,
        ] {
            let wanted = read(body).unwrap();
            let row = JournalSubscription {
                id: SubscriptionId(3),
                app_id: AppId(4410),
                body: serde_json::to_string(&wanted).unwrap(),
                filters: "[]".into(),
                created_at: 1,
                updated_at: 2,
                deleted_at: None,
            };
            let known = Known::read(&row).unwrap();
            assert_eq!(known.wanted, wanted);
            assert!(wanted.actions.len() <= 1, "an action counts once");
            assert_eq!(known.shown().event_type_id.is_some(), known.shown().portal_id.is_none());
        }
    }

    #[test]
    fn the_same_place_is_type_portal_and_object_type() {
        let object =
            read(r#"{ "subscriptionType": "OBJECT", "portalId": 1, "objectTypeId": "0-1" }"#).unwrap();
        let narrower = Wanted { actions: vec![Action::Create], ..object.clone() };
        assert!(narrower.replaces(&object));
        assert!(!Wanted { of: "0-11".into(), ..object.clone() }.replaces(&object));
        assert!(!Wanted { kind: SubscriptionType::PrivacyDeletion, ..object.clone() }.replaces(&object));
    }
}
