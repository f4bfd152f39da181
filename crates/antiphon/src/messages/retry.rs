//! A message that failed, sent once more.

use antiphon_store::{AccountId, Changes, DeskKey, Direction, Moment, Replacement, State, Target};
use antiphon_wire::message::{self as wire, StatusType};
use antiphon_wire::timestamp::Timestamp;

use super::post::delivery;
use crate::accounts::is_active;
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::files::links::Links;
use crate::refusal::Refusal;
use crate::threads::{found, path, thread_id};

/// `POST /threads/{threadId}/messages/{messageId}/retry`
pub async fn retry(call: Call) -> Result<Answer, Refusal> {
    let (thread, id) = (thread_id(&call)?, super::message_id(&call)?);
    let named = [path(&call, 0).to_owned(), path(&call, 1).to_owned()];
    // Read once the thread is locked, so that of two who try again only one does.
    let key = DeskKey { message: Some(id), ..DeskKey::of(thread, "") };
    let rule = move |state: &State, moment: &mut Moment| try_again(state, &named, moment);
    let (store, portal) = (&call.app.store, call.caller.portal());
    store.change(portal, Target::Desk(Box::new(key)), rule).await??;
    let stored = store.message_by_id(portal, thread, id).await?;
    let stored = stored.ok_or_else(|| Refusal::not_found(id))?;
    Ok(Answer::ok(super::print(&stored, &Links::of(&call))))
}

/// The rule. The message stays the one it is, where it is; whoever carries it is told of it anew. `named` are thread and message
/// as the client named them.
pub fn try_again(state: &State, named: &[String; 2], moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&named[0]))?;
    let stored = state.desk.as_deref().and_then(|desk| desk.message.as_ref());
    let (_, stored) = stored.ok_or_else(|| Refusal::not_found(&named[1]))?;
    let mut message = wire::read(&stored.document.bytes)
        .ok_or_else(|| Refusal::Internal(format!("message {} cannot be read", stored.id)))?;
    let failed = message.status.as_ref().is_some_and(|status| status.status_type == StatusType::Failed);
    if stored.direction != Some(Direction::Outgoing) || !failed {
        return Err(Refusal::Conflict("Only a message that was not delivered is sent again.".into()));
    }
    let directory = &*state.directory;
    let account = message.channel_account_id.and_then(|id| directory.account(AccountId(id.0)));
    let works = |account: &&antiphon_store::Account| {
        account.archived_at.is_none() && account.authorized && is_active(directory, account)
    };
    let Some(account) = account.filter(works) else {
        let why = "The channel account of the message is archived, switched off or not authorized.";
        return Err(Refusal::Conflict(why.into()));
    };
    let status = delivery(directory, account);
    if status.status_type == StatusType::Failed {
        let why = status.failure_details.and_then(|details| details.error_message);
        return Err(Refusal::Conflict(why.unwrap_or_default()));
    }
    message.status = Some(status);
    message.updated_at = Some(Timestamp(moment.now.max(message.created_at.0)));
    let document = super::document(&message);
    let carrier = directory.channel(account.channel_id).filter(|channel| directory.tells(channel.id));
    let carrier = carrier.map(|channel| (channel, account.id));
    Ok(Changes {
        replaced: vec![Replacement { thread_id: thread.id, message_id: stored.id, document }],
        events: vec![kinds::message_retried(thread.id, moment.now, stored.id, carrier)],
        ..Changes::default()
    })
}

#[cfg(test)]
mod tests {
    use antiphon_store::{Desk, MessageKind, Position, StoredMessage};
    use antiphon_wire::message::Status;
    use serde_json::json;

    use super::*;
    use crate::messages::post::tests::letter;
    use crate::testing::{self, INACTIVE, NOW, UNSERVED};

    /// A letter that was sent from an account, and is in some state since.
    fn sent(account: AccountId, status: Option<Status>) -> State {
        let mut state = testing::state();
        let posted = crate::messages::post::post_message(&state, &letter(json!({})), &mut Moment::still(NOW));
        let new = posted.unwrap().messages.remove(0);
        let mut message = wire::read(&new.document.bytes).unwrap();
        message.channel_account_id = Some(account.0.into());
        let direction = status.as_ref().map(|_| Direction::Outgoing);
        message.status = status;
        let stored = StoredMessage {
            id: new.id,
            kind: MessageKind::Message,
            direction,
            document: crate::messages::document(&message),
            archived: false,
        };
        state.desk = Some(Box::new(Desk { message: Some((Position(2), stored)), ..Desk::default() }));
        state
    }

    fn again(state: &State) -> Result<Changes, Refusal> {
        try_again(state, &["55".into(), "m".into()], &mut Moment::still(NOW + 5))
    }

    #[test]
    fn what_failed_is_sent_once_more() {
        let state = sent(testing::MAIL, Some(Status::failed("The mailbox is full")));
        let changes = again(&state).unwrap();
        let message = wire::read(&changes.replaced[0].document.bytes).unwrap();
        assert_eq!(message.status, Some(Status::of(StatusType::Sent)));
        assert_eq!((message.created_at.0, message.updated_at.unwrap().0), (NOW, NOW + 5));
        assert_eq!(testing::events(&changes), ["(retried)"]);
        assert!(changes.messages.is_empty() && changes.threads.is_empty());
    }

    #[test]
    fn nothing_else_is() {
        for (account, status) in [
            (testing::MAIL, Some(Status::of(StatusType::Sent))),
            (testing::MAIL, Some(Status::of(StatusType::Read))),
            (testing::MAIL, None),
            (INACTIVE, Some(Status::failed("x"))),
            (testing::ARCHIVED, Some(Status::failed("x"))),
            (testing::UNAUTHORIZED, Some(Status::failed("x"))),
            (UNSERVED, Some(Status::failed("x"))),
            (AccountId(9), Some(Status::failed("x"))),
        ] {
            let refused = again(&sent(account, status.clone()));
            assert!(matches!(refused, Err(Refusal::Conflict(_))), "{account} {status:?}: {refused:?}");
        }
        let mut state = sent(testing::MAIL, Some(Status::failed("x")));
        state.thread.as_mut().unwrap().archived_at = Some(1);
        assert_eq!(again(&state), Err(Refusal::not_found("55")));
        let mut state = sent(testing::MAIL, Some(Status::failed("x")));
        state.desk = Some(Box::default());
        assert_eq!(again(&state), Err(Refusal::not_found("m")));
    }
}
