//! Files that messages can name. Their bytes are elsewhere: only where is kept here.

pub mod bytes;
pub mod get;
pub mod links;
pub mod register;

use antiphon_store::File;
use antiphon_wire::id::Id;
use antiphon_wire::own;
use antiphon_wire::timestamp::Timestamp;

fn shown(file: &File) -> own::File {
    own::File {
        id: Id(file.id),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size: file.size,
        url: file.url.clone(),
        created_at: Timestamp(file.created_at),
    }
}
