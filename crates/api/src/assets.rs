//! The embedded web parts: the workspace for every path that the server does not own, and whatever else a browser asks
//! for by name. Hashed files never change and say so; the page itself is asked for each time and answers "not modified".

use crate::Front;
use crate::error::Problem;
use crate::pages;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write;

/// Web workspace as `make web` built it; empty when it was not.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/workspace/dist"]
#[allow_missing = true]
pub struct WorkspaceFiles;

/// Widget as `make web` built it; empty when it was not.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/widget/dist"]
#[allow_missing = true]
pub struct WidgetFiles;

/// No inline script, nothing from elsewhere, never in a frame. `blob:` and `data:` images: previews of files being sent.
const APP_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
     connect-src 'self'; media-src 'self' blob:; frame-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// First parts of paths that are never a place inside the app, so that a slip there is 404 and not a page.
const SERVER_PATHS: [&str; 18] = [
    "api", "ws", "w", "webhooks", "files", "hc", "s", "t", "u", "status", "login", "logout", "invite", "reset", "oauth",
    "healthz", "readyz", "metrics",
];

/// Health, robots and the app.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /\n" }))
        .fallback(fallback)
}

// Ready means that the store answers: a load balancer asks this.
async fn ready(State(front): State<Front>) -> Result<&'static str, Problem> {
    front.desk.db.read(store::workspace::list).await?;
    Ok("ready\n")
}

async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if first == "api" || !matches!(method, Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    if path.split('/').any(|part| part.starts_with('.')) {
        return pages::not_found().into_response();
    }
    if let Some(response) = file::<WorkspaceFiles>(path, &headers).filter(|_| path != "index.html") {
        return response;
    }
    if SERVER_PATHS.contains(&first) || path.contains('.') {
        return pages::not_found().into_response();
    }
    match file::<WorkspaceFiles>("index.html", &headers) {
        Some(mut response) => {
            let csp = HeaderValue::from_static(APP_CSP);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, csp);
            response
        }
        None => pages::not_built().into_response(),
    }
}

/// A file of an embedded folder, ready to send; `None` when there is none of that name.
pub fn file<E: RustEmbed>(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = E::get(path)?;
    let packed = takes_brotli(headers).then(|| E::get(&format!("{path}.br"))).flatten();
    let is_packed = packed.is_some();
    let tag = etag(&plain, is_packed);
    let is_hashed = is_hashed(path);
    let cache = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let file = packed.unwrap_or(plain);
        axum::body::Body::from(file.data.into_owned()).into_response()
    };
    let out = response.headers_mut();
    if !is_known {
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime(path)));
        if is_packed {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
    }
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    Some(response)
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let wanted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    wanted.split(',').any(|one| {
        let mut parts = one.trim().split(';');
        parts.next() == Some("br") && parts.all(|weight| weight.trim() != "q=0")
    })
}

fn etag(file: &EmbeddedFile, is_packed: bool) -> String {
    let mut tag = file.metadata.sha256_hash()[..16].iter().fold("\"".to_owned(), |mut tag, byte| {
        let _ = write!(tag, "{byte:02x}");
        tag
    });
    tag.push_str(if is_packed { "-br\"" } else { "\"" });
    tag
}

// The bundler writes `assets/name-HASH.ext`; a hash of its content makes the name change with it.
fn is_hashed(path: &str) -> bool {
    let Some((_, name)) = path.rsplit_once("assets/") else { return false };
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    // The hash itself may hold a hyphen, so it is cut by its length: eight characters after a hyphen.
    let hash = stem.len().checked_sub(9).and_then(|from| stem.get(from..));
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let Some(hash) = hash.and_then(|hash| hash.strip_prefix('-')) else { return false };
    // A word of a plain name ("vendor-settings") has no upper case and no digit; a hash all but always has.
    hash.bytes().all(letters) && hash.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_forever() {
        for yes in ["assets/index-B3nX9_aQ.js", "assets/inter-latin-CkCnhVoT.woff2"] {
            assert!(is_hashed(yes), "{yes}");
        }
        for no in ["index.html", "assets/x.js", "favicon.svg", "assets/vendor-settings.js", "assets/éééééééé.js"] {
            assert!(!is_hashed(no), "{no}");
        }
    }

    #[test]
    fn brotli_only_for_those_who_take_it() {
        let with = |value: &str| takes_brotli(&[(header::ACCEPT_ENCODING, value.parse().unwrap())].into_iter().collect());
        assert!(with("gzip, deflate, br") && with("br;q=1.0"));
        assert!(!with("gzip") && !with("br;q=0") && !with("x-br") && !takes_brotli(&HeaderMap::new()));
    }
}
