//! The promise of the widget and of the workspace: whatever is cut whenever, nothing is missing, nothing comes twice, and
//! the order is kept.

use crate::served::{Served, Socket, items, message};
use model::{FakeRandom, Random};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const EACH: usize = 500;
const CUTS: usize = 200;

/// What a client of the widget knows; it survives cuts as the page does.
struct Visitor {
    token: String,
    site: String,
    conversation: Option<String>,
    position: i64,
    items: BTreeMap<String, Json>,
    queue: VecDeque<(String, String)>,
    begins: usize,
}

impl Visitor {
    fn take(&mut self, frame: &Json) {
        match frame["kind"].as_str().unwrap_or_default() {
            "welcome" | "conversation" => {
                let id = frame["conversation"].as_str().or(frame["id"].as_str());
                if id.is_some() && id != self.conversation.as_deref() {
                    self.conversation = id.map(str::to_owned);
                    self.position = 0;
                }
            }
            "ack" => self.queue.retain(|(id, _)| frame["client_msg_id"] != *id),
            "frame" => {
                assert!(frame["prev"].as_i64().unwrap() <= self.position, "a gap: {frame} at {}", self.position);
                if frame["upto"].as_i64().unwrap() <= self.position {
                    return;
                }
                self.position = frame["upto"].as_i64().unwrap();
                for item in items(frame).into_iter().filter(|item| item["from"] != "system") {
                    let old = self.items.get(item["id"].as_str().unwrap());
                    if old.is_none_or(|old| old["seq"].as_i64() <= item["seq"].as_i64()) {
                        self.items.insert(item["id"].as_str().unwrap().to_owned(), item);
                    }
                }
            }
            "refused" => panic!("{frame}"),
            _ => {}
        }
    }

