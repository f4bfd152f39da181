//! The OpenAPI document, made from the table of operations: nothing in it is written by hand twice.

use antiphon_wire::error::Envelope;
use antiphon_wire::{live, own};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::middleware::reply::{JSON, Reply};
use crate::operation::{Entry, Family, Kind, Operation, Parameter, Payload, Scope, Verb, Version, shape};
use crate::routes::{Mounted, PAGES, Routes};

/// The media type under which bodies are described.
const MEDIA: &str = "application/json";

/// `/openapi.json`
pub fn page(app: &App) -> Reply {
    let printed = app.openapi.get_or_init(|| {
        // Serialising a value that was just built cannot fail.
        serde_json::to_vec(&document(&app.routes, &app.public_url)).unwrap_or_default().into()
    });
    Reply::page(JSON, printed.clone())
}

/// The whole document.
pub fn document(routes: &Routes, server: &str) -> Value {
    let mut schemas = Schemas::default();
    schemas.reference(shape::<Envelope>);
    let mut paths = Map::new();
    for at in routes.mounted() {
        let mut methods = Map::new();
        for leaf in &at.leaves {
            let method = leaf.operation.verb.name().to_lowercase();
            methods.insert(method, operation(at, leaf.operation, &mut schemas));
        }
        paths.insert(at.template.replace("{*", "{"), Value::Object(methods));
    }
    for page in PAGES {
        paths.insert(
            page.path.into(),
            json!({ "get": {
                "operationId": page.path.trim_start_matches('/').replace('.', "_"),
                "tags": ["operations"],
                "summary": page.help,
                "security": [],
                "responses": { "200": { "description": "The page." } },
            }}),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Antiphon",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An open-source conversations inbox that speaks the HubSpot Conversations API.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": server }],
        "security": [{ "bearer": [] }, { "private_app": [] }, { "private_app_legacy": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "responses": failures(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "hapikey": { "type": "apiKey", "in": "query", "name": "hapikey" },
                "hapikey_header": { "type": "apiKey", "in": "header", "name": "hapikey" },
                "private_app": { "type": "apiKey", "in": "header", "name": "private-app" },
                "private_app_legacy": { "type": "apiKey", "in": "header", "name": "private-app-legacy" },
                "session": { "type": "apiKey", "in": "cookie", "name": "antiphon_session" },
            },
        },
    })
}

/// Named schemas, each described once.
#[derive(Default)]
struct Schemas {
    named: Map<String, Value>,
}

impl Schemas {
    fn reference(&mut self, shape: crate::operation::Shape) -> Value {
        let mut named = Vec::new();
        let reference = shape(&mut named);
        for (name, schema) in named {
            self.named.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
        }
        serde_json::to_value(reference).unwrap_or_default()
    }

    fn payload(&mut self, payload: Payload) -> Option<Value> {
        let (item, counted) = match payload {
            Payload::Nothing => return None,
            Payload::Html | Payload::Events => return Some(json!({ "type": "string" })),
            Payload::One(shape) | Payload::Form(shape) => return Some(self.reference(shape)),
            Payload::Page(shape) => (self.reference(shape), false),
            Payload::CountedPage(shape) => (self.reference(shape), true),
            Payload::List(shape) => {
                return Some(json!({ "type": "array", "items": self.reference(shape) }));
            }
        };
        let next = json!({
            "type": "object",
            "required": ["after"],
            "properties": {
                "after": { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,512}$" },
                "link": { "type": "string", "format": "uri" },
            },
        });
        let mut page = json!({
            "type": "object",
            "required": ["results"],
            "properties": {
                "results": { "type": "array", "items": item },
                "paging": { "type": "object", "required": ["next"], "properties": { "next": next } },
            },
        });
        if counted {
            page["required"] = json!(["results", "total"]);
            page["properties"]["total"] = json!({ "type": "integer", "format": "int64" });
        }
        Some(page)
    }
}

