//! The webhooks journal: what happens, kept for apps that would rather read than be called.
//!
//! An app has one journal, where it is at home, with what happens in every portal that has let it in. It says what it wants in its journal ([`subscriptions`], [`filters`]). One node at a time reads the spine on behalf of
//! all apps and writes entries ([`mod@write`]), which are printed once ([`mod@print`]) and found by their offsets ([`entries`]). What
//! an entry holds is behind an address that is its own permission ([`mod@file`]). Nothing here sends anything to anybody.

pub mod entries;
pub mod file;
pub mod filters;
pub mod objects;
pub mod print;
pub mod snapshots;
pub mod subscriptions;
pub mod wanted;
pub mod write;

use std::sync::Arc;

use antiphon_store::{AppId, Directory, Millis, PortalId, Token};
use antiphon_wire::error::Problem;
use antiphon_wire::id::parse_path_id;
use futures_util::TryStreamExt;
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Caller};
use crate::portals;
use crate::refusal::Refusal;
use crate::webhooks::deliver::matching::may_read;

/// How long an entry is kept.
pub const KEPT: Millis = 3 * 24 * 60 * 60 * 1000;

/// Most rows that are deleted at once.
const ROWS: usize = 500;

/// Deletes what is older than an entry is kept, over all portals, and answers how much that was. Harmless to repeat and to
/// interrupt.
pub async fn tidy(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut gone, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        let Some(directory) = app.store.directory(portal.id).await? else { continue };
        for one in directory.apps().iter() {
            loop {
                let step = app.store.journal_purge(portal.id, one.id, now - KEPT, ROWS).await?;
                gone += step;
                if step < ROWS as u64 {
                    break;
                }
            }
        }
    }
    Ok(gone)
}

/// Since when an app may know what happens in a portal: it acts, and is installed. Where it is a guest, it was granted that.
fn acts(directory: &Directory, app: AppId) -> Option<Millis> {
    directory.app(app).filter(|known| known.active && directory.is_installed(app))?;
    if directory.own_app(app).is_none() && !may_read(directory, app) {
        return None;
    }
    let let_in = directory.install(app).filter(|one| one.uninstalled_at.is_none());
    // Whom nobody has to let in has been there all along.
    let asked = directory.own_app(app).is_none()
        || directory.client(app).is_some_and(|client| !client.redirect_uris.is_empty());
    Some(let_in.filter(|_| asked).map_or(Millis::MIN, |one| one.installed_at))
}

/// Whether an app's journal may have what happens in a portal: it belongs there, or somebody let it in.
fn reaches(directory: &Directory, app: AppId) -> bool {
    let let_in = directory.install(app).is_some_and(|one| one.uninstalled_at.is_none());
    directory.own_app(app).is_some() || let_in && directory.app(app).is_some()
}

/// A call about an app's journal, at work where the app is at home, whichever portal its token is for.
async fn at_home(mut call: Call) -> Result<Call, Refusal> {
    let app = call.caller.app();
    if call.caller.directory.own_app(app).is_some() {
        return Ok(call);
    }
    let home = match call.caller.directory.is_installed(app) {
        true => call.app.store.directory_of_app(app).await?,
        false => None,
    };
    let Some(home) = home else {
        let problem = "A journal is an app's own; call with a token of the app";
        return Err(Refusal::Invalid(vec![Problem::bare(problem)]));
    };
    let token = Token { portal_id: home.portal.id, ..Token::clone(&call.caller.token) };
    call.caller = Caller { token: Arc::new(token), directory: home, ..call.caller };
    Ok(call)
}

/// The portal that a call is restricted to.
fn restricted(call: &Call) -> Result<Option<PortalId>, Refusal> {
    let asked = call.query.int("installPortalId").map_err(|problem| Refusal::Invalid(vec![problem]))?;
    Ok(asked.map(PortalId))
}

/// An id in the path; one that cannot be one is the same as an unknown one.
fn path_id(call: &Call) -> Result<i64, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, i64::MAX).ok_or_else(|| Refusal::not_found(sent))
}

/// An offset or another id that is a UUID.
fn uuid(sent: &str) -> Option<[u8; 16]> {
    Uuid::try_parse(sent).ok().map(Uuid::into_bytes)
}

fn shown_uuid(bytes: [u8; 16]) -> String {
    Uuid::from_bytes(bytes).hyphenated().to_string()
}
