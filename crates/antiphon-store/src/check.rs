//! What a check of the store finds, whichever engine is checked.

use std::fmt;

use crate::secrets::{Seals, StoredKey, is_sealed};
use crate::{AppId, KeySource, Kind, PortalId, Usage};

/// More findings than this tell nobody more.
pub(crate) const MOST: usize = 100;

/// Something that is not as it was written. It displays as one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: Invariant,
    /// What is wrong, and where.
    pub what: String,
    /// Whether it is in a data directory, rather than in PostgreSQL.
    pub embedded: bool,
}

/// What always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invariant {
    /// The file is one that the engine has written.
    File,
    /// A thread has the entries that it counts, and every entry has a thread.
    Entries,
    /// Every document is complete.
    Documents,
    /// No document is in a format that is not known yet.
    Formats,
    /// Events are numbered without a gap, up to the portal's counter; those that were first may be gone.
    Events,
    /// A portal holds what it is said to hold.
    Usage,
    /// As many threads of each kind are counted as there are, and lists find each where it is.
    Counts,
    /// No id or number is in use twice, or will be given out again.
    Ids,
    /// The master key is where the next start looks for it.
    Key,
    /// Nobody but those who serve the store can read the master key's file.
    KeyFile,
    /// Every secret is sealed, and opens.
    Sealed,
    /// What agents' authenticators share opens.
    Authenticators,
}

impl Invariant {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Entries => "entries",
            Self::Documents => "documents",
            Self::Formats => "formats",
            Self::Events => "events",
            Self::Usage => "usage",
            Self::Counts => "counts",
            Self::Ids => "ids",
            Self::Key => "key",
            Self::KeyFile => "keyFile",
            Self::Sealed => "sealed",
            Self::Authenticators => "authenticators",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.invariant {
            Invariant::Formats => "a newer antiphon wrote it, so upgrade this binary",
            Invariant::Key => "put the store's own key there before the next start, which fails without it",
            Invariant::KeyFile => {
                "take that away with `chmod 600`, and if somebody may have read it, stop every server and run \
                 `antiphon key replace`"
            }
            Invariant::Sealed => {
                "stop every server and run `antiphon key replace`, which seals everything anew, and makes another where \
                 something does not open"
            }
            Invariant::Authenticators => {
                "end it with `DELETE /antiphon/v1/agents/{agentId}/totp`, and have them set up another; until then only their \
                 recovery codes let them in"
            }
            _ if !self.embedded => {
                "stop the servers, keep a copy of the database, and put the newest backup into a new one"
            }
            _ => {
                "stop the server, keep a copy of its data directory, and put the newest backup into an empty one with \
                 `antiphon restore`"
            }
        };
        write!(f, "{}; {advice}", self.what)
    }
}

/// What is found, up to a bound.
#[derive(Debug)]
pub(crate) struct Findings {
    pub found: Vec<Finding>,
    /// Whether it is a data directory that is checked.
    pub embedded: bool,
}

/// What is sealed, as it is stored.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// The check of the master key.
    pub check: Option<String>,
    /// Apps with their secrets and those before.
    pub apps: Vec<(AppId, String, Option<String>)>,
    pub keys: Vec<StoredKey>,
    /// Agents with what their authenticators share.
    pub authenticators: Vec<Authenticator>,
}

/// A portal, an agent, what their authenticator shares, and what one would share that they have asked for.
pub(crate) type Authenticator = (i64, i64, Option<String>, Option<String>);

/// What the entries of a thread look like.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub there: i64,
    /// Not where they should be.
    pub strange: i64,
    /// In a format that is not known.
    pub newer: i64,
    /// Whose document is not complete.
    pub torn: i64,
}

impl Findings {
    pub(crate) fn add(&mut self, invariant: Invariant, what: String) {
        if self.found.len() < MOST {
            self.found.push(Finding { invariant, what, embedded: self.embedded });
        }
    }

    /// Holds a thread's entries against what it counts, unless they are being erased.
    pub(crate) fn thread(&mut self, portal: i64, id: i64, counted: Option<i64>, entries: &Entries) {
        let Entries { there, strange, newer, torn } = entries;
        let thread = format!("thread {id} of portal {portal}");
        match counted {
            Some(counted) if counted != *there => {
                self.add(Invariant::Entries, format!("{thread} counts {counted} entries and has {there}"));
            }
            _ if *strange > 0 => {
                self.add(Invariant::Entries, format!("{strange} entries of {thread} are out of place"));
            }
            _ => {}
        }
        if *torn > 0 {
            self.add(Invariant::Documents, format!("{torn} entries of {thread} cannot be read"));
        }
        if *newer > 0 {
            let what = format!("{newer} entries of {thread} are in a format that is not known");
            self.add(Invariant::Formats, what);
        }
    }

