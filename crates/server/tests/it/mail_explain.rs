//! `continuo mail explain` as somebody types it.

#![allow(clippy::unwrap_used, reason = "helpers of stories")]

use super::{continuo, refusal, run};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("channel-email/fixtures/mail").join(name)
}

fn explain(data: &Path, words: &[&str]) -> Output {
    run(continuo(data).args(["mail", "explain"]).args(words))
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_mail_is_explained_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    let bounce = sample("ours/postfix-dsn-5.1.1.eml");
    let words = said(&explain(&data, &[bounce.to_str().unwrap()]));
    assert!(words.contains("Automatic    bounce"), "{words}");
    assert!(words.contains("5.1.1"), "{words}");
    let json: serde_json::Value = serde_json::from_str(&said(&explain(&data, &["--json", bounce.to_str().unwrap()]))).unwrap();
    assert_eq!(json["report"]["kind"], "delivery");
    let forged = sample("ours/duplicate-from.eml");
    let json: serde_json::Value = serde_json::from_str(&said(&explain(&data, &[forged.to_str().unwrap(), "--json"]))).unwrap();
    assert_eq!((json["trust"]["result"].as_str(), json["trust"]["proof_level"].as_i64()), (Some("failed"), Some(0)));
    assert!(!data.exists(), "the data folder was made");
}

#[test]
fn a_bare_body_comes_in_by_the_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = continuo(&folder.path().join("none"))
        .args(["mail", "explain", "--body", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"It fits!\n\nOn Mon, 1 Jan 2026 at 10:00, Shop <a@b.test> wrote:\n> Does it?\n")
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&said(&child.wait_with_output().unwrap())).unwrap();
    assert_eq!(json["reply"], "It fits!");
    assert_eq!(json["folded"][0]["kind"], "quote");
}

#[test]
fn what_cannot_be_explained_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |words: &[&str]| refusal(&explain(folder.path(), words));
    assert!(refused(&[]).contains("no file is named"), "{}", refused(&[]));
    assert!(refused(&["/nowhere/at/all.eml"]).contains("cannot be read"));
    assert!(refused(&[folder.path().to_str().unwrap()]).contains("is a folder"));
    assert!(refused(&["--jsn", "x"]).contains("no option --jsn"));
    let empty = folder.path().join("empty.eml");
    std::fs::write(&empty, "").unwrap();
    assert!(said(&explain(folder.path(), &[empty.to_str().unwrap()])).starts_with("Quarantine   empty: "));
}
