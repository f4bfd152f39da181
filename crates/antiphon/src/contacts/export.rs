//! All that is known of a person, in one JSON document. It is written while it is read, a page at a time, and no faster than
//! whoever asked takes it.

use std::convert::Infallible;

use antiphon_store::{
    HistoryQuery, KnownThread, PortalId, ThreadPosition, ThreadQuery, ThreadSort, Visitor, VisitorId,
};
use antiphon_wire::id::Id;
use antiphon_wire::message as wire;
use antiphon_wire::people::Identity;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use tokio::sync::mpsc;

use crate::app::App;
use crate::audit::{self, On};
use crate::call::{Answer, Call};
use crate::files::links::Links;
use crate::messages::channel;
use crate::middleware::outflow::Outflow;
use crate::middleware::reply::JSON;
use crate::refusal::Refusal;
use crate::threads::print_known;

/// Threads, and entries, of a page.
const PAGE: usize = 100;

/// Most addresses that are told.
const ADDRESSES: usize = 1000;

/// Pieces that wait for whoever takes them.
const WAITING: usize = 2;

/// `GET /contacts/{contactId}/export`
pub async fn export(call: Call) -> Result<Answer, Refusal> {
    let (id, portal) = (super::contact_id(&call)?, call.caller.portal());
    let person = super::known(&call.app.store, portal, id).await?.ok_or_else(|| Refusal::not_found(id))?;
    audit::note(&call, portal, On::one("CONTACT", id)).await?;
    let identities = call.app.store.identities_of(portal, id, ADDRESSES).await?;
    let identities: Vec<_> = identities
        .iter()
        .map(|one| Identity {
            channel_account_id: Id(one.account.0),
            delivery_identifier: channel::shown(&one.identifier),
        })
        .collect();
    let head = head(&person, &identities)?;
    let (pieces, taken) = mpsc::channel(WAITING);
    let mut writing = Writing { pieces, id, portal };
    tokio::spawn(async move {
        // Whoever has gone needs nothing more, and what cannot be read ends the document before its end.
        if let Err(Ended::Lost(error)) = writing.write(&call.app, &call, head).await {
            tracing::warn!(contact = id.0, %error, "an export is broken off");
        }
    });
    let pieces = stream::unfold(taken, async |mut taken| {
        let piece = taken.recv().await?;
        Some((piece, taken))
    });
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(JSON))];
    Ok(Answer { status: 200, headers, body: Outflow::File(Box::pin(pieces)), ..Answer::default() })
}

/// The beginning of the document, up to the first thread.
fn head(person: &Visitor, identities: &[Identity]) -> Result<Vec<u8>, Refusal> {
    let printed = |value: Result<Vec<u8>, serde_json::Error>| {
        value.map_err(|error| Refusal::Internal(error.to_string()))
    };
    let mut out = b"{\"contact\":".to_vec();
    out.append(&mut printed(serde_json::to_vec(&super::shown(person)))?);
    out.extend_from_slice(b",\"identities\":");
    out.append(&mut printed(serde_json::to_vec(identities))?);
    out.extend_from_slice(b",\"threads\":[");
    Ok(out)
}

/// Why a document ends early.
enum Ended {
    /// Nobody takes it any more.
    Left,
    /// It cannot be read.
    Lost(antiphon_store::StoreError),
}

impl From<antiphon_store::StoreError> for Ended {
    fn from(error: antiphon_store::StoreError) -> Self {
        Self::Lost(error)
    }
}

struct Writing {
    pieces: mpsc::Sender<Bytes>,
    id: VisitorId,
    portal: PortalId,
}

impl Writing {
    async fn put(&self, piece: Vec<u8>) -> Result<(), Ended> {
        self.pieces.send(piece.into()).await.map_err(|_| Ended::Left)
    }

    async fn write(&mut self, app: &App, call: &Call, head: Vec<u8>) -> Result<Infallible, Ended> {
        self.put(head).await?;
        let mut first = true;
        for archived in [false, true] {
            let mut after = None;
            loop {
                let (threads, next) = self.threads(app, archived, after).await?;
                for (id, printed) in threads {
                    self.thread(app, call, (id, archived), printed, &mut first).await?;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        self.put(b"]}".to_vec()).await?;
        Err(Ended::Left)
    }

    /// A page of the person's threads, printed.
    async fn threads(
        &self,
        app: &App,
        archived: bool,
        after: Option<ThreadPosition>,
    ) -> Result<(Vec<(antiphon_store::ThreadId, Vec<u8>)>, Option<ThreadPosition>), Ended> {
        let query = ThreadQuery {
            archived,
            status: None,
            inboxes: Vec::new(),
            visitor: Some(self.id),
            ticket: None,
            latest_message_from: None,
            sort: ThreadSort::Id,
            descending: false,
            after,
            limit: PAGE,
        };
        let mut all = Vec::new();
        let mut sink = |thread: &KnownThread| {
            let mut printed = Vec::with_capacity(512);
            print_known(thread, true, &mut printed);
            all.push((thread.id, printed));
        };
        let next = app.store.threads(self.portal, &query, &mut sink).await?.next;
        Ok((all, next))
    }

    /// A thread with all that was said in it.
    async fn thread(
        &self,
        app: &App,
        call: &Call,
        (id, archived): (antiphon_store::ThreadId, bool),
        printed: Vec<u8>,
        first: &mut bool,
    ) -> Result<(), Ended> {
        let links = Links::of(call);
        let mut out = if std::mem::take(first) { Vec::new() } else { b",".to_vec() };
        out.extend_from_slice(b"{\"thread\":");
        out.extend_from_slice(&printed);
        out.extend_from_slice(b",\"messages\":[");
        let (mut after, mut begun) = (None, false);
        loop {
            let query = HistoryQuery { archived, ascending: true, after, limit: PAGE };
            let mut sink = |document: &[u8]| {
                if std::mem::replace(&mut begun, true) {
                    out.push(b',');
                }
                wire::complete(document, archived, &links, &mut out);
            };
            let page = app.store.history(self.portal, id, &query, &mut sink).await?;
            after = page.and_then(|page| page.next);
            if after.is_none() {
                break;
            }
            self.put(std::mem::take(&mut out)).await?;
        }
        out.extend_from_slice(b"]}");
        self.put(out).await
    }
}
