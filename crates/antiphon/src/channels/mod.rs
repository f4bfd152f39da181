//! Channels: the ways in which people can be reached. The built-in ones are the same in every portal.

pub mod get;
pub mod list;

use antiphon_wire::channel::{BUILT_IN, Channel};
use antiphon_wire::id::Id;

use crate::listing::{Key, Listed};

/// Every channel of a portal, by id.
fn all() -> Vec<Channel> {
    BUILT_IN.iter().map(|(id, name)| Channel { id: Id(*id), name: (*name).to_owned() }).collect()
}

impl Listed for Channel {
    fn id(&self) -> i64 {
        self.id.0
    }

    fn key(&self, field: &str) -> Option<Key> {
        match field {
            "id" => Some(Key::Number(self.id.0)),
            "name" => Some(Key::text(&self.name)),
            _ => None,
        }
    }
}
