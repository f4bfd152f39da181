//! What is tried in vain is tried ever more seldom, on all nodes together: five times at once, then with pauses that grow to
//! five minutes. Who knows the right answer forgets the rest; an hour of quiet does too.

use antiphon_store::{Millis, PortalId};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::refusal::Refusal;

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct Lock {
    portal: PortalId,
    key: [u8; 32],
}

impl Lock {
    /// The password of an address; from a browser that has been let in before, by itself: nobody else can use up its trials.
    pub fn password(portal: PortalId, email: &str, browser: Option<&str>) -> Self {
        Self::of(portal, &["password", &email.to_lowercase(), browser.unwrap_or_default()])
    }

    /// The codes of an agent, who has sent the right password.
    pub fn code(portal: PortalId, agent: i64) -> Self {
        Self::of(portal, &["code", &agent.to_string()])
    }

    /// One code of an agent, which is good once.
    pub fn spent(portal: PortalId, agent: i64, step: u64) -> Self {
        Self::of(portal, &["step", &agent.to_string(), &step.to_string()])
    }

    /// The way of a browser to an issuer and back, which it goes once.
    pub fn journey(portal: PortalId, state: &str) -> Self {
        Self::of(portal, &["journey", state])
    }

    /// Whether this is done for the first time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn once(self, app: &App) -> Result<bool, Refusal> {
        Ok(app.store.try_once(self.portal, self.key, app.store.now()).await?)
    }

    /// The secret of an app.
    pub fn secret(portal: PortalId, app: antiphon_store::AppId) -> Self {
        Self::of(portal, &["secret", &app.to_string()])
    }

    fn of(portal: PortalId, parts: &[&str]) -> Self {
        Self { portal, key: Sha256::digest(parts.join("\n")).into() }
    }

    /// Counts a trial before it is made, so that many at once are many. `Err` has the seconds to wait.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(self, app: &App) -> Result<Result<(), i64>, Refusal> {
        let begun = app.store.try_begin(self.portal, self.key, app.store.now()).await?;
        Ok(begun.map_err(|wait: Millis| (wait + 999) / 1000))
    }

    /// A trial went well: there were none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forget(self, app: &App) -> Result<(), Refusal> {
        Ok(app.store.try_forget(self.portal, self.key).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_lock_of_their_own() {
        let portal = PortalId(1);
        let locks = [
            Lock::password(portal, "mia@a.example", None),
            Lock::password(portal, "mia@a.example", Some("1")),
            Lock::password(portal, "tom@a.example", None),
            Lock::secret(portal, antiphon_store::AppId(1)),
        ];
        let mut keys: Vec<_> = locks.iter().map(|lock| lock.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), locks.len());
        assert_eq!(Lock::password(portal, "MIA@a.example", None).key, locks[0].key);
    }
}
