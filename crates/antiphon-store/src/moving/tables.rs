//! The tables of a store as both engines have them. What only one of them has is derived from the rest, or made anew.

use super::row::Kind::{self, *};

/// A table whose rows belong to portals.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    /// The column with the portal's id.
    pub owner: &'static str,
    /// How many of the columns name a row within its portal. They are the order in which rows are read. A table without
    /// any has one row per portal.
    pub key: usize,
    pub columns: &'static [(&'static str, Kind)],
    /// How a row says which thread it belongs to, for the engine that knows threads by numbers.
    pub thread: Of,
    /// Whether PostgreSQL keeps in every row at which revision of the directory it was written.
    pub in_directory: bool,
}

/// Which column leads to a thread that may be known by another number elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// None does.
    Nothing,
    /// The first one is its id, and the row is where its number is kept.
    Thread,
    /// The first one is the key of one of its entries.
    Entry,
}

impl Table {
    /// Names of all columns but the portal's.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(name, _)| *name).collect()
    }

    /// Names of the columns of the key.
    pub(crate) fn keys(&self) -> Vec<&'static str> {
        self.columns.iter().take(self.key).map(|(name, _)| *name).collect()
    }
}

const fn table(name: &'static str, key: usize, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, owner: "portal_id", key, columns, thread: Of::Nothing, in_directory: false }
}

const fn of(thread: Of, table: Table) -> Table {
    Table { thread, ..table }
}

const fn in_directory(table: Table) -> Table {
    Table { in_directory: true, ..table }
}

