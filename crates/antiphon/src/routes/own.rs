//! `/antiphon/v1`: what HubSpot offers no call for.

use crate::operation::{Operation, Payload, Scope, Verb, shape};
use crate::{backups, door};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Post, "/backups", "backups.make", door!(backups::make))
        .scope(Scope::Operator)
        .says("Write a backup of the whole store")
        .takes(shape::<backups::BackupRequest>)
        .gives(201, Payload::One(shape::<backups::BackupMade>)),
    Operation::own(Verb::Get, "/backups", "backups.progress", door!(backups::progress))
        .scope(Scope::Operator)
        .says("How far the running backup is")
        .gives(200, Payload::One(shape::<backups::BackupProgress>)),
    Operation::own(Verb::Get, "/status", "store.status", door!(backups::status))
        .scope(Scope::Operator)
        .says("The figures of the store")
        .gives(200, Payload::One(shape::<backups::StoreFigures>)),
];
