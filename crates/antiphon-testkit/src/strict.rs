//! Holds answers against our own OpenAPI document, more strictly than a client would: a member that is not described, a JSON
//! `null`, a timestamp without its three fraction digits or a missing correlation id is a fault.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::Reply;

/// The judge. It also keeps a note of every operation it has seen succeed, for the coverage test.
pub struct Strict {
    paths: Vec<Template>,
    components: Value,
    validators: Mutex<HashMap<(usize, String, u16), std::sync::Arc<Validator>>>,
    notes: Option<PathBuf>,
}

struct Template {
    text: String,
    segments: Vec<Option<String>>,
    item: Value,
}

impl Strict {
    /// A judge for an OpenAPI document.
    pub fn new(document: &Value) -> Self {
        let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
        let closed = schemas
            .iter()
            .map(|(name, schema)| (name.clone(), close(schema, true)))
            .collect::<serde_json::Map<_, _>>();
        let open = schemas
            .iter()
            .map(|(name, schema)| (name.clone(), close(schema, false)))
            .collect::<serde_json::Map<_, _>>();
        let mut paths: Vec<Template> = document["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(text, item)| Template { text: text.clone(), segments: segments(text), item: item.clone() })
            .collect();
        paths.sort_by_key(|template| template.segments.iter().filter(|segment| segment.is_none()).count());
        Self {
            paths,
            components: json!({ "schemas": closed, "open": open, "responses": document["components"]["responses"] }),
            validators: Mutex::default(),
            notes: None,
        }
    }

    /// The same judge, leaving a note in this directory for every operation that succeeded.
    pub fn noting(mut self, directory: impl Into<PathBuf>) -> Self {
        self.notes = Some(directory.into());
        self
    }

    /// Operations of the document as they are noted: `GET /path/{id}`, sorted.
    pub fn operations(document: &Value) -> Vec<String> {
        let paths = document["paths"].as_object().into_iter().flatten();
        let mut all: Vec<String> = paths
            .flat_map(|(path, item)| {
                let verbs = item.as_object().into_iter().flatten().map(|(verb, _)| verb.as_str());
                verbs
                    .filter(|verb| ["get", "post", "put", "patch", "delete"].contains(verb))
                    .map(|verb| format!("{} {path}", verb.to_uppercase()))
                    .collect::<Vec<_>>()
            })
            .collect();
        all.sort();
        all
    }

    /// Operations that were noted in a directory.
    pub fn noted(directory: &Path) -> Vec<String> {
        let notes = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut all: Vec<String> =
            notes.filter_map(|note| std::fs::read_to_string(note.path()).ok()).collect();
        all.sort();
        all
    }

    /// Judges one answer, unpacked if it came packed; the text says everything that is wrong with it.
    pub fn judge(&self, method: &Method, path: &str, reply: &Reply) -> Result<(), String> {
        let mut faults = Vec::new();
        let reply = &match reply.unpacked() {
            Ok(reply) => reply,
            Err(error) => return Err(format!("{method} {path} cannot be unpacked: {error}")),
        };
        self.headers(method, reply, &mut faults);
        if method != Method::HEAD && method != Method::OPTIONS {
            self.body(method, path, reply, &mut faults);
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(format!("{method} {path} → {}\n{}\n- {}", reply.status, reply.text(), faults.join("\n- ")))
    }

    fn headers(&self, method: &Method, reply: &Reply, faults: &mut Vec<String>) {
        let id = reply.header("x-hubspot-correlation-id").unwrap_or_default();
        if id.len() != 36 || reply.header("x-request-id") != Some(id) {
            faults.push(format!("correlation id {id:?} is not in both headers"));
        }
        let kind = reply.header("content-type");
        if reply.body.is_empty() && (reply.status == 204 && kind.is_some()) {
            faults.push("an empty answer has a Content-Type".into());
        }
        if method == Method::HEAD && !reply.body.is_empty() {
            faults.push("an answer to HEAD has a body".into());
        }
        // Pages are for people; and the token endpoint has an error body of its own.
        let page = kind.is_some_and(|kind| kind.starts_with("text/html"));
        if reply.status >= 400 && !reply.body.is_empty() && !page {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let word = if body["error"].is_string() { "error_description" } else { "category" };
            for member in ["status", "message", "correlationId", word] {
                if !body[member].is_string() {
                    faults.push(format!("the error has no {member}"));
                }
            }
            if body["correlationId"] != id {
                faults.push("the error's correlation id is not the header's".into());
            }
        }
    }

    fn body(&self, method: &Method, path: &str, reply: &Reply, faults: &mut Vec<String>) {
        let bare = path.split('?').next().unwrap_or_default();
        let Some((index, template)) = self.template(bare) else {
            // What browsers are shown is no part of the API.
            let page = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            if reply.status < 400 && !page && !(300..400).contains(&reply.status) {
                faults.push("the path is not in the document".into());
            }
            return;
        };
        let verb = method.as_str().to_lowercase();
        let operation = &template.item[&verb];
        if operation.is_null() {
            if reply.status < 400 {
                faults.push("the operation is not in the document".into());
            }
            return;
        }
        let responses = &operation["responses"];
        let class = format!("{}XX", reply.status / 100);
        let described = [reply.status.to_string(), class, "default".into()]
            .into_iter()
            .find(|key| responses[key].is_object());
        let Some(described) = described else {
            faults.push(format!("status {} is not in the document", reply.status));
            return;
        };
        let mut response = &responses[&described];
        if let Some(name) =
            response["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/responses/"))
        {
            response = &self.components["responses"][name];
        }
        let Some(content) = response["content"].as_object() else {
            // Pages are not part of the API; the document names them without their content.
            if !reply.body.is_empty() && operation["tags"] != json!(["operations"]) {
                faults.push("a body is not in the document".into());
            }
            self.note(&verb, template, reply, faults);
            return;
        };
        let kind = reply.header("content-type").unwrap_or_default();
        let Some(media) =
            content.get(kind.split(';').next().unwrap_or_default()).or_else(|| content.get("*/*"))
        else {
            faults.push(format!("Content-Type {kind:?} is not in the document"));
            return;
        };
        if kind.starts_with("application/json") {
            if kind != "application/json;charset=utf-8" {
                faults.push(format!("Content-Type is {kind:?}"));
            }
            self.schema((index, verb.clone(), reply.status), &media["schema"], &reply.body, faults);
        }
        self.note(&verb, template, reply, faults);
    }

    fn schema(&self, key: (usize, String, u16), schema: &Value, body: &[u8], faults: &mut Vec<String>) {
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return faults.push(format!("the body is no JSON: {error}")),
        };
        nulls(&body, "", faults);
        let mut validators = self.validators.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let validator = validators.entry(key).or_insert_with(|| {
            let mut root = close(schema, true);
            root["components"] = self.components.clone();
            root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .with_format("date-time", is_timestamp)
                .build(&root)
                .unwrap_or_else(|e| panic!("the document holds a broken schema: {e}"));
            std::sync::Arc::new(validator)
        });
        let validator = validator.clone();
        drop(validators);
        faults
            .extend(validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())));
    }

    fn note(&self, verb: &str, template: &Template, reply: &Reply, faults: &[String]) {
        let Some(directory) = &self.notes else { return };
        if !faults.is_empty() || reply.status >= 300 {
            return;
        }
        let operation = format!("{} {}", verb.to_uppercase(), template.text);
        let name: String =
            operation.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let written =
            std::fs::create_dir_all(directory).and_then(|()| std::fs::write(directory.join(name), operation));
        written.unwrap_or_else(|e| panic!("{} cannot be written: {e}", directory.display()));
    }

    fn template(&self, path: &str) -> Option<(usize, &Template)> {
        let path = path.strip_suffix('/').filter(|shorter| !shorter.is_empty()).unwrap_or(path);
        let sent: Vec<&str> = path.split('/').collect();
        self.paths.iter().enumerate().find(|(_, template)| {
            let spans = template.item["get"]["x-antiphon-spans"] == true;
            (template.segments.len() == sent.len() || spans && template.segments.len() < sent.len())
                && template
                    .segments
                    .iter()
                    .zip(&sent)
                    .all(|(known, sent)| known.as_deref().is_none_or(|known| known == *sent))
        })
    }
}

