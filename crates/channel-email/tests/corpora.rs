//! Every mail of the corpora: read without panic and in time, and compared with two other parsers. Where they differ,
//! fixtures/expect/differences.json says what is right and why; a difference that stands there and is gone, or one that
//! does not stand there, fails.

#![allow(clippy::unwrap_used, reason = "tests")]
#![expect(
    clippy::disallowed_methods,
    reason = "how long reading takes is what is looked at; the samples lie where cargo put them"
)]

use channel_email::explain;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { all.push(path) }
        }
    }
    all.sort();
    all
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(fixtures().join("mail")).unwrap().to_string_lossy().replace('\\', "/")
}

fn read_json(name: &str) -> Map<String, Json> {
    let text = std::fs::read_to_string(fixtures().join("expect").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

// A debug build is ten times slower than what is shipped.
const TIME_MAX: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });

#[test]
fn every_file_is_read_in_time_as_a_mail_and_as_a_body() {
    let files = files(&fixtures().join("mail"));
    assert!(files.len() > 340, "{} files", files.len());
    let mut slowest = (Duration::ZERO, String::new());
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let started = Instant::now();
        let mail = explain::mail(&bytes);
        let _ = (mail.in_words(true), serde_json::to_string(&mail).unwrap());
        let body = explain::body(&bytes);
        assert!(body.text.trim().is_empty() || !body.reply.trim().is_empty(), "{}: the reply is empty", path.display());
        slowest = slowest.max((started.elapsed(), name_of(path)));
    }
    println!("{} files, slowest {:?} {}", files.len(), slowest.0, slowest.1);
    assert!(slowest.0 < TIME_MAX, "{slowest:?}");
}

