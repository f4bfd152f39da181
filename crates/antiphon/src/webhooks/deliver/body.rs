//! The body of a request: the events of a batch as a JSON array.

use antiphon_store::{AppId, MessageId, PortalId, ThreadId};
use antiphon_wire::events::{Along, Telling};

use super::queue::Item;
use crate::app::App;
use crate::files::links::Links;
use crate::webhooks::event_id::event_id;
use crate::{contacts, messages, threads};

/// Prints a batch. Whatever a subscription wants besides ids is looked up now; what is gone by now is left out.
pub async fn print(app: &App, portal: PortalId, told: AppId, batch: &[Item]) -> Vec<u8> {
    let mut body = Vec::with_capacity(384 * batch.len() + 2);
    body.push(b'[');
    for (index, item) in batch.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        let telling = Telling {
            event_id: event_id(item.key()),
            subscription_id: item.subscription.id.0,
            portal_id: portal.0,
            app_id: told.0,
            attempt_number: item.attempts,
        };
        let along = along(app, portal, item).await;
        item.event.printed().print(&telling, &along, &mut body);
    }
    body.push(b']');
    body
}

/// Message, thread and contact, as far as they are wanted and there.
async fn along(app: &App, portal: PortalId, item: &Item) -> Along {
    let (store, expand) = (&app.store, item.subscription.expand);
    let id = ThreadId(item.event.object_id);
    let mut along = Along::default();
    if expand.message
        && let Some(message) = item.event.payload().message_id.as_deref().and_then(MessageId::parse)
        && let Ok(Some(message)) = store.message_by_id(portal, id, message).await
    {
        along.message = Some(messages::print(&message, &Links::new(app, &app.public_url)));
    }
    if (expand.thread || expand.contact)
        && let Ok(Some(thread)) = store.thread_by_id(portal, id).await
    {
        if expand.thread {
            let mut out = Vec::with_capacity(512);
            threads::print_known(&thread, true, &mut out);
            along.thread = Some(out);
        }
        if expand.contact
            && let Ok(visitors) = store.visitors_by_ids(portal, &[thread.visitor_id]).await
        {
            along.contact =
                visitors.first().and_then(|visitor| serde_json::to_vec(&contacts::shown(visitor)).ok());
        }
    }
    along
}
