//! The authorize page: somebody signs in, lets an app in or does not, and is sent back to the app.

use std::sync::Arc;

use antiphon_store::{Actor, App, Code, Directory, DirectoryChange, Login, PortalId, Role};
use antiphon_wire::id::{MAX_INT32, parse_path_id};
use antiphon_wire::query::Query;
use http::HeaderValue;
use http::header::RETRY_AFTER;

use super::login::{Tried, counted, tried};
use super::pages::{consent, sign_in};
use super::{CODE_LIFE, app_of, grants, hash, redirect, secret, session};
use crate::audit::Doer;
use crate::call::{Answer, Call};
use crate::directory;
use crate::pages::{sent_to, wrong};
use crate::refusal::{Refusal, SignInRefused};
use crate::sessions::{begin, cookie, end, totp};

/// Longest state that is given back.
const LONGEST_STATE: usize = 8 << 10;

/// Most scopes that are asked for at once.
const MOST_SCOPES: usize = 200;

/// What an app asks for.
struct Asked {
    app: App,
    /// The portal that it asks to be let into.
    directory: Arc<Directory>,
    /// The portal's number, to be asked for with the password where there are several and none is named.
    account: Option<String>,
    redirect_uri: String,
    state: Option<String>,
    scopes: Vec<String>,
    challenge: Option<String>,
}

/// `GET /authorize`
pub async fn show(call: Call) -> Result<Answer, Refusal> {
    let asked = match asked(&call).await? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    match session::who(&call, &asked.directory).await? {
        None => signing_in(&call, &asked, None, 200),
        Some((_, login)) if login.role != Role::Admin => Ok(no_administrator()),
        Some((agent, _)) if is_installed(&asked, &agent) => allowed(&call, &asked, &agent).await,
        Some((agent, _)) => asking(&call, &asked, &agent),
    }
}

/// `POST /authorize`: what somebody has chosen there.
pub async fn choose(call: Call) -> Result<Answer, Refusal> {
    let asked = match asked(&call).await? {
        Ok(asked) => asked,
        Err(answer) => return Ok(answer),
    };
    let fields = Query::parse(&call.body);
    if !session::is_own(&call, fields.scalar("form").unwrap_or_default()) {
        return Ok(wrong(403, "This form is too old, or comes from somewhere else. Go back, and try again."));
    }
    let who = session::who(&call, &asked.directory).await?;
    match (fields.scalar("do").unwrap_or_default(), who) {
        ("sign-in", _) => {
            let (email, password) = (fields.scalar("email"), fields.scalar("password"));
            let (email, password) = (email.unwrap_or_default(), password.unwrap_or_default());
            let asked = match (&asked.account, fields.scalar("account")) {
                (Some(_), Some(sent)) => {
                    let account = Some(sent.trim().to_owned());
                    match named(&call, sent.trim()).await? {
                        Some(directory) => Asked { directory, account, ..asked },
                        None => {
                            let asked = Asked { account, ..asked };
                            return signing_in(
                                &call,
                                &asked,
                                Some("There is no account with this number."),
                                200,
                            );
                        }
                    }
                }
                _ => asked,
            };
            match counted(&call) {
                Ok(()) => {}
                Err(Refusal::SignIn(SignInRefused::TooOften(wait))) => return too_often(&call, &asked, wait),
                Err(refusal) => return Err(refusal),
            }
            let browser = session::browser(&call, &asked.directory);
            match tried(&call.app, &asked.directory, (email, password), browser.as_ref()).await? {
                Tried::In(known) => {
                    let code = fields.scalar("code");
                    match totp::passed(&call, &asked.directory, &known.1, code).await {
                        Ok(()) => entered(&call, &asked, &known.1, browser).await,
                        Err(Refusal::SignIn(SignInRefused::TooOften(wait))) => too_often(&call, &asked, wait),
                        Err(Refusal::SignIn(_)) => {
                            let needed = "Send the address, the password and a code of your authenticator, or a recovery code.";
                            signing_in(&call, &asked, Some(needed), 200)
                        }
                        Err(refusal) => Err(refusal),
                    }
                }
                Tried::Wrong => {
                    let wrong = match asked.account {
                        Some(_) => "The address or the password is wrong, or belongs to another account.",
                        None => "The address or the password is wrong.",
                    };
                    signing_in(&call, &asked, Some(wrong), 200)
                }
                Tried::TooOften(wait) => too_often(&call, &asked, wait),
            }
        }
        ("sign-out", _) => {
            end::ended(&call).await?;
            Ok(sent_to(own_address(&call), &[cookie::cleared(&call.origin)]))
        }
        ("deny", _) => {
            let description = Some("The user did not let the app in.");
            Ok(back(&asked, "access_denied", description))
        }
        (_, None) => signing_in(&call, &asked, None, 200),
        (_, Some((_, login))) if login.role != Role::Admin => Ok(no_administrator()),
        ("allow", Some((agent, _))) => allowed(&call, &asked, &agent).await,
        _ => Ok(wrong(400, "Nothing was chosen.")),
    }
}

