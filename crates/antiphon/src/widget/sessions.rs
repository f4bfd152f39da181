//! Beginning a session, or going on with one.

use antiphon_store::{Account, ActorKind, Directory, PortalId};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::identification::VisitorTokenFlaw as Flaw;
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::widget::{
    IdentificationRequest, WidgetAgent, WidgetContact, WidgetLook, WidgetSession, WidgetSessionRequest,
};
use std::sync::Arc;

use super::floods::{Payer, Rate, What};
use super::session::{Identified, Session, Who};
use super::settings::{self, Settings};
use super::{print, reading, visit};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::identification::token::{Identity, LIFE, Signed};
use crate::identification::verify;
use crate::refusal::Refusal;

/// Most agents that are shown.
const AGENTS: usize = 3;

/// Digits of a browser's key.
const KEY: usize = 32;

/// `POST /widget/v1/{portalId}/sessions`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    let app = &call.app;
    let rate = Rate::minutely(app.config.widget.sessions_per_minute);
    app.floods.take(What::Session, Payer::address(call.heads.address), rate, app.machine_time())?;
    let body: WidgetSessionRequest = call.json()?;
    let directory = portal(&call).await?;
    let Some(sent) = &body.account_id else {
        return Err(Refusal::Invalid(vec![Problem::required("accountId")]));
    };
    let account = sent.parse(MAX_SAFE).map(antiphon_store::AccountId);
    let open = account.and_then(|account| settings::open(&directory, account));
    let (account, settings) = open.ok_or_else(|| Refusal::not_found(sent))?;
    let (session, warning) = who(app, &directory, account, &body).await?;
    let session = remembered(app, session).await?;
    let answer = answer(app, &directory, account, &settings, (&session, warning, body.language)).await?;
    Answer::json(201, &answer)
}

/// The directory of the portal that a path names.
pub async fn portal(call: &Call) -> Result<Arc<Directory>, Refusal> {
    let sent = call.segment(0);
    let id = parse_path_id(sent, MAX_SAFE).map(PortalId).ok_or_else(|| Refusal::not_found(sent))?;
    call.app.store.directory(id).await?.ok_or_else(|| Refusal::not_found(sent))
}

/// Whose session it is to be, and what the page is to be warned of.
async fn who(
    app: &App,
    directory: &Directory,
    account: &Account,
    body: &WidgetSessionRequest,
) -> Result<(Session, Option<String>), Refusal> {
    let (portal, now) = (directory.portal.id, app.store.now());
    let earlier = body.session.as_deref().and_then(|text| Session::read(text, &app.keys));
    let earlier = earlier.filter(|one| one.portal() == portal && one.account() == account.id);
    let goes_on = earlier.and_then(|one| one.renewed(now));
    let mut warning = None;
    if let Some((email, token)) = body.identification.as_ref().and_then(claimed) {
        match verify::identified(app, directory, token, Some(email)).await? {
            Ok(identity) => {
                let begun_at = identity.expires_at - LIFE;
                let who = Who::Identified(identified(identity, token, app, portal)?);
                let session = Session::begin(portal, account.id, who, now);
                return Ok((session.since(begun_at), None));
            }
            Err(flaw) => {
                // A token may end while the widget is open.
                if let Some(session) = goes_on.as_ref().filter(|one| is_for(one, email)) {
                    return Ok((session.clone(), None));
                }
                warning = Some(warned(flaw).to_owned());
            }
        }
    }
    let key = body.visitor_key.as_deref().map(str::to_ascii_lowercase).filter(|key| is_key(key));
    let goes_on = goes_on.filter(|one| match (&one.who, &key) {
        (Who::Browser(own), Some(key)) => own == key,
        (Who::Browser(_), None) => true,
        // Somebody else is said to be there now.
        (Who::Identified(_), _) => warning.is_none(),
    });
    let begun = || {
        let key = key.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
        Session::begin(portal, account.id, Who::Browser(key), now)
    };
    Ok((goes_on.unwrap_or_else(begun), warning))
}

/// A session that was lost took along which address its visitor had given. It is kept with their threads as well.
async fn remembered(app: &App, session: Session) -> Result<Session, Refusal> {
    let Who::Browser(key) = &session.who else { return Ok(session) };
    if session.said_email.is_some() {
        return Ok(session);
    }
    let said = visit::said_email(app, &session, key).await?;
    Ok(said.map_or_else(|| session.clone(), |email| session.having_said(&email)))
}

