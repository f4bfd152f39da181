//! Channels: the ways in which people can be reached. The built-in ones are the same in every portal.

pub mod get;
pub mod list;

use antiphon_store::Directory;
use antiphon_wire::channel::{BUILT_IN, Channel};
use antiphon_wire::id::Id;

use crate::listing::{Key, Listed};

/// Every channel of a portal, by id: the built-in ones, and those that apps bring.
fn all(directory: &Directory) -> Vec<Channel> {
    let built_in = BUILT_IN.iter().map(|(id, name)| Channel { id: Id(*id), name: (*name).to_owned() });
    let own = directory.channels(false).iter().map(AsRef::as_ref);
    let brought = own.chain(directory.guests_channels());
    let brought = brought.map(|one| Channel { id: Id(one.id), name: one.name.clone() });
    let mut all: Vec<_> = built_in.chain(brought).collect();
    all.sort_by_key(|one| one.id.0);
    all
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
