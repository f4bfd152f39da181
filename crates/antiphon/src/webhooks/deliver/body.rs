//! The body of a request: the events of a batch as a JSON array.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use antiphon_store::{
    AppId, KnownThread, MessageId, PortalId, Store, StoreError, StoredMessage, ThreadId, Visitor, VisitorId,
};
use antiphon_wire::events::{Along, Telling};

use super::queue::Item;
use crate::app::App;
use crate::files::links::Links;
use crate::webhooks::event_id::event_id;
use crate::{contacts, messages, threads};

/// Most bytes in a request. Receivers behind a proxy seldom take more than a mebibyte.
pub const MOST_BYTES: usize = 1_000_000;

/// Prints a batch, or as much of it as one request has room for: how many events these are. Whatever a subscription wants
/// besides ids is looked up now; what is gone by now is left out.
///
/// # Errors
/// When it cannot be looked up.
pub async fn print(
    app: &App,
    portal: PortalId,
    told: AppId,
    batch: &[Item],
) -> Result<(Vec<u8>, usize), StoreError> {
    let found = Found::look_up(&app.store, portal, batch).await?;
    let links = Links::new(app, &app.public_url);
    let mut body = Vec::with_capacity(384 * batch.len() + 2);
    let mut printed = 0;
    for item in batch {
        let before = body.len();
        body.push(if printed == 0 { b'[' } else { b',' });
        let telling = Telling {
            event_id: event_id(item.key()),
            subscription_id: item.subscription.id.0,
            portal_id: portal.0,
            app_id: told.0,
            attempt_number: item.attempts,
        };
        item.event.printed().print(&telling, &found.along(item, &links), &mut body);
        // With both brackets.
        if body.len() - before + 1 > MOST_BYTES {
            // It has room in no request. What it leaves out can be fetched.
            body.truncate(before + 1);
            let along = Along { omitted: true, ..Along::default() };
            item.event.printed().print(&telling, &along, &mut body);
        }
        if body.len() + 1 > MOST_BYTES && printed > 0 {
            body.truncate(before);
            break;
        }
        printed += 1;
    }
    body.push(b']');
    Ok((body, printed))
}

/// What the events of a batch are about, as far as somebody wants to be told of it.
#[derive(Default)]
struct Found {
    messages: HashMap<MessageId, StoredMessage>,
    threads: HashMap<ThreadId, Arc<KnownThread>>,
    visitors: HashMap<VisitorId, Visitor>,
}

impl Found {
    /// Asks once for all messages, once for all threads, once for all visitors.
    async fn look_up(store: &Store, portal: PortalId, batch: &[Item]) -> Result<Self, StoreError> {
        let (mut messages, mut threads, mut contacts) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for item in batch {
            let (expand, thread) = (item.subscription.expand, ThreadId(item.event.object_id));
            if expand.message {
                messages.extend(message_id(item).map(|id| (thread, id)));
            }
            if expand.thread || expand.contact {
                threads.insert(thread);
            }
            if expand.contact {
                contacts.insert(thread);
            }
        }
        let mut found = Self::default();
        if !messages.is_empty() {
            let all = store.messages_by_ids(portal, &messages).await?;
            found.messages = all.into_iter().map(|message| (message.id, message)).collect();
        }
        if !threads.is_empty() {
            let all = store.threads_by_ids(portal, &Vec::from_iter(threads)).await?;
            found.threads = all.into_iter().map(|thread| (thread.id, thread)).collect();
        }
        let visitors = contacts.iter().filter_map(|id| found.threads.get(id)).map(|thread| thread.visitor_id);
        let visitors: BTreeSet<VisitorId> = visitors.collect();
        if !visitors.is_empty() {
            let all = store.visitors_by_ids(portal, &Vec::from_iter(visitors)).await?;
            found.visitors = all.into_iter().map(|visitor| (visitor.id, visitor)).collect();
        }
        Ok(found)
    }

    /// Message, thread and contact, as far as they are wanted and there.
    fn along(&self, item: &Item, links: &Links<'_>) -> Along {
        let (expand, mut along) = (item.subscription.expand, Along::default());
        if expand.message {
            let message = message_id(item).and_then(|id| self.messages.get(&id));
            along.message = message.map(|message| messages::print(message, links));
        }
        let Some(thread) = self.threads.get(&ThreadId(item.event.object_id)) else { return along };
        if expand.thread {
            let mut out = Vec::with_capacity(512);
            threads::print_known(thread, true, &mut out);
            along.thread = Some(out);
        }
        if expand.contact {
            let visitor = self.visitors.get(&thread.visitor_id);
            along.contact = visitor.and_then(|visitor| serde_json::to_vec(&contacts::shown(visitor)).ok());
        }
        along
    }
}

fn message_id(item: &Item) -> Option<MessageId> {
    item.event.payload().message_id.as_deref().and_then(MessageId::parse)
}
