//! Clears away what nobody can use any more: codes that were never taken up, grants that have ended, access tokens that were
//! revoked before their end. For a day everything stays as it is, which is longer than any access token lives; then the
//! directory forgets it, and a day later its row goes too. Whoever comes with it later is told what is told of an expired access
//! token, or of a code or refresh token that nobody knows: both are what it was told before.

use std::collections::HashMap;

use antiphon_store::{Directory, DirectoryChange, Grant, Millis, PortalId, State, Sweep, Token, Used};
use futures_util::TryStreamExt;

use super::grants::lives;

use crate::app::App;
use crate::directory;
use crate::portals;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// What an app has for itself is made again when it is asked for; unused for so long, it goes. So do grants of one user to one
/// app, beyond [`MOST`].
const IDLE: Millis = 30 * DAY;

/// Grants of one user to one app that live, however long they were not used: an app with which users only sign in gets a
/// refresh token each time, and uses none.
const MOST: usize = 100;

/// Rows that are changed or removed at once.
const CHUNK: usize = 400;

/// Clears away in all portals what is due; how much that was.
///
/// # Errors
/// When the store does not answer.
pub async fn run(app: &App, now: Millis) -> anyhow::Result<u64> {
    let (mut done, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        done += portal_cleared(app, portal.id, now).await?;
    }
    Ok(done)
}

async fn portal_cleared(app: &App, portal: PortalId, now: Millis) -> anyhow::Result<u64> {
    let Some(known) = app.store.directory(portal).await? else { return Ok(0) };
    let uses = uses(app, &known, now).await?;
    let due = due(&known, &uses, now);
    let mut done = due.len() as u64;
    for some in due.chunks(CHUNK) {
        let some = some.to_vec();
        let rule = move |state: &State, _: &mut antiphon_store::Moment| Ok(still(&state.directory, &some));
        if directory::change_of(&app.store, portal, None, rule).await?.is_err() {
            anyhow::bail!("clearing was refused");
        }
    }
    let sweep = Sweep { gone_before: now - DAY, tried_before: now - DAY, limit: CHUNK };
    loop {
        let swept = app.store.sweep(portal, sweep).await?;
        done += swept;
        if swept < CHUNK as u64 {
            return Ok(done);
        }
    }
}

/// When grants were used last of which it matters.
async fn uses(app: &App, directory: &Directory, now: Millis) -> anyhow::Result<HashMap<i64, Millis>> {
    let mut uses = HashMap::new();
    let idle =
        directory.grants().iter().filter(|grant| grant.created_at + IDLE <= now && !is_over(grant, now));
    let idle: Vec<_> = idle.map(|grant| grant.id).collect();
    for some in idle.chunks(CHUNK) {
        let of: Vec<_> = some.iter().map(|id| Used::Grant(*id)).collect();
        let Ok(last) = app.uses.last(&app.store, directory.portal.id, &of).await else {
            anyhow::bail!("it is not known when grants were used");
        };
        uses.extend(some.iter().zip(last).filter_map(|(id, at)| Some((*id, at?))));
    }
    Ok(uses)
}

/// Everything that is due, as it is to become.
fn due(directory: &Directory, uses: &HashMap<i64, Millis>, now: Millis) -> Vec<DirectoryChange> {
    let used = |grant: &Grant| uses.get(&grant.id).copied().unwrap_or_default().max(grant.created_at);
    let idle = |grant: &Grant| used(grant) + IDLE <= now;
    let mut due = Vec::new();
    let mut living: HashMap<_, Vec<&Grant>> = HashMap::new();
    for grant in directory.grants().iter() {
        if is_over(grant, now) || grant.user_id.is_none() && idle(grant) {
            due.push(DirectoryChange::Grant(Grant { deleted_at: Some(now), ..Grant::clone(grant) }));
        } else if lives(grant) {
            living.entry((grant.app_id, grant.user_id)).or_default().push(grant);
        }
    }
    for mut grants in living.into_values().filter(|grants| grants.len() > MOST) {
        grants.sort_unstable_by_key(|grant| std::cmp::Reverse((used(grant), grant.id)));
        let beyond = grants.split_off(MOST).into_iter().filter(|grant| idle(grant));
        due.extend(beyond.map(|grant| {
            DirectoryChange::Grant(Grant { refresh_ended_at: Some(now), ..Grant::clone(grant) })
        }));
    }
    let revoked = directory.tokens().iter().filter(|token| {
        token.grant_id.is_some() && token.expires_at.is_some_and(|expires_at| expires_at + DAY <= now)
    });
    due.extend(
        revoked.map(|token| DirectoryChange::Token(Token { deleted_at: Some(now), ..Token::clone(token) })),
    );
    due
}

