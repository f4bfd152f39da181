//! What was said in a visitor's thread.

use antiphon_store::{HistoryQuery, MessageId, PortalId, Position, ThreadId};
use antiphon_wire::message::Message;
use antiphon_wire::widget::WidgetMessages;

use super::visit::Visit;
use super::{print, reading};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::files::links::Links;
use crate::refusal::Refusal;

/// Most messages of a page, and how many there are unless asked for.
const MOST: usize = 100;
const USUAL: usize = 50;

/// How many entries are read at once, and how many are looked at for a page.
const CHUNK: usize = 100;
const LOOKED_AT: usize = 2_000;

/// Which piece of a thread.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Later than an entry; otherwise earlier.
    pub later: bool,
    pub than: Option<Position>,
    pub limit: usize,
}

/// `GET /widget/v1/threads/{threadId}/messages`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    let thread = visit.thread(&call).await?;
    let (before, after) = (call.query.scalar("before"), call.query.scalar("after"));
    let limit = call.query.limit("limit", USUAL, MOST).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let (name, named) = match (before, after) {
        (Some(_), Some(_)) => return Err(Refusal::invalid("after", "Give either before or after, not both")),
        (None, Some(after)) => ("after", Some(after)),
        (before, None) => ("before", before),
    };
    let (app, portal) = (&call.app, visit.session.portal());
    let than = match named {
        None => None,
        Some(sent) => Some(position(app, portal, thread.id, name, sent).await?),
    };
    let piece = Piece { later: name == "after", than, limit };
    let (messages, more) = piece.read(app, portal, thread.id, &Links::of(&call)).await?;
    let files = print::files(&app.store, portal, &messages).await?;
    let read = reading::by_agents(app, portal, thread.id).await?;
    let shown = |message| print::shown(&call.caller.directory, message, &files, read);
    let results = messages.iter().map(shown).collect();
    Answer::json(200, &WidgetMessages { results, more, read_up_to: read.map(|id| id.to_string()) })
}

async fn position(
    app: &App,
    portal: PortalId,
    thread: ThreadId,
    name: &str,
    sent: &str,
) -> Result<Position, Refusal> {
    let found = match MessageId::parse(sent) {
        Some(id) => app.store.position_of(portal, thread, id).await?,
        None => None,
    };
    found.ok_or_else(|| Refusal::invalid(name, format!("{name} is no message of this thread")))
}

impl Piece {
    /// What of it visitors are shown, the oldest first, and whether there is more behind it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn read(
        self,
        app: &App,
        portal: PortalId,
        thread: ThreadId,
        links: &Links<'_>,
    ) -> Result<(Vec<Message>, bool), Refusal> {
        let (mut found, mut after, mut looked_at) = (Vec::new(), self.than, 0);
        while found.len() <= self.limit && looked_at < LOOKED_AT {
            let query = HistoryQuery { archived: false, ascending: self.later, after, limit: CHUNK };
            let mut sink = |document: &[u8]| found.extend(print::read(document, links));
            let page = app.store.history(portal, thread, &query, &mut sink).await?;
            looked_at += CHUNK;
            after = page.and_then(|page| page.next);
            if after.is_none() {
                break;
            }
        }
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        if !self.later {
            found.reverse();
        }
        Ok((found, more))
    }
}
