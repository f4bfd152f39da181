//! Taking a channel away. Its accounts work no more; what was said on it stays readable.

use antiphon_store::{Channel, DirectoryChange};

use crate::call::{Answer, Call};
use crate::directory;
use crate::refusal::Refusal;

/// `DELETE /{channelId}`: one that is archived already stays as it is.
pub async fn archive(call: Call) -> Result<Answer, Refusal> {
    let (caller, sent) = (call.caller.clone(), call.segment(0).to_owned());
    directory::change(&call, move |state, moment| {
        let known =
            super::known(&state.directory, &caller, &sent).ok_or_else(|| Refusal::not_found(&sent))?;
        let archived_at = known.archived_at.or(Some(moment.now));
        Ok(vec![DirectoryChange::Channel(Channel { archived_at, ..known.clone() })])
    })
    .await?;
    Ok(Answer::none())
}
