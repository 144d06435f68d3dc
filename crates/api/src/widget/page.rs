//! What a browser loads: the loader for the business's page, the panel for the frame, their parts, and a test page of our own.

use super::config;
use super::site::{self, Site};
use crate::Front;
use crate::assets::{WidgetFiles, file};
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::{Caller, own_base};
use crate::pages::shell::escape;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;

const LOADER_MARK: &str = "\"__CONTINUO_CONFIG__\"";
const PANEL_MARK: &str = "__CONTINUO_PANEL_CONFIG__";
/// Style of the test page, after the tokens of the whole product.
const TEST_CSS: &str =
    concat!(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/shared/tokens.css")), include_str!("test.css"));
const TEST_CSS_NAME: &str = "test-page.css";

/// How the panel is opened.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    locale: String,
}

/// `GET /w/assets/:name`.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    if name == TEST_CSS_NAME {
        return text("text/css; charset=utf-8", "public, max-age=300", TEST_CSS.to_owned());
    }
    file::<WidgetFiles>(&format!("assets/{name}"), &headers).unwrap_or_else(|| Problem::not_found().into_response())
}

/// `GET /w/:site.js` and `GET /w/:site`.
pub async fn loader_or_panel(
    State(front): State<Front>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    from: Caller,
) -> Result<Response, Problem> {
    front
        .live
        .doors()
        .request(&from.address, front.desk.now())
        .map_err(|wait_ms| Problem::rate_limited(site::seconds(wait_ms)))?;
    match name.strip_suffix(".js") {
        Some(slug) => loader(&site::find(&front, slug).await?),
        None => panel(&front, &site::find(&front, &name).await?, &asked.locale, &headers).await,
    }
}

fn loader(site: &Site) -> Result<Response, Problem> {
    let code = embedded("loader.js")?;
    let s = &site.settings;
    let config = json!({
        "site": site.open.inbox.site, "title": s.title, "colour": s.colour, "corner": s.corner, "radius": s.radius, "theme": s.theme, "locale": s.locale,
    });
    let mut response =
        text("text/javascript; charset=utf-8", "public, max-age=300", code.replacen(LOADER_MARK, &inline_json(&config), 1));
    // Pages that isolate themselves may still hold the widget.
    response
        .headers_mut()
        .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    Ok(response)
}

async fn panel(front: &Front, site: &Site, locale: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let html = embedded("panel.html")?;
    let config = config::of(front, site, locale).await?;
    let config = serde_json::to_value(config).map_err(|_| Problem::internal())?;
    let mut response = text("text/html; charset=utf-8", "no-store", html.replacen(PANEL_MARK, &inline_json(&config), 1));
    // The test page is ours, so it may always hold the panel.
    let rules = site.settings.frame_ancestors();
    let ancestors = if rules == "*" { rules } else { format!("'self' {}", rules.replace("'self'", "").replace("'none'", "")) };
    // Older browsers do not count sockets of our own host as 'self'.
    let sockets = own_base(headers, &front.config).replacen("http", "ws", 1);
    let csp = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob:; \
         connect-src 'self' {sockets}; base-uri 'none'; form-action 'none'; frame-ancestors {}",
        ancestors.trim()
    );
    let csp = HeaderValue::from_str(&csp).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, csp);
    // Opened from other sites, in their frame: this is the one page of ours that may be.
    response
        .headers_mut()
        .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    Ok(response)
}

/// `GET /w/:site/test`: the widget on a page of ours, before it stands on the business's own.
pub async fn test(
    State(front): State<Front>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    from: Caller,
) -> Result<Response, Problem> {
    let site = site::find(&front, &slug).await?;
    let workspace = site.workspace;
    let business = front.desk.db.read(move |tx| store::workspace::get(tx, workspace)).await?.name;
    let slug = site.open.inbox.site.clone().unwrap_or_default();
    let snippet = format!("<script src=\"{}/w/{slug}.js\" async></script>", from.base);
    let colour = &site.settings.colour;
    let html = include_str!("test.html")
        .replace("{{business}}", &escape(&business))
        .replace("{{initial}}", &escape(&business.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default()))
        .replace("{{inbox}}", &escape(&site.open.inbox.name))
        .replace("{{colour}}", &escape(colour))
        .replace("{{snippet}}", &escape(&snippet))
        .replace("{{css}}", &format!("/w/assets/{TEST_CSS_NAME}"))
        .replace("{{loader}}", &format!("/w/{}.js", escape(&slug)));
    let _ = headers;
    let mut response = text("text/html; charset=utf-8", "no-store", html);
    let csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(csp));
    Ok(response)
}

fn text(mime: &'static str, cache: &'static str, body: String) -> Response {
    let mut response = body.into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn embedded(name: &str) -> Result<String, Problem> {
    let found = WidgetFiles::get(name)
        .ok_or_else(|| Problem::not_found().detail("this server was built without the widget; run make web"))?;
    Ok(String::from_utf8_lossy(&found.data).into_owned())
}

/// JSON that may stand inside a script element: nothing in it can end the element or begin a comment.
fn inline_json(value: &serde_json::Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_setting_ends_the_script() {
        let value = json!({ "title": "</script><!--&\u{2028}" });
        let inline = inline_json(&value);
        assert!(!inline.contains(['<', '>', '&', '\u{2028}']), "{inline}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&inline).unwrap(), value);
    }
}
