//! What the commands that manage a portal share: one call of our own API, and a way to show what came of it.

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::operator::Operator;
use super::{Common, block_on};

/// The portal a command is about.
#[derive(Debug, Clone, Args)]
pub struct Of {
    /// Number of the portal, where there are several
    #[arg(long, global = true, value_name = "NUMBER")]
    portal: Option<i64>,
}

/// What to do, in which portal.
#[derive(Debug, Args)]
#[command(about = None, long_about = None)]
pub struct Managed<What: Subcommand> {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    of: Of,
}

impl<What: Subcommand + Into<Task>> Managed<What> {
    /// Does it, and shows the answer.
    ///
    /// # Errors
    /// What the server refused, in one sentence.
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        self.what.into().run(common, Some(&self.of))
    }
}

/// A call and how its answer is shown.
pub struct Task {
    pub verb: &'static str,
    pub path: String,
    pub body: Option<Value>,
    /// Whether it is a list of which the other pages are wanted, too.
    pub whole: bool,
    /// Members of the answer in the order in which people read them, as `member` or `member.inner`.
    pub columns: &'static [&'static str],
    /// Said where there is nothing to show.
    pub done: &'static str,
}

impl Task {
    /// Reads something.
    pub fn get(path: impl Into<String>, columns: &'static [&'static str]) -> Self {
        Self { verb: "GET", path: path.into(), body: None, whole: true, columns, done: "There are none yet." }
    }

    /// Leaves it at the first page of a list.
    pub fn first_page(self) -> Self {
        Self { whole: false, ..self }
    }

    /// Sends something; null is nothing.
    pub fn send(
        verb: &'static str,
        path: impl Into<String>,
        body: Value,
        columns: &'static [&'static str],
    ) -> Self {
        let body = Some(body).filter(|body| !body.is_null());
        Self { verb, path: path.into(), body, whole: true, columns, done: "Done." }
    }

    /// Takes something away.
    pub fn delete(path: impl Into<String>, done: &'static str) -> Self {
        Self { verb: "DELETE", path: path.into(), body: None, whole: true, columns: &[], done }
    }

    /// Makes the call and shows the answer.
    ///
    /// # Errors
    /// What the server refused, in one sentence.
    pub fn run(self, common: &Common, of: Option<&Of>) -> anyhow::Result<()> {
        let config = common.load()?;
        let portal = of.and_then(|of| of.portal);
        let answer = block_on(async {
            let operator = Operator::connect(&config).await?;
            let answer = self.whole(&operator, portal).await;
            operator.close().await;
            answer
        })?;
        if common.json {
            println!("{answer}");
        } else {
            print!("{}", shown(&answer, self.columns, self.done));
        }
        Ok(())
    }

    /// The answer; of a list, all of its pages in one.
    async fn whole(&self, operator: &Operator, portal: Option<i64>) -> anyhow::Result<Value> {
        let mut whole = operator.call(self.verb, &self.path, portal, self.body.as_ref()).await?;
        let more = if self.path.contains('?') { '&' } else { '?' };
        while self.whole
            && let Some(after) = whole["paging"]["next"]["after"].as_str()
        {
            let path = format!("{}{more}after={after}", self.path);
            let mut page = operator.call(self.verb, &path, portal, None).await?;
            if let Some(results) = whole["results"].as_array_mut() {
                results.append(page["results"].as_array_mut().unwrap_or(&mut Vec::new()));
            }
            whole["paging"] = page["paging"].take();
        }
        if let Some(members) = whole.as_object_mut() {
            members.remove("paging");
        }
        Ok(whole)
    }
}

/// A body of those members that were given.
pub fn body<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// A text for a body.
pub fn text(value: Option<String>) -> Option<Value> {
    value.map(Value::String)
}

/// A list as a table, an object line by line.
fn shown(answer: &Value, columns: &[&str], done: &str) -> String {
    match answer["results"].as_array() {
        Some(rows) if rows.is_empty() => format!("{done}\n"),
        Some(rows) => table(rows, columns),
        None if columns.is_empty() || answer.is_null() => format!("{done}\n"),
        None => {
            let lines = columns.iter().map(|column| (*column, cell(answer, column)));
            let lines = lines.filter(|(_, value)| !value.is_empty());
            lines.map(|(column, value)| format!("{column:<24} {value}\n")).collect()
        }
    }
}

fn table(rows: &[Value], columns: &[&str]) -> String {
    let head: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A member for people. Of a list of objects it is that of each.
fn cell(object: &Value, column: &str) -> String {
    let mut value = object;
    for (at, member) in column.split('.').enumerate() {
        if let Value::Array(items) = value {
            let rest = column.splitn(at + 1, '.').last().unwrap_or_default();
            return items.iter().map(|item| cell(item, rest)).collect::<Vec<_>>().join(" ");
        }
        value = &value[member];
    }
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use antiphon_store::{Quota, Store};
    use serde_json::json;

    use super::*;
    use crate::app::App;

    #[tokio::test]
    async fn a_list_is_shown_whole() {
        let home = antiphon_testkit::Home::new();
        let config = crate::testing::config(&home);
        let store = Store::open(crate::serve::settings(&config)).unwrap();
        for name in ["a", "b", "c"] {
            store.portal_create(None, name.into(), "UTC".into(), Quota::default()).await.unwrap();
        }
        let operator = Operator::Here(Arc::new(App::new(store, config, String::new()).unwrap()));
        let answer = Task::get("/antiphon/v1/portals?limit=1", &[]).whole(&operator, None).await.unwrap();
        let names: Vec<_> =
            answer["results"].as_array().unwrap().iter().map(|one| one["name"].as_str()).collect();
        assert_eq!((names, answer.get("paging")), (vec![Some("a"), Some("b"), Some("c")], None));
    }

    #[test]
    fn lists_are_tables_and_objects_are_lines() {
        let list = json!({ "results": [{ "id": "1", "name": "Café", "archived": false }, { "id": "12", "name": "B" }] });
        let columns = &["id", "name", "archived"];
        assert_eq!(shown(&list, columns, ""), "ID  NAME  ARCHIVED\n1   Café  no\n12  B\n");
        let one = json!({ "id": "1", "quota": { "messages": 5 }, "scopes": ["a", "b"] });
        let lines = shown(&one, &["id", "quota.messages", "quota.bytes", "scopes"], "");
        assert_eq!(
            lines.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect::<Vec<_>>(),
            ["1", "5", "a"]
        );
        let sent = json!({ "events": [{ "at": { "id": "5" } }, { "at": { "id": "6" } }] });
        assert_eq!(cell(&sent, "events.at.id"), "5 6");
        assert_eq!(shown(&json!({ "results": [] }), columns, "None."), "None.\n");
        assert_eq!(shown(&Value::Null, columns, "Gone."), "Gone.\n");
    }

    #[test]
    fn a_body_holds_what_was_given() {
        assert_eq!(
            body([("a", Some(json!(1))), ("b", None), ("c", text(Some("x".into())))]),
            json!({ "a": 1, "c": "x" })
        );
    }
}
