//! A visitor who calls: which chat, which session, and which threads are theirs.

use std::sync::Arc;

use antiphon_store::{
    Account, Directory, Identifier, KnownThread, PortalId, Thread, ThreadId, Visitor, VisitorId,
};
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use antiphon_wire::message::DeliveryIdentifierType;

use super::floods::{Payer, Rate, What};
use super::say::Beginning;
use super::session::{Identified, Session, Who};
use super::settings::{self, Settings};
use crate::app::App;
use crate::call::Call;
use crate::identification::token::Said;
use crate::refusal::Refusal;

/// Most threads of a visitor that are looked at.
pub const THREADS: usize = 30;

/// Somebody who calls with a session.
pub struct Visit {
    pub session: Session,
    pub account: Account,
    pub settings: Settings,
    /// Whose threads they see, and who they are where that is known. `None`: nobody has heard of them yet.
    pub known: Option<Known>,
}

/// What is known of a visitor.
#[derive(Debug, Clone)]
pub struct Known {
    /// By which threads are theirs.
    pub key: String,
    /// The contact, for one who is identified.
    pub contact: Option<Visitor>,
}

impl Visit {
    /// Whoever calls, once that is counted.
    ///
    /// # Errors
    /// The session is no longer good, or calls too often.
    pub async fn of(call: &Call) -> Result<Self, Refusal> {
        let app = &call.app;
        let session = Session::read(&call.heads.bearer, &app.keys).ok_or(Refusal::NoSession)?;
        let (now, limits) = (app.machine_time(), &app.config.widget);
        for (payer, most) in [
            (Payer::visitor(session.portal(), session.payer()), limits.requests_per_minute),
            (Payer::address(call.heads.address), limits.requests_per_minute_of_address),
        ] {
            app.floods.take(What::Request, payer, Rate::minutely(most), now)?;
        }
        let open = settings::open(&call.caller.directory, session.account());
        let (account, settings) = open.ok_or(Refusal::NoSession)?;
        let account = account.clone();
        let known = known(app, &session).await?;
        Ok(Self { session, account, settings, known })
    }

    /// Whom limits count.
    pub fn payer(&self) -> Payer {
        Payer::visitor(self.session.portal(), self.session.payer())
    }

    /// The newest threads of theirs that are not in the trash, those first in which something was said last.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn threads(&self, app: &App) -> Result<Vec<Arc<KnownThread>>, Refusal> {
        match &self.known {
            Some(known) => threads_of(app, self.session.portal(), &self.account, &known.key).await,
            None => Ok(Vec::new()),
        }
    }

    /// The thread that a path names, if it is theirs.
    ///
    /// # Errors
    /// It is nobody's, or somebody else's: that is the same.
    pub async fn thread(&self, call: &Call) -> Result<Arc<KnownThread>, Refusal> {
        let sent = call.segment(0);
        let id = parse_path_id(sent, MAX_SAFE).map(ThreadId).ok_or_else(|| Refusal::not_found(sent))?;
        self.own(&call.app, id).await?.ok_or_else(|| Refusal::not_found(sent))
    }

    /// A thread, if it is theirs and not in the trash.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn own(&self, app: &App, id: ThreadId) -> Result<Option<Arc<KnownThread>>, Refusal> {
        let portal = self.session.portal();
        let Some(known) = &self.known else { return Ok(None) };
        let chats = app.store.chats_by_threads(portal, &[id]).await?;
        if !chats.iter().any(|chat| chat.account_id == self.account.id && chat.visitor_key == known.key) {
            return Ok(None);
        }
        let found = app.store.thread_by_id(portal, id).await?;
        Ok(found.filter(|thread| shows(thread, &self.account)))
    }
}

/// Whether visitors see a thread at all.
fn shows(thread: &Thread, account: &Account) -> bool {
    !thread.is_archived() && thread.account_id == account.id
}

/// The threads of a key on an account.
///
/// # Errors
/// When the store does not answer.
pub async fn threads_of(
    app: &App,
    portal: PortalId,
    account: &Account,
    key: &str,
) -> Result<Vec<Arc<KnownThread>>, Refusal> {
    let ids = app.store.chats_of_visitor(portal, account.id, key, THREADS).await?;
    let mut threads = app.store.threads_by_ids(portal, &ids).await?;
    threads.retain(|thread| shows(thread, account));
    threads.sort_unstable_by_key(|thread| std::cmp::Reverse((thread.latest_message_at, thread.id)));
    Ok(threads)
}

/// By what and as whom a visitor is known. Somebody who is identified is so from the moment there is a contact.
///
/// # Errors
/// When the store does not answer.
pub async fn known(app: &App, session: &Session) -> Result<Option<Known>, Refusal> {
    Ok(match &session.who {
        Who::Browser(key) => Some(Known { key: key.clone(), contact: None }),
        Who::Identified(identified) => {
            let emails = std::slice::from_ref(&identified.email);
            let contact = app.store.contacts_by_emails(session.portal(), emails).await?.pop();
            contact.map(|contact| Known { key: key_of(contact.id), contact: Some(contact) })
        }
    })
}

/// The key of a contact: no browser can have it.
pub fn key_of(contact: VisitorId) -> String {
    format!("contact-{contact}")
}

/// The address on the account that goes with a key.
pub fn identifier(key: &str) -> Identifier {
    Identifier { kind: DeliveryIdentifierType::Opaque.as_str().to_owned(), value: key.to_owned() }
}

/// What a token said of a visitor.
///
/// # Errors
/// When the store does not answer.
pub async fn said(app: &App, portal: PortalId, identified: &Identified) -> Result<Said, Refusal> {
    if let Some(said) = &identified.said {
        return Ok(said.clone());
    }
    let bare = Said { email: identified.email.clone(), ..Said::default() };
    let Some((ends_at, nonce)) = identified.row else { return Ok(bare) };
    let kept = app.store.visitor_token(portal, ends_at, nonce).await?;
    Ok(kept.and_then(|printed| Said::parse(printed.as_bytes())).unwrap_or(bare))
}

/// The address that a browser's visitor gave last, as it is kept with their threads: told to whoever has the key, and nothing
/// that anybody else said of them.
///
/// # Errors
/// When the store does not answer.
pub async fn said_email(app: &App, session: &Session, key: &str) -> Result<Option<String>, Refusal> {
    let (store, portal) = (&app.store, session.portal());
    let threads = store.chats_of_visitor(portal, session.account(), key, THREADS).await?;
    let mut chats = store.chats_by_threads(portal, &threads).await?;
    chats.sort_unstable_by_key(|chat| std::cmp::Reverse(chat.thread_id));
    Ok(chats.iter().find_map(|chat| Beginning::parse(chat.said.as_deref()).email))
}

/// The visitor who is bound to a browser's key, if anybody is.
///
/// # Errors
/// When the store does not answer.
pub async fn bound(
    app: &App,
    directory: &Directory,
    account: &Account,
    key: &str,
) -> Result<Option<Visitor>, Refusal> {
    let portal = directory.portal.id;
    let address = [identifier(key)];
    let found = app.store.visitors_by_addresses(portal, account.id, &address).await?;
    let Some((_, id)) = found.into_iter().next() else { return Ok(None) };
    Ok(app.store.visitors_by_ids(portal, &[id]).await?.pop())
}
