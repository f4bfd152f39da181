//! Changing, archiving and restoring an inbox.

use antiphon_store::{Directory, DirectoryChange, Inbox, InboxId, InboxKind, Millis};
use antiphon_wire::inbox::InboxType;
use antiphon_wire::own::InboxPatch;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of an inbox. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub kind: Option<InboxKind>,
    pub assign_on_reply: Option<bool>,
    pub archived: Option<bool>,
}

/// `PATCH /inboxes/{inboxId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::inbox_id(&call)?;
    let edit = read(call.json()?)?;
    let inbox = change(&call, id, edit).await?;
    Answer::json(200, &super::settings(&inbox))
}

/// `DELETE /inboxes/{inboxId}`
pub async fn archive(call: Call) -> Result<Answer, Refusal> {
    let id = super::inbox_id(&call)?;
    change(&call, id, Edit { archived: Some(true), ..Edit::default() }).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, id: InboxId, edit: Edit) -> Result<Inbox, Refusal> {
    directory::change(call, move |state, moment| {
        Ok(vec![DirectoryChange::Inbox(edited(&state.directory, id, &edit, moment.now)?)])
    })
    .await?;
    directory::now(call).await?.inbox(id).cloned().ok_or_else(|| Refusal::not_found(id))
}

fn read(body: InboxPatch) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let name = checks.name("name", body.name);
    let kind = body.kind.and_then(|kind| checks.take(InboxType::read("type", &kind)));
    checks.done()?;
    let kind = kind.map(super::kind_stored);
    Ok(Edit { name, kind, assign_on_reply: body.assign_on_reply, archived: body.archived })
}

/// Most channel accounts that a refusal names.
const NAMED: usize = 20;

/// The rule. An inbox that accounts still feed cannot go: what arrived there would land nowhere.
pub fn edited(directory: &Directory, id: InboxId, edit: &Edit, now: Millis) -> Result<Inbox, Refusal> {
    let old = directory.inbox(id).ok_or_else(|| Refusal::not_found(id))?;
    let mut inbox = old.clone();
    inbox.name = edit.name.clone().unwrap_or(inbox.name);
    inbox.kind = edit.kind.unwrap_or(inbox.kind);
    inbox.assign_on_reply = edit.assign_on_reply.unwrap_or(inbox.assign_on_reply);
    match edit.archived {
        Some(true) => {
            let fed_by = directory.accounts_of(id).take(NAMED);
            let fed_by: Vec<_> = fed_by.map(|account| account.to_string()).collect();
            if !fed_by.is_empty() {
                let message = format!(
                    "Inbox {id} is fed by channel accounts {}; archive or move them first",
                    fed_by.join(", ")
                );
                return Err(Refusal::invalid("archived", message));
            }
            inbox.archived_at = inbox.archived_at.or(Some(now));
        }
        Some(false) => inbox.archived_at = None,
        None => {}
    }
    if inbox != *old {
        inbox.updated_at = now;
    }
    Ok(inbox)
}

#[cfg(test)]
mod tests {
    use antiphon_store::Account;

    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn an_inbox_that_is_fed_stays() {
        let mut directory = Directory::clone(&testing::state().directory);
        let id = InboxId(640);
        let archive = Edit { archived: Some(true), ..Edit::default() };
        let refused = edited(&directory, id, &archive, NOW).unwrap_err();
        assert_eq!(testing::status(&refused), 400);
        let fed_by: Vec<_> = directory.accounts_of(id).collect();
        for account in fed_by {
            let account = directory.account(account).unwrap().clone();
            directory.put(DirectoryChange::Account(Account { archived_at: Some(1), ..account }));
        }
        let archived = edited(&directory, id, &archive, NOW).unwrap();
        assert_eq!((archived.archived_at, archived.updated_at), (Some(NOW), NOW));
        directory.put(DirectoryChange::Inbox(archived.clone()));
        assert_eq!(edited(&directory, id, &archive, NOW + 1).unwrap(), archived, "a repeat is nothing");
        let restore = Edit { archived: Some(false), name: Some("Care".into()), ..Edit::default() };
        let restored = edited(&directory, id, &restore, NOW + 2).unwrap();
        assert_eq!((restored.archived_at, restored.name.as_str()), (None, "Care"));
        assert_eq!(edited(&directory, InboxId(9999), &archive, NOW), Err(Refusal::not_found(9999)));
    }
}
