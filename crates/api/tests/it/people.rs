//! Agents, teams, invitations.

use model::{Availability, Role, Timestamp};
use serde_json::json;
use testkit::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_invitation_opens_once_and_makes_an_agent() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let invited =
        owner.post("/api/v1/invitations", json!({ "email": "bo@acme.test", "name": "Bo", "role": "supervisor" })).await.ok();
    let url = invited["url"].as_str().unwrap();
    let token = url.strip_prefix("http://desk.test/invite/").unwrap();
    let listed = owner.get("/api/v1/invitations").await.ok();
    assert_eq!(listed["items"][0]["email"], "bo@acme.test");
    assert_eq!(listed["items"][0]["url"], invited["url"], "who may invite may copy the link again");
    let workspace = app.workspace;
    let rows = app.read(move |tx| store::invitation::list_open(tx, workspace, Timestamp(0))).await;
    assert!(!token.contains(&rows[0].token_hash), "the database holds a hash only");

    let bo = app.client();
    let accept = json!({ "token": token, "name": "Bo Berg", "password": "correct horse" });
    let me = bo.post("/api/v1/invitations/accept", accept.clone()).await.ok();
    assert_eq!((&me["agent"]["role"], &me["agent"]["email"]), (&json!("supervisor"), &json!("bo@acme.test")));
    bo.get("/api/v1/me").await.ok();
    assert_eq!(app.client().post("/api/v1/invitations/accept", accept).await.code(), (409, "invitation_used".into()));
    assert_eq!(owner.get("/api/v1/invitations").await.ok()["items"], json!([]));
    let again = owner.post("/api/v1/invitations", json!({ "email": "BO@acme.test", "role": "agent" })).await;
    assert_eq!((again.code(), &again.value()["args"]["field"]), ((422, "invalid".into()), &json!("email")));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn invitations_grow_old_and_can_be_taken_back() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let mut tokens = Vec::new();
    for email in ["a@acme.test", "b@acme.test"] {
        let made = owner.post("/api/v1/invitations", json!({ "email": email, "role": "agent" })).await.ok();
        let token = made["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        tokens.push((made["id"].as_str().unwrap().to_owned(), token));
    }
    let accept = |token: &str| json!({ "token": token, "name": "A", "password": "correct horse" });
    owner.delete(&format!("/api/v1/invitations/{}", tokens[0].0)).await.ok();
    assert_eq!(app.client().post("/api/v1/invitations/accept", accept(&tokens[0].1)).await.code(), (404, "not_found".into()));
    app.clock.advance_ms(7 * 24 * 3_600_000);
    assert_eq!(
        app.client().post("/api/v1/invitations/accept", accept(&tokens[1].1)).await.code(),
        (410, "invitation_expired".into())
    );
    for wrong in ["", "x", &tokens[1].1.to_uppercase(), &"0".repeat(77)] {
        assert_eq!(app.client().post("/api/v1/invitations/accept", accept(wrong)).await.status, 404, "{wrong}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn availability_is_kept_as_spans() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    for availability in ["available", "away", "away", "offline"] {
        lea.patch("/api/v1/me", json!({ "availability": availability })).await.ok();
        app.clock.advance_ms(60_000);
    }
    let (workspace, agent) = (app.workspace, app.owner.agent);
    let spans = app.read(move |tx| store::agent::list_spans(tx, workspace, agent, Timestamp(0), 10)).await;
    let words: Vec<(Availability, Option<i64>)> =
        spans.iter().map(|span| (span.availability, span.ended_at.map(|end| end.since(span.started_at)))).collect();
    assert_eq!(
        words,
        [(Availability::Available, Some(60_000)), (Availability::Away, Some(120_000)), (Availability::Offline, None)]
    );
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn preferences_merge_and_are_checked() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    lea.patch("/api/v1/me", json!({ "preferences": { "theme": "dark", "undo_seconds": 20 } })).await.ok();
    let me = lea.patch("/api/v1/me", json!({ "preferences": { "theme": null, "density": "compact" } })).await.ok();
    assert_eq!(
        me["preferences"],
        json!({ "theme": "system", "density": "compact", "undo_seconds": 20, "list_width": 360, "context_width": 320, "single_keys": true, "locale": "en" })
    );
    for (wrong, field) in [
        (json!({ "undo_seconds": 31 }), "preferences.undo_seconds"),
        (json!({ "theme": "pink" }), "preferences.theme"),
        (json!({ "font": "x" }), "preferences.font"),
        (json!({ "list_width": -1 }), "preferences.list_width"),
    ] {
        let answer = lea.patch("/api/v1/me", json!({ "preferences": wrong })).await;
        assert_eq!((answer.code(), &answer.value()["args"]["field"]), ((422, "invalid".into()), &json!(field)));
    }
    assert_eq!(lea.patch("/api/v1/me", json!({ "name": null })).await.status, 422, "a name cannot be cleared");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_workspace_keeps_an_owner_and_only_owners_make_owners() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let me = format!("/api/v1/agents/{}", app.owner.agent);
    assert_eq!(owner.patch(&me, json!({ "role": "admin" })).await.code(), (409, "last_owner".into()));
    assert_eq!(owner.patch(&me, json!({ "archived": true })).await.code(), (409, "last_owner".into()));

    let bo = app.add_agent("Bo", Role::Admin).await;
    let admin = app.client_of(&bo).await;
    let bo_path = format!("/api/v1/agents/{}", bo.agent);
    assert_eq!(admin.patch(&bo_path, json!({ "role": "owner" })).await.code(), (403, "not_allowed".into()));
    assert_eq!(admin.patch(&me, json!({ "role": "agent" })).await.code(), (403, "not_allowed".into()));
    assert_eq!(admin.post("/api/v1/invitations", json!({ "email": "c@acme.test", "role": "owner" })).await.status, 403);
    owner.patch(&bo_path, json!({ "role": "owner" })).await.ok();
    owner.patch(&me, json!({ "role": "admin" })).await.ok();
    assert_eq!(owner.patch(&bo_path, json!({ "role": "agent" })).await.status, 403, "rights are read anew each time");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_archived_agent_is_out_at_once_and_the_name_stays() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let bo = app.add_agent("Bo", Role::Agent).await;
    app.set_password(&bo, "correct horse").await;
    let browser = app.client_of(&bo).await;
    browser.get("/api/v1/me").await.ok();
    let archived = owner.patch(&format!("/api/v1/agents/{}", bo.agent), json!({ "archived": true })).await.ok();
    assert_eq!((&archived["archived"], &archived["availability"]), (&json!(true), &json!("offline")));
    assert_eq!(browser.get("/api/v1/me").await.status, 401);
    let pair = json!({ "email": "bo@acme.test", "password": "correct horse" });
    assert_eq!(browser.post("/api/v1/login_sessions", pair.clone()).await.code(), (401, "wrong_pair".into()));
    let names = owner.get("/api/v1/agents").await.ok();
    assert!(names["items"].as_array().unwrap().iter().any(|agent| agent["name"] == "Bo"));
    owner.patch(&format!("/api/v1/agents/{}", bo.agent), json!({ "archived": false })).await.ok();
    browser.post("/api/v1/login_sessions", pair).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn teams_have_names_of_their_own_and_members_that_exist() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let bo = app.add_agent("Bo", Role::Agent).await;
    let team = owner.post("/api/v1/teams", json!({ "name": "Büro", "agent_ids": [bo.agent] })).await.ok();
    let path = format!("/api/v1/teams/{}", team["id"].as_str().unwrap());
    let same = owner.post("/api/v1/teams", json!({ "name": "BURO" })).await;
    assert_eq!((same.code(), &same.value()["args"]["field"]), ((422, "invalid".into()), &json!("name")));
    let ghost = owner.patch(&path, json!({ "agent_ids": ["agt_0000000000001"] })).await;
    assert_eq!((ghost.code(), &ghost.value()["args"]["field"]), ((422, "invalid".into()), &json!("agent_ids")));
    let renamed = owner.patch(&path, json!({ "name": "Office" })).await.ok();
    assert_eq!(renamed["agent_ids"], json!([bo.agent]), "what is absent stays");
    let agents = owner.get("/api/v1/agents").await.ok();
    let of_bo = agents["items"].as_array().unwrap().iter().find(|agent| agent["name"] == "Bo").unwrap();
    assert_eq!(of_bo["team_ids"], json!([team["id"]]));
    owner.patch(&format!("/api/v1/agents/{}", bo.agent), json!({ "team_ids": [] })).await.ok();
    assert_eq!(owner.get("/api/v1/teams").await.ok()["items"][0]["agent_ids"], json!([]));
    owner.delete(&path).await.ok();
    assert_eq!(owner.delete(&path).await.code(), (404, "not_found".into()));
    assert_eq!(owner.delete("/api/v1/teams/nonsense").await.code(), (404, "not_found".into()));
    app.end().await;
}
