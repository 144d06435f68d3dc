//! winmail.dat files compared with what tnefparse 1.4.0 reads in them (fixtures/expect/tnef_record.py). Seven samples are in
//! this repository, six by a writer of ours (src/tnef_tests.rs); the others are read where `CONTINUO_TNEF_SAMPLES` names a folder with tnefparse's own samples.

#![allow(clippy::unwrap_used, reason = "tests")]

use channel_email::tnef;
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};

// file: what differs, and why ours is right.
const JUDGED: [(&str, &str, &str); 6] = [
    ("winmail.tnef", "files", "OLE objects: ours are the whole compound files, as MimeKit extracts them"),
    ("MAPI_ATTACH_DATA_OBJ.tnef", "files", "OLE objects: ours are the whole compound files"),
    ("duplicate_filename.tnef", "files", "OLE objects: ours are the whole compound files"),
    ("MAPI_OBJECT.tnef", "files", "an OLE object: ours is the whole compound file"),
    ("bad_checksum.tnef", "text", "theirs is only the preview property; ours makes the text of the HTML"),
    ("unicode-mapi-attr.tnef", "text", "theirs is only the preview property; ours makes the text of the HTML"),
];

fn samples() -> Vec<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail/mimekit/UnitTests/TestData/tnef/winmail.tnef");
    let mut all = vec![ours];
    let written = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tnef")).unwrap();
    all.extend(written.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "tnef")));
    assert_eq!(all.len(), 7);
    #[expect(clippy::disallowed_methods, reason = "names samples that may not be in the repository")]
    match std::env::var("CONTINUO_TNEF_SAMPLES") {
        Ok(folder) => {
            let found = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
            all.extend(found.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "tnef")));
        }
        Err(_) => println!("skipped: 19 samples of tnefparse, since CONTINUO_TNEF_SAMPLES is not set"),
    }
    all.sort();
    all
}

#[test]
fn tnefparse_reads_the_same_or_the_difference_is_judged() {
    let expected = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expect/tnefparse.json")).unwrap();
    let expected: Map<String, Json> = serde_json::from_str(&expected).unwrap();
    let mut problems = vec![];
    let all = samples();
    for path in &all {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let theirs = &expected[&name];
        let bytes = std::fs::read(path).unwrap();
        let tnef = tnef::read(&bytes).unwrap_or_else(|| panic!("{name} is not read"));
        let names = |files: &Json| files.as_array().unwrap().iter().map(|file| file[0].clone()).collect::<Vec<_>>();
        let ours: Json =
            tnef.files.iter().map(|file| json!([file.name, file.bytes.len(), channel::content_key(&file.bytes)])).collect();
        if names(&ours) != names(&theirs["files"]) {
            problems.push(format!("{name}: files {} and {}", ours, theirs["files"]));
        }
        let judged = |field: &str| JUDGED.iter().any(|(file, what, _)| *file == name && *what == field);
        if (ours != normal(&theirs["files"])) != judged("files") {
            problems.push(format!("{name} files: {ours} and {}", theirs["files"]));
        }
        if theirs["rtf"] != json!(tnef.rtf.as_deref().map(channel::content_key)) {
            problems.push(format!("{name}: its RTF is another"));
        }
        // A body of theirs is a body of ours: plain text as text, HTML as HTML, RTF as either.
        let has = |field: &str| theirs[field].is_string();
        if has("text") && tnef.text.is_none() && !judged("text") {
            problems.push(format!("{name}: its text is not found"));
        }
        if has("html") && tnef.html.is_none() || has("rtf") && tnef.html.is_none() && tnef.text.is_none() {
            problems.push(format!("{name}: its body is not found"));
        }
    }
    println!("tnefparse: {} files compared", all.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

// An empty file has no hash in the record.
fn normal(files: &Json) -> Json {
    let mut files = files.clone();
    for file in files.as_array_mut().into_iter().flatten() {
        if file[2].is_null() {
            file[2] = json!(channel::content_key(b""));
        }
    }
    files
}

#[test]
fn the_rtf_is_unpacked_as_mimekit_unpacks_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail/mimekit/UnitTests/TestData/tnef");
    let bytes = std::fs::read(folder.join("winmail.tnef")).unwrap();
    let extracted = std::fs::read(folder.join("winmail/message.rtf")).unwrap();
    let tnef = tnef::read(&bytes).unwrap();
    let Some(channel_email::rtf::Made::Text(text)) = channel_email::rtf::read(&extracted) else { panic!() };
    assert_eq!(tnef.text, Some(text));
    // MimeKit leaves the object's id in front of the compound file.
    for (at, file) in tnef.files.iter().enumerate() {
        let whole = std::fs::read(folder.join(format!("winmail/Untitled Attachment.{}", at + 1))).unwrap();
        assert_eq!(&whole[16..], file.bytes.as_ref());
    }
}
