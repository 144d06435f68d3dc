//! The HTML of a mail made safe to be shown, and as text.
//!
//! Two passes. The first (ours, on a bounded tree) takes out what a mail may do to its reader without any script: remote
//! pictures that report the reading, styles that leave the frame, background pictures. Pictures keep their place and
//! name what they want, so that the screen can give them on request: `<img data-remote-src="https://..">` for pictures of
//! the network (no `src`, so nothing is loaded), `<img src="cid:..">` for attached ones, which no browser can load before
//! the desk has put the attachment's own address there.
//! The second pass is ammonia with a list of what is allowed; whatever the first let through ends there.
//! The result belongs into a sandboxed frame all the same.

pub use crate::html_dom::{DEPTH_MAX, HTML_MAX, HtmlRefused, NODES_MAX};
use crate::html_dom::{Data, Dom, NodeId};
use crate::quote::Split;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The HTML of a mail, ready for a screen.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Html {
    /// Safe HTML. Quoted history and signatures carry `data-fold="quote"`, `"forward"` or `"signature"`.
    pub safe: String,
    /// The same as text, quotes marked by `> `.
    pub text: String,
    /// What of `text` is new.
    pub split: Split,
    /// Pictures of the network that wait to be asked for.
    pub remote_images: usize,
    /// Content-IDs of attached pictures that the HTML shows, without brackets.
    pub cids: Vec<String>,
}

/// Reads the HTML of a mail: safe HTML, text and what of it is new.
pub fn read(html: &str) -> Result<Html, HtmlRefused> {
    let mut dom = Dom::read(html)?;
    let (text, split) = crate::quote_html::split(&mut dom);
    let (remote_images, cids) = tame(&mut dom);
    Ok(Html { safe: clean(&dom.write()), text, split, remote_images, cids })
}

/// HTML made safe, without asking what of it is new.
pub fn sanitise(html: &str) -> Result<String, HtmlRefused> {
    let mut dom = Dom::read(html)?;
    tame(&mut dom);
    Ok(clean(&dom.write()))
}

/// HTML as text. HTML beyond the limits gives its text without any structure.
pub fn to_text(html: &str) -> String {
    match Dom::read(html) {
        Ok(mut dom) => crate::quote_html::split(&mut dom).0,
        Err(_) => crude_text(html),
    }
}

// Everything between tags. For HTML that no parser should be asked about.
fn crude_text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tag = &rest[start..];
        let skipped = ["style", "script", "title"].iter().find_map(|name| {
            let opens = tag.get(1..=name.len()).is_some_and(|have| have.eq_ignore_ascii_case(name));
            opens.then(|| tag.find("</").unwrap_or(tag.len()))
        });
        let from = skipped.unwrap_or(0);
        let end = tag[from..].find('>').map_or(tag.len(), |end| from + end + 1);
        rest = &tag[end..];
        if !out.ends_with(['\n', ' ']) && !out.is_empty() {
            out.push(' ');
        }
    }
    out.push_str(rest);
    let plain =
        out.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    let lines: Vec<String> =
        plain.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

// Attributes that a mail's lay-out needs and that can do nothing.
const LAYOUT: &[&str] = &[
    "align",
    "valign",
    "width",
    "height",
    "border",
    "cellpadding",
    "cellspacing",
    "bgcolor",
    "color",
    "face",
    "size",
    "dir",
    "lang",
    "title",
    "colspan",
    "rowspan",
    "start",
    "type",
    "reversed",
    "style",
    "alt",
    "nowrap",
    "href",
    "src",
    "data-fold",
    "data-remote-src",
    "summary",
    "span",
    "datetime",
    "cite",
];

// First pass. Gives the number of remote pictures and the Content-IDs in use.
fn tame(dom: &mut Dom) -> (usize, Vec<String>) {
    let (mut remote, mut cids) = (0, vec![]);
    for node in &mut dom.nodes {
        let Data::Element { name, attrs } = &mut node.data else { continue };
        // Elements whose content is no markup would be read in another way the second time.
        if matches!(name.as_str(), "xmp" | "listing" | "plaintext") {
            *name = "pre".to_owned();
        }
        let is_image = name == "img";
        let mut wanted = None;
        attrs.retain_mut(|(key, value)| match key.as_str() {
            "src" if is_image => {
                wanted = Some(value.trim().to_owned());
                false
            }
            // `quote_html` has put its own there; a mail cannot bring any.
            "data-remote-src" => false,
            "style" => {
                *value = tame_style(value);
                !value.is_empty()
            }
            "href" => tame_link(value),
            other => LAYOUT.contains(&other),
        });
        let Some(src) = wanted else { continue };
        if let Some(cid) = strip_scheme(&src, "cid:") {
            let cid = percent_decoded(cid.trim_matches(['<', '>', ' '])).into_owned();
            attrs.push(("src".to_owned(), format!("cid:{cid}")));
            if !cids.contains(&cid) && cids.len() < 1_000 {
                cids.push(cid);
            }
        } else if let Some(url) = remote_image(&src) {
            remote += 1;
            attrs.push(("data-remote-src".to_owned(), url));
        }
    }
    (remote, cids)
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let head = url.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}

