//! `kill -9` at random moments under load. Visitors repeat what was not acknowledged and agents repeat what was not accepted,
//! as their programs do. At the end everything acknowledged is there exactly once, and every number and counter is right.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

use crate::{PATIENCE, Server};
use model::{Clock, Direction, EntryKind, OutboxState, SystemClock, Timestamp, WorkspaceId};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::conversation::list::{Cut, Order, walk_folders};
use store::conversation::{Folder, recount};
use store::{Access, Db, DbSettings, StoreError, entry, outbox};

const KILLS: usize = 12;
const VISITORS: usize = 8;
const AGENTS: usize = 3;

/// Repeatable chance for as long as threads take turns the same way; the seed is printed.
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, below: u64) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 31)) % below
    }
}

/// What all threads share.
struct World {
    address: Mutex<String>,
    cookie: String,
    site: String,
    running: AtomicBool,
    chance: Chance,
    deadline: Instant,
}

impl World {
    /// One request; nothing when the server went away meanwhile.
    fn ask(&self, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
        let address = self.address.lock().unwrap().clone();
        ask(&address, "POST", path, headers, body)
    }

    /// Tries until an answer is good, as a client without memory of anything but its message would.
    fn until(&self, mut go: impl FnMut() -> bool) {
        while !go() {
            assert!(Instant::now() < self.deadline, "the server takes nothing any more");
            std::thread::sleep(Duration::from_millis(15));
        }
    }
}

pub fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, answer))
}

pub fn json(answer: &str) -> serde_json::Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

