//! Making an app.

use std::sync::Arc;

use antiphon_store::{ActorKind, App, AppId, Directory, DirectoryChange, Moment, State};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::AppCreate;

use super::secrets;
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::{Refusal, unless_taken};

/// Most apps that share a developer key: it is replaced for all of them in one transaction.
const MOST_SHARING: usize = 100;

/// What is asked for, and the secrets the app gets.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The number it shall have.
    pub id: Option<AppId>,
    pub name: String,
    pub avatar: Option<String>,
    /// The agent who makes it.
    pub user_id: Option<i64>,
    pub client_secret: String,
    pub developer_key: String,
    /// Whether that is to be the key of another app.
    pub shares_key: bool,
}

impl Draft {
    /// An app with fresh secrets.
    pub fn new(name: String) -> Self {
        Self {
            id: None,
            name,
            avatar: None,
            user_id: None,
            client_secret: secrets::fresh(),
            developer_key: secrets::fresh(),
            shares_key: false,
        }
    }
}

/// `POST /apps`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let mut draft = read(call.json()?)?;
    draft.user_id = draft.user_id.or_else(|| user(&call));
    let key = draft.developer_key.clone();
    let rule = move |state: &State, moment: &mut Moment| {
        Ok(vec![DirectoryChange::App(make(&state.directory, &draft, moment)?)])
    };
    let done = directory::change_of(&call.app.store, call.caller.portal(), Some(Doer::of(&call)), rule).await;
    let changes = unless_taken(done, taken)??;
    let app = changed!(changes, App)?;
    let directory = directory::now(&call).await?;
    let mut shown = super::shown_whole(&app, &directory, call.app.store.now());
    shown.client_secret = Some(app.client_secret);
    shown.developer_key = Some(key);
    Answer::json(201, &shown).map(|answer| answer.at(&call, app.id))
}

fn read(body: AppCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let id = checks.id("id", body.id, MAX_INT32).map(AppId);
    let name = checks.required_name("name", body.name);
    let avatar = checks.url("avatar", body.avatar);
    let user_id = checks.id("userId", body.user_id, MAX_INT32);
    checks.done()?;
    let draft = Draft { id, avatar, user_id, ..Draft::new(name) };
    Ok(match body.developer_key {
        Some(developer_key) => Draft { developer_key, shares_key: true, ..draft },
        None => draft,
    })
}

/// The user on whose behalf a token calls.
fn user(call: &Call) -> Option<i64> {
    if let Some(agent) = call.caller.agent {
        return Some(agent.agent);
    }
    call.caller.directory.grants().get(&call.caller.token.grant_id?)?.user_id
}

/// The rule. An app that exists is never replaced.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<App, Refusal> {
    if draft.id.is_some_and(|id| directory.app(id).is_some()) {
        return Err(taken());
    }
    if draft.user_id.is_some_and(|id| directory.actor(ActorKind::Agent, id).is_none()) {
        return Err(Refusal::invalid("userId", "No agent of this account has this number"));
    }
    let key = secrets::hashed(&draft.developer_key);
    if draft.shares_key {
        let sharing = |app: &&Arc<App>| app.developer_key == key;
        match directory.apps().iter().filter(sharing).count() {
            0 => {
                return Err(Refusal::invalid(
                    "developerKey",
                    "No app of this account has this developer key",
                ));
            }
            MOST_SHARING.. => {
                let message = format!("At most {MOST_SHARING} apps can share a developer key");
                return Err(Refusal::invalid("developerKey", message));
            }
            _ => {}
        }
    }
    Ok(App {
        id: draft.id.unwrap_or_else(|| moment.app_id()),
        name: draft.name.clone(),
        avatar: draft.avatar.clone(),
        client_secret: draft.client_secret.clone(),
        developer_key: key,
        user_id: draft.user_id,
        old_secret: None,
        old_key: None,
        active: true,
        created_at: moment.now,
    })
}

fn taken() -> Refusal {
    Refusal::invalid("id", "An app with this id exists already")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn an_app_that_exists_keeps_its_secrets() {
        let directory = testing::state().directory;
        let known = AppId(4410);
        let draft = Draft { id: Some(known), ..Draft::new("Twin".into()) };
        assert_eq!(make(&directory, &draft, &mut Moment::still(testing::NOW)), Err(taken()));
        let other = Draft { id: None, ..draft.clone() };
        let made = make(&directory, &other, &mut Moment::still(testing::NOW)).unwrap();
        assert!(made.active && made.id != known);
        assert_ne!(Draft::new("x".into()).client_secret, Draft::new("x".into()).client_secret);
    }

    #[test]
    fn a_key_is_shared_only_with_an_app_that_has_it() {
        let mut directory = Directory::clone(&testing::state().directory);
        let app =
            App { developer_key: secrets::hashed("known"), ..directory.app(AppId(4410)).unwrap().clone() };
        directory.put(DirectoryChange::App(app));
        let moment = &mut Moment::still(testing::NOW);
        for (key, fine) in [("known", true), ("something easy", false), ("", false)] {
            let draft = Draft { developer_key: key.into(), shares_key: true, ..Draft::new("Twin".into()) };
            let made = make(&directory, &draft, moment);
            assert_eq!(made.map(|app| app.developer_key).ok(), fine.then(|| secrets::hashed(key)));
        }
        let draft = Draft { developer_key: "known".into(), shares_key: true, ..Draft::new("Twin".into()) };
        for _ in 1..MOST_SHARING {
            let made = make(&directory, &draft, moment).unwrap();
            directory.put(DirectoryChange::App(made));
        }
        assert!(make(&directory, &draft, moment).is_err(), "it could not be replaced any more");
    }
}
