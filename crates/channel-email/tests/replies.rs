//! Reply extraction on the public fixture sets. Prints the figures; fails below 95 % of any set, on an emptied body, and
//! on a difference that nobody has judged.

#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

use channel_email::{html, quote};
use std::path::{Path, PathBuf};

fn fixtures(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(of)
}

fn files(of: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(fixtures(of)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    all.sort();
    assert!(!all.is_empty(), "no fixtures in {of}");
    all
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: Vec<String>,
}

impl Score {
    fn add(&mut self, name: &str, got: &str, wanted: &str) {
        match flat(got) == flat(wanted) {
            true => self.right += 1,
            false => self.wrong.push(format!("{name}\n  wanted {:?}\n  got    {:?}", flat(wanted), flat(got))),
        }
    }
    fn close(&self, set: &str, judged: &[&str]) {
        let all = self.right + self.wrong.len();
        println!("{set}: {} of {all} exact ({:.1} %)", self.right, 100.0 * self.right as f64 / all as f64);
        self.wrong.iter().for_each(|wrong| println!("  {wrong}"));
        let unjudged: Vec<_> = self.wrong.iter().filter(|wrong| !judged.iter().any(|name| wrong.starts_with(name))).collect();
        assert!(unjudged.is_empty(), "{set}: {unjudged:#?}");
        assert!(self.right * 100 >= all * 95, "{set}: {} of {all}", self.right);
    }
}

#[test]
fn discourse() {
    let mut score = Score::default();
    for mail in files("mail/discourse-reply/emails") {
        let wanted = read(&fixtures("mail/discourse-reply/trimmed").join(name(&mail)));
        score.add(&name(&mail), &quote::split_text(&read(&mail)).reply, &wanted);
    }
    score.close("discourse-reply", &[]);
}

#[test]
fn zapier() {
    let mut score = Score::default();
    for mail in files("mail/zapier-erp/test/emails") {
        let wanted = read(&fixtures("replies/zapier-erp").join(name(&mail)));
        score.add(&name(&mail), &quote::split_text(&read(&mail)).reply, &wanted);
    }
    score.close("zapier-erp", &[]);
}

#[test]
fn talon() {
    let mut score = Score::default();
    let quotes_only = |body: &str| quote::split_text(body).unquoted(body);
    let html_reply = |body: &str| html::read(body).unwrap().split.reply;
    let base = "mail/talon/tests/fixtures";
    for mail in files(&format!("{base}/standard_replies")) {
        if mail.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let raw = std::fs::read(&mail).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
        let text = parsed.body_text(0).unwrap();
        let own = mail.with_file_name(format!("{}_reply_text", mail.file_stem().unwrap().to_string_lossy()));
        match own.exists() {
            true => score.add(&name(&mail), &quotes_only(&text), &read(&own)),
            false => score.add(&name(&mail), &quote::split_text(&text).reply, "Hello"),
        }
        // mail-parser makes HTML out of text where there is none; only real HTML counts.
        if parsed.html_part(0).is_some_and(|part| part.is_text_html()) {
            // The HTML part of one mail does not say what its text part says.
            let wanted = if name(&mail) == "outlook.eml" { "Allo! Follow up MIME!" } else { "Hello" };
            score.add(&format!("{} (html)", name(&mail)), &html_reply(&parsed.body_html(0).unwrap()), wanted);
        }
    }
    for mail in files(&format!("{base}/html_replies")) {
        score.add(&name(&mail), &html_reply(&read(&mail)), "Hi. I am fine. Thanks, Alex");
    }
    score.add("OLK_SRC_BODY_SECTION.html", &html_reply(&read(&fixtures(base).join("OLK_SRC_BODY_SECTION.html"))), "Reply");
    score.add(
        "reply-separated-by-hr.html",
        &html_reply(&read(&fixtures(base).join("reply-separated-by-hr.html"))),
        "Hi there Bob",
    );
    let raw = std::fs::read(fixtures(base).join("reply-quotations-share-block.eml")).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
    let text = parsed.body_text(0).unwrap();
    let wanted = text.split("--- On Wed").next().unwrap().to_owned();
    score.add("reply-quotations-share-block.eml", &quote::split_text(&text).reply, &wanted);
    let html = html_reply(&parsed.body_html(0).unwrap());
    // The HTML part signs with another name.
    score.add("reply-quotations-share-block.eml (html)", &html, &wanted.replace("Joe XXX", "Jhon Doe"));
    for mail in files(&format!("{base}/signature/emails/stripped")) {
        let Some(stem) = name(&mail).strip_suffix("_body").map(str::to_owned) else { continue };
        let body = read(&mail);
        let signature = mail.with_file_name(format!("{stem}_signature"));
        let signature = if signature.exists() { read(&signature) } else { String::new() };
        let wanted = body.trim_end().strip_suffix(signature.trim()).unwrap_or(&body).to_owned();
        score.add(&format!("signature/{stem}"), &quote::split_text(&body.replace("#sig#", "")).reply, &wanted);
    }
    // Annotated by people, line by line.
    for mail in ["102682_R_S", "unicode_msg"] {
        let whole = read(&fixtures(base).join("signature/emails/P").join(mail)).replace("\r\n", "\n");
        let body = whole.split_once("\n\n").map_or(whole.as_str(), |(_, body)| body);
        let body = if mail == "unicode_msg" { whole.split_once('\n').unwrap().1 } else { body };
        let wanted: String = body.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        score.add(&format!("P/{mail}"), &quote::split_text(&body.replace("#sig#", "").replace("#reply#", "")).reply, &wanted);
    }
    // A greeting with a first name ("Thank you, Noam") stays: in nine other files of this set the same is part of the
    // reply.
    score.close("talon", &["signature/short_url"]);
}

// Every body of the corpora, text and HTML: never emptied, always covered by its spans, and split again the same.
#[test]
fn no_body_of_the_corpora_is_emptied() {
    let mut bodies = 0;
    let mut open = vec![fixtures("mail")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let raw = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&raw).into_owned();
            let mut texts = vec![text.clone()];
            let mut htmls = vec![];
            if path.extension().is_some_and(|extension| extension == "html") {
                htmls.push(text);
            }
            if let Some(parsed) = mail_parser::MessageParser::default().parse(&raw) {
                texts.extend((0..parsed.text_body_count()).filter_map(|at| parsed.body_text(at)).map(|text| text.into_owned()));
                htmls.extend((0..parsed.html_body_count()).filter_map(|at| parsed.body_html(at)).map(|text| text.into_owned()));
            }
            for text in texts {
                let split = quote::split_text(&text);
                assert_eq!(flat(&split.reply).is_empty(), flat(&text).is_empty(), "{} was emptied", path.display());
                let covered: String = split.spans.iter().map(|span| &text[span.start..span.end]).collect();
                assert_eq!(covered, text, "{}", path.display());
                bodies += 1;
            }
            for body in htmls {
                let Ok(read) = html::read(&body) else { continue };
                assert_eq!(flat(&read.split.reply).is_empty(), flat(&read.text).is_empty(), "{} was emptied", path.display());
                bodies += 1;
            }
        }
    }
    println!("{bodies} bodies split, none emptied");
    assert!(bodies > 100);
}