fn segments(path: &str) -> Vec<Option<String>> {
    path.split('/').map(|segment| (!segment.starts_with('{')).then(|| segment.to_owned())).collect()
}

fn nulls(value: &Value, at: &str, faults: &mut Vec<String>) {
    match value {
        Value::Null => faults.push(format!("{at}: null")),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| nulls(item, &format!("{at}/{i}"), faults))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, item)| nulls(item, &format!("{at}/{name}"), faults))
        }
        _ => {}
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ` and nothing else.
fn is_timestamp(text: &str) -> bool {
    let pattern = b"0000-00-00T00:00:00.000Z";
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern)
            .all(|(byte, mark)| if *mark == b'0' { byte.is_ascii_digit() } else { byte == *mark })
}

/// Forbids undescribed members. What is composed is closed where it is put together, and its parts stay open.
fn close(schema: &Value, closed: bool) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = serde_json::Map::new();
    let has_members = members.contains_key("properties");
    let composed = members.contains_key("allOf")
        || has_members && (members.contains_key("oneOf") || members.contains_key("anyOf"));
    for (key, value) in members {
        let value = match (key.as_str(), value) {
            ("$ref", Value::String(name)) if !closed => {
                Value::from(name.replace("#/components/schemas/", "#/components/open/"))
            }
            ("allOf" | "oneOf" | "anyOf", Value::Array(parts)) => {
                Value::Array(parts.iter().map(|part| close(part, closed && !composed)).collect())
            }
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, part)| (name.clone(), close(part, true))).collect()
            }
            ("items" | "additionalProperties", part) => close(part, true),
            (_, other) => other.clone(),
        };
        out.insert(key.clone(), value);
    }
    if closed && composed {
        out.entry("unevaluatedProperties").or_insert(Value::Bool(false));
    } else if closed && has_members {
        out.entry("additionalProperties").or_insert(Value::Bool(false));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn document() -> Value {
        json!({
            "paths": {
                "/cats/{id}": { "get": { "responses": {
                    "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Cat" } } } },
                    "404": { "content": { "application/json": { "schema": { "type": "object" } } } }
                } }, "delete": { "responses": { "204": { "description": "gone" } } } },
                "/cats/best": { "get": { "responses": {
                    "200": { "content": { "application/json": { "schema": { "oneOf": [
                        { "allOf": [ { "$ref": "#/components/schemas/Cat" }, { "type": "object",
                          "required": ["type"], "properties": { "type": { "enum": ["CAT"] } } } ] } ] } } } }
                } } }
            },
            "components": { "schemas": {
                "Cat": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string" },
                    "born": { "type": "string", "format": "date-time" },
                    "kittens": { "type": "array", "items": { "$ref": "#/components/schemas/Cat" } } } } } }
        })
    }

    fn judged(path: &str, status: u16, body: &str) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        let id = "0199f3a2-5c1e-7d04-9b0a-2f6de4c1b7aa";
        for name in ["x-hubspot-correlation-id", "x-request-id"] {
            headers.insert(name, id.parse().unwrap());
        }
        headers.insert("content-type", "application/json;charset=utf-8".parse().unwrap());
        let reply = Reply { status, headers, body: body.to_owned().into() };
        Strict::new(&document()).judge(&Method::GET, path, &reply)
    }

    #[test]
    fn what_is_described_passes() {
        for (path, body) in [
            ("/cats/7", r#"{"name":"Mia"}"#),
            ("/cats/7/", r#"{"name":"Mia","born":"2026-10-06T08:14:02.204Z","kittens":[{"name":"Tom"}]}"#),
            ("/cats/best?limit=1", r#"{"type":"CAT","name":"Mia"}"#),
        ] {
            judged(path, 200, body).unwrap();
        }
    }

    #[test]
    fn anything_else_is_a_fault() {
        for (path, status, body) in [
            ("/cats/7", 200, r#"{}"#),
            ("/cats/7", 200, r#"{"name":null}"#),
            ("/cats/7", 200, r#"{"name":"Mia","tail":1}"#),
            ("/cats/7", 200, r#"{"name":"Mia","kittens":[{"name":"Tom","tail":1}]}"#),
            ("/cats/7", 200, r#"{"name":"Mia","born":"2026-10-06T08:14:02Z"}"#),
            ("/cats/best", 200, r#"{"name":"Mia"}"#),
            ("/cats/best", 200, r#"{"type":"CAT","name":"Mia","tail":1}"#),
            ("/cats/7", 201, r#"{"name":"Mia"}"#),
            ("/cats/7", 404, r#"{"name":"Mia"}"#),
            ("/dogs/7", 200, r#"{"name":"Rex"}"#),
            ("/cats/7", 200, "Mia"),
        ] {
            judged(path, status, body).expect_err(body);
        }
    }

    #[test]
    fn operations_are_listed() {
        assert_eq!(
            Strict::operations(&document()),
            ["DELETE /cats/{id}", "GET /cats/best", "GET /cats/{id}"]
        );
    }
}
