//! How the place is set up: workspace, opening hours, inboxes with their secrets, tags, saved views, drafts.
//!
//! In: what an admin or agent typed, and who it is. Out: the row as it now stands, or which field cannot be so. Every
//! change is told to the event log in the same transaction. Must not know: any provider; an adapter checks its own
//! settings.

pub mod business_hours;
pub mod chat_by_mail;
pub mod draft;
pub mod inbox;
pub mod mail_words;
pub mod rules;
pub mod secret;
pub mod tag;
pub mod view;
pub mod workspace;

pub use secret::open_secrets;

use model::{Actor, Timestamp, WorkspaceId};
use serde_json::Value as Json;
use store::Event;

/// An event about people or settings: it has no stream of its own.
pub fn news(workspace: WorkspaceId, kind: &'static str, actor: Actor, at: Timestamp, payload: Json) -> Event {
    Event { workspace, stream_id: None, seq: None, kind, at, actor, cause_id: None, payload }
}

/// A JSON merge patch (RFC 7396): what is absent stays, null removes, objects are merged.
pub fn merge_patch(stored: &mut Json, patch: &Json) {
    let Json::Object(patch) = patch else {
        *stored = patch.clone();
        return;
    };
    if !stored.is_object() {
        *stored = Json::Object(serde_json::Map::new());
    }
    let Json::Object(stored) = stored else { return };
    for (name, value) in patch {
        if value.is_null() {
            stored.remove(name);
        } else {
            merge_patch(stored.entry(name.clone()).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge_patch;
    use serde_json::json;

    #[test]
    fn a_patch_leaves_clears_and_sets() {
        let mut stored = json!({ "a": 1, "b": { "c": 2, "d": 3 }, "list": [1, 2] });
        merge_patch(&mut stored, &json!({ "a": null, "b": { "c": 4, "d": null, "e": { "f": 5 } }, "list": [3] }));
        assert_eq!(stored, json!({ "b": { "c": 4, "e": { "f": 5 } }, "list": [3] }));
    }
}