/// Makes the first owner; the header with their cookie.
pub fn owner_cookie(server: &Server) -> String {
    let code = server.code.clone().unwrap();
    let owner = format!(r#"{{"code":"{code}","name":"Ada","email":"ada@example.com","password":"correct horse"}}"#);
    let (status, answer) = ask(&server.address, "POST", "/api/v1/setup/owner", "", &owner).unwrap();
    assert_eq!(status, 200, "{answer}");
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ").or(line.strip_prefix("Set-Cookie: ")));
    format!("Cookie: {}\r\n", set.unwrap().split(';').next().unwrap())
}

/// Owner, an inbox with high rates: the address of its site and the owner's cookie.
fn set_up(server: &Server) -> (String, String) {
    let cookie = owner_cookie(server);
    let inbox = r#"{"channel":"webchat","name":"Site chat","webchat":{"rates":{"messages_per_minute":600,"visitors_per_address_per_hour":100000}}}"#;
    let (status, answer) = ask(&server.address, "POST", "/api/v1/inboxes", &cookie, inbox).unwrap();
    assert!((200..300).contains(&status), "{answer}");
    (json(&answer)["webchat"]["site"].as_str().unwrap().to_owned(), cookie)
}

/// Writes until told to stop; gives the ids of its messages in order, each acknowledged.
fn visitor(world: &World, number: usize) -> Vec<String> {
    let mut token = String::new();
    world.until(|| {
        let address = world.address.lock().unwrap().clone();
        let begin = format!(r#"{{"locale":"en","host_origin":"http://{address}"}}"#);
        let begun = world.ask(&format!("/w/{}/visitors", world.site), "", &begin);
        token = begun
            .filter(|(status, _)| *status == 200)
            .and_then(|(_, a)| json(&a)["visitor_token"].as_str().map(str::to_owned))
            .unwrap_or_default();
        !token.is_empty()
    });
    let headers = format!("Authorization: Visitor {token}\r\n");
    let mut said = Vec::new();
    for m in 0.. {
        // Everybody says something, whatever happens.
        if m > 0 && !world.running.load(Ordering::SeqCst) {
            break;
        }
        let id = format!("kill-{number:02}-{m:06}");
        let frames = format!(r#"{{"frames":[{{"kind":"message","client_msg_id":"{id}","text":"visitor {number} says {m}"}}]}}"#);
        world.until(|| {
            let answer = world.ask(&format!("/w/{}/frames", world.site), &headers, &frames);
            answer.is_some_and(|(status, a)| status == 200 && json(&a)["frames"][0]["kind"] == "ack")
        });
        said.push(id);
        std::thread::sleep(Duration::from_millis(world.chance.below(80)));
    }
    said
}

/// Answers somewhere until told to stop; gives key and text of each accepted reply.
fn agent(world: &World, number: usize) -> Vec<(String, String)> {
    let mut accepted = Vec::new();
    for m in 0.. {
        if !world.running.load(Ordering::SeqCst) {
            break;
        }
        let address = world.address.lock().unwrap().clone();
        let list = ask(&address, "GET", "/api/v1/conversations?view=all&limit=50", &world.cookie, "")
            .map(|(_, a)| json(&a))
            .unwrap_or_default();
        let rows = list["items"].as_array().cloned().unwrap_or_default();
        if rows.is_empty() {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        let row = &rows[usize::try_from(world.chance.below(rows.len() as u64)).unwrap()];
        let path = format!("/api/v1/conversations/{}/entries", row["id"].as_str().unwrap());
        let (key, text) = (format!("reply-{number}-{m}"), format!("agent {number} answers {m}"));
        let headers = format!("{}Idempotency-Key: {key}\r\n", world.cookie);
        let body = format!(r#"{{"kind":"message","text":"{text}","base_seq":0,"force":true,"hold_seconds":0}}"#);
        world.until(|| world.ask(&path, &headers, &body).is_some_and(|(status, _)| (200..300).contains(&status)));
        accepted.push((key, text));
        std::thread::sleep(Duration::from_millis(20 + world.chance.below(120)));
    }
    accepted
}

#[test]
fn killed_at_random_moments_it_loses_and_doubles_nothing() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let (site, cookie) = set_up(&server);
    let world = Arc::new(World {
        address: Mutex::new(server.address.clone()),
        cookie,
        site,
        running: AtomicBool::new(true),
        chance: Chance(AtomicU64::new(seed)),
        deadline: Instant::now() + 3 * PATIENCE,
    });
    let shared = || Arc::clone(&world);
    let visitors: Vec<_> =
        (0..VISITORS).map(|n| (shared(), n)).map(|(w, n)| std::thread::spawn(move || visitor(&w, n))).collect();
    let agents: Vec<_> = (0..AGENTS).map(|n| (shared(), n)).map(|(w, n)| std::thread::spawn(move || agent(&w, n))).collect();

    let mut server = Some(server);
    for _ in 0..KILLS {
        std::thread::sleep(Duration::from_millis(150 + world.chance.below(700)));
        // SIGKILL, and not one instruction more.
        drop(server.take());
        let next = Server::start(&data);
        *world.address.lock().unwrap() = next.address.clone();
        server = Some(next);
    }
    world.running.store(false, Ordering::SeqCst);
    let said: Vec<String> = visitors.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let accepted: Vec<(String, String)> = agents.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    println!("{KILLS} kills, {} messages acknowledged, {} replies accepted", said.len(), accepted.len());
    assert!(said.len() >= 50 && !accepted.is_empty(), "there was load");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(look(&data, &said, &accepted));
    assert_eq!(server.take().unwrap().stop(), Some(0));
}

/// Looks into the database beside the running server.
async fn look(data: &Path, said: &[String], accepted: &[(String, String)]) {
    let settings = DbSettings::new(format!("sqlite:{}", data.join("continuo.db").display()));
    let db = Db::open(&settings, Arc::new(SystemClock), Access::Look).unwrap();
    let workspace = db.read(store::workspace::list).await.unwrap()[0].id;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (open, waiting) = db.read(move |tx| left(tx, workspace)).await.unwrap();
        if open == 0 && waiting == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{open} events have no end, {waiting} replies are still on their way");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (inbound, outbound, doubtful) = db.read(move |tx| entries(tx, workspace)).await.unwrap();
    for id in said {
        assert_eq!(inbound.get(id), Some(&1), "{id} was acknowledged");
    }
    assert_eq!(inbound.len(), said.len(), "nothing was stored that nobody said");
    for (key, text) in accepted {
        assert_eq!(outbound.get(&(key.clone(), text.clone())), Some(&1), "{key} was accepted");
    }
    assert_eq!(outbound.len(), accepted.len(), "nothing went out that nobody wrote");
    println!("{doubtful} replies are marked as uncertain");
    let (drift, gaps, given_up) = db
        .read(move |tx| -> Result<_, StoreError> {
            Ok((
                recount::drift(tx, workspace)?,
                recount::gaps(tx, workspace)?,
                store::job::list_given_up(tx, workspace, None, 10)?,
            ))
        })
        .await
        .unwrap();
    assert!(drift.is_empty() && gaps.is_empty() && given_up.is_empty(), "{drift:?} {gaps:?} {given_up:?}");
    db.close();
}

/// Raw events without an end; jobs that are due or run, and replies that are neither handed over nor in doubt.
fn left(tx: &mut dyn store::Conn, workspace: WorkspaceId) -> Result<(i64, usize), StoreError> {
    let open = store::provider_event::open_count(tx, workspace, Timestamp(i64::MAX))?;
    let health = store::job::health(tx, SystemClock.now())?;
    let mut waiting =
        usize::try_from(health.running).unwrap() + health.classes.iter().filter(|c| c.oldest_ready_at.is_some()).count();
    for row in walk_folders(tx, workspace, &Folder::ALL, Cut::All, Order::Newest, Order::Newest.start(), 1_000)? {
        for found in entry::conversation_before(tx, workspace, row.id, (i64::MAX, i64::MAX), 10_000)? {
            let boxes = outbox::of_entry(tx, workspace, found.id)?;
            waiting += boxes.iter().filter(|o| o.state != OutboxState::Done && !found.uncertain).count();
        }
    }
    Ok((open, waiting))
}

type Found = (BTreeMap<String, usize>, BTreeMap<(String, String), usize>, usize);

/// How often each message (by its client id) and each reply (by its key and text) is there, and how many are in doubt.
fn entries(tx: &mut dyn store::Conn, workspace: WorkspaceId) -> Result<Found, StoreError> {
    let (mut inbound, mut outbound, mut doubtful) = (BTreeMap::new(), BTreeMap::new(), 0);
    for row in walk_folders(tx, workspace, &Folder::ALL, Cut::All, Order::Newest, Order::Newest.start(), 1_000)? {
        for found in entry::conversation_before(tx, workspace, row.id, (i64::MAX, i64::MAX), 10_000)? {
            if found.kind != EntryKind::Message {
                continue;
            }
            let id = found.client_id.clone().unwrap_or_default();
            let own = id.rsplit(':').next().unwrap_or_default().to_owned();
            match found.direction {
                Direction::In => *inbound.entry(own).or_insert(0) += 1,
                _ => *outbound.entry((own, found.body.text.clone())).or_insert(0) += 1,
            }
            doubtful += usize::from(found.uncertain);
        }
    }
    Ok((inbound, outbound, doubtful))
}
