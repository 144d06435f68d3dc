//! The outermost layer: a request id, a log line without content, security headers, panics and refusals as documents.

use crate::error::{Problem, Unfinished};
use crate::front::Front;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{self, HeaderName, HeaderValue};
use std::panic::AssertUnwindSafe;

/// Header that carries the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of this request, for log lines and problem documents.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Runs a request inside all of it.
pub async fn surround(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let id = request_id(&front);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    // The pattern, not the path: paths hold tokens of invitations.
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let began = front.desk.now();
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_panic| {
        tracing::error!(request.id = id, %method, route, "{method} {route} panicked; this is a bug");
        Problem::internal().into_response()
    });
    let mut response = finish(response, &id);
    let status = response.status().as_u16();
    let took_ms = front.desk.now().since(began);
    tracing::debug!(request.id = id, %method, route, status, took_ms, "{method} {route} {status}");
    if status >= 500 && status != 503 {
        tracing::error!(request.id = id, %method, route, status, "{method} {route} failed with {status}");
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    protect(&mut response);
    if front.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

fn request_id(front: &Front) -> String {
    let mut bytes = [0; 8];
    front.desk.random.fill(&mut bytes);
    format!("req_{}", model::id::encode(i64::from_le_bytes(bytes) & i64::MAX))
}

fn finish(mut response: Response, id: &str) -> Response {
    let Some(Unfinished(problem)) = response.extensions_mut().remove::<Unfinished>() else { return response };
    let body = problem.body(id).to_string();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    *response.body_mut() = Body::from(body);
    response
}

// A handler that needs something else (the widget must be framed) sets its own header, which stays.
fn protect(response: &mut Response) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, and the sign-in page is a form.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