/// Reads what an app asks for. Where it is not known who asks, or where to send the user back to, nobody is sent anywhere.
async fn asked(call: &Call) -> Result<Result<Asked, Answer>, Refusal> {
    let query = &call.query;
    let Some(app) = query.scalar("client_id").and_then(app_of) else {
        return Ok(Err(wrong(400, "No app has this client_id.")));
    };
    let home = call.app.store.directory_of_app(app).await?;
    let known = home.and_then(|home| {
        let app = home.own_app(app).filter(|app| app.active)?.clone();
        Some((app, home))
    });
    let Some((app, home)) = known else {
        return Ok(Err(wrong(400, "No app has this client_id.")));
    };
    let (directory, account) = match call.path.first() {
        // The id of an older link's path.
        Some(sent) => match named(call, sent).await? {
            Some(directory) => (directory, None),
            None => return Ok(Err(wrong(400, "There is no account with this number."))),
        },
        None => anywhere(call, &home).await?,
    };
    let client = home.client(app.id).cloned();
    let redirect_uri = query.scalar("redirect_uri").unwrap_or_default().to_owned();
    let Some(client) = client.filter(|client| redirect::registered(client, &redirect_uri)) else {
        return Ok(Err(wrong(400, "The redirect_uri is not one that is registered for this app.")));
    };
    let state = query.scalar("state").map(str::to_owned);
    if state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
        return Ok(Err(wrong(400, "The state is too long.")));
    }
    let challenge = challenge(query);
    let words = |name| query.scalar(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned);
    let mut scopes: Vec<String> = Vec::new();
    let allowed = |scope: &String| {
        super::grantable(scope) && (client.scopes.is_empty() || client.scopes.contains(scope))
    };
    let mut trouble = None;
    for scope in words("scope") {
        if !allowed(&scope) {
            trouble = Some(("invalid_scope", "A scope is not one that this app may ask for."));
        }
        scopes.push(scope);
    }
    if scopes.is_empty() {
        trouble = Some(("invalid_scope", "The parameter scope is missing."));
    }
    scopes.extend(words("optional_scope").filter(allowed));
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    if scopes.len() > MOST_SCOPES {
        trouble = Some(("invalid_scope", "Too many scopes are asked for."));
    }
    if query.scalar("response_type").is_some_and(|kind| kind != "code") {
        trouble = Some(("unsupported_response_type", "response_type must be code."));
    }
    if challenge.is_err() {
        trouble =
            Some(("invalid_request", "code_challenge_method must be S256 or plain, with a code_challenge."));
    }
    let challenge = challenge.unwrap_or_default();
    let asked = Asked { app, directory, account, redirect_uri, state, scopes, challenge };
    Ok(match trouble {
        Some((error, description)) => Err(back(&asked, error, Some(description))),
        None => Ok(asked),
    })
}

/// The portal of a number, as somebody wrote it.
async fn named(call: &Call, sent: &str) -> Result<Option<Arc<Directory>>, Refusal> {
    match parse_path_id(sent, MAX_INT32) {
        Some(id) => Ok(call.app.store.directory(PortalId(id)).await?),
        None => Ok(None),
    }
}

/// The portal in which somebody is signed in; else the app's, and where there are others, its number, to be asked for.
async fn anywhere(call: &Call, home: &Arc<Directory>) -> Result<(Arc<Directory>, Option<String>), Refusal> {
    if let Some(sent) = cookie::sent(&call.heads.cookie)
        && let Some(directory) = call.app.store.directory(sent.portal).await?
        && session::who(call, &directory).await?.is_some()
    {
        return Ok((directory, None));
    }
    let several = call.app.store.portals(None, 2).await?.len() > 1;
    Ok((home.clone(), several.then(|| home.portal.id.to_string())))
}

