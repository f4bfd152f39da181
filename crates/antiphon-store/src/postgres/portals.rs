//! Portals are made here; everything else about them is in their directory.

use std::sync::atomic::Ordering;

use deadpool_postgres::ClientWrapper;

use super::connect::{Session, answered};
use super::failure::{Failure, Result};
use super::readers::{execute, row};
use super::{ANSWER, Answer, Engine};
use crate::{Millis, Portal, PortalId, Profile, Quota, StoreError};

impl Engine {
    /// Makes a portal with its counters and its first event; `None` when the id asked for is taken.
    pub(crate) async fn portal_create(
        &self,
        id: Option<PortalId>,
        name: String,
        profile: Profile,
        quota: Quota,
    ) -> Answer<Option<Portal>> {
        let now = self.shared.now();
        let asked = Portal { id: id.unwrap_or(PortalId(0)), name, profile, quota, created_at: now };
        // Whoever asked may stand still or go away, and must not leave an open transaction behind.
        let shared = self.shared.clone();
        let made = self.shared.runtime.spawn(async move {
            let session = shared.place.connect().await?;
            let made = answered(ANSWER, create(&session.client, asked, id.is_none(), now)).await?;
            if made.is_some() {
                commit(&session).await?;
                shared.events.fetch_add(1, Ordering::Relaxed);
            }
            Ok(made)
        });
        made.await.unwrap_or_else(|_| Err(StoreError::Unknown("it is closing".into())))
    }
}

/// Commits. It is not looked up what became of a commit that was not answered: portals are few, and made by hand.
pub(super) async fn commit(session: &Session) -> Answer<()> {
    session.warned();
    let commit = async { Ok(session.client.batch_execute("COMMIT").await?) };
    match answered(ANSWER, commit).await {
        Ok(()) if session.warned() => {
            Err(StoreError::Unknown("the standby has not confirmed the commit".into()))
        }
        Err(Failure::Lost(why)) => Err(StoreError::Unknown(why)),
        committed => Ok(committed?),
    }
}

async fn create(
    client: &ClientWrapper,
    mut portal: Portal,
    any: bool,
    now: Millis,
) -> Result<Option<Portal>> {
    client.batch_execute("BEGIN").await?;
    let none = || Failure::Told(StoreError::Damaged("the server has no counters".into()));
    let next = row(client, "SELECT next_portal FROM server WHERE only_row = 1 FOR UPDATE", &[]).await?;
    let next: i64 = next.ok_or_else(none)?.try_get(0)?;
    if any {
        portal.id = PortalId(next);
    }
    let sql = "INSERT INTO portals (id, name, time_zone, quota_messages, quota_bytes, created_at, revision, currency, account_type) \
               VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8) ON CONFLICT (id) DO NOTHING";
    let Portal { id, name, profile, quota, created_at } = &portal;
    let Profile { time_zone, currency, account_type } = profile;
    let values: super::readers::Values<'_> =
        &[&id.0, name, time_zone, &quota.messages, &quota.bytes, created_at, currency, account_type];
    if execute(client, sql, values).await? == 0 {
        return Ok(None);
    }
    let raised = "UPDATE server SET next_portal = greatest(next_portal, $1) WHERE only_row = 1";
    execute(client, raised, &[&(id.0 + 1)]).await?;
    let counters = "INSERT INTO counters (portal_id, next_thread, next_visitor, next_ticket, next_file, \
                    next_inbox, next_account, next_actor, event_position, directory) \
                    VALUES ($1, 1, 1, 1, 1, 1, 1, 1, 1, 1)";
    execute(client, counters, &[&id.0]).await?;
    let tally = "INSERT INTO tallies (portal_id, slot, threads, messages, bytes, latest_now, batch, written_at) \
                 VALUES ($1, 0, 0, 0, 0, $2, 0, now())";
    execute(client, tally, &[&id.0, &now]).await?;
    let event = "INSERT INTO events (portal_id, position, kind, object, object_id, revision, occurred_at, payload) \
                 VALUES ($1, 1, $2, $3, 0, 1, $4, '')";
    let (kind, object) = (crate::EventKind::DirectoryChanged as i16, crate::ObjectKind::Directory as i16);
    execute(client, event, &[&id.0, &kind, &object, &now]).await?;
    Ok(Some(portal))
}
