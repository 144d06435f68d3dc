//! The frame of every rendered page.

use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};

/// Tokens of the whole product, then what these pages add.
pub const CSS: &str =
    concat!(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/shared/tokens.css")), include_str!("page.css"));

/// Shows a typed password on request; without it the pages work the same.
pub const JS: &str = include_str!("page.js");

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// One page.
pub struct Page<'a> {
    /// HTTP status.
    pub status: StatusCode,
    /// Title of the window.
    pub title: &'a str,
    /// HTML of the card; whatever came from outside is escaped by now.
    pub body: &'a str,
}

const MARK: &str = "<svg viewBox=\"0 0 32 32\" width=\"32\" height=\"32\" aria-hidden=\"true\"><rect width=\"32\" height=\"32\" rx=\"9\" fill=\"var(--brand)\"/>\
<path d=\"M22 11.5a8 8 0 1 0 0 9\" fill=\"none\" stroke=\"var(--on-brand)\" stroke-width=\"3\" stroke-linecap=\"round\"/>\
<circle cx=\"16\" cy=\"16\" r=\"2\" fill=\"var(--on-brand)\"/></svg>";

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} · Continuo</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
             <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"/favicon.svg\"><link rel=\"stylesheet\" href=\"/page.css\">\
             <script src=\"/page.js\" defer></script></head>\
             <body><main class=\"card\"><div class=\"mark\">{MARK}<span>Continuo</span></div>{}</main></body></html>",
            escape(self.title),
            self.body
        );
        let mut response = (self.status, Html(html)).into_response();
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Text inside HTML, also inside a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }
}
