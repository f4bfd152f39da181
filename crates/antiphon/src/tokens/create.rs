//! Making a token.

use antiphon_store::{AppId, Directory, DirectoryChange, Millis, Moment, PortalId, State, Token, TokenHash};
use antiphon_wire::id::MAX_INT32;
use antiphon_wire::own::TokenCreate;

use crate::apps;
use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::middleware::token;
use crate::operation::Scope;
use crate::refusal::Refusal;

/// What is asked for. The token itself stays at the door.
#[derive(Debug, Clone)]
pub struct Draft {
    pub hash: TokenHash,
    pub portal: PortalId,
    pub label: String,
    pub app: Owner,
    pub scopes: Vec<String>,
    pub expires_at: Option<Millis>,
}

/// The app a token acts for.
#[derive(Debug, Clone)]
pub enum Owner {
    Known(AppId),
    /// A private app, made with the token.
    New(apps::create::Draft),
}

/// `POST /tokens`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let secret = super::secret(&call.app.config.region);
    let draft = read(call.json()?, &call.caller.token, token::hash(&secret))?;
    let key = match &draft.app {
        Owner::New(app) => app.developer_key.clone(),
        Owner::Known(_) => String::new(),
    };
    let rule = move |state: &State, moment: &mut Moment| make(&state.directory, &draft, moment);
    let changes = directory::change(&call, rule).await?;
    let app = changed!(changes.clone(), App).ok();
    let token = changed!(changes, Token)?;
    let mut shown = super::shown(&token);
    shown.token = Some(secret);
    let now = call.app.store.now();
    shown.app = app.as_ref().map(|app| apps::shown_once(app, key, now));
    Answer::json(201, &shown).map(|answer| answer.at(&call, &shown.id))
}

fn read(body: TokenCreate, by: &Token, hash: TokenHash) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let label = checks.required_name("label", body.label);
    let app = match body.app_id {
        Some(sent) => Owner::Known(AppId(checks.required_id("appId", Some(sent), MAX_INT32))),
        None => Owner::New(apps::create::Draft::new(label.clone())),
    };
    let scopes = match body.scopes.as_slice() {
        [] => [Scope::Read, Scope::Write].map(|scope| scope.name().to_owned()).into(),
        asked => asked.to_vec(),
    };
    for scope in &scopes {
        if scope.is_empty() || scope.len() > 100 || !scope.bytes().all(|c| c.is_ascii_graphic()) {
            checks.wrong("scopes", format!("`{scope}` cannot be the name of a scope"));
        }
    }
    // Whoever administers one portal must not be able to reach the others.
    let operator = Scope::Operator.name();
    if scopes.iter().any(|scope| scope == operator) && !by.scopes.iter().any(|scope| scope == operator) {
        checks.wrong("scopes", format!("Only a token that has {operator} can grant it"));
    }
    if scopes.iter().any(|scope| scope == Scope::Agent.name()) {
        checks.wrong(
            "scopes",
            format!("No token can have {}; only agents who are signed in do", Scope::Agent.name()),
        );
    }
    checks.done()?;
    Ok(Draft { hash, portal: by.portal_id, label, app, scopes, expires_at: body.expires_at.map(|at| at.0) })
}

/// The rule.
pub fn make(
    directory: &Directory,
    draft: &Draft,
    moment: &mut Moment,
) -> Result<Vec<DirectoryChange>, Refusal> {
    let mut changes = Vec::new();
    let app_id = match &draft.app {
        Owner::Known(id) if directory.own_app(*id).is_some() => *id,
        Owner::Known(id) => {
            return Err(Refusal::invalid("appId", format!("App {id} does not exist in this account")));
        }
        Owner::New(app) => {
            let app = apps::create::make(directory, app, moment)?;
            let id = app.id;
            changes.push(DirectoryChange::App(app));
            id
        }
    };
    if draft.expires_at.is_some_and(|at| at <= moment.now) {
        return Err(Refusal::invalid("expiresAt", "A token cannot have ended before it is made"));
    }
    changes.push(DirectoryChange::Token(Token {
        hash: draft.hash,
        portal_id: draft.portal,
        app_id,
        label: draft.label.clone(),
        scopes: draft.scopes.clone(),
        created_at: moment.now,
        expires_at: draft.expires_at,
        revoked_at: None,
        grant_id: None,
        deleted_at: None,
    }));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    fn caller(scopes: &[&str]) -> Token {
        Token {
            hash: TokenHash([7; 32]),
            portal_id: PortalId(1),
            app_id: AppId(4410),
            label: "caller".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
            grant_id: None,
            deleted_at: None,
        }
    }

    fn draft(body: &str, scopes: &[&str]) -> Result<Draft, Refusal> {
        read(serde_json::from_str(body).unwrap(), &caller(scopes), TokenHash([9; 32]))
    }

    #[test]
    fn reading_and_writing_unless_asked_otherwise() {
        let asked = draft(r#"{ "label": "x" }"#, &[]).unwrap();
        assert_eq!(asked.scopes, ["conversations.read", "conversations.write"]);
        let asked = draft(r#"{ "label": "x", "scopes": "tickets" }"#, &[]).unwrap();
        assert_eq!(asked.scopes, ["tickets"], "names that open nothing are granted all the same");
    }

    #[test]
    fn nobody_grants_what_reaches_beyond_the_own_portal() {
        let body = r#"{ "label": "x", "scopes": ["antiphon.operator"] }"#;
        assert!(draft(body, &["antiphon.admin"]).is_err());
        assert!(draft(body, &["antiphon.admin", "antiphon.operator"]).is_ok());
    }

    #[test]
    fn a_private_app_comes_with_the_token() {
        let directory = testing::state().directory;
        let asked = draft(r#"{ "label": "Importer" }"#, &[]).unwrap();
        let changes = make(&directory, &asked, &mut Moment::still(NOW)).unwrap();
        let [DirectoryChange::App(app), DirectoryChange::Token(token)] = changes.as_slice() else { panic!() };
        assert_eq!((app.name.as_str(), token.app_id, token.portal_id), ("Importer", app.id, PortalId(1)));

        let known = AppId(4410);
        let asked = draft(&format!(r#"{{ "label": "Importer", "appId": {known} }}"#), &[]).unwrap();
        assert_eq!(make(&directory, &asked, &mut Moment::still(NOW)).unwrap().len(), 1);
        let asked = draft(r#"{ "label": "Importer", "appId": 99 }"#, &[]).unwrap();
        assert!(make(&directory, &asked, &mut Moment::still(NOW)).is_err());
        let asked = draft(r#"{ "label": "Importer", "expiresAt": "2001-01-01" }"#, &[]).unwrap();
        assert!(make(&directory, &asked, &mut Moment::still(NOW)).is_err());
    }
}