    /// Holds the master key, as the next start finds it, and what is sealed against the key that seals.
    pub(crate) fn sealed(&mut self, seals: &Seals, source: &KeySource, stored: &Sealed) {
        if let Some(what) = source.flaw(stored.check.as_deref()) {
            self.add(Invariant::Key, what);
        }
        if let Some(what) = source.open_to_others() {
            self.add(Invariant::KeyFile, what);
        }
        for (app, secret, former) in &stored.apps {
            for (name, stored) in [("client secret", Some(secret)), ("former client secret", former.as_ref())]
            {
                let Some(stored) = stored else { continue };
                if !is_sealed(stored) {
                    self.add(Invariant::Sealed, format!("the {name} of app {} is stored in clear", app.0));
                } else if seals.open_secret(*app, stored.clone()).is_err() {
                    self.add(Invariant::Sealed, format!("the {name} of app {} does not open", app.0));
                }
            }
        }
        for (id, value, _, _) in &stored.keys {
            if seals.open_key(*id, value).is_err() {
                self.add(Invariant::Sealed, format!("signing key {id} does not open"));
            }
        }
        for (portal, agent, shared, asked) in &stored.authenticators {
            let of = (PortalId(*portal), *agent);
            if [shared, asked].into_iter().flatten().any(|stored| !seals.opens_totp(of, stored)) {
                let what = format!("the authenticator of agent {agent} of portal {portal} does not open");
                self.add(Invariant::Authenticators, what);
            }
        }
    }

    /// A counter that stands on or before an id that is in use.
    pub(crate) fn id_again(&mut self, portal: i64, table: &str) {
        self.add(Invariant::Ids, format!("portal {portal} would give out ids of its {table} again"));
    }

    /// Events of a portal: its counter, how many there are, and the first and the last position.
    pub(crate) fn events(&mut self, portal: i64, counter: Option<i64>, count: i64, first: i64, last: i64) {
        let what = match counter {
            None => format!("portal {portal} has no counters"),
            Some(_) if first < 1 || last - first + 1 != count => {
                format!("the {count} events of portal {portal} are not those from {first} to {last}")
            }
            Some(counter) if counter != last => {
                format!("portal {portal} counts {counter} events and has {last}")
            }
            Some(_) => return,
        };
        self.add(Invariant::Events, what);
    }

    /// Threads of a kind are counted wrongly.
    pub(crate) fn count(&mut self, portal: i64, kind: &Kind, counted: i64, there: i64) {
        let Kind { tag, state, inbox, account, assigned_to } = kind;
        let tagged = tag.map_or(String::new(), |tag| format!(" with tag {tag}"));
        let whose = assigned_to.as_deref().unwrap_or("nobody");
        let what = format!(
            "portal {portal} counts {counted} threads{tagged} as {state:?} in inbox {inbox} on account {account} of {whose} and \
             has {there}"
        );
        self.add(Invariant::Counts, what);
    }

    /// Some threads are not where lists of a tag look for them.
    pub(crate) fn untagged(&mut self, portal: i64, count: i64) {
        let what =
            format!("{count} threads of portal {portal} are not where lists of their tags look for them");
        self.add(Invariant::Counts, what);
    }

    /// Holds what a portal holds against what it counts.
    pub(crate) fn usage(&mut self, portal: i64, counted: Usage, held: Usage) {
        if counted != held {
            let told = |usage: Usage| {
                format!("{} threads, {} messages and {} bytes", usage.threads, usage.messages, usage.bytes)
            };
            let what = format!("portal {portal} counts {} and has {}", told(counted), told(held));
            self.add(Invariant::Usage, what);
        }
    }
}

/// Tables with ids, and the counters that give them out.
pub(crate) const COUNTED: [(&str, &str); 13] = [
    ("next_thread", "threads"),
    ("next_visitor", "visitors"),
    ("next_ticket", "tickets"),
    ("next_file", "files"),
    ("next_file", "folders"),
    ("next_inbox", "inboxes"),
    ("next_account", "accounts"),
    ("next_actor", "actors"),
    ("next_subscription", "subscriptions"),
    ("next_subscription", "journal_subscriptions"),
    ("next_subscription", "grants"),
    ("next_subscription", "tags"),
    ("next_subscription", "views"),
];
