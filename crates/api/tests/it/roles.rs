//! Endpoints x role: what each role gets from every endpoint of the document, as a committed table. An endpoint that is
//! new appears here as a line that somebody has to look at.

use http::Method;
use model::Role;
use serde_json::{Value as Json, json};
use testkit::app::TestApp;

// A body that every endpoint can read far enough to ask for rights, or refuses as such.
fn body(path: &str, role: usize) -> Json {
    match path {
        "/api/v1/teams" => json!({ "name": format!("Team {role}") }),
        "/api/v1/setup/owner" => json!({ "code": "x", "name": "x", "email": "x@acme.test", "password": "correct horse" }),
        "/api/v1/login_sessions" => json!({ "email": format!("{role}@acme.test"), "password": "wrong" }),
        "/api/v1/invitations/accept" => json!({ "token": "x", "name": "x", "password": "correct horse" }),
        "/api/v1/me/password" => json!({ "current": "wrong", "new": "correct horse" }),
        "/api/v1/conversations/{id}/drafts/{mode}" => json!({ "text": "x", "version": 0 }),
        "/api/v1/companies" => json!({ "name": "Acme" }),
        "/api/v1/contact_fields" => json!({ "name": format!("Plan {role}"), "kind": "text" }),
        "/api/v1/contacts/{id}/fields" => json!({ "values": {} }),
        "/api/v1/contacts/{id}/consents" => json!({ "purpose": "service", "state": "granted", "source": "form" }),
        "/api/v1/contacts/{id}/merge" => json!({ "other_id": "ctc_0000000000002" }),
        "/api/v1/segments" => json!({ "name": "Phones", "query": "has:phone", "shared": true }),
        "/api/v1/duplicates/not_same" => json!({ "pairs": [] }),
        "/api/v1/contact_imports/{id}/check" => json!({ "columns": {} }),
        "/api/v1/signatures" => json!({ "text": "x" }),
        "/api/v1/templates" => json!({ "name": "x", "text": "y", "shared": true }),
        "/api/v1/templates/{id}" => json!({ "template": { "name": "x", "text": "y" }, "version": 1 }),
        "/api/v1/inboxes/{id}/automatic_answers/{kind}" => json!({ "enabled": false, "text": "" }),
        "/api/v1/settings/chat_by_mail" => json!({ "enabled": true, "delay_seconds": 300, "inbox_id": null, "intro": "" }),
        "/api/v1/compose" => json!({ "to": [], "subject": "x", "text": "x", "hold_seconds": 0 }),
        "/api/v1/compose/receivers" => json!({ "addresses": [] }),
        "/api/v1/compose/drafts" | "/api/v1/compose/drafts/{id}" => json!({ "content": {}, "version": 1 }),
        "/api/v1/tags" => json!({ "name": "vip" }),
        "/api/v1/views" => json!({ "name": "All", "query": "is:open", "shared": true }),
        "/api/v1/inboxes" => json!({ "channel": "webchat", "name": "Chat" }),
        "/api/v1/invitations" => json!({ "email": "new@acme.test", "role": "agent" }),
        "/api/v1/business_hours" | "/api/v1/business_hours/{id}" => {
            json!({ "name": "Shop", "hours": { "time_zone": "UTC", "week": [[], [], [], [], [], [], []] } })
        }
        _ => json!({}),
    }
}

// Ids that exist nowhere: an endpoint that asks for rights first says 403, one that looks first says 404.
fn filled(path: &str) -> String {
    let id = |prefix: &str| format!("{prefix}_0000000000001");
    let prefix = match path.split('/').nth(3).unwrap_or_default() {
        "agents" => "agt",
        "teams" => "tem",
        "invitations" => "inv",
        "business_hours" => "bhr",
        "inboxes" => "ibx",
        "views" => "viw",
        "conversations" => "cnv",
        "entries" | "holds" => "ent",
        "quarantine" => "pev",
        "jobs" => "job",
        "contacts" => "ctc",
        "contact_merges" => "mrg",
        "contact_fields" => "cfd",
        "contact_imports" => "imp",
        "companies" => "cpy",
        "segments" => "seg",
        "files" => "att",
        "templates" => "tpl",
        "compose" => "cdr",
        _ => "evt",
    };
    path.replace("{mode}", "note")
        .replace("{kind}", "acknowledge")
        .replace("{id}", &id(prefix))
        .replace("{inbox}", &id("ibx"))
        .replace("{handoff}", &id("hnd"))
        .replace("{undo_id}", &id("evt"))
        .replace("{entry_id}", &id("ent"))
        .replace("{attachment_id}", &id("att"))
        .replace("{name}", "x")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn endpoints_by_role() {
    let app = TestApp::new().await;
    let document: Json = serde_json::from_str(&api::openapi()).unwrap();
    let mut clients = vec![app.client()];
    for (name, role) in [("Bo", Role::Agent), ("Sue", Role::Supervisor), ("Ida", Role::Admin), ("Oz", Role::Owner)] {
        clients.push(app.client_with_role(name, role).await);
    }
    let mut table = String::from("endpoint | nobody | agent | supervisor | admin | owner\n");
    for (path, item) in document["paths"].as_object().unwrap() {
        // Signing out would end the login sessions of the table; a socket cannot be opened without one.
        if ["/api/v1/login_sessions/current", "/api/v1/live"].contains(&path.as_str()) {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if item.get(method).is_none() {
                continue;
            }
            let mut line = format!("{} {path}", method.to_uppercase());
            for (role, client) in clients.iter().enumerate() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let answer = client.json(method, &filled(path), body(path, role)).await;
                line.push_str(&format!(" | {}", answer.status.as_u16()));
            }
            table.push_str(&line);
            table.push('\n');
        }
    }
    insta::assert_snapshot!("endpoints_by_role", table);
    app.allow_leftovers();
    app.end().await;
}
