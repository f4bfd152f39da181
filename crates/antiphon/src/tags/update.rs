//! Changing, archiving and restoring a tag.

use antiphon_store::{Directory, DirectoryChange, Millis, Tag, TagId};
use antiphon_wire::work::TagPatch;

use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is to become of a tag. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub color: Option<i64>,
    pub archived: Option<bool>,
}

/// `PATCH /tags/{tagId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let id = super::tag_id(&call)?;
    let body: TagPatch = call.json()?;
    let mut checks = Checks::default();
    let name = checks.name("name", body.name);
    let color = super::color(&mut checks, body.color);
    checks.done()?;
    let tag = change(&call, id, Edit { name, color, archived: body.archived }).await?;
    Answer::json(200, &super::shown(&tag))
}

/// `DELETE /tags/{tagId}`
pub async fn archive(call: Call) -> Result<Answer, Refusal> {
    let id = super::tag_id(&call)?;
    change(&call, id, Edit { archived: Some(true), ..Edit::default() }).await?;
    Ok(Answer::none())
}

async fn change(call: &Call, id: TagId, edit: Edit) -> Result<Tag, Refusal> {
    directory::change(call, move |state, moment| {
        Ok(vec![DirectoryChange::Tag(edited(&state.directory, id, &edit, moment.now)?)])
    })
    .await?;
    let directory = directory::now(call).await?;
    directory.tags().get(&id).map(|tag| Tag::clone(tag)).ok_or_else(|| Refusal::not_found(id))
}

/// The rule. A tag that comes back needs its name for itself.
pub fn edited(directory: &Directory, id: TagId, edit: &Edit, now: Millis) -> Result<Tag, Refusal> {
    let old = directory.tags().get(&id).ok_or_else(|| Refusal::not_found(id))?;
    let mut tag = Tag::clone(old);
    tag.name = edit.name.clone().unwrap_or(tag.name);
    tag.color = edit.color.unwrap_or(tag.color);
    match edit.archived {
        Some(true) => tag.archived_at = tag.archived_at.or(Some(now)),
        Some(false) => tag.archived_at = None,
        None => {}
    }
    if tag.archived_at.is_none() {
        super::free(directory, &tag.name, Some(id))?;
    }
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn a_tag_goes_and_comes_back_with_a_name_of_its_own() {
        let mut directory = Directory::clone(&testing::state().directory);
        let tag = |id, name: &str| Tag {
            id: TagId(id),
            name: name.into(),
            color: 0,
            created_at: 1,
            archived_at: None,
        };
        directory.put(DirectoryChange::Tag(tag(1, "VIP")));
        let archive = Edit { archived: Some(true), ..Edit::default() };
        let gone = edited(&directory, TagId(1), &archive, NOW).unwrap();
        assert_eq!(gone.archived_at, Some(NOW));
        directory.put(DirectoryChange::Tag(gone.clone()));
        assert_eq!(edited(&directory, TagId(1), &archive, NOW + 1).unwrap(), gone, "a repeat is nothing");
        directory.put(DirectoryChange::Tag(tag(2, "vip")));
        let restore = Edit { archived: Some(false), ..Edit::default() };
        let refused = edited(&directory, TagId(1), &restore, NOW).unwrap_err();
        assert_eq!(testing::named(&refused), ["name"]);
        let renamed = Edit { name: Some("Gold".into()), color: Some(2), ..restore };
        let back = edited(&directory, TagId(1), &renamed, NOW).unwrap();
        assert_eq!((back.name.as_str(), back.color, back.archived_at), ("Gold", 2, None));
        assert_eq!(edited(&directory, TagId(9), &archive, NOW), Err(Refusal::not_found(9)));
    }
}