// What we read, in the form of the records.
fn ours(bytes: &[u8]) -> Map<String, Json> {
    let mail = explain::mail(bytes);
    let date = mail.date.as_deref().and_then(model::Timestamp::parse).map(|at| at.0 / 1_000);
    let text = (!mail.text_is_of_html).then_some(mail.text);
    let files: Vec<Json> = mail.attachments.iter().map(|file| json!([file.name, file.mime])).collect();
    let fields = [
        ("subject", json!(mail.subject)),
        ("from", json!(mail.from.and_then(|from| from.address))),
        ("date", json!(date)),
        ("text", json!(text)),
        ("attachments", json!(files)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn same(field: &str, ours: &Json, theirs: &Json) -> bool {
    let blank = |value: &Json| value.as_str().is_none_or(|text| text.trim().is_empty());
    match field {
        "text" => {
            let even = |value: &Json| {
                let text = value.as_str().unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
                text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
            };
            even(ours) == even(theirs)
        }
        "subject" => {
            // Blanks of folding are kept by one and not by the other.
            let words =
                |value: &Json| value.as_str().unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            words(ours) == words(theirs)
        }
        "attachments" => {
            let none = vec![];
            let (ours, theirs) = (ours.as_array().unwrap_or(&none), theirs.as_array().unwrap_or(&none));
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| {
                    // We name what has no name.
                    ours[1] == theirs[1] && (theirs[0].is_null() || ours[0] == theirs[0])
                })
        }
        _ => ours == theirs || (blank(ours) && blank(theirs) && !ours.is_number() && !theirs.is_number()),
    }
}

// Long values stand in the list as their beginning and their hash.
fn short(value: &Json) -> Json {
    match value.as_str() {
        Some(text) if text.chars().count() > 120 => {
            let start: String = text.chars().take(60).collect();
            json!(format!("{start}.. {}", &channel::content_key(text.as_bytes())[..12]))
        }
        _ => value.clone(),
    }
}

// Compares one record, and answers how many fields agree, how many do not.
fn compare(oracle: &str, records: &Map<String, Json>, read: impl Fn(&str) -> Vec<u8>) -> (usize, usize) {
    let judged = read_json("differences.json");
    let judged = judged[oracle].as_object().unwrap();
    let mut found: BTreeMap<String, Json> = BTreeMap::new();
    let (mut agree, mut differ) = (0, 0);
    for (name, theirs) in records {
        let ours = ours(&read(name));
        for (field, theirs) in theirs.as_object().unwrap() {
            if same(field, &ours[field], theirs) {
                agree += 1;
            } else {
                differ += 1;
                found.insert(format!("{name} {field}"), json!({"ours": short(&ours[field]), "theirs": short(theirs)}));
            }
        }
    }
    let mut problems = vec![];
    for (key, found) in &found {
        match judged.get(key) {
            Some(known) if known["ours"] == found["ours"] && known["theirs"] == found["theirs"] && known["why"].is_string() => {}
            _ => problems.push(format!("  {}: {},", json!(key), found)),
        }
    }
    let gone: Vec<&String> = judged.keys().filter(|key| !found.contains_key(*key)).collect();
    println!("{oracle}: {} mails, {agree} fields agree, {differ} differ and are judged", records.len());
    assert!(problems.is_empty(), "not judged in differences.json ({oracle}):\n{}", problems.join("\n"));
    assert!(gone.is_empty(), "stand in differences.json ({oracle}) and are gone: {gone:#?}");
    (agree, differ)
}

fn corpus(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("mail").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn cpython_reads_the_same_or_the_difference_is_judged() {
    let records = read_json("cpython.json");
    assert!(records.len() > 200);
    compare("cpython", &records, corpus);
}

// A record of mail-parser in our form. Its text is that of the parts it calls the text body.
fn record_of(parsed: &Json) -> Json {
    let parts = parsed["parts"].as_array().unwrap();
    let header = |part: &Json, name: &str| -> Json {
        let all = part["headers"].as_array().unwrap();
        all.iter().find(|header| header["name"] == name).map_or(Json::Null, |header| header["value"].clone())
    };
    let top = &parts[0];
    let from = header(top, "from");
    let person = from["Address"]["List"][0].clone();
    let person = if person.is_null() { from["Address"]["Group"][0]["addresses"][0].clone() } else { person };
    let files: Vec<Json> = parsed["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| {
            let part = &parts[at.as_u64().unwrap() as usize];
            let attribute = |name: &str, wanted: &str| {
                let content = header(part, name)["ContentType"].clone();
                let all = content["attributes"].as_array().cloned().unwrap_or_default();
                all.iter().find(|attribute| attribute["name"] == wanted).map_or(Json::Null, |a| a["value"].clone())
            };
            let named = attribute("content_disposition", "filename");
            if named.is_null() { attribute("content_type", "name") } else { named }
        })
        .collect();
    // Its text, where all of it is plain text; what it makes of HTML is its own taste.
    let body: Vec<&Json> =
        parsed["text_body"].as_array().unwrap().iter().map(|at| &parts[at.as_u64().unwrap() as usize]["body"]).collect();
    let plain = body.iter().all(|body| body["Text"].is_string());
    let text = plain.then(|| {
        body.iter().fold(String::new(), |text, body| {
            let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            text + line + body["Text"].as_str().unwrap_or_default()
        })
    });
    json!({"subject": header(top, "subject")["Text"], "from": person["address"], "names": files, "text": text})
}

#[test]
fn mail_parser_expects_the_same_subject_sender_and_names() {
    let mut roots = vec![fixtures().join("mail/mail-parser/resources/eml")];
    // The rest of its samples may not be copied, but lies where cargo put the crate.
    let registry = std::env::var("CARGO_HOME").map(PathBuf::from).ok().or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let sources = registry.map(|home| home.join("registry/src")).and_then(|src| std::fs::read_dir(src).ok());
    let whole =
        sources.into_iter().flatten().flatten().map(|e| e.path().join("mail-parser-0.11.9/resources/eml")).find(|p| p.is_dir());
    match whole {
        Some(path) => roots.push(path),
        None => println!("skipped: the samples of the crate mail-parser 0.11.9 are not on this machine"),
    }
    let judged = read_json("differences.json");
    let judged = judged["mail-parser"].as_object().unwrap();
    let (mut mails, mut problems, mut met) = (0, vec![], vec![]);
    for path in roots.iter().flat_map(|root| files(root)).filter(|path| path.extension().is_some_and(|e| e == "eml")) {
        let expected: Json = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let expected = record_of(&expected);
        let mail = explain::mail(&std::fs::read(&path).unwrap());
        let name = path.iter().rev().take(2).map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>();
        let name = format!("{}/{}", name[1], name[0]);
        mails += 1;
        let names: Vec<&str> = mail.attachments.iter().map(|file| file.name.as_str()).collect();
        // Every name that it found is found here, too; what else we list has a name of our making.
        let missing: Vec<&Json> =
            expected["names"].as_array().unwrap().iter().filter(|n| n.as_str().is_some_and(|n| !names.contains(&n))).collect();
        let text = if expected["text"].is_null() || mail.text_is_of_html { &Json::Null } else { &expected["text"] };
        let shown = (!text.is_null()).then_some(&mail.text);
        let ours =
            json!({"subject": mail.subject, "from": mail.from.and_then(|from| from.address), "names": missing, "text": shown});
        for (field, theirs) in
            [("subject", &expected["subject"]), ("from", &expected["from"]), ("names", &json!([])), ("text", text)]
        {
            if !same(field, &ours[field], theirs) {
                let key = format!("{name} {field}");
                let found = json!({"ours": short(&ours[field]), "theirs": short(theirs)});
                match judged.get(&key) {
                    Some(known) if known["ours"] == found["ours"] && known["why"].is_string() => met.push(key),
                    _ => problems.push(format!("  {}: {found},", json!(key))),
                }
            }
        }
    }
    println!("mail-parser: {mails} mails, {} differences judged", met.len());
    assert!(mails >= 18);
    assert!(problems.is_empty(), "not judged in differences.json (mail-parser):\n{}", problems.join("\n"));
}
