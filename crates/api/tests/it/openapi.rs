//! The committed description of the interface.

use std::path::PathBuf;

fn committed() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json")
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let generated = api::openapi();
    let update = option_env!("CONTINUO_UPDATE_SNAPSHOTS").is_some()
        || std::env::vars().any(|(name, _)| name == "CONTINUO_UPDATE_SNAPSHOTS");
    if update {
        std::fs::write(committed(), &generated).unwrap();
    }
    let stored = std::fs::read_to_string(committed()).unwrap_or_default();
    assert!(stored == generated, "openapi.json is stale: run `make api` and commit what it writes");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_reference_leads_somewhere() {
    let document: serde_json::Value = serde_json::from_str(&api::openapi()).unwrap();
    let mut names = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for operation in item.as_object().unwrap().values() {
            if let Some(name) = operation["operationId"].as_str() {
                names.push(name.to_owned());
            }
        }
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is used but not described");
    }
}
