//! How PostgreSQL ran each statement of a store, as it tells the store itself, and what must be true of that: a portal's rows
//! lie in one place, and no statement looks anywhere else.

use std::collections::BTreeSet;
use std::sync::{Mutex, Once};

use antiphon_cluster::Database;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What makes the server send every plan, with what came of it, to whoever asked.
const TELLING: [&str; 7] = [
    "session_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_analyze=on",
    "auto_explain.log_buffers=on",
    "auto_explain.log_timing=off",
    "auto_explain.log_format=json",
    "auto_explain.log_level=notice",
];

/// A database's URL with options for its sessions. With `enable_seqscan=off` a table is walked only where no index serves: those
/// of tests are so small that it would often be done anyway.
pub fn url(database: &Database, options: &[&str]) -> String {
    let all = TELLING.iter().chain(options).map(|option| format!("-c%20{}", option.replace('=', "%3D")));
    format!("{}?options={}", database.url(), all.collect::<Vec<_>>().join("%20"))
}

static HEARD: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

/// From now on plans are heard that are told to stores of this process.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Ear).unwrap());
}

/// The plans that were heard since this was asked last.
pub fn heard() -> Vec<Plan> {
    std::mem::take(&mut *HEARD.lock().unwrap())
}

/// Whether a plan was heard, and not yet asked for, of a statement with these words.
pub fn asked(words: &str) -> bool {
    HEARD.lock().unwrap().iter().any(|plan| plan.sql().contains(words))
}

/// Takes in what a server says.
pub fn hear(notice: &str) {
    if let Some((_, json)) = notice.split_once("plan:\n") {
        HEARD.lock().unwrap().push(Plan(serde_json::from_str(json).unwrap()));
    }
}

/// The store logs what the database says.
struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.fields().field("notice").is_some()
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Notice);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Notice;

impl Visit for Notice {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "notice" {
            hear(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// A statement, and how it was run.
pub struct Plan(Value);

impl Plan {
    pub fn sql(&self) -> &str {
        self.0["Query Text"].as_str().unwrap()
    }

    /// Pages it looked at, each time it did.
    pub fn pages(&self) -> i64 {
        ["Shared Hit Blocks", "Shared Read Blocks"]
            .iter()
            .map(|count| self.0["Plan"][count].as_i64().unwrap())
            .sum()
    }

    /// What is wrong with it where these tables are in parts.
    pub fn faults(&self, parted: &BTreeSet<String>) -> Vec<String> {
        // A migration looks at everybody's rows, once.
        if ["CREATE TABLE", "ALTER TABLE"].iter().any(|step| self.sql().contains(step)) {
            return Vec::new();
        }
        let (mut places, mut faults, mut writes) = (BTreeSet::new(), BTreeSet::new(), false);
        walk(&self.0["Plan"], &mut |step| {
            let Some(name) = step["Relation Name"].as_str() else { return };
            writes |= parted.contains(name);
            let Some((_, part)) = name.rsplit_once('_').filter(|(table, _)| parted.contains(*table)) else {
                return;
            };
            // What was ruled out beforehand is not run at all.
            if step["Actual Loops"].as_i64() == Some(0) || step["Node Type"] == "ModifyTable" {
                return;
            }
            places.insert(part.to_owned());
            let named = |kinds: &[&str]| {
                kinds.iter().any(|kind| step[kind].as_str().is_some_and(|text| text.contains("portal_id")))
            };
            if !named(&["Index Cond", "Recheck Cond"]) {
                let how = if named(&["Filter"]) { "walks" } else { "names no portal in" };
                faults.insert(format!("{how} {name}"));
            }
        });
        if places.len() > 1 {
            faults.insert(format!("reads the parts {places:?}"));
        }
        if let Some((_, conflict)) = self.sql().split_once("ON CONFLICT").filter(|_| writes) {
            faults.extend(unsupported(conflict).map(|what| format!("has {what} behind ON CONFLICT")));
        }
        faults.into_iter().map(|fault| format!("{}\n    {fault}", self.sql())).collect()
    }
}

/// What Citus refuses there, or would send to a shard as it stands.
fn unsupported(conflict: &str) -> impl Iterator<Item = &'static str> {
    ["SELECT", "now()", "clock_timestamp()", "statement_timestamp()"]
        .into_iter()
        .filter(|what| conflict.contains(what))
}

fn walk(step: &Value, visit: &mut impl FnMut(&Value)) {
    visit(step);
    for below in step["Plans"].as_array().into_iter().flatten() {
        walk(below, visit);
    }
}

/// Rows that are written do not show in plans, so the tables themselves see to it that each statement writes one portal's.
const ONE_PORTAL: &str = "CREATE OR REPLACE FUNCTION one_portal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF (SELECT count(DISTINCT portal_id) FROM written) > 1 THEN \
     RAISE EXCEPTION 'a statement writes rows of several portals into %', TG_TABLE_NAME; END IF; RETURN NULL; END $$; \
     DO $$ DECLARE parted regclass; BEGIN FOR parted IN SELECT partrelid FROM pg_partitioned_table LOOP \
     EXECUTE format('CREATE TRIGGER one_portal AFTER INSERT ON %s REFERENCING NEW TABLE AS written \
     FOR EACH STATEMENT EXECUTE FUNCTION one_portal()', parted); END LOOP; END $$; \
     SELECT relname FROM pg_partitioned_table JOIN pg_class ON oid = partrelid";

/// Looks at all that stores on a database do, and says in the end what was wrong.
pub struct Watch(BTreeSet<String>);

impl Watch {
    /// A database that was migrated.
    pub fn over(database: &Database) -> Self {
        let parted = database.rows(ONE_PORTAL).unwrap();
        Self(parted.into_iter().map(|mut row| row.remove(0).unwrap()).collect())
    }

    pub fn faults(&self) -> Vec<String> {
        let heard = heard();
        assert!(!heard.is_empty(), "the server told no plan");
        heard.iter().flat_map(|plan| plan.faults(&self.0)).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let faults: BTreeSet<String> = self.faults().into_iter().collect();
            assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
        }
    }
}