fn challenge(query: &Query) -> Result<Option<String>, ()> {
    let sent = query.scalar("code_challenge");
    let Some(sent) = sent else {
        return if query.scalar("code_challenge_method").is_some() { Err(()) } else { Ok(None) };
    };
    let plain = (43..=128).contains(&sent.len())
        && sent.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c));
    match query.scalar("code_challenge_method") {
        Some("S256") if plain => Ok(Some(format!("S256:{sent}"))),
        Some("plain") | None if plain => Ok(Some(format!("plain:{sent}"))),
        _ => Err(()),
    }
}

/// Sends the user back without a code.
fn back(asked: &Asked, error: &str, description: Option<&str>) -> Answer {
    let parameters =
        [("error", Some(error)), ("error_description", description), ("state", asked.state.as_deref())];
    sent_to(redirect::with(&asked.redirect_uri, &parameters), &[])
}

fn no_administrator() -> Answer {
    wrong(403, "Only administrators can connect apps. Ask one of them.")
}

fn signing_in(call: &Call, asked: &Asked, trouble: Option<&str>, status: u16) -> Result<Answer, Refusal> {
    let (form, cookie) = session::form(call)?;
    Ok(sign_in(&form, asked.account.as_deref(), trouble, status, cookie.as_slice()))
}

fn too_often(call: &Call, asked: &Asked, wait: i64) -> Result<Answer, Refusal> {
    let trouble = format!(
        "A wrong password was sent for this address too often. Wait {wait} seconds, and try again. A browser in which you \
         have signed in before does not have to wait for what others try."
    );
    let mut answer = signing_in(call, asked, Some(&trouble), 429)?;
    answer.headers.push((RETRY_AFTER, HeaderValue::from(wait)));
    Ok(answer)
}

fn asking(call: &Call, asked: &Asked, agent: &Actor) -> Result<Answer, Refusal> {
    let (form, cookie) = session::form(call)?;
    let user = agent.email.as_deref().or(agent.name.as_deref()).unwrap_or_default();
    let portal = &asked.directory.portal.name;
    Ok(consent(&asked.app.name, portal, user, &asked.scopes, &form, cookie.as_slice()))
}

/// The page again, for whoever has just signed in.
async fn entered(
    call: &Call,
    asked: &Asked,
    login: &Login,
    browser: Option<session::Browser>,
) -> Result<Answer, Refusal> {
    let (_, begun) = begin::begun(call, &asked.directory, login, "session.begin").await?;
    let known = session::known(call, &asked.directory, login, browser)?;
    Ok(sent_to(own_address(call), &[known, begun]))
}

fn own_address(call: &Call) -> String {
    format!("{}?{}", call.uri_path, call.heads.query)
}

/// Whether this was asked and granted before.
fn is_installed(asked: &Asked, agent: &Actor) -> bool {
    let mut granted = asked.directory.grants_by(asked.app.id, Some(agent.id));
    granted.any(|grant| grant.scopes == asked.scopes && grants::lives(grant))
}

/// Sends the user back with a code.
async fn allowed(call: &Call, asked: &Asked, agent: &Actor) -> Result<Answer, Refusal> {
    let portal = asked.directory.portal.id;
    let code = secret(portal);
    let (app, user, scopes) = (asked.app.id, agent.id, asked.scopes.clone());
    let (kept, uri, challenge) = (hash(&code), asked.redirect_uri.clone(), asked.challenge.clone());
    let rule = move |_: &antiphon_store::State, moment: &mut antiphon_store::Moment| {
        let code = Code {
            hash: kept,
            redirect_uri: uri.clone(),
            challenge: challenge.clone(),
            expires_at: moment.now + CODE_LIFE,
            used_at: None,
        };
        Ok(vec![DirectoryChange::Grant(grants::made(app, Some(user), scopes.clone(), Some(code), moment))])
    };
    let by = Doer { actor: format!("A-{user}"), ..Doer::of(call) };
    directory::change_of(&call.app.store, portal, Some(by), rule).await??;
    let parameters = [("code", Some(code.as_str())), ("state", asked.state.as_deref())];
    Ok(sent_to(redirect::with(&asked.redirect_uri, &parameters), &[]))
}
