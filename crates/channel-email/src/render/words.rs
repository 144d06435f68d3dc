//! The body of an answer as people read it: the text, the signature, earlier messages below; once as plain text, once as
//! HTML. Pure. HTML that comes in was cleaned before (desk); text is escaped here.

use super::mime::date;
use channel::{Outbound, Quote, Signature};

/// The plain text.
pub fn plain(outbound: &Outbound) -> String {
    let mut out = outbound.text.trim_end().to_owned();
    let signature = outbound.mail.signature.as_ref().filter(|s| !s.text.trim().is_empty());
    if let Some(Signature { text, .. }) = signature {
        out.push_str("\n\n-- \n");
        out.push_str(text.trim_end());
    }
    for quote in &outbound.mail.quotes {
        if quote.as_chat {
            out.push_str(&format!("\n\n{} ({}):\n{}", quote.author, date(quote.at), quote.text.trim_end()));
            continue;
        }
        out.push_str(&format!("\n\nOn {}, {} wrote:\n", date(quote.at), quote.author));
        for line in quote.text.trim_end().lines() {
            out.push_str(if line.is_empty() || line.starts_with('>') { ">" } else { "> " });
            out.push_str(line);
            out.push('\n');
        }
    }
    let mut out = out.trim_matches('\n').to_owned();
    out.push('\n');
    out
}

/// The HTML.
pub fn html(outbound: &Outbound) -> String {
    let mut out = String::from("<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body>\n");
    if !outbound.text.trim().is_empty() || outbound.html.is_some() {
        out.push_str(&outbound.html.clone().unwrap_or_else(|| from_text(&outbound.text)));
    }
    if let Some(signature) = outbound.mail.signature.as_ref().filter(|s| !s.text.trim().is_empty()) {
        out.push_str("\n<div class=\"continuo-signature\">-- <br>");
        out.push_str(&signature.html.clone().unwrap_or_else(|| from_text(&signature.text)));
        out.push_str("</div>");
    }
    for quote in &outbound.mail.quotes {
        out.push_str(&quoted(quote));
    }
    out.push_str("\n</body></html>\n");
    out
}

fn quoted(quote: &Quote) -> String {
    let inner = quote.html.clone().unwrap_or_else(|| from_text(&quote.text));
    let (author, at) = (escape(&quote.author), date(quote.at));
    if quote.as_chat {
        return format!("\n<div class=\"continuo-message\"><p><b>{author}</b> ({at}):</p>{inner}</div>");
    }
    format!(
        "\n<div class=\"continuo-quote\"><div>On {at}, {author} wrote:</div><blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex\">{inner}</blockquote></div>"
    )
}

/// Paragraphs at empty lines, line breaks elsewhere, addresses of pages as links.
pub fn from_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let paragraphs: Vec<String> = text
        .trim_matches('\n')
        .split("\n\n")
        .map(|paragraph| {
            let lines: Vec<String> = paragraph.trim_matches('\n').split('\n').map(line).collect();
            format!("<p>{}</p>", lines.join("<br>\n"))
        })
        .collect();
    paragraphs.join("\n")
}

fn line(line: &str) -> String {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let mut out = "&nbsp;".repeat(indent);
    for (at, word) in line[indent..].split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&linked(word));
    }
    out
}

fn linked(word: &str) -> String {
    let is_link = word.starts_with("https://") || word.starts_with("http://");
    let end = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'', '>']).len();
    let (link, rest) = word.split_at(end);
    if !is_link || link.len() < 10 {
        return escape(word);
    }
    let link = escape(link);
    format!("<a href=\"{link}\">{link}</a>{}", escape(rest))
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_html_that_says_the_same_and_runs_nothing() {
        let html = from_text("Hi <b>\n  see https://shop.test/a?b=1&c=2.\n\n<script>alert(1)</script>");
        assert_eq!(
            html,
            "<p>Hi &lt;b&gt;<br>\n&nbsp;&nbsp;see <a href=\"https://shop.test/a?b=1&amp;c=2\">https://shop.test/a?b=1&amp;c=2</a>.</p>\n<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
        );
        assert_eq!(from_text("javascript:alert(1)"), "<p>javascript:alert(1)</p>");
    }
}
