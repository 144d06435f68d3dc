//! Possible duplicates at scale: a pass over 100,000 contacts, and the check that runs when one of them is new or changed.
//! `CONTINUO_BENCH_PEOPLE` sets another number. One in twenty people is there twice, with a typo or another address.
#![allow(missing_docs, reason = "a bench is a program")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench says by panicking and reads the real clock")]

use desk::contacts::duplicates::{check, full_pass};
use model::{ContactId, ContactPointId, ContactPointKind, Timestamp};
use std::time::Instant;
use store::contact::Contact;
use store::contact_point::PointKey;
use store::loader::{Batch, NewPoint, load};
use store::{Route, StoreError};
use testkit::desk::TestDesk;

const PEOPLE: usize = 100_000;
const CHECKS: usize = 500;

fn main() {
    let count = std::env::var("CONTINUO_BENCH_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(PEOPLE);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(count));
}

/// Names by a law like that of real ones: few are common, most are rare.
fn syllables(mut n: u64, parts: u64) -> String {
    const PARTS: [&str; 24] = [
        "an", "be", "ca", "do", "el", "fi", "go", "ha", "in", "jo", "ka", "lu", "ma", "ni", "ol", "pe", "qui", "ro", "sa", "ti",
        "ur", "vi", "wes", "zo",
    ];
    let mut out = String::new();
    for _ in 0..parts {
        out.push_str(PARTS[(n % 24) as usize]);
        n /= 24;
    }
    out
}

struct Dice(u64);
impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn skewed(&mut self, below: u64) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((below as f64).powf(unit) - 1.0) as u64
    }
}

async fn run(count: usize) {
    let t = TestDesk::on(store::Engine::Sqlite).await.unwrap();
    let (workspace, ids, mut dice) = (t.workspace, t.desk.db.ids(), Dice(0x9E37_79B9_7F4A_7C15));
    let mut all: Vec<(String, String, String)> = Vec::new();
    let begun = Instant::now();
    let mut batch = Batch::default();
    for n in 0..count {
        let twin = n % 20 == 19;
        let (given, last, phone) = if twin {
            let (given, mut last, phone) = all[n - 7].clone();
            let at = 1 + (dice.next() as usize) % (last.len() - 1);
            last.insert(at, 'e');
            (given, last, phone)
        } else {
            let given = syllables(dice.skewed(5_000), 2);
            let last = syllables(dice.skewed(200_000) * 7 + 11, 4);
            (given, last, format!("+1555{:07}", dice.next() % 10_000_000))
        };
        let (id, at) = (ContactId(ids.next_id()), Timestamp(1_700_000_000_000 + n as i64 * 1_000));
        batch.contacts.push(Contact {
            id,
            merged_into: None,
            live_id: id,
            name: Some(format!("{given} {last}")),
            company: None,
            locale: None,
            time_zone: None,
            notes: None,
            claimed: serde_json::Map::new(),
            blocked_at: None,
            first_seen_at: at,
            last_seen_at: at,
            version: 1,
        });
        let email = format!("{given}.{last}{n}@{}.example", ["mail", "post", "web"][n % 3]);
        let mut point = |kind, match_key: String| {
            let key = PointKey { kind, scope: String::new(), match_key: match_key.clone() };
            let id_of = ContactPointId(ids.next_id());
            batch.points.push(NewPoint { id: id_of, key, raw: match_key, owner: id, proof_level: 2, seen: (at, at) });
        };
        point(ContactPointKind::Email, email);
        if n % 20 < 10 {
            point(ContactPointKind::Phone, format!("{phone}{n}"));
        }
        all.push((given, last, phone));
        if batch.contacts.len() == 400 || n + 1 == count {
            let full = std::mem::take(&mut batch);
            let now = Timestamp(1_800_000_000_000);
            t.desk.db.write_bulk(Route::Any, move |tx| load(tx, workspace, &full, now)).await.unwrap();
        }
    }
    println!("{count} contacts loaded in {:.1} s", begun.elapsed().as_secs_f64());
    for name in ["first pass (all keys are new)", "second pass"] {
        let begun = Instant::now();
        let pass = full_pass(&t.desk, workspace).await.unwrap();
        println!(
            "{name}: {:.1} s; {} contacts, {} pairs compared, {} suggested, weights learned: {}",
            begun.elapsed().as_secs_f64(),
            pass.contacts,
            pass.compared,
            pass.suggested,
            pass.learned
        );
    }
    let now = Timestamp(1_800_000_000_000);
    let some: Vec<ContactId> = t
        .read(move |tx| {
            Ok(store::contact::page(tx, workspace, (i64::MAX, i64::MAX), CHECKS as i64)?.iter().map(|c| c.id).collect())
        })
        .await;
    let mut ms = Vec::new();
    for id in some {
        let begun = Instant::now();
        let done: Result<usize, StoreError> = t.desk.db.write(Route::Contact(id), move |tx| check(tx, workspace, id, now)).await;
        done.unwrap();
        ms.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| ms[((ms.len() - 1) as f64 * share) as usize];
    println!(
        "check of one contact ({} of them, each run twice and committed): p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        ms.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    t.allow_leftovers();
}
