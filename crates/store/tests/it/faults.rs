//! Calls that fail on demand, and a network that breaks at every statement: what was acknowledged is there, what was refused
//! is not, and nothing is there twice.

use crate::story::{ACME, counter, fact, insert_setting, setting_count};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Access, Conn, Db, DbSettings, Engine, Fault, FaultPlan, Route, StoreError, counter as counters, event_log, values};
use testkit::db::TestDb;
use testkit::db_test;

const HAS: &str = "SELECT 1 FROM setting WHERE workspace_id = $1 AND name = $2";

/// A write that can be repeated by its caller: the name is its key.
fn add(tx: &mut dyn Conn, name: &str) -> Result<bool, StoreError> {
    if tx.one(HAS, values![ACME, name])?.is_some() {
        return Ok(false);
    }
    insert_setting(tx, ACME, name)?;
    tx.count(counter(ACME, 1), 1);
    tx.log(fact(ACME, 1));
    Ok(true)
}

async fn all_agree(db: &Db) -> i64 {
    let settings = setting_count(db, ACME).await;
    assert_eq!(db.read(|tx| counters::get(tx, counter(ACME, 1))).await, Ok(settings));
    assert_eq!(db.read(|tx| event_log::head(tx, ACME)).await, Ok(settings));
    assert_eq!(db.read(|tx| event_log::list_since(tx, ACME, 0, 10_000)).await.unwrap().len() as i64, settings);
    settings
}