/// Every table, in the order in which they are written: a row's thread, and a directory's portal, come before it.
pub(crate) static TABLES: [Table; 48] = [
    Table {
        owner: "id",
        ..table(
            "portals",
            0,
            &[
                ("name", Text),
                ("time_zone", Text),
                ("quota_messages", Int),
                ("quota_bytes", Int),
                ("created_at", Int),
                ("revision", Int),
                ("currency", Text),
                ("account_type", Text),
            ],
        )
    },
    // What PostgreSQL tallies in parts is one sum here.
    table(
        "counters",
        0,
        &[
            ("next_thread", Int),
            ("next_visitor", Int),
            ("next_ticket", Int),
            ("next_file", Int),
            ("next_inbox", Int),
            ("next_account", Int),
            ("next_actor", Int),
            ("threads", Int),
            ("messages", Int),
            ("bytes", Int),
            ("event_position", Int),
            ("latest_now", Int),
            ("next_subscription", Int),
        ],
    ),
    in_directory(table(
        "apps",
        1,
        &[
            ("id", Int),
            ("name", Text),
            ("avatar", Text),
            ("client_secret", Text),
            ("developer_key", Text),
            ("active", Bool),
            ("created_at", Int),
            ("old_secret", Text),
            ("old_secret_until", Int),
            ("old_key", Text),
            ("old_key_until", Int),
            ("told", Int),
            ("user_id", Int),
        ],
    )),
    in_directory(table(
        "tokens",
        1,
        &[
            ("hash", Bytes),
            ("app_id", Int),
            ("label", Text),
            ("scopes", Text),
            ("created_at", Int),
            ("expires_at", Int),
            ("revoked_at", Int),
            ("grant_id", Int),
            ("deleted_at", Int),
        ],
    )),
    in_directory(table(
        "inboxes",
        1,
        &[
            ("id", Int),
            ("name", Text),
            ("kind", Int),
            ("assign_on_reply", Bool),
            ("created_at", Int),
            ("updated_at", Int),
            ("archived_at", Int),
        ],
    )),
    in_directory(table(
        "accounts",
        1,
        &[
            ("id", Int),
            ("channel_id", Int),
            ("inbox_id", Int),
            ("name", Text),
            ("active", Bool),
            ("authorized", Bool),
            ("identifier_kind", Text),
            ("identifier_value", Text),
            ("adapter", Int),
            ("welcome", Text),
            ("created_at", Int),
            ("archived_at", Int),
            ("deleted_at", Int),
            ("chat", Text),
        ],
    )),
    in_directory(table(
        "actors",
        2,
        &[
            ("kind", Int),
            ("id", Int),
            ("name", Text),
            ("email", Text),
            ("avatar", Text),
            ("active", Bool),
            ("created_at", Int),
        ],
    )),
    table(
        "visitors",
        1,
        &[
            ("id", Int),
            ("contact", Bool),
            ("name", Text),
            ("email", Text),
            ("email_key", Text),
            ("phone", Text),
            ("avatar", Text),
            ("created_at", Int),
            ("updated_at", Int),
            ("revision", Int),
        ],
    ),
    table("identities", 3, &[("account_id", Int), ("kind", Text), ("value", Text), ("visitor_id", Int)]),
    table("tickets", 1, &[("id", Int), ("subject", Text), ("created_at", Int), ("revision", Int)]),
    table(
        "files",
        1,
        &[
            ("id", Int),
            ("name", Text),
            ("media_type", Text),
            ("size", Int),
            ("url", Text),
            ("created_at", Int),
            ("revision", Int),
            ("extension", Text),
            ("access", Int),
            ("listed", Bool),
            ("folder_id", Int),
            ("blob", Bytes),
            ("md5", Text),
            ("encoding", Text),
            ("width", Int),
            ("height", Int),
            ("usable", Bool),
            ("source", Int),
            ("updated_at", Int),
            ("archived_at", Int),
            ("expires_at", Int),
            ("erased_at", Int),
            ("name_key", Text),
        ],
    ),
    table(
        "folders",
        1,
        &[
            ("id", Int),
            ("parent_id", Int),
            ("name", Text),
            ("created_at", Int),
            ("updated_at", Int),
            ("archived_at", Int),
            ("name_key", Text),
        ],
    ),
    table("blobs", 1, &[("sha", Bytes), ("object", Text), ("size", Int), ("tombstone_at", Int)]),
    table(
        "file_tasks",
        1,
        &[
            ("id", Text),
            ("kind", Int),
            ("status", Int),
            ("body", Text),
            ("requested_at", Int),
            ("started_at", Int),
            ("completed_at", Int),
            ("leased_until", Int),
            ("object_id", Int),
            ("errors", Text),
        ],
    ),
    of(
        Of::Thread,
        table(
            "threads",
            1,
            &[
                ("id", Int),
                ("inbox_id", Int),
                ("population", Int),
                ("channel_id", Int),
                ("account_id", Int),
                ("visitor_id", Int),
                ("spam", Bool),
                ("assigned_to", Text),
                ("ticket_id", Int),
                ("created_at", Int),
                ("closed_at", Int),
                ("archived_at", Int),
                ("latest_message_at", Int),
                ("latest_sent_at", Int),
                ("latest_received_at", Int),
                ("latest_message_id", Bytes),
                ("latest_entry_at", Int),
                ("entries", Int),
                ("revision", Int),
                ("subject", Text),
                ("snoozed_until", Int),
                ("tags", Text),
                ("preview", Text),
            ],
        ),
    ),
    of(Of::Thread, table("purges", 1, &[("thread_id", Int)])),
    table("thread_keys", 2, &[("account_id", Int), ("key", Text), ("thread_id", Int)]),
    table(
        "idempotency_keys",
        2,
        &[("account_id", Int), ("key", Text), ("thread_id", Int), ("message_id", Bytes)],
    ),
    of(
        Of::Entry,
        table(
            "messages",
            1,
            &[
                ("key", Int),
                ("id", Bytes),
                ("kind", Small),
                ("direction", Small),
                ("created_at", Int),
                ("format", Small),
                ("doc", Bytes),
                ("holes", Bytes),
            ],
        ),
    ),
    of(Of::Entry, table("originals", 1, &[("message", Int), ("body", Bytes)])),
    of(Of::Entry, table("mentions", 3, &[("message", Int), ("kind", Int), ("object_id", Int)])),
    table(
        "events",
        1,
        &[
            ("position", Int),
            ("kind", Small),
            ("object", Small),
            ("object_id", Int),
            ("revision", Int),
            ("occurred_at", Int),
            ("payload", Text),
        ],
    ),
    in_directory(table(
        "webhooks",
        1,
        &[
            ("app_id", Int),
            ("target_url", Text),
            ("max_concurrent", Int),
            ("created_at", Int),
            ("updated_at", Int),
            ("paused_at", Int),
            ("paused_why", Text),
            ("deleted_at", Int),
            ("closing_at", Int),
        ],
    )),
    in_directory(table(
        "subscriptions",
        1,
        &[
            ("id", Int),
            ("app_id", Int),
            ("event_type", Text),
            ("property_name", Text),
            ("object_type_id", Text),
            ("event_type_name", Text),
            ("active", Bool),
            ("expand", Int),
            ("ordered", Bool),
            ("created_at", Int),
            ("updated_at", Int),
            ("deleted_at", Int),
            ("since", Int),
            ("since_at", Int),
        ],
    )),
    in_directory(table(
        "journal_subscriptions",
        1,
        &[
            ("id", Int),
            ("app_id", Int),
            ("body", Text),
            ("filters", Text),
            ("created_at", Int),
            ("updated_at", Int),
            ("deleted_at", Int),
        ],
    )),
    in_directory(table(
        "logins",
        1,
        &[("agent_id", Int), ("password", Text), ("administrator", Bool), ("changed_at", Int), ("role", Int)],
    )),
    in_directory(table(
        "installs",
        1,
        &[
            ("app_id", Int),
            ("home_id", Int),
            ("scopes", Text),
            ("installed_at", Int),
            ("uninstalled_at", Int),
        ],
    )),
    in_directory(table("clients", 1, &[("app_id", Int), ("redirect_uris", Text), ("scopes", Text)])),
    in_directory(table(
        "grants",
        1,
        &[
            ("id", Int),
            ("app_id", Int),
            ("user_id", Int),
            ("scopes", Text),
            ("created_at", Int),
            ("code_hash", Bytes),
            ("redirect_uri", Text),
            ("challenge", Text),
            ("code_expires_at", Int),
            ("code_used_at", Int),
            ("refresh_hash", Bytes),
            ("refresh_ended_at", Int),
            ("ended_at", Int),
            ("uninstalled_at", Int),
            ("deleted_at", Int),
        ],
    )),
    in_directory(table(
        "channels",
        1,
        &[
            ("id", Int),
            ("app_id", Int),
            ("name", Text),
            ("webhook_url", Text),
            ("redirect_url", Text),
            ("description", Text),
            ("logo_url", Text),
            ("capabilities", Text),
            ("created_at", Int),
            ("archived_at", Int),
        ],
    )),
    in_directory(table(
        "staging_tokens",
        1,
        &[
            ("hash", Bytes),
            ("channel_id", Int),
            ("inbox_id", Int),
            ("user_id", Int),
            ("account_name", Text),
            ("identifier_kind", Text),
            ("identifier_value", Text),
            ("account_id", Int),
            ("created_at", Int),
            ("expires_at", Int),
            ("deleted_at", Int),
        ],
    )),
    table("uses", 1, &[("key", Bytes), ("at", Int)]),
    table("tries", 1, &[("key", Bytes), ("count", Int), ("next_at", Int), ("last_at", Int)]),
    table(
        "cursors",
        2,
        &[("reader", Int), ("app_id", Int), ("position", Int), ("epoch", Int), ("next_entry", Int)],
    ),
    table(
        "deliveries",
        3,
        &[
            ("app_id", Int),
            ("position", Int),
            ("subscription_id", Int),
            ("object_id", Int),
            ("attempts", Int),
            ("first_at", Int),
            ("last_at", Int),
            ("due_at", Int),
            ("error", Text),
            ("loose", Bool),
        ],
    ),
    table(
        "attempts",
        2,
        &[
            ("app_id", Int),
            ("id", Int),
            ("at", Int),
            ("url", Text),
            ("succeeded", Bool),
            ("status", Int),
            ("error", Text),
            ("millis", Int),
            ("excerpt", Text),
            ("events", Text),
        ],
    ),
    table(
        "journal_entries",
        2,
        &[
            ("app_id", Int),
            ("id", Int),
            ("name", Bytes),
            ("published_at", Int),
            ("doc", Bytes),
            ("of_portal", Int),
        ],
    ),
    table("journal_places", 2, &[("app_id", Int), ("of_portal", Int), ("position", Int), ("epoch", Int)]),
    table(
        "snapshots",
        2,
        &[
            ("app_id", Int),
            ("id", Bytes),
            ("body", Text),
            ("initiated_at", Int),
            ("status", Int),
            ("completed_at", Int),
            ("error_code", Text),
            ("message", Text),
        ],
    ),
    table(
        "reads",
        2,
        &[("thread_id", Int), ("reader", Text), ("sequence", Int), ("message_id", Bytes), ("at", Int)],
    ),
    in_directory(table(
        "tags",
        1,
        &[("id", Int), ("name", Text), ("color", Int), ("created_at", Int), ("archived_at", Int)],
    )),
    in_directory(table(
        "views",
        1,
        &[
            ("id", Int),
            ("name", Text),
            ("shared", Bool),
            ("owner_id", Int),
            ("position", Int),
            ("inboxes", Text),
            ("accounts", Text),
            ("states", Text),
            ("assignee", Text),
            ("tag_id", Int),
            ("created_at", Int),
            ("deleted_at", Int),
        ],
    )),
    table(
        "sessions",
        1,
        &[
            ("id", Bytes),
            ("agent_id", Int),
            ("login_at", Int),
            ("created_at", Int),
            ("turned_at", Int),
            ("ends_at", Int),
            ("secret", Bytes),
            ("next", Bytes),
            ("next_at", Int),
            ("old", Bytes),
            ("old_until", Int),
            ("browser", Text),
            ("address", Text),
        ],
    ),
    table("chats", 1, &[("thread_id", Int), ("account_id", Int), ("visitor_key", Text), ("said", Text)]),
    table(
        "drafts",
        2,
        &[
            ("thread_id", Int),
            ("agent_id", Int),
            ("kind", Int),
            ("preview", Text),
            ("body", Text),
            ("touched_at", Int),
        ],
    ),
    table(
        "callings",
        2,
        &[
            ("agent_id", Int),
            ("message_id", Bytes),
            ("thread_id", Int),
            ("sequence", Int),
            ("caller", Text),
            ("at", Int),
            ("seen", Bool),
        ],
    ),
    table(
        "canned_replies",
        1,
        &[
            ("id", Int),
            ("owner_id", Int),
            ("shared", Bool),
            ("name", Text),
            ("shortcut", Text),
            ("text", Text),
            ("rich_text", Text),
            ("created_at", Int),
            ("updated_at", Int),
        ],
    ),
    table("visitor_tokens", 2, &[("ends_at", Int), ("nonce", Int), ("said", Text)]),
];