/// What a page says of its visitor, if it says both.
fn claimed(sent: &IdentificationRequest) -> Option<(&str, &str)> {
    let filled =
        |text: &'_ Option<String>| text.as_deref().map(str::trim).is_some_and(|text| !text.is_empty());
    if !filled(&sent.email) || !filled(&sent.token) {
        return None;
    }
    Some((sent.email.as_deref()?.trim(), sent.token.as_deref()?.trim()))
}

fn identified(identity: Identity, token: &str, app: &App, portal: PortalId) -> Result<Identified, Refusal> {
    let email = identity.said.email.to_lowercase();
    let signed = Signed::read(token, portal, app.store.now(), &app.keys);
    let signed = signed.map_err(|_| Refusal::Unavailable)?;
    Ok(match signed.said {
        Some(said) => Identified { email, said: Some(said), row: None },
        None => Identified { email, said: None, row: Some((signed.expires_at, signed.nonce)) },
    })
}

fn is_for(session: &Session, email: &str) -> bool {
    matches!(&session.who, Who::Identified(one) if one.email == email.to_lowercase())
}

fn is_key(key: &str) -> bool {
    key.len() == KEY && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What the console of a page is told; nothing that tells a stranger more than that it did not work.
fn warned(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Forged | Flaw::Foreign | Flaw::Suspended => {
            "The identification token is not valid here; the chat is anonymous."
        }
        Flaw::Expired => "The identification token has expired; the chat is anonymous.",
        Flaw::OtherEmail => "The identification token is for another address; the chat is anonymous.",
    }
}

async fn answer(
    app: &App,
    directory: &Directory,
    account: &Account,
    settings: &Settings,
    (session, warning, language): (&Session, Option<String>, Option<String>),
) -> Result<WidgetSession, Refusal> {
    let known = visit::known(app, session).await?;
    let contact = contact(app, session, known.as_ref()).await?;
    let unread = match &known {
        Some(known) => {
            let threads = visit::threads_of(app, directory.portal.id, account, &known.key).await?;
            reading::unread(app, directory.portal.id, &threads)
                .await?
                .values()
                .filter(|count| **count > 0)
                .count()
        }
        None => 0,
    };
    let identified = matches!(session.who, Who::Identified(_));
    let now = app.store.now();
    let asked = settings::asks_email(settings, identified || contact.email.is_some(), now);
    let available = settings::available(settings, now);
    let language = language.filter(|tag| tag.len() <= 35 && tag.bytes().all(|byte| byte.is_ascii_graphic()));
    Ok(WidgetSession {
        session: session.printed(&app.keys)?,
        expires_at: Timestamp(session.expires_at),
        visitor_key: match &session.who {
            Who::Browser(key) => Some(key.clone()),
            Who::Identified(_) => None,
        },
        identified,
        warning,
        config: WidgetLook {
            title: settings.title.clone().unwrap_or_else(|| account.name.clone()),
            color: settings.color.clone(),
            position: settings.position,
            welcome_message: account.welcome.clone(),
            quick_replies: settings.quick_replies.clone(),
            available,
            away_message: settings.away.clone().filter(|_| !available),
            ask_email: asked,
            attachments: settings.attachments,
            language: settings.language.clone().or(language),
        },
        contact,
        unread: unread as i64,
        agents: agents(directory),
    })
}

/// What a visitor is told of what is known of them: of somebody whom nobody has identified, no more than they said themselves.
async fn contact(
    app: &App,
    session: &Session,
    known: Option<&visit::Known>,
) -> Result<WidgetContact, Refusal> {
    Ok(match &session.who {
        Who::Identified(identified) => {
            let contact = known.and_then(|known| known.contact.as_ref());
            let name = contact.and_then(|contact| contact.name.clone());
            let said = visit::said(app, session.portal(), identified).await?;
            WidgetContact { email: Some(said.email.clone()), name: name.or_else(|| said.name()) }
        }
        // Not the address of the contact that came of it: whether one came would tell whose addresses are known here.
        Who::Browser(_) => WidgetContact { email: session.said_email.clone(), name: None },
    })
}

/// Some who may answer: those with a name, the oldest first.
fn agents(directory: &Directory) -> Vec<WidgetAgent> {
    let all = directory.actors(ActorKind::Agent, None).take(20);
    let shown = all.filter(|agent| agent.active).filter_map(|agent| {
        let name = agent.name.clone()?;
        Some(WidgetAgent { name, avatar: agent.avatar.clone().filter(|url| print::is_web(url)) })
    });
    shown.take(AGENTS).collect()
}
