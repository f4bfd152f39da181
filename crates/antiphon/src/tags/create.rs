//! Making a tag.

use antiphon_store::{Directory, DirectoryChange, Moment, Tag, TagId};
use antiphon_wire::work::TagCreate;

use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub color: i64,
}

/// `POST /tags`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let body: TagCreate = call.json()?;
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let color = super::color(&mut checks, body.color).unwrap_or_default();
    checks.done()?;
    let draft = Draft { name, color };
    let changes = directory::change(&call, move |state, moment| {
        Ok(vec![DirectoryChange::Tag(make(&state.directory, &draft, moment)?)])
    });
    let tag = changed!(changes.await?, Tag)?;
    Answer::json(201, &super::shown(&tag)).map(|answer| answer.at(&call, tag.id))
}

/// The rule.
pub fn make(directory: &Directory, draft: &Draft, moment: &mut Moment) -> Result<Tag, Refusal> {
    super::free(directory, &draft.name, None)?;
    if directory.tags().len() >= super::MOST {
        let why =
            format!("There are {} tags already, archived ones included: rename one of those", super::MOST);
        return Err(Refusal::invalid("name", why));
    }
    Ok(Tag {
        id: TagId(moment.subscription_id().0),
        name: draft.name.clone(),
        color: draft.color,
        created_at: moment.now,
        archived_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, NOW};

    #[test]
    fn names_are_taken_once_and_there_is_an_end() {
        let mut directory = Directory::clone(&testing::state().directory);
        let mut moment = Moment::still(NOW);
        let draft = |name: &str| Draft { name: name.into(), color: 3 };
        let vip = make(&directory, &draft("VIP"), &mut moment).unwrap();
        assert_eq!((vip.name.as_str(), vip.color, vip.created_at), ("VIP", 3, NOW));
        directory.put(DirectoryChange::Tag(vip.clone()));
        let refused = make(&directory, &draft("vip"), &mut moment).unwrap_err();
        assert_eq!(testing::named(&refused), ["name"]);
        directory.put(DirectoryChange::Tag(Tag { archived_at: Some(NOW), ..vip }));
        for n in 1..super::super::MOST {
            let tag = make(&directory, &draft(&format!("vip{n}")), &mut moment).unwrap();
            directory.put(DirectoryChange::Tag(tag));
        }
        let refused = make(&directory, &draft("one more"), &mut moment).unwrap_err();
        assert_eq!(testing::named(&refused), ["name"]);
    }
}