db_test! {
    async fn the_nth_call_fails_for_every_n(db: TestDb) {
        db.set_fault(Some(FaultPlan { nth: u64::MAX, count: 1, fault: Fault::Broken }));
        db.write(Route::Any, |tx| add(tx, "calm")).await.unwrap();
        let calls = db.fault_calls();
        // Twice two statements, counters, numbers, COMMIT.
        assert_eq!(calls, 7);
        for fault in [Fault::Broken, Fault::Busy, Fault::AnswerLost] {
            for nth in 1..=calls + 1 {
                let before = all_agree(&db).await;
                db.set_fault(Some(FaultPlan { nth, count: 1, fault }));
                let name = format!("{fault:?}{nth}");
                let answer = db.write(Route::Any, move |tx| add(tx, &name)).await;
                db.set_fault(None);
                let after = all_agree(&db).await;
                match answer {
                    Ok(true) => assert_eq!(after, before + 1),
                    Err(StoreError::Broken(_)) => assert_eq!(after, before),
                    other => panic!("{fault:?} at call {nth}: {other:?}"),
                }
                // A conflict is tried again by the store, and a lost answer is looked up.
                let healed = nth > calls || fault == Fault::Busy || (fault == Fault::AnswerLost && nth == calls);
                assert_eq!(after == before + 1, healed, "{fault:?} at call {nth}");
            }
        }
    }

    async fn groups_survive_faults(db: TestDb) {
        // Every third call fails while many write at once: each answer tells the truth.
        let acknowledged = Arc::new(AtomicI64::new(0));
        for round in 0..12 {
            db.set_fault(Some(FaultPlan { nth: 3 + round, count: 1 + round % 3, fault: if round % 2 == 0 { Fault::Broken } else { Fault::Busy } }));
            let writes: Vec<_> = (0..20).map(|n| {
                let (db, acknowledged) = (db.db.clone(), acknowledged.clone());
                tokio::spawn(async move {
                    let name = format!("r{round}n{n}");
                    if db.write(Route::Lane(n), move |tx| add(tx, &name)).await == Ok(true) {
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                })
            }).collect();
            for write in writes {
                write.await.unwrap();
            }
            db.set_fault(None);
        }
        assert_eq!(all_agree(&db).await, acknowledged.load(Ordering::SeqCst));
        assert!(acknowledged.load(Ordering::SeqCst) >= 200);
    }

    async fn a_lost_answer_of_a_write_that_logged_nothing_is_busy(db: TestDb) {
        db.set_fault(Some(FaultPlan { nth: 3, count: 1, fault: Fault::AnswerLost }));
        // Twice the insert, then COMMIT.
        let answer = db.write(Route::Any, |tx| insert_setting(tx, ACME, "x")).await;
        db.set_fault(None);
        assert_eq!(answer, Err(StoreError::Busy));
        assert_eq!(setting_count(&db, ACME).await, 1, "it did commit, which only the caller can find out");
    }

    async fn a_read_that_fails_says_so_and_the_next_one_works(db: TestDb) {
        db.set_fault(Some(FaultPlan { nth: 1, count: 1, fault: Fault::Broken }));
        let answer = db.read(|tx| tx.one(HAS, values![ACME, "x"])).await;
        assert!(matches!(answer, Err(StoreError::Broken(_))), "{answer:?}");
        db.set_fault(Some(FaultPlan { nth: 1, count: 1, fault: Fault::Busy }));
        assert_eq!(db.read(|tx| tx.one(HAS, values![ACME, "x"])).await, Ok(None));
        db.set_fault(None);
    }
}

/// A proxy before PostgreSQL that cuts a connection after so many bytes from the client, once.
struct Cutter {
    port: u16,
    left: Arc<AtomicI64>,
    cuts: Arc<AtomicI64>,
}

impl Cutter {
    fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, left) = (listener.local_addr().unwrap().port(), Arc::new(AtomicI64::new(i64::MAX)));
        let cuts = Arc::new(AtomicI64::new(0));
        let (budget, counted) = (left.clone(), cuts.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(&server) else { return };
                let (to, from) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
                let (budget, counted) = (budget.clone(), counted.clone());
                std::thread::spawn(move || pump(client, to, Some((&budget, &counted))));
                std::thread::spawn(move || pump(upstream, from, None));
            }
        });
        Self { port, left, cuts }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, budget: Option<(&AtomicI64, &AtomicI64)>) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let mut cut = false;
        let mut count = count;
        if let Some((budget, cuts)) = budget {
            let left = budget.fetch_sub(count as i64, Ordering::SeqCst);
            if left < count as i64 {
                // Everything up to the cut still reaches the server; the client never hears the answer.
                count = usize::try_from(left.max(0)).unwrap();
                cut = true;
                budget.store(i64::MAX, Ordering::SeqCst);
                cuts.fetch_add(1, Ordering::SeqCst);
            }
        }
        if to.write_all(&bytes[..count]).is_err() || cut {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_at_any_byte_loses_and_doubles_nothing() {
    let Some(test) = TestDb::open(Engine::Postgres) else { return };
    let url = test.settings.url.clone();
    let (scheme, rest) = url.split_at(url.find('@').expect("a role") + 1);
    let (server, database) = rest.split_at(rest.find('/').expect("a database"));
    let cutter = Cutter::before(server.to_owned());
    let settings = DbSettings {
        url: format!("{scheme}127.0.0.1:{}{database}", cutter.port),
        writer_count: 1,
        test_run_twice: false,
        ..test.settings.clone()
    };
    let db = Db::open(&settings, test.clock.clone(), Access::Test).unwrap();
    let (mut acknowledged, mut in_doubt) = (0, 0);
    for n in 0..120i64 {
        // The writer backs off for a moment when it cannot connect; cut it only once it is there again.
        while db.write::<_, StoreError>(Route::Any, |tx| tx.one(HAS, values![ACME, ""])).await.is_err() {
            tokio::task::yield_now().await;
        }
        // One write sends about 560 bytes: cuts fall into every one of its statements, COMMIT included.
        cutter.left.store(n * 5, Ordering::SeqCst);
        let name = format!("s{n}");
        match db.write(Route::Any, move |tx| add(tx, &name)).await {
            Ok(true) => acknowledged += 1,
            Err(StoreError::Busy) => in_doubt += 1,
            other => panic!("cut after {} bytes: {other:?}", n * 5),
        }
    }
    cutter.left.store(i64::MAX, Ordering::SeqCst);
    let there = all_agree(&test).await;
    assert!(
        there >= acknowledged && there <= acknowledged + in_doubt,
        "{acknowledged} acknowledged, {in_doubt} in doubt, {there} there"
    );
    let cuts = cutter.cuts.load(Ordering::SeqCst);
    assert!(cuts >= 80, "only {cuts} connections were cut");
    assert!(acknowledged >= 110, "a cut is healed by running again: {acknowledged}");
}
