//! Hand-overs from outside: links, codes, proofs that end, and what is known about the matter.

use axum::body::Body;
use http::Method;
use model::{Channel, ConversationId};
use serde_json::{Value as Json, json};
use testkit::app::{Client, TestApp};

struct Place {
    app: TestApp,
    site: String,
    chat: String,
}

async fn place() -> Place {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": "Website" })).await.ok();
    let (site, chat) = (made["webchat"]["site"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned());
    Place { app, site, chat }
}

async fn writes(place: &Place, from: &str, text: &str) -> String {
    place.app.customer_writes(from, text).await.conversation_id.to_string()
}

async fn make(place: &Place, conversation: &str, key: &str, body: Json) -> testkit::app::Answer {
    let owner = place.app.owner_client().await.with("idempotency-key", key);
    owner.post(&format!("/api/v1/conversations/{conversation}/handoffs"), body).await
}

/// The last thing that went out, as the customer got it.
async fn received(place: &Place) -> String {
    place.app.run_jobs().await;
    let taken = place.app.fake.taken();
    let body: Json = serde_json::from_slice(&taken.last().expect("something went out").request.body).unwrap();
    body["text"].as_str().unwrap().to_owned()
}

fn path_of(text: &str) -> String {
    let at = text.find("/t/").expect("a link");
    text[at..].split_whitespace().next().unwrap().to_owned()
}

async fn visits(client: &Client, site: &str, token: &str) -> Json {
    client.post(&format!("/w/{site}/visitors"), json!({ "locale": "en", "host_origin": "", "visitor_token": token })).await.ok()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}

async fn known(place: &Place, conversation: &str) -> Json {
    place.app.owner_client().await.get(&format!("/api/v1/conversations/{conversation}/facts")).await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_link_to_a_confirmed_address_leads_into_the_chat_of_the_same_conversation() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "Can you change my order?").await;
    let made =
        make(&place, &conversation, "k1", json!({ "mode": "link", "redirect": true, "checklist": ["order number", "postcode"] }))
            .await
            .ok();
    assert_eq!(made["level"], 2);
    assert_eq!(made["url"], Json::Null, "it was sent, so nobody has to copy it");
    let text = received(&place).await;
    assert!(text.contains("Please have at hand: order number, postcode."), "{text}");
    let link = path_of(&text);

    // Scanners and previews look, as often as they like, and learn the name of the business.
    let stranger = place.app.client();
    for _ in 0..3 {
        let page = stranger.get(&link).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Acme") && page.text().contains("Go on"), "{}", page.text());
        for secret in ["change my order", "555", "Lea"] {
            assert!(!page.text().contains(secret), "{secret}");
        }
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
    }
    assert_eq!(known(&place, &conversation).await["proof"], Json::Null);

    let opened = stranger.form(&link, &[("visit", "")]).await;
    assert_eq!(opened.status, 200);
    let html = opened.text();
    let token = between(&html, "data-visit=\"", "\"");
    assert!(html.contains(&format!("/w/{}.js", place.site)));
    let begun = visits(&stranger, &place.site, token).await;
    assert_eq!(begun["conversation"]["id"], conversation, "{begun}");
    assert!(begun["items"].to_string().contains("Can you change my order?"), "the customer sees their own words");

    // What is written in the chat lands in the same conversation; the proof is shown with its end.
    let visitor = place.app.client().with("authorization", &format!("Visitor {token}"));
    let frame = json!({ "frames": [{ "kind": "message", "client_msg_id": "msg-00000001", "text": "Here I am" }] });
    visitor.post(&format!("/w/{}/frames", place.site), frame).await.ok();
    place.app.run_jobs().await;
    let id = ConversationId::parse(&conversation).unwrap();
    assert_eq!(place.app.texts(id).await.last().map(String::as_str), Some("Here I am"));
    assert_eq!(place.app.conversation(id).await.channel, Channel::Webchat);
    let seen = known(&place, &conversation).await;
    assert_eq!((&seen["proof"]["level"], &seen["proof_level"]), (&json!(2), &json!(2)), "{seen}");
    let owner = place.app.owner_client().await;
    let list = owner.get(&format!("/api/v1/conversations/{conversation}/handoffs")).await.ok();
    assert_eq!((&list["items"][0]["state"], &list["items"][0]["to_inbox_id"]), (&json!("used"), &json!(place.chat)), "{list}");

    // Used: answered kindly, and the proof ends by itself.
    let again = place.app.client();
    assert_eq!((again.get(&link).await.status.as_u16(), again.form(&link, &[]).await.status.as_u16()), (410, 410));
    assert!(again.get(&link).await.text().contains("not lost"));
    place.app.clock.advance_ms(31 * 60_000);
    assert_eq!(known(&place, &conversation).await["proof"], Json::Null);
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_browser_that_has_chatted_before_keeps_its_history() {
    let place = place().await;
    let begun =
        place.app.client().post(&format!("/w/{}/visitors", place.site), json!({ "locale": "en", "host_origin": "" })).await.ok();
    let token = begun["visitor_token"].as_str().unwrap().to_owned();
    let visitor = place.app.client().with("authorization", &format!("Visitor {token}"));
    let frame = json!({ "frames": [{ "kind": "message", "client_msg_id": "msg-00000000", "text": "Hello, anonymous" }] });
    visitor.post(&format!("/w/{}/frames", place.site), frame).await.ok();
    place.app.run_jobs().await;
    let conversation = writes(&place, "ada@ex.test", "About my order").await;
    make(&place, &conversation, "k", json!({ "mode": "link", "redirect": true })).await.ok();
    let link = path_of(&received(&place).await);
    let opened = place.app.client().form(&link, &[("visit", &token)]).await;
    let html = opened.text();
    let begun = visits(&place.app.client(), &place.site, between(&html, "data-visit=\"", "\"")).await;
    assert_eq!(begun["conversation"]["id"], conversation, "the linked conversation is the newest of this browser");
    assert_eq!(begun["visitor_id"], visits(&place.app.client(), &place.site, &token).await["visitor_id"]);
    let (a, workspace) = (ConversationId::parse(&conversation).unwrap(), place.app.workspace);
    let contact = place.app.conversation(a).await.contact_id;
    let set = place.app.read(move |tx| store::contact::merged_set(tx, workspace, contact)).await;
    assert_eq!(set.len(), 2, "the anonymous visitor has joined the customer, and can be separated again");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_that_comes_back_in_a_message_links_and_proves() {
    let place = place().await;
    let conversation = writes(&place, "ada@ex.test", "About my order").await;
    make(&place, &conversation, "k", json!({ "mode": "link", "redirect": true })).await.ok();
    let token = path_of(&received(&place).await).trim_start_matches("/t/").to_owned();
    let mut message = place.app.message("+15550142", "It is me, from my phone");
    message.tokens = vec![token.clone()];
    assert_eq!(place.app.customer_sends(message).await.conversation_id.to_string(), conversation);
    let seen = known(&place, &conversation).await;
    assert_eq!(seen["proof"]["level"], 2, "{seen}");
    let page = place.app.client().get(&format!("/t/{token}")).await;
    assert_eq!(page.status, 410, "it worked once");
    let next = place.app.customer_writes("+15550142", "and again").await;
    assert_eq!(next.conversation_id.to_string(), conversation, "the number is the customer's now");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_link_that_went_to_nobody_proven_links_nobody() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "My secret order").await;
    // Copied by the agent: nobody knows to whom it goes.
    let made = make(&place, &conversation, "k1", json!({ "mode": "link" })).await.ok();
    assert_eq!(made["level"], 0);
    let link = path_of(made["url"].as_str().unwrap());
    let opened = place.app.client().form(&link, &[]).await;
    let html = opened.text();
    let begun = visits(&place.app.client(), &place.site, between(&html, "data-visit=\"", "\"")).await;
    assert_eq!((&begun["conversation"], &begun["items"]), (&Json::Null, &json!([])), "nothing of the customer is shown");
    let seen = known(&place, &conversation).await;
    assert_eq!(seen["proof"], Json::Null);
    let timeline =
        place.app.owner_client().await.get(&format!("/api/v1/conversations/{conversation}/timeline")).await.ok().to_string();
    assert!(timeline.contains("handoff_used") && timeline.contains("\"linked\":false"), "{timeline}");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dead_links_are_answered_kindly_and_two_presses_link_once() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "hi").await;
    for cut in ["/t/x", "/t/0000000000000", "/t/%22%3E%3Cscript%3E"] {
        let page = place.app.client().get(cut).await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("does not open") && !page.text().contains("<script>alert"), "{}", page.text());
    }
    let late = make(&place, &conversation, "k1", json!({ "mode": "link" })).await.ok();
    let late = path_of(late["url"].as_str().unwrap());
    place.app.clock.advance_ms(61 * 60_000);
    let page = place.app.client().form(&late, &[]).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("run out"), "{}", page.text());

    let owner = place.app.owner_client().await;
    let back = make(&place, &conversation, "k2", json!({ "mode": "link" })).await.ok();
    let path = format!("/api/v1/conversations/{conversation}/handoffs/{}", back["id"].as_str().unwrap());
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(place.app.client().form(&path_of(back["url"].as_str().unwrap()), &[]).await.status, 410);

    let two = make(&place, &conversation, "k3", json!({ "mode": "link" })).await.ok();
    let two = path_of(two["url"].as_str().unwrap());
    let (a, b) = (place.app.client(), place.app.client());
    let (first, second) = tokio::join!(a.form(&two, &[]), b.form(&two, &[]));
    let mut states = [first.status.as_u16(), second.status.as_u16()];
    states.sort_unstable();
    assert_eq!(states, [200, 410]);
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_guesser_is_held_up() {
    let place = place().await;
    let client = place.app.client();
    let mut answers = vec![];
    for n in 0..70 {
        answers.push(client.get(&format!("/t/guess{n}")).await.status.as_u16());
    }
    assert!(answers.contains(&429), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_code_to_a_confirmed_address_proves_the_person_wherever_they_say_it() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "Please refund me").await;
    let options = place.app.owner_client().await.get(&format!("/api/v1/conversations/{conversation}/reply-options")).await.ok();
    let via = json!({ "inbox_id": options["items"][0]["inbox_id"], "contact_point_id": options["items"][0]["contact_point_id"] });
    assert_eq!(make(&place, &conversation, "k0", json!({ "mode": "code" })).await.code().0, 422, "a code goes somewhere");
    let made = make(&place, &conversation, "k1", json!({ "mode": "code", "via": via })).await.ok();
    assert_eq!(made["level"], 3);
    let text = received(&place).await;
    let code = text.split_whitespace().next().unwrap().to_owned();
    assert!(code.len() == 6 && text.contains("Acme"), "{text}");

    let owner = place.app.owner_client().await;
    let check = format!("/api/v1/conversations/{conversation}/handoffs/check");
    let wrong = if code == "111111" { "222222" } else { "111111" };
    assert_eq!(owner.post(&check, json!({ "code": wrong })).await.ok()["right"], false);
    assert_eq!(owner.post(&check, json!({ "code": "soon" })).await.code().0, 422);
    // The customer writes it.
    writes(&place, "+15550142", &format!("{} {}", &code[..3], &code[3..])).await;
    let seen = known(&place, &conversation).await;
    assert_eq!((&seen["proof"]["level"], &seen["proof_level"]), (&json!(3), &json!(3)), "{seen}");
    assert_eq!(owner.post(&check, json!({ "code": code })).await.ok()["right"], false, "it works once");
    // Ended by the agent at will.
    assert_eq!(owner.delete(&format!("/api/v1/conversations/{conversation}/proof")).await.status, 204);
    assert_eq!(known(&place, &conversation).await["proof"], Json::Null);
    assert_eq!(owner.delete(&format!("/api/v1/conversations/{conversation}/proof")).await.code().0, 404);
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_code_is_over_after_five_wrong_ones() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "hi").await;
    make(&place, &conversation, "k1", json!({ "mode": "code", "redirect": true })).await.ok();
    let code: String = received(&place).await.chars().take(6).collect();
    let owner = place.app.owner_client().await;
    let check = format!("/api/v1/conversations/{conversation}/handoffs/check");
    for n in 0..5u32 {
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        assert_eq!(owner.post(&check, json!({ "code": wrong })).await.ok()["right"], false);
    }
    assert_eq!(owner.post(&check, json!({ "code": code })).await.ok()["right"], false);
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_code_never_goes_to_an_unproven_address() {
    let place = place().await;
    let mut message = place.app.message("+15550199", "hello");
    message.from[0].proof_level = 1;
    let conversation = place.app.customer_sends(message).await.conversation_id.to_string();
    let refused = make(&place, &conversation, "k1", json!({ "mode": "code", "redirect": true })).await;
    assert_eq!(refused.code(), (409, "not_confirmed".into()));
    let link = make(&place, &conversation, "k2", json!({ "mode": "link", "redirect": true })).await.ok();
    assert_eq!(link["level"], 0, "the redirect goes out all the same, and proves nothing");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_known_is_asked_once() {
    let place = place().await;
    let conversation = writes(&place, "+15550142", "My order is late").await;
    let owner = place.app.owner_client().await;
    let facts = format!("/api/v1/conversations/{conversation}/facts");
    let empty = owner.get(&facts).await.ok();
    assert_eq!(empty["missing"], json!(["name", "order_number", "topic", "action"]));
    owner.put(&format!("{facts}/Order"), json!({ "value": "A-1001" })).await.ok();
    owner.put(&format!("{facts}/order_number"), json!({ "value": "a-1001" })).await.ok();
    owner.put(&format!("{facts}/order_number"), json!({ "value": "A-1002" })).await.ok();
    owner.put(&format!("{facts}/topic"), json!({ "value": "delivery" })).await.ok();
    let all = owner.put(&format!("{facts}/topic"), json!({ "value": "refund" })).await.ok();
    let of = |name: &str| -> Vec<&str> {
        let facts = all["facts"].as_array().unwrap();
        facts.iter().filter(|fact| fact["name"] == name).map(|fact| fact["value"].as_str().unwrap()).collect()
    };
    assert_eq!((of("order_number"), of("topic")), (vec!["A-1001", "A-1002"], vec!["refund"]), "{all}");
    assert_eq!(all["missing"], json!(["name", "action"]));
    let wrong = all["facts"].as_array().unwrap().iter().find(|fact| fact["value"] == "A-1002").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let left = owner.delete(&format!("{facts}/{wrong}")).await.ok();
    assert_eq!(left["facts"].as_array().unwrap().len(), 2);
    assert_eq!(owner.put(&format!("{facts}/topic"), json!({ "value": " " })).await.code().0, 422);
    assert_eq!(owner.get("/api/v1/conversations/cnv_0000000000000/facts").await.code().0, 404);
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn facts_come_along_when_conversations_are_merged() {
    let place = place().await;
    let (a, b) = (writes(&place, "+15550142", "first").await, writes(&place, "ada@ex.test", "second").await);
    let owner = place.app.owner_client().await;
    for (conversation, topic, order) in [(&a, "delivery", "A-1"), (&b, "refund", "A-2")] {
        let facts = format!("/api/v1/conversations/{conversation}/facts");
        owner.put(&format!("{facts}/topic"), json!({ "value": topic })).await.ok();
        owner.put(&format!("{facts}/order_number"), json!({ "value": order })).await.ok();
    }
    let (kept, gone) = (ConversationId::parse(&a).unwrap(), ConversationId::parse(&b).unwrap());
    let (one, other) = (place.app.conversation(kept).await.contact_id, place.app.conversation(gone).await.contact_id);
    owner.post(&format!("/api/v1/contacts/{one}/merge"), json!({ "other_id": other })).await.ok();
    owner.post(&format!("/api/v1/conversations/{b}/merge"), json!({ "into": a })).await.ok();
    let seen = known(&place, &a).await;
    let values: Vec<&str> = seen["facts"].as_array().unwrap().iter().map(|fact| fact["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["A-1", "A-2", "delivery"], "orders of both, and the topic of the one that stays");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_and_a_program_fill_the_facts_and_an_agent_has_the_last_word() {
    let place = place().await;
    let owner = place.app.owner_client().await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "api", "name": "Shop app" })).await.ok();
    let inbox = made["id"].as_str().unwrap().to_owned();
    let key =
        owner.post(&format!("/api/v1/inboxes/{inbox}/channel_key"), json!({})).await.ok()["key"].as_str().unwrap().to_owned();
    let program = place.app.client().with("authorization", &format!("Bearer {key}"));
    let send = |event: &'static str, facts: Json| {
        let body = json!({ "event_id": event, "kind": "message", "from": { "id": "ada" }, "text": "hi", "order_numbers": ["A-7"], "facts": facts });
        let (program, path) = (&program, format!("/api/v1/channel/{inbox}/events"));
        async move { program.send(Method::POST, &path, Body::from(body.to_string()), Some("application/json")).await.ok() }
    };
    send("e1", json!({ "topic": "delivery", "action": ["asked the carrier"] })).await;
    place.app.run_jobs().await;
    let list = owner.get("/api/v1/conversations?view=all").await.ok();
    let conversation = list["items"][0]["id"].as_str().unwrap().to_owned();
    owner.put(&format!("/api/v1/conversations/{conversation}/facts/topic"), json!({ "value": "refund" })).await.ok();
    send("e2", json!({ "topic": "delivery" })).await;
    place.app.run_jobs().await;
    let seen = known(&place, &conversation).await;
    let by = |name: &str| seen["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == name).cloned().unwrap_or_default();
    assert_eq!((&by("topic")["value"], &by("topic")["source"]), (&json!("refund"), &json!("agent")), "{seen}");
    assert_eq!((&by("order_number")["value"], &by("order_number")["source"]), (&json!("A-7"), &json!("program")));
    assert!(by("action")["entry_id"].is_string(), "each value leads to where it was said");
    place.app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn settings_are_checked_and_for_admins() {
    let place = place().await;
    let owner = place.app.owner_client().await;
    let mut settings = owner.get("/api/v1/handoff_settings").await.ok();
    assert_eq!((&settings["link_minutes"], &settings["proof_minutes"]), (&json!(60), &json!(30)));
    settings["checklist"] = json!(["order number"]);
    settings["proof_minutes"] = json!(5);
    assert_eq!(owner.put("/api/v1/handoff_settings", settings.clone()).await.ok(), settings);
    for (field, value) in
        [("link_minutes", json!(0)), ("link_text", json!("no link")), ("code_text", json!("none")), ("checklist", json!([""]))]
    {
        let mut bad = settings.clone();
        bad[field] = value;
        let refused = owner.put("/api/v1/handoff_settings", bad).await;
        assert_eq!((refused.code().0, refused.value()["args"]["field"].clone()), (422, json!(field)));
    }
    let agent = place.app.client_with_role("Tom", model::Role::Agent).await;
    assert_eq!(agent.put("/api/v1/handoff_settings", settings).await.code().0, 403);
    place.app.end().await;
}
