//! Tags: what threads are marked with, so that they are found again. Set up by whoever works with threads.

pub mod create;
pub mod list;
pub mod update;

use antiphon_store::{Directory, Tag, TagId};
use antiphon_wire::id::{Id, MAX_INT32, parse_path_id};
use antiphon_wire::timestamp::Timestamp;
use antiphon_wire::work::{self as wire, TagColor};

use crate::call::Call;
use crate::checks::Checks;
use crate::listing::{Key, Listed};
use crate::refusal::Refusal;

/// Most tags of a portal, archived ones included.
const MOST: usize = 500;

/// The id in the path; one that cannot be a tag's is the same as an unknown one.
fn tag_id(call: &Call) -> Result<TagId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_INT32).map(TagId).ok_or_else(|| Refusal::not_found(sent))
}

fn shown(tag: &Tag) -> wire::Tag {
    wire::Tag {
        id: Id(tag.id.0),
        name: tag.name.clone(),
        color: color_shown(tag.color),
        archived: tag.archived_at.is_some(),
        created_at: Timestamp(tag.created_at),
    }
}

fn color_shown(color: i64) -> TagColor {
    let at = usize::try_from(color).unwrap_or_default();
    TagColor::ALL.get(at).copied().unwrap_or(TagColor::Gray)
}

fn color_stored(color: TagColor) -> i64 {
    color as i64
}

/// A color that a body names.
fn color(checks: &mut Checks, sent: Option<String>) -> Option<i64> {
    checks.take(TagColor::read("color", &sent?)).map(color_stored)
}

/// Refuses a name that another living tag has, however it is written.
fn free(directory: &Directory, name: &str, but: Option<TagId>) -> Result<(), Refusal> {
    let same = |tag: &Tag| tag.archived_at.is_none() && tag.name.to_lowercase() == name.to_lowercase();
    match directory.tags().iter().find(|tag| Some(tag.id) != but && same(tag)) {
        Some(tag) => Err(Refusal::invalid("name", format!("Tag {} is called that already", tag.id))),
        None => Ok(()),
    }
}

impl Listed for Tag {
    fn id(&self) -> i64 {
        self.id.0
    }

    fn key(&self, field: &str) -> Option<Key> {
        Some(match field {
            "id" => Key::Number(self.id.0),
            "name" => Key::text(&self.name),
            "color" => Key::text(color_shown(self.color).as_str()),
            "createdAt" => Key::Number(self.created_at),
            "archived" => Key::Flag(self.archived_at.is_some()),
            _ => return None,
        })
    }
}
