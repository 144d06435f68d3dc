//! Lists, counts, timelines and the search, as one agent sees them.

use http::Method;
use model::Role;
use serde_json::{Value as Json, json};
use testkit::app::{Client, TestApp};

fn ids(page: &Json) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn count(client: &Client, key: &str) -> (i64, i64) {
    let views = client.get("/api/v1/views").await.ok();
    let view = views["items"].as_array().unwrap().iter().find(|view| view["key"] == key).cloned().expect("the view is there");
    (view["count"].as_i64().unwrap(), view["unread"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_follow_each_other_without_gap_and_counts_tell_the_same() {
    let app = TestApp::new().await;
    for n in 0..25 {
        app.clock.advance_ms(1_000);
        app.customer_writes(&format!("person{n}@example.com"), &format!("Question {n}")).await;
    }
    let owner = app.owner_client().await;
    for sort in ["newest", "oldest"] {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                owner.get(&format!("/api/v1/conversations?view=unassigned&sort={sort}&limit=10&cursor={cursor}")).await.ok();
            assert_eq!(page["total"], json!({ "n": 25, "capped": false }));
            all.extend(page["items"].as_array().unwrap().iter().map(|row| row["preview"]["text"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..25).map(|n| format!("Question {n}")).collect();
        if sort == "newest" {
            expected.reverse();
        }
        assert_eq!(all, expected, "{sort}");
    }
    assert_eq!(count(&owner, "unassigned").await, (25, 25));
    let taken = owner.post("/api/v1/conversations/next", json!({})).await.ok();
    assert_eq!(taken["preview"]["text"], "Question 0", "the oldest first");
    assert_eq!((count(&owner, "unassigned").await, count(&owner, "mine").await), ((24, 24), (1, 1)));
    owner.patch(&format!("/api/v1/conversations/{}", taken["id"].as_str().unwrap()), json!({ "status": "resolved" })).await.ok();
    assert_eq!((count(&owner, "mine").await, count(&owner, "closed").await), ((0, 0), (1, 0)));
    for bad in ["view=late", "sort=best", "limit=0", "limit=101", "cursor=x"] {
        assert_eq!(owner.get(&format!("/api/v1/conversations?{bad}")).await.code(), (422, "invalid".into()), "{bad}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn filters_narrow_a_list_and_what_is_not_understood_is_said() {
    let app = TestApp::new().await;
    let ada = app.customer_writes("ada@example.com", "Broken kettle").await.conversation_id.to_string();
    let bo = app.customer_writes("bo@example.com", "Late parcel").await.conversation_id.to_string();
    let owner = app.owner_client().await;
    let tag = owner.post("/api/v1/tags", json!({ "name": "VIP" })).await.ok();
    owner.patch(&format!("/api/v1/conversations/{ada}"), json!({ "tag_ids": [tag["id"]], "priority": "urgent" })).await.ok();
    owner.patch(&format!("/api/v1/conversations/{bo}"), json!({ "status": "pending" })).await.ok();
    let find = async |q: &str| {
        let q: String = q.bytes().map(|b| format!("%{b:02X}")).collect();
        owner.get(&format!("/api/v1/conversations?view=all&q={q}")).await.ok()
    };
    for (q, found) in [
        ("tag:vip", vec![&ada]),
        ("-tag:vip", vec![&bo]),
        ("is:waiting", vec![&bo]),
        ("priority:urgent", vec![&ada]),
        ("from:bo@example.com", vec![&bo]),
        ("agent:none is:unread", vec![&bo, &ada]),
        ("kett", vec![&ada]),
        ("kettle late", vec![]),
        ("is:closed", vec![]),
    ] {
        let mut have = ids(&find(q).await);
        let mut want: Vec<String> = found.into_iter().cloned().collect();
        have.sort();
        want.sort();
        assert_eq!(have, want, "{q}");
    }
    let doubtful = find("is:opne tag:nope kettle").await;
    assert_eq!((ids(&doubtful), doubtful["problems"].as_array().unwrap().len()), (vec![ada.clone()], 2));
    let saved = owner.post("/api/v1/views", json!({ "name": "Important", "query": "tag:vip" })).await.ok();
    let key = format!("view:{}", saved["id"].as_str().unwrap());
    assert_eq!(count(&owner, &key).await.0, 1);
    assert_eq!(ids(&owner.get(&format!("/api/v1/conversations?view={key}")).await.ok()), [ada]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_sees_own_inboxes_and_what_is_theirs_and_nothing_else() {
    let app = TestApp::new().await;
    let hidden = app.customer_writes("ada@example.com", "For the boss only").await;
    let owner = app.owner_client().await;
    let lea = app.owner.agent;
    owner.patch(&format!("/api/v1/inboxes/{}", app.inbox), json!({ "agent_ids": [lea] })).await.ok();
    let bo = app.add_agent("Bo", Role::Agent).await;
    let client = app.client_of(&bo).await;
    let path = format!("/api/v1/conversations/{}", hidden.conversation_id);
    assert!(ids(&client.get("/api/v1/conversations?view=all").await.ok()).is_empty());
    for (method, end, body) in [
        (Method::GET, "", Json::Null),
        (Method::GET, "/timeline", Json::Null),
        (Method::GET, "/reply-options", Json::Null),
        (Method::PATCH, "", json!({ "status": "resolved" })),
        (Method::POST, "/take", json!({})),
        (Method::POST, "/seen", json!({ "seq": 1 })),
        (Method::POST, "/merge", json!({ "into": hidden.conversation_id })),
        (Method::POST, "/split", json!({ "entry_ids": [hidden.id] })),
        (Method::POST, "/entries", json!({ "kind": "note", "text": "x", "base_seq": 1 })),
    ] {
        let answer = client.json(method.clone(), &format!("{path}{end}"), body).await;
        assert_eq!(answer.code(), (404, "not_found".into()), "{method} {end}");
    }
    assert_eq!(client.post(&format!("/api/v1/entries/{}/retry", hidden.id), json!({})).await.code().0, 404);
    // Handed to Bo, it is Bo's.
    owner.patch(&path, json!({ "agent_id": bo.agent })).await.ok();
    assert_eq!(ids(&client.get("/api/v1/conversations?view=mine").await.ok()), [hidden.conversation_id.to_string()]);
    client.get(&path).await.ok();

    // Another conversation of the same customer stays one line in the timeline.
    owner.patch(&path, json!({ "status": "resolved" })).await.ok();
    app.clock.advance_ms(40 * 86_400_000);
    app.run_jobs().await;
    let later = app.customer_writes("ada@example.com", "Something secret").await;
    assert_ne!(later.conversation_id, hidden.conversation_id);
    let client = app.client_of(&bo).await;
    let timeline = client.get(&format!("{path}/timeline?anchor=end")).await.ok();
    assert!(!timeline.to_string().contains("Something secret"), "{timeline}");
    let folded = timeline["entries"].as_array().unwrap().iter().find(|entry| entry["event"]["code"] == "hidden").cloned();
    assert_eq!(folded.expect("one line")["event"]["args"]["count"], 1);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_timeline_opens_where_the_agent_stopped_reading_and_pages_both_ways() {
    let app = TestApp::new().await;
    let mut entries = Vec::new();
    for n in 0..90 {
        app.clock.advance_ms(1_000);
        entries.push(app.customer_writes("ada@example.com", &format!("line {n}")).await);
    }
    let id = entries[0].conversation_id;
    let owner = app.owner_client().await;
    let base = format!("/api/v1/conversations/{id}");
    owner.post(&format!("{base}/seen"), json!({ "seq": entries[49].seq })).await.ok();
    let texts = |page: &Json| {
        page["entries"].as_array().unwrap().iter().map(|e| e["body"]["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let lines = |from: usize, upto: usize| (from..upto).map(|n| format!("line {n}")).collect::<Vec<_>>();

    let page = owner.get(&format!("{base}/timeline?limit=20")).await.ok();
    assert_eq!(page["first_unread_id"], json!(entries[50].id));
    assert_eq!(texts(&page), lines(45, 65), "a quarter stands above the first unread one");
    let before = owner.get(&format!("{base}/timeline?limit=20&before={}", page["before"].as_str().unwrap())).await.ok();
    assert_eq!(texts(&before), lines(25, 45));
    let after = owner.get(&format!("{base}/timeline?limit=40&after={}", page["after"].as_str().unwrap())).await.ok();
    assert_eq!((texts(&after), &after["after"]), (lines(65, 90), &Json::Null));
    let end = owner.get(&format!("{base}/timeline?anchor=end&limit=10")).await.ok();
    assert_eq!((texts(&end), &end["after"]), (lines(80, 90), &Json::Null));
    let first = owner.get(&format!("{base}/timeline?anchor={}&limit=8", entries[0].id)).await.ok();
    assert_eq!((texts(&first), &first["before"]), (lines(0, 6), &Json::Null));
    assert_eq!(owner.get(&format!("{base}/timeline?anchor=yesterday")).await.code(), (422, "invalid".into()));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn customers_are_listed_changed_merged_and_separated() {
    let app = TestApp::new().await;
    let one = app.customer_writes("ada@example.com", "One").await;
    let two = app.customer_writes("ada.novak@example.org", "Two").await;
    let owner = app.owner_client().await;
    owner.patch(&format!("/api/v1/contacts/{}", one.contact_id), json!({ "name": "Ada Novak", "notes": "Likes tea" })).await.ok();
    let found = owner.get("/api/v1/contacts?q=ada").await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
    let merge = format!("/api/v1/contacts/{}/merge", one.contact_id);
    let preview = owner.post(&format!("{merge}?dry_run=true"), json!({ "other_id": two.contact_id })).await.ok();
    assert_eq!((&preview["merge_id"], &preview["conversations"], &preview["entries"]), (&Json::Null, &json!(1), &json!(1)));
    let merged = owner.post(&merge, json!({ "other_id": two.contact_id })).await.ok();
    let contact = owner.get(&format!("/api/v1/contacts/{}", two.contact_id)).await.ok();
    assert_eq!((&contact["id"], &contact["name"]), (&json!(one.contact_id), &json!("Ada Novak")));
    assert_eq!(contact["points"].as_array().unwrap().len(), 2);
    assert_eq!(contact["merged"][0]["merge_id"], merged["merge_id"]);
    let timeline = owner.get(&format!("/api/v1/conversations/{}/timeline", one.conversation_id)).await.ok();
    assert_eq!(timeline["conversations"].as_array().unwrap().len(), 2, "one timeline of both");
    owner.post(&format!("/api/v1/contact_merges/{}/undo", merged["merge_id"].as_str().unwrap()), json!({})).await.ok();
    assert_eq!(owner.get(&format!("/api/v1/contacts/{}", two.contact_id)).await.ok()["id"], json!(two.contact_id));
    assert_eq!(
        owner.patch(&format!("/api/v1/contacts/{}", one.contact_id), json!({ "time_zone": "Mars" })).await.code(),
        (422, "invalid".into())
    );
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn labels_are_merged_split_moved_and_each_undone() {
    let app = TestApp::new().await;
    let first = app.customer_writes("ada@example.com", "First matter").await;
    let owner = app.owner_client().await;
    let base = format!("/api/v1/conversations/{}", first.conversation_id);
    let second = app.customer_writes("ada@example.com", "Second matter").await;
    assert_eq!(second.conversation_id, first.conversation_id);
    let dry = owner.post(&format!("{base}/split?dry_run=true"), json!({ "entry_ids": [second.id] })).await.ok();
    assert_eq!((&dry["undo_id"], &dry["entries"]), (&Json::Null, &json!(1)));
    let split = owner.post(&format!("{base}/split"), json!({ "entry_ids": [second.id] })).await.ok();
    let apart = split["conversation_id"].as_str().unwrap().to_owned();
    assert_ne!(apart, first.conversation_id.to_string());
    owner.post(&format!("/api/v1/undo/{}", split["undo_id"].as_str().unwrap()), json!({})).await.ok();
    assert_eq!(app.entry(second.id).await.conversation_id, first.conversation_id);
    assert_eq!(owner.post(&format!("/api/v1/undo/{}", split["undo_id"].as_str().unwrap()), json!({})).await.status, 409);
    app.end().await;
}