fn operation(at: &Mounted, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parameters: Vec<Value> = path_parameters(&at.template);
    parameters.extend(operation.parameters.iter().map(query_parameter));
    let mut described = json!({
        "operationId": operation_id(at, operation),
        "tags": [tag(at, operation.family)],
        "summary": operation.summary,
        "x-antiphon-operation": operation.id,
        "parameters": parameters,
        "responses": responses(at.version, operation, schemas),
    });
    match operation.entry {
        Entry::Scope(scope) => {
            described["description"] = needs(scope).into();
            described["x-antiphon-scope"] = scope.name().into();
        }
        Entry::Owner => {
            described["description"] = "Needs the developer key or a token of this app.".into();
            described["security"] = json!([
                { "hapikey": [] }, { "hapikey_header": [] }, { "bearer": [] }, { "private_app": [] }, { "private_app_legacy": [] },
            ]);
        }
        Entry::App => {
            described["description"] =
                "Needs a developer key together with the query parameter `appId`, or a token of \
                                        the app."
                    .into();
            described["security"] = json!([
                { "hapikey": [] }, { "hapikey_header": [] }, { "bearer": [] }, { "private_app": [] }, { "private_app_legacy": [] },
            ]);
        }
        Entry::Open => {
            described["description"] = "Needs no token: what is sent carries its own proof.".into();
            described["security"] = json!([]);
        }
        Entry::SignedIn => {
            described["description"] = "Needs an agent who is signed in.".into();
            described["security"] = json!([{ "session": [] }]);
        }
        Entry::Anyone => {
            described["description"] = "Needs a token, whatever its scopes.".into();
        }
        Entry::Visitor => {
            described["description"] = "Needs the session of a visitor, as `Authorization: Bearer`.".into();
            described["security"] = json!([{ "bearer": [] }]);
        }
        Entry::Address => {
            described["description"] = "Needs no token: the address is the permission.".into();
            described["security"] = json!([]);
        }
    }
    if at.template.contains("{*") {
        described["x-antiphon-spans"] = true.into();
    }
    if operation.live {
        flowing(&mut described, schemas);
    }
    if let Some(body) = schemas.payload(operation.request) {
        let media = if operation.flows_in { "multipart/form-data" } else { MEDIA };
        let mut content = json!({ media: { "schema": body } });
        if operation.or_form {
            content["application/x-www-form-urlencoded"] = content[media].clone();
        }
        described["requestBody"] = json!({ "required": true, "content": content });
    }
    described
}

/// The other forms of an answer that goes on.
fn flowing(described: &mut Value, schemas: &mut Schemas) {
    let told = [shape::<live::Passed>, shape::<live::Resync>, shape::<live::CutOff>, shape::<own::Event>];
    let told: Vec<Value> = told.into_iter().map(|shape| schemas.reference(shape)).collect();
    let heard = [shape::<live::Standing>, shape::<live::Refused>].map(|shape| schemas.reference(shape));
    let heard = [told.clone(), heard.to_vec()].concat();
    let said = schemas.reference(shape::<live::Said>);
    if let Some(parameters) = described["parameters"].as_array_mut() {
        parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "schema": { "type": "string" },
            "description": "Of a stream: id of the last event already seen; goes before `after`",
        }));
    }
    described["description"] = format!(
        "{} With `antiphon.admin` also what happens outside of threads is told. With `wait`, a page is answered as soon as \
         there is something on it. With `Accept: text/event-stream` the answer is a stream of server-sent events, each with \
         its position as id, its kind as event and the object as data; without a resume point it begins at now. With \
         `Upgrade: websocket` the same objects come as messages; a browser offers its token there as one more protocol, \
         `Sec-WebSocket-Protocol: antiphon.v1, bearer.<token>`. What a client says there (`Said`, with the scope \
         `conversations.write`) is passed on to the others who listen, and kept nowhere.",
        described["description"].as_str().unwrap_or_default()
    )
    .into();
    let stream = json!({ "schema": { "type": "string" }, "x-antiphon-data": told });
    described["responses"]["200"]["content"]["text/event-stream"] = stream;
    described["responses"]["101"] = json!({
        "description": "A WebSocket.",
        "x-antiphon-told": heard,
        "x-antiphon-said": said,
    });
}

fn tag(at: &Mounted, family: Family) -> &'static str {
    match family {
        Family::Conversations => at.version.name(),
        Family::Webhooks => "webhooks",
        Family::CustomChannels => "custom channels",
        Family::Own => "antiphon",
        Family::OauthToken
        | Family::OauthV1
        | Family::OauthV2
        | Family::OauthTokens
        | Family::Authorize
        | Family::AccountInfo
        | Family::Integrations => "oauth",
        Family::Journal | Family::JournalSubscriptions | Family::JournalSnapshots | Family::JournalFiles => {
            "journal"
        }
        Family::Identification => "visitor-identification",
        Family::Widget | Family::WidgetPages => "widget",
        Family::Files | Family::FileManager | Family::FileBytes => "files",
    }
}

fn needs(scope: Scope) -> String {
    match scope.names() {
        [only] => format!("Needs the scope `{only}`."),
        several => format!("Needs one of the scopes `{}`.", several.join("`, `")),
    }
}

/// Unique over all paths: some answer at two prefixes.
fn operation_id(at: &Mounted, operation: &Operation) -> String {
    let second = [
        "/conversations/conversations/v3",
        "/conversations/custom-channels/v3",
        "/app-webhooks/",
        "/webhooks-journal/journal-local/",
        "/conversations/v3/visitor-identification/",
    ];
    let second = second.iter().any(|prefix| at.template.starts_with(prefix));
    format!("{}.{}{}", at.version.name(), operation.id, if second { ".alias" } else { "" })
}

