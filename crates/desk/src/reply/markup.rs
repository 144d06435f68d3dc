//! HTML that an agent's composer, a template or a signature brings: cleaned to what a mail needs. Pure.

use ammonia::{Builder, UrlRelative};
use std::collections::{HashMap, HashSet};

/// Longest HTML of one message.
pub const HTML_BYTES_MAX: usize = 1024 * 1024;

const TAGS: [&str; 36] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "figure",
    "figcaption",
    "h1",
    "h2",
    "h3",
    "h4",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];

/// The HTML without anything that runs, loads or hides. Pictures may be our own attachments (`cid:`) or pages' (`https:`).
pub fn clean(html: &str) -> String {
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", HashSet::from(["href", "title"])),
        ("img", HashSet::from(["src", "alt", "width", "height"])),
        ("td", HashSet::from(["colspan", "rowspan"])),
        ("th", HashSet::from(["colspan", "rowspan"])),
        ("ol", HashSet::from(["start"])),
    ]);
    Builder::new()
        .tags(HashSet::from(TAGS))
        .tag_attributes(attributes)
        .generic_attributes(HashSet::from(["dir", "lang"]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener nofollow"))
        .clean(html)
        .to_string()
}

/// Text as HTML, for values that are put into HTML.
pub fn escape(text: &str) -> String {
    ammonia::clean_text(text).replace("&#32;", " ").replace("&#47;", "/").replace("&#61;", "=").replace("&#10;", "<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_loads_or_hides_stays() {
        let dirty = "<p onclick=x style=\"position:fixed\">Hi <script>alert(1)</script><img src=\"cid:att_1\" onerror=x>\
            <img src=\"data:text/html,x\"><a href=\"javascript:x\">a</a><a href=\"https://shop.test/?a=1\">b</a><iframe src=x></iframe>";
        assert_eq!(
            clean(dirty),
            "<p>Hi <img src=\"cid:att_1\"><img><a rel=\"noopener nofollow\">a</a><a href=\"https://shop.test/?a=1\" rel=\"noopener nofollow\">b</a></p>"
        );
        assert_eq!(clean("plain & <b>bold"), "plain &amp; <b>bold</b>");
    }

    #[test]
    fn a_value_stays_text() {
        assert_eq!(
            clean(&format!("<p>{}</p>", escape("<b>Tom & Söhne</b>\nx"))),
            "<p>&lt;b&gt;Tom &amp; Söhne&lt;/b&gt;<br>x</p>"
        );
    }
}
