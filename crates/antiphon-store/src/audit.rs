//! What was done to a portal's settings: who, what, when and from where. It is written with what it tells of, and forgotten after
//! a while. What was done to the server as a whole is kept in the same way, under [`PortalId::SERVER`](crate::PortalId::SERVER).

use crate::Millis;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The order in which it happened; the store's own.
    pub id: [u8; 16],
    pub at: Millis,
    /// `A-71`, `I-4410`, or who else it was.
    pub actor: String,
    /// The operation.
    pub action: String,
    pub address: String,
    /// What it was done to, and how that was and is: JSON, without secrets.
    pub said: String,
}

/// Which of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    pub actor: Option<String>,
    pub action: Option<String>,
    /// Only those that happened before this one.
    pub before: Option<[u8; 16]>,
    pub limit: usize,
}

/// Gives ids to what happens at a moment and leads to a revision of the directory, in this order: of two that are otherwise the
/// same, chance decides.
pub(crate) fn name(all: &mut [Audited], at: Millis, revision: i64) {
    for (ordinal, one) in (0_u8..).zip(all) {
        let mut id = first_at(at);
        let rest = revision.to_be_bytes();
        let chance = uuid::Uuid::new_v4().into_bytes();
        let rest = rest[3..].iter().copied().chain([ordinal]).chain(chance);
        id[6..].iter_mut().zip(rest).for_each(|(to, from)| *to = from);
        one.id = id;
    }
}

/// The first id of a moment: whatever happened before has a smaller one.
pub(crate) fn first_at(at: Millis) -> [u8; 16] {
    let mut id = [0; 16];
    let millis = u64::try_from(at).unwrap_or_default().to_be_bytes();
    id.iter_mut().zip(&millis[2..]).for_each(|(to, from)| *to = *from);
    id
}