/// Whether nothing can come of a grant any more, for a day at least.
fn is_over(grant: &Grant, now: Millis) -> bool {
    let code = grant.code.as_ref().filter(|code| code.used_at.is_none() && grant.refresh.is_none());
    let ends =
        [code.map(|code| code.expires_at), grant.refresh_ended_at, grant.ended_at, grant.uninstalled_at];
    ends.into_iter().flatten().any(|end| end + DAY <= now)
}

/// The rule: those of some changes whose objects are still as they were when they became due.
fn still(directory: &Directory, due: &[DirectoryChange]) -> Vec<DirectoryChange> {
    let is = |change: &&DirectoryChange| match change {
        DirectoryChange::Grant(grant) => directory.grants().get(&grant.id).is_some_and(|known| {
            let same = Grant { deleted_at: None, refresh_ended_at: known.refresh_ended_at, ..grant.clone() };
            **known == same
        }),
        DirectoryChange::Token(token) => directory.tokens().get(&token.hash).is_some(),
        _ => false,
    };
    due.iter().filter(is).cloned().collect()
}

#[cfg(test)]
mod tests {
    use antiphon_store::{AppId, Code, Moment, TokenHash};

    use super::*;
    use crate::oauth::grants::made;
    use crate::testing::{self, NOW};

    fn granted(directory: &mut Directory, id: i64, change: impl FnOnce(&mut Grant)) {
        let mut grant = made(AppId(4410), Some(7), vec!["oauth".into()], None, &mut Moment::still(NOW));
        (grant.id, grant.refresh) = (id, Some(TokenHash([id as u8; 32])));
        change(&mut grant);
        directory.put(DirectoryChange::Grant(grant));
    }

    /// What the directory forgets, and what ends.
    fn cleared(directory: &Directory, uses: &[(i64, Millis)], now: Millis) -> (Vec<i64>, Vec<i64>) {
        let due = still(directory, &due(directory, &uses.iter().copied().collect(), now));
        let (mut gone, mut ended) = (Vec::new(), Vec::new());
        for change in due {
            let DirectoryChange::Grant(grant) = change else { continue };
            if grant.deleted_at == Some(now) { gone.push(grant.id) } else { ended.push(grant.id) }
        }
        ended.sort_unstable();
        (gone, ended)
    }

    #[test]
    fn what_is_over_goes_a_day_later_and_what_lives_stays() {
        let mut directory = Directory::clone(&testing::state().directory);
        let code = |used_at| {
            let redirect_uri = String::new();
            Some(Code { hash: TokenHash([99; 32]), redirect_uri, challenge: None, expires_at: NOW, used_at })
        };
        granted(&mut directory, 1, |_| {});
        granted(&mut directory, 2, |grant| (grant.code, grant.refresh) = (code(None), None));
        granted(&mut directory, 3, |grant| grant.code = code(Some(NOW)));
        granted(&mut directory, 4, |grant| grant.refresh_ended_at = Some(NOW));
        granted(&mut directory, 5, |grant| grant.ended_at = Some(NOW));
        granted(&mut directory, 6, |grant| grant.uninstalled_at = Some(NOW));
        granted(&mut directory, 7, |grant| (grant.user_id, grant.refresh) = (None, None));
        assert_eq!(cleared(&directory, &[], NOW + DAY - 1), (vec![], vec![]));
        assert_eq!(cleared(&directory, &[], NOW + DAY), (vec![2, 4, 5, 6], vec![]));
        let uses = [(7, NOW + DAY)];
        assert_eq!(cleared(&directory, &uses, NOW + IDLE).0, [2, 4, 5, 6]);
        assert_eq!(cleared(&directory, &uses, NOW + IDLE + DAY).0, [2, 4, 5, 6, 7]);
        assert_eq!(cleared(&directory, &[], NOW + 100 * IDLE), (vec![2, 4, 5, 6, 7], vec![]));
    }

    #[test]
    fn of_many_grants_those_end_that_nobody_uses() {
        let mut directory = Directory::clone(&testing::state().directory);
        for id in 1..=105 {
            granted(&mut directory, id, |_| {});
        }
        granted(&mut directory, 106, |grant| grant.user_id = Some(8));
        assert_eq!(cleared(&directory, &[], NOW + IDLE - 1), (vec![], vec![]));
        assert_eq!(cleared(&directory, &[(2, NOW + 1)], NOW + IDLE), (vec![], vec![1, 3, 4, 5, 6]));
        let busy: Vec<_> = (1..=105).map(|id| (id, NOW + IDLE)).collect();
        assert_eq!(cleared(&directory, &busy, NOW + IDLE), (vec![], vec![]));
    }
}
