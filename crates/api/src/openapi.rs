//! The generated document of everything under `/api/v1`. It is committed as `openapi.json`; a test fails when that is
//! stale, and the types of the web parts are made from it.

use crate::resources;
use crate::types::ProblemDocument;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use utoipa::OpenApi;
use utoipa::openapi::schema::{AdditionalProperties, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, PathItem, RefOr, Schema};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Continuo",
        description = "The contract between server and browsers. docs/API-DESIGN.md says what it means and why.",
        version = "1",
        license(name = "AGPL-3.0-or-later")
    ),
    security(("login" = [])),
    components(schemas(ProblemDocument))
)]
struct Root;

/// The document.
pub fn document() -> Document {
    let mut root = Root::openapi();
    for part in resources::documents() {
        root = root.nest("/api/v1", part);
    }
    for (path, item) in &mut root.paths.paths {
        name_operations(path, item);
    }
    require_what_is_always_there(&mut root);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE_NAME)));
    root.components.get_or_insert_default().add_security_scheme("login", cookie);
    let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    root.components.get_or_insert_default().add_security_scheme("channel_key", key);
    root
}

/// Fields of answers that may be left out altogether; all others are always there, if only as null.
const MAY_BE_ABSENT: [(&str, &str); 8] = [
    ("Inbox", "api"),
    ("Inbox", "webchat"),
    ("Inbox", "snippet"),
    ("Inbox", "test_url"),
    ("PreChatField", "options"),
    ("Problem", "detail"),
    ("Problem", "args"),
    ("Problem", "retry_after"),
];

// The derive calls every `Option` and every field with a default "not required". In a request that is right, in an answer
// the field is there: browsers then need not ask twice (absent? null?).
fn require_what_is_always_there(root: &mut Document) {
    let asked = only_in_requests(root);
    for (name, schema) in root.components.iter_mut().flat_map(|components| components.schemas.iter_mut()) {
        open_free_objects(schema);
        if asked.contains(name) {
            drop_defaults(schema);
        } else {
            require_all(name, schema);
        }
    }
}

// "Any object" must say so, or the types that are made from it are objects without any field.
fn open_free_objects(schema: &mut RefOr<Schema>) {
    each_inner(schema, &mut open_free_objects);
    if let RefOr::T(Schema::Object(object)) = schema {
        let is_object = object.schema_type == SchemaType::Type(Type::Object)
            || matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Object));
        let says_nothing = match object.additional_properties.as_deref() {
            None => object.properties.is_empty(),
            Some(AdditionalProperties::RefOr(RefOr::T(Schema::Object(any)))) => {
                any.properties.is_empty() && any.schema_type == SchemaType::Type(Type::Object)
            }
            Some(_) => false,
        };
        if is_object && says_nothing {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        }
    }
}

// In a request a field with a default may be left out; the generator of types reads a default as "always there".
fn drop_defaults(schema: &mut RefOr<Schema>) {
    each_inner(schema, &mut drop_defaults);
    match schema {
        RefOr::T(Schema::Object(object)) => object.default = None,
        RefOr::T(Schema::Array(array)) => array.default = None,
        RefOr::T(Schema::OneOf(one)) => one.default = None,
        RefOr::T(Schema::AllOf(all)) => all.default = None,
        _ => {}
    }
}

fn each_inner(schema: &mut RefOr<Schema>, change: &mut dyn FnMut(&mut RefOr<Schema>)) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(change),
        Schema::OneOf(one) => one.items.iter_mut().for_each(change),
        Schema::AllOf(all) => all.items.iter_mut().for_each(change),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(change),
        _ => {}
    }
}

fn require_all(name: &str, schema: &mut RefOr<Schema>) {
    each_inner(schema, &mut |inner| require_all(name, inner));
    if let RefOr::T(Schema::Object(object)) = schema {
        let may_be_absent = |field: &String| MAY_BE_ABSENT.contains(&(name, field.as_str()));
        object.required = object.properties.keys().filter(|field| !may_be_absent(field)).cloned().collect();
    }
}

// Names that are reached from bodies of requests and from nothing else.
fn only_in_requests(root: &Document) -> BTreeSet<String> {
    let document = serde_json::to_value(root).unwrap_or_default();
    let schemas = &document["components"]["schemas"];
    let (mut asked, mut answered) = (BTreeSet::from(["LiveClientFrame".to_owned()]), BTreeSet::new());
    for operation in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()).filter_map(Json::as_object) {
        for operation in operation.values() {
            reach(&operation["requestBody"], schemas, &mut asked);
            reach(&operation["responses"], schemas, &mut answered);
        }
    }
    asked.difference(&answered).cloned().collect()
}

fn reach(value: &Json, schemas: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Json::as_str).and_then(|name| name.rsplit('/').next())
                && found.insert(name.to_owned())
            {
                reach(&schemas[name], schemas, found);
            }
            fields.values().for_each(|inner| reach(inner, schemas, found));
        }
        Json::Array(items) => items.iter().for_each(|inner| reach(inner, schemas, found)),
        _ => {}
    }
}

// Handlers are called `list` and `add` in every file; outside, an operation needs a name of its own.
fn name_operations(path: &str, item: &mut PathItem) {
    let noun = path.trim_start_matches("/api/v1/").replace(['/', '-'], "_").replace(['{', '}'], "");
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    for (method, operation) in all {
        if let Some(operation) = operation {
            operation.operation_id = Some(format!("{method}_{noun}"));
        }
    }
}

/// The document as it is committed: JSON with a line end.
pub fn openapi() -> String {
    let mut text = document().to_pretty_json().expect("a document of plain types can be written");
    text.push('\n');
    text
}