fn path_parameters(template: &str) -> Vec<Value> {
    let names = template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let names = names.map(|name| name.trim_start_matches('*'));
    names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

fn query_parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Integer => json!({ "type": "integer", "format": "int64" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Integers => json!({ "type": "array", "items": { "type": "integer", "format": "int64" } }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::SomeOf(words) => json!({ "type": "array", "items": { "type": "string", "enum": words } }),
    };
    json!({ "name": parameter.name, "in": "query", "description": parameter.help, "schema": schema })
}

fn responses(version: Version, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let (status, payload) = operation.success;
    let success = match schemas.payload(payload) {
        _ if operation.raw => {
            let any = json!({ "schema": { "type": "string", "format": "binary" } });
            let part = json!({ "description": "The part that was asked for.", "content": { "*/*": any } });
            responses.insert("206".into(), part);
            for (status, why) in [("304", "It is as it was."), ("416", "It has no such part.")] {
                responses.insert(status.into(), json!({ "description": why }));
            }
            json!({ "description": "The bytes.", "content": { "*/*": any } })
        }
        Some(schema) if matches!(payload, Payload::Html) => {
            json!({ "description": "A page.", "content": { "text/html": { "schema": schema } } })
        }
        Some(schema) if matches!(payload, Payload::Events) => {
            json!({ "description": "Events, as they happen.", "content": { "text/event-stream": { "schema": schema } } })
        }
        Some(schema) => json!({ "description": "Success.", "content": { MEDIA: { "schema": schema } } }),
        None => json!({ "description": "Success." }),
    };
    let partial_status = operation.family.partial_status(version);
    if operation.partial && partial_status != status {
        let mut partial = success.clone();
        partial["description"] = "Some of what was asked for does not exist.".into();
        responses.insert(partial_status.to_string(), partial);
    }
    responses.insert(status.to_string(), success);
    if operation.or_nothing {
        responses.insert("204".into(), json!({ "description": "There is nothing." }));
    }
    let takes_body = matches!(operation.verb, Verb::Post | Verb::Put | Verb::Patch)
        || !matches!(operation.request, Payload::Nothing);
    for (status, _, _) in FAILURES {
        let possible = match status {
            409 => operation.conflicting,
            413 | 415 => takes_body,
            _ => true,
        };
        if possible {
            responses
                .insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
        }
    }
    if operation.or_page {
        let described = failures();
        for (status, response) in &mut responses {
            if response.get("$ref").is_some() {
                *response = described[status].clone();
            }
            response["content"]["text/html"] = json!({ "schema": { "type": "string" } });
        }
    }
    if matches!(payload, Payload::Html) {
        let page = json!({ "text/html": { "schema": { "type": "string" } } });
        for (status, why) in [("400", "It is not known who asks."), ("403", "Not so."), ("429", "Too often.")]
        {
            responses.insert(status.into(), json!({ "description": why, "content": page }));
        }
        responses["429"]["headers"] = headers(&["Retry-After"]);
        responses.insert("302".into(), json!({ "description": "Back to the app, or to this page." }));
    } else if operation.entry == Entry::Open && operation.or_form {
        let refused = schemas.reference(shape::<antiphon_wire::oauth::Refused>);
        let why = "No token is given; `status` and `error` say why.";
        let content = json!({ MEDIA: { "schema": refused } });
        responses.insert("400".into(), json!({ "description": why, "content": content }));
        let why = "Wrong secrets of this app were sent too often.";
        let headers = headers(&["Retry-After"]);
        responses.insert("429".into(), json!({ "description": why, "headers": headers, "content": content }));
    }
    Value::Object(responses)
}

const FAILURES: &[(u16, &str, &[&str])] = &[
    (400, "Something about the request is wrong; `errors` lists everything.", &[]),
    (401, "No token, or none that is valid.", &["X-HubSpot-Auth-Failure"]),
    (403, "The token lacks the scope, or the app may not act here.", &[]),
    (404, "There is no such thing.", &[]),
    (405, "The path exists, with other methods.", &["Allow"]),
    (409, "It is there already, or stands against what others did.", &["x-should-retry"]),
    (413, "The body is too large.", &[]),
    (414, "The request line is too long.", &[]),
    (415, "The body is no JSON.", &[]),
    (429, "A rate limit was reached.", &["Retry-After"]),
    (431, "The headers are too large.", &[]),
    (500, "A bug of the server.", &[]),
    (503, "Starting, stopping or full; try again.", &["Retry-After"]),
];

fn headers(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string" } }))).collect()
}

fn failures() -> Value {
    let described = FAILURES.iter().map(|(status, description, headers)| {
        let headers = self::headers(headers);
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        let response = json!({ "description": description, "headers": headers, "content": { MEDIA: { "schema": schema } } });
        (status.to_string(), response)
    });
    Value::Object(described.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(name, value)| match value.as_str() {
                Some(reference) if name == "$ref" => into.push(reference.to_owned()),
                _ => references(value, into),
            }),
            Value::Array(values) => values.iter().for_each(|value| references(value, into)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&Routes::new().unwrap(), "http://127.0.0.1");
        let mut all = Vec::new();
        references(&document, &mut all);
        assert!(!all.is_empty());
        for reference in all {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn operation_ids_are_unique_and_operations_explained() {
        let document = document(&Routes::new().unwrap(), "http://127.0.0.1");
        let mut seen = std::collections::HashSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                assert!(seen.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
                assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
            }
        }
    }
}
