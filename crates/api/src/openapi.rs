//! The generated document of everything under `/api/v1`. It is committed as `openapi.json`; a test fails when that is
//! stale, and the types of the web parts are made from it.

use crate::resources;
use crate::types::ProblemDocument;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, PathItem};

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
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE_NAME)));
    root.components.get_or_insert_default().add_security_scheme("login", cookie);
    root
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
