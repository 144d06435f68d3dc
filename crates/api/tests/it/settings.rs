//! Workspace, opening hours, inboxes, tags, views.

use model::{InboxId, Role};
use serde_json::{Value as Json, json};
use testkit::app::{Client, TestApp};

async fn chat(owner: &Client, name: &str) -> Json {
    owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": name })).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_first_webchat_inbox_needs_only_a_name() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let hours = owner.post(
        "/api/v1/business_hours",
        json!({ "name": "Shop", "hours": { "time_zone": "Europe/Berlin", "week": [[], [], [], [], [], [], []] } }),
    );
    let hours = hours.await.ok();
    let inbox = chat(&owner, "Müller & Co").await;
    assert_eq!(inbox["webchat"]["site"], "muller-co");
    assert_eq!(inbox["webchat"]["title"], "Acme", "the workspace's name");
    assert_eq!(inbox["webchat"]["colour"], "#0b6b74", "the workspace's colour");
    assert_eq!(inbox["webchat"]["business_hours_id"], hours["id"]);
    assert_eq!(inbox["snippet"], "<script src=\"http://desk.test/w/muller-co.js\" async></script>");
    assert_eq!(inbox["test_url"], "http://desk.test/w/muller-co/test");
    assert_eq!(chat(&owner, "muller co").await["webchat"]["site"], "muller-co-2", "slugs are unique");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_patch_leaves_clears_and_sets() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let inbox = chat(&owner, "Chat").await;
    let path = format!("/api/v1/inboxes/{}", inbox["id"].as_str().unwrap());
    let team = owner.post("/api/v1/teams", json!({ "name": "Support" })).await.ok();

    let set = owner.patch(
        &path,
        json!({ "team_id": team["id"], "webchat": { "consent_text": "We store this.", "rates": { "messages_per_minute": 5 } } }),
    );
    let set = set.await.ok();
    assert_eq!((&set["team_id"], &set["webchat"]["consent_text"]), (&team["id"], &json!("We store this.")));
    assert_eq!(set["webchat"]["rates"]["messages_per_minute"], 5);
    assert_eq!(
        set["webchat"]["rates"]["visitors_per_address_per_hour"],
        inbox["webchat"]["rates"]["visitors_per_address_per_hour"]
    );

    let left = owner.patch(&path, json!({ "name": "Chat 2" })).await.ok();
    assert_eq!((&left["team_id"], &left["webchat"]), (&team["id"], &set["webchat"]), "absent leaves");

    let cleared = owner.patch(&path, json!({ "team_id": null, "webchat": { "consent_text": null } })).await.ok();
    assert_eq!((&cleared["team_id"], &cleared["webchat"]["consent_text"]), (&json!(null), &json!(null)));
    assert_eq!(cleared["webchat"]["site"], "chat", "the slug is never lost");

    let off = owner.patch(&path, json!({ "enabled": false })).await.ok();
    assert_eq!((&off["enabled"], &off["state"]), (&json!(false), &json!("off")));
    assert_eq!(owner.patch(&path, json!({ "enabled": true })).await.ok()["state"], "ok");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wrong_settings_name_their_field_and_change_nothing() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let inbox = chat(&owner, "Chat").await;
    chat(&owner, "Other").await;
    let path = format!("/api/v1/inboxes/{}", inbox["id"].as_str().unwrap());
    for (patch, field) in [
        (json!({ "webchat": { "colour": "red; background: url(x)" } }), "colour"),
        (json!({ "webchat": { "site": "other" } }), "site"),
        (json!({ "webchat": { "site": "../../etc" } }), "site"),
        (json!({ "webchat": { "business_hours_id": "bhr_0000000000001" } }), "business_hours_id"),
        (json!({ "webchat": "x" }), "webchat"),
        (json!({ "team_id": "tem_0000000000001" }), "team_id"),
        (json!({ "agent_ids": ["agt_0000000000001"] }), "agent_ids"),
        (json!({ "name": "" }), "name"),
        (json!({ "nmae": "x" }), "nmae"),
    ] {
        let answer = owner.patch(&path, patch.clone()).await;
        assert_eq!(answer.code(), (422, "invalid".into()), "{patch}");
        assert_eq!(answer.value()["args"]["field"], field, "{patch}: {}", answer.text());
    }
    let now = owner.get("/api/v1/inboxes").await.ok();
    let now = now["items"].as_array().unwrap().iter().find(|i| i["id"] == inbox["id"]).unwrap();
    assert_eq!(now, &inbox);
    assert_eq!(owner.post("/api/v1/inboxes", json!({ "channel": "internal", "name": "x" })).await.status, 422);
    assert_eq!(owner.post("/api/v1/inboxes", json!({ "channel": "carrier_pigeon", "name": "x" })).await.status, 422);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_identity_secret_is_shown_once_and_the_one_before_works_for_a_day() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let inbox = chat(&owner, "Chat").await;
    let id = InboxId::parse(inbox["id"].as_str().unwrap()).unwrap();
    let path = format!("/api/v1/inboxes/{id}/identity_secret");
    let first = owner.post(&path, json!({})).await.ok()["secret"].as_str().unwrap().to_owned();
    assert_eq!(first.len(), 64);
    let second = owner.post(&path, json!({})).await.ok()["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let get = async |name: &str| app.open(id).await.settings.secrets.get(name).map(|secret| secret.expose().to_owned());
    assert_eq!(get("identity").await, Some(second.clone()));
    assert_eq!(get("identity_previous").await, Some(first.clone()));
    app.clock.advance_ms(24 * 3_600_000 + 1);
    assert_eq!((get("identity").await, get("identity_previous").await), (Some(second.clone()), None));

    let workspace = app.workspace;
    let stored = app.read(move |tx| store::secret::list(tx, workspace, id.0)).await;
    for (name, sealed) in stored {
        for plain in [&first, &second] {
            assert!(!sealed.sealed.windows(64).any(|part| part == plain.as_bytes()), "{name} is stored sealed");
        }
    }
    assert!(!owner.get("/api/v1/inboxes").await.text().contains(&second));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn settings_of_an_inbox_are_for_those_who_may_change_them() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    chat(&owner, "Chat").await;
    let agent = app.client_with_role("Bo", Role::Agent).await;
    let inboxes = agent.get("/api/v1/inboxes").await.ok();
    let seen = inboxes["items"].as_array().unwrap().iter().find(|inbox| inbox["channel"] == "webchat").unwrap();
    assert_eq!(seen.get("webchat"), None);
    assert_eq!(seen["test_url"], "http://desk.test/w/chat/test");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_workspace_changes_and_its_checklist_is_kept() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let changed = owner.patch("/api/v1/workspace", json!({ "name": "Acme Ltd", "colour": "#AABBCC", "time_zone": "Asia/Tokyo", "checklist_done": ["hours", "first_chat", "hours"] }));
    let changed = changed.await.ok();
    assert_eq!(
        (&changed["name"], &changed["colour"], &changed["time_zone"]),
        (&json!("Acme Ltd"), &json!("#aabbcc"), &json!("Asia/Tokyo"))
    );
    assert_eq!(owner.get("/api/v1/me").await.ok()["checklist"]["done"], json!(["first_chat", "hours"]));
    for wrong in [
        json!({ "colour": "blue" }),
        json!({ "time_zone": "Nowhere" }),
        json!({ "name": "\u{0}" }),
        json!({ "checklist_done": ["<b>"] }),
    ] {
        assert_eq!(owner.patch("/api/v1/workspace", wrong.clone()).await.code(), (422, "invalid".into()), "{wrong}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn opening_hours_tell_how_they_stand_now() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let day = json!([{ "open": 540, "close": 1020 }]);
    let hours = |week: Json| json!({ "name": "Office", "hours": { "time_zone": "Europe/Berlin", "week": week, "holidays": [] } });
    let made = owner.post("/api/v1/business_hours", hours(json!([day, day, day, day, day, [], []]))).await.ok();
    let path = format!("/api/v1/business_hours/{}", made["id"].as_str().unwrap());
    let now = owner.put(&path, hours(json!([[], [], [], [], [], [], []]))).await.ok();
    assert_eq!((&now["open_now"], &now["next_open_at"]), (&json!(false), &json!(null)));
    let wrong = owner.put(&path, hours(json!([[{ "open": 600, "close": 500 }], [], [], [], [], [], []]))).await;
    assert_eq!((wrong.code(), &wrong.value()["args"]["field"]), ((422, "invalid".into()), &json!("hours")));
    assert!(wrong.value()["detail"].as_str().unwrap().contains("must open before it closes"));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_tag_is_the_same_whatever_its_case_and_accents() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let one = owner.post("/api/v1/tags", json!({ "name": "Réfund", "colour": "#112233" })).await.ok();
    let two = owner.post("/api/v1/tags", json!({ "name": "refund" })).await.ok();
    assert_eq!(one, two);
    let evil = "<img src=x onerror=alert(1)>'); DROP TABLE tag;--";
    owner.post("/api/v1/tags", json!({ "name": evil })).await.ok();
    let names: Vec<Json> =
        owner.get("/api/v1/tags").await.ok()["items"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    assert_eq!(names, [json!(evil), json!("Réfund")]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn views_are_own_or_shared() {
    let app = TestApp::new().await;
    let supervisor = app.client_with_role("Sue", Role::Supervisor).await;
    let agent = app.client_with_role("Bo", Role::Agent).await;
    let view = |name: &str, shared: bool| json!({ "name": name, "query": "is:open tag:refund", "shared": shared });
    let shared = supervisor.post("/api/v1/views", view("Refunds", true)).await.ok();
    let own = supervisor.post("/api/v1/views", view("Mine", false)).await.ok();
    let keys = agent.get("/api/v1/views").await.ok();
    let keys: Vec<&str> = keys["items"].as_array().unwrap().iter().filter_map(|view| view["key"].as_str()).collect();
    let key = |view: &Json| format!("view:{}", view["id"].as_str().unwrap());
    assert!(keys.contains(&key(&shared).as_str()) && !keys.contains(&key(&own).as_str()), "{keys:?}");
    assert_eq!(agent.post("/api/v1/views", view("All", true)).await.code(), (403, "not_allowed".into()));
    let path = |view: &Json| format!("/api/v1/views/{}", view["id"].as_str().unwrap());
    assert_eq!(agent.delete(&path(&own)).await.code(), (404, "not_found".into()), "others' views do not exist");
    assert_eq!(agent.delete(&path(&shared)).await.code(), (403, "not_allowed".into()));
    app.owner_client().await.delete(&path(&shared)).await.ok();
    supervisor.delete(&path(&own)).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_change_of_settings_is_in_the_log_with_who_did_it() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let inbox = chat(&owner, "Chat").await;
    let path = format!("/api/v1/inboxes/{}", inbox["id"].as_str().unwrap());
    owner.patch(&path, json!({ "name": "Chat 2", "webchat": { "greeting": "Private words" } })).await.ok();
    owner.post(&format!("{path}/identity_secret"), json!({})).await.ok();
    owner.post("/api/v1/tags", json!({ "name": "vip" })).await.ok();
    let workspace = app.workspace;
    let log = app.read(move |tx| store::event_log::list_since(tx, workspace, 0, 100)).await;
    let kinds: Vec<&str> = log.iter().map(|event| event.kind.as_str()).collect();
    for kind in ["inbox.added", "inbox.changed", "inbox.secret_rotated", "tag.added"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let changed = log.iter().find(|event| event.kind == "inbox.changed").unwrap();
    assert_eq!(changed.actor, model::Actor::Agent(app.owner.agent));
    assert_eq!(changed.payload["changed"], json!({ "name": { "from": "Chat", "to": "Chat 2" }, "settings": ["greeting"] }));
    app.end().await;
}