fn remote_image(src: &str) -> Option<String> {
    if src.starts_with("//") {
        return Some(format!("https:{src}"));
    }
    let network = strip_scheme(src, "https://").or_else(|| strip_scheme(src, "http://")).is_some();
    // Pictures inside the HTML itself send nothing, but SVG may hold scripts.
    let inside = [
        "data:image/png;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
        "data:image/gif;base64,",
        "data:image/webp;base64,",
    ]
    .iter()
    .any(|scheme| strip_scheme(src, scheme).is_some());
    (network || inside).then(|| src.to_owned())
}

fn tame_link(href: &mut String) -> bool {
    let clean: String = href.chars().filter(|c| !c.is_control()).collect();
    *href = clean.trim().to_owned();
    ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| strip_scheme(href, scheme).is_some())
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

// What may be styled: text, and boxes inside the flow. No position, no transform, nothing that can cover the screen
// around it or load anything.
const STYLES: &[&str] = &[
    "color",
    "background-color",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "font-variant",
    "line-height",
    "letter-spacing",
    "text-align",
    "text-decoration",
    "text-decoration-line",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "word-break",
    "word-wrap",
    "overflow-wrap",
    "direction",
    "unicode-bidi",
    "border",
    "border-top",
    "border-right",
    "border-bottom",
    "border-left",
    "border-color",
    "border-style",
    "border-width",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-collapse",
    "border-spacing",
    "padding",
    "padding-top",
    "padding-right",
    "padding-bottom",
    "padding-left",
    "margin",
    "margin-top",
    "margin-right",
    "margin-bottom",
    "margin-left",
    "width",
    "max-width",
    "min-width",
    "height",
    "max-height",
    "min-height",
    "list-style-type",
    "display",
    "table-layout",
    "caption-side",
    "empty-cells",
    "clear",
    "float",
];

fn tame_style(style: &str) -> String {
    let mut kept = vec![];
    for declaration in style.split(';').take(100) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let low = value.to_ascii_lowercase();
        // A bracket is a function: only colours. A backslash hides words, a minus moves things over others.
        let functions = low.matches('(').count()
            == ["rgb(", "rgba(", "hsl(", "hsla("].iter().map(|name| low.matches(name).count()).sum::<usize>();
        let hides = low.contains(['\\', '<', '>', '{', '}', '@', '/']) && name != "font";
        let pulls = name.starts_with("margin") && low.contains('-');
        let shows = name != "display"
            || matches!(
                low.trim_end_matches("!important").trim(),
                "none" | "block" | "inline" | "inline-block" | "table" | "table-row" | "table-cell" | "list-item"
            );
        let font = name != "font" || !low.contains(['\\', '<', '>', '{', '}', '@']);
        if STYLES.contains(&name.as_str()) && functions && !hides && !pulls && shows && font && value.len() <= 300 {
            kept.push(format!("{name}: {}", value.replace("!important", "").trim()));
        }
    }
    kept.join("; ")
}

// Second pass.
fn clean(html: &str) -> String {
    let tags: HashSet<&str> = [
        "a",
        "abbr",
        "address",
        "article",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
    .into_iter()
    .collect();
    let everywhere: HashSet<&str> =
        ["align", "valign", "bgcolor", "dir", "lang", "title", "style", "data-fold", "width", "height"].into_iter().collect();
    let some: HashMap<&str, HashSet<&str>> = [
        ("a", vec!["href"]),
        ("img", vec!["alt", "border", "src", "data-remote-src"]),
        ("font", vec!["color", "face", "size"]),
        ("hr", vec!["color", "size"]),
        ("table", vec!["border", "cellpadding", "cellspacing", "summary"]),
        ("td", vec!["colspan", "rowspan", "nowrap"]),
        ("th", vec!["colspan", "rowspan", "nowrap"]),
        ("col", vec!["span"]),
        ("colgroup", vec!["span"]),
        ("ol", vec!["start", "type", "reversed"]),
        ("ul", vec!["type"]),
        ("li", vec!["type"]),
        ("time", vec!["datetime"]),
    ]
    .into_iter()
    .map(|(tag, attributes)| (tag, attributes.into_iter().collect()))
    .collect();
    ammonia::Builder::empty()
        .tags(tags)
        .clean_content_tags(
            ["script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "select", "textarea"]
                .into_iter()
                .collect(),
        )
        .generic_attributes(everywhere)
        .tag_attributes(some)
        .set_tag_attribute_value("a", "target", "_blank")
        .url_schemes(["http", "https", "mailto", "tel", "cid"].into_iter().collect())
        .url_relative(ammonia::UrlRelative::Deny)
        .filter_style_properties(STYLES.iter().copied().collect())
        // Whatever happens before: a picture is loaded from nowhere but an attachment.
        .attribute_filter(|element, attribute, value| {
            (element != "img" || attribute != "src" || value.starts_with("cid:")).then_some(Cow::Borrowed(value))
        })
        .link_rel(Some("noopener noreferrer nofollow"))
        .strip_comments(true)
        .clean(html)
        .to_string()
}

/// Is the element hidden by its own style?
pub(crate) fn is_hidden(dom: &Dom, id: NodeId) -> bool {
    dom.attr(id, "hidden").is_some()
        || dom.attr(id, "style").is_some_and(|style| {
            let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
            ["display:none", "visibility:hidden", "mso-hide:all"].iter().any(|hidden| style.contains(hidden))
        })
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
