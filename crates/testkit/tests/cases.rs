//! The worked cases of the repository, through the product's own doors.

use testkit::cases::threading;
use testkit::desk::story_engine;

async fn all_agree(text: &str) {
    let report = threading(text, story_engine()).await.expect("the file is in the format");
    assert!(report.differences.is_empty(), "{}", report.differences.join("\n"));
    assert!(!report.answers.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_the_table_and_every_spelling() {
    all_agree(include_str!("../cases/threading_siblings.json")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_cases() {
    all_agree(include_str!("../cases/threading.json")).await;
}

#[tokio::test]
async fn a_misspelt_field_is_no_pass_and_a_wrong_answer_is_seen() {
    let case = |event: &str, expect: &str| {
        format!(
            r#"{{"cases": [{{"id": "X", "state": {{}}, "event": {{"id": "1", "inbox": "i", "channel": "sms", "at": "2026-05-12T10:00:00Z"{event}}}, "expect": {expect}}}]}}"#
        )
    };
    assert!(threading(&case(r#", "idz": []"#, "{}"), story_engine()).await.is_err());
    assert!(threading(&case("", r#"{"rulez": "T8-new"}"#), story_engine()).await.is_err());
    let wrong = threading(&case("", r#"{"rule": "T5-same-channel", "contact": null}"#), story_engine()).await.unwrap();
    assert_eq!(wrong.differences.len(), 2, "{:?}", wrong.differences);
}