    async fn connect(&mut self, served: &Served) -> Socket {
        let mut socket = served.visitor(&self.site, &self.token, self.conversation.as_deref(), self.position).await;
        for (id, text) in &self.queue {
            socket.say(message(id, text)).await;
        }
        socket
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_cuts_during_a_thousand_entries_lose_nothing() {
    let served = Arc::new(Served::new().await);
    let site = served.add_site(json!({ "rates": { "messages_per_minute": 600, "visitors_per_address_per_hour": 100 } })).await;
    let random = FakeRandom::new(42);
    let begun = served.begin(&site, json!({})).await;
    let token = begun["visitor_token"].as_str().unwrap().to_owned();
    let mut visitor =
        Visitor { token, site, conversation: None, position: 0, items: BTreeMap::new(), queue: VecDeque::new(), begins: 0 };
    let mut socket = visitor.connect(&served).await;
    visitor.queue.push_back(("first-message".to_owned(), "in 0".to_owned()));
    socket.say(message("first-message", "in 0")).await;
    while visitor.conversation.is_none() {
        let frame = socket.next().await.expect("it stays open");
        visitor.take(&frame);
    }
    let conversation = visitor.conversation.clone().unwrap();

    // Agents answer by HTTP meanwhile, and watch over a socket that is cut as well.
    let supervisor = worker::Supervisor::new();
    let answered = Arc::new(AtomicUsize::new(0));
    let watched = Arc::new(std::sync::Mutex::new(BTreeMap::<String, Json>::new()));
    let done = Arc::new(AtomicBool::new(false));
    let path = format!("/api/v1/conversations/{conversation}/entries");
    let (server, count) = (Arc::clone(&served), Arc::clone(&answered));
    supervisor.spawn("agent", async move {
        for n in 0..EACH {
            let client = server.app.owner_client().await.with("idempotency-key", &format!("key-{n}"));
            client
                .post(&path, json!({ "kind": "message", "text": format!("out {n}"), "base_seq": 1_000_000, "hold_seconds": 0 }))
                .await
                .ok();
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (server, seen, over) = (Arc::clone(&served), Arc::clone(&watched), Arc::clone(&done));
    supervisor.spawn("watcher", async move { watch(&server, &seen, &over).await });

    let (mut sent, mut cuts) = (1, 0);
    while sent < EACH
        || cuts < CUTS
        || !visitor.queue.is_empty()
        || visitor.items.len() < 2 * EACH
        || answered.load(Ordering::SeqCst) < EACH
    {
        if sent < EACH && visitor.queue.len() < 20 {
            let (id, text) = (format!("message-{sent:05}"), format!("in {sent}"));
            visitor.queue.push_back((id.clone(), text.clone()));
            socket.say(message(&id, &text)).await;
            // The rate is 600 a minute.
            served.app.clock.advance_ms(150);
            sent += 1;
        }
        if cuts < CUTS && random.below(5) == 0 {
            drop(socket);
            cuts += 1;
            socket = visitor.connect(&served).await;
            continue;
        }
        for frame in socket.rest(Duration::from_millis(if sent < EACH { 5 } else { 100 })).await {
            if frame["kind"] == "resync" {
                visitor.begins += 1;
                (visitor.conversation, visitor.position) = (None, 0);
                socket = visitor.connect(&served).await;
                break;
            }
            visitor.take(&frame);
        }
    }

    let mut shown: Vec<&Json> = visitor.items.values().collect();
    shown.sort_by_key(|item| (item["at"].as_str().unwrap().to_owned(), item["id"].as_str().unwrap().to_owned()));
    let of = |from: &str| {
        shown.iter().filter(|item| item["from"] == from).map(|item| item["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let expected = |word: &str| (0..EACH).map(|n| format!("{word} {n}")).collect::<Vec<_>>();
    assert_eq!(of("me"), expected("in"));
    assert_eq!(of("agent"), expected("out"));
    assert_eq!(visitor.items.len(), 2 * EACH);

    let id = model::ConversationId::parse(&conversation).unwrap();
    let stored = served.app.texts(id).await;
    assert_eq!(stored.len(), 2 * EACH, "each message is one entry");
    let texts: Vec<&str> = shown.iter().map(|item| item["text"].as_str().unwrap()).collect();
    assert_eq!(texts, stored, "the visitor's order is the timeline's");

    let patience = std::time::Duration::from_secs(20);
    let complete = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while watched.lock().unwrap().values().filter(|entry| entry["kind"] == "message").count() < 2 * EACH {
            tick.tick().await;
        }
    };
    tokio::time::timeout(patience, complete).await.expect("the agent's screen is complete");
    done.store(true, Ordering::SeqCst);
    assert!(supervisor.stop(Duration::from_secs(10)).await.is_empty());
    drop(socket);
    Arc::into_inner(served).expect("nobody else holds it").end().await;
}

// An agent's screen: a position and entries by id. Its socket is cut again and again; a gap is healed by reading changes.
async fn watch(served: &Served, seen: &std::sync::Mutex<BTreeMap<String, Json>>, over: &AtomicBool) {
    let random = FakeRandom::new(7);
    let client = served.app.owner_client().await;
    let mut position: i64 = 0;
    let take = |page: &Json| {
        for item in items(page).into_iter().filter(|item| item["kind"] == "entry") {
            let entry = item["entry"].clone();
            let mut seen = seen.lock().unwrap();
            let old = seen.get(entry["id"].as_str().unwrap());
            if old.is_none_or(|old| old["seq"].as_i64() <= entry["seq"].as_i64()) {
                seen.insert(entry["id"].as_str().unwrap().to_owned(), entry);
            }
        }
    };
    while !over.load(Ordering::SeqCst) {
        let mut socket = served.agent(&client, Some(position)).await;
        for _ in 0..random.below(30) + 5 {
            if over.load(Ordering::SeqCst) {
                return;
            }
            for frame in socket.rest(Duration::from_millis(20)).await {
                if frame["kind"] != "frame" {
                    continue;
                }
                if frame["prev"].as_i64().unwrap() > position {
                    loop {
                        let page = client.get(&format!("/api/v1/changes?since={position}")).await.ok();
                        take(&page);
                        position = page["upto"].as_i64().unwrap();
                        if page["more"] == false {
                            break;
                        }
                    }
                    continue;
                }
                take(&frame);
                position = position.max(frame["upto"].as_i64().unwrap());
            }
        }
    }
}
