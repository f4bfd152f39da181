//! What roles may do: each has the scopes that a token would need for it.

use antiphon_store::Role;

use crate::operation::Scope;

/// The names of the roles, as they are written.
pub const NAMES: [&str; 3] = ["ADMIN", "AGENT", "READ_ONLY"];

/// As it is written.
pub fn name(role: Role) -> &'static str {
    match role {
        Role::Admin => NAMES[0],
        Role::Agent => NAMES[1],
        Role::ReadOnly => NAMES[2],
    }
}

/// The role of a name.
pub fn named(name: &str) -> Option<Role> {
    [Role::Admin, Role::Agent, Role::ReadOnly].into_iter().find(|role| self::name(*role) == name)
}

/// What a role may do.
pub fn scopes(role: Role) -> &'static [Scope] {
    use Scope::{Admin, Agent, FilesDelete, FilesRead, FilesWrite, Inbound, Read, Write};
    match role {
        Role::Admin => &[Read, Write, Agent, Admin, Inbound, FilesRead, FilesWrite, FilesDelete],
        Role::Agent => &[Read, Write, Agent, Inbound, FilesRead, FilesWrite],
        Role::ReadOnly => &[Read, FilesRead],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_lesser_one_may() {
        let roles = [Role::ReadOnly, Role::Agent, Role::Admin];
        for pair in roles.windows(2) {
            assert!(scopes(pair[0]).iter().all(|scope| scopes(pair[1]).contains(scope)), "{pair:?}");
            assert!(scopes(pair[0]).len() < scopes(pair[1]).len());
        }
        for role in roles {
            assert_eq!(named(name(role)), Some(role));
            assert!(!scopes(role).contains(&Scope::Operator), "{role:?}");
        }
        assert_eq!(named("admin"), None);
    }
}
