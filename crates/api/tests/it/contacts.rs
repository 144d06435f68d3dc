//! Customers over HTTP: companies, fields, consent, segments, duplicates, files in and out, erasing.

use axum::body::Body;
use http::Method;
use model::Role;
use serde_json::{Value as Json, json};
use testkit::app::{Client, TestApp};

async fn upload(client: &Client, name: &str, text: &str) -> Json {
    let path = format!("/api/v1/contact_imports?name={name}");
    client.send(Method::POST, &path, Body::from(text.to_owned()), Some("application/octet-stream")).await.ok()
}

async fn contact_of(app: &TestApp, from: &str) -> String {
    app.customer_writes(from, "hello").await.contact_id.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_customer_has_a_company_fields_and_consent_with_history() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let ada = contact_of(&app, "ada@example.com").await;
    owner.patch(&format!("/api/v1/contacts/{ada}"), json!({ "name": "Ada Novak", "company": "Novak Print" })).await.ok();
    let companies = owner.get("/api/v1/companies?q=nov").await.ok();
    let company = companies["items"][0]["id"].as_str().unwrap().to_owned();
    let detail = owner.get(&format!("/api/v1/companies/{company}")).await.ok();
    assert_eq!(detail["contacts"][0]["name"], "Ada Novak");
    let path = format!("/api/v1/companies/{company}");
    owner.patch(&path, json!({ "domain": "@Novak.example", "notes": "prints" })).await.ok();
    assert_eq!(owner.get(&path).await.ok()["company"]["domain"], "novak.example");
    assert_eq!(owner.delete(&path).await.code(), (422, "invalid".into()), "somebody belongs to it");

    let field = owner.post("/api/v1/contact_fields", json!({ "name": "Plan", "kind": "choice", "choices": ["Gold"] })).await.ok();
    let id = field["id"].as_str().unwrap();
    let fields = format!("/api/v1/contacts/{ada}/fields");
    assert_eq!(owner.put(&fields, json!({ "values": { id: "gold" } })).await.ok()["values"][id], "Gold");
    assert_eq!(owner.put(&fields, json!({ "values": { id: "tin" } })).await.code(), (422, "invalid".into()));
    assert_eq!(owner.put(&fields, json!({ "values": { id: null } })).await.ok()["values"], json!({}));

    let consents = format!("/api/v1/contacts/{ada}/consents");
    owner.post(&consents, json!({ "purpose": "marketing", "state": "granted", "source": "form" })).await.ok();
    let said = json!({ "purpose": "marketing", "channel": "email", "state": "withdrawn", "source": "mail" });
    let list = owner.post(&consents, said).await.ok();
    assert_eq!((list["holds"].as_array().unwrap().len(), list["history"][0]["state"].as_str()), (2, Some("withdrawn")));
    assert_eq!(owner.post(&consents, json!({ "purpose": "marketing", "state": "granted", "source": " " })).await.status, 422);
    app.run_jobs().await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn segments_filter_the_list_and_wrong_filters_say_so() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    for (from, name) in [("ada@example.com", "Ada Novak"), ("+15550142", "Ben Okafor")] {
        let id = contact_of(&app, from).await;
        owner.patch(&format!("/api/v1/contacts/{id}"), json!({ "name": name })).await.ok();
    }
    app.run_jobs().await;
    let saved = owner.post("/api/v1/segments", json!({ "name": "By phone", "query": "has:phone", "shared": true })).await.ok();
    let page = owner.get(&format!("/api/v1/contacts?segment={}", saved["id"].as_str().unwrap())).await.ok();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["items"][0]["name"]), (1, &json!("Ben Okafor")));
    let page = owner.get("/api/v1/contacts?filter=novak").await.ok();
    assert_eq!(page["items"][0]["name"], "Ada Novak");
    let page = owner.get("/api/v1/contacts?filter=colour:red").await.ok();
    assert_eq!(page["problems"][0]["token"], "colour:red");
    let first = owner.get("/api/v1/contacts?filter=-is:blocked&limit=1").await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = owner.get(&format!("/api/v1/contacts?filter=-is:blocked&limit=1&cursor={next}")).await.ok();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn duplicates_are_listed_compared_merged_and_separated() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let mut ids = Vec::new();
    for from in ["ada@example.com", "anovak@work.example", "ben@example.com"] {
        let id = contact_of(&app, from).await;
        let name = if ids.len() == 2 { "Ben Okafor" } else { "Ada Novak" };
        owner.patch(&format!("/api/v1/contacts/{id}"), json!({ "name": name })).await.ok();
        ids.push(id);
    }
    app.run_jobs().await;
    let pairs = owner.get("/api/v1/duplicates").await.ok();
    assert_eq!(pairs["items"].as_array().unwrap().len(), 1, "{pairs}");
    assert_eq!(pairs["items"][0]["evidence"][0]["words"].as_str().unwrap().split(' ').next(), Some("same"));
    assert_eq!(owner.get(&format!("/api/v1/contacts/{}/duplicates", ids[0])).await.ok()["items"].as_array().unwrap().len(), 1);

    let merge = format!("/api/v1/contacts/{}/merge", ids[0]);
    let other = json!({ "other_id": ids[1] });
    let dry = owner.post(&format!("{merge}?dry_run=true"), other.clone()).await.ok();
    assert_eq!(
        (&dry["merge_id"], &dry["open"].as_array().unwrap().len(), &dry["fields"][0]["field"]),
        (&Json::Null, &2, &json!("name"))
    );
    let done = owner.post(&merge, other).await.ok();
    app.run_jobs().await;
    assert_eq!(owner.get("/api/v1/duplicates").await.ok()["items"], json!([]));
    let undo = format!("/api/v1/contact_merges/{}/undo", done["merge_id"].as_str().unwrap());
    app.clock.advance_ms(31 * 86_400_000);
    let owner = app.owner_client().await;
    assert_eq!(owner.post(&undo, json!({})).await.code(), (409, "needs_preview".into()));
    let preview = owner.post(&format!("{undo}?dry_run=true"), json!({})).await.ok();
    assert_eq!((&preview["needs_confirming"], &preview["conversations"]), (&json!(true), &json!(1)));
    owner.post(&format!("{undo}?confirmed=true"), json!({})).await.ok();
    app.run_jobs().await;
    assert_eq!(owner.get("/api/v1/duplicates").await.ok()["items"], json!([]), "separated means judged");
    let judged = owner.post("/api/v1/duplicates/not_same", json!({ "pairs": [{ "a": ids[0], "b": ids[2] }] })).await.ok();
    assert_eq!(judged["judged"], 1);
    assert_eq!(owner.post("/api/v1/duplicates/scan", json!({})).await.ok()["contacts"], 3);
    app.run_jobs().await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_goes_in_comes_out_and_a_person_is_erased() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let checked = upload(&owner, "people.csv", "name;email;Mobil\n=Ada;ada@example.com;4.9E+11\nBen;ben@example.com;\n").await;
    assert_eq!((&checked["counts"], &checked["import"]["separator"]), (&json!({ "new": 1, "refused": 1 }), &json!("semicolon")));
    let path = format!("/api/v1/contact_imports/{}", checked["import"]["id"].as_str().unwrap());
    let lines = owner.get(&format!("{path}/lines")).await;
    assert!(lines.text().contains("2,refused,") && lines.text().contains("spoiled"), "{}", lines.text());
    let mapping = json!({ "columns": { "name": "name", "email": "email", "Mobil": "ignore" } });
    let again = owner.post(&format!("{path}/check"), mapping).await.ok();
    assert_eq!(again["counts"], json!({ "new": 2 }));
    let wrong = json!({ "columns": { "name": "shoe_size" } });
    assert_eq!(owner.post(&format!("{path}/check"), wrong).await.code(), (422, "invalid".into()));
    assert_eq!(owner.post(&format!("{path}/start"), json!({})).await.ok()["state"], "running");
    app.run_jobs().await;
    let done = owner.get(&path).await.ok();
    assert_eq!((&done["state"], &done["counts"]["new"]), (&json!("done"), &json!(2)));
    assert_eq!(owner.post(&format!("{path}/start"), json!({})).await.code(), (409, "wrong_state".into()));

    let table = owner.get("/api/v1/contacts/export").await.text();
    assert!(table.contains("'=Ada") && table.contains("ben@example.com"), "{table}");
    let page = owner.get("/api/v1/contacts?filter=email:ben@").await.ok();
    let ben = page["items"][0]["id"].as_str().unwrap().to_owned();
    let document = owner.get(&format!("/api/v1/contacts/{ben}/export")).await.ok();
    assert_eq!(document["contact"]["name"], "Ben");
    let erase = format!("/api/v1/contacts/{ben}/erase");
    assert_eq!(owner.post(&format!("{erase}?dry_run=true"), json!({})).await.ok()["done"], false);
    assert_eq!(owner.post(&erase, json!({ "name": "Bob" })).await.code(), (422, "invalid".into()));
    assert_eq!(owner.post(&erase, json!({ "name": "ben" })).await.ok()["done"], true);
    let empty = upload(&owner, "again.csv", "email\nben@example.com\n").await;
    assert_eq!(empty["counts"], json!({ "erased": 1 }));
    let undone = owner.post(&format!("{path}/undo"), json!({})).await.ok();
    assert_eq!((&undone["taken_back"], &undone["stay"]), (&json!(1), &json!(0)), "of the erased nothing is left to take back");

    for wrong in ["", "PK\u{3}\u{4}zip", "{broken"] {
        let path = "/api/v1/contact_imports?name=x.csv";
        let answer = owner.send(Method::POST, path, Body::from(wrong), Some("application/octet-stream")).await;
        assert_eq!(answer.code(), (422, "invalid".into()), "{wrong}");
    }
    let agent = app.client_with_role("Bo", Role::Agent).await;
    for path in ["/api/v1/contact_imports", "/api/v1/contacts/export"] {
        assert_eq!(agent.get(path).await.code(), (403, "not_allowed".into()), "{path}");
    }
    app.run_jobs().await;
    app.end().await;
}
